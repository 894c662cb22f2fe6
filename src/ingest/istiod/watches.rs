//! `/debug/adsz`: what each proxy watches by name (`pilot/pkg/xds/debug.go: AdsClient`). Nothing but the names is read: the rest of
//! the answer is the proxies' metadata.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::ids::ProxyId;
use crate::model::sync::EXTENSIONS;

/// The ECDS resources that each proxy watches, by the proxy.
pub type Watches = BTreeMap<ProxyId, Vec<String>>;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    clients: Vec<Connected>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connected {
    #[serde(default)]
    connection_id: String,
    #[serde(default)]
    watches: BTreeMap<String, Option<Vec<String>>>,
}

/// Reads the answer of one istiod: the names sorted, of several connections of one proxy together.
///
/// # Errors
/// Where it is no such answer, or was cut short: why, as one clause.
pub fn watches(bytes: &[u8]) -> Result<Watches, String> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|error| format!("the answer of /debug/adsz cannot be read: {error}"))?;
    let mut found: BTreeMap<ProxyId, BTreeSet<String>> = BTreeMap::new();
    for Connected { connection_id, mut watches } in answer.clients {
        // The proxy's ID, a hyphen and a counter (`pilot/pkg/xds/ads.go: connectionID`).
        let proxy = connection_id.rsplit_once('-').and_then(|(proxy, _)| ProxyId::parse(proxy));
        if let Some(proxy) = proxy {
            found.entry(proxy).or_default().extend(watches.remove(EXTENSIONS).flatten().unwrap_or_default());
        }
    }
    Ok(found.into_iter().map(|(proxy, names)| (proxy, names.into_iter().collect())).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_extensions_alone() {
        let answer = br#"{"totalClients": 3, "clients": [
            {"connectionId": "web-1.default-12", "metadata": {"LABELS": {}}, "watches": {
                "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig": ["b", "a"],
                "type.googleapis.com/envoy.config.route.v3.RouteConfiguration": ["80"]}},
            {"connectionId": "web-2.default-3", "watches": {"type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig": null}},
            {"connectionId": "nobody"}]}"#;
        let found = watches(answer).unwrap();
        let names = |pod: &str| found[&ProxyId::new(pod, "default")].join(" ");
        assert_eq!((names("web-1").as_str(), names("web-2").as_str(), found.len()), ("a b", "", 2));
        assert!(watches(br#"{"clients": [{"connectionId"#).unwrap_err().contains("/debug/adsz"));
        assert!(watches(br#"{"totalClients": 0}"#).unwrap().is_empty());
    }
}
