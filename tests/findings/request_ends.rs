//! Requests that failed and no longer do, by the objects: said in the past, and as information. What is of one cause is one finding.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::{Finding, Severity};
use meshscope::ingest::logs::Assembler;
use meshscope::model::ids::ProxyId;
use meshscope::model::logs::{LogLine, LogOrigin, LogRecord, LogSource};
use meshscope::model::mesh::MeshConfig;
use meshscope::model::snapshot::{Dump, Snapshot};
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, Mesh, SLEEP, object};
use super::removed::{gated, lua};
use super::requests::{TO_HTTPBIN, authorization, failing, fails, istio, log, peers, refused, request, sent, served};
use super::{found, of, one};

/// The object, its spec written at this time of the day of the failures.
fn changed(mut object: Value, time: &str) -> Value {
    let entry = json!({"manager": "kubectl", "operation": "Update", "time": format!("2026-12-01T{time}Z"), "fieldsV1": {"f:spec": {}}});
    object["metadata"]["managedFields"] = json!([entry]);
    object
}

fn of_client(objects: impl IntoIterator<Item = Value>, line: &str) -> Vec<Finding> {
    let mut snapshot = failing(objects, &[(SLEEP, vec![line.to_owned()])]);
    Arc::make_mut(&mut snapshot.objects).mesh = Some(MeshConfig::default().into());
    fails(&snapshot)
}

fn of_server(objects: impl IntoIterator<Item = Value>, line: &str) -> Vec<Finding> {
    fails(&failing(objects, &[(HTTPBIN, vec![line.to_owned()])]))
}

/// The one finding, which is in the past tense.
fn past(findings: Vec<Finding>, object: &str, words: &str) {
    let finding = one(findings, Severity::Information, object);
    assert!(finding.what.contains(" failed until 00:00:01 UTC (") && finding.what.contains(words), "{finding:?}");
    assert_eq!(finding.fix, "nothing, if requests pass now");
}

const BLACK_HOLE: &str = "direct_response";

/// A request to an address that the client's proxy does not know.
fn dropped() -> String {
    let line = sent(502, "-", BLACK_HOLE, "BlackHoleCluster");
    line.replace("httpbin:8000", "10.9.9.9:81").replace("10.96.90.99:8000", "10.9.9.9:81").replace(" - default", " - block_all")
}

fn registry_only(name: &str, mode: &str, selector: Option<&str>) -> Value {
    let mut spec = json!({"egress": [{"hosts": ["*/*"]}], "outboundTrafficPolicy": {"mode": mode}});
    if let Some(app) = selector {
        spec["workloadSelector"] = json!({"labels": {"app": app}});
    }
    istio("Sidecar", name, spec)
}

