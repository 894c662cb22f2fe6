//! Extra data that the visible screen needs: at most one request, and the newest replaces the one before.

use super::forget;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Screen;
use crate::app::state::Ticket;

/// Begins a request for `what` for the visible screen. The effect stops the one that is under way for it.
pub(super) fn begin(app: &mut App, what: String) -> (Ticket, Option<Effect>) {
    let before = app.screen().reading;
    before.into_iter().for_each(|ticket| forget(app, ticket));
    let ticket = app.waits.begin(what);
    app.screen_mut().reading = Some(ticket);
    (ticket, before.map(Effect::Stop))
}

/// The screen whose request has ended; None where nobody waits for it any more.
pub(super) fn end(app: &mut App, ticket: Ticket) -> Option<&mut Screen> {
    if !app.waits.end(ticket) {
        return None;
    }
    let screen = app.screens.iter_mut().find(|screen| screen.reading == Some(ticket))?;
    screen.reading = None;
    Some(screen)
}
