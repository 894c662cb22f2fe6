//! Requests and connections that fail, by the access log.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::{Finding, Severity};
use meshscope::analysis::requests::{Gatherer, Window};
use meshscope::ingest::logs::{AccessFormat, Assembler};
use meshscope::model::ids::ProxyId;
use meshscope::model::inventory::Inventory;
use meshscope::model::logs::{LogLine, LogOrigin, LogSource};
use meshscope::model::mesh::MeshConfig;
use meshscope::model::requests::Requests;
use meshscope::model::snapshot::{Dump, Snapshot};
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, Mesh, SLEEP, created, object};
use super::{found, of, one};

const DENIED: &str = "rbac_access_denied_matched_policy[ns[default]-policy[block-status]-rule[0]]";

/// A request of the access log, as Istio writes it, at a second of an hour.
pub(super) fn request(second: usize, path: &str, code: u16, flags: &str, details: &str, cluster: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!(
        r#"[2026-12-01T00:{minute:02}:{second:02}.000Z] "GET {path} HTTP/1.1" {code} {flags} {details} - "-" 0 19 7 - "-" "curl/7.88.1" "id" "httpbin:8000" "-" {cluster} - 10.96.90.99:8000 10.244.0.5:60250 - default"#
    )
}

fn gathered_of(objects: &Inventory, proxy: &str, lines: impl IntoIterator<Item = String>) -> Requests {
    gathered_in(Window::default(), objects, proxy, lines)
}

/// The same of these minutes of the log.
pub(super) fn gathered_in(window: Window, objects: &Inventory, proxy: &str, lines: impl IntoIterator<Item = String>) -> Requests {
    let pod = ProxyId::parse(proxy).unwrap();
    let mut gatherer = Gatherer::new(objects, &pod, window, 12_000);
    let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".into(), workload: None });
    let mut assembler = Assembler::default();
    assembler.set_access_format(objects.mesh.as_deref().and_then(AccessFormat::of).map(Arc::new));
    for text in lines {
        let line = LogLine { origin: origin.clone(), time: None, text, cut: false };
        assembler.push(line).into_iter().for_each(|record| gatherer.take(&record));
    }
    assembler.flush().into_iter().for_each(|record| gatherer.take(&record));
    gatherer.requests()
}

fn mesh() -> Snapshot {
    of(Mesh::permissive())
}

/// The requests of a log of httpbin.
pub(super) fn gathered(lines: impl IntoIterator<Item = String>) -> Requests {
    gathered_of(&mesh().objects, HTTPBIN, lines)
}

#[test]
fn ten_thousand_failed_requests_are_a_few_groups() {
    let denied = |n: usize| request(n % 600, &format!("/status/{n}?q={n}"), 403, "-", DENIED, "inbound|80||");
    let passed = (0..5).map(|n| request(600 + n, "/get", 200, "-", "via_upstream", "inbound|80||"));
    let all = gathered((0..10_000).map(denied).chain(passed));
    let [group] = &all.failed[..] else { panic!("{:?}", all.failed) };
    assert_eq!((all.count, group.count, all.more, group.paths.len()), (10_005, 10_000, 0, 8));
    assert_eq!((group.reason.to.inbound, group.passed, all.cut), (true, 0, false), "other paths passed");
    assert!(group.first < group.last && all.from > group.first && all.until > group.last, "a line is written when a request ends");
    // Whoever sends requests chooses their names and paths.
    let hosts = (0..10_000)
        .map(|n| request(1, "/", 503, "NC", "cluster_not_found", "-").replace("httpbin:8000", &format!("{}{n}", "h".repeat(2000))));
    let many = gathered(hosts);
    assert!(many.failed.len() <= 64 && many.to.len() <= 257 && many.failed.iter().all(|group| group.reason.to.name.len() <= 512));
    assert_eq!(many.more + many.failed.iter().map(|group| group.count).sum::<u64>(), 10_000, "each is counted");
    assert!(gathered((0..13_000).map(denied)).cut, "older ones were not read");
}

