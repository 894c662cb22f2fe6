//! What istiod sent and the proxy refused: a plugin's configuration, a listener, or any other type.

use super::states::{InState, in_states, with_url};
use super::{DUMPS, Facts, Finding, FindingObject, Needs, Place, ProxyFacts, Rule, Severity};
use crate::analysis::comparison::EnvoyFilters;
use crate::analysis::health::{Answering, EvidenceSource, PluginState};
use crate::analysis::sync as rules;
use crate::analysis::{chains, naming};
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::ids::{PluginId, PluginKind};
use crate::model::kind::Kind;
use crate::model::plugin::PluginType;
use crate::model::sync::{Client, LISTENERS, SyncState, TypeSync};

pub(super) const RULE: Rule = Rule {
    code: "refused-push",
    severity: Severity::Error,
    title: "The proxy refused what istiod sent.",
    why: "The proxy goes on with what it had before, or with nothing, so that requests may fail, until istiod sends something else; no later \
        change arrives in what is refused.",
    source: "envoy/admin/v3/config_dump_shared.proto: ListenersConfigDump.DynamicListener.error_state; a rejected ECDS resource is in the \
        dump as if it were in place, so Envoy's log and statistics decide; pilot/pkg/xds/debug.go: Syncz has of every type what the proxy \
        refused last",
    // The dump itself shows a refused listener, whatever objects there are.
    needs: Needs { sync: true, ..DUMPS },
    check,
};

/// How many EnvoyFilters are named.
const MOST: usize = 3;
const FIX: &str = "change the object that the reason names; where it names none, look at istiod's log for ACK ERROR";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let rejected = in_states(facts, &[PluginState::Rejected, PluginState::VmFailed]);
    // `vm-failed` reports what never started.
    let of_plugins = rejected.iter().filter(|plugin| plugin.state == PluginState::Rejected).map(|plugin| {
        let what = format!("Envoy rejected the configuration of {}{}{}", with_url(facts, plugin.plugin), because(plugin), then(facts, plugin));
        let finding = plugin.finding(&RULE, &what);
        let fix = match (root_id_fix(plugin.plugin, &finding.what, &finding.evidence), answering(plugin)) {
            (Some(fix), _) => fix.to_owned(),
            (None, Some(Answering::ModuleBefore(Some(before)))) => {
                format!("go back to the module that requests pass now: write {before} into url; then mend the new one and push it under a new tag")
            }
            (None, _) => "see whether the module is whole and made for this Envoy, then push another one or change the object".to_owned(),
        };
        Finding { fix, ..finding }
    });
    let refused = facts.dumps().flat_map(|(proxy, dump)| of_state(dump, ListenerState::Error).map(move |listener| (proxy, dump, listener)));
    let refused = refused.filter(|(proxy, _, listener)| !is_told(&rejected, proxy, error(listener)));
    let of_listeners = refused.map(|(proxy, dump, listener)| of_listener(facts, proxy, dump, listener));
    of_plugins.chain(of_listeners).chain(of_types(facts, &rejected)).collect()
}

/// Why, in the words of the log: `: the module's proxy_on_configure failed: unreachable (TIME)`; the time is left out of several.
pub(super) fn because(plugin: &InState<'_>) -> String {
    let mut firsts = plugin.on.iter().filter_map(|(_, health)| health.evidence.first());
    match firsts.next() {
        Some(first) if first.source == EvidenceSource::Log && firsts.all(|other| other.what == first.what) => match plugin.on.len() {
            1 => format!(": {} ({})", first.what, first.field),
            _ => format!(": {}", first.what),
        },
        _ => String::new(),
    }
}

/// What answers requests, where that is the same on all the proxies.
fn answering<'f>(rejected: &InState<'f>) -> Option<&'f Answering> {
    let mut all = rejected.on.iter().map(|(_, health)| health.answering.as_ref());
    all.next().flatten().filter(|first| all.all(|other| other == Some(first)))
}

/// What becomes of requests.
fn then(facts: &Facts<'_>, rejected: &InState<'_>) -> String {
    let is_network = facts.objects().plugins.get(rejected.plugin).is_some_and(|plugin| plugin.plugin_type == PluginType::Network);
    match answering(rejected) {
        None => String::new(),
        Some(Answering::Nothing) if is_network => "; Envoy never accepted a configuration of it, so connections are closed".to_owned(),
        Some(answering) => format!("; {answering}"),
    }
}

/// What a module says that knows no root id of this name (the SDKs of AssemblyScript and C++).
const NO_ROOT_ID: &str = "Missing root context factory for root id";

/// What to do where a module says that it does not know the root id.
pub(super) fn root_id_fix(plugin: &PluginId, what: &str, evidence: &[String]) -> Option<&'static str> {
    let fix = match plugin.kind {
        PluginKind::EnvoyFilter => "set root_id of the Wasm filter to a root id that the module registers",
        PluginKind::WasmPlugin | PluginKind::TrafficExtension => "set pluginName to a root id that the module registers",
    };
    (what.contains(NO_ROOT_ID) || evidence.iter().any(|said| said.contains(NO_ROOT_ID))).then_some(fix)
}

