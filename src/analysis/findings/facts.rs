//! What the rules look at: the plugins and proxies of a namespace, each with what several rules ask of it.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::failing::Failing;
use super::{FindingObject, Place};
use crate::analysis::answers::{self, EffectiveMtlsAnswer, OrderEntry};
use crate::analysis::attachment::{self, Attachment};
use crate::analysis::health::{self, Health};
use crate::analysis::near_miss::Neighbours;
use crate::analysis::outlook::Outlooks;
use crate::analysis::requests::Mesh;
use crate::analysis::{placement, sync};
use crate::ingest::logs::instant;
use crate::model::envoy::{ConfigDump, DumpView, ExtensionConfig, ListenerState};
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::logs::LogTime;
use crate::model::plugin::Plugin;
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::sync::{Client, Sync};
use crate::model::workload::Pod;

/// Everything that a rule may ask.
pub struct Facts<'s> {
    /// The mesh.
    pub snapshot: &'s Snapshot,
    /// The plugins of the namespace and of the root namespace, by name.
    pub plugins: Vec<PluginFacts<'s>>,
    /// The proxies of the namespace, and those that its own plugins apply to, by name.
    pub proxies: Vec<ProxyFacts<'s>>,
    /// Every pod of a workload, of any namespace.
    pub pods: Vec<&'s Pod>,
    /// The pods by what reaches them.
    pub neighbours: Neighbours<'s>,
    namespace: Option<String>,
    connections: OnceCell<HashMap<&'s ProxyId, &'s Client>>,
    mtls: OnceCell<EffectiveMtlsAnswer>,
    states: OnceCell<Vec<(usize, PluginId, Health)>>,
    mesh: OnceCell<Mesh<'s>>,
    pub(super) failing: OnceCell<Vec<Failing<'s>>>,
    pub(super) unexplained: OnceCell<Vec<Failing<'s>>>,
}

/// A plugin, and where it applies.
pub struct PluginFacts<'s> {
    /// Its object.
    pub plugin: &'s Plugin,
    /// The pods that it applies to, by name, in any namespace.
    pub applies: Vec<&'s Pod>,
}

impl<'s> PluginFacts<'s> {
    fn of(plugin: &'s Plugin, pods: &[&'s Pod], objects: &Inventory) -> Self {
        let attached = pods.iter().copied().filter(|pod| attachment::attach(plugin, pod, objects).attached);
        let mut applies: Vec<&Pod> = attached.collect();
        applies.sort_by_key(|pod| &pod.id);
        Self { plugin, applies }
    }

    /// Whether it applies to a proxy.
    pub fn applies_to(&self, proxy: &ProxyId) -> bool {
        self.applies.binary_search_by(|pod| pod.id.cmp(proxy)).is_ok()
    }
}

/// A proxy.
pub struct ProxyFacts<'s> {
    /// Its name.
    pub id: ProxyId,
    /// Its pod; None over a lone dump.
    pub pod: Option<&'s Pod>,
    /// What the proxy itself says it has, or why that is not known, as one clause.
    pub dump: Result<&'s ConfigDump, String>,
    order: OnceCell<Option<OrderEntry>>,
}

impl<'s> Facts<'s> {
    /// The facts of a namespace, or of all.
    pub fn of(snapshot: &'s Snapshot, namespace: Option<&str>) -> Self {
        let objects: &Inventory = &snapshot.objects;
        let is_own = |other: &str| namespace.is_none_or(|namespace| namespace == other);
        let alive = snapshot.workloads.iter().flat_map(|workload| &workload.pods);
        let pods: Vec<&Pod> = alive.filter_map(|id| objects.pods.get(id)).map(|pod| &**pod).collect();
        let seen = objects.plugins.values().map(|plugin| &**plugin).filter(|plugin| {
            let of = &plugin.id.name.namespace;
            is_own(of) || of == objects.root_namespace()
        });
        let plugins: Vec<PluginFacts<'s>> = seen.map(|plugin| PluginFacts::of(plugin, &pods, objects)).collect();
        let mut wanted: BTreeSet<&ProxyId> =
            pods.iter().filter(|pod| pod.runs_envoy() && is_own(&pod.id.namespace)).map(|pod| &pod.id).collect();
        let own = plugins.iter().filter(|facts| is_own(&facts.plugin.id.name.namespace));
        wanted.extend(own.flat_map(|facts| &facts.applies).map(|pod| &pod.id));
        if objects.pods.is_empty() {
            wanted.extend(snapshot.dumps.keys());
        }
        // Of those nothing but the name is known, which is no reason to say nothing of them.
        wanted.extend(objects.unseen.iter().filter(|proxy| is_own(&proxy.namespace)));
        let proxy = |id: &ProxyId| ProxyFacts {
            id: id.clone(),
            pod: objects.pods.get(id).map(|pod| &**pod),
            dump: dump(snapshot, id),
            order: OnceCell::new(),
        };
        let proxies = wanted.into_iter().map(proxy).collect();
        Self {
            snapshot,
            plugins,
            proxies,
            pods,
            neighbours: Neighbours::of(objects),
            namespace: namespace.map(str::to_owned),
            connections: OnceCell::new(),
            mtls: OnceCell::new(),
            states: OnceCell::new(),
            mesh: OnceCell::new(),
            failing: OnceCell::new(),
            unexplained: OnceCell::new(),
        }
    }