#[test]
fn what_passes_after_a_failure_is_counted() {
    let group = |lines: &[&String]| gathered(lines.iter().map(|line| (*line).clone())).failed.remove(0);
    let (denied, passed) =
        (&request(1, "/a?x", 403, "-", DENIED, "inbound|80||"), &request(2, "/a", 200, "-", "via_upstream", "inbound|80||"));
    let since = group(&[denied, passed, passed]);
    assert_eq!((since.passed, since.between, since.is_over()), (2, 0, true));
    let again = group(&[passed, denied, passed, denied]);
    assert_eq!((again.count, again.passed, again.between, again.is_over()), (2, 0, 1, false));
    // Of what fails now and then, one that passes says nothing.
    assert!(!group(&[denied, passed, denied, passed]).is_over());
    assert!(group(&[denied, passed, denied, passed, passed]).is_over());
    // After many that passed it began anew.
    let anew: Vec<&String> = [denied].into_iter().chain(vec![passed; 21]).chain([denied, passed]).collect();
    assert!(group(&anew).is_over());
}

#[test]
fn a_format_that_does_not_say_why_is_counted_so() {
    let mut objects = (*mesh().objects).clone();
    let access_log_format = "%START_TIME% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE%\n".to_owned();
    let mut mesh = MeshConfig { access_log_format, ..MeshConfig::default() };
    objects.mesh = Some(Arc::new(mesh.clone()));
    let of_text = gathered_of(&objects, HTTPBIN, ["2026-12-01T00:00:00.000Z GET /a 503".to_owned()]);
    assert_eq!((of_text.count, of_text.without_reason, &of_text.gap), (1, 1, &None), "{of_text:?}");
    mesh.access_log_format = "%REQ(:METHOD)%%RESPONSE_CODE%".to_owned();
    objects.mesh = Some(Arc::new(mesh));
    assert!(gathered_of(&objects, HTTPBIN, ["GET503".to_owned()]).gap.is_some_and(|gap| gap.contains("accessLogFormat")));
    // JSON of Istio's own has all, whatever others have.
    let json = |rest: &str| {
        format!(r#"{{"start_time":"2026-12-01T00:00:00.000Z","method":"GET","path":"/a","response_code":403,"authority":"a"{rest}}}"#)
    };
    let whole = format!(
        r#","response_flags":"-","response_code_details":"{DENIED}","upstream_cluster":"inbound|80||","downstream_local_address":"10.0.0.1:80""#
    );
    let of_json = gathered([json(&whole), json("")]);
    assert_eq!((of_json.count, of_json.without_reason, of_json.failed[0].count), (2, 1, 1), "{of_json:?}");
}

/// A mesh in which these objects are, and each of these proxies has this access log.
pub(super) fn failing(objects: impl IntoIterator<Item = Value>, logs: &[(&str, Vec<String>)]) -> Snapshot {
    let mut snapshot = of(Mesh::permissive().with(objects));
    snapshot.absent.clear();
    log(&mut snapshot, logs);
    snapshot
}

pub(super) fn log(snapshot: &mut Snapshot, logs: &[(&str, Vec<String>)]) {
    for (proxy, lines) in logs {
        let requests = gathered_of(&snapshot.objects, proxy, lines.clone());
        let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&ProxyId::parse(proxy).unwrap()) else { panic!("{proxy}") };
        Arc::make_mut(loaded).vitals.as_mut().unwrap().requests = Some(requests);
    }
}

pub(super) fn authorization(name: &str, spec: Value) -> Value {
    object("security.istio.io/v1", "AuthorizationPolicy", name, spec)
}

pub(super) fn istio(kind: &str, name: &str, spec: Value) -> Value {
    object("networking.istio.io/v1", kind, name, spec)
}

pub(super) fn peers(mode: &str) -> Value {
    created(
        object("security.istio.io/v1", "PeerAuthentication", "default/default", json!({"mtls": {"mode": mode}})),
        "2026-11-01T00:00:00Z",
    )
}

/// A request that httpbin's proxy answered.
pub(super) fn served(path: &str, code: u16, details: &str) -> String {
    request(1, path, code, "-", details, "inbound|80||")
}

/// A request of sleep to httpbin that its proxy answered.
pub(super) fn sent(code: u16, flags: &str, details: &str, cluster: &str) -> String {
    request(1, "/get", code, flags, details, cluster)
}

