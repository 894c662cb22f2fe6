//! Listeners of gateways that their controller did not program: nothing listens on their ports.

use super::blame::Blame;
use super::mesh::Mesh;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::requests::FailedReason;
use crate::model::service::Service;

const KIND: Kind = Kind::Gateway;

/// The Gateway (Gateway API) behind a service of which the listener of the port is not programmed, by its status.
pub(super) fn not_programmed(mesh: &Mesh<'_>, service: &Service, reason: &FailedReason) -> Option<Blame> {
    let port: u16 = reason.cluster.split('|').nth(1)?.parse().ok()?;
    let pods = mesh.objects.pods.values().filter(|pod| service.selects(pod));
    let mut names = pods.filter_map(|pod| Some(ObjectName::new(pod.id.namespace.as_str(), pod.labels.get(GATEWAY_NAME)?.as_str())));
    names.find_map(|name| {
        let PolicySpec::Gateway(gateway) = &mesh.objects.policies.get(&(KIND, name.clone()))?.spec else { return None };
        let listener = gateway.listeners.iter().find(|listener| listener.port == port)?;
        let why = listener.not_programmed.as_ref()?;
        let words = format!("listener {} of {KIND} {name} is not programmed, so nothing listens on port {port}: {why}", listener.name);
        let fix = format!(
            "correct what the listener refers to; its status is in kubectl -n {} describe gateways.gateway.networking.k8s.io {}",
            name.namespace, name.name
        );
        Some(Blame::new(Some((KIND, &name)), words, fix).always())
    })
}
