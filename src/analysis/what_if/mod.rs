//! The mesh as it would be under other objects or another mutual TLS mode. Nothing is written anywhere.

mod diff;
mod endpoints;
mod unread;

use std::sync::Arc;

use serde_json::Value;

use crate::ingest::collect::Collector;
use crate::ingest::kubernetes::name_of;
use crate::ingest::manifest;
use crate::ingest::schema;
use crate::ingest::workloads;
use crate::model::ids::{ObjectName, PluginId, PluginKind};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::service::{Resolution, Service};
use crate::model::snapshot::Snapshot;
use crate::model::update::Update;
use crate::model::warning::Warning;

use endpoints::Slice;

pub use diff::{ChainChange, ListenerChange, Sides};

/// What is assumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumption {
    /// Another mutual TLS mode in the place of the workload's; those of single ports stay.
    pub mode: Option<MtlsMode>,
    /// Objects that were applied.
    pub objects: Vec<Value>,
}

/// The mesh as it would be.
#[derive(Clone, Debug)]
pub struct Assumed {
    /// The objects with those that were applied. The dumps are as they were.
    pub snapshot: Snapshot,
    /// What was done: `WasmPlugin default/a would be created`.
    pub changes: Vec<String>,
    /// The plugins among the objects.
    pub plugins: Vec<PluginId>,
}

/// What stands for the creation time of an object that is not there yet: it sorts after every time, so the object is the youngest.
const NOT_YET: &str = "now";

/// Applies objects to a mesh. An object without a namespace goes to `namespace`, as with `kubectl apply`.
///
/// # Errors
/// Where an object has no name, or the API server would reject it, as one line.
pub fn apply(snapshot: &Snapshot, objects: &[Value], namespace: &str) -> Result<Assumed, String> {
    let mut collector = Collector::continuing(snapshot);
    let (mut changes, mut plugins, mut slices, mut warnings) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for object in objects {
        let word = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        // Of ConfigMaps only the one that holds the mesh configuration counts; on what is about requests no answer of what if depends.
        let counts = |kind: &Kind| match kind {
            Kind::MeshConfigMap => object.pointer("/data/mesh").is_some(),
            Kind::AuthorizationPolicy | Kind::RequestAuthentication => false,
            _ => true,
        };
        let Some(kind) = manifest::kind_of(object).filter(counts) else {
            match Slice::of(object, namespace) {
                Some(slice) => slices.push(slice),
                None => warnings.push(unread::warning(object)),
            }
            continue;
        };
        let mut object = object.clone();
        let name = complete(kind, &mut object, namespace, &snapshot.objects)
            .ok_or_else(|| format!("{} {word} has no metadata.name", kind.article()))?;
        warnings.extend(schema::check(kind, &name, &mut object)?);
        let done = if exists(&snapshot.objects, kind, &name) { "changed" } else { "created" };
        changes.push(format!("{kind} {name} would be {done}"));
        collector.apply(Update::Applied { kind, object });
        if kind == Kind::Gateway {
            warnings.extend(collector.objects().policies.get(&(kind, name.clone())).and_then(|gateway| managed(gateway)));
        }
        plugins.extend(plugin_kind(kind).map(|kind| PluginId { kind, name }));
    }
    warnings.extend(collector.object_warnings().filter(|warning| !snapshot.warnings.contains(warning)).cloned());
    let mut objects = collector.objects().clone();
    slices.into_iter().for_each(|slice| slice.give(&mut objects, &mut changes, &mut warnings));
    // What is about the file comes first.
    warnings.extend(snapshot.warnings.iter().cloned());
    let assumed = Snapshot { workloads: workloads::derive(&objects).into(), objects: Arc::new(objects), warnings, ..snapshot.clone() };
    Ok(Assumed { snapshot: assumed, changes, plugins })
}

