//! What the istiods say of their proxies is what istioctl says, for every real proxy.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rights::{ask_for, pods, reader, role};
use super::world::{Applied, PATIENCE, json, kubectl, mesh, until, wasm_plugin};

/// Proxies by their names, each with its columns by theirs.
type Rows = BTreeMap<String, BTreeMap<String, String>>;

/// `istioctl proxy-status -v 1`, without ages, or why it failed: an istiod that is on its way out does not answer it. None
/// where there is no istioctl.
fn istioctl() -> Option<Result<Rows, String>> {
    let Ok(output) = Command::new("istioctl").args(["proxy-status", "-v", "1"]).stdin(Stdio::null()).output() else {
        eprintln!("NOT COMPARED: there is no istioctl on the PATH");
        return None;
    };
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let columns = |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let names = columns(lines.next().unwrap());
    let rows = lines.map(|line| {
        let cells = columns(line).into_iter().map(|cell| cell.split(" (").next().unwrap().to_owned());
        let row: BTreeMap<String, String> = names.iter().cloned().zip(cells).collect();
        (row["NAME"].clone(), row)
    });
    Some(Ok(rows.collect()))
}

/// The same of an answer of `sync`.
fn as_istioctl(answer: &Value) -> Rows {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let connected = answer["proxies"].as_array().unwrap().iter().filter(|entry| entry["connected"] == true);
    let rows = connected.map(|entry| {
        let mut row: BTreeMap<String, String> = BTreeMap::new();
        for (name, key) in [("NAME", "proxy"), ("CLUSTER", "cluster"), ("ISTIOD", "istiod"), ("VERSION", "version")] {
            row.insert(name.to_owned(), text(&entry[key]));
        }
        for found in entry["types"].as_array().unwrap() {
            let word = match found["state"].as_str().unwrap() {
                "synced" => "SYNCED",
                "stale" => "STALE",
                "refused" => "ERROR",
                "notSent" => "NOT SENT",
                "notWatched" => "IGNORED",
                other => panic!("istioctl has no word for {other}"),
            };
            row.insert(text(&found["type"]), word.to_owned());
        }
        (row["NAME"].clone(), row)
    });
    rows.collect()
}

