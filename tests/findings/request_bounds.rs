//! Logs with more causes than a person reads, and with less in their lines than Istio's own.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::Severity;
use meshscope::model::mesh::MeshConfig;
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, SLEEP};
use super::requests::{failing, fails, istio, log, request, sent};
use super::{found, one};

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

/// The mesh where sleep has an access log in a format of its own.
fn own_format(format: &Value, lines: Vec<String>) -> Snapshot {
    let mut snapshot = failing([], &[]);
    let mesh = MeshConfig {
        access_log_file: "/dev/stdout".to_owned(),
        access_log_format: format.to_string(),
        access_log_json: true,
        ..MeshConfig::default()
    };
    Arc::make_mut(&mut snapshot.objects).mesh = Some(mesh.into());
    log(&mut snapshot, &[(SLEEP, lines)]);
    snapshot
}

#[test]
fn incident_z4c_a_log_without_authority_is_grouped_by_its_cluster() {
    let format = json!({"st": "%RESPONSE_CODE%", "fl": "%RESPONSE_FLAGS%", "dt": "%RESPONSE_CODE_DETAILS%", "cl": "%UPSTREAM_CLUSTER%"});
    let line =
        |code: u16, flags: &str, details: &str, cluster: &str| json!({"st": code, "fl": flags, "dt": details, "cl": cluster}).to_string();
    let cluster = "outbound|8000||httpbin.default.svc.cluster.local";
    let of = |line: String| fails(&own_format(&format, vec![line.clone(), line]));
    let finding = one(of(line(503, "UF", REFUSED, cluster)), Severity::Warning, "Service default/httpbin");
    assert!(finding.what.starts_with("deploy/sleep: 2 of 2 to httpbin.default.svc.cluster.local:8000 are 503 UF: "), "{finding:?}");
    let denied = "rbac_access_denied_matched_policy[ns[default]-policy[p]-rule[0]]";
    let finding = one(of(line(403, "-", denied, "inbound|80||")), Severity::Information, "AuthorizationPolicy default/p");
    assert!(finding.what.starts_with("deploy/sleep: 2 of 2 requests failed"), "{finding:?}");
    let nameless = one(of(line(503, "NC", "cluster_not_found", "-")), Severity::Information, "Deployment default/sleep");
    assert!(nameless.what.starts_with("deploy/sleep: 2 of 2 requests to what the log does not name failed"), "{nameless:?}");
}

#[test]
fn incident_z4c_lines_of_json_that_are_not_understood_are_said() {
    let unknown = json!({"at": "2026-12-01T00:00:01Z", "status": 503, "upstream": "a"}).to_string();
    let mut snapshot = failing([], &[]);
    log(&mut snapshot, &[(HTTPBIN, vec![unknown])]);
    let not_checked = answers::findings(&snapshot, None, &[]).not_checked;
    let said = not_checked.iter().find(|item| item.codes.contains(&"requests-fail") && item.objects == [HTTPBIN]).unwrap();
    assert!(said.why.contains("JSON with keys of another format (at, status, upstream)"), "{said}");
    // What is a request is not among it.
    log(&mut snapshot, &[(HTTPBIN, vec![request(1, "/", 200, "-", "via_upstream", "inbound|80||")])]);
    assert!(!answers::findings(&snapshot, None, &[]).not_checked.iter().any(|item| item.why.contains("JSON")));
    assert_eq!(found(&snapshot, "requests-fail"), []);
}
