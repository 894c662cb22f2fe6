//! Plugins whose configuration has not come, and listeners that wait for that or for something else.

use std::collections::{BTreeMap, HashSet};

use super::refused_push::of_state;
use super::states::{InState, in_states};
use super::together::{Together, listed};
use super::{DUMPS, Facts, Finding, FindingObject, NAMED, Place, ProxyFacts, Rule, Severity, once_each, proxies};
use crate::analysis::answers::log_timestamp;
use crate::analysis::health::{Evidence, PluginState};
use crate::analysis::logs::attribution::module::Module;
use crate::analysis::naming;
use crate::analysis::sync::changed;
use crate::ingest::logs::instant;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::logs::LogTime;
use crate::model::plugin::WasmModule;
use crate::model::sync::EXTENSIONS;

pub(super) const RULE: Rule = Rule {
    code: "pending-listener",
    severity: Severity::Error,
    title: "A listener waits for a plugin's configuration before it takes connections.",
    why: "A plugin's filter waits for its configuration without an end (initial_fetch_timeout is 0). Until it comes, a new pod takes no \
        connections, and an old one keeps the listener it had.",
    source: "pilot/pkg/networking/core/extension/extensionfilter.go: defaultConfigSource; pkg/istio-agent/xds_proxy.go: the agent hands ECDS \
        on to Envoy when all modules in it are fetched",
    needs: DUMPS,
    check,
};

/// How long a listener may warm that has no other in its place, in seconds: a new pod fetches its modules meanwhile.
const LONG: LogTime = 60;
/// How many listeners are named.
const MOST: usize = 3;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let pending = in_states(facts, &[PluginState::Pending]);
    let warming: BTreeMap<&ProxyId, Warming<'_>> = facts.dumps().filter_map(|(proxy, dump)| Warming::of(facts, proxy, dump)).collect();
    let mut groups = groups(&pending);
    let explained: HashSet<&ProxyId> = pending.iter().flat_map(|plugin| &plugin.on).map(|(proxy, _)| &proxy.id).collect();
    let others = warming.iter().filter(|(proxy, _)| !explained.contains(*proxy)).map(|(proxy, warming)| of_listeners(proxy, warming));
    groups.iter_mut().map(|group| of_plugins(facts, group, &warming)).chain(others).collect()
}

/// The plugins by what they wait for: a proxy gets the configurations of all of its plugins at once.
fn groups<'f>(pending: &'f [InState<'f>]) -> Vec<Vec<&'f InState<'f>>> {
    let mut together = Together::default();
    let mut on: BTreeMap<&ProxyId, usize> = BTreeMap::new();
    for (place, proxy) in pending.iter().enumerate().flat_map(|(place, plugin)| plugin.on.iter().map(move |(proxy, _)| (place, proxy))) {
        together.join(*on.entry(&proxy.id).or_insert(place), place);
    }
    together.groups().into_iter().map(|group| group.into_iter().map(|place| &pending[place]).collect()).collect()
}

/// The listeners of a proxy that warm: where some of them have no other that takes connections meanwhile, these.
struct Warming<'f> {
    listeners: Vec<&'f Listener>,
    /// Whether the listeners before them take connections meanwhile.
    keeps: bool,
    /// Since when, at the earliest, in nanoseconds.
    since: Option<LogTime>,
    /// For how long, in seconds and at least.
    age: LogTime,
}

impl<'f> Warming<'f> {
    fn of(facts: &Facts<'_>, proxy: &'f ProxyFacts<'_>, dump: &'f ConfigDump) -> Option<(&'f ProxyId, Self)> {
        let keeps = |listener: &&Listener| of_state(dump, ListenerState::Active).any(|other| other.name == listener.name);
        let (kept, alone): (Vec<_>, Vec<_>) = of_state(dump, ListenerState::Warming).partition(keeps);
        let keeps = alone.is_empty();
        let listeners = if keeps { kept } else { alone };
        let since = listeners.iter().filter_map(|listener| listener.last_updated.as_deref().and_then(instant)).min();
        let read = facts.read_at(&proxy.id, dump);
        let age = read.zip(since).map_or(0, |(now, since)| now.saturating_sub(since) / 1_000_000_000);
        (!listeners.is_empty()).then_some((&proxy.id, Self { listeners, keeps, since, age }))
    }

    fn severity(&self) -> Severity {
        if self.keeps || self.age < LONG { Severity::Warning } else { Severity::Error }
    }

    /// `listener virtualInbound warms since …, for at least 5 s; the one before takes connections meanwhile`.
    fn line(&self) -> String {
        let since = self.since.and_then(log_timestamp).map(|since| format!(" since {since}, for at least {} s", self.age));
        let then =
            if self.keeps { "the one before takes connections meanwhile" } else { "no other of that name takes connections meanwhile" };
        format!("{}{}; {then}", self.said(), since.unwrap_or_default())
    }

    /// `listener virtualInbound warms`, `11 listeners warm (0.0.0.0_80, 0.0.0.0_8000, virtualInbound and 8 more)`.
    fn said(&self) -> String {
        let names: Vec<String> = self.listeners.iter().map(|listener| listener.name.clone()).collect();
        match &names[..] {
            [name] => format!("listener {name} warms"),
            names => format!("{} listeners warm ({})", names.len(), naming::first(names, MOST)),
        }
    }

    fn place(&self, proxy: &ProxyId) -> Option<Place> {
        let inbound = |listener: &&&Listener| listener.direction == Some(crate::model::envoy::Direction::Inbound);
        let listener = self.listeners.iter().find(inbound).or_else(|| self.listeners.first())?;
        Some(Place { proxy: proxy.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: None })
    }
}

