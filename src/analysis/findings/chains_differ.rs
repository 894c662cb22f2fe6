//! Filter chains that are not those that istiod would send.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Facts, Finding, FindingObject, Needs, Place, ProxyFacts, Rule, Severity};
use crate::analysis::comparison::{Cause, Difference, How};
use crate::analysis::health::PluginState;
use crate::analysis::outlook::Outlook;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "chains-differ",
    severity: Severity::Warning,
    title: "The proxy's filter chains are not those that istiod would send for the objects as they are.",
    why: "What the objects say is not what the proxy does: connections are taken by other chains, or pass other plugins, than they should.",
    source: "pilot/pkg/networking/core, compared with the proxy's config dump",
    needs: Needs { dumps: true, sync: false, some: &[], all: &[Kind::Pod, Kind::WasmPlugin, Kind::TrafficExtension] },
    check,
};

/// How many differences of one proxy are listed; `why` and `chains` have all.
const MOST: usize = 6;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let (snapshot, shared) = (facts.snapshot, Arc::default());
    // A pod that ends does not have all.
    let stays = |proxy: &&ProxyFacts<'_>| proxy.pod.is_some_and(|pod| !pod.deleting);
    let read: Vec<(&ProxyId, &ConfigDump)> =
        facts.dumps().filter(|(proxy, _)| stays(proxy)).map(|(proxy, dump)| (&proxy.id, dump)).collect();
    // What is missed altogether has a finding of its own.
    let mut absent: BTreeMap<&ProxyId, Vec<String>> = BTreeMap::new();
    for (proxy, plugin, _) in facts.states().filter(|(.., health)| matches!(health.state, PluginState::Absent | PluginState::Removed)) {
        absent.entry(&proxy.id).or_default().push(plugin.to_string());
    }
    let of = |(proxy, dump): (&ProxyId, &ConfigDump)| {
        let absent = absent.get(proxy).map(Vec::as_slice).unwrap_or_default();
        finding(proxy, dump, &Outlook::sharing(snapshot, proxy, &shared).ok()?, absent)
    };
    read.into_par_iter().filter_map(of).collect()
}

/// What other rules report, or what ends by itself.
fn is_told(cause: &Cause) -> bool {
    matches!(cause.cause, "refused" | "warming" | "notPredicted")
}

/// Whether a chain lacks nothing but plugins that no listener of the proxy has.
fn is_absence(difference: &Difference, absent: &[String]) -> bool {
    match &difference.how {
        How::Plugins { predicted, counted } => predicted.iter().filter(|plugin| !absent.contains(plugin)).eq(counted),
        _ => false,
    }
}

fn finding(proxy: &ProxyId, dump: &ConfigDump, outlook: &Outlook<'_>, absent: &[String]) -> Option<Finding> {
    let (mut evidence, mut place, mut listeners) = (Vec::new(), None, Vec::new());
    // A listener that is not there at all has no chains.
    let lacking: Vec<Listener> = outlook.lacking(dump).map(Listener::without_chains).collect();
    let active = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active);
    for listener in active.chain(&lacking) {
        let Some(judgement) = outlook.judge(listener, dump).filter(|judgement| judgement.agrees() == Some(false)) else { continue };
        let differences: Vec<&Difference> = judgement.differences.iter().filter(|difference| !is_absence(difference, absent)).collect();
        if differences.is_empty() || judgement.causes.iter().all(is_told) {
            continue;
        }
        let first = differences.first().and_then(|difference| difference.chain);
        place.get_or_insert_with(|| Place {
            proxy: proxy.clone(),
            listener: listener.name.clone(),
            state: listener.state.as_str(),
            chain: first,
        });
        evidence.extend(differences.iter().map(|difference| format!("{}: {difference}", listener.name)));
        evidence.extend(judgement.causes.iter().map(|cause| format!("{}: because {}", listener.name, cause.why)));
        listeners.push(listener.name.as_str());
    }
    if listeners.is_empty() {
        return None;
    }
    let more = evidence.len().saturating_sub(MOST);
    evidence.truncate(MOST);
    evidence.extend((more > 0).then(|| format!("and {more} more, which `meshscope chains` has")));
    let what = format!("{proxy} does not have what istiod would send in {}.", listeners.join(", "));
    Some(Finding {
        evidence,
        fix: "look again in a moment, a change takes a while to arrive; where it stays, see whether the proxy is connected and accepts what it is sent".to_owned(),
        proxies: vec![proxy.clone()],
        place,
        ..RULE.found(FindingObject::pod(proxy), what)
    })
}
