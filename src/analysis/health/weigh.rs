//! What the dump says, held against what the proxy waits for, counts and logs.
//!
//! Envoy lists a refused ECDS resource in its dump as if it were in place, and ACKs a stub in the place of a module, so the dump
//! alone is believed only where nothing contradicts it. Counters go on since the start of Envoy and of the agent: an old failure
//! is told as one that was, and decides nothing.

use super::failures::OfPlugin;
use super::{Answering, Evidence, EvidenceSource, Health, PluginState, counters, failures, lines};
use crate::analysis::sync::GRACE;
use crate::ingest::logs::instant;
use crate::ingest::plugin_name;
use crate::model::envoy::{ConfigDump, EcdsFilter};
use crate::model::ids::PluginId;
use crate::model::logs::LogEvent;
use crate::model::snapshot::LoadedDump;
use crate::model::vitals::{Metrics, Vitals, Waiting};

/// The states of a plugin that is there, by which nothing bad is known.
pub(super) const IN_PLACE: [PluginState; 3] = [PluginState::Running, PluginState::Unverified, PluginState::Unknown];

/// The plugin's entry in the ECDS section.
pub(super) fn entry<'d>(plugin: &PluginId, dump: &'d ConfigDump) -> Option<&'d EcdsFilter> {
    dump.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(plugin))
}

/// Holds the state by the dump against the rest. `url` is the module's in its object, where no other plugin has one of its repository.
pub(super) fn weighed<'s>(
    health: Health,
    plugin: &PluginId,
    loaded: &LoadedDump,
    vitals: &Vitals,
    url: impl FnOnce() -> Option<&'s str>,
) -> Health {
    let dump = &loaded.dump;
    let entry = entry(plugin, dump);
    let Health { mut state, mut evidence, .. } = health;
    if let Some(waits) = vitals.waits.as_deref().and_then(|waits| waited_for(plugin, waits)) {
        decide(&mut state, &mut evidence, waits, &[PluginState::Running, PluginState::Unknown], PluginState::Pending);
    }
    let refusal = lines::refusal(plugin, entry, &vitals.log);
    let (mut has, mut runs_nothing) = (None, None);
    if let Some(line) = refusal {
        decide(&mut state, &mut evidence, line, &[PluginState::Running, PluginState::Unknown], PluginState::Rejected);
    }
    if let Some(metrics) = &vitals.envoy {
        let said = counters::of_envoy(entry, dump, metrics);
        if let Some(lacks) = said.lacks {
            has = Some(false);
            // That a plugin of the name is there does not contradict a refusal: what Envoy took before goes on.
            let becomes = match said.runs_nothing {
                // Its VMs may have been started between the reading of the statistics and that of the dump.
                true if is_just_given(entry, loaded) => PluginState::Unknown,
                true => PluginState::VmFailed,
                false => PluginState::Rejected,
            };
            runs_nothing = (becomes == PluginState::VmFailed && state == PluginState::Running).then(|| lacks.clone());
            decide(&mut state, &mut evidence, lacks, &[PluginState::Running], becomes);
        }
        if let Some(shown) = said.has {
            has = Some(true);
            evidence.push(shown);
        }
        evidence.extend(said.others);
    }
    evidence.extend(lines::others(plugin, entry, &vitals.log, state));
    // No VM of any plugin runs, so none of this one does, whatever the log still has.
    let without_vms = runs_nothing.is_some();
    let mut at_start: Vec<Evidence> = runs_nothing.into_iter().collect();
    let mut answering = None;
    if state == PluginState::Rejected {
        answering = Answering::of(plugin, entry, &vitals.log, (has, lines::rejected_at(plugin, entry, &vitals.log)), url());
        if let Some(cause) = lines::cause(plugin, entry, &vitals.log) {
            // It is in place, and no VM of it ever started.
            if answering == Some(Answering::Nothing) {
                state = PluginState::VmFailed;
                at_start.push(cause.clone());
            }
            evidence.retain(|other| *other != cause);
            evidence.insert(0, cause);
        }
        if let Some(answering) = &answering {
            let at = 1.min(evidence.len());
            evidence.insert(at, Evidence::new(answering.source(has), "", answering.to_string()));
        }
    }
    if let Some(metrics) = vitals.agent.as_ref().filter(|_| entry.is_some() || state == PluginState::Pending) {
        evidence.extend(counters::of_agent(state, metrics));
    }
    let OfPlugin { mut failures, before_change, healed, unnamed, unconfigured } =
        if matches!(state, PluginState::Running | PluginState::Unexpected) {
            failures::of_plugin(plugin, dump, vitals)
        } else {
            OfPlugin::default()
        };
    let runs = state == PluginState::Running;
    let (now, ever): (Vec<Evidence>, Vec<Evidence>) = failures.iter().cloned().partition(|failure| failure.source == EvidenceSource::Log);
    // A counter goes on since Envoy's start and does not say when; what the log says is of now.
    let may_run_again = before_change && runs && !now.is_empty();
    if runs && !now.is_empty() {
        state = if may_run_again { PluginState::Unverified } else { PluginState::VmFailed };
    }
    if unconfigured {
        answering = Some(Answering::Nothing);
    }
    evidence.splice(0..0, now);
    if may_run_again {
        let what = "its VM had failed before its listener was changed last, and nothing shows yet that it runs again";
        evidence.insert(0, Evidence::new(EvidenceSource::Log, "", what));
    }
    evidence.extend(ever);
    let healed_since = healed.is_some();
    evidence.extend(healed);
    failures.extend(at_start);
    if let Some(gap) = vitals.log_gap.as_ref().filter(|_| state == PluginState::Running) {
        let what = format!("not looked at, so that a VM that failed since would not show: {gap}");
        evidence.push(Evidence::new(EvidenceSource::Log, "", what));
    }
    if let Some(unnamed) = unnamed {
        let others = unnamed.whose_but(plugin).map(|others| format!(" or that of {others}")).unwrap_or_default();
        let said = |shown: Evidence| Evidence { what: format!("its VM{others} failed: {}", shown.what), ..shown };
        if runs {
            state = PluginState::Unverified;
        }
        evidence.splice(0..0, unnamed.evidence.into_iter().map(said));
    }
    let health = Health { state, evidence, failures, without_vms, answering };
    let life =
        || lines::of_plugin(plugin, &vitals.log).any(|record| record.event == Some(LogEvent::PluginLog) && lines::is_since(record, entry));
    if has == Some(true) || healed_since || life() { health } else { unproven(health, vitals.envoy.as_ref()) }
}

/// Whether ECDS was given the plugin a moment before the dump was read.
fn is_just_given(entry: Option<&EcdsFilter>, loaded: &LoadedDump) -> bool {
    let given = entry.and_then(|entry| instant(entry.last_updated.as_deref()?));
    given.zip(loaded.read_at).is_some_and(|(given, read)| read.saturating_sub(given) < GRACE)
}

/// Takes back that a Wasm module runs where nothing that was read shows it. What the listener itself holds runs with the listener.
pub(super) fn unproven(mut health: Health, envoy: Option<&Metrics>) -> Health {
    let is_module = |evidence: &Evidence| evidence.source == EvidenceSource::ConfigDump && evidence.field.starts_with(super::dump::MODULE);
    if health.state == PluginState::Running && health.evidence.iter().any(is_module) {
        health.state = PluginState::Unverified;
        let what = match envoy {
            Some(_) => "nothing in what was read shows that the module runs",
            None => "not read, and the dump alone does not show that the module runs",
        };
        health.evidence.insert(0, Evidence::new(EvidenceSource::Stats, "", what));
    }
    health
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
