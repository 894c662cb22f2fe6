//! EnvoyFilters, Sidecars, Gateways, VirtualServices and DestinationRules: where they stand, what they select, and what they
//! say about listeners and mutual TLS.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, label_selector, port_of, str_of, texts};
use super::plugin::target_ref;
use crate::model::envoy_filter::{EnvoyFilter, Patch};
use crate::model::gateway::{GatewayListener, GatewaySpec, RoutesFrom, Server};
use crate::model::kind::Kind;
use crate::model::labels::Selector;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::routing::{ClientTls, ClientTlsSettings, DestinationRule, Subset, SubsetRoute, TrafficPolicy, VirtualService};
use crate::model::sidecar::{Egress, Ingress, Sidecar};

pub(super) fn read(kind: Kind, fields: &mut Fields<'_>) -> Policy {
    let spec = match kind {
        Kind::EnvoyFilter => PolicySpec::EnvoyFilter(envoy_filter(fields)),
        Kind::Sidecar => PolicySpec::Sidecar(sidecar(fields)),
        Kind::IstioGateway => PolicySpec::Servers(servers(fields)),
        Kind::VirtualService => PolicySpec::VirtualService(virtual_service(fields)),
        Kind::DestinationRule => PolicySpec::DestinationRule(destination_rule(fields)),
        _ => PolicySpec::Gateway(gateway(fields)),
    };
    Policy {
        kind,
        name: fields.name.clone(),
        labels: fields.labels("/metadata/labels"),
        selector: selector(kind, fields),
        created: fields.created(),
        spec,
    }
}

fn selector(kind: Kind, fields: &mut Fields<'_>) -> Option<Selector> {
    match kind {
        // The selector is the map itself.
        Kind::IstioGateway => fields.selector("/spec/selector", "/spec/selector"),
        Kind::EnvoyFilter | Kind::Sidecar => fields.selector("/spec/workloadSelector", "/spec/workloadSelector/labels"),
        Kind::DestinationRule => fields.selector("/spec/workloadSelector", "/spec/workloadSelector/matchLabels"),
        _ => None,
    }
}

fn envoy_filter(fields: &mut Fields<'_>) -> EnvoyFilter {
    let patch = |item: &Value| Patch {
        apply_to: str_of(item, "/applyTo").to_owned(),
        context: match str_of(item, "/match/context") {
            "" => "ANY".to_owned(),
            context => context.to_owned(),
        },
        proxy_version: str_of(item, "/match/proxy/proxyVersion").to_owned(),
        listener: str_of(item, "/match/listener/name").to_owned(),
        port: port_of(item, "/match/listener/portNumber"),
        // INVALID is the value 0 of the enum, so it counts where nothing is written.
        operation: item
            .get("patch")
            .map(|patch| str_of(patch, "/operation"))
            .map_or("", |word| if word.is_empty() { "INVALID" } else { word })
            .to_owned(),
        value_name: str_of(item, "/patch/value/name").to_owned(),
    };
    EnvoyFilter {
        target_refs: fields.list("/spec/targetRefs").iter().map(target_ref).collect(),
        patches: fields.list("/spec/configPatches").iter().map(patch).collect(),
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
            tls: item.get("tls").is_some(),
        });
    }
    let egress = |item: &Value| Egress {
        port: port_of(item, "/port/number"),
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
    let refused = conditions
        .iter()
        .find(|condition| matches!(str_of(condition, "/type"), "Programmed" | "Accepted") && str_of(condition, "/status") == "False")?;
    Some(format!("{}: {}", str_of(refused, "/reason"), str_of(refused, "/message")))
}

fn virtual_service(fields: &mut Fields<'_>) -> VirtualService {
    let destinations = destinations(fields);
    let mut hosts: Vec<String> = destinations.iter().map(|destination| str_of(destination, "/host").to_owned()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    VirtualService {
        hosts: texts(fields.list("/spec/hosts"), ""),
        gateways: texts(fields.list("/spec/gateways"), ""),
        export_to: texts(fields.list("/spec/exportTo"), ""),
        tcp: !fields.list("/spec/tcp").is_empty(),
        tls: !fields.list("/spec/tls").is_empty(),
        destinations: hosts,
        subsets: destinations.into_iter().filter_map(subset_route).collect(),
    }
}

/// The destinations of routes and mirrors of every protocol.
fn destinations<'v>(fields: &mut Fields<'v>) -> Vec<&'v Value> {
    let routes = ["/spec/http", "/spec/tls", "/spec/tcp"].into_iter().flat_map(|pointer| fields.list(pointer));
    let of_route = |route: &'v Value| {
        let weighted = ["route", "mirrors"].into_iter().filter_map(|list| route.get(list)?.as_array()).flatten();
        weighted.filter_map(|item| item.get("destination")).chain(route.get("mirror"))
    };
    routes.flat_map(of_route).collect()
}

