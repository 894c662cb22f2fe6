//! Breaks of mutual TLS on a real mesh: what requests get, and what is shown of it. Each is put back.

use serde_json::{Value, json};

use super::broken::Broken;
use super::live_policy::{asked, comes, found};
use super::mtls::peer_authentication;
use super::world::{Applied, mesh, until};

const URL: &str = "http://httpbin.default:8000/status/200";

/// An object of `networking.istio.io` in the namespace `default`.
fn object(kind: &str, name: &str, spec: Value) -> String {
    json!({"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": {"namespace": "default", "name": name}, "spec": spec})
        .to_string()
}

/// No answer shows a broken object as sound.
fn is_nowhere_sound(name: &str) {
    Broken { plugin: "default/helloworld", workload: "deploy/httpbin", names: &[name] }.is_nowhere_sound();
}

fn destination_rule(tls: Value) -> String {
    object("DestinationRule", "e2e-httpbin", json!({"host": "httpbin.default.svc.cluster.local", "trafficPolicy": {"tls": tls}}))
}

/// The clients of httpbin with a proxy, once they fail.
fn failing(what: &str) -> Value {
    let clients = |answer: &Value| answer["workloads"][0]["services"][0]["clients"].as_array().cloned().unwrap_or_default();
    let fails = |client: &&Value| client["proxy"] == true && client["verdict"] == "fails";
    let answer = until(what, &["mtls", "deploy/httpbin"], |answer| clients(answer).iter().any(|client| fails(&client)));
    let all = clients(&answer);
    assert!(all.iter().filter(|client| client["proxy"] == true).all(|client| client["verdict"] != "works"), "{answer}");
    all.iter().find(fails).unwrap().clone()
}

/// The one finding of a code, an error, about this object, once it is there with what shows it: Envoy writes its access log every ten
/// seconds.
fn error(code: &str, kind: &str, name: &str, has_evidence: impl Fn(&Value) -> bool) -> Value {
    let (mut status, mut findings) = (0, Vec::new());
    comes(code, || {
        (status, findings) = found(code);
        findings.iter().any(&has_evidence)
    });
    assert_eq!((status, findings.len()), (1, 1), "{findings:?}");
    assert_eq!(findings[0]["object"], json!({"kind": kind, "namespace": "default", "name": name}));
    assert_eq!(findings[0]["severity"], "error", "{findings:?}");
    findings[0].clone()
}

/// The mesh is as it was.
fn put_back(code: &str) {
    comes("a request that arrives again", || asked(URL) == "200");
    comes("the finding's end", || found(code).1.is_empty());
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d6_a_destination_rule_against_strict_names_who_fails() {
    let _mesh = mesh();
    let broken = (Applied::new(peer_authentication("e2e", "STRICT")), Applied::new(destination_rule(json!({"mode": "DISABLE"}))));
    comes("a request that fails", || asked(URL) == "503");
    assert_eq!(failing("clients that send plain text")["sends"], "plainText");
    let finding = error("destination-rule-refused", "DestinationRule", "e2e-httpbin", |_| true);
    let what = finding["what"].as_str().unwrap();
    assert!(what.contains("Deployment default/httpbin does not take: 1 client workload fails, deploy/sleep in default"), "{finding}");
    assert_eq!(finding["clients"], json!([{"kind": "Deployment", "namespace": "default", "name": "sleep"}]));
    is_nowhere_sound("DestinationRule default/e2e-httpbin");
    drop(broken);
    put_back("destination-rule-refused");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d13_a_sidecar_that_hides_the_service_and_registry_only() {
    let _mesh = mesh();
    let spec = json!({"egress": [{"hosts": ["istio-system/*"]}], "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}});
    let broken = Applied::new(object("Sidecar", "default", spec));
    comes("a request that fails", || asked(URL) != "200");
    let cause = "Sidecar default/default does not import httpbin.default, and REGISTRY_ONLY sends what is unknown to BlackHoleCluster";
    let client = failing("clients whose traffic is dropped");
    assert_eq!((client["reason"].as_str(), client["sends"].as_str()), (Some(cause), Some("nothing")), "{client}");
    let finding = error("not-imported", "Sidecar", "default", |_| true);
    let what = finding["what"].as_str().unwrap();
    assert!(what.starts_with("Sidecar default/default does not import httpbin.default") && what.contains("BlackHoleCluster"), "{finding}");
    is_nowhere_sound("Sidecar default/default");
    drop(broken);
    put_back("not-imported");
    // What is passed on arrives under PERMISSIVE.
    let spec = json!({"egress": [{"hosts": ["istio-system/*"]}], "outboundTrafficPolicy": {"mode": "ALLOW_ANY"}});
    let open = Applied::new(object("Sidecar", "default", spec));
    until("the Sidecar", &["mtls", "deploy/httpbin"], |answer| answer.to_string().contains("default/default does not import"));
    comes("a request that arrives", || asked(URL) == "200");
    assert_eq!(found("not-imported").1, Vec::<Value>::new());
    drop(open);
    put_back("not-imported");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn incident_d18_a_name_that_the_servers_certificate_has_not() {
    let _mesh = mesh();
    let demanding = |name: &str| destination_rule(json!({"mode": "ISTIO_MUTUAL", "subjectAltNames": [name]}));
    let (old, right) = ("spiffe://cluster.local/ns/default/sa/httpbin-old", "spiffe://cluster.local/ns/default/sa/httpbin");
    let broken = Applied::new(demanding(old));
    comes("a request that fails", || asked(URL) == "503");
    let client = failing("clients that do not accept the certificate");
    let reason = client["reason"].as_str().unwrap();
    assert_eq!(reason, format!("DestinationRule default/e2e-httpbin wants SAN {old}; the server's certificate has {right}"));
    let shown = |line: &Value| {
        line.as_str().is_some_and(|line| line.starts_with("access log of deploy/sleep: ") && line.ends_with("CERTIFICATE_VERIFY_FAILED)"))
    };
    let is_shown = |finding: &Value| finding["evidence"].as_array().unwrap().iter().any(shown);
    let finding = error("mtls-mismatch", "DestinationRule", "e2e-httpbin", is_shown);
    assert!(finding["what"].as_str().unwrap().contains(reason), "{finding}");
    let again = found("requests-fail").1.into_iter().filter(|finding| finding["what"].as_str().unwrap().contains("SAN"));
    assert_eq!(again.collect::<Vec<_>>(), Vec::<Value>::new(), "one cause, one finding");
    is_nowhere_sound("DestinationRule default/e2e-httpbin");
    let mended = Applied::new(demanding(right));
    put_back("mtls-mismatch");
    drop((mended, broken));
    put_back("mtls-mismatch");
}
