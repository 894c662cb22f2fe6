//! Servers that stand still and keep their connections: nothing looks live that is not.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::terminal::Running;
use super::world::{Applied, is_lab, mesh, wasm_plugin};

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
