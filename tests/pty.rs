//! The real program in a pseudo-terminal: what it draws, and how it gives the terminal back.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;
#[path = "pty/field.rs"]
mod field;
#[path = "cases/inputs.rs"]
// What other tests use of it.
#[allow(dead_code)]
mod inputs;
#[path = "pty/level.rs"]
mod level;
mod support;
#[path = "pty/suspend.rs"]
mod suspend;

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// A bound for what must happen soon: generous, since machines of tests are slow.
const PATIENCE: Duration = Duration::from_secs(20);

struct Terminal {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    bytes: Arc<Mutex<Vec<u8>>>,
    size: PtySize,
}

impl Terminal {
    /// Starts the program in a terminal of this size, with these arguments and environment variables.
    fn start(columns: u16, rows: u16, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::run(env!("CARGO_BIN_EXE_meshscope"), (columns, rows), arguments, variables)
    }

    /// The same with another binary.
    fn run(binary: &str, (columns, rows): (u16, u16), arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(binary);
        command.args(arguments);
        command.cwd(env!("CARGO_MANIFEST_DIR"));
        command.env_clear();
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("HOME", "/nonexistent")].iter().chain(variables) {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let seen = bytes.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                seen.lock().unwrap().extend_from_slice(&buffer[..count]);
                if Arc::strong_count(&seen) == 1 {
                    // Nobody looks at the terminal any more, and its last end is the one here.
                    return;
                }
            }
        });
        Self { keyboard: pair.master.take_writer().unwrap(), master: pair.master, child, bytes, size }
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    /// The terminal as it is after all that was written.
    fn parser(&self) -> vt100::Parser {
        let mut parser = vt100::Parser::new(self.size.rows, self.size.cols, 0);
        parser.process(&self.bytes());
        parser
    }

    fn shows(&self, text: &str) -> bool {
        self.parser().screen().contents().contains(text)
    }

    fn wait_for(&self, text: &str) {
        wait(|| self.shows(text), || format!("{text:?} in\n{}", self.parser().screen().contents()));
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        // What was drawn for the old size is no part of the new screen.
        self.bytes.lock().unwrap().clear();
        self.master.resize(self.size).unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    fn end(&mut self) -> ExitStatus {
        let mut ended = None;
        wait(
            || {
                ended = self.child.try_wait().unwrap();
                ended.is_some()
            },
            || "the end of the program".to_owned(),
        );
        ended.unwrap()
    }

    /// The alternate screen was left, the cursor is shown, pastes are text again, and the line discipline cooks keys.
    fn is_restored(&self) -> bool {
        let bytes = self.bytes();
        let parser = self.parser();
        let screen = parser.screen();
        let after = |on: &str, off: &str| last(&bytes, off) > last(&bytes, on);
        !screen.alternate_screen() && !screen.hide_cursor() && after("\x1b[?1049h", "\x1b[?1049l") && after("\x1b[?2004h", "\x1b[?2004l")
    }

    fn ends_restored(&mut self) {
        self.end();
        wait(|| self.is_restored(), || format!("a restored terminal, not {:?}", String::from_utf8_lossy(&self.bytes())));
        let cooked = self.master.get_termios().unwrap();
        assert!(format!("{:?}", cooked.local_flags).contains("ICANON"), "{cooked:?}");
        assert!(format!("{:?}", cooked.local_flags).contains("ECHO"), "{cooked:?}");
    }
}

fn last(bytes: &[u8], part: &str) -> Option<usize> {
    bytes.windows(part.len()).rposition(|window| window == part.as_bytes())
}

