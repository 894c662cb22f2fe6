//! The Secret that a plugin's module is pulled with: looked for when Health is opened, when the plugin names another one, and again on
//! demand. Secrets are not watched, since a watch would bring their content.

use std::sync::Arc;

use super::{ask, side_request};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Subject;
use crate::app::state::Ticket;
use crate::model::ids::ObjectName;
use crate::model::pull_secret::PullSecret;

/// Looks for the Secret that the visible screen shows, where it has not been looked for yet.
pub(super) fn wanted(app: &mut App) -> Vec<Effect> {
    if named(app) == app.screen().secret { Vec::new() } else { read_again(app) }
}

/// Looks for the Secret of the visible screen, if it is to tell of one. A reading under way gives way. What was known of it stays in
/// sight until something else is.
pub(super) fn read_again(app: &mut App) -> Vec<Effect> {
    let Some(secret) = named(app) else { return Vec::new() };
    let (ticket, stop) = side_request::begin(app, format!("whether Secret {secret} is there"));
    app.screen_mut().secret = Some(secret.clone());
    let snapshot = Arc::make_mut(&mut app.snapshot);
    snapshot.pull_secrets.entry(secret.clone()).or_insert(PullSecret::Awaited);
    snapshot.generation += 1;
    stop.into_iter().chain([Effect::FindSecret { ticket, secret }]).collect()
}

/// The Secret that the plugin names whose health the visible screen shows.
fn named(app: &App) -> Option<ObjectName> {
    let Subject::Health(plugin) = &app.screen().subject else { return None };
    app.snapshot.objects.plugins.get(plugin)?.pull_secret()
}

/// Takes what is known of it; what nobody waits for any more is dropped.
pub(super) fn read(app: &mut App, ticket: Ticket, secret: ObjectName, found: PullSecret) -> Vec<Effect> {
    if side_request::end(app, ticket).is_none() {
        return Vec::new();
    }
    let snapshot = Arc::make_mut(&mut app.snapshot);
    snapshot.pull_secrets.insert(secret, found);
    snapshot.generation += 1;
    ask::ask(app)
}

/// The Secret that a request is for.
pub(super) fn of(app: &App, ticket: Ticket) -> Option<ObjectName> {
    let is_asked = |subject: &Subject| matches!(subject, Subject::Health(_));
    app.screens.iter().find(|screen| screen.reading == Some(ticket) && is_asked(&screen.subject))?.secret.clone()
}
