//! DestinationRules with TLS that no client uses for a service.

use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::mesh::{Object, pod, rule, service, tls, warned};

const HOST: &str = "w.n.svc.cluster.local";

/// What is said of rules, where the one client is in namespace `c`, and the server in `n`.
fn said(rules: &[Object]) -> Vec<String> {
    let mut server = pod("n", "w");
    // The server is no client of its own.
    server.1["spec"]["containers"] = json!([{"name": "app", "ports": [{"containerPort": 8080}]}]);
    warned(&[&[server, pod("c", "client"), service(80, 8080, "http")], rules].concat())
}

fn with(name: &str, day: u8, change: impl FnOnce(&mut Value)) -> Object {
    let mut rule = rule(name, day, tls("DISABLE"));
    change(&mut rule.1["spec"]);
    rule
}

fn plain(name: &str) -> Object {
    with(name, 2, |_| {})
}

fn of(name: &str, why: &str) -> String {
    format!("DestinationRule {name}: no client uses it for {HOST}: {why}")
}

#[test]
fn the_namespace_that_goes_before_is_named_with_the_rule_of_it() {
    let order = "the client's namespace goes before the service's, and that before the root namespace";
    assert_eq!(said(&[plain("c/c"), plain("n/n")]), [of("n/n", &format!("they use DestinationRule c/c: {order}"))]);
    assert_eq!(said(&[plain("n/n"), plain("istio-system/r")]), [of("istio-system/r", &format!("they use DestinationRule n/n: {order}"))]);
    let why = "it is neither in their namespace nor in that of the service, nor in the root namespace";
    assert_eq!(said(&[plain("x/x"), plain("n/n")]), [of("x/x", why)]);
    assert_eq!(said(&[plain("c/c")]), Vec::<String>::new());
    let general = rule("istio-system/all", 1, json!({"host": "*.local", "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}));
    assert_eq!(said(&[plain("n/n"), general]), Vec::<String>::new(), "what is for many hosts gives way on purpose");
    let without = with("istio-system/r", 1, |spec| spec["trafficPolicy"] = json!({"connectionPool": {}}));
    assert_eq!(said(&[plain("n/n"), without]), Vec::<String>::new(), "it has no TLS");
    // Clients of another namespace use it.
    let rules = [plain("c/c"), plain("n/n"), pod("d", "other")];
    assert_eq!(said(&rules), Vec::<String>::new());
}

#[test]
fn a_rule_that_is_not_exported_to_clients_is_not_used() {
    let private = with("n/n", 1, |spec| spec["exportTo"] = json!(["."]));
    assert_eq!(said(&[private]), [of("n/n", "it is not exported to their namespace")]);
    let config =
        json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": "defaultDestinationRuleExportTo: [.]"}});
    assert_eq!(said(&[plain("n/n"), (Kind::MeshConfigMap, config)]), [of("n/n", "it is not exported to their namespace")]);
}

#[test]
fn a_rule_for_another_spelling_of_the_host_is_for_no_service() {
    for (name, host, full) in
        [("n/r", "w.n", "w.n"), ("n/r", "w.n.svc", "w.n.svc"), ("istio-system/r", "w", "w.istio-system.svc.cluster.local")]
    {
        let said = said(&[with(name, 1, |spec| spec["host"] = json!(host))]);
        assert_eq!(said, [of(name, &format!("no service has its host {full}"))], "{host}");
    }
    for (name, host) in [("n/r", "w"), ("n/r", HOST), ("n/r", "w.other"), ("c/r", "other")] {
        assert_eq!(said(&[with(name, 1, |spec| spec["host"] = json!(host))]), Vec::<String>::new(), "{host}");
    }
}

#[test]
fn of_two_rules_of_a_namespace_the_one_that_counts_is_named() {
    let younger = with("n/b", 3, |spec| spec["exportTo"] = json!(["c", "d"]));
    assert_eq!(said(&[plain("n/a"), younger]), [of("n/a", "they use DestinationRule n/b of the same namespace")]);
}
