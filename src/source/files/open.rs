//! Opening: what a path, standard input or bytes are, by how they begin.

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::super::{SourceError, regular};
use super::budget::{Budget, LIMIT};
use super::store::{Dump, Store, inside, read};
use super::{archive, bug_report, compression, fault, questions, text};

/// Opens what the path leads to.
pub(super) fn open(path: &Path) -> Result<Store, SourceError> {
    let name = fault::shown(path);
    let failed = |error| fault::io(&name, &error);
    if fs::metadata(path).map_err(failed)?.is_dir() {
        // A folder that may not be read would else look like one that is no recording.
        fs::read_dir(path).map_err(failed)?;
        for folder in questions::FOLDERS {
            inside(path, folder)?;
        }
        let store = Store::Folder { root: path.to_owned(), named: bug_report::folder(path), budget: Arc::default() };
        return store.recording(&name);
    }
    let (mut file, size) = regular::open(path).map_err(failed)?;
    if size == 0 {
        return Err(fault::empty(&name));
    }
    let mut head = Vec::with_capacity(512);
    file.by_ref().take(512).read_to_end(&mut head).map_err(failed)?;
    compression::reject_unsupported(&name, &head)?;
    if questions::plain(&name).ends_with(".log") {
        return Ok(Store::Log(path.to_owned()));
    }
    if !compression::is_compressed(&name, &head) && !archive::is_archive(&name, &head) {
        // A line of a log may be in front of a dump too.
        let is_dump = memchr::memmem::find(&head, b"\"configs\"").is_some();
        return Ok(if !is_dump && text::is_log(&head) { Store::Log(path.to_owned()) } else { Store::Dump(Dump::File(path.to_owned())) });
    }
    from_bytes(&name, read(path)?)
}

/// Reads standard input.
pub(super) fn stdin() -> Result<Store, SourceError> {
    let name = "standard input";
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(fault::bad("standard input is a terminal, not a config dump".to_owned(), "pipe a dump into it, or name a file"));
    }
    let bytes = compression::to_end(input.lock(), 0, LIMIT).map_err(|error| fault::io(name, &error))?;
    from_bytes(name, bytes.ok_or_else(|| fault::too_large(name, LIMIT))?)
}

/// Makes a store of bytes that were read already.
pub(super) fn from_bytes(name: &str, bytes: Bytes) -> Result<Store, SourceError> {
    let packed = bytes.len() as u64;
    let bytes = compression::unpack(name, bytes, LIMIT)?;
    if bytes.is_empty() {
        return Err(fault::empty(name));
    }
    compression::reject_unsupported(name, &bytes)?;
    if !archive::is_archive(name, &bytes) {
        return Ok(Store::Dump(Dump::Bytes(bytes)));
    }
    let budget = Budget::of_archive(packed, bytes.len() as u64);
    let mut files = archive::unpack(name, &bytes, budget.limit())?;
    // Objects stay in memory together, in much more than their bytes.
    let objects: usize = files.iter().filter(|(path, _)| path.starts_with("k8s/")).map(|(_, bytes)| bytes.len()).sum();
    if objects as u64 > budget.limit() {
        return Err(fault::too_large(&format!("{name}: k8s/"), budget.limit()));
    }
    if let Some(named) = bug_report::as_recording(&files) {
        files = named;
    }
    Store::Archive { name: name.to_owned(), files, budget }.recording(name)
}
