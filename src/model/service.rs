//! Services and ServiceEntries: which ports are declared, and to which container ports they lead.

use super::ids::ObjectName;
use super::labels::{Labels, Selector};
use super::workload::{ContainerPort, Pod};

/// A Service or ServiceEntry, as far as ports and selection go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its namespace and name.
    pub name: ObjectName,
    /// Where it comes from.
    pub registry: Registry,
    /// `spec.selector` (`workloadSelector.labels` of a ServiceEntry); None selects no pod.
    pub selector: Option<Selector>,
    /// Its own labels (`istio.io/use-waypoint` among them).
    pub labels: Labels,
    /// `spec.hosts` of a ServiceEntry. A Kubernetes Service's host is made of its name, see [`Service::hosts`]: of one there is but
    /// `spec.externalName`, for which it is another name.
    pub entry_hosts: Vec<String>,
    /// Where it is reached: the cluster IPs, or `spec.addresses` of a ServiceEntry, which may be ranges. Empty where it has none
    /// of its own: headless, a ServiceEntry that is known by its hosts alone, or a Service of a manifest, to which the API server still has to
    /// give one.
    pub addresses: Vec<String>,
    /// What istiod gave a ServiceEntry without addresses (`status.addresses`), as host and address.
    pub assigned: Vec<(String, String)>,
    /// How its endpoints are found.
    pub resolution: Resolution,
    /// Whether it is outside the mesh (`location: MESH_EXTERNAL`).
    pub external: bool,
    /// To which namespaces it is visible (`exportTo`, or the annotation `networking.istio.io/exportTo`); empty is the mesh's default.
    pub export_to: Vec<String>,
    /// Whether pods that are not ready are endpoints too (`publishNotReadyAddresses`).
    pub publishes_not_ready: bool,
    /// A ServiceEntry's own `endpoints`; those of a Service are not read, but where a manifest gives it some.
    pub endpoints: Vec<Endpoint>,
    /// `spec.subjectAltNames` of a ServiceEntry: a server's certificate must have one of them or one of its endpoints' identities.
    pub subject_alt_names: Vec<String>,
    /// The declared ports, in order.
    pub ports: Vec<ServicePort>,
    /// `metadata.creationTimestamp`, RFC 3339: of two services on one target port, the older wins.
    pub created: Option<String>,
}

/// An endpoint that an object names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub address: String,
    /// The names of the service's ports that it has; None for all.
    pub ports: Option<Vec<String>>,
    /// `serviceAccount` of a ServiceEntry's endpoint; None where it says none.
    pub service_account: Option<String>,
}

/// How a service's endpoints are found (`pilot/pkg/model/service.go: Resolution`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// A set of known endpoints behind an address.
    Static,
    /// The address that the client chose: a headless Service, or a ServiceEntry with `resolution: NONE`.
    Passthrough,
    /// By DNS.
    Dns,
    /// By DNS for each name that a request asks for (`DYNAMIC_DNS`).
    DynamicDns,
    /// Another name for another service: `type: ExternalName`.
    Alias,
}

/// Which registry a service comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// A Kubernetes Service.
    Kubernetes,
    /// A ServiceEntry.
    ServiceEntry,
}

impl std::fmt::Display for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Self::Kubernetes { "Service" } else { "ServiceEntry" })
    }
}

impl Service {
    /// The host names by which it is known in the mesh; of a Kubernetes Service `name.namespace.svc.<domain>`.
    pub fn hosts(&self, domain: &str) -> Vec<String> {
        match self.registry {
            Registry::Kubernetes => vec![format!("{}.{}.svc.{domain}", self.name.name, self.name.namespace)],
            Registry::ServiceEntry => self.entry_hosts.clone(),
        }
    }

    /// Whether the istiod of a revision uses it: Istio's own objects can be labelled for one revision alone
    /// (`pkg/config/model.go: LabelsInRevision`).
    pub fn is_seen_by(&self, revision: Option<&str>) -> bool {
        let wanted = self.labels.get("istio.io/rev").filter(|_| self.registry == Registry::ServiceEntry);
        wanted.is_none_or(|wanted| revision.is_none_or(|revision| wanted == revision))
    }
}

/// One port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// The service's port number.
    pub port: u16,
    /// Its name; empty where it has none.
    pub name: String,
    /// `TCP`, `UDP`, `SCTP`; for a ServiceEntry the protocol as written.
    pub protocol: String,
    /// `appProtocol`; empty where unset.
    pub app_protocol: String,
    /// Where it leads on the pod.
    pub target: TargetPort,
}

/// `targetPort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    /// A container port's number.
    Number(u16),
    /// A container port's name, looked up in each pod.
    Name(String),
}

impl Service {
    /// Whether it selects the pod.
    pub fn selects(&self, pod: &Pod) -> bool {
        self.name.namespace == pod.id.namespace && self.selector.as_ref().is_some_and(|selector| selector.matches(&pod.labels))
    }
}

impl ServicePort {
    /// To which port of the pod it leads; None where the pod has no port of that name and protocol
    /// (`serviceregistry/kube/controller/util.go: FindPort`). A WorkloadEntry's ports have names alone.
    pub fn container_port(&self, pod: &Pod) -> Option<u16> {
        let name = match &self.target {
            TargetPort::Number(number) => return Some(*number),
            TargetPort::Name(name) => name,
        };
        let is_it = |port: &&ContainerPort| port.name == *name && (pod.is_workload_entry || port.protocol == self.protocol);
        pod.container_ports.iter().find(is_it).map(|port| port.number)
    }
}
