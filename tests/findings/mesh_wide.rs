//! Rules about mutual TLS and versions.

use meshscope::analysis::findings::Severity;
use serde_json::{Value, json};

use super::recorded::{Mesh, created, object};
use super::{found, of, one, with};

fn policy(name: &str, mode: &str, time: &str) -> Value {
    created(object("security.istio.io/v1", "PeerAuthentication", name, json!({"mtls": {"mode": mode}})), time)
}

fn rule(mode: &str) -> Value {
    let spec = json!({"host": "httpbin.default.svc.cluster.local", "trafficPolicy": {"tls": {"mode": mode}}});
    object("networking.istio.io/v1", "DestinationRule", "default/httpbin", spec)
}

#[test]
fn of_two_policies_of_one_scope_the_younger_is_ignored() {
    let (older, younger) = (policy("default/a", "STRICT", "2026-11-01T00:00:00Z"), policy("default/b", "DISABLE", "2026-11-02T00:00:00Z"));
    let code = "conflicting-peer-authentications";
    let ignored = one(with([older.clone(), younger], code), Severity::Warning, "PeerAuthentication default/b");
    assert!(ignored.what.contains("default/a of the same scope is older"), "{ignored:?}");
    let of_mesh = policy("istio-system/b", "DISABLE", "2026-11-02T00:00:00Z");
    assert_eq!(with([older, of_mesh], code), [], "a wider scope is overridden, as it is meant");
    // No pod of the namespace shows it yet.
    let (first, second) = (policy("empty/a", "STRICT", "2026-11-01T00:00:00Z"), policy("empty/b", "DISABLE", "2026-11-02T00:00:00Z"));
    let ignored = one(with([first.clone(), second.clone()], code), Severity::Warning, "PeerAuthentication empty/b");
    assert!(ignored.evidence[0].contains("empty/a of the same scope is older") && ignored.proxies.is_empty(), "{ignored:?}");
    assert_eq!(with([first.clone(), selecting(second.clone(), "a")], code), [], "another scope");
    let mut canary = first;
    canary["metadata"]["labels"] = json!({"istio.io/rev": "canary"});
    assert_eq!(with([canary, second], code), [], "other istiods do not see the older one");
}

fn selecting(mut policy: Value, app: &str) -> Value {
    policy["spec"]["selector"] = json!({"matchLabels": {"app": app}});
    policy
}

#[test]
fn a_policy_with_a_selector_in_the_root_namespace_is_for_nobody() {
    let of = |name: &str| with([selecting(policy(name, "STRICT", "2026-11-01T00:00:00Z"), "httpbin")], "object-not-used");
    let unused = one(of("istio-system/a"), Severity::Warning, "PeerAuthentication istio-system/a");
    assert_eq!(unused.evidence[1], "1 pod has the labels of its selector app=httpbin");
    assert_eq!(of("default/a"), []);
    assert_eq!(with([policy("istio-system/a", "STRICT", "2026-11-01T00:00:00Z")], "object-not-used"), [], "it is for the whole mesh");
}

#[test]
fn a_destination_rule_against_strict() {
    let strict = || policy("default/a", "STRICT", "2026-11-01T00:00:00Z");
    let code = "destination-rule-refused";
    let finding = one(with([strict(), rule("DISABLE")], code), Severity::Error, "DestinationRule default/httpbin");
    assert!(finding.evidence[0].contains("STRICT takes no plain text"), "{finding:?}");
    assert_eq!(with([strict(), rule("ISTIO_MUTUAL")], code), []);
    assert_eq!(with([rule("DISABLE")], code), [], "PERMISSIVE takes both");
}

fn rule_of(name: &str, spec: Value) -> Value {
    let mut rule = object("networking.istio.io/v1", "DestinationRule", name, spec);
    rule["spec"]["host"] = json!("httpbin.default.svc.cluster.local");
    rule
}

