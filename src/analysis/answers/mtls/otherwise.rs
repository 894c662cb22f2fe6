//! Why requests fail though mutual TLS fits, as far as objects and dumps show it: nothing of that is in a client's verdict.

use std::collections::BTreeSet;

use super::World;
use crate::analysis::naming::first;
use crate::analysis::placement;
use crate::analysis::requests::DeadRoute;
use crate::analysis::targets::ServiceTarget;
use crate::model::envoy::{Listener, ListenerState};
use crate::model::ids::WorkloadId;
use crate::model::kind::Kind;
use crate::model::warning::Warning;
use crate::model::workload::Pod;

/// How many services are named.
const NAMED: usize = 3;

/// What every such warning ends with.
const TLS_ASIDE: &str = "whatever its mutual TLS is";

/// Routes of clients to the host that lead nowhere.
pub(super) fn of_routes(world: &World<'_>, host: &str, warnings: &mut Vec<Warning>) {
    let dead = world.dead_routes().iter().filter(|dead| dead.hosts.iter().any(|own| own == host));
    warnings.extend(dead.map(|DeadRoute { name, words, .. }| {
        let what = format!("{words}: a request that it sends there fails with 503, {TLS_ASIDE}");
        Warning::new(format!("{} {name}", Kind::VirtualService), what, "define what it routes to, or change the route")
    }));
}

/// Pods that take no requests: none is ready, or a proxy's inbound listener takes no connections yet.
pub(super) fn of_pods(world: &World<'_>, id: &WorkloadId, pods: &[&Pod], targets: &[ServiceTarget<'_>], warnings: &mut Vec<Warning>) {
    let object = format!("{} {id}", id.kind.as_str());
    let alive: Vec<&&Pod> = pods.iter().filter(|pod| !pod.deleting).collect();
    let unready: Vec<&str> = alive.iter().filter_map(|pod| pod.unready.as_deref()).collect();
    if !alive.is_empty() && unready.len() == alive.len() {
        let count = if alive.len() == 1 { "its pod is not ready".to_owned() } else { format!("none of its {} pods is ready", alive.len()) };
        let say = |what: String| Warning::new(object.clone(), format!("{count} ({}), {what}", unready[0]), "see what the pod waits for");
        warnings.extend(unready_behind(targets).into_iter().map(say));
    }
    for pod in alive.iter().filter(|pod| takes_no_connections(world, pod)) {
        let what = format!("the inbound listener of {} takes no connections yet: requests to it fail, {TLS_ASIDE}", pod.id);
        warnings.push(Warning::new(object.clone(), what, "see Health for what the listener waits for"));
    }
}

/// What follows for the services of pods that are not ready. Those that publish such pods have them as endpoints all the same
/// (`serviceregistry/kube/controller/endpointslice.go: endpointHealthStatus`).
fn unready_behind(targets: &[ServiceTarget<'_>]) -> Vec<String> {
    let named = |publishes: bool| {
        let services = targets.iter().map(|target| target.service).filter(|service| service.publishes_not_ready == publishes);
        Vec::from_iter(services.map(|service| format!("{} {}", service.registry, service.name)).collect::<BTreeSet<_>>())
    };
    let (without, publishing) = (named(false), named(true));
    let have = |names: &[String], one: &'static str, several: &'static str| if names.len() == 1 { one } else { several };
    let lacks = |names: String| format!("so {names} {} no endpoint here: requests fail, {TLS_ASIDE}", have(&without, "has", "have"));
    let sends = |names: String| {
        let lead = have(&publishing, "leads", "lead");
        format!("and {names} {lead} there all the same (publishNotReadyAddresses): requests fail where it does not answer yet, {TLS_ASIDE}")
    };
    let some = |names: &[String]| (!names.is_empty()).then(|| first(names, NAMED));
    some(&without).map(lacks).into_iter().chain(some(&publishing).map(sends)).collect()
}

fn takes_no_connections(world: &World<'_>, pod: &Pod) -> bool {
    let Some(loaded) = world.snapshot.dump(&pod.id) else { return false };
    let dump = &loaded.dump;
    let port = Some(world.objects.inbound_port());
    let mut inbound = dump.listeners.iter().filter(|listener| !listener.is_static && listener.port() == port).peekable();
    let is_open = |listener: &Listener| listener.state == ListenerState::Active;
    placement::awaits_listeners(world.snapshot, &pod.id, dump) || inbound.peek().is_some() && !inbound.any(is_open)
}
