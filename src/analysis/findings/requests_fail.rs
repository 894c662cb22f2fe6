//! Requests that fail, by the access log: what makes them fail, and not only that they do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::failing::{Failing, shown_as};
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, before_plugin};
use crate::analysis::logs::words;
use crate::analysis::naming::first;
use crate::analysis::requests::{Blame, REACH, blame, is_gateway};
use crate::model::ids::WorkloadId;
use crate::model::kind::Kind;
use crate::model::logs::{LogTime, hour};
use crate::model::requests::{Cause, Destination, Span};

pub(super) const RULE: Rule = Rule {
    code: "requests-fail",
    severity: Severity::Error,
    title: "Requests of the last minutes failed, and not by the application.",
    why: "The proxy answered them itself: the application, or the server that they were for, has not seen them.",
    source: "envoy/stream_info/stream_info.h: CoreResponseFlag, ResponseCodeDetailValues; pilot/pkg/security/authz/builder/builder.go",
    needs: Needs {
        dumps: false,
        sync: false,
        some: &[Kind::Pod, Kind::AuthorizationPolicy, Kind::RequestAuthentication, Kind::VirtualService, Kind::DestinationRule],
        all: &[],
    },
    check,
};

/// How many requests have to fail at least before it is said that none passes.
const ENOUGH: u64 = 3;

/// How many destinations are named.
const DESTINATIONS: usize = 3;

/// How many findings there are at most of what a workload sends, and of what it is sent; one more counts the rest.
const CAUSES: usize = 8;

/// How many lines that show a reason are said.
const SHOWN: usize = 8;

/// How many paths are named.
const PATHS: usize = 3;

/// What fails for one reason: whose log it is, whether requests to that workload fail, and why.
type Reason = (Option<WorkloadId>, bool, Blame);
/// What fails for it, and what shows that.
type Parts<'s> = (Vec<Failing<'s>>, Vec<String>);
/// A finding, and what fails by it.
type Shown<'s> = (Finding, Vec<Failing<'s>>);

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<Reason, BTreeMap<String, Parts<'_>>> = BTreeMap::new();
    let all = facts.unexplained();
    let before_plugins =
        if all.iter().any(|failing| failing.cause().is_of_filter()) { before_plugin::origins(facts) } else { BTreeSet::new() };
    for failing in all.iter().filter(|failing| !failing.is_refused()) {
        let (reason, mut blame) = (&failing.group.reason, blame(facts.mesh(), failing.pod, failing.group));
        // Of a filter before a plugin `envoy-filter-before-plugin` has it.
        if let Blame { object: Some((Kind::EnvoyFilter, name)), past: false, .. } = &blame
            && before_plugins.contains(&(failing.pod.id.clone(), name.clone(), reason.to.inbound))
        {
            continue;
        }
        // Requests to the own workload are counted together, whichever its port.
        let to = if reason.to.inbound || blame.past { String::new() } else { reason.to.name.clone() };
        // What shows a reason can differ from one destination to the next.
        let evidence = std::mem::take(&mut blame.evidence);
        let (all, shown) = found.entry((failing.workload(facts), reason.to.inbound, blame)).or_default().entry(to).or_default();
        all.push(*failing);
        join(shown, evidence);
    }
    let mut of_workloads: BTreeMap<(Option<WorkloadId>, bool), Vec<Shown<'_>>> = BTreeMap::new();
    for ((workload, inbound, blame), mut destinations) in found {
        // Many destinations that fail for one reason are one finding.
        if destinations.len() > DESTINATIONS {
            let (mut all, mut shown) = Parts::default();
            for (failing, evidence) in destinations.into_values() {
                all.extend(failing);
                join(&mut shown, evidence);
            }
            destinations = BTreeMap::from([(String::new(), (all, shown))]);
        }
        for (to, (failing, evidence)) in destinations {
            let finding = finding(facts, workload.clone(), inbound, &to, Blame { evidence, ..blame.clone() }, &failing);
            of_workloads.entry((workload.clone(), inbound)).or_default().push((finding, failing));
        }
    }
    of_workloads.into_iter().flat_map(|((workload, inbound), all)| bounded(workload, inbound, all)).collect()
}

/// Adds what is not among the first lines that show a reason.
fn join(shown: &mut Vec<String>, evidence: Vec<String>) {
    for line in evidence {
        if shown.len() < SHOWN && !shown.contains(&line) {
            shown.push(line);
        }
    }
}

