//! The VirtualServices by which failed requests went: delegates, and those that a client does not see.

use std::sync::Arc;

use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::mesh::MeshConfig;
use serde_json::{Value, json};

use super::recorded::{SLEEP, created};
use super::requests::{TO_HTTPBIN, failing, fails, istio, sent};
use super::{found, one};

fn no_cluster(objects: impl IntoIterator<Item = Value>, export_to: &[&str]) -> Vec<Finding> {
    let mut snapshot = failing(objects, &[(SLEEP, vec![sent(503, "NC", "cluster_not_found", "-"); 3])]);
    let virtual_service_export_to = export_to.iter().map(|to| (*to).to_owned()).collect();
    Arc::make_mut(&mut snapshot.objects).mesh = Some(MeshConfig { virtual_service_export_to, ..MeshConfig::default() }.into());
    fails(&snapshot)
}

fn to_v2() -> Value {
    json!([{"route": [{"destination": {"host": "httpbin.default.svc.cluster.local", "subset": "v2"}}]}])
}

#[test]
fn the_routes_of_a_delegate_count_for_the_hosts_of_its_root() {
    let root = |delegate: Value| istio("VirtualService", "default/root", json!({"hosts": ["httpbin"], "http": [{"delegate": delegate}]}));
    let delegate = |name: &str| istio("VirtualService", name, json!({"http": to_v2()}));
    for (name, delegated) in [("default/dele", json!({"name": "dele"})), ("sample/dele", json!({"name": "dele", "namespace": "sample"}))] {
        let finding = one(no_cluster([root(delegated), delegate(name)], &[]), Severity::Error, &format!("VirtualService {name}"));
        let words = format!("VirtualService {name} (delegate of default/root) routes to subset v2, which no DestinationRule defines.");
        assert!(finding.what.ends_with(&words), "{finding:?}");
    }
    // Nothing delegates to it.
    let alone = no_cluster([delegate("default/dele")], &[]);
    one(alone, Severity::Information, "Deployment default/sleep");
}

#[test]
fn a_virtual_service_without_export_to_is_where_the_mesh_exports_it() {
    let hosts = json!(["httpbin.default.svc.cluster.local"]);
    let of = |namespace: &str| istio("VirtualService", &format!("{namespace}/w"), json!({"hosts": hosts, "http": to_v2()}));
    one(no_cluster([of("legacy")], &[]), Severity::Error, "VirtualService legacy/w");
    one(no_cluster([of("legacy")], &["."]), Severity::Information, "Deployment default/sleep");
    one(no_cluster([of("default")], &["."]), Severity::Error, "VirtualService default/w");
}

/// A VirtualService with routes for httpbin.
fn routes(name: &str, http: Value) -> Value {
    istio("VirtualService", name, json!({"hosts": ["httpbin.default.svc.cluster.local"], "http": http}))
}

/// A route to the subset that nothing defines, with more fields.
fn dead(more: Value) -> Value {
    let mut route = to_v2()[0].clone();
    route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    route
}

/// A route to httpbin, with more fields.
fn alive(more: Value) -> Value {
    let mut route = json!({"route": [{"destination": {"host": "httpbin.default.svc.cluster.local"}}]});
    route.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    route
}

const DEAD: &str = "routes to subset v2, which no DestinationRule defines.";

/// That requests to `/get` failed by a route of this VirtualService.
fn blamed(objects: impl IntoIterator<Item = Value>, name: &str, words: &str) {
    let finding = one(no_cluster(objects, &[]), Severity::Error, &format!("VirtualService {name}"));
    assert!(finding.what.ends_with(words), "{finding:?}");
}

/// That no VirtualService makes requests to `/get` fail.
fn innocent(objects: impl IntoIterator<Item = Value>) {
    let finding = one(no_cluster(objects, &[]), Severity::Information, "Deployment default/sleep");
    assert!(finding.what.ends_with("no VirtualService routes them to what does not exist now."), "{finding:?}");
}

