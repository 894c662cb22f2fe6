//! What the server has: objects with versions, the history that watches are fed from, rights, and what pods do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::logs::ContainerLog;
use super::pods::{Exec, Forward};

/// A change of an object, as a watch tells it.
#[derive(Clone)]
pub struct Event {
    pub version: u64,
    pub resource: String,
    pub kind: &'static str,
    pub object: Value,
}

/// Everything that the server knows.
pub struct State {
    pub version: u64,
    /// What came before is no longer in the history: a watch from there is told 410.
    pub oldest: u64,
    /// Tells the watches that the history grew.
    pub changed: watch::Sender<u64>,
    pub history: Vec<Event>,
    /// By `plural.group`.
    pub objects: BTreeMap<String, Vec<Value>>,
    /// `plural.group` of the kinds that a CRD brought.
    pub crds: BTreeSet<String>,
    /// Verb and resource, with the namespace; None is the cluster as a whole.
    pub forbidden: BTreeSet<(String, String, Option<String>)>,
    pub unauthorized: bool,
    /// Whether it stands still: connections are taken, and nothing is answered until it goes on.
    pub still: bool,
    /// Whether discovery answers with one list for all groups.
    pub aggregated: bool,
    /// How many items a page has at most.
    pub page: usize,
    pub forwards: BTreeMap<String, Forward>,
    pub execs: BTreeMap<String, Exec>,
    /// By pod and container.
    pub logs: BTreeMap<(String, String), ContainerLog>,
    /// Paths with queries, in order.
    pub requests: Vec<String>,
    /// The forms of an answer that each of them would take.
    pub accepted: Vec<String>,
}

impl Default for State {
    fn default() -> Self {
        let crds = [
            "wasmplugins.extensions.istio.io",
            "trafficextensions.extensions.istio.io",
            "peerauthentications.security.istio.io",
            "authorizationpolicies.security.istio.io",
            "requestauthentications.security.istio.io",
            "envoyfilters.networking.istio.io",
            "sidecars.networking.istio.io",
            "gateways.networking.istio.io",
            "virtualservices.networking.istio.io",
            "destinationrules.networking.istio.io",
            "serviceentries.networking.istio.io",
            "workloadentries.networking.istio.io",
        ];
        Self {
            version: 100,
            oldest: 0,
            changed: watch::Sender::new(0),
            history: Vec::new(),
            objects: BTreeMap::new(),
            crds: crds.into_iter().map(str::to_owned).collect(),
            forbidden: BTreeSet::new(),
            unauthorized: false,
            still: false,
            aggregated: true,
            page: 500,
            forwards: BTreeMap::new(),
            execs: BTreeMap::new(),
            logs: BTreeMap::new(),
            requests: Vec::new(),
            accepted: Vec::new(),
        }
    }
}

impl State {
    /// Makes or changes an object, as it is given.
    pub fn put(&mut self, resource: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let known = self.objects.entry(resource.to_owned()).or_default();
        let before = known.iter_mut().find(|known| is_same(known, &object));
        let kind = if before.is_some() { "MODIFIED" } else { "ADDED" };
        match before {
            Some(before) => *before = object.clone(),
            None => known.push(object.clone()),
        }
        self.tell(resource, kind, object);
    }

    /// Deletes an object.
    pub fn delete(&mut self, resource: &str, namespace: &str, name: &str) {
        let mut gone = self.take(resource, namespace, name);
        gone["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.tell(resource, "DELETED", gone);
    }

    /// Deletes an object and forgets its whole history, so that every watch is too old.
    pub fn delete_and_compact(&mut self, resource: &str, namespace: &str, name: &str) {
        self.take(resource, namespace, name);
        self.history.clear();
        self.oldest = self.version;
        self.changed.send_replace(self.version);
    }

    /// Moves the version on without a change.
    pub fn bookmark(&mut self, resource: &str) {
        self.version += 1;
        let object = json!({"kind": "X", "apiVersion": "v1", "metadata": {"resourceVersion": self.version.to_string()}});
        self.tell(resource, "BOOKMARK", object);
    }

    /// Takes rights: the verb on the resource in a namespace, or in the cluster as a whole.
    pub fn forbid(&mut self, verb: &str, resource: &str, namespace: Option<&str>) {
        self.forbidden.insert((verb.to_owned(), resource.to_owned(), namespace.map(str::to_owned)));
    }

    /// Changes a container's log.
    pub fn log(&mut self, pod: &str, container: &str, change: impl FnOnce(&mut ContainerLog)) {
        change(self.logs.entry((pod.to_owned(), container.to_owned())).or_default());
        self.changed.send_replace(self.version);
    }

    fn take(&mut self, resource: &str, namespace: &str, name: &str) -> Value {
        self.version += 1;
        let known = self.objects.entry(resource.to_owned()).or_default();
        let wanted = json!({"metadata": {"namespace": namespace, "name": name}});
        let place = known.iter().position(|object| is_same(object, &wanted)).unwrap();
        known.remove(place)
    }

    fn tell(&mut self, resource: &str, kind: &'static str, object: Value) {
        self.history.push(Event { version: self.version, resource: resource.to_owned(), kind, object });
        self.changed.send_replace(self.version);
    }
}

fn is_same(one: &Value, other: &Value) -> bool {
    ["namespace", "name"].iter().all(|field| one["metadata"][field] == other["metadata"][field])
}
