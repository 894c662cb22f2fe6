//! VirtualServices and DestinationRules: where requests go, and what clients send.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, port_of, str_of, texts};
use crate::model::ids::ObjectName;
use crate::model::labels::Selector;
use crate::model::routing::{
    ClientTls, ClientTlsSettings, DestinationRule, RouteMatch, RouteProtocol, RouteRule, RouteTarget, Subset, SubsetRoute, TextMatch,
    TrafficPolicy, VirtualService,
};

pub(super) fn virtual_service(fields: &mut Fields<'_>) -> VirtualService {
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
        rules: rules(fields),
    }
}

fn rules(fields: &mut Fields<'_>) -> Vec<RouteRule> {
    let own = &fields.name.namespace;
    let lists = [("/spec/http", RouteProtocol::Http), ("/spec/tls", RouteProtocol::Tls), ("/spec/tcp", RouteProtocol::Tcp)];
    lists.into_iter().flat_map(|(pointer, protocol)| fields.list(pointer).iter().map(move |item| rule(item, protocol, own))).collect()
}

fn rule(item: &Value, protocol: RouteProtocol, own: &str) -> RouteRule {
    let has = |field: &str| item.get(field).is_some_and(|value| !value.is_null());
    let targets = items(item, "route");
    let takes = |target: &&Value| targets.len() == 1 || target.get("weight").and_then(Value::as_u64).is_some_and(|weight| weight > 0);
    RouteRule {
        protocol,
        name: str_of(item, "/name").to_owned(),
        matches: items(item, "match").iter().map(route_match).collect(),
        targets: targets.iter().filter(takes).filter_map(|target| target.get("destination")).map(route_target).collect(),
        fault: has("fault"),
        timeout: has("timeout"),
        delegate: delegate(item, own),
    }
}

/// What a match asks for that no access log shows.
const NOT_LOGGED: [&str; 7] = ["headers", "withoutHeaders", "queryParams", "scheme", "sniHosts", "destinationSubnets", "sourceSubnet"];

fn route_match(item: &Value) -> RouteMatch {
    let is_filled = |value: &Value| match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        value => !value.is_null(),
    };
    let labels = item.get("sourceLabels").and_then(Value::as_object).into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    RouteMatch {
        name: str_of(item, "/name").to_owned(),
        uri: text_match(item.get("uri")),
        ignores_case: item.get("ignoreUriCase").and_then(Value::as_bool).unwrap_or_default(),
        method: text_match(item.get("method")),
        authority: text_match(item.get("authority")),
        port: port_of(item, "/port"),
        source_labels: Selector::of(labels.map(|(key, value)| (key.clone(), text(value))).collect()),
        source_namespace: str_of(item, "/sourceNamespace").to_owned(),
        gateways: texts(items(item, "gateways"), ""),
        asks_more: NOT_LOGGED.iter().any(|field| item.get(*field).is_some_and(is_filled)),
    }
}

fn text_match(value: Option<&Value>) -> Option<TextMatch> {
    let of = |field: &str| value?.get(field)?.as_str().map(str::to_owned);
    of("exact").map(TextMatch::Exact).or_else(|| of("prefix").map(TextMatch::Prefix)).or_else(|| of("regex").map(TextMatch::Regex))
}

fn route_target(destination: &Value) -> RouteTarget {
    RouteTarget {
        host: str_of(destination, "/host").to_owned(),
        subset: str_of(destination, "/subset").to_owned(),
        port: port_of(destination, "/port/number"),
    }
}

/// The VirtualService to which a route delegates, by default of the same namespace
/// (`pilot/pkg/model/virtualservice.go: mergeVirtualServicesIfNeeded`).
fn delegate(route: &Value, own: &str) -> Option<ObjectName> {
    let delegate = route.get("delegate").filter(|delegate| !delegate.is_null())?;
    let namespace = Some(str_of(delegate, "/namespace")).filter(|namespace| !namespace.is_empty()).unwrap_or(own);
    Some(ObjectName::new(namespace, str_of(delegate, "/name")))
}

fn items<'v>(object: &'v Value, list: &str) -> &'v [Value] {
    object.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
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

pub(super) fn destination_rule(fields: &mut Fields<'_>) -> DestinationRule {
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
    let has = |field: &str| policy.get(field).is_some_and(|value| !value.is_null());
    TrafficPolicy {
        tls: client_tls(fields, policy, pointer),
        ports,
        passthrough: str_of(policy, "/loadBalancer/simple") == "PASSTHROUGH",
        connection_pool: has("connectionPool"),
        outlier_detection: has("outlierDetection"),
    }
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
