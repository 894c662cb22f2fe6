//! Proxies that go away, answer with an error, or never answer; the mesh is a recorded one behind a fake API server.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::fake_api::{Exec, FakeApi, Forward};
use super::{against, fails, said};

const HTTPBIN: &str = "httpbin-664956bb75-9d64m";
const SLEEP: &str = "sleep-5c4597b769-9hvcz";
const WHY: [&str; 7] = ["why", "default/helloworld", "deploy/httpbin", "-n", "default", "-o", "json"];

fn files() -> &'static BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| super::support::files("permissive"))
}

fn recorded(pod: &str) -> String {
    String::from_utf8(files()[&format!("proxies/{pod}.default/config_dump.json")].clone()).unwrap()
}

/// An Envoy without masks answers the whole dump to every question for it.
fn httpbin(path: &str) -> (u16, String) {
    if path.contains("mask=") { (400, "no masks here".to_owned()) } else { (200, recorded(HTTPBIN)) }
}

fn sleep(path: &str) -> (u16, String) {
    if path.contains("mask=") { (400, "no masks here".to_owned()) } else { (200, recorded(SLEEP)) }
}

fn broken(_: &str) -> (u16, String) {
    (500, "internal \u{1b}[31merror".to_owned())
}

fn nonsense(_: &str) -> (u16, String) {
    (200, "<html>a gateway in between</html>".to_owned())
}

fn istiod(path: &str) -> (u16, String) {
    let proxy = path.split("proxyID=").nth(1).map(|rest| rest.split('&').next().unwrap_or(rest));
    match (path, proxy) {
        ("/version", _) => (200, "1.31-alpha.eed52ebb66ad-unknown-Clean".to_owned()),
        ("/debug/connections", _) => (200, serde_json::json!({"clients": [{"connectionId": format!("{HTTPBIN}.default-7")}]}).to_string()),
        (_, Some(proxy)) => (200, recorded(proxy.trim_end_matches(".default"))),
        _ => (404, "no".to_owned()),
    }
}

/// Puts the objects and the proxies of a recording behind the server. Execs are forbidden, and istiod does not answer.
pub fn mesh(api: &FakeApi) {
    let mut state = api.state();
    for (path, bytes) in files() {
        let Some(plural) = path.strip_prefix("k8s/").and_then(|path| path.strip_suffix(".json")) else { continue };
        let Ok(list) = serde_json::from_slice::<Value>(bytes) else { continue };
        let apps = ["deployments", "replicasets", "statefulsets", "daemonsets"].contains(&plural);
        let resource = if apps { format!("{plural}.apps") } else { plural.to_owned() };
        for object in list["items"].as_array().into_iter().flatten() {
            state.put(&resource, object.clone());
        }
    }
    for (pod, forward) in [(HTTPBIN, Forward::Http(httpbin)), (SLEEP, Forward::Http(sleep))] {
        state.forwards.insert(pod.to_owned(), forward);
        state.execs.insert(pod.to_owned(), Exec::Forbidden);
    }
}

/// A mesh in which the proxy of httpbin behaves like this.
async fn with_httpbin(forward: Forward) -> FakeApi {
    let api = FakeApi::start().await;
    mesh(&api);
    api.state().forwards.insert(HTTPBIN.to_owned(), forward);
    api
}

fn answer(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_in_which_nothing_is_wrong() {
    let api = with_httpbin(Forward::Http(httpbin)).await;
    let answer = answer(&against(&api, &WHY).await);
    assert_eq!(answer["workloads"][0]["listeners"][0]["counted"], 4);
    assert_eq!(answer["workloads"][0]["mtls"]["mode"], "PERMISSIVE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_goes_away_in_the_middle_of_its_dump() {
    let api = with_httpbin(Forward::Gone(httpbin)).await;
    fails(&against(&api, &WHY).await, &[HTTPBIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_answers_500() {
    let api = with_httpbin(Forward::Http(broken)).await;
    let text = fails(&against(&api, &WHY).await, &[HTTPBIN, "500"]);
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_answers_something_else() {
    let api = with_httpbin(Forward::Http(nonsense)).await;
    fails(&against(&api, &WHY).await, &[HTTPBIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_never_answers() {
    let api = with_httpbin(Forward::Silent).await;
    let started = Instant::now();
    fails(&against(&api, &[&WHY[..], &["--timeout", "2s"]].concat()).await, &[HTTPBIN]);
    assert!(started.elapsed() < Duration::from_secs(15), "took {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_whose_admin_port_is_closed() {
    let api = with_httpbin(Forward::Refused).await;
    fails(&against(&api, &WHY).await, &[HTTPBIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proxy_that_fails_is_a_warning_beside_the_others() {
    let api = with_httpbin(Forward::Http(broken)).await;
    let output = against(&api, &["chains", "-n", "default", "-o", "json"]).await;
    let answer = answer(&output);
    assert!(said(&output).contains(HTTPBIN), "{}", said(&output));
    assert!(answer["warnings"].to_string().contains(HTTPBIN));
    let proxies: Vec<&str> = answer["proxies"].as_array().unwrap().iter().map(|proxy| proxy["proxy"].as_str().unwrap()).collect();
    assert!(proxies.contains(&format!("{SLEEP}.default").as_str()), "{proxies:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_to_the_proxy_istiods_view_is_said_to_be_that() {
    let api = with_httpbin(Forward::Forbidden).await;
    let labels = serde_json::json!({"app": "istiod"});
    let meta = serde_json::json!({"namespace": "istio-system", "name": "istiod-1", "labels": labels});
    api.state().put("pods", serde_json::json!({"metadata": meta, "status": {"phase": "Running"}}));
    api.state().forwards.insert("istiod-1".to_owned(), Forward::Http(istiod));
    let output = against(&api, &WHY).await;
    let answer = answer(&output);
    let listener = &answer["workloads"][0]["listeners"][0];
    assert!(listener["counted"].is_null() && listener["countedNote"].is_string(), "{listener}");
    let text = said(&output);
    assert!(text.contains("pods/portforward") && text.contains("pods/exec"), "{text}");
}
