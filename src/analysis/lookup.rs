//! From what a person types to the plugin or workload that is meant. The README lists the ways to write them.

use std::collections::BTreeSet;

use thiserror::Error;

use super::placement;
use crate::model::ids::{ObjectName, PluginId, PluginKind, ProxyId, WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::snapshot::{Dump, Snapshot};

/// A name that stands for nothing, or for several things.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct LookupError(pub String);

/// A workload, or one proxy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundWorkload {
    /// The workload; None over a lone dump.
    pub id: Option<WorkloadId>,
    /// Its proxies, or the one that was named.
    pub proxies: Vec<ProxyId>,
}

/// What each proxy whose dump was read has of plugins.
pub struct Held<'s>(Vec<(&'s ProxyId, Vec<PluginId>)>);

/// Reads it from the dumps, once for many questions.
pub fn held(snapshot: &Snapshot) -> Held<'_> {
    let loaded = snapshot.dumps.keys().filter_map(|proxy| Some((proxy, placement::plugins_in(&snapshot.dump(proxy)?.dump))));
    Held(loaded.collect())
}

impl<'s> Held<'s> {
    /// All plugins: those that have objects, and those that only a dump knows (deleted, or over a lone dump). By name.
    pub fn plugins(&self, snapshot: &Snapshot) -> Vec<PluginId> {
        let of_dumps = self.0.iter().flat_map(|(_, plugins)| plugins).filter(|id| id.kind != PluginKind::EnvoyFilter);
        let found: BTreeSet<&PluginId> = snapshot.objects.plugins.keys().chain(of_dumps).collect();
        found.into_iter().cloned().collect()
    }

    /// The Wasm filters of EnvoyFilters that these proxies have, by name.
    pub fn filters_of_envoy_filters(&self, wanted: impl Fn(&ProxyId) -> bool) -> Vec<PluginId> {
        let plugins = self.0.iter().filter(|(proxy, _)| wanted(proxy)).flat_map(|(_, plugins)| plugins);
        let found: BTreeSet<&PluginId> = plugins.filter(|id| id.kind == PluginKind::EnvoyFilter).collect();
        found.into_iter().cloned().collect()
    }

    /// The proxies that have something of a plugin.
    pub fn by(&self, plugin: &PluginId) -> impl Iterator<Item = &'s ProxyId> {
        self.0.iter().filter(|(_, plugins)| plugins.binary_search(plugin).is_ok()).map(|(proxy, _)| *proxy)
    }
}

/// [`Held::plugins`] for one question.
pub fn plugins(snapshot: &Snapshot) -> Vec<PluginId> {
    held(snapshot).plugins(snapshot)
}

/// Why a proxy that does not run cannot be read, by its pod; None where it runs, or that is not known. A pod that starts can run its proxy
/// already, and one that terminates still.
pub fn why_not_running(objects: &Inventory, proxy: &ProxyId) -> Option<String> {
    let pod = objects.pods.get(proxy).filter(|pod| !pod.is_workload_entry)?;
    match pod.phase.as_str() {
        _ if pod.deleting => Some("the pod is terminating".to_owned()),
        phase @ ("Pending" | "Succeeded" | "Failed") => Some(format!("the pod is {phase}")),
        _ => None,
    }
}

/// The same where no container of the proxy runs, so that nothing answers there.
pub fn stopped(objects: &Inventory, proxy: &ProxyId) -> Option<String> {
    let container = objects.pods.get(proxy)?.proxy.as_ref();
    why_not_running(objects, proxy).filter(|_| container.is_some_and(|container| !container.running))
}

/// A dump that could not be read, with the pod's state as the reason where that is it.
pub fn explained(objects: &Inventory, proxy: &ProxyId, dump: Dump) -> Dump {
    match (dump, why_not_running(objects, proxy)) {
        (Dump::Failed(_), Some(why)) => Dump::Failed(why),
        (dump, _) => dump,
    }
}

/// The plugin that `text` names: `ns/name`, `wasmplugin/ns/name`, `trafficextension/ns/name`, or `name` in `namespace`.
///
/// # Errors
/// Where there is no such plugin, or a WasmPlugin and a TrafficExtension share the name.
pub fn plugin(snapshot: &Snapshot, text: &str, namespace: &str) -> Result<PluginId, LookupError> {
    let (kind, name) = plugin_name(text, namespace)?;
    let all = plugins(snapshot);
    let found: Vec<&PluginId> = all.iter().filter(|id| id.name == name && kind.is_none_or(|kind| id.kind == kind)).collect();
    match found.as_slice() {
        [id] => Ok((*id).clone()),
        [] => Err(LookupError(no_plugin(&name, kind, &all))),
        several => {
            let names: Vec<String> = several.iter().map(|id| format!("{}/{}", id.kind.as_str().to_lowercase(), id.name)).collect();
            Err(LookupError(format!("{name} is both {}; write which one", names.join(" and "))))
        }
    }
}

