//! Declared ports of a sidecar whose requests pass a plugin by: a port that is TCP to istiod has no chain with HTTP filters, and what an
//! setting of the pod keeps from the proxy never comes to it (`pilot/pkg/networking/core/listener_inbound.go:
//! buildInboundListeners`; `tools/istio-iptables/pkg/capture/run.go: handleInboundPortsInclude`).

use std::fmt;

use super::attachment::listener_match::{Class, accepts, traffic_selectors};
use super::chains::{self, Facts, PortConfig};
use super::control_plane;
use super::protocol::{Protocol, ProtocolClass};
use super::targets::ServiceTarget;
use crate::model::capture::KeptBy;
use crate::model::inventory::Inventory;
use crate::model::plugin::{Plugin, PluginType};
use crate::model::workload::{Pod, ProxyKind};

/// A port whose requests pass a plugin by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bypass<'s> {
    /// The port, as `port 8000 of Service default/httpbin`, or `ingress port 80 of Sidecar default/httpbin`.
    pub port: String,
    /// Why.
    pub why: Why<'s>,
}

/// Why requests to a port pass a plugin by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why<'s> {
    /// A setting of the pod keeps the container port from the proxy.
    NotCaptured(u16, KeptBy<'s>),
    /// It is no HTTP to istiod.
    NotHttp {
        /// Whether it is TLS of the application.
        tls: bool,
        /// What says so: `name tcp`.
        by: String,
        /// Whether a Sidecar's ingress has the port.
        ingress: bool,
    },
}

impl fmt::Display for Bypass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::NotCaptured(port, kept) => write!(f, "{}: {}", self.port, kept_away(*port, *kept)),
            Why::NotHttp { tls, by, .. } => {
                let what = if *tls { "TLS of the application, which the proxy passes on as it comes," } else { "TCP" };
                write!(f, "{} is {what} by its {by}", self.port)
            }
        }
    }
}

/// `annotation excludeInboundPorts ("80") keeps port 80 from the proxy`.
pub fn kept_away(port: u16, kept: KeptBy<'_>) -> String {
    format!("{kept} keeps port {port} from the proxy")
}

/// The declared ports that `match` of a plugin lets it into, where requests to none of them come to it; else none. A port that is
/// TCP by nothing but its number, or that names a protocol of a database, is for no HTTP plugin, and decides nothing.
pub fn of_all_ports<'s>(plugin: &Plugin, pod: &'s Pod, objects: &'s Inventory) -> Vec<Bypass<'s>> {
    let sidecar = pod.proxy.as_ref().is_some_and(|proxy| proxy.kind == ProxyKind::Sidecar);
    let Some(facts) = Facts::of(objects, pod, None, None).filter(|_| sidecar) else { return Vec::new() };
    let targets = facts.targets();
    let ports = chains::inbound_ports(&facts);
    let ports = ports.iter().filter(|port| lets_in(plugin, port.target, port.port, pod, objects));
    let judged: Option<Vec<Option<Bypass<'s>>>> = ports.map(|port| judge(plugin, port, &targets, &facts)).collect();
    judged.unwrap_or_default().into_iter().flatten().collect()
}

/// Whether `match` lets a plugin into the chains of a port.
pub fn lets_in(plugin: &Plugin, target: u16, service_port: u16, pod: &Pod, objects: &Inventory) -> bool {
    let matches = traffic_selectors(plugin, control_plane::version(pod, objects));
    // Chains with HTTP are compared by the container port, those without by the service's.
    let port = if plugin.plugin_type == PluginType::Http { target } else { service_port };
    accepts(matches, Class::Inbound, port)
}

/// None where requests come to the plugin; nothing within where the port is for no plugin of this type.
#[allow(clippy::option_option, reason = "the outer one ends the question")]
fn judge<'s>(plugin: &Plugin, port: &PortConfig, targets: &[ServiceTarget<'_>], facts: &Facts<'s>) -> Option<Option<Bypass<'s>>> {
    let target = targets.iter().find(|target| port.sidecar.is_none() && target.target == port.target);
    let name = match (&port.sidecar, target) {
        (Some(sidecar), _) => format!("ingress port {} of Sidecar {sidecar}", port.target),
        (None, Some(target)) => service_port(target),
        (None, None) => format!("port {}", port.target),
    };
    let is_http = plugin.plugin_type == PluginType::Http;
    let passes = !is_http || matches!(port.class, ProtocolClass::Http | ProtocolClass::Auto);
    match (facts.pod.kept_from_sidecar(port.target), target) {
        (Some(kept), _) if passes => Some(Some(Bypass { port: name, why: Why::NotCaptured(port.target, kept) })),
        (None, _) if passes => None,
        (_, Some(target)) => {
            let by = Protocol::said_by(target.port, target.service.registry, facts.plane.version);
            let tls = target.protocol.is_tls();
            let by = by.filter(|_| tls || target.protocol == Protocol::Tcp);
            Some(by.map(|by| Bypass { port: name, why: Why::NotHttp { tls, by, ingress: false } }))
        }
        (_, None) => {
            let why = (port.class == ProtocolClass::Tcp).then(|| Why::NotHttp { tls: false, by: "protocol".to_owned(), ingress: true });
            Some(why.map(|why| Bypass { port: name, why }))
        }
    }
}

/// `port 8000 of Service default/httpbin`.
pub fn service_port(target: &ServiceTarget<'_>) -> String {
    format!("port {} of {} {}", target.port.port, target.service.registry, target.service.name)
}
