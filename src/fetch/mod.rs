//! Asks a proxy for its config dump and has it understood, away from the task that draws.

mod vitals;

use std::sync::Arc;
use std::time::Duration;

use crate::ingest::config_dump::{self, Parsed};
use crate::model::envoy::Node;
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;
use crate::model::snapshot::{Dump, LoadedDump};
use crate::model::warning::Warning;
use crate::source::{ProxyQuestion, ProxyRequest, Reply, SharedSource};

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

/// Fetches and parses a dump, and where the objects are given what else the proxy says of the plugins that are among them. `serial`
/// counts the dumps of this proxy. The failure is one line: what, on what, what to do. What of the rest cannot be read is a warning
/// of the dump.
pub async fn dump(source: SharedSource, request: ProxyRequest, serial: u64, objects: Option<Arc<Inventory>>) -> Dump {
    let dump = config_dump(&source, request.clone(), serial).await;
    match (dump, objects) {
        (Dump::Loaded(mut loaded), Some(objects)) => {
            let read = Arc::make_mut(&mut loaded);
            let (vitals, warnings) = vitals::read(&source, &request, &read.dump, objects).await;
            read.vitals = Some(vitals);
            read.warnings.extend(warnings);
            Dump::Loaded(loaded)
        }
        (dump, _) => dump,
    }
}

async fn config_dump(source: &SharedSource, request: ProxyRequest, serial: u64) -> Dump {
    let object = dump_name(source, &request.proxy);
    let reply = match source.proxy(request).await {
        Ok(reply) => reply,
        Err(error) => return Dump::Failed(error.to_string()),
    };
    let parsed = tokio::task::spawn_blocking(move || understand(&reply, serial, &object)).await;
    parsed.unwrap_or_else(|error| Dump::Failed(format!("reading a config dump ended early: {error}; please report this")))
}

/// The proxy that a dump is of: over a lone file, which has no namespace, the one that the dump's own node names.
pub fn own_name(asked: &ProxyId, dump: &Dump) -> ProxyId {
    let node = match dump {
        Dump::Loaded(loaded) if asked.namespace.is_empty() => loaded.dump.node.as_ref(),
        _ => None,
    };
    node.and_then(Node::proxy_id).unwrap_or_else(|| asked.clone())
}

/// How warnings and errors name a proxy's dump: over a lone file by the file, as the person gave it.
fn dump_name(source: &SharedSource, proxy: &ProxyId) -> String {
    if proxy.namespace.is_empty() { source.info().name } else { format!("config dump of {proxy}") }
}

fn understand(reply: &Reply, serial: u64, object: &str) -> Dump {
    match config_dump::parse(&reply.bytes, reply.view, object) {
        Ok(Parsed { dump, mut warnings, cut_short }) => {
            for tried in &reply.tried {
                let what = format!("was read by {}, since {tried}", reply.way);
                warnings.push(Warning::new(object, what, ""));
            }
            let took_ms = u64::try_from(reply.took.as_millis()).unwrap_or(u64::MAX);
            if let Some(what) = &cut_short {
                warnings.push(Warning::new(object, what.clone(), "take the dump again; what came before the cut is shown"));
            }
            Dump::Loaded(Arc::new(LoadedDump { dump, way: reply.way, took_ms, vitals: None, serial, warnings, cut_short }))
        }
        Err(error) => Dump::Failed(format!("{object} {error}")),
    }
}
