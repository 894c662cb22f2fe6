//! Plugins of one phase without a priority, whose order hangs on namespaces, ages and names.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::together::{Together, listed};
use super::{Facts, Finding, NAMED, Needs, PLUGINS_AND_PODS, ProxyFacts, Rule, Severity, proxies};
use crate::analysis::answers::OrderedPlugin;
use crate::analysis::chains::Shared;
use crate::analysis::control_plane;
use crate::analysis::naming::{self, Naming};
use crate::analysis::order::{self, Reason};
use crate::analysis::outlook::Outlook;
use crate::model::envoy::Listener;
use crate::model::ids::PluginId;

pub(super) const RULE: Rule = Rule {
    code: "priority-tie",
    severity: Severity::Warning,
    title: "Plugins of one phase have no priority, so that namespace, age and name decide their order.",
    why: "An object that is deleted and applied again is younger, and then runs later than before. An unset priority is not 0 but the lowest.",
    source: "pilot/pkg/model/push_context.go: sortByPriority; pilot/pkg/model/config.go: configCompareByCreationTime",
    needs: Needs::objects(PLUGINS_AND_PODS, &[]),
    check,
};

/// Why it matters where namespaces alone decide.
const BY_NAMESPACE: &str = "The namespace decides, whichever object is older: since Istio 1.20 the plugins of the proxy's own namespace run \
    before those of the root namespace, until 1.19 after them. An unset priority is not 0 but the lowest.";

/// Why it matters where in one namespace age decides, and between two the namespace.
const BY_BOTH: &str = "In one namespace an object that is deleted and applied again is younger, and then runs later than before; between namespaces \
    the proxy's own runs before the root namespace since Istio 1.20, and after it until 1.19. An unset priority is not 0 but the lowest.";

/// How many pairs a finding shows.
const MOST: usize = 12;

/// Two plugins of which the second is the next in a chain that has both, and the proxies where it is.
struct UnorderedPair<'f> {
    before: &'f OrderedPlugin,
    after: &'f OrderedPlugin,
    on: Vec<&'f ProxyFacts<'f>>,
}

type Pairs<'f> = BTreeMap<(&'f PluginId, &'f PluginId), UnorderedPair<'f>>;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut pairs, mut together): (Pairs<'_>, Together<&PluginId>) = Default::default();
    let shared: Arc<Shared> = Arc::default();
    for proxy in &facts.proxies {
        let lists = facts.order(proxy).map(|entry| entry.lists.as_slice()).unwrap_or_default();
        let meeting = Meeting { facts, proxy, shared: &shared, predicted: OnceCell::new() };
        for (before, after) in lists.iter().flat_map(|list| tied(&list.plugins, &meeting)) {
            together.join(&before.id, &after.id);
            let pair = pairs.entry((&before.id, &after.id)).or_insert_with(|| UnorderedPair { before, after, on: Vec::new() });
            if pair.on.last().is_none_or(|known| known.id != proxy.id) {
                pair.on.push(proxy);
            }
        }
    }
    let mut groups = together.groups_with(pairs.into_iter().map(|((before, _), pair)| (before, pair)));
    groups.iter_mut().map(|(group, pairs)| finding(facts, group, pairs)).collect()
}

/// Each plugin with the nearest before it that it is tied with and shares a chain with.
fn tied<'f>(plugins: &'f [OrderedPlugin], meeting: &Meeting<'_, '_>) -> Vec<(&'f OrderedPlugin, &'f OrderedPlugin)> {
    let in_dump = meeting.proxy.dump.as_ref().map(|dump| nearest(plugins, &chains_of(&dump.listeners))).unwrap_or_default();
    let is_next = |place: usize| in_dump.get(place).copied().flatten() == place.checked_sub(1);
    // The prediction, which costs more, is asked where the dump does not show that neighbours meet.
    let predicted = if (1..plugins.len()).all(|place| !is_tied(&plugins[place]) || is_next(place)) {
        Vec::new()
    } else {
        match meeting.predicted.get_or_init(|| meeting.predict()) {
            Some(chains) => nearest(plugins, chains),
            None => (0..plugins.len()).map(|place| place.checked_sub(1).filter(|_| is_tied(&plugins[place]))).collect(),
        }
    };
    let found = |place: usize| in_dump.get(place).copied().flatten().max(predicted.get(place).copied().flatten());
    (1..plugins.len()).filter_map(|place| Some((&plugins[found(place)?], &plugins[place]))).collect()
}

/// The chains that have each plugin.
type Chains = HashMap<PluginId, BTreeSet<usize>>;

fn chains_of(listeners: &[Listener]) -> Chains {
    let mut found = Chains::new();
    for (place, chain) in listeners.iter().flat_map(|listener| &listener.chains).enumerate() {
        for plugin in chain.filters().filter_map(|filter| filter.plugin.as_ref()) {
            found.entry(plugin.id.clone()).or_default().insert(place);
        }
    }
    found
}

