//! `plugins`: every WasmPlugin and TrafficExtension, what it matches, and its state over its proxies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Counts;
use super::workloads::{self, ProxySummary};
use crate::analysis::attachment;
use crate::analysis::health::{OverProxies, Rollup};
use crate::model::ids::{PluginId, PluginKind, WorkloadId};
use crate::model::plugin::{Extension, Plugin, TargetRef};
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PluginsAnswer {
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// The plugins, by name.
    pub plugins: Vec<PluginSummary>,
}

/// One plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginSummary {
    /// `namespace/name`.
    pub plugin: String,
    /// WasmPlugin or TrafficExtension.
    pub plugin_kind: PluginKind,
    /// How many workloads it applies to; None where that is not known.
    pub matched: Option<usize>,
    /// The workloads of 0 replicas that it is for, as `deploy/httpbin`, where it applies to none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scaled_to_zero: Vec<String>,
    /// Why it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_note: Option<String>,
    /// Of how many workloads with a proxy in all that were asked about.
    pub of_workloads: usize,
    /// The workloads that it applies to, as `deploy/httpbin`.
    pub workloads: Vec<String>,
    /// Its state over the proxies that it applies to.
    pub rollup: Rollup,
    /// How many of those proxies are in which state.
    pub states: BTreeMap<&'static str, usize>,
    /// How many of those are `vmFailed`.
    pub vm_failed: usize,
    /// How often its filter stands in a proxy's active inbound listener, over the proxies that were read.
    pub inbound: Option<Counts>,
    /// How often it stands in all a proxy's other active listeners together.
    pub elsewhere: Option<Counts>,
    /// `spec.phase`; empty where unset.
    pub phase: String,
    /// `spec.priority`; None where unset, which sorts lowest.
    pub priority: Option<i64>,
    /// HTTP or NETWORK.
    #[serde(rename = "type")]
    pub plugin_type: &'static str,
    /// `failStrategy`; empty for Lua.
    pub fail_strategy: String,
    /// The module's URL; empty for Lua.
    pub url: String,
    /// The module's `sha256`; empty where unset.
    pub sha256: String,
    /// `pluginName`, the root id; empty where unset.
    pub plugin_name: String,
    /// `Wasm`, `Lua`, or empty where neither is set.
    pub extension: &'static str,
    /// The selector, `app=httpbin`; empty where there is none.
    pub selector: String,
    /// The targetRefs, `Gateway web`.
    pub target_refs: Vec<String>,
    /// `spec.match` in a few words; `any` where it is empty.
    #[serde(rename = "match")]
    pub matches: String,
    /// The ID.
    #[serde(skip)]
    pub id: PluginId,
    /// The proxies that it applies to, with their workloads.
    #[serde(skip)]
    pub proxies: Vec<(WorkloadId, ProxySummary)>,
}

impl PluginSummary {
    /// `2 of 7`, or `unknown` where it is not known to what it applies.
    pub fn matched_said(&self) -> String {
        self.matched.map_or_else(|| "unknown".to_owned(), |matched| format!("{matched} of {}", self.of_workloads))
    }
}

/// Answers for the plugins that `namespace` sees: its own and the root namespace's; all of them where it is None.
pub fn plugins(snapshot: &Snapshot, namespace: Option<&str>) -> PluginsAnswer {
    let root = snapshot.objects.root_namespace();
    let seen = |id: &PluginId| namespace.is_none_or(|namespace| id.name.namespace == namespace || id.name.namespace == root);
    let plugins = snapshot.objects.plugins.values().filter(|plugin| seen(&plugin.id)).map(|plugin| summary(snapshot, plugin)).collect();
    PluginsAnswer { warnings: warning::once(&snapshot.warnings), plugins }
}

fn summary(snapshot: &Snapshot, plugin: &Plugin) -> PluginSummary {
    let objects = &snapshot.objects;
    let (mut workloads, mut proxies) = (Vec::new(), Vec::new());
    for workload in snapshot.workloads.iter() {
        let before = proxies.len();
        let pods = workload.pods.iter().filter_map(|id| objects.pods.get(id));
        let attached = pods.filter(|pod| attachment::attach(plugin, pod, objects).attached);
        proxies.extend(attached.map(|pod| (workload.id.clone(), workloads::proxy_summary(snapshot, &plugin.id, pod))));
        if proxies.len() > before {
            workloads.push(workload.id.short());
        }
    }
    let of_proxies = proxies.iter().map(|(_, proxy)| (&proxy.proxy, proxy.state));
    let OverProxies { rollup, states, vm_failed, matched_note } = OverProxies::of(snapshot, &plugin.id, of_proxies);
    let idle = if workloads.is_empty() { attachment::scaled_to_zero(plugin, objects) } else { Vec::new() };
    let module = plugin.wasm().cloned().unwrap_or_default();
    PluginSummary {
        plugin: plugin.id.to_string(),
        plugin_kind: plugin.id.kind,
        matched: matched_note.is_none().then_some(workloads.len()),
        of_workloads: snapshot.workloads.iter().filter(|workload| workload.proxy_kind.is_some()).count(),
        workloads,
        scaled_to_zero: idle.iter().map(WorkloadId::short).collect(),
        rollup,
        matched_note,
        states,
        vm_failed,
        inbound: Counts::of(proxies.iter().filter_map(|(_, proxy)| proxy.inbound)),
        elsewhere: Counts::of(proxies.iter().filter_map(|(_, proxy)| proxy.elsewhere)),
        phase: plugin.phase.as_str().to_owned(),
        priority: plugin.priority,
        plugin_type: plugin.plugin_type.as_str(),
        fail_strategy: module.fail_strategy,
        url: module.url,
        sha256: module.sha256,
        plugin_name: module.plugin_name,
        extension: match plugin.extension {
            Extension::Wasm(_) => "Wasm",
            Extension::Lua { .. } => "Lua",
            Extension::None => "",
        },
        selector: plugin.selector.as_ref().map(crate::model::labels::Selector::text).unwrap_or_default(),
        target_refs: plugin.targets().iter().map(TargetRef::to_string).collect(),
        matches: plugin.match_text(),
        id: plugin.id.clone(),
        proxies,
    }
}
