//! The settings in which two configurations differ, each by its path.

use std::fmt;

use serde_json::{Map, Value};

use super::fields::{self, Zone};
use super::place::Place;
use super::values::{self, is_hidden, is_partly_hidden};
use crate::model::envoy::UNREAD;

/// How many settings are kept; the others are counted.
const MOST: usize = 100;
/// How many of them are told one by one.
const MOST_TOLD: usize = 8;

/// The differences that were found.
#[derive(Default)]
pub struct Changes {
    /// The first of them, in the order of what istiod would send.
    pub list: Vec<Change>,
    /// How many more there are.
    pub more: usize,
    /// How many values are secrets, which are not compared.
    pub hidden: usize,
    /// How many values are written in ways that cannot be compared.
    pub untold: usize,
    path: Vec<String>,
}

/// One setting that differs: its path, and the value of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path of fields, `rules.policies.x.principals[0]`.
    pub path: String,
    /// What istiod would send, in short; None where it would send nothing.
    pub sent: Option<String>,
    /// What the proxy holds, in short; None where it holds nothing.
    pub held: Option<String>,
}

impl Change {
    /// Who has the setting: `istiod`, `proxy` or `both`.
    pub fn only(&self) -> &'static str {
        match (&self.sent, &self.held) {
            (Some(_), None) => "istiod",
            (None, Some(_)) => "proxy",
            _ => "both",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match (&self.sent, &self.held) {
            (Some(sent), Some(held)) => write!(f, "{path} is {held}, istiod would send {sent}"),
            (Some(sent), None) => write!(f, "the proxy lacks {path}, which istiod would send as {sent}"),
            (None, Some(held)) => write!(f, "the proxy has {path} as {held}, which istiod would not send"),
            (None, None) => f.write_str(path),
        }
    }
}

impl Changes {
    /// How many settings differ.
    pub fn count(&self) -> usize {
        self.list.len() + self.more
    }

    /// Those that are told one by one.
    pub fn told(&self) -> &[Change] {
        &self.list[..self.list.len().min(MOST_TOLD)]
    }

    /// What is said of the others, `2 more settings differ`; None where all are told.
    pub fn rest(&self) -> Option<String> {
        match self.count() - self.told().len() {
            0 => None,
            1 => Some("1 more setting differs".to_owned()),
            rest => Some(format!("{rest} more settings differ")),
        }
    }

    /// Finds what differs below a named part.
    pub fn within(&mut self, part: &str, sent: &Value, held: &Value) {
        self.path.push(part.to_owned());
        self.compare("", sent, held, &Place::MESSAGE);
        self.path.pop();
    }

    /// Finds what differs between what istiod would send and what the proxy holds; both are [`super::canonical`].
    pub fn between(&mut self, sent: &Value, held: &Value) {
        self.compare("", sent, held, &Place::MESSAGE);
    }

    /// `key` is the field in which the two stand.
    fn compare(&mut self, key: &str, sent: &Value, held: &Value, place: &Place) {
        if is_hidden(sent) || is_hidden(held) || sent == held && is_partly_hidden(sent) {
            self.hidden += 1;
            return;
        }
        match (sent, held) {
            (Value::Object(sent), Value::Object(held)) => self.objects(sent, held, &place.typed(sent)),
            (Value::Array(sent), Value::Array(held)) if place.zone == Zone::Message && fields::is_set(key) => {
                self.sets(key, sent, held, place);
            }
            (Value::Array(sent), Value::Array(held)) => self.lists(key, sent, held, place),
            _ if values::is_equal(key, sent, held, place.zone) => {}
            _ if place.zone != Zone::Data && values::is_name_and_number(sent, held) => self.untold += 1,
            _ => self.tell(Some(sent), Some(held)),
        }
    }

