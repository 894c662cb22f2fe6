//! The object that makes requests fail: endpoints that are none, ports where nothing listens, circuit breakers, limits; and how bad it is.

use std::sync::Arc;

use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::ids::ProxyId;
use meshscope::model::requests::LostKeys;
use meshscope::model::snapshot::Dump;
use serde_json::{Value, json};

use super::one;
use super::recorded::{HTTPBIN, SLEEP, object};
use super::requests::{TO_HTTPBIN, authorization, failing, fails, gathered, istio, request, sent, served};

const UF: &str = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}";

fn of_client(objects: impl IntoIterator<Item = Value>, lines: &[String]) -> Vec<Finding> {
    fails(&failing(objects, &[(SLEEP, lines.to_vec())]))
}

fn of_server(objects: impl IntoIterator<Item = Value>, lines: &[String]) -> Vec<Finding> {
    fails(&failing(objects, &[(HTTPBIN, lines.to_vec())]))
}

fn unhealthy(cluster: &str, authority: &str) -> String {
    sent(503, "UH", "no_healthy_upstream", cluster).replace("httpbin:8000", authority)
}

/// A request of httpbin that its application did not answer, sent to an address.
fn unanswered(code: u16, flags: &str, details: &str, upstream: &str) -> String {
    let line = request(1, "/get", code, flags, details, "inbound|80||");
    line.replace("10.96.90.99:8000", "10.244.0.4:80").replace(r#""httpbin:8000" "-" "#, &format!(r#""httpbin:8000" "{upstream}" "#))
}

fn service(name: &str, ports: Value) -> Value {
    object("v1", "Service", name, json!({"selector": {"app": "httpbin"}, "ports": ports}))
}

#[test]
fn a_subset_whose_labels_no_pod_has_is_named() {
    let rule = |labels: Value| {
        istio("DestinationRule", "default/httpbin", json!({"host": "httpbin", "subsets": [{"name": "v9", "labels": labels}]}))
    };
    let destination = json!({"host": "httpbin", "subset": "v9"});
    let route = || istio("VirtualService", "default/v", json!({"hosts": ["httpbin"], "http": [{"route": [{"destination": destination}]}]}));
    let line = unhealthy("outbound|8000|v9|httpbin.default.svc.cluster.local", "httpbin:8000");
    let nowhere = json!({"version": "v9"});
    let finding =
        one(of_client([rule(nowhere.clone()), route()], std::slice::from_ref(&line)), Severity::Error, "VirtualService default/v");
    assert_eq!(
        finding.what,
        "deploy/sleep: 1 of 1 to httpbin:8000 are 503 UH: VirtualService default/v routes to subset v9 of DestinationRule default/httpbin, \
         whose labels version=v9 no pod has."
    );
    // Something else routes there, as an EnvoyFilter can.
    let patch = json!({"applyTo": "HTTP_ROUTE", "patch": {"operation": "MERGE"}});
    let patched = istio("EnvoyFilter", "default/routes", json!({"configPatches": [patch]}));
    let finding =
        one(of_client([rule(nowhere.clone()), patched], std::slice::from_ref(&line)), Severity::Error, "DestinationRule default/httpbin");
    assert!(finding.what.ends_with("they go to subset v9 of DestinationRule default/httpbin, whose labels version=v9 no pod has."));
    // Nothing routes there now.
    let finding = one(of_client([rule(nowhere)], std::slice::from_ref(&line)), Severity::Information, "DestinationRule default/httpbin");
    assert!(finding.what.contains(" failed until 00:00:01 UTC (503 UH): they went to subset v9 "), "{finding:?}");
    // Pods have them, and are ready.
    let finding = one(of_client([rule(json!({"app": "httpbin"})), route()], &[line]), Severity::Warning, "Service default/httpbin");
    assert!(finding.what.contains("with app=httpbin was healthy, though 1 of 1 pods are ready now"), "{finding:?}");
    assert!(!finding.fix.contains("are they ready"), "{finding:?}");
}

#[test]
fn a_port_name_that_no_pod_has_is_named() {
    let named =
        |target: Value| service("default/named", json!([{"port": 8000, "targetPort": target}, {"port": 9000, "targetPort": "web"}]));
    let line = unhealthy("outbound|8000||named.default.svc.cluster.local", "named:8000");
    let finding = one(of_client([named(json!("web"))], std::slice::from_ref(&line)), Severity::Error, "Service default/named");
    assert!(finding.what.ends_with("targetPort web of Service default/named is no port name of its pods, so it has no endpoint."));
    // Another port of the service has such a name, not that one.
    let finding = one(of_client([named(json!(80))], &[line]), Severity::Warning, "Service default/named");
    assert!(finding.what.contains("was healthy, though 1 of 1 pods are ready now"), "{finding:?}");
}

#[test]
fn pods_that_are_not_ready_are_named() {
    let pod = |name: &str, phase: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": name, "labels": {"app": "slow"}},
            "spec": {"containers": [{"name": "a"}]}, "status": {"phase": phase, "podIPs": [{"ip": "10.244.0.77"}]}})
    };
    let slow = || object("v1", "Service", "default/slow", json!({"selector": {"app": "slow"}, "ports": [{"port": 8000}]}));
    let line = unhealthy("outbound|8000||slow.default.svc.cluster.local", "slow:8000");
    let finding =
        one(of_client([slow(), pod("slow-1", "Running")], std::slice::from_ref(&line)), Severity::Warning, "Service default/slow");
    assert!(finding.what.contains("none of the 1 pod of Service default/slow is ready") && finding.fix.contains("slow-1"), "{finding:?}");
    // One that has ended is none.
    let finding = one(of_client([slow(), pod("slow-1", "Succeeded")], &[line]), Severity::Warning, "Service default/slow");
    assert!(finding.what.contains("no pod has the labels of Service default/slow"), "{finding:?}");
}