/// Listeners that wait for something that is no plugin.
fn of_listeners(proxy: &ProxyId, warming: &Warming<'_>) -> Finding {
    Finding {
        severity: warming.severity(),
        evidence: vec![warming.line()],
        fix: "look again in a moment; where it stays, see what the proxy's log says, and whether it is connected to an istiod".to_owned(),
        proxies: vec![proxy.clone()],
        place: warming.place(proxy),
        ..RULE.found(FindingObject::pod(proxy), format!("On {proxy} {}.", warming.said()))
    }
}

/// Plugins that wait together: of which one the module does not come, nothing says; most likely that which was changed last.
fn of_plugins(facts: &Facts<'_>, group: &mut [&InState<'_>], warming: &BTreeMap<&ProxyId, Warming<'_>>) -> Finding {
    let object = |plugin: &InState<'_>| facts.objects().plugins.get(plugin.plugin).map(|plugin| &**plugin);
    group.sort_by_key(|plugin| std::cmp::Reverse(object(plugin).and_then(changed)));
    let ids: Vec<&PluginId> = group.iter().map(|plugin| plugin.plugin).collect();
    let on: BTreeMap<&ProxyId, &ProxyFacts<'_>> =
        group.iter().flat_map(|plugin| &plugin.on).map(|(proxy, _)| (&proxy.id, *proxy)).collect();
    let waiting: Vec<(&ProxyId, &Warming<'_>)> = on.keys().filter_map(|proxy| Some((*proxy, warming.get(proxy)?))).collect();
    let modules: Vec<&WasmModule> = group.iter().filter_map(|plugin| object(plugin)?.wasm()).collect();
    let has = if ids.len() == 1 { "has" } else { "have" };
    let fetches = fetches(&modules, since(facts, &on, &waiting));
    let what = format!("On {} {} {has} not come: {fetches}{}.", proxies(on.len()), naming::enumerated(&ids, NAMED), follows(&waiting));
    let of_listeners = waiting.iter().map(|(proxy, warming)| (*proxy, warming.line()));
    let of_plugin = |plugin: &&InState<'_>| {
        let name = plugin.plugin.to_string();
        let said = plugin.on.iter().flat_map(|(_, health)| health.evidence.iter().map(Evidence::said));
        said.map(move |said| (name.clone(), said)).collect::<Vec<_>>()
    };
    let evidence = once_each(group.iter().flat_map(of_plugin)).into_iter().chain(once_each(of_listeners)).chain(becomes(&modules));
    let first = group[0];
    Finding {
        severity: waiting.iter().map(|(_, warming)| warming.severity()).min().unwrap_or(Severity::Warning),
        evidence: evidence.collect(),
        fix: fix(&modules),
        object: first.object.clone(),
        proxies: on.keys().map(|proxy| (*proxy).clone()).collect(),
        place: waiting.first().and_then(|(proxy, warming)| warming.place(proxy)).or_else(|| first.on.first()?.0.place(first.plugin)),
        plugins: if ids.len() > 1 { listed(&ids) } else { Vec::new() },
        ..RULE.of_plugin(first.plugin, what)
    }
}

/// Since when the proxies wait, at the earliest: since the listener came, else since istiod sent what they have not answered to.
fn since(facts: &Facts<'_>, on: &BTreeMap<&ProxyId, &ProxyFacts<'_>>, waiting: &[(&ProxyId, &Warming<'_>)]) -> String {
    let sent = || on.keys().filter_map(|proxy| facts.connection(proxy)?.types.get(EXTENSIONS)?.sent).min();
    let since = waiting.iter().filter_map(|(_, warming)| warming.since).min().or_else(sent);
    since.and_then(log_timestamp).map(|time| format!(" since {time}")).unwrap_or_default()
}

/// What the agents do meanwhile, with the addresses that they fetch from.
fn fetches(modules: &[&WasmModule], since: String) -> String {
    let mut from: Vec<String> = modules.iter().filter_map(|module| Module::of(&module.url).address()).map(str::to_owned).collect();
    from.sort();
    from.dedup();
    if from.is_empty() {
        return format!("the proxy waits for the configuration{since}");
    }
    format!("the agent waits for {}{since}", naming::first(&from, MOST))
}

fn follows(waiting: &[(&ProxyId, &Warming<'_>)]) -> String {
    let without = waiting.iter().filter(|(_, warming)| !warming.keeps).map(|(_, warming)| warming.listeners.len()).max();
    match without {
        Some(1) => "; 1 listener takes no connections".to_owned(),
        Some(count) => format!("; {count} listeners take no connections"),
        None => "; what the proxy had before goes on meanwhile".to_owned(),
    }
}

/// What comes in the place of modules that cannot be fetched (`pkg/wasm/convert.go`).
fn becomes(modules: &[&WasmModule]) -> Option<String> {
    let opens = modules.iter().filter(|module| module.fail_strategy == "FAIL_OPEN").count();
    let what = match modules.len() {
        0 => return None,
        all if opens == all => "allows every request",
        _ if opens == 0 => "denies every request",
        _ => "allows or denies every request, by its failStrategy",
    };
    Some(format!("where the fetch fails, the agent puts a filter in the place of the plugin, which {what}"))
}

fn fix(modules: &[&WasmModule]) -> String {
    let urls: Vec<String> = modules.iter().map(|module| module.url.clone()).collect();
    if urls.is_empty() {
        return "see whether the proxy is connected to an istiod, and what the agent's log says".to_owned();
    }
    format!(
        "check the address in {}, and the way to it from the pod (a NetworkPolicy, a firewall); the agent's log says when a fetch fails",
        naming::first(&urls, MOST)
    )
}