pub(super) const TO_HTTPBIN: &str = "outbound|8000||httpbin.default.svc.cluster.local";

/// A connection of a client to httpbin that no filter chain takes.
pub(super) fn refused(client: &str) -> String {
    format!(
        r#"[2026-12-01T00:00:01.000Z] "- - -" 0 NR filter_chain_not_found - "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.244.0.4:80 {client}:39208 - -"#
    )
}

pub(super) fn fails(snapshot: &Snapshot) -> Vec<Finding> {
    found(snapshot, "requests-fail")
}

#[test]
fn incident_d16_a_denied_request_names_policy_and_rule() {
    let policy = || authorization("default/block-status", json!({"action": "DENY", "rules": [{}]}));
    let log = || {
        let denied = ["/status/200", "/status/418", "/status/1"].map(|path| served(path, 403, DENIED));
        (HTTPBIN, denied.into_iter().chain([served("/get", 200, "via_upstream"), served("/ip", 200, "via_upstream")]).collect())
    };
    let finding = one(fails(&failing([policy()], &[log()])), Severity::Warning, "AuthorizationPolicy default/block-status");
    assert_eq!(
        finding.what,
        "deploy/httpbin answered 3 of 5 requests of the last 10 min with 403: AuthorizationPolicy default/block-status, rule 0 (not a plugin)."
    );
    assert!(finding.evidence[0].contains("GET /status/200, /status/418") && finding.workloads.len() == 1, "{finding:?}");
    // The client's log says that the server answered.
    let of_client = (SLEEP, vec![sent(403, "-", "via_upstream", TO_HTTPBIN)]);
    one(fails(&failing([policy()], &[log(), of_client])), Severity::Warning, "AuthorizationPolicy default/block-status");
    let gone = one(
        fails(&failing([authorization("default/other", json!({}))], &[log()])),
        Severity::Information,
        "AuthorizationPolicy default/block-status",
    );
    assert!(gone.what.contains("which is gone"), "{gone:?}");
    let mut unread = failing([], &[log()]);
    unread.unread.insert(meshscope::model::kind::Kind::AuthorizationPolicy);
    let unread = one(fails(&unread), Severity::Warning, "AuthorizationPolicy default/block-status");
    assert!(unread.what.contains("could not be read"), "{unread:?}");
}

#[test]
fn incident_d16_variants() {
    // Policies that contradict each other: each is named.
    let two = [DENIED, "rbac_access_denied_matched_policy[ns[default]-policy[other]-rule[2]]"].map(|details| served("/a", 403, details));
    let policies =
        ["block-status", "other"].map(|name| authorization(&format!("default/{name}"), json!({"action": "DENY", "rules": [{}]})));
    let both = fails(&failing(policies, &[(HTTPBIN, two.into())]));
    let named: Vec<&str> = both.iter().map(|finding| finding.object.name.as_str()).collect();
    assert_eq!(named, ["block-status", "other"], "{both:?}");
    // What no rule allows is by all that allow something.
    let none = || vec![served("/a", 403, "rbac_access_denied_matched_policy[none]")];
    let allowing =
        ["default/a", "istio-system/b"].map(|name| authorization(name, json!({"rules": [{"to": [{"operation": {"paths": ["/b"]}}]}]})));
    let finding = one(fails(&failing(allowing, &[(HTTPBIN, none())])), Severity::Warning, "AuthorizationPolicy default/a");
    assert!(finding.what.contains("no rule of AuthorizationPolicies default/a, istio-system/b allows them (not a plugin)"), "{finding:?}");
    let others = [
        authorization("default/a", json!({"selector": {"matchLabels": {"app": "x"}}})),
        authorization("default/d", json!({"action": "DENY"})),
    ];
    one(fails(&failing(others, &[(HTTPBIN, none())])), Severity::Information, "Deployment default/httpbin");
    // A JWT that is not accepted.
    let expired = vec![served("/a", 401, "jwt_authn_access_denied{Jwt_is_expired}")];
    let jwt = object("security.istio.io/v1", "RequestAuthentication", "default/jwt", json!({"jwtRules": []}));
    let finding = one(fails(&failing([jwt], &[(HTTPBIN, expired)])), Severity::Warning, "RequestAuthentication default/jwt");
    assert!(finding.what.ends_with("with 401: RequestAuthentication default/jwt: Jwt is expired (not a plugin)."), "{finding:?}");
}