/// A destination that names a subset. Routes of the Gateway API have none.
fn subset_route(destination: &Value) -> Option<SubsetRoute> {
    let subset = str_of(destination, "/subset");
    (!subset.is_empty()).then(|| SubsetRoute {
        host: str_of(destination, "/host").to_owned(),
        subset: subset.to_owned(),
        port: port_of(destination, "/port/number"),
    })
}

fn destination_rule(fields: &mut Fields<'_>) -> DestinationRule {
    let policy = fields.get("/spec/trafficPolicy").map(|policy| traffic_policy(fields, policy, "/spec/trafficPolicy"));
    let mut subsets = Vec::new();
    for (index, item) in fields.list("/spec/subsets").iter().enumerate() {
        let pointer = format!("/spec/subsets/{index}");
        subsets.push(Subset {
            name: str_of(item, "/name").to_owned(),
            labels: Selector::of(fields.labels(&format!("{pointer}/labels"))),
            policy: item.get("trafficPolicy").map(|policy| traffic_policy(fields, policy, &format!("{pointer}/trafficPolicy"))),
        });
    }
    DestinationRule { host: fields.text("/spec/host"), export_to: texts(fields.list("/spec/exportTo"), ""), policy, subsets }
}

fn traffic_policy(fields: &mut Fields<'_>, policy: &Value, pointer: &str) -> TrafficPolicy {
    let mut ports = BTreeMap::new();
    for (index, item) in fields.list(&format!("{pointer}/portLevelSettings")).iter().enumerate() {
        match port_of(item, "/port/number") {
            // Of several for one port the first counts.
            Some(port) => {
                let tls = client_tls(fields, item, &format!("{pointer}/portLevelSettings/{index}"));
                ports.entry(port).or_insert(tls);
            }
            None => fields.warn(&format!("{pointer}/portLevelSettings/{index}/port"), "has no number from 1 to 65535"),
        }
    }
    TrafficPolicy { tls: client_tls(fields, policy, pointer), ports, passthrough: str_of(policy, "/loadBalancer/simple") == "PASSTHROUGH" }
}

/// A client verifies the server's certificate where it has a CA for that. ISTIO_MUTUAL has the mesh's, and looks at no `insecureSkipVerify`
/// (`pilot/pkg/networking/core/cluster_tls.go: buildUpstreamClusterTLSContext, constructUpstreamTLS`).
fn client_tls(fields: &mut Fields<'_>, policy: &Value, pointer: &str) -> Option<ClientTlsSettings> {
    let tls = policy.get("tls").filter(|tls| !tls.is_null())?;
    let mode = client_tls_mode(fields, tls, pointer)?;
    let has = |field: &str| !str_of(tls, field).is_empty();
    let skips = tls.get("insecureSkipVerify").and_then(Value::as_bool).unwrap_or_default();
    let verifies = match mode {
        ClientTls::IstioMutual => true,
        ClientTls::Simple | ClientTls::Mutual => !skips && (has("/caCertificates") || has("/credentialName")),
        ClientTls::Disable | ClientTls::MutualWithoutCertificate => false,
    };
    let names = tls.get("subjectAltNames").and_then(Value::as_array).filter(|_| verifies);
    Some(ClientTlsSettings { mode, subject_alt_names: names.map(|names| texts(names, "")).unwrap_or_default() })
}

/// DISABLE is the value 0 of the enum, so it is the mode where nothing is written. A certificate is a Secret, or two files of the client.
fn client_tls_mode(fields: &mut Fields<'_>, tls: &Value, pointer: &str) -> Option<ClientTls> {
    let word = str_of(tls, "/mode");
    if word.is_empty() {
        return Some(ClientTls::Disable);
    }
    let found = ClientTls::ALL.into_iter().find(|mode| mode.as_str() == word);
    let has = |field: &str| !str_of(tls, field).is_empty();
    if found == Some(ClientTls::Mutual) && !has("/credentialName") && !(has("/clientCertificate") && has("/privateKey")) {
        return Some(ClientTls::MutualWithoutCertificate);
    }
    if found.is_none() {
        fields.warn(&format!("{pointer}/tls/mode"), format_args!("is {word}, which is not a mode; taken as if there were no tls"));
    }
    found
}
