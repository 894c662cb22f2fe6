//! By the dump alone, with and without objects.

use meshscope::analysis::health::{EvidenceSource, PluginState};
use serde_json::{Value, json};

use crate::mesh::{FILE, applying, dump, elsewhere, entry, health, in_state, listener, module, stub};
use crate::support::world::{GATEWAY_GROUP, gateway, selecting, sidecar, target, wasm_plugin, with};

fn active() -> [Value; 1] {
    [in_state("active_state", true)]
}

fn without() -> [Value; 1] {
    [in_state("active_state", false)]
}

#[test]
fn what_ecds_holds_is_what_runs() {
    for (held, expected, said) in [
        (module(FILE), PluginState::Unverified, "ECDS holds the module as /var/lib/istio/data/"),
        (stub("deny"), PluginState::StubDeny, "all requests are denied"),
        (stub("allow"), PluginState::StubAllow, "all requests are allowed"),
        (entry(json!({})), PluginState::Pending, "has received nothing"),
        (entry(json!({"@type": "type.googleapis.com/x.Lua"})), PluginState::Unknown, "x.Lua under its name"),
    ] {
        let found = health(&applying(), &dump(&active(), &[held]));
        assert_eq!(found.state, expected);
        assert!(found.evidence.iter().any(|evidence| evidence.what.contains(said)), "{found:?}");
    }
}

#[test]
fn a_listener_that_warms_waits_for_a_plugin_that_ecds_does_not_hold() {
    let waits = health(&applying(), &dump(&[in_state("warming_state", true)], &[]));
    assert_eq!(waits.state, PluginState::Pending, "though such a dump has no ECDS section at all");
    assert_eq!(waits.evidence[0].field, "dynamic_listeners[].warming_state");
    assert!(waits.note().contains("virtualInbound"), "{}", waits.note());
    assert_eq!(health(&applying(), &dump(&active(), &[])).state, PluginState::Unknown, "nothing waits, and the section is missing");
    // It warms for the sake of something else.
    assert_eq!(health(&applying(), &dump(&[in_state("warming_state", true)], &[module(FILE)])).state, PluginState::Unverified);
}

#[test]
fn a_refused_listener_that_names_the_plugin_is_a_rejection_with_envoys_reason() {
    let refused = in_state("error_state", true);
    let found = health(&applying(), &dump(&[refused.clone(), in_state("active_state", false)], &[module(FILE)]));
    assert_eq!(found.state, PluginState::Rejected);
    assert!(found.note().ends_with("Unable to create Wasm plugin n.p~istio-translated-wasmplugin"), "{}", found.note());
    assert_eq!(found.evidence.len(), 2, "what ECDS holds is said too: {found:?}");
    // An older configuration with it goes on to serve.
    assert_eq!(health(&applying(), &dump(&[refused.clone(), active()[0].clone()], &[module(FILE)])).state, PluginState::Rejected);
    // The refusal of another plugin, whose name goes on, says nothing of this one.
    let other = refused.to_string().replace("plugin n.p~", "plugin n.p-other~");
    let other: Value = serde_json::from_str(&other).unwrap();
    assert_eq!(health(&applying(), &dump(&[other.clone(), active()[0].clone()], &[module(FILE)])).state, PluginState::Unverified);
    assert_eq!(health(&applying(), &dump(&[other], &[module(FILE)])).state, PluginState::Rejected, "but no other listener has it");
}

