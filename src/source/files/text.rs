//! A log file as UTF-8, one line a line: whatever encoding a shell gave it, and one document of JSON as lines.

use std::io::{self, Cursor, Read};

use bytes::Bytes;
use memchr::memchr;

use super::blocks::Input;

/// How many bytes are looked at to know the encoding.
const HEAD: usize = 64;
const CHUNK: usize = 16 << 10;
/// How many bytes are looked at to know how lines end.
const LINE: u64 = 64 << 10;

/// The file without its byte order mark; UTF-16, as PowerShell writes it, becomes UTF-8; the elements of a list of JSON, or objects that
/// are written over several lines, become a line each.
pub(super) fn plain(input: Input) -> io::Result<Input> {
    let mut plain = stream(input)?;
    let mut head = Vec::with_capacity(HEAD);
    plain.by_ref().take(LINE).read_to_end(&mut head)?;
    let (is_document, ends_with_returns) = (is_document(&head), ends_with_returns(&head));
    let whole = Cursor::new(head).chain(plain);
    Ok(if is_document {
        Box::new(Converted::new(whole, Elements::default()))
    } else if ends_with_returns {
        Box::new(Converted::new(whole, Returns))
    } else {
        Box::new(whole)
    })
}

/// The file as UTF-8 without its byte order mark.
pub(super) fn stream(mut input: Input) -> io::Result<Input> {
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let (skip, encoding) = encoding(&head);
    let mut whole = Cursor::new(head).chain(input);
    io::copy(&mut whole.by_ref().take(skip.into()), &mut io::sink())?;
    Ok(match encoding {
        Some(unit) => Box::new(Converted::new(whole, Utf16 { unit, odd: None, high: None })),
        None => Box::new(whole),
    })
}

/// Whether a file is UTF-16, by how it begins.
pub(super) fn is_utf16(head: &[u8]) -> bool {
    encoding(head).1.is_some()
}

/// The same of a whole file in memory.
pub(super) fn utf8(bytes: Bytes) -> Bytes {
    match encoding(&bytes) {
        (0, None) => bytes,
        (skip, None) => bytes.slice(usize::from(skip)..),
        (skip, Some(unit)) => {
            let (mut out, mut convert) = (Vec::with_capacity(bytes.len()), Utf16 { unit, odd: None, high: None });
            convert.take(bytes.get(usize::from(skip)..).unwrap_or_default(), &mut out);
            convert.end(&mut out);
            out.into()
        }
    }
}

/// How a unit of UTF-16 is read.
type Unit = fn([u8; 2]) -> u16;

/// How large the byte order mark is, and how units are read where it is UTF-16.
fn encoding(head: &[u8]) -> (u8, Option<Unit>) {
    match head {
        [0xef, 0xbb, 0xbf, ..] => (3, None),
        [0xff, 0xfe, ..] => (2, Some(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => (2, Some(u16::from_be_bytes)),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => (0, Some(u16::from_le_bytes)),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => (0, Some(u16::from_be_bytes)),
        _ => (0, None),
    }
}

/// Whether lines end with a carriage return alone, as old Macs and some editors have it: there is one, and no other line end.
fn ends_with_returns(head: &[u8]) -> bool {
    memchr(b'\n', head).is_none() && memchr(b'\r', head).is_some_and(|at| at + 1 < head.len())
}

/// Whether a file is a log, by how it begins.
pub(super) fn is_log(head: &[u8]) -> bool {
    let mut begin = Vec::new();
    let read = plain(Box::new(Cursor::new(head.to_vec()))).and_then(|mut head| head.read_to_end(&mut begin));
    read.is_ok() && crate::ingest::logs::is_log(&String::from_utf8_lossy(&begin))
}

/// Whether a list of objects begins, or an object that is written over several lines.
fn is_document(head: &[u8]) -> bool {
    let mut signs = head.iter().copied().filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
    match (signs.next(), signs.find(|byte| *byte != b'\n')) {
        (Some(b'['), Some(b'{')) => true,
        (Some(b'{'), Some(b'"')) => head.split(|byte| *byte == b'\n').next().is_some_and(|first| first.trim_ascii() == b"{"),
        _ => false,
    }
}

/// What makes other bytes of bytes.
trait Convert {
    /// Takes some, and writes what they become.
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>);
    /// Writes what is left at the end.
    fn end(&mut self, out: &mut Vec<u8>);
}

struct Converted<R, C> {
    input: R,
    convert: C,
    out: Vec<u8>,
    given: usize,
    at_end: bool,
}

impl<R: Read, C: Convert> Converted<R, C> {
    fn new(input: R, convert: C) -> Self {
        Self { input, convert, out: Vec::new(), given: 0, at_end: false }
    }
}

impl<R: Read, C: Convert> Read for Converted<R, C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.out.len() && !self.at_end {
            self.out.clear();
            self.given = 0;
            let mut chunk = [0; CHUNK];
            match self.input.read(&mut chunk)? {
                0 => {
                    self.at_end = true;
                    self.convert.end(&mut self.out);
                }
                count => self.convert.take(chunk.get(..count).unwrap_or_default(), &mut self.out),
            }
        }
        let count = (&self.out[self.given..]).read(buffer)?;
        self.given += count;
        Ok(count)
    }
}

