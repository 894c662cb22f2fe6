//! Which DestinationRule a client uses for a host: its own namespace's, else that of the service's, else that of the root
//! namespace, each the one with the most specific host (`pilot/pkg/model/push_context.go: setDestinationRules, destinationRule`;
//! `pilot/pkg/model/destination_rule.go: mergeDestinationRule`; `pilot/pkg/model/sidecar.go: DestinationRule`).

use std::collections::BTreeMap;

use crate::analysis::era::Version;
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::labels::{Labels, Selector};
use crate::model::policy::{Policy, PolicySpec};
use crate::model::routing::{DestinationRule, Subset, TrafficPolicy};

/// Rules of one namespace for one host, as istiod makes one of them.
#[derive(Clone, Debug)]
pub struct Merged<'o> {
    /// `workloadSelector`: the clients that it is for; None is all.
    pub selector: Option<&'o Selector>,
    /// The `trafficPolicy` of the first that has one.
    pub policy: Option<&'o TrafficPolicy>,
    /// The subsets of all of them, each name once.
    pub subsets: Vec<&'o Subset>,
    policy_of: &'o ObjectName,
    subsets_of: Vec<&'o ObjectName>,
    /// The rules, oldest first.
    pub from: Vec<&'o ObjectName>,
    /// Those of them whose `trafficPolicy` is ignored, since an older one has one.
    pub ignored: Vec<&'o ObjectName>,
    export_to: Vec<&'o str>,
}

/// Rules by host. In releases that do not look at `exportTo` rule by rule, one is kept for each host.
#[derive(Clone, Debug, Default)]
struct ByHost<'o> {
    rules: BTreeMap<String, Vec<Merged<'o>>>,
    export_to: BTreeMap<String, Vec<&'o str>>,
}

/// The DestinationRules of a mesh, ready to be looked up.
#[derive(Clone, Debug)]
pub struct Rules<'o> {
    root: &'o str,
    version: Version,
    own: BTreeMap<&'o str, ByHost<'o>>,
    exported: BTreeMap<&'o str, ByHost<'o>>,
    private_of_root: ByHost<'o>,
}

impl<'o> Rules<'o> {
    /// Sorts and merges them.
    pub fn of(objects: &'o Inventory, domain: &str, version: Version) -> Self {
        let root = objects.root_namespace();
        let mut rules = Self { root, version, own: BTreeMap::new(), exported: BTreeMap::new(), private_of_root: ByHost::default() };
        let private_by_default =
            objects.mesh.as_deref().is_some_and(|mesh| mesh.destination_rule_export_to.iter().any(|namespace| namespace == "."));
        for (policy, rule) in sorted(objects, version) {
            let namespace = policy.name.namespace.as_str();
            let host = full_host(&rule.host, namespace, domain);
            let selector = policy.selector.as_ref().filter(|_| version.destination_rules_select_clients());
            // One with a selector is never for clients of other namespaces.
            let export_to: Vec<&str> = match selector {
                Some(_) => vec!["."],
                None => rule.export_to.iter().map(String::as_str).collect(),
            };
            let merged = Merged {
                selector,
                policy: rule.policy.as_ref(),
                subsets: rule.subsets.iter().collect(),
                policy_of: &policy.name,
                subsets_of: rule.subsets.iter().map(|_| &policy.name).collect(),
                from: vec![&policy.name],
                ignored: Vec::new(),
                export_to: export_to.clone(),
            };
            if export_to.is_empty() || export_to.iter().any(|to| matches!(*to, "*" | ".") || *to == namespace) {
                rules.own.entry(namespace).or_default().add(&host, merged.clone(), version);
            }
            let private = match export_to.as_slice() {
                [] => private_by_default,
                [one] => *one == "." || (*one == namespace && version.takes_own_namespace_for_private()),
                _ => false,
            };
            if !private {
                rules.exported.entry(namespace).or_default().add(&host, merged, version);
            } else if namespace == root {
                rules.private_of_root.add(&host, merged, version);
            }
        }
        rules
    }

    /// The rule that a client with these labels uses for a host of a service.
    pub fn for_client(&self, client: &str, labels: &Labels, host: &str, service: &str) -> Option<&Merged<'o>> {
        let own = if client == self.root { Some(&self.private_of_root) } else { self.own.get(client) };
        // Whatever is for the host in the client's own namespace is all there is.
        if let Some((_, found)) = own.and_then(|own| own.most_specific(host)) {
            return pick(found.iter(), labels);
        }
        [service, self.root].into_iter().find_map(|namespace| {
            let exported = self.exported.get(namespace)?;
            let (key, found) = exported.most_specific(host)?;
            let seen = |to: &[&str]| to.is_empty() || to.iter().any(|to| *to == "*" || *to == client);
            let mut visible: Vec<&Merged<'o>> = found.iter().collect();
            if self.version.exports_rules_one_by_one() {
                visible.retain(|merged| seen(&merged.export_to));
            } else if !exported.export_to.get(key).is_none_or(|to| seen(to)) {
                visible.clear();
            }
            if visible.is_empty() { None } else { Some(pick(visible.into_iter(), labels)) }
        })?
    }

    /// The selectors by which rules of a namespace are for some of its clients alone.
    pub fn selectors_of(&self, namespace: &str) -> impl Iterator<Item = &'o Selector> {
        let own = self.own.get(namespace).into_iter().flat_map(|own| own.rules.values());
        own.flatten().filter_map(|merged| merged.selector)
    }
}

