//! What istiod knows of a proxy when it makes its listeners.

use core::net::IpAddr;
use std::sync::Arc;

use super::Shared;
use crate::analysis::control_plane::{self, ControlPlane, REVISION};
use crate::analysis::mtls;
use crate::analysis::targets::{self, ServiceTarget};
use crate::model::envoy::Node;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::mesh::MeshConfig;
use crate::model::peer_authentication::MtlsMode;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::service::Service;
use crate::model::sidecar::Sidecar;
use crate::model::workload::{Pod, ProxyKind};

/// Everything that decides the listeners of one proxy.
#[derive(Clone, Debug)]
pub struct Facts<'s> {
    /// The objects.
    pub objects: &'s Inventory,
    /// The proxy's pod, or WorkloadEntry.
    pub pod: &'s Pod,
    /// What kind of proxy it is.
    pub kind: ProxyKind,
    /// The revision of the istiod that decides; None where it is not known.
    pub revision: Option<&'s str>,
    /// That istiod.
    pub plane: ControlPlane,
    /// The version that the proxy says; None where it was not read.
    pub proxy_version: Option<String>,
    /// The mesh's configuration.
    pub mesh: MeshConfig,
    /// The domain of the cluster's services.
    pub domain: String,
    /// The proxy's addresses.
    pub addresses: Vec<IpAddr>,
    /// `REDIRECT`, `TPROXY` or `NONE`: without interception there is no `virtualInbound`.
    pub intercepts: bool,
    /// Whether it takes HBONE.
    pub hbone: bool,
    /// Whether it answers DNS itself, so that it listens on the addresses that istiod gives ServiceEntries.
    pub captures_dns: bool,
    /// Whether istiod allots such addresses in its memory, where nothing shows them.
    pub hides_addresses: bool,
    /// Ports of its own static listeners.
    pub own_ports: Vec<u16>,
    /// Whether it may not bind ports below 1024.
    pub unprivileged: bool,
    /// Whether plain HTTP/1.0 is matched: the istiod decides, a proxy that speaks it (`ISTIO_META_HTTP10`) changes no chain.
    pub http10: bool,
    /// The port of an explicit HTTP proxy.
    pub http_proxy_port: Option<u16>,
    /// The mutual TLS mode of the workload.
    pub mode: MtlsMode,
    /// The modes of single ports.
    pub port_modes: std::collections::BTreeMap<u16, MtlsMode>,
    /// What was made for other proxies of the same mesh.
    pub shared: Arc<Shared>,
}

/// Ports of a sidecar's static listeners where its dump does not say them: status (15021) and Prometheus (15090).
const OWN_PORTS: [u16; 2] = [15021, 15090];

impl<'s> Facts<'s> {
    /// The facts of the proxy in a pod; None where it runs no Envoy. `node` is what the proxy says of itself, which goes before
    /// what the pod shows. `mode` puts another mutual TLS mode in the place of the workload's, and leaves those of single ports.
    pub fn of(objects: &'s Inventory, pod: &'s Pod, node: Option<&Node>, mode: Option<MtlsMode>) -> Option<Self> {
        let proxy = pod.proxy.as_ref().filter(|proxy| proxy.kind != ProxyKind::Ztunnel)?;
        let plane = control_plane::control_plane(objects, Some(pod), node);
        let mesh = objects.mesh_config();
        let effective = mtls::of_pod(objects, pod);
        let said = node.map(|node| node.instance_ips.as_slice()).filter(|ips| !ips.is_empty()).unwrap_or(&pod.ips);
        let interception = node.map(|node| node.interception_mode.as_str()).filter(|mode| !mode.is_empty());
        Some(Self {
            objects,
            pod,
            revision: control_plane::revision(pod, objects),
            kind: node.and_then(|node| kind_of(node, proxy.kind)).unwrap_or(proxy.kind),
            domain: node.map(Node::domain).filter(|domain| !domain.is_empty()).unwrap_or("cluster.local").to_owned(),
            addresses: said.iter().filter_map(|address| address.parse().ok()).collect(),
            intercepts: interception.unwrap_or(&proxy.interception_mode) != "NONE",
            captures_dns: node.is_some_and(|node| node.captures_dns),
            hides_addresses: !plane.allots_addresses() && node.is_some_and(|node| node.captures_dns && node.dns_auto_allocate),
            hbone: node.map_or(proxy.hbone, |node| node.enable_hbone),
            own_ports: node.map_or_else(|| OWN_PORTS.to_vec(), |node| node.own_ports.clone()),
            unprivileged: node.is_some_and(|node| node.unprivileged),
            proxy_version: node.map(|node| node.istio_version.clone()),
            http10: plane.version.matches_http10() || plane.features.http10,
            http_proxy_port: node.and_then(|node| node.http_proxy_port).or(mesh.http_proxy_port),
            mode: mode.unwrap_or(effective.mode),
            port_modes: effective.ports,
            plane,
            mesh,
            shared: Arc::default(),
        })
    }

