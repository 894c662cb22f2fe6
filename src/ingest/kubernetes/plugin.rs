//! WasmPlugin and TrafficExtension objects.

use serde_json::Value;

use super::fields::{Fields, port_of, str_of};
use crate::ingest::redact;
use crate::model::ids::{PluginId, PluginKind};
use crate::model::kind::Kind;
use crate::model::plugin::{Extension, Phase, Plugin, PluginType, TargetRef, TrafficSelector, WasmModule, WorkloadMode};

pub(super) fn read(kind: Kind, fields: &mut Fields<'_>) -> Plugin {
    let (plugin_kind, wasm) = match kind {
        Kind::TrafficExtension => (PluginKind::TrafficExtension, "/spec/wasm"),
        _ => (PluginKind::WasmPlugin, "/spec"),
    };
    let extension = match plugin_kind {
        PluginKind::TrafficExtension if fields.get("/spec/lua").is_some() => Extension::Lua,
        PluginKind::TrafficExtension if fields.get("/spec/wasm").is_none() => Extension::None,
        _ => Extension::Wasm(module(fields, wasm)),
    };
    Plugin {
        id: PluginId::new(plugin_kind, &fields.name.namespace, &fields.name.name),
        selector: fields.selector("/spec/selector", "/spec/selector/matchLabels"),
        target_refs: target_refs(fields),
        phase: phase(fields),
        priority: priority(fields),
        plugin_type: plugin_type(fields, &format!("{wasm}/type")),
        extension,
        matches: matches(fields),
        revision: fields.labels("/metadata/labels").remove("istio.io/rev"),
        created: fields.created(),
        resource_version: fields.optional_text("/metadata/resourceVersion"),
    }
}

fn module(fields: &mut Fields<'_>, at: &str) -> WasmModule {
    let mut text = |field: &str| fields.text(&format!("{at}/{field}"));
    let module = WasmModule {
        // A URL can carry a user and a password.
        url: redact::text(&text("url")).into_owned(),
        plugin_name: text("pluginName"),
        fail_strategy: text("failStrategy"),
        sha256: text("sha256"),
        image_pull_policy: text("imagePullPolicy"),
        image_pull_secret: text("imagePullSecret"),
    };
    let fail_strategy = if module.fail_strategy.is_empty() { "FAIL_CLOSE".to_owned() } else { module.fail_strategy.clone() };
    if !matches!(fail_strategy.as_str(), "FAIL_CLOSE" | "FAIL_OPEN" | "FAIL_RELOAD") {
        fields.warn(&format!("{at}/failStrategy"), format_args!("is {fail_strategy}, which Istio does not know"));
    }
    WasmModule { fail_strategy, ..module }
}

pub(super) fn target_ref(value: &Value) -> TargetRef {
    TargetRef { group: str_of(value, "/group").into(), kind: str_of(value, "/kind").into(), name: str_of(value, "/name").into() }
}

fn target_refs(fields: &mut Fields<'_>) -> Vec<TargetRef> {
    let refs: Vec<TargetRef> = fields.list("/spec/targetRefs").iter().map(target_ref).collect();
    // The deprecated single form counts only where the list is empty (`pilot/pkg/model/policyattachment.go`).
    if refs.is_empty() { fields.get("/spec/targetRef").map(target_ref).into_iter().collect() } else { refs }
}

fn phase(fields: &mut Fields<'_>) -> Phase {
    match fields.text("/spec/phase").as_str() {
        "" | "UNSPECIFIED_PHASE" => Phase::Unspecified,
        "AUTHN" => Phase::Authn,
        "AUTHZ" => Phase::Authz,
        "STATS" => Phase::Stats,
        other => {
            fields.warn("/spec/phase", format_args!("is {other}, which is not a phase"));
            Phase::Unknown(other.to_owned())
        }
    }
}

/// A nullable int32; the protobuf wrapper form `{"value": n}` was written by some old clients.
fn priority(fields: &mut Fields<'_>) -> Option<i64> {
    if fields.get("/spec/priority").is_some_and(Value::is_object) {
        return fields.number("/spec/priority/value");
    }
    fields.number("/spec/priority")
}

fn plugin_type(fields: &mut Fields<'_>, at: &str) -> PluginType {
    match fields.text(at).as_str() {
        "" | "UNSPECIFIED_PLUGIN_TYPE" | "HTTP" => PluginType::Http,
        "NETWORK" => PluginType::Network,
        other => {
            fields.warn(at, format_args!("is {other}, which is not a type; taken as HTTP"));
            PluginType::Http
        }
    }
}

fn matches(fields: &mut Fields<'_>) -> Vec<TrafficSelector> {
    let mut found = Vec::new();
    for (index, item) in fields.list("/spec/match").iter().enumerate() {
        let mode = match str_of(item, "/mode") {
            "" | "UNDEFINED" | "CLIENT_AND_SERVER" => WorkloadMode::ClientAndServer,
            "CLIENT" => WorkloadMode::Client,
            "SERVER" => WorkloadMode::Server,
            other => {
                fields.warn(&format!("/spec/match/{index}/mode"), format_args!("is {other}, which is not a mode; taken as any"));
                WorkloadMode::ClientAndServer
            }
        };
        let ports = item.get("ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // Dropping a number that is no port would turn an item that matches nothing into one that matches every port.
        let numbers: Vec<u16> = ports.iter().map(|port| port_of(port, "/number").unwrap_or_default()).collect();
        if numbers.contains(&0) {
            fields.warn(&format!("/spec/match/{index}/ports"), "has a port without a number from 1 to 65535, which matches nothing");
        }
        found.push(TrafficSelector { mode, ports: numbers });
    }
    found
}
