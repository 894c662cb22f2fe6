//! The Wasm modules of a proxy, and which of them share a VM (`proxy-wasm-cpp-host src/wasm.cc: makeVmKey`): where it fails, it fails for all
//! of them.

use std::collections::{BTreeMap, BTreeSet};

use super::failures::request;
use crate::analysis::naming;
use crate::ingest::config_dump;
use crate::ingest::logs::instant;
use crate::model::envoy::{ConfigDump, Destination, ExtensionConfig, FilterSource, ListenerState, PluginFilter};
use crate::model::ids::{PluginId, PluginKind};
use crate::model::log_details::LoggedRequest;
use crate::model::logs::{LogEvent, LogRecord, LogTime};

/// A module that the proxy has, or had until a moment ago.
pub(super) struct Module {
    /// Whose it is.
    pub plugin: PluginId,
    /// What Envoy knows its VM by.
    pub vm: String,
    /// Whether a listener in force has it; else it is what is left of a plugin that is gone.
    pub in_place: bool,
    /// When the proxy was last given it; None where that is not known.
    given: Option<LogTime>,
    /// When a listener in force that has it was last changed; None where none has it, and where that is not known.
    changed: Option<LogTime>,
    /// `failure_policy`.
    policy: String,
    /// Whether it is a network filter.
    pub network: bool,
    /// The clusters that chains with it lead to; None where one of them leads to a route configuration, whose clusters are not known.
    leads_to: Option<BTreeSet<String>>,
}

impl Module {
    /// Whether a record is no older than what the proxy was last given of it; so it is where that time is not known.
    pub fn is_since(&self, record: &LogRecord) -> bool {
        self.given.is_none_or(|given| record.time >= Some(given))
    }

    /// Whether a request ends where its VM has failed: FAIL_OPEN passes it by, though it too ends those that are there when it fails, and a
    /// network filter knows no requests (`source/extensions/common/wasm/context.cc`).
    pub fn ends_requests(&self) -> bool {
        self.policy != "FAIL_OPEN" && !self.network
    }

    /// Whether the next request to a worker whose VM has failed starts another VM.
    pub fn restarts(&self) -> bool {
        self.policy == "FAIL_RELOAD"
    }

    /// Whether a listener that has it was changed after a record: a chain that was rebuilt has a new VM, one that stayed as it was keeps the
    /// old one, and a plugin that the chain had before may be gone.
    pub fn is_changed_since(&self, record: &LogRecord) -> bool {
        self.changed.is_some_and(|changed| record.time < Some(changed))
    }

    /// Whether a request goes by a chain with it.
    pub fn takes(&self, request: &LoggedRequest<'_>) -> bool {
        match &self.leads_to {
            Some(clusters) => clusters.contains(&*request.cluster),
            None => !request.cluster.is_empty(),
        }
    }

    /// Whether a request passed it and was answered by the upstream.
    pub fn is_passed_by(&self, request: &LoggedRequest<'_>) -> bool {
        request.code > 0 && !request.upstream_host.is_empty() && self.takes(request)
    }
}