#[test]
fn of_several_destination_rules_the_one_is_named_that_decides() {
    let code = "destination-rule-refused";
    let strict = || policy("default/a", "STRICT", "2026-11-01T00:00:00Z");
    let subsets = |tls: Value| rule_of("default/a-subsets", json!({"subsets": [{"name": "v1", "trafficPolicy": tls}]}));
    let guilty = rule_of("default/b-guilty", json!({"trafficPolicy": {"tls": {"mode": "DISABLE"}}}));
    let finding = one(with([strict(), subsets(json!({})), guilty], code), Severity::Error, "DestinationRule default/b-guilty");
    assert!(finding.fix.starts_with("set the mode of trafficPolicy.tls to ISTIO_MUTUAL"), "{finding:?}");
    let of_port = json!({"trafficPolicy": {"portLevelSettings": [{"port": {"number": 8000}, "tls": {"mode": "SIMPLE"}}]}});
    let finding = one(with([strict(), rule_of("default/port", of_port)], code), Severity::Error, "DestinationRule default/port");
    assert!(finding.fix.contains("trafficPolicy.portLevelSettings.tls (port 8000) to ISTIO_MUTUAL"), "{finding:?}");
    // What the namespace's mode does is no rule's doing.
    let of_workload = selecting(policy("default/wl", "STRICT", "2026-11-01T00:00:00Z"), "httpbin");
    let innocent = rule_of("default/innocent", json!({"trafficPolicy": {"outlierDetection": {"consecutive5xxErrors": 5}}}));
    assert_eq!(with([policy("default/ns", "DISABLE", "2026-11-01T00:00:00Z"), of_workload, innocent], code), []);
}

#[test]
fn a_destination_rule_against_disable() {
    let code = "destination-rule-refused";
    let disabled = |mode: &str| with([policy("default/a", "DISABLE", "2026-11-01T00:00:00Z"), rule(mode)], code);
    let mutual = one(disabled("ISTIO_MUTUAL"), Severity::Error, "DestinationRule default/httpbin");
    assert!(mutual.fix.starts_with("leave trafficPolicy.tls out") && !mutual.fix.contains("ISTIO_MUTUAL"), "{mutual:?}");
    let simple = one(disabled("SIMPLE"), Severity::Error, "DestinationRule default/httpbin");
    assert!(simple.fix.ends_with("set its mode to DISABLE"), "{simple:?}");
    assert_eq!(disabled("DISABLE"), []);
}

#[test]
fn permissive_where_nobody_needs_it() {
    let code = "permissive-without-need";
    one(found(&of(Mesh::permissive()), code), Severity::Information, "Namespace default");
    assert_eq!(found(&of(Mesh::of("strict")), code), []);
    let plain = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "plain"},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Running"}});
    assert_eq!(with([plain], code), [], "a client without a proxy needs it");
    let elsewhere = |namespace: &str| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": "cron"}, "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Running"}})
    };
    let outside = one(with([elsewhere("legacy")], code), Severity::Information, "Namespace default");
    assert!(
        outside.what.ends_with("that no client with a proxy sends.") && outside.evidence[2].ends_with("by namespace: legacy (1)"),
        "{outside:?}"
    );
    assert_eq!(with([elsewhere("kube-system")], code), found(&of(Mesh::permissive()), code), "Kubernetes itself is no client");
    assert_eq!(with([rule("DISABLE")], code).len(), 1, "sleep still takes what nobody sends");
    assert_eq!(with([rule("DISABLE")], code)[0].evidence[0], "every client with a proxy sends mutual TLS to deploy/sleep");
}

#[test]
fn istiods_and_proxies_of_versions_that_differ_in_plugins() {
    let skew = |istiods: &[(&str, &str)]| found(&Mesh::permissive().snapshot(istiods), "version-skew");
    let istiods = one(skew(&[("a", "1.29.2"), ("b", "1.31.0")]), Severity::Warning, "Deployment istio-system/istiod");
    assert_eq!(istiods.evidence, ["from 1.30 on WasmPlugins are translated into TrafficExtensions, and the filters' names changed"]);
    assert_eq!(skew(&[("a", "1.30.0"), ("b", "1.31.0")]), [], "nothing changed between them");
    let third = skew(&[("a", "mine"), ("b", "1.29.2"), ("c", "1.31.0")]);
    assert_eq!(third[0].what, istiods.what, "one that says no version hides nothing of the others");
    let old = skew(&[("a", "1.19.3"), ("b", "1.20.0")]).into_iter().find(|finding| finding.what.starts_with("istiods")).unwrap();
    assert!(old.evidence.iter().any(|line| line.contains("come before those of the root namespace")), "{old:?}");
    // The proxies are of 1.31.
    let newer = one(skew(&[("a", "1.30.1")]), Severity::Warning, "Deployment istio-system/istiod");
    assert!(newer.evidence[0].contains("is 1.31-alpha") && newer.proxies.len() == 2, "{newer:?}");
    let old = one(skew(&[("a", "1.33.0")]), Severity::Warning, "Deployment istio-system/istiod");
    assert_eq!(old.what, "2 proxies are of another version than their istiod.");
    assert!(old.evidence[0].ends_with("one minor version older, and no more"), "as `sync` says it: {old:?}");
    for fine in ["1.31.0", "1.32.0"] {
        assert_eq!(skew(&[("a", fine)]), [], "{fine}");
    }
}

