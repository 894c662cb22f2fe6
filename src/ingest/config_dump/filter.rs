//! Network filters and the HTTP filters within an HttpConnectionManager.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{Fault, Text, field, object, owned, piece, values};
use crate::ingest::plugin_name;
use crate::model::envoy::{Destination, Filter, FilterSource, RawJson};

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct RawFilter<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, alias = "typedConfig")]
    typed_config: Option<&'a RawValue>,
    /// What Envoys up to 1.14 write in its place, a Struct; up to 1.17 under the other names.
    #[serde(borrow, default, alias = "hidden_envoy_deprecated_config", alias = "hiddenEnvoyDeprecatedConfig")]
    config: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "configDiscovery")]
    config_discovery: Option<RawDiscovery<'a>>,
    #[serde(borrow, default)]
    disabled: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct RawDiscovery<'a> {
    #[serde(borrow, default, alias = "typeUrls")]
    type_urls: Vec<std::borrow::Cow<'a, str>>,
}

/// The fields of a `typed_config` that matter, whatever its type: read in one pass.
#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct RawConfig<'a> {
    #[serde(borrow, default, rename = "@type")]
    type_url: Text<'a>,
    /// Of a TypedStruct: the type that it stands for.
    #[serde(borrow, default, alias = "typeUrl", rename = "type_url")]
    wrapped_type_url: Text<'a>,
    #[serde(borrow, default, alias = "httpFilters")]
    http_filters: Option<&'a RawValue>,
    /// Of a Struct: that its `value` is written as Envoy's API v1 had it.
    #[serde(default)]
    deprecated_v1: Option<bool>,
    #[serde(borrow, default)]
    rds: Option<RawRds<'a>>,
    #[serde(borrow, default, alias = "routeConfig")]
    route_config: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cluster: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "weightedClusters")]
    weighted_clusters: Option<&'a RawValue>,
    /// Whether it is a Struct, as Envoys up to 1.14 write it.
    #[serde(skip)]
    is_struct: bool,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct RawRds<'a> {
    #[serde(borrow, default, alias = "routeConfigName")]
    route_config_name: Text<'a>,
}

/// A network filter with what hangs on it.
pub(super) struct NetworkFilter {
    /// The filter.
    pub(super) filter: Filter,
    /// The HTTP filters, where it is an HttpConnectionManager.
    pub(super) http_filters: Option<Vec<Filter>>,
    /// Where it leads, where it is one that leads somewhere.
    pub(super) destination: Option<Destination>,
}

/// Filters that a Struct configures have no type but the one that their name has (Envoy's `well_known_names.h`). Of these more is read than
/// the type.
const LEADING: [(&[&str], &str); 3] = [
    (
        &["envoy.http_connection_manager", "envoy.filters.network.http_connection_manager"],
        "type.googleapis.com/envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager",
    ),
    (&["envoy.tcp_proxy", "envoy.filters.network.tcp_proxy"], "type.googleapis.com/envoy.config.filter.network.tcp_proxy.v2.TcpProxy"),
    (
        &["envoy.filters.http.wasm", "envoy.filters.network.wasm", "envoy.wasm", "envoy.http.wasm"],
        "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
    ),
];

