//! `why PLUGIN [WORKLOAD] --mode MODE --with FILE`: what would be, as a difference to what is.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::why::MtlsAnswer;
use crate::analysis::attachment;
use crate::analysis::chains::Shared;
use crate::analysis::outlook::Outlook;
use crate::analysis::what_if::{Assumed, ListenerChange, Sides};
use crate::analysis::{lookup, mtls, placement};
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::peer_authentication::MtlsMode;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfAnswer {
    /// `namespace/name`.
    pub plugin: String,
    /// What makes it.
    pub plugin_kind: PluginKind,
    /// What is assumed, a clause each.
    pub assumed: Vec<String>,
    /// What could not be read or understood, of the mesh and of the file.
    pub warnings: Vec<Warning>,
    /// The workloads that the plugin applies to as things are, `deploy/httpbin`.
    pub touched_before: Vec<String>,
    /// Those that it would apply to.
    pub touched_after: Vec<String>,
    /// One entry a proxy that is concerned.
    pub workloads: Vec<WhatIfEntry>,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatIfEntry {
    /// `namespace/name` of its workload.
    pub workload: Option<String>,
    /// The workload's kind.
    pub workload_kind: Option<&'static str>,
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// Whether the plugin applies as things are.
    pub attached_before: bool,
    /// Whether it would.
    pub attached_after: bool,
    /// By which rule it would, or which rule would fail first.
    pub reason: String,
    /// The mutual TLS mode as things are.
    pub mtls_before: MtlsAnswer,
    /// The one that would be in force.
    pub mtls_after: MtlsAnswer,
    /// The listeners that would change, those that have the plugin before or after, and those of which that cannot be predicted.
    pub listeners: Vec<ListenerChange>,
    /// What else is not predicted, and why.
    pub unpredicted: Vec<String>,
    /// What the proxy has now, where it is not what istiod would send as things are: then the difference starts elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now_note: Option<String>,
}

impl WhatIfAnswer {
    /// Which workloads it touches, and which it would, as one clause.
    pub fn touches(&self) -> String {
        let list = |names: &[String]| if names.is_empty() { "no workload".to_owned() } else { names.join(", ") };
        if self.touched_before == self.touched_after {
            return format!("applies to {}, as it does now", list(&self.touched_after));
        }
        format!("would apply to {}; it applies to {}", list(&self.touched_after), list(&self.touched_before))
    }
}

impl WhatIfEntry {
    /// The difference, a line each: `+` comes, `-` goes, `!` is to be known, a blank is as it was or says what of.
    pub fn lines(&self) -> Vec<(char, String)> {
        let mut lines = Vec::new();
        match (self.attached_before, self.attached_after) {
            (false, true) => lines.push(('+', format!("the plugin would apply: {}", self.reason))),
            (true, false) => lines.push(('-', format!("the plugin would no longer apply: {}", self.reason))),
            (true, true) => lines.push((' ', format!("the plugin applies: {}", self.reason))),
            (false, false) => lines.push((' ', format!("the plugin would not apply: {}", self.reason))),
        }
        let (before, after) = (self.mtls_before.mode, self.mtls_after.mode);
        let winner = self.mtls_after.winner.as_ref().map(|winner| format!(", by {winner}")).unwrap_or_default();
        if before == after {
            lines.push((' ', format!("mutual TLS stays {before}")));
        } else {
            lines.push(('!', format!("mutual TLS {before} would be {after}{winner}")));
        }
        for listener in self.listeners.iter().filter(|listener| listener.is_predicted()) {
            lines.push((' ', listener.to_string()));
            for chain in &listener.chains {
                let sign = match chain.change {
                    "comes" => '+',
                    "goes" => '-',
                    _ => '!',
                };
                lines.push((sign, format!("  {chain}")));
            }
            lines.extend(listener.note.iter().map(|note| ('!', format!("  {note}"))));
        }
        let unpredicted = self.unpredicted_listeners();
        if self.listeners.iter().all(|listener| listener.chains.is_empty()) {
            let noted = self.listeners.iter().any(|listener| listener.note.is_some());
            let other = if !noted && self.unpredicted.is_empty() { "" } else { "other " };
            lines.push((' ', format!("no {other}chain would change")));
        }
        for (note, listeners) in unpredicted {
            lines.extend(listeners.iter().take(MOST_NAMED).map(|listener| (' ', listener.to_string())));
            let more = listeners.len().saturating_sub(MOST_NAMED);
            lines.extend((more > 0).then(|| (' ', format!("and {more} more listeners: not predicted"))));
            lines.push(('!', format!("  {note}")));
        }
        lines.extend(self.unpredicted.iter().map(|why| ('!', why.clone())));
        lines.extend(self.now_note.iter().map(|note| ('!', note.clone())));
        lines
    }
}

impl WhatIfEntry {
    /// The listeners that are not predicted, by the reason.
    fn unpredicted_listeners(&self) -> BTreeMap<&str, Vec<&ListenerChange>> {
        let mut found: BTreeMap<&str, Vec<&ListenerChange>> = BTreeMap::new();
        for listener in self.listeners.iter().filter(|listener| !listener.is_predicted()) {
            found.entry(listener.note.as_deref().unwrap_or_default()).or_default().push(listener);
        }
        // Those that have the plugin first.
        found.values_mut().for_each(|listeners| listeners.sort_by_key(|listener| Reverse(listener.before.max(listener.after))));
        found
    }
}

/// Answers for the given proxies, or, where none are given, for all that the plugin applies to before or after.
pub fn what_if(
    snapshot: &Snapshot,
    assumed: &Assumed,
    mode: Option<MtlsMode>,
    plugin: &PluginId,
    proxies: Option<&[ProxyId]>,
) -> WhatIfAnswer {
    let reached = |snapshot: &Snapshot| -> Vec<ProxyId> {
        let Some(object) = snapshot.objects.plugins.get(plugin) else { return Vec::new() };
        let alive = snapshot.workloads.iter().flat_map(|workload| &workload.pods);
        let attached =
            |id: &&ProxyId| snapshot.objects.pods.get(*id).is_some_and(|pod| attachment::attach(object, pod, &snapshot.objects).attached);
        alive.filter(attached).cloned().collect()
    };
    let (before, after) = (reached(snapshot), reached(&assumed.snapshot));
    let chosen: BTreeSet<ProxyId> = match proxies {
        Some(proxies) => proxies.iter().cloned().collect(),
        None => before.iter().chain(&after).cloned().collect(),
    };
    let touched = |snapshot: &Snapshot, proxies: &[ProxyId]| -> Vec<String> {
        let names: BTreeSet<String> = proxies
            .iter()
            .filter_map(|proxy| lookup::owner(snapshot, proxy))
            .map(|id| format!("{}/{}", id.name.namespace, id.short()))
            .collect();
        names.into_iter().collect()
    };
    let shared = (&Arc::default(), &Arc::default());
    let mut said = assumed.changes.clone();
    said.extend(mode.map(|mode| format!("the mutual TLS mode of the workload is {mode}; modes of single ports stay")));
    WhatIfAnswer {
        plugin: plugin.to_string(),
        plugin_kind: plugin.kind,
        assumed: said,
        warnings: warning::once(&assumed.snapshot.warnings),
        touched_before: touched(snapshot, &before),
        touched_after: touched(&assumed.snapshot, &after),
        workloads: chosen.iter().filter_map(|proxy| entry(snapshot, assumed, mode, plugin, proxy, shared)).collect(),
    }
}

/// None where the proxy runs no Envoy.
fn entry(
    snapshot: &Snapshot,
    assumed: &Assumed,
    mode: Option<MtlsMode>,
    plugin: &PluginId,
    proxy: &ProxyId,
    shared: (&Arc<Shared>, &Arc<Shared>),
) -> Option<WhatIfEntry> {
    let after_pod = assumed.snapshot.objects.pods.get(proxy).filter(|pod| pod.runs_envoy())?;
    let before_pod = snapshot.objects.pods.get(proxy);
    let before = before_pod.map(|_| Outlook::sharing(snapshot, proxy, shared.0));
    let after = Outlook::under(&assumed.snapshot, proxy, mode, shared.1);
    let dump = snapshot.dump(proxy).map(|loaded| &loaded.dump).filter(|dump| !placement::awaits_listeners(snapshot, proxy, dump));
    let sides = Sides { before: before.as_ref(), after: &after, dump };
    let listeners = sides.changes(plugin);
    let before_pod = before_pod.unwrap_or(after_pod);
    let attached = |snapshot: &Snapshot, pod| Some(attachment::attach(snapshot.objects.plugins.get(plugin)?, pod, &snapshot.objects));
    let decided = attached(&assumed.snapshot, after_pod);
    let owner = lookup::owner(&assumed.snapshot, proxy);
    let effective = |snapshot: &Snapshot| {
        let effective = mtls::of_pod(&snapshot.objects, after_pod);
        MtlsAnswer { mode: effective.mode, winner: effective.winner_text() }
    };
    let mtls_after = match mode {
        Some(mode) => MtlsAnswer { mode, winner: None },
        None => effective(&assumed.snapshot),
    };
    Some(WhatIfEntry {
        workload: owner.as_ref().map(|id| id.name.to_string()),
        workload_kind: owner.as_ref().map(|id| id.kind.as_str()),
        proxy: proxy.clone(),
        attached_before: attached(snapshot, before_pod).is_some_and(|decision| decision.attached),
        attached_after: decided.as_ref().is_some_and(|decision| decision.attached),
        reason: decided.map_or_else(|| format!("there would be no {} {plugin}", plugin.kind), |decision| decision.reason.to_string()),
        mtls_before: effective(snapshot),
        mtls_after,
        unpredicted: sides.unpredicted(&listeners),
        listeners,
        now_note: now_note(snapshot, plugin, proxy, shared.0),
    })
}

/// How many listeners are named before the rest is counted.
const MOST_NAMED: usize = 4;

/// Where the proxy does not have what istiod would send now, the difference starts from something else than what is there.
fn now_note(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId, shared: &Arc<Shared>) -> Option<String> {
    let entry = super::why::entry(snapshot, plugin, proxy, shared);
    let differing: Vec<String> =
        entry.listeners.iter().filter(|listener| listener.agrees == Some(false)).map(|listener| listener.listener.clone()).collect();
    if differing.is_empty() {
        return None;
    }
    let mut named = differing[..differing.len().min(MOST_NAMED)].join(", ");
    if differing.len() > MOST_NAMED {
        named.push_str(&format!(" and {} more", differing.len() - MOST_NAMED));
    }
    Some(format!("the proxy does not have what istiod would send now in {named}; `why` without assumptions says where"))
}
