//! What Envoy's and the agent's counters say of a plugin.

use super::{Evidence, EvidenceSource, PluginState};
use crate::model::envoy::{ConfigDump, EcdsFilter, ExtensionConfig};
use crate::model::vitals::{Metric, Metrics};

/// Active VMs of the runtime that istiod asks for (`source/extensions/common/wasm/stats_handler.h`).
const ACTIVE: &str = "envoy_wasm_envoy_wasm_runtime_v8_active";
/// The VMs of all runtimes together; Envoy makes the counters of a runtime with the first VM of it.
const VMS: &str = "envoy_wasm_wasm_vm_count";
/// Refused updates of listeners.
const LDS_REJECTED: &str = "envoy_listener_manager_lds_update_rejected";
/// How many workers Envoy has, each with VMs of its own.
const WORKERS: &str = "envoy_server_concurrency";
/// A counter that Envoy makes for each plugin that it takes, by the name of its configuration, and gives up with it.
const OF_A_PLUGIN: &str = "_vm_reload";

/// What Envoy's statistics say.
#[derive(Default)]
pub(super) struct OfEnvoy {
    /// It made a plugin of the name, of this configuration or of one before.
    pub has: Option<Evidence>,
    /// It did not, though the dump lists it.
    pub lacks: Option<Evidence>,
    /// No VM runs at all, and so none of this plugin.
    pub runs_nothing: bool,
    /// What was, at any time since it was started.
    pub others: Vec<Evidence>,
}

/// Reads them for the plugin of an ECDS entry.
pub(super) fn of_envoy(entry: Option<&EcdsFilter>, dump: &ConfigDump, metrics: &Metrics) -> OfEnvoy {
    let mut said = OfEnvoy::default();
    let evidence = |metric: &str, what: String| Evidence::new(EvidenceSource::Stats, metric, what);
    if let Some(entry) = entry {
        said.others.extend(failed_updates(entry, metrics));
    }
    // The counter is named after the configuration, which an EnvoyFilter can leave without a name.
    if let Some(ExtensionConfig::Wasm { name, .. }) = entry.map(|entry| &entry.config)
        && !name.is_empty()
    {
        let own = format!("envoy_wasm_{}{OF_A_PLUGIN}", sanitized(name));
        let others = metrics.0.iter().any(|metric| metric.name.starts_with("envoy_wasm_") && metric.name.ends_with(OF_A_PLUGIN));
        let active = metrics.value(ACTIVE).or_else(|| metrics.value(VMS));
        if metrics.value(&own).is_some() {
            said.has = Some(evidence(&own, "Envoy has a counter for it, which it makes for a plugin that it takes".to_owned()));
        } else if others {
            let what = "Envoy has no counter for it, which it makes for each plugin that it takes, and has one for another";
            said.lacks = Some(evidence(&own, what.to_owned()));
        } else if active == Some(0.0) {
            let metric = if metrics.value(ACTIVE).is_some() { ACTIVE } else { VMS };
            said.lacks = Some(evidence(metric, "0: no Wasm VM is active, so no module runs".to_owned()));
            said.runs_nothing = true;
        } else if active.is_some() && dump.ecds.iter().filter(|other| matches!(other.config, ExtensionConfig::Wasm { .. })).count() == 1 {
            said.has = Some(evidence(ACTIVE, "Wasm VMs are active, and the proxy has no other module".to_owned()));
        }
        if let Some(active) = active.filter(|active| *active > 0.0) {
            said.others.push(evidence(ACTIVE, format!("Envoy has {} active, of all its plugins together", number(active, "Wasm VM"))));
        }
    }
    if let Some(count) = metrics.value(LDS_REJECTED).filter(|count| *count > 0.0) {
        said.others.push(evidence(
            LDS_REJECTED,
            format!("Envoy refused {} of listeners since its start, for any reason", number(count, "update")),
        ));
    }
    said
}

