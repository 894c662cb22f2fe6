//! The istiods: their debug interface on port 15014, which a port-forward reaches as loopback and so without a token; where it is closed,
//! xDS.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use tokio::sync::Notify;

use super::Shared;
use super::away;
use super::discovery;
use super::dump::said;
use super::forward::{Answer, Forward, Limits};
use super::object::AnyObject;
use super::trouble::{Cause, Trouble, bounded};
use super::xds;
use crate::clock;
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::mesh::Istiod;
use crate::model::update::{Unread, Update};
use crate::source::{IstiodReplies, Reply, SourceError, Updates};

/// istiod's debug interface.
pub(super) const PORT: u16 = 15014;
/// Pods change in bursts while istiod rolls.
const SETTLE: Duration = Duration::from_secs(1);

/// Asks every running istiod the same thing.
pub(super) async fn ask_all(shared: &Shared, path: &str) -> Result<IstiodReplies, SourceError> {
    let pods = pods(shared).await.map_err(|trouble| failed(shared, path, &trouble))?;
    let limit = clock::now() + shared.timeout;
    let limits = Limits { first: limit, end: limit };
    let answers = join_all(pods.iter().map(|pod| async move {
        let began = clock::now();
        let answer = ask_any_way(shared, pod, path, limits).await;
        (pod, answer.map(|reply| Reply { took: began.elapsed(), ..reply }))
    }))
    .await;
    let (mut found, mut first) = (IstiodReplies::default(), None);
    for (pod, answer) in answers {
        match answer {
            Ok(reply) => found.replies.push((pod.clone(), reply)),
            Err(trouble) => {
                found.silent.push(format!("{pod}: {}", trouble.text));
                first.get_or_insert(trouble);
            }
        }
    }
    if found.replies.is_empty() { Err(failed(shared, path, &first.unwrap_or_else(|| away::none(shared)))) } else { Ok(found) }
}

/// Asks on port 15014, which takes no token from a port-forward; where that is closed, over xDS.
async fn ask_any_way(shared: &Shared, pod: &str, path: &str, limits: Limits) -> Result<Reply, Trouble> {
    let reply = |bytes, way, tried| Reply { bytes, way, view: DumpView::Istiod, took: Duration::ZERO, tried, asked_as: None };
    let answer = ask(shared, pod, path, limits).await?;
    let closed = match answer.status {
        200 => return Ok(reply(answer.body, "port-forward", Vec::new())),
        _ if path.starts_with("/debug/") && is_closed(&answer) => format!("on port {PORT}: {}", said(&answer)),
        _ => return Err(Trouble::new(Cause::Answered, said(&answer))),
    };
    match xds::ask(shared, pod, path, limits).await {
        Ok(xds::Told { bytes, asked_as, refused }) => {
            let tried = std::iter::once(closed).chain(refused).collect();
            Ok(Reply { asked_as: Some(asked_as), ..reply(bytes, "xDS", tried) })
        }
        Err(trouble) => Err(Trouble { text: format!("{closed}; over xDS: {}", trouble.text), ..trouble }),
    }
}

/// Whether istiod's debug interface is off (`ENABLE_DEBUG_ON_HTTP=false`), or not for us. A proxy that it does not have is another 404.
pub(super) fn is_closed(answer: &Answer) -> bool {
    matches!(answer.status, 401 | 403) || answer.status == 404 && answer.body.starts_with(b"404 page not found")
}

pub(super) fn failed(shared: &Shared, path: &str, trouble: &Trouble) -> SourceError {
    let fix = match trouble.cause {
        Cause::Forbidden if trouble.text.contains("over xDS") => {
            format!("grant get on configmaps and create on serviceaccounts/token in namespace {}", shared.istio_namespace)
        }
        Cause::Forbidden => {
            format!("grant list on pods, and get and create on pods/portforward, in namespace {}", shared.istio_namespace)
        }
        Cause::NotFound => "name istiod's namespace with --istio-namespace".to_owned(),
        Cause::NotRunning => {
            format!("scale it up, or see why it does not run: kubectl -n {} get deployments,pods -l app=istiod", shared.istio_namespace)
        }
        // It runs, and has said why not.
        Cause::Answered => String::new(),
        _ => format!("see whether istiod runs: kubectl -n {} get pods -l app=istiod", shared.istio_namespace),
    };
    trouble.failed(format_args!("istiod cannot be asked for {path}"), fix)
}

