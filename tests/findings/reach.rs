//! What keeps a plugin or a mode from where it was meant: the namespace, a Service's port in the place of the container's, no replicas.

use meshscope::analysis::answers;
use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use super::proxies::{PLUGINS, everywhere_without_plugin};
use super::recorded::{HTTPBIN, Mesh, object, wasm_plugin};
use super::{found, of, one};

fn selecting(name: &str, labels: Value) -> Value {
    wasm_plugin(name, json!({"selector": {"matchLabels": labels}}))
}

fn httpbin() -> Value {
    json!({"app": "httpbin"})
}

/// The findings of a namespace about a plugin.
fn within(snapshot: &Snapshot, namespace: &str, plugin: &str) -> Vec<Finding> {
    let found = answers::findings(snapshot, Some(namespace), &[]).findings;
    let reaches = |finding: &Finding| ["matches-nothing", "near-miss"].contains(&finding.code);
    found.into_iter().filter(|finding| reaches(finding) && finding.object.path() == format!("wasmplugin/{plugin}")).collect()
}

#[test]
fn incident_d4_a_plugin_of_another_namespace_is_named_where_the_workload_is() {
    let snapshot = of(Mesh::permissive().with([selecting("filters/helloworld", httpbin())]));
    for namespace in ["default", "filters"] {
        let finding = one(within(&snapshot, namespace, "filters/helloworld"), Severity::Warning, "WasmPlugin filters/helloworld");
        assert_eq!(finding.code, "matches-nothing");
        assert!(finding.evidence[0].ends_with("namespace: the plugin is in filters, the workload in default"), "{finding:?}");
        assert!(finding.fix.starts_with("create the plugin in namespace default"), "{finding:?}");
    }
    assert_eq!(within(&snapshot, "istio-system", "filters/helloworld"), []);
    // The workload is where it would have to be, the plugin where it is.
    let mesh = Mesh::permissive().with([selecting("filters/helloworld", httpbin())]);
    let near = mesh.ask(&["why", "filters/helloworld"])["nearest"]["nearMiss"].clone();
    assert_eq!((&near["wanted"], &near["found"]), (&json!("default"), &json!("filters")));
}

#[test]
fn incident_d4_what_more_than_the_namespace_keeps_away_is_no_business_of_the_workloads() {
    for plugin in [
        selecting("filters/p", json!({"app": "httpbin", "tier": "gold"})),
        selecting("filters/p", json!({"app": "other"})),
        wasm_plugin("filters/p", json!({})),
        // It reaches all.
        selecting("istio-system/p", httpbin()),
    ] {
        let snapshot = of(Mesh::permissive().with([plugin.clone()]));
        let name = format!("{}/p", plugin["metadata"]["namespace"].as_str().unwrap());
        assert_eq!(within(&snapshot, "default", &name), [], "{plugin}");
    }
    // One that applies where it is misses nothing.
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "filters", "name": "own", "labels": {"app": "httpbin"}},
        "spec": {"containers": [{"name": "istio-proxy", "image": "proxyv2", "args": ["proxy", "sidecar"]}]}, "status": {"phase": "Running"}});
    let snapshot = of(Mesh::permissive().with([selecting("filters/p", httpbin()), pod]));
    assert_eq!(within(&snapshot, "default", "filters/p"), []);
}

/// helloworld with a match, and the dump of a proxy that has it in no chain any more.
fn matching(item: Value) -> Mesh {
    everywhere_without_plugin(Mesh::permissive()).change(PLUGINS, |list| list["items"][0]["spec"]["match"] = json!([item]))
}

#[test]
fn incident_d9_match_names_the_services_port() {
    let mesh = || matching(json!({"mode": "SERVER", "ports": [{"number": 8000}]}));
    let reason = "port 8000 is a service's, and match compares the container port 80 that it leads to";
    let snapshot = of(mesh());
    let finding = one(found(&snapshot, "match-excludes-all"), Severity::Error, "WasmPlugin default/helloworld");
    assert!(finding.evidence[0].contains(reason), "{finding:?}");
    for code in ["plugin-leftover", "plugin-absent", "plugin-removed", "chains-differ"] {
        assert_eq!(found(&snapshot, code), [], "{code}: it is said once");
    }
    let entry = mesh().ask(&["why", "default/helloworld", HTTPBIN])["workloads"][0].clone();
    assert!(entry["reason"].as_str().unwrap().contains(reason) && entry["stateNote"].as_str().unwrap().contains(reason), "{entry}");
    assert!(entry["nearMiss"]["change"].as_str().unwrap().starts_with("write port 80 in the place of 8000"), "{entry}");
    // On the container's port it is missed.
    let right = matching(json!({"mode": "SERVER", "ports": [{"number": 80}]}));
    let entry = right.ask(&["why", "default/helloworld", HTTPBIN])["workloads"][0].clone();
    assert!(!entry["reason"].as_str().unwrap().contains("keeps it out") && entry["nearMiss"].is_null(), "{entry}");
    // One that was deleted is left over as before.
    let deleted = everywhere_without_plugin(Mesh::permissive()).change(PLUGINS, |list| list["items"] = json!([]));
    one(found(&of(deleted), "plugin-leftover"), Severity::Information, "WasmPlugin default/helloworld");
}

