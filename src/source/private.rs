//! Files and folders that only their owner may read, whatever the umask: what is written of a mesh is nobody else's.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

/// Creates a file that is not there yet: nothing is overwritten, and no link is followed.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let file = options.open(path)?;
    permit(path, 0o600)?;
    Ok(file)
}

/// Creates a folder and those around it that are not there yet; `made` gets each of them, the outermost first.
pub(crate) fn create_folders(path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    for folder in missing.into_iter().rev() {
        builder.create(folder)?;
        made.push(folder.to_owned());
        permit(folder, 0o700)?;
    }
    Ok(())
}

/// The umask may have removed the owner's rights too.
#[cfg(unix)]
fn permit(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permit(path: &Path, _: u32) -> io::Result<()> {
    fs::metadata(path).map(|_| ())
}
