//! Recordings in which istiod says what it would send a proxy, with changes to what it or the proxy says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The answer for one proxy of a source.
pub fn diff(path: &str, proxy: &str) -> Value {
    let answer = super::json(&["diff", proxy, "--from", path]);
    let proxies = answer["proxies"].as_array().unwrap();
    assert_eq!(proxies.len(), 1, "{answer}");
    assert_eq!(proxies[0]["proxy"], proxy);
    proxies[0].clone()
}

/// What differs of the type at a place, and who has it.
pub fn lines(entry: &Value, place: usize) -> Vec<(&str, &str)> {
    let list = entry["types"][place]["differences"].as_array().unwrap();
    list.iter().map(|line| (line["what"].as_str().unwrap(), line["only"].as_str().unwrap())).collect()
}

/// The proxy that has a plugin.
pub const PROXY: &str = "httpbin-664956bb75-9d64m.default";
/// Its extension.
pub const EXTENSION: &str = "extensions.istio.io/trafficextension/default.helloworld~istio-translated-wasmplugin";
/// What no output may hold.
pub const SECRET: &str = "pl4nted-S3cr3t";

/// A dump as istiod writes it, of what a proxy has: active listeners alone, in an order of their own, and ECDS as it was before the agent.
fn of_istiod(dump: &Value) -> Value {
    let section = |name: &str| dump["configs"].as_array().unwrap().iter().find(|it| it["@type"].as_str().unwrap().ends_with(name)).unwrap();
    let active = |entry: &Value| json!({"name": entry["name"], "activeState": {"versionInfo": "istiod", "listener": entry["active_state"]["listener"]}});
    let listeners = section("ListenersConfigDump")["dynamic_listeners"].as_array().unwrap().iter();
    let mut listeners: Vec<Value> = listeners.filter(|entry| !entry["active_state"].is_null()).map(active).collect();
    listeners.reverse();
    let wasm = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {
        "name": "default.helloworld~istio-translated-wasmplugin", "rootId": "add_header", "vmConfig": {
            "runtime": "envoy.wasm.runtime.v8", "code": {"remote": {"httpUri": {"uri": "oci://registry/helloworld:latest"}}},
            "environmentVariables": {"keyValues": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": "<Redacted>"}}}}});
    let list = |name: &str, key: &str| {
        let mut list = section(name)[key].as_array().unwrap().clone();
        list.reverse();
        list.into_iter().map(camel).collect::<Vec<_>>()
    };
    json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamicListeners": listeners},
        {"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecdsFilters": [{"ecdsFilter": wasm}]},
        {"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "dynamicActiveClusters": list("ClustersConfigDump", "dynamic_active_clusters")},
        {"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
            "dynamicRouteConfigs": list(".RoutesConfigDump", "dynamic_route_configs")},
        {"@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump", "dynamicEndpointConfigs": endpoints(dump)}]})
}

/// As istiod writes it: lowerCamelCase, lists without an order in another one.
fn camel(value: Value) -> Value {
    let key = |key: String| {
        let mut parts = key.split('_');
        let first = parts.next().unwrap().to_owned();
        if key.contains('.') { key } else { parts.fold(first, |all, part| all + &part[..1].to_uppercase() + &part[1..]) }
    };
    match value {
        Value::Object(object) => object
            .into_iter()
            .map(|(name, value)| {
                let mut value = camel(value);
                if let ("domains" | "virtual_hosts", Value::Array(list)) = (name.as_str(), &mut value) {
                    list.reverse();
                }
                (key(name), value)
            })
            .collect(),
        Value::Array(list) => list.into_iter().map(camel).collect(),
        other => other,
    }
}

/// The endpoints of the clusters that EDS fills, as istiod sends them: without what Envoy writes out, and with a locality's weight.
fn endpoints(dump: &Value) -> Vec<Value> {
    let sections = dump["configs"].as_array().unwrap().iter();
    let all = sections.filter_map(|section| section["dynamic_endpoint_configs"].as_array()).flatten();
    let sent = all.filter(|entry| entry["endpoint_config"]["cluster_name"].as_str().unwrap().starts_with("outbound|"));
    let bare = |entry: &Value| {
        let mut entry = camel(entry.clone());
        let list = &mut entry["endpointConfig"];
        list.as_object_mut().unwrap().remove("policy");
        for group in list["endpoints"].as_array_mut().into_iter().flatten() {
            group["loadBalancingWeight"] = json!(7);
            for endpoint in group["lbEndpoints"].as_array_mut().into_iter().flatten() {
                endpoint.as_object_mut().unwrap().remove("healthStatus");
                endpoint["endpoint"].as_object_mut().unwrap().remove("healthCheckConfig");
            }
        }
        entry
    };
    sent.map(bare).collect()
}

/// The answer over the permissive mesh, in which istiod could dump the proxy, with changes to what it says.
pub fn edited(edit: impl FnOnce(&mut Value)) -> (tempfile::TempDir, Value) {
    edited_files(edit, |_| {})
}

/// The same with changes to the other files of the recording.
pub fn edited_files(edit: impl FnOnce(&mut Value), others: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = super::files("permissive");
    let name = format!("proxies/{PROXY}/config_dump.json");
    let mut dump: Value = serde_json::from_slice(&files[&name]).unwrap();
    set_up(&mut dump);
    let mut view = of_istiod(&dump);
    files.insert(name, dump.to_string().into_bytes());
    edit(&mut view);
    files.insert(format!("istiod/config_dump.{PROXY}.json"), view.to_string().into_bytes());
    others(&mut files);
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let entry = diff(folder.path().to_str().unwrap(), PROXY);
    (folder, entry)
}

/// A listener of istiod's dump, by name.
pub fn listener<'v>(view: &'v mut Value, name: &str) -> &'v mut Value {
    let all = view["configs"][0]["dynamicListeners"].as_array_mut().unwrap();
    &mut all.iter_mut().find(|entry| entry["name"] == name).unwrap()["activeState"]["listener"]
}

