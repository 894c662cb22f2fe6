//! What istiod did with the change: received it, waited for more, pushed. Each istiod has its own log and its own clock.

use std::sync::Arc;

use super::gather::{Gathered, PUSHING};
use super::object::Change;
use super::step::{SECOND, Step, StepKind, Unseen, written};
use crate::ingest::logs::details;
use crate::model::ids::PluginId;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogOrigin, LogRecord, LogSource, LogTime};

/// How long after the object's change istiod may still be said to have received that change: it waits at most 10 s for more
/// changes (`PILOT_DEBOUNCE_MAX`). What names the object later is istiod's own reading of it anew.
pub(super) const LATE: LogTime = 30 * SECOND;

/// One istiod's part.
#[derive(Debug)]
pub(super) struct ControlPlane<'g> {
    /// The istiod.
    pub(super) origin: &'g Arc<LogOrigin>,
    pub(super) steps: Vec<Step>,
    pub(super) unseen: Vec<Unseen>,
    /// How far back its log reaches.
    pub(super) reach: LogTime,
    /// When it received the change.
    pub(super) received: Option<LogTime>,
    /// When its debounce ended.
    pub(super) debounced: Option<LogTime>,
    /// When its next debounce ended, which brings what is pushed afterwards into doubt.
    pub(super) next: Option<LogTime>,
}

/// The end of one debounce (`pilot/pkg/xds/discovery.go: debounce`).
struct Debounce<'g> {
    record: &'g LogRecord,
    time: LogTime,
    number: u64,
    events: u64,
    more: u64,
    /// When istiod received the first and the last of the changes.
    first: LogTime,
    last: LogTime,
    /// Whether the line names the plugin.
    names: bool,
}

/// The part of every istiod whose log was read.
pub(super) fn control_planes<'g>(plugin: &PluginId, change: &Change, gathered: &'g Gathered) -> Vec<ControlPlane<'g>> {
    let istiods = gathered.reach.iter().filter(|(origin, _)| origin.source == LogSource::Istiod);
    istiods.map(|(origin, reach)| of_istiod(plugin, change, gathered, origin, *reach)).collect()
}

fn of_istiod<'g>(
    plugin: &PluginId,
    change: &Change,
    gathered: &'g Gathered,
    origin: &'g Arc<LogOrigin>,
    reach: LogTime,
) -> ControlPlane<'g> {
    let own = || gathered.records.iter().filter(|record| record.origin == *origin);
    let debounces: Vec<Debounce<'g>> = own().filter_map(|record| debounce(record, plugin)).collect();
    let mut part = ControlPlane { origin, steps: Vec::new(), unseen: Vec::new(), reach, received: None, debounced: None, next: None };
    let Some(place) = choose(&debounces, change) else {
        part.unseen.push(Unseen::new(StepKind::Debounced, not_chosen(&debounces, change, reach)));
        return part;
    };
    let chosen = &debounces[place];
    part.steps.extend(steps(chosen, change));
    part.received = part.steps.first().map(|step| step.time);
    part.debounced = Some(chosen.time);
    part.next = debounces.get(place + 1).map(|next| next.time);
    let mut pushing = own().filter(|record| record.message.starts_with(PUSHING) && record.time >= Some(chosen.time));
    match pushing.next().filter(|record| part.next.is_none_or(|next| record.time < Some(next))) {
        Some(record) => {
            let step = Step::logged(StepKind::Pushed, record, "istiod began to push");
            // The push that has the debounce's number is its own (`NextVersion`).
            let is_own = record.message.trim_end().ends_with(&format!("/{}", chosen.number));
            part.steps.push(if is_own { step } else { step.nearest("the line does not say which changes it pushes; it is the next one") });
        }
        None => part
            .unseen
            .push(Unseen::new(StepKind::Pushed, "no line of istiod's log between this debounce and the next says that it pushes")),
    }
    part
}

fn debounce<'g>(record: &'g LogRecord, plugin: &PluginId) -> Option<Debounce<'g>> {
    let Some(LogDetails::Debounce { number, events, more, since_change, since_push, .. }) = details(record) else { return None };
    let time = record.time?;
    let first = time - since_push.or(since_change).unwrap_or_default();
    let last = time - since_change.or(since_push).unwrap_or_default();
    // The two are measured one after the other, so that of a single change the last can seem to be before the first.
    Some(Debounce { record, time, number, events, more, first: first.min(last), last, names: record.plugin.as_ref() == Some(plugin) })
}

/// The debounce that took the last change.
fn choose(debounces: &[Debounce<'_>], change: &Change) -> Option<usize> {
    let Some(second) = change.second else {
        let may = |debounce: &&Debounce<'_>| debounce.names && change.not_before.is_none_or(|time| debounce.last >= time);
        return debounces.iter().rposition(|debounce| may(&debounce));
    };
    let named = |debounce: &Debounce<'_>| debounce.names && debounce.last >= second && debounce.first <= second + LATE;
    // Of one that names another object, only what was received in the very second can be the object's change.
    let batch = |debounce: &Debounce<'_>| debounce.more > 0 && debounce.last >= second && debounce.first < second + SECOND;
    let within = |debounce: &Debounce<'_>| named(debounce) && debounce.first < second + SECOND;
    // Several changes of one second: the last of them counts.
    debounces.iter().rposition(within).or_else(|| debounces.iter().position(named)).or_else(|| debounces.iter().position(batch))
}

fn steps(chosen: &Debounce<'_>, change: &Change) -> Vec<Step> {
    let Debounce { record, events, more, first, last, .. } = chosen;
    let mut received = Step::logged(StepKind::Received, record, "istiod received the change");
    received.time = if *events == 1 { *first } else { change.second.map_or(*first, |second| second.max(*first)).min(*last) };
    let mut debounced =
        Step::logged(StepKind::Debounced, record, format!("istiod's debounce ended (Push debounce stable[{}])", chosen.number));
    received = if *events == 1 {
        received.noted("the line's own time less what it says has passed since the change")
    } else {
        let why = format!("one of {events} changes that istiod took together, received from {} to {}", written(*first), written(*last));
        received.nearest(format!("{why}; which of them was this one is not told"))
    };
    if !chosen.names {
        let why = format!("only one config of a debounced batch is named (\"and {more} more configs\"), and it is another one");
        received = received.nearest(why.clone());
        debounced = debounced.nearest(why);
    } else if change.second.is_none() {
        let why = "it is the last debounce that names the plugin, and no object says whether it took the last change";
        received = received.nearest(why);
        debounced = debounced.nearest(why);
    } else if *more > 0 {
        debounced = debounced.noted(format!("{more} more configs changed with it"));
    }
    vec![received, debounced]
}

/// Why no debounce is the change's.
fn not_chosen(debounces: &[Debounce<'_>], change: &Change, reach: LogTime) -> String {
    match change.second {
        Some(second) if reach > second + SECOND => {
            format!("the object was changed before istiod's log begins, which reaches back only to {}", written(reach))
        }
        Some(_) if debounces.is_empty() => "istiod's log has no line of any debounce; its scope ads may be below level info".to_owned(),
        Some(_) => "no debounce of istiod's log at that time names the plugin or says that it has more configs than it names".to_owned(),
        None => format!("no debounce in istiod's log, which reaches back to {}, names the plugin", written(reach)),
    }
}
