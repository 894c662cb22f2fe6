//! An action that cannot be done yet.

use crate::app::action::Action;
use crate::model::ids::PluginId;

/// An action on a plugin whose objects are still being read.
#[derive(Clone, Debug)]
pub(in crate::app) struct Deferred {
    /// The action.
    pub(in crate::app) action: Action,
    /// The plugin.
    pub(in crate::app) plugin: PluginId,
}
