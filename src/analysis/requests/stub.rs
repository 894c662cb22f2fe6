//! Whether the stub that the agent puts in the place of a module that it could not fetch denied requests: its RBAC filter has no rules, so
//! that its denials look like those of an AuthorizationPolicy of which no rule fits (`pkg/wasm/convert.go: createDenyFilter`).

use std::fmt;

use super::mesh::Mesh;
use crate::analysis::attachment;
use crate::analysis::logs::attribution::module::Module;
use crate::ingest::logs::details::details;
use crate::ingest::logs::instant;
use crate::model::envoy::{ConfigDump, EcdsFilter, ExtensionConfig};
use crate::model::ids::{ObjectName, PluginId, PluginKind};
use crate::model::kind::Kind;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogRecord, LogTime};
use crate::model::plugin::Plugin;
use crate::model::requests::Failed;
use crate::model::workload::Pod;

/// How soon after the agent's line the first request is denied, in nanoseconds: the agent writes the line and then sends the stub to Envoy,
/// and an access log has the time at which a request began.
const SLACK: LogTime = 1_000_000_000;
/// How soon after a fetch Envoy rejects the module, in nanoseconds.
const AT_ONCE: LogTime = 10_000_000_000;

/// Whether a stub denied requests.
pub(super) enum Stub {
    /// It was in place in the time of the failures, by the agent's log.
    Was {
        /// Whose stub it was.
        plugin: Stubbed,
        /// When the agent failed to fetch the module.
        since: LogTime,
    },
    /// It may have been in place of one of these plugins.
    Possible(Vec<PluginId>),
    /// It was not.
    None,
}

/// The plugin that a stub was in the place of.
pub(super) struct Stubbed {
    /// Its object, where the line can be of no other.
    pub(super) object: Option<(Kind, ObjectName)>,
    url: String,
}

impl fmt::Display for Stubbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.object {
            Some((kind, name)) => write!(f, "{kind} {name}"),
            None => write!(f, "the plugin of {}", self.url),
        }
    }
}

/// Whether it did.
pub(super) fn of(mesh: &Mesh<'_>, pod: &Pod, failed: &Failed) -> Stub {
    let (Some(loaded), Some(first), Some(last)) = (mesh.snapshot.dump(&pod.id), failed.first, failed.last) else { return Stub::None };
    let attached: Vec<&Plugin> = mesh
        .objects
        .plugins
        .values()
        .map(|plugin| &**plugin)
        .filter(|plugin| attachment::attach(plugin, pod, mesh.objects).attached)
        .collect();
    let log = loaded.vitals.as_ref().map(|vitals| vitals.log.as_slice()).unwrap_or_default();
    for (index, record) in log.iter().enumerate() {
        let (Some(since), Some(url)) = (record.time, stubbed(record)) else { continue };
        let plugin = record.plugin.clone().or_else(|| only_of(&attached, url));
        let until = end(&loaded.dump, &log[index..], plugin.as_ref(), url);
        if since <= first + SLACK && until.is_none_or(|until| last <= until + SLACK) {
            return Stub::Was { plugin: Stubbed { object: plugin.as_ref().and_then(object), url: url.to_owned() }, since };
        }
    }
    // One whose module was in place before the first failure, and is now, had none.
    let had_module = |plugin: &PluginId| {
        let is_module = |entry: &&EcdsFilter| matches!(entry.config, ExtensionConfig::Wasm { .. });
        let mut entries = loaded.dump.ecds.iter().filter(is_module).filter(|entry| entry.plugin.as_ref() == Some(plugin));
        entries.any(|entry| entry.last_updated.as_deref().and_then(instant).is_some_and(|updated| updated < first))
    };
    let fails_closed = |plugin: &&&Plugin| plugin.wasm().is_some_and(|module| module.fail_strategy != "FAIL_OPEN");
    let possible = attached.iter().filter(fails_closed).map(|plugin| plugin.id.clone()).filter(|id| !had_module(id));
    let possible: Vec<PluginId> = possible.collect();
    if possible.is_empty() { Stub::None } else { Stub::Possible(possible) }
}

/// The only plugin with a module of this repository.
fn only_of(plugins: &[&Plugin], url: &str) -> Option<PluginId> {
    let module = Module::of(url);
    let mut found = plugins.iter().filter(|plugin| plugin.wasm().is_some_and(|of| Module::of(&of.url).is_of_repository_of(&module)));
    found.next().filter(|_| found.next().is_none()).map(|plugin| plugin.id.clone())
}

fn object(plugin: &PluginId) -> Option<(Kind, ObjectName)> {
    let kind = match plugin.kind {
        PluginKind::WasmPlugin => Kind::WasmPlugin,
        PluginKind::TrafficExtension => Kind::TrafficExtension,
        PluginKind::EnvoyFilter => return None,
    };
    Some((kind, plugin.name.clone()))
}

/// The URL of a module that could not be fetched, where a stub that denies was put in its place. Until Istio 1.24 the line does not say which
/// stub.
fn stubbed(record: &LogRecord) -> Option<&str> {
    match details(record)? {
        LogDetails::FetchFailed { url, stub: Some("deny") | None, .. } => Some(url.unwrap_or("the module")),
        _ => None,
    }
}

/// The module that the agent fetched or could not fetch.
fn module_of(record: &LogRecord) -> Option<Module<'_>> {
    match details(record)? {
        LogDetails::Fetch { registry, repository, reference, .. } => Some(Module::parts(registry, repository, reference)),
        LogDetails::FetchFailed { url, .. } => url.map(Module::of),
        _ => None,
    }
}

/// When another configuration took the place of the stub, as far as that is known: the agent fetched a module that Envoy did not reject, or the
/// plugin was last updated then. The log begins with the failure.
fn end(dump: &ConfigDump, log: &[LogRecord], plugin: Option<&PluginId>, url: &str) -> Option<LogTime> {
    let (failed, later) = log.split_first()?;
    let module = Module::of(url);
    let is_its = |record: &&LogRecord| module_of(record).is_some_and(|of| of.is_of_repository_of(&module));
    let fetched = later.iter().enumerate().find_map(|(index, record)| {
        let time = record.time.filter(|_| record.event == Some(LogEvent::Fetch) && is_its(&record))?;
        let rest = &later[index + 1..];
        let next = rest.iter().filter(is_its).find(|next| matches!(next.event, Some(LogEvent::Fetch | LogEvent::FetchFailed)));
        let has_failed = next.is_some_and(|next| next.event == Some(LogEvent::FetchFailed));
        let is_rejection = |next: &LogRecord| matches!(next.event, Some(LogEvent::Nack | LogEvent::VmFailed));
        let is_soon = |next: &LogRecord| next.time.is_some_and(|next| next - time < AT_ONCE);
        let is_rejected = rest.iter().any(|next| is_rejection(next) && is_soon(next));
        (!has_failed && !is_rejected).then_some(time)
    });
    // Where the line is of no plugin that is there, the stub was in place until the last of them was updated, at most.
    let is_one = |entry: &&EcdsFilter| entry.plugin.is_some() && (plugin.is_none() || entry.plugin.as_ref() == plugin);
    let updated = dump.ecds.iter().filter(is_one).filter_map(|entry| entry.last_updated.as_deref()).filter_map(instant).max();
    let updated = updated.filter(|updated| Some(*updated) > failed.time);
    fetched.into_iter().chain(updated).min()
}
