//! EnvoyFilters, Sidecars and Gateways: where they stand and what they select.

use super::fields::{Fields, label_selector, port_of, str_of};
use crate::model::kind::Kind;
use crate::model::policy::{Policy, RoutesFrom};

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
        labels: fields.labels("/metadata/labels"),
        selector: fields.selector(selector, labels),
        gateway_class: if kind == Kind::Gateway { fields.text("/spec/gatewayClassName") } else { String::new() },
        target_refs: references.iter().map(|value| format!("{} {}", str_of(value, "/kind"), str_of(value, "/name"))).collect(),
        ports: fields.list(ports).iter().filter_map(|item| port_of(item, number)).collect(),
        routes_from: if kind == Kind::Gateway { routes_from(fields) } else { RoutesFrom::Same },
        created: fields.created(),
    }
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
