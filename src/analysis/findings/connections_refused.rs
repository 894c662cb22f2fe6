//! Connections that no filter chain of the workload takes: who sends them, by address, and why.

use std::collections::BTreeMap;

use super::failing::Failing;
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, port_level_mtls};
use crate::analysis::answers::ClientAnswer;
use crate::analysis::mtls::{self, verdict::Verdict};
use crate::analysis::naming::{self, first};
use crate::analysis::requests::{MENDED, is_gateway};
use crate::analysis::{bypass, lookup};
use crate::model::ids::{ObjectName, WorkloadId};
use crate::model::kind::Kind;
use crate::model::logs::hour;
use crate::model::peer_authentication::MtlsMode;

pub(super) const RULE: Rule = Rule {
    code: "connections-refused",
    severity: Severity::Warning,
    title: "Connections of the last minutes fit no filter chain of the workload's proxy.",
    why: "The proxy closes them before any request: the client sees a connection that is reset, the application sees nothing.",
    source: "source/common/listener_manager/active_stream_listener_base.cc: filter_chain_not_found; pilot/pkg/networking/core/filterchain_options.go",
    needs: Needs { dumps: false, sync: false, some: &[Kind::Pod, Kind::PeerAuthentication], all: &[] },
    check,
};

const SEE_RULE: &str = "see what the client's DestinationRule says, and whether its traffic goes through its proxy";
const REMOVE_ANNOTATION: &str = "remove the port from the annotation of the client's pods, so that its proxy sends mutual TLS";
const GIVE_PROXY: &str =
    "give the client a proxy, or let the port take plain text too (PERMISSIVE); where it is to be kept away, nothing is to be done";

/// How many clients are named.
const CLIENTS: usize = 3;

/// Why a proxy took no connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reason {
    /// The mode in force of the port, and the policy that sets it; None where that is not known.
    mode: Option<(MtlsMode, Option<ObjectName>)>,
    /// Whether the client sent plain text, as far as the log shows it.
    plain: bool,
    /// Whether the client has a proxy.
    has_proxy: bool,
    /// Whether the client's proxy sends what the server takes, by the objects.
    works: bool,
    /// What keeps the client's connections from its proxy, as a clause.
    bypasses: Option<String>,
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
            bypasses: bypasses(facts, failing),
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

/// The annotation that keeps the client's connections to a service of the server from the client's proxy.
fn bypasses(facts: &Facts<'_>, failing: &Failing<'_>) -> Option<String> {
    let client = failing.client(facts)?;
    let capture = &client.proxy.as_ref()?.capture;
    let services = facts.objects().services.values().filter(|service| service.selects(failing.pod));
    let mut ports = services.flat_map(|service| &service.ports).filter(|of| of.container_port(failing.pod) == Some(port(failing)));
    ports.find_map(|of| Some(bypass::kept_away(of.port, capture.keeps_outbound(of.port)?)))
}

fn port(failing: &Failing<'_>) -> u16 {
    failing.group.reason.to.name.parse().unwrap_or_default()
}

/// The connections that proxies refuse, each with its reason, and with the policy where its STRICT refuses them on a port for which a mode
/// of its own `portLevelMtls` is ignored.
fn refused<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = (Reason, Failing<'f>, Option<ObjectName>)> {
    facts.unexplained().iter().filter(|failing| failing.is_refused()).map(|failing| {
        let reason = Reason::of(facts, failing);
        let is_ignored = |policy: &&ObjectName| port_level_mtls::is_ignored(facts, policy, failing.workload(facts).as_ref(), port(failing));
        let policy = reason.strict().filter(is_ignored).cloned();
        (reason, *failing, policy)
    })
}

/// Connections that STRICT of a policy refuses on a port where a mode of `portLevelMtls` of that policy is ignored.
pub(super) fn by_ignored_ports<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = (ObjectName, Failing<'f>)> {
    refused(facts).filter_map(|(_, failing, policy)| Some((policy?, failing)))
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<(Option<WorkloadId>, Reason), Vec<Failing<'_>>> = BTreeMap::new();
    // Those by an ignored port the finding `port-level-mtls-ignored` has.
    for (reason, failing, _) in refused(facts).filter(|(.., policy)| policy.is_none()) {
        found.entry((failing.workload(facts), reason)).or_default().push(failing);
    }
    found.into_iter().map(|((workload, reason), failing)| finding(facts, workload, reason, &failing)).collect()
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

fn finding(facts: &Facts<'_>, workload: Option<WorkloadId>, reason: Reason, failing: &[Failing<'_>]) -> Finding {
    let Reason { mode, plain, has_proxy, works, bypasses } = reason;
    let who = workload.as_ref().map_or_else(|| failing[0].pod.id.to_string(), WorkloadId::short);
    let own = workload.as_ref().map(|id| FindingObject::new(id.kind.as_str(), &id.name));
    let own = own.unwrap_or_else(|| FindingObject::pod(&failing[0].pod.id));
    let is_past = |why: String| (why, None, MENDED, Severity::Information);
    let (why, object, fix, severity) = match mode {
        Some((MtlsMode::Strict, _)) if plain && works && bypasses.is_none() => {
            is_past("by the objects the client's proxy sends what the port takes now".to_owned())
        }
        Some((MtlsMode::Strict, by)) if plain => {
            let whose = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let object = by.map(|by| FindingObject::new(Kind::PeerAuthentication.as_str(), &by));
            let (fix, why) = match bypasses {
                Some(by) => (REMOVE_ANNOTATION, format!(", and {by} of the client")),
                None => (if has_proxy { SEE_RULE } else { GIVE_PROXY }, String::new()),
            };
            (format!("STRICT{whose} takes no plain text{why}"), object, fix, RULE.severity)
        }
        Some((mode, _)) if plain => is_past(format!("the mode is {mode} now, which takes plain text")),
        _ => (
            "no filter chain fits them".to_owned(),
            None,
            "look at the chains of the port, and at what the client sends (server name, TLS, protocol)",
            RULE.severity,
        ),
    };
    let is_past = severity == Severity::Information || failing.iter().all(|failing| failing.is_long_ago(facts));
    let until = failing.iter().filter_map(|failing| failing.group.last).max().filter(|_| is_past);
    let until = until.map(|last| format!(" failed until {}", hour(last))).unwrap_or_default();
    let what = format!("{} to {who}{until}: {why}.", clients(facts, failing));
    let mut proxies: Vec<_> = failing.iter().map(|failing| failing.pod.id.clone()).collect();
    proxies.sort();
    proxies.dedup();
    Finding {
        severity: if is_past { Severity::Information } else { severity },
        evidence: failing.iter().map(evidence).collect(),
        fix: fix.to_owned(),
        proxies,
        ..RULE.found(object.unwrap_or(own), what)
    }
}
