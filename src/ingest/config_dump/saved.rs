//! A dump as a person saved it: the encoding of the file, and what a terminal, curl or kubectl wrote before the JSON.

use std::borrow::Cow;

use super::types;
use crate::ingest::redact;

/// How much of what is not JSON is shown, in characters.
const SHOWN: usize = 100;
/// How many bytes are read of a file that is no UTF-8: its text may be three times as long.
const MOST_CONVERTED: usize = 128 << 20;

/// The text of a file, and what had to be done to read it.
pub(super) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Option<String>) {
    if let Some((big, whole)) = utf16(bytes) {
        let rest = &whole[..whole.len().min(MOST_CONVERTED)];
        let units = rest
            .chunks_exact(2)
            .map(|pair| if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) });
        let text: Result<String, _> = char::decode_utf16(units.clone()).collect();
        return match text {
            Ok(text) => (Cow::Owned(text), (rest.len() % 2 == 1).then(|| "is UTF-16, and ends within a character".to_owned())),
            Err(_) => {
                let text = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
                (Cow::Owned(text), Some("is UTF-16 with parts that are no characters; replaced what is none".to_owned()))
            }
        };
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), None),
        Err(error) => {
            let note = format!("is not UTF-8 at byte {}; replaced what is not", error.valid_up_to());
            (String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_CONVERTED)]), Some(note))
        }
    }
}

/// Whether it is UTF-16 with the higher byte first, and the text behind its mark; without a mark, by the first character, which is ASCII.
fn utf16(bytes: &[u8]) -> Option<(bool, &[u8])> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => Some((false, rest)),
        [0xfe, 0xff, rest @ ..] => Some((true, rest)),
        [first, 0, ..] if *first != 0 => Some((false, bytes)),
        [0, second, ..] if *second != 0 => Some((true, bytes)),
        _ => None,
    }
}

/// The text from where its JSON begins, and what is written before it: the headers of `curl -i`, a notice of kubectl, a prompt, on lines
/// of their own or on the JSON's. Where nothing looks like JSON, the whole text.
pub(super) fn document(text: &str) -> (&str, Option<String>) {
    if begins_json(text.trim_start()) {
        return (text, None);
    }
    let (mut at, mut lines) = (0, 0);
    for line in text.split_inclusive('\n') {
        let first = || first_line(&text[..at + line.len()]);
        if begins_json(text[at..].trim_start_matches([' ', '\t'])) {
            let note = match lines {
                1 => format!("begins with the line `{}`, which was passed over", first()),
                _ => format!("begins with {lines} lines that are no JSON, which were passed over: `{}` and so on", first()),
            };
            return (&text[at..], Some(note));
        }
        if let Some(start) = dump_within(text, at, line) {
            return (
                &text[start..],
                Some(format!("begins with text that is no JSON, which was passed over: `{}`", first_line(&text[..start]))),
            );
        }
        at += line.len();
        lines += 1;
    }
    (text, None)
}

/// How many brackets of a line are looked at.
const MOST_BRACKETS: usize = 100;

/// Where a dump begins behind other text on its line, which itself begins at `at`: a line of a log can hold other JSON.
fn dump_within(text: &str, at: usize, line: &str) -> Option<usize> {
    let brackets = line.match_indices(['{', '[']).take(MOST_BRACKETS).map(|(column, _)| at + column);
    brackets.into_iter().find(|start| {
        let rest = &text[*start..];
        let first = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '{' | '['));
        let key = first.strip_prefix('"').and_then(|key| key.split('"').next()).unwrap_or_default();
        begins_json(rest) && (types::is_first_key(key) || rest.starts_with('[') && key == "name")
    })
}

/// Whether a list or an object begins here: a line of a log can begin with a bracket too.
fn begins_json(text: &str) -> bool {
    let rest = |open: char| text.strip_prefix(open).map(|rest| rest.trim_start().chars().next());
    match (rest('{'), rest('[')) {
        (Some(next), _) => matches!(next, None | Some('"' | '}')),
        (_, Some(next)) => matches!(next, None | Some('{' | '[' | ']' | '"')),
        _ => false,
    }
}

/// The first line that is not blank, without secrets and of a bounded length.
pub(super) fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    // Cut once more behind the redaction, so that no half of a secret is left.
    let near: String = line.chars().take(10 * SHOWN).collect();
    let clean = redact::log_line(&near);
    let short: String = clean.chars().take(SHOWN).collect();
    if short.len() < clean.len() || near.len() < line.len() { format!("{short}…") } else { short }
}

/// What follows a whole document, as one clause; None for white space.
pub(super) fn after(text: &str, at: usize) -> Option<String> {
    let rest = text.get(at..)?.trim_start_matches(['\0', '\u{1a}']).trim();
    if rest.is_empty() {
        return None;
    }
    Some(if begins_json(rest) {
        format!("holds a second JSON document behind the first, from byte {at} on, which was not read")
    } else {
        format!("has text behind the JSON, from byte {at} on, which was passed over: `{}`", first_line(rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_one_text() {
        let utf16 = |big: bool, mark: bool| -> Vec<u8> {
            let text = if mark { "\u{feff}{\"ü\": 1}" } else { "{\"ü\": 1}" };
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        for bytes in [
            "{\"ü\": 1}".into(),
            "\u{feff}{\"ü\": 1}".into(),
            utf16(true, true),
            utf16(false, true),
            utf16(true, false),
            utf16(false, false),
        ] {
            assert_eq!(decode(&bytes), ("{\"ü\": 1}".into(), None), "{bytes:?}");
        }
        assert!(decode(&utf16(false, true)[..7]).1.is_some_and(|note| note.contains("ends within")));
        assert!(decode(b"{\"\xff\"}").1.is_some_and(|note| note.contains("at byte 2")));
        assert_eq!(decode(b"").0, "");
    }

    #[test]
    fn what_is_written_before_the_json_is_named() {
        for (text, note) in [
            (
                "HTTP/1.1 200 OK\r\nserver: envoy\r\n\r\n{\"a\": 1}",
                "begins with 3 lines that are no JSON, which were passed over: `HTTP/1.1 200 OK` and so on",
            ),
            (
                "Defaulted container \"istio-proxy\"\n{\n\"a\": 1}",
                "begins with the line `Defaulted container \"istio-proxy\"`, which was passed over",
            ),
            (
                "[2026-11-23 19:13:51.560][12][info] x\n[{\"a\": 1}]",
                "begins with the line `[2026-11-23 19:13:51.560][12][info] x`, which was passed over",
            ),
        ] {
            let (document, found) = document(text);
            assert!(document.starts_with(['{', '[']) && document.contains("\"a\""), "{document}");
            assert_eq!(found.as_deref(), Some(note));
        }
        for text in ["{", " [\n{\"a\": 1}]", "no JSON\nat all", ""] {
            assert_eq!(document(text), (text, None));
        }
    }

    #[test]
    fn a_secret_before_the_json_is_not_shown() {
        let (_, note) = document("> Authorization: Bearer abcdefghijklmnopqrstuvwxyz0123456789\n{\"a\": 1}");
        assert!(!note.unwrap().contains("abcdefghijklmnop"));
    }
}
