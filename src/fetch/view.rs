//! Asks istiod what it would send a proxy, and has it understood.

use crate::ingest::{config_dump, redact};
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::model::istiod_view::{IstiodView, IstiodViews};
use crate::source::{Reply, SharedSource};

/// What istiod says where it cannot write an empty `configuration` (`pilot/pkg/xds/debug.go: ConfigDump`).
const NOT_FOUND: &str = "proto: not found";
/// How much of an error of istiod is said, in characters.
const MOST_SAID: usize = 300;

/// Asks for the view that istiod has of each of these proxies.
pub async fn views_of_istiod(source: &SharedSource, proxies: &[ProxyId]) -> IstiodViews {
    let asked = proxies.iter().map(|proxy| async move {
        let view = match source.view_of_istiod(proxy.clone()).await {
            Ok(reply) => tokio::task::spawn_blocking(move || understand(&reply)).await.unwrap_or_else(|error| Err(error.to_string())),
            Err(error) => Err(said(&error.what)),
        };
        (proxy.clone(), view)
    });
    futures::future::join_all(asked).await.into_iter().collect()
}

/// An answer that is no JSON is istiod's error, as a recording holds it.
fn understand(reply: &Reply) -> Result<IstiodView, String> {
    if !matches!(reply.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        let said = said(String::from_utf8_lossy(&reply.bytes).trim());
        let why = if said.contains(NOT_FOUND) { ", as it does of a plugin without pluginConfig" } else { "" };
        return Err(format!("istiod answers with the error `{said}`{why}"));
    }
    let parsed = config_dump::parse(&reply.bytes, DumpView::Istiod, "istiod's dump").map_err(|error| format!("istiod's dump {error}"))?;
    if let Some(what) = parsed.cut_short {
        return Err(format!("istiod's dump {what}"));
    }
    let warnings = parsed.warnings.iter().map(ToString::to_string);
    let notes = reply.tried.iter().map(|tried| said(tried)).chain(warnings).collect();
    Ok(IstiodView { dump: parsed.dump, notes })
}

/// What an error says, without secrets: cut only after these are gone, so that no half of one is left.
fn said(error: &str) -> String {
    redact::json_line(error).chars().take(MOST_SAID).collect()
}