#[test]
fn of_two_virtual_services_for_a_host_a_sidecar_follows_the_older() {
    let of = |name: &str, route: Value, time: &str| created(routes(name, json!([route])), time);
    let (old, new) = ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z");
    innocent([of("default/a", dead(json!({})), new), of("default/z", alive(json!({})), old)]);
    blamed([of("default/a", alive(json!({})), new), of("default/z", dead(json!({})), old)], "default/z", DEAD);
    // In one second by name, and what is for the own namespace alone goes first.
    blamed([of("default/b", alive(json!({})), old), of("default/a", dead(json!({})), old)], "default/a", DEAD);
    let mut own = of("default/z", dead(json!({})), new);
    own["spec"]["exportTo"] = json!(["."]);
    blamed([of("default/a", alive(json!({})), old), own], "default/z", DEAD);
    // One without a route for the client gives way, and so does one for more hosts.
    let elsewhere = dead(json!({"match": [{"sourceNamespace": "other"}]}));
    blamed([of("default/a", elsewhere, old), of("default/z", dead(json!({})), new)], "default/z", DEAD);
    let wide = istio("VirtualService", "default/w", json!({"hosts": ["*.svc.cluster.local"], "http": to_v2()}));
    innocent([created(wide, old), of("default/z", alive(json!({})), new)]);
}

#[test]
fn only_a_route_that_the_requests_can_have_taken_is_the_cause() {
    let first = |rule: Value| [routes("default/v", json!([rule, alive(json!({}))]))];
    for fits in [
        json!({"uri": {"prefix": "/g"}}),
        json!({"uri": {"regex": "/g.t"}, "port": 8000}),
        json!({"uri": {"exact": "/GET"}, "ignoreUriCase": true}),
        json!({"sourceLabels": {"app": "sleep"}, "sourceNamespace": "default"}),
        json!({"authority": {"exact": "httpbin:8000"}, "gateways": ["mesh"]}),
    ] {
        blamed(first(dead(json!({"match": [{"uri": {"exact": "/other"}}, fits]}))), "default/v", DEAD);
    }
    for other in [
        json!({"uri": {"prefix": "/other"}}),
        json!({"uri": {"regex": "/g"}}),
        json!({"uri": {"exact": "/GET"}}),
        json!({"port": 9000}),
        json!({"sourceLabels": {"app": "other"}}),
        json!({"sourceNamespace": "other"}),
        json!({"gateways": ["default/edge"]}),
        json!({"authority": {"exact": "other"}}),
        json!({"headers": {"x": {"exact": "y"}}, "port": 9000}),
    ] {
        innocent(first(dead(json!({"match": [other]}))));
    }
    for unknown in
        [json!({"headers": {"x": {"exact": "y"}}}), json!({"queryParams": {"x": {"exact": "y"}}}), json!({"method": {"exact": "POST"}})]
    {
        let words = "VirtualService default/v may route them to subset v2, which no DestinationRule defines.";
        blamed(first(dead(json!({"match": [unknown]}))), "default/v", words);
    }
    // Each path has its own cause.
    let header = json!({"headers": {"x": {"exact": "y"}}});
    let mut may = dead(json!({"match": [header]}));
    may["route"][0]["destination"]["subset"] = json!("v3");
    let two = routes("default/v", json!([dead(json!({"match": [{"uri": {"exact": "/a"}}]})), may, alive(json!({}))]));
    let lines = ["/a", "/b"].map(|path| sent(503, "NC", "cluster_not_found", "-").replace("/get", path));
    let finding = one(fails(&failing([two], &[(SLEEP, lines.to_vec())])), Severity::Error, "VirtualService default/v");
    let both = "VirtualService default/v may route them to subset v3, which no DestinationRule defines, \
        VirtualService default/v routes to subset v2, which no DestinationRule defines.";
    assert!(finding.what.ends_with(both), "{finding:?}");
    // Behind a route that takes all, without weight, of another protocol or name, and a mirror.
    innocent([routes("default/v", json!([alive(json!({})), dead(json!({}))]))]);
    let weighed =
        json!([{"weight": 0, "destination": {"host": "httpbin", "subset": "v2"}}, {"weight": 100, "destination": {"host": "httpbin"}}]);
    innocent([routes("default/v", json!([{"route": weighed}]))]);
    innocent([istio("VirtualService", "default/v", json!({"hosts": ["httpbin"], "tcp": to_v2(), "http": [alive(json!({}))]}))]);
    innocent(first(dead(json!({"name": "canary"}))));
    innocent([routes("default/v", json!([alive(json!({"mirror": {"host": "httpbin", "subset": "v2"}}))]))]);
    // Only one destination takes all, whatever its weight.
    let only = json!([{"weight": 0, "destination": {"host": "httpbin", "subset": "v2"}}]);
    blamed([routes("default/v", json!([{"route": only}]))], "default/v", DEAD);
}

