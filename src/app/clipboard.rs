//! Copying text: to the system's clipboard on a thread of its own, or through the terminal by OSC 52.
//!
//! The bytes of OSC 52 are only made here; who owns the terminal writes them. Nothing is ever read back.

use std::sync::mpsc;
use std::time::Duration;

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use tokio::sync::oneshot;

use crate::config::{ClipboardSetting, Environment};

/// How long the system's clipboard may take: a broken display server can keep it for ever.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How many bytes are handed to a terminal: 100,000 after encoding is what common ones still take.
const MAX_OSC52: usize = 74_994;

/// Where copied text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// To the system's clipboard; to the terminal's where that fails and `fall_back` allows it.
    System {
        /// Whether the terminal may be asked instead.
        fall_back: bool,
    },
    /// To the terminal's clipboard.
    Terminal,
    /// Nowhere: the person said so.
    Off,
}

impl Method {
    /// The way for a setting and an environment: over SSH and without a desktop, only the terminal is near the person.
    pub fn choose(setting: ClipboardSetting, environment: &Environment) -> Self {
        match setting {
            ClipboardSetting::Auto if environment.ssh || !environment.desktop => Self::Terminal,
            ClipboardSetting::Auto => Self::System { fall_back: true },
            ClipboardSetting::System => Self::System { fall_back: false },
            ClipboardSetting::Osc52 => Self::Terminal,
            ClipboardSetting::Off => Self::Off,
        }
    }
}

/// The bytes that ask a terminal to take a text to its clipboard, or why it cannot be asked.
pub fn osc52(text: &str) -> Result<Vec<u8>, String> {
    if text.len() > MAX_OSC52 {
        return Err(format!("{} bytes are too many for a terminal's clipboard, which takes {MAX_OSC52}", text.len()));
    }
    let mut sequence = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence).map_err(|error| error.to_string())?;
    Ok(sequence.into_bytes())
}

/// The system's clipboard. Its thread starts with the first text, and holds the text as long as the program runs, as X11
/// and Wayland want it.
#[derive(Clone, Debug, Default)]
pub struct SystemClipboard {
    thread: Option<mpsc::Sender<Request>>,
}

#[derive(Debug)]
struct Request {
    text: String,
    done: oneshot::Sender<Result<(), String>>,
}

impl SystemClipboard {
    /// Copies a text; the future waits for the outcome, and not for ever.
    pub fn copy(&mut self, text: String) -> impl Future<Output = Result<(), String>> + Send + use<> {
        let (done, outcome) = oneshot::channel();
        let sent = self.thread.get_or_insert_with(start).send(Request { text, done });
        if sent.is_err() {
            // The thread is gone; the next text starts another.
            self.thread = None;
        }
        async move {
            match tokio::time::timeout(TIMEOUT, outcome).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err("the system's clipboard has gone away".to_owned()),
                Err(_) => Err(format!("the system's clipboard did not answer in {} s", TIMEOUT.as_secs())),
            }
        }
    }
}

fn start() -> mpsc::Sender<Request> {
    let (sender, requests) = mpsc::channel::<Request>();
    // Should no thread start, the receiver is dropped and `copy` says so.
    let _ = std::thread::Builder::new().name("clipboard".to_owned()).spawn(move || {
        let mut clipboard: Option<arboard::Clipboard> = None;
        for request in requests {
            // An answer that nobody waits for any more is no loss.
            let _ = request.done.send(set(&mut clipboard, request.text));
        }
    });
    sender
}

fn set(clipboard: &mut Option<arboard::Clipboard>, text: String) -> Result<(), String> {
    let open = match clipboard.take() {
        Some(open) => Ok(open),
        None => arboard::Clipboard::new(),
    };
    let outcome = open.and_then(|mut open| {
        open.set_text(text)?;
        *clipboard = Some(open);
        Ok(())
    });
    outcome.map_err(|error| format!("the system's clipboard: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [&'static str]) -> Environment {
        Environment::from_lookup(|name| pairs.contains(&name).then(|| "1".to_owned()))
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_nearest_clipboard_is_chosen() {
        let auto = |pairs| Method::choose(ClipboardSetting::Auto, &environment(pairs));
        assert_eq!(auto(&["DISPLAY"]), Method::System { fall_back: true });
        assert_eq!(auto(&["DISPLAY", "SSH_TTY"]), Method::Terminal);
        assert_eq!(auto(&[]), Method::Terminal);
        assert_eq!(Method::choose(ClipboardSetting::System, &environment(&["SSH_TTY"])), Method::System { fall_back: false });
        assert_eq!(Method::choose(ClipboardSetting::Off, &environment(&["DISPLAY"])), Method::Off);
    }

    #[test]
    fn osc52_holds_text_as_base64_alone() {
        assert_eq!(osc52("\x1b]0;evil\x07").unwrap(), b"\x1b]52;c;G10wO2V2aWwH\x1b\\");
        assert!(osc52(&"x".repeat(MAX_OSC52 + 1)).unwrap_err().contains("too many"));
        assert!(osc52(&"x".repeat(MAX_OSC52)).unwrap().len() < 100_010);
    }
}
