//! Each proposed fix, done as its words say, brings a plugin to the workload that was asked about and to no other, whatever the mesh.

use std::collections::BTreeSet;

use meshscope::analysis::attachment;
use meshscope::analysis::near_miss::{Edit, NearMiss, Rule, near_miss};
use meshscope::ingest::workloads::owner_of;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::labels::Labels;
use meshscope::model::plugin::Plugin;
use meshscope::model::snapshot::Snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::world::{GATEWAY_GROUP, GATEWAY_NAME, Object, missed, named, pod, selecting, sidecar, target, wasm_plugin, world};

const NAMESPACES: [&str; 3] = ["n", "m", "istio-system"];

fn labels() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec!["app", "App", "appl", "istio", "version", "app.kubernetes.io/name"]);
    prop::collection::btree_map(key, prop::sample::select(vec!["a", "ab", "b", "v1"]), 0..3).prop_map(|labels| json!(labels))
}

fn one_pod() -> impl Strategy<Value = (&'static str, Value, &'static str, Option<&'static str>)> {
    let role = prop::sample::select(vec!["sidecar", "sidecar", "router", "waypoint", ""]);
    let gateway = prop::option::weighted(0.3, prop::sample::select(vec!["web", "wep", "wp"]));
    (prop::sample::select(NAMESPACES.to_vec()), labels(), role, gateway)
}

fn references() -> impl Strategy<Value = Vec<Value>> {
    let kind = prop::sample::select(vec!["Gateway", "Gatway", "GatewayClass", "GatewayClas", "Service", "Deployment"]);
    let name = prop::sample::select(vec!["web", "wp", "istio", "istio-waypoint", "s", "w0"]);
    let group = prop::sample::select(vec![GATEWAY_GROUP, ""]);
    prop::collection::vec((group, kind, name).prop_map(|(group, kind, name)| target(group, kind, name)), 0..3)
}

fn plugin() -> impl Strategy<Value = Object> {
    (prop::sample::select(NAMESPACES.to_vec()), prop::option::of(labels()), references(), any::<bool>()).prop_map(
        |(namespace, labels, refs, targets)| {
            let selector = labels.map(|labels| json!({"matchLabels": labels})).unwrap_or_default();
            wasm_plugin(namespace, if targets { json!({"targetRefs": refs}) } else { json!({"selector": selector}) })
        },
    )
}

/// The pods that a plugin applies to.
fn reached(mesh: &Snapshot, plugin: &Plugin) -> BTreeSet<ProxyId> {
    let pods = mesh.objects.pods.values().filter(|pod| attachment::attach(plugin, pod, &mesh.objects).attached);
    pods.map(|pod| pod.id.clone()).collect()
}

/// The mesh with labels added to a pod.
fn labelled(version: &str, objects: &[Object], pod: &ProxyId, added: &Labels) -> Snapshot {
    let mut objects = objects.to_vec();
    let is_it = |(kind, object): &&mut Object| *kind == Kind::Pod && object["metadata"]["name"] == pod.pod.as_str();
    for (_, object) in objects.iter_mut().filter(is_it) {
        added.iter().for_each(|(key, value)| object["metadata"]["labels"][key] = json!(value));
    }
    world(version, &objects)
}

/// Whether the words of a fix name all that it changes of a plugin and of labels.
fn names_all(text: &str, plugin: &Plugin, edit: &Edit) -> bool {
    let (changed, added) = match edit {
        Edit::Plugin(changed) => (&**changed, Labels::new()),
        Edit::Both(changed, added) => (&**changed, added.clone()),
        Edit::Labels(added) => (plugin, added.clone()),
        Edit::Other => return true,
    };
    let selected = |plugin: &Plugin| plugin.selector.clone().unwrap_or_default().match_labels;
    let (old, new) = (selected(plugin), selected(changed));
    // A label that no other workload has is for the reader to choose.
    let is_named = |(key, value): (&String, &String)| {
        added.get(key) == Some(value) && text.contains("that no other workload has") || text.contains(&format!("{key}={value}"))
    };
    let namespace = &changed.id.name.namespace;
    let targets = changed.targets().iter().filter(|target| !plugin.targets().contains(target));
    let mut named = targets.flat_map(|target| [(&target.kind, &target.name)]);
    (*namespace == plugin.id.name.namespace
        || text.contains(&format!("namespace {namespace}"))
        || text.contains(&format!("plugin in {namespace}")))
        && new.iter().filter(|(key, value)| old.get(*key) != Some(*value)).all(is_named)
        && added.iter().all(is_named)
        && named.all(|(kind, name)| text.contains(name.as_str()) || text.contains(kind.as_str()) || text.contains("group"))
        && (plugin.targets().is_empty() || !changed.targets().is_empty() || text.contains("targetRefs"))
}

