//! Why a proxy has something else than istiod would send, as far as the dump and the objects show it.

use meshscope::analysis::answers::{ChainsFilter, chains as chains_of};
use meshscope::model::ids::ProxyId;
use serde_json::{Value, json};

use super::mesh::{HTTPBIN, Mesh, SLEEP, chains, created, http_filters, is_of, object};

/// httpbin as it was before the plugin: none of the inbound chains has it. `beside` puts another state into the same entry, made of
/// what istiod would send.
fn before_the_plugin(beside: impl FnOnce(&mut Value, Value)) -> Mesh {
    Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| {
        let sent = entry["active_state"].clone();
        without_plugin(&mut entry["active_state"]["listener"]);
        beside(entry, sent);
    })
}

fn without_plugin(listener: &mut Value) {
    for chain in chains(listener).iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
        http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
    }
}

/// The causes, as their words.
fn causes(prediction: &Value) -> Vec<&str> {
    prediction["causes"].as_array().unwrap().iter().map(|cause| cause["cause"].as_str().unwrap()).collect()
}

fn of_inbound(mesh: &Mesh) -> Value {
    let prediction = mesh.prediction(HTTPBIN, "virtualInbound");
    assert_eq!(prediction["agrees"], false, "{prediction}");
    prediction
}

#[test]
fn a_listener_that_the_proxy_refused_is_told_with_envoys_own_words() {
    let details = "Didn't find a registered implementation for 'istio.stats' with type URL: 'stats.PluginConfig'";
    let mesh = before_the_plugin(|entry, sent| {
        entry["error_state"] =
            json!({"failed_configuration": sent["listener"], "details": details, "last_update_attempt": "2026-11-23T19:37:51Z"});
    });
    let prediction = of_inbound(&mesh);
    assert_eq!(causes(&prediction), ["refused"], "{prediction}");
    let why = prediction["causes"][0]["why"].as_str().unwrap();
    assert!(why.starts_with("the proxy refused what istiod sent") && why.ends_with(details), "{why}");
    assert_eq!(prediction["differences"].as_array().unwrap().len(), 4, "{prediction}");
    // The refused configuration itself is as istiod would send it.
    let listeners = mesh.listeners(HTTPBIN);
    let refused = listeners.iter().find(|listener| listener["name"] == "virtualInbound" && listener["state"] == "error").unwrap();
    assert_eq!(refused["prediction"]["agrees"], true, "{}", refused["prediction"]);
}

#[test]
fn what_was_refused_for_another_change_is_no_cause() {
    let mesh = before_the_plugin(|entry, mut sent| {
        without_plugin(&mut sent["listener"]);
        entry["error_state"] =
            json!({"failed_configuration": sent["listener"], "details": "no", "last_update_attempt": "2026-11-23T19:37:51Z"});
    });
    assert_eq!(causes(&of_inbound(&mesh)), ["unexplained"]);
}

#[test]
fn a_listener_that_warms_is_told() {
    let mesh = before_the_plugin(|entry, sent| entry["warming_state"] = sent);
    let prediction = of_inbound(&mesh);
    assert_eq!(causes(&prediction), ["warming"], "{prediction}");
    assert!(prediction["causes"][0]["why"].as_str().unwrap().contains("warms"), "{prediction}");
}

/// The plugin's creation at another time.
fn plugin_created(mesh: Mesh, time: &str) -> Mesh {
    mesh.change("k8s/wasmplugins.extensions.istio.io.json", |list| list["items"][0]["metadata"]["creationTimestamp"] = json!(time))
}

#[test]
fn a_dump_older_than_the_plugin_is_told_and_names_it() {
    // The listener was last updated at 19:37:50.528.
    let mesh = plugin_created(before_the_plugin(|_, _| ()), "2026-11-23T19:37:51Z");
    let prediction = of_inbound(&mesh);
    assert_eq!(causes(&prediction), ["olderThanObject"], "{prediction}");
    let why = "the listener was last updated at 2026-11-23T19:37:50, WasmPlugin default/helloworld was created at 2026-11-23T19:37:51Z";
    assert_eq!(prediction["causes"][0]["why"], why);
}

#[test]
fn an_object_of_the_same_second_may_be_in_the_listener_already() {
    let mesh = plugin_created(before_the_plugin(|_, _| ()), "2026-11-23T19:37:50Z");
    assert_eq!(causes(&of_inbound(&mesh)), ["unexplained"]);
}

