//! Logs with more causes than a person reads.

use meshscope::analysis::findings::Severity;
use serde_json::json;

use super::recorded::SLEEP;
use super::one;
use super::requests::{failing, fails, istio, sent};

const REFUSED: &str = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_111}";

/// A request of sleep to a host that fails.
fn to(host: &str, code: u16, flags: &str, details: &str, cluster: &str) -> String {
    sent(code, flags, details, cluster).replace("httpbin:8000", host).replace("10.96.90.99:8000", "10.9.0.1:80")
}

#[test]
fn incident_z1_many_hosts_that_fail_for_one_reason_are_one_finding() {
    let lines = (0..10_000).map(|n| to(&format!("host-{n}.example"), 502, "-", "direct_response", "-").replace("- default", "- block_all"));
    let finding = one(fails(&failing([], &[(SLEEP, lines.collect())])), Severity::Warning, "Deployment default/sleep");
    assert!(finding.what.contains("64 of 64 to host-0.example, host-1.example, host-10.example and 61 more are 502"), "{finding:?}");
}

#[test]
fn incident_z1_many_reasons_are_a_few_findings_and_one_that_counts_the_rest() {
    let entry = |n: usize| {
        let spec = json!({"hosts": [format!("host-{n}.example")], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            "resolution": "STATIC", "endpoints": [{"address": "10.9.0.2"}]});
        istio("ServiceEntry", &format!("default/host-{n}"), spec)
    };
    let line = |n: usize| {
        let host = format!("host-{n}.example");
        to(&host, 503, "UF", REFUSED, &format!("outbound|80||{host}"))
    };
    let all = fails(&failing((0..40).map(entry), &[(SLEEP, (0..40).map(line).collect())]));
    assert_eq!(all.len(), 9, "{all:?}");
    let rest = all.iter().find(|finding| finding.object.to_string() == "Deployment default/sleep").unwrap();
    assert_eq!((rest.severity, rest.evidence.len()), (Severity::Warning, 8), "{rest:?}");
    assert_eq!(rest.what, "deploy/sleep: 32 more requests failed for 32 more reasons (503 UF).");
}
