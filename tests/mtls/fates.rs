//! What becomes of each PeerAuthentication.

use meshscope::analysis::mtls;
use meshscope::model::peer_authentication::MtlsMode;
use serde_json::{Value, json};

use super::mesh::{self, Object, bare_pod, entry, pod, policy, service};
use super::support::recording;

/// `policy scope fate by`, the narrowest scope first.
fn fates(objects: &[Object]) -> Vec<String> {
    let of = |policy: &meshscope::analysis::answers::PolicyAnswer| {
        let by = policy.by.as_ref().map(|by| format!(" {by}")).unwrap_or_default();
        format!("{} {} {}{by}", policy.policy, policy.scope.as_str(), policy.fate)
    };
    entry(objects).policies.iter().map(of).collect()
}

#[test]
fn every_policy_has_its_fate() {
    let none = Value::Null;
    for (what, policies, expected) in [
        ("no policy", vec![], vec![]),
        ("mesh", vec![policy("istio-system/m", 1, "", "STRICT", none.clone())], vec!["istio-system/m mesh decides"]),
        (
            "the narrower scope wins",
            vec![
                policy("istio-system/m", 1, "", "STRICT", none.clone()),
                policy("n/n", 2, "", "DISABLE", none.clone()),
                policy("n/w", 3, "w", "STRICT", none.clone()),
            ],
            vec!["n/w workload decides", "n/n namespace overridden n/w", "istio-system/m mesh overridden n/w"],
        ),
        (
            "UNSET inherits, whether written or not",
            vec![
                policy("istio-system/m", 1, "", "STRICT", none.clone()),
                policy("n/n", 2, "", "UNSET", none.clone()),
                policy("n/w", 3, "w", "", none.clone()),
            ],
            vec!["n/w workload inherits", "n/n namespace inherits", "istio-system/m mesh decides"],
        ),
        (
            "the oldest of a scope counts, even where it is UNSET",
            vec![policy("n/a", 2, "", "STRICT", none.clone()), policy("n/b", 1, "", "UNSET", none.clone())],
            vec!["n/b namespace inherits", "n/a namespace losesToOlder n/b"],
        ),
        (
            "of one second the smaller name",
            vec![policy("n/b", 1, "w", "STRICT", none.clone()), policy("n/a", 1, "w", "DISABLE", none.clone())],
            vec!["n/a workload decides", "n/b workload losesToOlder n/a"],
        ),
        ("a selector that differs", vec![policy("n/x", 1, "x", "STRICT", none.clone())], vec!["n/x workload selectorDiffers"]),
        (
            "a selector in the root namespace",
            vec![policy("istio-system/w", 1, "w", "STRICT", none.clone())],
            vec!["istio-system/w workload selectorInRootNamespace"],
        ),
        ("a selector there that would not match anyway", vec![policy("istio-system/x", 1, "x", "STRICT", none.clone())], vec![]),
        ("a selector in another namespace", vec![policy("o/w", 1, "w", "STRICT", none.clone())], vec!["o/w workload otherNamespace"]),
        ("what is none of the workload's business", vec![policy("o/o", 1, "", "STRICT", none)], vec![]),
    ] {
        assert_eq!(fates(&[policies, vec![pod("n", "w")]].concat()), expected, "{what}");
    }
}

#[test]
fn in_the_root_namespace_a_selector_counts_for_its_own_workloads_neither() {
    let own = bare_pod("istio-system", "w", json!({"app": "w"}), &["sidecar"]);
    let objects = [own, policy("istio-system/w", 1, "w", "STRICT", Value::Null), policy("istio-system/m", 2, "", "DISABLE", Value::Null)];
    let snapshot = mesh::snapshot(&objects);
    let answer = meshscope::analysis::answers::mtls(&snapshot, &[meshscope::model::ids::ProxyId::new("w", "istio-system")]);
    let entry = &answer.workloads[0];
    assert_eq!((entry.mode, entry.winner.as_deref()), (Some(MtlsMode::Disable), Some("PeerAuthentication istio-system/m")));
    assert_eq!(entry.policies.iter().map(|policy| policy.fate).collect::<Vec<_>>(), ["selectorInRootNamespace", "decides"]);
}

#[test]
fn a_policy_of_another_revision_counts_for_nothing() {
    let mut of_canary = policy("n/n", 1, "", "STRICT", Value::Null);
    of_canary.1["metadata"]["labels"] = json!({"istio.io/rev": "canary"});
    let served_by = |revision: &str| {
        let (kind, mut served) = pod("n", "w");
        served["metadata"]["annotations"] = json!({"istio.io/rev": revision});
        [(kind, served), of_canary.clone(), policy("n/o", 2, "", "DISABLE", Value::Null)]
    };
    assert_eq!(fates(&served_by("canary")), ["n/n namespace decides", "n/o namespace losesToOlder n/n"]);
    assert_eq!(fates(&served_by("default")), ["n/n namespace otherRevision", "n/o namespace decides"]);
    assert_eq!(fates(&[pod("n", "w"), of_canary.clone()]), ["n/n namespace decides"], "whose revision is not known may use it");
    assert_eq!(
        mesh::warned(&served_by("default")),
        ["PeerAuthentication n/n: ignored: its label istio.io/rev=canary is not the revision that serves the pod"]
    );
}

#[test]
fn losers_are_explained_with_names_and_times() {
    let none = Value::Null;
    let objects = [
        pod("n", "w"),
        policy("n/a", 2, "", "STRICT", none.clone()),
        policy("n/b", 1, "", "DISABLE", none.clone()),
        policy("n/c", 1, "", "PERMISSIVE", none.clone()),
        policy("n/x", 1, "x", "STRICT", none),
    ];
    let reasons: Vec<String> = entry(&objects).policies.into_iter().map(|policy| policy.reason).collect();
    assert_eq!(
        reasons,
        [
            "its selector wants app=x, the pod has app=w",
            "decides",
            "ignored: n/b was created in the same second, and its name comes first",
            "ignored: n/b of the same scope is older, of 2026-01-01T00:00:00Z",
        ]
    );
}

