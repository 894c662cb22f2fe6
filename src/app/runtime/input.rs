//! What comes in from the terminal, until it goes away or a signal ends the program.

use std::io;

use crossterm::event::{Event, EventStream, KeyEvent, KeyEventKind};
use futures::future::ready;
use futures::{Stream, StreamExt, stream};

use crate::app::job;

/// Something that the terminal said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key was pressed, or is held down.
    Key(KeyEvent),
    /// A text was pasted.
    Paste(String),
    /// The screen has another size: columns and rows.
    Resized(u16, u16),
    /// A signal asked the process to stop, as the terminal would: it does so once the terminal is given back.
    StopAsked,
    /// The process goes on after it was stopped, by whatever means.
    Continued,
}

impl Input {
    /// What an event says; None for what nobody asked for.
    pub fn from_event(event: Event) -> Option<Self> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => Some(Self::Key(key)),
            Event::Paste(text) => Some(Self::Paste(text)),
            Event::Resize(columns, rows) => Some(Self::Resized(columns, rows)),
            _ => None,
        }
    }
}

/// All that the terminal says. It ends with a signal that ends the program: without that, a terminal that goes away would
/// leave the program running for nobody. To be called once, on the runtime.
pub fn input() -> io::Result<impl Stream<Item = io::Result<Input>> + Unpin> {
    let ended = ended_by_signal()?;
    let events = EventStream::new().filter_map(async |event| event.map(Input::from_event).transpose());
    // The terminal's end is the end, though signals could still come.
    let events = events.map(Some).chain(stream::once(ready(None)));
    let signals = job::signals()?.map(|input| Some(Ok(input)));
    let all = stream::select(events, signals).take_while(|next| ready(next.is_some())).filter_map(ready);
    Ok(Box::pin(all.take_until(ended)))
}

/// Waits for a signal that ends a program: whoever it is held back from has to end by itself. To be called on the runtime.
#[cfg(unix)]
pub fn ended_by_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = hangup.recv() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Waits for a signal that ends a program.
#[cfg(not(unix))]
pub fn ended_by_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            // No signal can be waited for here: the program ends by its own key.
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};

    use super::*;

    #[test]
    fn only_what_was_asked_for_comes_in() {
        let press = KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!(Input::from_event(Event::Key(press)), Some(Input::Key(press)));
        let release = KeyEvent::new_with_kind(KeyCode::Enter, KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(Input::from_event(Event::Key(release)), None);
        assert_eq!(Input::from_event(Event::FocusGained), None);
        assert_eq!(Input::from_event(Event::Resize(80, 24)), Some(Input::Resized(80, 24)));
    }
}
