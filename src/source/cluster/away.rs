//! Why no istiod can be asked: this namespace has none, or one is installed and does not run.

use kube::Api;
use kube::api::ListParams;

use super::Shared;
use super::discovery;
use super::object::AnyObject;
use super::trouble::{Cause, Trouble, bounded};
use crate::model::kind::Kind;

/// How many pods are listed with their phase.
const MOST: usize = 3;

/// Says why none runs, given the pods of istiod that are there.
pub(super) async fn why(shared: &Shared, pods: &[AnyObject<false>]) -> Trouble {
    let not_running = |what: String| Trouble::new(Cause::NotRunning, format!("no istiod runs: {what}"));
    if let Some(deployment) = deployment(shared).await {
        return not_running(deployment);
    }
    if pods.is_empty() {
        return none(shared);
    }
    let phase =
        |pod: &AnyObject<false>| format!("pod {} is {}", pod.name().1, pod.value["status"]["phase"].as_str().unwrap_or("of unknown phase"));
    let more = if pods.len() > MOST { format!(" and {} more", pods.len() - MOST) } else { String::new() };
    not_running(format!("{}{more}", pods.iter().take(MOST).map(phase).collect::<Vec<_>>().join(", ")))
}

/// No pod of istiod is there: it may well be in another namespace.
pub(super) fn none(shared: &Shared) -> Trouble {
    Trouble::new(Cause::NotFound, format!("no running pod has the label app=istiod in namespace {}", shared.istio_namespace))
}

/// What the Deployment of istiod asks for; None where there is none, or it may not be listed.
async fn deployment(shared: &Shared) -> Option<String> {
    let place = discovery::at(Kind::Deployment, "v1");
    let api: Api<AnyObject<false>> = Api::namespaced_with(shared.client.clone(), &shared.istio_namespace, &place);
    let list = bounded(shared.timeout, api.list(&ListParams::default().labels("app=istiod"))).await.ok()?;
    let deployment = list.items.first()?;
    let number = |pointer: &str, unset: u64| deployment.value.pointer(pointer).map_or(unset, |number| number.as_u64().unwrap_or(unset));
    let (name, wanted) = (deployment.name().1, number("/spec/replicas", 1));
    let of = format!("Deployment {}/{name} has", shared.istio_namespace);
    Some(if wanted == 0 {
        format!("{of} 0 replicas")
    } else {
        format!("{of} {} of {wanted} pods ready", number("/status/readyReplicas", 0))
    })
}