/// For each plugin the place of the nearest before it in a chain of it. A tie goes on as long as each is tied with the one before it.
fn nearest(plugins: &[OrderedPlugin], chains: &Chains) -> Vec<Option<usize>> {
    let mut last_in: HashMap<usize, usize> = HashMap::new();
    let mut start = 0;
    let mut one = |place: usize| {
        if !is_tied(&plugins[place]) {
            start = place;
        }
        let own = chains.get(&plugins[place].id).into_iter().flatten();
        own.filter_map(|chain| last_in.insert(*chain, place)).max().filter(|before| *before >= start && place > start)
    };
    (0..plugins.len()).map(&mut one).collect()
}

/// Whether plugins meet in a proxy.
struct Meeting<'m, 's> {
    facts: &'m Facts<'s>,
    proxy: &'m ProxyFacts<'s>,
    shared: &'m Arc<Shared>,
    predicted: OnceCell<Option<Chains>>,
}

impl Meeting<'_, '_> {
    /// The chains that istiod would send; None where that is unknown: all plugins then count as sharing a chain.
    fn predict(&self) -> Option<Chains> {
        let outlook = Outlook::sharing(self.facts.snapshot, &self.proxy.id, self.shared).ok()?;
        Some(chains_of(&outlook.prediction.listeners))
    }
}

/// Whether neither it nor the one before it has a priority, and what else differs is nothing that was written to order them.
fn is_tied(after: &OrderedPlugin) -> bool {
    let by_chance = matches!(after.reason, Some(Reason::Namespace { .. } | Reason::Age { .. } | Reason::Name { .. }));
    after.priority.is_none() && by_chance
}

/// `group` is in running order, as a proxy has it.
fn finding(facts: &Facts<'_>, group: &[&PluginId], pairs: &mut [UnorderedPair<'_>]) -> Finding {
    let order: BTreeMap<&PluginId, usize> = group.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    pairs.sort_by_key(|pair| (order[&pair.before.id], order[&pair.after.id]));
    let reasons: Vec<Option<Reason>> = pairs.iter().map(|pair| reason(facts, pair)).collect();
    let is_by_namespace = |reason: &Option<Reason>| matches!(reason, Some(Reason::Namespace { .. }));
    let (severity, why) = match (reasons.iter().all(is_by_namespace), reasons.iter().any(is_by_namespace)) {
        (true, _) => (Severity::Information, BY_NAMESPACE),
        (false, true) => (RULE.severity, BY_BOTH),
        (false, false) => (RULE.severity, RULE.why),
    };
    let (naming, named) = (Naming::of(group), naming::enumerated(group, NAMED));
    let line = |(pair, reason): (&UnorderedPair<'_>, &Option<Reason>)| {
        let why = reason.as_ref().map_or_else(|| pair.after.why.clone(), ToString::to_string);
        format!("{} comes after {}: {why}", naming.one(&pair.after.id), naming.one(&pair.before.id))
    };
    let more = (pairs.len() > MOST).then(|| format!("and {} more", pairs.len() - MOST));
    let on: BTreeSet<_> = pairs.iter().flat_map(|pair| &pair.on).map(|proxy| proxy.id.clone()).collect();
    let last = group[group.len() - 1];
    let now = match group {
        [first, _] => {
            let first = naming.one(first);
            format!("set spec.priority on both, the higher on the one that is to run first; {first} runs first now")
        }
        _ => format!("set spec.priority on each, the higher on those that are to run first; now they run in this order: {named}"),
    };
    let place = pairs.iter().filter(|pair| pair.after.id == *last).find_map(|pair| pair.on.first()).and_then(|proxy| proxy.place(last));
    let what = format!("On {} neither phase nor priority orders {named}.", proxies(on.len()));
    Finding {
        severity,
        why,
        evidence: pairs.iter().zip(&reasons).take(MOST).map(line).chain(more).collect(),
        fix: now,
        proxies: on.into_iter().collect(),
        place,
        plugins: listed(group),
        ..RULE.of_plugin(last, what)
    }
}

/// Why the second comes after the first; others may be between them in other chains.
fn reason(facts: &Facts<'_>, pair: &UnorderedPair<'_>) -> Option<Reason> {
    let plugin = |ordered: &OrderedPlugin| facts.objects().plugins.get(&ordered.id);
    let proxy = pair.on.first()?;
    let node = proxy.dump.as_ref().ok().and_then(|dump| dump.node.as_ref());
    let version = control_plane::control_plane(facts.objects(), proxy.pod, node).version;
    let root = facts.objects().root_namespace();
    Some(order::reason(plugin(pair.before)?, plugin(pair.after)?, &proxy.id.namespace, root, version))
}
