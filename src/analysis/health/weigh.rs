//! What the dump says, held against what the proxy waits for, counts and logs.
//!
//! Envoy lists a refused ECDS resource in its dump as if it were in place, and ACKs a stub in the place of a module, so the dump
//! alone is believed only where nothing contradicts it. Counters go on since the start of Envoy and of the agent: an old failure
//! is told as one that was, and decides nothing.

use super::failures::{OfPlugin, Unnamed};
use super::{Evidence, EvidenceSource, Health, PluginState, counters, failures, lines};
use crate::analysis::naming;
use crate::ingest::plugin_name;
use crate::model::envoy::{ConfigDump, EcdsFilter};
use crate::model::ids::PluginId;
use crate::model::vitals::{Vitals, Waiting};

/// What goes on where Envoy has a plugin whose configuration it rejected (`source/common/filter/config_discovery_impl.cc`).
pub(in crate::analysis) const GOES_ON: &str = "the configuration that it accepted before goes on";
/// What is so where it has none.
pub(in crate::analysis) const NEVER_HAD: &str = "Envoy never had a configuration of it";

/// The plugin's entry in the ECDS section.
pub(super) fn entry<'d>(plugin: &PluginId, dump: &'d ConfigDump) -> Option<&'d EcdsFilter> {
    dump.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(plugin))
}

/// Holds the state by the dump against the rest.
pub(super) fn weighed(health: Health, plugin: &PluginId, dump: &ConfigDump, vitals: &Vitals) -> Health {
    let entry = entry(plugin, dump);
    let Health { mut state, mut evidence, .. } = health;
    if let Some(waits) = vitals.waits.as_deref().and_then(|waits| waited_for(plugin, waits)) {
        decide(&mut state, &mut evidence, waits, &[PluginState::Running, PluginState::Unknown], PluginState::Pending);
    }
    let refusal = lines::refusal(plugin, entry, &vitals.log);
    let is_refused = refusal.is_some();
    let mut goes_on = None;
    if let Some(line) = refusal {
        decide(&mut state, &mut evidence, line, &[PluginState::Running, PluginState::Unknown], PluginState::Rejected);
    }
    if let Some(metrics) = &vitals.envoy {
        let said = counters::of_envoy(entry, metrics);
        if let Some(mut lacks) = said.lacks {
            goes_on = Some(false);
            if is_refused {
                lacks.what.push_str("; ");
                lacks.what.push_str(NEVER_HAD);
            }
            // That a plugin of the name is there does not contradict a refusal: what Envoy took before goes on.
            let becomes = if said.runs_nothing { PluginState::Unknown } else { PluginState::Rejected };
            decide(&mut state, &mut evidence, lacks, &[PluginState::Running], becomes);
        }
        if let Some(has) = said.has {
            goes_on = Some(true);
            let before = if is_refused { format!("; {GOES_ON}") } else { String::new() };
            evidence.push(Evidence { what: format!("{}{before}", has.what), ..has });
        }
        evidence.extend(said.others);
    }
    evidence.extend(lines::others(plugin, entry, &vitals.log, state));
    if state == PluginState::Rejected
        && let Some(cause) = lines::cause(plugin, entry, &vitals.log)
    {
        evidence.retain(|other| *other != cause);
        evidence.insert(0, cause);
    }
    if let Some(metrics) = vitals.agent.as_ref().filter(|_| entry.is_some() || state == PluginState::Pending) {
        evidence.extend(counters::of_agent(state, metrics));
    }
    let OfPlugin { failures, healed, unnamed } =
        if state == PluginState::Running { failures::of_plugin(plugin, dump, vitals) } else { OfPlugin::default() };
    // A counter goes on since Envoy's start and does not say when; what the log says is of now.
    if failures.iter().any(|failure| failure.source == EvidenceSource::Log) {
        state = PluginState::VmFailed;
    }
    let (now, ever): (Vec<Evidence>, Vec<Evidence>) = failures.iter().cloned().partition(|failure| failure.source == EvidenceSource::Log);
    evidence.splice(0..0, now);
    evidence.extend(ever);
    evidence.extend(healed);
    if let Some(Unnamed { plugins, evidence: shown, .. }) = unnamed {
        let names = naming::enumerated(&plugins, plugins.len());
        let said = |shown: Evidence| Evidence { what: format!("a VM has failed, of one of {names}: {}", shown.what), ..shown };
        state = PluginState::Unknown;
        evidence.splice(0..0, shown.into_iter().map(said));
    }
    Health { state, evidence, failures, goes_on }
}

/// What speaks for another state goes before what it overrules; where the state is not one of those, it stands beside it.
pub(super) fn decide(
    state: &mut PluginState,
    evidence: &mut Vec<Evidence>,
    said: Evidence,
    overrules: &[PluginState],
    becomes: PluginState,
) {
    if overrules.contains(state) {
        *state = becomes;
        evidence.insert(0, said);
    } else {
        let at = usize::from(*state == becomes).min(evidence.len());
        evidence.insert(at, said);
    }
}

/// `shared target FilterConfigSubscription init extensions.istio.io/trafficextension/default.p`: what Envoy names the target of a
/// filter whose configuration has not come (`source/common/filter/config_discovery_impl.cc`).
fn waited_for(plugin: &PluginId, waits: &[Waiting]) -> Option<Evidence> {
    let is_it = |target: &String| plugin_name::is_resource_of(target.split_whitespace().next_back().unwrap_or_default(), plugin);
    let waiting: Vec<&str> =
        waits.iter().filter(|waiting| waiting.targets.iter().any(is_it)).map(|waiting| waiting.whose.as_str()).collect();
    let target = waits.iter().flat_map(|waiting| &waiting.targets).find(|target| is_it(target))?;
    let what = format!("Envoy waits for {target} before it starts the listeners {}", waiting.join(", "));
    Some(Evidence::new(EvidenceSource::InitDump, "unready_targets_dumps[].target_names", what))
}
