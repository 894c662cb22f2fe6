//! What a plugin's object asks for, compared with what the proxy has of it.
//!
//! The dump holds the module as a file of the agent, not the URL that it was pulled from. So of two tags of one repository only the times
//! decide: what the proxy was given before the object was changed, while no istiod reaches it, is not what the object asks for now.

use serde_json::{Value, json};

use super::answering::fetched_before;
use super::{Evidence, EvidenceSource, Health, PluginState, module, weigh};
use crate::analysis::answers::log_timestamp;
use crate::analysis::era::Version;
use crate::analysis::placement;
use crate::analysis::settings::{Changes, canonical, typed_config};
use crate::analysis::sync as rules;
use crate::ingest::logs::instant;
use crate::model::envoy::{EcdsFilter, ExtensionConfig};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::logs::LogTime;
use crate::model::plugin::WasmModule;
use crate::model::snapshot::{LoadedDump, Snapshot};
use crate::model::sync::{EXTENSIONS, LISTENERS, SyncState};

/// What was compared, and what differs.
#[derive(Default)]
struct Comparison {
    same: Vec<&'static str>,
    differs: Vec<String>,
}

impl Comparison {
    fn add(&mut self, field: &'static str, differs: Option<String>) {
        match differs {
            Some(what) => self.differs.push(format!("{field}: {what}")),
            None => self.same.push(field),
        }
    }
}

/// Compares what the proxy has with the object, where it has a module of it. What differs is outdated, but for what was changed a moment
/// ago.
pub(super) fn compared(mut health: Health, snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId, loaded: &LoadedDump) -> Health {
    if !matches!(health.state, PluginState::Running | PluginState::Unverified) {
        return health;
    }
    let (Some(object), Some(entry)) = (snapshot.objects.plugins.get(plugin), weigh::entry(plugin, &loaded.dump)) else { return health };
    let Some(wasm) = object.wasm().filter(|_| object.undecodable.is_empty()) else { return health };
    let agent = loaded.dump.node.as_ref().and_then(|node| Version::parse(&node.istio_version));
    let comparison = settings(wasm, entry, agent);
    let written = rules::changed(object);
    let is_fresh = written.zip(loaded.read_at).is_some_and(|(changed, read)| read.saturating_sub(changed) < rules::GRACE);
    let since = written.and_then(log_timestamp).map(|time| format!(" since {time}")).unwrap_or_default();
    let undelivered = || undelivered(snapshot, proxy, loaded, plugin, written?);
    if !comparison.differs.is_empty() {
        let differs = comparison.differs.join("; ");
        let (state, what) = if is_fresh {
            (PluginState::Unverified, format!("the object was changed a moment ago, and the proxy does not have the change yet: {differs}"))
        } else {
            (PluginState::Outdated, format!("the proxy does not have what the object asks for{since}: {differs}"))
        };
        health.state = state;
        health.evidence.insert(0, Evidence::new(EvidenceSource::Objects, "", what));
    } else if let Some((given, why)) = undelivered().filter(|_| !is_fresh) {
        let had = loaded.vitals.as_ref().and_then(|vitals| fetched_before(Some(&wasm.url), vitals.log.iter()));
        let had = had.map(|url| format!(", {url} by the agent's log")).unwrap_or_default();
        let what =
            format!("runs an older module: the object wants {}{since}, the proxy has what it was given at {given}{had}; {why}", wasm.url);
        health.state = PluginState::Outdated;
        health.evidence.insert(0, Evidence::new(EvidenceSource::Objects, "", what));
    } else if !comparison.same.is_empty() {
        let what = format!(
            "the proxy has the object's {}; not compared: the tag of its URL, which the dump does not hold",
            comparison.same.join(", ")
        );
        health.evidence.push(Evidence::new(EvidenceSource::Objects, "", what));
    }
    health
}

fn settings(wasm: &WasmModule, entry: &EcdsFilter, agent: Option<Version>) -> Comparison {
    let mut found = Comparison::default();
    let ExtensionConfig::Wasm { file, root_id, failure_policy, .. } = &entry.config else { return found };
    let differ =
        |wanted: &str, has: &str| (wanted != has).then(|| format!("the object has {}, the proxy {}", or_unset(wanted), or_unset(has)));
    if let Some(digest) = module::digest(file).filter(|_| !wasm.sha256.is_empty() && module::is_comparable(&wasm.url, agent)) {
        found.add("sha256", differ(&wasm.sha256.to_ascii_lowercase(), digest));
    }
    found.add("pluginName", differ(&wasm.plugin_name, root_id));
    let (wanted, has) = (policy(&wasm.fail_strategy), policy(failure_policy));
    // Older istiods know no FAIL_RELOAD.
    found.add("failStrategy", differ(wanted, has).filter(|_| wanted != "FAIL_RELOAD" || has == "FAIL_OPEN"));
    if let Some((wanted, has)) = bodies(wasm, entry) {
        for (field, path) in [("pluginConfig", "/config/configuration"), ("vmConfig.env", "/config/vm_config/environment_variables")] {
            found.add(field, difference(&part(&wanted, path), &part(&has, path)));
        }
    }
    found
}