/// The first whose selector matches, else the last without one.
fn pick<'r, 'o: 'r>(mut rules: impl DoubleEndedIterator<Item = &'r Merged<'o>> + Clone, labels: &Labels) -> Option<&'r Merged<'o>> {
    let selected = rules.clone().find(|merged| merged.selector.is_some_and(|selector| selector.matches(labels)));
    selected.or_else(|| rules.rfind(|merged| merged.selector.is_none()))
}

/// All rules, the oldest first; from 1.22 on those with a selector before all others (`sortConfigBySelectorAndCreationTime`).
fn sorted(objects: &Inventory, version: Version) -> Vec<(&Policy, &DestinationRule)> {
    let is_seen = |policy: &&Policy| version.discovers(objects, &policy.name.namespace);
    let rules = objects.policies_of(Kind::DestinationRule).filter(is_seen).filter_map(|policy| match &policy.spec {
        PolicySpec::DestinationRule(rule) => Some((policy, rule)),
        _ => None,
    });
    let mut rules: Vec<(&Policy, &DestinationRule)> = rules.collect();
    let first = version.sorts_selecting_rules_first();
    let key = |policy: &Policy| (first && policy.selector.is_none(), policy.created.clone(), policy.name.clone());
    rules.sort_by_cached_key(|(policy, _)| key(policy));
    rules
}

/// A short name stands for a Service of the rule's namespace (`pilot/pkg/model/config.go: ResolveShortnameToFQDN`).
pub(in crate::analysis) fn full_host(host: &str, namespace: &str, domain: &str) -> String {
    if host == "*" || host.is_empty() || host.contains(['.', ':']) { host.to_owned() } else { format!("{host}.{namespace}.svc.{domain}") }
}

impl<'o> ByHost<'o> {
    /// Adds a rule to those of its host, or makes one of both.
    fn add(&mut self, host: &str, rule: Merged<'o>, version: Version) {
        let of_host = self.export_to.entry(host.to_owned()).or_default();
        if of_host.is_empty() {
            of_host.clone_from(&rule.export_to);
        }
        let rules = self.rules.entry(host.to_owned()).or_default();
        let mut separate = true;
        for existing in rules.iter_mut() {
            if version.exports_rules_one_by_one() {
                let covers = !existing.export_to.is_empty() && existing.export_to.iter().all(|to| rule.export_to.contains(to));
                let same = existing.export_to.len() == rule.export_to.len() && (covers || existing.export_to.is_empty());
                separate = !same;
                if !same && !covers {
                    continue;
                }
            }
            match (existing.selector, rule.selector) {
                (None, None) => separate = false,
                (Some(a), Some(b)) if a == b => separate = false,
                (Some(_), Some(_)) => {
                    separate = true;
                    continue;
                }
                _ => {}
            }
            existing.absorb(&rule);
        }
        if separate {
            rules.push(rule);
        }
    }

    /// The host itself, else the longest pattern that covers it (`pilot/pkg/model/config.go: MostSpecificHostMatch`).
    fn most_specific(&self, host: &str) -> Option<(&String, &Vec<Merged<'o>>)> {
        let bare = host.strip_prefix('*').unwrap_or(host);
        let covers = |pattern: &str| pattern.strip_prefix('*').is_some_and(|suffix| bare.ends_with(suffix));
        self.rules
            .get_key_value(host)
            .or_else(|| self.rules.iter().filter(|(pattern, _)| covers(pattern)).max_by_key(|(pattern, _)| pattern.len()))
    }
}

impl<'o> Merged<'o> {
    /// The rule that a subset is of, or without one the `trafficPolicy`.
    pub fn owner(&self, subset: Option<&Subset>) -> &'o ObjectName {
        let place = subset.and_then(|subset| self.subsets.iter().position(|known| known.name == subset.name));
        place.and_then(|place| self.subsets_of.get(place).copied()).unwrap_or(self.policy_of)
    }

    /// Takes over what a younger rule adds: subsets of new names, and its policy where there is none yet.
    fn absorb(&mut self, younger: &Merged<'o>) {
        self.from.extend(&younger.from);
        for (subset, of) in younger.subsets.iter().zip(&younger.subsets_of) {
            if !self.subsets.iter().any(|known| known.name == subset.name) {
                self.subsets.push(subset);
                self.subsets_of.push(of);
            }
        }
        match (self.policy, younger.policy) {
            (None, policy) => (self.policy, self.policy_of) = (policy, younger.policy_of),
            (Some(_), Some(_)) => self.ignored.extend(&younger.from),
            (Some(_), None) => {}
        }
    }
}
