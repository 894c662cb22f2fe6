//! The story of a change of a live mesh: each step with what shows it, in order; a second change; the steps that fail.

use serde_json::Value;

use super::logs::{request, web};
use super::world::{Applied, is_lab, mesh, until, wasm_plugin};

/// The steps of the only proxy, once all of these are among them.
fn until_told(plugin: &str, wanted: &[&str]) -> Value {
    until(&format!("{wanted:?} of {plugin}"), &["timeline", plugin], |answer| {
        let told = kinds(answer);
        wanted.iter().all(|step| told.contains(step))
    })
}

fn steps(answer: &Value) -> &[Value] {
    let proxies = answer["proxies"].as_array().unwrap();
    if let [proxy] = proxies.as_slice() { proxy["steps"].as_array().unwrap() } else { &[] }
}

fn kinds(answer: &Value) -> Vec<&str> {
    steps(answer).iter().map(|step| step["step"].as_str().unwrap()).collect()
}

fn step<'a>(answer: &'a Value, kind: &str) -> &'a Value {
    steps(answer).iter().find(|step| step["step"] == kind).unwrap_or_else(|| panic!("no {kind}: {answer}"))
}

/// Why a step of the proxy is not seen.
fn unseen<'a>(answer: &'a Value, kind: &str) -> &'a str {
    let all = answer["proxies"][0]["unseen"].as_array().unwrap();
    let found = all.iter().find(|unseen| unseen["step"] == kind);
    found.unwrap_or_else(|| panic!("{kind} is seen: {answer}"))["why"].as_str().unwrap()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_change_is_followed_to_the_first_line_and_the_next_is_told_anew() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let (_web, address) = web("story-web");
    let _plugin = Applied::new(wasm_plugin("default", "story-hello", "story-web", "latest", "FAIL_CLOSE"));
    until_told("default/story-hello", &["ecdsAccepted", "ldsAccepted"]);
    request(&address);
    let answer = until_told("default/story-hello", &["pluginLog"]);
    assert_eq!(kinds(&answer), ["ldsPushed", "ldsAccepted", "ecdsPushed", "fetch", "ecdsAccepted", "pluginLog"], "{answer}");
    for step in steps(&answer) {
        assert_eq!(step["certain"], true, "{step}");
        assert!(step["sinceChange"].as_f64().unwrap() > 0.0 && step["sincePrevious"].as_f64().unwrap() >= 0.0, "{step}");
    }
    let line = &step(&answer, "pluginLog")["evidence"];
    assert!(line["text"].as_str().unwrap().contains("wasm log default.story-hello~istio-translated-wasmplugin"), "{line}");
    assert_eq!(answer["changes"][0]["step"], "created");
    assert!(answer["changes"][0]["what"].as_str().unwrap().starts_with("kubectl"), "{}", answer["changes"]);
    let of_istiod: Vec<&str> =
        answer["controlPlane"][0]["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(of_istiod, ["received", "debounced", "pushed"]);
    assert!(unseen(&answer, "vmStarted").contains("at level debug"), "what the level hides is said");

    // The tag latest is looked up again at each change, so that another module is asked for by its tag.
    let _changed = Applied::new(wasm_plugin("default", "story-hello", "story-web", "v1", "FAIL_OPEN"));
    let second = until("the second change", &["timeline", "default/story-hello"], |answer| {
        answer["changes"][0]["step"] == "changed" && kinds(answer).contains(&"ecdsAccepted")
    });
    assert!(second["start"].as_str() > step(&answer, "pluginLog")["time"].as_str(), "{second}");
    assert!(steps(&second).iter().all(|step| step["time"].as_str() > second["start"].as_str()), "{second}");
    assert!(unseen(&second, "pluginLog").contains("wrote no line since"));
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_that_cannot_be_fetched_is_told_and_so_is_its_end() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let (_web, address) = web("story-fails");
    let missing = Applied::new(wasm_plugin("default", "story-missing", "story-fails", "no-such-tag", "FAIL_CLOSE"));
    until_told("default/story-missing", &["fetchFailed", "ecdsAccepted"]);
    request(&address);
    let answer = until_told("default/story-missing", &["requestFailed"]);
    assert!(step(&answer, "fetchFailed")["evidence"]["text"].as_str().unwrap().contains("no-such-tag"));
    assert!(step(&answer, "ecdsAccepted")["what"].as_str().unwrap().contains("denies every request"));
    assert!(step(&answer, "requestFailed")["what"].as_str().unwrap().contains("403"));
    assert!(unseen(&answer, "pluginLog").contains("cannot write"));
    drop(missing);
    // Its object is gone, and istiod's log still tells of it.
    let gone = until("the story of a deleted plugin", &["timeline", "default/story-missing"], |answer| {
        answer["unseen"].as_array().is_some_and(|all| all.iter().any(|unseen| unseen["step"] == "deleted"))
    });
    assert!(gone["start"].as_str() > answer["start"].as_str(), "{gone}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_module_whose_vm_fails_is_told() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let (_web, address) = web("story-breaks");
    let _broken = Applied::new(wasm_plugin("default", "story-broken", "story-breaks", "broken", "FAIL_CLOSE"));
    until_told("default/story-broken", &["vmFailed", "ecdsRefused"]);
    request(&address);
    let answer = until_told("default/story-broken", &["requestFailed"]);
    let told = kinds(&answer);
    let place = |kind: &str| told.iter().position(|told| *told == kind).unwrap_or_else(|| panic!("no {kind}: {answer}"));
    assert!(place("fetch") < place("vmFailed") && place("vmFailed") < place("requestFailed"), "{told:?}");
    assert!(!told.contains(&"ecdsAccepted") && unseen(&answer, "ecdsAccepted").contains("refused"), "{answer}");
    assert!(step(&answer, "requestFailed")["note"].as_str().unwrap().contains("NFCF"), "{answer}");
}
