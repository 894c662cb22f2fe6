//! Objects that contradict each other, words that nobody knows, and very many of them: an answer all the same, and a right one.

use serde_json::{Value, json};

use super::mesh::{HTTPBIN, Mesh, SLEEP, created, object, wasm_plugin};
use super::support;

fn peer_authentication(name: &str, spec: Value) -> Value {
    object("security.istio.io/v1", "PeerAuthentication", name, spec)
}

/// N of `default/helloworld` on 15006 as predicted, and the warnings of the answer.
fn predicted(mesh: &Mesh) -> (Value, String) {
    let answer = mesh.ask(&["why", "default/helloworld", HTTPBIN]);
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    let inbound = listeners.iter().find(|listener| listener["port"] == 15006).unwrap();
    assert_eq!(inbound["counted"], 4, "{inbound}");
    (inbound["predicted"].clone(), answer["warnings"].to_string())
}

#[test]
fn of_policies_that_contradict_each_other_one_counts() {
    let httpbin = json!({"matchLabels": {"app": "httpbin"}});
    let of = |policies: Vec<Value>| predicted(&Mesh::permissive().with(policies)).0;
    let mode = |mode: &str| json!({"mtls": {"mode": mode}});
    let namespace = |name: &str, mode_word: &str, time: &str| created(peer_authentication(name, mode(mode_word)), time);
    let (early, late) = ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z");
    // Of one scope the oldest, of one second the first by name.
    assert_eq!(of(vec![namespace("default/a", "PERMISSIVE", late), namespace("default/z", "STRICT", early)]), 2);
    assert_eq!(of(vec![namespace("default/a", "PERMISSIVE", early), namespace("default/z", "STRICT", early)]), 4);
    // A port level without a selector, and a selector in the root namespace, count for nothing.
    assert_eq!(of(vec![peer_authentication("default/p", json!({"portLevelMtls": {"80": {"mode": "DISABLE"}}}))]), 4);
    assert_eq!(of(vec![peer_authentication("istio-system/p", json!({"selector": httpbin, "mtls": {"mode": "STRICT"}}))]), 4);
    // All at once: mesh STRICT, namespace DISABLE, workload unset, one port STRICT and one that nobody declares PERMISSIVE.
    let ports = json!({"80": {"mode": "STRICT"}, "90": {"mode": "PERMISSIVE"}});
    let all = vec![
        peer_authentication("istio-system/mesh", mode("STRICT")),
        peer_authentication("default/namespace", mode("DISABLE")),
        peer_authentication("default/own", json!({"selector": httpbin, "portLevelMtls": ports})),
    ];
    assert_eq!(of(all), 1 + 1 + 2);
}

#[test]
fn words_that_nobody_knows_are_named_and_change_no_number_in_silence() {
    let maybe = Mesh::permissive().with([peer_authentication("default/maybe", json!({"mtls": {"mode": "MAYBE"}}))]);
    let (number, warnings) = predicted(&maybe);
    assert!(number == 4 && warnings.contains("default/maybe"), "{number} {warnings}");
    let port = Mesh::permissive().with([object(
        "v1",
        "Service",
        "default/e-odd",
        json!({"clusterIP": "10.96.7.7", "ports": [{"port": 70000, "name": "http"}, {"port": 0, "name": "tcp"}, {"port": -1}, {"name": "x"}]}),
    )]);
    let (number, warnings) = predicted(&port);
    assert!(number == 4 && warnings.contains("e-odd"), "{number} {warnings}");
    assert_eq!(port.proxy(HTTPBIN)["absent"], json!([]));
}

#[test]
fn a_protocol_that_nobody_knows_is_detected() {
    let ports = json!([{"port": 7000, "targetPort": 7001, "name": "wonder-x", "protocol": "TCP"}, {"port": 7002, "targetPort": 7003, "name": "http", "appProtocol": "example.com/new"}]);
    let mesh = Mesh::permissive().with([object(
        "v1",
        "Service",
        "default/e",
        json!({"selector": {"app": "httpbin"}, "clusterIP": "10.96.7.7", "ports": ports}),
    )]);
    assert_eq!(predicted(&mesh).0, 4 + 2 + 2);
    assert_eq!(mesh.proxy(SLEEP)["absent"], json!(["10.96.7.7_7000", "10.96.7.7_7002"]));
}