    /// The objects.
    pub fn objects(&self) -> &'s Inventory {
        &self.snapshot.objects
    }

    /// Whether a namespace is the one in question.
    pub fn is_own(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|own| own == namespace)
    }

    /// Whether what is in a namespace is in question: it is the one, or the root namespace, which reaches all.
    pub fn sees(&self, namespace: &str) -> bool {
        self.is_own(namespace) || namespace == self.objects().root_namespace()
    }

    /// The plugins of other namespaces whose selector names labels of a pod of the one in question: nothing but their namespace may keep
    /// them from it.
    pub fn elsewhere(&self) -> impl Iterator<Item = PluginFacts<'s>> {
        let others = self.namespace.iter().flat_map(|own| {
            let all = self.objects().plugins.values().map(|plugin| &**plugin).filter(|plugin| !self.sees(&plugin.id.name.namespace));
            let selects = |plugin: &&Plugin| plugin.selector.as_ref().is_some_and(|selector| !selector.is_empty());
            let reaches = |plugin: &&Plugin| {
                let mut pods = self.neighbours.in_question(plugin, Some(own));
                pods.any(|pod| plugin.selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels)))
            };
            all.filter(selects).filter(reaches).collect::<Vec<_>>()
        });
        others.map(|plugin| PluginFacts::of(plugin, &self.pods, self.objects()))
    }

    /// The proxies whose own dump was read, with it.
    pub fn dumps(&self) -> impl Iterator<Item = (&ProxyFacts<'s>, &'s ConfigDump)> {
        self.proxies.iter().filter_map(|proxy| Some((proxy, *proxy.dump.as_ref().ok()?)))
    }

    /// The state of each plugin on each proxy whose own dump was read, where it applies or the proxy has something of it.
    pub fn states(&self) -> impl Iterator<Item = (&ProxyFacts<'s>, &PluginId, &Health)> {
        let states = self.states.get_or_init(|| {
            let shared = Arc::default();
            let read = self.proxies.iter().enumerate().filter_map(|(place, proxy)| Some((place, proxy, proxy.dump.as_ref().ok()?)));
            let of_proxy = |(place, proxy, dump): (usize, &ProxyFacts<'s>, &&ConfigDump)| {
                let applying = self.plugins.iter().filter(|plugin| plugin.applies_to(&proxy.id)).map(|facts| facts.plugin.id.clone());
                let plugins: BTreeSet<PluginId> = placement::plugins_in(dump).into_iter().chain(applying).collect();
                let outlooks = Outlooks::sharing(self.snapshot, &proxy.id, &shared);
                let healths: Vec<Health> = plugins.iter().map(|plugin| health::of_plugin(plugin, &outlooks)).collect();
                plugins.into_iter().zip(healths).map(move |(plugin, health)| (place, plugin, health))
            };
            read.flat_map(of_proxy).collect()
        });
        states.iter().map(|(place, plugin, health)| (&self.proxies[*place], plugin, health))
    }

    /// The object that brought a plugin's filter into a proxy. Of an EnvoyFilter it can be known by the filter's name alone.
    pub fn object(&self, plugin: &PluginId, proxy: &ProxyId) -> FindingObject {
        let envoy_filter =
            (plugin.kind == PluginKind::EnvoyFilter).then(|| placement::envoy_filter_of(self.snapshot, proxy, &plugin.name.name)).flatten();
        FindingObject::new(plugin.kind.as_str(), envoy_filter.unwrap_or(&plugin.name))
    }

    /// When a proxy was read; at the earliest where the source does not say it, by the last that is known of, of it or its istiod.
    pub fn read_at(&self, proxy: &ProxyId, dump: &ConfigDump) -> Option<LogTime> {
        let of_listeners = dump.listeners.iter().filter_map(|other| other.last_updated.as_deref());
        let known = of_listeners.chain(dump.ecds.iter().filter_map(|entry| entry.last_updated.as_deref())).filter_map(instant);
        let asked = self.snapshot.sync.as_ref().and_then(|sync| sync::asked(sync.as_ref().ok()?));
        let read = self.snapshot.dump(proxy).and_then(|loaded| loaded.read_at);
        read.or_else(|| known.chain(asked).max())
    }

    /// The proxies on which a plugin runs a module that its agent fetched, with the module's digest.
    pub fn running<'f>(&'f self, plugin: &'f PluginId) -> impl Iterator<Item = (&'f ProxyFacts<'s>, &'s str)> {
        let own = self.states().filter(move |(_, id, health)| *id == plugin && health.state.has_module());
        own.filter_map(|(proxy, id, _)| {
            let dump: &'s ConfigDump = proxy.dump.as_ref().ok()?;
            match &dump.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(id))?.config {
                ExtensionConfig::Wasm { file, .. } => Some((proxy, health::module::digest(file)?)),
                _ => None,
            }
        })
    }

    /// Whether a change to a plugin's object may have been on its way to a proxy: see [`sync::is_fresh`].
    pub fn is_fresh(&self, plugin: &Plugin, proxy: &ProxyId) -> bool {
        sync::is_fresh(self.snapshot, plugin, proxy)
    }

    /// The mutual TLS of the namespace's workloads.
    pub fn mtls(&self) -> &EffectiveMtlsAnswer {
        self.mtls.get_or_init(|| {
            let pods: Vec<ProxyId> = self.pods.iter().filter(|pod| self.is_own(&pod.id.namespace)).map(|pod| pod.id.clone()).collect();
            answers::mtls(self.snapshot, &pods)
        })
    }

    /// The objects that decide where requests go.
    pub fn mesh(&self) -> &Mesh<'s> {
        self.mesh.get_or_init(|| Mesh::of(self.snapshot))
    }

    /// The order of plugins in a proxy.
    pub fn order<'f>(&self, proxy: &'f ProxyFacts<'_>) -> Option<&'f OrderEntry> {
        let answer = || answers::order(self.snapshot, std::slice::from_ref(&proxy.id)).workloads.pop();
        proxy.order.get_or_init(answer).as_ref()
    }

    /// Whether a proxy is a WorkloadEntry that no istiod has a connection of: no agent may run there at all.
    pub fn is_without_agent(&self, proxy: &ProxyFacts<'_>) -> bool {
        proxy.pod.is_some_and(|pod| pod.is_workload_entry) && self.is_unconnected(&proxy.id)
    }

    /// What the istiods say of their proxies, as far as any answered.
    pub fn sync(&self) -> Option<&'s Sync> {
        self.snapshot.sync.as_ref()?.as_ref().ok().map(Arc::as_ref)
    }

    /// A proxy's connection, by [`sync::connections`].
    pub fn connection(&self, proxy: &ProxyId) -> Option<&'s Client> {
        let connections = || self.sync().map(sync::connections).unwrap_or_default();
        self.connections.get_or_init(connections).get(proxy).copied()
    }

    /// Whether no istiod has a connection of a proxy. It may have one to an istiod that did not answer, so all of them have to.
    pub fn is_unconnected(&self, proxy: &ProxyId) -> bool {
        let is_whole = |sync: &Sync| !sync.partial && sync.tells_of(&proxy.namespace);
        self.sync().is_some_and(is_whole) && self.connection(proxy).is_none()
    }

    /// Why a plugin does not apply to a pod; None where it does.
    pub fn miss(&self, plugin: &Plugin, pod: &Pod) -> Option<attachment::Reason> {
        let Attachment { attached, reason } = attachment::attach(plugin, pod, self.objects());
        (!attached).then_some(reason)
    }
}

