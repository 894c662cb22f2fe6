//! Pods, and the proxy in each: as injection (`pkg/kube/inject`) and the gateway controllers leave them.

use serde_json::Value;

use super::fields::{Fields, or_tcp, port_of, str_of};
use super::{features, owner, proxy_id};
use crate::ingest::logs::instant;
use crate::ingest::yaml;
use crate::model::capture::{Capture, OutboundCapture, Setting, SettingOf};
use crate::model::labels::Labels;
use crate::model::workload::{ContainerPort, Injection, Pod, ProxyContainer, ProxyKind};

/// Istio's name for the container; ztunnel's has it too.
const PROXY: &str = "istio-proxy";

/// A pod's own word on whether it wants a sidecar.
const INJECT: &str = "sidecar.istio.io/inject";

pub(super) fn read(fields: &mut Fields<'_>) -> Pod {
    let labels = fields.labels("/metadata/labels");
    let annotations = fields.labels("/metadata/annotations");
    let containers = fields.list("/spec/containers");
    let ready = fields.list("/status/conditions").iter().find(|condition| is_true(condition, "Ready"));
    Pod {
        id: proxy_id(fields.name),
        owner: owner::controller(fields),
        is_workload_entry: false,
        by_node: false,
        proxy: proxy(fields, &labels, &annotations),
        phase: fields.text("/status/phase"),
        ready: ready.is_some(),
        ready_since: ready.and_then(|condition| instant(str_of(condition, "/lastTransitionTime"))),
        deleting: fields.get("/metadata/deletionTimestamp").is_some(),
        ips: fields.list("/status/podIPs").iter().map(|ip| str_of(ip, "/ip").to_owned()).filter(|ip| !ip.is_empty()).collect(),
        container_ports: containers
            .iter()
            .chain(fields.list("/spec/initContainers").iter().filter(|one| stays(one)))
            .flat_map(ports)
            .collect(),
        revision: annotations.get("istio.io/rev").cloned().or_else(|| status_revision(&annotations)),
        service_account: fields.optional_text("/spec/serviceAccountName"),
        injection: Injection {
            choice: labels.get(INJECT).or_else(|| annotations.get(INJECT)).cloned(),
            host_network: fields.truth("/spec/hostNetwork"),
            ambient: annotations.get("ambient.istio.io/redirection").is_some_and(|state| state == "enabled"),
        },
        istiod: features::read(fields, &labels),
        unready: unready(fields),
        labels,
    }
}

/// Injection writes down which revision it is of; as an annotation of its own since Istio 1.18.
fn status_revision(annotations: &Labels) -> Option<String> {
    let status: Value = serde_json::from_str(annotations.get("sidecar.istio.io/status")?).ok()?;
    Some(str_of(&status, "/revision").to_owned()).filter(|revision| !revision.is_empty())
}

fn is_true(condition: &Value, name: &str) -> bool {
    str_of(condition, "/type") == name && str_of(condition, "/status") == "True"
}

/// What a container waits for says more than the condition.
fn unready(fields: &mut Fields<'_>) -> Option<String> {
    let ready = fields.list("/status/conditions").iter().find(|condition| str_of(condition, "/type") == "Ready");
    let phase = fields.text("/status/phase");
    let is_unready = ready.map_or(matches!(phase.as_str(), "Pending" | "Failed"), |ready| str_of(ready, "/status") != "True");
    let waits = fields.list("/status/containerStatuses").iter().map(|status| str_of(status, "/state/waiting/reason"));
    let reasons = waits.chain(ready.map(|ready| str_of(ready, "/reason"))).find(|reason| !reason.is_empty());
    is_unready.then(|| reasons.map_or(phase, str::to_owned))
}

fn ports(container: &Value) -> impl Iterator<Item = ContainerPort> {
    let ports = container.get("ports").and_then(Value::as_array);
    let port = |port: &Value| {
        let (name, protocol) = (str_of(port, "/name").to_owned(), or_tcp(str_of(port, "/protocol")));
        Some(ContainerPort { name, number: port_of(port, "/containerPort")?, protocol })
    };
    ports.into_iter().flatten().filter_map(port)
}