    /// Whether it is a gateway or waypoint, whose chains depend on no mutual TLS mode.
    pub fn is_gateway(&self) -> bool {
        self.kind != ProxyKind::Sidecar
    }

    /// The proxy's namespace, whose plugins and policies are its own.
    pub fn namespace(&self) -> &'s str {
        &self.pod.id.namespace
    }

    /// The mode of a container port.
    pub fn mode_of(&self, port: u16) -> MtlsMode {
        self.port_modes.get(&port).copied().unwrap_or(self.mode)
    }

    /// Whether it has an address of the family; one without any address is taken to have IPv4 (`DiscoverIPMode`).
    pub fn has_ipv4(&self) -> bool {
        self.addresses.is_empty() || self.addresses.iter().any(IpAddr::is_ipv4)
    }

    /// The same for IPv6; a link-local address counts as well.
    pub fn has_ipv6(&self) -> bool {
        self.addresses.iter().any(IpAddr::is_ipv6)
    }

    /// The address on which it listens for all (`core/listener_address.go: getWildcardsAndLocalHost`).
    pub fn wildcard(&self) -> &'static str {
        if self.has_ipv4() { "0.0.0.0" } else { "::" }
    }

    /// The address of the pod itself.
    pub fn localhost(&self) -> &'static str {
        if self.has_ipv4() { "127.0.0.1" } else { "::1" }
    }

    /// Whether a chain for a port of the wildcard address is left out: it belongs to the proxy
    /// (`pilot/pkg/model/context.go: conflictWithReservedListener`).
    pub fn is_reserved(&self, port: u16) -> bool {
        self.own_ports.contains(&port) || port == self.mesh.outbound_port || port == self.mesh.inbound_port
    }

    /// The service ports that lead to the workload.
    pub fn targets(&self) -> Vec<ServiceTarget<'s>> {
        targets::service_targets(self.objects, self.pod, &self.domain, self.plane.version)
    }

    /// The Sidecar that applies to the proxy: of its own namespace one whose selector matches, oldest first, else the oldest
    /// without a selector; else that of the root namespace (`pilot/pkg/model/push_context.go: initSidecarScopes, doGetSidecarScope`).
    pub fn sidecar(&self) -> Option<(&'s Policy, &'s Sidecar)> {
        let mut all: Vec<&Policy> = self.objects.policies_of(Kind::Sidecar).filter(|policy| self.sees(policy)).collect();
        all.sort_by(|a, b| (a.selector.is_none(), &a.created, &a.name).cmp(&(b.selector.is_none(), &b.created, &b.name)));
        let matches = |policy: &&&Policy| policy.selector.as_ref().is_none_or(|selector| selector.matches(&self.pod.labels));
        let own = all.iter().find(|policy| policy.name.namespace == self.namespace() && matches(policy));
        let of_root = || all.iter().find(|policy| policy.name.namespace == self.mesh.root_namespace && policy.selector.is_none());
        let policy = own.or_else(of_root)?;
        if let PolicySpec::Sidecar(sidecar) = &policy.spec { Some((policy, sidecar)) } else { None }
    }

    /// What happens to traffic for which there is no service: the Sidecar's word, else the mesh's.
    pub fn outbound_mode(&self) -> &str {
        let own = self.sidecar().map(|(_, sidecar)| sidecar.outbound_mode.as_str()).filter(|mode| !mode.is_empty());
        own.unwrap_or(&self.mesh.outbound_mode)
    }

    /// Whether that is known: without the mesh configuration only where a Sidecar says it.
    pub fn knows_outbound_mode(&self) -> bool {
        self.objects.mesh.is_some() || self.sidecar().is_some_and(|(_, sidecar)| !sidecar.outbound_mode.is_empty())
    }

    /// The services that the istiod that decides sees.
    pub fn services(&self) -> impl Iterator<Item = &'s Service> {
        targets::seen(self.objects, self.revision)
    }

    /// Whether the istiod that decides uses an object: its labels name no other revision (`pkg/config/model.go: LabelsInRevision`), and
    /// its namespace is one that istiod sees (`pilot/pkg/config/kube/crdclient/client.go`).
    pub fn sees(&self, policy: &Policy) -> bool {
        let wanted = policy.labels.get(REVISION);
        wanted.is_none_or(|wanted| self.revision.is_none_or(|own| wanted == own)) && self.discovers(policy)
    }

    /// Whether the object's namespace is one that the istiod that decides sees.
    pub fn discovers(&self, policy: &Policy) -> bool {
        self.plane.version.discovers(self.objects, &policy.name.namespace)
    }
}

fn kind_of(node: &Node, of_pod: ProxyKind) -> Option<ProxyKind> {
    match node.node_type() {
        "waypoint" => Some(ProxyKind::Waypoint),
        "router" => Some(if of_pod == ProxyKind::Gateway { of_pod } else { ProxyKind::ClassicGateway }),
        "sidecar" => Some(ProxyKind::Sidecar),
        _ => None,
    }
}
