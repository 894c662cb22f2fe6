//! `timeline`: the story of a plugin's last change, out of dumps and logs.

use std::time::Duration;

use super::Outcome;
use super::ask::Asker;
use crate::analysis::{answers, lookup};
use crate::error::Error;
use crate::logs;
use crate::model::ids::{PluginId, PluginKind};

impl Asker<'_> {
    pub(super) async fn timeline(&self, text: &str, since: Option<Duration>) -> Result<Outcome, Error> {
        let collector = self.objects().await?;
        let objects = collector.snapshot(Default::default());
        let own = self.own_namespace();
        let wanted = match lookup::plugin(&objects, text, &own) {
            Ok(plugin) => answers::concerned(&objects, &plugin),
            // Of a plugin that is deleted something may be left over.
            Err(_) => self.proxies_in_reach(&collector),
        };
        let snapshot = self.with_dumps(&collector, wanted, true).await;
        let (plugin, not_found) = match lookup::plugin(&snapshot, text, &own) {
            Ok(plugin) => (plugin, None),
            Err(error) => match lookup::plugin_name(text, &own) {
                // Of one that is deleted, logs may still tell.
                Ok((kind, name)) => (PluginId { name, kind: kind.unwrap_or(PluginKind::WasmPlugin) }, Some(error)),
                Err(_) => return Ok(self.not_found(&snapshot, error)),
            },
        };
        let gathered = logs::gather(self.source.clone(), &snapshot, &plugin, since, self.common.timeout).await;
        if let Some(error) = not_found
            && !gathered.records.iter().any(|record| record.plugin.as_ref() == Some(&plugin))
        {
            return Ok(self.not_found(&snapshot, error));
        }
        Ok(self.print(&answers::timeline(&snapshot, &plugin, &gathered), None))
    }
}
