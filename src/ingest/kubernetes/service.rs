//! Services and ServiceEntries.

use serde_json::Value;

use super::fields::{Fields, or_tcp, port_of, str_of, texts};
use crate::model::service::{Endpoint, Registry, Resolution, Service, ServicePort, TargetPort};

pub(super) fn read(fields: &mut Fields<'_>) -> Service {
    let mut ports = Vec::new();
    for (index, port) in fields.list("/spec/ports").iter().enumerate() {
        let Some(number) = port_of(port, "/port") else {
            fields.warn(&format!("/spec/ports/{index}/port"), "is not a port from 1 to 65535");
            continue;
        };
        let named = port.get("targetPort").and_then(Value::as_str).filter(|text| text.parse::<u16>().is_err());
        let target = match named {
            Some(name) => TargetPort::Name(name.to_owned()),
            None => TargetPort::Number(port_of(port, "/targetPort").unwrap_or(number)),
        };
        ports.push(ServicePort {
            port: number,
            name: str_of(port, "/name").to_owned(),
            protocol: or_tcp(str_of(port, "/protocol")),
            app_protocol: str_of(port, "/appProtocol").to_owned(),
            target,
        });
    }
    let (mut addresses, annotations) = (cluster_ips(fields), fields.labels("/metadata/annotations"));
    let headless = addresses.iter().any(|address| address == "None");
    addresses.retain(|address| address != "None");
    Service {
        name: fields.name.clone(),
        registry: Registry::Kubernetes,
        // A Service without a selector, or with an empty one, selects no pod.
        selector: fields.selector("/spec/selector", "/spec/selector").filter(|selector| !selector.is_empty()),
        labels: fields.labels("/metadata/labels"),
        entry_hosts: fields.optional_text("/spec/externalName").into_iter().collect(),
        resolution: match (fields.text("/spec/type").as_str(), addresses.is_empty()) {
            ("ExternalName", _) => Resolution::Alias,
            (_, true) if headless => Resolution::Passthrough,
            _ => Resolution::Static,
        },
        addresses,
        assigned: Vec::new(),
        external: false,
        export_to: annotations.get("networking.istio.io/exportTo").map(|text| split(text)).unwrap_or_default(),
        publishes_not_ready: fields.truth("/spec/publishNotReadyAddresses"),
        endpoints: Vec::new(),
        subject_alt_names: Vec::new(),
        ports,
        created: fields.created(),
    }
}

/// `clusterIPs`, or the single `clusterIP` that old API servers write; `None` is the word for a headless Service. The API server gives every
/// Service that has neither an address, but those of type ExternalName.
fn cluster_ips(fields: &mut Fields<'_>) -> Vec<String> {
    let mut found = texts(fields.list("/spec/clusterIPs"), "");
    if found.is_empty() {
        found.extend(fields.optional_text("/spec/clusterIP"));
    }
    found
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

pub(super) fn read_entry(fields: &mut Fields<'_>) -> Service {
    let mut ports = Vec::new();
    for (index, port) in fields.list("/spec/ports").iter().enumerate() {
        let Some(number) = port_of(port, "/number") else {
            fields.warn(&format!("/spec/ports/{index}/number"), "is not a port from 1 to 65535");
            continue;
        };
        ports.push(ServicePort {
            port: number,
            name: str_of(port, "/name").to_owned(),
            protocol: str_of(port, "/protocol").to_owned(),
            app_protocol: String::new(),
            target: TargetPort::Number(port_of(port, "/targetPort").unwrap_or(number)),
        });
    }
    Service {
        name: fields.name.clone(),
        registry: Registry::ServiceEntry,
        selector: fields.selector("/spec/workloadSelector", "/spec/workloadSelector/labels"),
        labels: fields.labels("/metadata/labels"),
        entry_hosts: texts(fields.list("/spec/hosts"), ""),
        addresses: texts(fields.list("/spec/addresses"), ""),
        assigned: fields
            .list("/status/addresses")
            .iter()
            .map(|item| (str_of(item, "/host").to_owned(), str_of(item, "/value").to_owned()))
            .collect(),
        resolution: resolution(fields),
        external: fields.text("/spec/location") != "MESH_INTERNAL",
        export_to: texts(fields.list("/spec/exportTo"), ""),
        publishes_not_ready: false,
        endpoints: fields.list("/spec/endpoints").iter().filter_map(endpoint).collect(),
        subject_alt_names: texts(fields.list("/spec/subjectAltNames"), ""),
        ports,
        created: fields.created(),
    }
}

fn endpoint(item: &serde_json::Value) -> Option<Endpoint> {
    let text = |pointer: &str| Some(str_of(item, pointer).to_owned()).filter(|text| !text.is_empty());
    Some(Endpoint { address: text("/address")?, ports: None, service_account: text("/serviceAccount") })
}

/// `MESH_EXTERNAL` and `NONE` are the values 0 of their enums, so what stands where nothing is written.
fn resolution(fields: &mut Fields<'_>) -> Resolution {
    match fields.text("/spec/resolution").as_str() {
        "" | "NONE" => Resolution::Passthrough,
        "STATIC" => Resolution::Static,
        "DNS" | "DNS_ROUND_ROBIN" => Resolution::Dns,
        "DYNAMIC_DNS" => Resolution::DynamicDns,
        other => {
            fields.warn("/spec/resolution", format_args!("is {other}, which is not a resolution; taken as NONE"));
            Resolution::Passthrough
        }
    }
}
