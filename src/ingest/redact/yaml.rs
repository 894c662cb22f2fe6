//! YAML in strings: the mesh configuration, the annotations that set up proxies. Its blocks, lists and anchors
//! cannot be recognised in running text, so it is parsed, redacted as an object and written again.

use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{self, Within};
use super::text::{self, Style};
use crate::ingest::yaml::{Unread, parse};

/// Whether a text is worth being parsed as YAML: it has more than a line, or braces, and is not JSON.
pub(super) fn may_be(text: &str) -> bool {
    let object = text.trim_start().starts_with(['{', '[']);
    text.contains(':') && if object { serde_json::from_str::<&RawValue>(text).is_err() } else { text.contains('\n') }
}

/// What is left of YAML that is too large to be looked through.
pub(super) const TOO_LARGE: &str = "[redacted] the aliases of this YAML grow too far for it to be searched";

/// The YAML without its secrets, None where it holds none; comments go with them, and all of it where its aliases grow too far. The error is
/// that it is no YAML, or neither mapping nor list.
pub(super) fn rewrite(text: &str, style: Style, within: Within) -> Result<Option<String>, ()> {
    let value = match parse(text) {
        Ok(value) => value,
        Err(Unread::TooLarge) => return Ok(Some(TOO_LARGE.to_owned())),
        Err(Unread::NotYaml(_)) => return Err(()),
    };
    if !matches!(value, Value::Object(_) | Value::Array(_)) {
        return Err(());
    }
    let redacted = match json::walk(&value.to_string(), style, within) {
        Some(redacted) => serde_json::from_str(&redacted).map_err(|_| ())?,
        // A comment may hold one.
        None if text.contains('#') && text::rewrite(text, style).is_some() => value.clone(),
        None => return Ok(None),
    };
    Ok(Some(written(&redacted)).filter(|written| written != text))
}

/// YAML that is read back as what it was written from; where the writer of YAML does not manage that, JSON, which is YAML, too.
fn written(value: &Value) -> String {
    let yaml = serde_saphyr::to_string(value).ok();
    let same = |yaml: &String| serde_saphyr::from_str::<Value>(yaml).is_ok_and(|again| again == *value);
    yaml.filter(same).unwrap_or_else(|| serde_json::to_string_pretty(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WITHIN: Within = Within { wrappings: 4, yaml: true };

    fn redacted(text: &str) -> Value {
        serde_saphyr::from_str(&rewrite(text, Style::Value, WITHIN).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn blocks_lists_anchors_and_comments_lose_their_secrets() {
        let text = "a: &secret\n  password: |\n    one\n    two\nb: *secret\nproxyMetadata: {DB_PASS: x, on: 'yes'} # token=abc1\nn: 1.0\n";
        let gone = json!({"password": "[redacted]"});
        assert_eq!(redacted(text), json!({"a": gone, "b": gone, "proxyMetadata": {"DB_PASS": "[redacted]", "on": "yes"}, "n": 1.0}));
        assert_eq!(redacted("a: b # password=hunter2\n"), json!({"a": "b"}));
        assert_eq!(redacted("a: b\nheaders:\n- name: Authorization\n  value: Api-Token x\n")["headers"][0]["value"], "[redacted]");
    }

    #[test]
    fn what_holds_none_stays_as_it_was_written() {
        assert_eq!(rewrite("a:   b # note\n", Style::Value, WITHIN), Ok(None));
        let once = rewrite("password: x\nb: '1'\n", Style::Value, WITHIN).unwrap().unwrap();
        assert_eq!(rewrite(&once, Style::Value, WITHIN), Ok(None));
        assert_eq!(rewrite("a: b: c\n- x", Style::Value, WITHIN), Err(()));
        assert_eq!(rewrite("plain text", Style::Value, WITHIN), Err(()));
    }
}
