//! What a plugin's object asks for, compared with what the proxy has of it.
//!
//! The dump holds the module as a file of the agent, which shows the repository and not the tag. So of two tags of one repository the agent's
//! log decides, where it has the fetch, and the times: what the proxy was given before the object was changed, while no istiod reaches it, is
//! not what the object asks for now.

use serde_json::{Value, json};

use super::answering::fetched_before;
use super::origin::Fetched;
use super::{Evidence, EvidenceSource, Health, PluginState, agent, module, origin, own_url, placed, replicas, weigh};
use crate::analysis::answers::log_timestamp;
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement;
use crate::analysis::settings::{Changes, canonical, typed_config};
use crate::analysis::sync as rules;
use crate::ingest::logs::instant;
use crate::model::envoy::{DumpView, EcdsFilter, ExtensionConfig};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::logs::LogTime;
use crate::model::plugin::WasmModule;
use crate::model::snapshot::{LoadedDump, Snapshot};
use crate::model::sync::{EXTENSIONS, LISTENERS, SyncState};

/// What was compared, what differs, and what could not be compared.
#[derive(Default)]
pub(super) struct Comparison {
    same: Vec<&'static str>,
    /// What differs, each as a clause.
    pub differs: Vec<String>,
    /// In how many chains it is and should be, where that differs.
    pub misplaced: Option<String>,
    /// The tag or digest that the proxy has, where the object has named another one since.
    older: Option<String>,
    /// Where requests that come to the workload do not pass it.
    pub not_passed: Option<String>,
    /// Where its filter is on the wrong side of a built-in one, in chains that an EnvoyFilter can have changed.
    pub moved: Option<String>,
    not_compared: Vec<String>,
}

impl Comparison {
    fn add(&mut self, field: &'static str, differs: Option<String>) {
        match differs {
            Some(what) => self.differs.push(format!("{field}: {what}")),
            None => self.same(field),
        }
    }

    /// A field in which both are the same.
    pub fn same(&mut self, field: &'static str) {
        self.same.push(field);
    }

    /// What was not compared, as a clause with the reason.
    pub fn not_compared(&mut self, what: String) {
        self.not_compared.push(what);
    }

    /// What was compared and is the same, and what was not compared; None where nothing was compared.
    fn said(&self) -> Option<String> {
        if self.same.is_empty() {
            return None;
        }
        let not = if self.not_compared.is_empty() { String::new() } else { format!("; not compared: {}", self.not_compared.join("; ")) };
        Some(format!("the proxy has the object's {}{not}", self.same.join(", ")))
    }
}

