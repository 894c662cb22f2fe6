//! Rewrites the secrets of a JSON text and leaves every other byte as it was written, so that what is shown is what the
//! proxy wrote. It walks over tokens and takes any text: valid JSON stays valid, anything else stays what it was.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::frame::{Frame, Held, Part, Zone};
use super::keys::Key;
use super::names::Name;
use super::rules::Says;
use super::strings::{quoted, string_end, unescaped};
use super::text::{self, Style};
use super::{REDACTED, looks, scan, yaml};

/// How deep objects and lists are told apart; what lies deeper is treated like this level.
const DEEPEST: u16 = 2_000;
/// What is looked into within strings.
#[derive(Clone, Copy)]
pub(super) struct Within {
    /// How often JSON may be wrapped in a string of JSON.
    pub(super) wrappings: u8,
    /// Whether there may be YAML: in logs there is none, and its parser takes time.
    pub(super) yaml: bool,
}

/// What Envoy itself writes in the place of a key: `[redacted]` in base64.
const ENVOYS_MARK: &str = "W3JlZGFjdGVkXQ==";
/// What stands in the place of a number.
const REDACTED_NUMBER: &str = "\"[redacted]\"";

/// The text without its secrets; None where nothing is to be replaced.
pub(super) fn rewrite(text: &str, style: Style) -> Option<String> {
    walk(text, style, Within { wrappings: 4, yaml: style != Style::Log })
}

/// The lines of a log without what Secrets hold, which only the whole object says; None where there is none.
pub(super) fn lines(text: &str) -> Option<String> {
    let mut found = false;
    let redacted = text.split_inclusive('\n').map(|line| {
        let start = memchr(b'{', line.as_bytes()).unwrap_or(line.len());
        // In a string it begins with the quote of that.
        let start = start - usize::from(line[start..].starts_with("{\\") && line[..start].ends_with('"'));
        let object = rewrite(&line[start..], Style::Log);
        found |= object.is_some();
        object.map_or(Cow::Borrowed(line), |object| format!("{}{object}", &line[..start]).into())
    });
    let redacted: String = redacted.collect();
    found.then_some(redacted)
}

/// The same as [`rewrite`], of a text that is itself within a string.
pub(super) fn walk(text: &str, style: Style, within: Within) -> Option<String> {
    let zone = if style == Style::Free { Zone::Free } else { Zone::Plain };
    let frames = vec![Frame::new(false, zone, false, 0)];
    let mut walker = Walker { text, style, within, edits: Vec::new(), held: Vec::new(), frames, below: 0, names: 0 };
    walker.run();
    walker.finish()
}

