//! A Wasm plugin without a root id, some of whose log lines name no plugin.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity};

pub(super) const RULE: Rule = Rule {
    code: "empty-plugin-name",
    severity: Severity::Information,
    title: "The plugin has no pluginName, so that some of its log lines name nobody.",
    why: "Lines that a module logs when it starts, is configured or ticks carry only its root id: without one they read `wasm log: …`, and \
        cannot be distinguished from another plugin's.",
    source: "proxy-wasm-cpp-host src/context.cc: makeRootLogPrefix",
    needs: Needs::objects(PLUGINS, &[]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let of = |facts: &PluginFacts<'_>| {
        let id = &facts.plugin.id;
        facts.plugin.wasm()?.plugin_name.is_empty().then(|| Finding {
            evidence: vec!["pluginName is not set".to_owned()],
            fix: "set pluginName to a root id that the module registers, where it registers one".to_owned(),
            ..RULE.of_plugin(id, format!("{} {id} has no pluginName.", id.kind))
        })
    };
    facts.plugins.iter().filter_map(of).collect()
}