#[test]
fn what_registry_only_dropped_is_past_once_it_is_not_in_force_or_the_destination_is_known() {
    let sidecar = || registry_only("default/s", "REGISTRY_ONLY", None);
    let now = one(of_client([sidecar()], &dropped()), Severity::Warning, "Sidecar default/s");
    assert!(now.what.ends_with(
        "REGISTRY_ONLY of Sidecar default/s sends them to BlackHoleCluster: no Service or ServiceEntry has this host or address."
    ));
    assert_eq!(now.evidence[1], "outboundTrafficPolicy.mode of Sidecar default/s is REGISTRY_ONLY");
    assert!(now.evidence[2].ends_with(" Services and ServiceEntries has 10.9.9.9:81"), "{now:?}");
    let none = "outboundTrafficPolicy is not REGISTRY_ONLY now";
    past(of_client([], &dropped()), "Deployment default/sleep", none);
    past(of_client([registry_only("default/s", "ALLOW_ANY", None)], &dropped()), "Deployment default/sleep", none);
    // Of two Sidecars the one that selects the workload counts.
    past(of_client([sidecar(), registry_only("default/own", "ALLOW_ANY", Some("sleep"))], &dropped()), "Deployment default/sleep", none);
    let entry = |port: u16| {
        let spec = json!({"hosts": ["direct.example"], "addresses": ["10.9.9.9"], "resolution": "STATIC",
            "endpoints": [{"address": "10.9.9.9"}], "ports": [{"number": port, "name": "http", "protocol": "HTTP"}]});
        istio("ServiceEntry", "default/direct", spec)
    };
    past(of_client([sidecar(), entry(81)], &dropped()), "Sidecar default/s", "the client's proxy knows ServiceEntry default/direct now");
    let other = one(of_client([sidecar(), entry(82)], &dropped()), Severity::Warning, "Sidecar default/s");
    assert!(other.what.ends_with("ServiceEntry default/direct has no port 81."), "{other:?}");
    // What the mesh sets is not known where its configuration was not read.
    one(fails(&failing([], &[(SLEEP, vec![dropped()])])), Severity::Warning, "Deployment default/sleep");
    // Whatever leaves the proxy for it shows that it is known.
    let passed = request(2, "/other", 200, "-", "via_upstream", "PassthroughCluster").replace("httpbin:8000", "10.9.9.9:81");
    assert_eq!(fails(&failing([sidecar()], &[(SLEEP, vec![dropped(), passed])])), []);
}

#[test]
fn a_policy_that_does_not_deny_any_more_is_past() {
    let denied = "rbac_access_denied_matched_policy[ns[default]-policy[p]-rule[1]]";
    let policy = |spec: Value| authorization("default/p", spec);
    let name = "AuthorizationPolicy default/p";
    let line = served("/a", 403, denied);
    let two = || json!({"action": "DENY", "rules": [{}, {}]});
    one(of_server([policy(two())], &line), Severity::Warning, name);
    past(of_server([authorization("default/other", two())], &line), name, "which is gone");
    past(of_server([policy(json!({"action": "DENY", "rules": [{}]}))], &line), name, "has no such rule that denies now");
    past(of_server([policy(json!({"action": "ALLOW", "rules": [{}, {}]}))], &line), name, "has no such rule that denies now");
    let mut elsewhere = two();
    elsewhere["selector"] = json!({"matchLabels": {"app": "x"}});
    past(of_server([policy(elsewhere)], &line), name, "which is not for this workload now");
    // One that was changed after the failure may let them pass, and one that was changed before it did not.
    let finding = one(of_server([changed(policy(two()), "00:00:30")], &line), Severity::Information, name);
    assert!(finding.what.contains("failed until 00:00:01 UTC (403): ") && finding.what.ends_with("was changed since, at 00:00:30 UTC."));
    one(of_server([changed(policy(two()), "00:00:00")], &line), Severity::Warning, name);
    // What no rule allowed a rule allows now.
    let none = served("/a", 403, "rbac_access_denied_matched_policy[none]");
    past(of_server([policy(json!({"rules": [{}]}))], &none), name, "a rule of AuthorizationPolicy default/p allows all now");
    past(of_server([], &none), "Deployment default/httpbin", "none of action ALLOW is there now");
}

#[test]
fn a_policy_that_enforces_nothing_neither_denies_nor_allows() {
    let name = "AuthorizationPolicy default/p";
    let dry_run = |name: &str, spec: Value| {
        let mut policy = authorization(name, spec);
        policy["metadata"]["annotations"] = json!({"istio.io/dry-run": "true"});
        policy
    };
    let by_rule = served("/a", 403, "rbac_access_denied_matched_policy[ns[default]-policy[p]-rule[0]]");
    let audit = authorization("default/p", json!({"action": "AUDIT", "rules": [{}]}));
    for policy in [dry_run("default/p", json!({"action": "DENY", "rules": [{}]})), audit] {
        past(of_server([policy], &by_rule), name, "which enforces nothing now (a dry run, or action AUDIT)");
    }
    let none = served("/a", 403, "rbac_access_denied_matched_policy[none]");
    let allowing = || authorization("default/p", json!({"rules": [{"to": [{"operation": {"paths": ["/x"]}}]}]}));
    let dry = || dry_run("default/q", json!({"rules": [{}]}));
    let now = one(of_server([allowing(), dry()], &none), Severity::Warning, name);
    assert!(now.what.contains("no rule of AuthorizationPolicy default/p allows them"), "{now:?}");
    past(of_server([dry()], &none), "Deployment default/httpbin", "none of action ALLOW is there now that enforces anything");
}

