//! `workloads [PLUGIN]`: the workloads, whether the plugin applies to each, and by which rule.

use std::sync::Arc;

use serde::Serialize;

use super::Counts;
use super::why::MtlsAnswer;
use crate::analysis::attachment::{Attachment, Reason};
use crate::analysis::health::{self, PluginState};
use crate::analysis::near_miss::{self, NearMiss, Neighbours};
use crate::analysis::placement::{self, ListenerDirection};
use crate::analysis::{attachment, mtls, outlook};
use crate::model::envoy::{DumpView, ListenerState};
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::plugin::Plugin;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};
use crate::model::workload::{Pod, ProxyKind, Workload};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkloadsAnswer {
    /// The plugin that was asked about; None for all.
    pub plugin: Option<String>,
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// Why it is not known to what else the plugin applies; absent where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_note: Option<String>,
    /// The workloads: those that match first, by name, then the others, those first that come nearest.
    pub workloads: Vec<WorkloadSummary>,
    /// Which of them are here.
    #[serde(skip)]
    pub part: Part,
}

/// Which of a plugin's workloads an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All.
    All,
    /// Those that it applies to.
    Matched,
    /// Those that it does not reach, or that `match` keeps it out of.
    Missed,
}

impl WorkloadsAnswer {
    /// The answer with a part of its workloads.
    pub fn narrowed(mut self, part: Part) -> Self {
        self.part = part;
        self.workloads.retain(|workload| match part {
            Part::All => true,
            Part::Matched => workload.matched,
            Part::Missed => workload.near_miss.is_some(),
        });
        self
    }
}

/// One workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSummary {
    /// `namespace/name`.
    pub workload: String,
    /// Its kind.
    pub workload_kind: &'static str,
    /// `deploy/httpbin`.
    pub short: String,
    /// How many pods it has.
    pub pods: usize,
    /// How many of them are ready.
    pub ready: usize,
    /// What kind of proxies they run, `sidecar`, `gateway`, `waypoint`, `ztunnel`; None where they have none.
    pub proxy_kind: Option<&'static str>,
    /// Whether the plugin applies to at least one of its pods; whether any plugin does, where none was asked about.
    pub matched: bool,
    /// By which rule it applies, or which rule failed first; empty where no plugin was asked about.
    pub reason: String,
    /// Why the plugin does not reach it, or reaches no chain of it, and what would have to change; null where it does.
    pub near_miss: Option<NearMiss>,
    /// The plugins that apply to it, by name.
    pub plugins: Vec<String>,
    /// The mutual TLS mode in force; None where PeerAuthentications could not be read.
    pub mtls: Option<MtlsAnswer>,
    /// Why it is None.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_note: Option<String>,
    /// How often the plugin's filter stands in a proxy's active inbound listener, over the proxies that were read.
    pub inbound: Option<Counts>,
    /// How often it stands in all other active listeners of a proxy together.
    pub elsewhere: Option<Counts>,
    /// Its proxies.
    pub proxies: Vec<ProxySummary>,
    /// The ID.
    #[serde(skip)]
    pub id: WorkloadId,
}

impl WorkloadSummary {
    /// The mutual TLS mode, or that it is not known.
    pub fn mode_word(&self) -> &'static str {
        self.mtls.as_ref().map_or("unknown", |mtls| mtls.mode.as_str())
    }

    /// `pod.namespace still has the chains of PERMISSIVE`: the proxies to which the mode has not come.
    pub fn mode_lags(&self) -> Option<String> {
        let lag = |proxy: &ProxySummary| Some((proxy.proxy.to_string(), proxy.mtls_in_proxy?));
        let lagging: Vec<(String, MtlsMode)> = self.proxies.iter().filter_map(lag).collect();
        match lagging.as_slice() {
            [] => None,
            [(proxy, mode)] => Some(format!("{proxy} still has the chains of {mode}")),
            [(_, mode), ..] => Some(format!("{} proxies still have the chains of another mode, {mode}", lagging.len())),
        }
    }
}

