//! The settings in which two resources differ, each by its path.

use std::fmt;

use serde_json::{Map, Value};

use super::canonical::{Names, is_set};

/// What stands in the place of a secret: ours, Envoy's in base64 and istiod's.
const MARKS: [&str; 3] = ["[redacted]", "W3JlZGFjdGVkXQ==", "<Redacted>"];
/// What stands in a message that could not be read.
const UNREAD: &str = "@unread";
/// How much of a value is told, in characters.
const MOST_TOLD: usize = 120;

/// The differences that were found.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) list: Vec<Change>,
    /// How many values are secrets, which are not compared.
    pub(super) hidden: usize,
    /// How many messages are of a type that could not be read, so that only their types are compared.
    pub(super) unread: usize,
    names: Names,
    path: Vec<String>,
}

/// One setting that differs: its path, and the value of either.
pub(super) struct Change {
    path: String,
    sent: Option<String>,
    held: Option<String>,
}

impl Change {
    /// Who has the setting: `istiod`, `proxy` or `both`.
    pub(super) fn only(&self) -> &'static str {
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
    /// With the names that are told.
    pub(super) fn new(names: Names) -> Self {
        Self { names, ..Self::default() }
    }

    /// Finds what differs below a named part.
    pub(super) fn within(&mut self, part: &str, sent: &Value, held: &Value) {
        self.path.push(part.to_owned());
        self.between(sent, held);
        self.path.pop();
    }

    /// Finds what differs between what istiod would send and what the proxy holds.
    pub(super) fn between(&mut self, sent: &Value, held: &Value) {
        if is_hidden(sent) || is_hidden(held) {
            self.hidden += 1;
            return;
        }
        if is_unread(sent) || is_unread(held) {
            let name = |value: &Value| value.get("@type").cloned().unwrap_or_default();
            let (sent, held) = (name(sent), name(held));
            self.unread += 1;
            return if sent != held {
                self.tell(Some(&sent), Some(&held))
            };
        }
        match (sent, held) {
            (Value::Object(sent), Value::Object(held)) => self.objects(sent, held),
            (Value::Array(sent), Value::Array(held)) if self.path.last().is_some_and(|key| is_set(key)) => self.sets(sent, held),
            (Value::Array(sent), Value::Array(held)) => self.lists(sent, held),
            _ if is_equal(sent, held) => {}
            _ => self.tell(Some(sent), Some(held)),
        }
    }

    fn objects(&mut self, sent: &Map<String, Value>, held: &Map<String, Value>) {
        for (key, sent) in sent {
            self.path.push(key.clone());
            match held.get(key) {
                Some(held) => self.between(sent, held),
                None => self.tell(Some(sent), None),
            }
            self.path.pop();
        }
        for (key, held) in held.iter().filter(|(key, _)| !sent.contains_key(*key)) {
            self.path.push(key.clone());
            self.tell(None, Some(held));
            self.path.pop();
        }
    }

    /// What one has and the other has not, whatever the order.
    fn sets(&mut self, sent: &[Value], held: &[Value]) {
        let mut rest: Vec<&Value> = held.iter().collect();
        for sent in sent {
            match rest.iter().position(|held| *held == sent) {
                Some(place) => drop(rest.remove(place)),
                None => self.tell(Some(sent), None),
            }
        }
        for held in rest {
            self.tell(None, Some(held));
        }
    }

    /// Element by element; where one has more, from the first that differs to the last, so that one more is not all the rest.
    fn lists(&mut self, sent: &[Value], held: &[Value]) {
        if sent.len() == held.len() {
            for (index, (sent, held)) in sent.iter().zip(held).enumerate() {
                self.within(&format!("[{index}]"), sent, held);
            }
            return;
        }
        let begin = sent.iter().zip(held).take_while(|(sent, held)| sent == held).count();
        let end = sent[begin..].iter().rev().zip(held[begin..].iter().rev()).take_while(|(sent, held)| sent == held).count();
        for (index, sent) in sent.iter().enumerate().take(sent.len() - end).skip(begin) {
            match held.get(index).filter(|_| index < held.len() - end) {
                Some(held) => self.within(&format!("[{index}]"), sent, held),
                None => self.only(index, Some(sent), None),
            }
        }
        for (index, held) in held.iter().enumerate().take(held.len() - end).skip(begin.max(sent.len() - end)) {
            self.only(index, None, Some(held));
        }
    }

