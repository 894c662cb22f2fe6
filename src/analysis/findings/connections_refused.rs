//! Connections that no filter chain of the workload takes: who sends them, by address, and why.

use std::collections::BTreeMap;

use super::failing::{Failing, named_client, unexplained};
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::mtls;
use crate::analysis::naming::first;
use crate::analysis::requests::{Mesh, is_gateway};
use crate::model::ids::{ObjectName, WorkloadId};
use crate::model::kind::Kind;
use crate::model::logs::hour;
use crate::model::peer_authentication::MtlsMode;
use crate::model::requests::Cause;

pub(super) const RULE: Rule = Rule {
    code: "connections-refused",
    severity: Severity::Warning,
    title: "Connections of the last minutes fit no filter chain of the workload's proxy.",
    why: "The proxy closes them before any request: the client sees a connection that is reset, the application sees nothing.",
    source: "source/common/listener_manager/active_stream_listener_base.cc: filter_chain_not_found; pilot/pkg/networking/core/filterchain_options.go",
    needs: Needs { dumps: false, sync: false, some: &[Kind::Pod, Kind::PeerAuthentication], all: &[] },
    check,
};

/// How many clients are named.
const CLIENTS: usize = 3;

/// Why a proxy took no connection: the mode in force of the port, and the policy that says it.
type Reason = (Option<(MtlsMode, Option<ObjectName>)>, bool);

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mesh = Mesh::of(facts.snapshot);
    let mut found: BTreeMap<(Option<WorkloadId>, Reason), Vec<Failing<'_>>> = BTreeMap::new();
    for failing in unexplained(facts, &mesh).into_iter().filter(|failing| failing.cause() == Cause::NoChain) {
        let knows = !facts.snapshot.lacks(Kind::PeerAuthentication, &failing.pod.id.namespace) && !is_gateway(failing.pod);
        let effective = mtls::of_pod(facts.objects(), failing.pod);
        let port = failing.group.reason.to.name.parse().unwrap_or_default();
        let by = if effective.ports.contains_key(&port) { effective.port_policy.clone() } else { effective.winner.clone() };
        // TLS that it does not know does not fit either; without a server name nothing says that it was TLS.
        let plain = failing.group.reason.server_name.is_empty();
        found.entry((failing.workload(facts), (knows.then(|| (effective.mode_of_port(port), by)), plain))).or_default().push(failing);
    }
    found.into_iter().map(|((workload, reason), failing)| finding(facts, workload, reason, &failing)).collect()
}

fn finding(facts: &Facts<'_>, workload: Option<WorkloadId>, (mode, plain): Reason, failing: &[Failing<'_>]) -> Finding {
    let mut clients: BTreeMap<&str, u64> = BTreeMap::new();
    for failing in failing {
        *clients.entry(&failing.group.reason.client).or_default() += failing.group.count;
    }
    let has_proxy = failing.iter().any(|failing| failing.client(facts).is_some_and(|pod| pod.proxy.is_some()));
    let names: Vec<String> = clients.iter().map(|(address, count)| format!("{count} from {}", named_client(facts, address))).collect();
    let who = workload.as_ref().map_or_else(|| failing[0].proxy.id.to_string(), WorkloadId::short);
    let own = workload.as_ref().map(|id| FindingObject::new(id.kind.as_str(), &id.name));
    let own = own.unwrap_or_else(|| FindingObject::pod(&failing[0].proxy.id));
    let (why, object, fix, severity) = match mode {
        Some((MtlsMode::Strict, by)) if plain => {
            let whose = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let fix = if has_proxy {
                "see what the client's DestinationRule says, and whether its traffic goes through its proxy"
            } else {
                "give the client a proxy, or let the port take plain text too (PERMISSIVE); where it is to be kept away, nothing is to be done"
            };
            (format!("STRICT{whose} takes no plain text"), by.map(|by| FindingObject::new(Kind::PeerAuthentication.as_str(), &by)), fix, RULE.severity)
        }
        Some((mode, _)) if plain && mode != MtlsMode::Strict => {
            (format!("the mode is {mode} now, which takes plain text: it may have been another then"), None, "nothing, if it was changed since", Severity::Information)
        }
        _ => ("no filter chain fits them".to_owned(), None, "look at the chains of the port, and at what the client sends (server name, TLS, protocol)", RULE.severity),
    };
    let what = format!("{} to {who}: {why}.", first(&names, CLIENTS));
    let line = |failing: &Failing<'_>| {
        let group = failing.group;
        let last = group.last.map(|last| format!(", the last at {}", hour(last))).unwrap_or_default();
        format!("access log of {}: {} from {} to {}{last}: NR filter_chain_not_found", failing.proxy.id, group.count, group.reason.client, group.reason.local)
    };
    let mut proxies: Vec<_> = failing.iter().map(|failing| failing.proxy.id.clone()).collect();
    proxies.sort();
    proxies.dedup();
    let severity = if failing.iter().all(|failing| failing.is_long_ago(facts)) { Severity::Information } else { severity };
    Finding {
        severity,
        evidence: failing.iter().map(line).collect(),
        fix: fix.to_owned(),
        proxies,
        ..RULE.found(object.unwrap_or(own), what)
    }
}
