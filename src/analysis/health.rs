//! Whether a plugin runs in a proxy, by what the proxy's ECDS section holds, and the sum of that over its proxies.

use serde::Serialize;

use super::placement;
use crate::model::envoy::{ConfigDump, DumpView, ExtensionConfig, FilterSource};
use crate::model::ids::PluginId;

/// The state of one plugin in one proxy, in the words of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PluginState {
    /// The module is in place.
    Running,
    /// The module could not be fetched; a filter of the same name allows everything.
    StubAllow,
    /// The module could not be fetched; a filter of the same name denies everything.
    StubDeny,
    /// Listeners refer to it, and its configuration has not been received.
    Pending,
    /// The plugin does not apply to this proxy, and is not there.
    NotApplicable,
    /// Not to be told from what could be read.
    Unknown,
}

impl PluginState {
    /// Every state, what is worst first.
    pub const ALL: [Self; 6] = [Self::StubDeny, Self::StubAllow, Self::Pending, Self::Unknown, Self::NotApplicable, Self::Running];

    /// The word of JSON and of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::StubAllow => "stubAllow",
            Self::StubDeny => "stubDeny",
            Self::Pending => "pending",
            Self::NotApplicable => "notApplicable",
            Self::Unknown => "unknown",
        }
    }

    /// The state in a few words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::StubAllow => "stub, allows all",
            Self::StubDeny => "stub, denies all",
            Self::Pending => "pending",
            Self::NotApplicable => "not applicable",
            Self::Unknown => "unknown",
        }
    }
}

/// The state of a plugin and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub state: PluginState,
    /// The evidence, or why nothing can be told, as one clause.
    pub evidence: String,
}

impl Health {
    fn new(state: PluginState, evidence: impl Into<String>) -> Self {
        Self { state, evidence: evidence.into() }
    }
}

/// The state of `plugin` by one dump. `attached` says whether it applies to the proxy; None where that is not known.
pub fn of_dump(plugin: &PluginId, dump: &ConfigDump, attached: Option<bool>) -> Health {
    if dump.view == DumpView::Istiod {
        return Health::new(PluginState::Unknown, "only istiod's view could be read, which does not say what the proxy has");
    }
    let entry = dump.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(plugin));
    match entry.map(|entry| &entry.config) {
        Some(ExtensionConfig::Wasm { file, .. }) if !file.is_empty() => {
            Health::new(PluginState::Running, format!("ECDS holds the module as {file}"))
        }
        Some(ExtensionConfig::Wasm { url, .. }) if !url.is_empty() => {
            Health::new(PluginState::Unknown, format!("ECDS holds only the module's URL {url}: whether it was fetched is not to be seen"))
        }
        Some(ExtensionConfig::Wasm { .. }) => Health::new(PluginState::Running, "ECDS holds the module itself"),
        Some(ExtensionConfig::StubAllow) => Health::new(
            PluginState::StubAllow,
            "ECDS holds an RBAC filter wasm-default-allow in its place: the module could not be fetched, all requests are allowed",
        ),
        Some(ExtensionConfig::StubDeny) => Health::new(
            PluginState::StubDeny,
            "ECDS holds an RBAC filter wasm-default-deny in its place: the module could not be fetched, all requests are denied",
        ),
        Some(ExtensionConfig::Other(type_url)) => Health::new(PluginState::Unknown, format!("ECDS holds {type_url} under its name")),
        Some(ExtensionConfig::Missing) => Health::new(PluginState::Pending, "ECDS was asked for it and has received nothing"),
        None => without_entry(plugin, dump, attached),
    }
}

fn without_entry(plugin: &PluginId, dump: &ConfigDump, attached: Option<bool>) -> Health {
    let filters = dump.listeners.iter().flat_map(|listener| &listener.chains).flat_map(|chain| chain.filters());
    let mut of_plugin = filters.filter(|filter| placement::is_of(filter, plugin)).peekable();
    match of_plugin.peek() {
        // Lua, and the Wasm of an EnvoyFilter, stand in the listener itself and need no ECDS.
        Some(filter) if matches!(filter.source, FilterSource::Inline(_)) => {
            Health::new(PluginState::Running, "its configuration is in the listener itself")
        }
        Some(_) if !dump.sections.iter().any(|section| section.type_url.contains("EcdsConfigDump")) => {
            Health::new(PluginState::Unknown, "the dump has no ECDS section")
        }
        Some(_) => Health::new(PluginState::Pending, "listeners refer to it, and ECDS does not hold it"),
        None if attached == Some(false) => Health::new(PluginState::NotApplicable, "it does not apply to this proxy, and is not there"),
        None => Health::new(PluginState::Unknown, "the proxy has neither a filter nor an ECDS entry of it"),
    }
}

/// The state of a plugin over all its proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rollup {
    /// No proxy runs it.
    Failed,
    /// Some run it and some do not.
    Partial,
    /// Not yet received everywhere.
    Pending,
    /// It matches no workload.
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
}

/// Sums up the states of a plugin over the proxies that it applies to.
pub fn roll_up(states: &[PluginState]) -> Rollup {
    let count = |wanted: &[PluginState]| states.iter().filter(|state| wanted.contains(state)).count();
    let running = count(&[PluginState::Running]);
    let stubbed = count(&[PluginState::StubAllow, PluginState::StubDeny]);
    let pending = count(&[PluginState::Pending]);
    match (running, stubbed, pending) {
        _ if states.is_empty() => Rollup::Unmatched,
        (running, ..) if running == states.len() => Rollup::Ready,
        (0, 0, 0) => Rollup::Unknown,
        (0, 0, _) => Rollup::Pending,
        (0, _, 0) => Rollup::Failed,
        // Running where it was read, and not read elsewhere: nothing bad is known, and not all is known.
        (_, 0, 0) => Rollup::Unknown,
        _ => Rollup::Partial,
    }
}
