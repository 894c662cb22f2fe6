//! What can be wrong with a file, each as one line: the file, what is wrong, what to do. Decides nothing.

use std::io;
use std::path::Path;

use super::super::{FailureKind, LogRequest, SourceError};

/// A path for an error or a header.
pub(in crate::source) fn shown(path: &Path) -> String {
    clean(&path.display().to_string(), usize::MAX)
}

/// The first characters of a name: control characters never reach the terminal.
pub(super) fn clean(name: &str, most: usize) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(most).collect()
}

/// An input that cannot be used.
pub(super) fn bad(what: String, fix: &str) -> SourceError {
    SourceError::new(FailureKind::BadInput, what, fix)
}

/// An operating system's error on a file.
pub(super) fn io(name: &str, error: &io::Error) -> SourceError {
    match error.kind() {
        io::ErrorKind::NotFound => SourceError::new(
            FailureKind::Missing,
            format!("{name}: no such file or folder"),
            "give an Envoy config dump, a recording folder, or - for standard input",
        ),
        io::ErrorKind::PermissionDenied => {
            SourceError::new(FailureKind::Forbidden, format!("{name}: permission denied"), "give yourself the right to read it")
        }
        io::ErrorKind::InvalidInput => bad(format!("{name} cannot be read: {error}"), "save it to a file, or pipe it into `--from -`"),
        io::ErrorKind::IsADirectory => bad(format!("{name} cannot be read: {error}"), "put the file in its place"),
        _ => SourceError::new(FailureKind::Unreachable, format!("{name} cannot be read: {error}"), "copy it to a local disk and try again"),
    }
}

/// A container whose log is not there.
pub(super) fn no_log(request: &LogRequest) -> SourceError {
    SourceError::new(FailureKind::Missing, format!("there is no log of {}, container {}", request.pod, request.container), "")
}

/// A file without a byte.
pub(super) fn empty(name: &str) -> SourceError {
    bad(format!("{name} is empty"), "save the dump again and check that the command that writes it succeeded")
}

/// A folder or archive that holds no objects, proxies or logs, with what it holds.
pub(super) fn no_recording(name: &str, holds: &[String]) -> SourceError {
    let first: Vec<String> = holds.iter().take(3).map(|name| clean(name, 60)).collect();
    let lacks = match holds.iter().any(|name| name == "logs") {
        true => "neither k8s/ nor proxies/, and no log of a container in logs/",
        false => "none of k8s/, proxies/ and logs/",
    };
    let holds = match (holds.len(), first.join(", ")) {
        (0, _) => "it is empty".to_owned(),
        (1..=3, first) => format!("it has {lacks}, but {first}"),
        (all, first) => format!("it has {lacks}, but {first} and {} more", all - 3),
    };
    bad(
        format!("{name} is no recording: {holds}"),
        "give a folder that `meshscope record` wrote, an archive of `istioctl bug-report`, or one config dump",
    )
}

/// A link in a recording to something outside of it.
pub(super) fn link(name: &str) -> SourceError {
    bad(format!("{name} is a link that leads out of the recording"), "replace the link with the file to have it read")
}

/// A link in a recording to something that is not there.
pub(super) fn dangling(name: &str) -> SourceError {
    bad(format!("{name} is a link to something that is not there"), "replace the link with the file to have it read")
}

/// More than is read.
pub(super) fn too_large(name: &str, limit: u64) -> SourceError {
    let fix = "give the dump of one proxy, or unpack the archive and give its folder";
    bad(format!("{name} is larger than {} MiB, unpacked and with all that is in it", limit >> 20), fix)
}

/// Compressed data that ends too early or is damaged, or that cannot be read at all.
pub(super) fn compressed(name: &str, format: &str, error: &io::Error) -> SourceError {
    if error.raw_os_error().is_some() {
        return io(name, error);
    }
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("{name}: the {format} data is cut short"),
        _ => format!("{name}: the {format} data is damaged ({error})"),
    };
    bad(what, "copy or compress the file again")
}

/// What is wrong with a stream: what its unpacking says, else the operating system's error.
pub(super) fn of_stream(name: &str, error: io::Error) -> SourceError {
    error.downcast().unwrap_or_else(|error| io(name, &error))
}

/// Data that is compressed once more than is read.
pub(super) fn twice(name: &str, format: &str) -> SourceError {
    bad(format!("{name} is compressed twice: what it unpacks to is {format} data"), "unpack it once")
}

/// An archive that cannot be read.
pub(super) fn archive(name: &str, why: &str) -> SourceError {
    bad(format!("{name}: the tar archive is broken: {why}"), "pack or copy it again")
}

/// An archive with an entry that no recording has, and that could reach outside of it.
pub(super) fn entry(name: &str, entry: &str, why: &str) -> SourceError {
    let entry = clean(entry, 200);
    bad(format!("{name}: the entry {entry:?} {why}"), "pack the recording's files alone, with names inside the folder")
}
