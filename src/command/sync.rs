//! `sync`: the istiods are asked, and those proxies that have plugins for the plugins' states.

use std::sync::Arc;

use super::Outcome;
use super::ask::Asker;
use crate::analysis::{answers, lookup};
use crate::error::Error;
use crate::fetch;
use crate::model::ids::ProxyId;
use crate::model::snapshot::Snapshot;
use crate::model::sync::Sync;
use crate::model::warning::Warning;
use crate::source::{FailureKind, SourceError};

impl Asker<'_> {
    pub(super) async fn sync(&self, workload: Option<&str>) -> Result<Outcome, Error> {
        let mut collector = self.objects_only("sync").await?;
        let mut snapshot = self.find(&mut collector, workload).await;
        // Who does not exist need not be asked for.
        let chosen = match workload {
            Some(text) => match lookup::workload(&snapshot, text, &self.own_namespace()) {
                Ok(found) => Some(found.proxies),
                Err(error) => return Ok(self.not_found(&snapshot, error)),
            },
            None => None,
        };
        snapshot.sync = Some(Ok(Arc::new(fetch::sync(self.source.clone()).await?)));
        let namespace = self.namespace();
        let wanted = |proxy: &ProxyId| match &chosen {
            Some(chosen) => chosen.contains(proxy),
            None => namespace.as_ref().is_none_or(|namespace| proxy.namespace == *namespace),
        };
        let with_plugins: Vec<ProxyId> = {
            let entries = answers::sync(&snapshot, wanted).proxies.into_iter();
            entries.filter(|entry| !entry.plugin_states.is_empty()).map(|entry| entry.proxy).collect()
        };
        if !with_plugins.is_empty() {
            let sync = snapshot.sync.take();
            let bounded = chosen.is_none();
            snapshot = Snapshot { sync, ..self.with_dumps(&collector, with_plugins, bounded).await };
        }
        Ok(self.print(&answers::sync(&snapshot, wanted), None))
    }

    /// Asks the istiods how their proxies stand, for an answer that has more to go by. What cannot be read is a caveat, but for what
    /// a recording just has not.
    pub(super) async fn ask_istiod(&self, snapshot: &mut Snapshot) {
        take_sync(snapshot, fetch::sync(self.source.clone()).await);
    }
}

/// Adds what the istiods said, or the caveat that they did not. A lone dump has none, and nothing that it lacks.
pub(super) fn take_sync(snapshot: &mut Snapshot, read: Result<Sync, SourceError>) {
    if !snapshot.has_objects {
        return;
    }
    match &read {
        Ok(sync) => snapshot.warnings.extend(sync.gaps.iter().cloned()),
        Err(error) if error.kind == FailureKind::Missing => {}
        Err(error) => snapshot.warnings.push(Warning::new("istiod", error.what.clone(), error.fix.clone())),
    }
    snapshot.sync = Some(read.map(Arc::new).map_err(|error| error.to_string()));
}
