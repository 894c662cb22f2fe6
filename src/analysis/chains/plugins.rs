//! Which plugins istiod puts into a chain, in running order (`pilot/pkg/model/push_context.go: TrafficExtensionsByListenerInfo`;
//! until 1.29 `WasmPluginsByListenerInfo`).

use super::Facts;
use crate::analysis::attachment::listener_match::{Class, accepts, traffic_selectors};
use crate::analysis::attachment::{attach, attach_in_waypoint};
use crate::analysis::order::running_order;
use crate::ingest::plugin_name;
use crate::model::envoy::{Filter, FilterSource, RawJson};
use crate::model::plugin::{Extension, Plugin, PluginType};
use crate::model::service::Service;
use crate::model::workload::ProxyKind;

/// The plugins that reach a proxy.
pub(super) struct Plugins<'f, 's> {
    facts: &'f Facts<'s>,
    /// In running order.
    reaching: Vec<&'s Plugin>,
}

/// A chain, as `match` and targetRefs see it.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    pub class: Class,
    /// The port that istiod compares; 0 for none.
    pub port: u16,
    /// The service whose chain it is, in a waypoint.
    pub service: Option<&'s Service>,
}

impl Place<'_> {
    pub fn new(class: Class, port: u16) -> Self {
        Self { class, port, service: None }
    }
}

impl<'f, 's> Plugins<'f, 's> {
    pub fn of(facts: &'f Facts<'s>) -> Self {
        let version = facts.plane.version;
        let all = facts.objects.plugins.values().map(|plugin| &**plugin);
        let reaching = all.filter(|plugin| attach(plugin, facts.pod, facts.objects).attached);
        Self { facts, reaching: running_order(reaching, facts.namespace(), facts.objects.root_namespace(), version) }
    }

    /// The HTTP filters for a chain with an HttpConnectionManager.
    pub fn http(&self, place: Place<'_>) -> Vec<Filter> {
        self.filters(PluginType::Http, place)
    }

    /// The network filters for a chain.
    pub fn network(&self, place: Place<'_>) -> Vec<Filter> {
        self.filters(PluginType::Network, place)
    }

    fn filters(&self, wanted: PluginType, place: Place<'_>) -> Vec<Filter> {
        let version = self.facts.plane.version;
        if place.class == Class::Outbound && !version.plugins_outbound() {
            return Vec::new();
        }
        let stands = |plugin: &&&Plugin| {
            let own = if version.network_plugins() { plugin.plugin_type } else { PluginType::Http };
            own == wanted
                && accepts(traffic_selectors(plugin, Some(version)), place.class, place.port)
                && (self.facts.kind != ProxyKind::Waypoint
                    || attach_in_waypoint(plugin, self.facts.pod, place.service, self.facts.objects).attached)
        };
        self.reaching.iter().filter(stands).map(|plugin| self.filter(plugin)).collect()
    }

    /// Lua stands in the listener itself, Wasm is referred to by name (`core/extension/extensionfilter.go`).
    fn filter(&self, plugin: &Plugin) -> Filter {
        let name = self.facts.plane.version.filter_name(&plugin.id);
        let source = match plugin.extension {
            Extension::Lua { .. } => FilterSource::Inline("type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua".to_owned()),
            _ => {
                let list = if plugin.plugin_type == PluginType::Network { "network" } else { "http" };
                FilterSource::Discovery(vec![format!("type.googleapis.com/envoy.extensions.filters.{list}.wasm.v3.Wasm")])
            }
        };
        let known = plugin_name::of_filter(&name, &source, false);
        Filter { name, source, plugin: known, disabled: false, raw: RawJson::none() }
    }
}