/// The findings of a workload, of which the gravest and largest are kept, and one that counts the rest.
fn bounded(workload: Option<WorkloadId>, inbound: bool, mut all: Vec<Shown<'_>>) -> Vec<Finding> {
    let count = |failing: &[Failing<'_>]| failing.iter().map(|failing| failing.group.count).sum::<u64>();
    all.sort_by_cached_key(|(finding, failing)| (finding.severity, Reverse(count(failing))));
    let rest = all.split_off(all.len().min(CAUSES));
    let mut findings: Vec<Finding> = all.into_iter().map(|(finding, _)| finding).collect();
    let Some(severity) = rest.iter().map(|(finding, _)| finding.severity).min() else { return findings };
    let failing: Vec<Failing<'_>> = rest.iter().flat_map(|(_, failing)| failing).copied().collect();
    let codes: BTreeSet<String> = failing.iter().map(|failing| code(failing, inbound)).filter(|code| !code.is_empty()).collect();
    let who = workload.as_ref().map_or_else(|| failing[0].pod.id.to_string(), WorkloadId::short);
    let own = workload.as_ref().map(|id| FindingObject::new(id.kind.as_str(), &id.name));
    let what =
        format!("{who}: {} more requests failed for {} more reasons ({}).", count(&failing), rest.len(), first(&Vec::from_iter(codes), 3));
    let proxies: BTreeSet<_> = failing.iter().map(|failing| failing.pod.id.clone()).collect();
    findings.push(Finding {
        severity,
        evidence: rest.iter().take(CAUSES).map(|(finding, _)| finding.what.clone()).collect(),
        fix: format!("mend the other causes first, then see in the access log of {who} what is left"),
        proxies: proxies.into_iter().collect(),
        ..RULE.found(own.unwrap_or_else(|| FindingObject::pod(&failing[0].pod.id)), what)
    });
    findings
}

fn finding(facts: &Facts<'_>, workload: Option<WorkloadId>, inbound: bool, to: &str, blame: Blame, failing: &[Failing<'_>]) -> Finding {
    let count: u64 = failing.iter().map(|failing| failing.group.count).sum();
    let shorts = workload.as_ref().map(WorkloadId::short);
    let who = shorts.unwrap_or_else(|| failing[0].pod.id.to_string());
    let codes: BTreeSet<String> = failing.iter().map(|failing| code(failing, inbound)).collect();
    let codes = first(&Vec::from_iter(codes), 3);
    let (all, failed) = all(facts, workload.as_ref(), inbound, failing);
    let (all, none_passes) = (all.max(count), count >= ENOUGH && failed >= all);
    let behind = if blame.past { failing.iter().find_map(|failing| facts.behind(&failing.pod.id)) } else { None };
    let is_past = blame.past && behind.is_none() || failing.iter().all(|failing| failing.is_long_ago(facts));
    let (words, fix) = match &behind {
        Some(why) => (format!("{}; the proxy {why}", blame.words), REACH.to_owned()),
        None => (blame.words.clone(), blame.fix.clone()),
    };
    let until = failing.iter().filter_map(|failing| failing.group.last).max();
    let time = span(failing);
    let names: BTreeSet<String> = failing.iter().map(|failing| failing.group.reason.to.name.clone()).collect();
    let to = match to {
        "" if names.iter().all(String::is_empty) => "what the log does not name".to_owned(),
        "" => first(&Vec::from_iter(names), DESTINATIONS),
        to => to.to_owned(),
    };
    let to_whom = if inbound { String::new() } else { format!(" to {to}") };
    let what = match inbound {
        // Neither of them fails now.
        _ if is_past => {
            let is_tcp = failing[0].group.method.is_empty() && failing[0].group.reason.code == 0;
            let what = if is_tcp { "connections" } else { "requests" };
            let until = until.map(|last| format!(" until {}", hour(last))).unwrap_or_default();
            let codes = if codes.is_empty() { String::new() } else { format!(" ({codes})") };
            format!("{who}: {count} of {all} {what}{to_whom} failed{until}{codes}: {words}.")
        }
        true if codes.is_empty() => format!("{who} closed {count} of {all} connections of {time}: {words}."),
        true => format!("{who} answered {count} of {all} requests of {time} with {codes}: {words}."),
        false if failing[0].group.reason.code == 0 => format!("{who}: {count} of {all} connections to {to} fail ({codes}): {words}."),
        false => format!("{who}: {count} of {all} to {to} are {codes}: {words}."),
    };
    let object = blame.object.as_ref().map(|(kind, name)| FindingObject::new(kind.as_str(), name));
    let own = || workload.as_ref().map(|id| FindingObject::new(id.kind.as_str(), &id.name));
    let object = object.or_else(own).unwrap_or_else(|| FindingObject::pod(&failing[0].pod.id));
    let proxies: BTreeSet<_> = failing.iter().map(|failing| failing.pod.id.clone()).collect();
    let read_since = since(failing).map(|first| format!("the log was read since {}", hour(first)));
    Finding {
        severity: if is_past { Severity::Information } else { severity(&blame, failing, none_passes) },
        evidence: failing.iter().map(evidence).chain(read_since).chain(meaning(failing)).chain(blame.evidence.clone()).collect(),
        fix,
        proxies: proxies.into_iter().collect(),
        ..RULE.found(object, what)
    }
}

/// `403`, and of what a client's proxy answered `503 NC`.
fn code(failing: &Failing<'_>, inbound: bool) -> String {
    let reason = &failing.group.reason;
    match (reason.code, inbound) {
        (0, true) => String::new(),
        (0, false) => reason.flags.clone(),
        // The proxy answers gRPC with 200 and puts the error into grpc-status (`source/common/http/utility.cc: prepareLocalReply`).
        (code @ 1..400, _) => format!("{code} {} and a gRPC error", reason.flags).replace("  ", " "),
        (code, true) => code.to_string(),
        (code, false) => format!("{code} {}", reason.flags).trim_end().to_owned(),
    }
}

