//! Which servers a gateway opens: those of all Gateways that apply to it, in istiod's order
//! (`pilot/pkg/model/push_context.go: mergeGateways`; `pilot/pkg/config/kube/gateway/gateway_collection.go`).

use std::collections::BTreeSet;

use super::Facts;
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::analysis::targets::ServiceTarget;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::gateway::{GatewayListener, GatewaySpec, Server};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};

/// A server of a Gateway on the port that it comes to in the proxy.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// The object.
    pub object: ObjectName,
    /// The Gateway that istiod makes of it: of one of the Gateway API each listener is one of its own.
    pub gateway: ObjectName,
    /// The port that it comes to.
    pub port: u16,
    /// The port as the Gateway writes it.
    pub server_port: u16,
    /// What is spoken.
    pub protocol: Protocol,
    /// The same as the Gateway writes it.
    pub word: String,
    /// The address; empty for any.
    pub bind: String,
    /// Its hosts, with the namespace of the routes that they are kept to.
    pub hosts: Vec<String>,
    /// The mode of its `tls`; None without.
    pub tls_mode: Option<String>,
    /// The port's name.
    pub port_name: String,
}

impl Opened {
    /// Whether it speaks plain HTTP.
    pub fn is_http(&self) -> bool {
        self.protocol.class() == ProtocolClass::Http
    }

    /// Whether it passes TLS on as it comes.
    pub fn passes_through(&self) -> bool {
        self.tls_mode.as_deref().is_some_and(|mode| matches!(mode, "PASSTHROUGH" | "AUTO_PASSTHROUGH"))
    }

    /// Whether it ends TLS and speaks HTTP inside.
    pub fn terminates_https(&self) -> bool {
        self.protocol == Protocol::Https && self.tls_mode.is_some() && !self.passes_through()
    }
}

/// The servers of all Gateways that apply to the proxy: those of the oldest first, of one second by name, so that the listeners of
/// one Gateway of the Gateway API stand by their names too.
pub(super) fn opened(facts: &Facts<'_>) -> Vec<Opened> {
    let policies = [Kind::IstioGateway, Kind::Gateway].into_iter().flat_map(|kind| facts.objects.policies_of(kind));
    let policies = policies.filter(|policy| facts.discovers(policy));
    let targets = facts.targets();
    let mut found: Vec<(Option<&str>, Opened)> = Vec::new();
    let mut managed = false;
    for policy in policies {
        match &policy.spec {
            PolicySpec::Servers(servers) if selects(policy, facts) => {
                found.extend(servers.iter().map(|server| (policy.created.as_deref(), of_server(server, &policy.name, &targets, facts))));
            }
            PolicySpec::Gateway(spec) => {
                let Some(targets) = served(policy, spec, &targets, facts) else { continue };
                managed |= spec.services.is_empty();
                let listeners = spec.listeners.iter();
                let opened = listeners.flat_map(|listener| of_listener(listener, &policy.name, targets.as_deref(), facts));
                found.extend(opened.map(|opened| (policy.created.as_deref(), opened)));
            }
            _ => {}
        }
    }
    if managed && facts.plane.version.merges_gateways_strictly() && facts.plane.features.strict_gateway_merging {
        found.retain(|(_, opened)| opened.gateway.namespace == facts.namespace());
    }
    found.sort_by(|(a_created, a), (b_created, b)| {
        (a_created, &a.gateway.name, &a.gateway.namespace).cmp(&(b_created, &b.gateway.name, &b.gateway.namespace))
    });
    found.into_iter().map(|(_, opened)| opened).collect()
}

/// The Gateways of the Gateway API that apply to the proxy and have ListenerSets beside them.
pub(super) fn with_listener_sets<'s>(facts: &Facts<'s>) -> Vec<&'s ObjectName> {
    let has_sets = |policy: &&Policy| match &policy.spec {
        PolicySpec::Gateway(spec) => spec.listener_sets > 0 && served(policy, spec, &facts.targets(), facts).is_some(),
        _ => false,
    };
    facts.objects.policies_of(Kind::Gateway).filter(has_sets).map(|policy| &policy.name).collect()
}

/// Whether a `networking.istio.io` Gateway is for the proxy.
pub(super) fn selects(policy: &Policy, facts: &Facts<'_>) -> bool {
    let in_scope = !facts.plane.features.scope_gateway_to_namespace || policy.name.namespace == facts.namespace();
    in_scope && facts.sees(policy) && policy.selector.as_ref().is_none_or(|selector| selector.matches(&facts.pod.labels))
}

