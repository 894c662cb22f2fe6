//! An object of JSON, taken apart without a look at what its values hold: log lines are many, and of most keys nobody asks.

use std::borrow::Cow;

use memchr::memchr2;
use serde_json::Deserializer;
use serde_json::value::RawValue;

/// The keys and values of an object in their order: where they are in the text.
#[derive(Debug)]
pub(super) struct Object<'r> {
    raw: &'r str,
    pairs: Vec<(Place, Place)>,
}

/// Where a key or a value is, a string without its quotes. Small, so that the allocator has the room for all of a request at
/// hand.
#[derive(Clone, Copy, Debug)]
struct Place {
    from: u32,
    to: u32,
    form: Form,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    /// Any other value.
    Other,
}

impl<'r> Object<'r> {
    /// Reads an object; None where it is none.
    pub(super) fn read(raw: &'r str) -> Option<Self> {
        let bytes = raw.as_bytes();
        let mut at = behind(bytes, 0, b'{')?;
        let mut pairs = Vec::with_capacity(24);
        loop {
            let (key, end) = value(raw, at).filter(|(key, _)| key.form != Form::Other)?;
            let (value, end) = value(raw, behind(bytes, end, b':')?)?;
            pairs.push((key, value));
            match behind(bytes, end, b',') {
                Some(next) => at = next,
                None => return (behind(bytes, end, b'}')? == raw.len()).then_some(Self { raw, pairs }),
            }
        }
    }

    /// The keys and their values: a string's content, or any other value as written.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Cow<'r, str>, Cow<'r, str>)> + '_ {
        self.pairs.iter().map(|(key, value)| (self.text(*key), self.text(*value)))
    }

    /// The first value that has one of these keys.
    pub(super) fn find(&self, keys: &[&str]) -> Option<Cow<'r, str>> {
        let is_one = |key: &Place| keys.contains(&self.written(*key));
        self.pairs.iter().find(|(key, _)| is_one(key)).map(|(_, value)| self.text(*value))
    }

    fn written(&self, place: Place) -> &'r str {
        self.raw.get(place.from as usize..place.to as usize).unwrap_or_default()
    }

    fn text(&self, place: Place) -> Cow<'r, str> {
        let written = self.written(place);
        if place.form != Form::Escaped {
            return Cow::Borrowed(written);
        }
        serde_json::from_str(&format!("\"{written}\"")).map_or(Cow::Borrowed(written), Cow::Owned)
    }
}

impl Place {
    fn new(from: usize, to: usize, form: Form) -> Option<Self> {
        Some(Self { from: from.try_into().ok()?, to: to.try_into().ok()?, form })
    }
}

/// From a place on, over blanks.
#[inline(always)]
fn over_blanks(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

/// The place behind a byte that comes next; None where another does.
#[inline(always)]
fn behind(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = over_blanks(bytes, at);
    (bytes.get(at) == Some(&byte)).then_some(at + 1)
}

/// The value that comes next, and the place behind it. In its callers' loop it is measurably faster: most values are short.
#[inline(always)]
fn value(raw: &str, at: usize) -> Option<(Place, usize)> {
    let bytes = raw.as_bytes();
    let at = over_blanks(bytes, at);
    if bytes.get(at) != Some(&b'"') {
        let to = at + other(raw.get(at..)?)?;
        return Some((Place::new(at, to, Form::Other)?, to));
    }
    let (from, mut to, mut form) = (at + 1, at + 1, Form::Plain);
    loop {
        to += memchr2(b'"', b'\\', bytes.get(to..)?)?;
        if bytes[to] == b'"' {
            return Some((Place::new(from, to, form)?, to + 1));
        }
        (to, form) = (to + 2, Form::Escaped);
    }
}

/// How long the value is, which is no string, that a text begins with.
fn other(text: &str) -> Option<usize> {
    let length = text.bytes().position(|byte| matches!(byte, b',' | b'}' | b' '))?;
    match &text.as_bytes()[..length] {
        b"null" | b"true" | b"false" | [b'0'..=b'9'] => return Some(length),
        [b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => return Some(length),
        // A number with a sign or a point, and what is made of other values, is left to who knows all of JSON.
        _ => {}
    }
    let mut values = Deserializer::from_str(text).into_iter::<&RawValue>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_json_is() {
        let raw = r#"{"a":"x\"y\\", "b\n" : 1.5e3 ,"c":{"d":["}",null]},"e":"" , "f":true,"g":0,"h":-1,"i":12 ,"j":null}"#;
        let read: Vec<(String, String)> =
            Object::read(raw).unwrap().iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
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
        assert_eq!(Object::read(raw).unwrap().find(&["x", "i", "h"]).as_deref(), Some("-1"));
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
            assert!(Object::read(odd).is_none(), "{odd}");
        }
    }
}