#[test]
fn a_fault_or_timeout_of_another_route_is_no_cause() {
    let of = |rule: Value, line: String| fails(&failing([routes("default/v", json!([rule, alive(json!({}))]))], &[(SLEEP, vec![line])]));
    let fault = || sent(418, "FI", "fault_filter_abort", TO_HTTPBIN);
    let late = || sent(504, "UT", "upstream_response_timeout", TO_HTTPBIN);
    let (other, header) = (json!({"uri": {"exact": "/other"}}), json!({"headers": {"x": {"exact": "y"}}}));
    let with = |matched: &Value, more: Value| {
        let mut rule = alive(more);
        rule["match"] = json!([matched]);
        rule
    };
    let faulty = |matched: &Value| of(with(matched, json!({"fault": {"abort": {}}})), fault());
    one(faulty(&other), Severity::Information, "Deployment default/sleep");
    assert!(faulty(&header)[0].what.ends_with("VirtualService default/v may inject a fault."));
    let slow = |matched: &Value| of(with(matched, json!({"timeout": "1s"})), late());
    one(slow(&other), Severity::Warning, "Service default/httpbin");
    assert!(slow(&header)[0].what.ends_with("within the timeout, which may be that of VirtualService default/v."));
}

#[test]
fn a_virtual_service_that_the_clients_sidecar_does_not_import_is_no_cause() {
    let sidecar = |hosts: Value| istio("Sidecar", "default/default", json!({"egress": [{"hosts": hosts}]}));
    let of = |namespace: &str| routes(&format!("{namespace}/v"), to_v2());
    blamed([of("legacy"), sidecar(json!(["default/*", "legacy/httpbin.default.svc.cluster.local"]))], "legacy/v", DEAD);
    innocent([of("legacy"), sidecar(json!(["default/*", "istio-system/*"]))]);
    innocent([of("default"), sidecar(json!(["./sleep.default.svc.cluster.local"]))]);
    // A listener of the port goes before the one of all ports.
    let own = json!([{"port": {"number": 8000, "protocol": "HTTP", "name": "h"}, "hosts": ["istio-system/*"]}, {"hosts": ["*/*"]}]);
    innocent([of("legacy"), istio("Sidecar", "default/default", json!({"egress": own}))]);
    blamed([of("legacy"), sidecar(json!(["*/*"]))], "legacy/v", DEAD);
}

#[test]
fn a_name_that_is_no_host_of_a_service_is_no_route_of_a_sidecar() {
    let of = |host: &str| istio("VirtualService", "default/v", json!({"hosts": [host], "http": to_v2()}));
    let with = |host: &str| {
        let line = sent(503, "NC", "cluster_not_found", "-").replace("httpbin:8000", "httpbin.default:8000");
        fails(&failing([of(host)], &[(SLEEP, vec![line; 3])]))
    };
    // Only a name without a dot is completed.
    one(with("httpbin.default"), Severity::Information, "Deployment default/sleep");
    one(with("httpbin"), Severity::Error, "VirtualService default/v");
    one(with("*.default.svc.cluster.local"), Severity::Error, "VirtualService default/v");
}

#[test]
fn a_route_of_the_gateway_api_that_leads_nowhere_is_named() {
    let of_code = |code: u16, flags: &str, details: &str, route: &str| {
        let line = sent(code, flags, details, "-").replace(" - default", &format!(" - {route}"));
        let finding = one(fails(&failing([], &[(SLEEP, vec![line; 3])])), Severity::Error, "Deployment default/sleep");
        assert_eq!(finding.fix.contains("ResolvedRefs"), flags == "NC", "{finding:?}");
        finding.what
    };
    let of = |flags: &str, details: &str, route: &str| of_code(500, flags, details, route);
    let said = of("NC", "cluster_not_found", "default.web.example.0");
    assert!(said.contains("rules[0] of HTTPRoute or GRPCRoute default/web.example has a backendRef that leads to no Service"), "{said}");
    assert!(of("NC", "cluster_not_found", "canary").contains("rule canary of an HTTPRoute or GRPCRoute has a backendRef"));
    assert!(of_code(200, "NC", "cluster_not_found", "default.web.1").contains("rules[1] of HTTPRoute or GRPCRoute default/web"), "gRPC");
    let said = of("-", "direct_response", "default.web.2");
    assert!(said.contains("rules[2] of HTTPRoute or GRPCRoute default/web has no backendRef with a weight"), "{said}");
    // That of a VirtualService is what somebody wrote.
    for (code, route) in [(500, "own"), (503, "default.web.2")] {
        let line = sent(code, "-", "direct_response", "-").replace(" - default", &format!(" - {route}"));
        assert_eq!(fails(&failing([], &[(SLEEP, vec![line; 3])])), []);
    }
}

