//! The story of a plugin's last change: the object, istiod's push, and what each proxy did with it, out of logs and config dumps.
//!
//! Every step carries what shows it, and says where that is only the nearest that fits; what could not be seen is said too.

mod acceptance;
mod control_plane;
mod gather;
mod module;
mod object;
mod order;
mod proxy;
mod scene;
mod step;

use std::collections::BTreeMap;

use self::control_plane::ControlPlane;
use self::scene::{SLACK, Scene};
use super::answers::concerned;
use super::lookup;
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::logs::{LogRecord, LogSource, LogTime};
use crate::model::snapshot::Snapshot;

pub use gather::{Gathered, Gatherer};
pub use step::{Evidence, EvidenceSource, Step, StepKind, Unseen, written};

/// The whole story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// From when on times are counted: the change as the first istiod received it, else as the object says.
    pub start: Option<LogTime>,
    /// What that time is, or why there is none, as a clause.
    pub start_note: String,
    /// The object's own steps.
    pub changes: Vec<Step>,
    /// What of those could not be seen.
    pub unseen: Vec<Unseen>,
    /// What each istiod did.
    pub control_planes: Vec<IstiodStory>,
    /// What each proxy did.
    pub proxies: Vec<ProxyStory>,
    /// What is to be known of the whole, as sentences.
    pub notes: Vec<String>,
}

/// One istiod's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IstiodStory {
    /// The istiod; None for the only one of a recording.
    pub istiod: Option<ProxyId>,
    /// What it did.
    pub steps: Vec<Step>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

/// One proxy's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyStory {
    /// The proxy.
    pub proxy: ProxyId,
    /// Its workload; None over a lone dump.
    pub workload: Option<WorkloadId>,
    /// What it did.
    pub steps: Vec<Step>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
}

/// Tells the story of the last change of a plugin.
pub fn tell(snapshot: &Snapshot, plugin: &PluginId, gathered: &Gathered) -> Story {
    let object = snapshot.objects.plugins.get(plugin).map(|object| &**object);
    let deleted = object.is_none() && could_be_read(snapshot, plugin);
    let change = object::change(plugin, object, deleted);
    let planes = control_plane::control_planes(plugin, &change, gathered);
    let received = planes.iter().filter_map(|plane| plane.received).min();
    let start = received.or(change.second);
    let start_note = match (received, change.second) {
        (Some(_), _) => "as istiod received the change",
        (None, Some(_)) => "from the whole second that the object names, so that they can be up to 1 s too long",
        (None, None) => "nothing says when the change was",
    };
    let from = start.or(change.not_before).unwrap_or(LogTime::MIN);
    // What is near before belongs to an earlier change, where there was one.
    let near = |record: &LogRecord| {
        record.origin.source == LogSource::Istiod && record.time.is_some_and(|time| time < from && from - time < 3 * SLACK)
    };
    let earlier = gathered.records.iter().any(|record| record.plugin.as_ref() == Some(plugin) && near(record));
    let wanted = proxies(snapshot, plugin, gathered, from);
    let names = names(snapshot, &wanted);
    let tell = |proxy: &ProxyId| {
        let slack = if earlier || start.is_none() { 0 } else { SLACK };
        let name = names.get(proxy).map_or(proxy.pod.as_str(), String::as_str);
        let (steps, unseen) = proxy::tell(Scene { snapshot, plugin, object, deleted, gathered, proxy, name, from, slack }, &planes);
        ProxyStory { proxy: proxy.clone(), workload: lookup::owner(snapshot, proxy), steps, unseen }
    };
    let mut proxies: Vec<ProxyStory> = wanted.iter().map(tell).collect();
    proxies.sort_by(|a, b| (&a.workload, &a.proxy).cmp(&(&b.workload, &b.proxy)));
    let mut notes = gathered.marks.clone();
    if planes.is_empty() {
        notes.push("No log of an istiod was read, so that nothing tells when it received and pushed the change.".to_owned());
    }
    if proxies.iter().any(|story| !story.steps.is_empty()) {
        notes.push(
            "istiod and each proxy write their own clock's times: as far as the clocks of their nodes differ, so do the durations."
                .to_owned(),
        );
    }
    Story {
        start,
        start_note: start_note.to_owned(),
        changes: change.steps,
        unseen: change.unseen,
        control_planes: planes.into_iter().map(istiod).collect(),
        proxies,
        notes,
    }
}

/// Whether the plugin's object would have been read if there were one.
fn could_be_read(snapshot: &Snapshot, plugin: &PluginId) -> bool {
    let unread = snapshot.unread.iter().any(|kind| kind.as_str() == plugin.kind.as_str());
    !unread && (snapshot.has_objects || !snapshot.objects.pods.is_empty())
}

fn istiod(plane: ControlPlane<'_>) -> IstiodStory {
    let istiod = Some(plane.origin.pod.clone()).filter(|pod| !pod.pod.is_empty());
    IstiodStory { istiod, steps: plane.steps, unseen: plane.unseen }
}

/// The proxies that the plugin applies to or that have its filter or its configuration, and those whose logs name it since.
fn proxies(snapshot: &Snapshot, plugin: &PluginId, gathered: &Gathered, from: LogTime) -> Vec<ProxyId> {
    let mut found = concerned(snapshot, plugin);
    let has_entry = |proxy: &&ProxyId| {
        let loaded = snapshot.dump(proxy);
        loaded.is_some_and(|loaded| loaded.dump.ecds.iter().any(|entry| entry.plugin.as_ref() == Some(plugin)))
    };
    found.extend(snapshot.dumps.keys().filter(has_entry).cloned());
    let names = |record: &&LogRecord| {
        record.origin.source == LogSource::Proxy && record.plugin.as_ref() == Some(plugin) && record.time >= Some(from)
    };
    found.extend(gathered.records.iter().filter(names).map(|record| record.origin.pod.clone()));
    found.sort();
    found.dedup();
    found
}

/// What sentences call each proxy: by its workload where that has only this one, else by its pod.
fn names(snapshot: &Snapshot, proxies: &[ProxyId]) -> BTreeMap<ProxyId, String> {
    let owners: Vec<Option<WorkloadId>> = proxies.iter().map(|proxy| lookup::owner(snapshot, proxy)).collect();
    let named = proxies.iter().zip(&owners).map(|(proxy, owner)| {
        let alone = owner.as_ref().filter(|_| owners.iter().filter(|other| *other == owner).count() == 1);
        (proxy.clone(), alone.map_or_else(|| proxy.pod.clone(), |owner| owner.name.name.clone()))
    });
    named.collect()
}

/// A duration for a person: `0.4 ms`, `101 ms`, `1.2 s`, `3 min`.
pub fn milliseconds(time: LogTime) -> String {
    let (sign, nanos) = (if time < 0 { "-" } else { "" }, time.unsigned_abs());
    let ms = nanos as f64 / 1e6;
    let text = match nanos {
        0..9_950_000 => format!("{ms:.1} ms"),
        9_950_000..999_500_000 => format!("{ms:.0} ms"),
        999_500_000..99_950_000_000 => format!("{:.1} s", ms / 1e3),
        _ => format!("{} min {:02.0} s", nanos / 60_000_000_000, (nanos % 60_000_000_000) as f64 / 1e9),
    };
    format!("{sign}{text}")
}
