//! What became of each PeerAuthentication that was meant for a workload, or looks as if it were: which one decides, and why
//! the others do not (`pilot/pkg/security/authn/policy_applier.go: ComposePeerAuthentication`).

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::{EffectiveMtls, Scopes, is_in_revision};
use crate::analysis::attachment::{self, LabelDifference, Reason};
use crate::analysis::control_plane;
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::labels::Selector;
use crate::model::peer_authentication::PeerAuthentication;
use crate::model::workload::Pod;

/// What a policy is for. The narrower scope goes before the wider one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Scope {
    /// The workloads that its selector matches.
    Workload,
    /// The workloads of its namespace.
    Namespace,
    /// All workloads: it is in the root namespace.
    Mesh,
}

impl Scope {
    /// The word for tables and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Namespace => "namespace",
            Self::Mesh => "mesh",
        }
    }
}

/// A policy and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<'o> {
    /// The policy.
    pub policy: &'o PeerAuthentication,
    /// What it is for.
    pub scope: Scope,
    /// What became of its mode.
    pub fate: Fate,
    /// What became of its `portLevelMtls`.
    pub ports: PortFate,
}

/// What became of a policy's mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is the mode in force.
    Decides,
    /// It is UNSET, so what a wider scope says stands.
    Inherits,
    /// A policy of a narrower scope has a mode too.
    Overridden(ObjectName),
    /// Of one scope the oldest counts, and nothing of the others.
    LosesToOlder {
        /// The one that counts.
        older: ObjectName,
        /// When that one was created.
        older_created: Option<String>,
        /// When this one was. Of one second, the names decide.
        created: Option<String>,
    },
    /// Its selector wants labels that the pod has otherwise, or not at all.
    SelectorDiffers(Selector, Vec<LabelDifference>),
    /// It has a selector and is in the root namespace, where such a policy counts for nobody.
    SelectorInRootNamespace,
    /// Its selector would match, but it is in another namespace.
    OtherNamespace,
    /// It is labelled for this revision, and another one's istiod serves the pod.
    OtherRevision(String),
    /// Not all policies could be read, so which of them decides is not known.
    Unknown,
}

impl Fate {
    /// The answers' word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Decides => "decides",
            Self::Inherits => "inherits",
            Self::Overridden(_) => "overridden",
            Self::LosesToOlder { .. } => "losesToOlder",
            Self::SelectorDiffers(..) => "selectorDiffers",
            Self::SelectorInRootNamespace => "selectorInRootNamespace",
            Self::OtherNamespace => "otherNamespace",
            Self::OtherRevision(_) => "otherRevision",
            Self::Unknown => "unknown",
        }
    }

    /// What is known of it where not all policies could be read.
    pub fn of_some(self) -> Self {
        match self {
            Self::Decides | Self::Inherits | Self::Overridden(_) | Self::LosesToOlder { .. } => Self::Unknown,
            known => known,
        }
    }

    /// The policy that went before it.
    pub fn by(&self) -> Option<&ObjectName> {
        match self {
            Self::Overridden(by) | Self::LosesToOlder { older: by, .. } => Some(by),
            _ => None,
        }
    }
}

/// What became of a policy's `portLevelMtls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PortFate {
    /// It names no port.
    None,
    /// Its ports count.
    Counts,
    /// It has no selector, and without one ports are ignored.
    NoSelector,
    /// The policy does not count for the workload, or not beside an older one.
    Ignored,
}

