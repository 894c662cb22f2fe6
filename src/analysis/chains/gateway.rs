//! A gateway's listeners: one for each port that its Gateways open
//! (`pilot/pkg/model/gateway.go: mergeGateways`; `core/gateway.go: buildGatewayListeners`).

use std::collections::{BTreeMap, BTreeSet};

use super::build::{self, Places};
use super::plugins::{Place, Plugins};
use super::{Facts, Gap, Prediction};
use crate::analysis::attachment::listener_match::Class;
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::envoy::{ChainMatch, Destination, Direction, FilterChain, Transport};
use crate::model::gateway::{GatewayListener, Server};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};

/// A server of a Gateway on the port that it comes to in the proxy.
#[derive(Clone, Debug)]
struct Opened {
    gateway: String,
    port: u16,
    protocol: Protocol,
    bind: String,
    hosts: Vec<String>,
    tls_mode: Option<String>,
    port_name: String,
}

impl Opened {
    fn is_http(&self) -> bool {
        self.protocol.class() == ProtocolClass::Http
    }

    fn passes_through(&self) -> bool {
        self.tls_mode.as_deref().is_some_and(|mode| matches!(mode, "PASSTHROUGH" | "AUTO_PASSTHROUGH"))
    }

    /// Whether it ends TLS and speaks HTTP inside.
    fn terminates_https(&self) -> bool {
        self.protocol == Protocol::Https && self.tls_mode.is_some() && !self.passes_through()
    }
}

/// The listeners, and what cannot be told of them.
pub(super) fn listeners(facts: &Facts<'_>, plugins: &Plugins<'_, '_>) -> Prediction {
    let mut merged: BTreeMap<(u16, String), Vec<Opened>> = BTreeMap::new();
    let mut gaps = Vec::new();
    let mut merging = Merging::default();
    for opened in opened(facts) {
        if facts.unprivileged && opened.port < 1024 {
            continue;
        }
        if merging.takes(&opened) {
            merged.entry((opened.port, opened.bind.clone())).or_default().push(opened);
        }
    }
    let mut listeners = Vec::new();
    for ((port, bind), servers) in merged {
        let address = if bind.is_empty() { facts.wildcard().to_owned() } else { bind };
        let name = format!("{address}_{port}");
        gaps.extend(servers.iter().filter(|server| !server.is_http() && !server.terminates_https()).map(|server| gap(&name, server)));
        let chains = chains(port, &servers, plugins);
        if !chains.is_empty() {
            listeners.push(build::listener(name, &address, port, Direction::Outbound, chains));
        }
    }
    if facts.plane.features.quic {
        let why = "istiod makes QUIC listeners (PILOT_ENABLE_QUIC_LISTENERS), which are not predicted".to_owned();
        gaps.push(Gap { listener: Some("udp_".to_owned()), tcp_only: false, why });
    }
    Prediction { listeners, gaps }
}

fn gap(name: &str, server: &Opened) -> Gap {
    let why =
        format!("the chains of Gateway {} on port {} follow TCP and TLS routes, which are not predicted", server.gateway, server.port);
    Gap { listener: Some(name.to_owned()), tcp_only: true, why }
}

/// The chains of one port: all HTTP servers share one, each HTTPS server has its own.
fn chains(port: u16, servers: &[Opened], plugins: &Plugins<'_, '_>) -> Vec<FilterChain> {
    let place = Place::new(Class::Gateway, port);
    let mut found: Vec<FilterChain> = Vec::new();
    for server in servers {
        // What the first HTTP chain of a port takes of the network plugins, the others lack: the map that they are taken from is
        // emptied (`extension.PopAppendNetworkTrafficExtension`).
        let places = Places { http: Some(place), network: found.is_empty().then_some(place) };
        if server.is_http() {
            if found.is_empty() {
                found.push(build::chain("", ChainMatch::default(), true, Destination::Route(format!("http.{port}")), places, plugins));
            }
        } else if server.terminates_https() {
            let matches = ChainMatch { server_names: server_names(&server.hosts), ..ChainMatch::default() };
            let route = format!("https.{port}.{}.{}", server.port_name, server.gateway.replace('/', "."));
            let mut chain = build::chain("", matches, true, Destination::Route(route), places, plugins);
            let mutual = matches!(server.tls_mode.as_deref(), Some("MUTUAL" | "ISTIO_MUTUAL"));
            chain.transport = if mutual { Transport::MutualTls } else { Transport::Tls };
            found.push(chain);
        }
    }
    found
}

/// The hosts of a TLS server without their namespaces; one that takes any host is recognised by none.
fn server_names(hosts: &[String]) -> Vec<String> {
    let names: BTreeSet<String> =
        hosts.iter().map(|host| host.split_once('/').map_or(host.as_str(), |(_, name)| name).to_owned()).collect();
    if names.contains("*") { Vec::new() } else { names.into_iter().collect() }
}

/// Which servers can share a port.
#[derive(Default)]
struct Merging {
    seen: BTreeSet<u16>,
    plain: BTreeMap<u16, (Protocol, String)>,
    tls_hosts: BTreeMap<(u16, String), BTreeSet<String>>,
}

