//! Istiods of one revision that differ: what a proxy gets depends on which of them it is connected to. Istiods of several revisions are meant
//! to differ.

use std::collections::{BTreeMap, BTreeSet};

use super::version_skew::{OF_ISTIOD, changes, object};
use super::{Facts, Finding, Rule, SYNC, Severity};
use crate::analysis::answers::log_timestamp;
use crate::analysis::era::Version;
use crate::analysis::sync::{GRACE, changed};
use crate::analysis::{control_plane, naming, sync as rules};
use crate::model::ids::ProxyId;
use crate::model::logs::LogTime;
use crate::model::sync::{IstiodSync, Sync};
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "istiods-differ",
    severity: Severity::Warning,
    title: "Istiods of one revision differ.",
    why: "A proxy is connected to any one of them, so that what it gets, and when, depends on which; after a reconnection it may get something \
        else.",
    source: "pilot/pkg/xds/debug.go: meshHandler, Syncz; pilot/pkg/bootstrap/monitoring.go: /version",
    needs: SYNC,
    check,
};

/// How many settings of the mesh configuration are named.
const MOST: usize = 3;

/// A difference, and what to do about it.
struct Difference {
    severity: Severity,
    what: String,
    evidence: Vec<String>,
    fix: &'static str,
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut revisions: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for istiod in control_plane::istiods(facts.objects()).filter(|istiod| istiod.unready.is_none() && istiod.phase == "Running") {
        revisions.entry(control_plane::labelled_revision(&istiod.labels)).or_default().push(istiod);
    }
    revisions
        .into_iter()
        .filter(|(_, istiods)| istiods.len() > 1)
        .filter_map(|(revision, istiods)| of_revision(facts, revision, &istiods))
        .collect()
}

fn of_revision(facts: &Facts<'_>, revision: &str, istiods: &[&Pod]) -> Option<Finding> {
    let served =
        facts.proxies.iter().filter(|proxy| proxy.pod.is_some_and(|pod| control_plane::revision(pod, facts.objects()) == Some(revision)));
    let served: Vec<ProxyId> = served.map(|proxy| proxy.id.clone()).collect();
    let of_sync =
        facts.sync().into_iter().flat_map(|sync| [silent(sync, istiods), mesh_configs(sync, istiods), behind(facts, sync, istiods)]);
    let differences: Vec<Difference> = std::iter::once(versions(facts, istiods)).chain(of_sync).flatten().collect();
    let worst = differences.iter().min_by_key(|difference| difference.severity)?;
    let (severity, fix) = (worst.severity, worst.fix.to_owned());
    let what = format!(
        "The istiods of revision {revision} differ: {}.",
        differences.iter().map(|found| found.what.as_str()).collect::<Vec<_>>().join("; ")
    );
    (!served.is_empty()).then(|| Finding {
        severity,
        evidence: differences.into_iter().flat_map(|difference| difference.evidence).collect(),
        fix,
        proxies: served,
        ..RULE.found(object(facts, istiods.first().copied()), what)
    })
}

/// `istiod-a is 1.30.0, istiod-b is 1.31.0`.
fn versions(facts: &Facts<'_>, istiods: &[&Pod]) -> Option<Difference> {
    let known = facts.objects().istiods.iter().filter(|known| istiods.iter().any(|istiod| istiod.id.pod == known.pod));
    let known: Vec<_> = known.collect();
    let distinct: BTreeSet<&str> = known.iter().map(|istiod| istiod.version.as_str()).collect();
    if distinct.len() < 2 {
        return None;
    }
    let parsed: BTreeSet<Version> = distinct.iter().filter_map(|version| Version::parse(version)).collect();
    let between = parsed.first().zip(parsed.last()).map(|(oldest, newest)| changes(OF_ISTIOD, *oldest, *newest)).unwrap_or_default();
    let named: Vec<String> = known.iter().map(|istiod| format!("{} is {}", istiod.pod, istiod.version)).collect();
    Some(Difference {
        // Within one minor version a roll-out that is under way is no fault.
        severity: if parsed.len() == 1 { Severity::Information } else { Severity::Warning },
        what: format!("they are of versions {}", distinct.into_iter().collect::<Vec<_>>().join(" and ")),
        evidence: std::iter::once(naming::first(&named, MOST)).chain(between).collect(),
        fix: "see whether the roll-out of istiod goes on: kubectl rollout status; two versions that are to stay need a revision each",
    })
}

