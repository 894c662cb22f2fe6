//! Where a proxy lacks a plugin's filter that the objects ask for, and which EnvoyFilter took it out: istiod patches what it made of the
//! objects last (`pilot/pkg/networking/core/envoyfilter/listener_patch.go`), so that its own view lacks the filter too.

use std::collections::{BTreeMap, BTreeSet};

use super::attachment::listener_match::{Class, allows_class, traffic_selectors};
use super::comparison::{self, Cause, Pair, PlacedPatch};
use super::outlook::{Outlook, Outlooks};
use super::placement::{self, ListenerDirection};
use crate::model::envoy::{ConfigDump, FilterChain, FilterSource, Listener, ListenerState};
use crate::model::envoy_filter::{Patch, Removable};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::kind::Kind;
use crate::model::plugin::{Plugin, PluginType};
use crate::model::policy::PolicySpec;
use crate::model::snapshot::Snapshot;

/// A listener that lacks a plugin in chains for which the objects ask for it.
#[derive(Clone, Debug)]
pub struct Removal<'s> {
    /// The listener's name.
    pub listener: String,
    /// Whether it takes what leaves the workload.
    pub outbound: bool,
    /// In how many of its chains requests pass the plugin.
    pub counted: usize,
    /// In how many chains the objects ask for it.
    pub wanted: usize,
    /// How many chains the listener has.
    pub chains: usize,
    /// The first chain that lacks it, by its 0-based place; None where the chain itself is gone.
    pub chain: Option<usize>,
    /// Of which ports no chain has it, where chains of others do; None is the ports that no Service declares.
    pub ports: Vec<Option<u16>>,
    /// What took it out; empty where nothing shows that.
    pub by: Vec<PlacedPatch<'s>>,
}

impl Removal<'_> {
    /// `virtualInbound: 2 of 8 chains have it, the objects ask for 4; none of port 80 does`.
    pub fn count(&self) -> String {
        let Self { listener, counted, wanted, chains, .. } = self;
        match chains {
            0 => format!("{listener}: the proxy has no such listener, the objects ask for the plugin in {wanted} of its chains"),
            _ => format!("{listener}: {counted} of {chains} chains have it, the objects ask for {wanted}{}", self.without()),
        }
    }

    /// The ports without it, as a clause at the end of a sentence.
    fn without(&self) -> String {
        let words = |port: &Option<u16>| port.map_or("ports that no Service declares".to_owned(), |port| format!("port {port}"));
        let ports: Vec<String> = self.ports.iter().map(words).collect();
        if ports.is_empty() { String::new() } else { format!("; none of {} does", ports.join(" and ")) }
    }

    /// What took it out, each patch by itself.
    pub fn causes(&self) -> Vec<Cause> {
        if self.by.is_empty() {
            return vec![Cause { cause: "unexplained", why: UNEXPLAINED.to_owned() }];
        }
        self.by.iter().map(|by| Cause { cause: "envoyFilter", why: by.to_string() }).collect()
    }
}

/// The listeners by name, the first of many.
pub fn listeners(removals: &[&Removal<'_>]) -> String {
    const MOST: usize = 3;
    let mut names: Vec<&str> = removals.iter().map(|removal| removal.listener.as_str()).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    let more = names.len().saturating_sub(MOST);
    let rest = if more > 0 { format!(" and {more} more listeners") } else { String::new() };
    format!("{}{rest}", names[..names.len() - more].join(", "))
}

/// What is said where no EnvoyFilter takes a plugin out that is not there.
pub const UNEXPLAINED: &str = "what took it out is not known: no EnvoyFilter that reaches the proxy does";

/// Where the proxy lacks the plugin.
pub fn of_proxy<'s>(plugin: &PluginId, outlooks: &Outlooks<'s>, dump: &ConfigDump) -> Vec<Removal<'s>> {
    let Outlooks { snapshot, proxy, .. } = outlooks;
    let object = snapshot.objects.plugins.get(plugin).filter(|object| may_lack(snapshot, object, proxy, dump));
    let Some(outlook) = object.and_then(|_| outlooks.whole().ok()) else { return Vec::new() };
    in_outlook(outlook, dump, plugin)
}