    fn only(&mut self, index: usize, sent: Option<&Value>, held: Option<&Value>) {
        self.path.push(format!("[{index}]"));
        self.tell(sent, held);
        self.path.pop();
    }

    /// `virtual host web:80: routes[0].route.timeout`.
    fn place(&self) -> String {
        let mut text = String::new();
        let mut rest = self.path.as_slice();
        if let [first, host, inner @ ..] = rest
            && first == "virtualHosts"
            && !host.starts_with('[')
        {
            text = format!("virtual host {host}");
            rest = inner;
            text.push_str(if inner.is_empty() { "" } else { ": " });
        }
        for (place, part) in rest.iter().enumerate() {
            if place > 0 && !part.starts_with('[') {
                text.push('.');
            }
            text.push_str(&self.names.of(part));
        }
        text
    }

    fn tell(&mut self, sent: Option<&Value>, held: Option<&Value>) {
        let told = |value: &Value| told(&self.names.within(value));
        self.list.push(Change { path: self.place(), sent: sent.map(told), held: held.map(told) });
    }
}

/// A value as one short line.
fn told(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MOST_TOLD) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "\"\"".to_owned(),
        None => text,
    }
}

/// Whether a value is a secret's mark, or holds nothing but such: Envoy leaves numbers out of a message that is one.
fn is_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => MARKS.contains(&text.as_str()),
        Value::Array(list) => !list.is_empty() && list.iter().all(is_hidden),
        Value::Object(object) => !object.is_empty() && object.values().all(is_hidden),
        _ => false,
    }
}

/// Whether a message was not read, for want of its type's descriptor.
fn is_unread(value: &Value) -> bool {
    value.get(UNREAD).is_some()
}

/// Whether two values are the same: numbers by what they are, whichever way they are written (64 bits are a string in JSON).
fn is_equal(one: &Value, other: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse::<f64>().ok(),
        _ => None,
    };
    one == other || (one.is_number() || other.is_number()) && number(one).zip(number(other)).is_some_and(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Changes;

    fn found(sent: Value, held: Value) -> Vec<String> {
        let mut changes = Changes::default();
        changes.between(&sent, &held);
        changes.list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_setting_is_told_by_its_path() {
        let host = |timeout: &str| json!({"virtualHosts": {"web:80": {"routes": [{"route": {"timeout": timeout}}]}}});
        assert_eq!(found(host("15s"), host("0s")), ["virtual host web:80: routes[0].route.timeout is 0s, istiod would send 15s"]);
        assert_eq!(found(json!({"a": {"b": 1}}), json!({"a": {}})), ["the proxy lacks a.b, which istiod would send as 1"]);
        assert_eq!(found(json!({}), json!({"a": ""})), ["the proxy has a as \"\", which istiod would not send"]);
    }

    #[test]
    fn one_more_element_is_not_all_the_rest() {
        let has = |list: &[u8]| json!({"routes": list});
        assert_eq!(found(has(&[1, 2, 3]), has(&[1, 3])), ["the proxy lacks routes[1], which istiod would send as 2"]);
        assert_eq!(found(has(&[1, 3]), has(&[1, 2, 2, 3])).len(), 2);
        assert_eq!(found(has(&[1, 4, 5, 3]), has(&[1, 2, 3])).len(), 2);
        assert_eq!(found(has(&[]), has(&[1])), ["the proxy has routes[0] as 1, which istiod would not send"]);
        let domains = |list: &[&str]| json!({"domains": list});
        assert_eq!(found(domains(&["a", "c"]), domains(&["a", "b", "c"])), ["the proxy has domains as b, which istiod would not send"]);
    }

    #[test]
    fn of_what_could_not_be_read_only_the_type_is_compared() {
        let unread = json!({"filter": {"@type": "t/stats.PluginConfig", "@unread": true}});
        assert!(found(unread.clone(), json!({"filter": {"@type": "t/stats.PluginConfig", "debug": true}})).is_empty());
        assert_eq!(found(unread, json!({"filter": {"@type": "t/x.Y"}})), ["filter is t/x.Y, istiod would send t/stats.PluginConfig"]);
    }

    #[test]
    fn secrets_and_forms_of_numbers_are_no_difference() {
        assert!(
            found(json!({"key": {"inline_bytes": "[redacted]", "n": 1}}), json!({"key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}})).is_empty()
        );
        assert!(found(json!({"n": "5", "m": 10}), json!({"n": 5, "m": 10.0})).is_empty());
        assert_eq!(found(json!({"n": "5"}), json!({"n": "05"})).len(), 1, "two texts are texts");
    }
}
