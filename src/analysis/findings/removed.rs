//! A plugin that applies to a proxy, and that an EnvoyFilter takes out of chains in which the objects ask for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::states::{InState, in_states};
use super::{Facts, Finding, Needs, PLUGINS, Place, Rule, Severity};
use crate::analysis::health::PluginState;
use crate::analysis::outlook::Outlooks;
use crate::analysis::removal::{self, Removal};
use crate::model::envoy::ListenerState;
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "plugin-removed",
    severity: Severity::Error,
    title: "The plugin applies to the proxy, and chains in which the objects ask for it lack its filter.",
    why: "Requests pass there as if there were no plugin. istiod patches its listeners last, so that neither its status nor its view of the proxy shows it.",
    source: "pilot/pkg/networking/core/envoyfilter/listener_patch.go, compared with the proxy's config dump",
    needs: Needs {
        dumps: true,
        sync: false,
        some: &[Kind::EnvoyFilter, Kind::WasmPlugin, Kind::TrafficExtension, Kind::Pod],
        all: PLUGINS,
    },
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    in_states(facts, &[PluginState::Removed]).iter().map(|plugin| finding(facts, plugin)).collect()
}

fn finding(facts: &Facts<'_>, removed: &InState<'_>) -> Finding {
    let plugin = removed.plugin;
    let shared = Arc::default();
    let of = |proxy| {
        let dump = facts.snapshot.dump(proxy).map(|loaded| &loaded.dump);
        dump.map(|dump| removal::of_proxy(plugin, &Outlooks::sharing(facts.snapshot, proxy, &shared), dump)).unwrap_or_default()
    };
    let removals: Vec<(&ProxyId, Removal<'_>)> =
        removed.on.iter().flat_map(|(proxy, _)| of(&proxy.id).into_iter().map(|removal| (&proxy.id, removal))).collect();
    let listeners = removal::listeners(&removals.iter().map(|(_, removal)| removal).collect::<Vec<_>>());
    let by: BTreeSet<String> = removals.iter().flat_map(|(_, removal)| &removal.by).map(|by| by.envoy_filter.to_string()).collect();
    let place = removals.iter().find_map(|(proxy, removal)| {
        let chain = Some(removal.chain?);
        Some(Place { proxy: (*proxy).clone(), listener: removal.listener.clone(), state: ListenerState::Active.as_str(), chain })
    });
    let (what, fix) = if by.is_empty() {
        let what = format!("{plugin} applies and is not in {listeners}, and what took it out is not known");
        let fix = "look again in a moment, a change takes a while to arrive; where it stays, see whether the proxy is connected and accepts what it is sent";
        (what, fix.to_owned())
    } else {
        let by = by.into_iter().collect::<Vec<_>>().join(", ");
        let fix =
            format!("take the patch out of EnvoyFilter {by}; to keep a plugin out of some listeners, use the match of the plugin itself");
        (format!("EnvoyFilter {by} removes {plugin} from {listeners}"), fix)
    };
    Finding { fix, place, ..removed.finding(&RULE, &what) }
}