fn or_unset(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

/// `failStrategy` as Envoy has it, in the object's words (`pilot/pkg/model/extensions.go: toEnvoyFailurePolicy` of each release).
fn policy(word: &str) -> &str {
    match word {
        "FAIL_OPEN" | "FAIL_RELOAD" => word,
        _ => "FAIL_CLOSE",
    }
}

/// The parts of the configuration that the object decides, of the object and of the proxy, in one way of writing.
fn bodies(wasm: &WasmModule, entry: &EcdsFilter) -> Option<(Value, Value)> {
    let configuration = match wasm.plugin_config.as_str() {
        "" | "{}" => Value::Null,
        text => json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text}),
    };
    let environment: Value = serde_json::from_str(&wasm.environment).unwrap_or_default();
    let wanted = json!({"config": {"configuration": configuration, "vm_config": {"environment_variables": environment}}});
    Some((canonical(&wanted.to_string())?, typed_config(entry.raw.as_str())?))
}

/// A part of a configuration; null where it is empty. What istiod means for the agent is none of it.
fn part(body: &Value, path: &str) -> Value {
    let mut part = body.pointer(path).cloned().unwrap_or_default();
    if let Some(values) = part.pointer_mut("/key_values").and_then(Value::as_object_mut) {
        values.retain(|key, _| !key.starts_with("ISTIO_META_"));
    }
    let text = part.get("value").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    let mut part = text.unwrap_or_else(|| part.get("value").filter(|_| part.get("@type").is_some()).cloned().unwrap_or(part));
    let is_empty = |value: &Value| {
        value.is_null() || value.as_object().is_some_and(|map| map.is_empty()) || value.as_array().is_some_and(Vec::is_empty)
    };
    if let Some(fields) = part.as_object_mut().filter(|_| path.ends_with("environment_variables")) {
        fields.retain(|_, value| !is_empty(value));
    }
    if is_empty(&part) || part.as_str() == Some("") { Value::Null } else { part }
}

/// Where two values differ, with the first place; secrets are not compared.
fn difference(wanted: &Value, has: &Value) -> Option<String> {
    match (wanted, has) {
        (Value::Null, Value::Null) => None,
        (Value::Null, _) => Some("the object has none, and the proxy has one".to_owned()),
        (_, Value::Null) => Some("the object has one, and the proxy has none".to_owned()),
        _ => {
            let mut changes = Changes::default();
            changes.between(wanted, has);
            let first = changes.told().first()?;
            let more = changes.count().saturating_sub(1);
            Some(format!("{first}{}", if more > 0 { format!(" and {more} more") } else { String::new() }))
        }
    }
}

/// When a proxy was given what it has of a plugin, and why the change after that does not reach it; None where nothing shows that it does
/// not.
fn undelivered(snapshot: &Snapshot, proxy: &ProxyId, loaded: &LoadedDump, plugin: &PluginId, written: LogTime) -> Option<(String, String)> {
    let Some(Ok(sync)) = &snapshot.sync else { return None };
    let having = loaded.dump.listeners.iter().filter(|listener| placement::count_in_listener(listener, plugin) > 0);
    let entry = weigh::entry(plugin, &loaded.dump);
    let given = having.filter_map(|listener| listener.last_updated.as_deref()).chain(entry.and_then(|entry| entry.last_updated.as_deref()));
    let given = given.filter_map(instant).max().filter(|given| *given < written)?;
    let why = match rules::connection(sync, proxy) {
        None if sync.partial || !sync.tells_of(&proxy.namespace) => return None,
        None => rules::why_alone(snapshot.objects.pods.get(proxy)?, &snapshot.objects, true)?,
        Some(client) => {
            let is_stale = |url: &&str| client.types.get(*url).is_some_and(|told| told.state == SyncState::Stale);
            let stale = [EXTENSIONS, LISTENERS].into_iter().find(is_stale)?;
            format!("it has not answered to what istiod sent last of {}", rules::short(stale))
        }
    };
    Some((log_timestamp(given)?, why))
}
