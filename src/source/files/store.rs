//! Where the bytes of a file source lie, and how a file of a recording is found in it by its plain name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::super::{FailureKind, SourceError, regular};
use super::blocks::Input;
use super::budget::{Budget, LIMIT};
use super::{compression, fault, logs, text};
use crate::model::ids::ProxyId;

/// The places.
pub(super) enum Store {
    /// A folder, read when asked.
    Folder {
        /// The folder.
        root: PathBuf,
        /// The paths in the folder by their names in a recording, where the folder names files otherwise.
        named: Option<BTreeMap<String, String>>,
        /// How much of it may be in memory at once.
        budget: Arc<Budget>,
    },
    /// An archive, unpacked.
    Archive {
        /// Its name, for errors.
        name: String,
        /// Its files.
        files: BTreeMap<String, Bytes>,
        /// How much may be unpacked of it.
        budget: Arc<Budget>,
    },
    /// One config dump.
    Dump(Dump),
    /// One log file, read when asked.
    Log(PathBuf),
}

/// One config dump.
pub(super) enum Dump {
    /// A plain file, read when asked, so that it does not stay in memory with what was parsed from it.
    File(PathBuf),
    /// Bytes that could be read only once, or were compressed.
    Bytes(Bytes),
}

/// Reads a file with one allocation of its size, and one read.
pub(super) fn read(path: &Path) -> Result<Bytes, SourceError> {
    let name = fault::shown(path);
    match regular::read(path, LIMIT) {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(fault::too_large(&name, LIMIT)),
        Err(error) => Err(fault::io(&name, &error)),
    }
}

impl Dump {
    /// The bytes, not compressed.
    pub(super) fn read(&self) -> Result<Bytes, SourceError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => {
                let bytes = read(path)?;
                if bytes.is_empty() { Err(fault::empty(&fault::shown(path))) } else { Ok(bytes) }
            }
        }
    }
}

impl Store {
    /// Itself, where it is a recording and holds something of a proxy, objects or logs.
    pub(super) fn recording(self, name: &str) -> Result<Self, SourceError> {
        if self.has("k8s") || self.has_logs() {
            return Ok(self);
        }
        if !self.has("proxies") {
            return Err(fault::no_recording(name, &self.names("")));
        }
        match self.no_proxies() {
            Some(why) => Err(fault::bad(format!("{name} holds no config dump: {why}"), "record it again")),
            None => Ok(self),
        }
    }

    /// Why nothing of a proxy can be read, where there is a place for it or nothing but logs; None where there is something, or objects alone.
    pub(super) fn no_proxies(&self) -> Option<String> {
        if !self.has("proxies") {
            let logs_alone = self.has_logs() && !self.has("k8s");
            return logs_alone.then(|| "it has only logs, which `meshscope logs` shows".to_owned());
        }
        if let Some(error) = self.unreadable("proxies") {
            return Some(error.what);
        }
        let names = self.names("proxies");
        match names.first() {
            None => Some("proxies/ is empty".to_owned()),
            Some(_) if names.iter().any(|name| ProxyId::parse(name).is_some()) => None,
            Some(first) => Some(format!("proxies/ has no folder with the name POD.NAMESPACE, but {}", fault::clean(first, 60))),
        }
    }

    /// Whether the recording has the log of a container, or may have.
    fn has_logs(&self) -> bool {
        self.unreadable("logs").is_some() || self.names("logs").iter().any(|name| logs::of_file(name).is_some())
    }

    /// Whether the recording has this folder.
    pub(super) fn has(&self, folder: &str) -> bool {
        match self {
            Self::Folder { named: Some(named), .. } => !under(named, folder).is_empty(),
            Self::Folder { root, .. } => inside(root, folder).is_ok_and(|found| found.is_some_and(|path| path.is_dir())),
            Self::Archive { files, .. } => !under(files, folder).is_empty(),
            Self::Dump(_) | Self::Log(_) => false,
        }
    }