#[test]
fn what_hides_a_service_from_a_client_whose_requests_are_dropped_is_shown() {
    let of = |host: &str, export_to: Value| {
        let spec = json!({"hosts": ["direct.example"], "addresses": ["10.9.9.9"], "resolution": "STATIC", "exportTo": export_to,
            "endpoints": [{"address": "10.9.9.9"}], "ports": [{"number": 81, "name": "http", "protocol": "HTTP"}]});
        let mode = json!({"mode": "REGISTRY_ONLY"});
        let sidecar = istio("Sidecar", "default/s", json!({"egress": [{"hosts": [host]}], "outboundTrafficPolicy": mode}));
        let line = sent(502, "-", "direct_response", "BlackHoleCluster").replace(" - default", " - block_all");
        let line = line.replace("httpbin:8000", "direct.example:81").replace("10.96.90.99:8000", "10.9.9.9:81");
        let snapshot = failing([istio("ServiceEntry", "legacy/direct", spec), sidecar], &[(SLEEP, vec![line])]);
        one(fails(&snapshot), Severity::Warning, "Sidecar default/s")
    };
    let finding = of("default/*", json!(["*"]));
    assert!(finding.what.ends_with("does not know ServiceEntry legacy/direct, which Sidecar default/s does not import."), "{finding:?}");
    assert!(finding.evidence.contains(&"egress.hosts of Sidecar default/s: default/*".to_owned()), "{finding:?}");
    let finding = of("*/*", json!(["."]));
    assert!(finding.what.ends_with("ServiceEntry legacy/direct, which is not exported to namespace default."), "{finding:?}");
    assert!(finding.evidence.contains(&"exportTo of ServiceEntry legacy/direct: .".to_owned()), "{finding:?}");
}

#[test]
fn a_dead_route_without_requests_is_a_warning_and_with_them_one_finding() {
    let found_by = |objects: Vec<Value>, lines: Vec<String>| found(&failing(objects, &[(SLEEP, lines)]), "reference-not-found");
    let name = "VirtualService default/v";
    let finding = one(found_by(vec![routes("default/v", to_v2())], vec![]), Severity::Warning, name);
    assert_eq!(finding.what, format!("{name} {DEAD}"));
    assert_eq!(finding.evidence, ["it is for requests to httpbin.default.svc.cluster.local"]);
    let nc = || vec![sent(503, "NC", "cluster_not_found", "-")];
    assert_eq!(found_by(vec![routes("default/v", to_v2())], nc()), [], "requests-fail has it");
    // Nobody follows it, or nothing of it is dead.
    let younger = created(routes("default/v", to_v2()), "2026-11-02T00:00:00Z");
    assert_eq!(found_by(vec![routes("default/a", json!([alive(json!({}))])), younger], vec![]), []);
    assert_eq!(found_by(vec![routes("default/v", json!([alive(json!({})), dead(json!({}))]))], vec![]), []);
    // A delegate is named itself.
    let root = istio("VirtualService", "default/root", json!({"hosts": ["httpbin"], "http": [{"delegate": {"name": "dele"}}]}));
    one(
        found_by(vec![root, istio("VirtualService", "default/dele", json!({"http": to_v2()}))], vec![]),
        Severity::Warning,
        "VirtualService default/dele",
    );
}

#[test]
fn a_virtual_service_for_a_gateway_that_does_not_exist_is_a_warning() {
    let of = |gateways: Value| {
        let spec = json!({"hosts": ["web.example"], "gateways": gateways, "http": [alive(json!({}))]});
        let server = json!({"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "hosts": ["*"]});
        let gateway = istio("Gateway", "default/edge", json!({"selector": {"app": "gw"}, "servers": [server]}));
        found(&failing([gateway, istio("VirtualService", "default/v", spec)], &[]), "reference-not-found")
    };
    let finding = one(of(json!(["mesh", "legacy/edge"])), Severity::Warning, "VirtualService default/v");
    assert_eq!(finding.what, "VirtualService default/v is for Gateway legacy/edge, which does not exist.");
    // A dot ends the name and begins the namespace.
    let fine = ["edge", "default/edge", "./edge", "edge.default", "edge.default.svc.cluster.local", "mesh"].map(|name| json!([name]));
    for gateways in fine.into_iter().chain([json!([])]) {
        assert_eq!(of(gateways), []);
    }
}