/// Asks both until they agree on one proxy at least: between two questions a proxy can have moved, and one that an istiod has
/// just left takes its time to come to the next.
fn agree() -> Value {
    let began = Instant::now();
    loop {
        let answer = json(&["sync", "-A"]);
        let Some(expected) = istioctl() else { return answer };
        let own = Ok(as_istioctl(&answer));
        if own == expected && own != Ok(Rows::new()) {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "sync says\n{own:#?}\nistioctl says\n{expected:#?}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Whether one istiod answered, in this way, and every proxy that is to be expected is connected to it.
fn all_at_one_istiod(answer: &Value, way: &str) -> bool {
    let (istiods, proxies) = (answer["istiods"].as_array().unwrap(), answer["proxies"].as_array().unwrap());
    istiods.len() == 1
        && istiods[0]["way"] == way
        && proxies.len() >= 2
        && proxies.iter().all(|entry| entry["connected"] == true)
        && answer["warnings"].as_array().unwrap().iter().all(|warning| {
            // Over xDS an istiod whose debug interface is closed does not tell of names.
            way == "xDS" && warning["object"] == "the plugins that each proxy watches"
        })
}

fn state<'v>(answer: &'v Value, proxy: &str, name: &str) -> &'v Value {
    let starts = |entry: &&Value| entry["proxy"].as_str().unwrap().starts_with(proxy);
    let entry = answer["proxies"].as_array().unwrap().iter().find(starts).unwrap();
    entry["types"].as_array().unwrap().iter().find(|found| found["type"] == name).unwrap()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn sync_says_what_istioctl_says() {
    let _mesh = mesh();
    let answer = agree();
    let lds = state(&answer, "httpbin-", "LDS");
    assert!(lds["state"] == "synced" && lds["ageSeconds"].is_u64() && lds["sent"].is_string(), "{lds}");
    let httpbin = json(&["sync", "deploy/httpbin"]);
    let plugins = httpbin["proxies"][0]["plugins"].as_array().unwrap();
    assert!(plugins.iter().any(|plugin| plugin["plugin"] == "default/helloworld" && plugin["resource"].is_string()), "{httpbin}");
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB=1"]
fn what_a_proxy_refuses_is_told_in_its_words() {
    if !super::world::is_lab() {
        return;
    }
    let _mesh = mesh();
    {
        let _broken = Applied::new(wasm_plugin("default", "e2e-broken", "httpbin", "broken", "FAIL_CLOSE"));
        let answer = until("a refusal", &["sync", "deploy/httpbin"], |answer| {
            answer["proxies"][0]["types"].as_array().is_some_and(|types| types.iter().any(|found| found["state"] == "refused"))
        });
        let error = state(&answer, "httpbin-", "ECDS")["error"].as_str().unwrap();
        assert!(error.contains("Unable to create Wasm"), "{error}");
        agree();
    }
    until("the mesh as it was", &["sync", "deploy/httpbin"], |answer| {
        answer["proxies"][0]["types"].as_array().is_some_and(|types| types.iter().all(|found| found["state"] == "synced"))
    });
    assert!(!kubectl(&["get", "wasmplugins", "-n", "default", "-o", "name"]).contains("e2e-broken"));
}

/// istiod with its debug interface closed, and as it was again when the value goes.
struct Closed;

impl Closed {
    fn new() -> Self {
        // Made before anything is changed, so that a change in part is taken back too.
        let closed = Self;
        kubectl(&["-n", "istio-system", "set", "env", "deploy/istiod", "ENABLE_DEBUG_ON_HTTP=false"]);
        kubectl(&["-n", "istio-system", "rollout", "status", "deploy/istiod", "--timeout=120s"]);
        closed
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        let run = |arguments: &[&str]| Command::new("kubectl").args(["-n", "istio-system"]).args(arguments).stdin(Stdio::null()).status();
        let _ = run(&["set", "env", "deploy/istiod", "ENABLE_DEBUG_ON_HTTP-"]);
        let _ = run(&["rollout", "status", "deploy/istiod", "--timeout=120s"]);
    }
}

/// Who may have no token of istiod's namespace asks as an account of its own, and is told of its own namespace.
fn without_rights_in_istiods_namespace() {
    let see = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]);
    let own = json!([
        {"apiGroups": [""], "resources": ["serviceaccounts/token"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
    ]);
    let more =
        [role("istio-system", "e2e-see", see), role("istio-system", "e2e-forward", pods("portforward")), role("default", "e2e-token", own)];
    let _rights = reader(more.concat());
    let output = ask_for(&["sync", "-n", "default", "-o", "json"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let istiod = &answer["istiods"][0];
    assert_eq!((&istiod["way"], &istiod["account"], &istiod["only"]), (&json!("xDS"), &json!("default/default"), &json!("default")));
    assert!(istiod["tried"][1].as_str().unwrap().contains("serviceaccounts/token"), "{istiod}");
    let proxies = answer["proxies"].as_array().unwrap();
    assert!(proxies.len() >= 2 && proxies.iter().all(|entry| entry["connected"] == true), "{answer}");
    assert!(said.contains("tells of the proxies of namespace default alone"), "{said}");
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB=1; istiod is restarted twice"]
fn with_the_debug_interface_closed_xds_says_the_same() {
    if !super::world::is_lab() {
        return;
    }
    let _mesh = mesh();
    {
        let _closed = Closed::new();
        let answer =
            until("all proxies at the istiod whose debug interface is closed", &["sync", "-A"], |answer| all_at_one_istiod(answer, "xDS"));
        let tried = answer["istiods"][0]["tried"][0].as_str().unwrap();
        assert!(tried.contains("on port 15014: status 404"), "{tried}");
        agree();
        assert_eq!(answer["proxies"][0]["plugins"], Value::Null, "what is watched by name is not to be had so");
        assert_eq!(answer["istiods"][0]["account"], "istio-system/default");
        without_rights_in_istiods_namespace();
        super::diff::is_the_same_over_xds();
    }
    until("istiod as it was", &["sync", "-A"], |answer| all_at_one_istiod(answer, "port-forward"));
    agree();
}
