//! What one proxy was sent, and what it did with it.

use super::acceptance;
use super::control_plane::{ControlPlane, LATE};
use super::module;
use super::scene::Scene;
use super::step::{SECOND, Step, StepKind, Unseen, written};
use crate::ingest::logs::{details, instant};
use crate::model::envoy::ExtensionConfig;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogRecord, LogSource, LogTime};
use crate::model::plugin::Extension;

/// What istiods say of one proxy, in the order of times.
struct Said<'a> {
    records: Vec<(LogTime, &'a LogRecord)>,
}

impl<'a> Said<'a> {
    fn of(scene: &Scene<'a>) -> Self {
        let name = scene.proxy.to_string();
        let is_of = |record: &&LogRecord| {
            record.origin.source == LogSource::Istiod
                && match details(record) {
                    Some(LogDetails::Push { node, .. } | LogDetails::Nack { node, .. } | LogDetails::Connection { node, .. }) => {
                        node == name
                    }
                    _ => false,
                }
        };
        Self { records: scene.gathered.records.iter().filter(is_of).filter_map(|record| Some((record.time?, record))).collect() }
    }

    /// The pushes of a type that hold something.
    fn pushes(&self, wanted: &'static str) -> impl Iterator<Item = (LogTime, &'a LogRecord)> + Clone {
        let is = move |record: &LogRecord| matches!(details(record), Some(LogDetails::Push { xds, resources: 1.., .. }) if xds == wanted);
        self.records.iter().copied().filter(move |(_, record)| is(record))
    }

    /// Where the proxy connected after the change, before anything was pushed to it.
    fn connected(&self, from: LogTime) -> Option<(LogTime, &'a LogRecord)> {
        let first = self.records.iter().copied().find(|(time, _)| *time >= from)?;
        matches!(details(first.1), Some(LogDetails::Connection { .. })).then_some(first)
    }

    /// The last refusal of a type that names the plugin.
    fn refusal(&self, scene: &Scene<'_>, wanted: &str) -> Option<&'a LogRecord> {
        let is = |record: &LogRecord| matches!(details(record), Some(LogDetails::Nack { xds, .. }) if xds == wanted);
        let of_plugin = |record: &LogRecord| record.plugin.as_ref() == Some(scene.plugin);
        self.records.iter().rev().find(|(time, record)| *time >= scene.from && is(record) && of_plugin(record)).map(|(_, record)| *record)
    }
}

/// The steps of a proxy, and what of it could not be seen.
pub(super) fn tell(mut scene: Scene<'_>, planes: &[ControlPlane<'_>]) -> (Vec<Step>, Vec<Unseen>) {
    let said = Said::of(&scene);
    let (mut steps, mut unseen) = (Vec::new(), Vec::new());
    // The istiod that speaks of the proxy, where there are several; what it pushes follows its own debounce.
    let speaks = |plane: &&ControlPlane<'_>| said.records.iter().any(|(_, record)| record.origin == *plane.origin);
    let plane = planes.iter().filter(speaks).find(|plane| plane.debounced.is_some()).or_else(|| planes.iter().find(speaks));
    let mut push =
        Push { base: plane.and_then(|plane| plane.debounced).unwrap_or(scene.from), plane, none: planes.is_empty(), connected: false };
    if let Some((time, record)) = said.connected(push.base) {
        let said = format!("{} connected to istiod", scene.name);
        steps.push(Step::logged(StepKind::Connected, record, said).noted("what it was sent before does not count: its part begins here"));
        (push.base, push.connected, scene.from) = (time, true, time);
    }
    let lds = push.of(&scene, &said, StepKind::LdsPushed, None);
    let lds_time = lds.as_ref().ok().map(|step| step.time);
    let next = lds_time.and_then(|pushed| said.pushes("LDS").map(|(time, _)| time).find(|time| *time > pushed));
    keep(lds, &mut steps, &mut unseen);
    let (accepted, why) = acceptance::listeners(&scene, lds_time, next);
    let accepted_at = accepted.iter().find(|step| step.kind == StepKind::LdsAccepted).map(|step| step.time);
    steps.extend(accepted);
    unseen.extend(why);
    if matches!(scene.object.map(|object| &object.extension), Some(Extension::Lua { .. })) {
        // The script comes with the listener.
        keep(module::first_line(&scene, accepted_at, None, false), &mut steps, &mut unseen);
    } else if !scene.deleted {
        wasm(&scene, &said, &push, &mut steps, &mut unseen);
    }
    (super::order::ordered(steps), unseen)
}

