//! What a record is and says in a line for eyes, and as an object of JSON.
#![allow(clippy::unwrap_used)]

mod support;

use meshscope::analysis::answers::log_entry;
use meshscope::analysis::logs::summary::{what, words};
use meshscope::report::{LogPrinter, Paint};
use support::logs::{istiod, proxy, record};

#[test]
fn each_event_is_said_in_few_words() {
    let time = "2026-11-23T19:37:41.593761Z";
    let of_istiod = [
        (
            "info\tads\tPush debounce stable[9] 2 for config TrafficExtension/default/helloworld~istio-translated-wasmplugin and 1 more configs: 100.26ms since last change, 150.4ms since last push, full=true",
            ("push", "TrafficExtension default/helloworld and 1 more, debounced 150 ms"),
        ),
        (
            "info\tdelta\tECDS: PUSH request for node:web-1.shop resources:1 removed:0 size:361B cached:0/0",
            ("push", "ECDS → web-1.shop  1 resource, 361 B"),
        ),
        (
            "info\tdelta\tLDS: PUSH for node:web-1.shop resources:11 removed:5 size:36.3kB",
            ("push", "LDS → web-1.shop  11 resources, 5 removed, 36.3 kB"),
        ),
        (
            "warn\tads\tADS:ECDS: ACK ERROR web-1.shop-3 Internal:Unable to create Wasm plugin shop.auth",
            ("nack", "ECDS refused by web-1.shop: Unable to create Wasm plugin shop.auth"),
        ),
        (
            "info\tads\tXDS: Pushing Services:5 ConnectedEndpoints:2 Version:x",
            ("istiod", "XDS: Pushing Services:5 ConnectedEndpoints:2 Version:x"),
        ),
    ];
    for (line, expected) in of_istiod {
        let record = record(&format!("{time}\t{line}"), &istiod());
        assert_eq!((what(&record), &*words(&record)), expected);
    }
    let of_proxy = [
        (format!("{time}\tinfo\twasm\tfetching image a/b from registry r.example with tag v1"), ("fetch", "a/b:v1")),
        (format!("{time}\twarning\tenvoy wasm context.cc:1\twasm log shop.auth root_a: hello\tthread=1"), ("plugin", "root_a: hello")),
        (
            format!(
                "[{time}] \"GET /x HTTP/1.1\" 500 NFCF no_filter_config_found - \"-\" 0 0 3 - \"-\" \"curl\" \"id\" \"web:8000\" \"-\" inbound|80|| - 10.0.0.1:80 10.0.0.2:5 - default"
            ),
            (
                "request",
                "GET web:8000/x 500, 3 ms; NFCF: the configuration of a filter has not been received, so it cannot run (a plugin whose ECDS resource is missing or was refused)",
            ),
        ),
        ("what nobody knows".to_owned(), ("", "what nobody knows")),
    ];
    for (line, expected) in of_proxy {
        let record = record(&line, &proxy("web-1.shop"));
        assert_eq!((what(&record), &*words(&record)), expected, "{line}");
    }
}

#[test]
fn lines_for_eyes_keep_their_columns_and_tell_the_day() {
    let line = |time: &str, text: &str| record(&format!("{time}\terror\tenvoy wasm a.cc:1\t{text}\tthread=1"), &proxy("web-1.shop"));
    let mut printer = LogPrinter::new(false, Paint::Plain, &[istiod(), proxy("web-1.shop")]);
    assert_eq!(
        printer.print(&line("2026-11-23T23:59:59.123456Z", "one\ntwo\ta\u{1b}[2J")),
        "23:59:59.123 web-1  envoy        error  one\n    two  a\\x1b[2J\n"
    );
    assert_eq!(printer.print(&line("2026-11-24T00:00:00.000001Z", "x")), "2026-11-24\n00:00:00.000 web-1  envoy        error  x\n");
    let coloured = LogPrinter::new(false, Paint::Ansi, &[]).print(&line("2026-11-24T00:00:00.000001Z", "x"));
    assert!(coloured.contains("\x1b[31merror\x1b[0m"), "{coloured:?}");
}

#[test]
fn what_a_record_lacks_is_null() {
    let entry = serde_json::to_value(log_entry(&record("what nobody knows", &istiod()))).unwrap();
    for key in ["time", "workload", "pod", "event", "level", "scope", "plugin", "pluginKind", "pluginNote"] {
        assert!(entry[key].is_null(), "{key}: {entry}");
    }
    let exact = record("2026-11-23T19:37:41.000000001Z what nobody knows", &istiod());
    assert_eq!(log_entry(&exact).time.as_deref(), Some("2026-11-23T19:37:41.000000001Z"));
}
