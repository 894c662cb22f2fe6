//! An EnvoyFilter that may change which filters stand where turns a prediction into a note that names it; no other does.

use serde_json::{Value, json};

use super::mesh::{HTTPBIN, Mesh, SLEEP, object};

/// An EnvoyFilter with one patch on the workloads with these labels; on all where there are none.
fn envoy_filter(name: &str, labels: Value, patch: Value) -> Value {
    let mut spec = json!({"configPatches": [patch]});
    if labels != json!({}) {
        spec["workloadSelector"] = json!({"labels": labels});
    }
    object("networking.istio.io/v1alpha3", "EnvoyFilter", name, spec)
}

fn httpbin() -> Value {
    json!({"app": "httpbin"})
}

fn patch(apply_to: &str, context: &str) -> Value {
    json!({"applyTo": apply_to, "match": {"context": context}, "patch": {"operation": "INSERT_BEFORE", "value": {"name": "x"}}})
}

/// Which listeners of a proxy are predicted, of all that could be.
fn predicted(mesh: &Mesh, proxy: &str) -> Vec<(String, bool)> {
    let of = |listener: &Value| {
        let prediction = &listener["prediction"];
        let (agrees, note) = (&prediction["agrees"], prediction["note"].as_str());
        assert_eq!(agrees.is_null(), note.is_some(), "what cannot be told has a note: {listener}");
        assert_eq!(agrees.is_null(), prediction["chains"].is_null(), "{listener}");
        assert!(agrees.is_null() || agrees == true, "{listener}");
        (listener["name"].as_str().unwrap().to_owned(), !agrees.is_null())
    };
    mesh.listeners(proxy).iter().filter(|listener| !listener["direction"].is_null()).map(of).collect()
}

/// The names of the listeners that are not predicted.
fn untold(mesh: &Mesh, proxy: &str) -> Vec<String> {
    predicted(mesh, proxy).into_iter().filter(|(_, told)| !told).map(|(name, _)| name).collect()
}

#[test]
fn a_patch_of_inbound_http_filters_leaves_the_outbound_listeners_predicted() {
    let mesh = Mesh::permissive().with([envoy_filter("default/e-lua", httpbin(), patch("HTTP_FILTER", "SIDECAR_INBOUND"))]);
    assert_eq!(untold(&mesh, HTTPBIN), ["virtualInbound"]);
    assert_eq!(untold(&mesh, SLEEP), Vec::<String>::new(), "it is for another workload");
    let why = mesh.why("virtualInbound");
    assert_eq!(why["predictionNote"], "EnvoyFilter default/e-lua may change its chains, so there is no prediction");
    for key in ["predicted", "predictedByMode", "agrees"] {
        assert_eq!(why[key], Value::Null, "{key}: {why}");
    }
    assert_eq!(why["counted"], 4, "the count still stands");
    let terms: u64 = why["terms"].as_array().unwrap().iter().map(|term| term["count"].as_u64().unwrap()).sum();
    assert_eq!(terms, 4, "and so do its terms");
    let outbound = mesh.why("0.0.0.0_8000");
    assert_eq!((&outbound["predicted"], &outbound["agrees"]), (&json!(1), &json!(true)), "{outbound}");
}

#[test]
fn a_patch_touches_the_listeners_of_its_context_alone() {
    let outbound = |mesh: &Mesh| {
        let names = untold(mesh, HTTPBIN);
        assert!(names.len() > 5 && names.contains(&"virtualOutbound".to_owned()), "{names:?}");
        !names.contains(&"virtualInbound".to_owned())
    };
    for apply_to in ["HTTP_FILTER", "NETWORK_FILTER", "FILTER_CHAIN"] {
        let mesh = |context: &str| Mesh::permissive().with([envoy_filter("default/e", httpbin(), patch(apply_to, context))]);
        assert!(outbound(&mesh("SIDECAR_OUTBOUND")), "{apply_to}");
        assert!(!outbound(&mesh("ANY")), "{apply_to}");
        assert_eq!(untold(&mesh("SIDECAR_INBOUND"), HTTPBIN), ["virtualInbound"], "{apply_to}");
        assert_eq!(untold(&mesh("GATEWAY"), HTTPBIN), Vec::<String>::new(), "{apply_to}");
    }
    // Without a context it is for any.
    let mut anywhere = patch("HTTP_FILTER", "ANY");
    anywhere.as_object_mut().unwrap().remove("match");
    assert!(!outbound(&Mesh::permissive().with([envoy_filter("default/e", httpbin(), anywhere)])));
}