#[test]
fn a_policy_younger_than_the_listener_is_named_where_it_counts() {
    let later = |object: Value| created(object, "2026-11-23T20:00:00Z");
    let policy = |name: &str| later(object("security.istio.io/v1", "PeerAuthentication", name, json!({"mtls": {"mode": "STRICT"}})));
    let routes = later(object("networking.istio.io/v1", "VirtualService", "default/e-routes", json!({"hosts": ["httpbin"]})));
    let mesh = Mesh::permissive().with([policy("default/strict"), policy("elsewhere/other"), routes]);
    let prediction = of_inbound(&mesh);
    assert_eq!(causes(&prediction), ["olderThanObject"], "neither a policy of another namespace nor routes: {prediction}");
    assert!(prediction["causes"][0]["why"].as_str().unwrap().contains("PeerAuthentication default/strict was created"), "{prediction}");
    assert_eq!(mesh.prediction(HTTPBIN, "0.0.0.0_8000")["agrees"], true, "no mode changes an outbound listener");
}

#[test]
fn a_service_younger_than_the_listener_is_named() {
    let ports = json!([{"name": "http-new", "port": 7000, "targetPort": 7001, "protocol": "TCP"}]);
    let mut service =
        object("v1", "Service", "default/e-new", json!({"selector": {"app": "httpbin"}, "clusterIP": "10.96.1.1", "ports": ports}));
    service["metadata"]["creationTimestamp"] = json!("2026-11-23T20:00:00Z");
    let mesh = Mesh::permissive().with([service]);
    let prediction = of_inbound(&mesh);
    assert_eq!(causes(&prediction), ["olderThanObject"], "{prediction}");
    assert!(prediction["causes"][0]["why"].as_str().unwrap().contains("Service default/e-new was created"), "{prediction}");
    assert_eq!(mesh.proxy(SLEEP)["absent"], json!(["0.0.0.0_7000"]), "the other proxy lacks the way to it");
}

#[test]
fn istiods_of_several_versions_may_have_sent_anything() {
    let mesh = before_the_plugin(|_, _| ());
    let of = |istiods: &[(&str, &str)]| {
        let snapshot = mesh.snapshot(istiods);
        let answer = chains_of(&snapshot, &[ProxyId::parse(HTTPBIN).unwrap()], &ChainsFilter::default());
        let answer = serde_json::to_value(answer).unwrap();
        let listeners = answer["proxies"][0]["listeners"].as_array().unwrap();
        listeners.iter().find(|listener| listener["name"] == "virtualInbound").unwrap()["prediction"].clone()
    };
    let prediction = of(&[("istiod-a", "1.31.0"), ("istiod-b", "1.30.1")]);
    assert_eq!(causes(&prediction), ["versionSkew"], "{prediction}");
    let why = prediction["causes"][0]["why"].as_str().unwrap();
    assert!(why.contains("1.31.0") && why.contains("1.30.1"), "{why}");
    assert_eq!(causes(&of(&[("istiod-a", "1.31.0"), ("istiod-b", "1.31.0")])), ["unexplained"]);
}

/// A proxy that says another version of itself.
fn of_version(mesh: Mesh, version: &str) -> Mesh {
    mesh.change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
        let sections = dump["configs"].as_array_mut().unwrap();
        let node = sections.iter_mut().find_map(|section| section.get_mut("bootstrap")).unwrap();
        node["node"]["metadata"]["ISTIO_VERSION"] = json!(version);
    })
}

#[test]
fn a_proxy_of_another_version_is_told_only_where_something_differs() {
    let prediction = of_inbound(&of_version(before_the_plugin(|_, _| ()), "1.22.3"));
    assert_eq!(causes(&prediction), ["versionSkew"], "{prediction}");
    let why = prediction["causes"][0]["why"].as_str().unwrap();
    assert!(why.contains("the proxy is 1.22.3") && why.contains("istiod is 1.31-alpha"), "{why}");
    assert_eq!(of_version(Mesh::permissive(), "1.22.3").prediction(HTTPBIN, "virtualInbound")["causes"], json!([]));
    // Another patch of the same release makes the same chains.
    assert_eq!(causes(&of_inbound(&of_version(before_the_plugin(|_, _| ()), "1.31.2"))), ["unexplained"]);
}

#[test]
fn a_replaced_listener_is_held_against_nothing() {
    let mesh = Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| {
        let mut draining = entry["active_state"].clone();
        chains(&mut draining["listener"]).truncate(3);
        entry["draining_state"] = draining;
    });
    let listeners = mesh.listeners(HTTPBIN);
    let draining = listeners.iter().find(|listener| listener["state"] == "draining").unwrap();
    let prediction = &draining["prediction"];
    assert_eq!((&prediction["agrees"], &prediction["chains"], &prediction["differences"]), (&Value::Null, &Value::Null, &json!([])));
    assert_eq!(prediction["note"], "a replaced listener, which only serves the connections it has");
    let why = mesh.ask(&["why", "default/helloworld", HTTPBIN]);
    let entry = why["workloads"][0]["listeners"].as_array().unwrap().iter().find(|listener| listener["state"] == "draining").unwrap();
    assert_eq!((&entry["counted"], &entry["predicted"]), (&json!(2), &Value::Null), "{entry}");
    assert!(entry["predictionNote"].as_str().unwrap().contains("replaced"), "{entry}");
}