/// Whether Envoy's statistics do not show that a plugin of one of a dump's modules was made, so that the log may have the reason.
pub fn is_in_doubt(dump: &ConfigDump, metrics: &Metrics) -> bool {
    let modules = dump.ecds.iter().filter(|entry| matches!(entry.config, ExtensionConfig::Wasm { .. }));
    modules.map(|entry| of_envoy(Some(entry), dump, metrics)).any(|said| said.has.is_none())
}

/// How many workers Envoy has; None where its statistics do not hold it.
pub(super) fn workers(metrics: &Metrics) -> Option<usize> {
    metrics.value(WORKERS).filter(|workers| *workers >= 1.0).map(|workers| workers as usize)
}

/// A VM that failed and could not be started again, as `FAIL_RELOAD` would have it.
pub(super) fn failed_restarts(name: &str, metrics: &Metrics) -> Option<Evidence> {
    let failed = format!("envoy_wasm_{}{OF_A_PLUGIN}_failure", sanitized(name));
    let count = metrics.value(&failed).filter(|count| *count > 0.0)?;
    let what = format!("since its start {} of a VM of it failed", number(count, "restart"));
    Some(Evidence::new(EvidenceSource::Stats, failed, what))
}

/// The counters of the filter's subscription, where the proxy's `proxyStatsMatcher` keeps them.
fn failed_updates(entry: &EcdsFilter, metrics: &Metrics) -> Option<Evidence> {
    let of_filter = format!("extension_config_discovery_http_filter_{}", sanitized(&entry.name));
    let of = |end: &str| {
        let is_it = |metric: &&Metric| metric.name.ends_with(end) && metric.name.contains(&of_filter);
        metrics.0.iter().find(is_it).filter(|metric| metric.value > 0.0)
    };
    let failed = of("_config_fail")?;
    let taken = of("_config_reload").map_or(0.0, |metric| metric.value);
    let what = format!("Envoy refused {} of it since its start, and took {taken}", number(failed.value, "configuration"));
    Some(Evidence::new(EvidenceSource::Stats, failed.name.clone(), what))
}

/// What the agent counted of its modules (`pkg/wasm/monitoring.go`); it does not say of which.
pub(super) fn of_agent(state: PluginState, metrics: &Metrics) -> Vec<Evidence> {
    let evidence = |metric: String, what: String| Evidence::new(EvidenceSource::AgentStats, metric, what);
    let is_failure =
        |metric: &&Metric| metric.value > 0.0 && !metric.labels.contains("\"success\"") && !metric.labels.contains("no_remote_load");
    let fetches = metrics.named("istio_agent_wasm_remote_fetch_count").filter(is_failure);
    let conversions = metrics.named("istio_agent_wasm_config_conversion_count").filter(is_failure);
    let counts = |metric: &Metric| format!("the agent counts {} since its start, of any of its modules", number(metric.value, "failure"));
    let mut failures: Vec<Evidence> = fetches.map(|metric| evidence(metric.to_string(), counts(metric))).collect();
    let fetched = failures.len();
    for metric in conversions {
        // The agent counts a fetch that fails once as such, and once as a configuration that could not be converted.
        match &mut failures[..] {
            [known] if fetched == 1 && known.what == counts(metric) => known.field = format!("{}, {metric}", known.field),
            _ => failures.push(evidence(metric.to_string(), counts(metric))),
        }
    }
    let is_stub = state.is_stub();
    if is_stub && failures.is_empty() {
        return vec![evidence(String::new(), "the agent has counted no failure since its start".to_owned())];
    }
    let entries = "istio_agent_wasm_cache_entries";
    let kept = metrics.value(entries).filter(|_| state == PluginState::Running);
    let kept = kept.map(|count| evidence(entries.to_owned(), format!("the agent keeps {}", number(count, "module"))));
    failures.into_iter().chain(kept).collect()
}

/// `1 failure`, `2 failures`.
fn number(count: f64, what: &str) -> String {
    if count == 1.0 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A name as Envoy writes it into a metric's (`source/server/admin/prometheus_stats.cc`).
fn sanitized(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
