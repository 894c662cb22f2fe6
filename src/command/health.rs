//! `health`: asks the proxies in question for all that says how plugins fare, and for the Secrets of their modules.

use std::collections::BTreeSet;

use super::Outcome;
use super::ask::Asker;
use super::reach::Bound;
use crate::analysis::answers;
use crate::analysis::lookup;
use crate::cli::Most;
use crate::error::Error;
use crate::fetch;
use crate::model::ids::{ObjectName, PluginId, ProxyId};
use crate::model::snapshot::Snapshot;

/// What to do for more than were asked.
const MORE: &str = "--max-proxies all asks every one";

impl Asker<'_> {
    pub(super) async fn health(&self, plugin: Option<&str>, most: Option<Most>) -> Result<Outcome, Error> {
        let collector = self.objects().await?;
        let objects = collector.snapshot(Default::default());
        let namespace = self.namespace().filter(|_| objects.has_objects);
        let own = self.own_namespace();
        let asked: Vec<PluginId> = match plugin {
            Some(text) => lookup::plugin(&objects, text, &own).into_iter().collect(),
            None => answers::plugins(&objects, namespace.as_deref()).plugins.into_iter().map(|plugin| plugin.id).collect(),
        };
        // Others can have something of it all the same: a leftover, or what istiod has not taken back yet.
        let concerned = asked.iter().flat_map(|plugin| answers::concerned(&objects, plugin));
        let wanted: Vec<ProxyId> = concerned.chain(self.proxies_in_reach(&collector)).collect();
        let bound = most.map_or_else(|| Bound { fix: MORE, ..self.usual() }, |most| Bound { most: most.0, fix: MORE });
        let mut snapshot = self.with_proxies(&collector, wanted, bound, true).await;
        self.ask_istiod(&mut snapshot).await;
        let plugin = match plugin.map(|text| lookup::plugin(&snapshot, text, &own)).transpose() {
            Ok(plugin) => plugin,
            Err(error) => return Ok(self.not_found(&snapshot, error)),
        };
        self.look_for_secrets(&mut snapshot, &asked).await;
        let answer = answers::health(&snapshot, plugin.as_ref(), namespace.as_deref());
        Ok(self.print(&answer, self.unread(&snapshot)))
    }

    /// Looks for the Secrets that plugins name.
    pub(super) async fn look_for_secrets(&self, snapshot: &mut Snapshot, plugins: &[PluginId]) {
        let wanted: BTreeSet<ObjectName> = plugins.iter().filter_map(|id| snapshot.objects.plugins.get(id)?.pull_secret()).collect();
        for secret in wanted {
            let found = fetch::pull_secret(&self.source, secret.clone()).await;
            snapshot.pull_secrets.insert(secret, found);
        }
    }
}
