//! The mesh configuration: YAML in the ConfigMap `istio`, key `mesh`.

use serde_json::Value;

use super::fields::{Fields, label_selector, port_of, str_of, texts};
use crate::ingest::yaml;
use crate::model::mesh::{Authorizer, MeshConfig};

pub(super) fn read(fields: &mut Fields<'_>) -> Option<MeshConfig> {
    let text = fields.text("/data/mesh");
    if text.is_empty() {
        // Istiod's namespace holds other ConfigMaps too.
        return None;
    }
    let value = match yaml::parse(&text) {
        Ok(value) => value,
        Err(error) => {
            fields.warn("/data/mesh", format_args!("is not YAML ({error}), so Istio's defaults stand in"));
            return None;
        }
    };
    let default = MeshConfig::default();
    let or = |text: &str, default: String| if text.is_empty() { default } else { text.to_owned() };
    let list = |pointer: &str| value.pointer(pointer).and_then(Value::as_array).map(|items| texts(items, "")).unwrap_or_default();
    Some(MeshConfig {
        root_namespace: or(str_of(&value, "/rootNamespace"), default.root_namespace),
        trust_domain: or(str_of(&value, "/trustDomain"), default.trust_domain),
        trust_domain_aliases: list("/trustDomainAliases"),
        discovery_selectors: value.get("discoverySelectors").and_then(Value::as_array).into_iter().flatten().map(label_selector).collect(),
        admin_port: port_of(&value, "/defaultConfig/proxyAdminPort").unwrap_or(default.admin_port),
        outbound_port: port_of(&value, "/proxyListenPort").unwrap_or(default.outbound_port),
        inbound_port: port_of(&value, "/proxyInboundListenPort").unwrap_or(default.inbound_port),
        http_proxy_port: port_of(&value, "/proxyHttpPort"),
        auto_mtls: value.pointer("/enableAutoMtls").and_then(Value::as_bool).unwrap_or(default.auto_mtls),
        outbound_mode: str_of(&value, "/outboundTrafficPolicy/mode").to_owned(),
        service_export_to: list("/defaultServiceExportTo"),
        virtual_service_export_to: list("/defaultVirtualServiceExportTo"),
        destination_rule_export_to: list("/defaultDestinationRuleExportTo"),
        authorizers: value.get("extensionProviders").and_then(Value::as_array).into_iter().flatten().filter_map(authorizer).collect(),
        access_log_file: str_of(&value, "/accessLogFile").to_owned(),
        access_log_format: str_of(&value, "/accessLogFormat").to_owned(),
        access_log_json: str_of(&value, "/accessLogEncoding") == "JSON",
    })
}

/// An extension provider that is an external authorizer (`pilot/pkg/security/authz/builder/extauthz.go: processExtensionProvider`).
fn authorizer(provider: &Value) -> Option<Authorizer> {
    let of = ["envoyExtAuthzHttp", "envoyExtAuthzGrpc"].into_iter().find_map(|kind| provider.get(kind))?;
    Some(Authorizer { name: str_of(provider, "/name").to_owned(), service: str_of(of, "/service").to_owned() })
}
