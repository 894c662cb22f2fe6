//! `why PLUGIN [WORKLOAD]`: how often the plugin's filter appears in each proxy, as a sum with its terms.

mod attached;
mod listeners;
mod mode;
mod near;
mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use crate::analysis::attachment;
use crate::analysis::chains::Shared;
use crate::analysis::comparison::{Cause, Difference};
use crate::analysis::explain::Term;
use crate::analysis::health::{self, PluginState, Weight};
use crate::analysis::lookup;
use crate::analysis::mtls;
use crate::analysis::near_miss::{NearMiss, Neighbours};
use crate::analysis::outlook::{Outlook, Outlooks};
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::envoy::ListenerState;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::peer_authentication::MtlsMode;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};
use crate::model::workload::Pod;

pub use mode::MtlsAnswer;
pub use near::Nearest;
pub(in crate::analysis::answers) use read::dump_note;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyAnswer {
    /// `namespace/name`.
    pub plugin: String,
    /// What made it.
    pub plugin_kind: crate::model::ids::PluginKind,
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// Why it is not known to which other proxies the plugin applies; absent where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched_note: Option<String>,
    /// One entry a proxy.
    pub workloads: Vec<WhyEntry>,
    /// The workloads of 0 replicas that it is for, as `deploy/httpbin`, where it applies to none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scaled_to_zero: Vec<String>,
    /// The workload that comes nearest, where the plugin applies to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyEntry {
    /// `namespace/name` of its workload; None over a lone dump.
    pub workload: Option<String>,
    /// The workload's kind.
    pub workload_kind: Option<&'static str>,
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// Whether the plugin applies; None over a lone dump.
    pub attached: Option<bool>,
    /// By which rule it does or does not.
    pub reason: String,
    /// What would have to change, where it does not, or where `match` keeps it out of every chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near_miss: Option<NearMiss>,
    /// The mutual TLS mode in force; None over a lone dump, and where PeerAuthentications could not be read.
    pub mtls: Option<MtlsAnswer>,
    /// Why it is None though there are objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_note: Option<String>,
    /// Listeners in which the filter stands; each state of a listener is an entry.
    pub listeners: Vec<WhyListener>,
    /// Whether it runs.
    pub state: PluginState,
    /// How often it would stand in the inbound listener by the rules of other releases, where that is another number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub era_note: Option<String>,
    /// What shows the state.
    pub state_note: String,
    /// How the dump was read, `port-forward` and so on, or why there is none.
    pub dump_note: String,
    /// Whether there is a dump.
    #[serde(skip)]
    pub dump_read: bool,
}

impl WhyEntry {
    /// What is known of its listeners where the filter is in none that was read.
    pub fn nowhere(&self) -> &'static str {
        if self.dump_read { "its filter is in no listener that was read" } else { "no config dump of the proxy could be read" }
    }

    /// Whether a request passes the plugin once though several chains have it. Where requests to a declared port pass it by, it may be never.
    pub fn passes_once(&self) -> bool {
        let once =
            |listener: &WhyListener| listener.counted.is_some_and(|count| count > 1) && listener.terms.iter().all(|term| term.count > 0);
        self.listeners.iter().any(once)
    }

    /// How often the filter stands in active listeners on `port`; None where the proxy's own dump could not be read.
    pub fn counted_on(&self, port: u16) -> Option<usize> {
        let mut active = self.listeners.iter().filter(|listener| listener.port == Some(port) && listener.state == ListenerState::Active);
        active.try_fold(0, |sum, listener| Some(sum + listener.counted?))
    }
}

/// One listener in one state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyListener {
    /// Its name.
    pub listener: String,
    /// Its port; None for an internal one.
    pub port: Option<u16>,
    /// Its direction; None for static ones and tunnels.
    pub direction: Option<ListenerDirection>,
    /// Which state this is.
    pub state: ListenerState,
    /// How often the filter stands in it; None where only istiod's view could be read.
    pub counted: Option<usize>,
    /// Why `counted` is None.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counted_note: Option<String>,
    /// How often istiod would put it there.
    pub predicted: Option<usize>,
    /// In how many chains the objects ask for it, where an EnvoyFilter takes it out of some of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objects_ask_for: Option<usize>,
    /// `predicted` under each mode.
    pub predicted_by_mode: Option<BTreeMap<MtlsMode, usize>>,
    /// Why there is no prediction.
    pub prediction_note: Option<String>,
    /// Whether each chain is as istiod would make it, with the same plugins in the same order; None where there is no prediction
    /// or nothing to hold it against.
    pub agrees: Option<bool>,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Why they differ.
    pub causes: Vec<Cause>,
    /// The sum.
    pub terms: Vec<Term>,
    /// How many chains the listener has.
    pub chain_count: usize,
    /// How many istiod would give it under each mode.
    pub chains_by_mode: Option<BTreeMap<MtlsMode, usize>>,
    /// The state of the plugin on the proxy: chains that are as they should be do not show that it runs.
    #[serde(skip)]
    pub plugin_state: PluginState,
}

/// What is said of a listener that is as predicted: of the objects, no istiod was asked.
const SAME_CHAINS: &str = "just as the objects ask, chain by chain";

impl WhyListener {
    /// How it is to be shown: chains that are as the objects ask are good only where the plugin in them is not in trouble.
    pub fn weight(&self) -> Weight {
        match (self.agrees, self.predicted == self.counted) {
            _ if self.objects_ask_for.is_some() => Weight::Bad,
            (Some(true), true) if self.plugin_state.is_trouble() => self.plugin_state.weight(),
            (Some(true), true) => Weight::Good,
            (Some(_), _) => Weight::Waits,
            (None, _) => Weight::Neutral,
        }
    }

