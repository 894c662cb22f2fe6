//! What a record is and says in a line for eyes, and as an object of JSON.
#![allow(clippy::unwrap_used)]

mod support;

use meshscope::analysis::answers::log_entry;
use meshscope::analysis::logs::Names;
use meshscope::analysis::logs::summary::{what, words};
use meshscope::model::ids::{WorkloadId, WorkloadKind};
use meshscope::model::logs::LogOrigin;
use meshscope::report::{LogPrinter, Paint};
use support::logs::{istiod, proxy, record};

#[test]
fn each_event_is_said_in_few_words() {
    let time = "2026-11-23T19:37:41.593761Z";
    let of_istiod = [
        (
            "info\tads\tPush debounce stable[9] 2 for config TrafficExtension/default/helloworld~istio-translated-wasmplugin and 1 more configs: 100.26ms since last change, 150.4ms since last push, full=true",
            ("push", "WasmPlugin default/helloworld and 1 more, debounced 150 ms"),
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
        (format!("{time}\tinfo\twasm\tfetching image a/b from registry r.example with tag v1"), ("fetch", "a/b:v1 from r.example")),
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
        (
            format!(
                "[{time}] \"GET /x HTTP/1.1\" 503 - wasm_fail_stream - \"-\" 0 0 3 - \"-\" \"curl\" \"id\" \"web:8000\" \"-\" inbound|80|| - 10.0.0.1:80 10.0.0.2:5 - default"
            ),
            ("request", "GET web:8000/x 503, 3 ms; wasm_fail_stream: the VM of a plugin with failStrategy FAIL_CLOSE has failed"),
        ),
        (
            // Where there is little room the end is cut, and that is to be the address.
            format!(
                "[{time}] \"GET /a/path/that/is/longer/than/most/of/them HTTP/1.1\" 404 NR route_not_found - \"-\" 0 0 3 - \"-\" \"curl\" \"id\" \"web:8000\" \"-\" - - 10.0.0.1:80 10.0.0.2:5 - default"
            ),
            (
                "request",
                "GET 404, 3 ms; NR: no route, or no filter chain, fits the request; web:8000/a/path/that/is/longer/than/most/of/them",
            ),
        ),
        (
            // Envoy could not read so far as to know the method.
            format!(
                "[{time}] \"- - HTTP/1.1\" 400 DPE http1.codec_error - \"-\" 0 11 0 - \"-\" \"-\" \"-\" \"-\" \"-\" - - 10.0.0.1:80 10.0.0.2:5 - -"
            ),
            ("request", "HTTP/1.1 400, 0 ms; DPE: the request breaks the HTTP protocol"),
        ),
        (
            format!(
                "[{time}] \"- - -\" 0 UF,URX - - \"TLS_error:|CERTIFICATE_VERIFY_FAILED\" 0 0 12 - \"-\" \"-\" \"-\" \"-\" \"10.0.0.9:80\" outbound|80||b.shop - 10.0.0.1:80 10.0.0.2:5 - -"
            ),
            (
                "request",
                "TCP 10.0.0.9:80, 12 ms; UF: no connection to the upstream came about; URX: no more retries or connection attempts are allowed; TLS_error:|CERTIFICATE_VERIFY_FAILED",
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
        "2026-11-23 UTC\n23:59:59.123 web-1  envoy        error  one\n    two  a\\x1b[2J\n"
    );
    assert_eq!(printer.print(&line("2026-11-24T00:00:00.000001Z", "x")), "2026-11-24 UTC\n00:00:00.000 web-1  envoy        error  x\n");
    let coloured = LogPrinter::new(false, Paint::Ansi, &[]).print(&line("2026-11-24T00:00:00.000001Z", "x"));
    assert!(coloured.contains("\x1b[31merror\x1b[0m"), "{coloured:?}");
}

#[test]
fn workloads_of_one_name_are_told_apart_by_their_namespaces() {
    let of = |namespace: &str| {
        let workload = WorkloadId::new(WorkloadKind::Deployment, namespace, "httpbin");
        LogOrigin { workload: Some(workload), ..(*proxy(&format!("httpbin-1-x.{namespace}"))).clone() }
    };
    let mut names = Names::default();
    names.meet(&of("foo"));
    assert_eq!(names.of(&of("foo")), "httpbin");
    names.meet(&of("bar"));
    assert_eq!([names.of(&of("foo")), names.of(&of("bar"))], ["foo/httpbin", "bar/httpbin"]);
}

#[test]
fn what_a_record_lacks_is_null() {
    let entry = serde_json::to_value(log_entry(&record("what nobody knows", &istiod()))).unwrap();
    for key in ["time", "workload", "pod", "event", "level", "scope", "plugin", "pluginKind", "pluginNote", "details"] {
        assert!(entry[key].is_null(), "{key}: {entry}");
    }
    let exact = record("2026-11-23T19:37:41.000000001Z what nobody knows", &istiod());
    assert_eq!(log_entry(&exact).time.as_deref(), Some("2026-11-23T19:37:41.000000001Z"));
}
