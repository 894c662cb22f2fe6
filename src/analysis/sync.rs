//! Rules about the sync status of proxies: the names of types, who is no proxy, which versions go together.

use std::collections::HashMap;

use super::control_plane;
use super::era::Version;
use crate::ingest::logs::instant;
use crate::model::envoy::{DumpView, EcdsFilter, ListenerState};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::logs::LogTime;
use crate::model::plugin::Plugin;
use crate::model::snapshot::{LoadedDump, Snapshot};
use crate::model::sync::{CLUSTERS, Client, ENDPOINTS, EXTENSIONS, IstiodSync, LISTENERS, ROUTES, Sync, SyncState, TypeSync};
use crate::model::workload::Pod;

/// The types that are always listed, in the order in which istioctl has them.
pub const CORE: [&str; 5] = [CLUSTERS, LISTENERS, ENDPOINTS, ROUTES, EXTENSIONS];

/// Short names of types (`pkg/model/xds.go: GetShortType`).
const NAMES: [(&str, &str); 11] = [
    (CLUSTERS, "CDS"),
    (LISTENERS, "LDS"),
    (ENDPOINTS, "EDS"),
    (ROUTES, "RDS"),
    (EXTENSIONS, "ECDS"),
    ("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret", "SDS"),
    ("type.googleapis.com/istio.networking.nds.v1.NameTable", "NDS"),
    ("type.googleapis.com/istio.mesh.v1alpha1.ProxyConfig", "PCDS"),
    ("type.googleapis.com/istio.workload.Address", "WDS"),
    ("type.googleapis.com/istio.workload.Workload", "WDS"),
    ("type.googleapis.com/istio.security.Authorization", "WADS"),
];

/// What a type is called; the type URL where it has no other name.
pub fn short(url: &str) -> &str {
    NAMES.iter().find(|(known, _)| *known == url).map_or(url, |(_, name)| name)
}

/// Whether a client only asks istiod for debugging output, as istioctl does: it was sent nothing, says no cluster, and no pod has
/// its name.
pub fn only_asks(client: &Client, objects: &Inventory) -> bool {
    let sent_nothing = client.types.values().all(|sync| sync.sent_push.is_empty() && sync.sent.is_none());
    sent_nothing && client.cluster.is_empty() && !objects.pods.contains_key(&client.proxy)
}

/// A proxy's version compared with its istiod's: Istio supports an istiod that is one minor version ahead of its proxies, and no proxy
/// that is ahead of its istiod (<https://istio.io/latest/docs/releases/supported-releases/#control-planedata-plane-skew>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skew {
    /// They are of one minor version.
    None,
    /// The proxy is one minor version older.
    Supported,
    /// The proxy is older than that.
    TooOld,
    /// The proxy is newer.
    TooNew,
}

impl Skew {
    /// Compares a proxy's version with its istiod's.
    pub fn of(proxy: Version, istiod: Version) -> Self {
        match proxy.cmp(&istiod) {
            std::cmp::Ordering::Equal => Self::None,
            std::cmp::Ordering::Greater => Self::TooNew,
            std::cmp::Ordering::Less if proxy.major == istiod.major && proxy.minor + 1 == istiod.minor => Self::Supported,
            std::cmp::Ordering::Less => Self::TooOld,
        }
    }

    /// What Istio says of it, as a clause; None where there is nothing to say.
    pub fn said(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Supported => Some("Istio supports that while proxies are upgraded"),
            Self::TooOld => Some("Istio supports proxies that are one minor version older, and no more"),
            Self::TooNew => Some("Istio supports no proxy that is newer than its istiod"),
        }
    }

    /// Whether Istio does not support it.
    pub fn is_unsupported(self) -> bool {
        matches!(self, Self::TooOld | Self::TooNew)
    }
}