/// Whether what a refused plugin's finding shows has the error too.
fn is_told(rejected: &[InState<'_>], proxy: &ProxyFacts<'_>, error: &str) -> bool {
    let mut healths = rejected.iter().flat_map(|plugin| &plugin.on).filter(|(other, _)| other.id == proxy.id);
    healths.any(|(_, health)| health.evidence.iter().any(|evidence| evidence.what.contains(error)))
}

/// What istiod says that proxies refused, but for what their own dumps gave already.
fn of_types(facts: &Facts<'_>, rejected: &[InState<'_>]) -> Vec<Finding> {
    let Some(sync) = facts.sync() else { return Vec::new() };
    let of_proxy = |proxy: &ProxyFacts<'_>| {
        let read = facts.snapshot.dump(&proxy.id);
        let is_of_now = |url: &str, status: &TypeSync| !read.is_some_and(|loaded| rules::is_superseded(sync, status, url, loaded, None));
        let refused = facts.connection(&proxy.id).into_iter().flat_map(refusals).filter(|(url, status)| is_of_now(url, status));
        let refused = refused.filter(|(_, status)| {
            // istiod has the errors of all listeners in one, and the dump that of each.
            let listeners = proxy.dump.as_ref().map(|dump| of_state(dump, ListenerState::Error).collect::<Vec<_>>()).unwrap_or_default();
            let has = |listener: &&Listener| listener.error.as_ref().is_some_and(|error| status.error.contains(error.trim_end()));
            !listeners.iter().any(has) && !is_told(rejected, proxy, rules::first_line(&status.error))
        });
        refused.map(|(url, status)| of_type(facts, proxy, url, status)).collect::<Vec<_>>()
    };
    facts.proxies.iter().flat_map(of_proxy).collect()
}

/// What a proxy refused, each type by its URL.
fn refusals(client: &Client) -> impl Iterator<Item = (&str, &TypeSync)> {
    client.types.iter().filter(|(_, status)| status.state == SyncState::Refused).map(|(url, status)| (url.as_str(), status))
}

fn of_type(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, url: &str, status: &TypeSync) -> Finding {
    let had = match status.acked_push.as_str() {
        "" => Some("it never took any".to_owned()),
        acked if acked == status.sent_push => None,
        acked => Some(format!("it took push {acked} last")),
    };
    let said = format!("istiod has of push {} from the proxy: {}", status.sent_push, status.error.trim_end());
    let patching = patching(facts, proxy, url);
    Finding {
        evidence: std::iter::once(said).chain(had).chain(patched(&patching)).collect(),
        fix: fix(&patching),
        proxies: vec![proxy.id.clone()],
        ..RULE.found(FindingObject::pod(&proxy.id), format!("{} refused {}.", proxy.id, rules::short(url)))
    }
}

/// The EnvoyFilters that may change what istiod sends the proxy of a type.
fn patching(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, url: &str) -> Vec<String> {
    let node = proxy.dump.as_ref().ok().and_then(|dump| dump.node.as_ref());
    let known = proxy.pod.and_then(|pod| chains::Facts::of(facts.objects(), pod, node, None));
    known.iter().flat_map(|known| EnvoyFilters::of(known).of_type(url)).map(ToString::to_string).collect()
}

fn patched(patching: &[String]) -> Option<String> {
    (!patching.is_empty()).then(|| format!("{} that can patch it: {}", Kind::EnvoyFilter, naming::first(patching, MOST)))
}

fn fix(patching: &[String]) -> String {
    match patching {
        [only] => format!("see whether the reason is of what {} {only} patches, and correct it; else {FIX}", Kind::EnvoyFilter),
        _ => FIX.to_owned(),
    }
}

/// The listeners of a dump in a state.
pub(super) fn of_state(dump: &ConfigDump, state: ListenerState) -> impl Iterator<Item = &Listener> {
    dump.listeners.iter().filter(move |listener| listener.state == state)
}

fn error(listener: &Listener) -> &str {
    listener.error.as_deref().unwrap_or("the dump does not say why")
}

fn of_listener(facts: &Facts<'_>, proxy: &ProxyFacts<'_>, dump: &ConfigDump, listener: &Listener) -> Finding {
    let keeps = of_state(dump, ListenerState::Active).any(|other| other.name == listener.name);
    let then = if keeps { "the one before stays in force" } else { "there is no other of that name" };
    let patching = patching(facts, proxy, LISTENERS);
    Finding {
        evidence: [format!("Envoy says: {}", error(listener)), then.to_owned()].into_iter().chain(patched(&patching)).collect(),
        fix: fix(&patching),
        proxies: vec![proxy.id.clone()],
        place: Some(Place { proxy: proxy.id.clone(), listener: listener.name.clone(), state: listener.state.as_str(), chain: None }),
        ..RULE.found(FindingObject::pod(&proxy.id), format!("{} refused listener {}.", proxy.id, listener.name))
    }
}
