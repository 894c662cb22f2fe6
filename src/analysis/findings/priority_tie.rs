//! Plugins of one phase without a priority, whose order hangs on names and ages.

use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, ProxyFacts, Rule, Severity, proxies};
use crate::analysis::answers::OrderedPlugin;
use crate::analysis::order::Reason;

pub(super) const RULE: Rule = Rule {
    code: "priority-tie",
    severity: Severity::Warning,
    title: "Plugins of one phase have no priority, so that namespace, age and name decide their order.",
    why: "An object that is deleted and applied again is younger, and then runs later than before. An unset priority is not 0 but the lowest.",
    source: "pilot/pkg/model/push_context.go: sortByPriority; pilot/pkg/model/config.go: configCompareByCreationTime",
    needs: Needs::objects(PLUGINS_AND_PODS, &[]),
    check,
};

/// Two plugins that follow each other, and the proxies where they do.
struct Tie<'f> {
    before: &'f OrderedPlugin,
    after: &'f OrderedPlugin,
    on: Vec<&'f ProxyFacts<'f>>,
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut ties: Vec<Tie<'_>> = Vec::new();
    for proxy in &facts.proxies {
        let lists = facts.order(proxy).map(|entry| entry.lists.as_slice()).unwrap_or_default();
        let pairs = lists.iter().flat_map(|list| list.plugins.windows(2));
        for pair in pairs.filter(|pair| is_tied(&pair[1])) {
            let is_it = |tie: &&mut Tie<'_>| tie.before.id == pair[0].id && tie.after.id == pair[1].id;
            match ties.iter_mut().find(is_it) {
                Some(tie) if tie.on.iter().any(|known| known.id == proxy.id) => {}
                Some(tie) => tie.on.push(proxy),
                None => ties.push(Tie { before: &pair[0], after: &pair[1], on: vec![proxy] }),
            }
        }
    }
    ties.iter().map(finding).collect()
}

/// Whether neither it nor the one before it has a priority, and what else differs is nothing that was written to order them.
fn is_tied(after: &OrderedPlugin) -> bool {
    let by_chance = matches!(after.reason, Some(Reason::Namespace { .. } | Reason::Age { .. } | Reason::Name { .. }));
    after.priority.is_none() && by_chance
}

fn finding(tie: &Tie<'_>) -> Finding {
    let (before, after) = (&tie.before.plugin, &tie.after.plugin);
    Finding {
        evidence: vec![format!("{after} comes after {before}: {}", tie.after.why)],
        fix: format!("set spec.priority on both, the higher on the one that is to run first; {before} runs first now"),
        proxies: tie.on.iter().map(|proxy| proxy.id.clone()).collect(),
        place: tie.on.first().and_then(|proxy| proxy.place(&tie.after.id)),
        ..RULE.of_plugin(&tie.after.id, format!("On {} neither phase nor priority orders {before} and {after}.", proxies(tie.on.len())))
    }
}
