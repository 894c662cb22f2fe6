//! What a port speaks, as istiod takes it from the port's name, `appProtocol` or protocol.

use super::era::Version;
use crate::model::service::{Registry, ServicePort};

/// A port's protocol (`pkg/config/protocol/instance.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// HTTP/2.
    Http2,
    /// An HTTP proxy, of a Sidecar's egress listener.
    HttpProxy,
    /// gRPC.
    Grpc,
    /// gRPC-Web.
    GrpcWeb,
    /// TCP.
    Tcp,
    /// HTTPS, which no sidecar terminates.
    Https,
    /// TLS with SNI.
    Tls,
    /// MongoDB.
    Mongo,
    /// Redis.
    Redis,
    /// MySQL.
    MySql,
    /// UDP.
    Udp,
    /// Not declared, or unknown: detected for each connection.
    Unsupported,
}

/// What kind of chains a port gets (`pilot/pkg/networking/networking.go: ModelProtocolToListenerProtocol`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtocolClass {
    /// With an HttpConnectionManager.
    Http,
    /// Without.
    Tcp,
    /// Both, told apart by the bytes of each connection.
    Auto,
    /// UDP: no chains of its own, but inbound, where it falls among TCP.
    Udp,
}

impl Protocol {
    /// The kind of chains.
    pub fn class(self) -> ProtocolClass {
        match self {
            Self::Http | Self::Http2 | Self::HttpProxy | Self::Grpc | Self::GrpcWeb => ProtocolClass::Http,
            Self::Tcp | Self::Https | Self::Tls | Self::Mongo | Self::Redis | Self::MySql => ProtocolClass::Tcp,
            Self::Udp => ProtocolClass::Udp,
            Self::Unsupported => ProtocolClass::Auto,
        }
    }

    /// Whether it is TLS that is passed on as it comes.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }

    /// Reads a protocol's word in any case (`protocol.Parse`). `version` tells apart what only some releases knew.
    pub fn parse(word: &str, version: Version) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "tcp" => Self::Tcp,
            "udp" => Self::Udp,
            "grpc" => Self::Grpc,
            "grpc-web" => Self::GrpcWeb,
            "http" => Self::Http,
            "http_proxy" => Self::HttpProxy,
            "http2" => Self::Http2,
            "https" => Self::Https,
            "tls" => Self::Tls,
            "mongo" => Self::Mongo,
            "redis" => Self::Redis,
            "mysql" => Self::MySql,
            "thrift" if !version.has_no_thrift() => Self::Tcp,
            _ => Self::Unsupported,
        }
    }

    /// The protocol of a service's port (`pkg/config/kube/conversion.go: ConvertProtocol`; of a ServiceEntry its own word).
    pub fn of_port(port: &ServicePort, registry: Registry, version: Version) -> Self {
        match registry {
            Registry::ServiceEntry => Self::parse(&port.protocol, version),
            Registry::Kubernetes => of_kubernetes(port, version),
        }
    }

    /// What of a service's port says its protocol, as `name tcp-web`; None where only its number does.
    pub fn said_by(port: &ServicePort, registry: Registry, version: Version) -> Option<String> {
        match registry {
            Registry::ServiceEntry => Some(format!("protocol {}", port.protocol)),
            Registry::Kubernetes if !port.app_protocol.is_empty() => Some(format!("appProtocol {}", port.app_protocol)),
            Registry::Kubernetes => {
                let elsewhere = ServicePort { port: 0, ..port.clone() };
                (of_kubernetes(&elsewhere, version) != Self::Unsupported).then(|| format!("name {}", port.name))
            }
        }
    }
}

/// Servers on these ports speak first, so nothing may be detected there.
const SERVER_FIRST: [u16; 4] = [25, 53, 3306, 27017];

fn of_kubernetes(port: &ServicePort, version: Version) -> Protocol {
    if port.protocol == "UDP" {
        return Protocol::Udp;
    }
    let word = if port.app_protocol.is_empty() { &port.name } else { &port.app_protocol };
    match port.app_protocol.as_str() {
        "kubernetes.io/h2c" if version.knows_app_protocol_h2c() => return Protocol::Http2,
        "kubernetes.io/ws" if version.knows_app_protocol_ws() => return Protocol::Http,
        "kubernetes.io/wss" if version.knows_app_protocol_ws() => return Protocol::Https,
        _ => {}
    }
    if word.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("grpc-web")) {
        return Protocol::GrpcWeb;
    }
    let prefix = word.split('-').next().unwrap_or_default();
    match Protocol::parse(prefix, version) {
        Protocol::Unsupported if SERVER_FIRST.contains(&port.port) => Protocol::Tcp,
        protocol => protocol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::TargetPort;

    fn of(port: u16, name: &str, app_protocol: &str, protocol: &str) -> ProtocolClass {
        let port = ServicePort {
            port,
            name: name.to_owned(),
            protocol: protocol.to_owned(),
            app_protocol: app_protocol.to_owned(),
            target: TargetPort::Number(port),
        };
        Protocol::of_port(&port, Registry::Kubernetes, Version::NEWEST).class()
    }

    #[test]
    fn names_and_app_protocols_are_read_as_istiod_reads_them() {
        use ProtocolClass::{Auto, Http, Tcp, Udp};
        for (port, name, app_protocol, protocol, class) in [
            (80, "http", "", "TCP", Http),
            (80, "HTTP-web", "", "TCP", Http),
            (80, "grpc-web-x", "", "TCP", Http),
            (80, "grpc-webby", "", "TCP", Http),
            (80, "web", "", "TCP", Auto),
            (80, "", "", "TCP", Auto),
            (443, "https", "", "TCP", Tcp),
            (80, "http", "tcp", "TCP", Tcp),
            (80, "http", "my-own", "TCP", Auto),
            (80, "tcp", "kubernetes.io/h2c", "TCP", Http),
            (443, "x", "kubernetes.io/wss", "TCP", Tcp),
            (3306, "db", "", "TCP", Tcp),
            (3306, "http", "", "TCP", Http),
            (53, "dns", "", "UDP", Udp),
        ] {
            assert_eq!(of(port, name, app_protocol, protocol), class, "{port} {name} {app_protocol} {protocol}");
        }
    }
}
