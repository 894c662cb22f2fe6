//! Where a value begins and ends that is not a word behind its name: another member of an object, a list, a header, an element of XML, the
//! word behind a flag, a block of YAML.

use std::ops::Range;

use super::REDACTED;
use super::forms::skip;
use super::looks;
use super::text::Style;
use super::value::{Behind, Quote, behind, closing, is_none, quote_at, word};

/// Reads on behind a name that is itself a value, as in `key: "authorization" value: "…"`, or that has an object behind it, as in
/// `"password":{"inline_string":"…"}`.
pub(super) fn member(text: &str, name_end: usize) -> Option<Behind> {
    const MOST_BETWEEN: usize = 64;
    const MEMBERS: [&[u8]; 8] =
        [b"value", b"raw_value", b"rawValue", b"string_value", b"stringValue", b"inline_string", b"inline_bytes", b"inlineString"];
    let bytes = text.as_bytes();
    // Most names in running text have no such thing behind them, which two bytes say.
    match bytes.get(name_end..name_end + 2)? {
        [b'=', _] => return None,
        [b' ' | b':', next] if next.is_ascii_alphanumeric() && !b"vrsi".contains(next) => return None,
        _ => {}
    }
    let next = if bytes[name_end..].starts_with(b"\\n") { name_end + 2 } else { quote_at(bytes, name_end).1 };
    let until = bytes.len().min(next + MOST_BETWEEN);
    let word = skip(&bytes[..until], next, |byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':' | b'{'));
    if word == name_end {
        return None;
    }
    let word = quote_at(bytes, word).1;
    if !matches!(bytes.get(word), Some(b'v' | b'r' | b's' | b'i')) {
        return None;
    }
    let member = MEMBERS.iter().find(|member| bytes[word..].starts_with(member))?;
    behind(text, word + member.len()).filter(|found| found.separator != b',')
}

/// The texts of a list that begins here, from the first to the last.
pub(super) fn list(text: &str, start: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let blank = |from: usize| skip(bytes, from, |byte| byte.is_ascii_whitespace());
    let mut texts: Option<Range<usize>> = None;
    let mut at = blank(start + 1);
    while let (Some(quote), first) = quote_at(bytes, at) {
        if text[first..].starts_with(REDACTED) {
            break;
        }
        let end = closing(bytes, first, quote);
        texts = Some(texts.map_or(first, |texts| texts.start)..end);
        at = blank(quote_at(bytes, end).1);
        if bytes.get(at) != Some(&b',') {
            break;
        }
        at = blank(at + 1);
    }
    texts
}

/// Where the value of a header ends that begins here: with its line, or with a quote around it. Those within, as in
/// `Digest username="…", response="…"`, follow an equals sign.
pub(super) fn header_end(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let ends_line = |at: usize, until: usize| memchr::memchr2(b'\n', b'\r', &bytes[at..until]).map(|end| at + end);
    let mut at = start;
    while let Some(found) = memchr::memchr3(b'\n', b'"', b'\'', &bytes[at..]).map(|found| at + found) {
        let depth = bytes[at..found].iter().rev().take_while(|byte| **byte == b'\\').count();
        if let Some(end) = ends_line(at, found + 1) {
            return end;
        }
        if !bytes[at..found - depth].ends_with(b"=") {
            return found;
        }
        let end = closing(bytes, found + 1, Quote { byte: bytes[found], depth });
        if let Some(end) = ends_line(found, end) {
            return end;
        }
        at = (end + depth + 1).min(bytes.len());
    }
    ends_line(at, bytes.len()).unwrap_or(bytes.len())
}

/// The content of an element of XML: `<password>…</password>`.
pub(super) fn element(text: &str, name: &Range<usize>) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if name.start == 0 || bytes[name.start - 1] != b'<' || bytes.get(name.end) != Some(&b'>') {
        return None;
    }
    let start = name.end + 1;
    let end = memchr::memchr2(b'<', b'\n', &bytes[start..]).map_or(text.len(), |end| start + end);
    (end > start && text[end..].starts_with("</")).then_some(start..end)
}

/// The word behind a flag of a command: `--password …`.
pub(super) fn flag(text: &str, name: &Range<usize>, style: Style) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if !text[name.clone()].starts_with("--") || bytes.get(name.end) != Some(&b' ') {
        return None;
    }
    let start = skip(bytes, name.end, |byte| byte == b' ');
    let start = start + usize::from(matches!(bytes.get(start), Some(b'"' | b'\'')));
    let word = word(text, start);
    // A log speaks of flags, too.
    let is_said = text[word.clone()].starts_with('-') || style == Style::Log && looks::plain_word(&text[start..]) > 0;
    (!is_said && !is_none(text, start, true)).then_some(word)
}

/// The rest of a YAML block scalar that begins with `|` or `>`: the lines that are further in than that of its name.
pub(super) fn block(text: &str, name: &Range<usize>, start: usize) -> usize {
    let line = text[..name.start].rfind('\n').map_or(0, |end| end + 1);
    let indent = name.start - line;
    let mut end = start + text[start..].find('\n').unwrap_or(text.len() - start);
    while let Some(next) = text.get(end + 1..) {
        let line = next.split('\n').next().unwrap_or_default();
        let blank = line.trim().is_empty();
        if !blank && line.len() - line.trim_start_matches(' ').len() <= indent {
            break;
        }
        end += 1 + line.len();
        if end >= text.len() {
            break;
        }
    }
    end
}
