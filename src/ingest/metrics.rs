//! Metrics in the text format of Prometheus, as Envoy and the agent write them: those that say how modules fare.

use crate::model::vitals::{Metric, Metrics};

/// Parts of the names of Envoy's statistics that are kept: VMs and plugins, the subscriptions of ECDS, refused listeners, the number of
/// workers. Those of subscriptions are there only where `proxyStatsMatcher` lets them through (`pkg/bootstrap/config.go`).
const OF_ENVOY: [&str; 5] =
    ["_wasm_", "extension_config_discovery", "lds_update_rejected", "total_listeners_warming", "server_concurrency"];
/// How the names of the agent's own begin (`pkg/wasm/monitoring.go`); its page has Envoy's too.
const OF_AGENT: &str = "istio_agent_wasm_";

/// Reads Envoy's `/stats/prometheus`.
pub fn of_envoy(bytes: &[u8]) -> Metrics {
    parse(bytes, |name| name.starts_with("envoy_") && OF_ENVOY.iter().any(|part| name.contains(part)))
}

/// Reads the agent's.
pub fn of_agent(bytes: &[u8]) -> Metrics {
    parse(bytes, |name| name.starts_with(OF_AGENT) && !name.contains("_duration"))
}

/// What cannot be understood is passed over: another program may write on the same page.
fn parse(bytes: &[u8], keep: impl Fn(&str) -> bool) -> Metrics {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Metrics(lines.filter_map(|line| metric(line, &keep)).collect())
}

fn metric(line: &str, keep: &impl Fn(&str) -> bool) -> Option<Metric> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    if !keep(name) {
        return None;
    }
    // A label's value may hold a brace, but what follows the labels cannot.
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => rest.rsplit_once('}')?,
        None => ("", rest),
    };
    let value = value.split_whitespace().next()?.parse().ok()?;
    Some(Metric { name: name.to_owned(), labels: labels.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_how_modules_fare_is_kept() {
        let text = "# HELP istio_agent_wasm_cache_entries number\nistio_agent_wasm_cache_entries 1\nnot a metric\n\
            istio_agent_wasm_remote_fetch_count{result=\"manifest}failure\"} 2 1795566341681\nistio_agent_go_gc 7\n\
            istio_agent_wasm_config_conversion_duration_sum 3\nenvoy_wasm_wasm_vm_count{} 4\nistio_agent_wasm_x{\n";
        let agent = of_agent(text.as_bytes());
        assert_eq!(
            agent.0.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["istio_agent_wasm_cache_entries", "istio_agent_wasm_remote_fetch_count{result=\"manifest}failure\"}"]
        );
        assert_eq!(agent.value("istio_agent_wasm_remote_fetch_count"), Some(2.0));
        assert_eq!(of_envoy(text.as_bytes()).value("envoy_wasm_wasm_vm_count"), Some(4.0));
        assert_eq!(of_envoy(b"\xff\xfe{").0, []);
    }
}