/// The difference between a proxy's version and its istiod's, as a clause; None where they are of one minor version, or not known.
pub fn skew(proxy: &str, istiod: &str) -> Option<String> {
    let (own, of_istiod) = (Version::parse(proxy)?, Version::parse(istiod)?);
    let said = Skew::of(own, of_istiod).said()?;
    Some(format!("the proxy is {own} and its istiod {of_istiod}; {said}"))
}

/// What is to be said of istiods that are of several minor versions; None where they are of one.
pub fn skew_of_istiods(objects: &Inventory) -> Option<String> {
    let mut versions: Vec<Version> = objects.istiods.iter().filter_map(|istiod| Version::parse(&istiod.version)).collect();
    versions.sort_unstable();
    versions.dedup();
    let [first, .., last] = versions.as_slice() else { return None };
    let names = objects.plugins.keys().next().map(|sample| names(*first, *last, sample)).unwrap_or_default();
    Some(format!("the istiods are of different versions, {first} to {last}; each sends by its own rules{names}"))
}

/// How the name of a plugin's filter shows which istiod sent it.
fn names(first: Version, last: Version, plugin: &PluginId) -> String {
    let (old, new) = (first.filter_name(plugin), last.filter_name(plugin));
    if old == new { String::new() } else { format!(": the filter of {plugin} is {old} from the one and {new} from the other") }
}

/// The connection of a proxy; of several the one to which was sent last, since an istiod keeps a lost one for a while.
pub fn connection<'s>(sync: &'s Sync, proxy: &ProxyId) -> Option<&'s Client> {
    let own = sync.clients().map(|(_, client)| client).filter(|client| client.proxy == *proxy);
    own.max_by_key(|client| last_sent(client))
}

/// The connections of all proxies, of each by [`connection`].
pub fn connections(sync: &Sync) -> HashMap<&ProxyId, &Client> {
    let mut found: HashMap<&ProxyId, &Client> = HashMap::new();
    for (_, client) in sync.clients() {
        let known = found.entry(&client.proxy).or_insert(client);
        if last_sent(client) >= last_sent(known) {
            *known = client;
        }
    }
    found
}

/// Whether a proxy has something later of a type than what the istiods say that it rejected, so that the rejection is not of what it has: its
/// version is that of a later push, or it came after the istiods were asked. With a plugin only what the proxy has of that counts.
///
/// The version of a resource is the name of its push, `2026-11-23T19:37:49Z/7`, where istiod sends the state of the world, and is unset in
/// deltas. The time is by the clock of the proxy's node: where it is later than the reading itself, that clock goes wrong and says nothing.
pub fn is_superseded(sync: &Sync, rejected: &TypeSync, url: &str, loaded: &LoadedDump, plugin: Option<&PluginId>) -> bool {
    let is_later = |version: &str, updated: Option<&str>| {
        let of_push = order(&rejected.sent_push).zip(order(version)).is_some_and(|(rejected, held)| rejected < held);
        let times = || Some((sync.asked?, updated.and_then(instant)?, loaded.read_at?));
        of_push || times().is_some_and(|(asked, updated, read)| asked < updated && updated <= read)
    };
    let dump = &loaded.dump;
    let of_plugin = |entry: &&EcdsFilter| plugin.is_none() || entry.plugin.as_ref() == plugin;
    match url {
        _ if dump.view != DumpView::Proxy => false,
        EXTENSIONS => dump.ecds.iter().filter(of_plugin).any(|entry| is_later(&entry.version, entry.last_updated.as_deref())),
        LISTENERS => {
            let mut held = dump.listeners.iter().filter(|listener| !listener.is_static && listener.state != ListenerState::Error);
            held.any(|listener| is_later(&listener.version, listener.last_updated.as_deref()))
        }
        _ => false,
    }
}

/// When a push was made, and its number.
fn order(push: &str) -> Option<(LogTime, u64)> {
    let (time, number) = push.rsplit_once('/')?;
    Some((instant(time)?, number.parse().ok()?))
}

fn last_sent(client: &Client) -> Option<LogTime> {
    client.types.values().filter_map(|sync| sync.sent).max()
}

