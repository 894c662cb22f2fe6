//! EnvoyFilter: what it selects, and what its patches are for.

use serde_json::Value;

use super::fields::{Fields, port_of, str_of};
use super::plugin::target_ref;
use crate::model::envoy_filter::{ChainPattern, EnvoyFilter, Patch};

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
        // Protobuf takes both spellings.
        value_type: ["typed_config", "typedConfig"]
            .map(|field| str_of(item, &format!("/patch/value/{field}/@type")))
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default()
            .to_owned(),
        disables: item.pointer("/patch/value/disabled").and_then(Value::as_bool).unwrap_or_default(),
    };
    EnvoyFilter {
        target_refs: fields.list("/spec/targetRefs").iter().map(target_ref).collect(),
        patches: fields.list("/spec/configPatches").iter().map(patch).collect(),
    }
}