/// The same with what istiod would make.
pub fn in_outlook<'s>(outlook: &Outlook<'s>, dump: &ConfigDump, plugin: &PluginId) -> Vec<Removal<'s>> {
    let is_network = outlook.facts.objects.plugins.get(plugin).is_some_and(|plugin| plugin.plugin_type == PluginType::Network);
    let is_predicted = |listener: &Listener| {
        let gaps = outlook.gaps(listener);
        !listener.lacks_parts() && gaps.iter().all(|gap| gap.tcp_only && !is_network)
    };
    let active = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active && !listener.is_static);
    let there = active.filter_map(|listener| Some((listener, outlook.predicted(&listener.name)?)));
    let found = there.filter(|(listener, _)| is_predicted(listener));
    let mut found: Vec<Removal<'s>> = found.filter_map(|(listener, wanted)| of_listener(outlook, dump, plugin, listener, wanted)).collect();
    found.extend(outlook.lacking(dump).filter(|wanted| is_predicted(wanted)).filter_map(|wanted| whole(outlook, plugin, wanted)));
    // What comes to the workload is what most plugins are for.
    found.sort_by(|a, b| (a.outbound, &a.listener).cmp(&(b.outbound, &b.listener)));
    found
}

/// Whether requests pass the plugin in a chain.
fn has(chain: &FilterChain, plugin: &PluginId) -> bool {
    chain.filters().any(|filter| placement::is_of(filter, plugin) && !filter.disabled)
}

/// The plugin's filter in a chain that istiod would make.
fn filter<'c>(chain: &'c FilterChain, plugin: &PluginId) -> Option<Removable<'c>> {
    let http = chain.http_filters.iter().flatten().map(|filter| (filter, true));
    let mut filters = http.chain(chain.network_filters.iter().map(|filter| (filter, false)));
    let (filter, http) = filters.find(|(filter, _)| placement::is_of(filter, plugin))?;
    Some(Removable { name: &filter.name, http, inline: matches!(filter.source, FilterSource::Inline(_)) })
}

fn of_listener<'s>(
    outlook: &Outlook<'s>,
    dump: &ConfigDump,
    plugin: &PluginId,
    listener: &Listener,
    predicted: &Listener,
) -> Option<Removal<'s>> {
    let wanted = placement::count_in_listener(predicted, plugin);
    let counted = listener.chains.iter().filter(|chain| has(chain, plugin)).count();
    let comes = |other: &Listener| {
        other.name == listener.name
            && matches!(other.state, ListenerState::Warming | ListenerState::Error)
            && placement::count_in_listener(other, plugin) > counted
    };
    if wanted == 0 || dump.listeners.iter().any(comes) {
        return None;
    }
    let inbound = outlook.is_inbound(listener);
    let (mut by, mut chain, mut lacks) = (Vec::new(), None, false);
    // The first chain without it of each port for which the objects ask for it, and whether another one has it.
    let mut of_ports: BTreeMap<Option<u16>, (Option<usize>, bool)> = BTreeMap::new();
    for Pair { counted, predicted } in comparison::pairs(listener, predicted) {
        let Some((wanted, filter)) = predicted.and_then(|wanted| Some((wanted, filter(wanted, plugin)?))) else { continue };
        let has = counted.is_some_and(|(_, chain)| has(chain, plugin));
        if let Some((place, _)) = counted {
            let (first, some) = of_ports.entry(wanted.matches.destination_port).or_default();
            (*first, *some) = (first.or((!has).then_some(place)), *some || has);
        }
        if has {
            continue;
        }
        // Of the proxy's own chain the name is known.
        let like = counted.map_or(wanted, |(_, chain)| chain);
        let removing = outlook.envoy_filters.removing(&filter, like, listener, inbound);
        // A chain that is not there may be there in another form.
        if removing.is_empty() || counted.is_none() && !removing.iter().any(|by| by.patch.apply_to == "FILTER_CHAIN") {
            continue;
        }
        lacks = true;
        chain = chain.or(counted.map(|(place, _)| place));
        by.extend(removing);
    }
    by.sort_by_key(|by| (by.envoy_filter, by.place));
    by.dedup();
    let without: Vec<(Option<u16>, Option<usize>)> =
        of_ports.into_iter().filter(|(_, (_, some))| !some).map(|(port, (first, _))| (port, first)).collect();
    // Without an EnvoyFilter that could have changed the listener, it counts as removed where it is gone altogether, of the listener or of a
    // port: no request there passes it.
    let outbound = is_outbound(outlook, listener);
    let unexplained = || {
        let judgement = outlook.judge(listener, dump).filter(|_| (counted == 0 || !without.is_empty()) && !outbound);
        judgement.is_some_and(|judgement| judgement.causes.iter().any(|cause| cause.cause == "unexplained"))
    };
    (lacks || unexplained()).then(|| Removal {
        listener: listener.name.clone(),
        outbound,
        counted,
        wanted,
        chains: listener.chains.len(),
        chain: chain.or(without.iter().find_map(|(_, first)| *first)),
        ports: if counted > 0 { without.iter().map(|(port, _)| *port).collect() } else { Vec::new() },
        by,
    })
}

