//! Whose logs were asked for, and which of their records: what that comes to as the mesh changes.

use std::sync::Arc;
use std::time::Duration;

use super::View;
use crate::analysis::logs::{Choice, Filter, FilterError, FilterSpec, Targets, targets};
use crate::ingest::collect::Changed;
use crate::model::kind::Kind;
use crate::model::logs::LogOrigin;
use crate::model::snapshot::Snapshot;

/// Changes of the mesh come in bursts, and each view costs a look at all of it.
pub const SETTLE: Duration = Duration::from_millis(100);

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Whose logs.
    pub choice: Choice,
    /// Which of their records, but for the workloads that the choice names.
    pub spec: FilterSpec,
    /// The logs that the source holds, where it is not a live mesh.
    pub held: Option<Vec<LogOrigin>>,
}

impl Asked {
    /// Whose logs, and which of their records, as the mesh is now.
    ///
    /// # Errors
    /// Which text of the filter is no regular expression.
    pub fn view(&self, snapshot: &Snapshot) -> Result<(View, Targets), FilterError> {
        let found = targets(snapshot, &self.choice, self.held.as_deref());
        let spec = FilterSpec { workloads: found.workloads.clone(), pods: found.pods.clone(), ..self.spec.clone() };
        let filter = Arc::new(Filter::new(spec, &snapshot.objects)?);
        Ok((View { origins: found.origins.clone().into(), alone: !snapshot.has_objects, objects: snapshot.objects.clone(), filter }, found))
    }
}

/// Whether a change can be one of whose logs are read, or of what they are about.
pub fn concerns(changed: &Changed) -> bool {
    !matches!(changed, Changed::Nothing | Changed::Health | Changed::Objects(Kind::Service | Kind::ServiceEntry, _))
}
