//! The state of the plugins of a proxy: that the proxy acknowledged what istiod sent does not show that they run.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::{PluginSync, TypeAnswer, plugins};
use crate::analysis::health::{self, PluginState, Weight};
use crate::analysis::outlook::Outlooks;
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::snapshot::Snapshot;
use crate::model::sync::{EXTENSIONS, LISTENERS, SyncState};

/// A plugin on a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PluginOnProxy {
    /// `namespace/name`.
    pub plugin: String,
    /// Its kind.
    pub plugin_kind: PluginKind,
    /// Its state; `unknown` where the proxy's config dump was not read.
    pub state: PluginState,
    /// What shows the state.
    pub state_note: String,
    /// The ID.
    #[serde(skip)]
    pub id: PluginId,
}

/// The states of the plugins that a proxy watches or that apply to it, by name; of those that apply alone where it is not known which it
/// watches.
pub(super) fn of_proxy(snapshot: &Snapshot, proxy: &ProxyId, plugins: Option<&[PluginSync]>) -> Vec<PluginOnProxy> {
    let ids: BTreeSet<&PluginId> = match plugins {
        Some(plugins) => plugins.iter().map(|plugin| &plugin.id).collect(),
        None => plugins::applying(&snapshot.objects, proxy).collect(),
    };
    let outlooks = Outlooks::sharing(snapshot, proxy, &Arc::default());
    let of = |id: &PluginId| {
        let health = health::of_plugin(id, &outlooks);
        let (state, state_note) = (health.state, health.note().to_owned());
        PluginOnProxy { plugin: id.to_string(), plugin_kind: id.kind, state, state_note, id: id.clone() }
    };
    ids.into_iter().map(of).filter(|plugin| plugin.state != PluginState::NotApplicable).collect()
}

/// Adds to the types by which plugins come the worst state of those that do not run as their objects ask: LDS brings the filters and all
/// of Lua, ECDS the modules.
pub(super) fn mark(types: &mut [TypeAnswer], states: &[PluginOnProxy], objects: &Inventory) {
    let is_missing = |plugin: &PluginOnProxy| matches!(plugin.state, PluginState::Absent | PluginState::Removed);
    let by_listeners = |plugin: &PluginOnProxy| is_missing(plugin) || plugins::is_lua(objects, &plugin.id);
    let worst = |listeners: bool| {
        let own = states.iter().filter(|plugin| by_listeners(plugin) == listeners);
        let troubles: Vec<PluginState> = own.filter_map(PluginOnProxy::trouble).collect();
        PluginState::ALL.into_iter().find(|state| troubles.contains(state))
    };
    for found in types {
        found.plugin_trouble = match found.type_url.as_str() {
            LISTENERS => worst(true),
            EXTENSIONS => worst(false),
            _ => None,
        };
    }
}

impl PluginOnProxy {
    /// Its state where it is known not to run as its object asks.
    pub fn trouble(&self) -> Option<PluginState> {
        Some(self.state).filter(|state| state.is_trouble())
    }

    /// `default/helloworld (running)`.
    pub(super) fn named(&self) -> String {
        format!("{} ({})", self.plugin, self.state.words())
    }

    /// That it does not run, and why.
    pub(super) fn sentence(&self) -> Option<String> {
        let trouble = self.trouble()?;
        Some(format!("{} {} does not run as its object asks: {} ({})", self.plugin_kind, self.plugin, trouble.words(), self.state_note))
    }
}

impl TypeAnswer {
    /// How it is to be shown: what the proxy acknowledged is good only where no plugin that came by it is in trouble.
    pub fn weight(&self) -> Weight {
        match (self.sync, self.plugin_trouble) {
            (SyncState::Refused, _) => Weight::Bad,
            (SyncState::Stale | SyncState::NotSent, trouble) => trouble.map_or(Weight::Waits, PluginState::weight),
            (SyncState::Synced, trouble) => trouble.map_or(Weight::Good, PluginState::weight),
            _ => Weight::Neutral,
        }
    }
}
