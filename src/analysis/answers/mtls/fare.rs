//! How a client fares, and clients that fare alike as one entry of the answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ClientAnswer;
use super::seen::{self, RefusedClient};
use crate::analysis::chains::HiddenBy;
use crate::analysis::mtls::client::{Because, Wire};
use crate::analysis::mtls::clients::Clients;
use crate::analysis::mtls::cluster_patch::ClusterPatch;
use crate::analysis::mtls::hidden::Outbound;
use crate::analysis::mtls::identity::SanCheck;
use crate::analysis::mtls::verdict::{Reason, Verdict};
use crate::model::ids::{ObjectName, WorkloadId};

/// How a client fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fare {
    pub subset: Option<String>,
    pub routed: Option<bool>,
    pub rules: Vec<String>,
    pub wire: Wire,
    pub because: Because,
    pub reason: Reason,
    pub san: Option<SanCheck>,
    /// What may change what is sent.
    pub patch: Option<ClusterPatch>,
}

/// Clients that fare alike, each with its own Sidecar.
pub(super) struct Group {
    pub fare: Fare,
    pub from: Vec<String>,
    sidecars: BTreeSet<ObjectName>,
    members: Vec<Arc<[WorkloadId]>>,
}

impl Group {
    /// The first of them.
    pub fn of(fare: Fare, clients: &Clients<'_>) -> Self {
        let mut group = Self { fare, from: Vec::new(), sidecars: BTreeSet::new(), members: Vec::new() };
        group.add(clients);
        group
    }

    /// One more.
    pub fn add(&mut self, clients: &Clients<'_>) {
        self.from.push(clients.name());
        self.members.push(clients.members.clone());
        if matches!(&self.fare.because, Because::Hidden(hidden) if hidden.by == HiddenBy::Sidecar) {
            self.sidecars.extend(clients.sidecar.cloned());
        }
    }

    /// The entry, where there are so many groups of clients in all.
    pub fn answer(self, all: usize) -> ClientAnswer {
        let from = if self.from.len() == all { Vec::new() } else { self.from };
        answer(true, from, self.fare, self.sidecars.into_iter().collect(), self.members)
    }

    /// The entry of clients without a proxy.
    pub fn without_proxy(fare: Fare, refused: Option<Vec<RefusedClient>>) -> ClientAnswer {
        let refused_note = refused.is_none().then_some(seen::LOGS_UNREAD);
        ClientAnswer { refused, refused_note, ..answer(false, Vec::new(), fare, Vec::new(), Vec::new()) }
    }
}

fn answer(proxy: bool, from: Vec<String>, fare: Fare, sidecars: Vec<ObjectName>, members: Vec<Arc<[WorkloadId]>>) -> ClientAnswer {
    let verdict = match (fare.reason.verdict(), &fare.subset, fare.routed) {
        (Verdict::Works, ..) => Verdict::Works,
        (_, Some(_), Some(false)) => Verdict::Unused,
        (_, Some(_), None) => Verdict::Depends,
        (verdict, ..) => verdict,
    };
    let because = because(&fare, &sidecars);
    ClientAnswer {
        proxy,
        from,
        reason: reason(&fare, &because),
        routed: fare.routed,
        rules: fare.rules,
        decided_by: fare.because.decider().map(|decider| decider.rule.to_string()),
        sends: fare.wire,
        because,
        verdict,
        subset: fare.subset,
        refused: None,
        refused_note: None,
        sidecars,
        members,
        san: fare.san,
        cause: fare.because,
        outcome: fare.reason,
    }
}

fn because(fare: &Fare, sidecars: &[ObjectName]) -> String {
    match &fare.because {
        Because::Hidden(hidden) if hidden.outbound == Outbound::Passes => {
            format!("{}, and ALLOW_ANY passes on what is unknown as it comes", hidden.sentence(sidecars))
        }
        Because::Hidden(hidden) => hidden.sentence(sidecars),
        because => because.to_string(),
    }
}

/// Why it comes through or not, with what is known of the way to a subset.
fn reason(fare: &Fare, because: &str) -> String {
    let reason = match (&fare.san, fare.reason) {
        (Some(san), _) => san.to_string(),
        (None, Reason::Blackholed) => format!("{because}, and {}", fare.reason),
        (None, Reason::ClusterPatched) => format!("{}; {}", fare.patch.as_ref().map(ToString::to_string).unwrap_or_default(), fare.reason),
        (None, _) => fare.reason.to_string(),
    };
    match (&fare.subset, fare.routed) {
        (None, _) | (Some(_), Some(true)) => reason,
        (Some(_), Some(false)) => format!("{reason}; no route names the subset"),
        (Some(_), None) => format!("{reason}; VirtualServices could not be read, so it is not known whether a route names the subset"),
    }
}
