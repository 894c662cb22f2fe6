//! Whether what a client sends is taken: by the chains of the port's kind and mode
//! (`pilot/pkg/networking/core/filterchain_options.go: getFilterChainMatchOptions`).

use std::fmt;

use serde::Serialize;

use super::client::{Because, Wire};
use crate::analysis::protocol::ProtocolClass;
use crate::model::peer_authentication::MtlsMode;
use crate::model::routing::ClientTls;

/// Whether a connection comes through, as far as mutual TLS decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It does not.
    Fails,
    /// It would not, and nobody sends it: no route names the subset.
    Unused,
    /// It depends on what the objects do not show.
    Depends,
    /// What is sent fits what the port takes.
    Works,
}

/// What receives connections to the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// A sidecar, in the mode of the port.
    Sidecar(MtlsMode),
    /// ztunnel, in the mode of the port: it takes HBONE, and plain text unless the mode is STRICT.
    Ztunnel(MtlsMode),
    /// The application itself.
    Application,
    /// The application itself, since an annotation keeps the port from the sidecar that the pod has.
    Uncaptured,
}

/// What comes of it, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The mode takes what is sent.
    Taken,
    /// Nothing looks at what is sent before the application.
    ToApplication,
    /// STRICT takes no plain text.
    StrictPlain,
    /// Under STRICT ztunnel takes nothing but HBONE.
    StrictZtunnel,
    /// STRICT asks for a certificate of the mesh, and the client shows none.
    StrictNoCertificate,
    /// STRICT takes the client's certificate only if the mesh's CA signed it, and the client the server's only if it trusts it.
    StrictOwnCertificate,
    /// PERMISSIVE terminates TLS of the mesh alone, and an HTTP port has no chain for other TLS.
    PermissiveForeignTls,
    /// The TLS is handed to the application as it comes.
    TlsToApplication,
    /// Nobody terminates TLS, and the port's chains read HTTP.
    TlsToHttp,
    /// Nobody terminates the mesh's mutual TLS.
    NotTerminated,
    /// The same, since an annotation keeps the port from the sidecar.
    NotCaptured,
    /// The client's proxy drops it.
    Blackholed,
    /// What the client's proxy does with it is not known.
    UnknownOutbound,
    /// It is not known whether the connection passes the client's proxy.
    UnknownCapture,
    /// The client's proxy has no cluster for the service, since an EnvoyFilter takes it away.
    ClusterRemoved,
    /// An EnvoyFilter may change the TLS of the client's cluster.
    ClusterPatched,
    /// A gateway has no cluster for the service.
    NoCluster,
    /// The client accepts another certificate than the server's.
    OtherSan,
    /// It is not known whether the server's certificate is one that the client accepts.
    UnknownSan,
}

impl Reason {
    /// Whether the connection comes through.
    pub fn verdict(self) -> Verdict {
        match self {
            Self::Taken | Self::ToApplication => Verdict::Works,
            Self::StrictOwnCertificate
            | Self::TlsToApplication
            | Self::UnknownSan
            | Self::UnknownOutbound
            | Self::UnknownCapture
            | Self::ClusterPatched => Verdict::Depends,
            Self::NoCluster => Verdict::Unused,
            Self::StrictPlain
            | Self::StrictZtunnel
            | Self::StrictNoCertificate
            | Self::PermissiveForeignTls
            | Self::TlsToHttp
            | Self::NotTerminated
            | Self::NotCaptured
            | Self::Blackholed
            | Self::ClusterRemoved
            | Self::OtherSan => Verdict::Fails,
        }
    }
}

