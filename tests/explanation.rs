//! What holds of every explanation, over meshes made at random: of services, plugins, policies and eras.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::chains::{Facts, predict};
use meshscope::analysis::comparison;
use meshscope::analysis::placement;
use meshscope::model::envoy::{ConfigDump, DumpView, Listener};
use meshscope::model::ids::{PluginId, PluginKind};
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::world::{Object, named, sidecar, the_pod, world};

const ERAS: [&str; 8] = ["1.12.0", "1.16.0", "1.20.0", "1.22.3", "1.26.2", "1.29.0", "1.30.0", "1.31.0"];

/// A service on the pod's labels or on others.
fn any_service() -> impl Strategy<Value = Value> {
    let port = (1_u16..5, prop_oneof![Just("http"), Just("tcp"), Just(""), Just("grpc-x"), Just("https")], 8080_u16..8083);
    (proptest::collection::vec(port, 1..3), prop_oneof![Just("a"), Just("b")], 1_u8..9).prop_map(|(ports, app, address)| {
        let ports: Vec<Value> = ports
            .iter()
            .enumerate()
            .map(|(place, (port, name, target))| {
                // Names of ports are unique in a service, and so are the ports.
                let name = if name.is_empty() { format!("p{place}") } else { format!("{name}-{place}") };
                json!({"name": name, "port": port * 10 + u16::try_from(place).unwrap(), "targetPort": target})
            })
            .collect();
        json!({"clusterIP": format!("10.96.0.{address}"), "selector": {"app": app}, "ports": ports})
    })
}

fn any_plugin() -> impl Strategy<Value = Value> {
    let mode = prop_oneof![Just("CLIENT"), Just("SERVER"), Just("CLIENT_AND_SERVER")];
    let item = (mode, proptest::option::of(8080_u16..8083));
    let phase = prop_oneof![Just("UNSPECIFIED_PHASE"), Just("AUTHN"), Just("AUTHZ"), Just("STATS")];
    let kind = prop_oneof![3 => Just("HTTP"), 1 => Just("NETWORK")];
    (proptest::collection::vec(item, 0..2), phase, proptest::option::of(-3_i32..3), kind, any::<bool>()).prop_map(
        |(items, phase, priority, kind, selects)| {
            let item = |(mode, port): &(&str, Option<u16>)| {
                let ports: Vec<Value> = port.iter().map(|port| json!({"number": port})).collect();
                json!({"mode": mode, "ports": ports})
            };
            let mut spec = json!({"url": "oci://registry.example/x:v1", "phase": phase, "type": kind});
            if !items.is_empty() {
                spec["match"] = items.iter().map(item).collect();
            }
            if let Some(priority) = priority {
                spec["priority"] = json!(priority);
            }
            if selects {
                spec["selector"] = json!({"matchLabels": {"app": "a"}});
            }
            spec
        },
    )
}

fn any_policy() -> impl Strategy<Value = Value> {
    let mode = || prop_oneof![Just("STRICT"), Just("PERMISSIVE"), Just("DISABLE"), Just("UNSET")];
    (mode(), proptest::option::of((8080_u16..8083, mode()))).prop_map(|(top, port)| match port {
        None => json!({"mtls": {"mode": top}}),
        Some((port, mode)) => json!({"selector": {"matchLabels": {"app": "a"}}, "mtls": {"mode": top},
            "portLevelMtls": {port.to_string(): {"mode": mode}}}),
    })
}

