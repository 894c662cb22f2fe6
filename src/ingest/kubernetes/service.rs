//! Services and ServiceEntries.

use serde_json::Value;

use super::fields::{Fields, port_of, str_of};
use crate::model::service::{Registry, Service, ServicePort, TargetPort};

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
            protocol: match str_of(port, "/protocol") {
                "" => "TCP".to_owned(),
                protocol => protocol.to_owned(),
            },
            app_protocol: str_of(port, "/appProtocol").to_owned(),
            target,
        });
    }
    Service {
        name: fields.name.clone(),
        registry: Registry::Kubernetes,
        // A Service without a selector, or with an empty one, selects no pod.
        selector: fields.selector("/spec/selector", "/spec/selector").filter(|selector| !selector.is_empty()),
        labels: fields.labels("/metadata/labels"),
        external_name: fields.text("/spec/type") == "ExternalName",
        ports,
        created: fields.created(),
    }
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
        external_name: false,
        ports,
        created: fields.created(),
    }
}