    /// The names in a folder of the recording, sorted; none where there is no such folder.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let names: BTreeSet<String> = match self {
            Self::Folder { named: Some(named), .. } => under(named, folder),
            Self::Folder { root, .. } => {
                let entries = inside(root, folder).ok().flatten().and_then(|path| fs::read_dir(path).ok());
                entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
            }
            Self::Archive { files, .. } => under(files, folder),
            Self::Dump(_) | Self::Log(_) => BTreeSet::new(),
        };
        names.into_iter().filter(|name| !is_clutter(name)).collect()
    }

    /// Why the names in a folder of the recording cannot be read, where it is there.
    pub(super) fn unreadable(&self, folder: &str) -> Option<SourceError> {
        let Self::Folder { root, .. } = self else { return None };
        let path = root.join(folder);
        let error = fs::read_dir(&path).err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
        Some(fault::io(&fault::shown(&path), &error))
    }

    /// The bytes of a file by its plain name, be it compressed or not, as UTF-8; None where the recording lacks it.
    pub(super) fn read(&self, name: &str) -> Result<Option<Bytes>, SourceError> {
        for name in spellings(name) {
            match self {
                Self::Folder { budget, .. } => {
                    let Some(path) = self.path(&name)? else { continue };
                    // What cannot be opened takes nothing, and says so below.
                    let hand = budget.take(fs::metadata(&path).map_or(0, |about| about.len().min(LIMIT)));
                    let bytes = match read(&path) {
                        Ok(bytes) => bytes,
                        Err(error) if error.kind == FailureKind::Missing => continue,
                        Err(error) => return Err(error),
                    };
                    let shown = fault::shown(&path);
                    if !compression::is_compressed(&shown, &bytes) {
                        let bytes = text::utf8(bytes);
                        return Ok(Some(hand.resized(bytes.len() as u64).hold(bytes)));
                    }
                    drop(hand);
                    let _turn = budget.turn();
                    let bytes = text::utf8(compression::unpack(&shown, bytes, LIMIT)?);
                    return Ok(Some(budget.take(bytes.len() as u64).hold(bytes)));
                }
                Self::Archive { name: archive, files, budget } => {
                    let Some(bytes) = files.get(&name) else { continue };
                    let shown = format!("{archive}: {name}");
                    if compression::format(bytes).is_none() {
                        let bytes = compression::unpack(&shown, bytes.clone(), LIMIT)?;
                        if !text::is_utf16(&bytes) {
                            return Ok(Some(text::utf8(bytes)));
                        }
                    }
                    let _turn = budget.turn();
                    let unpacked = compression::stream(&shown, Box::new(io::Cursor::new(bytes.clone())))?;
                    // The text of UTF-16 is one more copy of the file, as what is unpacked is.
                    let input = text::stream(unpacked).map(|input| budget.metered(&name, input));
                    return match input.and_then(|input| compression::to_end(input, 0, LIMIT)) {
                        Ok(Some(bytes)) => Ok(Some(bytes)),
                        Err(error) if error.kind() != io::ErrorKind::FileTooLarge => Err(fault::of_stream(&shown, error)),
                        _ => Err(fault::too_large(&shown, budget.bound())),
                    };
                }
                Self::Dump(_) | Self::Log(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Where a file of a folder lies, under one of its spellings.
    fn path(&self, name: &str) -> Result<Option<PathBuf>, SourceError> {
        match self {
            Self::Folder { root, named: Some(named), .. } => named.get(name).map_or(Ok(None), |name| inside(root, name)),
            Self::Folder { root, .. } => inside(root, name),
            Self::Log(path) => Ok(Some(path.clone())),
            Self::Archive { .. } | Self::Dump(_) => Ok(None),
        }
    }

    /// A file by its plain name, to be read bit by bit: unpacked on the way, however large it is. A log file alone has any name.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Input>, SourceError> {
        for name in spellings(name) {
            if let Self::Archive { name: archive, files, budget } = self {
                let Some(bytes) = files.get(&name) else { continue };
                let unpacked = compression::stream(&format!("{archive}: {name}"), Box::new(io::Cursor::new(bytes.clone())))?;
                return Ok(Some(if compression::format(bytes).is_some() { budget.metered(&name, unpacked) } else { unpacked }));
            }
            let Some(path) = self.path(&name)? else { continue };
            let shown = fault::shown(&path);
            match regular::open(&path) {
                Ok((file, _)) => return compression::stream(&shown, Box::new(file)).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault::io(&shown, &error)),
            }
        }
        Ok(None)
    }
}

/// The path of what a folder holds; None where it holds no such thing. A link that leads out of the folder is not followed: who reads,
/// or records, a recording of somebody else would give away files of their own.
pub(super) fn inside(root: &Path, name: &str) -> Result<Option<PathBuf>, SourceError> {
    let path = root.join(name);
    let failed = |error: io::Error| fault::io(&fault::shown(&path), &error);
    match fs::canonicalize(&path) {
        Ok(real) if real.starts_with(fs::canonicalize(root).map_err(failed)?) => Ok(Some(path)),
        Ok(_) => Err(fault::link(&fault::shown(&path))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            let is_link = fs::symlink_metadata(&path).is_ok_and(|about| about.is_symlink());
            if is_link { Err(fault::dangling(&fault::shown(&path))) } else { Ok(None) }
        }
        Err(error) => Err(failed(error)),
    }
}

/// The names under which a file can lie, plain and compressed. Names are made from what a person or a cluster wrote, and may
/// not lead out of the recording: then there is none.
fn spellings(name: &str) -> Vec<String> {
    if name.split('/').any(|part| matches!(part, "" | "." | "..") || part.contains(['\\', '\0'])) {
        return Vec::new();
    }
    // Objects are as often saved as YAML.
    let stem = name.strip_suffix(".json").filter(|_| name.starts_with("k8s/"));
    let as_yaml = stem.into_iter().flat_map(|stem| [format!("{stem}.yaml"), format!("{stem}.yml")]);
    let plain = std::iter::once(name.to_owned()).chain(as_yaml);
    plain.flat_map(|name| ["", ".gz", ".zst"].map(|suffix| format!("{name}{suffix}"))).collect()
}

/// Whether a file or folder is one that macOS puts next to others: what it knows of them, and how a window shows them.
pub(super) fn is_clutter(name: &str) -> bool {
    name.starts_with("._") || matches!(name, ".DS_Store" | "__MACOSX")
}

/// The first parts of the names below a folder.
fn under<T>(files: &BTreeMap<String, T>, folder: &str) -> BTreeSet<String> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let names = files.range(prefix.clone()..).map(|(name, _)| name.as_str()).map_while(|name| name.strip_prefix(&prefix));
    names.filter_map(|name| name.split('/').next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_utf_16_count_as_what_is_unpacked() {
        let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain([b'x', 0].repeat(600)).collect();
        let files =
            ["a", "b"].map(|name| (name.to_owned(), wide.clone().into())).into_iter().chain([("c".to_owned(), vec![b'x'; 600].into())]);
        let store = Store::Archive { name: "rec.tar".to_owned(), files: files.collect(), budget: Budget::of_archive(1, LIMIT - 1000) };
        let read = |name| store.read(name).map(|found| found.map(|bytes| bytes.len())).map_err(|error| error.what);
        assert_eq!([read("a"), read("a"), read("c")], [Ok(Some(600)), Ok(Some(600)), Ok(Some(600))], "what is plain is no copy");
        assert!(read("b").is_err_and(|what| what.contains("rec.tar: b is larger than 512 MiB")));
    }
}