/// The kind, where it is written, and the name in what a person typed, whether or not there is such a plugin.
///
/// # Errors
/// Where it is no plugin's name.
pub fn plugin_name(text: &str, namespace: &str) -> Result<(Option<PluginKind>, ObjectName), LookupError> {
    let parts: Vec<&str> = text.split('/').collect();
    Ok(match parts.as_slice() {
        [name] => (None, ObjectName::new(namespace, *name)),
        [namespace, name] => (None, ObjectName::new(*namespace, *name)),
        [kind, namespace, name] => (Some(plugin_kind(kind, text)?), ObjectName::new(*namespace, *name)),
        _ => return Err(LookupError(format!("{text} is not a plugin's name; write namespace/name"))),
    })
}

fn plugin_kind(word: &str, text: &str) -> Result<PluginKind, LookupError> {
    match word.to_ascii_lowercase().as_str() {
        "wasmplugin" | "wasmplugins" => Ok(PluginKind::WasmPlugin),
        "trafficextension" | "trafficextensions" => Ok(PluginKind::TrafficExtension),
        _ => Err(LookupError(format!("{text} is not a plugin's name; it begins with wasmplugin/ or trafficextension/"))),
    }
}

fn no_plugin(name: &ObjectName, kind: Option<PluginKind>, all: &[PluginId]) -> String {
    let what = kind.map_or("WasmPlugin or TrafficExtension".to_owned(), |kind| kind.to_string());
    let names: Vec<String> = all.iter().map(PluginId::to_string).collect();
    let there_are = match names.len() {
        0 => "there is none at all".to_owned(),
        1..=8 => format!("there is {}", names.join(", ")),
        more => format!("there are {more} others; list them with `meshscope plugins -A`"),
    };
    format!("no {what} {name}; {there_are}")
}

/// The workload or proxy that `text` names in `namespace`.
///
/// # Errors
/// Where there is none, or several of different kinds.
pub fn workload(snapshot: &Snapshot, text: &str, namespace: &str) -> Result<FoundWorkload, LookupError> {
    if !snapshot.has_objects {
        return of_dumps(snapshot, text, namespace);
    }
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [name] => proxy_named(snapshot, name).map_or_else(|| by_name(snapshot, None, namespace, name), Ok),
        [first, name] => match workload_kind(first) {
            Some(WorkloadKind::Pod) => pod(snapshot, namespace, name),
            Some(kind) => by_name(snapshot, Some(kind), namespace, name),
            None => by_name(snapshot, None, first, name),
        },
        [first, second, name] => match (workload_kind(first), workload_kind(second)) {
            (Some(WorkloadKind::Pod), _) => pod(snapshot, second, name),
            (Some(kind), _) => by_name(snapshot, Some(kind), second, name),
            (None, Some(WorkloadKind::Pod)) => pod(snapshot, first, name),
            (None, Some(kind)) => by_name(snapshot, Some(kind), first, name),
            (None, None) => Err(not_a_name(text)),
        },
        _ => Err(not_a_name(text)),
    }
}

/// Without objects there are no workloads, only the proxies that there are dumps of.
fn of_dumps(snapshot: &Snapshot, text: &str, namespace: &str) -> Result<FoundWorkload, LookupError> {
    let parts: Vec<&str> = text.split('/').collect();
    let proxy = match parts.as_slice() {
        [name] => ProxyId::parse(name),
        [kind, name] if workload_kind(kind) == Some(WorkloadKind::Pod) => Some(ProxyId::new(*name, namespace)),
        _ => None,
    };
    if let Some(proxy) = proxy.filter(|proxy| snapshot.dumps.contains_key(proxy)) {
        return Ok(FoundWorkload { id: None, proxies: vec![proxy] });
    }
    let names: Vec<String> = snapshot.dumps.keys().map(ProxyId::to_string).collect();
    Err(LookupError(format!(
        "no proxy {text}; without Kubernetes objects a proxy is named POD.NAMESPACE, and there is {}",
        names.join(", ")
    )))
}

fn not_a_name(text: &str) -> LookupError {
    LookupError(format!(
        "{text} is not a workload's name; write deploy/NAME, statefulset/NAME, daemonset/NAME, gateway/NAME, workloadentry/NAME, pod/NAME or POD.NAMESPACE"
    ))
}

