//! Which proxies a plugin applies to, as istiod decides it, release by release.

mod support;

#[path = "attachment/eras.rs"]
mod eras;
#[path = "attachment/misses.rs"]
mod misses;
#[path = "attachment/waypoints.rs"]
mod waypoints;

use meshscope::analysis::attachment::listener_match::{Class, accepts, traffic_selectors};
use meshscope::analysis::era::Version;
use meshscope::model::kind::Kind;
use meshscope::model::plugin::{TrafficSelector, WorkloadMode};
use serde_json::{Value, json};

use support::world::*;

/// Istio's own table for `ShouldAttachPolicy` (`pilot/pkg/model/policyattachment_test.go: TestPolicyMatcher`), case by case.
#[test]
fn attachment_is_istiods() {
    let app = || sidecar("default", json!({"app": "my-app"}));
    let ingress = || gateway("default", "sample-gateway");
    let wp = || waypoint("default", "sample-waypoint");
    let to_gateway = || target(GATEWAY_GROUP, "Gateway", "sample-gateway");
    let to_waypoint = || target(GATEWAY_GROUP, "Gateway", "sample-waypoint");
    let single = |target: Value| json!({"targetRef": target});
    let both = |target: Value, labels: Value| json!({"targetRef": target, "selector": {"matchLabels": labels}});
    let of_app = || json!({"app": "my-app"});
    let of_gateway = || json!({GATEWAY_NAME: "sample-gateway"});
    let of_waypoint = || json!({GATEWAY_NAME: "sample-waypoint"});
    let nothing = || json!({});
    let use_waypoint = || json!({"istio.io/use-waypoint": "sample-waypoint"});
    let svc = || service("default", "sample-svc", use_waypoint());
    let entry = || named(Kind::ServiceEntry, "default", "sample-svc-entry", use_waypoint(), json!({"hosts": ["x.example"]}));
    let no_selectors = || {
        let env = json!([{"name": "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", "value": "false"}]);
        let spec = json!({"containers": [{"name": "discovery", "env": env}]});
        named(Kind::Pod, "istio-system", "istiod-1", json!({"app": "istiod", "istio.io/rev": "default"}), spec)
    };
    let cases: Vec<(&str, Object, Value, Vec<Object>, bool)> = vec![
        ("non-gateway API workload and a targetRef", app(), single(to_gateway()), vec![], false),
        ("non-gateway API workload and a selector", app(), selecting(of_app()), vec![], true),
        ("non-gateway API workload and both", app(), both(to_gateway(), of_app()), vec![], false),
        ("non-gateway API workload and neither", app(), nothing(), vec![], true),
        ("gateway API ingress and a targetRef", ingress(), single(to_gateway()), vec![], true),
        ("gateway API ingress and a selector", ingress(), selecting(of_gateway()), vec![], true),
        ("gateway API ingress and a selector (policy attachment only)", ingress(), selecting(of_gateway()), vec![no_selectors()], false),
        ("gateway API ingress and both", ingress(), both(to_gateway(), of_gateway()), vec![no_selectors()], true),
        ("gateway API ingress and non-matching targetRef", ingress(), single(to_waypoint()), vec![], false),
        ("gateway API ingress and neither", ingress(), nothing(), vec![], true),
        ("gateway API ingress and neither (policy attachment only)", ingress(), nothing(), vec![no_selectors()], false),
        ("waypoint and a targetRef", wp(), single(to_waypoint()), vec![], true),
        ("waypoint and a selector", wp(), selecting(of_waypoint()), vec![], false),
        ("waypoint and both", wp(), both(to_waypoint(), of_waypoint()), vec![], true),
        ("waypoint and neither", wp(), nothing(), vec![], false),
        ("waypoint and non-matching targetRef", wp(), single(to_gateway()), vec![], false),
        ("waypoint and matching targetRefs", wp(), targeting(&[to_waypoint()]), vec![], true),
        ("waypoint and partial matching targetRefs", wp(), targeting(&[to_waypoint(), to_gateway()]), vec![], true),
        ("waypoint and non matching targetRefs", wp(), targeting(&[to_gateway()]), vec![], false),
        ("service attached policy", wp(), targeting(&[target("", "Service", "sample-svc")]), vec![svc()], true),
        ("the core group written out", wp(), targeting(&[target("core", "Service", "sample-svc")]), vec![svc()], true),
        (
            "service entry attached policy",
            wp(),
            targeting(&[target("networking.istio.io", "ServiceEntry", "sample-svc-entry")]),
            vec![entry()],
            true,
        ),
        (
            "service entry policy selecting a Service",
            wp(),
            targeting(&[target("networking.istio.io", "ServiceEntry", "sample-svc")]),
            vec![svc()],
            false,
        ),
        ("gateway attached policy with service", wp(), targeting(&[to_waypoint()]), vec![svc()], true),
        (
            "gateway attached policy with cross-namespace service",
            waypoint("waypoint", "sample-waypoint"),
            targeting(&[to_waypoint()]),
            vec![service(
                "default",
                "sample-svc",
                json!({"istio.io/use-waypoint": "sample-waypoint", "istio.io/use-waypoint-namespace": "waypoint"}),
            )],
            false,
        ),
        (
            "gateway class in a namespace that is not the root",
            wp(),
            targeting(&[target(GATEWAY_GROUP, "GatewayClass", "istio-waypoint")]),
            vec![],
            false,
        ),
    ];
    for (name, pod, spec, others, expected) in cases {
        let objects: Vec<Object> = [vec![wasm_plugin("default", spec), pod], others].concat();
        let decision = decide(&world("1.31", &objects));
        assert_eq!(decision.attached, expected, "{name}: {}", decision.reason);
    }
    let classic = pod("default", "w", json!({"istio": "ingressgateway"}), "router");
    assert!(decide(&world("1.31", &[wasm_plugin("istio-system", selecting(json!({"istio": "ingressgateway"}))), classic])).attached);
    let machine = named(Kind::WorkloadEntry, "default", "w", json!({"vm": "yes"}), json!({"labels": {"app": "my-app"}}));
    let both_labels = wasm_plugin("default", selecting(json!({"app": "my-app", "vm": "yes"})));
    assert!(decide(&world("1.31", &[both_labels, machine])).attached, "a WorkloadEntry's own labels and those in its spec");
    let class = wasm_plugin("istio-system", targeting(&[target(GATEWAY_GROUP, "GatewayClass", "istio-waypoint")]));
    assert!(decide(&world("1.31", &[class.clone(), wp()])).attached, "gateway class in the root namespace");
    assert!(!decide(&world("1.31", &[class, ingress()])).attached, "a gateway is of no class in this sense");
}

