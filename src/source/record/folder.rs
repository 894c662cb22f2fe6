//! The folder that a recording is written into. It is never one that holds something already, and until the last file is
//! written a note in it says that it is not finished.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::super::files::UNFINISHED;
use super::super::{FailureKind, SourceError};

const NOTE: &str = "meshscope writes this recording, or was interrupted while it did: files may be missing.\n";

/// A recording that is being written.
#[derive(Clone)]
pub(super) struct Folder {
    root: Arc<PathBuf>,
    files: Arc<AtomicUsize>,
    bytes: Arc<AtomicU64>,
}

impl Folder {
    /// Makes the folder, or takes an empty one.
    pub(super) async fn begin(path: &Path) -> Result<Self, SourceError> {
        let root = path.to_owned();
        let made = blocking(move || {
            fs::create_dir_all(&root).map_err(|error| cannot_write(&root, &error))?;
            if fs::read_dir(&root).map_err(|error| cannot_write(&root, &error))?.next().is_some() {
                let what = format!("{} is not empty", shown(&root));
                return Err(SourceError::new(FailureKind::BadInput, what, "give a folder that is empty or does not exist"));
            }
            let note = root.join(UNFINISHED);
            fs::write(&note, NOTE).map_err(|error| cannot_write(&note, &error))?;
            let objects = root.join("k8s");
            // Also without a file it says that objects were asked for, and that there are none.
            fs::create_dir(&objects).map_err(|error| cannot_write(&objects, &error))?;
            Ok(root)
        });
        Ok(Self { root: Arc::new(made.await?), files: Arc::default(), bytes: Arc::default() })
    }

    /// Writes a file of the recording.
    pub(super) async fn write(&self, name: &str, text: String) -> Result<(), SourceError> {
        let path = self.root.join(name);
        let size = text.len() as u64;
        blocking(move || {
            let write = || {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&path, text)
            };
            write().map_err(|error| cannot_write(&path, &error))
        })
        .await?;
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    /// How many files were written.
    pub(super) fn files(&self) -> usize {
        self.files.load(Ordering::Relaxed)
    }

    /// How much was written.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Takes the note away: the recording is whole. Hands back the folder's name.
    pub(super) async fn finish(self) -> Result<String, SourceError> {
        let root = self.root;
        blocking(move || {
            let note = root.join(UNFINISHED);
            fs::remove_file(&note).map_err(|error| cannot_write(&note, &error))?;
            Ok(shown(&root))
        })
        .await
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

fn shown(path: &Path) -> String {
    path.display().to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