type Mesh = (&'static str, Vec<Object>, Vec<PluginId>);

fn any_mesh() -> impl Strategy<Value = Mesh> {
    let parts = (
        proptest::sample::select(ERAS.to_vec()),
        proptest::collection::vec(any_service(), 0..5),
        proptest::collection::vec(any_plugin(), 1..5),
        proptest::collection::vec(any_policy(), 0..3),
    );
    parts.prop_map(|(era, services, plugins, policies)| {
        let name = |prefix: &str, place: usize| format!("{prefix}-{place}");
        let mut objects = vec![sidecar("shop", json!({"app": "a"}))];
        let mut add = |kind, prefix: &str, specs: Vec<Value>| {
            objects.extend(specs.into_iter().enumerate().map(|(place, spec)| named(kind, "shop", &name(prefix, place), json!({}), spec)));
        };
        let ids = (0..plugins.len()).map(|place| PluginId::new(PluginKind::WasmPlugin, "shop", name("p", place))).collect();
        add(Kind::Service, "s", services);
        add(Kind::WasmPlugin, "p", plugins);
        add(Kind::PeerAuthentication, "a", policies);
        (era, objects, ids)
    })
}

fn predicted(snapshot: &Snapshot) -> Vec<Listener> {
    predict(&Facts::of(&snapshot.objects, the_pod(snapshot), None, None).unwrap()).listeners
}

/// The mesh in which the proxy has just what istiod would send.
fn synced(snapshot: &Snapshot) -> Snapshot {
    let dump = ConfigDump { listeners: predicted(snapshot), ..ConfigDump::empty(DumpView::Proxy) };
    let loaded =
        LoadedDump { dump, way: "file", took_ms: 0, read_at: None, vitals: None, serial: 1, warnings: Vec::new(), cut_short: None };
    let dumps = BTreeMap::from([(the_pod(snapshot).id.clone(), Dump::Loaded(Arc::new(loaded)))]);
    Snapshot { dumps, ..snapshot.clone() }
}

fn without(mut listener: Listener, plugin: &PluginId) -> Listener {
    for chain in &mut listener.chains {
        chain.network_filters.retain(|filter| !placement::is_of(filter, plugin));
        chain.http_filters.iter_mut().for_each(|filters| filters.retain(|filter| !placement::is_of(filter, plugin)));
    }
    listener
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn a_plugin_never_changes_what_another_has((era, mut objects, plugins) in any_mesh()) {
        let with = predicted(&world(era, &objects));
        let added = plugins.last().unwrap();
        objects.retain(|(kind, object)| *kind != Kind::WasmPlugin || object["metadata"]["name"] != *added.name.name);
        let before = predicted(&world(era, &objects));
        let after: Vec<Listener> = with.into_iter().map(|listener| without(listener, added)).collect();
        prop_assert_eq!(before, after);
    }

    #[test]
    fn n_is_the_sum_of_its_terms_and_what_is_predicted((era, objects, plugins) in any_mesh()) {
        let mesh = synced(&world(era, &objects));
        for plugin in &plugins {
            let answer = answers::why(&mesh, plugin, Some(&[the_pod(&mesh).id.clone()]));
            for listener in answer.workloads.iter().flat_map(|entry| &entry.listeners) {
                let sum: usize = listener.terms.iter().map(|term| term.count).sum();
                prop_assert_eq!(Some(sum), listener.counted, "{}", &listener.listener);
                prop_assert!(listener.predicted.is_none() || listener.predicted == listener.counted, "{}", &listener.listener);
                prop_assert!(listener.agrees != Some(false), "{}: {:?}", &listener.listener, &listener.differences);
                let chains: Vec<usize> = listener.terms.iter().flat_map(|term| term.chains.iter().copied()).collect();
                let distinct: std::collections::BTreeSet<usize> = chains.iter().copied().collect();
                prop_assert_eq!(chains.len(), distinct.len(), "no chain stands in two terms");
            }
        }
    }

    #[test]
    fn what_is_predicted_differs_from_itself_in_nothing_and_from_less_in_that((era, objects, _) in any_mesh(), drop in any::<prop::sample::Index>()) {
        let listeners = predicted(&world(era, &objects));
        for listener in &listeners {
            prop_assert!(comparison::differences(listener, listener, None).is_empty());
        }
        let chosen = drop.get(&listeners);
        let less = Listener { chains: chosen.chains[..chosen.chains.len() - 1].to_vec(), ..chosen.clone() };
        prop_assert_eq!(comparison::differences(&less, chosen, None).len(), 1);
    }
}
