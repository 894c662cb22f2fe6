//! istiods and proxies of versions that treat plugins in different ways.

use std::collections::BTreeMap;

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, once_each, proxies};
use crate::analysis::control_plane;
use crate::analysis::era::Version;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "version-skew",
    severity: Severity::Warning,
    title: "istiods, or an istiod and its proxies, are of versions that treat plugins in different ways.",
    why: "What a plugin does then depends on which of them a proxy is connected to, or on the proxy; Istio supports proxies that are at most two \
        minor versions older than their istiod, and none that are newer.",
    source: "pilot/pkg/model/extensions.go and pkg/wasm/convert.go of each release; https://istio.io/latest/docs/releases/supported-releases/",
    needs: Needs { dumps: true, sync: false, some: &[Kind::Pod], all: &[] },
    check,
};

/// What changed in istiod, by the minor version in which it did.
const OF_ISTIOD: &[(u32, &str)] = &[
    (14, "from 1.14 on plugins stand in outbound chains too"),
    (16, "from 1.16 on match counts"),
    (20, "from 1.20 on type NETWORK and targetRef count"),
    (21, "in 1.21 the filters' names changed"),
    (22, "from 1.22 on targetRefs count"),
    (23, "from 1.23 on the passthrough chains stand once for all IP families"),
    (26, "in 1.26 the filters' names changed"),
    (30, "from 1.30 on WasmPlugins are translated into TrafficExtensions, and the filters' names changed"),
];

/// What changed in the agent and in Envoy.
const OF_PROXIES: &[(u32, &str)] = &[
    (20, "before 1.20 a proxy knows no plugins of type NETWORK"),
    (25, "before 1.25 a module that cannot be fetched is refused, from then on a filter that denies takes its place"),
    (27, "before 1.27 a proxy does not know FAIL_RELOAD"),
];

/// How many minor versions a proxy may be older.
const SUPPORTED: u32 = 2;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    of_istiods(facts).into_iter().chain(of_proxies(facts)).collect()
}

/// What changed between two versions.
fn changes(table: &[(u32, &'static str)], one: Version, other: Version) -> Vec<String> {
    let (older, newer) = (one.min(other), one.max(other));
    let between = |minor: u32| (older..newer).contains(&Version::new(1, minor - 1));
    table.iter().filter(|(minor, _)| between(*minor)).map(|(_, what)| (*what).to_owned()).collect()
}

fn of_istiods(facts: &Facts<'_>) -> Option<Finding> {
    let mut versions: BTreeMap<Version, &str> = BTreeMap::new();
    for istiod in &facts.objects().istiods {
        versions.entry(Version::parse(&istiod.version)?).or_insert(&istiod.version);
    }
    let ((oldest, first), (newest, last)) = versions.first_key_value().zip(versions.last_key_value())?;
    let differences = changes(OF_ISTIOD, *oldest, *newest);
    (!differences.is_empty()).then(|| Finding {
        evidence: differences,
        fix: "finish the upgrade, or keep in mind that each revision has its own rules".to_owned(),
        ..RULE.found(control_plane_object(), format!("istiods of {first} and {last} run side by side."))
    })
}

fn control_plane_object() -> FindingObject {
    FindingObject::new("Deployment", &ObjectName::new("", "istiod"))
}

fn of_proxies(facts: &Facts<'_>) -> Option<Finding> {
    let mut found: Vec<(ProxyId, String)> = Vec::new();
    let mut differences: Vec<String> = Vec::new();
    for (proxy, dump) in facts.dumps() {
        let text = dump.node.as_ref().map(|node| node.istio_version.as_str()).unwrap_or_default();
        let istiod = proxy.pod.and_then(|pod| control_plane::version(pod, facts.objects()));
        let (Some(own), Some(istiod)) = (Version::parse(text), istiod) else { continue };
        let changed = changes(OF_PROXIES, own, istiod);
        let unsupported = own > istiod || own.major != istiod.major || istiod.minor - own.minor > SUPPORTED;
        if unsupported || !changed.is_empty() {
            found.push((proxy.id.clone(), format!("is {text}, its istiod {istiod}")));
            differences.extend(changed);
        }
    }
    differences.sort();
    differences.dedup();
    let what = format!("{} of another version than their istiod.", if found.len() == 1 { "1 proxy is".to_owned() } else { format!("{} are", proxies(found.len())) });
    (!found.is_empty()).then(|| Finding {
        proxies: found.iter().map(|(proxy, _)| proxy.clone()).collect(),
        evidence: once_each(found).into_iter().chain(differences).collect(),
        fix: "make the pods anew, so that they are injected with the istiod's version".to_owned(),
        ..RULE.found(control_plane_object(), what)
    })
}
