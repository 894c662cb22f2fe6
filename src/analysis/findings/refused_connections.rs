//! Connections that proxies refuse, each with its reason: what the rules about them share.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use super::Facts;
use super::failing::Failing;
use crate::analysis::answers::ClientAnswer;
use crate::analysis::connection::{self, Asked, Outcome, Tls};
use crate::analysis::lookup;
use crate::analysis::mtls::ports::Mistaken;
use crate::analysis::mtls::{self, verdict::Verdict};
use crate::analysis::naming::{self, first};
use crate::analysis::placement::ListenerDirection;
use crate::analysis::requests::is_gateway;
use crate::ingest::logs::instant;
use crate::model::envoy::DumpView;
use crate::model::ids::{ObjectName, WorkloadId};
use crate::model::kind::Kind;
use crate::model::logs::hour;
use crate::model::peer_authentication::MtlsMode;
use crate::model::workload::Pod;

/// How many clients are named.
const CLIENTS: usize = 3;

/// Why a proxy took no connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reason {
    /// The mode in force of the port, and the policy that sets it; None where that is not known.
    pub mode: Option<(MtlsMode, Option<ObjectName>)>,
    /// Whether the client sent plain text, as far as the log shows it.
    pub plain: bool,
    /// Whether the client has a proxy.
    pub has_proxy: bool,
    /// Whether the client's proxy sends what the server takes, by the objects.
    pub works: bool,
    /// Why the connections fail still though the objects let them pass, as a clause.
    pub held: Option<String>,
}

impl Reason {
    fn of(facts: &Facts<'_>, failing: &Failing<'_>) -> Self {
        let knows = !facts.snapshot.lacks(Kind::PeerAuthentication, &failing.pod.id.namespace) && !is_gateway(failing.pod);
        let effective = mtls::of_pod(facts.objects(), failing.pod);
        let port = port(failing);
        let by = if effective.ports.contains_key(&port) { effective.port_policy.clone() } else { effective.winner.clone() };
        Self {
            mode: knows.then(|| (effective.mode_of_port(port), by)),
            // TLS that it does not know does not fit either; without a server name nothing says that it was TLS.
            plain: failing.group.reason.server_name.is_empty(),
            has_proxy: failing.client(facts).is_some_and(|pod| pod.proxy.is_some()),
            works: works(facts, failing),
            held: held(facts, failing, effective.mode_of_port(port)),
        }
    }

    /// The policy whose STRICT takes no plain text.
    fn strict(&self) -> Option<&ObjectName> {
        match &self.mode {
            Some((MtlsMode::Strict, by)) if self.plain => by.as_ref(),
            _ => None,
        }
    }
}

/// Whether `mtls` says that all services of the server work for the client.
fn works(facts: &Facts<'_>, failing: &Failing<'_>) -> bool {
    let client = failing.client(facts).and_then(|pod| lookup::owner(facts.snapshot, &pod.id));
    let (Some(client), Some(server)) = (client, failing.workload(facts)) else { return false };
    let services = facts.mtls().workloads.iter().filter(|entry| entry.id == server).flat_map(|entry| &entry.services);
    let is_its = |answer: &&ClientAnswer| answer.proxy && answer.members.iter().any(|members| members.contains(&client));
    let mut answers = services.flat_map(|service| service.clients.iter().filter(is_its)).peekable();
    answers.peek().is_some() && answers.all(|answer| answer.verdict == Verdict::Works)
}

/// What shows that a change of the objects has not reached one of the proxies: what istiod reports of them, or that the server's own chains
/// refuse plain text, which the mode takes.
fn held(facts: &Facts<'_>, failing: &Failing<'_>, mode: MtlsMode) -> Option<String> {
    let of = |pod: &Pod, whose: &str| facts.behind(&pod.id).map(|why| format!("{whose} proxy {why}"));
    let client = || of(failing.client(facts).filter(|pod| pod.proxy.is_some())?, "the client's");
    let of_chains = || (mode != MtlsMode::Strict && refuses(facts, failing)).then(|| "the proxy's chains still refuse it".to_owned());
    of(failing.pod, "the").or_else(client).or_else(of_chains)
}