#[test]
fn a_plugin_that_istiod_drops_is_predicted_nowhere() {
    let selector = json!({"selector": {"matchLabels": {"app": "httpbin"}}});
    let mut without_url = wasm_plugin("default/e-none", selector.clone());
    without_url["spec"].as_object_mut().unwrap().remove("url");
    let mut bad_url = wasm_plugin("default/e-bad", selector.clone());
    bad_url["spec"]["url"] = json!("10.0.0.1:5000/x:v1");
    let mesh = Mesh::permissive().with([without_url, bad_url, wasm_plugin("default/e-good", selector)]);
    let inbound = mesh.prediction(HTTPBIN, "virtualInbound");
    let lacking: Vec<&Value> = inbound["differences"].as_array().unwrap().iter().map(|difference| &difference["predicted"]).collect();
    let both = json!(["default/e-good", "default/helloworld"]);
    assert_eq!(lacking, [&both, &both, &both, &both], "the dump has none of them, istiod would send one: {inbound}");
    assert_eq!(predicted(&mesh).0, 4);
}

#[test]
fn what_istiod_cannot_decode_is_not_predicted() {
    let mesh = Mesh::permissive().change("k8s/wasmplugins.extensions.istio.io.json", |plugins| {
        let of_name = plugins["items"].as_array_mut().unwrap().iter_mut().find(|plugin| plugin["metadata"]["name"] == "helloworld");
        of_name.unwrap()["spec"]["phase"] = json!("EARLY");
    });
    let inbound = mesh.why("virtualInbound");
    let note = "istiod cannot decode WasmPlugin default/helloworld, and continues with what it had";
    assert_eq!((&inbound["counted"], &inbound["predicted"], &inbound["agrees"]), (&json!(4), &Value::Null, &Value::Null), "{inbound}");
    assert_eq!(inbound["predictionNote"], note);
    let prediction = mesh.prediction(HTTPBIN, "virtualInbound");
    assert_eq!((&prediction["agrees"], &prediction["differences"]), (&json!(true), &json!([])), "of the rest all is as it would be");
}

#[test]
fn labels_and_names_of_any_letters_are_held_as_they_are() {
    let odd = json!({"selector": {"matchLabels": {"app": "httpbin\u{202e}", "x/y.z": "ü \"quoted\""}}});
    let mesh = Mesh::permissive().with([wasm_plugin("default/e.with.dots", odd), wasm_plugin("default/e.dots", json!({}))]);
    let inbound = mesh.prediction(HTTPBIN, "virtualInbound");
    assert_eq!(inbound["differences"][0]["predicted"], json!(["default/e.dots", "default/helloworld"]), "{inbound}");
}

#[test]
fn ten_thousand_services_are_answered_for() {
    let service = |number: u32| {
        let address = format!("10.97.{}.{}", number / 250, number % 250 + 1);
        let (name, port, selector) = match number % 4 {
            0 => ("http", 8000, json!({"app": "nobody"})),
            1 => ("tcp", 9000, json!({"app": "nobody"})),
            2 => ("web", 9001, json!({"app": "nobody"})),
            _ => ("http", 20_000 + number, json!({"app": if number < 200 { "httpbin" } else { "nobody" }})),
        };
        let ports = json!([{"port": port, "name": name, "protocol": "TCP", "targetPort": port}]);
        object("v1", "Service", &format!("default/e-{number}"), json!({"selector": selector, "clusterIP": address, "ports": ports}))
    };
    let mesh = Mesh::permissive().with((0..10_000).map(service));
    let proxy = mesh.proxy(HTTPBIN);
    // A TCP and a detecting listener for each address, and a shared one for each port of HTTP that the dump has not.
    assert_eq!(proxy["absent"].as_array().unwrap().len(), 2_500 + 2_500 + 2_500);
    let outbound = proxy["listeners"].as_array().unwrap().iter().find(|listener| listener["name"] == "0.0.0.0_8000").unwrap();
    assert_eq!(outbound["prediction"]["agrees"], true, "2,500 more services of HTTP change nothing on their port");
    // 50 of them lead to httpbin.
    assert_eq!(predicted(&mesh).0, 4 + 2 * 50);
}

#[test]
fn an_empty_mesh_beside_a_dump_is_no_crash() {
    for path in ["k8s/services.json", "k8s/wasmplugins.extensions.istio.io.json", "k8s/configmap-istio.json", "k8s/namespaces.json"] {
        let mesh = Mesh::permissive().without(path);
        assert_eq!(
            mesh.listeners(HTTPBIN).len(),
            support::json(&["chains", HTTPBIN, "--from", support::recording("permissive").to_str().unwrap()])["proxies"][0]["listeners"]
                .as_array()
                .unwrap()
                .len(),
            "{path}"
        );
    }
    let nothing = Mesh::permissive().without("k8s/services.json").prediction(HTTPBIN, "0.0.0.0_8000");
    assert_eq!((&nothing["agrees"], &nothing["chains"]), (&json!(false), &json!(0)), "{nothing}");
}
