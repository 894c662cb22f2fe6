//! Where the bytes of a file source lie, and how a file of a recording is found in it by its plain name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::super::{FailureKind, SourceError};
use super::blocks::Input;
use super::{archive, compression, fault, questions, text};

/// The places.
pub(super) enum Store {
    /// A folder, read when asked.
    Folder(PathBuf),
    /// An archive, unpacked.
    Archive { name: String, files: BTreeMap<String, Bytes> },
    /// One config dump.
    Dump(Dump),
    /// One log file, read when asked.
    Log(PathBuf),
}

/// One config dump.
pub(super) enum Dump {
    /// A plain file, read when asked, so that it does not stay in memory beside what was understood of it.
    File(PathBuf),
    /// Bytes that could be read only once, or were compressed.
    Bytes(Bytes),
}

/// Opens what the path leads to.
pub(super) fn open(path: &Path) -> Result<Store, SourceError> {
    let name = fault::shown(path);
    let failed = |error: std::io::Error| fault::io(&name, &error);
    let about = fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        // A folder that may not be read would else look like one that is no recording.
        fs::read_dir(path).map_err(failed)?;
        for folder in questions::FOLDERS {
            inside(path, folder)?;
        }
        let store = Store::Folder(path.to_owned());
        // Without the right to search it, nothing in it is to be seen.
        let hidden = fs::metadata(path.join("k8s")).err().filter(|error| error.kind() == io::ErrorKind::PermissionDenied);
        return match hidden {
            Some(error) => Err(failed(error)),
            None if store.is_recording() => Ok(store),
            None => Err(fault::no_recording(&name)),
        };
    }
    if about.is_file() && about.len() == 0 {
        return Err(fault::empty(&name));
    }
    let mut file = File::open(path).map_err(failed)?;
    if about.is_file() && questions::plain(&name).ends_with(".log") {
        return Ok(Store::Log(path.to_owned()));
    }
    if about.is_file() {
        let mut head = Vec::with_capacity(512);
        file.by_ref().take(512).read_to_end(&mut head).map_err(failed)?;
        if !compression::is_compressed(&name, &head) && !archive::is_archive(&name, &head) {
            if text::is_log(&head) {
                return Ok(Store::Log(path.to_owned()));
            }
            return Ok(Store::Dump(Dump::File(path.to_owned())));
        }
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
    let bytes = compression::to_end(input.lock(), 0).map_err(|error| fault::io(name, &error))?;
    from_bytes(name, bytes.ok_or_else(|| fault::too_large(name, compression::LIMIT))?)
}

/// Makes a store of bytes that were read already.
pub(super) fn from_bytes(name: &str, bytes: Bytes) -> Result<Store, SourceError> {
    let bytes = compression::unpack(name, bytes)?;
    if bytes.is_empty() {
        return Err(fault::empty(name));
    }
    if !archive::is_archive(name, &bytes) {
        return Ok(Store::Dump(Dump::Bytes(bytes)));
    }
    let store = Store::Archive { name: name.to_owned(), files: archive::unpack(name, &bytes)? };
    if store.is_recording() { Ok(store) } else { Err(fault::no_recording(name)) }
}

