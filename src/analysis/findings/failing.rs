//! What the access logs of the namespace's own proxies say of requests that fail, for the rules that have something to say of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::broken::{Broken, broken};
use crate::analysis::health::{Answering, Health, PluginState};
use crate::analysis::lookup;
use crate::analysis::mtls::verdict::Reason;
use crate::analysis::naming;
use crate::analysis::requests::{Blame, blame};
use crate::model::ids::{ObjectName, ProxyId, WorkloadId};
use crate::model::kind::Kind;
use crate::model::logs::{LogTime, hour};
use crate::model::requests::{Cause, Failed, Requests};
use crate::model::workload::Pod;

/// After how long what may pass by itself is not known to fail still, where nothing was sent since, in nanoseconds.
const LONG_AGO: LogTime = 120_000_000_000;

/// What may pass by itself counts where at least one of so many requests fails by it.
const RARE: u64 = 20;

/// Requests of one proxy that fail for one reason.
#[derive(Clone, Copy)]
pub(super) struct Failing<'s> {
    pub pod: &'s Pod,
    pub requests: &'s Requests,
    pub group: &'s Failed,
}

impl<'s> Failing<'s> {
    pub fn cause(&self) -> Cause {
        self.group.cause
    }

    /// Whether it is a connection to the workload that its proxy refuses.
    pub fn is_refused(&self) -> bool {
        self.cause() == Cause::NoChain && self.group.reason.to.inbound
    }

    /// The workload whose proxy's log it is.
    pub fn workload(&self, facts: &Facts<'_>) -> Option<WorkloadId> {
        lookup::owner(facts.snapshot, &self.pod.id)
    }

    /// How many requests to the destination there were.
    pub fn all(&self) -> u64 {
        self.requests.to.get(&self.group.reason.to).copied().unwrap_or_default().max(self.group.count)
    }

    /// Whether so few fail by what may pass by itself that it is no more than that.
    fn is_rare(&self) -> bool {
        self.cause().is_passing() && self.group.count * RARE < self.all()
    }

    /// Whether it may have passed since: it failed long ago, by what may pass by itself, or its client is gone.
    pub fn is_long_ago(&self, facts: &Facts<'_>) -> bool {
        let read = facts.snapshot.dump(&self.pod.id).and_then(|loaded| loaded.read_at).or(self.requests.until);
        let may_pass = self.cause().is_passing() || self.cause() == Cause::NoChain && self.client(facts).is_none();
        may_pass && read.zip(self.group.last).is_some_and(|(read, last)| read.saturating_sub(last) > LONG_AGO)
    }

    /// The workload at the other end of a connection that came in, where a pod has its address.
    pub fn client<'f>(&self, facts: &Facts<'f>) -> Option<&'f Pod> {
        naming::by_address(facts.objects(), &self.group.reason.client)
    }
}

impl<'s> Facts<'s> {
    /// All that fails now.
    pub(super) fn failing(&self) -> &[Failing<'s>] {
        self.failing.get_or_init(|| failing(self))
    }

    /// Those of which no finding about mutual TLS says why already.
    pub(super) fn unexplained(&self) -> &[Failing<'s>] {
        self.unexplained.get_or_init(|| unexplained(self))
    }
}

/// Reads what fails now. What a stub denies in the place of a plugin is a finding about the plugin.
fn failing<'s>(facts: &Facts<'s>) -> Vec<Failing<'s>> {
    let is_denying = |health: &Health| health.state == PluginState::StubDeny || health.answering == Some(Answering::Stub(false));
    let denies: BTreeSet<&ProxyId> = facts.states().filter(|(.., health)| is_denying(health)).map(|(proxy, ..)| &proxy.id).collect();
    let mut found = Vec::new();
    for proxy in facts.proxies.iter().filter(|proxy| facts.is_own(&proxy.id.namespace)) {
        let (Some(requests), Some(pod)) = (requests(facts, &proxy.id), proxy.pod) else { continue };
        let is_stub = |group: &Failed| group.reason.details.ends_with("[none]") && denies.contains(&proxy.id);
        let groups = requests.failed.iter().filter(|group| !is_stub(group)).map(|group| Failing { pod, requests, group });
        found.extend(groups.filter(|failing| !failing.group.is_over() && !failing.is_rare()));
    }
    found
}

/// What was read of a proxy's requests.
pub(super) fn requests<'s>(facts: &Facts<'s>, proxy: &ProxyId) -> Option<&'s Requests> {
    facts.snapshot.dump(proxy)?.vitals.as_ref()?.requests.as_ref()
}

/// In which way what `mtls` calls broken fails.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// The client drops it.
    Dropped,
    /// The client does not accept the certificate.
    Certificate,
    /// The server does not take what is sent.
    NotTaken,
}

impl Way {
    fn of(cause: Cause) -> Option<Self> {
        match cause {
            Cause::BlackHole => Some(Self::Dropped),
            Cause::OtherSan => Some(Self::Certificate),
            Cause::Tls | Cause::NoConnection | Cause::Closed | Cause::NoChain => Some(Self::NotTaken),
            _ => None,
        }
    }

    fn of_broken(broken: &Broken<'_>) -> Self {
        match broken.client.outcome {
            Reason::Blackholed => Self::Dropped,
            Reason::OtherSan => Self::Certificate,
            _ => Self::NotTaken,
        }
    }
}

