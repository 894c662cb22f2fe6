//! Asks a proxy for what says how its plugins fare, beside its config dump: bounded, and each part for itself.

use std::sync::Arc;

use bytes::Bytes;

use super::log::{self, LogEnd};
use crate::analysis::health;
use crate::ingest::{init_dump, metrics};
use crate::model::envoy::{ConfigDump, DumpView, EcdsFilter, ExtensionConfig, ListenerState};
use crate::model::inventory::Inventory;
use crate::model::requests::Requests;
use crate::model::vitals::{Metrics, Vitals};
use crate::model::warning::Warning;
use crate::source::{FailureKind, ProxyQuestion, ProxyRequest, SharedSource};

/// Why nothing is known of what the log of a proxy would show that a recording has not.
const NO_LOG: &str = "its log is not among what was recorded";

/// Reads them; where not all of them are asked for (`vital`), only Envoy's statistics of Wasm and what the last lines of the log have of
/// plugins, where the dump is the proxy's own and has a module, and the rest only where the statistics leave a doubt. What cannot be read
/// is a warning, but for what a recording just has not.
pub(super) async fn read(
    source: &SharedSource,
    request: &ProxyRequest,
    dump: &ConfigDump,
    objects: Arc<Inventory>,
    vital: bool,
) -> (Option<Vitals>, Vec<Warning>) {
    let mut warnings = Vec::new();
    let is_module = |entry: &EcdsFilter| matches!(entry.config, ExtensionConfig::Wasm { .. });
    // Where its dump could not be read from the proxy, nothing else can, and that was said.
    if dump.view == DumpView::Istiod || !vital && !dump.ecds.iter().any(is_module) {
        return (vital.then(Vitals::default), warnings);
    }
    let envoy = statistics(source, request, &mut warnings).await;
    if vital || envoy.as_ref().is_some_and(|envoy| health::is_in_doubt(dump, envoy)) {
        return (Some(rest(source, request, dump, objects, envoy, &mut warnings).await), warnings);
    }
    // A VM that failed while its plugin is in place shows in the log alone.
    let (log, log_gap) = match has_log(source, request) {
        true => log::failures(source, request, objects).await,
        false => (Vec::new(), Some(NO_LOG.to_owned())),
    };
    (Some(Vitals { envoy, log, log_gap, brief: true, ..Vitals::default() }), warnings)
}

/// Reads all but Envoy's statistics, which were read before.
async fn rest(
    source: &SharedSource,
    request: &ProxyRequest,
    dump: &ConfigDump,
    objects: Arc<Inventory>,
    envoy: Option<Metrics>,
    warnings: &mut Vec<Warning>,
) -> Vitals {
    // One after the other: a proxy answers one question at a time, and each has the request's deadline.
    let init = ask(source, request, ProxyQuestion::InitDump, warnings).await;
    let waits = init.map(|bytes| init_dump::parse(&bytes)).and_then(|parsed| match parsed {
        Ok(waits) => Some(waits),
        Err(why) => {
            warnings.push(Warning::new(format!("init dump of {}", request.proxy), why, ""));
            None
        }
    });
    // While Envoy starts, its listener for statistics is not open, and an agent that is asked writes an error into its log.
    let starts = waits.iter().flatten().any(|waiting| waiting.whose == init_dump::SERVER) || awaits_all(dump);
    let agent = if starts { None } else { ask(source, request, ProxyQuestion::AgentStats, warnings).await };
    // A proxy without plugins has nothing to say of them.
    let has_plugins = !dump.ecds.is_empty() || waits.as_ref().is_some_and(|waits| !waits.is_empty());
    let end = if has_log(source, request) {
        log::end(source, request, objects, has_plugins, warnings).await
    } else {
        let requests = Requests { gap: Some(NO_LOG.to_owned()), ..Requests::default() };
        LogEnd { failures: Vec::new(), requests, lost_upstream: None, gap: Some(NO_LOG.to_owned()) }
    };
    let agent = agent.map(|bytes| metrics::of_agent(&bytes));
    let LogEnd { failures: log, requests, lost_upstream, gap: log_gap } = end;
    Vitals { waits, envoy, agent, log, log_gap, requests: Some(requests), lost_upstream, brief: false }
}

async fn statistics(source: &SharedSource, request: &ProxyRequest, warnings: &mut Vec<Warning>) -> Option<Metrics> {
    ask(source, request, ProxyQuestion::WasmStats, warnings).await.map(|bytes| metrics::of_envoy(&bytes))
}

fn has_log(source: &SharedSource, request: &ProxyRequest) -> bool {
    source.logs_held().is_none_or(|held| held.iter().any(|origin| log::is_of(origin, request)))
}

/// Whether listeners of istiod's warm and none takes connections yet.
fn awaits_all(dump: &ConfigDump) -> bool {
    let is_in = |state| dump.listeners.iter().any(|listener| !listener.is_static && listener.state == state);
    is_in(ListenerState::Warming) && !is_in(ListenerState::Active)
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
