//! Which settings differ, and which only look so.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::Changes;
use crate::analysis::settings::canonical;

fn changes(sent: &Value, held: &Value) -> Changes {
    let mut changes = Changes::default();
    changes.between(&canonical(&sent.to_string()).unwrap(), &canonical(&held.to_string()).unwrap());
    changes
}

fn found(sent: Value, held: Value) -> Vec<String> {
    changes(&sent, &held).list.iter().map(ToString::to_string).collect()
}

#[test]
fn a_setting_is_told_by_its_path() {
    let host = |timeout: &str| json!({"virtual_hosts": [{"name": "web:80", "routes": [{"route": {"timeout": timeout}}]}]});
    assert_eq!(found(host("15s"), host("0s")), ["virtual host web:80: routes[0].route.timeout is 0s, istiod would send 15s"]);
    assert_eq!(
        found(json!({"route_config": host("15s")}), json!({"route_config": host("0s")})),
        ["route_config.virtual_hosts[web:80].routes[0].route.timeout is 0s, istiod would send 15s"]
    );
    assert_eq!(found(json!({"a": {"b": 1}}), json!({"a": {}})), ["the proxy lacks a.b, which istiod would send as 1"]);
    assert_eq!(found(json!({}), json!({"any": false})), ["the proxy has any as false, which istiod would not send"]);
    let rules = |principals: Value| json!({"rules": {"policies": {"ns[default]-policy[x]-rule[0]": {"principals": [principals]}}}});
    assert_eq!(
        found(rules(json!({"exact": "bob"})), rules(json!({"exact": "alice"}))),
        ["rules.policies.ns[default]-policy[x]-rule[0].principals[0].exact is alice, istiod would send bob"]
    );
}

#[test]
fn one_more_element_is_not_all_the_rest() {
    let has = |list: &[u8]| json!({"routes": list});
    assert_eq!(found(has(&[1, 2, 3]), has(&[1, 3])), ["the proxy lacks routes[1], which istiod would send as 2"]);
    assert_eq!(found(has(&[1, 3]), has(&[1, 2, 2, 3])).len(), 2);
    assert_eq!(found(has(&[1, 4, 5, 3]), has(&[1, 2, 3])).len(), 2);
    assert_eq!(found(has(&[]), has(&[1])), ["the proxy has routes as [1], which istiod would not send"]);
    let domains = |list: &[&str]| json!({"domains": list});
    assert_eq!(found(domains(&["a", "c"]), domains(&["a", "b", "c"])), ["the proxy has domains as b, which istiod would not send"]);
}

#[test]
fn what_differs_in_writing_alone_is_no_difference() {
    for (sent, held) in [
        (json!({"n": "5", "m": 10}), json!({"n": 5, "m": 10.0})),
        (json!({"n": "9007199254740993"}), json!({"n": 9_007_199_254_740_993_u64})),
        (json!({"timeout": "1s", "list": [{"delay": "0.25s"}]}), json!({"timeout": "1.000s", "list": [{"delay": "0.250s"}]})),
        (json!({"stat_prefix": "", "x": false, "y": 0, "codec_type": "AUTO"}), json!({})),
        (json!({"codecType": 1}), json!({"codec_type": "HTTP1"})),
        (json!({"rules": {"action": "ALLOW"}}), json!({"rules": {}})),
        (json!({"type": 3}), json!({"type": "EDS"})),
        (json!({"failure_policy": "FAIL_CLOSED"}), json!({})),
        (json!({"failure_policy": "FAIL_CLOSED"}), json!({"failure_policy": "UNSPECIFIED"})),
    ] {
        let found = changes(&sent, &held);
        assert_eq!((found.count(), found.untold), (0, 0), "{sent} {held}");
        assert_eq!(changes(&held, &sent).count(), 0, "{held} {sent}");
    }
}

#[test]
fn what_looks_like_writing_and_is_not_is_a_difference() {
    for (sent, held) in [
        (json!({"n": "5"}), json!({"n": "05"})),
        (json!({"header": {"exact": "1s"}}), json!({"header": {"exact": "1.0s"}})),
        (json!({"max_requests": 0}), json!({})),
        (json!({"bind_to_port": false}), json!({})),
        (json!({"timeout": "0s"}), json!({})),
        (json!({"rules": {}}), json!({})),
        (json!({"exact": ""}), json!({"prefix": ""})),
        (json!({"codec_type": 1}), json!({"codec_type": "HTTP2", "x": 1})),
        (json!({"filter_metadata": {"a": {"fooBar": 1}}}), json!({"filter_metadata": {"a": {"foo_bar": 1}}})),
        (json!({"filter_metadata": {"a": {"b": 1}}}), json!({"filter_metadata": {"a": {"b": "1"}}})),
        (json!({"filter_metadata": {"a": {"b": false}}}), json!({"filter_metadata": {"a": {}}})),
        (json!({"key_values": {"MODE": ""}}), json!({"key_values": {}})),
        (json!({"configuration": {"@type": "t/google.protobuf.Struct", "value": {"a": 0}}}), json!({})),
        (json!({"failure_policy": "FAIL_OPEN"}), json!({})),
    ] {
        assert!(changes(&sent, &held).count() > 0, "{sent} {held}");
        assert!(changes(&held, &sent).count() > 0, "{held} {sent}");
    }
}

#[test]
fn messages_of_two_types_are_not_compared_field_by_field() {
    let typed = |of: &str, field: u8| json!({"typed_config": {"@type": format!("t/{of}"), "a": field}});
    assert_eq!(found(typed("x.Y", 1), typed("x.Z", 2)), ["typed_config.@type is x.Z, istiod would send x.Y"]);
}

#[test]
fn what_cannot_be_compared_is_counted() {
    let hidden = changes(&json!({"key": {"inline_bytes": "[redacted]", "n": 1}}), &json!({"key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}}));
    assert_eq!((hidden.count(), hidden.hidden), (0, 1));
    let within = json!({"url": "https://me:[redacted]@host"});
    assert_eq!(changes(&within, &within).hidden, 1, "they can be two secrets");
    let other = changes(&within, &json!({"url": "https://you:[redacted]@host"}));
    assert_eq!((other.count(), other.hidden), (1, 0));
    let encoded = changes(&json!({"x": {"@type": "t/x.Y", "value": "AAE="}}), &json!({"x": {"@type": "t/x.Y", "a": 1}}));
    assert_eq!((encoded.count(), encoded.untold), (0, 1));
    let unread = changes(&json!({"x": {"@type": "t/x.Y", "@unread": true}}), &json!({"x": {"@type": "t/x.Y", "a": 1}}));
    assert_eq!((unread.count(), unread.untold), (0, 1));
    let number = changes(&json!({"some_mode": 7}), &json!({"some_mode": "NEW_MODE"}));
    assert_eq!((number.count(), number.untold), (0, 1), "a name that is not known here");
}

#[test]
fn much_is_told_in_short() {
    let long = |end: &str| json!({"code": format!("{}{end}", "x".repeat(500))});
    let told = found(long("a"), long("b"));
    let x = "x".repeat(40);
    assert_eq!(told, [format!("code is …{x}b, istiod would send …{x}a")]);
    let found = changes(&json!({"list": vec![1; 1000]}), &json!({"list": vec![2; 1000]}));
    assert_eq!((found.list.len(), found.count()), (100, 1000));
}