/// Istio's own table for `match` (`pilot/pkg/model/extensions_test.go: TestMatchListener`), and what stands beside it.
#[test]
fn match_lets_a_plugin_into_chains_by_mode_and_port() {
    use WorkloadMode::{Client, ClientAndServer, Server};
    let item = |mode, ports: &[u16]| TrafficSelector { mode, ports: ports.to_vec() };
    let cases: Vec<(Vec<TrafficSelector>, Class, u16, bool)> = vec![
        (vec![], Class::Inbound, 0, true),
        (vec![item(ClientAndServer, &[])], Class::Outbound, 0, true),
        (vec![item(Server, &[])], Class::Inbound, 80, true),
        (vec![item(Server, &[])], Class::Outbound, 80, false),
        (vec![item(Server, &[])], Class::Gateway, 80, false),
        (vec![item(Client, &[])], Class::Inbound, 80, false),
        (vec![item(Client, &[])], Class::Outbound, 80, true),
        (vec![item(Client, &[])], Class::Gateway, 80, true),
        (vec![item(ClientAndServer, &[80, 443])], Class::Gateway, 443, true),
        (vec![item(ClientAndServer, &[80, 443])], Class::Gateway, 8080, false),
        (vec![item(Client, &[80])], Class::Inbound, 80, false),
        (vec![item(Client, &[80]), item(Server, &[8080])], Class::Inbound, 8080, true),
        (vec![item(Client, &[80]), item(Server, &[8080])], Class::Outbound, 8080, false),
        // A passthrough chain and a waypoint's HTTP chain have no port, so an item with ports never accepts them.
        (vec![item(ClientAndServer, &[80])], Class::Inbound, 0, false),
        // A number that no port can have matches nothing, not everything.
        (vec![item(ClientAndServer, &[0])], Class::Inbound, 0, false),
        (vec![item(ClientAndServer, &[0])], Class::Inbound, 80, false),
    ];
    for (matches, class, port, expected) in cases {
        assert_eq!(accepts(&matches, class, port), expected, "{matches:?} in {class:?} {port}");
    }
    let server = world("1.31", &[wasm_plugin("n", json!({"match": [{"mode": "SERVER"}]}))]);
    let plugin = the_plugin(&server);
    assert_eq!(traffic_selectors(plugin, Version::parse("1.15.7")), [], "until 1.15 there is no such field");
    assert_eq!(traffic_selectors(plugin, Version::parse("1.16.0")).len(), 1);
    assert_eq!(traffic_selectors(plugin, None).len(), 1);
}

#[test]
fn a_type_is_where_the_kind_has_it() {
    use meshscope::model::plugin::PluginType::{Http, Network};
    let of = |object: Object| the_plugin(&world("", &[object])).plugin_type;
    assert_eq!(of(wasm_plugin("n", json!({"type": "NETWORK"}))), Network);
    assert_eq!(of(extension("n", json!({"wasm": {"url": "oci://x/y", "type": "NETWORK"}}))), Network);
    assert_eq!(of(extension("n", json!({"type": "NETWORK", "wasm": {"url": "oci://x/y"}}))), Http, "there is no such field");
}
