//! A recording in a tar archive: its entries become slices of the one unpacked text. Nothing is written to the disk, and
//! an entry that could not be a file of a recording (a link, a path that leads outside) refuses the whole archive.

use std::collections::BTreeMap;
use std::path::Component;

use bytes::Bytes;
use tar::{Archive, EntryType};

use super::super::SourceError;
use super::fault;
use super::store::is_clutter;

/// The most entries that an archive may have.
const MAX_ENTRIES: usize = 50_000;

/// Whether the bytes are a tar archive, by the mark in its first header or, for old ones, by the name.
pub(super) fn is_archive(name: &str, bytes: &[u8]) -> bool {
    let stem = name.trim_end_matches(".gz").trim_end_matches(".zst");
    bytes.get(257..262) == Some(b"ustar") || stem.ends_with(".tar") || name.ends_with(".tgz")
}

/// The files of an archive, each up to a limit, by their path in the recording. Where all lie in one folder, that folder is the recording.
pub(super) fn unpack(name: &str, bytes: &Bytes, limit: u64) -> Result<BTreeMap<String, Bytes>, SourceError> {
    let broken = |error: std::io::Error| fault::archive(name, &error.to_string());
    // Every writer of archives ends them with blocks of zeros, so the lack of them shows a cut between two entries.
    if !bytes.last_chunk::<512>().is_some_and(|block| block.iter().all(|byte| *byte == 0)) {
        return Err(fault::archive(name, "its end is missing"));
    }
    let mut archive = Archive::new(bytes.as_ref());
    let mut files = BTreeMap::new();
    for (count, entry) in archive.entries().map_err(broken)?.enumerate() {
        let entry = entry.map_err(broken)?;
        if count >= MAX_ENTRIES {
            return Err(fault::bad(format!("{name} has more than {MAX_ENTRIES} entries"), "pack one recording alone"));
        }
        let path = entry.path().map_err(broken)?;
        if path.components().any(|part| is_clutter(&part.as_os_str().to_string_lossy())) {
            continue;
        }
        let shown = path.to_string_lossy();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            _ => return Err(fault::entry(name, &shown, "is a link or a device")),
        }
        let mut parts = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(part) => parts.push(part.to_string_lossy()),
                Component::CurDir => {}
                _ => return Err(fault::entry(name, &shown, "leads outside of the archive")),
            }
        }
        let (Ok(start), Ok(size)) = (usize::try_from(entry.raw_file_position()), usize::try_from(entry.size())) else {
            return Err(fault::archive(name, "an entry's size is out of range"));
        };
        match start.checked_add(size) {
            Some(end) if end <= bytes.len() && size as u64 > limit => {
                return Err(fault::too_large(&format!("{name}: {}", fault::clean(&shown, 200)), limit));
            }
            Some(end) if end <= bytes.len() => files.insert(parts.join("/"), bytes.slice(start..end)),
            _ => return Err(fault::archive(name, &format!("{shown} is cut short"))),
        };
    }
    Ok(rooted(files))
}

/// Takes the one folder that all files lie in from their names, as `tar cf x.tar recording/` writes it.
fn rooted(files: BTreeMap<String, Bytes>) -> BTreeMap<String, Bytes> {
    let first = files.keys().next().and_then(|name| name.split_once('/')).map(|(folder, _)| format!("{folder}/"));
    let Some(folder) = first.filter(|folder| !matches!(folder.as_str(), "k8s/" | "proxies/" | "istiod/" | "logs/" | "istioctl/")) else {
        return files;
    };
    if !files.keys().all(|name| name.starts_with(&folder)) {
        return files;
    }
    files.into_iter().map(|(name, bytes)| (name[folder.len()..].to_owned(), bytes)).collect()
}