/// Compares what the proxy has with the object. What differs is outdated, but for what was changed a moment ago; where only the number of
/// chains differs, which other objects decide too, the plugin is not known to run as it should.
pub(super) fn compared(mut health: Health, plugin: &PluginId, outlooks: &Outlooks<'_>, loaded: &LoadedDump) -> Health {
    let (snapshot, proxy) = (outlooks.snapshot, outlooks.proxy);
    if !matches!(health.state, PluginState::Running | PluginState::Unverified) {
        return health;
    }
    let Some(object) = snapshot.objects.plugins.get(plugin).filter(|object| object.undecodable.is_empty()) else { return health };
    let mut comparison = Comparison::default();
    let entry = weigh::entry(plugin, &loaded.dump);
    let module = object.wasm().zip(entry);
    let written = rules::changed(object);
    if let Some((wasm, entry)) = module {
        settings(&mut comparison, wasm, entry, loaded);
        source(&mut comparison, wasm, entry, loaded, own_url(snapshot, plugin, &loaded.dump), written);
    }
    if loaded.dump.view == DumpView::Proxy {
        placed::compare(&mut comparison, object, outlooks, &loaded.dump);
    }
    let is_fresh = written.zip(loaded.read_at).is_some_and(|(changed, read)| read.saturating_sub(changed) < rules::GRACE);
    let since = written.and_then(log_timestamp).map(|time| format!(" since {time}")).unwrap_or_default();
    let undelivered = || undelivered(snapshot, proxy, loaded, plugin, written?).zip(module);
    let by_dump = |what| Evidence::new(EvidenceSource::ConfigDump, "", what);
    let by_objects = |what| Evidence::new(EvidenceSource::Objects, "", what);
    let decided = if !comparison.differs.is_empty() {
        let differs = comparison.differs.join("; ");
        Some(if is_fresh {
            let what = format!("the object was changed a moment ago, and the proxy does not have the change yet: {differs}");
            (PluginState::Unverified, by_objects(what))
        } else {
            (PluginState::Outdated, by_objects(format!("the proxy does not have what the object asks for{since}: {differs}")))
        })
    } else if let Some(((given, why), (wasm, _))) = undelivered().filter(|_| !is_fresh) {
        let had = loaded.vitals.as_ref().and_then(|vitals| fetched_before(Some(&wasm.url), vitals.log.iter()));
        let had = had.map(|url| format!(", {url} by the agent's log")).unwrap_or_default();
        let what =
            format!("runs an older module: the object wants {}{since}, the proxy has what it was given at {given}{had}; {why}", wasm.url);
        Some((PluginState::Outdated, by_objects(what)))
    } else if let Some((reference, (wasm, _))) = comparison.older.as_ref().zip(module) {
        let state = if is_fresh { PluginState::Unverified } else { PluginState::Outdated };
        let what = format!("runs an older module: the object wants {}{since}, the agent fetched {reference} before", wasm.url);
        Some((state, by_objects(what)))
    } else if let Some(newer) = written.zip(module).and_then(|(written, (wasm, _))| replicas::newer(snapshot, plugin, proxy, wasm, written))
    {
        Some((PluginState::Unverified, by_dump(format!("runs an older module of its URL: {newer}"))))
    } else if let Some(not_passed) = &comparison.not_passed {
        Some((PluginState::Unverified, by_dump(format!("requests may not pass it: {not_passed}"))))
    } else if let Some(moved) = &comparison.moved {
        Some((PluginState::Unverified, by_dump(format!("it is not where its phase puts it: {moved}"))))
    } else {
        let misplaced = comparison.misplaced.as_ref();
        misplaced.map(|why| (PluginState::Unverified, by_objects(format!("it is not in the chains that the objects ask for: {why}"))))
    };
    if let Some((state, shown)) = decided {
        health.state = state;
        health.evidence.insert(0, shown);
    }
    if comparison.differs.is_empty() {
        health.evidence.extend(comparison.said().map(by_objects));
    }
    health
}

/// Compares where the module came from. The dump holds it as a file of the agent, whose folder is named after the URL without its tag.
fn source(
    comparison: &mut Comparison,
    wasm: &WasmModule,
    entry: &EcdsFilter,
    loaded: &LoadedDump,
    own_url: Option<&str>,
    written: Option<LogTime>,
) {
    let ExtensionConfig::Wasm { file, .. } = &entry.config else { return };
    let agent = agent(loaded);
    match origin::is_of(file, &wasm.url, agent) {
        Some(true) if module::scheme(&wasm.url) != "oci" => return comparison.same("url"),
        Some(true) => comparison.same("repository"),
        Some(false) => {
            let what = format!("url: the object has {}, the proxy a module of another {}", wasm.url, place_of(&wasm.url));
            return comparison.differs.push(what);
        }
        None => return comparison.not_compared("its URL, which the dump does not hold".to_owned()),
    }
    if let (Some(pinned), Some(digest)) = (origin::pinned(&wasm.url), module::digest(file)) {
        let differs = (pinned != digest).then(|| format!("the object has {pinned}, the proxy {digest}"));
        return comparison.add("digest of the URL", differs);
    }
    let given = entry.last_updated.as_deref().and_then(instant);
    match origin::fetched_by(loaded, own_url, given) {
        Some(Fetched::Wanted) => comparison.same("tag"),
        // What the proxy was given before the last change of the object is what the object asked for then.
        Some(Fetched::Other(reference)) if written > given => comparison.older = Some(reference),
        _ => comparison.not_compared("the tag of its URL, which neither the dump nor the agent's log shows".to_owned()),
    }
}

/// What differs where a URL is another than by its tag.
fn place_of(url: &str) -> &'static str {
    if module::scheme(url) == "oci" { "repository" } else { "URL" }
}

fn settings(found: &mut Comparison, wasm: &WasmModule, entry: &EcdsFilter, loaded: &LoadedDump) {
    let ExtensionConfig::Wasm { file, root_id, failure_policy, .. } = &entry.config else { return };
    let differ =
        |wanted: &str, has: &str| (wanted != has).then(|| format!("the object has {}, the proxy {}", or_unset(wanted), or_unset(has)));
    if let Some(digest) = module::digest(file).filter(|_| !wasm.sha256.is_empty() && module::is_comparable(&wasm.url, agent(loaded))) {
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