#[test]
fn routes_and_rules_that_were_mended_are_past() {
    let routes = |http: Value| istio("VirtualService", "default/v", json!({"hosts": ["httpbin"], "http": http}));
    let to = json!([{"destination": {"host": "httpbin"}}]);
    let (sleep, name) = ("Deployment default/sleep", "VirtualService default/v");
    let no_route = sent(404, "NR", "route_not_found", "-");
    one(of_client([routes(json!([{"match": [{"uri": {"exact": "/x"}}], "route": to}]))], &no_route), Severity::Warning, name);
    past(of_client([routes(json!([{"route": to}]))], &no_route), name, "has one for them now");
    past(of_client([], &no_route), sleep, "no VirtualService limits their routes now");
    let fault = sent(503, "FI", "fault_filter_abort", TO_HTTPBIN);
    past(of_client([routes(json!([{"route": to}]))], &fault), sleep, "no VirtualService injects one now");
    past(of_client([], &fault), sleep, "no VirtualService injects one now");
    let late = sent(504, "UT", "upstream_response_timeout", TO_HTTPBIN);
    let slow = || routes(json!([{"timeout": "1s", "route": to}]));
    one(of_client([slow()], &late), Severity::Warning, name);
    let finding = one(of_client([changed(slow(), "00:01:00")], &late), Severity::Information, name);
    assert!(finding.what.contains("was changed since, at 00:01:00 UTC"), "{finding:?}");
}

#[test]
fn certificates_and_tls_that_were_mended_are_past() {
    let rule = |tls: Value| istio("DestinationRule", "default/r", json!({"host": "httpbin", "trafficPolicy": {"tls": tls}}));
    let name = "DestinationRule default/r";
    let has = "spiffe://other/ns/default/sa/mine";
    let san = sent(
        503,
        "URX,UF",
        &format!(
            "upstream_reset_before_response_started{{remote_connection_failure|TLS_error:|x:verify_cert_failed:_SAN_matcher,_certificate_SANs_are_[{has}]:TLS_error_end}}"
        ),
        TO_HTTPBIN,
    );
    let wants = |san: &str| rule(json!({"mode": "SIMPLE", "caCertificates": "/ca", "subjectAltNames": [san]}));
    one(of_client([wants("spiffe://old")], &san), Severity::Error, name);
    past(of_client([wants(has)], &san), name, "which DestinationRule default/r lists now");
    // No rule lists any, and it is of no pod of the service: that is not known to be mended.
    one(of_client([], &san), Severity::Error, "Service default/httpbin");
    let tls = sent(503, "UF,URX", "upstream_reset_before_response_started{remote_connection_failure|TLS_error:_x}", TO_HTTPBIN)
        .replace(" - \"-\" 0 19", " - \"TLS_error:|268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end\" 0 19");
    // What the rule makes fail is the finding about the rule.
    assert_eq!(of_client([rule(json!({"mode": "SIMPLE"}))], &tls), []);
    past(of_client([], &tls), "Service default/httpbin", "no DestinationRule sets tls for it now");
}

