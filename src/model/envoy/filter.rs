//! One filter of a chain.

use serde::Serialize;

use super::raw::RawJson;
use crate::model::ids::PluginId;

/// A network filter, or an HTTP filter of an HttpConnectionManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Its name, as written.
    pub name: String,
    /// Where its configuration is.
    pub source: FilterSource,
    /// The plugin that it stands for, by its name and type; None for Envoy's and Istio's own filters.
    pub plugin: Option<PluginFilter>,
    /// `disabled`: no request passes it but on routes that say otherwise.
    pub disabled: bool,
    /// The filter as the proxy wrote it.
    pub raw: RawJson,
}

/// Where a filter's configuration is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterSource {
    /// In the listener, with its type URL.
    Inline(String),
    /// In ECDS, by the filter's name (`config_discovery`), with the types that are accepted.
    Discovery(Vec<String>),
    /// Neither is there.
    Unknown,
}

/// A filter that a plugin made, or that runs Wasm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginFilter {
    /// Which plugin, by the name alone.
    pub id: PluginId,
    /// Which of Istio's ways of naming it was used.
    pub era: NameEra,
}

/// Istio's names for a plugin's filter (`pilot/pkg/model/extensions.go` of each release).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NameEra {
    /// 1.12 to 1.20: `ns.name`.
    Bare,
    /// 1.21 to 1.25: `extenstions.istio.io/wasmplugin/ns.name` (the typo is Istio's).
    Extenstions,
    /// 1.26 to 1.29: `extensions.istio.io/wasmplugin/ns.name`.
    Extensions,
    /// 1.30 and later: `extensions.istio.io/trafficextension/ns.name`, with a marker where a WasmPlugin was translated.
    TrafficExtension,
    /// Not Istio's: an EnvoyFilter or the bootstrap chose it.
    Foreign,
}
