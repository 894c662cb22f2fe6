//! Asks istiod what it would send a proxy, and has it understood.

use crate::ingest::{config_dump, redact};
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::model::istiod_view::{IstiodView, IstiodViews};
use crate::source::{Reply, SharedSource};

/// How much of an error of istiod is said, in characters.
const MOST_SAID: usize = 200;

/// Asks for the view that istiod has of each of these proxies.
pub async fn views_of_istiod(source: &SharedSource, proxies: &[ProxyId]) -> IstiodViews {
    let asked = proxies.iter().map(|proxy| async move {
        let view = match source.view_of_istiod(proxy.clone()).await {
            Ok(reply) => tokio::task::spawn_blocking(move || understand(&reply)).await.unwrap_or_else(|error| Err(error.to_string())),
            Err(error) => Err(redact::text(&error.what).into_owned()),
        };
        (proxy.clone(), view)
    });
    futures::future::join_all(asked).await.into_iter().collect()
}

/// An answer that is no JSON is istiod's error, as a recording holds it.
fn understand(reply: &Reply) -> Result<IstiodView, String> {
    if !matches!(reply.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        let said: String = String::from_utf8_lossy(&reply.bytes).trim().chars().take(MOST_SAID).collect();
        return Err(format!("istiod answers with an error: {}", redact::text(&said)));
    }
    let parsed = config_dump::parse(&reply.bytes, DumpView::Istiod, "istiod's dump").map_err(|error| format!("istiod's dump {error}"))?;
    if let Some(what) = parsed.cut_short {
        return Err(format!("istiod's dump {what}"));
    }
    let warnings = parsed.warnings.iter().map(ToString::to_string);
    let notes = reply.tried.iter().map(|tried| redact::text(tried).into_owned()).chain(warnings).collect();
    Ok(IstiodView { dump: parsed.dump, notes })
}
