//! Endpoints that a manifest gives a headless Service: its TCP ports have a listener for each address (`serviceregistry/kube/controller/
//! endpointslice.go`, `core/listener.go: buildSidecarOutboundListeners`).

use std::sync::Arc;

use serde_json::Value;

use super::{NOT_YET, unread};
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::service::{Endpoint, Resolution, Service};
use crate::model::warning::Warning;

/// An EndpointSlice, or Endpoints, of which Kubernetes makes one.
pub(super) struct Slice<'v> {
    object: &'v Value,
    service: ObjectName,
    endpoints: Vec<Endpoint>,
}

impl<'v> Slice<'v> {
    /// Reads an object; None where it is of another kind, or for no Service.
    pub fn of(object: &'v Value, namespace: &str) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (service, endpoints) = match (text("/apiVersion")?, text("/kind")?) {
            ("discovery.k8s.io/v1", "EndpointSlice") if text("/addressType") != Some("FQDN") => {
                let addresses = items(object, "/endpoints").flat_map(|endpoint| items(endpoint, "/addresses")).collect();
                (text("/metadata/labels/kubernetes.io~1service-name")?, endpoints(addresses, object))
            }
            ("v1", "Endpoints") => {
                let addresses = |subset: &'v Value| {
                    let lists = ["/addresses", "/notReadyAddresses"].into_iter().flat_map(|list| items(subset, list));
                    lists.filter_map(|address| address.get("ip")).collect()
                };
                (text("/metadata/name")?, items(object, "/subsets").flat_map(|subset| endpoints(addresses(subset), subset)).collect())
            }
            _ => return None,
        };
        let service = ObjectName::new(text("/metadata/namespace").unwrap_or(namespace), service);
        Some(Self { object, service, endpoints })
    }

    /// Gives them to their Service. Those of a Service that is on the mesh are not all known, so nothing is predicted there.
    pub fn give(self, objects: &mut Inventory, changes: &mut Vec<String>, warnings: &mut Vec<Warning>) {
        let is_new = |service: &Service| service.created.as_deref() == Some(NOT_YET);
        match objects.services.get_mut(&(Kind::Service, self.service.clone())) {
            Some(service) if service.resolution == Resolution::Passthrough && is_new(service) => {
                Arc::make_mut(service).endpoints.extend(self.endpoints);
                changes.push(format!("{} would give Service {} its endpoints", unread::named(self.object), self.service));
            }
            Some(service) if service.resolution != Resolution::Passthrough => warnings.push(unread::neutral(self.object)),
            _ => warnings.push(unread::warning(self.object)),
        }
    }
}

fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    value.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// Addresses, each with the names of its ports.
fn endpoints(addresses: Vec<&Value>, of: &Value) -> Vec<Endpoint> {
    let names: Vec<String> =
        items(of, "/ports").map(|port| port.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()).collect();
    let texts = addresses.into_iter().filter_map(Value::as_str);
    texts.map(|address| Endpoint { address: address.to_owned(), ports: Some(names.clone()), service_account: None }).collect()
}
