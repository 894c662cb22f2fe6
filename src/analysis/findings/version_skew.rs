//! istiods and proxies of versions that treat plugins in different ways.

use std::collections::BTreeMap;

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, once_each, proxies};
use crate::analysis::era::Version;
use crate::analysis::sync::Skew;
use crate::analysis::{control_plane, lookup};
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::kind::Kind;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "version-skew",
    severity: Severity::Warning,
    title: "istiods, or an istiod and its proxies, are of versions that treat plugins in different ways.",
    why: "What a plugin does then depends on which of them a proxy is connected to, or on the proxy; Istio supports proxies that are one minor \
        version older than their istiod, and none that are older still or newer.",
    source: "pilot/pkg/model/extensions.go and pkg/wasm/convert.go of each release; https://istio.io/latest/docs/releases/supported-releases/",
    needs: Needs { dumps: true, sync: false, some: &[Kind::Pod], all: &[] },
    check,
};

/// What changed in istiod, by the minor version in which it did.
pub(super) const OF_ISTIOD: &[(u32, &str)] = &[
    (14, "from 1.14 on plugins are in outbound chains too"),
    (16, "from 1.16 on match counts"),
    (19, "from 1.19 on a priority has 32 bits, and an unset one counts as the smallest of these"),
    (20, "from 1.20 on type NETWORK and targetRef count"),
    (20, "from 1.20 on plugins of a proxy's own namespace come before those of the root namespace, until then after them"),
    (21, "in 1.21 the filters' names changed"),
    (22, "from 1.22 on targetRefs count"),
    (23, "from 1.23 on the passthrough chains are made once for all IP families"),
    (23, "from 1.23 on plugins of one second are sorted by name and then namespace, until then by both as one text"),
    (26, "in 1.26 the filters' names changed"),
    (30, "from 1.30 on WasmPlugins are translated into TrafficExtensions, and the filters' names changed"),
];

/// What changed in the agent and in Envoy.
const OF_PROXIES: &[(u32, &str)] = &[
    (20, "before 1.20 a proxy knows no plugins of type NETWORK"),
    (25, "before 1.25 a module that cannot be fetched is refused, from then on a filter that denies takes its place"),
    (27, "before 1.27 a proxy does not know FAIL_RELOAD"),
];

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    of_istiods(facts).into_iter().chain(of_proxies(facts)).collect()
}

/// What changed between two versions.
pub(super) fn changes(table: &[(u32, &'static str)], one: Version, other: Version) -> Vec<String> {
    let (older, newer) = (one.min(other), one.max(other));
    let between = |minor: u32| (older..newer).contains(&Version::new(1, minor - 1));
    table.iter().filter(|(minor, _)| between(*minor)).map(|(_, what)| (*what).to_owned()).collect()
}

fn of_istiods(facts: &Facts<'_>) -> Option<Finding> {
    // One whose version cannot be read, a build of somebody's own, says nothing of the others.
    let known = facts.objects().istiods.iter().filter_map(|istiod| Some((Version::parse(&istiod.version)?, istiod)));
    let versions: BTreeMap<Version, _> = known.collect();
    let ((oldest, first), (newest, last)) = versions.first_key_value().zip(versions.last_key_value())?;
    let pod = |name: &str| control_plane::istiods(facts.objects()).find(|istiod| istiod.id.pod == name);
    // Of one revision `istiods-differ` says it.
    let revision = |name: &str| pod(name).map(|istiod| control_plane::labelled_revision(&istiod.labels));
    if revision(&first.pod).is_some_and(|own| revision(&last.pod) == Some(own)) {
        return None;
    }
    let differences = changes(OF_ISTIOD, *oldest, *newest);
    (!differences.is_empty()).then(|| Finding {
        evidence: differences,
        fix: "finish the upgrade, or keep in mind that each revision has its own rules".to_owned(),
        ..RULE.found(object(facts, pod(&first.pod)), format!("istiods of {} and {} run side by side.", first.version, last.version))
    })
}

/// The workload of an istiod, else of any of them; where none of their pods can be seen, the root namespace.
pub(super) fn object(facts: &Facts<'_>, istiod: Option<&Pod>) -> FindingObject {
    let objects = facts.objects();
    let owner = istiod.or_else(|| control_plane::istiods(objects).next()).and_then(|pod| lookup::owner(facts.snapshot, &pod.id));
    match owner {
        Some(owner) => FindingObject::new(owner.kind.as_str(), &owner.name),
        None => FindingObject::new(Kind::Namespace.as_str(), &ObjectName::new("", objects.root_namespace())),
    }
}

/// The proxies of one istiod, each with what is to be said of it, and what changed between the versions.
type Skewed = (Vec<(ProxyId, String)>, Vec<String>);

fn of_proxies(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: BTreeMap<FindingObject, Skewed> = BTreeMap::new();
    for (proxy, dump) in facts.dumps() {
        let text = dump.node.as_ref().map(|node| node.istio_version.as_str()).unwrap_or_default();
        let istiod = proxy.pod.and_then(|pod| control_plane::version(pod, facts.objects()));
        let (Some(own), Some(istiod)) = (Version::parse(text), istiod) else { continue };
        let changed = changes(OF_PROXIES, own, istiod);
        let skew = Skew::of(own, istiod);
        if skew.is_unsupported() || !changed.is_empty() {
            let said = skew.said().unwrap_or_default();
            let serving = proxy.pod.and_then(|pod| control_plane::serving(Some(pod), facts.objects()));
            let (proxies, differences) = found.entry(object(facts, serving)).or_default();
            proxies.push((proxy.id.clone(), format!("is {text}, its istiod {istiod}; {said}")));
            differences.extend(changed);
        }
    }
    found.into_iter().map(|(object, skewed)| of_istiod(object, skewed)).collect()
}

fn of_istiod(object: FindingObject, (found, mut differences): Skewed) -> Finding {
    differences.sort();
    differences.dedup();
    let are = if found.len() == 1 { "is" } else { "are" };
    let what = format!("{} {are} of another version than their istiod.", proxies(found.len()));
    Finding {
        proxies: found.iter().map(|(proxy, _)| proxy.clone()).collect(),
        evidence: once_each(found).into_iter().chain(differences).collect(),
        fix: "recreate the pods, so that they are injected with the istiod's version".to_owned(),
        ..RULE.found(object, what)
    }
}
