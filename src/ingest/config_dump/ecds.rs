//! The ECDS sections: what each extension filter is configured with, a module or the stub that stands in for one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json::{Text, field, owned};
use super::listener_fields::RawError;
use super::section::lists;
use super::{Reader, shape};
use crate::ingest::plugin_name;
use crate::ingest::redact;
use crate::model::envoy::{
    ConfigDump, DumpView, EcdsFilter, ExtensionConfig, Filter, FilterChain, FilterSource, NameEra, RawJson, RejectedUpdate,
};
use crate::model::ids::PluginId;
use crate::model::warning::Warning;

#[derive(Deserialize)]
struct RawEntry<'a> {
    #[serde(borrow, default, alias = "versionInfo")]
    version_info: Text<'a>,
    #[serde(borrow, default, alias = "ecdsFilter")]
    ecds_filter: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "lastUpdated")]
    last_updated: Text<'a>,
    #[serde(borrow, default, alias = "errorState")]
    error_state: Option<RawError<'a>>,
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
                    None => self.hold(understand(entry, &body, &clean), place),
                }
            }
            Err(error) => self.warn(place, error),
        }
    }
}

impl Reader<'_> {
    /// Envoy lists each subscription, and filters of one name can have several. What they hold in common counts once; where they differ,
    /// the listeners do not say which of them a filter has.
    fn hold(&mut self, entry: EcdsFilter, place: &str) {
        // What istiod would send has short names, which a plugin of each kind can have.
        if self.dump.view == DumpView::Istiod {
            return self.dump.ecds.push(entry);
        }
        let known = match self.of_name.entry(entry.name.clone()) {
            Entry::Occupied(known) if !entry.name.is_empty() => &mut self.dump.ecds[*known.get()],
            Entry::Occupied(_) => return self.dump.ecds.push(entry),
            Entry::Vacant(free) => {
                free.insert(self.dump.ecds.len());
                return self.dump.ecds.push(entry);
            }
        };
        if message(known) == message(&entry) {
            known.last_updated = entry.last_updated.max(known.last_updated.take());
            known.rejected = entry.rejected.max(known.rejected.take());
        } else if known.config != ExtensionConfig::Contradicting {
            known.config = ExtensionConfig::Contradicting;
            let what = format!("it differs from another entry of the name {}, so what that plugin has is not known", entry.name);
            self.warnings.push(Warning::new(format!("{} at {place}", self.object), what, ""));
        }
    }
}

/// What an entry holds, without the time and version around it.
fn message(entry: &EcdsFilter) -> Option<Value> {
    let mut entry: Value = serde_json::from_str(entry.raw.as_str()).ok()?;
    let key = if entry.get("ecds_filter").is_some() { "ecds_filter" } else { "ecdsFilter" };
    entry.get_mut(key).map(Value::take)
}

fn understand(entry: RawEntry<'_>, body: &Value, clean: &RawJson) -> EcdsFilter {
    let wrapped = text(body, "@type", "@type").ends_with("TypedExtensionConfig");
    // istiod writes the bare Wasm message, with only its short name inside.
    let typed = if wrapped { field(body, "typed_config", "typedConfig").unwrap_or(&Value::Null) } else { body };
    let config = extension(typed);
    let mut name = text(body, "name", "name");
    if name.is_empty()
        && let ExtensionConfig::Wasm { name: short, .. } = &config
    {
        name.clone_from(short);
    }
    let last_updated = owned(entry.last_updated);
    let never = last_updated.is_empty() || last_updated.starts_with("1970-01-01");
    EcdsFilter {
        plugin: None,
        name,
        config,
        version: owned(entry.version_info),
        last_updated: (!never).then_some(last_updated),
        rejected: entry.error_state.map(|error| RejectedUpdate {
            at: error.last_update_attempt.map(Cow::into_owned),
            details: redact::text(&owned(error.details)).into_owned(),
        }),
        raw: clean.clone(),
    }
}

