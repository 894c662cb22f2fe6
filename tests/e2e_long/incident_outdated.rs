//! A proxy that the way to istiod is cut off from, and a change of a plugin meanwhile: the proxy runs the plugin as it was before.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::broken::Broken;
use super::world::{is_lab, json as ask, kubectl, mesh, meshscope, until, why};

/// How long the agents keep a connection on which nothing comes, and try to connect again, until the reason is in their logs.
const NOTICED: Duration = Duration::from_secs(150);

/// Port 15012 dropped between proxies and istiod, and helloworld changed, for as long as the value lives.
struct Dropped;

impl Dropped {
    fn new() -> Self {
        let dropped = Self;
        rule("-I");
        let changed = json!({"spec": {"url": "oci://registry.lab:5000/linsun/helloworld:v1", "phase": "AUTHN"}});
        kubectl(&["patch", "-n", "default", "wasmplugin", "helloworld", "--type=merge", "-p", &changed.to_string()]);
        dropped
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        rule("-D");
        let as_before = json!({"spec": {"url": "oci://registry.lab:5000/linsun/helloworld:latest", "phase": null}});
        kubectl(&["patch", "-n", "default", "wasmplugin", "helloworld", "--type=merge", "-p", &as_before.to_string()]);
        // Envoy waits for up to 30 s between two attempts.
        let began = Instant::now();
        let is_connected = |proxy: &Value| proxy["connected"] == true;
        while !ask(&["sync"])["proxies"].as_array().is_some_and(|all| all.len() >= 2 && all.iter().all(is_connected)) {
            assert!(began.elapsed() < NOTICED, "the proxies are connected again");
            std::thread::sleep(Duration::from_secs(2));
        }
    }
}

/// Adds (`-I`) or deletes (`-D`) the rules in the network of the lab's node: for both directions, else a push would reach the proxy.
fn rule(change: &str) {
    for side in ["--dport", "--sport"] {
        let drop = ["-t", "raw", change, "PREROUTING", "-p", "tcp", side, "15012", "-j", "DROP"];
        let status = Command::new("nsenter").args(["--net=/var/run/netns/meshlab", "iptables"]).args(drop).stdin(Stdio::null()).status();
        assert!(status.unwrap().success() || change == "-D", "iptables {change}");
    }
}

fn findings(code: &str) -> Vec<Value> {
    let answer: Value = serde_json::from_slice(&meshscope(&["check", "-o", "json"]).stdout).unwrap_or_default();
    answer["findings"].as_array().into_iter().flatten().filter(|finding| finding["code"] == code).cloned().collect()
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB, root"]
fn incident_d11_a_proxy_that_is_cut_off_runs_the_plugin_as_it_was() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let dropped = Dropped::new();
    let entry = why("default/helloworld", "deploy/httpbin", "the older plugin", |entry| entry["state"] == "outdated");
    assert_eq!(entry["proxy"].as_str().map(|proxy| proxy.starts_with("httpbin-")), Some(true), "{entry}");
    let health = until("the reason", &["health", "default/helloworld"], |answer| {
        let plugin = &answer["plugins"][0];
        plugin["rollup"] != "ready" && plugin["states"] == json!({"outdated": 1})
    });
    let evidence = health["plugins"][0]["proxies"][0]["evidence"].to_string();
    assert!(evidence.contains("the object wants oci://registry.lab:5000/linsun/helloworld:v1 since 20"), "{evidence}");
    // A connection on which nothing comes is given up after a while; then the agent's log has the reason.
    let began = Instant::now();
    let cut_off = loop {
        match &findings("proxy-not-connected")[..] {
            [finding] if finding["what"].as_str().unwrap().contains(":15012: i/o timeout, since ") => break finding.clone(),
            other => assert!(began.elapsed() < NOTICED, "the reason did not come: {other:?}"),
        }
        std::thread::sleep(Duration::from_secs(2));
    };
    let missed = |line: &Value| line.as_str().unwrap().contains("WasmPlugin default/helloworld of ");
    assert!(cut_off["evidence"].as_array().unwrap().iter().any(missed), "{cut_off}");
    assert!(cut_off["fix"].as_str().unwrap().contains("port 15012"), "{cut_off}");
    assert_eq!(findings("plugin-outdated"), Vec::<Value>::new(), "one cause is one finding");
    let plugins = ask(&["plugins"]);
    assert_eq!(plugins["plugins"][0]["states"]["running"], Value::Null, "{plugins}");
    let plugin = "default/helloworld";
    Broken { plugin, workload: "deploy/httpbin", names: &[plugin] }.is_nowhere_sound();
    drop(dropped);
    why("default/helloworld", "deploy/httpbin", "the plugin as the object has it", |entry| entry["state"] == "running");
}
