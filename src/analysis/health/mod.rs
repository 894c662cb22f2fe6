//! Whether a plugin runs in a proxy, by all that could be read of the proxy, and the sum of that over its proxies.
//!
//! No source is believed alone where another contradicts it: the state is the one that all of them allow, and what each of them
//! says stands beside it as evidence.

mod answering;
mod counters;
mod dump;
mod expected;
mod failures;
mod istiod;
mod life;
mod lines;
pub mod module;
mod origin;
mod passed;
mod placed;
mod pod;
mod removed;
mod replicas;
mod roll_up;
mod state;
mod suspects;
mod unconfigured;
mod vms;
mod wanted;
mod weigh;

use std::sync::Arc;

use serde::Serialize;

use crate::analysis::era::Version;
use crate::analysis::logs::attribution::module::Module;
use crate::analysis::outlook::Outlooks;
use crate::analysis::{lookup, placement};
use crate::model::envoy::{ConfigDump, DumpView};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::snapshot::{LoadedDump, Snapshot};

pub use answering::Answering;
pub use counters::is_in_doubt;
pub use dump::of_dump;
pub use expected::Expected;
pub use failures::{Unnamed, unnamed};
pub use roll_up::{OverProxies, Rollup, roll_up, roll_up_of};
pub use state::{PluginState, Weight};

/// The state of a plugin and what shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The state.
    pub state: PluginState,
    /// What each source says of it, what decided first; never empty.
    pub evidence: Vec<Evidence>,
    /// What of that shows that VMs of it have failed since it was put in place, so that it runs no more for some or all requests.
    pub failures: Vec<Evidence>,
    /// Whether Envoy has no Wasm VM at all, which is one of the failures; else one of several failed.
    #[serde(skip)]
    pub without_vms: bool,
    /// What answers requests where Envoy rejected the configuration; None where it did not, and where that is not known.
    #[serde(skip)]
    pub answering: Option<Answering>,
}

/// What one source says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Which source.
    pub source: EvidenceSource,
    /// The field, metric or record that says it; empty where it is the lack of one.
    pub field: String,
    /// What it says, as one clause.
    pub what: String,
}

/// Where evidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EvidenceSource {
    /// Envoy's `/config_dump`.
    ConfigDump,
    /// Envoy's `/init_dump`.
    InitDump,
    /// Envoy's `/stats/prometheus`.
    Stats,
    /// The agent's, on port 15020.
    AgentStats,
    /// The log of the proxy's container.
    Log,
    /// The objects of the API server, and what istiod would make of them.
    Objects,
    /// What istiod says that it sent, and what the proxy made of it.
    Istiod,
}

impl EvidenceSource {
    /// The source for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::ConfigDump => "config dump",
            Self::InitDump => "init dump",
            Self::Stats => "Envoy's statistics",
            Self::AgentStats => "the agent's statistics",
            Self::Log => "log",
            Self::Objects => "objects",
            Self::Istiod => "istiod",
        }
    }
}

impl Evidence {
    pub(super) fn new(source: EvidenceSource, field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { source, field: field.into(), what: what.into() }
    }

    /// The evidence in one line: the source, what it says, and where.
    pub fn said(&self) -> String {
        let field = if self.field.is_empty() { String::new() } else { format!(" ({})", self.field) };
        format!("{}: {}{field}", self.source.words(), self.what)
    }

    fn of_dump(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(EvidenceSource::ConfigDump, field, what)
    }
}

impl Health {
    fn new(state: PluginState, evidence: Evidence) -> Self {
        Self::of(state, vec![evidence])
    }

    fn of(state: PluginState, evidence: Vec<Evidence>) -> Self {
        Self { state, evidence, failures: Vec::new(), without_vms: false, answering: None }
    }

    /// What becomes of requests at its filter, in a word of JSON; None where it runs, and where that is not known.
    pub fn effect(&self) -> Option<&'static str> {
        match (self.state, &self.answering) {
            (PluginState::StubAllow, _) | (_, Some(Answering::Stub(true))) => Some("allows"),
            (PluginState::StubDeny, _) | (_, Some(Answering::Stub(false))) => Some("denies"),
            (_, Some(Answering::Nothing)) => Some("fails"),
            (PluginState::Outdated, _) | (_, Some(Answering::ModuleBefore(_))) => Some("before"),
            (PluginState::Rejected, None) => Some("refused"),
            (PluginState::VmFailed, None) => Some("vmFailed"),
            (PluginState::Pending, _) => Some("waits"),
            _ => None,
        }
    }

    /// What decided, as one clause.
    pub fn note(&self) -> &str {
        self.evidence.first().map_or("", |evidence| &evidence.what)
    }
}

/// The module of a plugin's object, where no other plugin of the proxy has one of the same repository.
fn own_url<'s>(snapshot: &'s Snapshot, plugin: &PluginId, dump: &ConfigDump) -> Option<&'s str> {
    let url = |plugin: &PluginId| Some(snapshot.objects.plugins.get(plugin)?.wasm()?.url.as_str());
    let own = url(plugin)?;
    let others = dump.ecds.iter().filter_map(|entry| entry.plugin.as_ref()).filter(|other| *other != plugin);
    let module = Module::of(own);
    (!others.filter_map(url).any(|other| Module::of(other).is_of_repository_of(&module))).then_some(own)
}

/// The version of a proxy's agent.
fn agent(loaded: &LoadedDump) -> Option<Version> {
    loaded.dump.node.as_ref().and_then(|node| Version::parse(&node.istio_version))
}

/// The state of `plugin` in `proxy`, by all that the snapshot holds of it.
pub fn of_proxy(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> Health {
    of_plugin(plugin, &Outlooks::sharing(snapshot, proxy, &Arc::default()))
}

/// The same of one of several plugins of a proxy, with the proxy's predictions.
pub fn of_plugin(plugin: &PluginId, outlooks: &Outlooks<'_>) -> Health {
    let (snapshot, proxy) = (outlooks.snapshot, outlooks.proxy);
    let Some(loaded) = snapshot.dump(proxy) else {
        let why = lookup::why_not_running(&snapshot.objects, proxy);
        return Health::new(PluginState::Unknown, Evidence::of_dump("", why.unwrap_or_else(|| "its config dump was not read".to_owned())));
    };
    let awaits = placement::awaits_listeners(snapshot, proxy, &loaded.dump);
    let expected = Expected::of(snapshot, plugin, proxy);
    let health = of_dump(plugin, &loaded.dump, &expected, awaits);
    if let Some(removed) = removed::held(&health, &expected, plugin, outlooks, &loaded.dump) {
        return removed;
    }
    let health = expected::compared_with_prediction(health, plugin, outlooks);
    let health = match &loaded.vitals {
        Some(vitals) if loaded.dump.view == DumpView::Proxy => {
            weigh::weighed(health, plugin, loaded, vitals, || own_url(snapshot, plugin, &loaded.dump))
        }
        _ => weigh::unproven(health, None),
    };
    let health = wanted::compared(health, plugin, outlooks, loaded);
    let health = istiod::weighed(health, snapshot, plugin, proxy);
    let health = passed::compared_with_warming(health, plugin, &loaded.dump);
    let health = expected::compared_with_ports(health, snapshot, plugin, proxy);
    pod::compared_with_pod(health, &snapshot.objects, proxy)
}
