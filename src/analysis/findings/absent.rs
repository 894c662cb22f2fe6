//! A plugin that applies to a proxy, and that no listener of the proxy has.

use super::states::{InState, in_states};
use super::{Facts, Finding, Needs, PLUGINS_AND_PODS, ProxyFacts, Rule, Severity};
use crate::analysis::health::PluginState;

pub(super) const RULE: Rule = Rule {
    code: "plugin-absent",
    severity: Severity::Error,
    title: "The plugin applies to the proxy, and none of its listeners has it.",
    why: "Requests pass as if there were no plugin, though everything that the objects say speaks for it.",
    source: "pilot/pkg/model/push_context.go: TrafficExtensionsByListenerInfo, compared with the proxy's config dump",
    needs: Needs { dumps: true, sync: false, some: PLUGINS_AND_PODS, all: &[] },
    check,
};

const FIX: &str = "look again in a moment, a change takes a while to arrive; where it stays, see whether the proxy is connected to an istiod of its revision";

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let absent = in_states(facts, &[PluginState::Absent]);
    let of = |absent: InState<'_>| {
        let InState { plugin, object: named, state, on } = absent;
        let object = facts.objects().plugins.get(plugin);
        let is_fresh = |proxy: &ProxyFacts<'_>| object.is_some_and(|object| facts.is_fresh(object, &proxy.id));
        let (fresh, old): (Vec<_>, Vec<_>) = on.into_iter().partition(|(proxy, _)| is_fresh(proxy));
        let missing = |on| InState { plugin, object: named.clone(), state, on };
        let of_fresh = |absent: InState<'_>| Finding {
            severity: Severity::Information,
            fix: FIX.to_owned(),
            ..absent.finding(&RULE, &format!("{plugin} applies, was changed a moment ago and has not come yet"))
        };
        let of_old =
            |absent: InState<'_>| Finding { fix: FIX.to_owned(), ..absent.finding(&RULE, &format!("{plugin} applies and is not there")) };
        let found = [(!old.is_empty()).then(|| of_old(missing(old))), (!fresh.is_empty()).then(|| of_fresh(missing(fresh)))];
        found.into_iter().flatten().collect::<Vec<_>>()
    };
    absent.into_iter().flat_map(of).collect()
}