    fn objects(&mut self, sent: &Map<String, Value>, held: &Map<String, Value>, place: &Place) {
        if place.zone == Zone::Message
            && let (Some(of), Some(there)) = (sent.get("@type"), held.get("@type"))
        {
            // What stands in messages of two types is not to be compared field by field.
            if of != there {
                return self.at("@type", |all| all.tell(Some(of), Some(there)));
            }
            if is_encoded(sent) != is_encoded(held) {
                self.untold += 1;
                return;
            }
        }
        for (key, value) in sent {
            self.at(key, |all| match held.get(key) {
                Some(there) => all.compare(key, value, there, &place.below(key)),
                None if place.is_default(key, value) => {}
                None => all.tell(Some(value), None),
            });
        }
        for (key, value) in held.iter().filter(|(key, _)| !sent.contains_key(*key)) {
            if !place.is_default(key, value) {
                self.at(key, |all| all.tell(None, Some(value)));
            }
        }
    }

    /// What one has and the other has not, whatever the order.
    fn sets(&mut self, key: &str, sent: &[Value], held: &[Value], place: &Place) {
        let mut rest: Vec<&Value> = held.iter().collect();
        for value in sent {
            match rest.iter().position(|there| is_same(key, value, there, place)) {
                Some(at) => {
                    let there = rest.remove(at);
                    self.compare(key, value, there, place);
                }
                None => self.tell(Some(value), None),
            }
        }
        for there in rest {
            self.tell(None, Some(there));
        }
    }

    /// Element by element; where one has more, from the first that differs to the last, so that one more is not all the rest.
    fn lists(&mut self, key: &str, sent: &[Value], held: &[Value], place: &Place) {
        let (mut begin, mut end) = (sent.len().min(held.len()), 0);
        if sent.len() != held.len() {
            let like = |(one, other): &(&Value, &Value)| is_same(key, one, other, place);
            begin = sent.iter().zip(held).take_while(like).count();
            end = sent[begin..].iter().rev().zip(held[begin..].iter().rev()).take_while(like).count();
        }
        let (last, last_held) = (sent.len() - end, held.len() - end);
        for index in 0..last.max(last_held) {
            let pair = (sent.get(index).filter(|_| index < last), held.get(index).filter(|_| index < last_held));
            self.at(&format!("[{index}]"), |all| match pair {
                (Some(value), Some(there)) => all.compare(key, value, there, place),
                (value, there) => all.tell(value, there),
            });
        }
        // These are the same, but for the secrets in them.
        for (value, there) in sent[last.max(begin)..].iter().zip(&held[last_held.max(begin)..]) {
            self.compare(key, value, there, place);
        }
    }

    fn at(&mut self, part: &str, find: impl FnOnce(&mut Self)) {
        self.path.push(part.to_owned());
        find(self);
        self.path.pop();
    }

    fn tell(&mut self, sent: Option<&Value>, held: Option<&Value>) {
        if self.list.len() >= MOST {
            self.more += 1;
            return;
        }
        let (sent, held) = values::told(sent, held);
        self.list.push(Change { path: written(&self.path), sent, held });
    }
}

/// Whether nothing differs between two values that is to be told.
fn is_same(key: &str, one: &Value, other: &Value, place: &Place) -> bool {
    let mut probe = Changes::default();
    probe.compare(key, one, other, place);
    probe.list.is_empty()
}

/// Whether a message is there as its bytes alone, or not even so, since who wrote or read it does not know its type.
fn is_encoded(message: &Map<String, Value>) -> bool {
    if message.contains_key(UNREAD) {
        return true;
    }
    let of = message.get("@type").and_then(Value::as_str).unwrap_or_default();
    message.len() == 2 && message.get("value").is_some_and(Value::is_string) && !of.starts_with("google.protobuf.")
}

/// `virtual host web:80: routes[0].route.timeout`.
fn written(path: &[String]) -> String {
    let mut text = String::new();
    let mut rest = path;
    if let [first, host, inner @ ..] = path
        && first == "virtual_hosts"
        && !host.starts_with('[')
    {
        text = format!("virtual host {host}");
        rest = inner;
        text.push_str(if inner.is_empty() { "" } else { ": " });
    }
    for (place, part) in rest.iter().enumerate() {
        // A key that people chose can look like a path itself.
        let is_index = part.starts_with('[');
        if !is_index && place > 0 && part.contains(['.', '|', ':']) {
            text.push_str(&format!("[{part}]"));
            continue;
        }
        if place > 0 && !is_index {
            text.push('.');
        }
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests;