/// A DestinationRule for httpbin that demands these names.
fn demanding(names: &[&str]) -> Value {
    rule_of("default/httpbin", json!({"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL", "subjectAltNames": names}}}))
}

#[test]
fn incident_d18_names_that_the_servers_certificate_has_not() {
    let code = "mtls-mismatch";
    let (old, right) = ("spiffe://cluster.local/ns/default/sa/httpbin-old", "spiffe://cluster.local/ns/default/sa/httpbin");
    let finding = one(with([demanding(&[old])], code), Severity::Error, "DestinationRule default/httpbin");
    assert!(
        finding.what.contains(&format!("DestinationRule default/httpbin wants SAN {old}; the server's certificate has {right}: 1 client")),
        "{finding:?}"
    );
    assert!(!finding.evidence.iter().any(|line| line.contains("wants SAN")), "the sentence is said once: {finding:?}");
    assert!(finding.fix.starts_with(&format!("write {right} into trafficPolicy.tls.subjectAltNames of ")), "{finding:?}");
    assert!(finding.why.contains("CERTIFICATE_VERIFY_FAILED"), "{finding:?}");
    assert_eq!(with([demanding(&[old])], "destination-rule-refused"), [], "one cause, one finding");
    for fine in [&[right][..], &[old, right], &[]] {
        assert_eq!(with([demanding(fine)], code), [], "{fine:?}");
    }
    let disabled = [demanding(&[old]), policy("default/a", "DISABLE", "2026-11-01T00:00:00Z")];
    assert_eq!(with(disabled.clone(), code), [], "nobody terminates it, which is another finding");
    assert_eq!(with(disabled, "destination-rule-refused").len(), 1);
}

#[test]
fn incident_d6_the_server_and_the_clients_that_fail_are_named() {
    let strict = || policy("default/a", "STRICT", "2026-11-01T00:00:00Z");
    let finding = one(with([strict(), rule("DISABLE")], "destination-rule-refused"), Severity::Error, "DestinationRule default/httpbin");
    assert_eq!(
        finding.what,
        "By DestinationRule default/httpbin clients send plain text, which Deployment default/httpbin does not take: 1 client workload fails, \
            deploy/sleep in default."
    );
    let named = |objects: &[meshscope::analysis::findings::FindingObject]| objects.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (named(&finding.workloads), named(&finding.clients)),
        (vec!["Deployment default/httpbin".to_owned()], vec!["Deployment default/sleep".to_owned()])
    );
    // Of many the first are named, all are counted, and one that has no proxy is none of them.
    let client = |number: usize, sidecar: bool| {
        let proxy = json!({"name": "istio-proxy", "args": ["proxy", "sidecar"]});
        let containers = std::iter::once(json!({"name": "app"})).chain(sidecar.then_some(proxy)).collect::<Vec<_>>();
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": format!("client-{number:03}")},
            "spec": {"containers": containers}, "status": {"phase": "Running"}})
    };
    let many = (0..100).map(|number| client(number, number < 99)).chain([strict(), rule("DISABLE")]);
    let finding = one(with(many, "destination-rule-refused"), Severity::Error, "DestinationRule default/httpbin");
    assert!(
        finding
            .what
            .ends_with(": 100 client workloads fail, deploy/sleep in default, pod/client-000 in shop, pod/client-001 in shop and 97 more."),
        "{finding:?}"
    );
    assert_eq!(finding.clients.len(), 20);
}