#[test]
fn a_service_entry_has_no_pods_to_look_at() {
    let entry = |more: Value| {
        let mut spec = json!({"hosts": ["api.nowhere.example"], "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}]});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        istio("ServiceEntry", "default/api", spec)
    };
    let cluster = "outbound|80||api.nowhere.example";
    let dns = || unhealthy(cluster, "api.nowhere.example");
    let of = |more: Value, line: String| one(of_client([entry(more)], &[line]), Severity::Warning, "ServiceEntry default/api");
    let finding = of(json!({"resolution": "DNS"}), dns());
    assert!(finding.what.ends_with("are 503 UH: api.nowhere.example of ServiceEntry default/api does not resolve."), "{finding:?}");
    let finding = of(json!({"resolution": "DNS", "endpoints": [{"address": "a.example"}, {"address": "10.0.0.1"}]}), dns());
    assert!(finding.what.ends_with(": a.example of ServiceEntry default/api does not resolve."), "{finding:?}");
    let refused = |details: &str| {
        let line = sent(503, "UF,URX", details, cluster).replace("httpbin:8000", "api.nowhere.example");
        line.replace(r#""api.nowhere.example" "-" "#, r#""api.nowhere.example" "10.200.0.2:5009" "#)
    };
    let endpoints = || json!({"resolution": "STATIC", "endpoints": [{"address": "10.200.0.2"}]});
    let finding = of(endpoints(), refused(UF));
    assert!(finding.what.ends_with(": 10.200.0.2:5009 of ServiceEntry default/api rejects connections."), "{finding:?}");
    let late = of(endpoints(), refused("upstream_reset_before_response_started{connection_timeout}"));
    assert!(late.what.ends_with(": no connection to 10.200.0.2:5009 of ServiceEntry default/api could be made."), "{late:?}");
    for finding in [finding, late] {
        assert!(!finding.fix.contains("pods of"), "{finding:?}");
    }
}

#[test]
fn what_began_before_the_failure_says_nothing_of_what_passes_since() {
    let overflow = |second| request(second, "/get", 503, "UO", "upstream_reset_before_response_started{overflow}", TO_HTTPBIN);
    let passed = |second| request(second, "/get", 200, "-", "via_upstream", TO_HTTPBIN);
    let rule = || istio("DestinationRule", "default/r", json!({"host": "httpbin", "trafficPolicy": {"connectionPool": {"http": {}}}}));
    let of = |lines: &[String]| of_client([rule()], lines);
    // Eight at once: those that pass end later.
    let burst: Vec<String> = (0..6).map(|_| overflow(1)).chain([passed(1), passed(0)]).collect();
    let finding = one(of(&burst), Severity::Warning, "DestinationRule default/r");
    assert!(
        finding.what.contains("6 of 8 to httpbin:8000 are 503 UO: a circuit breaker is open: connectionPool of DestinationRule default/r")
    );
    assert!(finding.evidence.iter().any(|line| line == "UO: a circuit breaker is open"), "{finding:?}");
    // One alone does not open it.
    let then: Vec<String> = burst.iter().cloned().chain([passed(2)]).collect();
    assert_eq!(of(&then).len(), 1);
    let enough: Vec<String> = burst.into_iter().chain((0..7).map(|_| passed(2))).collect();
    assert_eq!(of(&enough), []);
    let denied = request(3, "/a", 403, "-", "rbac_access_denied_matched_policy[none]", "inbound|80||");
    let early = request(2, "/a", 200, "-", "via_upstream", "inbound|80||");
    assert_eq!(gathered([denied.clone(), early]).failed[0].passed, 0);
    assert_eq!(gathered([denied, request(4, "/a", 200, "-", "via_upstream", "inbound|80||")]).failed[0].passed, 1);
}

#[test]
fn a_sidecar_that_leads_where_nothing_listens_is_named() {
    let sidecar = |endpoint: &str| {
        let ingress = json!([{"port": {"number": 81, "protocol": "HTTP", "name": "other"}, "defaultEndpoint": "127.0.0.1:8081"},
            {"port": {"number": 80, "protocol": "HTTP", "name": "http"}, "defaultEndpoint": endpoint}]);
        istio("Sidecar", "default/s", json!({"workloadSelector": {"labels": {"app": "httpbin"}}, "ingress": ingress}))
    };
    let line = |upstream: &str| unanswered(503, "UF", UF, upstream);
    let finding = one(of_server([sidecar("127.0.0.1:8081")], &[line("127.0.0.1:8081")]), Severity::Warning, "Sidecar default/s");
    assert!(
        finding.what.ends_with("Sidecar default/s sends port 80 to 127.0.0.1:8081, where nothing listens (ingress[1].defaultEndpoint)."),
        "{finding:?}"
    );
    // It was mended since: its endpoint is not the one that was tried.
    let finding = one(of_server([sidecar("127.0.0.1:80")], &[line("127.0.0.1:8081")]), Severity::Information, "Deployment default/httpbin");
    assert!(finding.what.contains("went to port 8081 of the application, where nothing listens, and no object sends them there now"));
    let timeout = unanswered(503, "UF", "upstream_reset_before_response_started{connection_timeout}", "127.0.0.1:8081");
    let finding = one(of_server([sidecar("127.0.0.1:8081")], &[timeout]), Severity::Warning, "Sidecar default/s");
    assert!(finding.what.contains("which takes no connection"), "{finding:?}");
}

#[test]
fn a_service_that_leads_where_nothing_listens_is_named() {
    let leading = || service("default/httpbin", json!([{"name": "http", "port": 8000, "targetPort": 81}]));
    let finding = one(of_server([leading()], &[unanswered(503, "UF", UF, "10.244.0.4:81")]), Severity::Warning, "Service default/httpbin");
    assert!(
        finding.what.contains("Service default/httpbin leads to port 81, where nothing listens; the container declares 80"),
        "{finding:?}"
    );
    // The container declares the port, and the application is not there (yet).
    let finding = one(of_server([], &[unanswered(503, "UF", UF, "10.244.0.4:80")]), Severity::Warning, "Deployment default/httpbin");
    assert!(finding.what.contains("nothing listens on port 80 of the application") && finding.fix.contains("127.0.0.1"), "{finding:?}");
}

#[test]
fn a_port_that_is_named_grpc_is_named() {
    let of = |port: Value, flags: &str| {
        of_server(
            [service("default/httpbin", json!([port]))],
            &[unanswered(502, flags, "upstream_reset_before_response_started{protocol_error}", "10.244.0.4:80")],
        )
    };
    let finding = one(of(json!({"name": "grpc", "port": 8000, "targetPort": 80}), "UPE"), Severity::Error, "Service default/httpbin");
    assert!(
        finding
            .what
            .ends_with("port 8000 of Service default/httpbin is named grpc, so the proxy speaks HTTP/2, which the application does not."),
        "{finding:?}"
    );
    let app = json!({"name": "x", "appProtocol": "http2", "port": 8000, "targetPort": 80});
    let finding = one(of(app, "UPE"), Severity::Error, "Service default/httpbin");
    assert!(finding.what.contains("has appProtocol http2, so the proxy speaks HTTP/2"), "{finding:?}");
    // An application of HTTP/1.1 that answers something else, and one that hangs up.
    let finding = one(of(json!({"name": "http", "port": 8000, "targetPort": 80}), "UPE"), Severity::Warning, "Deployment default/httpbin");
    assert!(finding.what.contains("breaks the protocol"), "{finding:?}");
    let finding = one(of(json!({"name": "grpc", "port": 8000, "targetPort": 80}), "UC"), Severity::Warning, "Deployment default/httpbin");
    assert!(finding.what.contains("ended the connection") && finding.fix.contains("HTTP/2"), "{finding:?}");
}

#[test]
fn an_object_by_which_none_passes_is_an_error() {
    let policy = || authorization("default/p", json!({"action": "DENY", "rules": [{}]}));
    let denied = |count: usize| vec![served("/a", 403, "rbac_access_denied_matched_policy[ns[default]-policy[p]-rule[0]]"); count];
    let severity = |lines: Vec<String>| of_server([policy()], &lines)[0].severity;
    assert_eq!(severity(denied(3)), Severity::Error);
    assert_eq!(severity(denied(2)), Severity::Warning, "two are few");
    let mut some = denied(3);
    some.push(served("/b", 200, "via_upstream"));
    assert_eq!(severity(some), Severity::Warning, "others pass");
    // Two policies deny all there is.
    let other = served("/b", 403, "rbac_access_denied_matched_policy[ns[default]-policy[q]-rule[0]]");
    let both = denied(3).into_iter().chain([other]).collect();
    assert_eq!(severity(both), Severity::Error);
}

#[test]
fn an_envoy_filter_that_answers_is_named() {
    let filter = |name: &str, context: &str| {
        let patch = json!({"applyTo": "HTTP_FILTER", "match": {"context": context}, "patch": {"operation": "INSERT_BEFORE", "value": {"name": name}}});
        istio("EnvoyFilter", "default/limit", json!({"configPatches": [patch]}))
    };
    let limited = || [served("/a", 429, "local_rate_limited").replace("429 -", "429 RL")];
    let of = |filter: Value| of_server([filter], &limited());
    let finding =
        one(of(filter("envoy.filters.http.local_ratelimit", "SIDECAR_INBOUND")), Severity::Information, "EnvoyFilter default/limit");
    assert!(finding.what.contains("by EnvoyFilter default/limit (not a plugin)") && !finding.fix.contains("own log"), "{finding:?}");
    for other in [filter("envoy.filters.http.local_ratelimit", "SIDECAR_OUTBOUND"), filter("envoy.filters.http.lua", "ANY")] {
        let finding = one(of(other), Severity::Information, "Deployment default/httpbin");
        assert!(!finding.what.contains("default/limit") && !finding.fix.contains("own log"), "{finding:?}");
    }
}

const NONE: &str = "rbac_access_denied_matched_policy[none]";

fn allowing(rules: Value) -> Value {
    authorization("default/a", json!({"rules": rules}))
}

fn authentication(rule: Value) -> Value {
    object("security.istio.io/v1", "RequestAuthentication", "default/jwt", json!({"jwtRules": [rule]}))
}

#[test]
fn what_only_http_has_matches_no_tcp() {
    let line = || {
        format!(
            r#"[2026-12-01T00:00:01.000Z] "- - -" 0 - - {NONE} "-" 0 0 0 - "-" "-" "-" "-" "-" inbound|80|| - 10.244.0.4:80 10.244.0.5:39208 - -"#
        )
    };
    let of = |rules: Value| one(of_server([allowing(rules)], &[line()]), Severity::Warning, "AuthorizationPolicy default/a");
    let operation = |operation: Value| json!({"to": [{"operation": operation}]});
    let finding = of(json!([operation(json!({"methods": ["GET"]}))]));
    assert!(
        finding.what.ends_with("allows them (not a plugin): methods is a field of HTTP, and port 80 is TCP, so they match nothing."),
        "{finding:?}"
    );
    assert!(finding.evidence.iter().all(|line| !line.ends_with(": ")), "{finding:?}");
    let by_header = json!([{"when": [{"key": "request.headers[x]", "values": ["y"]}]}]);
    assert!(of(by_header).what.contains("request.headers[x] is a field of HTTP"));
    // One rule is for TCP too, and does not fit.
    for other in [operation(json!({"ports": ["81"]})), json!({"from": [{"source": {"namespaces": ["a"]}}]})] {
        let finding = of(json!([operation(json!({"methods": ["GET"]})), other]));
        assert!(!finding.what.contains("HTTP"), "{finding:?}");
    }
    // Over HTTP the method is what does not fit.
    let of_http = of_server([allowing(json!([operation(json!({"methods": ["GET"]}))]))], &[served("/a", 403, NONE)]);
    assert!(!of_http[0].what.contains("field of HTTP"), "{of_http:?}");
}

#[test]
fn requests_without_a_jwt_are_said_to_have_none_where_that_is_sure() {
    let of =
        |objects: Vec<Value>| one(of_server(objects, &[served("/a", 403, NONE)]), Severity::Warning, "AuthorizationPolicy default/a").what;
    let principal = |name: &str| json!([{"from": [{"source": {"requestPrincipals": [name]}}]}]);
    let jwt = || authentication(json!({"issuer": "i", "jwks": "{}"}));
    assert!(of(vec![allowing(principal("*")), jwt()]).ends_with("(not a plugin): the requests carry no JWT."));
    let other = object("security.istio.io/v1", "RequestAuthentication", "default/x", json!({"selector": {"matchLabels": {"app": "x"}}}));
    assert!(of(vec![allowing(principal("i/s")), other]).contains("no RequestAuthentication is there that takes a JWT"));
    // It can be another principal, or another path.
    let also = json!([{"from": [{"source": {"requestPrincipals": ["*"]}}], "to": [{"operation": {"paths": ["/b"]}}]}]);
    for rules in [principal("i/s"), also] {
        assert!(of(vec![allowing(rules), jwt()]).ends_with("allows them (not a plugin)."));
    }
}

#[test]
fn keys_that_could_not_be_fetched_are_said() {
    let of = |rule: Value, why: &str| {
        let line = served("/a", 401, &format!("jwt_authn_access_denied{{{why}}}"));
        one(of_server([authentication(rule)], &[line]), Severity::Warning, "RequestAuthentication default/jwt")
    };
    let uri = || json!({"issuer": "i", "jwksUri": "http://jwks.nowhere.lab/keys"});
    let finding = of(uri(), "Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt");
    assert!(finding.what.contains("from Jwt, or the keys of jwtRules[0].jwksUri could not be fetched (not a plugin)"), "{finding:?}");
    assert!(finding.fix.contains("istiod logs"), "{finding:?}");
    assert!(of(json!({"issuer": "i"}), "Jwt_verification_fails").what.contains("the keys of jwtRules[0].issuer"));
    // By istiod's log they could not be.
    let line = served("/a", 401, "jwt_authn_access_denied{Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt}");
    let mut snapshot = failing([authentication(uri())], &[(HTTPBIN, vec![line])]);
    let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&ProxyId::parse(HTTPBIN).unwrap()) else { panic!() };
    let lost = |source: &str| LostKeys { source: source.to_owned(), time: Some(0), line: "Failed to fetch public key".to_owned() };
    let requests = Arc::make_mut(loaded).vitals.as_mut().unwrap().requests.as_mut().unwrap();
    requests.lost_keys = vec![lost("http://other.lab"), lost("http://jwks.nowhere.lab/keys")];
    let finding = one(fails(&snapshot), Severity::Warning, "RequestAuthentication default/jwt");
    let said = "RequestAuthentication default/jwt: istiod could not fetch the keys of jwtRules[0].jwksUri (http://jwks.nowhere.lab/keys), so that no JWT is valid";
    assert!(finding.what.contains(said), "{finding:?}");
    assert!(finding.evidence.iter().any(|line| line == "log of istiod at 00:00:00 UTC: Failed to fetch public key"), "{finding:?}");
    // Its own keys are there, and a JWT that is missing or too old needs none.
    assert!(!of(json!({"issuer": "i", "jwks": "{}"}), "Jwt_verification_fails").what.contains("fetched"));
    assert!(!of(uri(), "Jwt_is_missing").what.contains("fetched"));
    assert!(!of(uri(), "Jwt_is_expired").what.contains("fetched"));
}

#[test]
fn http_1_0_that_the_proxy_does_not_accept_is_named() {
    let line = |flags: &str| sent(426, flags, "low_version", "-").replace("HTTP/1.1", "HTTP/1.0");
    for flags in ["-", "DPE"] {
        let finding = one(of_client([], &[line(flags)]), Severity::Warning, "Deployment default/sleep");
        assert!(finding.what.ends_with(": the client speaks HTTP/1.0, which the proxy does not accept."), "{finding:?}");
        assert!(finding.fix.contains("PILOT_HTTP10"), "{finding:?}");
    }
    // istiod lets proxies accept it now.
    let istiod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "istio-system", "name": "istiod-1", "labels": {"app": "istiod", "istio.io/rev": "default"}},
        "spec": {"containers": [{"name": "discovery", "env": [{"name": "PILOT_HTTP10", "value": "true"}]}]}, "status": {"phase": "Running"}});
    let finding = one(of_client([istiod], &[line("-")]), Severity::Information, "Deployment default/sleep");
    assert!(finding.what.contains(" failed until ") && finding.what.contains("(PILOT_HTTP10)"), "{finding:?}");
}
