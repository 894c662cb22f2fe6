//! Ties records to their plugins, as the mesh is, and knows when another mesh would tie them otherwise.

use super::View;
use crate::analysis::logs::Attributor;
use crate::model::ids::PluginId;
use crate::model::logs::LogRecord;

/// What records are tied by.
#[derive(Clone, Debug)]
pub struct Tie {
    attributor: Attributor,
    alone: bool,
}

impl Tie {
    /// By the objects of a view.
    pub(super) fn new(view: &View) -> Self {
        Self { attributor: Attributor::new(view.objects.clone()), alone: view.alone }
    }

    /// Goes by another view. Whether records that were tied before can be tied otherwise now.
    pub(super) fn follow(&mut self, view: &View) -> bool {
        let was_alone = std::mem::replace(&mut self.alone, view.alone);
        self.attributor.follow(view.objects.clone()) || was_alone != self.alone
    }

    /// Writes into a record which plugin it is about, and how that was found or why not.
    pub(super) fn tie(&mut self, record: &mut LogRecord) {
        if self.alone {
            // Without objects nothing follows from what is not among them.
            self.attributor.attribute_alone(record);
        } else {
            self.attributor.attribute(record);
        }
    }

    /// The same of a record that was tied before, where it is another plugin or another reason now.
    pub(super) fn again(&mut self, record: &LogRecord) -> Option<(Option<PluginId>, Option<String>)> {
        let (plugin, note) = if self.alone { self.attributor.again_alone(record) } else { self.attributor.again(record) };
        (record.plugin != plugin || record.plugin_note != note).then_some((plugin, note))
    }
}