/// Judges one combination.
pub fn judge(wire: Wire, taker: Taker, class: ProtocolClass) -> Reason {
    use MtlsMode::{Disable, Permissive, Strict};
    let http = class == ProtocolClass::Http;
    match (taker, wire) {
        (_, Wire::Nothing) => Reason::Blackholed,
        (Taker::Ztunnel(Strict), _) => Reason::StrictZtunnel,
        (Taker::Sidecar(Strict), Wire::PlainText) => Reason::StrictPlain,
        (Taker::Sidecar(Strict), Wire::Tls | Wire::ApplicationTls) => Reason::StrictNoCertificate,
        (Taker::Sidecar(Strict), Wire::OwnMutualTls) => Reason::StrictOwnCertificate,
        (Taker::Sidecar(Strict | Permissive), Wire::MutualTls) => Reason::Taken,
        (Taker::Sidecar(Permissive), Wire::Tls | Wire::OwnMutualTls) if http => Reason::PermissiveForeignTls,
        (Taker::Sidecar(Disable), Wire::Tls | Wire::OwnMutualTls) if http => Reason::TlsToHttp,
        (Taker::Sidecar(_) | Taker::Ztunnel(_), Wire::PlainText) => Reason::Taken,
        (Taker::Uncaptured, Wire::MutualTls) => Reason::NotCaptured,
        (_, Wire::MutualTls) => Reason::NotTerminated,
        (_, Wire::Tls | Wire::OwnMutualTls) => Reason::TlsToApplication,
        (_, Wire::PlainText | Wire::ApplicationTls) => Reason::ToApplication,
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "the mode takes it",
            Self::ToApplication => "the application takes it itself",
            Self::StrictPlain => "STRICT takes no plain text, so no filter chain matches",
            Self::StrictZtunnel => "under STRICT ztunnel takes nothing but HBONE",
            Self::StrictNoCertificate => "STRICT asks for a client certificate of the mesh, and none is shown",
            Self::StrictOwnCertificate => "STRICT takes the client's certificate only if the mesh's CA signed it",
            Self::PermissiveForeignTls => "an HTTP port has chains for the mesh's mutual TLS and for plain text and none for other TLS",
            Self::TlsToApplication => "the TLS is handed to the application as it comes, which must speak it on this port",
            Self::TlsToHttp => "nothing terminates TLS under DISABLE, and the port's chain reads HTTP",
            Self::NotTerminated => "nothing terminates the mesh's mutual TLS there",
            Self::NotCaptured => "an annotation of the pod keeps the port from its proxy, so nothing terminates the mesh's mutual TLS",
            Self::Blackholed => "REGISTRY_ONLY sends what is unknown to BlackHoleCluster",
            Self::UnknownOutbound => "it is unknown whether its proxy passes on or drops what is unknown (outboundTrafficPolicy)",
            Self::UnknownCapture => "it is unknown whether these connections pass the client's proxy, which sends what its cluster says",
            Self::ClusterRemoved => "the client's proxy has no cluster for the service",
            Self::ClusterPatched => "what the client's cluster sends by this patch is unknown",
            Self::NoCluster => "a gateway has no cluster for a service that it does not know, so no route of it leads there",
            Self::OtherSan => "the client accepts no certificate without a SAN that the server's has not",
            Self::UnknownSan => "it is unknown whether the server's certificate has a SAN that the client accepts",
        })
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PlainText => "plain text",
            Self::ApplicationTls => "the application's own TLS",
            Self::MutualTls => "mutual TLS",
            Self::Tls => "TLS without a client certificate",
            Self::OwnMutualTls => "mutual TLS with a certificate of its own",
            Self::Nothing => "nothing",
        })
    }
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProxy => f.write_str("it has no proxy"),
            Self::PastProxy(past) => past.fmt(f),
            Self::ClusterRemoved(patch) => patch.fmt(f),
            Self::Hidden(hidden) => f.write_str(&hidden.sentence(&[])),
            Self::Rule(ClientTls::MutualWithoutCertificate, by) => {
                write!(f, "DestinationRule {} says MUTUAL and there is no client certificate, so that istiod leaves the TLS out", by.rule)
            }
            Self::Rule(mode, by) => write!(f, "DestinationRule {} says {}", by.rule, mode.as_str()),
            Self::Marked(mode, by) => {
                write!(f, "auto mutual TLS leaves out the pod, for which DestinationRule {} says {} elsewhere", by.rule, mode.as_str())
            }
            Self::Auto => f.write_str("auto mutual TLS finds the label security.istio.io/tlsMode=istio on the pod"),
            Self::AutoHeadless => f.write_str("auto mutual TLS treats all pods of a service alike where the client chooses the pod"),
            Self::External => f.write_str("the service is outside the mesh, and no DestinationRule says otherwise"),
            Self::AutoMtlsOff => f.write_str("meshConfig.enableAutoMtls is false, and no DestinationRule says otherwise"),
            Self::NamespaceDisables(by) => {
                let by = by.as_deref().unwrap_or("Istio's default");
                write!(f, "auto mutual TLS looks at the namespace's mode and no workload's, and that is DISABLE by {by}")
            }
            Self::NoTlsLabel => f.write_str("the pod has no label security.istio.io/tlsMode=istio"),
            Self::HeadlessNoTlsLabel(pod) => {
                write!(f, "the client chooses the pod, and {pod} of the service has no label security.istio.io/tlsMode=istio")
            }
            Self::PortDisabled => f.write_str("the mode of the port is DISABLE"),
        }
    }
}
