//! Proxies that have not answered for a while to what istiod sent them last.

use super::{Facts, Finding, FindingObject, ProxyFacts, Rule, SYNC, Severity};
use crate::analysis::answers::log_timestamp;
use crate::analysis::sync as rules;
use crate::model::logs::LogTime;
use crate::model::sync::{Client, Sync, SyncState};

pub(super) const RULE: Rule = Rule {
    code: "stale-proxy",
    severity: Severity::Warning,
    title: "A proxy has not answered to what istiod sent it last.",
    why: "It goes on with what it had before, so that a change of a plugin or of a policy is not in force there.",
    source: "pilot/pkg/xds/debug.go: a type is stale whose nonce that was sent last the proxy has not acknowledged",
    needs: SYNC,
    check,
};

/// How old what was sent must be, in seconds: a proxy answers in one, and one that warms a listener in a few.
const LONG: i128 = 30;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(now) = facts.sync().and_then(asked) else { return Vec::new() };
    facts.proxies.iter().filter_map(|proxy| finding(proxy, facts.connection(&proxy.id)?, now)).collect()
}

/// When istiod was asked, at the earliest: a recording does not say it, and it was not before istiod last sent something to anyone.
pub(super) fn asked(sync: &Sync) -> Option<LogTime> {
    let sent = sync.clients().flat_map(|(_, client)| client.types.values().filter_map(|told| told.sent));
    sync.asked.or_else(|| sent.max())
}

/// What a proxy has not answered to of which its istiod does not say when it was sent (up to 1.22), by short names: the answer may be on
/// its way.
pub(super) fn untimed(client: &Client) -> Vec<&str> {
    let stale = client.types.iter().filter(|(_, told)| told.state == SyncState::Stale);
    stale.filter(|(_, told)| told.sent.is_none()).map(|(url, _)| rules::short(url)).collect()
}

fn finding(proxy: &ProxyFacts<'_>, client: &Client, now: LogTime) -> Option<Finding> {
    // See `untimed` of what has no time.
    let stale = client.types.iter().filter(|(_, told)| told.state == SyncState::Stale).filter_map(|(url, told)| {
        let age = i128::from(now.saturating_sub(told.sent?)) / 1_000_000_000;
        (age >= LONG).then(|| (rules::short(url), told, age))
    });
    let stale: Vec<_> = stale.collect();
    let evidence = stale.iter().map(|(name, told, age)| {
        let sent = told.sent.and_then(log_timestamp).unwrap_or_default();
        let had = if told.acked_push.is_empty() { "it never took any".to_owned() } else { format!("it still has push {}", told.acked_push) };
        format!("{name}: push {} was sent at {sent}, at least {age} s before istiod was asked, and not answered; {had}", told.sent_push)
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
