//! The ECDS sections: what each extension filter is configured with, a module or the stub that stands in for one.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json::{Text, owned};
use super::section::lists;
use super::{Reader, shape};
use crate::ingest::plugin_name;
use crate::ingest::redact;
use crate::model::envoy::{EcdsFilter, ExtensionConfig, RawJson};

#[derive(Deserialize)]
struct RawEntry<'a> {
    #[serde(borrow, default, alias = "versionInfo")]
    version_info: Text<'a>,
    #[serde(borrow, default, alias = "ecdsFilter")]
    ecds_filter: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "lastUpdated")]
    last_updated: Text<'a>,
}

impl Reader<'_> {
    pub(super) fn ecds_section(&mut self, text: &str, place: &str) {
        let mut entries = Vec::new();
        let end = lists(text, &mut [(["ecds_filters", "ecdsFilters"], &mut entries)]);
        for (index, raw) in entries.into_iter().enumerate() {
            self.ecds_filter(raw, &format!("{place}.ecds_filters[{index}]"));
        }
        self.ended(place, end);
    }

    pub(super) fn ecds_filter(&mut self, raw: &RawValue, place: &str) {
        let clean = redact::raw_json(raw.get());
        match serde_json::from_str::<RawEntry<'_>>(clean.as_str()) {
            Ok(entry) => {
                let body: Value = entry.ecds_filter.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
                match shape::fault_of_filter(&body) {
                    Some(fault) => self.warn(place, fault),
                    None => self.dump.ecds.push(understand(entry, &body, &clean)),
                }
            }
            Err(error) => self.warn(place, error),
        }
    }
}

fn understand(entry: RawEntry<'_>, body: &Value, clean: &RawJson) -> EcdsFilter {
    let wrapped = text(body, "@type", "@type").ends_with("TypedExtensionConfig");
    // istiod writes the bare Wasm message, with only its short name inside.
    let typed = if wrapped { get(body, "typed_config", "typedConfig").unwrap_or(&Value::Null) } else { body };
    let config = extension(typed);
    let mut name = text(body, "name", "name");
    if name.is_empty()
        && let ExtensionConfig::Wasm { name: short, .. } = &config
    {
        name.clone_from(short);
    }
    let wasm = matches!(config, ExtensionConfig::Wasm { .. } | ExtensionConfig::StubAllow | ExtensionConfig::StubDeny);
    let last_updated = owned(entry.last_updated);
    let never = last_updated.is_empty() || last_updated.starts_with("1970-01-01");
    EcdsFilter {
        plugin: plugin_name::of_resource(&name, wasm).map(|found| found.id),
        name,
        config,
        version: owned(entry.version_info),
        last_updated: (!never).then_some(last_updated),
        raw: clean.clone(),
    }
}

/// What a `typed_config` configures. A Wasm filter wrapped in a TypedStruct, as EnvoyFilters write it, is understood too.
fn extension(typed: &Value) -> ExtensionConfig {
    let mut type_url = text(typed, "@type", "@type");
    let mut body = typed;
    if type_url.ends_with("TypedStruct") {
        type_url = text(typed, "type_url", "typeUrl");
        body = typed.get("value").unwrap_or(&Value::Null);
    }
    if type_url.is_empty() {
        return ExtensionConfig::Missing;
    }
    if type_url.ends_with(".wasm.v3.Wasm") {
        return wasm(body);
    }
    if type_url.ends_with(".rbac.v3.RBAC") {
        return stub(body).unwrap_or(ExtensionConfig::Other(type_url));
    }
    ExtensionConfig::Other(type_url)
}

fn wasm(body: &Value) -> ExtensionConfig {
    let none = Value::Null;
    let config = get(body, "config", "config").unwrap_or(&none);
    let vm = get(config, "vm_config", "vmConfig").unwrap_or(&none);
    let code = vm.get("code").unwrap_or(&none);
    ExtensionConfig::Wasm {
        file: code.get("local").map(|local| text(local, "filename", "filename")).unwrap_or_default(),
        url: code
            .get("remote")
            .and_then(|remote| get(remote, "http_uri", "httpUri"))
            .map(|uri| text(uri, "uri", "uri"))
            .unwrap_or_default(),
        name: text(config, "name", "name"),
        root_id: text(config, "root_id", "rootId"),
        failure_policy: text(config, "failure_policy", "failurePolicy"),
    }
}

/// The filter that the agent puts in the place of a module that it could not fetch (`pkg/wasm/convert.go`): no rules allow
/// all, empty rules deny all. Its stat prefix says so too; an RBAC filter without that prefix is somebody's own.
fn stub(body: &Value) -> Option<ExtensionConfig> {
    let prefixes = [text(body, "rules_stat_prefix", "rulesStatPrefix"), text(body, "stat_prefix", "statPrefix")];
    let says = |word: &str| prefixes.iter().any(|prefix| prefix.starts_with(word));
    if says("wasm-default-deny") {
        return Some(ExtensionConfig::StubDeny);
    }
    if says("wasm-default-allow") {
        return Some(ExtensionConfig::StubAllow);
    }
    None
}

fn get<'v>(value: &'v Value, snake: &str, camel: &str) -> Option<&'v Value> {
    let object: &Map<String, Value> = value.as_object()?;
    object.get(snake).or_else(|| object.get(camel))
}

fn text(value: &Value, snake: &str, camel: &str) -> String {
    get(value, snake, camel).and_then(Value::as_str).unwrap_or_default().to_owned()
}
