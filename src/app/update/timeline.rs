//! The story of a plugin's last change: its logs are read when it is opened, when somebody asks again, and for a while after the
//! plugin's object has changed, since what follows takes its time and nothing says when it is over.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, side_request, target, walk};
use crate::analysis::timeline::Gathered;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Subject;
use crate::app::state::Ticket;
use crate::ingest::collect::Changed;
use crate::model::kind::Kind;

/// When the logs are read after a change, each time after the reading before.
const FOLLOW: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

/// Goes to the story of the plugin in question.
pub(super) fn open(app: &mut App) -> Vec<Effect> {
    let Some(plugin) = target::plugin(app) else { return Vec::new() };
    let mut effects = walk::go(app, Subject::Timeline(plugin));
    if app.screen().story.is_none() {
        effects.extend(read_again(app, Duration::ZERO));
    }
    effects
}

/// Reads the logs of the visible timeline, if one is. It replaces a reading that is under way.
pub(super) fn read_again(app: &mut App, after: Duration) -> Vec<Effect> {
    let Subject::Timeline(plugin) = app.screen().subject.clone() else { return Vec::new() };
    let (ticket, stop) = side_request::begin(app, format!("the logs of {plugin}"));
    let (snapshot, deadline) = (app.snapshot.clone(), app.options.deadline);
    stop.into_iter().chain([Effect::ReadLogs { ticket, plugin, snapshot, deadline, after }]).collect()
}

/// Takes what the logs have; what nobody waits for any more is dropped.
pub(super) fn read(app: &mut App, ticket: Ticket, gathered: Arc<Gathered>) -> Vec<Effect> {
    let Some(screen) = side_request::end(app, ticket) else { return Vec::new() };
    screen.story = Some(gathered);
    screen.followed = screen.followed.map(|times| times + 1).filter(|times| *times < FOLLOW.len());
    let mut effects = ask::ask(app);
    if let Some(after) = app.screen().followed.map(|times| FOLLOW[times]) {
        effects.extend(read_again(app, after));
    }
    effects
}

/// Follows the plugin of the visible timeline, where its object has changed.
pub(super) fn follow(app: &mut App, changed: &[Changed]) -> Vec<Effect> {
    let Subject::Timeline(plugin) = &app.screen().subject else { return Vec::new() };
    let kind = |kind: &Kind| matches!(kind, Kind::WasmPlugin | Kind::TrafficExtension) && kind.as_str() == plugin.kind.as_str();
    if !changed.iter().any(|change| matches!(change, Changed::Objects(of, Some(name)) if kind(of) && *name == plugin.name)) {
        return Vec::new();
    }
    app.screen_mut().followed = Some(0);
    read_again(app, FOLLOW[0])
}