fn workload_kind(word: &str) -> Option<WorkloadKind> {
    Some(match word.to_ascii_lowercase().as_str() {
        "deploy" | "deployment" | "deployments" | "deployment.apps" => WorkloadKind::Deployment,
        "sts" | "statefulset" | "statefulsets" | "statefulset.apps" => WorkloadKind::StatefulSet,
        "ds" | "daemonset" | "daemonsets" | "daemonset.apps" => WorkloadKind::DaemonSet,
        "rs" | "replicaset" | "replicasets" | "replicaset.apps" => WorkloadKind::ReplicaSet,
        "job" | "jobs" => WorkloadKind::Job,
        "gateway" | "gateways" | "gtw" | "waypoint" => WorkloadKind::Gateway,
        "workloadentry" | "workloadentries" | "we" => WorkloadKind::WorkloadEntry,
        "pod" | "pods" | "po" => WorkloadKind::Pod,
        "proxy" | "proxies" => WorkloadKind::Proxy,
        _ => return None,
    })
}

/// `pod.namespace`, as istiod names a proxy.
fn proxy_named(snapshot: &Snapshot, text: &str) -> Option<FoundWorkload> {
    let proxy = ProxyId::parse(text)?;
    is_known(snapshot, &proxy).then(|| FoundWorkload { id: owner(snapshot, &proxy), proxies: vec![proxy] })
}

/// Whether an object, a dump or an istiod says that there is such a proxy.
fn is_known(snapshot: &Snapshot, proxy: &ProxyId) -> bool {
    let objects = &snapshot.objects;
    objects.pods.contains_key(proxy) || objects.unseen.contains(proxy) || snapshot.dumps.contains_key(proxy)
}

fn pod(snapshot: &Snapshot, namespace: &str, name: &str) -> Result<FoundWorkload, LookupError> {
    let proxy = ProxyId::new(name, namespace);
    if is_known(snapshot, &proxy) {
        return Ok(FoundWorkload { id: owner(snapshot, &proxy), proxies: vec![proxy] });
    }
    let known = snapshot
        .objects
        .pods
        .keys()
        .chain(snapshot.dumps.keys())
        .chain(&snapshot.objects.unseen)
        .filter(|known| known.namespace == namespace);
    let mut names: Vec<String> = known.map(|known| format!("pod/{}", known.pod)).collect();
    names.sort();
    names.dedup();
    Err(LookupError(nothing_named(&format!("no pod {name} in namespace {namespace}"), &names, namespace)))
}

/// Says what there is instead, as long as that is short enough to be read.
fn nothing_named(what: &str, names: &[String], namespace: &str) -> String {
    match names.len() {
        0 => format!("{what}, which has none; choose another with -n"),
        1..=8 => format!("{what}; there is {}", names.join(", ")),
        more => format!("{what}; there are {more} others: see `meshscope workloads -n {namespace}`"),
    }
}

/// The workload of a proxy, where there are objects.
pub fn owner(snapshot: &Snapshot, proxy: &ProxyId) -> Option<WorkloadId> {
    let pod = snapshot.objects.pods.get(proxy)?;
    Some(crate::ingest::workloads::owner_of(&snapshot.objects, pod))
}

fn by_name(snapshot: &Snapshot, kind: Option<WorkloadKind>, namespace: &str, name: &str) -> Result<FoundWorkload, LookupError> {
    let wanted = ObjectName::new(namespace, name);
    let found: Vec<_> = snapshot
        .workloads
        .iter()
        .filter(|workload| workload.id.name == wanted && kind.is_none_or(|kind| workload.id.kind == kind))
        .collect();
    match found.as_slice() {
        [workload] => Ok(FoundWorkload { id: Some(workload.id.clone()), proxies: workload.pods.clone() }),
        [] if kind.is_none() && snapshot.objects.pods.contains_key(&ProxyId::new(name, namespace)) => pod(snapshot, namespace, name),
        [] => Err(LookupError(no_workload(snapshot, kind, &wanted))),
        several => {
            let names: Vec<String> = several.iter().map(|workload| workload.id.short()).collect();
            Err(LookupError(format!("{wanted} is {}; write which one", names.join(" and "))))
        }
    }
}

fn no_workload(snapshot: &Snapshot, kind: Option<WorkloadKind>, wanted: &ObjectName) -> String {
    let what = kind.map_or("workload", WorkloadKind::as_str);
    let owner_kind = kind.and_then(WorkloadKind::object_kind);
    if owner_kind.is_some_and(|kind| snapshot.objects.owners.contains_key(&(kind, wanted.clone()))) {
        return format!("{what} {wanted} has no pods, so no proxy to look at");
    }
    let all = snapshot.workloads.iter().filter(|workload| workload.id.name.namespace == wanted.namespace);
    let names: Vec<String> = all.map(|workload| workload.id.short()).collect();
    nothing_named(&format!("no {what} {} in namespace {}", wanted.name, wanted.namespace), &names, &wanted.namespace)
}
