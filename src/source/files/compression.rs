//! gzip and zstd, known by their first bytes. A cap keeps a small file from growing without end.

use std::io::{self, Read};

use bytes::Bytes;

use super::super::{SourceError, regular};
use super::fault;

/// Unpacks what is compressed, once and up to a limit; other bytes are handed back as they are.
pub(super) fn unpack(name: &str, bytes: Bytes, limit: u64) -> Result<Bytes, SourceError> {
    match format(&bytes) {
        Some("zstd") => {
            let size = zstd::zstd_safe::get_frame_content_size(&bytes).ok().flatten().unwrap_or_default();
            let decoder = zstd::Decoder::with_buffer(bytes.as_ref()).map_err(|error| fault::compressed(name, "zstd", &error))?;
            read(name, "zstd", decoder, size, limit)
        }
        Some(_) => {
            // The last four bytes are the size modulo 4 GiB: a hint, and not more.
            let size = bytes.last_chunk::<4>().map_or(0, |tail| u64::from(u32::from_le_bytes(*tail)));
            read(name, "gzip", flate2::bufread::MultiGzDecoder::new(bytes.as_ref()), size.min(bytes.len() as u64 * 32), limit)
        }
        None if bytes.is_empty() => Ok(bytes),
        None if name.ends_with(".zst") => {
            Err(fault::bad(format!("{name} is not zstd data"), "compress it again, or take .zst from its name"))
        }
        None if name.ends_with(".gz") => {
            Err(fault::bad(format!("{name} is not gzip data"), "compress it again, or take .gz from its name"))
        }
        None => Ok(bytes),
    }
}

/// Unpacks a stream while it is read, where its first bytes say that it is compressed.
pub(super) fn stream(mut input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut head)?;
    let format_of_file = format(&head);
    let whole = io::Cursor::new(head).chain(input);
    let mut unpacked: Box<dyn Read + Send> = match format_of_file {
        Some("zstd") => Box::new(zstd::Decoder::new(whole)?),
        Some(_) => Box::new(flate2::read::MultiGzDecoder::new(whole)),
        None => return Ok(Box::new(whole)),
    };
    let mut head = Vec::with_capacity(4);
    unpacked.by_ref().take(4).read_to_end(&mut head)?;
    if format(&head).is_some() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is compressed twice; unpack it once"));
    }
    Ok(Box::new(io::Cursor::new(head).chain(unpacked)))
}

/// How bytes are compressed, by the first of them.
pub(super) fn format(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [0x1f, 0x8b, ..] => Some("gzip"),
        _ => None,
    }
}

/// Holds that what was unpacked is not compressed once more: a file of a few bytes would become larger with each turn.
pub(super) fn once(name: &str, bytes: Bytes) -> Result<Bytes, SourceError> {
    match format(&bytes) {
        Some(format) => Err(fault::bad(format!("{name} is compressed twice: what it unpacks to is {format} data"), "unpack it once")),
        None => Ok(bytes),
    }
}

/// Formats that are not read, with how their files begin.
const NOT_READ: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "a zip archive"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
];

/// Rejects a file of a format that is not read, by how it begins.
pub(super) fn is_read(name: &str, head: &[u8]) -> Result<(), SourceError> {
    match NOT_READ.iter().find(|(begin, _)| head.starts_with(begin)) {
        Some((_, what)) => {
            Err(fault::bad(format!("{name} is {what}, which is not read"), "unpack it, and give the folder or the file in it"))
        }
        None => Ok(()),
    }
}

/// Whether a file is compressed, or says by its name that it is.
pub(super) fn is_compressed(name: &str, head: &[u8]) -> bool {
    format(head).is_some() || name.ends_with(".zst") || name.ends_with(".gz")
}

fn read(name: &str, format: &str, decoder: impl Read, size_hint: u64, limit: u64) -> Result<Bytes, SourceError> {
    match to_end(decoder, size_hint, limit) {
        Ok(Some(bytes)) => once(name, bytes),
        Ok(None) => Err(fault::too_large(name, limit)),
        Err(error) => Err(fault::compressed(name, format, &error)),
    }
}

/// Reads to the end with one allocation where the size is known; None where there is more than the limit.
pub(super) fn to_end(reader: impl Read, size_hint: u64, limit: u64) -> io::Result<Option<Bytes>> {
    // A claim of more than a quarter of a gibibyte has to be proven by data before memory is taken for it.
    let capacity = usize::try_from(size_hint.min(limit).min(256 << 20)).unwrap_or_default();
    Ok(regular::bounded(reader, capacity + 1, limit)?.map(Bytes::from))
}
