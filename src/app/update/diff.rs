//! What istiod would send a proxy: asked when the screen is opened, and again on demand.

use std::sync::Arc;

use super::{ask, forget, walk};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Subject;
use crate::app::state::Ticket;
use crate::model::istiod_view::IstiodViews;

/// Goes to the proxy in question and what istiod would send it.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    if !app.snapshot.has_objects {
        app.note = Some("a config dump alone has no istiod to be held against".to_owned());
        return Vec::new();
    }
    let Some(focus) = walk::focus(app) else { return Vec::new() };
    let mut effects = walk::go(app, Subject::Diff(focus));
    if app.screen().of_istiod.read.is_none() {
        effects.extend(read_again(app));
    }
    effects
}

/// Asks istiod for the screen in sight, if it is one of these. A request under way gives way.
pub(super) fn read_again(app: &mut App) -> Vec<Effect> {
    let Subject::Diff(focus) = app.screen().subject.clone() else { return Vec::new() };
    let before = app.screen().of_istiod.ticket;
    before.into_iter().for_each(|ticket| forget(app, ticket));
    let ticket = app.waits.begin(format!("what istiod would send {}", focus.proxy));
    app.screen_mut().of_istiod.ticket = Some(ticket);
    before.map(Effect::Stop).into_iter().chain([Effect::FetchView { ticket, proxy: focus.proxy }]).collect()
}

/// Takes what istiod said; what nobody waits for any more is dropped.
pub(super) fn read(app: &mut App, ticket: Ticket, views: Arc<IstiodViews>) -> Vec<Effect> {
    if !app.waits.end(ticket) {
        return Vec::new();
    }
    let Some(screen) = app.screens.iter_mut().find(|screen| screen.of_istiod.ticket == Some(ticket)) else { return Vec::new() };
    screen.of_istiod.ticket = None;
    screen.of_istiod.read = Some(views);
    ask::ask(app)
}
