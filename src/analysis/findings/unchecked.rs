//! What rules could not look at: silence is no good news where nothing was seen.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{
    Facts, ProxyFacts, RULES, Rule, connections_refused, failing, pull_secret, refused_push, requests_fail, stale_proxy, vm_failed,
};
use crate::analysis::answers;
use crate::model::kind::Kind;

/// Something that could not be read, with the rules that would have looked at it. Its fields are JSON keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// What could not be read: proxies by name, a kind of objects.
    pub objects: Vec<String>,
    /// Why, as one clause.
    pub why: String,
    /// The rules that found nothing, or not all, for that.
    pub codes: Vec<&'static str>,
}

impl std::fmt::Display for NotChecked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let more = self.objects.len().saturating_sub(3);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let objects = self.objects[..self.objects.len() - more].join(", ");
        write!(f, "{objects}{rest}: {}; not checked: {}", self.why, self.codes.join(", "))
    }
}

/// Whether a rule would conclude from what was not read.
pub(super) fn is_blind(rule: &Rule, facts: &Facts<'_>) -> bool {
    let snapshot = facts.snapshot;
    let is_lacking = |kind| snapshot.unread.contains(kind) || !snapshot.settled.contains(kind);
    (rule.needs.any_kind() && !snapshot.has_objects) || rule.needs.all.iter().any(is_lacking)
}

/// What could not be looked at: objects first, then proxies, those of one reason together.
pub fn not_checked(facts: &Facts<'_>) -> Vec<NotChecked> {
    let codes = |wanted: &dyn Fn(&Rule) -> bool| RULES.iter().filter(|rule| wanted(rule)).map(|rule| rule.code).collect::<Vec<_>>();
    let snapshot = facts.snapshot;
    if !snapshot.has_objects {
        let all = codes(&|rule| rule.needs.any_kind());
        let why = "none were read, and a standalone config dump comes without any".to_owned();
        return std::iter::once(NotChecked { objects: vec!["objects".to_owned()], why, codes: all }).chain(unread_proxies(facts)).collect();
    }
    let of_kind = Kind::ALL.into_iter().filter_map(|kind| {
        let why = if snapshot.unread.contains(&kind) {
            "they could not be read, or not in every namespace"
        } else if !snapshot.settled.contains(&kind) {
            "they are still being read"
        } else {
            return None;
        };
        let codes = codes(&|rule| rule.needs.kind(kind));
        (!codes.is_empty()).then(|| NotChecked { objects: vec![kind.resource()], why: why.to_owned(), codes })
    });
    of_kind.chain(unread_secrets(facts)).chain(unread_sync(facts)).chain(untimed(facts)).chain(unread_proxies(facts)).collect()
}

/// The Secrets that plugins name and that could not be looked for.
fn unread_secrets(facts: &Facts<'_>) -> Vec<NotChecked> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for secret in facts.plugins.iter().filter_map(|plugin| pull_secret::named(plugin.plugin)) {
        let looked = answers::pull_secret(facts.snapshot, &secret);
        if looked.good.is_none() && seen.insert(secret.clone()) {
            found.push(NotChecked { objects: vec![format!("Secret {secret}")], why: looked.what, codes: vec![pull_secret::RULE.code] });
        }
    }
    found
}

/// What the istiods did not say, or not all of them.
fn unread_sync(facts: &Facts<'_>) -> Option<NotChecked> {
    let why = match &facts.snapshot.sync {
        Some(Ok(sync)) if !sync.partial => sync.istiods.iter().find_map(|istiod| {
            let (account, only) = (istiod.account.as_ref()?, istiod.only.as_ref()?);
            Some(format!("it reports to service account {account} only the proxies of namespace {only}"))
        })?,
        Some(Ok(_)) => "not every istiod answered, and nothing is known of the proxies of the others".to_owned(),
        Some(Err(why)) => why.clone(),
        None => "the istiods were not asked for the sync status of their proxies".to_owned(),
    };
    let codes = RULES.iter().filter(|rule| rule.needs.sync).map(|rule| rule.code).collect();
    Some(NotChecked { objects: vec!["istiod".to_owned()], why, codes })
}

