//! Pods whose proxy does not run, or not yet: their state is the reason that nothing of them is known, and no plugin is unknown for it.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::health::{self, PluginState, Rollup};
use meshscope::analysis::lookup;
use meshscope::ingest::metrics;
use meshscope::model::ids::ProxyId;
use meshscope::model::snapshot::{Dump, Snapshot};
use meshscope::model::vitals::Vitals;
use serde_json::json;

use crate::mesh::{FILE, applying, dump, in_state, mesh, module, plugin};
use crate::support::world::{pod, with};

/// The mesh whose one proxy runs the plugin, with one more pod in a state.
fn with_pod_in_state(field: &str, value: serde_json::Value) -> Snapshot {
    let mut objects = applying();
    let other = with(pod("n", "other", json!({"app": "a"}), "sidecar"), field, value);
    objects.push(other);
    let envoy = metrics::of_envoy(b"envoy_wasm_n_p_istio_translated_wasmplugin_vm_reload{} 0\n");
    let vitals = Vitals { envoy: Some(envoy), ..Vitals::default() };
    let mut snapshot = mesh(&objects, &dump(&[in_state("active_state", true)], &[module(FILE)]), Some(vitals));
    let loaded = snapshot.dumps.values().next().unwrap().clone();
    snapshot.dumps.clear();
    snapshot.dumps.insert(ProxyId::new("w", "n"), loaded);
    snapshot
}

#[test]
fn one_pod_that_is_over_makes_no_plugin_unknown_and_one_that_is_to_come_does() {
    let long = "port-forward to port 15000: 400 letters; exec in container istio-proxy: 400 more; istiod's debug dump: and so on";
    for (field, value, words) in [
        ("/status/phase", json!("Pending"), "the pod is Pending"),
        ("/metadata/deletionTimestamp", json!("2026-11-25T00:00:00Z"), "the pod is terminating"),
        ("/status/phase", json!("Failed"), "the pod is Failed"),
    ] {
        let mut snapshot = with_pod_in_state(field, value);
        let other = ProxyId::new("other", "n");
        let failed = lookup::explained(&snapshot.objects, &other, Dump::Failed(long.to_owned()));
        snapshot.dumps.insert(other, failed);
        let plugins = answers::plugins(&snapshot, None).plugins;
        let expected = if words == "the pod is Pending" { Rollup::Unknown } else { Rollup::Ready };
        assert_eq!(plugins[0].rollup, expected, "{words}");
        let health = answers::health(&snapshot, None, None).plugins;
        assert_eq!(health[0].rollup, expected, "{words}");
        for proxy in health[0].proxies.iter().filter(|proxy| proxy.proxy.pod == "other") {
            assert_eq!((proxy.dump_note.as_str(), proxy.evidence[0].what.as_str()), (words, words));
        }
        let check = answers::findings(&snapshot, None, &[]);
        let unread: Vec<&str> = check
            .not_checked
            .iter()
            .filter(|entry| entry.objects.contains(&"other.n".to_owned()))
            .map(|entry| entry.why.as_str())
            .collect();
        assert!(unread.iter().all(|why| *why == words), "{unread:?}");
    }
}

#[test]
fn what_runs_and_cannot_be_read_keeps_its_own_reason() {
    let mut snapshot = with_pod_in_state("/status/phase", json!("Running"));
    let other = ProxyId::new("other", "n");
    let failed = lookup::explained(&snapshot.objects, &other, Dump::Failed("timed out".to_owned()));
    snapshot.dumps.insert(other, failed);
    assert_eq!(answers::plugins(&snapshot, None).plugins[0].rollup, Rollup::Unknown);
    assert!(answers::health(&snapshot, None, None).plugins[0].proxies.iter().any(|proxy| proxy.dump_note == "timed out"));
}

#[test]
fn what_was_read_before_its_pod_stopped_does_not_run_now() {
    let mut snapshot = with_pod_in_state("/status/phase", json!("Running"));
    let proxy = ProxyId::new("w", "n");
    assert_eq!(health::of_proxy(&snapshot, &plugin(), &proxy).state, PluginState::Running);
    let pod = Arc::make_mut(&mut snapshot.objects).pods.get_mut(&proxy).unwrap();
    Arc::make_mut(pod).phase = "Failed".to_owned();
    let found = health::of_proxy(&snapshot, &plugin(), &proxy);
    assert_eq!((found.state, found.note()), (PluginState::Unknown, "the pod is Failed, so that its proxy does not run"));
}
