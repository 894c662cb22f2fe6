//! WorkloadEntries: machines outside the cluster, which stand beside pods.

use super::fields::{Fields, or_tcp, port_of};
use super::proxy_id;
use crate::model::workload::{ContainerPort, Injection, Pod, ProxyContainer, ProxyKind};

pub(super) fn read(fields: &mut Fields<'_>) -> Pod {
    Pod {
        id: proxy_id(fields.name),
        // Selectors look at the entry's own label field, beside those of the object (`serviceregistry/serviceentry/conversion.go`).
        labels: {
            let mut labels = fields.labels("/metadata/labels");
            labels.extend(fields.labels("/spec/labels"));
            labels
        },
        owner: None,
        is_workload_entry: true,
        by_node: false,
        // Whether an agent runs there is not to be seen from the cluster; a mesh member has one.
        proxy: Some(ProxyContainer::assumed(ProxyKind::Sidecar)),
        phase: "Running".to_owned(),
        ready: true,
        ready_since: None,
        deleting: false,
        ips: fields.optional_text("/spec/address").into_iter().collect(),
        container_ports: ports(fields),
        revision: None,
        service_account: fields.optional_text("/spec/serviceAccount"),
        istiod: None,
        unready: None,
        injection: Injection::default(),
    }
}

/// `spec.ports`: by a service port's name, the port on the machine.
fn ports(fields: &Fields<'_>) -> Vec<ContainerPort> {
    let ports = fields.map("/spec/ports");
    ports.filter_map(|(name, port)| Some(ContainerPort { name: name.clone(), number: port_of(port, "")?, protocol: or_tcp("") })).collect()
}
