//! Whose logs a question is about: every istiod, and the proxies that were chosen.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::analysis::answers::concerned;
use crate::analysis::lookup;
use crate::ingest::workloads::owner_of;
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::logs::{DISCOVERY, LogOrigin, LogSource};
use crate::model::snapshot::Snapshot;
use crate::model::workload::Pod;

/// What was chosen.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Workloads and pods, as they were typed. Where there is none, the proxies of a plugin or a namespace.
    pub names: Vec<String>,
    /// The proxies that this plugin applies to.
    pub plugin: Option<PluginId>,
    /// The proxies of this namespace; None is all.
    pub namespace: Option<String>,
    /// The namespace in which a bare name is looked for.
    pub own_namespace: String,
}

/// What the choice comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// The containers, istiods first.
    pub origins: Vec<Arc<LogOrigin>>,
    /// The workloads that were named, whose records are asked for.
    pub workloads: Vec<WorkloadId>,
    /// The single pods that were named.
    pub pods: Vec<ProxyId>,
    /// Names that stand for nothing, or for something without a log.
    pub unknown: Vec<String>,
}

/// Says whose logs they are, as the objects are now. `held` are those that a source holds, where it is not a live mesh.
pub fn targets(snapshot: &Snapshot, choice: &Choice, held: Option<&[LogOrigin]>) -> Targets {
    if let Some(held) = held.filter(|_| snapshot.objects.pods.is_empty()) {
        return without_objects(choice, held);
    }
    let pods = &snapshot.objects.pods;
    let mut found = Targets::default();
    let mut proxies = BTreeSet::new();
    let mut istiods = BTreeSet::new();
    for name in &choice.names {
        let chosen = match lookup::workload(snapshot, name, &choice.own_namespace) {
            Ok(chosen) => chosen,
            Err(error) => {
                found.unknown.push(error.0);
                continue;
            }
        };
        let (control, data): (Vec<_>, Vec<_>) = chosen.proxies.iter().filter_map(|id| pods.get(id)).partition(|pod| pod.istiod.is_some());
        istiods.extend(control.iter().map(|pod| pod.id.clone()));
        if data.iter().all(|pod| pod.proxy.is_none()) && control.is_empty() {
            found.unknown.push(format!("{name} has no proxy, so no log to show"));
        }
        proxies.extend(data.into_iter().filter(|pod| pod.proxy.is_some()).map(|pod| pod.id.clone()));
        let whole = snapshot.workloads.iter().find(|workload| Some(&workload.id) == chosen.id.as_ref() && workload.pods == chosen.proxies);
        match whole {
            _ if !control.is_empty() => {}
            Some(workload) => found.workloads.push(workload.id.clone()),
            None => found.pods.extend(chosen.proxies),
        }
    }
    if choice.names.is_empty() {
        let here = |pod: &&Arc<Pod>| choice.namespace.as_ref().is_none_or(|namespace| pod.id.namespace == *namespace);
        proxies = match &choice.plugin {
            Some(plugin) => concerned(snapshot, plugin).into_iter().collect(),
            None => pods.values().filter(|pod| pod.runs_envoy()).filter(here).map(|pod| pod.id.clone()).collect(),
        };
    }
    if istiods.is_empty() || !proxies.is_empty() {
        istiods = pods.values().filter(|pod| pod.istiod.is_some()).map(|pod| pod.id.clone()).collect();
    }
    let istiods = istiods.iter().filter_map(|id| pods.get(id)).map(|pod| origin(snapshot, pod, LogSource::Istiod));
    let proxies = proxies.iter().filter_map(|id| pods.get(id)).map(|pod| origin(snapshot, pod, LogSource::Proxy));
    let origins: Vec<LogOrigin> = istiods.chain(proxies).collect();
    match held {
        None => found.origins = origins.into_iter().map(Arc::new).collect(),
        Some(held) => only_held(&mut found, origins, held, choice),
    }
    found
}

fn origin(snapshot: &Snapshot, pod: &Pod, source: LogSource) -> LogOrigin {
    let container = match (source, &pod.proxy) {
        (LogSource::Proxy, Some(proxy)) => proxy.container.clone(),
        _ => DISCOVERY.to_owned(),
    };
    LogOrigin { source, pod: pod.id.clone(), container, workload: Some(owner_of(&snapshot.objects, pod)) }
}

/// Of a recording, the logs that it holds. istiod's can lack a name, and be there where istiod's pod is not.
fn only_held(found: &mut Targets, wanted: Vec<LogOrigin>, held: &[LogOrigin], choice: &Choice) {
    let is = |wanted: &LogOrigin, held: &LogOrigin| {
        let same_pod = held.pod == wanted.pod || held.source == LogSource::Istiod && held.pod.pod == wanted.pod.pod;
        wanted.source == held.source && wanted.container == held.container && same_pod
    };
    let (nameless, named): (Vec<_>, Vec<_>) = held.iter().partition(|log| log.source == LogSource::Istiod && log.pod.pod.is_empty());
    let istiods = wanted.iter().filter(|origin| origin.source == LogSource::Istiod).count();
    for origin in &wanted {
        let is_only_istiod = origin.source == LogSource::Istiod && istiods == 1 && !nameless.is_empty();
        if is_only_istiod || named.iter().any(|log| is(origin, log)) {
            found.origins.push(Arc::new(origin.clone()));
        } else if origin.source == LogSource::Proxy && !choice.names.is_empty() {
            found.unknown.push(format!("the recording holds no log of {}", origin.pod));
        }
    }
    let rest = held.iter().filter(|log| log.source == LogSource::Istiod);
    let rest = rest.filter(|log| if log.pod.pod.is_empty() { istiods != 1 } else { !wanted.iter().any(|origin| is(origin, log)) });
    let rest: Vec<Arc<LogOrigin>> = rest.cloned().map(Arc::new).collect();
    found.origins.splice(0..0, rest);
}

/// Where nothing says which pods there are, logs go by the names of their pods.
fn without_objects(choice: &Choice, held: &[LogOrigin]) -> Targets {
    let is = |log: &LogOrigin, name: &str| {
        let bare = name.rsplit('/').next().unwrap_or(name);
        log.source == LogSource::Proxy && (log.pod.to_string() == bare || log.pod.pod == bare)
    };
    let chosen =
        |log: &&LogOrigin| log.source == LogSource::Istiod || choice.names.is_empty() || choice.names.iter().any(|name| is(log, name));
    let origins: Vec<Arc<LogOrigin>> = held.iter().filter(chosen).cloned().map(Arc::new).collect();
    let names: Vec<String> = held.iter().filter(|log| log.source == LogSource::Proxy).map(|log| log.pod.to_string()).collect();
    let missing = choice.names.iter().filter(|name| !held.iter().any(|log| is(log, name)));
    let unknown = missing.map(|name| format!("there is no log of {name}; there is {}", names.join(", "))).collect();
    let pods = origins.iter().filter(|log| !choice.names.is_empty() && log.source == LogSource::Proxy).map(|log| log.pod.clone()).collect();
    Targets { origins, workloads: Vec::new(), pods, unknown }
}