impl Merging {
    /// Whether istiod makes the server, beside those before it.
    fn takes(&mut self, server: &Opened) -> bool {
        if server.tls_mode.is_some() {
            let known = self.tls_hosts.entry((server.port, server.bind.clone())).or_default();
            if server.hosts.iter().any(|host| known.contains(host)) {
                return false;
            }
            known.extend(server.hosts.iter().cloned());
        }
        let is_plain = server.tls_mode.is_none() || server.is_http();
        let first = self.seen.insert(server.port);
        match self.plain.get(&server.port) {
            Some((protocol, bind)) if !first && *bind == server.bind => {
                let there_is_http = protocol.class() == ProtocolClass::Http || *protocol == server.protocol;
                there_is_http && server.is_http()
            }
            Some(_) => true,
            None => {
                if is_plain {
                    self.plain.insert(server.port, (server.protocol, server.bind.clone()));
                }
                true
            }
        }
    }
}

/// The servers of all Gateways that apply to the proxy, those of the oldest first.
fn opened(facts: &Facts<'_>) -> Vec<Opened> {
    let kinds = [Kind::IstioGateway, Kind::Gateway];
    let policies = facts.objects.policies.iter().filter(|((kind, _), _)| kinds.contains(kind)).map(|(_, policy)| &**policy);
    let mut gateways: Vec<&Policy> = policies.filter(|policy| applies(policy, facts)).collect();
    gateways.sort_by(|a, b| (&a.created, &a.name).cmp(&(&b.created, &b.name)));
    let mut found = Vec::new();
    for policy in gateways {
        match &policy.spec {
            PolicySpec::Servers(servers) => found.extend(servers.iter().map(|server| of_server(server, &policy.name, facts))),
            PolicySpec::Gateway(spec) => {
                found.extend(spec.listeners.iter().flat_map(|listener| of_listener(listener, &policy.name, facts)));
            }
            _ => {}
        }
    }
    found
}

fn applies(policy: &Policy, facts: &Facts<'_>) -> bool {
    match policy.kind {
        Kind::Gateway => policy.name == ObjectName::new(facts.namespace(), facts.pod.labels.get(GATEWAY_NAME).cloned().unwrap_or_default()),
        _ => {
            let in_scope = !facts.plane.features.scope_gateway_to_namespace || policy.name.namespace == facts.namespace();
            in_scope && facts.sees_revision(policy) && policy.selector.as_ref().is_none_or(|selector| selector.matches(&facts.pod.labels))
        }
    }
}

/// The label of a Service whose ports are not translated (`DisableGatewayPortTranslationLabel`).
const NO_TRANSLATION: &str = "experimental.istio.io/disable-gateway-port-translation";

/// A Gateway's port stands for that of a Service of the gateway, which leads to another one, or for itself.
fn of_server(server: &Server, gateway: &ObjectName, facts: &Facts<'_>) -> Opened {
    let targets = facts.targets();
    let translated = targets.iter().find(|target| target.port.port == server.port && !target.service.labels.contains_key(NO_TRANSLATION));
    Opened {
        gateway: gateway.to_string(),
        port: translated.map_or(server.port, |target| target.target),
        protocol: Protocol::parse(&server.protocol, facts.plane.version),
        bind: server.bind.clone(),
        hosts: server.hosts.clone(),
        tls_mode: server.tls_mode.clone(),
        port_name: server.port_name.clone(),
    }
}

/// A listener of the Gateway API is made where the gateway's Service has its port, and where the controller programs it.
fn of_listener(listener: &GatewayListener, gateway: &ObjectName, facts: &Facts<'_>) -> Vec<Opened> {
    let protocol = Protocol::parse(&listener.protocol, facts.plane.version);
    let lacks_tls = listener.tls_mode.is_empty() && protocol.is_tls();
    if listener.not_programmed.is_some() || lacks_tls || protocol == Protocol::Unsupported || protocol == Protocol::Udp {
        return Vec::new();
    }
    let targets = facts.targets();
    let ports: BTreeSet<u16> = match targets.is_empty() {
        // No Service was read.
        true => BTreeSet::from([listener.port]),
        false => targets.iter().filter(|target| target.port.port == listener.port).map(|target| target.target).collect(),
    };
    let tls_mode = match listener.tls_mode.as_str() {
        "" => None,
        "Passthrough" => Some("PASSTHROUGH".to_owned()),
        _ => Some("SIMPLE".to_owned()),
    };
    let host = if listener.hostname.is_empty() { "*" } else { &listener.hostname };
    let of = |port: u16| Opened {
        // Each listener is a Gateway of its own to istiod.
        gateway: format!("{}/{}-istio-autogenerated-k8s-gateway-{}", gateway.namespace, gateway.name, listener.name),
        port,
        protocol,
        bind: String::new(),
        hosts: vec![host.to_owned()],
        tls_mode: tls_mode.clone(),
        port_name: "default".to_owned(),
    };
    ports.into_iter().map(of).collect()
}