impl ConfigDump {
    /// Assigns each ECDS resource to the plugin of the filter that references it, otherwise by its name.
    ///
    /// An RBAC message under the name of a plugin's resource can only be the agent's; any other one is somebody's own.
    pub(super) fn settle_ecds(&mut self) {
        let is_bare_possible = self.node.as_ref().is_none_or(|node| plugin_name::is_bare_possible(&node.istio_version));
        let filters = self.listeners.iter_mut().flat_map(|listener| &mut listener.chains).flat_map(|chain| {
            let FilterChain { network_filters, http_filters, .. } = chain;
            network_filters.iter_mut().chain(http_filters.iter_mut().flatten())
        });
        let mut asked: BTreeMap<String, PluginId> = BTreeMap::new();
        for filter in filters {
            let Some(plugin) = &mut filter.plugin else { continue };
            if plugin.era == NameEra::Bare && !is_bare_possible {
                *plugin = plugin_name::foreign(&filter.name);
            }
            if matches!(filter.source, FilterSource::Discovery(_)) && !asked.contains_key(&filter.name) {
                asked.insert(filter.name.clone(), plugin.id.clone());
            }
        }
        for entry in &mut self.ecds {
            let by_name = || {
                let is_module =
                    matches!(entry.config, ExtensionConfig::Wasm { .. } | ExtensionConfig::StubAllow | ExtensionConfig::StubDeny);
                let found = plugin_name::of_resource(&entry.name, is_module)?;
                (found.era != NameEra::Bare || is_bare_possible).then_some(found.id)
            };
            entry.plugin = asked.get(&entry.name).cloned().or_else(by_name);
            if let (Some(_), ExtensionConfig::Other(type_url)) = (&entry.plugin, &entry.config)
                && type_url.ends_with(RBAC)
                && let Some(stub) = serde_json::from_str(entry.raw.as_str()).ok().as_ref().and_then(stub_by_shape)
            {
                entry.config = stub;
            }
        }
    }
}

/// What a filter of a listener configures in the listener itself; `Missing` where that is elsewhere.
pub fn inline(filter: &Filter) -> ExtensionConfig {
    typed_config(filter).as_ref().map_or(ExtensionConfig::Missing, extension)
}

/// The Wasm configuration that a filter of a listener has in the listener itself, to compare with another's; None where it has none.
pub fn inline_wasm(filter: &Filter) -> Option<Value> {
    let typed = typed_config(filter)?;
    let (type_url, body) = unwrapped(&typed);
    type_url.ends_with(WASM).then(|| body.get("config").cloned().unwrap_or_default())
}

fn typed_config(filter: &Filter) -> Option<Value> {
    let mut fields: Map<String, Value> = serde_json::from_str(filter.raw.as_str()).ok()?;
    fields.remove("typed_config").or_else(|| fields.remove("typedConfig"))
}

const WASM: &str = ".wasm.v3.Wasm";
const RBAC: &str = ".rbac.v3.RBAC";

/// What a `typed_config` configures. A Wasm filter wrapped in a TypedStruct, as EnvoyFilters write it, is understood too.
fn extension(typed: &Value) -> ExtensionConfig {
    let (type_url, body) = unwrapped(typed);
    if type_url.is_empty() {
        return ExtensionConfig::Missing;
    }
    if type_url.ends_with(WASM) {
        return wasm(body, type_url.contains(".network."));
    }
    if type_url.ends_with(RBAC) && !is_wrapped(typed) {
        return stub_by_prefix(body).unwrap_or(ExtensionConfig::Other(type_url));
    }
    ExtensionConfig::Other(type_url)
}

/// Whether it is a TypedStruct, which the agent never writes.
fn is_wrapped(typed: &Value) -> bool {
    text(typed, "@type", "@type").ends_with("TypedStruct")
}

/// A configuration's type and fields, those within a TypedStruct where it is one.
fn unwrapped(typed: &Value) -> (String, &Value) {
    if is_wrapped(typed) {
        return (text(typed, "type_url", "typeUrl"), typed.get("value").unwrap_or(&Value::Null));
    }
    (text(typed, "@type", "@type"), typed)
}

