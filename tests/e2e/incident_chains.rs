//! Breaks that change a plugin's place on a real mesh: what is said of each, on every command, until it is put back.

use serde_json::{Value, json};

use super::broken::Broken;
use super::live_policy::{asked, comes, found};
use super::world::{Applied, json as ask, kubectl, mesh, meshscope, on_15006, until, wasm_plugin, why};

const URL: &str = "http://httpbin.default:8000/status/200";
const HELLOWORLD: Broken<'_> = Broken { plugin: "default/helloworld", workload: "deploy/httpbin", names: &["default/helloworld"] };
const HCM: &str = "envoy.filters.network.http_connection_manager";

/// An EnvoyFilter with one patch of the inbound HTTP filters of httpbin.
fn envoy_filter(name: &str, sub_filter: Option<&str>, patch: Value) -> String {
    let mut filter = json!({"name": HCM});
    if let Some(name) = sub_filter {
        filter["subFilter"] = json!({"name": name});
    }
    let found = json!({"context": "SIDECAR_INBOUND", "listener": {"filterChain": {"filter": filter}}});
    json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"namespace": "default", "name": name},
        "spec": {"workloadSelector": {"labels": {"app": "httpbin"}}, "configPatches": [{"applyTo": "HTTP_FILTER", "match": found, "patch": patch}]}})
    .to_string()
}

/// The name that the filter of helloworld has in httpbin.
fn filter_name() -> String {
    let chains = ask(&["chains", "deploy/httpbin", "--listener", "virtualInbound"]);
    let all = chains["proxies"][0]["listeners"][0]["filterChains"].as_array().unwrap().clone();
    let filters: Vec<Value> = all.iter().flat_map(|chain| chain["httpFilters"].as_array().unwrap().clone()).collect();
    let own = filters.iter().find(|filter| filter["plugin"] == "default/helloworld").unwrap();
    own["name"].as_str().unwrap().to_owned()
}

/// The one finding of a code, about this object, once there is one.
fn only(code: &str, severity: &str, object: &str) -> Value {
    let mut findings = Vec::new();
    comes(code, || {
        findings = found(code).1;
        !findings.is_empty()
    });
    assert_eq!(findings.len(), 1, "{findings:?}");
    let of = &findings[0]["object"];
    let name = format!("{} {}/{}", of["kind"].as_str().unwrap(), of["namespace"].as_str().unwrap(), of["name"].as_str().unwrap());
    assert_eq!((findings[0]["severity"].as_str(), name.as_str()), (Some(severity), object), "{findings:?}");
    findings[0].clone()
}

