//! Both kinds of Gateway: the ports that a gateway opens (`istio.io/api networking/v1alpha3/gateway.proto`;
//! `gateway.networking.k8s.io`).

use super::labels::LabelSelector;

/// One item of `spec.servers` of a `networking.istio.io` Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `port.number`.
    pub port: u16,
    /// `port.protocol`, as written: `HTTP`, `HTTPS`, `TLS`, `TCP`, …
    pub protocol: String,
    /// `port.name`.
    pub port_name: String,
    /// `bind`; empty is every address.
    pub bind: String,
    /// `hosts`, each `dnsName` or `namespace/dnsName`.
    pub hosts: Vec<String>,
    /// `tls.mode`; None without `tls`, `SIMPLE` never stands for an absent one: an absent mode is `PASSTHROUGH`.
    pub tls_mode: Option<String>,
}

/// A `gateway.networking.k8s.io` Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewaySpec {
    /// `spec.gatewayClassName`.
    pub class: String,
    /// `spec.listeners`.
    pub listeners: Vec<GatewayListener>,
    /// The hosts of the Services that it is for, as `spec.addresses` names them; empty where istiod makes its own deployment.
    pub services: Vec<String>,
    /// `status.attachedListenerSets`: how many ListenerSets add listeners of their own.
    pub listener_sets: u64,
    /// From which namespaces the HBONE listener of a waypoint takes what is sent through it.
    pub routes_from: RoutesFrom,
}

/// `allowedRoutes.namespaces` of a Gateway API listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RoutesFrom {
    /// The Gateway's own namespace, also where the field is unset.
    #[default]
    Same,
    /// Every namespace.
    All,
    /// Namespaces with these labels.
    Selector(LabelSelector),
}

/// One item of `spec.listeners`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayListener {
    /// `name`.
    pub name: String,
    /// `port`.
    pub port: u16,
    /// `protocol`: `HTTP`, `HTTPS`, `TLS`, `TCP`, `UDP`, `HBONE`.
    pub protocol: String,
    /// `hostname`; empty is any.
    pub hostname: String,
    /// `tls.mode`: `Terminate`, `Passthrough`; empty without `tls`.
    pub tls_mode: String,
    /// Why the controller does not program it, by `status.listeners[].conditions`; None where nothing says so.
    pub not_programmed: Option<String>,
}
