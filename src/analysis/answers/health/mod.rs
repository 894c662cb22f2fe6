//! `health [PLUGIN]`: the state of plugins on each of their proxies with the evidence, and of the module that each runs.

mod module;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::analysis::health::{self, Evidence, Expected, OverProxies, PluginState, Rollup};
use crate::analysis::lookup::{self, Held};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, DumpView, ExtensionConfig, ListenerState};
use crate::model::ids::{ObjectName, PluginId, PluginKind, ProxyId};
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

pub use module::{ModuleHealth, RunDigest, SecretHealth, pull_secret};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HealthAnswer {
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// The plugins, by name.
    pub plugins: Vec<PluginHealth>,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginHealth {
    /// `namespace/name`.
    pub plugin: String,
    /// What made it.
    pub plugin_kind: PluginKind,
    /// The EnvoyFilter whose filter it is, `namespace/name`; left out of plugins, and where it cannot be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envoy_filter: Option<String>,
    /// Its state over the proxies that it is meant for.
    pub rollup: Rollup,
    /// Why it is not known to which other proxies it applies; absent where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_note: Option<String>,
    /// How many proxies are in which state.
    pub states: BTreeMap<&'static str, usize>,
    /// How many of them are `vmFailed`.
    pub vm_failed: usize,
    /// Its module; None where the plugin has none, or is known from dumps alone.
    pub module: Option<ModuleHealth>,
    /// The proxies that it applies to, and those that have something of it.
    pub proxies: Vec<ProxyHealth>,
    /// The ID.
    #[serde(skip)]
    pub id: PluginId,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxyHealth {
    /// `namespace/name` of its workload; None over a lone dump.
    pub workload: Option<String>,
    /// The workload's kind.
    pub workload_kind: Option<&'static str>,
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// Whether the plugin applies; None where that is not known.
    pub attached: Option<bool>,
    /// The state.
    pub state: PluginState,
    /// Whether the state is `vmFailed`; the evidence shows how.
    pub vm_failed: bool,
    /// When the proxy was last given what it has of the plugin, RFC 3339.
    pub since: Option<String>,
    /// The checksum of the module that ECDS holds; None where it holds none of the agent's.
    pub digest: Option<String>,
    /// What each source says, what decided first.
    pub evidence: Vec<Evidence>,
    /// How the dump was read, or why there is none.
    pub dump_note: String,
}

impl ProxyHealth {
    /// As much of the digest as people tell digests apart by; empty where there is none.
    pub fn short_digest(&self) -> &str {
        self.digest.as_deref().map(|digest| digest.get(..12).unwrap_or(digest)).unwrap_or_default()
    }
}

impl PluginHealth {
    /// `default/helloworld`; of an EnvoyFilter's filter its name, with the EnvoyFilter where that is known.
    pub fn title(&self) -> String {
        match &self.envoy_filter {
            Some(envoy_filter) => format!("{} ({envoy_filter})", self.plugin),
            None => self.plugin.clone(),
        }
    }

    /// That no proxy has it, or that this is not known.
    pub fn nowhere(&self) -> String {
        match &self.matched_note {
            Some(note) => format!("no proxy that was read has it, and it is unknown to which it applies: {note}"),
            None => "no proxy has it, and it applies to none".to_owned(),
        }
    }

    /// `ready: 3 running`, `partial: 2 of 3 running, 1 stub, denies all`.
    pub fn said(&self) -> String {
        summed(self.rollup, &self.states)
    }
}

/// A roll-up with its counts, the worst state first.
pub fn summed(rollup: Rollup, states: &BTreeMap<&'static str, usize>) -> String {
    let counts = counted(states);
    if counts.is_empty() { rollup.as_str().to_owned() } else { format!("{}: {counts}", rollup.as_str()) }
}

/// `2 of 3 running, 1 stub, denies all`; `3 running` where all are.
pub fn counted(states: &BTreeMap<&'static str, usize>) -> String {
    let all: usize = states.values().sum();
    let of = |state: PluginState| states.get(state.as_str()).copied();
    let running = of(PluginState::Running).filter(|running| *running < all).map(|running| format!("{running} of {all} running"));
    let is_said = |state: &PluginState| running.is_none() || *state != PluginState::Running;
    let others = PluginState::ALL.into_iter().filter(is_said).filter_map(|state| Some(format!("{} {}", of(state)?, state.words())));
    running.iter().cloned().chain(others).collect::<Vec<_>>().join(", ")
}

/// Answers for these plugins, or for all that a namespace sees or a dump of it holds; all namespaces where it is None.
pub fn health(snapshot: &Snapshot, plugin: Option<&PluginId>, namespace: Option<&str>) -> HealthAnswer {
    let root = snapshot.objects.root_namespace();
    let within = |id: &PluginId| namespace.is_none_or(|namespace| id.name.namespace == namespace || id.name.namespace == root);
    let held = lookup::held(snapshot);
    let chosen = match plugin {
        Some(plugin) => vec![plugin.clone()],
        None => {
            let is_shown = |proxy: &ProxyId| !snapshot.has_objects || namespace.is_none_or(|namespace| proxy.namespace == namespace);
            let of_envoy_filters = held.filters_of_envoy_filters(is_shown);
            held.plugins(snapshot).into_iter().filter(|id| within(id)).chain(of_envoy_filters).collect()
        }
    };
    let plugins: Vec<PluginHealth> = chosen.iter().map(|plugin| of_plugin(snapshot, plugin, &held)).collect();
    HealthAnswer { warnings: warning::once(&snapshot.warnings), plugins }
}

fn of_plugin(snapshot: &Snapshot, plugin: &PluginId, held: &Held<'_>) -> PluginHealth {
    let mut proxies: Vec<ProxyHealth> = concerned(snapshot, plugin, held).iter().map(|proxy| of_proxy(snapshot, plugin, proxy)).collect();
    proxies.sort_by(|a, b| (&a.workload, &a.workload_kind, &a.proxy).cmp(&(&b.workload, &b.workload_kind, &b.proxy)));
    let of_proxies = proxies.iter().map(|proxy| (&proxy.proxy, proxy.state));
    let OverProxies { rollup, states, vm_failed, matched_note } = OverProxies::of(snapshot, plugin, of_proxies);
    let mut makers: Vec<&ObjectName> = match plugin.kind {
        PluginKind::EnvoyFilter => {
            proxies.iter().filter_map(|proxy| placement::envoy_filter_of(snapshot, &proxy.proxy, &plugin.name.name)).collect()
        }
        PluginKind::WasmPlugin | PluginKind::TrafficExtension => Vec::new(),
    };
    makers.dedup();
    PluginHealth {
        plugin: plugin.to_string(),
        plugin_kind: plugin.kind,
        envoy_filter: if let [only] = makers.as_slice() { Some(only.to_string()) } else { None },
        rollup,
        matched_note,
        states,
        vm_failed,
        module: module::of_plugin(snapshot, plugin, &proxies),
        proxies,
        id: plugin.clone(),
    }
}

/// The proxies that the plugin applies to, and those that hold something of it, in ECDS too.
fn concerned(snapshot: &Snapshot, plugin: &PluginId, held: &Held<'_>) -> BTreeSet<ProxyId> {
    super::why::applying(snapshot, plugin).chain(held.by(plugin)).cloned().collect()
}

fn of_proxy(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> ProxyHealth {
    let workload = lookup::owner(snapshot, proxy);
    let health = health::of_proxy(snapshot, plugin, proxy);
    let dump = snapshot.dump(proxy).map(|loaded| &loaded.dump).filter(|dump| dump.view == DumpView::Proxy);
    let entry = dump.and_then(|dump| dump.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(plugin)));
    ProxyHealth {
        workload: workload.as_ref().map(|id| id.name.to_string()),
        workload_kind: workload.as_ref().map(|id| id.kind.as_str()),
        proxy: proxy.clone(),
        attached: match Expected::of(snapshot, plugin, proxy) {
            Expected::Yes(_) => Some(true),
            Expected::No(_) => Some(false),
            Expected::Unknown(_) => None,
        },
        state: health.state,
        vm_failed: health.state == PluginState::VmFailed,
        since: entry.and_then(|entry| entry.last_updated.clone()).or_else(|| dump.and_then(|dump| warming_since(dump, plugin))),
        digest: entry.and_then(|entry| match &entry.config {
            ExtensionConfig::Wasm { file, .. } => health::module::digest(file).map(str::to_owned),
            _ => None,
        }),
        evidence: health.evidence,
        dump_note: super::why::dump_note(snapshot, proxy),
    }
}

/// Since when a listener waits for it.
fn warming_since(dump: &ConfigDump, plugin: &PluginId) -> Option<String> {
    let warming = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Warming);
    let waits = warming.filter(|listener| placement::count_in_listener(listener, plugin) > 0);
    waits.filter_map(|listener| listener.last_updated.clone()).min()
}
