//! EnvoyFilters, Sidecars and Gateways: where they stand and what they select.

use super::fields::{Fields, port_of, str_of};
use crate::model::kind::Kind;
use crate::model::policy::Policy;

pub(super) fn read(kind: Kind, fields: &mut Fields<'_>) -> Policy {
    let (selector, labels, ports, number) = match kind {
        // `networking.istio.io` Gateway: the selector is the map itself.
        Kind::IstioGateway => ("/spec/selector", "/spec/selector", "/spec/servers", "/port/number"),
        Kind::Gateway => ("/spec/none", "/spec/none", "/spec/listeners", "/port"),
        _ => ("/spec/workloadSelector", "/spec/workloadSelector/labels", "/spec/ingress", "/port/number"),
    };
    let references = fields.list("/spec/targetRefs");
    Policy {
        kind,
        name: fields.name.clone(),
        selector: fields.selector(selector, labels),
        gateway_class: if kind == Kind::Gateway { fields.text("/spec/gatewayClassName") } else { String::new() },
        target_refs: references.iter().map(|value| format!("{} {}", str_of(value, "/kind"), str_of(value, "/name"))).collect(),
        ports: fields.list(ports).iter().filter_map(|item| port_of(item, number)).collect(),
        created: fields.created(),
    }
}
