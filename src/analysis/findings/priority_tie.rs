//! Plugins of one phase without a priority, whose order hangs on names and ages.

use std::cell::OnceCell;
use std::sync::Arc;

use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, ProxyFacts, Rule, Severity, proxies};
use crate::analysis::answers::OrderedPlugin;
use crate::analysis::chains::Shared;
use crate::analysis::order::{self, Reason};
use crate::analysis::outlook::Outlook;
use crate::analysis::{control_plane, placement};
use crate::model::envoy::{FilterChain, Listener};
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

/// Two plugins of which the second is the next in a chain that both stand in, and the proxies where it is.
struct Tie<'f> {
    before: &'f OrderedPlugin,
    after: &'f OrderedPlugin,
    on: Vec<&'f ProxyFacts<'f>>,
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let (mut ties, shared): (Vec<Tie<'_>>, Arc<Shared>) = (Vec::new(), Arc::default());
    for proxy in &facts.proxies {
        let lists = facts.order(proxy).map(|entry| entry.lists.as_slice()).unwrap_or_default();
        let meeting = Meeting { facts, proxy, shared: &shared, outlook: OnceCell::new() };
        for (before, after) in lists.iter().flat_map(|list| tied(&list.plugins, &meeting)) {
            let is_it = |tie: &&mut Tie<'_>| tie.before.id == before.id && tie.after.id == after.id;
            match ties.iter_mut().find(is_it) {
                Some(tie) if tie.on.iter().any(|known| known.id == proxy.id) => {}
                Some(tie) => tie.on.push(proxy),
                None => ties.push(Tie { before, after, on: vec![proxy] }),
            }
        }
    }
    ties.iter().map(|tie| finding(facts, tie)).collect()
}

/// Each plugin with the nearest before it that it is tied with and shares a chain with.
fn tied<'f>(plugins: &'f [OrderedPlugin], meeting: &Meeting<'_, '_>) -> Vec<(&'f OrderedPlugin, &'f OrderedPlugin)> {
    let nearest = |place: usize| {
        let after = &plugins[place];
        // A tie goes on as long as each is tied with the one before it.
        let run = (1..=place).rev().take_while(|at| is_tied(&plugins[*at])).map(|at| &plugins[at - 1]);
        let before = run.into_iter().find(|before| meeting.is_in_one_chain(&before.id, &after.id))?;
        Some((before, after))
    };
    (1..plugins.len()).filter_map(nearest).collect()
}

/// Whether plugins meet in a proxy.
struct Meeting<'m, 's> {
    facts: &'m Facts<'s>,
    proxy: &'m ProxyFacts<'s>,
    shared: &'m Arc<Shared>,
    outlook: OnceCell<Result<Outlook<'s>, String>>,
}

impl Meeting<'_, '_> {
    /// Whether a chain of the proxy has both, or one that istiod would send it; so it is taken where neither can be told.
    fn is_in_one_chain(&self, one: &PluginId, other: &PluginId) -> bool {
        let has_both = |listeners: &[Listener]| {
            let has = |chain: &FilterChain, plugin| placement::count_in_chain(chain, plugin) > 0;
            listeners.iter().flat_map(|listener| &listener.chains).any(|chain| has(chain, one) && has(chain, other))
        };
        if self.proxy.dump.as_ref().is_ok_and(|dump| has_both(&dump.listeners)) {
            return true;
        }
        let snapshot = self.facts.snapshot;
        match self.outlook.get_or_init(|| Outlook::sharing(snapshot, &self.proxy.id, self.shared)) {
            Ok(outlook) => has_both(&outlook.prediction.listeners),
            Err(_) => true,
        }
    }
}

/// Whether neither it nor the one before it has a priority, and what else differs is nothing that was written to order them.
fn is_tied(after: &OrderedPlugin) -> bool {
    let by_chance = matches!(after.reason, Some(Reason::Namespace { .. } | Reason::Age { .. } | Reason::Name { .. }));
    after.priority.is_none() && by_chance
}

fn finding(facts: &Facts<'_>, tie: &Tie<'_>) -> Finding {
    let (before, after) = (&tie.before.plugin, &tie.after.plugin);
    let why = why(facts, tie).unwrap_or_else(|| tie.after.why.clone());
    Finding {
        evidence: vec![format!("{after} comes after {before}: {why}")],
        fix: format!("set spec.priority on both, the higher on the one that is to run first; {before} runs first now"),
        proxies: tie.on.iter().map(|proxy| proxy.id.clone()).collect(),
        place: tie.on.first().and_then(|proxy| proxy.place(&tie.after.id)),
        ..RULE.of_plugin(&tie.after.id, format!("On {} neither phase nor priority orders {before} and {after}.", proxies(tie.on.len())))
    }
}

/// Why the second comes after the first; others may stand between them in other chains.
fn why(facts: &Facts<'_>, tie: &Tie<'_>) -> Option<String> {
    let plugin = |ordered: &OrderedPlugin| facts.objects().plugins.get(&ordered.id);
    let proxy = tie.on.first()?;
    let node = proxy.dump.as_ref().ok().and_then(|dump| dump.node.as_ref());
    let version = control_plane::control_plane(facts.objects(), proxy.pod, node).version;
    let root = facts.objects().root_namespace();
    Some(order::reason(plugin(tie.before)?, plugin(tie.after)?, &proxy.id.namespace, root, version).to_string())
}
