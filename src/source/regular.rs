//! The one way to open a file that a person or a recording names: regular files alone, read up to a bound. A pipe, a device or a socket in the
//! place of a file could wait for ever, or fill the memory.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;

/// Opens a regular file, and says how large it is.
///
/// # Errors
/// The system's error, or what kind of file it is.
pub fn open(path: &Path) -> io::Result<(File, u64)> {
    // To open a pipe waits for who writes into it, so this is asked for before.
    only_regular(fs::metadata(path)?.file_type())?;
    let file = File::open(path)?;
    let about = file.metadata()?;
    only_regular(about.file_type())?;
    Ok((file, about.len()))
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As for [`open`], and where there is more.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, size) = open(path)?;
    let most = if limit < 1 << 20 { format!("{} KiB", limit >> 10) } else { format!("{} MiB", limit >> 20) };
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most}"));
    if size > limit {
        return Err(too_large());
    }
    // A file can grow while it is read.
    bounded(file, usize::try_from(size).unwrap_or_default(), limit)?.ok_or_else(too_large)
}

/// Reads to the end, with one allocation where the size is known; None where there is more than the limit.
pub(super) fn bounded(reader: impl Read, size: usize, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(size);
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

/// The same of a text.
///
/// # Errors
/// As for [`read`], and where it is not UTF-8.
pub fn text(path: &Path, limit: u64) -> io::Result<String> {
    let bytes = read(path, limit)?;
    String::from_utf8(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8: {}", error.utf8_error())))
}

fn only_regular(is: FileType) -> io::Result<()> {
    if is.is_file() {
        return Ok(());
    }
    let what = format!("it is {}, and no regular file", kind(is));
    Err(io::Error::new(if is.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput }, what))
}

fn kind(is: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if is.is_fifo() {
            return "a pipe";
        }
        if is.is_socket() {
            return "a socket";
        }
        if is.is_char_device() || is.is_block_device() {
            return "a device";
        }
    }
    if is.is_dir() { "a folder" } else { "no file" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_files_alone_are_read_and_only_so_far() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "text").unwrap();
        assert_eq!(text(&path, 4).unwrap(), "text");
        assert_eq!(read(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(&folder.path().join("none"), 3).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(read(folder.path(), 3).unwrap_err().to_string(), "it is a folder, and no regular file");
        fs::write(&path, [0xff]).unwrap();
        assert!(text(&path, 4).unwrap_err().to_string().starts_with("it is not UTF-8"));
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_sockets_are_named() {
        let device = open(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(device, "it is a device, and no regular file");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(open(&path).unwrap_err().to_string(), "it is a socket, and no regular file");
    }
}
