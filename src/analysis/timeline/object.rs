//! When the object was changed last, as far as it says so itself.

use super::step::{Step, StepKind, Unseen};
use crate::ingest::logs::instant;
use crate::model::ids::PluginId;
use crate::model::logs::LogTime;
use crate::model::plugin::Plugin;

/// The last change, by the object.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// The second in which it was; None where the object does not say it.
    pub(super) second: Option<LogTime>,
    /// Before this nothing can belong to it; None where the object says no time at all.
    pub(super) not_before: Option<LogTime>,
    pub(super) steps: Vec<Step>,
    pub(super) unseen: Vec<Unseen>,
}

/// The last change of the object's spec: istiod takes no notice of others (`pilot/pkg/model/config_compare.go: NeedsPush`).
pub(super) fn change(plugin: &PluginId, object: Option<&Plugin>, deleted: bool) -> Change {
    let name = format!("{} {plugin}", plugin.kind);
    let Some(object) = object else {
        if !deleted {
            let why = format!("no {} was read, so that nothing says when it was changed", plugin.kind);
            return Change { unseen: vec![Unseen::new(StepKind::Changed, why)], ..Change::default() };
        }
        let why = format!("there is no {name} now, and nothing keeps when it was deleted; the story begins at the last push that names it");
        return Change { unseen: vec![Unseen::new(StepKind::Deleted, why)], ..Change::default() };
    };
    let created = object.created.as_deref().and_then(|text| Some((instant(text)?, text)));
    let is_first = object.generation == Some(1);
    let kind = if is_first { StepKind::Created } else { StepKind::Changed };
    let written = object.writes.last().and_then(|write| Some((instant(&write.time)?, write)));
    if let Some((time, write)) = written.filter(|_| !is_first) {
        let text = format!("metadata.managedFields: {} of the spec by {} at {}", write.operation, write.manager, write.time);
        let step = Step::of_object(kind, time, text, format!("{} changed {name}", write.manager)).noted(WHOLE_SECONDS);
        return Change { second: Some(time), not_before: Some(time), steps: vec![step], unseen: Vec::new() };
    }
    match (created, object.generation) {
        (Some((time, text)), Some(1)) => {
            let by = written.map_or_else(|| format!("{name} was created"), |(_, write)| format!("{} created {name}", write.manager));
            let text = format!("metadata.creationTimestamp: {text}, metadata.generation: 1");
            let step = Step::of_object(kind, time, text, by).noted(WHOLE_SECONDS);
            Change { second: Some(time), not_before: Some(time), steps: vec![step], unseen: Vec::new() }
        }
        (created, generation) => {
            let when = created.map(|(_, text)| format!("the object was created at {text}, and ")).unwrap_or_default();
            let since = match generation {
                Some(generation) => format!("its spec was changed since (metadata.generation is {generation})"),
                None => "nothing says whether its spec was changed since (it has no metadata.generation)".to_owned(),
            };
            let why = format!("{when}{since}; metadata.managedFields, which would say when, is not there");
            let not_before = created.map(|(time, _)| time);
            Change { second: None, not_before, steps: Vec::new(), unseen: vec![Unseen::new(StepKind::Changed, why)] }
        }
    }
}

const WHOLE_SECONDS: &str = "the API server keeps whole seconds, so it can have been up to 1 s later";
