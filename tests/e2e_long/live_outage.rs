//! Servers that stand still and keep their connections: nothing looks live that is not.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::terminal::Running;
use super::world::{Applied, is_lab, kubectl, mesh, wasm_plugin};

/// A process that stands still for as long as the value lives.
struct Still(String);

impl Still {
    fn new(process: String) -> Self {
        signal("STOP", &process);
        Self(process)
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        signal("CONT", &self.0);
    }
}

fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args(["-s", name, process]).status().unwrap().success());
}

/// The process of the lab's API server.
fn api_server() -> String {
    let folder = PathBuf::from(std::env::var_os("KUBECONFIG").unwrap()).parent().unwrap().join("pids/kube-apiserver");
    std::fs::read_to_string(folder).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB"]
fn live_l19_an_api_server_that_stands_still_is_said_within_ten_seconds() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "● live"]);
    running.press("c");
    running.shows(&["N = 4 on 15006", "● live"]);
    let still = Still::new(api_server());
    let began = Instant::now();
    let said = running.shows(&["nothing heard since "]);
    assert!(began.elapsed() < Duration::from_secs(10), "after {:?}:\n{said}", began.elapsed());
    // The same on every other screen, for as long as it takes.
    for keys in ["w", "o", "m", "s", "\x1b", "\x1b", "\x1b", "\x1b", "h", "f"] {
        running.press(keys);
        std::thread::sleep(Duration::from_secs(6));
        let said = running.text();
        assert!(said.contains("nothing heard since ") && !said.contains(" live"), "{keys:?}:\n{said}");
    }
    let rest = Duration::from_secs(80).saturating_sub(began.elapsed());
    std::thread::sleep(rest);
    assert!(running.text().contains("nothing heard since "), "{}", running.text());
    drop(still);
    running.shows(&["● live"]);
    running.press("\x1b\x1b\x1b\x1b");
    let _plugin = Applied::new(wasm_plugin("default", "e2e-afterwards", "nobody", "latest", "FAIL_OPEN"));
    running.shows(&["default/e2e-afterwards", "● live"]);
    running.press("q");
    running.ends();
}

/// The process of istiod, of which the lab has one.
fn istiod() -> String {
    let output = Command::new("pgrep").args(["-x", "pilot-discovery"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Envoy of httpbin, stopped for as long as the value lives.
struct StillEnvoy;

impl StillEnvoy {
    fn new() -> Self {
        Self::send("STOP");
        Self
    }

    fn send(signal: &str) {
        let command = format!("kill -{signal} $(pidof envoy)");
        kubectl(&["exec", "-n", "default", "deploy/httpbin", "-c", "istio-proxy", "--", "sh", "-c", &command]);
    }
}

impl Drop for StillEnvoy {
    fn drop(&mut self) {
        Self::send("CONT");
    }
}

fn until_gone(running: &Running, words: &str) {
    let began = Instant::now();
    while running.text().contains(words) {
        assert!(began.elapsed() < Duration::from_secs(60), "{words:?} stays:\n{}", running.text());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs the lab: KUBECONFIG, MESHSCOPE_LAB"]
fn live_l19_an_istiod_and_a_proxy_that_never_answer_are_shown_with_the_time_of_their_last_word() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "● live"]);
    running.press("s");
    running.shows(&["each has what istiod sent"]);
    let still = Still::new(istiod());
    running.shows(&["istiod as of "]);
    drop(still);
    until_gone(&running, "istiod as of ");
    running.press("\x1b");
    running.shows(&["ON 15006"]);
    running.press("c");
    running.shows(&["N = 4 on 15006"]);
    let still = StillEnvoy::new();
    running.press("r");
    running.shows(&["without an answer", "N = 4 on 15006"]);
    drop(still);
    until_gone(&running, "without an answer");
    running.press("q");
    running.ends();
}
