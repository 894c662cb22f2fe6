//! Turns what a source says into the objects of a mesh, one message after the other, and takes snapshots of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::kubernetes::{self, Object, Understood};
use super::{unread, workloads};
use crate::model::envoy::Node;
use crate::model::ids::{ObjectName, PluginId, PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::kind::{Kind, Storage};
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::update::{Health, Unread, Update};
use crate::model::warning::Warning;

/// The objects as they are now, and what is known about the reading of them.
#[derive(Debug, Default)]
pub struct Collector {
    objects: Inventory,
    settled: BTreeSet<Kind>,
    absent: BTreeSet<Kind>,
    unread: Vec<Unread>,
    /// How many objects of a list under way have come.
    reading: BTreeMap<Kind, usize>,
    /// The namespaces that were listed of each kind; None is all of them together.
    parts: BTreeMap<Kind, BTreeSet<Option<String>>>,
    /// Whether any list came at all.
    listed: bool,
    /// What is wrong with objects, of those with which something is.
    faults: BTreeMap<(Kind, ObjectName), Faults>,
    health: Option<Health>,
    generation: u64,
}

/// What is wrong with an object.
#[derive(Debug)]
struct Faults {
    /// What was not understood of it.
    warnings: Vec<Warning>,
    /// Whether nobody can decode it: what it asks for is not known, and istiod reads no other of its kind meanwhile.
    is_undecodable: bool,
}

/// What an update changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Nothing that an answer could see.
    Nothing,
    /// The state of the source.
    Health,
    /// Objects of a kind: all of them anew, or the named one.
    Objects(Kind, Option<ObjectName>),
    /// Something about the reading: a kind that is absent or cannot be read, the istiods.
    Reading,
}

impl Collector {
    /// Goes on from the objects of a snapshot.
    pub fn continuing(snapshot: &Snapshot) -> Self {
        Self { objects: (*snapshot.objects).clone(), generation: snapshot.generation, ..Self::default() }
    }

    /// What was not understood of the objects that were taken in.
    pub fn object_warnings(&self) -> impl Iterator<Item = &Warning> {
        self.faults.values().flat_map(|faults| &faults.warnings)
    }

    /// Takes one message of the source in.
    pub fn apply(&mut self, update: Update) -> Changed {
        self.generation += 1;
        match update {
            Update::Listed { kind, namespace, objects } => {
                self.forget(kind, namespace.as_deref());
                for value in &objects {
                    self.put(kind, value);
                }
                self.settled.insert(kind);
                self.absent.remove(&kind);
                self.reading.remove(&kind);
                self.parts.entry(kind).or_default().insert(namespace.clone());
                self.readable(kind, namespace.as_deref());
                self.listed = true;
                Changed::Objects(kind, None)
            }
            Update::Applied { kind, object } => {
                let name = self.put(kind, &object);
                Changed::Objects(kind, name)
            }
            Update::Deleted { kind, namespace, name } => {
                let name = ObjectName::new(namespace, name);
                self.remove(kind, &name);
                Changed::Objects(kind, Some(name))
            }
            Update::Reading { kind, so_far } => {
                self.reading.insert(kind, so_far);
                Changed::Reading
            }
            Update::Absent(kind) => {
                self.forget(kind, None);
                self.settled.insert(kind);
                self.absent.insert(kind);
                Changed::Reading
            }
            Update::Unread(unread) => {
                self.settled.extend(unread.kind);
                // What was listed was read; of what was not the rest may be missing.
                if let Some(parts) = unread.kind.and_then(|kind| self.parts.get_mut(&kind))
                    && !unread.listed
                {
                    parts.remove(&None);
                }
                if !self.unread.contains(&unread) {
                    self.unread.push(unread);
                }
                Changed::Reading
            }
            Update::Istiods(istiods) => {
                if self.objects.istiods == istiods {
                    return Changed::Nothing;
                }
                self.objects.istiods = istiods;
                Changed::Reading
            }
            Update::Health(health) => {
                self.health = Some(health);
                Changed::Health
            }
        }
    }

    /// Adds a proxy that has no Pod or WorkloadEntry: from its node metadata, or by name only.
    pub fn adopt(&mut self, proxy: ProxyId, node: Option<&Node>) {
        if self.objects.pods.contains_key(&proxy) {
            return;
        }
        self.generation += 1;
        let Some(node) = node else {
            self.objects.unseen.insert(proxy);
            return;
        };
        let what = "no Pod or WorkloadEntry of it was read: its namespace, labels, addresses, ports and version are what its node says";
        let place = ObjectName::new(&proxy.namespace, &proxy.pod);
        let warnings = vec![Warning::new(format!("proxy {proxy}"), what, "")];
        self.faults.insert((Kind::Pod, place), Faults { warnings, is_undecodable: false });
        self.objects.insert_pod(workloads::of_node(&proxy, node));
    }

    /// The state of the source; None before it said anything.
    pub fn health(&self) -> Option<&Health> {
        self.health.as_ref()
    }

    /// The objects as they are now.
    pub fn objects(&self) -> &Inventory {
        &self.objects
    }

    /// What could not be read so far.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// Whether no kind could be listed, though some are there.
    pub fn read_nothing(&self) -> bool {
        !self.listed && !self.unread.is_empty()
    }

