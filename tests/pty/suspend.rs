//! The program as a job of a shell: stopped by a key or a signal with the terminal given back, and gone on with.

use std::time::Duration;

use super::fake_api::FakeApi;
use super::{Terminal, last, level, wait};

/// A shell with job control that starts the program, waits for a line once it has the terminal again, and goes on with the program.
fn in_a_shell(arguments: &str) -> Terminal {
    let script = format!("set -m; {} {arguments}; echo 'the shell again'; read line; fg; echo 'all over'", env!("CARGO_BIN_EXE_meshscope"));
    Terminal::run("/bin/bash", (100, 30), &["-c", &script], &[])
}

fn is_raw(terminal: &Terminal) -> bool {
    let flags = format!("{:?}", terminal.master.get_termios().unwrap().local_flags);
    !flags.contains("ICANON")
}

/// The letter of the process's state: `T` is stopped.
fn state(terminal: &Terminal) -> String {
    let id = terminal.child.process_id().unwrap().to_string();
    let output = std::process::Command::new("ps").args(["-o", "stat=", "-p", &id]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn field_62_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    for typing in ["", "/hello"] {
        let mut terminal = in_a_shell("--demo");
        terminal.wait_for("default/helloworld");
        terminal.press(typing);
        if !typing.is_empty() {
            terminal.wait_for("/hello");
        }
        terminal.press("\x1a");
        terminal.wait_for("the shell again");
        assert!(terminal.is_restored() && !is_raw(&terminal));
        terminal.press("on\n");
        wait(|| terminal.parser().screen().alternate_screen() && is_raw(&terminal), || "the program again".to_owned());
        terminal.wait_for("default/helloworld");
        let bytes = terminal.bytes();
        assert!(last(&bytes, "\x1b[?2004h") > last(&bytes, "\x1b[?2004l"), "pastes are one event again");
        if !typing.is_empty() {
            terminal.wait_for("/hello");
            terminal.press("\x1b");
            // With the next key at once it would be that key with Alt.
            wait(|| !terminal.shows("1 found"), || "the end of the filter".to_owned());
        }
        // The whole screen is drawn, and keys come one by one.
        terminal.wait_for("? help");
        terminal.press("c");
        terminal.wait_for("N = 4 on 15006");
        terminal.press("q");
        terminal.wait_for("all over");
        terminal.ends_restored();
        assert_eq!(count(&terminal.bytes(), ENTERED), 2, "the terminal is taken once at the start and once by fg");
    }
}

const ENTERED: &str = "\x1b[?1049h";

fn count(bytes: &[u8], part: &str) -> usize {
    bytes.windows(part.len()).filter(|window| *window == part.as_bytes()).count()
}

#[test]
fn hostile_h21_signals_stop_the_program_and_go_on_with_it() {
    let mut terminal = Terminal::start(100, 30, &["--demo"], &[]);
    terminal.wait_for("default/helloworld");
    for _ in 0..2 {
        terminal.signal("TSTP");
        wait(|| state(&terminal).starts_with('T'), || format!("a stopped process, not {}", state(&terminal)));
        assert!(terminal.is_restored() && !is_raw(&terminal));
        // What was on the screen is lost meanwhile.
        terminal.bytes.lock().unwrap().clear();
        terminal.signal("CONT");
        wait(|| is_raw(&terminal), || "raw mode".to_owned());
        terminal.wait_for("default/helloworld");
        assert!(terminal.parser().screen().alternate_screen());
    }
    // One that was stopped without being asked leaves the terminal as it is, and whoever has it meanwhile changes it.
    terminal.signal("STOP");
    wait(|| state(&terminal).starts_with('T'), || "a stopped process".to_owned());
    let cooked = std::process::Command::new("stty").args(["-F", &tty(&terminal), "sane"]).status().unwrap();
    assert!(cooked.success() && !is_raw(&terminal));
    terminal.bytes.lock().unwrap().clear();
    terminal.signal("CONT");
    wait(|| is_raw(&terminal), || "raw mode".to_owned());
    terminal.wait_for("default/helloworld");
    terminal.press("q");
    terminal.end();
}

fn tty(terminal: &Terminal) -> String {
    terminal.master.tty_name().unwrap().display().to_string()
}

#[test]
fn hostile_h21_without_a_shell_nothing_is_stopped() {
    let mut terminal = Terminal::start(100, 30, &["--demo"], &[]);
    terminal.wait_for("default/helloworld");
    terminal.press("\x1a");
    terminal.wait_for("not stopped: no shell started this program");
    terminal.press("q");
    terminal.ends_restored();
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_h21_the_end_of_a_raised_level_is_kept() {
    let (api, envoy): (FakeApi, _) = level::mesh().await;
    let mut terminal = level::raised_for(&api, &envoy, "debug 10s");
    terminal.signal("TSTP");
    wait(|| state(&terminal).starts_with('T'), || "a stopped process".to_owned());
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(envoy.level(), "debug", "nobody puts it back while the program is stopped");
    terminal.signal("CONT");
    wait(|| envoy.level() == "warning", || "the level of before".to_owned());
    terminal.press("q");
    terminal.ends_restored();
}

#[test]
fn field_62_the_key_that_was_pressed_several_times_stops_once() {
    let mut terminal = in_a_shell("--demo");
    terminal.wait_for("default/helloworld");
    terminal.press("\x1a\x1a\x1a");
    terminal.wait_for("the shell again");
    terminal.press("on\n");
    wait(|| terminal.parser().screen().alternate_screen() && is_raw(&terminal), || "the program again".to_owned());
    terminal.wait_for("default/helloworld");
    terminal.press("c");
    terminal.wait_for("N = 4 on 15006");
    terminal.press("q");
    terminal.wait_for("all over");
    terminal.ends_restored();
}
