//! Connections that no filter chain of the workload takes: who sends them, by address, and why.

use std::collections::BTreeMap;

use super::failing::Failing;
use super::refused_connections::{Reason, clients, evidence, is_since, refused};
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::requests::{MENDED, REACH};
use crate::model::ids::WorkloadId;
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
const GIVE_PROXY: &str =
    "give the client a proxy, or let the port take plain text too (PERMISSIVE); where it is to be kept away, nothing is to be done";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<(Option<WorkloadId>, Reason), Vec<Failing<'_>>> = BTreeMap::new();
    // Those by an ignored port the finding `port-level-mtls-ignored` has.
    for (reason, failing, _) in refused(facts).filter(|(.., policy)| policy.is_none()) {
        found.entry((failing.workload(facts), reason)).or_default().push(failing);
    }
    found.into_iter().map(|((workload, reason), failing)| finding(facts, workload, reason, &failing)).collect()
}

fn finding(facts: &Facts<'_>, workload: Option<WorkloadId>, reason: Reason, failing: &[Failing<'_>]) -> Finding {
    let Reason { mode, plain, has_proxy, works, held } = reason;
    let who = workload.as_ref().map_or_else(|| failing[0].pod.id.to_string(), WorkloadId::short);
    let own = workload.as_ref().map(|id| FindingObject::new(id.kind.as_str(), &id.name));
    let own = own.unwrap_or_else(|| FindingObject::pod(&failing[0].pod.id));
    let is_past = |why: String| match &held {
        Some(held) => (format!("{why}; {held}"), None, REACH, RULE.severity),
        None => (why, None, MENDED, Severity::Information),
    };
    let (why, object, fix, severity) = match mode {
        Some((MtlsMode::Strict, _)) if plain && works => {
            is_past("by the objects the client's proxy sends what the port takes now".to_owned())
        }
        Some((MtlsMode::Strict, Some(by))) if plain && !failing.iter().any(|failing| is_since(facts, failing, &by)) => {
            let why = format!("STRICT by {by}, which was written since, takes no plain text either");
            (why, None, if has_proxy { SEE_RULE } else { GIVE_PROXY }, Severity::Information)
        }
        Some((MtlsMode::Strict, by)) if plain => {
            let whose = by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            let object = by.map(|by| FindingObject::new(Kind::PeerAuthentication.as_str(), &by));
            (format!("STRICT{whose} takes no plain text"), object, if has_proxy { SEE_RULE } else { GIVE_PROXY }, RULE.severity)
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
