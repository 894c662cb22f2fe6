//! EnvoyFilter: what it selects, and what its patches are for.

use serde_json::Value;

use super::fields::{Fields, port_of, str_of};
use super::plugin::target_ref;
use crate::model::envoy_filter::{ChainPattern, ClusterPattern, EnvoyFilter, Patch};

pub(super) fn envoy_filter(fields: &mut Fields<'_>) -> EnvoyFilter {
    let text = |item: &Value, pointer: &str| str_of(item, pointer).to_owned();
    let name = |item: &Value, pointer: &str| item.pointer(pointer).map(|filter| text(filter, "/name"));
    let patch = |item: &Value| Patch {
        apply_to: str_of(item, "/applyTo").to_owned(),
        context: match str_of(item, "/match/context") {
            "" => "ANY".to_owned(),
            context => context.to_owned(),
        },
        proxy_version: str_of(item, "/match/proxy/proxyVersion").to_owned(),
        listener: str_of(item, "/match/listener/name").to_owned(),
        port: port_of(item, "/match/listener/portNumber"),
        chain: ChainPattern {
            name: text(item, "/match/listener/filterChain/name"),
            sni: text(item, "/match/listener/filterChain/sni"),
            transport_protocol: text(item, "/match/listener/filterChain/transportProtocol"),
            application_protocols: text(item, "/match/listener/filterChain/applicationProtocols"),
            destination_port: port_of(item, "/match/listener/filterChain/destinationPort"),
        },
        filter: name(item, "/match/listener/filterChain/filter"),
        sub_filter: name(item, "/match/listener/filterChain/filter/subFilter"),
        // INVALID is the value 0 of the enum, so it counts where nothing is written.
        operation: item
            .get("patch")
            .map(|patch| str_of(patch, "/operation"))
            .map_or("", |word| if word.is_empty() { "INVALID" } else { word })
            .to_owned(),
        value_name: str_of(item, "/patch/value/name").to_owned(),
        value_type: item
            .pointer("/patch/value")
            .and_then(|value| either(value, ["typed_config", "typedConfig"]))
            .map(|config| text(config, "/@type"))
            .unwrap_or_default(),
        disables: item.pointer("/patch/value/disabled").and_then(Value::as_bool).unwrap_or_default(),
        cluster: ClusterPattern {
            name: text(item, "/match/cluster/name"),
            service: text(item, "/match/cluster/service"),
            subset: text(item, "/match/cluster/subset"),
            port: port_of(item, "/match/cluster/portNumber"),
        },
        by_metadata: item.pointer("/match/proxy/metadata").and_then(Value::as_object).is_some_and(|metadata| !metadata.is_empty()),
        transport_sockets: transport_sockets(item),
    };
    EnvoyFilter {
        target_refs: fields.list("/spec/targetRefs").iter().map(target_ref).collect(),
        patches: fields.list("/spec/configPatches").iter().map(patch).collect(),
    }
}

/// Those that a patch of a cluster writes.
fn transport_sockets(item: &Value) -> Vec<String> {
    let Some(cluster) = item.pointer("/patch/value") else { return Vec::new() };
    let socket = |of: &Value| Some(str_of(either(of, ["transport_socket", "transportSocket"])?, "/name").to_owned());
    let matches = either(cluster, ["transport_socket_matches", "transportSocketMatches"]).and_then(Value::as_array);
    socket(cluster).into_iter().chain(matches.into_iter().flatten().filter_map(socket)).collect()
}

/// Protobuf takes both spellings of a field.
fn either<'v>(of: &'v Value, [snake, camel]: [&str; 2]) -> Option<&'v Value> {
    of.get(snake).or_else(|| of.get(camel)).filter(|value| !value.is_null())
}
