//! What istiod would send a proxy: asked when the screen is opened, and again on demand.

use std::sync::Arc;

use super::{ask, side_request, target, walk};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Subject;
use crate::app::state::Ticket;
use crate::fetch;
use crate::model::istiod_view::IstiodViews;
use crate::source::ProxyQuestion;

/// Goes to the proxy in question and what istiod would send it.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    if !app.snapshot.has_objects {
        app.note = Some("a standalone config dump has no istiod to compare it with".to_owned());
        return Vec::new();
    }
    let Some(focus) = target::focus(app) else { return Vec::new() };
    walk::go(app, Subject::Diff(focus))
}

/// Asks istiod where the visible screen needs it and nobody has: it was just opened, or its pod was replaced.
pub(super) fn wanted(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let unread = screen.of_istiod.is_none() && screen.reading.is_none();
    if unread && matches!(screen.subject, Subject::Diff(_)) { read_again(app) } else { Vec::new() }
}

/// Asks istiod for the visible screen, if it is one of these. A request under way gives way.
pub(super) fn read_again(app: &mut App) -> Vec<Effect> {
    let Subject::Diff(focus) = app.screen().subject.clone() else { return Vec::new() };
    let (ticket, stop) = side_request::begin(app, format!("what istiod would send {}", focus.proxy));
    let request = fetch::request(&app.snapshot.objects, &focus.proxy, ProxyQuestion::Resources, app.options.deadline);
    stop.into_iter().chain([Effect::FetchView { ticket, request }]).collect()
}

/// Takes what istiod said; what nobody waits for any more is dropped.
pub(super) fn read(app: &mut App, ticket: Ticket, views: Arc<IstiodViews>) -> Vec<Effect> {
    let Some(screen) = side_request::end(app, ticket) else { return Vec::new() };
    screen.of_istiod = Some(views);
    ask::ask(app)
}