fn wait(mut until: impl FnMut() -> bool, what: impl Fn() -> String) {
    let start = Instant::now();
    while !until() {
        assert!(start.elapsed() < PATIENCE, "waited for {}", what());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn starts_resizes_and_quits() {
    let mut terminal = Terminal::start(100, 30, &["--demo"], &[]);
    terminal.wait_for("default/helloworld");
    assert!(terminal.parser().screen().alternate_screen());
    terminal.press("c");
    terminal.wait_for("N = 4 on 15006");
    terminal.resize(80, 24);
    terminal.wait_for("N = 4 on 15006");
    terminal.resize(20, 5);
    terminal.wait_for("terminal too small");
    terminal.resize(120, 40);
    terminal.wait_for("N = 4 on 15006");
    terminal.press("q");
    terminal.ends_restored();
    assert!(terminal.end().success());
}

#[test]
fn a_tiny_terminal_is_told_so() {
    let mut terminal = Terminal::start(20, 5, &["--demo"], &[]);
    terminal.wait_for("terminal too small");
    terminal.press("q");
    terminal.ends_restored();
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in ["HUP", "TERM", "INT"] {
        let mut terminal = Terminal::start(100, 30, &["--demo"], &[]);
        terminal.wait_for("default/helloworld");
        terminal.signal(signal);
        terminal.ends_restored();
    }
}

/// A recording in which a proxy's log ends in these lines.
fn recording_with(lines: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, mut bytes) in support::files("permissive") {
        let file = directory.path().join(&name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if name.starts_with("logs/httpbin") {
            bytes.extend_from_slice(lines.as_bytes());
        }
        std::fs::write(file, bytes).unwrap();
    }
    directory
}

#[test]
fn control_sequences_in_a_log_change_nothing_on_the_screen() {
    // They would clear the screen, leave it, move the cursor, turn colours on, set the title, ask the terminal, and ring.
    let line = |text: &str| {
        let prefix =
            "2026-11-23T19:39:30.000000Z\twarning\tenvoy wasm source/x.cc:1\twasm log default.helloworld~istio-translated-wasmplugin";
        format!("{prefix} add_header: {text}\tthread=1\n")
    };
    let evil = line("e\u{9b}2Jf\u{202e}g") + &line("a\x1b[2J\x1b[H\x1b[?1049lb\x1b[31;7mc\x1b]0;title\x07d\x1b[6n\x1bch\x08\x7f");
    let pictures = evil.replace('\x1b', "␛").replace('\x07', "␇").replace('\x08', "␈").replace('\x7f', "␡");
    let pictures = pictures.replace('\u{9b}', "\\x9b").replace('\u{202e}', "\\u{202e}");
    let recordings = [recording_with(&evil), recording_with(&pictures)];
    let open = |recording: &tempfile::TempDir| {
        // The name of the recording stands in the first line.
        let path = recording.path().join("mesh");
        std::os::unix::fs::symlink(recording.path(), &path).unwrap();
        Terminal::start(120, 40, &["--from", path.to_str().unwrap()], &[])
    };
    let [mut obeyed, mut harmless] = recordings.each_ref().map(open);
    for (keys, sign) in
        [("", "1 of 2 proxies"), ("l", "read to the end"), ("\r", "Line of a log"), ("\x1b", "read to the end"), ("/a.*h\r", "/a.*h")]
    {
        for terminal in [&mut obeyed, &mut harmless] {
            terminal.press(keys);
            terminal.wait_for(sign);
        }
        let screen = |terminal: &Terminal| terminal.parser().screen().rows_formatted(0, 120).collect::<Vec<_>>();
        let both =
            || format!("{keys:?}: the same screen in\n{}\n{}", obeyed.parser().screen().contents(), harmless.parser().screen().contents());
        wait(|| screen(&obeyed) == screen(&harmless), both);
        assert!(obeyed.parser().screen().alternate_screen());
    }
    obeyed.press("12345");
    obeyed.wait_for("a␛[2J␛[H␛[?1049lb␛[31;7mc␛]0;title␇d␛[6n␛ch␈␡");
    obeyed.wait_for("e\\x9b2Jf\\u{202e}g");
    for mut terminal in [obeyed, harmless] {
        terminal.press("q");
        terminal.ends_restored();
    }
}

#[test]
fn no_color_draws_no_colour() {
    let mut terminal = Terminal::start(100, 30, &["--demo"], &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]);
    terminal.wait_for("default/helloworld");
    terminal.press("w");
    terminal.wait_for("counted in the proxy: 4");
    terminal.press("q");
    terminal.end();
    let text = String::from_utf8_lossy(&terminal.bytes()).into_owned();
    // 39 and 49 are the terminal's own colours.
    let colored = text.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m')).filter(|(numbers, _)| {
        numbers.split(';').any(|number| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=107)))
            && numbers.chars().all(|char| char.is_ascii_digit() || char == ';')
    });
    assert_eq!(colored.count(), 0, "{text:?}");
}

#[test]
fn a_bad_file_is_one_line_and_the_screen_stays_as_it_was() {
    let mut terminal = Terminal::start(100, 30, &["--from", "/nonexistent/dump.json"], &[]);
    assert_eq!(terminal.end().exit_code(), 3);
    terminal.wait_for("meshscope: ");
    assert_eq!(last(&terminal.bytes(), "\x1b[?1049h"), None);
    assert_eq!(terminal.parser().screen().contents().trim().lines().count(), 1);
}

#[test]
fn an_unknown_theme_is_one_line_with_all_names() {
    let mut terminal = Terminal::start(120, 30, &["--demo", "--theme", "darkk"], &[]);
    assert_eq!(terminal.end().exit_code(), 2);
    terminal.wait_for("there is no theme \"darkk\"; themes are dark, light, high-contrast, ansi, monochrome");
    assert_eq!(last(&terminal.bytes(), "\x1b[?1049h"), None);
}

/// The other half of the next test, run by it in a terminal of its own: the program has no way to be made to panic.
#[test]
#[ignore = "is run by a_panic_gives_the_terminal_back"]
fn panics_while_it_draws() {
    let mut session = meshscope::app::terminal::Session::enter().unwrap();
    session.draw(|_| panic!("drawn into a corner")).unwrap();
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let this = std::env::current_exe().unwrap();
    let arguments = ["--exact", "panics_while_it_draws", "--ignored", "--nocapture", "--test-threads=1"];
    let mut terminal = Terminal::run(this.to_str().unwrap(), (100, 30), &arguments, &[]);
    terminal.ends_restored();
    let bytes = terminal.bytes();
    let report = last(&bytes, "drawn into a corner");
    assert!(report > last(&bytes, "\x1b[?1049l"), "the report comes after the terminal is back: {:?}", String::from_utf8_lossy(&bytes));
}