/// One proxy of a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProxySummary {
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// The state of the plugin in it.
    pub state: PluginState,
    /// What shows the state.
    pub state_note: String,
    /// Whether the state is `vmFailed`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vm_failed: bool,
    /// How often the filter stands in its active inbound listener; None where its own dump was not read, or before it had listeners of
    /// istiod's, and for gateways and waypoints, which have no such listener.
    pub inbound: Option<usize>,
    /// How often it stands in its other active listeners.
    pub elsewhere: Option<usize>,
    /// The mutual TLS mode whose chains it has, where that is not the mode in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_in_proxy: Option<MtlsMode>,
}

/// Answers for the workloads of a namespace, or of all. A plugin's workloads are looked for wherever it reaches.
pub fn workloads(snapshot: &Snapshot, plugin: Option<&PluginId>, namespace: Option<&str>) -> WorkloadsAnswer {
    let within = |workload: &&Arc<Workload>| namespace.is_none_or(|namespace| workload.id.name.namespace == namespace);
    let neighbours = Neighbours::of(&snapshot.objects);
    let mut found: Vec<WorkloadSummary> =
        snapshot.workloads.iter().filter(within).map(|workload| summary(snapshot, workload, plugin, &neighbours)).collect();
    found.sort_by(|a, b| (!a.matched, nearness(a), &a.id).cmp(&(!b.matched, nearness(b), &b.id)));
    let matched_note = plugin.and_then(|plugin| attachment::unknown(snapshot, plugin));
    let warnings = warning::once(&snapshot.warnings);
    WorkloadsAnswer { plugin: plugin.map(PluginId::to_string), warnings, matched_note, workloads: found, part: Part::All }
}

/// What a workload that does not match is sorted by: whether a targetRef names it, how many conditions fail, then how many letters
/// labels are away.
fn nearness(workload: &WorkloadSummary) -> (bool, usize, usize) {
    let miss = workload.near_miss.as_ref().filter(|_| !workload.matched);
    miss.map_or((false, 0, 0), |miss| (!miss.named, miss.distance.unwrap_or(usize::MAX), miss.letters))
}

fn summary(snapshot: &Snapshot, workload: &Workload, plugin: Option<&PluginId>, neighbours: &Neighbours<'_>) -> WorkloadSummary {
    let objects = &snapshot.objects;
    let pods: Vec<&Pod> = workload.pods.iter().filter_map(|id| objects.pods.get(id)).map(|pod| &**pod).collect();
    let object = plugin.and_then(|id| objects.plugins.get(id));
    let decisions: Vec<(&Pod, attachment::Attachment)> =
        object.map(|object| pods.iter().map(|pod| (*pod, attachment::attach(object, pod, objects))).collect()).unwrap_or_default();
    let decisive = decisions.iter().find(|(_, decision)| decision.attached).or_else(|| decisions.first());
    let (reason, near_miss) = match (object, decisive) {
        (Some(object), Some((pod, decision))) => said(object, pod, decision, &workload.id, objects, neighbours),
        _ => (plugin.map(|plugin| format!("there is no {} {plugin}", plugin.kind)).unwrap_or_default(), None),
    };
    let first = pods.first();
    let plugins = match plugin {
        Some(_) => Vec::new(),
        None => first.map(|pod| applying(snapshot, pod)).unwrap_or_default(),
    };
    let matched = if plugin.is_some() { decisive.is_some_and(|(_, decision)| decision.attached) } else { !plugins.is_empty() };
    let proxies: Vec<ProxySummary> = plugin
        .map(|plugin| {
            let attached = decisions.iter().filter(|(_, decision)| decision.attached);
            attached.map(|(pod, _)| proxy_summary(snapshot, plugin, pod)).collect()
        })
        .unwrap_or_default();
    let effective = first.map(|pod| mtls::of_pod(objects, pod));
    let effective = effective.unwrap_or_else(|| mtls::effective(objects, &workload.id.name.namespace, &Default::default()));
    let (mtls, mtls_note) = MtlsAnswer::known(snapshot, &workload.id.name.namespace, &effective);
    WorkloadSummary {
        workload: workload.id.to_string(),
        workload_kind: workload.id.kind.as_str(),
        short: workload.id.short(),
        pods: pods.len(),
        ready: pods.iter().filter(|pod| pod.ready).count(),
        proxy_kind: workload.proxy_kind.map(ProxyKind::as_str),
        matched,
        reason,
        near_miss,
        plugins,
        mtls,
        mtls_note,
        inbound: Counts::of(proxies.iter().filter_map(|proxy| proxy.inbound)),
        elsewhere: Counts::of(proxies.iter().filter_map(|proxy| proxy.elsewhere)),
        proxies,
        id: workload.id.clone(),
    }
}