#[test]
fn incident_d16_what_fails_no_more_and_what_a_stub_denies_is_none() {
    let policy = || authorization("default/block-status", json!({"action": "DENY"}));
    let denied = || served("/a", 403, DENIED);
    let passed = |path: &str| request(2, path, 200, "-", "via_upstream", "inbound|80||");
    assert_eq!(fails(&failing([policy()], &[(HTTPBIN, vec![denied(), passed("/a")])])), []);
    assert_eq!(fails(&failing([policy()], &[(HTTPBIN, vec![denied(), passed("/b")])])).len(), 1, "another path says nothing of it");
    let other_client = passed("/a").replace("10.244.0.5:", "10.244.0.9:");
    assert_eq!(fails(&failing([policy()], &[(HTTPBIN, vec![denied(), other_client])])).len(), 1, "another client does not either");
    let mut stub = of(Mesh::of("fetch-failed-closed"));
    stub.absent.clear();
    let proxy = stub.dumps.keys().find(|proxy| proxy.pod.starts_with("httpbin")).unwrap().to_string();
    log(&mut stub, &[(&proxy, vec![served("/a", 403, "rbac_access_denied_matched_policy[none]")])]);
    assert_eq!(fails(&stub), []);
}

#[test]
fn incident_d17_a_route_to_what_is_not_there() {
    let nc = || {
        vec![
            sent(503, "NC", "cluster_not_found", "-"),
            sent(503, "NC", "cluster_not_found", "-"),
            sent(503, "NC", "cluster_not_found", "-"),
        ]
    };
    let route = |destination: Value| {
        istio("VirtualService", "default/httpbin", json!({"hosts": ["httpbin"], "http": [{"route": [{"destination": destination}]}]}))
    };
    let rule = |subset: &str| istio("DestinationRule", "default/r", json!({"host": "httpbin", "subsets": [{"name": subset}]}));
    let of = |objects: Vec<Value>| fails(&failing(objects, &[(SLEEP, nc())]));
    let subset = || route(json!({"host": "httpbin", "subset": "v2"}));
    let name = "VirtualService default/httpbin";
    assert_eq!(
        one(of(vec![subset()]), Severity::Error, name).what,
        "deploy/sleep: 3 of 3 to httpbin:8000 are 503 NC: VirtualService default/httpbin routes to subset v2, which no DestinationRule defines."
    );
    let what = |destination: Value| one(of(vec![route(destination), rule("v1")]), Severity::Error, name).what;
    assert!(what(json!({"host": "httpbin", "subset": "v2"})).ends_with("routes to subset v2, which no DestinationRule defines."));
    assert!(
        what(json!({"host": "nohost"})).ends_with("routes to host nohost.default.svc.cluster.local, which no Service or ServiceEntry has.")
    );
    assert!(
        what(json!({"host": "httpbin", "port": {"number": 9999}})).contains("routes to port 9999 of httpbin.default.svc.cluster.local")
    );
    // Mended, and nobody asked since.
    one(of(vec![subset(), rule("v2")]), Severity::Information, "Deployment default/sleep");
    // And asked since, for the same path; for another one the route can be another.
    let since = |path: &str| nc().into_iter().chain([request(2, path, 200, "-", "via_upstream", TO_HTTPBIN)]).collect();
    assert_eq!(fails(&failing([subset()], &[(SLEEP, since("/get"))])), []);
    one(fails(&failing([subset()], &[(SLEEP, since("/other"))])), Severity::Error, name);
}

