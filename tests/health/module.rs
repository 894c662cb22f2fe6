//! The module over several proxies: digests, skew, and the secret that it is pulled with.

use meshscope::analysis::answers::{self, ModuleHealth, PluginHealth};
use meshscope::analysis::health::Rollup;
use meshscope::model::ids::{ObjectName, ProxyId};
use meshscope::model::pull_secret::PullSecret;
use meshscope::model::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::mesh::{FILE, dump, in_state, loaded, module, plugin, stub};
use crate::support::world::{pod, selecting, wasm_plugin, world};

const DIGEST: &str = "730c9a1ba25a5a2816a659e40fec02119f64724b96d9b1b67389787fec4a60ec";
const OTHER: &str = "5dd81a4b87e2eeaa6e2ebc25f3fe41c0ddd7ec73cecb35ae1509955fcffc4ee1";

/// Replicas of one workload, each with what its ECDS section holds, and the plugin on them.
fn replicas(spec: &Value, held: &[Value]) -> Snapshot {
    let mut whole = selecting(json!({"app": "a"}));
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let mut objects = vec![wasm_plugin("n", whole)];
    objects.extend((0..held.len()).map(|number| pod("n", &format!("w{number}"), json!({"app": "a"}), "sidecar")));
    let mut snapshot = world("1.31.0", &objects);
    for (number, held) in held.iter().enumerate() {
        let dump = dump(&[in_state("active_state", true)], std::slice::from_ref(held));
        snapshot.dumps.insert(ProxyId::new(format!("w{number}"), "n"), loaded(&dump, None));
    }
    snapshot
}

fn health(snapshot: &Snapshot) -> PluginHealth {
    answers::health(snapshot, Some(&plugin()), None).plugins.remove(0)
}

fn of(snapshot: &Snapshot) -> ModuleHealth {
    health(snapshot).module.unwrap()
}

#[test]
fn two_digests_of_one_url_are_skew() {
    let other = module(&FILE.replace(DIGEST, OTHER));
    let skewed = replicas(&json!({}), &[module(FILE), other.clone(), module(FILE)]);
    let found = of(&skewed);
    let digests: Vec<(&str, usize)> = found.digests.iter().map(|run| (run.digest.as_str(), run.proxies.len())).collect();
    assert_eq!(digests, [(DIGEST, 2), (OTHER, 1)]);
    assert_eq!(found.skew, ["the proxies run 2 different images: some pulled theirs before it changed in the registry, or by another tag"]);
    let same = of(&replicas(&json!({}), &[module(FILE), module(FILE), stub("deny")]));
    assert!(same.skew.is_empty(), "a stub has no digest: {:?}", same.skew);
}

#[test]
fn what_sha256_asks_for_is_held_against_what_runs() {
    assert!(of(&replicas(&json!({"sha256": DIGEST}), &[module(FILE)])).skew.is_empty());
    let found = of(&replicas(&json!({"sha256": OTHER}), &[module(FILE)]));
    assert_eq!(found.skew, [format!("sha256 asks for {OTHER}, and image sha256:{DIGEST} is on 1 of its proxies")]);
    assert!(found.next_pull.starts_with("not again: sha256"));
}

#[test]
fn the_counts_say_how_many_of_how_many_run() {
    let mixed = health(&replicas(&json!({}), &[module(FILE), stub("deny"), module(FILE)]));
    assert_eq!((mixed.rollup, mixed.said().as_str()), (Rollup::Partial, "partial: 1 stub, denies all, 2 has it, not verified"));
    let ready = health(&replicas(&json!({}), &[module(FILE), module(FILE)]));
    assert_eq!((ready.rollup, ready.said().as_str()), (Rollup::Unknown, "unknown: 2 has it, not verified"));
    let nowhere = health(&replicas(&json!({}), &[]));
    assert_eq!((nowhere.rollup, nowhere.said().as_str()), (Rollup::Unmatched, "unmatched"));
}

#[test]
fn the_pull_secret_is_in_the_plugins_own_namespace_whatever_else_there_is() {
    let mut snapshot = replicas(&json!({"imagePullSecret": "registry"}), &[module(FILE)]);
    assert_eq!(of(&snapshot).image_pull_secret.unwrap().what, "was not looked for");
    for (found, good, said) in [
        (PullSecret::Good, Some(true), "of type kubernetes.io/dockerconfigjson"),
        (PullSecret::OtherType, Some(false), "not of type kubernetes.io/dockerconfigjson"),
        (PullSecret::Missing, Some(false), "is not there"),
        (PullSecret::Elsewhere(vec!["team".to_owned()]), Some(false), "one of its name is in team"),
        (PullSecret::Unread("cannot look for it: forbidden".to_owned()), None, "forbidden"),
    ] {
        snapshot.pull_secrets.insert(ObjectName::new("n", "registry"), found);
        let secret = of(&snapshot).image_pull_secret.unwrap();
        assert_eq!((secret.name.as_str(), secret.good), ("n/registry", good));
        assert!(secret.what.contains(said), "{}", secret.what);
    }
    assert_eq!(of(&replicas(&json!({}), &[module(FILE)])).image_pull_secret, None);
}
