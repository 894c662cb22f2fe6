//! A module that was fetched before its tag was pushed again, as another proxy of the same plugin shows.
//!
//! An agent keeps in memory which modules it has (`pkg/wasm/cache.go: LocalFileCache`), so one that was started later asked the registry later.

use super::origin::{self, Fetched};
use super::{agent, module, own_url, weigh};
use crate::analysis::answers::log_timestamp;
use crate::ingest::logs::instant;
use crate::model::envoy::ExtensionConfig;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::logs::LogTime;
use crate::model::plugin::WasmModule;
use crate::model::snapshot::{Dump, LoadedDump, Snapshot};

/// The plugin's module in one proxy.
struct ReplicaModule<'s> {
    proxy: &'s ProxyId,
    loaded: &'s LoadedDump,
    /// The agent's file.
    file: &'s str,
    /// When Envoy was given it: it was fetched before that.
    given: LogTime,
}

impl<'s> ReplicaModule<'s> {
    /// None where `is_wanted` does not take the file, which is looked at first: nearly all proxies have the same.
    fn of(plugin: &PluginId, proxy: &'s ProxyId, loaded: &'s LoadedDump, is_wanted: impl Fn(&str) -> bool) -> Option<Self> {
        let entry = weigh::entry(plugin, &loaded.dump)?;
        let ExtensionConfig::Wasm { file, .. } = &entry.config else { return None };
        if !is_wanted(file) {
            return None;
        }
        Some(Self { proxy, loaded, file, given: entry.last_updated.as_deref().and_then(instant)? })
    }

    /// When its agent was started: it was fetched after that.
    fn started(&self, snapshot: &Snapshot) -> Option<LogTime> {
        snapshot.objects.pods.get(self.proxy)?.proxy.as_ref()?.started
    }

    /// Whether it came from the URL: its file is of the repository, and the agent's log does not show another tag.
    fn is_of(&self, snapshot: &Snapshot, plugin: &PluginId, url: &str) -> bool {
        let own_url = || own_url(snapshot, plugin, &self.loaded.dump);
        let is_other = || matches!(origin::fetched_by(self.loaded, own_url(), Some(self.given)), Some(Fetched::Other(_)));
        origin::is_of(self.file, url, agent(self.loaded)) == Some(true) && !is_other()
    }
}

/// What proves that the URL of a proxy's module had another one later, as a clause: a proxy that was started after this one was given its
/// module fetched the other. None where nothing proves it, where one that was given its module later still has this one again, where the
/// object names one module, and where it was changed (`written`) since this proxy was given its module.
pub(super) fn newer(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId, wasm: &WasmModule, written: LogTime) -> Option<String> {
    if !wasm.sha256.is_empty() || origin::pinned(&wasm.url).is_some() {
        return None;
    }
    let own = ReplicaModule::of(plugin, proxy, snapshot.dump(proxy)?, |_| true).filter(|own| own.given >= written)?;
    let all = |is_same: bool| {
        let is_wanted = move |file: &str| (file == own.file) == is_same;
        snapshot.dumps.iter().filter_map(move |(other, dump)| match dump {
            Dump::Loaded(loaded) => ReplicaModule::of(plugin, other, loaded, is_wanted),
            Dump::Loading | Dump::Failed(_) => None,
        })
    };
    let is_later = |other: &ReplicaModule<'_>| other.started(snapshot).is_some_and(|started| started > own.given);
    let others = all(false).filter(|other| is_later(other) && other.is_of(snapshot, plugin, &wasm.url));
    let newest = others.max_by_key(|other| other.given)?;
    let is_again = all(true).any(|other| other.given >= newest.given && is_later(&other));
    if is_again || !own.is_of(snapshot, plugin, &wasm.url) {
        return None;
    }
    let digest = module::named_digest(module::digest(newest.file)?, &wasm.url, agent(newest.loaded));
    let since = log_timestamp(newest.started(snapshot)?)?;
    let changed = if module::scheme(&wasm.url) == "oci" { "the tag was pushed again" } else { "what the URL has was replaced" };
    Some(format!("{}, started at {since}, fetched another one: {digest}; {changed}", newest.proxy))
}
