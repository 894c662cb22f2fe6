//! The dump held against what the proxy waits for, counts and logs: where they contradict each other both are said.

use std::sync::Arc;

use meshscope::analysis::health::{self, EvidenceSource, Health, PluginState};
use meshscope::analysis::logs::Attributor;
use meshscope::ingest::logs::{Assembler, split_kubelet};
use meshscope::ingest::{init_dump, metrics};
use meshscope::model::ids::ProxyId;
use meshscope::model::logs::{LogLine, LogOrigin, LogRecord, LogSource};
use meshscope::model::vitals::Vitals;
use serde_json::Value;

use crate::mesh::{FILE, FILTER, applying, dump, in_state, mesh, module, plugin, stub};

const OWN: &str = "envoy_wasm_n_p_istio_translated_wasmplugin_vm_reload{} 0\n";
const OTHER: &str = "envoy_wasm_n_other_istio_translated_wasmplugin_vm_reload{} 0\n";
const ACTIVE: &str = "envoy_wasm_envoy_wasm_runtime_v8_active{} ";
const REFUSED: &str = "warning\tenvoy config delta_subscription_state.cc:282\tdelta config for TypedExtensionConfig rejected: Unable to create Wasm plugin n.p~istio-translated-wasmplugin\tthread=13";

fn vitals(init: &str, envoy: &str, agent: &str, log: &[&str]) -> Vitals {
    let waits = Some(init_dump::parse(init.as_bytes()).unwrap());
    let (envoy, agent) = (Some(metrics::of_envoy(envoy.as_bytes())), Some(metrics::of_agent(agent.as_bytes())));
    Vitals { waits, envoy, agent, log: log.iter().map(|line| record(line)).collect(), ..Vitals::default() }
}

/// The record of a line of the proxy's log, tied to its plugin.
fn record(line: &str) -> LogRecord {
    let pod = ProxyId::new("w", "n");
    let origin = Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".into(), workload: None });
    let (time, text) = split_kubelet(line);
    let mut assembler = Assembler::default();
    assert!(assembler.push(LogLine { origin, time, text: text.to_owned(), cut: false }).is_none());
    let mut record = assembler.flush().unwrap();
    Attributor::new(mesh(&applying(), &dump(&[], &[]), None).objects).attribute(&mut record);
    record
}

fn weighed(dump: &Value, vitals: Vitals) -> Health {
    let snapshot = mesh(&applying(), dump, Some(vitals));
    health::of_proxy(&snapshot, &plugin(), &ProxyId::new("w", "n"))
}

/// The entry of another plugin's module.
fn other_module() -> Value {
    serde_json::from_str(&module(FILE).to_string().replace("n.p~", "n.other~")).unwrap()
}

fn in_place() -> Value {
    dump(&[in_state("active_state", true)], &[module(FILE)])
}

fn said(health: &Health, source: EvidenceSource, part: &str) -> bool {
    health.evidence.iter().any(|evidence| evidence.source == source && evidence.what.contains(part))
}

#[test]
fn sources_that_agree_leave_the_state_as_the_dump_has_it() {
    let found = weighed(&in_place(), vitals("{}", &format!("{OWN}{ACTIVE}4\n"), "istio_agent_wasm_cache_entries 1\n", &[]));
    assert_eq!((found.state, found.evidence[0].source), (PluginState::Running, EvidenceSource::ConfigDump));
    assert!(
        said(&found, EvidenceSource::Stats, "a counter for it") && said(&found, EvidenceSource::AgentStats, "keeps 1 module"),
        "{found:?}"
    );
}

#[test]
fn what_envoy_waits_for_is_pending_and_named() {
    let init = format!(
        r#"{{"unready_targets_dumps": [{{"name": "init manager Listener-local-init-manager virtualInbound 529",
        "target_names": ["shared target FilterConfigSubscription init {FILTER}"]}}]}}"#
    );
    let waits = weighed(&dump(&[in_state("warming_state", true)], &[]), vitals(&init, "", "", &[]));
    assert_eq!((waits.state, waits.evidence[0].source), (PluginState::Pending, EvidenceSource::ConfigDump));
    assert!(said(&waits, EvidenceSource::InitDump, FILTER) && said(&waits, EvidenceSource::InitDump, "virtualInbound"), "{waits:?}");
    // A dump that lists it cannot have it in place while Envoy still waits for it.
    let contradicted = weighed(&in_place(), vitals(&init, "", "", &[]));
    assert_eq!((contradicted.state, contradicted.evidence[0].source), (PluginState::Pending, EvidenceSource::InitDump));
    assert!(said(&contradicted, EvidenceSource::ConfigDump, "ECDS holds the module"), "both are said");
    // Another plugin's wait is not this one's.
    let other = weighed(&in_place(), vitals(&init.replace("n.p~", "n.other~"), OWN, "", &[]));
    assert_eq!(other.state, PluginState::Running);
}