fn is_outbound(outlook: &Outlook<'_>, listener: &Listener) -> bool {
    outlook.direction(listener) == Some(ListenerDirection::Outbound)
}

/// A listener that an EnvoyFilter removes as a whole.
fn whole<'s>(outlook: &Outlook<'s>, plugin: &PluginId, predicted: &Listener) -> Option<Removal<'s>> {
    let (chain, filter) = predicted.chains.iter().find_map(|chain| Some((chain, filter(chain, plugin)?)))?;
    let mut by = outlook.envoy_filters.removing(&filter, chain, predicted, outlook.is_inbound(predicted));
    by.retain(|by| by.patch.apply_to == "LISTENER");
    let wanted = placement::count_in_listener(predicted, plugin);
    let outbound = is_outbound(outlook, predicted);
    (!by.is_empty()).then(|| Removal {
        listener: predicted.name.clone(),
        outbound,
        counted: 0,
        wanted,
        chains: 0,
        chain: None,
        ports: Vec::new(),
        by,
    })
}

/// Whether a look at the dump and at what EnvoyFilters remove leaves it open that a chain lacks the plugin, so that it is worth to predict.
fn may_lack(snapshot: &Snapshot, plugin: &Plugin, proxy: &ProxyId, dump: &ConfigDump) -> bool {
    // What is gone with what held it does not show in what is left.
    let takes_whole = |patch: &Patch| patch.apply_to != "HTTP_FILTER" && matches!(patch.operation.as_str(), "REMOVE" | "REPLACE");
    let mut policies = snapshot.objects.policies_of(Kind::EnvoyFilter);
    let removes = policies.any(|policy| match &policy.spec {
        PolicySpec::EnvoyFilter(filter) => filter.patches.iter().any(takes_whole),
        _ => false,
    });
    let kind = placement::kind_of(snapshot, proxy, dump);
    let matches = traffic_selectors(plugin, None);
    let is_network = plugin.plugin_type == PluginType::Network;
    let lacks = |listener: &Listener| {
        let class = match placement::direction(listener, kind) {
            Some(ListenerDirection::Inbound | ListenerDirection::Internal | ListenerDirection::Waypoint) => Class::Inbound,
            Some(ListenerDirection::Outbound) => Class::Outbound,
            Some(ListenerDirection::Gateway) => Class::Gateway,
            None => return false,
        };
        let mut of_type = listener.chains.iter().filter(|chain| is_network || chain.http_filters.is_some());
        allows_class(matches, class) && of_type.any(|chain| !has(chain, &plugin.id))
    };
    removes || dump.listeners.iter().any(|listener| listener.state == ListenerState::Active && lacks(listener))
}
