//! Plugins of every scope, phase and type, and an EnvoyFilter.

use serde_json::{Value, json};

use super::super::world::{is_lab, mesh};
use super::{HELLOWORLD, State, list, object, on, service, settled, wasm_plugin};

const INBOUND: &str = "virtualInbound";

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn match_by_mode_and_port() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let plugin = |name: &str, matches: Value| wasm_plugin(&format!("default/{name}"), json!({"selector": on("httpbin"), "match": matches}));
    State {
        what: "match by mode and port",
        manifests: vec![
            plugin("e2e-server-port", json!([{"mode": "SERVER", "ports": [{"number": 80}]}])),
            plugin("e2e-service-port", json!([{"mode": "SERVER", "ports": [{"number": 8000}]}])),
            plugin("e2e-server", json!([{"mode": "SERVER"}])),
            plugin("e2e-client", json!([{"mode": "CLIENT"}])),
            plugin("e2e-client-port", json!([{"mode": "CLIENT", "ports": [{"number": 8000}]}])),
            plugin("e2e-either", json!([{"ports": [{"number": 8000}]}, {"mode": "CLIENT_AND_SERVER", "ports": [{"number": 80}]}])),
        ],
        numbers: &[
            ("httpbin", INBOUND, "default/e2e-server-port", 2),
            ("httpbin", INBOUND, "default/e2e-service-port", 0),
            ("httpbin", INBOUND, "default/e2e-server", 4),
            ("httpbin", INBOUND, "default/e2e-client", 0),
            ("httpbin", INBOUND, "default/e2e-either", 2),
            ("httpbin", "0.0.0.0_8000", "default/e2e-server", 0),
            ("httpbin", "0.0.0.0_8000", "default/e2e-client", 1),
            ("httpbin", "0.0.0.0_8000", "default/e2e-client-port", 1),
            ("httpbin", "0.0.0.0_80", "default/e2e-client-port", 0),
            ("httpbin", "0.0.0.0_80", "default/e2e-either", 1),
            ("httpbin", INBOUND, HELLOWORLD, 4),
        ],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn plugins_that_reach_from_afar_and_those_that_nearly_do() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let targets = json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "httpbin"}]);
    let mut revision = wasm_plugin("default/e2e-revision", json!({}));
    revision["metadata"]["labels"] = json!({"istio.io/rev": "e2e"});
    let numbers = [
        ("httpbin", INBOUND, "istio-system/e2e-root", 4),
        ("sleep", INBOUND, "istio-system/e2e-root", 4),
        ("httpbin", "0.0.0.0_8000", "istio-system/e2e-root", 1),
        ("httpbin", INBOUND, "istio-system/e2e-root-sleep", 0),
        ("sleep", INBOUND, "istio-system/e2e-root-sleep", 4),
        ("sleep", INBOUND, "default/e2e-namespace", 4),
    ];
    let none = ["default/e2e-label", "default/e2e-target", "kube-system/e2e-elsewhere", "default/e2e-revision"];
    let none = none.into_iter().flat_map(|plugin| ["httpbin", "sleep"].map(|proxy| (proxy, INBOUND, plugin, 0)));
    State {
        what: "plugins of the root namespace, of a namespace, and near-misses",
        manifests: vec![
            wasm_plugin("istio-system/e2e-root", json!({})),
            wasm_plugin("istio-system/e2e-root-sleep", json!({"selector": on("sleep")})),
            wasm_plugin("default/e2e-namespace", json!({})),
            wasm_plugin("default/e2e-label", json!({"selector": {"matchLabels": {"app": "httpbin", "version": "v2"}}})),
            wasm_plugin("default/e2e-target", json!({"targetRefs": targets})),
            wasm_plugin("kube-system/e2e-elsewhere", json!({"selector": on("httpbin")})),
            revision,
        ],
        numbers: &numbers.into_iter().chain(none).collect::<Vec<_>>(),
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn several_phases_and_priorities_in_their_order() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let plugin = |name: &str, spec: Value| {
        let mut spec = spec;
        spec["selector"] = on("httpbin");
        wasm_plugin(name, spec)
    };
    let lua =
        json!({"selector": on("httpbin"), "phase": "AUTHZ", "priority": 10, "lua": {"inlineCode": "function envoy_on_request(h) end"}});
    let manifests = [
        plugin("istio-system/e2e-root", json!({"phase": "AUTHN"})),
        plugin("default/e2e-b", json!({"phase": "AUTHN", "priority": -5})),
        plugin("default/e2e-a", json!({"phase": "AUTHN"})),
        plugin("default/e2e-ab", json!({"phase": "AUTHN"})),
        plugin("default/e2e-authz", json!({"phase": "AUTHZ", "priority": 9})),
        plugin("default/e2e-stats", json!({"phase": "STATS"})),
        plugin("default/e2e-zero", json!({"priority": 0})),
        object("extensions.istio.io/v1alpha1", "TrafficExtension", "default/e2e-lua", lua),
    ];
    let applied = super::Applied::new(json!({"apiVersion": "v1", "kind": "List", "items": manifests}).to_string());
    let answer =
        settled("plugins of each phase", &[("httpbin", INBOUND, "default/e2e-zero", 4), ("httpbin", INBOUND, "default/e2e-lua", 4)], &[]);
    // A marked name ends in `~`, which sorts after every letter: `e2e-ab` comes before `e2e-a` where they are of one second.
    let of_one_second = ["default/e2e-ab", "default/e2e-a"];
    let of_two = ["default/e2e-a", "default/e2e-ab"];
    let httpbin = list(&answer["proxies"]).find(|proxy| proxy["proxy"].as_str().unwrap().starts_with("httpbin")).unwrap();
    let inbound = list(&httpbin["listeners"]).find(|listener| listener["name"] == INBOUND && listener["state"] == "active").unwrap();
    let mut held = 0;
    for chain in list(&inbound["filterChains"]).filter(|chain| list(&chain["httpFilters"]).count() > 0) {
        let order: Vec<&str> = list(&chain["httpFilters"]).filter_map(|filter| filter["plugin"].as_str()).collect();
        let expected = |middle: [&'static str; 2]| {
            [
                &["default/e2e-b"][..],
                &middle,
                &["istio-system/e2e-root", "default/e2e-lua", "default/e2e-authz", "default/e2e-stats", "default/e2e-zero", HELLOWORLD],
            ]
            .concat()
        };
        assert!(order == expected(of_one_second) || order == expected(of_two), "{order:?}");
        held += 1;
    }
    assert_eq!(held, 4);
    drop(applied);
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn network_plugins_and_which_port_they_are_matched_by() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let network = |name: &str, matches: Value| {
        wasm_plugin(&format!("default/{name}"), json!({"selector": on("httpbin"), "type": "NETWORK", "match": matches}))
    };
    let ports = json!([{"name": "tcp-x", "port": 7500, "targetPort": 7501}, {"name": "detected", "port": 7510, "targetPort": 7511}, {"name": "http-z", "port": 7520, "targetPort": 7521}]);
    State {
        what: "a network plugin alone",
        manifests: vec![network("e2e-net", json!([]))],
        // Every inbound chain but the blackhole; outbound the HTTP chain of a listener, not its way out.
        numbers: &[
            ("httpbin", INBOUND, "default/e2e-net", 7),
            ("httpbin", "0.0.0.0_8000", "default/e2e-net", 1),
            ("sleep", INBOUND, "default/e2e-net", 0),
        ],
        ..State::default()
    }
    .holds();
    let server = |ports: &[u16]| json!([{"mode": "SERVER", "ports": ports.iter().map(|port| json!({"number": port})).collect::<Vec<_>>()}]);
    State {
        what: "network plugins by service port and by target port",
        manifests: vec![
            service("default/e2e", json!({"selector": {"app": "httpbin"}, "ports": ports})),
            network("e2e-net", json!([])),
            network("e2e-target", server(&[7501, 7511, 7521])),
            network("e2e-service", server(&[7500, 7510, 7520])),
            network("e2e-first", json!([{"mode": "CLIENT", "ports": [{"number": 7510}]}])),
        ],
        // Chains with HTTP are matched by the target port, those without by the service's.
        numbers: &[
            ("httpbin", INBOUND, "default/e2e-net", 7 + 3 + 5 + 2),
            ("httpbin", INBOUND, "default/e2e-target", 2 + 2),
            ("httpbin", INBOUND, "default/e2e-service", 3 + 3),
            ("httpbin", INBOUND, "default/e2e-first", 0),
            ("httpbin", INBOUND, HELLOWORLD, 4 + 2 + 2),
        ],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_lua_script_stands_in_the_listener_itself() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let lua = json!({"selector": on("sleep"), "lua": {"inlineCode": "function envoy_on_request(h) end"}, "match": [{"mode": "CLIENT"}]});
    State {
        what: "Lua in a TrafficExtension",
        manifests: vec![object("extensions.istio.io/v1alpha1", "TrafficExtension", "default/e2e-lua", lua)],
        numbers: &[
            ("sleep", "0.0.0.0_8000", "default/e2e-lua", 1),
            ("sleep", INBOUND, "default/e2e-lua", 0),
            ("httpbin", "0.0.0.0_8000", "default/e2e-lua", 0),
        ],
        ..State::default()
    }
    .holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn an_envoy_filter_makes_a_note_of_a_prediction() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let lua = json!({"name": "e2e.lua", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_request(h) end"}}});
    let filter = |name: &str, app: &str, context: &str| {
        let patch = json!({"applyTo": "HTTP_FILTER", "patch": {"operation": "INSERT_FIRST", "value": lua}, "match": {"context": context,
            "listener": {"filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}}}});
        object(
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            name,
            json!({"workloadSelector": {"labels": {"app": app}}, "configPatches": [patch]}),
        )
    };
    State {
        what: "an EnvoyFilter on httpbin's inbound chains, and others that do not reach it",
        manifests: vec![
            filter("default/e2e-lua", "httpbin", "SIDECAR_INBOUND"),
            filter("default/e2e-other", "httpbin-not", "SIDECAR_INBOUND"),
            filter("kube-system/e2e-elsewhere", "httpbin", "SIDECAR_INBOUND"),
            filter("default/e2e-gateway", "httpbin", "GATEWAY"),
        ],
        numbers: &[("httpbin", INBOUND, HELLOWORLD, 4), ("httpbin", "0.0.0.0_8000", HELLOWORLD, 1)],
        untold: &[("httpbin", INBOUND, "EnvoyFilter default/e2e-lua may change its chains")],
    }
    .holds();
}