#[test]
fn a_module_that_envoy_made_no_plugin_of_is_rejected_though_the_dump_lists_it() {
    let found = weighed(&in_place(), vitals("{}", &format!("{OTHER}{ACTIVE}4\n"), "", &[]));
    assert_eq!((found.state, found.evidence[0].source), (PluginState::Rejected, EvidenceSource::Stats));
    assert!(said(&found, EvidenceSource::ConfigDump, "ECDS holds the module"));
    let nothing = weighed(&in_place(), vitals("{}", &format!("{ACTIVE}0\n"), "", &[]));
    assert_eq!((nothing.state, nothing.note()), (PluginState::VmFailed, "0: no Wasm VM is active, so no module runs"));
    // An Envoy that keeps no such counters shows it where it is the only module; none at all show nothing.
    assert_eq!(weighed(&in_place(), vitals("{}", &format!("{ACTIVE}4\n"), "", &[])).state, PluginState::Running);
    let two = dump(&[in_state("active_state", true)], &[module(FILE), other_module()]);
    assert_eq!(weighed(&two, vitals("{}", &format!("{ACTIVE}4\n"), "", &[])).state, PluginState::Unverified);
    let silent = weighed(&in_place(), vitals("{}", "", "", &[]));
    assert_eq!((silent.state, silent.note()), (PluginState::Unverified, "nothing in what was read shows that the module runs"));
    let none = health::of_proxy(&mesh(&applying(), &in_place(), None), &plugin(), &ProxyId::new("w", "n"));
    assert_eq!(none.state, PluginState::Unverified, "the dump alone");
}

#[test]
fn a_refusal_in_the_log_counts_from_what_ecds_was_last_given() {
    let after = format!("2026-11-25T00:00:00.169109Z\t{REFUSED}");
    let found = weighed(&in_place(), vitals("{}", OTHER, "", &[&after]));
    assert_eq!(found.state, PluginState::Rejected);
    assert!(said(&found, EvidenceSource::Log, "Unable to create Wasm plugin n.p~"), "Envoy's reason: {found:?}");
    // What Envoy took before goes on, and its counter with it.
    let edited = weighed(&in_place(), vitals("{}", OWN, "", &[&after]));
    assert_eq!((edited.state, edited.evidence[0].source), (PluginState::Rejected, EvidenceSource::Log));
    assert!(said(&edited, EvidenceSource::Stats, "requests pass the module before"));
    let before = format!("2026-11-24T23:59:59.000000Z\t{REFUSED}");
    let healed = weighed(&in_place(), vitals("{}", OWN, "", &[&before]));
    assert_eq!(healed.state, PluginState::Running, "an old refusal is no present one");
    assert!(!healed.evidence.iter().any(|evidence| evidence.source == EvidenceSource::Log));
}

#[test]
fn what_a_module_logged_later_is_not_why_it_was_refused() {
    let critical = |time: &str, words: &str| {
        format!(
            "2026-11-25T00:00:{time}Z\tcritical\tenvoy wasm context.cc:1148\twasm log n.p~istio-translated-wasmplugin: {words}\tthread=13"
        )
    };
    let refused = format!("2026-11-25T00:00:00.169109Z\t{REFUSED}");
    let (why, later) = (critical("00.150000", "no key is set"), critical("09.000000", "the request has no path"));
    let found = weighed(&in_place(), vitals("{}", OWN, "", &[&why, &refused, &later]));
    assert_eq!(found.state, PluginState::Rejected);
    assert!(found.note().contains("no key is set"), "{found:?}");
    let silent = weighed(&in_place(), vitals("{}", OWN, "", &[&refused, &later]));
    assert!(silent.note().contains("Unable to create Wasm plugin"), "what goes on may log of requests: {silent:?}");
}

#[test]
fn a_stub_has_the_error_of_the_fetch_beside_it() {
    let line = "2026-11-25T00:00:00.100000Z\terror\twasm\terror in converting the wasm config to local: cannot fetch Wasm module oci://registry/x:v1: \
        could not fetch Wasm OCI image: could not fetch manifest: MANIFEST_UNKNOWN. applying deny RBAC filter";
    let agent =
        "istio_agent_wasm_remote_fetch_count{result=\"manifest_failure\"} 1\nistio_agent_wasm_remote_fetch_count{result=\"success\"} 3\n";
    let denies = dump(&[in_state("active_state", true)], &[stub("deny")]);
    let found = weighed(&denies, vitals("{}", "", agent, &[line]));
    assert_eq!((found.state, found.evidence[0].source), (PluginState::StubDeny, EvidenceSource::ConfigDump));
    assert!(said(&found, EvidenceSource::Log, "MANIFEST_UNKNOWN") && said(&found, EvidenceSource::AgentStats, "1 failure since its start"));
    assert_eq!(found.evidence.iter().filter(|evidence| evidence.source == EvidenceSource::AgentStats).count(), 1, "successes are none");
    // A running module is not blamed for a failure of before, which is told as one.
    let running = weighed(&in_place(), vitals("{}", OWN, agent, &[line]));
    assert_eq!(running.state, PluginState::Running);
    assert!(
        said(&running, EvidenceSource::AgentStats, "since its start, of any of its modules") && !said(&running, EvidenceSource::Log, "")
    );
    let silent = weighed(&denies, vitals("{}", "", "istio_agent_wasm_cache_entries 1\n", &[]));
    assert!(said(&silent, EvidenceSource::AgentStats, "has counted no failure"), "that the agent knows nothing of it is said too");
}

#[test]
fn counters_of_refusals_are_told_and_decide_nothing() {
    let filter = FILTER.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    let stats = format!(
        "{OWN}envoy_listener_manager_lds_update_rejected{{}} 2\nenvoy_extension_config_discovery_http_filter_{filter}_config_fail{{}} 1\n"
    );
    let found = weighed(&in_place(), vitals("{}", &stats, "", &[]));
    assert_eq!(found.state, PluginState::Running);
    assert!(said(&found, EvidenceSource::Stats, "refused 2 updates of listeners since its start"));
    assert!(said(&found, EvidenceSource::Stats, "refused 1 configuration of it since its start"), "{found:?}");
}
