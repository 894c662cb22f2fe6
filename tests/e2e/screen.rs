//! The running terminal program follows the mesh: the real binary in a pseudo-terminal, as a person has it.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::logs::{request, web};
use super::mtls::peer_authentication;
use super::world::{Applied, is_lab, mesh, wasm_plugin};

const PATIENCE: Duration = Duration::from_secs(60);
const SIZE: PtySize = PtySize { rows: 40, cols: 120, pixel_width: 0, pixel_height: 0 };

/// The program in its terminal.
pub struct Running {
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Closed only at the end: the program would take its closing for the end of the terminal.
    _terminal: Box<dyn MasterPty + Send>,
}

impl Running {
    /// Starts it with these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(SIZE).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_meshscope"));
        command.args(arguments);
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(SIZE.rows, SIZE.cols, 0)));
        let mut output = pair.master.try_clone_reader().unwrap();
        let drawn = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                drawn.lock().unwrap().process(&buffer[..count]);
            }
        });
        Self { screen, keys: pair.master.take_writer().unwrap(), child, _terminal: pair.master }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows all of `words`.
    pub fn shows(&self, words: &[&str]) -> String {
        let began = Instant::now();
        loop {
            let text = self.text();
            if words.iter().all(|word| text.contains(word)) {
                return text;
            }
            assert!(began.elapsed() < PATIENCE, "{words:?} did not come:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses a key again and again, until the screen shows all of `words`.
    pub fn shows_after(&mut self, key: &str, words: &[&str]) -> String {
        let began = Instant::now();
        loop {
            self.press(key);
            // What it asks for takes a moment, and asking again would have it begin anew.
            std::thread::sleep(Duration::from_secs(2));
            let text = self.text();
            if words.iter().all(|word| text.contains(word)) {
                return text;
            }
            assert!(began.elapsed() < PATIENCE, "{words:?} did not come:\n{text}");
        }
    }

    /// Waits for the program's end, which leaves the terminal as it was.
    pub fn ends(&mut self) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(status.success(), "{status:?}");
        let began = Instant::now();
        while self.screen.lock().unwrap().screen().alternate_screen() {
            assert!(began.elapsed() < PATIENCE, "the terminal was not given back");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

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