/// The steps of a module: its configuration comes by ECDS.
fn wasm(scene: &Scene<'_>, said: &Said<'_>, push: &Push<'_>, steps: &mut Vec<Step>, unseen: &mut Vec<Unseen>) {
    let refusal = said.refusal(scene, "ECDS");
    let accepted = acceptance::ecds(scene, refusal);
    let accepted_time = accepted.as_ref().ok().map(|step| step.time);
    let entry = scene.entry();
    let config = entry.map(|entry| &entry.config);
    let stub = matches!(config, Some(ExtensionConfig::StubAllow | ExtensionConfig::StubDeny));
    let until = [accepted_time.map(|time| time + SECOND / 1000), refusal.and_then(|record| record.time)].into_iter().flatten().max();
    let (fetch, no_fetch) = module::fetch(scene, until);
    // What the proxy did with it tells which of several pushes it was.
    let effect = fetch.first().map(|step| step.time).into_iter().chain(accepted_time.map(|time| time + SECOND / 1000)).chain(until).min();
    let ecds = push.of(scene, said, StepKind::EcdsPushed, effect);
    let ecds_time = ecds.as_ref().ok().map(|step| step.time);
    keep(ecds, steps, unseen);
    steps.extend(fetch);
    unseen.extend(no_fetch);
    if let Some(record) = refusal {
        let step = Step::logged(
            StepKind::EcdsRefused,
            record,
            format!("Envoy of {} refused the plugin's configuration, as istiod heard", scene.name),
        );
        steps.push(step);
    }
    keep(accepted, steps, unseen);
    let updated = entry.and_then(|entry| instant(entry.last_updated.as_deref()?));
    let is_before = updated.is_some_and(|time| scene.is_before(time));
    if is_before && refusal.is_none() {
        // The change never arrived: VMs that fail and requests that fail are of what was there before.
        keep(module::first_line(scene, None, None, stub), steps, unseen);
        return;
    }
    let (vm, no_vm) = module::vm(scene, stub);
    let failed = vm.iter().any(|step| step.kind == StepKind::VmFailed);
    steps.extend(vm);
    unseen.extend(no_vm);
    match module::first_line(scene, accepted_time, ecds_time, stub) {
        // What has failed is not silent by choice.
        Err(_) if failed => {}
        line => keep(line, steps, unseen),
    }
    steps.extend(module::failed_request(scene, config, accepted_time));
}

fn keep(found: Result<Step, Unseen>, steps: &mut Vec<Step>, unseen: &mut Vec<Unseen>) {
    match found {
        Ok(step) => steps.push(step),
        Err(why) => unseen.push(why),
    }
}

/// The push that brought the change.
struct Push<'p> {
    /// The istiod that speaks of the proxy; None where none does.
    plane: Option<&'p ControlPlane<'p>>,
    /// Whether no log of an istiod was read.
    none: bool,
    /// From when on what is pushed can be it.
    base: LogTime,
    /// Whether the proxy connected then, so that whatever it is sent holds the change.
    connected: bool,
}

impl Push<'_> {
    /// What was pushed of a type. `effect` is when the proxy has acted on it, where that is known.
    fn of(&self, scene: &Scene<'_>, said: &Said<'_>, kind: StepKind, effect: Option<LogTime>) -> Result<Step, Unseen> {
        let xds = if kind == StepKind::LdsPushed { "LDS" } else { "ECDS" };
        let debounced = self.plane.and_then(|plane| plane.debounced);
        // Where no debounce is the change's, what is pushed much later is not.
        let end = if debounced.is_some() || self.connected { LogTime::MAX } else { self.base.saturating_add(LATE) };
        let after = said.pushes(xds).filter(|(time, _)| (self.base..end).contains(time));
        // ECDS answers do not say what they hold: the one after which the proxy acts is the nearest.
        let nearest = effect.and_then(|effect| after.clone().take_while(|(time, _)| *time <= effect).last());
        let (time, record) = nearest.or_else(|| after.clone().next()).ok_or_else(|| Unseen::new(kind, self.why_not(xds)))?;
        let asked = matches!(details(record), Some(LogDetails::Push { request: true, .. }));
        let how = if asked { " on its request" } else { "" };
        let mut step = Step::logged(kind, record, format!("istiod pushed {xds} to {}{how}", scene.name));
        let doubt = self.plane.and_then(|plane| plane.next).filter(|next| !self.connected && time >= *next);
        if let Some(next) = doubt {
            step = step.nearest(format!("another debounce of istiod ended before it, at {}", written(next)));
        } else if debounced.is_none() {
            step = step.nearest("no debounce tells which push brought the change");
        }
        if kind == StepKind::EcdsPushed && record.plugin.as_ref() != Some(scene.plugin) {
            let how = if nearest.is_some() { "it is the last before the proxy acted on it" } else { "it is the first after the change" };
            step = step.nearest(format!("the line does not name what was sent; {how}"));
        }
        Ok(step)
    }

    fn why_not(&self, xds: &str) -> String {
        match self.plane {
            _ if self.none => "no log of an istiod was read".to_owned(),
            None => "no log of an istiod that was read says anything of this proxy".to_owned(),
            Some(plane) if plane.debounced.is_none() && plane.reach > self.base.saturating_add(SECOND) => {
                format!("istiod's log reaches back only to {}", written(plane.reach))
            }
            Some(_) => format!("no line of istiod's log says that it pushed {xds} to the proxy after the change"),
        }
    }
}
