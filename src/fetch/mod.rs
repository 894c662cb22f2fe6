//! Asks a proxy for its config dump, and the istiods for how their proxies stand, and has it understood, away from the task that draws.

mod log;
mod view;
mod vitals;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::analysis::lookup;
use crate::clock;
use crate::ingest::config_dump::{self, Parsed};
use crate::ingest::istiod::{self, Syncz, Watches};
use crate::model::envoy::Node;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::logs::LogTime;
use crate::model::pull_secret::PullSecret;
use crate::model::snapshot::{Dump, LoadedDump};
use crate::model::sync::{Client, IstiodSync, Sync};
use crate::model::warning::Warning;
use crate::source::{AskedAs, FailureKind, IstiodReplies, ProxyQuestion, ProxyRequest, Reply, SharedSource, SourceError, SourceKind};

pub use view::views_of_istiod;

/// The name of Istio's proxy container.
const CONTAINER: &str = "istio-proxy";

/// A question to a proxy, with the container and admin port that its pod and the mesh say.
pub fn request(objects: &Inventory, proxy: &ProxyId, question: ProxyQuestion, deadline: Duration) -> ProxyRequest {
    let of_pod = objects.pods.get(proxy).and_then(|pod| pod.proxy.as_ref());
    ProxyRequest {
        proxy: proxy.clone(),
        container: of_pod.map_or_else(|| CONTAINER.to_owned(), |proxy| proxy.container.clone()),
        admin_port: of_pod.and_then(|proxy| proxy.admin_port).unwrap_or_else(|| objects.mesh_config().admin_port),
        question,
        deadline,
    }
}

/// A proxy that cannot be asked at all.
pub struct Unreachable {
    /// Why not.
    pub why: String,
    /// Whether it is a machine outside of the cluster, which is no failure.
    pub outside: bool,
}

/// Why a proxy cannot be asked at all: in a live mesh a WorkloadEntry is a machine outside of the cluster and no pod, and nothing answers
/// where no container of the proxy runs.
pub fn unreachable(objects: &Inventory, proxy: &ProxyId, source: SourceKind) -> Option<Unreachable> {
    let pod = objects.pods.get(proxy)?;
    if pod.is_workload_entry && source == SourceKind::Cluster {
        let name = ObjectName::new(&pod.id.namespace, &pod.id.pod);
        let why = format!(
            "WorkloadEntry {name} is no pod, so its proxy cannot be asked through the API server; ask it on its machine (curl localhost:15000/config_dump)"
        );
        return Some(Unreachable { why, outside: true });
    }
    Some(Unreachable { why: lookup::stopped(objects, proxy)?, outside: false })
}

/// Fetches and parses a dump, and where `vital` says so what else the proxy says of the plugins that are among the objects; else, where
/// it holds a module, Envoy's statistics of Wasm and the last lines of the log, since the dump lists a rejected plugin, and one whose VM
/// failed, as if it ran, and the rest only where the statistics leave a doubt. `serial` counts the dumps of this proxy. What of the rest cannot be read is a warning of the dump.
///
/// # Errors
/// What failed, on what, what to do.
pub async fn read(
    source: SharedSource,
    request: ProxyRequest,
    serial: u64,
    objects: Arc<Inventory>,
    vital: bool,
) -> Result<Arc<LoadedDump>, SourceError> {
    let mut loaded = config_dump(&source, request.clone(), serial).await?;
    let (vitals, warnings) = vitals::read(&source, &request, &loaded.dump, objects, vital).await;
    loaded.vitals = vitals;
    loaded.warnings.extend(warnings);
    Ok(Arc::new(loaded))
}

/// The same, with a failure in the dump's place.
pub async fn dump(source: SharedSource, request: ProxyRequest, serial: u64, objects: Arc<Inventory>, vital: bool) -> Dump {
    read(source, request, serial, objects, vital).await.map_or_else(|error| Dump::Failed(error.to_string()), Dump::Loaded)
}

async fn config_dump(source: &SharedSource, request: ProxyRequest, serial: u64) -> Result<LoadedDump, SourceError> {
    let object = dump_name(source, &request.proxy);
    let live = source.info().kind == SourceKind::Cluster;
    let reply = source.proxy(request).await?;
    let read_at = now(live);
    let ended = |error| SourceError::new(FailureKind::Refused, format!("reading a config dump ended early: {error}"), "please report this");
    tokio::task::spawn_blocking(move || understand(&reply, serial, read_at, &object)).await.map_err(ended)?
}

/// What the node of a proxy says of itself; None where its dump cannot be read or has none.
pub async fn node(source: &SharedSource, request: ProxyRequest) -> Option<Node> {
    config_dump(source, request, 0).await.ok()?.dump.node
}

/// The proxy that a dump is of: over a lone file, which has no namespace, the one that the dump's own node names.
pub fn own_name(asked: &ProxyId, dump: &Dump) -> ProxyId {
    let node = match dump {
        Dump::Loaded(loaded) if asked.namespace.is_empty() => loaded.dump.node.as_ref(),
        _ => None,
    };
    node.and_then(Node::proxy_id).unwrap_or_else(|| asked.clone())
}

/// The time of day, where a live mesh is asked; of a recording it says nothing.
fn now(live: bool) -> Option<LogTime> {
    live.then(|| LogTime::try_from(clock::time_of_day().as_nanosecond()).ok()).flatten()
}

/// How warnings and errors name a proxy's dump: over a lone file by the file, as the person gave it.
fn dump_name(source: &SharedSource, proxy: &ProxyId) -> String {
    if proxy.namespace.is_empty() { source.info().name } else { format!("config dump of {proxy}") }
}

