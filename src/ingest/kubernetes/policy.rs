//! EnvoyFilters, Sidecars, Gateways, VirtualServices, DestinationRules, and the policies of requests: where they stand, what they select, and what they
//! say about listeners and mutual TLS.

use serde_json::Value;

use super::authorization;
use super::envoy_filter::envoy_filter;
use super::fields::{Fields, label_selector, port_of, str_of, texts};
use super::routing::{destination_rule, virtual_service};
use crate::model::gateway::{GatewayListener, GatewaySpec, RoutesFrom, Server};
use crate::model::kind::Kind;
use crate::model::labels::Selector;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::sidecar::{Egress, Ingress, Sidecar};

pub(super) fn read(kind: Kind, fields: &mut Fields<'_>) -> Policy {
    let spec = match kind {
        Kind::EnvoyFilter => PolicySpec::EnvoyFilter(envoy_filter(fields)),
        Kind::Sidecar => PolicySpec::Sidecar(sidecar(fields)),
        Kind::IstioGateway => PolicySpec::Servers(servers(fields)),
        Kind::VirtualService => PolicySpec::VirtualService(virtual_service(fields)),
        Kind::DestinationRule => PolicySpec::DestinationRule(destination_rule(fields)),
        Kind::AuthorizationPolicy | Kind::RequestAuthentication => PolicySpec::Requests(authorization::read(kind, fields)),
        _ => PolicySpec::Gateway(gateway(fields)),
    };
    Policy {
        kind,
        name: fields.name.clone(),
        labels: fields.labels("/metadata/labels"),
        selector: selector(kind, fields),
        created: fields.created(),
        changed: fields.changed(),
        spec,
    }
}

fn selector(kind: Kind, fields: &mut Fields<'_>) -> Option<Selector> {
    match kind {
        // The selector is the map itself.
        Kind::IstioGateway => fields.selector("/spec/selector", "/spec/selector"),
        Kind::EnvoyFilter | Kind::Sidecar => fields.selector("/spec/workloadSelector", "/spec/workloadSelector/labels"),
        Kind::AuthorizationPolicy | Kind::RequestAuthentication => fields.selector("/spec/selector", "/spec/selector/matchLabels"),
        Kind::DestinationRule => fields.selector("/spec/workloadSelector", "/spec/workloadSelector/matchLabels"),
        _ => None,
    }
}

