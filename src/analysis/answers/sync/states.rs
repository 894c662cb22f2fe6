//! The state of the plugins of a proxy: that the proxy acknowledged what istiod sent does not show that they run.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{PluginSync, TypeAnswer};
use crate::analysis::attachment;
use crate::analysis::health::{self, PluginState, Weight};
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::plugin::Extension;
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

/// The plugins that apply to a proxy and those that it watches, by name, as far as that is known.
pub(super) fn of_proxy(snapshot: &Snapshot, proxy: &ProxyId, watched: Option<&[PluginSync]>) -> Vec<PluginOnProxy> {
    let objects = &snapshot.objects;
    let pod = objects.pods.get(proxy);
    let applying = objects.plugins.values().filter(|plugin| pod.is_some_and(|pod| attachment::attach(plugin, pod, objects).attached));
    let watched = watched.unwrap_or_default().iter().map(|plugin| &plugin.id);
    let ids: BTreeSet<&PluginId> = applying.map(|plugin| &plugin.id).chain(watched).collect();
    let of = |id: &PluginId| {
        let health = health::of_proxy(snapshot, id, proxy);
        let (state, state_note) = (health.state, health.note().to_owned());
        PluginOnProxy { plugin: id.to_string(), plugin_kind: id.kind, state, state_note, id: id.clone() }
    };
    ids.into_iter().map(of).filter(|plugin| plugin.state != PluginState::NotApplicable).collect()
}

/// Adds to the types by which plugins come the worst state of those that do not run as their objects ask: LDS brings the filters and all
/// of Lua, ECDS the modules.
pub(super) fn mark(types: &mut [TypeAnswer], plugins: &[PluginOnProxy], objects: &Inventory) {
    let is_lua = |id: &PluginId| objects.plugins.get(id).is_some_and(|plugin| matches!(plugin.extension, Extension::Lua { .. }));
    let by_listeners = |plugin: &PluginOnProxy| matches!(plugin.state, PluginState::Absent | PluginState::Removed) || is_lua(&plugin.id);
    let worst = |listeners: bool| {
        let states: Vec<PluginState> =
            plugins.iter().filter(|plugin| by_listeners(plugin) == listeners).filter_map(PluginOnProxy::trouble).collect();
        PluginState::ALL.into_iter().find(|state| states.contains(state))
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
