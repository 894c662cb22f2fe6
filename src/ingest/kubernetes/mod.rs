//! Kubernetes objects into model values, tolerantly: a field that is not as expected costs a warning that names the object,
//! never the object, and an object that cannot be used costs a warning, never the list.

mod authorization;
mod envoy_filter;
mod features;
mod fields;
mod mesh;
mod owner;
mod peer_authentication;
mod plugin;
mod pod;
mod policy;
mod routing;
mod service;
mod workload_entry;

use serde_json::Value;

use crate::model::ids::{ObjectName, ProxyId};
use crate::model::kind::{Kind, Storage};
use crate::model::labels::Labels;
use crate::model::mesh::MeshConfig;
use crate::model::peer_authentication::PeerAuthentication;
use crate::model::plugin::Plugin;
use crate::model::policy::Policy;
use crate::model::service::Service;
use crate::model::warning::Warning;
use crate::model::workload::{OwnerObject, Pod};

use fields::Fields;
pub(super) use fields::{or_tcp, shape, str_of};

/// An object that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// WasmPlugin or TrafficExtension.
    Plugin(Box<Plugin>),
    /// Pod or WorkloadEntry.
    Pod(Box<Pod>),
    /// Deployment, ReplicaSet, StatefulSet, DaemonSet.
    Owner(OwnerObject),
    /// Service or ServiceEntry; a ServiceEntry's hosts make one service.
    Service(Service),
    /// PeerAuthentication.
    PeerAuthentication(PeerAuthentication),
    /// EnvoyFilter, Sidecar, Gateway, VirtualService, DestinationRule, AuthorizationPolicy, RequestAuthentication.
    Policy(Policy),
    /// Namespace, with its labels.
    Namespace(String, Labels),
    /// The mesh configuration.
    Mesh(MeshConfig),
}

/// An object, as far as it could be understood, and what could not.
#[derive(Clone, Debug)]
pub struct Understood {
    /// Its name; None where it has none, so that it cannot be kept.
    pub name: Option<ObjectName>,
    /// The object; None where it cannot be used at all.
    pub object: Option<Object>,
    /// What was not understood.
    pub warnings: Vec<Warning>,
    /// Whether a field of its spec has a wrong type, so that nobody can decode it and nothing is known of what it asks for.
    pub wrong_type: bool,
}

/// Reads one object of a kind.
pub fn object(kind: Kind, value: &Value) -> Understood {
    let Some(name) = name_of(kind, value) else {
        let warning = Warning::new(
            format!("{} {kind}", kind.article()),
            "has no metadata.name, so it was left out",
            "look at it with kubectl get -o yaml",
        );
        return Understood { name: None, object: None, warnings: vec![warning], wrong_type: false };
    };
    let mut fields = Fields::new(kind, &name, value);
    // Of the many objects of the core only Services are looked at as a whole: what they select decides about chains.
    if kind.group().contains('.') || kind == Kind::Service {
        fields.check_types();
    }
    let object = match kind.storage() {
        Storage::Plugins => Some(Object::Plugin(Box::new(plugin::read(kind, &mut fields)))),
        Storage::Pods if kind == Kind::WorkloadEntry => Some(Object::Pod(Box::new(workload_entry::read(&mut fields)))),
        Storage::Pods => Some(Object::Pod(Box::new(pod::read(&mut fields)))),
        Storage::Services if kind == Kind::ServiceEntry => Some(Object::Service(service::read_entry(&mut fields))),
        Storage::Services => Some(Object::Service(service::read(&mut fields))),
        Storage::PeerAuthentications => Some(Object::PeerAuthentication(peer_authentication::read(&mut fields))),
        Storage::Policies => Some(Object::Policy(policy::read(kind, &mut fields))),
        Storage::Namespaces => Some(Object::Namespace(name.name.clone(), fields.labels("/metadata/labels"))),
        Storage::Owners => Some(Object::Owner(owner::read(&mut fields))),
        Storage::Mesh => mesh::read(&mut fields).map(Object::Mesh),
    };
    let wrong_type = fields.has_wrong_type();
    let warnings = fields.into_warnings();
    Understood { name: Some(name), object, warnings, wrong_type }
}

/// The namespace and name of an object.
pub fn name_of(kind: Kind, value: &Value) -> Option<ObjectName> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").filter(|name| !name.is_empty())?;
    let namespace = if kind.namespaced() { text("/metadata/namespace").unwrap_or_default() } else { "" };
    Some(ObjectName::new(namespace, name))
}

/// A pod's ID from its object's name.
fn proxy_id(name: &ObjectName) -> ProxyId {
    ProxyId::new(&name.name, &name.namespace)
}