#[test]
fn other_causes_name_their_object() {
    let of = |objects: Vec<Value>, line: String| fails(&failing(objects, &[(SLEEP, vec![line])]));
    let routes =
        |http: Value| istio("VirtualService", "default/v", json!({"hosts": ["httpbin.default.svc.cluster.local"], "http": [http]}));
    let to = json!([{"destination": {"host": "httpbin"}}]);
    let rule = |policy: Value| istio("DestinationRule", "default/r", json!({"host": "httpbin", "trafficPolicy": policy}));
    for (object, line, severity, name, words) in [
        (
            routes(json!({"fault": {"abort": {}}, "route": to})),
            sent(418, "FI", "fault_filter_abort", TO_HTTPBIN),
            Severity::Warning,
            "VirtualService default/v",
            "injects a fault",
        ),
        (
            routes(json!({"timeout": "1s", "route": to})),
            sent(504, "UT", "upstream_response_timeout", TO_HTTPBIN),
            Severity::Warning,
            "VirtualService default/v",
            "within the timeout of VirtualService default/v",
        ),
        (
            routes(json!({"match": [{"uri": {"exact": "/x"}}], "route": to})),
            sent(404, "NR", "route_not_found", "-"),
            Severity::Warning,
            "VirtualService default/v",
            "no route of VirtualService default/v fits them",
        ),
        (
            rule(json!({"connectionPool": {}})),
            sent(503, "UO", "upstream_reset_before_response_started{overflow}", TO_HTTPBIN),
            Severity::Warning,
            "DestinationRule default/r",
            "connectionPool of DestinationRule default/r",
        ),
        (
            rule(json!({})),
            sent(503, "UH", "no_healthy_upstream", TO_HTTPBIN),
            Severity::Warning,
            "Service default/httpbin",
            "no endpoint of Service default/httpbin was healthy, though 1 of 1 pods are ready now",
        ),
        (
            rule(json!({})),
            sent(503, "UF,URX", "upstream_reset_before_response_started{remote_connection_failure}", TO_HTTPBIN),
            Severity::Warning,
            "Service default/httpbin",
            "no connection to Service default/httpbin could be made",
        ),
    ] {
        let finding = one(of(vec![object], line), severity, name);
        assert!(finding.what.contains(words), "{finding:?}");
    }
    let empty = object("v1", "Service", "default/empty", json!({"selector": {"app": "nobody"}, "ports": [{"port": 8000}]}));
    let to_empty =
        sent(503, "UH", "no_healthy_upstream", "outbound|8000||empty.default.svc.cluster.local").replace("httpbin:8000", "empty:8000");
    let finding = one(of(vec![empty], to_empty), Severity::Warning, "Service default/empty");
    assert!(finding.what.contains("no pod has the labels of Service default/empty"), "{finding:?}");
}

