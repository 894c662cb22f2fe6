//! gzip and zstd, known by their first bytes. A cap keeps a small file from growing without end.

use std::io::{self, Read};

use bytes::Bytes;

use super::super::{SourceError, regular};
use super::blocks::Input;
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
pub(super) fn stream(name: &str, mut input: Input) -> Result<Input, SourceError> {
    let mut head = Vec::with_capacity(4);
    input.by_ref().take(4).read_to_end(&mut head).map_err(|error| fault::io(name, &error))?;
    let packed = format(&head);
    let whole = io::Cursor::new(head).chain(input);
    let Some(packed) = packed else { return Ok(Box::new(whole)) };
    let failed = |error| fault::compressed(name, packed, &error);
    let input: Input = match packed {
        "zstd" => Box::new(zstd::Decoder::new(whole).map_err(failed)?),
        _ => Box::new(flate2::read::MultiGzDecoder::new(whole)),
    };
    let mut unpacked = Unpacked { input, name: name.to_owned(), packed };
    let mut head = Vec::with_capacity(4);
    unpacked.by_ref().take(4).read_to_end(&mut head).map_err(|error| fault::of_stream(name, error))?;
    reject_recompressed(name, &head)?;
    Ok(Box::new(io::Cursor::new(head).chain(unpacked)))
}

/// A stream that is unpacked, whose errors say what is wrong with which file.
struct Unpacked {
    input: Input,
    name: String,
    packed: &'static str,
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wrong = |error: io::Error| io::Error::new(error.kind(), fault::compressed(&self.name, self.packed, &error));
        self.input.read(buffer).map_err(wrong)
    }
}

/// How bytes are compressed, by the first of them.
pub(super) fn format(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [0x1f, 0x8b, ..] => Some("gzip"),
        _ => None,
    }
}

/// Rejects data that is still compressed after one unpacking: a file of a few bytes would become larger with each turn.
fn reject_recompressed(name: &str, unpacked: &[u8]) -> Result<(), SourceError> {
    format(unpacked).map_or(Ok(()), |format| Err(fault::twice(name, format)))
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
pub(super) fn reject_unsupported(name: &str, head: &[u8]) -> Result<(), SourceError> {
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
        Ok(Some(bytes)) => reject_recompressed(name, &bytes).map(|()| bytes),
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