    /// The kinds that are still waited for.
    pub fn awaited(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| !self.settled.contains(kind)).collect()
    }

    /// The state of the world now. `dumps` are the proxies' config dumps that were read.
    pub fn snapshot(&self, dumps: BTreeMap<ProxyId, Dump>) -> Snapshot {
        let mut warnings = unread::warnings(&self.unread);
        warnings.extend(self.object_warnings().cloned());
        let faulty = self.faults.iter().filter(|(_, faults)| faults.is_undecodable);
        let undecodable: BTreeSet<Kind> = faulty.map(|((kind, _), _)| *kind).collect();
        // What was listed and cannot be decoded is not known.
        let known = self.parts.iter().filter(|(kind, _)| !undecodable.contains(kind));
        for dump in dumps.values() {
            if let Dump::Loaded(loaded) = dump {
                warnings.extend(loaded.warnings.iter().cloned());
            }
        }
        Snapshot {
            generation: self.generation,
            workloads: workloads::derive(&self.objects).into(),
            objects: Arc::new(self.objects.clone()),
            dumps,
            sync: None,
            pull_secrets: BTreeMap::new(),
            settled: self.settled.clone(),
            reading: self.reading.clone(),
            parts: known.map(|(kind, parts)| (*kind, parts.clone())).collect(),
            absent: self.absent.clone(),
            unread: self.unread.iter().filter_map(|unread| unread.kind).chain(undecodable).collect(),
            has_objects: !self.settled.is_empty(),
            warnings,
        }
    }

    /// Takes back that a kind could not be read in this part of the cluster: it was, just now.
    fn readable(&mut self, kind: Kind, namespace: Option<&str>) {
        self.unread.retain(|unread| unread.kind != Some(kind) || namespace.is_some() && unread.namespace.as_deref() != namespace);
    }

    fn put(&mut self, kind: Kind, value: &Value) -> Option<ObjectName> {
        let Understood { name, object, warnings, wrong_type } = kubernetes::object(kind, value);
        let place = name.clone().unwrap_or_else(|| ObjectName::new("", ""));
        // A plugin says so itself; of pods and workload entries the rest is still worth something.
        let counts = !matches!(kind, Kind::WasmPlugin | Kind::TrafficExtension | Kind::Pod | Kind::WorkloadEntry);
        if warnings.is_empty() {
            self.faults.remove(&(kind, place.clone()));
        } else {
            self.faults.insert((kind, place.clone()), Faults { warnings, is_undecodable: wrong_type && counts });
        }
        match object? {
            Object::Plugin(plugin) => drop(self.objects.plugins.insert(plugin.id.clone(), Arc::from(plugin))),
            Object::Pod(pod) => self.objects.insert_pod(*pod),
            Object::Owner(owner) => drop(self.objects.owners.insert((kind, place), Arc::new(owner))),
            Object::Service(service) => drop(self.objects.services.insert((kind, place), Arc::new(service))),
            Object::PeerAuthentication(policy) => drop(self.objects.peer_authentications.insert(place, Arc::new(policy))),
            Object::Policy(policy) => drop(self.objects.policies.insert((kind, place), Arc::new(policy))),
            Object::Namespace(name, labels) => drop(self.objects.namespaces.insert(name, labels)),
            Object::Mesh(mesh) => self.objects.mesh = Some(Arc::new(mesh)),
        }
        name
    }

    fn remove(&mut self, kind: Kind, name: &ObjectName) {
        self.faults.remove(&(kind, name.clone()));
        self.drop_where(kind, |candidate| candidate == name);
    }

    /// Forgets a kind's objects of one namespace, or all: a list that follows says what is there.
    fn forget(&mut self, kind: Kind, namespace: Option<&str>) {
        let within = |name: &ObjectName| namespace.is_none_or(|namespace| name.namespace == namespace);
        self.faults.retain(|(candidate, name), _| *candidate != kind || !within(name));
        self.drop_where(kind, within);
    }

    fn drop_where(&mut self, kind: Kind, gone: impl Fn(&ObjectName) -> bool) {
        let objects = &mut self.objects;
        let plugin_kind = |id: &PluginId| match id.kind {
            PluginKind::TrafficExtension => Kind::TrafficExtension,
            PluginKind::WasmPlugin | PluginKind::EnvoyFilter => Kind::WasmPlugin,
        };
        match kind.storage() {
            Storage::Plugins => objects.plugins.retain(|id, _| plugin_kind(id) != kind || !gone(&id.name)),
            Storage::Pods => objects.retain_pods(|pod| {
                let id = &pod.id;
                pod.is_workload_entry != (kind == Kind::WorkloadEntry) || !gone(&ObjectName::new(&id.namespace, &id.pod))
            }),
            Storage::Owners => objects.owners.retain(|(candidate, name), _| *candidate != kind || !gone(name)),
            Storage::Services => objects.services.retain(|(candidate, name), _| *candidate != kind || !gone(name)),
            Storage::PeerAuthentications => objects.peer_authentications.retain(|name, _| !gone(name)),
            Storage::Policies => objects.policies.retain(|(candidate, name), _| *candidate != kind || !gone(name)),
            Storage::Namespaces => objects.namespaces.retain(|name, _| !gone(&ObjectName::new("", name))),
            Storage::Mesh => objects.mesh = None,
        }
    }
}