struct Walker<'t> {
    text: &'t str,
    style: Style,
    within: Within,
    /// What is replaced, by what; of two with one start the later holds.
    edits: Vec<(Range<usize>, Cow<'static, str>)>,
    held: Vec<Held>,
    frames: Vec<Frame>,
    below: usize,
    /// How many keys are secrets themselves.
    names: usize,
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
                    if self.frames.last().is_some_and(|frame| frame.takes_all(None)) {
                        self.edits.push((at..end, REDACTED_NUMBER.into()));
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

    /// How many objects and lists the place is in, the text itself among them.
    fn depth(&self) -> u16 {
        u16::try_from(self.frames.len()).unwrap_or(DEEPEST)
    }

    fn open(&mut self, object: bool) {
        if self.depth() >= DEEPEST {
            self.below += 1;
        } else if let Some(frame) = self.frames.last() {
            let below = Frame::new(object, frame.zone_below(), frame.key.lends_values, self.held.len());
            // The elements of a list stand under the list's own key.
            let key = if object { Key::none() } else { frame.key };
            let pair = if object { frame.pair_below() } else { Says::Nothing };
            let is_of_users = object && frame.zone == Zone::Free && frame.key.is_of_users;
            self.frames.push(Frame { key, pair, is_data: object && frame.key.is_data, is_of_users, ..below });
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
        if frame.lends_values && frame.pair == Says::Nothing && !frame.is_web_key && !frame.is_secret && !frame.is_data {
            // The object around it decides.
            return;
        }
        if frame.held == self.held.len() {
            return;
        }
        let below = self.depth() + 1;
        for held in self.held.split_off(frame.held) {
            // The object with this `data` decides, and no other one around it.
            if frame.is_data && matches!(held.part, Part::Data) && held.depth == below {
                self.held.push(held);
            } else if frame.takes_held(&held.part, &unescaped(self.text, &held.at)) {
                self.edits.push((held.at, REDACTED.into()));
            }
        }
    }

    fn string(&mut self, at: Range<usize>) {
        let raw = &self.text[at.clone()];
        let depth = self.depth();
        let Some(frame) = self.frames.last_mut() else { return };
        let chooses = frame.zone == Zone::Chosen && looks::is_label(raw);
        if frame.object && frame.awaits_key && self.below == 0 {
            frame.awaits_key = false;
            frame.key = Key::new(&unescaped(self.text, &at), frame.zone == Zone::Free);
            frame.has_value |= frame.key.makes_pair;
            frame.is_web_key |= frame.key.is_key_type;
            frame.has_algorithm |= frame.key.is_algorithm;
            if !chooses {
                self.name(at);
            }
            return;
        }
        if chooses {
            return;
        }
        let key = frame.key;
        frame.is_secret |= key.is_kind && raw == "Secret";
        let place = frame.strings;
        frame.strings += 1;
        // What a pull secret is called is no secret; istiod puts the secret itself in its place.
        let reference = raw.starts_with("kubernetes://") && !raw.contains(char::is_whitespace);
        if raw.is_empty() || raw == ENVOYS_MARK || raw == REDACTED {
            return;
        }
        let text = unescaped(self.text, &at);
        let names_next = !frame.object && !key.is_value && frame.zone == Zone::Free && place == 0;
        if key.names || names_next {
            // The condition of an AuthorizationPolicy: `request.headers[cookie]`.
            let header = text.strip_suffix(']').and_then(|text| text.rsplit_once('['));
            let name = Name::new(header.map_or(&*text, |(_, header)| header));
            match name.says() {
                says if says.is_secret() => frame.pair = says,
                _ if frame.zone == Zone::Free && name.is_suspect() => frame.pair = Says::Secret,
                says @ (Says::Credential | Says::Opaque) if frame.zone == Zone::Free && !frame.pair.is_secret() => frame.pair = says,
                _ => {}
            }
        }
        if !reference && (frame.takes_all(Some(&text)) || frame.takes_credential(&text)) || key.repeats_object {
            self.edits.push((at, REDACTED.into()));
            return;
        }
        let part = match key {
            Key { is_value: true, .. } => Some(Part::Value),
            _ if !frame.object && frame.zone == Zone::Free && place == 1 => Some(Part::Second),
            Key { is_private_member: true, .. } => Some(Part::Member),
            Key { says: Says::Key, .. } if frame.zone == Zone::Free && frame.object => Some(Part::Key),
            _ => None,
        };
        if let Some(part) = part.filter(|_| !reference) {
            self.held.push(Held { at: at.clone(), part, depth });
        }
        if frame.is_data || key.is_data {
            self.held.push(Held { at: at.clone(), part: Part::Data, depth });
        }
        let style = if frame.zone == Zone::Free || key.is_free { Style::Free } else { self.style };
        if let Some(text) = inner(raw, &text, style, self.within) {
            self.edits.push((at, text.into()));
        }
    }

    /// A key can be a secret itself, where limits are kept by API key. Each such key keeps a name of its own.
    fn name(&mut self, at: Range<usize>) {
        const SHORTEST: usize = 12;
        if at.len() < SHORTEST || !scan::may_hold_secret(&self.text[at.clone()]) {
            return;
        }
        let Some(name) = text::rewrite(&unescaped(self.text, &at), Style::Log) else { return };
        self.names += 1;
        let number = if self.names == 1 { String::new() } else { format!(" {}", self.names) };
        self.edits.push((at, format!("{}{number}", quoted(&name)).into()));
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

/// A string's content without the secrets within it, escaped again.
fn inner(raw: &str, text: &str, style: Style, within: Within) -> Option<String> {
    /// No name with a value is shorter.
    const SHORTEST: usize = 4;
    if raw.len() < SHORTEST {
        return None;
    }
    // A string within a free zone has no key of its own that would make names in it suspect to the scan.
    let suspicious = scan::may_hold_secret(raw) || style == Style::Free && scan::names_suspect(raw);
    if !suspicious {
        return None;
    }
    let below = within.wrappings.checked_sub(1).map(|wrappings| Within { wrappings, ..within });
    let yaml = below.filter(|below| below.yaml && yaml::may_be(text)).and_then(|below| yaml::rewrite(text, style, below).ok());
    let redacted = match yaml {
        Some(redacted) => redacted?,
        None => {
            let object = text.trim_start().starts_with(['{', '[']);
            let document = below.filter(|_| object).and_then(|below| walk(text, style, below));
            text::rewrite(document.as_deref().unwrap_or(text), style).or(document)?
        }
    };
    Some(quoted(&redacted))
}
