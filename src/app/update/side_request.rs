//! What the visible screen needs beside the objects and the dumps: one reading at a time, of which the newest is waited for.

use super::forget;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Screen;
use crate::app::state::Ticket;

/// Begins a reading of `what` for the visible screen. One that is under way for it gives way, by the effect.
pub(super) fn begin(app: &mut App, what: String) -> (Ticket, Option<Effect>) {
    let before = app.screen().reading;
    before.into_iter().for_each(|ticket| forget(app, ticket));
    let ticket = app.waits.begin(what);
    app.screen_mut().reading = Some(ticket);
    (ticket, before.map(Effect::Stop))
}

/// The screen whose reading has ended; None where nobody waits for it any more.
pub(super) fn end(app: &mut App, ticket: Ticket) -> Option<&mut Screen> {
    if !app.waits.end(ticket) {
        return None;
    }
    let screen = app.screens.iter_mut().find(|screen| screen.reading == Some(ticket))?;
    screen.reading = None;
    Some(screen)
}
