//! Services and ServiceEntries: which ports are declared, and to which container ports they lead.

use super::ids::ObjectName;
use super::labels::{Labels, Selector};
use super::workload::Pod;

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
    /// Whether it is a Service of type `ExternalName`, a mere alias in DNS.
    pub external_name: bool,
    /// The declared ports, in order.
    pub ports: Vec<ServicePort>,
    /// `metadata.creationTimestamp`, RFC 3339: of two services on one target port, the older wins.
    pub created: Option<String>,
}

/// Which registry a service comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    /// A Kubernetes Service.
    Kubernetes,
    /// A ServiceEntry.
    ServiceEntry,
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
    /// To which port of the pod it leads; None where the pod has no port of that name.
    pub fn container_port(&self, pod: &Pod) -> Option<u16> {
        match &self.target {
            TargetPort::Number(target) => Some(*target),
            TargetPort::Name(name) => pod.container_ports.iter().find(|(candidate, _)| candidate == name).map(|(_, port)| *port),
        }
    }
}
