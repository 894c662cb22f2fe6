//! Reads what one answer needs: the objects once, then the dumps of the proxies in question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout_at;

use crate::analysis::{lookup, sync as rules};
use crate::clock;
use crate::error::Error;
use crate::fetch;
use crate::ingest::collect::Collector;
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::update::{Health, Unread, Update};
use crate::model::warning::Warning;
use crate::source::{FailureKind, ProxyQuestion, SharedSource, SourceError, SourceKind};

/// A command gives up on a cluster that has not answered after so many attempts; the terminal program never does.
const ATTEMPTS: u32 = 3;

/// How many proxies are in question at a time. Of a cluster fewer are asked at once; the rest is being understood meanwhile.
const AT_ONCE: usize = 16;

/// How many messages of a source may wait.
const WAITING: usize = 256;

/// The objects, which go on to change for as long as the value lives.
pub struct Watched {
    /// What has been said so far.
    pub collector: Collector,
    /// What is said from now on.
    pub updates: mpsc::Receiver<Update>,
    watch: JoinHandle<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Reads the objects until every kind has been answered for.
///
/// # Errors
/// Where nothing could be read in time.
pub async fn objects(source: &SharedSource, patience: Duration) -> Result<Collector, Error> {
    Ok(std::mem::take(&mut watched(source, patience).await?.collector))
}

/// Reads the objects until every kind has been answered for, and goes on from there.
///
/// # Errors
/// Where nothing could be read in time.
pub async fn watched(source: &SharedSource, patience: Duration) -> Result<Watched, Error> {
    let deadline = clock::now() + patience;
    let (sender, updates) = mpsc::channel(WAITING);
    let mut watched = Watched { collector: Collector::default(), updates, watch: tokio::spawn(source.watch(sender)) };
    let Watched { collector, updates, .. } = &mut watched;
    if matches!(source.info().kind, SourceKind::Dump | SourceKind::Log) {
        return Ok(watched);
    }
    while !is_complete(collector) {
        let update = match timeout_at(deadline, updates.recv()).await {
            Ok(Some(update)) => update,
            Ok(None) => break,
            Err(_) => {
                late(collector, source, patience)?;
                break;
            }
        };
        collector.apply(update);
        give_up_on(collector)?;
        if is_stuck(collector) {
            late(collector, source, patience)?;
            break;
        }
    }
    if collector.read_nothing() {
        return Err(nothing(collector));
    }
    if source.info().kind != SourceKind::Cluster {
        adopt(source, collector, patience).await;
    }
    Ok(watched)
}

/// Takes in the proxies that files hold output of, or that istiod knew, and no object is of: a machine without a WorkloadEntry, a recording
/// without pods.
async fn adopt(source: &SharedSource, collector: &mut Collector, deadline: Duration) {
    let without_object = |collector: &Collector, proxy: &ProxyId| !collector.objects().pods.contains_key(proxy);
    let held = source.proxies().into_iter().filter(|proxy| without_object(collector, proxy));
    let asked: Vec<_> = held.map(|proxy| (fetch::request(collector.objects(), &proxy, ProxyQuestion::Chains, deadline), proxy)).collect();
    let mut nodes = stream::iter(asked.into_iter().map(|(request, proxy)| async move { (proxy, fetch::node(source, request).await) }))
        .buffered(AT_ONCE);
    while let Some((proxy, node)) = nodes.next().await {
        collector.adopt(proxy, node.as_ref());
    }
    drop(nodes);
    adopt_connected(source, collector, |_| true).await;
}

/// Takes in the proxies that only the istiods know, as far as they are wanted.
pub async fn adopt_connected(source: &SharedSource, collector: &mut Collector, wanted: impl Fn(&ProxyId) -> bool) {
    let Ok(sync) = fetch::sync(source.clone()).await else { return };
    for (_, client) in sync.clients().filter(|(_, client)| wanted(&client.proxy)) {
        if !rules::only_asks(client, collector.objects()) {
            collector.adopt(client.proxy.clone(), None);
        }
    }
}

/// Whether all that is still to come has failed several times.
fn is_stuck(collector: &Collector) -> bool {
    collector.awaited().is_empty() && matches!(collector.health(), Some(Health::Degraded { attempt, .. }) if *attempt > ATTEMPTS)
}

/// No kind at all could be listed: there is nothing to answer from.
fn nothing(collector: &Collector) -> Error {
    let unread = collector.unread();
    let is_of = |wanted: Kind| unread.iter().find(move |unread| unread.kind == Some(wanted));
    let first = is_of(Kind::Pod).or_else(|| unread.first());
    let (why, fix) = first.map(|unread| (unread.why.clone(), unread.fix.clone())).unwrap_or_default();
    let what = format!("nothing of the mesh could be read: {why}, and so on for every kind");
    SourceError::new(FailureKind::Forbidden, what, format!("{fix} and on the other kinds of the mesh")).into()
}

/// Whether the source has said all that it has to say at first. That every kind was answered for is not enough: a right
/// that is lacking is said before the lists of single namespaces that stand in.
fn is_complete(collector: &Collector) -> bool {
    matches!(collector.health(), Some(Health::Live | Health::Fixed))
}

fn give_up_on(collector: &Collector) -> Result<(), Error> {
    let nothing_yet = collector.awaited().len() == Kind::ALL.len();
    match collector.health() {
        Some(Health::Failed { what, fix }) => Err(SourceError::new(FailureKind::Unreachable, what, fix).into()),
        Some(Health::Degraded { what, attempt, .. }) if nothing_yet && *attempt > ATTEMPTS => {
            Err(SourceError::new(FailureKind::Unreachable, what, "check that the cluster runs and that the context is the right one")
                .into())
        }
        _ => Ok(()),
    }
}

/// The time is up: with nothing read that is an error, else what is missing becomes a warning.
fn late(collector: &mut Collector, source: &SharedSource, patience: Duration) -> Result<(), Error> {
    let awaited = collector.awaited();
    if let (true, Some(Health::Degraded { what, .. } | Health::Silent { what, .. })) = (awaited.is_empty(), collector.health()) {
        let unread = Unread {
            kind: None,
            namespace: None,
            what: "parts of the mesh".to_owned(),
            why: what.clone(),
            fix: String::new(),
            listed: false,
        };
        collector.apply(Update::Unread(unread));
    }
    let names: Vec<String> = awaited.iter().map(|kind| kind.resource()).collect();
    if awaited.len() == Kind::ALL.len() {
        let what = match collector.health() {
            Some(Health::Degraded { what, .. } | Health::Silent { what, .. } | Health::Connecting(what)) => what.clone(),
            _ => format!("no answer from {}", source.info().name),
        };
        let what = format!("{what}: gave up after {} s", patience.as_secs_f64());
        return Err(SourceError::new(FailureKind::TimedOut, what, "check the connection, or allow more with --timeout").into());
    }
    for kind in awaited {
        collector.apply(Update::Unread(Unread {
            kind: Some(kind),
            namespace: None,
            what: kind.resource(),
            why: format!("were not listed within {} s", patience.as_secs_f64()),
            fix: format!("allow more time with --timeout; not answered: {}", names.join(", ")),
            listed: false,
        }));
    }
    Ok(())
}

/// The proxies that run Envoy: those of the objects, those that the files hold, those that an istiod knows.
pub fn proxies(source: &SharedSource, collector: &Collector) -> Vec<ProxyId> {
    let objects = collector.objects();
    let without_object =
        source.proxies().into_iter().chain(objects.unseen.iter().cloned()).filter(|proxy| !objects.pods.contains_key(proxy));
    let mut found: BTreeSet<ProxyId> = without_object.collect();
    found.extend(objects.pods.values().filter(|pod| pod.runs_envoy()).map(|pod| pod.id.clone()));
    found.into_iter().collect()
}

/// Fetches the dumps of `wanted`, and where `vital` says so what else the proxies say of themselves, and takes the snapshot with
/// them. A dump that could not be read is a warning.
pub async fn snapshot(source: &SharedSource, collector: &Collector, wanted: &[ProxyId], deadline: Duration, vital: bool) -> Snapshot {
    let objects = Arc::new(collector.objects().clone());
    let asked = wanted.iter().map(|proxy| {
        let request = fetch::request(collector.objects(), proxy, ProxyQuestion::Chains, deadline);
        let unreachable = fetch::unreachable(collector.objects(), proxy, source.info().kind);
        let (source, objects) = (source.clone(), objects.clone());
        async move {
            let outside = unreachable.as_ref().is_some_and(|unreachable| unreachable.outside);
            let dump = match unreachable {
                Some(unreachable) => Dump::Failed(unreachable.why),
                None => fetch::dump(source, request, 1, objects, vital).await,
            };
            (proxy.clone(), dump, outside)
        }
    });
    let mut dumps = BTreeMap::new();
    let mut failed = Vec::new();
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some((proxy, dump, outside)) = answers.next().await {
        let dump = lookup::explained(collector.objects(), &proxy, dump);
        match &dump {
            // Answers say so where it matters: it is no failure.
            Dump::Failed(_) if outside => {}
            Dump::Failed(why) => failed.push(Warning::new(proxy.to_string(), why.clone(), "")),
            Dump::Loaded(_) | Dump::Loading => {}
        }
        dumps.insert(fetch::own_name(&proxy, &dump), dump);
    }
    let mut snapshot = collector.snapshot(dumps);
    snapshot.warnings.extend(failed);
    snapshot
}
