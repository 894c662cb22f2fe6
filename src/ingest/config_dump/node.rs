//! `bootstrap.node`: who the proxy is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Reader;
use super::json::{Text, field, owned};
use crate::ingest::kubernetes::or_tcp;
use crate::model::envoy::Node;
use crate::model::workload::ContainerPort;

#[derive(Deserialize)]
struct Section<'a> {
    #[serde(borrow, default)]
    bootstrap: Option<Bootstrap<'a>>,
}

#[derive(Deserialize)]
struct Bootstrap<'a> {
    #[serde(borrow, default)]
    node: Option<RawNode<'a>>,
}

#[derive(Deserialize)]
struct RawNode<'a> {
    #[serde(borrow, default)]
    id: Text<'a>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "userAgentBuildVersion")]
    user_agent_build_version: Option<&'a RawValue>,
}

/// Where the node says the ports of its own static listeners (`pkg/model/proxy.go: NodeMetadata`).
const OWN_PORTS: [&str; 4] =
    ["ENVOY_STATUS_PORT", "ENVOY_PROMETHEUS_PORT", "ENVOY_SECURE_METRICS_PORT", "ENVOY_SECURE_MERGED_METRICS_PORT"];

/// One of `metadata.POD_PORTS`, which is a JSON text (`pkg/model/proxy.go: PodPortList`).
#[derive(Deserialize)]
struct PodPort {
    #[serde(default)]
    name: String,
    #[serde(rename = "containerPort")]
    container_port: u16,
    #[serde(default)]
    protocol: String,
}

impl PodPort {
    fn understood(self) -> ContainerPort {
        ContainerPort { name: self.name, number: self.container_port, protocol: or_tcp(&self.protocol) }
    }
}

impl Reader<'_> {
    pub(super) fn bootstrap(&mut self, raw: &RawValue, place: &str) {
        match serde_json::from_str::<Section<'_>>(raw.get()) {
            Ok(Section { bootstrap: Some(Bootstrap { node: Some(node) }) }) => self.dump.node = Some(understand(node)),
            // istiod writes the section without a bootstrap.
            Ok(_) => {}
            Err(error) => self.warn(place, error),
        }
    }
}

fn understand(raw: RawNode<'_>) -> Node {
    let metadata: Value = raw.metadata.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let text = |key: &str| -> String {
        match metadata.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        }
    };
    let labels: BTreeMap<String, String> = metadata
        .get("LABELS")
        .and_then(Value::as_object)
        .map(|labels| labels.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
        .unwrap_or_default();
    Node {
        id: owned(raw.id),
        istio_version: text("ISTIO_VERSION"),
        envoy_version: raw.user_agent_build_version.map(envoy_version).unwrap_or_default(),
        namespace: text("NAMESPACE"),
        name: text("NAME"),
        workload_name: text("WORKLOAD_NAME"),
        owner: text("OWNER"),
        instance_ips: text("INSTANCE_IPS").split(',').filter(|ip| !ip.is_empty()).map(str::to_owned).collect(),
        interception_mode: text("INTERCEPTION_MODE"),
        enable_hbone: truth(&text("ENABLE_HBONE")),
        captures_dns: truth(&text("DNS_CAPTURE")),
        dns_auto_allocate: truth(&text("DNS_AUTO_ALLOCATE")),
        revision: metadata.pointer("/ANNOTATIONS/istio.io~1rev").and_then(Value::as_str).map(str::to_owned),
        pod_ports: serde_json::from_str::<Vec<PodPort>>(&text("POD_PORTS"))
            .map(|ports| ports.into_iter().map(PodPort::understood).collect())
            .unwrap_or_default(),
        labels,
        own_ports: OWN_PORTS.iter().filter_map(|key| text(key).parse().ok()).collect(),
        unprivileged: truth(&text("UNPRIVILEGED_POD")),
        http_proxy_port: text("HTTP_PROXY_PORT").parse().ok(),
    }
}

fn truth(text: &str) -> bool {
    matches!(text, "true" | "1")
}

fn envoy_version(raw: &RawValue) -> String {
    let version: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    let number = |snake: &str, camel: &str| {
        let version = version.get("version");
        version.and_then(|version| field(version, snake, camel)).and_then(Value::as_u64).unwrap_or_default()
    };
    let parts = [number("major_number", "majorNumber"), number("minor_number", "minorNumber"), number("patch", "patch")];
    if parts.iter().all(|part| *part == 0) {
        return String::new();
    }
    parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}
