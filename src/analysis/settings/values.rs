//! Single values: whether two are one, whether one is the default, and how they are told.

use serde_json::{Number, Value};

use super::fields::{self, Zone};

/// What stands in the place of a secret: ours, Envoy's in base64 and istiod's.
const MARKS: [&str; 3] = ["[redacted]", "W3JlZGFjdGVkXQ==", "<Redacted>"];
/// How much of a value is told, in characters.
const MOST_TOLD: usize = 120;
/// How much is told before the place where two long values part, in characters.
const BEFORE: usize = 40;

/// Whether a value is a secret's mark, or holds nothing but such: Envoy leaves numbers out of a message that is one.
pub(super) fn is_hidden(value: &Value) -> bool {
    match value {
        Value::String(text) => MARKS.contains(&text.as_str()),
        Value::Array(list) => !list.is_empty() && list.iter().all(is_hidden),
        Value::Object(object) => !object.is_empty() && object.values().all(is_hidden),
        _ => false,
    }
}

/// Whether a text holds a secret's mark, so that it can be another one that reads the same.
pub(super) fn is_partly_hidden(value: &Value) -> bool {
    value.as_str().is_some_and(|text| MARKS.iter().any(|mark| text.contains(mark)))
}

/// Whether two values of a field say the same.
pub(super) fn is_equal(key: &str, one: &Value, other: &Value, zone: Zone) -> bool {
    if one == other {
        return true;
    }
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one == other),
        _ if zone == Zone::Data => false,
        // 64 bits are a text in JSON, and an enumeration's value of a name that is not known is a number.
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            let is_number = || is_number(number, text);
            let at = || usize::try_from(number.as_u64()?).ok();
            is_number() || at().is_some_and(|at| fields::enumerations(key).any(|names| names.get(at).is_some_and(|name| name == text)))
        }
        (Value::String(one), Value::String(other)) if key == "failure_policy" => {
            let closed = |policy: &str| matches!(policy, "UNSPECIFIED" | "FAIL_CLOSED");
            closed(one) && closed(other)
        }
        (Value::String(one), Value::String(other)) => {
            !fields::is_text(key) && duration(one).zip(duration(other)).is_some_and(|(one, other)| one == other)
        }
        _ => false,
    }
}

/// Whether a text is this number: of whole numbers digit by digit, since 64 bits are more than a float holds.
fn is_number(number: &Number, text: &str) -> bool {
    let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (whole, text.parse::<i128>()) {
        // "05" is not how a number is written.
        (Some(number), Ok(_)) => number.to_string() == text,
        _ => number.as_f64().zip(text.parse::<f64>().ok()).is_some_and(|(one, other)| one == other),
    }
}

/// Whether one is an enumeration's name and the other a number of which the name is not known here.
pub(super) fn is_name_and_number(one: &Value, other: &Value) -> bool {
    let is_name = |value: &Value| {
        let of_name = |text: &str| {
            text.starts_with(|first: char| first.is_ascii_uppercase())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        value.as_str().is_some_and(of_name)
    };
    is_name(one) && other.is_u64() || is_name(other) && one.is_u64()
}

/// Whether a field with this value says the same as one that is not there.
pub(super) fn is_default(key: &str, value: &Value) -> bool {
    let is_zero = match value {
        Value::String(text) if !text.is_empty() => {
            let first = fields::enumerations(key).any(|names| names.first() == Some(&text.as_str()));
            return first || text == "0" && !fields::is_told_by_presence(key) || key == "failure_policy" && text == "FAIL_CLOSED";
        }
        Value::Array(list) => list.is_empty(),
        other => is_zero(other),
    };
    is_zero && !fields::is_told_by_presence(key)
}

/// Whether it is false, 0, an empty text or null.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(set) => !set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Null => true,
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// A duration's nanoseconds: `1s`, `0.250s`.
fn duration(text: &str) -> Option<i128> {
    let number = text.strip_suffix('s')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix('-').unwrap_or(whole);
    if unsigned.is_empty() || !digits(unsigned) || !digits(part) || part.len() > 9 {
        return None;
    }
    let nanoseconds = unsigned.parse::<i128>().ok()?.checked_mul(1_000_000_000)? + format!("{part:0<9}").parse::<i128>().ok()?;
    Some(if whole.starts_with('-') { -nanoseconds } else { nanoseconds })
}

/// Two values as short lines; of two long ones from where they part.
pub(super) fn told(sent: Option<&Value>, held: Option<&Value>) -> (Option<String>, Option<String>) {
    let text = |value: &Value| match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let (sent, held) = (sent.map(text), held.map(text));
    let common = match (&sent, &held) {
        (Some(sent), Some(held)) => sent.chars().zip(held.chars()).take_while(|(one, other)| one == other).count(),
        _ => 0,
    };
    let from = if common > MOST_TOLD / 2 { common - BEFORE } else { 0 };
    (sent.map(|text| cut(&text, from)), held.map(|text| cut(&text, from)))
}

fn cut(text: &str, from: usize) -> String {
    let mut letters = text.chars().skip(from);
    let told: String = letters.by_ref().take(MOST_TOLD).collect();
    let (before, after) = (if from > 0 { "…" } else { "" }, if letters.next().is_some() { "…" } else { "" });
    format!("{before}{told}{after}")
}
