//! Sidecar: which ports a sidecar opens and which services it knows (`istio.io/api networking/v1alpha3/sidecar.proto`).

/// What a Sidecar says, as far as listeners go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sidecar {
    /// `spec.ingress`; where there is one, service ports get no chains of their own.
    pub ingress: Vec<Ingress>,
    /// `spec.egress`; empty is one listener for all services.
    pub egress: Vec<Egress>,
    /// `spec.outboundTrafficPolicy.mode`, which stands for the mesh's; empty where there is no such policy.
    pub outbound_mode: String,
}

/// One item of `spec.ingress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// `port.number`.
    pub port: u16,
    /// `port.protocol`, as written.
    pub protocol: String,
    /// `port.name`; empty where unset.
    pub name: String,
    /// `bind`; empty where unset.
    pub bind: String,
    /// `captureMode`, as written; empty is DEFAULT.
    pub capture_mode: String,
    /// `defaultEndpoint`, where the application listens: `127.0.0.1:8080`, `unix:///path`; empty where unset.
    pub endpoint: String,
    /// Whether it has `tls` settings.
    pub tls: bool,
}

/// One item of `spec.egress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Egress {
    /// `port.number`; None for the listener of all ports.
    pub port: Option<u16>,
    /// `port.protocol`, as written.
    pub protocol: String,
    /// `bind`; empty where unset.
    pub bind: String,
    /// `captureMode`, as written; empty is DEFAULT.
    pub capture_mode: String,
    /// `hosts`, each `namespace/dnsName`.
    pub hosts: Vec<String>,
}