#[test]
fn endpoints_of_before_a_roll_out_are_past() {
    let closed = |upstream: &str| {
        let line = sent(503, "UC", "upstream_reset_before_response_started{connection_termination}", TO_HTTPBIN);
        line.replace(r#""httpbin:8000" "-" "#, &format!(r#""httpbin:8000" "{upstream}" "#))
    };
    let own = of(Mesh::permissive()).objects.pods[&ProxyId::parse(HTTPBIN).unwrap()].ips[0].clone();
    one(of_client([], &closed(&format!("{own}:80"))), Severity::Warning, "Service default/httpbin");
    past(
        of_client([], &closed("10.244.9.9:80")),
        "Service default/httpbin",
        "it went to 10.244.9.9:80, which is no endpoint of Service default/httpbin now",
    );
    // A pod became ready after the last failure.
    let slow = object("v1", "Service", "default/slow", json!({"selector": {"app": "slow"}, "ports": [{"port": 8000}]}));
    let pod = |time: &str| {
        let ready = json!({"type": "Ready", "status": "True", "lastTransitionTime": format!("2026-12-01T{time}Z")});
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "slow-1", "labels": {"app": "slow"}},
            "spec": {"containers": [{"name": "a"}]}, "status": {"phase": "Running", "podIPs": [{"ip": "10.244.0.77"}], "conditions": [ready]}})
    };
    let line = sent(503, "UH", "no_healthy_upstream", "outbound|8000||slow.default.svc.cluster.local").replace("httpbin:8000", "slow:8000");
    past(of_client([slow.clone(), pod("00:00:05")], &line), "Service default/slow", "1 of 1 pods are ready now");
    one(of_client([slow, pod("00:00:00")], &line), Severity::Warning, "Service default/slow");
}

#[test]
fn filters_that_are_gone_are_past() {
    let of = |kind: &str| {
        let value = json!({"name": "own", "typed_config": {"@type": format!("type.googleapis.com/envoy.extensions.filters.http.{kind}")}});
        let patch = json!({"applyTo": "HTTP_FILTER", "patch": {"operation": "INSERT_FIRST", "value": value}});
        istio("EnvoyFilter", "default/own", json!({"configPatches": [patch]}))
    };
    let custom = || authorization("default/ask", json!({"action": "CUSTOM", "provider": {"name": "opa"}, "rules": [{}]}));
    for (kind, line) in [
        ("local_ratelimit.v3.LocalRateLimit", served("/a", 429, "local_rate_limited")),
        ("lua.v3.Lua", served("/a", 401, "lua_response")),
        ("ext_authz.v3.ExtAuthz", served("/a", 403, "ext_authz_denied")),
    ] {
        // Known by its type, whatever its name is.
        let now = one(of_server([of(kind)], &line), Severity::Information, "EnvoyFilter default/own");
        assert!(now.what.contains("by EnvoyFilter default/own (not a plugin)") && !now.what.contains("failed until"), "{now:?}");
        past(of_server([], &line), "Deployment default/httpbin", "no EnvoyFilter or policy does so now");
    }
    let asks = one(of_server([custom()], &served("/a", 403, "ext_authz_denied")), Severity::Information, "AuthorizationPolicy default/ask");
    assert!(asks.what.contains("by AuthorizationPolicy default/ask of action CUSTOM"), "{asks:?}");
}

#[test]
fn a_refused_client_is_not_cleared_by_what_others_send() {
    let passed =
        |second: usize| request(second, "/get", 200, "-", "via_upstream", "inbound|80||").replace("10.96.90.99:8000", "10.244.0.4:80");
    let lines: Vec<String> = [refused("10.9.9.9")].into_iter().chain((2..60).map(passed)).collect();
    one(
        found(&failing([peers("STRICT")], &[(HTTPBIN, lines)]), "connections-refused"),
        Severity::Warning,
        "PeerAuthentication default/default",
    );
}

