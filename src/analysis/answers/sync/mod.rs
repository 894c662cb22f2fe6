//! `sync [WORKLOAD]`: what istiod sent to each proxy, and what the proxy made of it, per type and per plugin.

mod plugins;
mod states;
mod types;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::analysis::lookup;
use crate::analysis::sync as rules;
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;
use crate::model::mesh::Istiod;
use crate::model::snapshot::Snapshot;
use crate::model::sync::{Client, IstiodSync, Sync};
use crate::model::warning::{self, Warning};

pub use plugins::PluginSync;
pub use states::PluginOnProxy;
pub use types::TypeAnswer;

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncAnswer {
    /// What could not be read; an istiod that did not answer is here.
    pub warnings: Vec<Warning>,
    /// The istiods that answered, by name.
    pub istiods: Vec<IstiodAnswer>,
    /// What is to be said of istiods of several versions; None where they are of one.
    pub skew: Option<String>,
    /// The names of the types, in the order of the columns: the five that Envoy always has, then those that any proxy watches.
    pub types: Vec<String>,
    /// The proxies, by name; one that is connected twice stands here twice.
    pub proxies: Vec<SyncEntry>,
    /// What being synced does not say of a plugin; None where no proxy watches one.
    pub note: Option<&'static str>,
}

/// An istiod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IstiodAnswer {
    /// Its pod; None where the source does not know it.
    pub istiod: Option<String>,
    /// Its version; None where it does not say.
    pub version: Option<String>,
    /// By which way it was asked: `port-forward`, `xDS`, `file`.
    pub way: &'static str,
    /// What was tried before and why it did not work.
    pub tried: Vec<String>,
    /// The service account as which it was asked, `namespace/name`; None where nobody's token was shown.
    pub account: Option<String>,
    /// The one namespace of whose proxies it told, since it tells that account of no others; None where it told of all.
    pub only: Option<String>,
    /// How many proxies are connected to it, in all namespaces that it told of.
    pub connected: usize,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncEntry {
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// The workload, `namespace/name`; None where no object says it.
    pub workload: Option<String>,
    /// Its kind.
    pub workload_kind: Option<&'static str>,
    /// `deploy/httpbin`; for eyes.
    #[serde(skip)]
    pub short: String,
    /// What kind of proxy it is; None where no object says it.
    pub proxy_kind: Option<&'static str>,
    /// Whether it is connected to an istiod that answered.
    pub connected: bool,
    /// Why its pod does not run, so that it need not be connected, `pod Pending`; for eyes.
    #[serde(skip)]
    pub stopped: Option<String>,
    /// Why it is not, and what to know of it.
    pub note: Option<String>,
    /// The pod of its istiod; None where it is not connected, or the source does not know it.
    pub istiod: Option<String>,
    /// The version of its istiod.
    pub istiod_version: Option<String>,
    /// The version of Istio that the proxy says it is of.
    pub version: Option<String>,
    /// What is to be said of both versions; None where they go together.
    pub skew: Option<String>,
    /// The cluster that it says it is in.
    pub cluster: Option<String>,
    /// The types, in the order of the answer's; empty where it is not connected.
    pub types: Vec<TypeAnswer>,
    /// The plugins that it watches or that apply to it; None where istiod did not tell what it watches.
    pub plugins: Option<Vec<PluginSync>>,
    /// Why the plugins are not known.
    pub plugins_note: Option<&'static str>,
    /// The state of each plugin that it watches or that applies to it, whatever istiod reports.
    pub plugin_states: Vec<PluginOnProxy>,
}

/// What holds for all entries.
struct World<'s> {
    snapshot: &'s Snapshot,
    sync: &'s Sync,
    /// The one istiod that there is, for a source that does not say which one answered.
    only: Option<String>,
    types: Vec<String>,
}

/// Answers for the proxies that `wanted` takes, from what the istiods said; with nothing said, nothing.
pub fn sync(snapshot: &Snapshot, wanted: impl Fn(&ProxyId) -> bool) -> SyncAnswer {
    let Some(Ok(sync)) = &snapshot.sync else { return SyncAnswer { warnings: warning::once(&snapshot.warnings), ..SyncAnswer::default() } };
    let objects = &snapshot.objects;
    let is_proxy = |client: &Client| !rules::only_asks(client, objects);
    let watched: BTreeSet<&String> =
        sync.clients().filter(|(_, client)| is_proxy(client)).flat_map(|(_, client)| client.types.keys()).collect();
    let others = watched.into_iter().filter(|url| !rules::CORE.contains(&url.as_str())).cloned();
    let types: Vec<String> = rules::CORE.iter().map(|url| (*url).to_owned()).chain(others).collect();
    let world = World { snapshot, sync, only: only_istiod(objects), types };

    let mut proxies: Vec<SyncEntry> = Vec::new();
    for (istiod, client) in sync.clients().filter(|(_, client)| is_proxy(client) && wanted(&client.proxy)) {
        proxies.push(world.connected(istiod, client));
    }
    let seen: BTreeSet<&ProxyId> = sync.clients().map(|(_, client)| &client.proxy).collect();
    let is_told = |proxy: &ProxyId| wanted(proxy) && !seen.contains(proxy) && sync.tells_of(&proxy.namespace);
    let alone = objects.pods.values().filter(|pod| is_told(&pod.id));
    proxies.extend(alone.filter_map(|pod| Some(world.alone(&pod.id, rules::why_alone(pod, objects, !sync.partial)?))));
    proxies.sort_by(|a, b| (&a.proxy, &a.istiod).cmp(&(&b.proxy, &b.istiod)));
    mark_doubled(&mut proxies);

    let warnings = warning::once(snapshot.warnings.iter().chain(&sync.gaps));
    let watches_plugins = proxies.iter().flat_map(|entry| &entry.types).any(TypeAnswer::is_plugins);
    let mut istiods: Vec<IstiodAnswer> = sync.istiods.iter().map(|istiod| world.istiod(istiod)).collect();
    istiods.sort_by(|a, b| a.istiod.cmp(&b.istiod));
    SyncAnswer {
        warnings,
        istiods,
        skew: rules::skew_of_istiods(objects),
        types: world.types.iter().map(|url| rules::short(url).to_owned()).collect(),
        proxies,
        note: watches_plugins.then_some(words::SYNCED_IS_NOT_RUNNING),
    }
}

