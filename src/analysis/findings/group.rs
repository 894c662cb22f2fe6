//! Findings that have one cause are one finding: what rules say of many proxies, but for the proxy's name and the times alike.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use regex::Regex;

use super::{Facts, Finding, FindingObject};
use crate::analysis::lookup;
use crate::model::ids::{ProxyId, WorkloadId};

/// What differs between two reports of the same thing: a time, with the number that istiod gives a push of that time, or an age.
static TIMES: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?(/\d+)?|\bat least \d+ s\b").ok());

/// A text without its times.
pub(super) fn timeless(text: &str) -> String {
    TIMES.as_ref().map_or_else(|| text.to_owned(), |times| times.replace_all(text, "…").into_owned())
}

/// The workloads of proxies, by name.
pub(super) fn owners(facts: &Facts<'_>, proxies: &[ProxyId]) -> Vec<FindingObject> {
    let owners: BTreeSet<WorkloadId> = proxies.iter().filter_map(|proxy| lookup::owner(facts.snapshot, proxy)).collect();
    owners.iter().map(|owner| FindingObject::new(owner.kind.as_str(), &owner.name)).collect()
}

/// Puts those together that differ in the proxy alone. Those about pods are put together by workload, since who is to act on one is to
/// act on all of its pods. The order is kept.
pub fn grouped(facts: &Facts<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let mut groups: Vec<(Finding, usize)> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for finding in findings {
        let next = groups.len();
        match *places.entry(Key::of(facts, &finding)).or_insert(next) {
            place if place == next => groups.push((finding, 0)),
            place => {
                groups[place].0.proxies.extend(finding.proxies);
                groups[place].1 += 1;
            }
        }
    }
    let mut keys: Vec<(Key, usize)> = places.into_iter().collect();
    keys.sort_unstable_by_key(|(_, place)| *place);
    let of_key = |((key, _), (finding, others)): ((Key, usize), (Finding, usize))| key.into_finding(facts, finding, others);
    let mut found: Vec<Finding> = keys.into_iter().zip(groups).map(of_key).collect();
    number(&mut found);
    found
}

/// What is the same in all of a group.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    code: &'static str,
    what: String,
    evidence: Vec<String>,
    fix: String,
    object: FindingObject,
}

impl Key {
    fn of(facts: &Facts<'_>, finding: &Finding) -> Self {
        let of_proxy = |text: &str| match &finding.proxies[..] {
            [proxy] => timeless(&text.replace(&proxy.to_string(), "…")),
            _ => text.to_owned(),
        };
        Self {
            code: finding.code,
            what: of_proxy(&finding.what),
            evidence: finding.evidence.iter().map(|line| of_proxy(line)).collect(),
            fix: of_proxy(&finding.fix),
            object: subject(facts, finding),
        }
    }

    fn into_finding(self, facts: &Facts<'_>, mut finding: Finding, others: usize) -> Finding {
        let part = match (&finding.place, &finding.plugin) {
            // A plugin's place is but one of those where it can be looked at.
            (_, Some(plugin)) => Some(FindingObject::new(plugin.kind.as_str(), &plugin.name).path()),
            (Some(place), None) => Some(format!("listener/{}", place.listener)),
            (None, None) => None,
        };
        let path = self.object.path();
        let part = part.filter(|part| *part != path).map(|part| format!(":{part}")).unwrap_or_default();
        finding.id = format!("{}:{path}{part}", self.code);
        if others > 0 {
            finding.proxies.sort();
            finding.proxies.dedup();
            finding.workloads = owners(facts, &finding.proxies);
            let others = if others == 1 { "1 other proxy".to_owned() } else { format!("{others} other proxies") };
            finding.what = finding.what_with(&format!("; so it is with {others}"));
            finding.object = self.object;
        }
        finding
    }
}

/// The object that a finding is about; of a pod the workload, which outlives it.
fn subject(facts: &Facts<'_>, finding: &Finding) -> FindingObject {
    let object = &finding.object;
    let owner = (object.kind == "Pod").then(|| lookup::owner(facts.snapshot, &ProxyId::new(&object.name, &object.namespace))).flatten();
    owner.map_or_else(|| object.clone(), |owner| FindingObject::new(owner.kind.as_str(), &owner.name))
}

/// Several findings of one rule about one thing are numbered in their order.
fn number(findings: &mut [Finding]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for finding in findings {
        let count = seen.entry(finding.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            finding.id = format!("{}:{count}", finding.id);
        }
    }
}

/// `1 proxy`, `3 proxies`.
pub(super) fn proxies(count: usize) -> String {
    if count == 1 { "1 proxy".to_owned() } else { format!("{count} proxies") }
}

/// What is true of several things, once each, with the first of them: `a, b, c and 4 more: it is so`. What differs in its times
/// alone is the same, and of many only the first are listed.
pub(super) fn once_each<T: ToString>(said: impl IntoIterator<Item = (T, String)>) -> Vec<String> {
    const MOST: usize = 3;
    const MOST_LINES: usize = 12;
    let mut found: Vec<(String, String, Vec<String>)> = Vec::new();
    for (of, text) in said {
        let (of, key) = (of.to_string(), timeless(&text));
        match found.iter_mut().find(|(known, ..)| *known == key) {
            Some((.., all)) if all.last() == Some(&of) => {}
            Some((.., all)) => all.push(of),
            None => found.push((key, text, vec![of])),
        }
    }
    let line = |(_, text, of): (String, String, Vec<String>)| {
        let more = of.len().saturating_sub(MOST);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{rest}: {text}", of[..of.len() - more].join(", "))
    };
    let more = found.len().saturating_sub(MOST_LINES);
    let rest = (more > 0).then(|| format!("and {more} more"));
    found.into_iter().take(MOST_LINES).map(line).chain(rest).collect()
}

/// How many plugins of a group are named where people read.
pub(super) const NAMED: usize = 8;

#[cfg(test)]
mod tests {
    use super::{once_each, timeless};

    #[test]
    fn times_do_not_tell_things_apart() {
        let line = |time: &str| format!("log: {time}\twarning\tenvoy wasm cannot fetch 10.0.0.1:80");
        assert_eq!(timeless(&line("2026-11-23T19:37:50.123456Z")), timeless(&line("2026-11-24T00:00:00Z")));
        assert_eq!(
            timeless("push 2026-11-23T19:37:50Z/15, at least 31 s before"),
            timeless("push 2026-11-23T19:38:50Z/16, at least 92 s before")
        );
        assert_eq!(timeless("10.0.0.1_80 on 2 of 3, 30 s"), "10.0.0.1_80 on 2 of 3, 30 s");
    }
    #[test]
    fn what_is_true_of_several_is_told_once_and_not_without_end() {
        let at = |second: usize| format!("log: 2026-11-23T19:37:0{second}Z it is so");
        let of_several = once_each((0..5).map(|second| (format!("p{second}"), at(second))));
        assert_eq!(of_several, ["p0, p1, p2 and 2 more: log: 2026-11-23T19:37:00Z it is so"]);
        assert_eq!(once_each((0..3).map(|second| ("p", at(second)))), ["p: log: 2026-11-23T19:37:00Z it is so"], "each is named once");
        let many = once_each((0..20).map(|place| ("p", format!("reason {place}"))));
        assert_eq!((many.len(), many[12].as_str()), (13, "and 8 more"));
    }
}