#[test]
fn incident_d13_what_a_sidecar_drops_names_the_sidecar() {
    let sidecar =
        istio("Sidecar", "default/s", json!({"egress": [{"hosts": ["./*"]}], "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}));
    let dropped =
        refused("10.244.0.5").replace("NR filter_chain_not_found", "UH -").replace("- - 10.244.0.4:80", "BlackHoleCluster - 10.9.9.9:81");
    let finding = one(fails(&failing([sidecar], &[(SLEEP, vec![dropped])])), Severity::Warning, "Sidecar default/s");
    assert!(
        finding.what.starts_with("deploy/sleep: 1 of 1 connections to 10.9.9.9:81 fail (UH): REGISTRY_ONLY of Sidecar default/s"),
        "{finding:?}"
    );
    assert!(finding.evidence.len() == 3 && finding.evidence[0].ends_with("UH BlackHoleCluster"), "{finding:?}");
}

#[test]
fn what_is_not_of_the_mesh_is_no_finding() {
    let well = |line: String| assert_eq!(fails(&failing([], &[(SLEEP, vec![line.clone()])])), [], "{line}");
    well(sent(503, "URX", "via_upstream", TO_HTTPBIN));
    well(sent(404, "-", "via_upstream", TO_HTTPBIN));
    well(sent(500, "NFCF", "-", TO_HTTPBIN));
    well(sent(0, "DC", "downstream_remote_disconnect", TO_HTTPBIN));
    well(sent(503, "-", "direct_response", "-"));
    // One of many that a restart cut off.
    let closed = || sent(503, "UC", "upstream_reset_before_response_started{connection_termination}", TO_HTTPBIN);
    let sound = |count: usize| (0..count).map(|_| request(2, "/get", 200, "-", "via_upstream", TO_HTTPBIN));
    assert_eq!(fails(&failing([], &[(SLEEP, sound(100).chain([closed()]).collect())])), []);
    assert_eq!(fails(&failing([], &[(SLEEP, [closed()].into_iter().chain(sound(1)).collect())])), []);
    assert_eq!(fails(&failing([], &[(SLEEP, vec![closed(), closed()])])).len(), 1);
    let elsewhere = request(2, "/get", 200, "-", "via_upstream", "outbound|8000|v1|httpbin.default.svc.cluster.local");
    assert_eq!(fails(&failing([], &[(SLEEP, vec![closed(), elsewhere])])).len(), 1, "another cluster says nothing of it");
}

#[test]
fn what_the_objects_do_not_say_any_more_is_information() {
    let san = "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|x:verify_cert_failed:_SAN_matcher,_certificate_SANs_are_[spiffe://cluster.local/ns/default/sa/httpbin]:TLS_error_end}";
    for (line, words) in [
        (sent(503, "URX,UF", san, TO_HTTPBIN), "no DestinationRule lists one now"),
        (sent(503, "UO", "upstream_reset_before_response_started{overflow}", TO_HTTPBIN), "no DestinationRule has a connectionPool"),
        (
            sent(503, "UH", "no_healthy_upstream", "outbound|80||gone.default.svc.cluster.local"),
            "no Service or ServiceEntry has this host now",
        ),
        (sent(503, "NC", "cluster_not_found", "-"), "no VirtualService routes them to what does not exist now"),
    ] {
        let found = fails(&failing([], &[(SLEEP, vec![line])]));
        assert!(found.len() == 1 && found[0].severity == Severity::Information && found[0].what.contains(words), "{found:?}");
        assert!(found[0].what.contains(" failed until 00:00:01 UTC ("), "{found:?}");
    }
}

#[test]
fn incident_d5_a_client_without_a_proxy_is_named() {
    let cron = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "legacy", "name": "cron-1"}, "spec": {"containers": [{"name": "cron"}]}, "status": {"phase": "Running", "podIPs": [{"ip": "10.244.0.6"}]}});
    let of = |mode: &str| {
        found(
            &failing([cron.clone(), peers(mode)], &[(HTTPBIN, vec![refused("10.244.0.6"), refused("10.244.0.6")])]),
            "connections-refused",
        )
    };
    let finding = one(of("STRICT"), Severity::Warning, "PeerAuthentication default/default");
    assert_eq!(
        finding.what,
        "2 from 10.244.0.6 = legacy/cron-1 (no proxy) to deploy/httpbin: STRICT by default/default takes no plain text."
    );
    one(of("PERMISSIVE"), Severity::Information, "Deployment default/httpbin");
    // What was refused before the policy was written was refused by another.
    let mut later = peers("STRICT");
    later["metadata"]["creationTimestamp"] = json!("2026-12-01T00:30:00Z");
    let before = found(&failing([cron.clone(), later], &[(HTTPBIN, vec![refused("10.244.0.6")])]), "connections-refused");
    let finding = one(before, Severity::Information, "Deployment default/httpbin");
    assert!(finding.what.contains(" failed until 00:00:01 UTC: STRICT by default/default, which was written since, "), "{finding:?}");
    // One that was to have a proxy: asked of the server's namespace alone, it says why there is none.
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "legacy", "labels": {"istio.io/rev": "nope"}}});
    let asks = answers::findings(
        &failing([namespace, cron.clone(), peers("STRICT")], &[(HTTPBIN, vec![refused("10.244.0.6")])]),
        Some("default"),
        &[],
    );
    let finding = asks.findings.iter().find(|finding| finding.code == "connections-refused").unwrap();
    assert!(
        finding.what.starts_with("1 from 10.244.0.6 = legacy/cron-1 (no proxy: it asks for revision nope, of which no istiod runs) to "),
        "{finding:?}"
    );
    let unknown = found(&failing([peers("STRICT")], &[(HTTPBIN, vec![refused("10.9.9.9")])]), "connections-refused");
    assert!(unknown[0].what.starts_with("1 from 10.9.9.9 (no pod has this address now) to "), "{unknown:?}");
}

