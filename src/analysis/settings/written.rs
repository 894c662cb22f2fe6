//! Single values of a known type in the one way of writing (Protobuf's JSON mapping: <https://protobuf.dev/programming-guides/json>).

use prost_reflect::Kind;
use serde_json::{Number, Value};

use super::values;

/// A value of a kind as everybody would write it; what is no value of the kind stays as it is.
pub(super) fn scalar(kind: &Kind, value: Value) -> Value {
    match (kind, value) {
        (Kind::Enum(of), Value::Number(number)) => {
            let name = number.as_i64().and_then(|number| i32::try_from(number).ok()).and_then(|number| of.get_value(number));
            name.map_or(Value::Number(number), |name| Value::String(name.name().to_owned()))
        }
        (Kind::Bytes, Value::String(text)) => Value::String(base64(&text).unwrap_or(text)),
        (Kind::Float | Kind::Double, Value::String(text)) => float(&text).unwrap_or(Value::String(text)),
        (Kind::Float | Kind::Double, Value::Number(number)) => number.as_f64().and_then(Number::from_f64).unwrap_or(number).into(),
        (Kind::String | Kind::Bool | Kind::Enum(_) | Kind::Bytes, value) => value,
        (Kind::Message(of), Value::String(text)) if of.full_name() == "google.protobuf.Duration" => {
            Value::String(duration(&text).unwrap_or(text))
        }
        (Kind::Message(of), value) => {
            let is_wrapper = of.package_name() == "google.protobuf" && of.name().ends_with("Value");
            match of.get_field_by_name("value").filter(|_| is_wrapper && !value.is_object()) {
                Some(field) => scalar(&field.kind(), value),
                None => value,
            }
        }
        (_, Value::String(text)) => whole(&text).unwrap_or(Value::String(text)),
        (_, Value::Number(number)) => whole(&number.to_string()).unwrap_or(Value::Number(number)),
        (_, value) => value,
    }
}

/// Whether it is the value that a field without presence has where it is not set.
pub(super) fn is_zero(kind: &Kind, value: &Value) -> bool {
    let is_first = |text: &str| kind.as_enum().is_some_and(|of| of.default_value().name() == text);
    values::is_zero(value) || value.as_str().is_some_and(is_first)
}

/// A whole number that is written as a text, since JSON's numbers do not hold 64 bits, or with a fraction of zeros.
fn whole(text: &str) -> Option<Value> {
    let digits = text.split_once('.').filter(|(_, part)| part.bytes().all(|byte| byte == b'0')).map_or(text, |(digits, _)| digits);
    let number = digits.parse::<u64>().map(Number::from).or_else(|_| digits.parse::<i64>().map(Number::from)).ok()?;
    // "05" is not how a number is written.
    (number.to_string() == digits).then_some(Value::Number(number))
}

fn float(text: &str) -> Option<Value> {
    text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
}

/// `0.250s` as `0.25s`, `1.000s` as `1s`.
fn duration(text: &str) -> Option<String> {
    let (whole, part) = text.strip_suffix('s')?.split_once('.')?;
    if !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = part.trim_end_matches('0');
    let whole = if whole == "-0" && part.is_empty() { "0" } else { whole };
    Some(if part.is_empty() { format!("{whole}s") } else { format!("{whole}.{part}s") })
}

/// Base64 of either alphabet, with or without its end, as Envoy writes it.
fn base64(text: &str) -> Option<String> {
    let bare = text.trim_end_matches('=');
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    if !bare.bytes().all(is_letter) {
        return None;
    }
    let written = bare.replace('-', "+").replace('_', "/");
    Some(format!("{written}{}", "=".repeat((4 - written.len() % 4) % 4)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{base64, duration, whole};

    #[test]
    fn each_value_has_one_spelling() {
        let of = |text| duration(text).unwrap_or_else(|| String::from(text));
        assert_eq!(["1.000s", "0.250s", "1s", "-0.5s", "-0.0s", "1.xs"].map(of), ["1s", "0.25s", "1s", "-0.5s", "0s", "1.xs"]);
        assert_eq!(base64("-_8").unwrap(), "+/8=");
        assert_eq!(base64("W3JlZGFjdGVkXQ==").unwrap(), "W3JlZGFjdGVkXQ==");
        assert_eq!(base64("[redacted]"), None);
        assert_eq!(whole("9007199254740993").unwrap().to_string(), "9007199254740993");
        assert_eq!(
            (whole("10.0").unwrap().to_string(), whole("05"), whole("1.5"), whole("-1").unwrap().to_string()),
            ("10".into(), None, None, "-1".into())
        );
    }
}