fn sidecar(fields: &mut Fields<'_>) -> Sidecar {
    let mut ingress = Vec::new();
    for (index, item) in fields.list("/spec/ingress").iter().enumerate() {
        let Some(port) = port_of(item, "/port/number") else {
            fields.warn(&format!("/spec/ingress/{index}/port"), "has no number from 1 to 65535, so the entry was left out");
            continue;
        };
        let text = |pointer: &str| str_of(item, pointer).to_owned();
        ingress.push(Ingress {
            port,
            protocol: text("/port/protocol"),
            name: text("/port/name"),
            bind: text("/bind"),
            capture_mode: text("/captureMode"),
            endpoint: text("/defaultEndpoint"),
            tls: item.get("tls").is_some(),
        });
    }
    let egress = |item: &Value| Egress {
        port: port_of(item, "/port/number"),
        protocol: str_of(item, "/port/protocol").to_owned(),
        bind: str_of(item, "/bind").to_owned(),
        capture_mode: str_of(item, "/captureMode").to_owned(),
        hosts: texts(item.get("hosts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(), ""),
    };
    // REGISTRY_ONLY is the value 0 of the enum, so what stands where nothing is written.
    let outbound_mode = fields.get("/spec/outboundTrafficPolicy").map(|policy| match str_of(policy, "/mode") {
        "" => "REGISTRY_ONLY".to_owned(),
        mode => mode.to_owned(),
    });
    Sidecar { ingress, egress: fields.list("/spec/egress").iter().map(egress).collect(), outbound_mode: outbound_mode.unwrap_or_default() }
}

fn servers(fields: &mut Fields<'_>) -> Vec<Server> {
    let mut found = Vec::new();
    for (index, item) in fields.list("/spec/servers").iter().enumerate() {
        let Some(port) = port_of(item, "/port/number") else {
            fields.warn(&format!("/spec/servers/{index}/port"), "has no number from 1 to 65535, so the server was left out");
            continue;
        };
        let text = |pointer: &str| str_of(item, pointer).to_owned();
        // PASSTHROUGH is the value 0 of the enum, so what stands where nothing is written.
        let tls_mode = item.get("tls").map(|_| match str_of(item, "/tls/mode") {
            "" => "PASSTHROUGH".to_owned(),
            mode => mode.to_owned(),
        });
        found.push(Server {
            port,
            protocol: text("/port/protocol"),
            port_name: text("/port/name"),
            bind: text("/bind"),
            hosts: texts(item.get("hosts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default(), ""),
            tls_mode,
        });
    }
    found
}

fn gateway(fields: &mut Fields<'_>) -> GatewaySpec {
    let statuses = fields.list("/status/listeners");
    let mut listeners = Vec::new();
    for (index, item) in fields.list("/spec/listeners").iter().enumerate() {
        let Some(port) = port_of(item, "/port") else {
            fields.warn(&format!("/spec/listeners/{index}/port"), "is not a port from 1 to 65535, so the listener was left out");
            continue;
        };
        let text = |pointer: &str| str_of(item, pointer).to_owned();
        let name = text("/name");
        let tls_mode = item.get("tls").map(|_| match str_of(item, "/tls/mode") {
            "" => "Terminate".to_owned(),
            mode => mode.to_owned(),
        });
        listeners.push(GatewayListener {
            port,
            protocol: text("/protocol"),
            hostname: text("/hostname"),
            tls_mode: tls_mode.unwrap_or_default(),
            not_programmed: statuses.iter().find(|status| str_of(status, "/name") == name).and_then(not_programmed),
            name,
        });
    }
    GatewaySpec {
        class: fields.text("/spec/gatewayClassName"),
        listeners,
        services: named_services(fields),
        listener_sets: fields.get("/status/attachedListenerSets").and_then(Value::as_u64).unwrap_or_default(),
        routes_from: routes_from(fields),
    }
}

/// A Gateway with one address that is an IP address, or none, has a deployment of its own
/// (`pilot/pkg/config/kube/gatewaycommon/gateway_utils.go: IsManaged`).
fn named_services(fields: &mut Fields<'_>) -> Vec<String> {
    let addresses = fields.list("/spec/addresses");
    if let [address] = addresses
        && matches!(str_of(address, "/type"), "" | "IPAddress")
    {
        return Vec::new();
    }
    let is_host = |address: &&Value| matches!(str_of(address, "/type"), "" | "Hostname");
    addresses.iter().filter(is_host).map(|address| str_of(address, "/value").to_owned()).collect()
}

/// A waypoint's listener is the one for HBONE on port 15008 (`pilot/pkg/serviceregistry/ambient/waypoints.go: makeAllowedRoutes`).
fn routes_from(fields: &mut Fields<'_>) -> RoutesFrom {
    let listeners = fields.list("/spec/listeners").iter();
    let mut of_waypoint =
        listeners.filter(|listener| str_of(listener, "/protocol") == "HBONE" && port_of(listener, "/port") == Some(15008));
    let Some(namespaces) = of_waypoint.next().and_then(|listener| listener.pointer("/allowedRoutes/namespaces")) else {
        return RoutesFrom::Same;
    };
    match str_of(namespaces, "/from") {
        "All" => RoutesFrom::All,
        "Selector" => RoutesFrom::Selector(namespaces.get("selector").map(label_selector).unwrap_or_default()),
        _ => RoutesFrom::Same,
    }
}

fn not_programmed(status: &Value) -> Option<String> {
    let conditions = status.get("conditions").and_then(Value::as_array)?;
    let is_false = |types: &[&str]| {
        let is_one = |condition: &&Value| types.contains(&str_of(condition, "/type")) && str_of(condition, "/status") == "False";
        conditions.iter().find(is_one)
    };
    let refused = is_false(&["Programmed", "Accepted"])?;
    // What a listener refers to says more than that its TLS is bad.
    let reason = is_false(&["ResolvedRefs"]).unwrap_or(refused);
    Some(format!("{}: {}", str_of(reason, "/reason"), str_of(reason, "/message")))
}