/// The policies, the narrowest scope first, the oldest of each scope first. Of other namespaces only those that a selector makes
/// look as if they were meant for the pod.
pub fn policies<'o>(objects: &'o Inventory, pod: &Pod, effective: &EffectiveMtls) -> Vec<Judged<'o>> {
    let scopes = Scopes::of_pod(objects, pod);
    let (root, revision) = (objects.root_namespace(), control_plane::revision(pod, objects));
    let judge = |policy: &'o PeerAuthentication| {
        let scope = match policy.of_workload() {
            Some(_) => Scope::Workload,
            None if policy.name.namespace == root => Scope::Mesh,
            None => Scope::Namespace,
        };
        let fate = unmeant(policy, scope, pod, root).unwrap_or_else(|| match &policy.revision {
            Some(wants) if !is_in_revision(policy, revision) => Some(Fate::OtherRevision(wants.clone())),
            _ => fate(policy, scope, &scopes, effective),
        })?;
        let ports = match scopes.workload {
            _ if policy.ports.is_empty() => PortFate::None,
            Some(counts) if counts.name == policy.name => PortFate::Counts,
            _ if policy.of_workload().is_none() => PortFate::NoSelector,
            _ => PortFate::Ignored,
        };
        Some(Judged { policy, scope, fate, ports })
    };
    let mut found: Vec<Judged<'_>> = objects.peer_authentications.values().map(Arc::as_ref).filter_map(judge).collect();
    found.sort_by_cached_key(|judged| (judged.scope, judged.policy.created.clone(), judged.policy.name.clone()));
    found
}

/// The fate of a policy that is not meant for the pod, None within where nothing looks as if it were; None where it is meant.
fn unmeant(policy: &PeerAuthentication, scope: Scope, pod: &Pod, root: &str) -> Option<Option<Fate>> {
    let own = policy.name.namespace == pod.id.namespace;
    let differing = policy.of_workload().filter(|selector| !selector.matches(&pod.labels));
    let matches = differing.is_none();
    let is_unread = policy.selector.as_ref().is_some_and(|selector| selector.unread);
    match scope {
        Scope::Workload if policy.name.namespace == root => {
            Some(matches.then_some(if is_unread { Fate::Unknown } else { Fate::SelectorInRootNamespace }))
        }
        Scope::Workload if !own => Some((matches && !is_unread).then_some(Fate::OtherNamespace)),
        Scope::Namespace if !own => Some(None),
        Scope::Workload => differing.map(|selector| {
            let differences = attachment::differences(selector, &pod.labels);
            Some(Fate::SelectorDiffers(selector.clone(), differences))
        }),
        Scope::Namespace | Scope::Mesh => None,
    }
}

/// The fate among the policies that are meant for the pod.
fn fate(policy: &PeerAuthentication, scope: Scope, scopes: &Scopes<'_>, effective: &EffectiveMtls) -> Option<Fate> {
    let stands = match scope {
        Scope::Workload => scopes.workload,
        Scope::Namespace => scopes.namespace,
        Scope::Mesh => scopes.mesh,
    }?;
    if stands.name != policy.name {
        return Some(Fate::LosesToOlder {
            older: stands.name.clone(),
            older_created: stands.created.clone(),
            created: policy.created.clone(),
        });
    }
    Some(match &effective.winner {
        _ if policy.mode.is_none() => Fate::Inherits,
        Some(winner) if *winner != policy.name => Fate::Overridden(winner.clone()),
        _ => Fate::Decides,
    })
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decides => f.write_str("decides"),
            Self::Inherits => f.write_str("its mode is UNSET, so what a wider scope says stands"),
            Self::Overridden(by) => write!(f, "overridden by {by}, whose scope is narrower"),
            Self::LosesToOlder { older, older_created, created } if older_created == created => {
                write!(f, "ignored: {older} was created in the same second, and its name comes first")
            }
            Self::LosesToOlder { older, older_created, .. } => {
                let when = older_created.as_deref().unwrap_or("an unknown time");
                write!(f, "ignored: {older} of the same scope is older, of {when}")
            }
            Self::SelectorDiffers(selector, differences) => {
                write!(f, "its {}", Reason::LabelsDiffer(selector.clone(), differences.clone()))
            }
            Self::SelectorInRootNamespace => f.write_str("ignored: in the root namespace a policy with a selector counts for nobody"),
            Self::OtherRevision(revision) => {
                write!(f, "ignored: its label istio.io/rev={revision} is not the revision that serves the pod")
            }
            Self::Unknown => f.write_str("unknown, since not all PeerAuthentications could be read"),
            Self::OtherNamespace => f.write_str("its selector would match, but it reaches only workloads of its own namespace"),
        }
    }
}