/// UTF-16 to UTF-8. What is no character is replaced.
struct Utf16 {
    unit: Unit,
    odd: Option<u8>,
    high: Option<u16>,
}

impl Utf16 {
    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        let before = self.high.take();
        if before.is_none() && (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return;
        }
        for char in char::decode_utf16(before.into_iter().chain([unit])) {
            let mut bytes = [0; 4];
            out.extend_from_slice(char.unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut bytes).as_bytes());
        }
    }
}

impl Convert for Utf16 {
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            match self.odd.take() {
                Some(first) => {
                    let unit = (self.unit)([first, *byte]);
                    self.unit(unit, out);
                }
                None => self.odd = Some(*byte),
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.high.take().is_some() || self.odd.take().is_some() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Carriage returns, which become line ends.
struct Returns;

impl Convert for Returns {
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        out.extend(bytes.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }));
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

/// The objects of a document, a line each.
#[derive(Default)]
struct Elements {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Convert for Elements {
    fn take(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            match byte {
                _ if self.in_string => {
                    self.in_string = self.escaped || *byte != b'"';
                    self.escaped = !self.escaped && *byte == b'\\';
                }
                b'"' => self.in_string = true,
                b'{' => self.depth += 1,
                b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        out.extend_from_slice(b"}\n");
                        continue;
                    }
                }
                // What is around the objects, and how they are laid out.
                b'\n' | b'\r' | b'\t' => continue,
                _ if self.depth == 0 => continue,
                _ => {}
            }
            out.push(*byte);
        }
    }

    fn end(&mut self, _: &mut Vec<u8>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let mut out = String::new();
        plain(Box::new(Cursor::new(bytes.to_vec()))).unwrap().read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn every_encoding_becomes_one() {
        let text = "2023-05-10T03:16:18Z\tinfo\t\u{e4}\u{1f600}\r\nsecond\r\n".repeat(3000);
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
            little.clone(),
            big,
        ] {
            assert!(read(&bytes) == text);
        }
        assert_eq!(read(&[0xff, 0xfe, b'a', 0, 0, 0xd8, b'b', 0, b'c']), "a\u{fffd}b\u{fffd}");
        assert_eq!([read(b""), read(b"a"), read(b"a\r"), read(b"a\rb\n")], ["", "a", "a\r", "a\rb\n"]);
        assert_eq!(read(&b"a\rb\r".repeat(30_000)), "a\nb\n".repeat(30_000));
    }

    #[test]
    fn the_objects_of_a_document_are_lines() {
        for document in [
            "[{\"a\":\"}\\\"\\n\"},{\"b\":{\"c\":1}}]",
            "[\n  {\n    \"a\": \"}\\\"\\n\"\n  },\n  {\"b\":\n{\"c\":1}}\n]\n",
            "{\n\"a\":\"}\\\"\\n\"}\n{\"b\":{\"c\":1}}",
        ] {
            assert_eq!(read(document.as_bytes()).replace(' ', ""), "{\"a\":\"}\\\"\\n\"}\n{\"b\":{\"c\":1}}\n", "{document}");
        }
        for other in ["{\"a\":1}\n{\"b\":2}\n", "[2023-05-10T03:16:18Z] \"GET\"\n", "[a] {\n"] {
            assert_eq!(read(other.as_bytes()), other);
        }
    }
}