/// How many requests there were to what these went to, over all proxies of the workload, and how many of them failed: to the own workload, all.
fn all(facts: &Facts<'_>, workload: Option<&WorkloadId>, inbound: bool, failing: &[Failing<'_>]) -> (u64, u64) {
    let wanted: BTreeSet<_> = failing.iter().map(|failing| &failing.group.reason.to).collect();
    let is_its = |failing: &&super::ProxyFacts<'_>| crate::analysis::lookup::owner(facts.snapshot, &failing.id).as_ref() == workload;
    let read = || facts.proxies.iter().filter(is_its).filter_map(|proxy| super::failing::requests(facts, &proxy.id));
    let counts = |to: &Destination| if inbound { to.inbound } else { wanted.contains(to) };
    let all = read().flat_map(|requests| &requests.to).filter(|(to, _)| counts(to)).map(|(_, count)| count);
    let failed = read().flat_map(|requests| &requests.failed).filter(|group| counts(&group.reason.to)).map(|group| group.count);
    (all.sum(), failed.sum())
}

/// Which time the requests are of: `the last 10 min`, or `the log since 17:04:05 UTC` where older lines of them were not read or are not there.
fn span(failing: &[Failing<'_>]) -> String {
    let of = |failing: &Failing<'_>| failing.requests.span;
    match since(failing) {
        Some(first) => format!("the log since {}", hour(first)),
        None if failing.iter().all(|failing| of(failing) == Span::LastMinutes) => "the last 10 min".to_owned(),
        None => "the last 10 min of the log".to_owned(),
    }
}

/// The first line that was read, where those before it were not read or are not there.
fn since(failing: &[Failing<'_>]) -> Option<LogTime> {
    let since = |failing: &Failing<'_>| if let Span::Since(first) = failing.requests.span { Some(first) } else { None };
    failing.iter().filter_map(since).min()
}

/// What stops requests that were to pass is an error, and so is an object by which none passes; what a person may well have asked for, and
/// what may pass by itself, is to be looked at.
fn severity(blame: &Blame, failing: &[Failing<'_>], none_passes: bool) -> Severity {
    let cause = failing[0].cause();
    let at_edge = failing.iter().all(|failing| is_gateway(failing.pod));
    match cause {
        // Whoever comes to a gateway sends what they like.
        Cause::NoRoute | Cause::Jwt | Cause::Denied | Cause::OldHttp if at_edge => Severity::Information,
        Cause::RateLimit | Cause::Lua | Cause::ExtAuthz => Severity::Information,
        Cause::NoCluster | Cause::OtherSan => Severity::Error,
        _ if blame.always || blame.object.is_some() && none_passes => Severity::Error,
        Cause::Tls if blame.object.is_some() => Severity::Error,
        _ => Severity::Warning,
    }
}

/// `deploy/httpbin answered 3 of 5 requests of the last 10 min with 401`, of requests to one workload.
pub(super) fn counted(facts: &Facts<'_>, failing: &[Failing<'_>]) -> String {
    let count: u64 = failing.iter().map(|failing| failing.group.count).sum();
    let (workload, inbound) = (failing[0].workload(facts), failing[0].group.reason.to.inbound);
    let who = workload.as_ref().map_or_else(|| failing[0].pod.id.to_string(), WorkloadId::short);
    let codes: BTreeSet<String> = failing.iter().map(|failing| code(failing, inbound)).collect();
    let (all, _) = all(facts, workload.as_ref(), inbound, failing);
    format!("{who} answered {count} of {} requests of {} with {}", all.max(count), span(failing), first(&Vec::from_iter(codes), 3))
}

pub(super) fn evidence(failing: &Failing<'_>) -> String {
    let group = failing.group;
    let times = match (group.first, group.last) {
        (Some(first), Some(last)) if hour(first) != hour(last) => format!(" from {} to {}", hour(first), hour(last)),
        (Some(first), _) => format!(" at {}", hour(first)),
        _ => String::new(),
    };
    let paths = first(&group.paths, PATHS);
    let what = if group.method.is_empty() { String::new() } else { format!(", {} {paths}", group.method) };
    let passed = if group.passed > 0 { format!("; passed since: {}", group.passed) } else { String::new() };
    format!("access log of {}: {}{times}{what}: {}{passed}", failing.pod.id, group.count, shown_as(group))
}

/// What the flags or details mean, where the sentence does not say it better.
fn meaning(failing: &[Failing<'_>]) -> Option<String> {
    if failing[0].cause() == Cause::BlackHole {
        return None;
    }
    let reason = &failing[0].group.reason;
    let flag = words::flags(&reason.flags).into_iter().rev().find_map(|(flag, words)| Some(format!("{flag}: {}", words?)));
    let details =
        || words::details(&reason.details).map(|words| format!("{}: {words}", reason.details.split(['{', '[']).next().unwrap_or_default()));
    flag.or_else(details)
}
