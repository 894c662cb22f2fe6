//! Modules that cannot be fetched or do not start: the cause in the module's own words, and what answers requests meanwhile.

use serde_json::{Value, json};

use super::broken::Broken;
use super::live_policy::{comes, found};
use super::world::{Applied, is_lab, json as ask, kubectl, mesh, until, wasm_plugin};

const NAME: &str = "e2e-proven";
const PLUGIN: &str = "default/e2e-proven";

/// A workload with the plugin, of which one proxy runs the lab's own module.
fn world() -> (Applied, Applied) {
    let workload = Applied::with_pods(include_str!("live/vm-shared-health.yaml"), "app=e2e-trap");
    let plugin = Applied::new(wasm_plugin("default", NAME, "e2e-trap", "v1", "FAIL_CLOSE"));
    until("the plugin runs", &["health", PLUGIN], |answer| answer["plugins"][0]["rollup"] == "ready");
    assert_eq!(requested(), "200");
    (workload, plugin)
}

fn requested() -> String {
    let curl = ["exec", "-n", "default", "deploy/sleep", "-c", "istio-proxy", "--", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"];
    // A pod that was just replaced takes no connections for a moment.
    let patience = ["--retry", "10", "--retry-delay", "1", "--retry-connrefused"];
    kubectl(&[&curl[..], &patience, &["http://e2e-trap.default:8000/headers"]].concat())
}

fn tag(tag: &str) {
    let patch = json!({"spec": {"url": format!("oci://registry.lab:5000/linsun/helloworld:{tag}")}}).to_string();
    kubectl(&["patch", "wasmplugin", NAME, "-n", "default", "--type", "merge", "-p", &patch]);
}

/// Waits for the state on the one proxy, then for the finding of a code about the plugin with these words, some of which the logs have
/// later than the state.
fn comes_to(state: &str, code: &str, words: &[&str]) -> Value {
    until(state, &["health", PLUGIN], |answer| {
        answer["plugins"][0]["proxies"].as_array().is_some_and(|all| all.iter().any(|proxy| proxy["state"] == state))
    });
    let mut finding = Value::Null;
    comes(&format!("{code} with {words:?}"), || {
        let about = found(code).1.into_iter().find(|finding| finding["object"]["name"] == NAME);
        let has_words = |finding: &Value| words.iter().all(|words| finding["what"].as_str().unwrap().contains(words));
        finding = about.unwrap_or_default();
        finding.is_object() && has_words(&finding)
    });
    finding
}

/// What no answer shows as sound.
const BROKEN: Broken<'_> = Broken { plugin: PLUGIN, workload: "deploy/e2e-trap", names: &[PLUGIN] };

const CAUSE: &str = "the module's proxy_on_configure failed: memory access out of bounds";

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d2b_and_d2c_a_module_that_does_not_start() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _world = world();
    tag("broken");
    comes_to("rejected", "refused-push", &[CAUSE, "requests pass the module before"]);
    assert_eq!(requested(), "200");
    BROKEN.is_nowhere_sound();
    kubectl(&["delete", "pod", "-n", "default", "-l", "app=e2e-trap", "--wait=true"]);
    comes_to("vmFailed", "vm-failed", &[CAUSE, "500 NFCF"]);
    assert_eq!(requested(), "500");
    BROKEN.is_nowhere_sound();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d1_and_d2_the_stub_that_still_denies() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _world = world();
    tag("no-such-tag");
    let stub = comes_to("stubDeny", "stub-in-place", &[]);
    assert!(stub["fix"].as_str().unwrap().contains("no-such-tag"), "{stub}");
    assert_eq!(requested(), "403");
    BROKEN.is_nowhere_sound();
    let chains = ask(&["chains", "deploy/e2e-trap", "--plugin", PLUGIN]).to_string();
    assert!(chains.contains(r#""effect":"denies""#) && chains.contains(r#""state":"stubDeny""#), "{chains}");
    tag("broken");
    comes_to("rejected", "refused-push", &[CAUSE, "the stub before denies every request: 403"]);
    assert_eq!(requested(), "403");
    BROKEN.is_nowhere_sound();
}