#[test]
fn a_client_whose_plain_text_was_refused_needs_permissive() {
    let of = |lines: Vec<String>| found(&failing([peers("PERMISSIVE")], &[(HTTPBIN, lines)]), "permissive-without-need");
    let unneeded = of(Vec::new());
    assert!(unneeded[0].evidence[0].contains("deploy/httpbin"), "{unneeded:?}");
    assert_eq!(of(vec![refused("10.9.9.9")]), []);
}

#[test]
fn incident_d6_and_d18_join_the_findings_that_there_are() {
    let of = |objects: Vec<Value>, logs: &[(&str, Vec<String>)]| answers::findings(&failing(objects, logs), None, &[]).findings;
    let rule = |tls: Value| {
        istio("DestinationRule", "default/httpbin", json!({"host": "httpbin.default.svc.cluster.local", "trafficPolicy": {"tls": tls}}))
    };
    let closed = || sent(503, "UC", "upstream_reset_before_response_started{connection_termination}", TO_HTTPBIN);
    let d6 = of(
        vec![peers("STRICT"), rule(json!({"mode": "DISABLE"}))],
        &[(SLEEP, vec![closed(), closed()]), (HTTPBIN, vec![refused("10.244.0.5")])],
    );
    let codes = |findings: &[Finding]| {
        findings
            .iter()
            .filter(|finding| finding.severity < Severity::Information && finding.code != "chains-differ")
            .map(|finding| finding.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(&d6), ["destination-rule-refused"], "{d6:?}");
    let evidence = d6.iter().find(|finding| finding.code == "destination-rule-refused").unwrap().evidence.join("\n");
    assert!(
        evidence.contains("access log of deploy/sleep: requests to httpbin:8000: 2 of 2 failed, the last at 00:00:01 UTC (503 UC)"),
        "{evidence}"
    );
    assert!(evidence.contains("access log of deploy/httpbin: connections to port 80: 1 of 1 failed"), "{evidence}");
    let san = "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|x:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher,_certificate_SANs_are_[spiffe://cluster.local/ns/default/sa/httpbin]:TLS_error_end}";
    let names = json!({"mode": "ISTIO_MUTUAL", "subjectAltNames": ["spiffe://cluster.local/ns/default/sa/httpbin-old"]});
    let d18 = of(vec![rule(names)], &[(SLEEP, vec![sent(503, "URX,UF", san, TO_HTTPBIN)])]);
    assert_eq!(codes(&d18), ["mtls-mismatch"], "{d18:?}");
    assert!(!evidence.contains("CERTIFICATE"), "{evidence}");
    let evidence = d18.iter().find(|finding| finding.code == "mtls-mismatch").unwrap().evidence.join("\n");
    assert!(
        evidence.contains("requests to httpbin:8000: 1 of 1 failed, the last at 00:00:01 UTC (503 URX,UF CERTIFICATE_VERIFY_FAILED)"),
        "{evidence}"
    );
}

#[test]
fn a_log_that_was_not_read_is_said() {
    let not_checked = |requests: Requests| {
        let mut snapshot = mesh();
        let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&ProxyId::parse(HTTPBIN).unwrap()) else { panic!() };
        Arc::make_mut(loaded).vitals.as_mut().unwrap().requests = Some(requests);
        answers::findings(&snapshot, None, &[]).not_checked
    };
    assert_eq!(not_checked(Requests::default()), []);
    for (requests, why) in [
        (Requests { gap: Some("its log is forbidden".to_owned()), ..Requests::default() }, "its log is forbidden"),
        (Requests { without_reason: 1, ..Requests::default() }, "the format of its access log lacks response flags"),
        (Requests { cut: true, ..Requests::default() }, "its log has so many lines"),
        (Requests { more: 1, ..Requests::default() }, "requests failed in more ways"),
    ] {
        let [said] = &not_checked(requests)[..] else { panic!("{why}") };
        assert!(said.why.starts_with(why) && said.codes == ["requests-fail", "connections-refused"], "{said}");
    }
}