impl World<'_> {
    fn name(&self, istiod: &IstiodSync) -> Option<String> {
        if istiod.pod.is_empty() { self.only.clone() } else { Some(istiod.pod.clone()) }
    }

    /// What an istiod says that its version is; of a recording, which has one for all, that.
    fn version(&self, istiod: &IstiodSync) -> Option<String> {
        let said = |known: &&Istiod| known.pod == istiod.pod || known.pod.is_empty();
        self.snapshot.objects.istiods.iter().find(said).map(|known| known.version.clone())
    }

    fn istiod(&self, istiod: &IstiodSync) -> IstiodAnswer {
        let proxies: BTreeSet<&ProxyId> =
            istiod.clients.iter().filter(|client| !rules::only_asks(client, &self.snapshot.objects)).map(|client| &client.proxy).collect();
        IstiodAnswer {
            istiod: self.name(istiod),
            version: self.version(istiod),
            way: istiod.way,
            tried: istiod.tried.clone(),
            account: istiod.account.clone(),
            only: istiod.only.clone(),
            connected: proxies.len(),
        }
    }

    fn connected(&self, istiod: &IstiodSync, client: &Client) -> SyncEntry {
        let version = self.version(istiod);
        let plugins = client.extensions.as_ref().map(|names| plugins::plugins(&self.snapshot.objects, &client.proxy, names));
        let plugin_states = states::of_proxy(self.snapshot, &client.proxy, plugins.as_deref());
        let mut types: Vec<TypeAnswer> = self.types.iter().map(|url| types::of(url, istiod, client, self.sync.asked)).collect();
        states::mark(&mut types, &plugin_states, &self.snapshot.objects);
        SyncEntry {
            connected: true,
            istiod: self.name(istiod),
            skew: version.as_ref().and_then(|version| rules::skew(&client.version, version)),
            istiod_version: version,
            version: some(&client.version),
            cluster: some(&client.cluster),
            types,
            plugin_states,
            plugins_note: plugins.is_none().then_some(words::PLUGINS_NOT_TOLD),
            plugins,
            ..self.entry(&client.proxy)
        }
    }

    fn alone(&self, proxy: &ProxyId, why: String) -> SyncEntry {
        let objects = &self.snapshot.objects;
        let stopped = lookup::stopped(objects, proxy).map(|why| why.replacen("the pod is", "pod", 1));
        let plugin_states = if stopped.is_some() { Vec::new() } else { states::of_proxy(self.snapshot, proxy, None) };
        SyncEntry { note: Some(why), stopped, plugin_states, ..self.entry(proxy) }
    }

    fn entry(&self, proxy: &ProxyId) -> SyncEntry {
        let workload = lookup::owner(self.snapshot, proxy);
        let pod = self.snapshot.objects.pods.get(proxy);
        SyncEntry {
            proxy: proxy.clone(),
            short: workload.as_ref().map(|workload| workload.short()).unwrap_or_default(),
            workload_kind: workload.as_ref().map(|workload| workload.kind.as_str()),
            workload: workload.map(|workload| workload.to_string()),
            proxy_kind: pod.and_then(|pod| Some(pod.proxy.as_ref()?.kind.as_str())),
            connected: false,
            stopped: None,
            note: None,
            istiod: None,
            istiod_version: None,
            version: None,
            skew: None,
            cluster: None,
            types: Vec::new(),
            plugins: None,
            plugins_note: None,
            plugin_states: Vec::new(),
        }
    }
}

/// The one istiod whose pod runs, where there is one alone.
fn only_istiod(objects: &Inventory) -> Option<String> {
    let mut running = objects.control_planes.values().filter(|pod| pod.phase == "Running" && !pod.deleting);
    let only = running.next()?;
    running.next().is_none().then(|| only.id.pod.clone())
}

/// A proxy that an istiod has twice has lost a connection that istiod still holds, or is in two meshes.
fn mark_doubled(proxies: &mut [SyncEntry]) {
    let mut times: BTreeMap<ProxyId, usize> = BTreeMap::new();
    for entry in proxies.iter() {
        *times.entry(entry.proxy.clone()).or_default() += 1;
    }
    for entry in proxies.iter_mut().filter(|entry| times[&entry.proxy] > 1) {
        entry.note = Some(format!("it has {} connections: one may be an old one that istiod has not given up yet", times[&entry.proxy]));
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
