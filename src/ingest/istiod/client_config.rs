//! How the proxies stand, as xDS has it: a list of Envoy's ClientConfigs in Envoy's JSON, which is what `istioctl proxy-status -o json`
//! prints too (`pilot/pkg/xds/statusgen.go: debugSyncz`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::syncz::{Syncz, time};
use crate::ingest::redact;
use crate::model::ids::ProxyId;
use crate::model::sync::{Client, SyncState, TypeSync};

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    resources: Vec<ClientConfig>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ClientConfig {
    node: Node,
    generic_xds_configs: Vec<Type>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Node {
    id: String,
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct Metadata {
    cluster_id: String,
    istio_version: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Type {
    type_url: String,
    config_status: String,
    last_updated: String,
    error_state: ErrorState,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ErrorState {
    details: String,
}

/// Reads the answer of one istiod. It tells no nonces, so that no push has a name; and of each proxy every type that it watches.
pub(super) fn client_configs(bytes: &[u8]) -> Result<Syncz, serde_json::Error> {
    let answer: Answer = serde_json::from_slice(bytes)?;
    Ok(Syncz { clients: answer.resources.into_iter().filter_map(client).collect(), tells_watched: true })
}

fn client(config: ClientConfig) -> Option<Client> {
    let ClientConfig { node, generic_xds_configs } = config;
    let types: BTreeMap<String, TypeSync> = generic_xds_configs.into_iter().filter_map(of_type).collect();
    let Metadata { cluster_id, istio_version } = node.metadata;
    Some(Client { proxy: ProxyId::parse(&node.id)?, cluster: cluster_id, version: istio_version, types, extensions: None })
}

fn of_type(found: Type) -> Option<(String, TypeSync)> {
    let state = match found.config_status.as_str() {
        "ERROR" => SyncState::Refused,
        "STALE" => SyncState::Stale,
        "NOT_SENT" => SyncState::NotSent,
        "SYNCED" => SyncState::Synced,
        // istioctl takes UNKNOWN for a type that is not watched.
        _ => return None,
    };
    let error = redact::text(&found.error_state.details).into_owned();
    let (sent_push, acked_push) = (String::new(), String::new());
    Some((found.type_url, TypeSync { state, sent: time(&found.last_updated), sent_push, acked_push, error }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_type_stands_as_the_answer_says() {
        let answer = br#"{"versionInfo": "x", "resources": [{"@type": "type.googleapis.com/envoy.service.status.v3.ClientConfig",
            "node": {"id": "web-1.default", "metadata": {"CLUSTER_ID": "Kubernetes", "ISTIO_VERSION": "1.31.0", "NAMESPACE": "default"}},
            "genericXdsConfigs": [
                {"typeUrl": "a", "configStatus": "SYNCED", "lastUpdated": "2026-11-23T19:37:50.5Z"},
                {"typeUrl": "b", "configStatus": "ERROR", "errorState": {"details": "refused, token=abcdefghijklmnop"}},
                {"typeUrl": "c", "configStatus": "NOT_SENT", "lastUpdated": "0001-01-01T00:00:00Z"},
                {"typeUrl": "d", "configStatus": "STALE"}, {"typeUrl": "e", "configStatus": "UNKNOWN"}]}]}"#;
        let Syncz { clients, tells_watched } = client_configs(answer).unwrap();
        assert!(tells_watched);
        assert_eq!((clients[0].cluster.as_str(), clients[0].version.as_str()), ("Kubernetes", "1.31.0"));
        let states: Vec<SyncState> = clients[0].types.values().map(|sync| sync.state).collect();
        assert_eq!(states, [SyncState::Synced, SyncState::Refused, SyncState::NotSent, SyncState::Stale]);
        assert_eq!(clients[0].types["a"].sent, Some(1_795_462_670_500_000_000));
        assert!(clients[0].types["c"].sent.is_none() && !clients[0].types["b"].error.contains("abcdefgh"));
    }
}
