//! Asks istiod what it would send a proxy, and the proxy for what only a comparison with that needs, and has both understood.

use memchr::memmem;
use serde::Deserialize;

use crate::analysis::resources;
use crate::ingest::{config_dump, redact};
use crate::model::envoy::DumpView;
use crate::model::istiod_view::{IstiodView, IstiodViews};
use crate::model::resources::{Comparisons, ResourceType, Resources};
use crate::source::{ProxyRequest, Reply, SharedSource, SourceError};

/// What istiod says where it cannot write an empty `configuration` (`pilot/pkg/xds/debug.go: ConfigDump`).
const NOT_FOUND: &str = "proto: not found";
/// How much of an error of istiod is said, in characters.
const MOST_SAID: usize = 300;

/// Asks for the view that istiod has of each of these proxies, and at the same time each proxy for its clusters, routes and endpoints: the
/// requests are [`crate::source::ProxyQuestion::Resources`]. Of what both have only the differences are kept.
pub async fn views_of_istiod(source: &SharedSource, requests: Vec<ProxyRequest>) -> IstiodViews {
    let asked = requests.into_iter().map(|request| async move {
        let proxy = request.proxy.clone();
        let (view, held) = tokio::join!(source.view_of_istiod(proxy.clone()), source.proxy(request));
        let view = match view {
            Ok(reply) => tokio::task::spawn_blocking(move || understand(reply, held)).await.unwrap_or_else(|error| Err(error.to_string())),
            Err(error) => Err(said(&error.what)),
        };
        (proxy, view)
    });
    futures::future::join_all(asked).await.into_iter().collect()
}

/// An answer that is no JSON is istiod's error, as a recording holds it.
fn understand(reply: Reply, held: Result<Reply, SourceError>) -> Result<IstiodView, String> {
    if !matches!(reply.bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        let said = said(String::from_utf8_lossy(&reply.bytes).trim());
        let why = if said.contains(NOT_FOUND) { ", as it does of a plugin without pluginConfig" } else { "" };
        return Err(format!("istiod answers with the error `{said}`{why}"));
    }
    let parsed = config_dump::parse(&reply.bytes, DumpView::Istiod, "istiod's dump").map_err(|error| format!("istiod's dump {error}"))?;
    if let Some(what) = parsed.cut_short {
        return Err(format!("istiod's dump {what}"));
    }
    let resources = compared(&reply, held);
    let tried: Vec<String> = reply.tried.iter().chain(&recorded_notes(&reply)).map(|tried| said(tried)).collect();
    // Over xDS istiod gives the whole: what was tried before says why it was asked so.
    let (way_note, tried) = if reply.way == "xDS" { (Some(tried.join("; ")), Vec::new()) } else { (None, tried) };
    let notes = tried.into_iter().chain(parsed.warnings.iter().map(ToString::to_string)).collect();
    Ok(IstiodView { dump: parsed.dump, way: reply.way, way_note, notes, resources })
}

/// What a recording says of how the view was read.
fn recorded_notes(reply: &Reply) -> Vec<String> {
    #[derive(Default, Deserialize)]
    struct Recorded {
        #[serde(default)]
        notes: Vec<String>,
    }
    // Most have none: one search is cheaper than parsing.
    let is_recorded = reply.way == "file" && memmem::find(&reply.bytes, b"\"notes\"").is_some();
    is_recorded.then(|| serde_json::from_slice::<Recorded>(&reply.bytes).ok()).flatten().unwrap_or_default().notes
}

/// Compares what only istiod's view and the proxy's own say. What was read of them is dropped.
fn compared(reply: &Reply, held: Result<Reply, SourceError>) -> Comparisons {
    let none = |why: String| ResourceType::ALL.into_iter().map(|of| (of, Err(why.clone()))).collect();
    let held = match held {
        Ok(held) => held,
        Err(error) => return none(said(&error.what)),
    };
    let read = |reply: &Reply, whose: &str| config_dump::resources(&reply.bytes).map_err(|error| format!("{whose} dump {error}"));
    let both = || Ok::<(Resources, Resources), String>((read(reply, "istiod's")?, read(&held, "the proxy's")?));
    match both() {
        Ok((istiod, proxy)) => resources::compare(&istiod, &proxy),
        Err(why) => none(why),
    }
}

/// What an error says, without secrets: cut only after these are gone, so that no half of one is left.
fn said(error: &str) -> String {
    redact::json_line(error).chars().take(MOST_SAID).collect()
}
