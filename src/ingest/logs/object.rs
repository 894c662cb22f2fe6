//! An object of JSON, taken apart without a look at what its values hold: log lines are many, and of most keys nobody asks.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::Deserializer;
use serde_json::value::RawValue;

/// The keys of an object in their order, and the values.
pub(super) type Pairs<'r> = Vec<(Written<'r>, Written<'r>)>;

/// A key or a value as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written<'r> {
    /// What a string without escapes holds.
    Plain(&'r str),
    /// A string with escapes, in its quotes.
    Escaped(&'r str),
    /// Any other value.
    Other(&'r str),
}

impl<'r> Written<'r> {
    /// A string's content, or any other value as written.
    pub(super) fn text(self) -> Cow<'r, str> {
        match self {
            Self::Plain(text) | Self::Other(text) => Cow::Borrowed(text),
            Self::Escaped(written) => serde_json::from_str(written).map_or(Cow::Borrowed(written), Cow::Owned),
        }
    }
}

/// The first value that has one of these keys.
pub(super) fn find<'r>(pairs: &Pairs<'r>, keys: &[&str]) -> Option<Written<'r>> {
    pairs.iter().find(|(key, _)| matches!(key, Written::Plain(key) if keys.contains(key))).map(|(_, value)| *value)
}

/// Reads an object; None where it is none.
pub(super) fn pairs(raw: &str) -> Option<Pairs<'_>> {
    let mut rest = Rest { text: raw, at: 0 };
    let mut pairs = Vec::with_capacity(24);
    rest.take(b'{')?;
    loop {
        let key = rest.value().filter(|key| !matches!(key, Written::Other(_)))?;
        rest.take(b':')?;
        pairs.push((key, rest.value()?));
        if rest.take(b',').is_none() {
            rest.take(b'}')?;
            return (rest.at == raw.len()).then_some(pairs);
        }
    }
}

/// A text, and how far it was read.
struct Rest<'r> {
    text: &'r str,
    at: usize,
}

impl<'r> Rest<'r> {
    /// The next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Goes on behind a byte; None where another stands there.
    fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.next()? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// The value that begins here.
    fn value(&mut self) -> Option<Written<'r>> {
        if self.next()? == b'"' {
            return self.string();
        }
        let rest = self.text.get(self.at..)?;
        let mut length = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let word = rest.get(..length)?;
        // A number with a sign or a point and what is made of others is left to who knows all of JSON.
        let ends = matches!(rest.as_bytes().get(length), Some(b',' | b'}' | b' '));
        if !(ends && (matches!(word, "null" | "true" | "false") || is_number(word))) {
            let mut values = Deserializer::from_str(rest).into_iter::<&RawValue>();
            values.next()?.ok()?;
            length = values.byte_offset();
        }
        self.at += length;
        rest.get(..length).map(Written::Other)
    }

    /// The string that begins here.
    fn string(&mut self) -> Option<Written<'r>> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        let (mut at, mut escaped) = (start + 1, false);
        loop {
            at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.at = at + 1;
                return if escaped {
                    self.text.get(start..=at).map(Written::Escaped)
                } else {
                    self.text.get(start + 1..at).map(Written::Plain)
                };
            }
            (at, escaped) = (at + 2, true);
        }
    }
}

/// Whether digits are a number of JSON, which begins with no 0 that says nothing.
fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit()) && (word.len() == 1 || !word.starts_with('0')) && !word.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_json_is() {
        let raw = r#"{"a":"x\"y\\", "b\n" : 1.5e3 ,"c":{"d":["}",null]},"e":"" , "f":true,"g":0,"h":-1,"i":12 ,"j":null}"#;
        let read: Vec<(String, String)> =
            pairs(raw).unwrap().into_iter().map(|(key, value)| (key.text().into_owned(), value.text().into_owned())).collect();
        let expected = [
            ("a", "x\"y\\"),
            ("b\n", "1.5e3"),
            ("c", r#"{"d":["}",null]}"#),
            ("e", ""),
            ("f", "true"),
            ("g", "0"),
            ("h", "-1"),
            ("i", "12"),
            ("j", "null"),
        ];
        assert_eq!(read, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        for odd in [
            "",
            "{",
            "{}",
            r#"{"a":1"#,
            r#"{"a":"b}"#,
            r#"{"a":1}}"#,
            "{a:1}",
            r#"{"a":"b\"}"#,
            r#"{"a":1,}"#,
            r#"{1:1}"#,
            r#"{"a":}"#,
            r#"{"a":nul}"#,
            r#"{"a":01}"#,
            r#"{"a":1 2}"#,
        ] {
            assert_eq!(pairs(odd), None, "{odd}");
        }
    }
}