/// The ports that a Gateway of the Gateway API can open on the proxy: those of its own Service, or of the Services that its
/// addresses name. None where it is for other proxies; no ports at all where its Service was not read.
fn served<'t, 's>(
    policy: &Policy,
    spec: &GatewaySpec,
    targets: &'t [ServiceTarget<'s>],
    facts: &Facts<'_>,
) -> Option<Option<Vec<&'t ServiceTarget<'s>>>> {
    let namespace = &policy.name.namespace;
    if spec.services.is_empty() {
        let own = facts.pod.labels.get(GATEWAY_NAME).is_some_and(|name| policy.name == ObjectName::new(facts.namespace(), name));
        let of_own = |target: &&ServiceTarget<'_>| target.service.labels.get(GATEWAY_NAME).is_none_or(|name| *name == policy.name.name);
        return own.then(|| (!targets.is_empty()).then(|| targets.iter().filter(of_own).collect()));
    }
    let is_named = |target: &&ServiceTarget<'_>| {
        let host =
            |wanted: &String| if wanted.contains('.') { wanted.clone() } else { format!("{wanted}.{namespace}.svc.{}", facts.domain) };
        target.service.name.namespace == *namespace
            && spec.services.iter().any(|wanted| target.service.hosts(&facts.domain).contains(&host(wanted)))
    };
    let named: Vec<&ServiceTarget<'_>> = targets.iter().filter(is_named).collect();
    (!named.is_empty()).then_some(Some(named))
}

/// The label of a Service whose ports are not translated (`DisableGatewayPortTranslationLabel`).
const NO_TRANSLATION: &str = "experimental.istio.io/disable-gateway-port-translation";

/// A Gateway's port stands for that of a Service of the gateway, which leads to another one, or for itself.
fn of_server(server: &Server, gateway: &ObjectName, targets: &[ServiceTarget<'_>], facts: &Facts<'_>) -> Opened {
    let translated = targets.iter().find(|target| target.port.port == server.port && !target.service.labels.contains_key(NO_TRANSLATION));
    Opened {
        object: gateway.clone(),
        gateway: gateway.clone(),
        port: translated.map_or(server.port, |target| target.target),
        server_port: server.port,
        protocol: Protocol::parse(&server.protocol, facts.plane.version),
        word: server.protocol.clone(),
        bind: server.bind.clone(),
        hosts: without_any_namespace(&server.hosts, &gateway.namespace),
        tls_mode: server.tls_mode.clone(),
        port_name: server.port_name.clone(),
    }
}

/// `./host` is of the Gateway's namespace, `*/host` of any (`sanitizeServerHostNamespace`).
fn without_any_namespace(hosts: &[String], namespace: &str) -> Vec<String> {
    if hosts.iter().any(|host| host == "*/*") {
        return vec!["*".to_owned()];
    }
    let of = |host: &String| match host.split_once('/') {
        Some((".", name)) => format!("{namespace}/{name}"),
        Some(("*", name)) => name.to_owned(),
        _ => host.clone(),
    };
    hosts.iter().map(of).collect()
}

/// A listener of the Gateway API is made where the gateway's Service has its port, and where the controller programs it.
fn of_listener(listener: &GatewayListener, gateway: &ObjectName, targets: Option<&[&ServiceTarget<'_>]>, facts: &Facts<'_>) -> Vec<Opened> {
    let protocol = Protocol::parse(&listener.protocol, facts.plane.version);
    let lacks_tls = listener.tls_mode.is_empty() && protocol.is_tls();
    let is_known = matches!(listener.protocol.as_str(), "HTTP" | "HTTPS" | "TLS" | "TCP");
    if listener.not_programmed.is_some() || lacks_tls || !is_known {
        return Vec::new();
    }
    let ports: BTreeSet<u16> = match targets {
        None => BTreeSet::from([listener.port]),
        Some(targets) => targets.iter().filter(|target| target.port.port == listener.port).map(|target| target.target).collect(),
    };
    let tls_mode = match listener.tls_mode.as_str() {
        "" => None,
        "Passthrough" => Some("PASSTHROUGH".to_owned()),
        _ => Some("SIMPLE".to_owned()),
    };
    let host = if listener.hostname.is_empty() { "*" } else { &listener.hostname };
    let of = |port: u16| Opened {
        object: gateway.clone(),
        gateway: ObjectName::new(&gateway.namespace, format!("{}-istio-autogenerated-k8s-gateway-{}", gateway.name, listener.name)),
        port,
        server_port: listener.port,
        protocol,
        word: listener.protocol.clone(),
        bind: String::new(),
        hosts: vec![host.to_owned()],
        tls_mode: tls_mode.clone(),
        port_name: "default".to_owned(),
    };
    ports.into_iter().map(of).collect()
}