/// When istiod was asked, at the earliest: a recording does not say it, and it was not before istiod last sent something to anyone.
pub fn asked(sync: &Sync) -> Option<LogTime> {
    sync.asked.or_else(|| sync.clients().filter_map(|(_, client)| last_sent(client)).max())
}

/// How old what was sent must be to be late, in seconds: a proxy answers within one. istiod gathers changes before it sends, so that this
/// is no part of it.
const LATE: LogTime = 5;

/// What a proxy has not answered to in time, each type by its URL, with how many seconds ago it was sent at least. What has no time is not
/// among it.
pub fn late(client: &Client, now: LogTime) -> impl Iterator<Item = (&str, &TypeSync, LogTime)> {
    let stale = client.types.iter().filter(|(_, status)| status.state == SyncState::Stale);
    stale.filter_map(move |(url, status)| {
        let age = now.saturating_sub(status.sent?) / 1_000_000_000;
        (age >= LATE).then_some((url.as_str(), status, age))
    })
}

/// When the newest configuration was made that an istiod has sent to any proxy.
pub fn newest_push(istiod: &IstiodSync) -> Option<LogTime> {
    let pushes = istiod.clients.iter().flat_map(|client| client.types.values()).filter_map(|status| order(&status.sent_push));
    pushes.map(|(time, _)| time).max()
}

/// What a proxy's refusal says first: the rest is often the whole message once more.
pub fn first_line(error: &str) -> &str {
    error.lines().next().unwrap_or("it does not say why")
}

/// Why a pod with a proxy is connected to no istiod that answered; None where no connection is to be expected.
pub fn why_alone(pod: &Pod, objects: &Inventory, all_answered: bool) -> Option<String> {
    let proxy = pod.proxy.as_ref()?;
    if pod.deleting || pod.is_workload_entry || matches!(pod.phase.as_str(), "Succeeded" | "Failed") {
        return None;
    }
    if !proxy.running {
        return Some("it is connected to no istiod: its proxy does not run".to_owned());
    }
    Some(match control_plane::revision(pod, objects) {
        Some(revision) if control_plane::lacks(revision, objects) => {
            format!("it is connected to no istiod: none of its revision {revision} runs")
        }
        _ if all_answered => "it is connected to no istiod: it keeps the configuration that it has, and hears of no change".to_owned(),
        _ => "it is connected to no istiod that answered; it may be to one that did not".to_owned(),
    })
}

/// How long a change takes at most to be in a proxy that is well: istiod gathers changes for up to 10 s (`PILOT_DEBOUNCE_MAX`), and a
/// module is fetched within some more.
pub const GRACE: LogTime = 30_000_000_000;

/// Whether a plugin's object was changed so shortly before a proxy was read that the change may have been on its way, as far as both
/// times are known.
pub fn is_fresh(snapshot: &Snapshot, plugin: &Plugin, proxy: &ProxyId) -> bool {
    let read = snapshot.dump(proxy).and_then(|loaded| loaded.read_at);
    changed(plugin).zip(read).is_some_and(|(changed, read)| read.saturating_sub(changed) < GRACE)
}

/// When a plugin's object was changed last, as far as that is known.
pub fn changed(plugin: &Plugin) -> Option<LogTime> {
    plugin.created.iter().chain(plugin.writes.iter().map(|write| &write.time)).filter_map(|time| instant(time)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_go_together_are_not_spoken_of() {
        assert_eq!(skew("1.31-alpha.eed52ebb66ad", "1.31.0"), None);
        assert_eq!(skew("unknown", "1.31.0"), None);
        let said = |proxy, istiod| skew(proxy, istiod).unwrap_or_default();
        assert_eq!(said("1.30.1", "1.31.0"), "the proxy is 1.30 and its istiod 1.31; Istio supports that while proxies are upgraded");
        assert!(said("1.26.2", "1.31.0").ends_with("one minor version older, and no more"));
        assert!(said("1.31.0", "1.30.0").ends_with("no proxy that is newer than its istiod"));
    }
}
