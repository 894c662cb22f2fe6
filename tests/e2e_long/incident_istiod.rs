//! A mesh whose istiod is scaled away: what its proxies miss is an error, and no advice leads elsewhere.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::broken::Broken;
use super::terminal::Running;
use super::world::{kubectl, mesh, meshscope};

const ISTIOD: [&str; 3] = ["-n", "istio-system", "deploy/istiod"];

/// istiod without replicas, for as long as the value lives.
struct Away;

impl Away {
    fn new() -> Self {
        scale("0");
        kubectl(&["wait", "-n", "istio-system", "--for=delete", "pod", "-l", "app=istiod", "--timeout=120s"]);
        Self
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        scale("1");
        kubectl(&[&["rollout", "status", "--timeout=150s"][..], &ISTIOD].concat());
    }
}

fn scale(replicas: &str) {
    kubectl(&[&["scale"][..], &ISTIOD, &["--replicas", replicas]].concat());
}

fn check() -> (i32, Value) {
    let output = meshscope(&["check", "-o", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}")))
}

fn of_code<'a>(answer: &'a Value, code: &str) -> Vec<&'a Value> {
    answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code).collect()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d11b_an_istiod_that_is_scaled_away() {
    let _mesh = mesh();
    assert_eq!(of_code(&check().1, "no-istiod").len(), 0);
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "● live"]);
    let away = Away::new();
    running.shows(&["no istiod is ready"]);
    let (status, answer) = check();
    let [finding] = of_code(&answer, "no-istiod")[..] else { panic!("{answer}") };
    assert_eq!((status, finding["severity"].as_str()), (1, Some("error")), "{finding}");
    assert_eq!(finding["object"], json!({"kind": "Deployment", "namespace": "istio-system", "name": "istiod"}));
    let what = finding["what"].as_str().unwrap();
    assert_eq!(what, "Deployment istio-system/istiod has 0 replicas: no change reaches 2 proxies, no certificate is renewed.");
    assert_eq!(of_code(&answer, "proxy-not-connected").len(), 0, "one cause is one finding");
    let sync = meshscope(&["sync"]);
    let said = String::from_utf8_lossy(&sync.stderr).into_owned();
    assert_eq!(sync.status.code(), Some(3), "{said}");
    assert!(
        said.contains("no istiod runs: Deployment istio-system/istiod has 0 replicas") && !said.contains("--istio-namespace"),
        "{said}"
    );
    // The plugin runs as before, and no istiod does.
    let names = &["istio-system/istiod", "istiod-"];
    Broken { plugin: "default/helloworld", workload: "deploy/httpbin", names }.is_nowhere_sound();
    drop(away);
    let began = Instant::now();
    while running.text().contains("no istiod is ready") || !of_code(&check().1, "no-istiod").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", running.text());
        std::thread::sleep(Duration::from_millis(500));
    }
    running.press("q");
    running.ends();
    // The proxies are connected again.
    let is_back = |output: &[u8]| {
        let answer: Value = serde_json::from_slice(output).unwrap_or_default();
        answer["proxies"].as_array().is_some_and(|all| all.len() >= 2 && all.iter().all(|proxy| proxy["connected"] == true))
    };
    while !is_back(&meshscope(&["sync", "-o", "json"]).stdout) {
        assert!(began.elapsed() < Duration::from_secs(120), "the proxies are not connected");
        std::thread::sleep(Duration::from_secs(1));
    }
}
