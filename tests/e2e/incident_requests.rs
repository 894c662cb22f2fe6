//! Requests that fail on a real mesh, and what is said of why. Each break is put back.

use serde_json::{Value, json};

use super::broken::Broken;
use super::live_policy::{asked, comes, found};
use super::mtls::peer_authentication;
use super::world::{Applied, is_lab, kubectl, mesh};

const HOST: &str = "http://httpbin.default:8000";

fn object(group: &str, kind: &str, name: &str, spec: Value) -> String {
    json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"namespace": "default", "name": name}, "spec": spec}).to_string()
}

/// The findings of a code about an object: the logs may still have what other tests broke.
fn about(code: &str, kind: &str, name: &str) -> Vec<Value> {
    let object = json!({"kind": kind, "namespace": "default", "name": name});
    found(code).1.into_iter().filter(|finding| finding["object"] == object).collect()
}

/// The one such finding, once the log has what is asked for.
fn one(code: &str, kind: &str, name: &str, severity: &str) -> Value {
    let mut last = Vec::new();
    comes(code, || {
        last = about(code, kind, name);
        last.len() == 1
    });
    assert_eq!(last[0]["severity"], severity, "{last:?}");
    last[0].clone()
}

/// Breaks requests to a URL by an object: they get the first code instead of the second. Hands out what the finding says of it, and puts it back.
fn broken_by(broken: String, url: &str, (code, sound): (&str, &str), (kind, name, severity): (&str, &str, &str)) -> String {
    let broken = Applied::new(broken);
    comes("a request that fails", || asked(url) == code);
    let finding = one("requests-fail", kind, name, severity);
    Broken { plugin: "default/helloworld", workload: "deploy/httpbin", names: &[&format!("default/{name}")] }.is_nowhere_sound();
    drop(broken);
    comes("a request that passes again", || asked(url) == sound);
    comes("the finding's end", || about("requests-fail", kind, name).is_empty());
    finding["what"].as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d16_a_denied_request_names_policy_and_rule() {
    let _mesh = mesh();
    let rules = json!([{"to": [{"operation": {"paths": ["/status/204"]}}]}]);
    let spec = json!({"selector": {"matchLabels": {"app": "httpbin"}}, "action": "DENY", "rules": rules});
    let policy = object("security.istio.io", "AuthorizationPolicy", "e2e-block", spec);
    assert_eq!(asked(&format!("{HOST}/status/200")), "200", "others pass");
    let what = broken_by(policy, &format!("{HOST}/status/204"), ("403", "204"), ("AuthorizationPolicy", "e2e-block", "warning"));
    assert!(what.starts_with("deploy/httpbin answered ") && what.contains(" requests of the last 10 min with 403: "), "{what}");
    assert!(what.ends_with("AuthorizationPolicy default/e2e-block, rule 0 (not a plugin)."), "{what}");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d17_a_route_to_a_subset_that_is_not_there() {
    let _mesh = mesh();
    let destination = json!({"host": "httpbin", "subset": "v2"});
    let spec = json!({"hosts": ["httpbin"], "http": [{"route": [{"destination": destination}]}]});
    let route = object("networking.istio.io", "VirtualService", "e2e-httpbin", spec);
    let what = broken_by(route, &format!("{HOST}/status/202"), ("503", "202"), ("VirtualService", "e2e-httpbin", "error"));
    assert!(what.starts_with("deploy/sleep: ") && what.contains(" to httpbin.default:8000 are 503 NC: "), "{what}");
    assert!(what.ends_with("VirtualService default/e2e-httpbin routes to subset v2, which no DestinationRule defines."), "{what}");
}

/// The findings of an address that REGISTRY_ONLY drops, each with its severity.
fn dropped(address: &str) -> Vec<(String, String)> {
    let all =
        found("requests-fail").1.into_iter().map(|finding| (finding["severity"].as_str().unwrap().to_owned(), finding["what"].to_string()));
    all.filter(|(_, what)| what.contains(address)).collect()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d13_what_registry_only_drops_is_past_once_it_is_mended() {
    let _mesh = mesh();
    let address = "10.250.0.9:81";
    let spec = json!({"workloadSelector": {"labels": {"app": "sleep"}}, "egress": [{"hosts": ["*/*"]}], "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}});
    let broken = Applied::new(object("networking.istio.io", "Sidecar", "e2e-only", spec));
    comes("the finding", || {
        asked(&format!("http://{address}/"));
        dropped(address)
            .iter()
            .any(|(severity, what)| severity != "information" && what.contains("REGISTRY_ONLY of Sidecar default/e2e-only"))
    });
    drop(broken);
    comes("its end", || {
        let now = dropped(address);
        !now.is_empty() && now.iter().all(|(severity, what)| severity == "information" && what.contains(" failed until "))
    });
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d5_a_client_without_a_proxy_is_named() {
    let _mesh = mesh();
    if !is_lab() {
        return;
    }
    let metadata = json!({"name": "e2e-cron", "namespace": "e2e-legacy"});
    let container = json!({"name": "cron", "image": "lab.local/curl:1", "imagePullPolicy": "Never", "args": ["infinity"]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}});
    let _namespace = Applied::new(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "e2e-legacy"}}).to_string());
    let _cron = Applied::new(pod.to_string());
    kubectl(&["wait", "-n", "e2e-legacy", "--for=condition=Ready", "pod/e2e-cron", "--timeout=60s"]);
    let strict = Applied::new(peer_authentication("e2e", "STRICT"));
    let ask = [
        "exec",
        "-n",
        "e2e-legacy",
        "e2e-cron",
        "--",
        "sh",
        "-c",
        "curl -s -m 5 -o /dev/null http://httpbin.default:8000/get && echo passed || echo failed",
    ];
    comes("a connection that is closed", || kubectl(&ask).trim() == "failed");
    let finding = one("connections-refused", "PeerAuthentication", "e2e", "warning");
    let what = finding["what"].as_str().unwrap();
    assert!(what.contains(" = e2e-legacy/e2e-cron (no proxy) to deploy/httpbin: STRICT by default/e2e takes no plain text."), "{what}");
    Broken { plugin: "default/helloworld", workload: "deploy/httpbin", names: &["e2e-cron", "without a proxy"] }.is_nowhere_sound();
    drop(strict);
    comes("a connection that is taken again", || kubectl(&ask).trim() == "passed");
    comes("the finding's end", || about("connections-refused", "PeerAuthentication", "e2e").is_empty());
}
