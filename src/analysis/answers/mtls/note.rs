//! What a mode means where no sidecar holds it.

use super::{OF_CLIENTS, OF_PORTS, World};
use crate::analysis::attachment::injection;
use crate::analysis::chains::Facts;
use crate::analysis::mtls::EffectiveMtls;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::workload::{Pod, ProxyKind};

/// Why the mode is unknown.
pub(crate) const MODE_UNKNOWN: &str = "PeerAuthentications cannot be read, so the mode is unknown";

/// Where the mode is unknown, or does not mean what it means for a sidecar.
pub(super) fn note(world: &World<'_>, pod: &Pod, facts: Option<&Facts<'_>>, effective: &EffectiveMtls) -> Option<String> {
    if world.lacks(&[Kind::PeerAuthentication], pod).is_some() {
        return Some(format!("{MODE_UNKNOWN}."));
    }
    let sidecar = facts.is_some() || pod.proxy.is_none();
    if let Some(kind) = world.lacks(&OF_CLIENTS, pod).filter(|_| sidecar) {
        let ports = if world.lacks(&OF_PORTS, pod).is_some() { "the modes of ports and what clients send" } else { "what clients send" };
        return Some(format!("{} cannot be read, so {ports} are not known.", kind.resource()));
    }
    let text = match pod.proxy.as_ref().map(|proxy| proxy.kind) {
        Some(ProxyKind::Sidecar) if facts.is_some_and(|facts| !facts.intercepts) => {
            "Traffic is not intercepted (interception mode NONE), so the mode holds on the ports of a Sidecar's ingress alone."
        }
        Some(ProxyKind::Sidecar) => return None,
        Some(ProxyKind::ClassicGateway | ProxyKind::Gateway) => {
            "A gateway takes what the servers or listeners of its Gateways say: its chains do not depend on PeerAuthentication."
        }
        Some(ProxyKind::Waypoint) => {
            "A waypoint takes HBONE, which is mutual TLS whatever the mode is: its chains do not depend on PeerAuthentication."
        }
        Some(ProxyKind::Ztunnel) => "ztunnel holds the modes of the pods that it serves: its own has no meaning.",
        None if asks_in_vain(pod, world.objects).is_some() => return asks_in_vain(pod, world.objects),
        None if !pod.injection.ambient => "The pod has no proxy, so nothing holds the mode: the application takes what comes.",
        None if loses_exceptions(world.objects, effective) => {
            "ztunnel takes nothing but HBONE under STRICT. For a policy whose own mode is UNSET it knows ports with PERMISSIVE as exceptions, and not those with DISABLE."
        }
        None => "ztunnel takes HBONE always, and plain text unless the mode is STRICT: PERMISSIVE and DISABLE are the same here.",
    };
    Some(text.to_owned())
}

/// Where the pod asks for a sidecar, and has none.
fn asks_in_vain(pod: &Pod, objects: &Inventory) -> Option<String> {
    let why = injection::missing(pod, objects);
    why.is_asked_in_vain().then(|| format!("The pod has no proxy, so nothing holds the mode, and the application takes what comes: {why}."))
}

/// `pilot/pkg/serviceregistry/ambient/authorization.go: convertedSelectorPeerAuthentications`.
fn loses_exceptions(objects: &Inventory, effective: &EffectiveMtls) -> bool {
    let policy = effective.port_policy.as_ref().and_then(|name| objects.peer_authentications.get(name));
    let unset = policy.is_some_and(|policy| policy.mode.is_none());
    unset && effective.mode == MtlsMode::Strict && effective.ports.values().any(|mode| *mode == MtlsMode::Disable)
}
