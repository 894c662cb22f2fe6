//! The clients of a mesh that have a proxy, as far as they can differ in what they send: by namespace, and within one only
//! where a Sidecar or a DestinationRule selects some of its workloads, or pods redirect other traffic to their proxies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hidden::Outbound;
use super::rules::Rules;
use crate::analysis::chains::Facts;
use crate::ingest::workloads;
use crate::model::capture::OutboundCapture;
use crate::model::ids::{ObjectName, WorkloadId};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::labels::Selector;
use crate::model::sidecar::Egress;
use crate::model::workload::{Pod, ProxyKind};

/// Clients that send alike.
#[derive(Clone, Debug)]
pub struct Clients<'o> {
    /// What istiod knows of one of them.
    pub facts: Facts<'o>,
    /// `spec.egress` of the Sidecar that applies to them; empty is all services.
    pub egress: &'o [Egress],
    /// That Sidecar.
    pub sidecar: Option<&'o ObjectName>,
    /// What their proxies do with what they do not know.
    pub outbound: Outbound,
    /// Their workloads, by name.
    pub members: Arc<[WorkloadId]>,
    /// The workloads, where others of their namespace may differ; empty is all of the namespace.
    pub workloads: Vec<WorkloadId>,
}

impl Clients<'_> {
    /// `namespace default`, or `deploy/a, deploy/b in default`.
    pub fn name(&self) -> String {
        let namespace = &self.facts.pod.id.namespace;
        if self.workloads.is_empty() {
            return format!("namespace {namespace}");
        }
        let names: Vec<String> = self.workloads.iter().map(WorkloadId::short).collect();
        format!("{} in {namespace}", names.join(", "))
    }
}

/// All of them, by namespace.
pub fn clients<'o>(objects: &'o Inventory, rules: &Rules<'o>) -> Vec<Clients<'o>> {
    let mut by_namespace: BTreeMap<&str, Vec<&'o Pod>> = BTreeMap::new();
    for pod in objects.pods.values().filter(|pod| is_client(pod)) {
        by_namespace.entry(&pod.id.namespace).or_default().push(pod);
    }
    let of_namespace = |(namespace, pods): (&str, Vec<&'o Pod>)| {
        let selectors = selectors(objects, rules, namespace);
        let mut alike: BTreeMap<Likeness<'_>, Vec<&'o Pod>> = BTreeMap::new();
        for pod in pods {
            alike.entry(Likeness::of(pod, &selectors)).or_default().push(pod);
        }
        let several = alike.len() > 1;
        let group = |pods: Vec<&'o Pod>| {
            let members: BTreeSet<WorkloadId> = pods.iter().map(|pod| workloads::owner_of(objects, pod)).collect();
            let members: Arc<[WorkloadId]> = members.into_iter().collect();
            let facts = Facts::of(objects, pods.first()?, None, None)?;
            let sidecar = facts.sidecar().filter(|_| facts.kind == ProxyKind::Sidecar);
            Some(Clients {
                egress: sidecar.map(|(_, sidecar)| sidecar.egress.as_slice()).unwrap_or_default(),
                sidecar: sidecar.map(|(policy, _)| &policy.name),
                outbound: Outbound::of(&facts, sidecar.map(|(_, sidecar)| sidecar)),
                workloads: if several { members.to_vec() } else { Vec::new() },
                members,
                facts,
            })
        };
        alike.into_values().filter_map(group).collect::<Vec<_>>()
    };
    by_namespace.into_iter().flat_map(of_namespace).collect()
}

/// By what the pods of a namespace send alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Likeness<'o> {
    gateway: bool,
    /// What is redirected to the sidecar; None where nothing is.
    capture: Option<&'o OutboundCapture>,
    /// Which of the selectors match the pod.
    selected: Vec<bool>,
}

impl<'o> Likeness<'o> {
    fn of(pod: &'o Pod, selectors: &[&Selector]) -> Self {
        let proxy = pod.proxy.as_ref();
        Self {
            gateway: proxy.is_some_and(|proxy| proxy.kind != ProxyKind::Sidecar),
            capture: proxy.filter(|proxy| proxy.interception_mode != "NONE").map(|proxy| &proxy.capture.outbound),
            selected: selectors.iter().map(|selector| selector.matches(&pod.labels)).collect(),
        }
    }
}

/// Waypoints are none: what they send is told by what is sent to them.
fn is_client(pod: &Pod) -> bool {
    let has_proxy = pod.proxy.as_ref().is_some_and(|proxy| !matches!(proxy.kind, ProxyKind::Waypoint | ProxyKind::Ztunnel));
    has_proxy && !matches!(pod.phase.as_str(), "Succeeded" | "Failed")
}

fn selectors<'o>(objects: &'o Inventory, rules: &Rules<'o>, namespace: &str) -> Vec<&'o Selector> {
    let sidecars = objects.policies_in(Kind::Sidecar, namespace);
    let of_sidecars = sidecars.filter_map(|policy| policy.selector.as_ref());
    of_sidecars.chain(rules.selectors_of(namespace)).collect()
}
