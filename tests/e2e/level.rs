//! The level of a real proxy's `wasm` logger, raised through the screen, and put back in each way in which it has to be.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::cut::Cut;
use super::screen::Running;
use super::world::{kubectl, mesh, meshscope};

/// What Istio starts the proxies of the mesh with.
const USUAL: &str = "warning";

/// Sets the level of httpbin's `wasm` logger, where one is given, and returns the one in force, as the proxy itself lists it.
fn level(set: Option<&str>) -> String {
    let path = set.map_or_else(|| "logging".to_owned(), |level| format!("logging?wasm={level}"));
    let listed = kubectl(&["exec", "-n", "default", "deploy/httpbin", "-c", "istio-proxy", "--", "pilot-agent", "request", "POST", &path]);
    let line = listed.lines().find_map(|line| line.trim().strip_prefix("wasm: "));
    line.unwrap_or_else(|| panic!("{listed}")).to_owned()
}

/// Leaves the level as it was, whatever becomes of the test.
struct AsItWas;

impl Drop for AsItWas {
    fn drop(&mut self) {
        level(Some(USUAL));
    }
}

/// The program on the chains of httpbin, with the level raised as it is typed.
fn raised(typed: &str, shown: &str) -> Running {
    raised_by(&["-n", "default"], typed, shown)
}

/// The same, started with these arguments.
fn raised_by(arguments: &[&str], typed: &str, shown: &str) -> Running {
    let mut running = Running::start(arguments);
    running.shows(&["default/helloworld", "✓ 1 running"]);
    running.press("c");
    running.shows(&["N = 4 on 15006"]);
    running.press("L");
    let asked = running.shows(&["POST http://localhost:15000/logging?wasm=debug", "for 5 minutes, then back to", "› debug 5m"]);
    assert!(asked.contains("on httpbin-"), "{asked}");
    running.press(&"\x7f".repeat("debug 5m".len()));
    running.press(typed);
    running.press("\r");
    running.shows(&["! wasm debug httpbin-", shown]);
    assert_eq!(level(None), "debug");
    running
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what} did not come");
        std::thread::sleep(Duration::from_millis(250));
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_raised_level_lets_the_plugin_speak_and_is_put_back_after_its_time() {
    let _mesh = mesh();
    let _as_it_was = AsItWas;
    assert_eq!(level(None), USUAL);
    let mut running = raised("debug 20s", "0:1");
    kubectl(&["exec", "-n", "default", "deploy/sleep", "-c", "sleep", "--", "curl", "-s", "-o", "/dev/null", "httpbin:8000/headers"]);
    until("a debug line of the plugin", || {
        let output = meshscope(&["logs", "deploy/httpbin", "--plugin", "default/helloworld", "--since", "15s", "-o", "json"]);
        let lines = String::from_utf8(output.stdout).unwrap();
        let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.into_iter().any(|record| record["event"] == "pluginLog" && record["level"] == "debug")
    });
    let shown = running.shows(&["is at warning again"]);
    assert!(!shown.contains("! wasm debug"), "{shown}");
    assert_eq!(level(None), USUAL);
    running.press("q");
    running.ends();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_raised_level_is_put_back_after_q_and_after_sigterm() {
    let _mesh = mesh();
    let _as_it_was = AsItWas;
    // Not the usual level: what was there before is what comes back.
    level(Some("info"));
    let mut running = raised("debug 10m", "9:5");
    running.press("q");
    running.ends();
    assert_eq!(level(None), "info");
    let mut running = raised("debug 10m", "9:5");
    running.signal("TERM");
    running.ends();
    assert_eq!(level(None), "info");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn what_somebody_else_sets_meanwhile_stays() {
    let _mesh = mesh();
    let _as_it_was = AsItWas;
    let mut running = raised("debug 10m", "9:5");
    level(Some("trace"));
    running.press("L");
    running.shows(&["put it back?", "› back", "POST http://localhost:15000/logging?wasm=warning"]);
    running.press("\r");
    running.shows(&["is at trace, which somebody else has set meanwhile"]);
    running.press("q");
    running.ends();
    assert_eq!(level(None), "trace");
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn a_level_outlasts_the_api_servers_absence_and_the_command_by_hand_is_right() {
    let _mesh = mesh();
    let _as_it_was = AsItWas;
    let way = Cut::open();
    let kubeconfig = way.kubeconfig().to_str().unwrap().to_owned();
    let arguments = ["--kubeconfig", &kubeconfig, "-n", "default"];
    let mut running = raised_by(&arguments, "debug 10s", "0:0");
    way.cut();
    running.shows(&["✗ wasm debug httpbin-", "not put back", "tried again in 5 s"]);
    assert_eq!(level(None), "debug");
    way.mend();
    running.shows(&["is at warning again"]);
    assert_eq!(level(None), USUAL);
    running.press("q");
    running.ends();
    // At the end of the program there is no time to wait for the API server.
    let mut running = raised_by(&arguments, "debug 10m", "9:5");
    way.cut();
    running.signal("TERM");
    running.ends();
    let said = running.shows(&["by hand: kubectl", "wasm=warning'"]).replace('\n', "");
    assert_eq!(level(None), "debug");
    let (_, command) = said.split_once("by hand: ").unwrap();
    let output = Command::new("sh").args(["-c", command.trim()]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(level(None), USUAL);
}
