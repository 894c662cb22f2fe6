//! Rewrites the secrets of a JSON text and leaves every other byte as it was written, so that what is shown is what the
//! proxy wrote. It walks over tokens and takes any text: valid JSON stays valid, anything else stays what it was.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

use super::keys::Key;
use super::names::Name;
use super::text::{self, Style};
use super::{REDACTED, scan};

/// How deep objects and lists are told apart; what lies deeper is treated like this level.
const DEEPEST: usize = 2_000;
/// How often JSON may be wrapped in a string of JSON.
const WRAPPINGS: u8 = 4;

/// What Envoy itself writes in the place of a key: `[redacted]` in base64.
const ENVOYS_MARK: &str = "W3JlZGFjdGVkXQ==";

/// What holds for the values of an object or list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// Names mean what the format says.
    Plain,
    /// People chose the names.
    Free,
    /// Everything is a secret but what a secret is called and where it lies.
    Secret,
    /// The same under a name that people chose: numbers are none.
    Suspect,
}

struct Frame {
    object: bool,
    zone: Zone,
    /// The key that the next value belongs to.
    key: Key,
    awaits_key: bool,
    /// `{"name": "authorization", "value": …}`: the name may come after the value.
    names_secret: bool,
    values: Vec<Range<usize>>,
    /// Whether its values belong to the pair around it, as those of a header's string match do.
    lends_values: bool,
}

/// The text without its secrets; None where nothing is to be replaced.
pub(super) fn rewrite(text: &str, free: bool) -> Option<String> {
    let zone = if free { Zone::Free } else { Zone::Plain };
    walk(text, zone, WRAPPINGS)
}

fn walk(text: &str, zone: Zone, wrappings: u8) -> Option<String> {
    let mut walker = Walker { text, wrappings, edits: Vec::new(), frames: vec![Frame::new(false, zone, false)], below: 0 };
    walker.run();
    walker.finish()
}

impl Frame {
    fn new(object: bool, zone: Zone, lends_values: bool) -> Self {
        Self { object, zone, key: Key::none(), awaits_key: object, names_secret: false, values: Vec::new(), lends_values }
    }

    /// What holds for an object or list that begins here.
    fn zone_below(&self) -> Zone {
        let key = &self.key;
        match self.zone {
            _ if key.is_plain => Zone::Plain,
            Zone::Secret => Zone::Secret,
            _ if key.is_secret && !key.is_readable_object => Zone::Secret,
            Zone::Suspect => Zone::Suspect,
            Zone::Free if key.is_suspect && !key.is_readable_object => Zone::Suspect,
            Zone::Free => Zone::Free,
            Zone::Plain if key.is_free => Zone::Free,
            Zone::Plain => Zone::Plain,
        }
    }

    /// Whether a string, or else a number, that stands here is a secret as a whole.
    fn takes_all(&self, is_string: bool) -> bool {
        let key = &self.key;
        match self.zone {
            Zone::Secret => !key.is_kept,
            Zone::Suspect => key.is_secret || is_string && !key.is_kept,
            Zone::Free => key.is_secret || is_string && key.is_suspect,
            Zone::Plain => key.is_secret,
        }
    }
}

struct Walker<'t> {
    text: &'t str,
    wrappings: u8,
    /// What is replaced, by what; of two with one start the later holds.
    edits: Vec<(Range<usize>, String)>,
    frames: Vec<Frame>,
    below: usize,
}