#[test]
fn what_it_cannot_change_or_does_not_reach_is_predicted_as_before() {
    let inbound = || patch("HTTP_FILTER", "SIDECAR_INBOUND");
    for filter in [
        envoy_filter("default/e", json!({"app": "sleep-not"}), inbound()),
        envoy_filter("elsewhere/e", httpbin(), inbound()),
        envoy_filter("elsewhere/e", json!({}), inbound()),
        envoy_filter("istio-system/e", json!({"app": "other"}), inbound()),
        envoy_filter("default/e", httpbin(), patch("CLUSTER", "SIDECAR_INBOUND")),
        envoy_filter("default/e", httpbin(), patch("HTTP_ROUTE", "ANY")),
        envoy_filter("default/e", httpbin(), patch("BOOTSTRAP", "ANY")),
        envoy_filter("default/e", httpbin(), patch("EXTENSION_CONFIG", "SIDECAR_INBOUND")),
        object(
            "networking.istio.io/v1alpha3",
            "EnvoyFilter",
            "default/e",
            json!({"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "httpbin"}], "configPatches": [inbound()]}),
        ),
    ] {
        let mesh = Mesh::permissive().with([filter.clone()]);
        assert_eq!(untold(&mesh, HTTPBIN), Vec::<String>::new(), "{filter}");
        assert_eq!(mesh.why("virtualInbound")["predicted"], 4, "{filter}");
    }
}

#[test]
fn one_of_the_root_namespace_reaches_every_workload() {
    let mesh = Mesh::permissive().with([envoy_filter("istio-system/e-all", json!({}), patch("HTTP_FILTER", "SIDECAR_INBOUND"))]);
    assert_eq!((untold(&mesh, HTTPBIN), untold(&mesh, SLEEP)), (vec!["virtualInbound".to_owned()], vec!["virtualInbound".to_owned()]));
}

#[test]
fn one_labelled_for_another_revision_does_nothing() {
    let mut filter = envoy_filter("default/e", httpbin(), patch("HTTP_FILTER", "SIDECAR_INBOUND"));
    filter["metadata"]["labels"] = json!({"istio.io/rev": "canary"});
    assert_eq!(untold(&Mesh::permissive().with([filter]), HTTPBIN), Vec::<String>::new());
}

#[test]
fn a_listener_is_told_by_its_name_and_port() {
    let with = |listener: Value| {
        let mut patch = patch("NETWORK_FILTER", "SIDECAR_OUTBOUND");
        patch["match"]["listener"] = listener;
        untold(&Mesh::permissive().with([envoy_filter("default/e", httpbin(), patch)]), HTTPBIN)
    };
    assert_eq!(with(json!({"portNumber": 8000})), ["0.0.0.0_8000"]);
    assert_eq!(with(json!({"name": "virtualOutbound"})), ["virtualOutbound"]);
    assert_eq!(with(json!({"name": "0.0.0.0_8000", "portNumber": 80})), Vec::<String>::new());
    // Within virtualInbound a port is that of a chain.
    let mut inbound = patch("NETWORK_FILTER", "SIDECAR_INBOUND");
    inbound["match"]["listener"] = json!({"portNumber": 80});
    assert_eq!(untold(&Mesh::permissive().with([envoy_filter("default/e", httpbin(), inbound)]), HTTPBIN), ["virtualInbound"]);
}

#[test]
fn several_are_all_named() {
    let filter = |name: &str| envoy_filter(name, httpbin(), patch("HTTP_FILTER", "SIDECAR_INBOUND"));
    let mesh = Mesh::permissive().with([filter("default/e-b"), filter("default/e-a"), filter("istio-system/e-c")]);
    let note = mesh.prediction(HTTPBIN, "virtualInbound")["note"].as_str().unwrap().to_owned();
    assert_eq!(note, "EnvoyFilter default/e-a, default/e-b, istio-system/e-c may change its chains, so there is no prediction");
}

#[test]
fn a_gateway_is_patched_in_its_own_context_and_by_its_name() {
    let gateway = |filter: Value| {
        let mesh = Mesh::of("gateway").with([filter]);
        let chains = mesh.ask(&["chains", "gateway/web"]);
        let proxy = chains["proxies"][0]["proxy"].as_str().unwrap().to_owned();
        untold(&mesh, &proxy)
    };
    let of = |namespace: &str, spec: Value| object("networking.istio.io/v1alpha3", "EnvoyFilter", &format!("{namespace}/e"), spec);
    let target = |name: &str| json!([{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": name}]);
    let patches = |context: &str| json!([patch("HTTP_FILTER", context)]);
    let both = ["0.0.0.0_80", "0.0.0.0_8081"];
    assert_eq!(gateway(of("default", json!({"configPatches": patches("GATEWAY")}))), both, "without a selector");
    assert_eq!(gateway(of("default", json!({"targetRefs": target("web"), "configPatches": patches("GATEWAY")}))), both);
    let none = Vec::<String>::new();
    assert_eq!(gateway(of("default", json!({"targetRefs": target("other"), "configPatches": patches("GATEWAY")}))), none);
    assert_eq!(
        gateway(of("istio-system", json!({"targetRefs": target("web"), "configPatches": patches("GATEWAY")}))),
        none,
        "of another namespace"
    );
    assert_eq!(gateway(of("default", json!({"configPatches": patches("SIDECAR_OUTBOUND")}))), none);
}