/// The connections that `mtls` calls broken, by the workloads of which something fails.
struct Known<'f> {
    /// Clients, and the service, `namespace/name`.
    to: BTreeSet<(&'f WorkloadId, Way, &'f str)>,
    /// Servers that do not take what is sent, and their clients.
    from: BTreeSet<(&'f WorkloadId, &'f WorkloadId)>,
}

impl<'f> Known<'f> {
    fn of(facts: &Facts<'_>, failing: &[Failing<'_>], broken: impl Iterator<Item = Broken<'f>>) -> Self {
        let own = failing.iter().filter_map(|failing| failing.workload(facts));
        let clients = failing.iter().filter_map(|failing| lookup::owner(facts.snapshot, &failing.client(facts)?.id));
        let wanted: BTreeSet<WorkloadId> = own.chain(clients).collect();
        let mut known = Self { to: BTreeSet::new(), from: BTreeSet::new() };
        for broken in broken {
            let way = Way::of_broken(&broken);
            for client in broken.clients().filter(|client| wanted.contains(client)) {
                known.to.insert((client, way, &broken.service.service));
                known.from.extend((way == Way::NotTaken).then_some((&broken.entry.id, client)));
            }
        }
        known
    }

    /// Whether what mutual TLS makes fail is what makes these fail, in the client's own log or in the server's.
    fn explains(&self, failing: &Failing<'_>, facts: &Facts<'_>) -> bool {
        let reason = &failing.group.reason;
        let (Some(own), Some(way)) = (failing.workload(facts), Way::of(failing.cause())) else { return false };
        if reason.to.inbound {
            let client = failing.client(facts).and_then(|pod| lookup::owner(facts.snapshot, &pod.id));
            return failing.is_refused() && client.is_some_and(|client| self.from.contains(&(&own, &client)));
        }
        if !self.to.iter().any(|(client, known, _)| **client == own && *known == way) {
            return false;
        }
        let service = facts.mesh().service(reason, &failing.pod.id.namespace).map(|service| service.name.to_string());
        service.is_some_and(|service| self.to.contains(&(&own, way, service.as_str())))
    }
}

fn unexplained<'s>(facts: &Facts<'s>) -> Vec<Failing<'s>> {
    let all = facts.failing();
    if all.is_empty() {
        return Vec::new();
    }
    let known = Known::of(facts, all, broken(facts));
    all.iter().filter(|failing| !known.explains(failing, facts)).copied().collect()
}

/// Requests that filters of EnvoyFilters answer, with the EnvoyFilter: by the objects, they do so now.
pub(super) fn answered_by_filters<'s>(facts: &Facts<'s>) -> Vec<(Failing<'s>, ObjectName)> {
    let by_filter = |failing: &Failing<'s>| match blame(facts.mesh(), failing.pod, failing.group) {
        Blame { object: Some((Kind::EnvoyFilter, name)), past: false, .. } => Some((*failing, name)),
        _ => None,
    };
    facts.failing().iter().filter(|failing| failing.cause().is_of_filter()).filter_map(by_filter).collect()
}

/// What the logs show of a connection that `mtls` calls broken: `access log of deploy/sleep: 3 of 3 requests to httpbin:8000 failed, …`.
pub(super) fn shown(facts: &Facts<'_>, broken: &[Broken<'_>]) -> Vec<String> {
    let all = facts.failing();
    if all.is_empty() || broken.is_empty() {
        return Vec::new();
    }
    let known = Known::of(facts, all, broken.iter().copied());
    let mut found: BTreeMap<String, (u64, u64, Option<LogTime>, String)> = BTreeMap::new();
    for failing in all.iter().filter(|failing| known.explains(failing, facts)) {
        let group = failing.group;
        let whose = failing.workload(facts).map_or_else(|| failing.pod.id.to_string(), |id| id.short());
        let to = if group.reason.to.inbound {
            format!("connections to port {}", group.reason.to.name)
        } else {
            format!("requests to {}", group.reason.to.name)
        };
        let (count, of, last, _) = found.entry(format!("access log of {whose}: {to}")).or_insert_with(|| (0, 0, None, shown_as(group)));
        (*count, *of, *last) = (*count + group.count, (*of).max(failing.all()), (*last).max(group.last));
    }
    let line = |(what, (count, of, last, by)): (String, (u64, u64, Option<LogTime>, String))| {
        let until = last.map(|last| format!(", the last at {}", hour(last))).unwrap_or_default();
        format!("{what}: {count} of {} failed{until} ({by})", of.max(count))
    };
    found.into_iter().map(line).collect()
}

/// `503 URX,UF CERTIFICATE_VERIFY_FAILED`.
pub(super) fn shown_as(group: &Failed) -> String {
    let reason = &group.reason;
    let code = if reason.code > 0 { reason.code.to_string() } else { String::new() };
    let more = match group.cause {
        Cause::OtherSan => "CERTIFICATE_VERIFY_FAILED",
        Cause::BlackHole => "BlackHoleCluster",
        _ => "",
    };
    let of_end = if reason.details.is_empty() { &reason.termination } else { &reason.details };
    let details = if reason.flags.is_empty() { of_end.as_str() } else { "" };
    [code.as_str(), &reason.flags, more, details].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
