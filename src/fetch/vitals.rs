//! Asks a proxy for what says how its plugins fare, beside its config dump: bounded, and each part for itself.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::analysis::health;
use crate::analysis::logs::{Filter, FilterSpec};
use crate::ingest::logs::details::FAIL_STREAM;
use crate::ingest::{init_dump, metrics};
use crate::logs::{self, View};
use crate::model::envoy::{ConfigDump, DumpView, EcdsFilter, ExtensionConfig};
use crate::model::inventory::Inventory;
use crate::model::logs::{LogEvent, LogOrigin, LogRecord, LogSource, MarkKind};
use crate::model::vitals::Vitals;
use crate::model::warning::Warning;
use crate::source::logs::LogQuery;
use crate::source::{FailureKind, ProxyQuestion, ProxyRequest, SharedSource};

/// How many lines of the log are read, from its end.
const LINES: u64 = 2000;

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
    let starts = waits.iter().flatten().any(|waiting| waiting.whose == init_dump::SERVER);
    let agent = if starts { None } else { ask(source, request, ProxyQuestion::AgentStats, &mut warnings).await };
    // A proxy without plugins has nothing to say of them.
    let is_held = |held: Vec<LogOrigin>| held.iter().any(|origin| origin.pod == request.proxy && origin.container == request.container);
    let has_log = source.logs_held().is_none_or(is_held);
    let log = if !has_log || dump.ecds.is_empty() && waits.as_ref().is_none_or(Vec::is_empty) {
        Vec::new()
    } else {
        failures(source, request, objects, &mut warnings).await
    };
    let (envoy, agent) = (envoy.map(|bytes| metrics::of_envoy(&bytes)), agent.map(|bytes| metrics::of_agent(&bytes)));
    (Some(Vitals { waits, envoy, agent, log, stats_alone: false }), warnings)
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

/// The lines at the end of the proxy's log about a plugin that could not be fetched, that Envoy did not take, or whose VM failed, with what
/// shows since that it runs.
async fn failures(source: &SharedSource, request: &ProxyRequest, objects: Arc<Inventory>, warnings: &mut Vec<Warning>) -> Vec<LogRecord> {
    let Ok(filter) = Filter::new(FilterSpec::default(), &objects) else { return Vec::new() };
    let (pod, container) = (request.proxy.clone(), request.container.clone());
    let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container, workload: None });
    let view = View { origins: [origin].into(), objects, alone: false, filter: Arc::new(filter) };
    // The sender lives until the log is read: without it the reading ends.
    let (_views, view) = watch::channel(Arc::new(view));
    let (sender, mut records) = mpsc::channel(4);
    let query = LogQuery { tail: Some(LINES), ..LogQuery::default() };
    let mut found = Vec::new();
    let gather = async {
        while let Some(batch) = records.recv().await {
            found.extend(batch);
        }
    };
    let read = timeout(request.deadline, futures::future::join(logs::run(source.clone(), query, view, sender), gather)).await;
    let object = format!("log of {}", request.proxy);
    if read.is_err() {
        warnings.push(Warning::new(object.clone(), format!("was not read within {} s", request.deadline.as_secs_f64()), ""));
    }
    let failed = found.iter().filter(|record| record.event == Some(LogEvent::Mark(MarkKind::Failed)));
    warnings.extend(failed.map(|record| Warning::new(object.clone(), record.message.to_string(), "")));
    let mut has_failed = false;
    found.retain(|record| match record.event {
        // Which module was fetched before.
        Some(LogEvent::Fetch) => true,
        Some(LogEvent::FetchFailed | LogEvent::Nack) => record.plugin.is_some(),
        // Of several modules the line of a failure does not say which; who asks knows what the proxy has.
        Some(LogEvent::VmFailed) => {
            has_failed = true;
            true
        }
        Some(LogEvent::Request) => {
            has_failed |= record.raw.contains(FAIL_STREAM);
            // A request that was answered, and a plugin that speaks, are signs that a VM runs again.
            has_failed
        }
        // What a module says as it ends stands in front of the failure.
        Some(LogEvent::PluginLog) => has_failed || &*record.level == "critical",
        _ => false,
    });
    found
}