fn put_back(code: &str) {
    why("default/helloworld", "deploy/httpbin", "the plugin as it was", |entry| on_15006(entry) == Some(4) && entry["state"] == "running");
    comes("the finding's end", || found(code).1.is_empty());
    comes("a request that arrives", || asked(URL) == "200");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d7_an_envoy_filter_removes_the_plugins_filter() {
    let _mesh = mesh();
    let name = filter_name();
    let broken = Applied::new(envoy_filter("e2e-cleanup", Some(&name), json!({"operation": "REMOVE"})));
    let entry = why("default/helloworld", "deploy/httpbin", "the removal", |entry| entry["state"] == "removed");
    let listener = &entry["listeners"][0];
    assert_eq!((&listener["port"], &listener["counted"], &listener["objectsAskFor"]), (&json!(15006), &json!(0), &json!(4)), "{entry}");
    let said = format!("EnvoyFilter default/e2e-cleanup, configPatches[0]: REMOVE of HTTP_FILTER {name}");
    assert_eq!(listener["causes"][0]["why"], json!(said));
    comes("a request that passes without it", || asked(URL) == "200");
    let finding = only("plugin-removed", "error", "WasmPlugin default/helloworld");
    assert!(finding["what"].as_str().unwrap().contains("EnvoyFilter default/e2e-cleanup removes default/helloworld from virtualInbound"));
    for code in ["plugin-absent", "chains-differ", "envoy-filter-on-plugin"] {
        assert_eq!(found(code).1, Vec::<Value>::new(), "{code}");
    }
    for command in [&["plugins"][..], &["health", "default/helloworld"]] {
        let answer = ask(command);
        let plugin = answer["plugins"].as_array().unwrap().iter().find(|plugin| plugin["plugin"] == "default/helloworld").unwrap().clone();
        assert_eq!((&plugin["rollup"], &plugin["states"]), (&json!("failed"), &json!({"removed": 1})), "{command:?}: {plugin}");
    }
    let diff = ask(&["diff", "deploy/httpbin"]);
    let listeners = &diff["proxies"][0]["types"][0];
    assert_eq!((&listeners["same"], &listeners["differences"][0]["what"]), (&json!(false), &json!("removed")), "{listeners}");
    let text = meshscope(&["diff", "deploy/httpbin"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let line = text.lines().find(|line| line.trim_start().starts_with("LDS")).unwrap();
    assert!(
        !line.contains("nothing differs") && text.contains("neither has WasmPlugin default/helloworld where the objects ask for it"),
        "{text}"
    );
    HELLOWORLD.is_nowhere_sound();
    drop(broken);
    put_back("plugin-removed");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d7b_an_own_filter_answers_before_the_plugin() {
    let _mesh = mesh();
    let script = "function envoy_on_request(h) h:respond({[':status']='401'},'no') end";
    let config =
        json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua", "default_source_code": {"inline_string": script}});
    let value = json!({"name": "e2e.gate", "typed_config": config});
    let broken = Applied::new(envoy_filter("e2e-gate", None, json!({"operation": "INSERT_FIRST", "value": value})));
    comes("a request that the script answers", || asked(URL) == "401");
    // The access log is flushed each second: then it shows that the script answers.
    comes("the finding", || found("envoy-filter-before-plugin").1.iter().any(|finding| finding["severity"] == "warning"));
    let finding = only("envoy-filter-before-plugin", "warning", "EnvoyFilter default/e2e-gate");
    let what = finding["what"].as_str().unwrap();
    assert!(what.contains("e2e.gate of EnvoyFilter default/e2e-gate runs before default/helloworld: deploy/httpbin answered "), "{what}");
    assert!(what.contains(" requests of the last 10 min with 401."), "{what}");
    let others: Vec<Value> = found("requests-fail").1.into_iter().filter(|finding| finding["what"].to_string().contains("401")).collect();
    assert_eq!(others, Vec::<Value>::new(), "one cause is one finding");
    assert_eq!(found("plugin-removed").1, Vec::<Value>::new());
    Broken { names: &["e2e.gate", "default/e2e-gate"], ..HELLOWORLD }.is_nowhere_sound();
    drop(broken);
    put_back("envoy-filter-before-plugin");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d4_a_plugin_in_another_namespace_than_its_workload() {
    let _mesh = mesh();
    let broken = Applied::new(wasm_plugin("kube-public", "e2e-far", "httpbin", "latest", "FAIL_OPEN"));
    // The command looks at the namespace of the workload.
    let finding = only("matches-nothing", "warning", "WasmPlugin kube-public/e2e-far");
    let evidence = finding["evidence"][0].as_str().unwrap();
    assert!(evidence.ends_with("namespace: the plugin is in kube-public, the workload in default"), "{evidence}");
    assert!(finding["fix"].as_str().unwrap().starts_with("create the plugin in namespace default"), "{finding}");
    let near = ask(&["why", "kube-public/e2e-far"])["nearest"]["nearMiss"].clone();
    assert_eq!((&near["wanted"], &near["found"]), (&json!("default"), &json!("kube-public")), "{near}");
    drop(broken);
    put_back("matches-nothing");
}

/// helloworld with another match, until it is put back.
struct Matching;

impl Matching {
    fn patch(value: &Value) {
        let patch = json!({"spec": {"match": value}}).to_string();
        kubectl(&["patch", "-n", "default", "wasmplugin", "helloworld", "--type=merge", "-p", &patch]);
    }
}

impl Drop for Matching {
    fn drop(&mut self) {
        Self::patch(&Value::Null);
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d9_match_names_the_services_port() {
    let _mesh = mesh();
    let broken = Matching;
    Matching::patch(&json!([{"mode": "SERVER", "ports": [{"number": 8000}]}]));
    let reason = "port 8000 is a service's, and match compares the container port 80 that it leads to";
    let gone = |entry: &Value| entry["listeners"].as_array().is_some_and(|all| all.iter().all(|listener| listener["counted"] == 0));
    let entry = why("default/helloworld", "deploy/httpbin", "no chain with it", |entry| {
        gone(entry) && ["leftover", "notApplicable"].iter().any(|state| entry["state"] == *state)
    });
    assert!(entry["reason"].as_str().unwrap().contains(reason), "{entry}");
    assert!(entry["nearMiss"]["change"].as_str().unwrap().starts_with("write port 80 in the place of 8000"), "{entry}");
    let finding = only("match-excludes-all", "error", "WasmPlugin default/helloworld");
    assert!(finding["evidence"][0].as_str().unwrap().contains(reason), "{finding}");
    for code in ["plugin-leftover", "plugin-absent", "plugin-removed"] {
        assert_eq!(found(code).1, Vec::<Value>::new(), "{code}");
    }
    HELLOWORLD.is_nowhere_sound();
    drop(broken);
    put_back("match-excludes-all");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d12_port_level_mtls_names_the_services_port() {
    let _mesh = mesh();
    let permissive = || json!({"mode": "PERMISSIVE"});
    let spec = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "mtls": {"mode": "STRICT"},
        "portLevelMtls": {"8000": permissive(), "9000": permissive()}});
    let policy = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication",
        "metadata": {"namespace": "default", "name": "e2e-ports"}, "spec": spec});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "default", "name": "e2e-admin"},
        "spec": {"selector": {"app": "httpbin"}, "ports": [{"name": "http-admin", "port": 9000, "targetPort": 80}]}});
    let broken = (Applied::new(service.to_string()), Applied::new(policy.to_string()));
    let finding = only("port-level-mtls-ignored", "warning", "PeerAuthentication default/e2e-ports");
    assert_eq!(finding["fix"], "name the port of the container: 80 in the place of 8000, 80 in the place of 9000", "{finding}");
    until("STRICT on the port of the container", &["mtls", "deploy/httpbin"], |answer| {
        let ports = answer["workloads"][0]["ports"].as_array().cloned().unwrap_or_default();
        ports.iter().any(|port| port["port"] == 80 && port["mode"] == "STRICT")
    });
    Broken { names: &["default/e2e-ports"], ..HELLOWORLD }.is_nowhere_sound();
    drop(broken);
    put_back("port-level-mtls-ignored");
}
