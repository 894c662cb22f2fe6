//! Asks a proxy for what says how its plugins fare, beside its config dump: bounded, and each part for itself.

use std::sync::Arc;

use bytes::Bytes;

use super::log;
use crate::analysis::health;
use crate::ingest::{init_dump, metrics};
use crate::model::envoy::{ConfigDump, DumpView, EcdsFilter, ExtensionConfig, ListenerState};
use crate::model::inventory::Inventory;
use crate::model::requests::Requests;
use crate::model::vitals::Vitals;
use crate::model::warning::Warning;
use crate::source::{FailureKind, ProxyQuestion, ProxyRequest, SharedSource};

/// Why nothing is known of the requests of a proxy whose log a recording has not.
const NO_LOG: &str = "its log is not among what was recorded";

/// Reads them. What cannot be read is a warning, but for what a recording just has not.
pub(super) async fn read(
    source: &SharedSource,
    request: &ProxyRequest,
    dump: &ConfigDump,
    objects: Arc<Inventory>,
) -> (Option<Vitals>, Vec<Warning>) {
    let mut warnings = Vec::new();
    // Where its dump could not be read from the proxy, nothing else can, and that was said.
    if dump.view == DumpView::Istiod {
        return (Some(Vitals::default()), warnings);
    }
    // One after the other: a proxy answers one question at a time, and each has the request's deadline.
    let init = ask(source, request, ProxyQuestion::InitDump, &mut warnings).await;
    let waits = init.map(|bytes| init_dump::parse(&bytes)).and_then(|parsed| match parsed {
        Ok(waits) => Some(waits),
        Err(why) => {
            warnings.push(Warning::new(format!("init dump of {}", request.proxy), why, ""));
            None
        }
    });
    let envoy = ask(source, request, ProxyQuestion::WasmStats, &mut warnings).await;
    // While Envoy starts, its listener for statistics is not open, and an agent that is asked writes an error into its log.
    let starts = waits.iter().flatten().any(|waiting| waiting.whose == init_dump::SERVER) || awaits_all(dump);
    let agent = if starts { None } else { ask(source, request, ProxyQuestion::AgentStats, &mut warnings).await };
    let has_log = source.logs_held().is_none_or(|held| held.iter().any(|origin| log::is_of(origin, request)));
    // A proxy without plugins has nothing to say of them.
    let has_plugins = !dump.ecds.is_empty() || waits.as_ref().is_some_and(|waits| !waits.is_empty());
    let log = if has_log && has_plugins { log::failures(source, request, objects.clone(), &mut warnings).await } else { Vec::new() };
    let (requests, lost_upstream) = if has_log {
        log::last_minutes(source, request, objects).await
    } else {
        (Requests { gap: Some(NO_LOG.to_owned()), ..Requests::default() }, None)
    };
    let (envoy, agent) = (envoy.map(|bytes| metrics::of_envoy(&bytes)), agent.map(|bytes| metrics::of_agent(&bytes)));
    (Some(Vitals { waits, envoy, agent, log, requests: Some(requests), lost_upstream, stats_alone: false }), warnings)
}

/// Whether listeners of istiod's warm and none takes connections yet.
fn awaits_all(dump: &ConfigDump) -> bool {
    let is_in = |state| dump.listeners.iter().any(|listener| !listener.is_static && listener.state == state);
    is_in(ListenerState::Warming) && !is_in(ListenerState::Active)
}

/// Reads Envoy's statistics of Wasm alone, where the dump is the proxy's own and holds a module; where they leave a doubt, the rest too.
pub(super) async fn stats(
    source: &SharedSource,
    request: &ProxyRequest,
    dump: &ConfigDump,
    objects: Arc<Inventory>,
) -> (Option<Vitals>, Vec<Warning>) {
    let mut warnings = Vec::new();
    let is_module = |entry: &EcdsFilter| matches!(entry.config, ExtensionConfig::Wasm { .. });
    if dump.view == DumpView::Istiod || !dump.ecds.iter().any(is_module) {
        return (None, warnings);
    }
    let envoy = ask(source, request, ProxyQuestion::WasmStats, &mut warnings).await;
    let envoy = envoy.map(|bytes| metrics::of_envoy(&bytes));
    if envoy.as_ref().is_some_and(|envoy| health::is_in_doubt(dump, envoy)) {
        return read(source, request, dump, objects).await;
    }
    (Some(Vitals { envoy, stats_alone: true, ..Vitals::default() }), warnings)
}

async fn ask(source: &SharedSource, request: &ProxyRequest, question: ProxyQuestion, warnings: &mut Vec<Warning>) -> Option<Bytes> {
    match source.proxy(ProxyRequest { question, ..request.clone() }).await {
        Ok(reply) => Some(reply.bytes),
        Err(error) => {
            if error.kind != FailureKind::Missing {
                warnings.push(Warning::new(request.proxy.to_string(), error.what, error.fix));
            }
            None
        }
    }
}
