//! `diff WORKLOAD`: the proxies are asked what they have, and istiod what it would send them and what they made of its last push.

use super::Outcome;
use super::ask::Asker;
use super::sync::take_sync;
use crate::analysis::{answers, lookup};
use crate::error::Error;
use crate::fetch;
use crate::source::ProxyQuestion;

impl Asker<'_> {
    pub(super) async fn diff(&self, workload: &str) -> Result<Outcome, Error> {
        let mut collector = self.objects_only("diff").await?;
        let objects = self.find(&mut collector, Some(workload)).await;
        let proxies = match lookup::workload(&objects, workload, &self.own_namespace()) {
            Ok(found) => found.proxies,
            Err(error) => return Ok(self.not_found(&objects, error)),
        };
        let request = |proxy| fetch::request(collector.objects(), proxy, ProxyQuestion::Resources, self.common.timeout);
        let requests = proxies.iter().map(request).collect();
        let (mut snapshot, views, sync) = tokio::join!(
            self.with_dumps(&collector, proxies.clone(), false),
            fetch::views_of_istiod(&self.source, requests),
            fetch::sync(self.source.clone()),
        );
        take_sync(&mut snapshot, sync);
        Ok(self.print(&answers::diff(&snapshot, &views, &proxies), self.unread(&snapshot)))
    }
}
