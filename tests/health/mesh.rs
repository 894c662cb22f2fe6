//! One workload with one proxy, what its Envoy holds, and what it says of itself.

use std::sync::Arc;

use meshscope::analysis::health::{self, Health};
use meshscope::ingest::config_dump;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::vitals::Vitals;
use serde_json::{Value, json};

use crate::support::world::{Object, selecting, sidecar, wasm_plugin, world};

/// The name of the filter that istiod 1.31 gives the plugin of [`applying`].
pub const FILTER: &str = "extensions.istio.io/trafficextension/n.p~istio-translated-wasmplugin";
/// A file of the agent.
pub const FILE: &str = "/var/lib/istio/data/ff3f6101d2ec2612d2739cec88543a42982704128a88362d0f86c26ffb769ce7/730c9a1ba25a5a2816a659e40fec02119f64724b96d9b1b67389787fec4a60ec.wasm";

/// WasmPlugin n/p.
pub fn plugin() -> PluginId {
    PluginId::new(PluginKind::WasmPlugin, "n", "p")
}

/// The workload, and the plugin on it.
pub fn applying() -> Vec<Object> {
    vec![sidecar("n", json!({"app": "a"})), wasm_plugin("n", selecting(json!({"app": "a"})))]
}

/// The workload, and the plugin on another one.
pub fn elsewhere() -> Vec<Object> {
    vec![sidecar("n", json!({"app": "a"})), wasm_plugin("n", selecting(json!({"app": "b"})))]
}

/// A listener `virtualInbound` with one chain, which has the plugin's filter where that is wanted.
pub fn listener(with_filter: bool) -> Value {
    let mut filters = vec![json!({"name": "envoy.filters.http.router"})];
    if with_filter {
        let types = ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"];
        filters.insert(0, json!({"name": FILTER, "config_discovery": {"type_urls": types}}));
    }
    let manager = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "http_filters": filters});
    json!({"name": "virtualInbound", "traffic_direction": "INBOUND",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 15006}},
        "filter_chains": [{"name": "0.0.0.0_80", "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]})
}

/// A dynamic listener in one state.
pub fn in_state(state: &str, with_filter: bool) -> Value {
    match state {
        "error_state" => json!({"name": "virtualInbound", "error_state": {"failed_configuration": listener(with_filter),
            "details": "Unable to create Wasm plugin n.p~istio-translated-wasmplugin", "last_update_attempt": "2026-11-25T00:00:01Z"}}),
        state => json!({"name": "virtualInbound", state: {"listener": listener(with_filter), "last_updated": "2026-11-25T00:00:00Z"}}),
    }
}

/// What the ECDS section holds of the plugin.
pub fn entry(typed_config: Value) -> Value {
    json!({"last_updated": "2026-11-25T00:00:00.110Z", "ecds_filter": {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": FILTER, "typed_config": typed_config}})
}

/// A module in a file of the agent.
pub fn module(file: &str) -> Value {
    entry(json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {"name": "n.p~istio-translated-wasmplugin", "vm_config": {"code": {"local": {"filename": file}}}}}))
}

/// The stub that stands in for a module.
pub fn stub(word: &str) -> Value {
    entry(
        json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules_stat_prefix": format!("wasm-default-{word}")}),
    )
}

/// A config dump of these listeners and ECDS entries; a section without any is left out, as Envoy does.
pub fn dump(listeners: &[Value], ecds: &[Value]) -> Value {
    let mut configs = vec![json!({"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": listeners})];
    if !ecds.is_empty() {
        configs.push(json!({"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": ecds}));
    }
    json!({"configs": configs})
}

/// A dump that was read.
pub fn loaded(dump: &Value, vitals: Option<Vitals>) -> Dump {
    let parsed = config_dump::parse(dump.to_string().as_bytes(), DumpView::Proxy, "config dump").unwrap();
    let loaded = LoadedDump {
        dump: parsed.dump,
        way: "file",
        took_ms: 0,
        read_at: None,
        vitals,
        serial: 1,
        warnings: parsed.warnings,
        cut_short: None,
    };
    Dump::Loaded(Arc::new(loaded))
}

/// The mesh of `objects`, whose one proxy has this dump.
pub fn mesh(objects: &[Object], dump: &Value, vitals: Option<Vitals>) -> Snapshot {
    let mut snapshot = world("1.31.0", objects);
    snapshot.has_objects = !objects.is_empty();
    // The listeners are not those that istiod would send: without Services nothing is predicted.
    if vitals.is_some() {
        snapshot.unread.insert(Kind::Service);
    }
    let proxy = snapshot.objects.pods.keys().next().cloned().unwrap_or_else(|| ProxyId::new("w", "n"));
    snapshot.dumps.insert(proxy, loaded(dump, vitals));
    snapshot
}

/// The plugin's state in the one proxy.
pub fn health(objects: &[Object], dump: &Value) -> Health {
    let snapshot = mesh(objects, dump, None);
    let proxy = snapshot.dumps.keys().next().unwrap();
    health::of_proxy(&snapshot, &plugin(), proxy)
}
