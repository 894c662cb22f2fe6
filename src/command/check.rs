//! `check`: the findings, and the exit status that goes with them.

use super::Outcome;
use super::ask::Asker;
use super::read;
use crate::analysis::answers;
use crate::analysis::findings::Ignore;
use crate::error::Error;
use crate::model::ids::{PluginId, ProxyId};
use crate::source::SourceKind;

impl Asker<'_> {
    pub(super) async fn findings(&self, ignore: &[Ignore]) -> Result<Outcome, Error> {
        let collector = read::objects(&self.source, self.common.timeout).await?;
        // A lone dump is of one proxy, whose namespace nobody has to name.
        let namespace = self.namespace().filter(|_| self.source.info().kind != SourceKind::Dump);
        let of = |snapshot: &_| answers::findings(snapshot, namespace.as_deref(), ignore);
        let mut wanted: Vec<ProxyId> = of(&collector.snapshot(Default::default())).proxies;
        if collector.objects().pods.is_empty() {
            wanted = read::proxies(&self.source, &collector);
        }
        let mut snapshot = self.with_proxies(&collector, wanted, true, true).await;
        self.ask_istiod(&mut snapshot).await;
        let plugins: Vec<PluginId> =
            answers::plugins(&snapshot, namespace.as_deref()).plugins.into_iter().map(|plugin| plugin.id).collect();
        self.look_for_secrets(&mut snapshot, &plugins).await;
        let answer = of(&snapshot);
        Ok(Outcome { bad_news: answer.is_bad(), ..self.print(&answer, None) })
    }
}
