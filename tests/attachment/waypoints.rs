//! Which services a waypoint serves, and in which of its chains a plugin stands.

use meshscope::analysis::attachment::{attach, attach_in_waypoint, waypoint};
use meshscope::model::kind::Kind;
use meshscope::model::service::Service;
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use super::support::world::*;

fn served(world: &Snapshot) -> Vec<String> {
    waypoint::served_services(the_pod(world), &world.objects).iter().map(|service| service.name.to_string()).collect()
}

fn use_wp() -> Value {
    json!({"istio.io/use-waypoint": "wp"})
}

fn created(object: Object, at: &str) -> Object {
    with(object, "/metadata/creationTimestamp", json!(at))
}

fn waypoint_gateway(labels: Value, allowed: Value) -> Object {
    let listener = json!({"protocol": "HBONE", "port": 15008, "allowedRoutes": allowed});
    named(Kind::Gateway, "n", "wp", labels, json!({"gatewayClassName": "istio-waypoint", "listeners": [listener]}))
}

#[test]
fn a_waypoint_serves_what_names_it_oldest_first() {
    let objects = [
        waypoint("n", "wp"),
        namespace("n", json!({})),
        created(service("n", "b", use_wp()), "2026-01-01T00:00:02Z"),
        created(service("n", "a", use_wp()), "2026-01-01T00:00:03Z"),
        created(service("n", "z", use_wp()), "2026-01-01T00:00:02Z"),
        created(named(Kind::ServiceEntry, "n", "entry", use_wp(), json!({})), "2026-01-01T00:00:01Z"),
        service("n", "none", json!({"istio.io/use-waypoint": "none"})),
        service("n", "other", json!({"istio.io/use-waypoint": "wp2"})),
        service("n", "unlabelled", json!({})),
        with(service("n", "alias", use_wp()), "/spec/type", json!("ExternalName")),
        service("n", "wp", json!({"istio.io/use-waypoint": "wp", "gateway.istio.io/managed": "istio.io-mesh-controller"})),
    ];
    assert_eq!(served(&world("1.31", &objects)), ["n/entry", "n/b", "n/z", "n/a"]);
    let sidecar = world("1.31", &[sidecar("n", json!({GATEWAY_NAME: "wp"})), service("n", "s", use_wp())]);
    assert!(served(&sidecar).is_empty(), "only a waypoint serves");
}

#[test]
fn a_namespace_names_a_waypoint_for_all_its_services() {
    let of_namespace = |labels: Value| [waypoint("n", "wp"), namespace("n", labels), service("n", "s", json!({}))];
    assert_eq!(served(&world("1.31", &of_namespace(use_wp()))), ["n/s"]);
    assert!(served(&world("1.31", &of_namespace(json!({"istio.io/use-waypoint": "none"})))).is_empty());
    let own = [waypoint("n", "wp"), namespace("n", use_wp()), service("n", "s", json!({"istio.io/use-waypoint": "none"}))];
    assert!(served(&world("1.31", &own)).is_empty(), "the service's own label counts first");
}

#[test]
fn the_gateway_says_whom_it_takes() {
    let far = || service("m", "s", json!({"istio.io/use-waypoint": "wp", "istio.io/use-waypoint-namespace": "n"}));
    let serves = |gateway: Object| {
        let objects = [waypoint("n", "wp"), gateway, namespace("m", json!({"team": "x"})), far()];
        !served(&world("1.31", &objects)).is_empty()
    };
    let all = || json!({"namespaces": {"from": "All"}});
    assert!(serves(waypoint_gateway(json!({}), all())));
    assert!(!serves(waypoint_gateway(json!({}), json!({"namespaces": {"from": "Same"}}))));
    assert!(!serves(waypoint_gateway(json!({}), Value::Null)), "its own namespace is the default");
    let labelled = |selector: Value| waypoint_gateway(json!({}), json!({"namespaces": {"from": "Selector", "selector": selector}}));
    assert!(serves(labelled(json!({"matchLabels": {"team": "x"}}))));
    assert!(!serves(labelled(json!({"matchLabels": {"team": "y"}}))));
    assert!(serves(labelled(json!({"matchExpressions": [{"key": "team", "operator": "In", "values": ["x", "y"]}]}))));
    assert!(!serves(labelled(json!({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}))));
    assert!(!serves(labelled(json!({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["x"]}]}))));
    assert!(serves(labelled(json!({"matchExpressions": [{"key": "team", "operator": "Exists"}]}))));
    for (value, expected) in [("service", true), ("all", true), ("workload", false), ("none", false)] {
        assert_eq!(serves(waypoint_gateway(json!({"istio.io/waypoint-for": value}), all())), expected, "{value}");
    }
}

#[test]
fn a_service_is_targeted_in_its_own_chains_alone() {
    let objects = |spec: Value| [wasm_plugin("n", spec), waypoint("n", "wp"), service("n", "a", use_wp()), service("n", "b", use_wp())];
    let stands = |spec: Value| -> Vec<(String, bool)> {
        let world = world("1.31", &objects(spec));
        let (plugin, pod) = (the_plugin(&world), the_pod(&world));
        let services = waypoint::served_services(pod, &world.objects);
        let of = |service: Option<&Service>| attach_in_waypoint(plugin, pod, service, &world.objects).attached;
        let whole = attach(plugin, pod, &world.objects).attached;
        let chains = services.iter().map(|service| (service.name.name.clone(), of(Some(service))));
        chains.chain([("no service".to_owned(), of(None)), ("the proxy".to_owned(), whole)]).collect()
    };
    let expect = |spec: Value, expected: [bool; 4]| {
        let found = stands(spec);
        assert_eq!(found.iter().map(|(_, stands)| *stands).collect::<Vec<_>>(), expected, "{found:?}");
    };
    expect(targeting(&[target("", "Service", "a")]), [true, false, false, true]);
    expect(targeting(&[target("", "Service", "a"), target("", "Service", "b")]), [true, true, false, true]);
    expect(targeting(&[target(GATEWAY_GROUP, "Gateway", "wp")]), [true, true, true, true]);
    expect(json!({}), [false; 4]);
}
