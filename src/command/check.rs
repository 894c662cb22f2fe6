//! `check`: the findings, and the exit status that goes with them.

use super::Outcome;
use super::ask::Asker;
use super::reach::{Bound, check_namespace};
use super::read;
use crate::analysis::answers;
use crate::analysis::findings::Ignore;
use crate::cli::Most;
use crate::error::Error;
use crate::model::ids::{PluginId, ProxyId};
use crate::source::SourceKind;

impl Asker<'_> {
    /// All proxies are asked unless a bound is given: a job of CI that passes must not have looked away.
    pub(super) async fn findings(&self, ignore: &[Ignore], most: Option<Most>) -> Result<Outcome, Error> {
        let collector = read::objects(&self.source, self.common.timeout).await?;
        // A lone dump is of one proxy, whose namespace nobody has to name.
        let namespace = self.namespace().filter(|_| self.source.info().kind != SourceKind::Dump);
        check_namespace(&collector, namespace.as_deref())?;
        let of = |snapshot: &_| answers::findings(snapshot, namespace.as_deref(), ignore);
        let mut wanted: Vec<ProxyId> = of(&collector.snapshot(Default::default())).proxies;
        if collector.objects().pods.is_empty() {
            wanted = read::proxies(&self.source, &collector);
        }
        let bound = most.map_or(Bound::NONE, |most| Bound { most: most.0, fix: "leave --max-proxies away to ask every one" });
        let mut snapshot = self.with_proxies(&collector, wanted, bound, true).await;
        self.ask_istiod(&mut snapshot).await;
        let plugins: Vec<PluginId> =
            answers::plugins(&snapshot, namespace.as_deref()).plugins.into_iter().map(|plugin| plugin.id).collect();
        self.look_for_secrets(&mut snapshot, &plugins).await;
        let answer = of(&snapshot);
        // What was found is bad news whatever could not be read.
        let none = || self.source.no_proxies().filter(|_| answer.scope.proxies == 0);
        let blind = answer.blind.clone().or_else(none).filter(|_| !answer.is_bad()).map(|why| {
            let what = format!("nothing of {} could be read: {why}", if answer.scope.proxies == 1 { "the proxy" } else { "any proxy" });
            Error::bad_input(what, "what is said is by the objects alone, and by what the istiods told")
        });
        Ok(Outcome { bad_news: answer.is_bad(), ..self.print(&answer, blind) })
    }
}
