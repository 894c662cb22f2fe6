//! The outer shape of a dump: a list of raw sections, found even where the text ends too early, and where the dump is one section alone or
//! lies within something else.

use std::fmt;

use memchr::memmem;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::kind::not_a_dump;
use super::types::{is_of_a_dump, type_in_text, type_of};
use super::{NotADump, saved};

/// A text that is cut into its sections.
pub(super) struct Cut<'a> {
    /// The text from where the dump begins.
    pub(super) text: &'a str,
    /// The raw sections, whole ones.
    pub(super) sections: Vec<&'a RawValue>,
    /// How the text ended.
    pub(super) end: End,
}

/// How the text ended.
pub(super) enum End {
    /// As it should, or with something more, which is said.
    Whole(Option<String>),
    /// Too early, or with an error.
    Broken {
        /// Where the element begins that could not be read.
        at: usize,
        /// Whether there is more of it than the text holds, and no fault in what there is.
        early: bool,
        /// The parser's word for it.
        what: String,
    },
}

/// More elements than this are not taken from one list.
const MOST: usize = 1_000_000;

/// Finds the dump in a text: `{"configs": [..]}`, a list of sections or of resources, one section or resource alone, or a dump that lies in
/// another document.
///
/// # Errors
/// Where there is none, or more than one.
pub(super) fn find(text: &str) -> Result<Cut<'_>, NotADump> {
    let cut = cut(text);
    let is_known = |cut: &Cut<'_>| {
        let broken =
            if let End::Broken { at, .. } = cut.end { type_in_text(cut.text.get(at..).unwrap_or_default()) } else { String::new() };
        is_of_a_dump(&broken) || cut.sections.iter().any(|section| is_of_a_dump(&type_of(section)))
    };
    if is_known(&cut) {
        return Ok(cut);
    }
    if text.trim_start().starts_with('{') && is_of_a_dump(&type_in_text(text)) {
        return Ok(alone(text));
    }
    let inner = if text.trim_start().starts_with(['{', '[']) { inside(text) } else { Vec::new() };
    let read = |start: usize| Some(self::cut(&text[start..])).filter(is_known);
    match inner.as_slice() {
        [] => {}
        [(_, start)] => {
            if let Some(found) = read(*start) {
                // What comes behind it belongs to what it lies in.
                let end = if let End::Whole(_) = found.end { End::Whole(None) } else { found.end };
                return Ok(Cut { end, ..found });
            }
        }
        // As of two documents, one behind the other, the first is read.
        [(_, start), ..] if inner.iter().all(|(name, _)| name.is_none()) => {
            if let Some(found) = read(*start) {
                let more = format!("is a list of {} config dumps, of which only the first was read", inner.len());
                let end = if let End::Whole(_) = found.end { End::Whole(Some(more)) } else { found.end };
                return Ok(Cut { end, ..found });
            }
        }
        several => {
            let names: Vec<&str> = several.iter().take(3).map(|(name, _)| name.unwrap_or("without a name")).collect();
            let what = format!("holds {} config dumps ({}{})", several.len(), names.join(", "), if several.len() > 3 { ", …" } else { "" });
            return Err(NotADump { what, fix: "save the one of the proxy in question in a file of its own".to_owned() });
        }
    }
    let error = if let End::Broken { what, .. } = &cut.end { Some(what.as_str()) } else { None };
    Err(not_a_dump(text, error))
}

/// Cuts the text into the raw elements of `configs`, or of the list that it is.
fn cut(text: &str) -> Cut<'_> {
    let mut sections = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let end = match Outer(&mut sections).deserialize(&mut deserializer) {
        Ok(()) => whole(text, &mut deserializer),
        Err(error) => {
            let read_to = sections.last().map_or(0, |last: &&RawValue| offset(text, last.get()) + last.get().len());
            let rest = text.get(read_to..).unwrap_or_default();
            let skipped = if sections.is_empty() { rest.find('[').map_or(0, |at| at + 1) } else { rest.find(',').map_or(0, |at| at + 1) };
            End::Broken { at: read_to + skipped, early: error.is_eof(), what: error.to_string() }
        }
    };
    Cut { text, sections, end }
}

/// A text that is one section or one resource.
fn alone(text: &str) -> Cut<'_> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    match <&RawValue>::deserialize(&mut deserializer) {
        Ok(section) => Cut { text, sections: vec![section], end: whole(text, &mut deserializer) },
        Err(error) => Cut { text, sections: Vec::new(), end: End::Broken { at: 0, early: error.is_eof(), what: error.to_string() } },
    }
}

/// What follows a complete document.
fn whole<'a>(text: &'a str, deserializer: &mut serde_json::Deserializer<serde_json::de::StrRead<'a>>) -> End {
    let more = deserializer.end().err().and_then(|error| {
        // The parser says lines and columns, in bytes.
        let line = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        saved::after(text, (line + error.column().saturating_sub(1)).min(text.len()))
    });
    End::Whole(more)
}

/// The dumps that lie in another document, each with the key that it lies under, which an element of a list has not, and where it begins.
fn inside(text: &str) -> Vec<(Option<&str>, usize)> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(at) = memmem::find(text.as_bytes().get(from..).unwrap_or_default(), b"\"configs\"").map(|at| from + at) {
        let before = text[..at].trim_end();
        from = at + 1;
        if !before.ends_with('{') || !text[at + 9..].trim_start().starts_with(':') {
            continue;
        }
        let start = before.len() - 1;
        let key = text[..start].trim_end().strip_suffix(':').and_then(|before| before.trim_end().strip_suffix('"')?.rsplit('"').next());
        found.push((key.filter(|key| key.len() < 200), start));
        match <&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(&text[start..])) {
            Ok(whole) => from = start + whole.get().len(),
            Err(_) => break,
        }
    }
    found
}

/// Where `part`, a slice of `text`, begins.
pub(super) fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// Reads `{"configs": [..]}` or `[..]`, pushing each element as it comes, so that what came before an error is kept.
struct Outer<'o, 'a>(&'o mut Vec<&'a RawValue>);

impl<'a> DeserializeSeed<'a> for Outer<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Outer<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an Envoy config dump")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if key == "configs" {
                map.next_value_seed(Elements(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<(), A::Error> {
        Elements(self.0).visit_seq(seq)
    }
}

/// Pushes the raw elements of a list.
pub(super) struct Elements<'o, 'a>(pub(super) &'o mut Vec<&'a RawValue>);

impl<'a> DeserializeSeed<'a> for Elements<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&RawValue>()? {
            if self.0.len() >= MOST {
                return Err(serde::de::Error::custom(format_args!("a list has more than {MOST} elements")));
            }
            self.0.push(element);
        }
        Ok(())
    }
}