/// Those that are ready, and did not answer while others did.
fn silent(sync: &Sync, istiods: &[&Pod]) -> Option<Difference> {
    let silent = istiods.iter().filter_map(|istiod| Some((&istiod.id.pod, sync.silent.get(&istiod.id.pod)?)));
    let silent: Vec<_> = silent.collect();
    let names: Vec<String> = silent.iter().map(|(pod, _)| (*pod).clone()).collect();
    (!names.is_empty()).then(|| Difference {
        severity: Severity::Warning,
        what: format!("{} did not answer", naming::first(&names, MOST)),
        evidence: silent.iter().take(MOST).map(|(pod, why)| format!("{pod}: {why}")).collect(),
        fix: "see the log of the istiod that does not answer; nothing is known of the proxies that are connected to it",
    })
}

/// Those that go by another mesh configuration than the others.
fn mesh_configs(sync: &Sync, istiods: &[&Pod]) -> Option<Difference> {
    let known: Vec<_> = istiods.iter().filter_map(|istiod| Some((&istiod.id.pod, sync.mesh_configs.get(&istiod.id.pod)?))).collect();
    let names: BTreeSet<&String> = known.iter().flat_map(|(_, settings)| settings.keys()).collect();
    let differs = |name: &&String| known.windows(2).any(|pair| pair[0].1.get(*name) != pair[1].1.get(*name));
    let names: Vec<String> = names.into_iter().filter(differs).cloned().collect();
    (!names.is_empty()).then(|| Difference {
        severity: Severity::Warning,
        what: format!("they go by different mesh configurations ({})", naming::first(&names, MOST)),
        evidence: vec![format!("/debug/mesh of {} differs in {}", list(&known), naming::first(&names, 3 * MOST))],
        fix: "restart the istiod that goes by the old configuration; its log says whether it could not read the ConfigMap",
    })
}

fn list<T>(known: &[(&String, T)]) -> String {
    naming::first(&known.iter().map(|(pod, _)| (*pod).clone()).collect::<Vec<_>>(), MOST)
}

/// Those that have pushed nothing since a plugin was changed, where another one has: both have proxies that it applies to.
fn behind(facts: &Facts<'_>, sync: &Sync, istiods: &[&Pod]) -> Option<Difference> {
    let asked = sync.asked?;
    let pushes = sync.istiods.iter().filter(|istiod| istiods.iter().any(|pod| pod.id.pod == istiod.pod));
    let pushes: Vec<(&IstiodSync, LogTime)> = pushes.filter_map(|istiod| Some((istiod, rules::newest_push(istiod)?))).collect();
    let of_plugin = |plugin: &super::PluginFacts<'_>| {
        let changed = changed(plugin.plugin).filter(|changed| asked.saturating_sub(*changed) >= GRACE)?;
        let (new, old): (Vec<_>, Vec<_>) = pushes
            .iter()
            .filter(|(istiod, _)| istiod.clients.iter().any(|client| plugin.applies_to(&client.proxy)))
            .partition(|(_, pushed)| *pushed >= changed);
        new.first()?;
        let (istiod, pushed) = *old.first()?;
        let (changed, pushed) = (log_timestamp(changed)?, log_timestamp(pushed)?);
        Some(Difference {
            severity: Severity::Warning,
            what: format!("{} has not pushed the change of {}", istiod.pod, plugin.plugin.id),
            evidence: vec![format!("{} was changed at {changed}, and the last push of {} is of {pushed}", plugin.plugin.id, istiod.pod)],
            fix: "see the log of the istiod that does not push, and restart it: its proxies have not got the change",
        })
    };
    facts.plugins.iter().find_map(of_plugin)
}