/// What istiods say that could be a finding or nothing.
fn untimed(facts: &Facts<'_>) -> Vec<NotChecked> {
    let mut found = ByReason::default();
    for proxy in &facts.proxies {
        let names = facts.connection(&proxy.id).map(stale_proxy::untimed).unwrap_or_default();
        if !names.is_empty() {
            let why = format!(
                "what istiod sent last of {} is not answered, and istiod of this version says neither when it sent it nor whether it was refused",
                names.join(", ")
            );
            found.add(proxy.id.to_string(), &why, &[refused_push::RULE.code, stale_proxy::RULE.code]);
        }
    }
    found.all
}

/// What was not looked at, with the place of each reason: there can be as many reasons as proxies.
#[derive(Default)]
struct ByReason {
    all: Vec<NotChecked>,
    places: HashMap<String, usize>,
}

impl ByReason {
    /// Adds an object to those that were not looked at for the same reason.
    fn add(&mut self, object: String, why: &str, codes: &[&'static str]) {
        match self.places.get(why).and_then(|place| self.all.get_mut(*place)) {
            Some(known) => known.objects.push(object),
            None => {
                self.places.insert(why.to_owned(), self.all.len());
                self.all.push(NotChecked { objects: vec![object], why: why.to_owned(), codes: codes.to_vec() });
            }
        }
    }
}

/// A dump lists a refused plugin as if it were in place.
const PARTLY: &str = "parts of the config dump could not be understood, and nothing is concluded from what may be in them";
const WITHOUT_REASON: &str =
    "the format of its access log lacks response flags or their details, so that nothing says why a request failed";
const CUT: &str = "its log has so many lines that not all of the last 10 min were read";
const MORE: &str = "requests failed in more ways than are kept, and not all of them are among the findings";
const BRIEF: &str = "neither the requests in its log nor what its agent counts was read";

fn unread_proxies(facts: &Facts<'_>) -> Vec<NotChecked> {
    let of_dumps: Vec<&'static str> = RULES.iter().filter(|rule| rule.needs.dumps).map(|rule| rule.code).collect();
    let mut found = ByReason::default();
    let of_logs = [requests_fail::RULE.code, connections_refused::RULE.code];
    let of_dumps_and_logs: Vec<&'static str> = of_dumps.iter().copied().chain(of_logs).collect();
    // Of one without an agent `proxy-not-connected` says all.
    for proxy in facts.proxies.iter().filter(|proxy| !facts.is_without_agent(proxy)) {
        let is_brief = facts.snapshot.dump(&proxy.id).is_some_and(|loaded| loaded.vitals.as_ref().is_none_or(|vitals| vitals.brief));
        let (why, codes) = match &proxy.dump {
            Err(why) => (why.as_str(), of_dumps_and_logs.as_slice()),
            Ok(dump) if dump.not_understood > 0 => (PARTLY, of_dumps.as_slice()),
            Ok(_) if is_brief => (BRIEF, &[refused_push::RULE.code, requests_fail::RULE.code, connections_refused::RULE.code][..]),
            Ok(_) => continue,
        };
        found.add(proxy.id.to_string(), why, codes);
    }
    // Of proxies that were read, what their logs lack is said for itself.
    for proxy in facts.proxies.iter().filter(|proxy| facts.is_own(&proxy.id.namespace)) {
        unread_requests(facts, proxy).into_iter().for_each(|why| found.add(proxy.id.to_string(), &why, &of_logs));
        if let Some(why) = log_of_plugins(facts, proxy) {
            found.add(proxy.id.to_string(), why, &[refused_push::RULE.code, vm_failed::RULE.code]);
        }
    }
    found.all
}

/// Why the log of a proxy that has plugins was not read.
fn log_of_plugins<'f>(facts: &'f Facts<'_>, proxy: &ProxyFacts<'_>) -> Option<&'f str> {
    let loaded = facts.snapshot.dump(&proxy.id).filter(|loaded| !loaded.dump.ecds.is_empty())?;
    loaded.vitals.as_ref()?.log_gap.as_deref()
}

/// What of a proxy's requests is not known, as clauses.
fn unread_requests(facts: &Facts<'_>, proxy: &ProxyFacts<'_>) -> Vec<String> {
    let Some(requests) = failing::requests(facts, &proxy.id) else { return Vec::new() };
    let mut found: Vec<String> = requests.gap.iter().cloned().collect();
    if requests.without_reason > 0 {
        found.push(WITHOUT_REASON.to_owned());
    }
    if requests.cut {
        found.push(CUT.to_owned());
    }
    if requests.more > 0 {
        found.push(MORE.to_owned());
    }
    found
}
