//! What the proxy has taken, by its dump: nothing in a log says it, but each listener and each ECDS entry has a `last_updated`.

use super::scene::Scene;
use super::step::{SECOND, Step, StepKind, Unseen, written};
use crate::analysis::placement;
use crate::ingest::logs::instant;
use crate::model::envoy::{ExtensionConfig, Listener, ListenerState};
use crate::model::logs::{LogRecord, LogTime};

/// How many listeners the evidence names.
const NAMED: usize = 6;

/// The listeners that hold the plugin. `pushed` is the push of them, `next` the one after it.
pub(super) fn listeners(scene: &Scene<'_>, pushed: Option<LogTime>, next: Option<LogTime>) -> (Vec<Step>, Option<Unseen>) {
    let unseen = |why: String| Some(Unseen::new(StepKind::LdsAccepted, why));
    let dump = match scene.dump() {
        Ok(dump) => dump,
        Err(why) => return (Vec::new(), unseen(why)),
    };
    let holding = dump.listeners.iter().filter(|listener| !listener.is_static && placement::count_in_listener(listener, scene.plugin) > 0);
    let timed = holding.filter_map(|listener| Some((instant(listener.last_updated.as_deref()?)?, listener)));
    let (refused, mut held): (Vec<_>, Vec<_>) = timed.partition(|(_, listener)| listener.state == ListenerState::Error);
    held.sort_by_key(|(time, _)| *time);
    let mut steps: Vec<Step> =
        refused.into_iter().filter(|(time, _)| *time >= scene.from).map(|(time, listener)| refusal(scene, time, listener)).collect();
    if held.is_empty() {
        let why = match (steps.is_empty(), dump.not_understood) {
            (true, 0) => "no listener of the proxy holds the plugin",
            (true, _) => "no listener of the proxy that could be read holds the plugin",
            (false, _) => "the proxy refused what it was sent",
        };
        return (steps, unseen(why.to_owned()));
    }
    // Without istiod's line of the push, what came within a second is taken to have come by one.
    let first = held.iter().map(|(time, _)| *time).find(|time| *time >= scene.from).unwrap_or_default();
    let end = next.or_else(|| pushed.is_none().then(|| first.saturating_add(SECOND))).unwrap_or(LogTime::MAX);
    let begin =
        if held.iter().any(|(time, _)| (scene.from..end).contains(time)) { scene.from } else { scene.from.saturating_sub(scene.slack) };
    let taken: Vec<_> = held.iter().filter(|(time, _)| (begin..end).contains(time)).collect();
    let last = |all: &[&(LogTime, &Listener)]| all.last().map(|(time, _)| *time);
    let (Some(time), later) = (last(&taken), held.iter().filter(|(time, _)| *time >= end).collect::<Vec<_>>()) else {
        let latest = held.last().map(|(time, _)| written(*time)).unwrap_or_default();
        let why = if held.iter().all(|(time, _)| *time < begin) {
            format!(
                "the listeners that hold the plugin were last updated before, at {latest}: they refer to it by name, and a change of its configuration comes by ECDS alone"
            )
        } else {
            format!(
                "the listeners that hold the plugin were updated again by a later push, the last at {latest}, and the dump keeps only the last time"
            )
        };
        return (steps, unseen(why));
    };
    let mut step = Step::dumped(
        StepKind::LdsAccepted,
        time,
        scene.proxy,
        named(&taken),
        format!("Envoy of {} took the listeners that hold the plugin", scene.name),
    );
    if pushed.is_none() {
        step = step.nearest("no line of a push of these listeners was read, so that it may have been another one");
    }
    if !later.is_empty() {
        step = step.noted(format!("a later push updated again: {}", named(&later)));
    }
    for (time, listener) in taken.iter().filter(|(_, listener)| listener.state == ListenerState::Warming) {
        let said = format!("the listener {} of {} began to wait for what it refers to", listener.name, scene.name);
        steps.push(Step::dumped(StepKind::LdsWarming, *time, scene.proxy, field(*time, listener), said));
    }
    steps.push(scene.marked(step));
    (steps, None)
}

fn refusal(scene: &Scene<'_>, time: LogTime, listener: &Listener) -> Step {
    let why = listener.error.as_deref().unwrap_or_default();
    let text = format!("error_state of {}: {why}", listener.name);
    Step::dumped(StepKind::LdsRefused, time, scene.proxy, text, format!("Envoy of {} refused the listener {}", scene.name, listener.name))
}

fn named(listeners: &[&(LogTime, &Listener)]) -> String {
    let names: Vec<String> = listeners.iter().take(NAMED).map(|(time, listener)| field(*time, listener)).collect();
    let more = listeners.len().saturating_sub(NAMED);
    if more > 0 { format!("{}, and {more} more", names.join(", ")) } else { names.join(", ") }
}

fn field(time: LogTime, listener: &Listener) -> String {
    format!("{}_state.last_updated of {}: {}", listener.state.as_str(), listener.name, written(time))
}

/// The ECDS entry. `refusal` is the proxy's last refusal of it.
pub(super) fn ecds(scene: &Scene<'_>, refusal: Option<&LogRecord>) -> Result<Step, Unseen> {
    let unseen = |why: String| Unseen::new(StepKind::EcdsAccepted, why);
    scene.dump().map_err(unseen)?;
    let entry = scene.entry().ok_or_else(|| unseen("the ECDS section of the proxy's config dump has no entry of the plugin".to_owned()))?;
    let time = entry.last_updated.as_deref().and_then(instant);
    let time = time.ok_or_else(|| unseen("the proxy asked for the plugin's configuration and has received nothing".to_owned()))?;
    if refusal.is_some_and(|record| record.time.is_some_and(|refused| time <= refused)) {
        let why = "the proxy refused it; Envoy lists the refused one in its config dump all the same, as last updated at";
        return Err(unseen(format!("{why} {}", written(time))));
    }
    if scene.is_before(time) {
        let why = "was last updated before the change, at";
        let since = "either nothing came since, or what came is no different to Envoy, which then keeps the time";
        return Err(unseen(format!("the plugin's ECDS entry {why} {}: {since}", written(time))));
    }
    let (what, note) = match &entry.config {
        ExtensionConfig::Wasm { file, .. } if !file.is_empty() => ("the plugin's configuration", format!("the module is the file {file}")),
        ExtensionConfig::Wasm { .. } => ("the plugin's configuration", String::new()),
        ExtensionConfig::StubDeny => ("a filter that denies every request, in the module's place", STUB.to_owned()),
        ExtensionConfig::StubAllow => ("a filter that allows every request, in the module's place", STUB.to_owned()),
        ExtensionConfig::Missing | ExtensionConfig::Contradicting | ExtensionConfig::Other(_) => {
            ("something else under the plugin's name", String::new())
        }
    };
    let text = format!("last_updated of {} in ecds_filters: {}", entry.name, written(time));
    let step = Step::dumped(StepKind::EcdsAccepted, time, scene.proxy, text, format!("Envoy of {} took {what}", scene.name));
    Ok(scene.marked(if note.is_empty() { step } else { step.noted(note) }))
}

const STUB: &str = "the agent makes it where it could not fetch the module";