#[test]
fn what_applies_and_is_nowhere_is_absent() {
    let found = health(&applying(), &dump(&without(), &[]));
    assert_eq!(found.state, PluginState::Absent);
    let said: Vec<(EvidenceSource, &str)> = found.evidence.iter().map(|evidence| (evidence.source, evidence.what.as_str())).collect();
    assert_eq!(said[0].1, "the proxy has neither a filter nor an ECDS entry of it");
    assert!(said[1].1.starts_with("istiod would put it into ") && said[1].0 == EvidenceSource::Objects, "{said:?}");
    assert!(said[2].1.contains("selector app=a matches"), "{said:?}");
    assert_eq!(health(&applying(), &dump(&without(), &[module(FILE)])).state, PluginState::Absent, "ECDS alone runs nothing");
    let own = json!({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "static_listeners": [{"listener": listener(false)}]},
        {"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [module(FILE)]}]});
    for starting in [dump(&[], &[]), own] {
        let found = health(&applying(), &starting);
        assert_eq!(
            (found.state, found.note()),
            (PluginState::Unknown, "the proxy has no listeners of istiod's yet"),
            "it has not been told yet"
        );
    }
}

#[test]
fn a_ready_gateway_without_listeners_is_sent_none() {
    let plugin = wasm_plugin("n", json!({"targetRefs": [target(GATEWAY_GROUP, "Gateway", "web")]}));
    for (is_ready, state, note) in [
        ("True", PluginState::NotApplicable, "it applies, and istiod would put it into no chain of this proxy"),
        ("False", PluginState::Unknown, "the proxy has no listeners of istiod's yet"),
    ] {
        let conditions = json!([{"type": "Ready", "status": is_ready}]);
        let objects = [with(gateway("n", "web"), "/status/conditions", conditions), plugin.clone()];
        let found = health(&objects, &dump(&[], &[]));
        assert_eq!((found.state, found.note()), (state, note));
    }
}

#[test]
fn what_match_keeps_out_of_every_chain_is_not_missed() {
    let mut spec = selecting(json!({"app": "a"}));
    spec["match"] = json!([{"mode": "SERVER", "ports": [{"number": 9}]}]);
    let objects = [sidecar("n", json!({"app": "a"})), wasm_plugin("n", spec)];
    let found = health(&objects, &dump(&without(), &[]));
    assert_eq!((found.state, found.note()), (PluginState::NotApplicable, "it applies, and match SERVER:9 keeps it out of every chain"));
    assert_eq!(health(&objects, &dump(&without(), &[module(FILE)])).state, PluginState::Leftover);
}

#[test]
fn what_does_not_apply_is_not_applicable_unexpected_or_left_over() {
    for objects in [elsewhere(), vec![sidecar("n", json!({"app": "a"}))]] {
        assert_eq!(health(&objects, &dump(&without(), &[])).state, PluginState::NotApplicable);
        let unexpected = health(&objects, &dump(&active(), &[stub("deny")]));
        assert_eq!(unexpected.state, PluginState::Unexpected);
        assert!(unexpected.evidence.iter().any(|evidence| evidence.what.contains("wasm-default-deny")), "what stands there is said");
        for held in [module(FILE), stub("deny")] {
            assert_eq!(health(&objects, &dump(&without(), &[held])).state, PluginState::Leftover);
        }
        let drains = health(&objects, &dump(&[in_state("draining_state", true), without()[0].clone()], &[module(FILE)]));
        assert_eq!((drains.state, drains.note()), (PluginState::Leftover, "only draining listeners refer to it: virtualInbound"));
        assert_eq!(health(&objects, &dump(&[in_state("error_state", true)], &[])).state, PluginState::NotApplicable);
    }
    let removed = health(&[sidecar("n", json!({"app": "a"}))], &dump(&without(), &[module(FILE)]));
    assert_eq!(removed.evidence[1].what, "there is no WasmPlugin n/p");
}

#[test]
fn a_lone_dump_says_what_is_there_and_not_what_should_be() {
    assert_eq!(health(&[], &dump(&active(), &[module(FILE)])).state, PluginState::Unverified);
    assert_eq!(health(&[], &dump(&without(), &[module(FILE)])).state, PluginState::Leftover);
    assert_eq!(health(&[], &dump(&without(), &[])).state, PluginState::Unknown);
    assert_eq!(health(&[], &dump(&[], &[stub("allow")])).state, PluginState::StubAllow, "a part of a dump, without listeners");
}

#[test]
fn a_rejected_update_of_an_ecds_resource_is_a_rejection_in_envoys_words() {
    let refused = |held: Value, at: &str| {
        let mut entry = held;
        entry["error_state"] =
            json!({"failed_configuration": entry["ecds_filter"], "last_update_attempt": at, "details": "no such function"});
        health(&applying(), &dump(&active(), &[entry]))
    };
    let later = "2026-11-25T00:00:05Z";
    let found = refused(module(FILE), later);
    assert_eq!(found.state, PluginState::Rejected);
    assert_eq!(found.evidence[0].field, "ecds_filters[].error_state.details");
    assert_eq!(found.note(), "Envoy rejected the update of 2026-11-25T00:00:05Z of its ECDS resource: no such function");
    assert!(found.evidence[1].what.contains("ECDS holds the module as"), "{found:?}");
    assert_eq!(refused(entry(json!({})), later).state, PluginState::Rejected, "the first one");
    // The stub that it has goes on, and what it accepted since is what it has.
    let stub = refused(stub("deny"), later);
    assert!(stub.state == PluginState::StubDeny && stub.evidence.len() == 2, "{stub:?}");
    assert_eq!(refused(module(FILE), "2026-11-25T00:00:00Z").state, PluginState::Unverified);
    assert_eq!(health(&elsewhere(), &dump(&without(), &[module(FILE)])).state, PluginState::Leftover);
}
