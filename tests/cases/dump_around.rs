//! What people have in front of a dump, behind it, and around it.

use serde_json::json;

use crate::dumps::{chains_of, plain, ports};

#[test]
fn field_20_what_stands_around_the_dump_is_said_and_passed_over() {
    let (dump, _) = plain();
    let with = |before: &str, after: &str| format!("{before}{dump}{after}");
    for (text, what) in [
        (with("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", ""), "`HTTP/1.1 200 OK`"),
        (with("Defaulted container \"istio-proxy\" out of: istio-proxy, istio-init (init)\n", ""), "`Defaulted container"),
        (with("$ curl -s localhost:15000/config_dump\n", "\n$ exit\n"), "`$ curl -s"),
        (with("[2026-11-23 19:13:51.560][12][info] started\n", ""), "`[2026-11-23"),
        (with("", &format!("\n{dump}")), "holds a second JSON document behind the first"),
        (with("", "command terminated with exit code 1\n"), "`command terminated with exit code 1`"),
    ] {
        let (answer, status, said) = chains_of(text.as_bytes());
        assert_eq!((status, ports(&answer)), (0, vec![15006]), "{said}");
        assert!(said.contains(what) && said.lines().all(|line| line.starts_with("meshscope: warning: ")), "{what}: {said}");
    }
}

#[test]
fn field_20_a_dump_behind_text_on_its_own_line_is_read() {
    let (dump, sections) = plain();
    let pretty = serde_json::to_string_pretty(&json!({"configs": sections})).unwrap();
    for (text, what) in [
        (format!("If you don't see a command prompt, try pressing enter. {pretty}"), "`If you don't see a command prompt"),
        (format!("If you don't see a command prompt, try pressing enter. {dump}"), "`If you don't see a command prompt"),
        (format!("var dump = {pretty};\n"), "`var dump ="),
        (format!("dump: {dump}"), "`dump:`"),
        (format!("# listeners\ndump = {sections}"), "`# listeners`"),
        (format!("info {{\"level\": \"x\"}} {dump}"), "`info {"),
    ] {
        let (answer, status, said) = chains_of(text.as_bytes());
        assert_eq!((status, ports(&answer)), (0, vec![15006]), "{said}");
        assert!(said.contains(what) && said.lines().all(|line| line.starts_with("meshscope: warning: ")), "{what}: {said}");
    }
    let (_, status, said) = chains_of(b"x {\"level\": 1}");
    assert!(status == 3 && said.contains("is not JSON: it begins with") && !said.contains("cut"), "{said}");
}

#[test]
fn field_20_of_a_list_of_dumps_the_first_is_read() {
    let (dump, _) = plain();
    for text in [format!("[{dump}, {dump}]"), format!("{{\"items\": [{dump}, {dump}]}}")] {
        let (answer, status, said) = chains_of(text.as_bytes());
        assert_eq!((status, ports(&answer)), (0, vec![15006]), "{said}");
        assert!(said.contains("is a list of 2 config dumps, of which only the first was read"), "{said}");
    }
    let (answer, status, said) = chains_of(format!("[{dump}]").as_bytes());
    assert_eq!((status, said.as_str(), ports(&answer)), (0, "", vec![15006]));
}
