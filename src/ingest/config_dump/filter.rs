//! Network filters and the HTTP filters within an HttpConnectionManager.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{Text, owned, piece};
use crate::ingest::plugin_name;
use crate::model::envoy::{Destination, Filter, FilterSource, RawJson};

#[derive(Deserialize)]
struct RawFilter<'a> {
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default, alias = "typedConfig")]
    typed_config: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "configDiscovery")]
    config_discovery: Option<RawDiscovery<'a>>,
}

#[derive(Deserialize)]
struct RawDiscovery<'a> {
    #[serde(borrow, default, alias = "typeUrls")]
    type_urls: Vec<std::borrow::Cow<'a, str>>,
}

/// The fields of a `typed_config` that matter, whatever its type: read in one pass.
#[derive(Default, Deserialize)]
struct RawConfig<'a> {
    #[serde(borrow, default, rename = "@type")]
    type_url: Text<'a>,
    /// Of a TypedStruct: the type that it stands for.
    #[serde(borrow, default, alias = "typeUrl", rename = "type_url")]
    wrapped_type_url: Text<'a>,
    #[serde(borrow, default, alias = "httpFilters")]
    http_filters: Option<Vec<&'a RawValue>>,
    #[serde(borrow, default)]
    rds: Option<RawRds<'a>>,
    #[serde(borrow, default, alias = "routeConfig")]
    route_config: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cluster: Option<&'a RawValue>,
    #[serde(borrow, default, alias = "weightedClusters")]
    weighted_clusters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
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

/// Reads a network filter.
pub(super) fn network(raw: &RawValue, whole: &RawJson, text: &str) -> Result<NetworkFilter, serde_json::Error> {
    let (filter, config) = parse(raw, whole, text)?;
    let mut found = NetworkFilter { filter, http_filters: None, destination: None };
    if let FilterSource::Inline(type_url) = &found.filter.source {
        if type_url.ends_with(".HttpConnectionManager") {
            let http: Result<Vec<Filter>, _> =
                config.http_filters.into_iter().flatten().map(|raw| parse(raw, whole, text).map(|(filter, _)| filter)).collect();
            found.http_filters = Some(http?);
            found.destination = match (config.rds, config.route_config) {
                (Some(rds), _) => Some(Destination::Route(owned(rds.route_config_name))),
                (None, Some(raw)) => route(raw),
                (None, None) => None,
            };
        } else if type_url.ends_with(".TcpProxy") {
            found.destination = match (config.cluster, config.weighted_clusters) {
                (Some(raw), _) => serde_json::from_str(raw.get()).ok().map(Destination::Cluster),
                (None, Some(_)) => Some(Destination::Route("weighted clusters".to_owned())),
                (None, None) => None,
            };
        }
    }
    Ok(found)
}

fn parse<'a>(raw: &'a RawValue, whole: &RawJson, text: &str) -> Result<(Filter, RawConfig<'a>), serde_json::Error> {
    let fields: RawFilter<'a> = serde_json::from_str(raw.get())?;
    let name = owned(fields.name);
    // Istio's own telemetry filters of old versions are Wasm in form only.
    let native = fields.typed_config.is_some_and(|raw| raw.get().contains("envoy.wasm.runtime.null"));
    let config: RawConfig<'a> = match fields.typed_config {
        // A type whose fields of these names have other shapes still has its type read.
        Some(raw) => serde_json::from_str(raw.get())
            .unwrap_or_else(|_| RawConfig { type_url: Some(super::outer::type_in_text(raw.get()).into()), ..RawConfig::default() }),
        None => RawConfig::default(),
    };
    let source = match (fields.config_discovery, &config.type_url, &config.wrapped_type_url) {
        (Some(discovery), _, _) => FilterSource::Discovery(discovery.type_urls.into_iter().map(std::borrow::Cow::into_owned).collect()),
        (None, Some(outer), Some(inner)) if outer.ends_with("TypedStruct") => FilterSource::Inline(inner.clone().into_owned()),
        (None, Some(type_url), _) => FilterSource::Inline(type_url.clone().into_owned()),
        (None, None, _) => FilterSource::Unknown,
    };
    let plugin = plugin_name::of_filter(&name, &source, native);
    Ok((Filter { name, source, plugin, raw: piece(whole, text, raw) }, config))
}

/// Where an inline route configuration leads: its one cluster, else its own name.
fn route(raw: &RawValue) -> Option<Destination> {
    let config: Value = serde_json::from_str(raw.get()).ok()?;
    let hosts = config.get("virtual_hosts").or_else(|| config.get("virtualHosts"))?.as_array()?;
    let routes = hosts.iter().filter_map(|host| host.get("routes")?.as_array()).flatten();
    let mut clusters: Vec<&str> = routes.filter_map(|route| route.pointer("/route/cluster")?.as_str()).collect();
    clusters.dedup();
    match clusters.as_slice() {
        [cluster] => Some(Destination::Cluster((*cluster).to_owned())),
        _ => config.get("name").and_then(Value::as_str).map(|name| Destination::Route(name.to_owned())),
    }
}
