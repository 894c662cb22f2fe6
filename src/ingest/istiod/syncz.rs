//! `/debug/syncz`: the nonces that istiod sent to each proxy and that came back (`pilot/pkg/xds/debug.go: SyncStatus`, of each
//! release that has one of its own).
//!
//! Until 1.22 there is a pair of nonces for each of the types that istiod knows; since 1.23 `resources` has every type that the
//! proxy watches, with the time and the proxy's error. 1.12 has no pair for extensions.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::client_config::client_configs;
use crate::ingest::redact;
use crate::model::ids::ProxyId;
use crate::model::logs::LogTime;
use crate::model::sync::{CLUSTERS, Client, ENDPOINTS, EXTENSIONS, LISTENERS, ROUTES, SyncState, TypeSync};

/// How long the part of a nonce is that tells it from others of its push: a UUID.
const UUID: usize = 36;
/// The types of istiod's own debug interface, which no proxy watches.
const DEBUG: &str = "istio.io/debug";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    cluster_id: String,
    proxy: String,
    istio_version: String,
    cluster_sent: String,
    cluster_acked: String,
    listener_sent: String,
    listener_acked: String,
    route_sent: String,
    route_acked: String,
    endpoint_sent: String,
    endpoint_acked: String,
    extensionconfig_sent: String,
    extensionconfig_acked: String,
    resources: Option<BTreeMap<String, Resource>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    sent: String,
    acked: String,
    sent_time: String,
    last_error: String,
}

/// An answer, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Syncz {
    /// The connections.
    pub clients: Vec<Client>,
    /// Whether it tells of every type that a proxy watches, so that the others are not watched.
    pub tells_watched: bool,
}

/// Reads the answer of one istiod, in whichever form it came. Clients that only ask for debugging output, which were sent nothing and say no cluster, are
/// among them.
///
/// # Errors
/// Where it is no such answer, or was cut short: why, as one clause.
pub fn syncz(bytes: &[u8]) -> Result<Syncz, String> {
    let unreadable = |error: serde_json::Error| format!("the answer of /debug/syncz cannot be read: {error}");
    if bytes.trim_ascii_start().starts_with(b"{") {
        return client_configs(bytes).map_err(unreadable);
    }
    let entries: Option<Vec<Entry>> = serde_json::from_slice(bytes).map_err(unreadable)?;
    let entries = entries.unwrap_or_default();
    let tells_watched = entries.iter().any(|entry| entry.resources.is_some());
    Ok(Syncz { clients: entries.into_iter().filter_map(client).collect(), tells_watched })
}

fn client(entry: Entry) -> Option<Client> {
    let proxy = ProxyId::parse(&entry.proxy)?;
    let types = match &entry.resources {
        Some(resources) => resources
            .iter()
            .filter(|(url, _)| !url.starts_with(DEBUG))
            .map(|(url, resource)| (url.clone(), of_resource(resource)))
            .collect(),
        None => pairs(&entry).into_iter().filter_map(|(url, sent, acked)| Some((url.to_owned(), of_pair(sent, acked)?))).collect(),
    };
    Some(Client { proxy, cluster: entry.cluster_id, version: entry.istio_version, types, extensions: None })
}