#[test]
fn a_refused_client_whose_proxy_sends_what_is_taken_now_is_past() {
    // sleep has a proxy, which sends mutual TLS.
    let sleep = of(Mesh::permissive()).objects.pods[&ProxyId::parse(SLEEP).unwrap()].ips[0].clone();
    let of = |objects: Vec<Value>| found(&failing(objects, &[(HTTPBIN, vec![refused(&sleep)])]), "connections-refused");
    let finding = one(of(vec![peers("STRICT")]), Severity::Information, "Deployment default/httpbin");
    assert!(
        finding
            .what
            .ends_with(" to deploy/httpbin failed until 00:00:01 UTC: by the objects the client's proxy sends what the port takes now."),
        "{finding:?}"
    );
    // By a rule that sends plain text it fails, and that is the finding.
    let rule = istio("DestinationRule", "default/r", json!({"host": "httpbin", "trafficPolicy": {"tls": {"mode": "DISABLE"}}}));
    assert_eq!(of(vec![peers("STRICT"), rule]), []);
}

#[test]
fn incident_d12_refused_connections_are_evidence_of_the_ignored_port() {
    let policy = |spec: Value| object("security.istio.io/v1", "PeerAuthentication", "default/httpbin", spec);
    let ports = json!({"8000": {"mode": "PERMISSIVE"}});
    let spec = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": ports});
    let snapshot = failing([policy(spec.clone())], &[(HTTPBIN, vec![refused("10.9.9.9"), refused("10.9.9.9")])]);
    let finding = one(found(&snapshot, "port-level-mtls-ignored"), Severity::Error, "PeerAuthentication default/httpbin");
    assert!(
        finding.what.ends_with(", and connections to deploy/httpbin are refused: 2 from 10.9.9.9 (no pod has this address now)."),
        "{finding:?}"
    );
    assert!(finding.what.contains(" no container's: the mode of container port 80 is STRICT, and "), "{finding:?}");
    assert!(finding.evidence.iter().any(|line| line.contains("NR filter_chain_not_found")), "{finding:?}");
    assert_eq!(found(&snapshot, "connections-refused"), []);
    // What was refused before the policy was written is no error of it.
    let mut written = policy(spec);
    let fields = json!({"f:spec": {"f:portLevelMtls": {}}});
    written["metadata"]["managedFields"] = json!([{"manager": "kubectl", "operation": "Update", "time": "2026-12-01T00:30:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}]);
    let before = failing([written], &[(HTTPBIN, vec![refused("10.9.9.9")])]);
    one(found(&before, "port-level-mtls-ignored"), Severity::Warning, "PeerAuthentication default/httpbin");
    // Without a selector the ports are ignored as well.
    let whole = json!({"mtls": {"mode": "STRICT"}, "portLevelMtls": {"80": {"mode": "PERMISSIVE"}}});
    let snapshot = failing([policy(whole)], &[(HTTPBIN, vec![refused("10.9.9.9")])]);
    assert!(
        one(found(&snapshot, "port-level-mtls-ignored"), Severity::Error, "PeerAuthentication default/httpbin")
            .what
            .contains("are refused")
    );
    assert_eq!(found(&snapshot, "connections-refused"), []);
    // A port that is to be STRICT refuses by that.
    let strict =
        json!({"selector": {"matchLabels": {"app": "httpbin"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": {"8000": {"mode": "STRICT"}}});
    let snapshot = failing([policy(strict)], &[(HTTPBIN, vec![refused("10.9.9.9")])]);
    one(found(&snapshot, "connections-refused"), Severity::Warning, "PeerAuthentication default/httpbin");
}

#[test]
fn incident_d7b_a_filter_before_a_plugin_that_answers_is_one_finding() {
    let script = "function envoy_on_request(h) h:respond({[':status']='401'},'no') end";
    let mut snapshot = of(gated("gate.filter", lua(script)));
    snapshot.absent.clear();
    log(&mut snapshot, &[(HTTPBIN, vec![served("/a", 401, "lua_response"), served("/a", 401, "lua_response")])]);
    let all = answers::findings(&snapshot, None, &[]).findings;
    let about: Vec<&Finding> = all.iter().filter(|finding| finding.object.to_string() == "EnvoyFilter default/gate").collect();
    let [finding] = &about[..] else { panic!("{about:?}") };
    assert_eq!((finding.code, finding.severity), ("envoy-filter-before-plugin", Severity::Warning));
    assert!(
        finding.what.ends_with("runs before default/helloworld: deploy/httpbin answered 2 of 2 requests of the last 10 min with 401."),
        "{finding:?}"
    );
    assert!(finding.evidence.iter().any(|line| line.contains("2 from") || line.contains(": 2 at")), "{finding:?}");
    assert_eq!(fails(&snapshot), []);
}

#[test]
fn a_filter_before_a_plugin_answers_in_its_own_direction_alone() {
    let script = lua("function envoy_on_request(h) h:respond({[':status']='401'},'no') end");
    let of_any = |text: &mut String| *text = text.replace("SIDECAR_INBOUND", "ANY");
    let mut snapshot = of(gated("gate.filter", script).change_text("k8s/envoyfilters.networking.istio.io.json", of_any));
    snapshot.absent.clear();
    log(&mut snapshot, &[(HTTPBIN, vec![served("/a", 401, "lua_response"), sent(401, "-", "lua_response", TO_HTTPBIN)])]);
    let finding = one(found(&snapshot, "envoy-filter-before-plugin"), Severity::Warning, "EnvoyFilter default/gate");
    assert!(finding.what.contains("answered 1 of 1 requests of the last 10 min with 401"), "{finding:?}");
    // The plugin is in the inbound chains alone, so that what leaves the workload is another finding.
    let other = one(fails(&snapshot), Severity::Information, "EnvoyFilter default/gate");
    assert!(other.what.starts_with("deploy/httpbin: 1 of 1 to httpbin:8000 are 401"), "{other:?}");
}

#[test]
fn what_a_filter_before_a_plugin_limited_long_ago_is_no_warning() {
    let limit = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"});
    let limited = |seconds: &[usize], until: usize| {
        let mut snapshot = of(gated("gate.filter", limit.clone()));
        snapshot.absent.clear();
        let limited = seconds.iter().map(|second| request(*second, "/a", 429, "RL", "local_rate_limited", "inbound|80||"));
        let other = request(until, "/b", 200, "-", "via_upstream", "inbound|80||");
        log(&mut snapshot, &[(HTTPBIN, limited.chain([other]).collect())]);
        found(&snapshot, "envoy-filter-before-plugin")
    };
    one(limited(&[1, 2], 10), Severity::Warning, "EnvoyFilter default/gate");
    one(limited(&[1, 2], 300), Severity::Information, "EnvoyFilter default/gate");
}

/// What the agent of httpbin logs where it cannot fetch a module.
const NOT_FETCHED: &str = "2026-12-01T00:00:00.500000Z\twarn\twasm\terror in converting the wasm config to local: cannot fetch Wasm module \
    oci://registry.lab:5000/linsun/helloworld:no-such-tag: not found. applying deny RBAC filter";

fn record(text: &str) -> LogRecord {
    let pod = ProxyId::parse(HTTPBIN).unwrap();
    let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".into(), workload: None });
    let mut assembler = Assembler::default();
    assert!(assembler.push(LogLine { origin, time: None, text: text.to_owned(), cut: false }).is_none());
    assembler.flush().unwrap()
}

/// The mesh, where httpbin's log has these lines of its agent, and helloworld was last updated at this time.
fn after_a_stub(objects: impl IntoIterator<Item = Value>, lines: &[&str], updated: &str, requests: Vec<String>) -> Snapshot {
    let mut snapshot = failing(objects, &[(HTTPBIN, requests)]);
    let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&ProxyId::parse(HTTPBIN).unwrap()) else { panic!() };
    let loaded = Arc::make_mut(loaded);
    loaded.vitals.as_mut().unwrap().log = lines.iter().map(|line| record(line)).collect();
    loaded.dump.ecds.iter_mut().for_each(|entry| entry.last_updated = Some(format!("2026-12-01T{updated}Z")));
    snapshot
}

#[test]
fn incident_d2_what_a_stub_denied_is_not_by_a_policy() {
    let denied = |second: usize| request(second, "/a", 403, "-", "rbac_access_denied_matched_policy[none]", "inbound|80||");
    let in_time = || vec![denied(1)];
    let of = |lines: &[&str], updated: &str, requests: Vec<String>| fails(&after_a_stub([], lines, updated, requests));
    let plugin = "the stub that denies in the place of WasmPlugin default/helloworld, whose module could not be fetched at 00:00:00 UTC; it is gone now";
    past(of(&[NOT_FETCHED], "00:01:00", in_time()), "WasmPlugin default/helloworld", plugin);
    // The module was in place by then, and had been before: a policy denied it.
    for (lines, updated) in [(&[NOT_FETCHED][..], "00:00:02"), (&[], "00:00:02")] {
        let finding = one(of(lines, updated, vec![denied(9)]), Severity::Information, "Deployment default/httpbin");
        assert!(
            finding.what.ends_with("no rule of an AuthorizationPolicy allowed them, and none of action ALLOW is there now."),
            "{finding:?}"
        );
    }
    // Where the log has no line of that time both are possible.
    let finding = one(of(&[], "00:00:02", in_time()), Severity::Information, "Deployment default/httpbin");
    assert!(
        finding.what.ends_with("no rule of an AuthorizationPolicy allowed them, or a stub denied in the place of default/helloworld (FAIL_CLOSE); neither is there now."),
        "{finding:?}"
    );
    // And where a policy is there that allows some.
    let policy = authorization("default/a", json!({"rules": [{"to": [{"operation": {"paths": ["/b"]}}]}]}));
    let both = fails(&after_a_stub([policy], &[NOT_FETCHED], "00:01:00", in_time()));
    let finding = one(both, Severity::Information, "AuthorizationPolicy default/a");
    assert!(
        finding
            .what
            .contains("no rule of AuthorizationPolicy default/a allows them, or they met the stub that denies in the place of WasmPlugin")
    );
    // The stub was that of a URL which no plugin has now: it ended when helloworld was updated, and the policy denies still.
    let other = NOT_FETCHED.replace("registry.lab:5000/linsun/helloworld:no-such-tag", "10.200.0.9:5000/none:v1");
    let policy = authorization("default/a", json!({"rules": [{"to": [{"operation": {"paths": ["/b"]}}]}]}));
    let now = fails(&after_a_stub([policy], &[&other], "00:00:05", vec![denied(1), denied(20)]));
    let finding = one(now, Severity::Warning, "AuthorizationPolicy default/a");
    assert!(
        finding.what.contains("answered 2 of 2 requests of the last 10 min with 403: no rule of AuthorizationPolicy default/a allows them")
    );
    // Fetched at 00:00:20, and the plugin changed again later: what came between was not the stub's.
    let fetched =
        "2026-12-01T00:00:20.000000Z\tinfo\twasm\tfetching image linsun/helloworld from registry registry.lab:5000 with tag latest";
    let finding = one(of(&[NOT_FETCHED, fetched], "00:05:00", vec![denied(40)]), Severity::Information, "Deployment default/httpbin");
    assert!(!finding.what.contains("it is gone now"), "{finding:?}");
    // Envoy rejected what was fetched, so that the stub stayed.
    let rejected =
        "2026-12-01T00:00:20.500000Z\tcritical\tenvoy wasm external/x.cc:1\tPlugin configured to fail closed failed to load\tthread=7";
    past(of(&[NOT_FETCHED, fetched, rejected], "00:05:00", in_time()), "WasmPlugin default/helloworld", plugin);
}

#[test]
fn what_went_to_services_that_are_gone_is_one_finding() {
    let gone = |name: &str, flags: &str, details: &str| {
        sent(503, flags, details, &format!("outbound|80||{name}.default.svc.cluster.local")).replace("httpbin:8000", name)
    };
    let details = "upstream_reset_before_response_started{connection_failure}";
    past(of_client([], &gone("a", "UF,URX", details)), "Deployment default/sleep", "no Service or ServiceEntry has this host now");
    past(
        of_client([], &gone("a", "UH", "no_healthy_upstream")),
        "Deployment default/sleep",
        "no Service or ServiceEntry has this host now",
    );
    let dropped = [dropped(), dropped().replace("10.9.9.9:81", "10.9.9.8:81")];
    let mut snapshot = failing([], &[(SLEEP, dropped.into())]);
    Arc::make_mut(&mut snapshot.objects).mesh = Some(MeshConfig::default().into());
    let finding = one(fails(&snapshot), Severity::Information, "Deployment default/sleep");
    assert!(finding.what.contains("2 of 2 requests to 10.9.9.8:81, 10.9.9.9:81 failed until"), "{finding:?}");
    // In a cluster with another domain it is there.
    let domain = sent(503, "UF,URX", details, "outbound|8000||httpbin.default.svc.example.org");
    one(of_client([], &domain), Severity::Warning, "Service default/httpbin");
}

#[test]
fn odd_lines_are_read_as_what_they_are() {
    // Statistics, and with them `%UPSTREAM_CLUSTER%`, have a mark at the end of a cluster's name.
    let marked = sent(
        503,
        "UF,URX",
        "upstream_reset_before_response_started{connection_failure}",
        "outbound|8000||httpbin.default.svc.cluster.local;",
    );
    one(of_client([], &marked), Severity::Warning, "Service default/httpbin");
    // The proxy answers gRPC with 200.
    let grpc = sent(200, "UH", "no_healthy_upstream", TO_HTTPBIN).replace("GET", "POST");
    let finding = one(of_client([], &grpc), Severity::Warning, "Service default/httpbin");
    assert!(finding.what.contains("1 of 1 to httpbin:8000 are 200 UH and a gRPC error: "), "{finding:?}");
    // A connection that leaves and fits no chain is not one that comes in.
    let leaving = refused("10.244.0.5").replace("10.244.0.4:80 10.244.0.5:39208 -", "1.2.3.4:443 10.244.0.5:39208 foo.example");
    let snapshot = failing([], &[(SLEEP, vec![leaving])]);
    let finding = one(fails(&snapshot), Severity::Warning, "Deployment default/sleep");
    assert!(finding.what.starts_with("deploy/sleep: 1 of 1 connections to 1.2.3.4:443 fail (NR): no filter chain "), "{finding:?}");
    assert_eq!(found(&snapshot, "connections-refused"), []);
    // The proxy's own overload is no circuit breaker.
    let overload = one(of_client([], &sent(503, "OM", "overload", TO_HTTPBIN)), Severity::Warning, "Deployment default/sleep");
    assert!(overload.what.contains("the overload manager of the proxy rejects them"), "{overload:?}");
    // A probe before the pod was ready.
    let probe = request(
        1,
        "/healthz",
        503,
        "UF",
        "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_111}",
        "inbound|80||",
    )
    .replace("10.96.90.99:8000", "10.244.0.4:80")
    .replace(r#""httpbin:8000" "-""#, r#""httpbin:8000" "10.244.0.4:80""#);
    one(of_server([], &probe), Severity::Warning, "Deployment default/httpbin");
    let mut early = failing([], &[(HTTPBIN, vec![probe])]);
    let pods = &mut Arc::make_mut(&mut early.objects).pods;
    Arc::make_mut(pods.get_mut(&ProxyId::parse(HTTPBIN).unwrap()).unwrap()).ready_since = Some(i64::MAX);
    past(fails(&early), "Deployment default/httpbin", "the application took no connection before its pod was ready");
}
