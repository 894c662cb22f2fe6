//! The sum of a plugin's states over its proxies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{PluginState, Weight};
use crate::analysis::{attachment, lookup};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::snapshot::Snapshot;

/// The state of a plugin over all its proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rollup {
    /// No proxy runs it.
    Failed,
    /// Some run it and some do not, or not as the object is now.
    Partial,
    /// Not yet received everywhere.
    Pending,
    /// It matches no workload, or `match` keeps it out of every chain.
    Unmatched,
    /// Nothing could be read.
    Unknown,
    /// Every proxy runs it.
    Ready,
}

impl Rollup {
    /// The word of JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Partial => "partial",
            Self::Pending => "pending",
            Self::Unmatched => "unmatched",
            Self::Unknown => "unknown",
            Self::Ready => "ready",
        }
    }

    /// How grave it is.
    pub fn weight(self) -> Weight {
        match self {
            Self::Ready => Weight::Good,
            Self::Failed => Weight::Bad,
            Self::Partial | Self::Pending | Self::Unmatched => Weight::Waits,
            Self::Unknown => Weight::Neutral,
        }
    }
}

impl Rollup {
    /// The sum where it is unknown to which proxies the plugin applies: there may be others, and what is bad of these stays so.
    pub fn of_some(self) -> Self {
        match self {
            Self::Failed | Self::Partial => self,
            Self::Ready | Self::Pending | Self::Unmatched | Self::Unknown => Self::Unknown,
        }
    }
}

/// The states of a plugin over its proxies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverProxies {
    /// What they come to.
    pub rollup: Rollup,
    /// How many proxies are in which state.
    pub states: BTreeMap<&'static str, usize>,
    /// How many of them are `vmFailed`.
    pub vm_failed: usize,
    /// Why it is not known to which proxies the plugin applies; None where it is.
    pub matched_note: Option<String>,
}

impl OverProxies {
    /// Those of a plugin, by its state on each proxy.
    pub fn of<'p>(snapshot: &Snapshot, plugin: &PluginId, proxies: impl Iterator<Item = (&'p ProxyId, PluginState)> + Clone) -> Self {
        let mut states = BTreeMap::new();
        for (_, state) in proxies.clone() {
            *states.entry(state.as_str()).or_insert(0) += 1;
        }
        let vm_failed = states.get(PluginState::VmFailed.as_str()).copied().unwrap_or_default();
        let rollup = roll_up_of(snapshot, proxies);
        let matched_note = attachment::unknown(snapshot, plugin);
        let rollup = if matched_note.is_some() { rollup.of_some() } else { rollup };
        Self { rollup, states, vm_failed, matched_note }
    }
}

/// Rolls up states, ignoring pods that are over while any other proxy remains. One that is to come may not run it.
pub fn roll_up_of<'p>(snapshot: &Snapshot, proxies: impl Iterator<Item = (&'p ProxyId, PluginState)>) -> Rollup {
    let is_over = |(proxy, state): &(&ProxyId, PluginState)| {
        let pending = snapshot.objects.pods.get(*proxy).is_some_and(|pod| pod.phase == "Pending" && !pod.deleting);
        *state == PluginState::Unknown && !pending && lookup::why_not_running(&snapshot.objects, proxy).is_some()
    };
    let (over, there): (Vec<_>, Vec<_>) = proxies.partition(is_over);
    let counted = if there.is_empty() { over } else { there };
    roll_up(&counted.into_iter().map(|(_, state)| state).collect::<Vec<_>>())
}

/// Sums up the states of a plugin over its proxies. Those that it is not meant for say nothing of how it is.
pub fn roll_up(states: &[PluginState]) -> Rollup {
    let is_meant = |state: &&PluginState| !matches!(state, PluginState::NotApplicable | PluginState::Unexpected | PluginState::Leftover);
    let meant: Vec<PluginState> = states.iter().filter(is_meant).copied().collect();
    let count = |wanted: &[PluginState]| meant.iter().filter(|state| wanted.contains(state)).count();
    let running = count(&[PluginState::Running]);
    let failed = meant.iter().filter(|state| state.weight() == Weight::Bad).count();
    let pending = count(&[PluginState::Pending]);
    // It does something there, and not what the object asks for now.
    let outdated = count(&[PluginState::Outdated]);
    match (running, failed, pending) {
        _ if meant.is_empty() => Rollup::Unmatched,
        (running, ..) if running == meant.len() => Rollup::Ready,
        _ if outdated > 0 => Rollup::Partial,
        (0, 0, 0) => Rollup::Unknown,
        (0, 0, _) => Rollup::Pending,
        (0, ..) if count(&[PluginState::Unverified]) == 0 => Rollup::Failed,
        // Running where it was read, and not read or not verified elsewhere: nothing bad is known, and not all is known.
        (_, 0, 0) => Rollup::Unknown,
        _ => Rollup::Partial,
    }
}