fn pairs(entry: &Entry) -> [(&'static str, &str, &str); 5] {
    [
        (CLUSTERS, &entry.cluster_sent, &entry.cluster_acked),
        (LISTENERS, &entry.listener_sent, &entry.listener_acked),
        (ENDPOINTS, &entry.endpoint_sent, &entry.endpoint_acked),
        (ROUTES, &entry.route_sent, &entry.route_acked),
        (EXTENSIONS, &entry.extensionconfig_sent, &entry.extensionconfig_acked),
    ]
}

/// The rule by which istiod itself says how a type stands (`pilot/pkg/xds/statusgen.go: debugSyncStatus`).
fn of_resource(resource: &Resource) -> TypeSync {
    let state = match resource {
        Resource { last_error, .. } if !last_error.is_empty() => SyncState::Refused,
        Resource { sent, .. } if sent.is_empty() => SyncState::NotSent,
        Resource { sent, acked, .. } if sent == acked => SyncState::Synced,
        _ => SyncState::Stale,
    };
    TypeSync {
        state,
        sent: time(&resource.sent_time),
        sent_push: push(&resource.sent).to_owned(),
        acked_push: push(&resource.acked).to_owned(),
        error: redact::text(&resource.last_error).into_owned(),
    }
}

/// Without `resources` a refusal cannot be told from an answer that has not come, and what was never sent not from what is not
/// watched.
fn of_pair(sent: &str, acked: &str) -> Option<TypeSync> {
    if sent.is_empty() {
        return None;
    }
    let state = if sent == acked { SyncState::Synced } else { SyncState::Stale };
    Some(TypeSync { state, sent: None, sent_push: push(sent).to_owned(), acked_push: push(acked).to_owned(), error: String::new() })
}

/// The push that a nonce is of: all of it but the UUID at its end.
fn push(nonce: &str) -> &str {
    let (push, uuid) = nonce.len().checked_sub(UUID).and_then(|at| nonce.split_at_checked(at)).unwrap_or((nonce, ""));
    let is_uuid =
        uuid.bytes().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() });
    if is_uuid { push } else { nonce }
}

/// A time as Go writes it; its zero time is none.
pub(super) fn time(text: &str) -> Option<LogTime> {
    let time: jiff::Timestamp = text.parse().ok()?;
    LogTime::try_from(time.as_nanosecond()).ok().filter(|nanos| *nanos > 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_names_its_push() {
        assert_eq!(push("2026-11-23T19:37:49Z/744dcd004-7875-42ec-8e62-21dcf8644bc5"), "2026-11-23T19:37:49Z/7");
        assert_eq!(push("iaaWSujQ7gU=ea4f9755-c00c-4401-87cb-871030c56000"), "iaaWSujQ7gU=");
        assert_eq!(push(""), "");
        assert_eq!(push("17"), "17");
    }

    #[test]
    fn each_type_stands_as_istiod_itself_would_say() {
        let answer = br#"[{"proxy": "web-1.default", "cluster_id": "Kubernetes", "istio_version": "1.31.0", "resources": {
            "a": {"sent": "1", "acked": "1", "sentTime": "2026-11-23T19:37:50.5Z"},
            "b": {"sent": "2", "acked": "1", "sentTime": "2026-11-23T19:37:50Z"},
            "c": {"sentTime": "0001-01-01T00:00:00Z"},
            "d": {"sent": "2", "acked": "1", "sentTime": "2026-11-23T19:37:50Z", "lastError": "no such filter"},
            "istio.io/debug/syncz": {"sent": "1"}}}]"#;
        let Syncz { clients, tells_watched } = syncz(answer).unwrap();
        assert!(tells_watched);
        let states: Vec<(&str, SyncState)> = clients[0].types.iter().map(|(url, sync)| (url.as_str(), sync.state)).collect();
        let expected = [("a", SyncState::Synced), ("b", SyncState::Stale), ("c", SyncState::NotSent), ("d", SyncState::Refused)];
        assert_eq!(states, expected);
        assert_eq!(clients[0].types["a"].sent, Some(1_795_462_670_500_000_000));
        assert_eq!((clients[0].types["c"].sent, clients[0].types["d"].error.as_str()), (None, "no such filter"));
    }

    #[test]
    fn an_answer_that_is_none_is_said() {
        assert!(syncz(b"[{\"proxy\": \"web-1.def").unwrap_err().contains("/debug/syncz"));
        assert_eq!(syncz(b"null"), Ok(Syncz::default()));
        assert_eq!(syncz(b"[{}, {\"proxy\": \"nobody\"}]"), Ok(Syncz::default()));
    }
}