#[test]
fn what_counts_for_nothing_is_said_of_the_object() {
    let none = Value::Null;
    let warned = |policies: &[Object]| mesh::warned(&[policies, &[pod("n", "w"), service(80, 8080, "http")]].concat());
    assert_eq!(warned(&[policy("n/n", 1, "", "STRICT", none.clone()), policy("n/w", 1, "w", "UNSET", json!({"8080": {}}))]), [""; 0]);
    assert_eq!(
        warned(&[policy("n/n", 1, "", "STRICT", json!({"8080": {"mode": "DISABLE"}}))]),
        ["PeerAuthentication n/n: has portLevelMtls and no selector, so its ports are ignored"]
    );
    assert_eq!(
        warned(&[policy("istio-system/w", 1, "w", "STRICT", none.clone())]),
        ["PeerAuthentication istio-system/w: ignored: in the root namespace a policy with a selector counts for nobody"]
    );
    assert_eq!(
        warned(&[policy("n/a", 1, "", "STRICT", none.clone()), policy("n/b", 2, "", "DISABLE", none)]),
        ["PeerAuthentication n/b: ignored: n/a of the same scope is older, of 2026-01-01T00:00:00Z"]
    );
    assert_eq!(
        warned(&[policy("n/n", 1, "", "LOOSE", json!({"0": {"mode": "STRICT"}}))]),
        [
            "PeerAuthentication n/n: spec.mtls.mode is LOOSE, which is not a mode; taken as UNSET",
            "PeerAuthentication n/n: spec.portLevelMtls.0 is not a port from 1 to 65535"
        ]
    );
}

#[test]
fn pods_of_one_workload_with_other_labels_are_told_apart() {
    let owned = |name: &str, version: &str| {
        let (kind, mut object) = bare_pod("n", name, json!({"app": "w", "version": version}), &["sidecar"]);
        object["metadata"]["ownerReferences"] = json!([{"kind": "StatefulSet", "name": "db", "controller": true}]);
        (kind, object)
    };
    let mut selecting = policy("n/v2", 1, "w", "STRICT", Value::Null);
    selecting.1["spec"]["selector"]["matchLabels"] = json!({"version": "v2"});
    let objects = mesh::snapshot(&[owned("db-0", "v1"), owned("db-1", "v2"), owned("db-2", "v1"), selecting]);
    let pods: Vec<_> = objects.objects.pods.keys().cloned().collect();
    let answer = meshscope::analysis::answers::mtls(&objects, &pods);
    assert_eq!(answer.workloads.len(), 1);
    let warnings: Vec<String> = answer.warnings.iter().map(|warning| warning.what.clone()).collect();
    assert_eq!(warnings, ["its pods differ: db-0.n is shown, and db-1.n has mode STRICT by PeerAuthentication n/v2"]);
}

#[test]
fn the_answer_and_the_mode_in_force_are_one() {
    let policies = [policy("n/n", 1, "", "DISABLE", Value::Null), policy("n/w", 2, "w", "UNSET", json!({"8080": {"mode": "STRICT"}}))];
    let snapshot = mesh::snapshot(&policies);
    let effective = mtls::effective(&snapshot.objects, "n", &[("app".to_owned(), "w".to_owned())].into_iter().collect());
    assert_eq!(
        (effective.mode, effective.mode_of_port(8080), effective.mode_of_port(80)),
        (MtlsMode::Disable, MtlsMode::Strict, MtlsMode::Disable)
    );
    assert_eq!(effective.port_policy.map(|name| name.to_string()).as_deref(), Some("n/w"));
    assert_eq!(effective.winner.map(|name| name.to_string()).as_deref(), Some("n/n"));
}

#[test]
fn the_modes_of_every_era_are_known() {
    for name in super::support::eras() {
        let answer = super::support::json(&["mtls", "-A", "--from", recording(&name).to_str().unwrap()]);
        let mode = name.rsplit('/').next().and_then(|name| name.split('-').next()).unwrap().to_uppercase();
        assert_eq!(answer["workloads"][0]["mode"], json!(mode), "{name}");
    }
}

#[test]
fn the_recordings_are_answered_from_their_objects() {
    for (name, mode, winner, plain) in [
        ("permissive", "PERMISSIVE", Value::Null, "works"),
        ("strict", "STRICT", json!("PeerAuthentication default/default"), "fails"),
        ("disable", "DISABLE", json!("PeerAuthentication default/default"), "works"),
    ] {
        let answer = super::support::json(&["mtls", "deploy/httpbin", "--from", recording(name).to_str().unwrap()]);
        let entry = &answer["workloads"][0];
        assert_eq!((&entry["mode"], &entry["winner"]), (&json!(mode), &winner), "{name}");
        assert_eq!(entry["ports"][0]["port"], json!(80));
        assert_eq!(entry["ports"][0]["services"], json!(["default/httpbin 8000 (http)"]));
        assert!(entry["ports"].as_array().unwrap().iter().all(|port| port["mode"] == json!(mode)));
        let clients = &entry["services"][0]["clients"];
        assert_eq!(clients[0]["sends"], json!(if name == "disable" { "plainText" } else { "mutualTls" }), "{name}");
        assert_eq!((&clients[0]["verdict"], &clients[1]["verdict"]), (&json!("works"), &json!(plain)), "{name}");
    }
}
