//! `sync`: the istiods are asked, and no proxy is.

use std::sync::Arc;

use super::Outcome;
use super::ask::Asker;
use crate::analysis::{answers, lookup};
use crate::error::Error;
use crate::fetch;
use crate::model::ids::ProxyId;

impl Asker<'_> {
    pub(super) async fn sync(&self, workload: Option<&str>) -> Result<Outcome, Error> {
        let collector = self.objects_only("sync").await?;
        let mut snapshot = collector.snapshot(Default::default());
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
        Ok(self.print(&answers::sync(&snapshot, wanted), None))
    }
}
