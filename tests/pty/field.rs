//! What people do to a terminal program: odd characters, pastes, windows of any size, copies over SSH.

use super::Terminal;
use super::inputs::Case;

const HOME: &str = "default/helloworld";

#[test]
fn field_60_wide_and_control_characters_leave_the_screen_whole() {
    let case = Case::open("60-wide-characters-in-logs");
    let recording = case.path("recording");
    let mut terminal = Terminal::start(120, 40, &["--from", recording.to_str().unwrap()], &[]);
    terminal.wait_for(HOME);
    terminal.press("l");
    terminal.wait_for("␛[31");
    terminal.wait_for("read to the end");
    // The frame with these words must have come as a whole.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let drawn = terminal.parser().screen().contents();
    // The same screen, drawn from nothing: what was drawn piece by piece left no cell behind.
    terminal.resize(119, 40);
    terminal.wait_for("␛[31");
    terminal.resize(120, 40);
    terminal.wait_for("␛[31");
    super::wait(|| terminal.parser().screen().contents() == drawn, || terminal.parser().screen().contents());
    terminal.press("q");
    terminal.ends_restored();
}

#[test]
fn field_61_pasted_text_is_no_keys() {
    let mut terminal = Terminal::start(120, 40, &["--demo"], &[]);
    terminal.wait_for(HOME);
    terminal.press("\x1b[200~qqL:q\r\x1b[201~");
    // An input is opened after it, which a program that had left could not do.
    terminal.press("/");
    terminal.press("\x1b[200~helloq\x1b[201~");
    terminal.wait_for("helloq");
    terminal.press("\x1b\x1b");
    terminal.wait_for(HOME);
    terminal.press("q");
    terminal.ends_restored();
}

#[test]
fn field_63_no_size_of_the_window_ends_the_program() {
    let mut terminal = Terminal::start(120, 40, &["--demo"], &[]);
    terminal.wait_for(HOME);
    for key in ["", "w", "m", "l", "?"] {
        terminal.press(key);
        for (columns, rows) in [(1, 1), (300, 3), (12, 60), (80, 24)] {
            terminal.resize(columns, rows);
        }
        // What is drawn for the sizes before must have come, or it counts as a part of the next screen.
        std::thread::sleep(std::time::Duration::from_millis(500));
        terminal.resize(120, 40);
        terminal.wait_for("meshscope");
        assert_eq!(super::last(&terminal.bytes(), "\x1b[?1049h"), None, "a new size redraws the screen, and leaves the terminal as it is");
        terminal.press("\x1b");
    }
    terminal.resize(12, 10);
    terminal.wait_for("12x10");
    terminal.press("q");
    terminal.ends_restored();
}

#[test]
fn field_64_a_copy_over_ssh_goes_through_the_terminal() {
    for variables in [&[("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")][..], &[("SSH_TTY", "/dev/pts/1"), ("LANG", "C"), ("TERM", "dumb")]]
    {
        let mut terminal = Terminal::start(120, 40, &["--demo"], variables);
        terminal.wait_for(HOME);
        terminal.press("y");
        let copies = || terminal.bytes().windows(7).any(|bytes| bytes == b"\x1b]52;c;");
        super::wait(copies, || format!("no copy in {variables:?}"));
        terminal.press("q");
        terminal.ends_restored();
    }
}