/// The modules in place, and those that ECDS still holds.
pub(super) fn modules(dump: &ConfigDump) -> Vec<Module> {
    let mut placed: BTreeMap<&PluginId, Option<BTreeSet<String>>> = BTreeMap::new();
    let mut changed: BTreeMap<&PluginId, Option<LogTime>> = BTreeMap::new();
    let mut inline: BTreeMap<(&PluginId, String), ExtensionConfig> = BTreeMap::new();
    let active = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active);
    for (listener, chain) in active.flat_map(|listener| listener.chains.iter().map(move |chain| (listener, chain))) {
        for filter in chain.filters() {
            let Some(PluginFilter { id, .. }) = &filter.plugin else { continue };
            let last = changed.entry(id).or_default();
            *last = (*last).max(listener.last_updated.as_deref().and_then(instant));
            let clusters = placed.entry(id).or_insert_with(|| Some(BTreeSet::new()));
            match (&chain.destination, &mut *clusters) {
                (Some(Destination::Cluster(name)), Some(known)) => drop(known.insert(name.clone())),
                _ => *clusters = None,
            }
            // One name may be that of several filters, each with a module of its own.
            if id.kind == PluginKind::EnvoyFilter
                && matches!(filter.source, FilterSource::Inline(_))
                && let config @ ExtensionConfig::Wasm { .. } = config_dump::inline(filter)
                && let ExtensionConfig::Wasm { vm, .. } = &config
            {
                inline.entry((id, vm.clone())).or_insert(config);
            }
        }
    }
    let module = |plugin: &PluginId, config: &ExtensionConfig, given: Option<LogTime>| {
        let ExtensionConfig::Wasm { vm, failure_policy, network, .. } = config else { return None };
        let clusters = placed.get(plugin);
        Some(Module {
            plugin: plugin.clone(),
            vm: vm.clone(),
            in_place: clusters.is_some(),
            given,
            changed: changed.get(plugin).copied().flatten(),
            policy: failure_policy.clone(),
            network: *network,
            leads_to: clusters.cloned().flatten(),
        })
    };
    let of_ecds =
        dump.ecds.iter().filter_map(|entry| module(entry.plugin.as_ref()?, &entry.config, entry.last_updated.as_deref().and_then(instant)));
    of_ecds.chain(inline.iter().filter_map(|((plugin, _), config)| module(plugin, config, None))).collect()
}

/// A VM in place, and the modules that share it.
pub(super) struct Vm<'m> {
    /// What Envoy knows it by.
    pub key: &'m str,
    modules: Vec<&'m Module>,
}

/// The VMs of the modules that are in place.
pub(super) fn vms(modules: &[Module]) -> Vec<Vm<'_>> {
    let mut found: Vec<Vm<'_>> = Vec::new();
    for module in modules.iter().filter(|module| module.in_place) {
        match found.iter_mut().find(|vm| vm.key == module.vm) {
            Some(vm) => vm.modules.push(module),
            None => found.push(Vm { key: &module.vm, modules: vec![module] }),
        }
    }
    found
}

impl Vm<'_> {
    /// Whether it is the plugin's.
    pub fn has(&self, plugin: &PluginId) -> bool {
        self.plugins().any(|of| of == plugin)
    }

    /// Whether it was the plugin's when a record was written.
    pub fn had(&self, plugin: &PluginId, record: &LogRecord) -> bool {
        self.modules.iter().any(|module| module.plugin == *plugin && module.is_since(record))
    }

    /// The other plugins in it; None where there are none.
    pub fn others(&self, plugin: &PluginId) -> Option<String> {
        let others: BTreeSet<&PluginId> = self.plugins().filter(|of| *of != plugin).collect();
        let others: Vec<&PluginId> = others.into_iter().collect();
        (!others.is_empty()).then(|| naming::enumerated(&others, others.len()))
    }

    /// Its plugins.
    pub fn plugins(&self) -> impl Iterator<Item = &PluginId> {
        self.modules.iter().map(|module| &module.plugin)
    }

    /// Whether one of its plugins ends requests where it has failed.
    pub fn ends_requests(&self) -> bool {
        self.modules.iter().any(|module| module.ends_requests())
    }

    /// Whether it is started again with the next request.
    pub fn restarts(&self) -> bool {
        self.modules.iter().any(|module| module.restarts())
    }

    /// Whether a listener that has one of its plugins was changed after a record.
    pub fn is_changed_since(&self, record: &LogRecord) -> bool {
        self.modules.iter().any(|module| module.is_changed_since(record))
    }

    /// Whether a record is what one of its plugins logged.
    pub fn logged(&self, record: &LogRecord) -> bool {
        record.event == Some(LogEvent::PluginLog) && record.plugin.as_ref().is_some_and(|plugin| self.has(plugin))
    }

    /// Whether a record is of a request that passed one of its plugins and was answered. Under FAIL_OPEN it says nothing.
    pub fn answered(&self, record: &LogRecord) -> bool {
        let ending: Vec<&&Module> = self.modules.iter().filter(|module| module.ends_requests()).collect();
        !ending.is_empty() && request(record).is_some_and(|request| ending.iter().any(|module| module.is_passed_by(&request)))
    }
}