fn understand(reply: &Reply, serial: u64, read_at: Option<LogTime>, object: &str) -> Result<LoadedDump, SourceError> {
    let unusable = |error| SourceError::new(FailureKind::BadInput, format!("{object} {error}"), "");
    let Parsed { dump, mut warnings, cut_short } = config_dump::parse(&reply.bytes, reply.view, object).map_err(unusable)?;
    for tried in &reply.tried {
        let what = format!("was read by {}, since {tried}", reply.way);
        warnings.push(Warning::new(object, what, ""));
    }
    let took_ms = u64::try_from(reply.took.as_millis()).unwrap_or(u64::MAX);
    if let Some(what) = &cut_short {
        warnings.push(Warning::new(object, what.clone(), ""));
    }
    Ok(LoadedDump { dump, way: reply.way, took_ms, read_at, vitals: None, serial, warnings, cut_short })
}

/// Asks every istiod how its proxies stand. An istiod that is away or says something else is among the gaps.
///
/// # Errors
/// Where no istiod answered with something that can be used.
pub async fn sync(source: SharedSource) -> Result<Sync, SourceError> {
    let ask = |path: &str| source.istiod(path.to_owned());
    let (synced, watched) = tokio::join!(ask("/debug/syncz"), ask("/debug/adsz"));
    // One istiod alone differs from none.
    let several = synced.as_ref().is_ok_and(|synced| synced.replies.len() > 1);
    let meshes = if several { ask("/debug/mesh").await.unwrap_or_default() } else { IstiodReplies::default() };
    let live = source.info().kind == SourceKind::Cluster;
    let asked = now(live);
    let ended =
        |error| SourceError::new(FailureKind::Refused, format!("reading istiod's answer ended early: {error}"), "please report this");
    let understood = tokio::task::spawn_blocking(move || understand_sync(synced?, watched, meshes)).await.map_err(ended)??;
    Ok(Sync { asked, ..understood })
}

/// Looks for the Secret that a module is pulled with; its content is never asked for.
pub async fn pull_secret(source: &SharedSource, secret: ObjectName) -> PullSecret {
    source.pull_secret(secret).await.unwrap_or_else(|error| PullSecret::Unread(error.to_string()))
}

fn understand_sync(synced: IstiodReplies, watched: Result<IstiodReplies, SourceError>, meshes: IstiodReplies) -> Result<Sync, SourceError> {
    let gaps = synced.silent.iter().map(|why| Warning::new("istiod", why, "")).collect();
    let silent = synced.silent.iter().filter_map(|why| why.split_once(": ")).map(|(pod, why)| (pod.to_owned(), why.to_owned()));
    let mut sync = Sync { partial: !synced.silent.is_empty(), silent: silent.collect(), gaps, ..Sync::default() };
    // Where one does not say it, nothing is concluded of it.
    let settings = meshes.replies.into_iter().filter_map(|(pod, reply)| Some((pod, istiod::settings(&reply.bytes).ok()?)));
    sync.mesh_configs = settings.collect();
    let mut watches = understand_watches(watched, &mut sync.gaps);
    let mut first = None;
    for (pod, reply) in synced.replies {
        let object = if pod.is_empty() { "istiod".to_owned() } else { format!("istiod {pod}") };
        match istiod::syncz(&reply.bytes) {
            Ok(Syncz { mut clients, tells_watched }) => {
                let names = watches.remove(&pod);
                for client in &mut clients {
                    client.extensions = names.as_ref().map(|names| names.get(&client.proxy).cloned().unwrap_or_default());
                }
                let asked_as = reply.asked_as.as_ref();
                let only = asked_as.and_then(|asked_as| told_alone(asked_as, &clients));
                if let (Some(only), Some(asked_as)) = (&only, asked_as) {
                    let what = format!(
                        "it was asked as service account {}, which it tells of the proxies of namespace {only} alone: of others nothing is known",
                        asked_as.account
                    );
                    sync.gaps.push(Warning::new(object, what, "grant create on serviceaccounts/token in istiod's namespace"));
                }
                let account = asked_as.map(|asked_as| asked_as.account.to_string());
                sync.istiods.push(IstiodSync { pod, way: reply.way, tried: reply.tried, account, only, tells_watched, clients });
            }
            Err(what) => {
                sync.partial = true;
                first.get_or_insert(format!("{object}: {what}"));
                sync.gaps.push(Warning::new(object, what, ""));
            }
        }
    }
    match first {
        Some(what) if sync.istiods.is_empty() => Err(SourceError::new(FailureKind::BadInput, what, "")),
        _ => Ok(sync),
    }
}

/// The one namespace of whose proxies an istiod told. An old istiod, and one that is set so, tells of all whoever asks.
fn told_alone(asked_as: &AskedAs, clients: &[Client]) -> Option<String> {
    let namespace = &asked_as.account.namespace;
    let tells_all = asked_as.sees_all || clients.iter().any(|client| client.proxy.namespace != *namespace);
    (!tells_all).then(|| namespace.clone())
}

/// What each istiod says that its proxies watch. A recording that does not hold it leaves nothing to be said.
fn understand_watches(watched: Result<IstiodReplies, SourceError>, gaps: &mut Vec<Warning>) -> BTreeMap<String, Watches> {
    let mut watches = BTreeMap::new();
    let mut gap = |what: String| gaps.push(Warning::new("the plugins that each proxy watches", what, ""));
    match watched {
        Ok(IstiodReplies { replies, .. }) => {
            for (pod, reply) in replies {
                match istiod::watches(&reply.bytes) {
                    Ok(found) => drop(watches.insert(pod, found)),
                    Err(what) => gap(format!("{pod}: {what}")),
                }
            }
        }
        Err(error) if error.kind == FailureKind::Missing => {}
        Err(error) => gap(error.to_string()),
    }
    watches
}
