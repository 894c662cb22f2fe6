//! No form of an answer lets through what a terminal obeys, and each stays valid whatever a name holds.

use meshscope::model::printable::is_unprintable;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::inputs::Case;
use super::support::{folder, meshscope};

const FORMS: [&str; 4] = ["text", "markdown", "json", "yaml"];

/// What an answer of a source prints in a form. It has to answer.
fn printed(arguments: &[&str], from: &str, form: &str) -> String {
    let output = meshscope(&[arguments, &["--from", from, "-o", form]].concat());
    assert!(output.status.code().is_some_and(|code| code < 2), "{arguments:?} {form}: {}", String::from_utf8_lossy(&output.stderr));
    for text in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(text).unwrap();
        let found = text.chars().find(|c| *c != '\n' && is_unprintable(*c));
        assert_eq!(found, None, "{arguments:?} {form}: {text}");
    }
    String::from_utf8(output.stdout).unwrap()
}

/// Holds that the forms for programs can be read, and say the same.
fn is_valid(arguments: &[&str], from: &str) -> Value {
    let said: Value = serde_json::from_str(&printed(arguments, from, "json")).unwrap();
    let yaml = printed(arguments, from, "yaml");
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), said, "{yaml}");
    said
}

#[test]
fn hostile_h7_no_form_sends_what_a_terminal_obeys() {
    let case = Case::open("hostile");
    let from = case.path("markdown-esc.json");
    for arguments in [&["chains"][..], &["check"], &["chains", "--connection", "port=80"]] {
        for form in FORMS {
            printed(arguments, from.to_str().unwrap(), form);
        }
    }
    for form in ["sarif", "junit"] {
        printed(&["check"], from.to_str().unwrap(), form);
    }
    let text = printed(&["chains"], from.to_str().unwrap(), "markdown");
    assert!(text.contains("1.31\\x1b]0;pwned\\x07\\u{202e}"), "{text}");
}

#[test]
fn hostile_h8_yaml_is_valid_whatever_a_name_holds() {
    let case = Case::open("hostile");
    let said = is_valid(&["chains"], case.folder().join("markdown-esc.json").to_str().unwrap());
    assert_eq!(said["proxies"][0]["listeners"][0]["filterChains"][0]["name"], "a\u{e0041}");
}

/// A dump in which a name, a version and an error hold this text.
fn dump(text: &str) -> String {
    let listener = json!({"name": text, "address": {"socket_address": {"address": "0.0.0.0", "port_value": 15006}},
        "filter_chains": [{"name": text, "filters": [{"name": text}]}]});
    json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
            "bootstrap": {"node": {"id": "sidecar~10.0.0.1~web-1.default~x", "metadata": {"ISTIO_VERSION": text}}}},
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": [
            {"name": text, "active_state": {"listener": listener}, "error_state": {"failed_configuration": listener, "details": text}}]}]})
    .to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn hostile_h8_any_text_is_valid_in_every_form(text in any_text()) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dump.json");
        std::fs::write(&file, dump(&text)).unwrap();
        let from = file.to_str().unwrap();
        let said = is_valid(&["chains"], from);
        prop_assert_eq!(said["proxies"][0]["listeners"][0]["name"].as_str(), Some(text.as_str()));
        for form in ["text", "markdown"] {
            // No value makes a line of its own.
            let lines = printed(&["chains"], from, form);
            prop_assert!(!lines.lines().any(|line| line.trim_start().starts_with("# pwned")), "{}", lines);
        }
        let junit = printed(&["check"], from, "junit");
        prop_assert!(!junit.contains("<pwned"), "{}", junit);
        serde_json::from_str::<Value>(&printed(&["check"], from, "sarif")).unwrap();
    }
}

/// Texts made of what forms have rules for, and of what terminals obey.
fn any_text() -> impl Strategy<Value = String> {
    let parts = [
        "\u{1b}]0;x\u{7}",
        "\u{9b}2J",
        "\r",
        "\n# pwned\n",
        "\t",
        "\u{85}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "\u{e0041}",
        "\u{10fffd}",
        "\u{ffff}",
        "\u{fdd6}",
        "\u{0}",
        "- ",
        ": ",
        " #",
        "---",
        "...",
        "null",
        "~",
        "'",
        "\"",
        "|",
        ">",
        "%",
        "@",
        "`",
        "{",
        "[a",
        "&amp;<pwned>",
        "]]>",
        "0x1f",
        "1e3",
        " ",
        "\\",
        "yes",
        "日本",
        "👩‍👩‍👧",
        "e\u{301}",
        "!tag",
        "*x",
        "&x",
        "?",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 1..6).prop_map(|parts| parts.concat())
}

#[test]
fn markdown_says_the_sentence_that_text_says() {
    let empty = folder("strict", &[]);
    let from = empty.path().to_str().unwrap();
    for (arguments, says) in [
        (&["mtls", "-n", "kube-public"][..], "No workloads here"),
        (&["plugins", "-n", "kube-public"], "No WasmPlugin or TrafficExtension here"),
        (&["workloads", "-n", "kube-public"], "No workloads here"),
        (&["chains", "-n", "kube-public"], "No config dump of a proxy could be shown"),
        (&["chains", "-n", "kube-public", "--connection", "port=80"], "No config dump of a proxy could be looked at"),
    ] {
        for form in ["text", "markdown"] {
            let printed = printed(arguments, from, form);
            assert!(printed.contains(says) && !printed.contains("| --- |"), "{arguments:?} {form}: {printed}");
        }
    }
}

#[test]
fn a_form_that_an_answer_lacks_is_wrong_usage() {
    for arguments in [&["plugins", "-o", "sarif"][..], &["health", "-o", "junit"], &["logs", "-o", "markdown"], &["logs", "-o", "yaml"]] {
        let output = meshscope(&[arguments, &["--demo"]].concat());
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{arguments:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    for form in ["json", "yaml", "markdown", "text"] {
        let target = folder.path().join(form);
        let output = meshscope(&["record", target.to_str().unwrap(), "--demo", "-o", form]);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.contains(form), "{said}");
    }
}

#[test]
fn each_warning_is_said_once() {
    let broken = folder("strict", &[("proxies/httpbin-664956bb75-9d64m.default/certs.json", "{".to_owned())]);
    let dump = broken.path().join("proxies/httpbin-664956bb75-9d64m.default/config_dump.json");
    let text = std::fs::read_to_string(&dump).unwrap().replacen("\"port_value\": 15006", "\"port_value\": {}", 1);
    std::fs::write(&dump, text.replacen("\"filter_chains\": [", "\"filter_chains\": [7, ", 1)).unwrap();
    let from = broken.path().to_str().unwrap();
    for arguments in [&["health"][..], &["check"], &["plugins"], &["sync"], &["chains"], &["why", "default/helloworld"]] {
        let output = meshscope(&[arguments, &["--from", from, "-o", "json"]].concat());
        let errors = String::from_utf8(output.stderr).unwrap();
        let mut lines: Vec<&str> = errors.lines().collect();
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), all, "{arguments:?}: {errors}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let warnings: Vec<String> = said["warnings"].as_array().unwrap().iter().map(ToString::to_string).collect();
        let once: std::collections::BTreeSet<&String> = warnings.iter().collect();
        assert_eq!(once.len(), warnings.len(), "{arguments:?}: {warnings:?}");
    }
}
