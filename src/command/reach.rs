//! Which proxies are in reach of a command, and what is read of them.

use std::collections::BTreeSet;

use super::ask::Asker;
use super::read;
use super::sync::take_sync;
use crate::analysis::lookup;
use crate::error::Error;
use crate::fetch;
use crate::ingest::collect::Collector;
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;
use crate::model::warning::Warning;
use crate::source::SourceKind;

/// How many proxies of a live mesh a command asks unless they are named: each dump stops a proxy's main thread for a moment.
const MOST_PROXIES: usize = 50;

/// How many proxies are asked, and what to do where that is not every one.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub(super) most: usize,
    pub(super) fix: &'static str,
}

impl Bound {
    /// Every one.
    pub(super) const NONE: Self = Self { most: usize::MAX, fix: "" };
}

impl Asker<'_> {
    /// The objects. A live mesh is asked for its proxies without an object only where the workload is none that has one.
    pub(super) async fn objects_with(&self, workload: Option<&str>) -> Result<(Collector, Snapshot), Error> {
        let mut collector = self.objects().await?;
        let objects = self.find(&mut collector, workload).await;
        Ok((collector, objects))
    }

    /// Adds the proxy that istiod lists under this name if no object has it; returns the snapshot.
    pub(super) async fn find(&self, collector: &mut Collector, workload: Option<&str>) -> Snapshot {
        let objects = collector.snapshot(Default::default());
        let Some(text) = workload.filter(|_| self.source.info().kind == SourceKind::Cluster) else { return objects };
        if lookup::workload(&objects, text, &self.own_namespace()).is_ok() {
            return objects;
        }
        let name = text.rsplit('/').next().unwrap_or(text);
        let is_named = |proxy: &ProxyId| proxy.to_string() == name || proxy.pod == name;
        read::adopt_connected(&self.source, collector, is_named).await;
        collector.snapshot(Default::default())
    }

    /// The objects. A namespace that was named and is not there would read like an empty one.
    pub(super) async fn objects(&self) -> Result<Collector, Error> {
        let collector = read::objects(&self.source, self.common.timeout).await?;
        check_namespace(&collector, self.named_namespace())?;
        Ok(collector)
    }

    /// The namespace that was named on the command line; None with `-A`.
    pub(super) fn named_namespace(&self) -> Option<&str> {
        self.common.namespace.as_deref().filter(|_| !self.common.all_namespaces)
    }

    /// The objects, for a question that a standalone dump cannot answer.
    pub(super) async fn objects_only(&self, command: &str) -> Result<Collector, Error> {
        let collector = self.objects_before(command).await?;
        check_namespace(&collector, self.named_namespace())?;
        Ok(collector)
    }

    /// The same for a question of what would be: the manifests may create the namespace.
    pub(super) async fn objects_before(&self, command: &str) -> Result<Collector, Error> {
        let info = self.source.info();
        if info.kind == SourceKind::Dump {
            // What is no whole dump has other needs than another command.
            let none = Collector::default();
            let snapshot = self.with_dumps(&none, read::proxies(&self.source, &none), false).await;
            if let Some(error) = self.unread(&snapshot) {
                return Err(error);
            }
            let fix = "use `chains`, `order WORKLOAD` or `why PLUGIN`, or give a recording folder";
            return Err(Error::Usage(format!("{} is a config dump without Kubernetes objects, which `{command}` needs; {fix}", info.name)));
        }
        read::objects(&self.source, self.common.timeout).await
    }

    pub(super) fn proxies_in_reach(&self, collector: &Collector) -> Vec<ProxyId> {
        let namespace = if collector.objects().pods.is_empty() { None } else { self.namespace() };
        let all = read::proxies(&self.source, collector).into_iter();
        all.filter(|proxy| namespace.as_ref().is_none_or(|namespace| proxy.namespace == *namespace)).collect()
    }

    /// Reads the dumps of these proxies, of a live mesh at most [`MOST_PROXIES`] unless they were named.
    pub(super) async fn with_dumps(&self, collector: &Collector, wanted: Vec<ProxyId>, bounded: bool) -> Snapshot {
        self.with_proxies(collector, wanted, if bounded { self.usual() } else { Bound::NONE }, false).await
    }

    /// What holds where nothing else was said.
    pub(super) fn usual(&self) -> Bound {
        let is_live = self.source.info().kind == SourceKind::Cluster;
        Bound { most: if is_live { MOST_PROXIES } else { usize::MAX }, fix: "name a workload to read its proxies" }
    }

    /// The same, with what the istiods say of the proxies: one that rejected a module can go on with the one that it had, as its dump shows.
    pub(super) async fn with_states(&self, collector: &Collector, wanted: Vec<ProxyId>, bound: Bound) -> Snapshot {
        if wanted.is_empty() {
            return self.with_proxies(collector, wanted, bound, false).await;
        }
        let (mut snapshot, sync) = tokio::join!(self.with_proxies(collector, wanted, bound, false), fetch::sync(self.source.clone()));
        take_sync(&mut snapshot, sync);
        snapshot
    }

    /// The same and, where `vital` says so, with what else these proxies say of themselves.
    pub(super) async fn with_proxies(&self, collector: &Collector, wanted: Vec<ProxyId>, bound: Bound, vital: bool) -> Snapshot {
        let mut seen = BTreeSet::new();
        let readable: BTreeSet<ProxyId> = read::proxies(&self.source, collector).into_iter().collect();
        let mut wanted: Vec<ProxyId> = wanted.into_iter().filter(|proxy| seen.insert(proxy.clone()) && readable.contains(proxy)).collect();
        let all = wanted.len();
        wanted.truncate(bound.most);
        let mut snapshot = read::snapshot(&self.source, collector, &wanted, self.common.timeout, vital).await;
        if wanted.len() < all {
            let what = format!("{} of {all} were asked for their config dump", wanted.len());
            snapshot.warnings.push(Warning::new("proxies", what, bound.fix));
        }
        snapshot
    }
}

/// Checks that there is the namespace, where it is known which there are. Those that were listed are known even where they cannot be watched.
pub(super) fn check_namespace(collector: &Collector, namespace: Option<&str>) -> Result<(), Error> {
    let objects = collector.objects();
    let are_known = || !objects.namespaces.is_empty() && collector.snapshot(Default::default()).is_listed(Kind::Namespace, None);
    let Some(namespace) = namespace.filter(|_| are_known()) else { return Ok(()) };
    let holds_something = || objects.pods.keys().any(|pod| pod.namespace == namespace);
    if objects.namespaces.contains_key(namespace) || holds_something() {
        return Ok(());
    }
    Err(Error::Usage(format!("there is no namespace {namespace}; name another with -n, or look at all with -A")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::update::{Unread, Update};

    #[test]
    fn namespaces_that_were_listed_are_known_though_they_cannot_be_watched() {
        let named = |listed: bool, namespace: &str| {
            let mut collector = Collector::default();
            let objects = vec![json!({"metadata": {"name": "shop"}})];
            collector.apply(Update::Listed { kind: Kind::Namespace, namespace: None, objects });
            let (what, why, fix) = ("namespaces".to_owned(), "forbidden".to_owned(), String::new());
            collector.apply(Update::Unread(Unread { kind: Some(Kind::Namespace), namespace: None, what, why, fix, listed }));
            check_namespace(&collector, Some(namespace)).is_ok()
        };
        assert_eq!([named(true, "shop"), named(true, "shpo")], [true, false]);
        assert_eq!([named(false, "shop"), named(false, "shpo")], [true, true], "what was not read may be there");
    }
}