    /// What the chains do not show of the plugin that is in them.
    fn not_compared(&self) -> String {
        match self.plugin_state {
            state if state.is_trouble() => format!("; but the plugin does not run as its object asks: {}", state.words()),
            PluginState::Unverified | PluginState::Unknown if self.counted > Some(0) => {
                "; not compared: whether its module runs".to_owned()
            }
            _ => String::new(),
        }
    }

    /// What istiod would send, held against what was counted, as one clause.
    pub fn held_against(&self) -> String {
        if let Some(wanted) = self.objects_ask_for {
            return format!("the objects ask for {wanted}");
        }
        match (self.predicted, self.counted, self.agrees) {
            (None, ..) => format!("not predicted: {}", self.prediction_note.as_deref().unwrap_or("nothing to predict from")),
            (Some(predicted), Some(counted), Some(true)) if predicted == counted => {
                format!("{SAME_CHAINS}{}", self.not_compared())
            }
            (Some(predicted), Some(counted), Some(false)) if predicted == counted => {
                format!("istiod would put it there {} too, but not the same in every chain", times(predicted))
            }
            (Some(predicted), ..) => format!("istiod would put it there {}", times(predicted)),
        }
    }
}

/// Answers for the given proxies, or, where none are given, for all that the plugin applies to or that have its filter.
pub fn why(snapshot: &Snapshot, plugin: &PluginId, proxies: Option<&[ProxyId]>) -> WhyAnswer {
    let chosen: Vec<ProxyId> = match proxies {
        Some(proxies) => proxies.to_vec(),
        None => concerned(snapshot, plugin),
    };
    let shared = Arc::default();
    let mut workloads: Vec<WhyEntry> = chosen.par_iter().map(|proxy| entry(snapshot, plugin, proxy, &shared)).collect();
    workloads.sort_by(|a, b| (&a.workload, &a.workload_kind, &a.proxy).cmp(&(&b.workload, &b.workload_kind, &b.proxy)));
    let (warnings, matched_note) = (warning::once(&snapshot.warnings), attachment::unknown(snapshot, plugin));
    let neighbours = Neighbours::of(&snapshot.objects);
    for entry in workloads.iter_mut().filter(|entry| entry.attached.is_some()) {
        let Some((reason, miss)) = near::missed(snapshot, plugin, &entry.proxy, &neighbours) else { continue };
        if entry.attached == Some(true) {
            entry.reason = reason;
        }
        entry.near_miss = Some(miss);
    }
    let is_nowhere = workloads.is_empty() && matched_note.is_none();
    let scaled_to_zero = if is_nowhere { near::scaled_to_zero(snapshot, plugin) } else { Vec::new() };
    let nearest = if is_nowhere && scaled_to_zero.is_empty() { near::nearest(snapshot, plugin) } else { None };
    WhyAnswer { plugin: plugin.to_string(), plugin_kind: plugin.kind, warnings, matched_note, workloads, scaled_to_zero, nearest }
}

/// The proxies that the plugin applies to.
pub(super) fn applying<'s>(snapshot: &'s Snapshot, plugin: &PluginId) -> impl Iterator<Item = &'s ProxyId> {
    let object = snapshot.objects.plugins.get(plugin);
    let applies = move |pod: &Pod| object.is_some_and(|object| attachment::attach(object, pod, &snapshot.objects).attached);
    let alive = snapshot.workloads.iter().flat_map(|workload| &workload.pods);
    alive.filter(move |id| snapshot.objects.pods.get(*id).is_some_and(|pod| applies(pod)))
}

/// The proxies that the plugin applies to, and those whose dump has a filter of it.
pub fn concerned(snapshot: &Snapshot, plugin: &PluginId) -> Vec<ProxyId> {
    let mut found: Vec<ProxyId> = applying(snapshot, plugin).cloned().collect();
    let has_filter = |proxy: &&ProxyId| {
        let dump = snapshot.dump(proxy);
        dump.is_some_and(|loaded| loaded.dump.listeners.iter().any(|listener| placement::count_in_listener(listener, plugin) > 0))
    };
    found.extend(snapshot.dumps.keys().filter(has_filter).cloned());
    found.sort();
    found.dedup();
    found
}

/// One proxy, without what would have to change where the plugin does not apply.
pub(super) fn entry(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId, shared: &Arc<Shared>) -> WhyEntry {
    let objects = &snapshot.objects;
    let pod = objects.pods.get(proxy).map(|pod| &**pod);
    let workload = lookup::owner(snapshot, proxy);
    let (applies, reason) = attached::attached(snapshot, plugin, proxy);
    let outlooks = Outlooks::sharing(snapshot, proxy, shared);
    let (health, outlook) = (health::of_plugin(plugin, &outlooks), outlooks.whole());
    let (mtls, mtls_note) = pod.map(|pod| MtlsAnswer::known(snapshot, &proxy.namespace, &mtls::of_pod(objects, pod))).unwrap_or_default();
    let by_mode = outlook.map(Outlook::by_mode).unwrap_or_default();
    WhyEntry {
        workload: workload.as_ref().map(|id| id.name.to_string()),
        workload_kind: workload.as_ref().map(|id| id.kind.as_str()),
        proxy: proxy.clone(),
        attached: applies,
        reason,
        mtls,
        mtls_note,
        era_note: outlook.ok().and_then(|outlook| listeners::era_note(outlook, plugin, &by_mode)),
        listeners: listeners::of_proxy(snapshot, plugin, proxy, outlook, &by_mode, health.state),
        state: health.state,
        state_note: health.note().to_owned(),
        dump_note: dump_note(snapshot, proxy),
        dump_read: snapshot.dump(proxy).is_some(),
        near_miss: None,
    }
}

/// `once`, `4 times`.
fn times(count: usize) -> String {
    match count {
        0 => "in no chain".to_owned(),
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}