/// The reason in words, and what is to be changed where the plugin does not reach the pod, or no chain of it.
pub(super) fn said(
    plugin: &Plugin,
    pod: &Pod,
    decision: &Attachment,
    workload: &WorkloadId,
    objects: &Inventory,
    neighbours: &Neighbours<'_>,
) -> (String, Option<NearMiss>) {
    let miss = |reason: &Reason| near_miss::among(plugin, pod, workload, reason, objects, neighbours);
    if !decision.attached {
        return (decision.reason.to_string(), Some(miss(&decision.reason)));
    }
    match near_miss::exclusion(plugin, pod, outlook::stands(plugin, pod, objects), objects) {
        None => (decision.reason.to_string(), None),
        Some(exclusion) => {
            let reason = format!("{}, but {exclusion}", decision.reason);
            (reason, Some(miss(&Reason::ExcludesEveryChain(exclusion))))
        }
    }
}

fn applying(snapshot: &Snapshot, pod: &Pod) -> Vec<String> {
    let objects = &snapshot.objects;
    let applies = objects.plugins.values().filter(|plugin| attachment::attach(plugin, pod, objects).attached);
    applies.map(|plugin| plugin.id.to_string()).collect()
}

/// How one proxy is that the plugin applies to.
pub(super) fn proxy_summary(snapshot: &Snapshot, plugin: &PluginId, pod: &Pod) -> ProxySummary {
    let proxy = pod.id.clone();
    let health = health::of_proxy(snapshot, plugin, &proxy);
    let (state, state_note, vm_failed) = (health.state, health.note().to_owned(), health.state == PluginState::VmFailed);
    let dump = snapshot.dump(&proxy).map(|loaded| &loaded.dump).filter(|dump| dump.view == DumpView::Proxy);
    let dump = dump.filter(|dump| !placement::awaits_listeners(snapshot, &proxy, dump));
    let Some(dump) = dump else {
        return ProxySummary { proxy, state, state_note, vm_failed, inbound: None, elsewhere: None, mtls_in_proxy: None };
    };
    let kind = placement::proxy_kind(dump, pod.proxy.as_ref().map(|proxy| proxy.kind));
    // A gateway or waypoint has no such listener, and 0 would read as a lack.
    let has_inbound = matches!(kind, Some(ProxyKind::Sidecar) | None);
    // What could not be read may be any listener, or have the plugin.
    let all = dump.has_all_listeners().then_some(0);
    let (mut inbound, mut elsewhere) = (all, all);
    for listener in dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active) {
        let sum = match placement::direction(listener, kind) {
            Some(ListenerDirection::Inbound) => &mut inbound,
            _ => &mut elsewhere,
        };
        // What could not be read of a static one is none of istiod's.
        let count = if listener.is_static {
            Some(placement::count_in_listener(listener, plugin))
        } else {
            placement::known_count(listener, plugin)
        };
        *sum = sum.zip(count).map(|(sum, count)| sum + count);
        if listener.unread && !listener.is_static {
            (inbound, elsewhere) = (None, None);
        }
    }
    let unread = snapshot.lacks(Kind::PeerAuthentication, &proxy.namespace);
    let mtls_in_proxy = mtls::in_proxy(dump).filter(|mode| has_inbound && !unread && *mode != mtls::of_pod(&snapshot.objects, pod).mode);
    ProxySummary { proxy, state, state_note, vm_failed, inbound: inbound.filter(|_| has_inbound), elsewhere, mtls_in_proxy }
}
