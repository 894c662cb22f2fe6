//! WasmPlugin and TrafficExtension objects.

use serde_json::{Map, Value, json};

use super::fields::{Fields, port_of, str_of};
use crate::ingest::{go_url, managed_fields, redact};
use crate::model::ids::{PluginId, PluginKind};
use crate::model::kind::Kind;
use crate::model::plugin::{Extension, Phase, Plugin, PluginType, TargetRef, TrafficSelector, WasmModule, WorkloadMode};

pub(super) fn read(kind: Kind, fields: &mut Fields<'_>) -> Plugin {
    let (plugin_kind, wasm) = match kind {
        Kind::TrafficExtension => (PluginKind::TrafficExtension, "/spec/wasm"),
        _ => (PluginKind::WasmPlugin, "/spec"),
    };
    let extension = match plugin_kind {
        // Of several the last wins when istiod decodes the object; the API server refuses more than one.
        PluginKind::TrafficExtension if fields.get("/spec/lua").is_some() => {
            Extension::Lua { bytes: fields.text("/spec/lua/inlineCode").len() }
        }
        PluginKind::TrafficExtension if fields.get("/spec/wasm").is_none() => Extension::None,
        _ => Extension::Wasm(module(fields, wasm)),
    };
    let mut plugin = Plugin {
        id: PluginId::new(plugin_kind, &fields.name.namespace, &fields.name.name),
        selector: fields.selector("/spec/selector", "/spec/selector/matchLabels"),
        target_refs: fields.list("/spec/targetRefs").iter().map(target_ref).collect(),
        target_ref: fields.get("/spec/targetRef").map(target_ref),
        phase: phase(fields),
        priority: fields.number("/spec/priority"),
        plugin_type: plugin_type(fields, wasm),
        extension,
        matches: matches(fields),
        revision: fields.labels("/metadata/labels").remove("istio.io/rev"),
        created: fields.created(),
        resource_version: fields.optional_text("/metadata/resourceVersion"),
        generation: fields.number("/metadata/generation"),
        writes: managed_fields::writes(fields.list("/metadata/managedFields")),
        undecodable: Vec::new(),
    };
    plugin.undecodable = fields.undecodable();
    advise(&plugin, wasm, fields);
    plugin
}

/// Warnings about what istiod decodes, and what then comes of it.
fn advise(plugin: &Plugin, wasm: &str, fields: &mut Fields<'_>) {
    for (index, item) in plugin.matches.iter().enumerate() {
        if item.ports.contains(&0) {
            fields.warn(&format!("/spec/match/{index}/ports"), "has a port without a number from 1 to 65535, which matches nothing");
        }
    }
    if plugin.targets().iter().any(|target| !target.namespace.is_empty() && target.namespace != plugin.id.name.namespace) {
        fields.warn("/spec/targetRefs", "names another namespace, which Istio does not support");
    }
    let Some(module) = plugin.wasm() else { return };
    let url = format!("{wasm}/url");
    // Redaction leaves the scheme as it is.
    match (module.url_fault, go_url::scheme(&module.url)) {
        (Some(fault), _) => fields.warn(&url, format_args!("is no URL ({fault}), so istiod discards the object; write oci:// in front")),
        (None, _) if module.url.is_empty() => fields.warn(&url, "is empty, so there is no module to fetch"),
        (None, Ok(scheme)) if !go_url::is_of_a_module(&scheme) => {
            fields.warn(&url, format_args!("has the scheme {scheme}, by which no proxy can fetch it; write oci:// in front"));
        }
        _ => {}
    }
}

fn module(fields: &mut Fields<'_>, at: &str) -> WasmModule {
    for index in 0..fields.list(&format!("{at}/vmConfig/env")).len() {
        word(fields, &format!("{at}/vmConfig/env/{index}/valueFrom"), &["INLINE", "HOST"]);
    }
    let fail_strategy = word(fields, &format!("{at}/failStrategy"), &["FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD"]);
    let image_pull_policy = word(fields, &format!("{at}/imagePullPolicy"), &["UNSPECIFIED_POLICY", "IfNotPresent", "Always"]);
    let plugin_config = fields.get(&format!("{at}/pluginConfig")).map(|value| redact::plugin_config(&value.to_string()).into_owned());
    let environment = environment(fields.list(&format!("{at}/vmConfig/env")));
    let mut text = |field: &str| fields.text(&format!("{at}/{field}"));
    let url = text("url");
    WasmModule {
        url_fault: go_url::scheme(&url).err(),
        // A URL can carry a user and a password.
        url: redact::text(&url).into_owned(),
        plugin_name: text("pluginName"),
        fail_strategy: if fail_strategy.is_empty() { "FAIL_CLOSE".to_owned() } else { fail_strategy },
        sha256: text("sha256"),
        image_pull_policy,
        image_pull_secret: text("imagePullSecret"),
        plugin_config: plugin_config.unwrap_or_default(),
        environment,
    }
}

/// The variables of a module's VM as Envoy has them (`pilot/pkg/model/extensions.go: buildVMConfig`).
fn environment(variables: &[Value]) -> String {
    let is_of_host = |variable: &&Value| str_of(variable, "/valueFrom") == "HOST";
    let (of_host, inline): (Vec<&Value>, Vec<&Value>) = variables.iter().partition(is_of_host);
    if variables.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = of_host.iter().map(|variable| str_of(variable, "/name")).collect();
    let values: Map<String, Value> =
        inline.iter().map(|variable| (str_of(variable, "/name").to_owned(), str_of(variable, "/value").into())).collect();
    redact::json(&json!({"host_env_keys": names, "key_values": values}).to_string()).into_owned()
}

/// A field that is one of some words, empty where it is not set.
fn word(fields: &mut Fields<'_>, at: &str, known: &[&str]) -> String {
    let found = fields.text(at);
    if !found.is_empty() && !known.contains(&found.as_str()) {
        fields.warn(at, format_args!("is {found}, which Istio does not know"));
    }
    found
}

pub(super) fn target_ref(value: &Value) -> TargetRef {
    TargetRef {
        group: str_of(value, "/group").into(),
        kind: str_of(value, "/kind").into(),
        name: str_of(value, "/name").into(),
        namespace: str_of(value, "/namespace").into(),
    }
}

fn phase(fields: &mut Fields<'_>) -> Phase {
    match fields.text("/spec/phase").as_str() {
        "" | "UNSPECIFIED" | "UNSPECIFIED_PHASE" => Phase::Unspecified,
        "AUTHN" => Phase::Authn,
        "AUTHZ" => Phase::Authz,
        "STATS" => Phase::Stats,
        other => {
            fields.warn("/spec/phase", format_args!("is {other}, which is not a phase"));
            Phase::Unknown(other.to_owned())
        }
    }
}

fn plugin_type(fields: &mut Fields<'_>, wasm: &str) -> PluginType {
    let at = format!("{wasm}/type");
    match fields.text(&at).as_str() {
        "" | "UNSPECIFIED_PLUGIN_TYPE" | "HTTP" => PluginType::Http,
        "NETWORK" => PluginType::Network,
        other => {
            fields.warn(&at, format_args!("is {other}, which is not a type"));
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
                fields.warn(&format!("/spec/match/{index}/mode"), format_args!("is {other}, which is not a mode"));
                WorkloadMode::ClientAndServer
            }
        };
        let ports = item.get("ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // Dropping a number that is no port would turn an item that matches nothing into one that matches every port.
        let numbers: Vec<u16> = ports.iter().map(|port| port_of(port, "/number").unwrap_or_default()).collect();
        found.push(TrafficSelector { mode, ports: numbers });
    }
    found
}