/// Gives an object what the API server would: its namespace, and the creation time of the one that it replaces.
fn complete(kind: Kind, object: &mut Value, namespace: &str, objects: &Inventory) -> Option<ObjectName> {
    let metadata = object.get_mut("metadata")?.as_object_mut()?;
    if kind.namespaced() && metadata.get("namespace").and_then(Value::as_str).is_none_or(str::is_empty) {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    let name = name_of(kind, object)?;
    let created = created(objects, kind, &name).unwrap_or_else(|| NOT_YET.to_owned());
    if kind == Kind::Service
        && let Some(service) = objects.services.get(&(kind, name.clone()))
    {
        keep_address(service, object);
    }
    object.get_mut("metadata")?.as_object_mut()?.insert("creationTimestamp".to_owned(), created.into());
    Some(name)
}

/// A Service that is there keeps its address where the manifest says none
/// (`k8s.io/kubernetes pkg/registry/core/service/strategy.go: patchAllocatedValues`).
fn keep_address(service: &Service, object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let says = |key: &str| spec.get(key).is_some_and(|value| !value.is_null() && value.as_str() != Some(""));
    if says("clusterIP") || says("clusterIPs") || service.resolution == Resolution::Alias {
        return;
    }
    let none = vec!["None".to_owned()];
    let addresses = if service.resolution == Resolution::Passthrough { &none } else { &service.addresses };
    spec.extend(addresses.first().map(|address| ("clusterIP".to_owned(), address.as_str().into())));
    spec.insert("clusterIPs".to_owned(), addresses.iter().map(String::as_str).collect());
}

/// A Gateway of the Gateway API that has a deployment of its own (`gatewaycommon/gateway_utils.go: IsManaged`).
fn managed(gateway: &Policy) -> Option<Warning> {
    let is_managed = matches!(&gateway.spec, PolicySpec::Gateway(spec) if spec.services.is_empty());
    let what = "istiod makes a Deployment and a Service for it, which are not predicted: of its listeners those count whose port its Service has now";
    is_managed.then(|| Warning::new(format!("Gateway {}", gateway.name), what, "apply it, or ask with a Service that has its ports too"))
}

fn plugin_kind(kind: Kind) -> Option<PluginKind> {
    match kind {
        Kind::WasmPlugin => Some(PluginKind::WasmPlugin),
        Kind::TrafficExtension => Some(PluginKind::TrafficExtension),
        _ => None,
    }
}

/// When an object was created; None where it is not there, or of a kind that has no age here.
fn created(objects: &Inventory, kind: Kind, name: &ObjectName) -> Option<String> {
    match kind {
        Kind::WasmPlugin | Kind::TrafficExtension => {
            objects.plugins.get(&PluginId { kind: plugin_kind(kind)?, name: name.clone() })?.created.clone()
        }
        Kind::PeerAuthentication => objects.peer_authentications.get(name)?.created.clone(),
        Kind::Service | Kind::ServiceEntry => objects.services.get(&(kind, name.clone()))?.created.clone(),
        _ => objects.policies.get(&(kind, name.clone()))?.created.clone(),
    }
}

fn exists(objects: &Inventory, kind: Kind, name: &ObjectName) -> bool {
    let proxy = crate::model::ids::ProxyId::new(&name.name, &name.namespace);
    match kind {
        Kind::Pod | Kind::WorkloadEntry => objects.pods.contains_key(&proxy),
        Kind::Namespace => objects.namespaces.contains_key(&name.name),
        Kind::MeshConfigMap => objects.mesh.is_some(),
        Kind::Deployment | Kind::ReplicaSet | Kind::StatefulSet | Kind::DaemonSet => objects.owners.contains_key(&(kind, name.clone())),
        Kind::WasmPlugin | Kind::TrafficExtension => {
            plugin_kind(kind).is_some_and(|kind| objects.plugins.contains_key(&PluginId { kind, name: name.clone() }))
        }
        Kind::PeerAuthentication => objects.peer_authentications.contains_key(name),
        Kind::Service | Kind::ServiceEntry => objects.services.contains_key(&(kind, name.clone())),
        _ => objects.policies.contains_key(&(kind, name.clone())),
    }
}