fn proxy(fields: &mut Fields<'_>, labels: &Labels, annotations: &Labels) -> Option<ProxyContainer> {
    let named = |containers: &'_ [Value]| containers.iter().position(|container| str_of(container, "/name") == PROXY);
    let (containers, init) = (fields.list("/spec/containers"), fields.list("/spec/initContainers"));
    let (container, statuses, native) = match (named(containers), named(init).filter(|index| stays(&init[*index]))) {
        (Some(index), _) => (&containers[index], "/status/containerStatuses", false),
        (None, Some(index)) => (&init[index], "/status/initContainerStatuses", true),
        (None, None) => return None,
    };
    let status = fields.list(statuses).iter().find(|status| str_of(status, "/name") == PROXY);
    Some(ProxyContainer {
        container: PROXY.to_owned(),
        kind: proxy_kind(container, labels),
        admin_port: admin_port(container, annotations),
        native,
        running: status.is_some_and(|status| status.pointer("/state/running").is_some()),
        started: status.and_then(|status| instant(str_of(status, "/state/running/startedAt"))),
        restarted: status.is_some_and(|status| status.get("restartCount").and_then(Value::as_u64) > Some(0)),
        interception_mode: annotations
            .get("sidecar.istio.io/interceptionMode")
            .cloned()
            .unwrap_or_else(|| variable(container, "ISTIO_META_INTERCEPTION_MODE").to_owned()),
        hbone: matches!(variable(container, "ISTIO_META_ENABLE_HBONE"), "true" | "1"),
        capture: capture(init, annotations),
    })
}

/// Injection writes the annotations, and the mesh's defaults where there are none, into the arguments of the container that redirects traffic,
/// or under CNI of the one that checks it (`manifests/charts/istio-control/istio-discovery/files/injection-template.yaml`).
fn capture(init_containers: &[Value], annotations: &Labels) -> Capture {
    let redirects = |container: &&Value| matches!(str_of(container, "/name"), "istio-init" | "istio-validation");
    let container = init_containers.iter().find(redirects);
    let arguments = container.map(arguments).unwrap_or_default();
    let argument = |flag: &str| arguments.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1]);
    let setting = |name: &str, flag: &str, default: &str| {
        let annotation = annotations.get(&format!("traffic.sidecar.istio.io/{name}")).map(|value| (value.as_str(), SettingOf::Annotation));
        let (value, of) = annotation.or_else(|| Some((argument(flag)?, SettingOf::InitContainer)))?;
        (value.trim() != default).then(|| Setting { value: value.to_owned(), of })
    };
    Capture {
        include_ports: setting("includeInboundPorts", "-b", "*"),
        exclude_ports: setting("excludeInboundPorts", "-d", ""),
        outbound: OutboundCapture {
            exclude_ports: setting("excludeOutboundPorts", "-o", ""),
            exclude_ranges: setting("excludeOutboundIPRanges", "-x", ""),
            include_ports: setting("includeOutboundPorts", "-q", ""),
            include_ranges: setting("includeOutboundIPRanges", "-i", "*"),
        },
    }
}

fn arguments(container: &Value) -> Vec<&str> {
    container.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A native sidecar is an init container that stays; any other is over by the time that the pod runs.
fn stays(init_container: &Value) -> bool {
    str_of(init_container, "/restartPolicy") == "Always"
}

/// The value of an environment variable of a container; empty where it is not set.
fn variable<'v>(container: &'v Value, name: &str) -> &'v str {
    let variables = container.get("env").and_then(Value::as_array).into_iter().flatten();
    variables.clone().find(|variable| str_of(variable, "/name") == name).map(|variable| str_of(variable, "/value")).unwrap_or_default()
}

fn proxy_kind(container: &Value, labels: &Labels) -> ProxyKind {
    let arguments = arguments(container);
    let label = |key: &str| labels.get(key).map(String::as_str).unwrap_or_default();
    let role = arguments.windows(2).find(|pair| pair[0] == "proxy").map(|pair| pair[1]);
    match role {
        Some("ztunnel") => ProxyKind::Ztunnel,
        Some("waypoint") => ProxyKind::Waypoint,
        _ if label("app") == "ztunnel" => ProxyKind::Ztunnel,
        _ if matches!(label("gateway.networking.k8s.io/gateway-class-name"), "istio-waypoint" | "istio-east-west") => ProxyKind::Waypoint,
        _ if labels.contains_key("gateway.networking.k8s.io/gateway-name") => ProxyKind::Gateway,
        Some("router") => ProxyKind::ClassicGateway,
        _ => ProxyKind::Sidecar,
    }
}

/// `proxyAdminPort` of the pod's own ProxyConfig: the annotation, or what injection made of it in the environment.
fn admin_port(container: &Value, annotations: &Labels) -> Option<u16> {
    let injected = Some(variable(container, "PROXY_CONFIG"));
    let annotation = annotations.get("proxy.istio.io/config").map(String::as_str);
    // YAML is slow to read and few pods set it: the word is looked for first.
    [annotation, injected].into_iter().flatten().filter(|text| text.contains("proxyAdminPort")).find_map(|text| {
        let config = yaml::parse(text).ok()?;
        port_of(&config, "/proxyAdminPort")
    })
}
