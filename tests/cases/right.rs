//! Cases that were right from the start, so that they stay so.

use serde_json::json;

use super::inputs::Case;
use super::logs::{objects, values};

fn read(case: &str) -> serde_json::Value {
    values(&objects(&Case::open(case).path("istio-proxy.log")), &["kind", "event", "level"])
}

#[test]
fn field_13_a_backtrace_of_a_vm_is_one_record_with_its_failure() {
    let case = Case::open("13-go-sdk-backtrace");
    let records = objects(&case.path("istio-proxy.log"));
    let failed = json!(["envoy", "vmFailed", "error"]);
    let expected = json!([failed, failed, failed, ["agent", null, "error"], ["plugin", "pluginLog", "critical"]]);
    assert_eq!(values(&records, &["kind", "event", "level"]), expected);
    let further: Vec<usize> = records.iter().map(|record| record["raw"].as_str().unwrap().matches('\n').count()).collect();
    assert_eq!(further, [5, 3, 0, 0, 0], "the lines without a time are part of the record before");
    assert!(records[0]["time"].as_str() > records[1]["time"].as_str(), "the second is the earlier one: {records:?}");
}

#[test]
fn field_15_the_crash_of_envoy_is_critical_and_the_epoch_ends() {
    let records = read("15-envoy-crash");
    let critical = json!(["envoy", null, "critical"]);
    assert_eq!(records, json!([critical, critical, critical, critical, critical, ["agent", null, "error"], ["agent", null, "info"]]));
}

#[test]
fn field_16_a_proxy_that_is_not_ready_says_so_and_failures_of_wasm_are_marked() {
    let not_ready = json!(["agent", null, "warn"]);
    let failed = |level: &str| json!(["envoy", "vmFailed", level]);
    assert_eq!(read("16-not-ready-rejected"), json!([not_ready, not_ready, failed("warning"), failed("critical"), failed("error")]));
}