/// The names of the running istiods.
pub(super) async fn pods(shared: &Shared) -> Result<Vec<String>, Trouble> {
    let api: Api<AnyObject<false>> = Api::namespaced_with(shared.client.clone(), &shared.istio_namespace, &discovery::at(Kind::Pod, "v1"));
    let list = bounded(shared.timeout, api.list(&ListParams::default().labels("app=istiod"))).await?;
    let running =
        list.items.iter().filter(|pod| pod.value["status"]["phase"] == "Running" && pod.value["metadata"]["deletionTimestamp"].is_null());
    let mut names: Vec<_> = running.map(|pod| pod.name().1).collect();
    names.sort();
    if names.is_empty() { Err(away::why(shared, &list.items).await) } else { Ok(names) }
}

pub(super) async fn ask(shared: &Shared, pod: &str, path: &str, limits: Limits) -> Result<Answer, Trouble> {
    let _turn = shared.gates.istiod(&ProxyId::new(pod, shared.istio_namespace.clone())).await;
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &shared.istio_namespace);
    Forward::open(&pods, pod, PORT, limits).await?.ask(Method::GET, path, limits).await
}

/// Says which versions run, at the start and whenever istiod's pods have changed. `asked` is called after each time.
pub(super) async fn follow_versions<F: Future<Output = ()>>(
    shared: Arc<Shared>,
    updates: Updates,
    changed: Arc<Notify>,
    asked: impl Fn() -> F,
) {
    let mut known: Result<Vec<Istiod>, String> = Ok(Vec::new());
    loop {
        let found = match ask_all(&shared, "/version").await {
            Ok(found) => {
                Ok(found.replies.into_iter().map(|(pod, reply)| Istiod { pod, version: version(&reply.bytes) }).collect::<Vec<_>>())
            }
            Err(error) => Err(error),
        };
        let update = match &found {
            Ok(istiods) => Update::Istiods(istiods.clone()),
            Err(error) => {
                let (why, fix) = (error.what.clone(), error.fix.clone());
                Update::Unread(Unread { kind: None, namespace: None, what: "istiod's version".to_owned(), why, fix, listed: false })
            }
        };
        let found = found.map_err(|error| error.what);
        if found != known {
            known = found;
            if updates.send(update).await.is_err() {
                return;
            }
        }
        asked().await;
        changed.notified().await;
        tokio::time::sleep(SETTLE).await;
    }
}

/// The version without the build's revision and status: `1.31-alpha.eed52ebb66ad-unknown-Clean` is of `1.31-alpha.eed52ebb66ad`.
fn version(answer: &[u8]) -> String {
    let text = super::trouble::one_line(&String::from_utf8_lossy(answer));
    let Some((rest, status)) = text.rsplit_once('-') else { return text };
    if !matches!(status, "Clean" | "Modified" | "unknown") {
        return text;
    }
    let rest = rest.strip_suffix("-dirty").unwrap_or(rest);
    rest.rsplit_once('-').map_or(rest, |(version, _)| version).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_builds_revision_and_status_are_not_the_version() {
        assert_eq!(version(b"1.31-alpha.eed52ebb66ad-unknown-Clean"), "1.31-alpha.eed52ebb66ad");
        assert_eq!(version(b"1.12.0-af56c02f-Clean\n"), "1.12.0");
        assert_eq!(version(b"1.20.1-af56c02f-dirty-Modified"), "1.20.1");
        assert_eq!(version(b"1.12.0"), "1.12.0");
        assert_eq!(version(b"1.31-alpha.eed52ebb66ad"), "1.31-alpha.eed52ebb66ad");
    }
}