/// What a fix leads to: the pods that the plugin reaches then.
fn done(version: &str, objects: &[Object], mesh: &Snapshot, plugin: &Plugin, pod: &ProxyId, edit: &Edit) -> Option<BTreeSet<ProxyId>> {
    Some(match edit {
        Edit::Plugin(changed) => reached(mesh, changed),
        Edit::Labels(added) => reached(&labelled(version, objects, pod, added), plugin),
        Edit::Both(changed, added) => reached(&labelled(version, objects, pod, added), changed),
        Edit::Other => return None,
    })
}

fn change(miss: &NearMiss) -> &str {
    miss.change.as_deref().unwrap_or_default()
}

#[test]
fn field_32_a_key_is_a_hint_with_the_plugins_value_alone() {
    let plugin = || wasm_plugin("n", selecting(json!({"App": "orders"})));
    for (labels, expected) in [
        (
            json!({"app": "cart"}),
            "select by a label that the pod has, such as app=cart, or set App=orders on the pod template of the Deployment",
        ),
        (json!({"app": "orders"}), "did you mean app? The pod has app=orders"),
        (json!({"app": "order"}), "did you mean app=order? Write it so in the selector"),
    ] {
        assert_eq!(change(&missed(&world("1.31", &[plugin(), sidecar("n", labels)]))), expected);
    }
}

#[test]
fn field_32_another_namespace_is_not_all_that_fails() {
    let plugin = || wasm_plugin("m", selecting(json!({"app": "orders", "version": "v3"})));
    let sleep = sidecar("n", json!({"app": "sleep"}));
    assert_eq!(change(&missed(&world("1.31", &[plugin(), sleep]))), "create the plugin in namespace n, with selector app=sleep");
    let bare = pod("n", "w", json!({"app": "sleep"}), "");
    let miss = missed(&world("1.31", &[plugin(), bare]));
    assert!(miss.rule == Rule::Proxy && change(&miss).ends_with(", and mend what else fails"), "{}", change(&miss));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn field_32_a_fix_adds_the_workload_in_question_alone(
        pods in prop::collection::vec(one_pod(), 1..7),
        plugin in plugin(),
        version in prop::sample::select(vec!["1.19.3", "1.21.2", "1.23.1", "1.31.0"]),
    ) {
        let made = |(place, (namespace, labels, role, gateway)): (usize, &(&str, Value, &str, Option<&str>))| {
            let mut labels = labels.clone();
            if let Some(gateway) = gateway {
                labels[GATEWAY_NAME] = json!(gateway);
            }
            pod(namespace, &format!("w{place}"), labels, role)
        };
        let service = named(Kind::Service, "n", "s", json!({"istio.io/use-waypoint": "wp"}), json!({"selector": {"app": "a"}, "ports": [{"port": 80}]}));
        let objects: Vec<Object> = pods.iter().enumerate().map(made).chain([plugin, service]).collect();
        let mesh = world(version, &objects);
        let plugin = &**mesh.objects.plugins.values().next().unwrap();
        let before = reached(&mesh, plugin);
        for pod in mesh.objects.pods.values() {
            let decision = attachment::attach(plugin, pod, &mesh.objects);
            if decision.attached {
                continue;
            }
            let workload = owner_of(&mesh.objects, pod);
            let miss = near_miss(plugin, pod, &workload, &decision.reason, &mesh.objects);
            prop_assert_eq!(miss.conditions.len(), miss.distance.unwrap_or_default(), "every condition that fails is named: {:?}", miss);
            for fix in &miss.fixes {
                prop_assert!(names_all(&fix.text, plugin, &fix.edit), "{}: {:?}", fix.text, fix.edit);
                let Some(after) = done(version, &objects, &mesh, plugin, &pod.id, &fix.edit) else {
                    let first = matches!(miss.rule, Rule::Proxy | Rule::Object);
                    let says_rest = fix.text.ends_with(", and mend what else fails");
                    prop_assert_eq!(says_rest, first && miss.distance > Some(1), "{}: {:?}", fix.text, miss.conditions);
                    continue;
                };
                prop_assert!(after.contains(&pod.id), "{}: it does not reach {}", fix.text, pod.id);
                let is_other = |id: &&ProxyId| owner_of(&mesh.objects, &mesh.objects.pods[*id]) != workload;
                let more: Vec<&ProxyId> = after.difference(&before).filter(is_other).collect();
                prop_assert!(more.is_empty(), "{}: {:?} of {:?}", fix.text, more, workload);
            }
        }
    }
}
