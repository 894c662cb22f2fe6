//! The running terminal program follows the mesh.

use std::time::{Duration, Instant};

use super::logs::{request, web};
use super::mtls::peer_authentication;
use super::terminal::PATIENCE;
pub use super::terminal::Running;
use super::world::{Applied, is_lab, mesh, wasm_plugin};

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_screen_follows_the_mode_without_a_restart() {
    let _mesh = mesh();
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "1 of 2"]);
    running.press("w");
    running.shows(&["Why does default/helloworld appear 4 times on httpbin", "15006"]);
    let policy = Applied::new(peer_authentication("e2e", "STRICT"));
    running.shows(&["appear 2 times", "4 → 2", "STRICT"]);
    drop(policy);
    running.shows(&["appear 4 times", "PERMISSIVE"]);
    running.press("q");
    running.ends();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_screen_shows_a_plugin_that_comes_and_goes() {
    let _mesh = mesh();
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld"]);
    let plugin = Applied::new(wasm_plugin("default", "e2e-nobody", "nobody", "latest", "FAIL_CLOSE"));
    running.shows(&["default/helloworld", "default/e2e-nobody"]);
    drop(plugin);
    let began = Instant::now();
    // A line may still tell of it; the list has it no more.
    while running.text().matches("e2e-nobody").count() > 1 {
        assert!(began.elapsed() < PATIENCE, "{}", running.text());
        std::thread::sleep(Duration::from_millis(50));
    }
    running.press("q");
    running.ends();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_logs_show_a_plugin_from_its_push_to_its_first_word() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let (_web, address) = web("e2e-pane");
    let mut running = Running::start(&["-n", "default"]);
    running.shows(&["default/helloworld", "1 of 3"]);
    running.press("\r");
    running.shows(&["deploy/e2e-pane"]);
    running.press("/e2e-pane\rl");
    running.shows(&["follow ●"]);
    let plugin = Applied::new(wasm_plugin("default", "e2e-pane", "e2e-pane", "latest", "FAIL_CLOSE"));
    running.shows(&["WasmPlugin default/e2e-pane", "ECDS → e2e-pane", "linsun/helloworld:latest"]);
    request(&address);
    let word = "warning  add_header: returning";
    let shown = running.shows(&[word]);
    let place = |words: &str| shown.find(words).unwrap_or_else(|| panic!("{words} is not there:\n{shown}"));
    assert!(place("WasmPlugin default/e2e-pane") < place("ECDS → e2e-pane"), "{shown}");
    assert!(place("ECDS → e2e-pane") < place("linsun/helloworld:latest"), "{shown}");
    assert!(place("linsun/helloworld:latest") < place(word), "{shown}");
    // Its own lines alone: each of them is known to be about it. The youngest is selected, and its parts stand beside it.
    running.press("F plugin=default/e2e-pane\r");
    running.shows(&["istiod + e2e-pane · plugin default/e2e-pane", "plugin       default/e2e-pane", "(WasmPlugin)"]);
    running.press("t");
    running.shows(&["The last change of default/e2e-pane", "ECDS accepted", "first line", "what could not be seen"]);
    running.press("\x1b");
    running.shows(&["istiod + e2e-pane · plugin default/e2e-pane"]);
    // Its first line was read long ago. With the plugin gone it stays about it, and says so.
    running.press("g");
    let first = running.shows(&["follow stopped", "plugin       default/e2e-pane"]);
    assert!(!first.contains("there is no WasmPlugin"), "{first}");
    drop(plugin);
    running.shows(&["follow stopped", "plugin       default/e2e-pane", "note         there is no WasmPlugin"]);
    running.press("q");
    running.ends();
}
