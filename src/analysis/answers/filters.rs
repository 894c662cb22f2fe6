//! A filter of a chain: its name, the plugin that made it, and how that fares.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::health::{self, PluginState};
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement;
use crate::model::envoy::Filter;
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::snapshot::Snapshot;

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterAnswer {
    /// Its name.
    pub name: String,
    /// The object that made it, `namespace/name`; None where no single EnvoyFilter is known to have added it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// What made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin_kind: Option<PluginKind>,
    /// How the plugin fares on this proxy; None where no plugin made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PluginState>,
    /// What becomes of requests at it, where the plugin does not run and that is known: `allows`, `denies`, `fails`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'static str>,
    /// The same as an ID.
    #[serde(skip)]
    pub id: Option<PluginId>,
}

impl FilterAnswer {
    /// The plugin's state where it is known not to run as it should.
    pub fn trouble(&self) -> Option<PluginState> {
        self.state.filter(|state| state.is_trouble())
    }

    /// The plugin that made it, else its short name: of an EnvoyFilter there can be several.
    pub fn shown(&self) -> &str {
        self.own_plugin().unwrap_or_else(|| self.short())
    }

    /// The plugin that made it; None where an EnvoyFilter did.
    pub fn own_plugin(&self) -> Option<&str> {
        self.plugin.as_deref().filter(|_| self.plugin_kind != Some(PluginKind::EnvoyFilter))
    }

    /// The name without what all of Envoy's own have in front.
    pub fn short(&self) -> &str {
        short(&self.name)
    }
}

/// `envoy.filters.http.router` is known as `router`.
pub(super) fn short(name: &str) -> &str {
    name.strip_prefix("envoy.filters.http.").or_else(|| name.strip_prefix("envoy.filters.network.")).unwrap_or(name)
}

/// Adds to filters of a proxy how their plugins fare.
pub(super) fn with_states<'f>(outlooks: &Outlooks<'_>, filters: impl Iterator<Item = &'f mut FilterAnswer>) {
    let mut known = BTreeMap::new();
    for filter in filters {
        let Some(id) = &filter.id else { continue };
        let health = known.entry(id.clone()).or_insert_with(|| health::of_plugin(id, outlooks));
        (filter.state, filter.effect) = (Some(health.state), health.effect());
    }
}

/// The answer for one filter, without how its plugin fares.
pub(super) fn filter_answer(snapshot: &Snapshot, proxy: &ProxyId, filter: &Filter) -> FilterAnswer {
    let id = placement::plugin_of(filter, snapshot);
    let object = id.as_ref().and_then(|id| match id.kind {
        PluginKind::EnvoyFilter => placement::envoy_filter_of(snapshot, proxy, &filter.name).map(ToString::to_string),
        PluginKind::WasmPlugin | PluginKind::TrafficExtension => Some(id.to_string()),
    });
    FilterAnswer { name: filter.name.clone(), plugin: object, plugin_kind: id.as_ref().map(|id| id.kind), state: None, effect: None, id }
}
