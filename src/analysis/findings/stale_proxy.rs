//! Proxies that have not answered for a while to what istiod sent them last.

use std::collections::HashSet;

use super::states::in_states;
use super::{Facts, Finding, FindingObject, ProxyFacts, Rule, SYNC, Severity};
use crate::analysis::answers::log_timestamp;
use crate::analysis::health::PluginState;
use crate::analysis::sync as rules;
use crate::model::ids::ProxyId;
use crate::model::logs::LogTime;
use crate::model::sync::{Client, EXTENSIONS, SyncState};

pub(super) const RULE: Rule = Rule {
    code: "stale-proxy",
    severity: Severity::Warning,
    title: "A proxy has not answered to what istiod sent it last.",
    why: "It goes on with what it had before, so that a change of a plugin or of a policy is not in force there.",
    source: "pilot/pkg/xds/debug.go: a type is stale whose nonce that was sent last the proxy has not acknowledged",
    needs: SYNC,
    check,
};

/// How long the agent may fetch modules, in seconds: a fetch that nobody answers ends after 30 s (`pilot/pkg/model/extensions.go:
/// buildDataSource`, the timeout of `http_uri`), and a push may have come meanwhile.
const FETCHING: LogTime = 60;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(now) = facts.sync().and_then(rules::asked) else { return Vec::new() };
    // `pending-listener` names the cause: the agent answers when it has fetched all modules.
    let pending = in_states(facts, &[PluginState::Pending]);
    let waiting: HashSet<&ProxyId> = pending.iter().flat_map(|plugin| &plugin.on).map(|(proxy, _)| &proxy.id).collect();
    // `stub-in-place` names it too: with each push the agent fetches again what it has a stub for.
    let stubs = in_states(facts, &[PluginState::StubAllow, PluginState::StubDeny]);
    let fetching: HashSet<&ProxyId> = stubs.iter().flat_map(|plugin| &plugin.on).map(|(proxy, _)| &proxy.id).collect();
    let of_proxy = |proxy: &ProxyFacts<'_>| {
        let client = facts.connection(&proxy.id)?;
        let fetches = || rules::late(client, now).any(|(url, _, age)| url == EXTENSIONS && age < FETCHING);
        finding(proxy, client, now, waiting.contains(&proxy.id) || fetching.contains(&proxy.id) && fetches())
    };
    facts.proxies.iter().filter_map(of_proxy).collect()
}

/// What a proxy has not answered to of which its istiod does not say when it was sent (up to 1.22), by short names: the answer may be on
/// its way.
pub(super) fn untimed(client: &Client) -> Vec<&str> {
    let stale = client.types.iter().filter(|(_, status)| status.state == SyncState::Stale);
    stale.filter(|(_, status)| status.sent.is_none()).map(|(url, _)| rules::short(url)).collect()
}

fn finding(proxy: &ProxyFacts<'_>, client: &Client, now: LogTime, waits: bool) -> Option<Finding> {
    // See `untimed` of what has no time.
    let stale = rules::late(client, now).filter(|(url, ..)| !(waits && *url == EXTENSIONS));
    let stale: Vec<_> = stale.map(|(url, status, age)| (rules::short(url), status, age)).collect();
    let evidence = stale.iter().map(|(name, status, age)| {
        let sent = status.sent.and_then(log_timestamp).unwrap_or_default();
        let had =
            if status.acked_push.is_empty() { "it never took any".to_owned() } else { format!("it still has push {}", status.acked_push) };
        format!("{name}: push {} was sent at {sent}, at least {age} s before istiod was asked, and not answered; {had}", status.sent_push)
    });
    let names: Vec<&str> = stale.iter().map(|(name, ..)| *name).collect();
    (!stale.is_empty()).then(|| Finding {
        evidence: evidence.collect(),
        fix: "look at the proxy's log for what keeps it from answering (a module that is being fetched, a main thread without time); where it \
            says nothing, restart the pod"
            .to_owned(),
        proxies: vec![proxy.id.clone()],
        ..RULE.found(FindingObject::pod(&proxy.id), format!("{} has not answered to the last push of {}.", proxy.id, names.join(", ")))
    })
}
