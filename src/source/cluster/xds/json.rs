//! ClientConfigs as JSON, in the keys of Envoy's own mapping: what `istioctl proxy-status -o json` prints. Only what sync reads is
//! written.

use bytes::Bytes;
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryResponse;
use envoy_types::pb::envoy::service::status::v3::client_config::GenericXdsConfig;
use envoy_types::pb::envoy::service::status::v3::per_xds_config::PerXdsConfig as Of;
use envoy_types::pb::envoy::service::status::v3::{ClientConfig, ConfigStatus, PerXdsConfig};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Struct, Timestamp};
use prost::Message;
use serde_json::{Map, Value, json};

use crate::model::sync::{CLUSTERS, ENDPOINTS, LISTENERS, ROUTES};

/// `{"resources": [{"node": …, "genericXdsConfigs": […]}]}`.
///
/// # Errors
/// Where a resource is no ClientConfig: why, as one clause.
pub(super) fn client_configs(response: &DiscoveryResponse) -> Result<Bytes, String> {
    let mut resources = Vec::new();
    for any in &response.resources {
        let config =
            ClientConfig::decode(any.value.as_slice()).map_err(|error| format!("the answer is no list of ClientConfigs: {error}"))?;
        resources.push(client_config(&config));
    }
    Ok(Bytes::from(json!({"resources": resources}).to_string()))
}

fn client_config(config: &ClientConfig) -> Value {
    let node = config.node.as_ref();
    let mut types: Vec<Value> = config.generic_xds_configs.iter().map(generic).collect();
    if types.is_empty() {
        // istiods before 1.15 have the older list alone.
        #[allow(deprecated, reason = "what an old istiod sends")]
        types.extend(config.xds_config.iter().filter_map(older));
    }
    json!({
        "node": {"id": node.map(|node| node.id.as_str()), "metadata": node.and_then(|node| node.metadata.as_ref()).map(metadata)},
        "genericXdsConfigs": types,
    })
}

fn generic(config: &GenericXdsConfig) -> Value {
    let mut written = Map::new();
    written.insert("typeUrl".to_owned(), config.type_url.as_str().into());
    written.insert("configStatus".to_owned(), status(config.config_status).into());
    written.extend(config.last_updated.and_then(time).map(|time| ("lastUpdated".to_owned(), time.into())));
    written.extend(config.error_state.as_ref().map(|error| ("errorState".to_owned(), json!({"details": error.details}))));
    Value::Object(written)
}

fn older(config: &PerXdsConfig) -> Option<Value> {
    let url = match config.per_xds_config.as_ref()? {
        Of::ListenerConfig(_) => LISTENERS,
        Of::ClusterConfig(_) => CLUSTERS,
        Of::RouteConfig(_) => ROUTES,
        Of::EndpointConfig(_) => ENDPOINTS,
        _ => return None,
    };
    Some(json!({"typeUrl": url, "configStatus": status(config.status)}))
}

fn status(code: i32) -> &'static str {
    ConfigStatus::try_from(code).unwrap_or(ConfigStatus::Unknown).as_str_name()
}

/// The texts of a node's metadata that sync reads; the others are the proxy's own business.
fn metadata(all: &Struct) -> Value {
    let read = ["CLUSTER_ID", "ISTIO_VERSION", "NAMESPACE"];
    let texts = all.fields.iter().filter(|(key, _)| read.contains(&key.as_str())).filter_map(|(key, value)| match &value.kind {
        Some(Kind::StringValue(text)) => Some((key.clone(), Value::from(text.as_str()))),
        _ => None,
    });
    Value::Object(texts.collect())
}

fn time(time: Timestamp) -> Option<String> {
    jiff::Timestamp::new(time.seconds, time.nanos).ok().filter(|time| time.as_second() > 0).map(|time| time.to_string())
}
