//! The terminal itself: entered once, left however the program ends, drawn to and written to by one owner.

use std::io::{self, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

use super::job;

/// Whether the terminal is ours now, so that it is given back once.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal while the program has it. Dropping it gives it back.
pub struct Session {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Whether what is on the screen is not the last frame, so that the next one is drawn whole.
    lost: bool,
}

impl Session {
    /// Takes the terminal: raw mode, the alternate screen, pastes as one event. To be called by the thread that draws.
    pub fn enter() -> io::Result<Self> {
        install_panic_hook();
        let entered = take().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match entered {
            Ok(terminal) => Ok(Self { terminal, lost: false }),
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }

    /// Draws one frame, as one update where the terminal can.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        // The update is ended even where drawing failed: a terminal must not be left waiting.
        let drawn = self.start_over().and_then(|()| self.terminal.draw(render).map(drop));
        let ended = execute!(self.terminal.backend_mut(), EndSynchronizedUpdate);
        drawn.and(ended)
    }

    /// Forgets the last frame where it is no longer on the screen.
    fn start_over(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.lost) {
            // A new one knows of no frame. To clear the old one would ask the terminal for its cursor, whose answer the keys' reader takes.
            queue!(self.terminal.backend_mut(), Clear(ClearType::All))?;
            self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        }
        Ok(())
    }

    /// Gives the terminal back, and stops the process until somebody continues it.
    pub fn suspend(&mut self, whole_job: bool) -> io::Result<()> {
        restore();
        job::stop(whole_job)
    }

    /// Takes the terminal again, whose modes and contents are another's now.
    pub fn take_again(&mut self) -> io::Result<()> {
        // Without this the modes would count as those that were set before.
        let _ = disable_raw_mode();
        self.redraw();
        take()
    }

    /// Draws the next frame whole.
    pub fn redraw(&mut self) {
        self.lost = true;
    }

    /// Writes bytes that are no part of a frame, such as a text for the clipboard.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let backend = self.terminal.backend_mut();
        backend.write_all(bytes)?;
        Write::flush(backend)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

/// Raw mode, the alternate screen, pastes as one event.
fn take() -> io::Result<()> {
    ENTERED.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)
}

/// Gives the terminal back. Each step is tried whatever became of the others, and failures have nowhere to be said.
pub fn restore() {
    if ENTERED.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), EndSynchronizedUpdate, DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
    }
}

/// A panic of the drawing thread gives the terminal back before it is reported. One of a background task says nothing
/// here, since its text would land in the middle of the screen: its task's handle reports it to the event loop.
fn install_panic_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return;
    }
    let owner = thread::current().id();
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == owner {
            restore();
        }
        if !ENTERED.load(Ordering::SeqCst) {
            previous(panic);
        }
    }));
}
