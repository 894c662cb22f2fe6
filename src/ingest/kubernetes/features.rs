//! The switches of an istiod, read from the environment that its pod sets. Other variables are not kept.

use serde_json::Value;

use super::fields::{Fields, str_of};
use crate::model::labels::Labels;
use crate::model::mesh::Features;

/// The features of the istiod in a pod; None where the pod is none.
pub(super) fn read(fields: &mut Fields<'_>, labels: &Labels) -> Option<Features> {
    if labels.get("app").is_none_or(|app| app != "istiod") {
        return None;
    }
    let mut features = Features::default();
    let containers = fields.list("/spec/containers");
    let variables = containers.iter().filter_map(|container| container.get("env").and_then(Value::as_array)).flatten();
    for variable in variables {
        let Some(value) = truth(str_of(variable, "/value")) else { continue };
        match str_of(variable, "/name") {
            "PILOT_ENABLE_AMBIENT" => features.ambient = value,
            "PILOT_ENABLE_SIDECAR_LISTENING_HBONE" => features.hbone_listening = value,
            "PILOT_HTTP10" => features.http10 = value,
            "ISTIO_DUAL_STACK" => features.dual_stack = value,
            "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY" => features.selector_on_gateways = value,
            "PILOT_ALLOW_SIDECAR_SERVICE_INBOUND_LISTENER_MERGE" => features.merge_sidecar_ingress = value,
            "ENABLE_TLS_ON_SIDECAR_INGRESS" => features.sidecar_ingress_tls = value,
            "PILOT_ENABLE_QUIC_LISTENERS" => features.quic = value,
            "PILOT_SCOPE_GATEWAY_TO_NAMESPACE" => features.scope_gateway_to_namespace = value,
            "PILOT_ENABLE_HEADLESS_FILTER_CHAIN_LISTENER" => features.headless_filter_chains = value,
            "PILOT_ENABLE_IP_AUTOALLOCATE" => features.allots_addresses = Some(value),
            "PILOT_ENABLE_STRICT_GATEWAY_MERGING" => features.strict_gateway_merging = value,
            _ => {}
        }
    }
    Some(features)
}

/// A boolean as Go's `strconv.ParseBool` reads it; None for other words, which leave the default (`pkg/env`).
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