impl ProxyFacts<'_> {
    /// The first chain that has a filter of the plugin, in an active listener where one has.
    pub fn place(&self, plugin: &PluginId) -> Option<Place> {
        let mut found: Vec<Place> = Vec::new();
        for listener in &self.dump.as_ref().ok()?.listeners {
            let chain = listener.chains.iter().position(|chain| placement::count_in_chain(chain, plugin) > 0);
            let place = |chain| Place {
                proxy: self.id.clone(),
                listener: listener.name.clone(),
                state: listener.state.as_str(),
                chain: Some(chain),
            };
            // Inbound traffic is what most plugins are for.
            let inbound = listener.direction == Some(crate::model::envoy::Direction::Inbound);
            match chain.map(place) {
                Some(place) if inbound && listener.state == ListenerState::Active => return Some(place),
                place => found.extend(place),
            }
        }
        let active = found.iter().position(|place| place.state == ListenerState::Active.as_str());
        (!found.is_empty()).then(|| found.swap_remove(active.unwrap_or(0)))
    }
}

/// The proxy's own dump, or why there is none that can be counted on.
fn dump<'s>(snapshot: &'s Snapshot, proxy: &ProxyId) -> Result<&'s ConfigDump, String> {
    match snapshot.dumps.get(proxy) {
        Some(Dump::Loaded(loaded)) => match (&loaded.cut_short, loaded.dump.view) {
            (Some(cut), _) => Err(format!("the config dump {cut}")),
            (None, DumpView::Istiod) => Err("only istiod's view could be read, which does not say what the proxy has".to_owned()),
            (None, DumpView::Proxy) if placement::awaits_listeners(snapshot, proxy, &loaded.dump) => {
                Err(placement::NO_LISTENERS.to_owned())
            }
            (None, DumpView::Proxy) => Ok(&loaded.dump),
        },
        Some(Dump::Loading) => Err("the config dump is being read".to_owned()),
        Some(Dump::Failed(why)) => Err(why.clone()),
        None => Err("the config dump was not asked for".to_owned()),
    }
}