fn port_level(ports: Value) -> Value {
    let spec = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "mtls": {"mode": "STRICT"}, "portLevelMtls": ports});
    object("security.istio.io/v1", "PeerAuthentication", "default/httpbin", spec)
}

#[test]
fn incident_d12_port_level_mtls_names_the_services_port() {
    let code = "port-level-mtls-ignored";
    let with = |ports: Value, extra: Vec<Value>| found(&of(Mesh::permissive().with([port_level(ports)]).with(extra)), code);
    let permissive = || json!({"mode": "PERMISSIVE"});
    let finding = one(with(json!({"8000": permissive()}), vec![]), Severity::Warning, "PeerAuthentication default/httpbin");
    assert!(finding.evidence[0].contains("8000, which is a port of Service default/httpbin and leads to container port 80"), "{finding:?}");
    assert_eq!(finding.fix, "name the port of the container: 80 in the place of 8000");
    // Several ports, one of them of a second Service.
    let service = |target: Value| {
        let port = json!({"name": "http-admin", "port": 9000, "targetPort": target});
        vec![object("v1", "Service", "default/admin", json!({"selector": {"app": "httpbin"}, "clusterIP": "10.0.0.9", "ports": [port]}))]
    };
    let both = json!({"8000": permissive(), "9000": permissive()});
    let finding = one(with(both, service(json!(9443))), Severity::Warning, "PeerAuthentication default/httpbin");
    assert_eq!(finding.fix, "name the port of the container: 80 in the place of 8000, 9443 in the place of 9000");
    // A port of the container is not mistaken, whatever else has the number.
    assert_eq!(with(json!({"80": permissive()}), vec![]), []);
    assert_eq!(with(json!({"9000": permissive()}), service(json!(9000))), []);
    assert_eq!(with(json!({"7777": permissive()}), vec![]), [], "nothing leads there, and a passthrough may be meant");
}

/// A Deployment whose pods have labels.
fn deployment(namespace: &str, replicas: usize, labels: Value) -> Value {
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}});
    object("apps/v1", "Deployment", &format!("{namespace}/idle"), spec)
}

#[test]
fn a_plugin_of_a_workload_that_is_scaled_to_0() {
    let code = "matches-nothing";
    let plugin = || selecting("default/p", json!({"app": "idle"}));
    let mesh = |replicas, namespace| Mesh::permissive().with([plugin(), deployment(namespace, replicas, json!({"app": "idle", "v": "1"}))]);
    let finding = one(found(&of(mesh(0, "default")), code), Severity::Information, "WasmPlugin default/p");
    assert_eq!(finding.what, "WasmPlugin default/p applies to no proxy: deploy/idle, which it is for, is scaled to 0.");
    assert_eq!(mesh(0, "default").ask(&["why", "default/p"])["scaledToZero"], json!(["deploy/idle"]));
    for other in [mesh(1, "default"), mesh(0, "elsewhere")] {
        one(found(&of(other), code), Severity::Warning, "WasmPlugin default/p");
    }
    // That an old ReplicaSet has no pods says nothing.
    let mut old = deployment("default", 0, json!({"app": "idle"}));
    old["kind"] = json!("ReplicaSet");
    one(found(&of(Mesh::permissive().with([plugin(), old])), code), Severity::Warning, "WasmPlugin default/p");
}

#[test]
fn a_mode_that_has_not_come_to_the_proxy_is_marked() {
    let summary = |mesh: Mesh| {
        let all = mesh.ask(&["workloads", "default/helloworld"]);
        let all = all["workloads"].as_array().unwrap().clone();
        all.into_iter().find(|workload| workload["workload"] == "default/httpbin").unwrap()
    };
    let strict = || object("security.istio.io/v1", "PeerAuthentication", "default/default", json!({"mtls": {"mode": "STRICT"}}));
    let lags = summary(Mesh::permissive().with([strict()]));
    assert_eq!((&lags["mtls"]["mode"], &lags["proxies"][0]["mtlsInProxy"]), (&json!("STRICT"), &json!("PERMISSIVE")));
    assert!(Mesh::permissive().with([strict()]).text(&["workloads", "default/helloworld"]).contains("! STRICT"));
    for recording in ["permissive", "strict", "disable"] {
        assert!(summary(Mesh::of(recording))["proxies"][0]["mtlsInProxy"].is_null(), "{recording}");
    }
}