/// Whether no filter chain of the proxy's dump takes plain text from the client.
fn refuses(facts: &Facts<'_>, failing: &Failing<'_>) -> bool {
    let reason = &failing.group.reason;
    let Some(loaded) = facts.snapshot.dump(&failing.pod.id).filter(|loaded| loaded.dump.view == DumpView::Proxy) else { return false };
    let Ok(local) = reason.local.parse::<SocketAddr>() else { return false };
    let asked = Asked {
        port: local.port(),
        address: Some(local.ip()),
        tls: Some(Tls::None),
        http: None,
        alpn: None,
        sni: None,
        source: reason.client.parse().ok(),
        source_port: None,
        direction: Some(ListenerDirection::Inbound),
    };
    let direction = connection::direction(failing.pod.proxy.as_ref().map(|proxy| proxy.kind), asked.direction);
    let assumed = connection::assume(&asked, direction, &[local.ip()]);
    let seen = |listener| Some(connection::take(listener, &connection::see(listener, &assumed).ok()?).outcome);
    connection::choose(&loaded.dump, &assumed).ok().and_then(|chosen| seen(chosen.listener)) == Some(Outcome::Closed)
}

fn port(failing: &Failing<'_>) -> u16 {
    failing.group.reason.to.name.parse().unwrap_or_default()
}

/// The connections that proxies refuse, each with its reason, and with the policy where its STRICT refuses them on a port for which a mode
/// of its own `portLevelMtls` is ignored.
pub(super) fn refused<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = (Reason, Failing<'f>, Option<ObjectName>)> {
    facts.unexplained().iter().filter(|failing| failing.is_refused()).map(|failing| {
        let reason = Reason::of(facts, failing);
        let by_port = |policy: &&ObjectName| is_ignored(facts, policy, failing.workload(facts).as_ref(), port(failing));
        let policy = reason.strict().filter(by_port).cloned();
        (reason, *failing, policy)
    })
}

/// Connections that STRICT of a policy refuses on a port where a mode of `portLevelMtls` of that policy is ignored.
pub(super) fn by_ignored_ports<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = (ObjectName, Failing<'f>)> {
    refused(facts).filter_map(|(_, failing, policy)| Some((policy?, failing)))
}

/// Whether `portLevelMtls` of a policy was to take plain text on a container port of the workload, and is ignored.
fn is_ignored(facts: &Facts<'_>, policy: &ObjectName, workload: Option<&WorkloadId>, port: u16) -> bool {
    let Some(object) = facts.objects().peer_authentications.get(policy) else { return false };
    let takes = |port: u16| object.ports.get(&port).is_some_and(|mode| mode.is_some_and(|mode| mode != MtlsMode::Strict));
    let is_mistaken = |item: &Mistaken| item.policy == *policy && item.container == port && takes(item.port);
    let own = facts.mtls().workloads.iter().filter(|entry| Some(&entry.id) == workload);
    object.of_workload().is_none() && takes(port) || own.flat_map(|entry| &entry.mistaken).any(is_mistaken)
}

/// Whether connections were refused since the policy is as it is; what was refused before was by another.
pub(super) fn is_since(facts: &Facts<'_>, failing: &Failing<'_>, policy: &ObjectName) -> bool {
    let object = facts.objects().peer_authentications.get(policy);
    let changed = object.and_then(|object| object.changed.or_else(|| instant(object.created.as_deref()?)));
    failing.group.last.zip(changed).is_none_or(|(last, changed)| last >= changed)
}

/// `2 from 10.244.0.6 = legacy/cron-5fd98889c5-w4ch6 (no proxy)`, of the first clients.
pub(super) fn clients(facts: &Facts<'_>, failing: &[Failing<'_>]) -> String {
    let mut clients: BTreeMap<&str, u64> = BTreeMap::new();
    for failing in failing {
        *clients.entry(&failing.group.reason.client).or_default() += failing.group.count;
    }
    let names: Vec<String> =
        clients.iter().map(|(address, count)| format!("{count} from {}", naming::client(facts.objects(), address))).collect();
    first(&names, CLIENTS)
}

/// What the access log shows of one group.
pub(super) fn evidence(failing: &Failing<'_>) -> String {
    let group = failing.group;
    let last = group.last.map(|last| format!(", the last at {}", hour(last))).unwrap_or_default();
    format!(
        "access log of {}: {} from {} to {}{last}: NR filter_chain_not_found",
        failing.pod.id, group.count, group.reason.client, group.reason.local
    )
}