/// Reads a network filter; None where it could not be read, which is pushed to `faults`, as what of its parts could not.
pub(super) fn network(raw: &RawValue, whole: &RawJson, text: &str, place: &str, faults: &mut Vec<Fault>) -> Option<NetworkFilter> {
    let (filter, config) = Fault::note(faults, place, parse(raw, whole, text))?;
    let mut found = NetworkFilter { filter, http_filters: None, destination: None };
    let FilterSource::Inline(type_url) = &found.filter.source else { return Some(found) };
    if type_url.ends_with(".HttpConnectionManager") {
        let within = format!("{place}.http_filters");
        let filters = match config.http_filters {
            // A Struct may have the one element of a list in its place.
            Some(one) if config.is_struct && one.get().starts_with('{') => vec![one],
            list => values(list, &within, faults),
        };
        let http = found.http_filters.insert(Vec::new());
        for (index, raw) in filters.into_iter().enumerate() {
            let filter = Fault::note(faults, &format!("{within}[{index}]"), parse(raw, whole, text));
            http.extend(filter.map(|(filter, _)| filter));
        }
        found.destination = match (config.rds, config.route_config) {
            (Some(rds), _) => Some(Destination::Route(owned(rds.route_config_name))),
            (None, Some(raw)) => Fault::note(faults, &format!("{place}.route_config"), object::<Value>(raw)).as_ref().and_then(route),
            (None, None) => None,
        };
    } else if type_url.ends_with(".TcpProxy") {
        found.destination = match (config.cluster, config.weighted_clusters) {
            (Some(raw), _) => Fault::note(faults, &format!("{place}.cluster"), serde_json::from_str(raw.get())).map(Destination::Cluster),
            (None, Some(_)) => Some(Destination::Route("weighted clusters".to_owned())),
            (None, None) => None,
        };
    }
    Some(found)
}

fn parse<'a>(raw: &'a RawValue, whole: &RawJson, text: &str) -> Result<(Filter, RawConfig<'a>), serde_json::Error> {
    let fields: RawFilter<'a> = object(raw)?;
    let name = owned(fields.name);
    // Istio's own telemetry filters of old versions are Wasm in form only.
    let body = fields.typed_config.or(fields.config);
    let native = body.is_some_and(|raw| raw.get().contains("envoy.wasm.runtime.null"));
    let mut config: RawConfig<'a> = match body.map(|raw| (raw, object(raw))) {
        Some((_, Ok(config))) => config,
        Some((raw, Err(error))) => {
            let type_url = super::types::type_in_text(raw.get());
            if type_url.is_empty() || LEADING.iter().any(|(_, known)| type_url.rsplit('.').next() == known.rsplit('.').next()) {
                return Err(error);
            }
            // A type whose fields of these names have other shapes still has its type read.
            RawConfig { type_url: Some(type_url.into()), ..RawConfig::default() }
        }
        None => RawConfig::default(),
    };
    config.is_struct = fields.typed_config.is_none();
    if let (None, Some(_)) = (&config.type_url, fields.config) {
        if config.deprecated_v1 == Some(true) {
            return Err(serde::de::Error::custom(format_args!("the filter {name} is configured as in Envoy's API v1")));
        }
        config.type_url = LEADING.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, type_url)| (*type_url).into());
    }
    let source = match (fields.config_discovery, &config.type_url, &config.wrapped_type_url) {
        (Some(discovery), _, _) => FilterSource::Discovery(discovery.type_urls.into_iter().map(std::borrow::Cow::into_owned).collect()),
        (None, Some(outer), Some(inner)) if outer.ends_with("TypedStruct") => FilterSource::Inline(inner.clone().into_owned()),
        (None, Some(type_url), _) => FilterSource::Inline(type_url.clone().into_owned()),
        (None, None, _) => FilterSource::Unknown,
    };
    if name.is_empty() && source == FilterSource::Unknown {
        return Err(serde::de::Error::custom("it has neither a name nor a configuration, so it is no filter"));
    }
    let plugin = plugin_name::of_filter(&name, &source, native);
    let disabled = fields.disabled.is_some_and(|raw| raw.get() == "true");
    Ok((Filter { name, source, plugin, disabled, raw: piece(whole, text, raw) }, config))
}

/// Where an inline route configuration leads: its one cluster, else its own name.
fn route(config: &Value) -> Option<Destination> {
    let hosts = field(config, "virtual_hosts", "virtualHosts")?.as_array()?;
    let routes = hosts.iter().filter_map(|host| host.get("routes")?.as_array()).flatten();
    let mut clusters: Vec<&str> = routes.filter_map(|route| route.pointer("/route/cluster")?.as_str()).collect();
    clusters.dedup();
    match clusters.as_slice() {
        [cluster] => Some(Destination::Cluster((*cluster).to_owned())),
        _ => config.get("name").and_then(Value::as_str).map(|name| Destination::Route(name.to_owned())),
    }
}
