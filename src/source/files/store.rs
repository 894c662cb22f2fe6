//! Where the bytes of a file source lie, and how a file of a recording is found in it by its plain name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::super::{FailureKind, SourceError, regular};
use super::blocks::Input;
use super::budget::{Budget, LIMIT};
use super::{archive, bug_report, compression, fault, questions, text};

/// The places.
pub(super) enum Store {
    /// A folder, read when asked.
    Folder {
        /// The folder.
        root: PathBuf,
        /// The files by their names in a recording, where the folder names them otherwise.
        named: Option<BTreeMap<String, PathBuf>>,
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
    /// A plain file, read when asked, so that it does not stay in memory beside what was understood of it.
    File(PathBuf),
    /// Bytes that could be read only once, or were compressed.
    Bytes(Bytes),
}

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
        // A recording with objects is no bug-report.
        let named = if path.join("k8s").is_dir() { None } else { bug_report::folder(path) };
        let store = Store::Folder { root: path.to_owned(), named, budget: Arc::default() };
        return store.recording(&name);
    }
    let (mut file, size) = regular::open(path).map_err(failed)?;
    if size == 0 {
        return Err(fault::empty(&name));
    }
    if questions::plain(&name).ends_with(".log") {
        return Ok(Store::Log(path.to_owned()));
    }
    let mut head = Vec::with_capacity(512);
    file.by_ref().take(512).read_to_end(&mut head).map_err(failed)?;
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
    from_bytes(name, bytes.ok_or_else(|| fault::too_large(name))?)
}

/// Makes a store of bytes that were read already.
pub(super) fn from_bytes(name: &str, bytes: Bytes) -> Result<Store, SourceError> {
    let bytes = compression::unpack(name, bytes, LIMIT)?;
    if bytes.is_empty() {
        return Err(fault::empty(name));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(fault::bad(format!("{name} is a zip archive, which is not read"), "unpack it, and give its folder or the dump in it"));
    }
    if !archive::is_archive(name, &bytes) {
        return Ok(Store::Dump(Dump::Bytes(bytes)));
    }
    let budget = Budget::of_archive(bytes.len() as u64);
    let mut files = archive::unpack(name, &bytes)?;
    if let Some(named) = bug_report::as_recording(&files) {
        files = named;
    }
    Store::Archive { name: name.to_owned(), files, budget }.recording(name)
}

/// Reads a file with one allocation of its size, and one read.
fn read(path: &Path) -> Result<Bytes, SourceError> {
    let name = fault::shown(path);
    match regular::read(path, LIMIT) {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Err(fault::too_large(&name)),
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
    /// Itself, where it is a recording and holds something of a proxy, or objects.
    fn recording(self, name: &str) -> Result<Self, SourceError> {
        if !self.has("k8s") {
            if !self.has("proxies") {
                return Err(fault::no_recording(name, &self.names("")));
            }
            if let Some(why) = self.no_proxies() {
                return Err(fault::bad(format!("{name} holds no config dump: {why}"), "record it again"));
            }
        }
        Ok(self)
    }

    /// Why nothing of a proxy can be read, where there is a place for it; None where there is something, or no place.
    pub(super) fn no_proxies(&self) -> Option<String> {
        if !self.has("proxies") {
            return None;
        }
        match self {
            Self::Folder { root, named: None, .. } => match fs::read_dir(root.join("proxies")) {
                Err(error) => Some(fault::io("proxies/", &error).what),
                Ok(mut entries) => entries.next().is_none().then(|| "proxies/ is empty".to_owned()),
            },
            _ => self.names("proxies").is_empty().then(|| "proxies/ is empty".to_owned()),
        }
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
        names.into_iter().collect()
    }

    /// Why the names in a folder of the recording cannot be read, where it is there.
    pub(super) fn unreadable(&self, folder: &str) -> Option<SourceError> {
        let Self::Folder { root, named: None, .. } = self else { return None };
        let path = root.join(folder);
        let error = fs::read_dir(&path).err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
        Some(fault::io(&fault::shown(&path), &error))
    }

    /// The bytes of a file by its plain name, be it compressed or not; None where the recording lacks it.
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
                        return Ok(Some(hand.hold(bytes)));
                    }
                    drop(hand);
                    let _turn = budget.turn();
                    let bytes = compression::unpack(&shown, bytes, LIMIT)?;
                    return Ok(Some(budget.take(bytes.len() as u64).hold(bytes)));
                }
                Self::Archive { name: archive, files, budget } => {
                    let Some(bytes) = files.get(&name) else { continue };
                    let shown = format!("{archive}: {name}");
                    let Some(format) = compression::format(bytes) else {
                        return compression::unpack(&shown, bytes.clone(), LIMIT).map(Some);
                    };
                    let _turn = budget.turn();
                    let input = budget.metered(&name, unpacked(&shown, Box::new(io::Cursor::new(bytes.clone())))?);
                    let read = compression::to_end(input, 0, LIMIT).map_err(|error| fault::compressed(&shown, format, &error))?;
                    return read.ok_or_else(|| fault::too_large(&shown)).map(Some);
                }
                Self::Dump(_) | Self::Log(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Where a file of a folder lies, under one of its spellings.
    fn path(&self, name: &str) -> Result<Option<PathBuf>, SourceError> {
        match self {
            Self::Folder { named: Some(named), .. } => Ok(named.get(name).cloned()),
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
                let unpacked = unpacked(&format!("{archive}: {name}"), Box::new(io::Cursor::new(bytes.clone())))?;
                return Ok(Some(if compression::format(bytes).is_some() { budget.metered(&name, unpacked) } else { unpacked }));
            }
            let Some(path) = self.path(&name)? else { continue };
            let shown = fault::shown(&path);
            match regular::open(&path) {
                Ok((file, _)) => return unpacked(&shown, Box::new(file)).map(Some),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fault::io(&shown, &error)),
            }
        }
        Ok(None)
    }
}

fn unpacked(name: &str, input: Input) -> Result<Input, SourceError> {
    compression::stream(input).map_err(|error| fault::io(name, &error))
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
fn under<T>(files: &BTreeMap<String, T>, folder: &str) -> BTreeSet<String> {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let names = files.range(prefix.clone()..).map(|(name, _)| name.as_str()).map_while(|name| name.strip_prefix(&prefix));
    names.filter_map(|name| name.split('/').next()).map(str::to_owned).collect()
}
