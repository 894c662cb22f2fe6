//! The folder that a recording is written into. It is never one that holds something already, and until the last file is
//! written a note in it says that it is not finished.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::files::{UNFINISHED, shown};
use super::super::{FailureKind, SourceError, private};
use super::Strings;
use crate::ingest::redact;

const NOTE: &str = "meshscope writes this recording, or was interrupted while it did: files may be missing.\n";

/// A recording that is being written.
#[derive(Clone)]
pub(super) struct Folder {
    root: Arc<PathBuf>,
    strings: Strings,
    made: Arc<Mutex<Made>>,
    files: Arc<AtomicUsize>,
    bytes: Arc<AtomicU64>,
}

/// What was made, in order, to be removed should the recording fail.
#[derive(Default)]
struct Made {
    paths: Vec<PathBuf>,
    /// Whether it was removed: what is still on its way is not written.
    removed: bool,
}

impl Folder {
    /// Makes the folder, or takes an empty one.
    pub(super) async fn begin(path: &Path, strings: Strings) -> Result<Self, SourceError> {
        let root = Arc::new(path.to_owned());
        let folder = Self { root, strings, made: Arc::default(), files: Arc::default(), bytes: Arc::default() };
        let begun = folder.clone();
        let prepared = blocking(move || begun.prepare()).await;
        match prepared {
            Ok(()) => Ok(folder),
            Err(error) => {
                folder.remove().await;
                Err(error)
            }
        }
    }

    fn prepare(&self) -> Result<(), SourceError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let root = self.root.as_path();
        private::create_folders(root, &mut made.paths).map_err(|error| cannot_write(root, &error))?;
        if fs::read_dir(root).map_err(|error| cannot_write(root, &error))?.next().is_some() {
            let what = format!("{} is not empty", shown(root));
            return Err(SourceError::new(FailureKind::BadInput, what, "give a folder that is empty or does not exist"));
        }
        made.write(&root.join(UNFINISHED), NOTE)?;
        // Also without a file it says that objects were asked for, and that there are none.
        let objects = root.join("k8s");
        private::create_folders(&objects, &mut made.paths).map_err(|error| cannot_write(&objects, &error))
    }

    /// Writes a file of the recording.
    pub(super) async fn write(&self, name: &str, text: String) -> Result<(), SourceError> {
        let path = self.root.join(name);
        let without = self.strings == Strings::NotOfPlugins && name.ends_with(".json");
        let made = self.made.clone();
        let size = blocking(move || {
            let text = if without { redact::without_plugin_strings(&text) } else { text.into() };
            made.lock().unwrap_or_else(PoisonError::into_inner).write(&path, &text)?;
            Ok(text.len() as u64)
        })
        .await?;
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// Removes what was made, and nothing else.
    pub(super) async fn remove(&self) {
        let made = self.made.clone();
        let removed = blocking(move || {
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            made.removed = true;
            for path in made.paths.drain(..).rev() {
                // A folder into which somebody else wrote stays.
                let _ = if path.is_dir() { fs::remove_dir(&path) } else { fs::remove_file(&path) };
            }
            Ok(())
        });
        let _ = removed.await;
    }

    /// How many files were written.
    pub(super) fn files(&self) -> usize {
        self.files.load(Ordering::Relaxed)
    }

    /// How much was written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes the note away, unless what was recorded is itself not whole. Hands back the folder's name.
    pub(super) async fn finish(&self, whole: bool) -> Result<String, SourceError> {
        let root = self.root.clone();
        blocking(move || {
            let note = root.join(UNFINISHED);
            if whole {
                fs::remove_file(&note).map_err(|error| cannot_write(&note, &error))?;
            }
            Ok(shown(&root))
        })
        .await
    }
}

impl Made {
    /// Writes a file, and makes its folders.
    fn write(&mut self, path: &Path, text: &str) -> Result<(), SourceError> {
        if self.removed {
            return Ok(());
        }
        let mut write = || {
            if let Some(parent) = path.parent() {
                private::create_folders(parent, &mut self.paths)?;
            }
            match private::create(path) {
                // Two things of one name: the later holds.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.paths.iter().any(|made| made == path) => {
                    fs::write(path, text)
                }
                file => {
                    let mut file = file?;
                    self.paths.push(path.to_owned());
                    file.write_all(text.as_bytes())
                }
            }
        };
        write().map_err(|error| cannot_write(path, &error))
    }
}

/// Whether a name may be part of a file's name: Kubernetes' names may, and nothing that leads elsewhere.
pub(super) fn is_plain_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    !name.is_empty() && name.len() < 250 && name.chars().all(allowed) && !name.starts_with('.') && !name.contains("..")
}

/// Runs work that may block, off the runtime.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, SourceError> + Send + 'static) -> Result<T, SourceError> {
    let stopped = |_| SourceError::new(FailureKind::Unreachable, "the writing of the recording was interrupted", "record again");
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

fn cannot_write(path: &Path, error: &io::Error) -> SourceError {
    let what = format!("{} cannot be written: {error}", shown(path));
    SourceError::new(FailureKind::Refused, what, "give a folder that you may write to, with room left")
}
