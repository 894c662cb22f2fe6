//! An action on a plugin whose objects are still being read: it is done once they are read, unless a key is pressed before.

use super::actions::run;
use super::target;
use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::rows::Row;
use crate::app::state::Deferred;
use crate::model::ids::PluginId;

/// Does an action, or keeps it until the objects that decide about the selected plugin are read.
pub(super) fn run_or_defer(app: &mut App, action: Action) -> Vec<Effect> {
    let effects = run(app, action);
    let blocked = selected(app).filter(|(_, why)| why.is_some() && app.note == *why).map(|(plugin, _)| plugin);
    // Raising a log level is asked for on the spot, and not later.
    if !app.awaited().is_empty() && action != Action::RaiseLevel {
        app.deferred = blocked.map(|plugin| Deferred { action, plugin });
    }
    effects
}

/// Does the action that waits, where nothing keeps it from it any more.
pub(super) fn resume(app: &mut App) -> Vec<Effect> {
    let Some(Deferred { action, plugin }) = app.deferred.clone() else { return Vec::new() };
    match selected(app) {
        Some((selected, None)) if selected == plugin => {
            app.deferred = None;
            app.note = None;
            run(app, action)
        }
        Some((selected, why)) if selected == plugin => {
            app.note = why;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The plugin that is selected on home, and why it is not known to what it applies.
fn selected(app: &App) -> Option<(PluginId, Option<String>)> {
    let Some(Row::Plugin(index)) = app.screen().selected() else { return None };
    let plugin = app.screen().plugins()?.plugins.get(*index)?;
    Some((plugin.id.clone(), target::unknown(app, *index)))
}