impl Walker<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    let end = string_end(bytes, at + 1);
                    self.string(at + 1..end);
                    at = end + 1;
                }
                b'{' | b'[' => {
                    self.open(*byte == b'{');
                    at += 1;
                }
                b'}' | b']' => {
                    self.close();
                    at += 1;
                }
                b',' => {
                    if let Some(frame) = self.frames.last_mut()
                        && frame.object
                        && self.below == 0
                    {
                        (frame.awaits_key, frame.key) = (true, Key::none());
                    }
                    at += 1;
                }
                b'-' | b'0'..=b'9' => {
                    let in_number = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
                    let end = at + bytes[at..].iter().take_while(in_number).count();
                    if self.frames.last().is_some_and(|frame| frame.takes_all(false)) {
                        self.edits.push((at..end, format!("\"{REDACTED}\"")));
                    }
                    at = end;
                }
                _ => at += 1,
            }
        }
        while self.frames.len() > 1 {
            self.close();
        }
    }

    fn open(&mut self, object: bool) {
        if self.frames.len() >= DEEPEST {
            self.below += 1;
        } else if let Some(frame) = self.frames.last() {
            let below = Frame::new(object, frame.zone_below(), frame.key.lends_values);
            // The elements of a list stand under the list's own key.
            let key = if object { Key::none() } else { frame.key };
            self.frames.push(Frame { key, ..below });
        }
    }

    fn close(&mut self) {
        if self.below > 0 {
            self.below -= 1;
            return;
        }
        if self.frames.len() < 2 {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        if frame.names_secret {
            self.edits.extend(frame.values.into_iter().map(|value| (value, REDACTED.to_owned())));
        } else if frame.lends_values
            && let Some(around) = self.frames.last_mut()
        {
            around.values.extend(frame.values);
        }
    }

    fn string(&mut self, at: Range<usize>) {
        let raw = &self.text[at.clone()];
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.object && frame.awaits_key && self.below == 0 {
            (frame.awaits_key, frame.key) = (false, Key::new(&unescaped(raw), frame.zone == Zone::Free));
            return;
        }
        let key = frame.key;
        if raw.is_empty() {
            return;
        }
        if key.names {
            let name = Name::new(&unescaped(raw));
            frame.names_secret |= name.is_secret_header() || frame.zone == Zone::Free && name.is_suspect();
        }
        // What a pull secret is called is no secret; istiod puts the secret itself in its place.
        let reference = raw.starts_with("kubernetes://") && !raw.contains(char::is_whitespace);
        if raw == ENVOYS_MARK {
            return;
        }
        if frame.takes_all(true) && !reference || key.repeats_object {
            self.edits.push((at, REDACTED.to_owned()));
            return;
        }
        if key.is_value && !reference {
            frame.values.push(at.clone());
        }
        let free = frame.zone == Zone::Free || key.is_free;
        if let Some(text) = inner(raw, free, self.wrappings) {
            self.edits.push((at, text));
        }
    }

    fn finish(mut self) -> Option<String> {
        if self.edits.is_empty() {
            return None;
        }
        self.edits.sort_by_key(|(at, _)| at.start);
        let mut out = String::with_capacity(self.text.len());
        let mut done = 0;
        for (index, (at, by)) in self.edits.iter().enumerate() {
            if self.edits.get(index + 1).is_some_and(|(next, _)| next.start == at.start) {
                continue;
            }
            out.push_str(&self.text[done..at.start]);
            out.push_str(by);
            done = at.end;
        }
        out.push_str(&self.text[done..]);
        Some(out)
    }
}

/// The end of a string: its closing quote, or the end of the text.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        if bytes[at + found] == b'"' {
            return at + found;
        }
        at += found + 2;
    }
    bytes.len()
}

/// A string's text; as it is written where its escapes are broken.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    serde_json::from_str::<String>(&format!("\"{raw}\"")).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// A string's content without the secrets within it, escaped again.
fn inner(raw: &str, free: bool, wrappings: u8) -> Option<String> {
    // A string within a free zone has no key of its own that would make names in it suspect to the scan.
    let suspicious = scan::may_hold_secret(raw) || free && scan::names_suspect(raw);
    if !suspicious {
        return None;
    }
    let text = unescaped(raw);
    let zone = if free { Zone::Free } else { Zone::Plain };
    let wrapped = text.trim_start().starts_with(['{', '[']) && wrappings > 0;
    let document = if wrapped { walk(&text, zone, wrappings - 1) } else { None };
    let style = if free { Style::Free } else { Style::Value };
    let redacted = text::rewrite(document.as_deref().unwrap_or(&text), style).or(document)?;
    let quoted = serde_json::to_string(&redacted).ok()?;
    quoted.get(1..quoted.len() - 1).map(str::to_owned)
}