/// The chains of the inbound listener of istiod's dump.
pub fn chains(view: &mut Value) -> &mut Vec<Value> {
    listener(view, "virtualInbound")["filter_chains"].as_array_mut().unwrap()
}

/// Changes the configuration of each HTTP filter of a name in the inbound listener.
pub fn each_filter(view: &mut Value, name: &str, edit: impl Fn(&mut Value)) {
    let filters = chains(view).iter_mut().flat_map(|chain| chain["filters"].as_array_mut().unwrap());
    let http = filters.filter_map(|filter| filter["typed_config"].get_mut("http_filters")?.as_array_mut()).flatten();
    http.filter(|filter| filter["name"] == name).for_each(|filter| edit(&mut filter["typed_config"]));
}

/// Gives filters of the proxy settings that the recording has not.
fn set_up(dump: &mut Value) {
    let mut sections = dump["configs"].as_array_mut().unwrap().iter_mut();
    let entries = sections.find_map(|section| section.get_mut("dynamic_listeners")?.as_array_mut()).unwrap();
    let inbound = entries.iter_mut().find(|entry| entry["name"] == "virtualInbound").unwrap();
    let mut view = json!({"configs": [{"dynamicListeners": [{"name": "virtualInbound", "activeState": inbound["active_state"].take()}]}]});
    each_filter(&mut view, "envoy.filters.http.fault", |config| {
        config["abort"] = json!({"http_status": 503, "percentage": {"numerator": 100, "denominator": "HUNDRED"}});
    });
    each_filter(&mut view, "envoy.filters.http.cors", |config| {
        let principal = json!({"authenticated": {"principal_name": {"exact": "alice"}}});
        *config = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {"action": "DENY", "policies": {"ns[default]-policy[x]": {"permissions": [{"any": true}], "principals": [principal]}}}});
    });
    inbound["active_state"] = view["configs"][0]["dynamicListeners"][0]["activeState"].take();
}