fn wasm(body: &Value, network: bool) -> ExtensionConfig {
    let none = Value::Null;
    let config = field(body, "config", "config").unwrap_or(&none);
    let vm = field(config, "vm_config", "vmConfig").unwrap_or(&none);
    let code = vm.get("code").unwrap_or(&none);
    ExtensionConfig::Wasm {
        file: code.get("local").map(|local| text(local, "filename", "filename")).unwrap_or_default(),
        url: code
            .get("remote")
            .and_then(|remote| field(remote, "http_uri", "httpUri"))
            .map(|uri| text(uri, "uri", "uri"))
            .unwrap_or_default(),
        name: text(config, "name", "name"),
        root_id: text(config, "root_id", "rootId"),
        failure_policy: match text(config, "failure_policy", "failurePolicy").as_str() {
            "" if field(config, "fail_open", "failOpen") == Some(&Value::Bool(true)) => "FAIL_OPEN".to_owned(),
            policy => policy.to_owned(),
        },
        network,
        vm: vm_key(vm, code),
    }
}

/// `vm_id`, `configuration` and the code: neither the root id nor the environment is part of it.
fn vm_key(vm: &Value, code: &Value) -> String {
    let file = code.get("local").map(|local| text(local, "filename", "filename")).unwrap_or_default();
    // The agent names a file after its content.
    let named_by_content = |name: &&str| name.strip_suffix(".wasm").is_some_and(|sum| sum.len() == 64);
    let code = match file.rsplit('/').next().filter(named_by_content) {
        Some(name) => name.to_owned(),
        None => code.to_string(),
    };
    format!("{}|{}|{code}", text(vm, "vm_id", "vmId"), vm.get("configuration").unwrap_or(&Value::Null))
}

/// The filter that the agent puts in the place of a module that it could not fetch, by its stat prefix: of NETWORK from 1.25 on, of HTTP
/// from 1.28 on (`pkg/wasm/convert.go` of each release).
fn stub_by_prefix(body: &Value) -> Option<ExtensionConfig> {
    match stat_prefix(body).as_str() {
        prefix if prefix.starts_with("wasm-default-deny") => Some(ExtensionConfig::StubDeny),
        prefix if prefix.starts_with("wasm-default-allow") => Some(ExtensionConfig::StubAllow),
        _ => None,
    }
}

/// The same by its shape, which it has had since 1.14.6: no rules allow all; empty rules, from 1.25 on, deny all. A filter with anything
/// else in it is not the agent's.
fn stub_by_shape(entry: &Value) -> Option<ExtensionConfig> {
    let body = field(field(entry, "ecds_filter", "ecdsFilter")?, "typed_config", "typedConfig")?;
    let others = ["shadow_rules", "shadowRules", "matcher", "shadow_matcher", "shadowMatcher"];
    if is_wrapped(body) || !stat_prefix(body).is_empty() || others.iter().any(|field| body.get(field).is_some()) {
        return None;
    }
    let is_empty = |rules: &Map<String, Value>| {
        rules.iter().all(|(field, value)| match field.as_str() {
            "action" => value == "ALLOW" || value == 0,
            "policies" => value.as_object().is_some_and(Map::is_empty),
            _ => false,
        })
    };
    match body.get("rules") {
        None | Some(Value::Null) => Some(ExtensionConfig::StubAllow),
        Some(rules) => rules.as_object().is_some_and(is_empty).then_some(ExtensionConfig::StubDeny),
    }
}

fn stat_prefix(body: &Value) -> String {
    let of_http = text(body, "rules_stat_prefix", "rulesStatPrefix");
    if of_http.is_empty() { text(body, "stat_prefix", "statPrefix") } else { of_http }
}

fn text(value: &Value, snake: &str, camel: &str) -> String {
    field(value, snake, camel).and_then(Value::as_str).unwrap_or_default().to_owned()
}