/// Reads a file with one allocation of its size, and one read.
fn read(path: &Path) -> Result<Bytes, SourceError> {
    let name = fault::shown(path);
    let failed = |error: std::io::Error| fault::io(&name, &error);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    if size > compression::LIMIT {
        return Err(fault::too_large(&name, compression::LIMIT));
    }
    compression::to_end(file, size).map_err(failed)?.ok_or_else(|| fault::too_large(&name, compression::LIMIT))
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
    fn is_recording(&self) -> bool {
        self.has("k8s") || self.has("proxies")
    }

    /// Whether the recording has this folder.
    pub(super) fn has(&self, folder: &str) -> bool {
        match self {
            Self::Folder(root) => inside(root, folder).is_ok_and(|found| found.is_some_and(|path| path.is_dir())),
            Self::Archive { files, .. } => !under(files, folder).is_empty(),
            Self::Dump(_) | Self::Log(_) => false,
        }
    }

    /// The names in a folder of the recording, sorted; none where there is no such folder.
    pub(super) fn names(&self, folder: &str) -> Vec<String> {
        let names: BTreeSet<String> = match self {
            Self::Folder(root) => {
                let entries = inside(root, folder).ok().flatten().and_then(|path| fs::read_dir(path).ok());
                entries.into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
            }
            Self::Archive { files, .. } => under(files, folder),
            Self::Dump(_) | Self::Log(_) => BTreeSet::new(),
        };
        names.into_iter().collect()
    }

    /// Why the names in a folder of the recording cannot be read, where it is there.
    pub(super) fn unreadable(&self, folder: &str) -> Option<SourceError> {
        let Self::Folder(root) = self else { return None };
        let path = root.join(folder);
        let error = fs::read_dir(&path).err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
        Some(fault::io(&fault::shown(&path), &error))
    }

    /// The bytes of a file by its plain name, be it compressed or not; None where the recording lacks it.
    pub(super) fn read(&self, name: &str) -> Result<Option<Bytes>, SourceError> {
        for name in spellings(name) {
            let (shown, bytes) = match self {
                Self::Folder(root) => {
                    let Some(path) = inside(root, &name)? else { continue };
                    match read(&path) {
                        Ok(bytes) => (fault::shown(&path), bytes),
                        Err(error) if error.kind == FailureKind::Missing => continue,
                        Err(error) => return Err(error),
                    }
                }
                Self::Archive { name: archive, files } => match files.get(&name) {
                    Some(bytes) => (format!("{archive}: {name}"), bytes.clone()),
                    None => continue,
                },
                Self::Dump(_) | Self::Log(_) => return Ok(None),
            };
            return compression::unpack(&shown, bytes).map(Some);
        }
        Ok(None)
    }

    /// A file by its plain name, to be read bit by bit: unpacked on the way, however large it is. A log file alone has any name.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Input>, SourceError> {
        for name in spellings(name) {
            let path = match self {
                Self::Folder(root) => match inside(root, &name)? {
                    Some(path) => path,
                    None => continue,
                },
                Self::Log(path) => path.clone(),
                Self::Archive { name: archive, files } => match files.get(&name) {
                    Some(bytes) => return unpacked(&format!("{archive}: {name}"), Box::new(io::Cursor::new(bytes.clone()))),
                    None => continue,
                },
                Self::Dump(_) => return Ok(None),
            };
            let shown = fault::shown(&path);
            match File::open(&path) {
                Ok(file) => return unpacked(&shown, Box::new(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault::io(&shown, &error)),
            }
        }
        Ok(None)
    }
}

fn unpacked(name: &str, input: Input) -> Result<Option<Input>, SourceError> {
    compression::stream(input).map(Some).map_err(|error| fault::io(name, &error))
}

/// The path of what a folder holds; None where it holds no such thing. A link that leads out of the folder is not followed: who reads,
/// or records, a recording of somebody else would give away files of their own.
fn inside(root: &Path, name: &str) -> Result<Option<PathBuf>, SourceError> {
    let path = root.join(name);
    let failed = |error: io::Error| fault::io(&fault::shown(&path), &error);
    match fs::canonicalize(&path) {
        Ok(real) if real.starts_with(fs::canonicalize(root).map_err(failed)?) => Ok(Some(path)),
        Ok(_) => Err(fault::link(&fault::shown(&path))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The names under which a file can lie, plain and compressed. Names are made from what a person or a cluster wrote, and may
/// not lead out of the recording: then there is none.
fn spellings(name: &str) -> Vec<String> {
    if name.split('/').any(|part| matches!(part, "" | "." | "..") || part.contains(['\\', '\0'])) {
        return Vec::new();
    }
    ["", ".gz", ".zst"].map(|suffix| format!("{name}{suffix}")).to_vec()
}

/// The first parts of the names below a folder.
fn under(files: &BTreeMap<String, Bytes>, folder: &str) -> BTreeSet<String> {
    let prefix = format!("{folder}/");
    let names = files.range(prefix.clone()..).map(|(name, _)| name.as_str()).map_while(|name| name.strip_prefix(&prefix));
    names.filter_map(|name| name.split('/').next()).map(str::to_owned).collect()
}
