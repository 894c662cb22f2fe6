//! `check`: the findings, and the exit status that goes with them.

use super::Outcome;
use super::ask::{Asker, Bound};
use super::read;
use crate::analysis::answers;
use crate::analysis::findings::Ignore;
use crate::cli::Most;
use crate::error::Error;
use crate::model::ids::ProxyId;
use crate::source::SourceKind;

impl Asker<'_> {
    /// All proxies are asked unless a bound is given: a job of CI that passes must not have looked away.
    pub(super) async fn findings(&self, ignore: &[Ignore], most: Option<Most>) -> Result<Outcome, Error> {
        let collector = read::objects(&self.source, self.common.timeout).await?;
        // A lone dump is of one proxy, whose namespace nobody has to name.
        let namespace = self.namespace().filter(|_| self.source.info().kind != SourceKind::Dump);
        let of = |snapshot: &_| answers::findings(snapshot, namespace.as_deref(), ignore);
        let mut wanted: Vec<ProxyId> = of(&collector.snapshot(Default::default())).proxies;
        if collector.objects().pods.is_empty() {
            wanted = read::proxies(&self.source, &collector);
        }
        let bound = most.map_or(Bound::NONE, |most| Bound { most: most.0, fix: "leave --max-proxies away to ask every one" });
        let mut snapshot = self.with_proxies(&collector, wanted, bound, true).await;
        self.ask_istiod(&mut snapshot).await;
        let answer = of(&snapshot);
        Ok(Outcome { bad_news: answer.is_bad(), ..self.print(&answer, None) })
    }
}
