//! Whether enough was read to say that a plugin applies to nothing. As long as it was not, that is unknown, and not false.

use super::rules::Rules;
use super::usage;
use crate::analysis::era::Version;
use crate::model::ids::PluginId;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;

/// Why it is not known to which proxies a plugin applies: objects that decide it are being read, or cannot be listed. None where it is
/// known, and over a lone dump, whose proxy alone is in question.
pub fn unknown(snapshot: &Snapshot, plugin: &PluginId) -> Option<String> {
    if !snapshot.has_objects {
        return None;
    }
    let object = snapshot.objects.plugins.get(plugin);
    // Of several istiods the oldest decodes the least.
    let oldest = snapshot.objects.istiods.iter().filter_map(|istiod| Version::parse(&istiod.version)).min();
    if let Some(what) = object.and_then(|object| usage::undecodable(object, Rules::of(oldest))) {
        return Some(format!("{what}; istiod cannot decode that, and goes on with what it had before"));
    }
    // What a target names decides too; see `targets::Target::decide`.
    let of_targets: &[Kind] = match object {
        Some(object) if !object.targets().is_empty() => &[Kind::Service, Kind::ServiceEntry],
        _ => &[],
    };
    let discovery = snapshot.objects.mesh.as_ref().is_some_and(|mesh| !mesh.discovery_selectors.is_empty());
    let of_discovery: &[Kind] = if discovery { &[Kind::Namespace] } else { &[] };
    [Kind::Pod].iter().chain(of_targets).chain(of_discovery).find_map(|kind| lacking(snapshot, plugin, *kind))
}

fn lacking(snapshot: &Snapshot, plugin: &PluginId, kind: Kind) -> Option<String> {
    let objects = kind.plural();
    if !snapshot.settled.contains(&kind) {
        return Some(match snapshot.reading.get(&kind) {
            Some(count) => format!("reading {objects}, {} so far", grouped(*count)),
            None => format!("{objects} are still being read"),
        });
    }
    // Outside of the root namespace it reaches no further than its own.
    let reached = Some(plugin.name.namespace.as_str()).filter(|own| *own != snapshot.objects.root_namespace());
    if !snapshot.unread.contains(&kind) || snapshot.is_listed(kind, reached) {
        return None;
    }
    let in_some = snapshot.parts.get(&kind).is_some_and(|listed| !listed.is_empty());
    Some(format!("{objects} cannot be listed{}", if in_some { " in every namespace" } else { "" }))
}

/// `3,500`.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let first = digits.len() % 3;
    let groups = digits.as_bytes()[first..].chunks(3).map(String::from_utf8_lossy);
    let head = (first > 0).then(|| digits[..first].into());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ingest::collect::Collector;
    use crate::model::ids::{ObjectName, PluginKind};
    use crate::model::mesh::Istiod;
    use crate::model::update::Update;

    fn plugin(namespace: &str) -> PluginId {
        PluginId { kind: PluginKind::WasmPlugin, name: ObjectName::new(namespace, "p") }
    }

    #[test]
    fn what_is_being_read_or_cannot_be_is_unknown() {
        let mut snapshot = Snapshot { has_objects: true, ..Snapshot::default() };
        assert_eq!(unknown(&snapshot, &plugin("shop")).as_deref(), Some("pods are still being read"));
        snapshot.reading.insert(Kind::Pod, 1_003_500);
        assert_eq!(unknown(&snapshot, &plugin("shop")).as_deref(), Some("reading pods, 1,003,500 so far"));
        snapshot.settled.insert(Kind::Pod);
        assert_eq!(unknown(&snapshot, &plugin("shop")), None);
        snapshot.unread.insert(Kind::Pod);
        assert_eq!(unknown(&snapshot, &plugin("shop")).as_deref(), Some("pods cannot be listed"));
        snapshot.parts.insert(Kind::Pod, BTreeSet::from(["shop", "istio-system"].map(|name| Some(name.to_owned()))));
        assert_eq!(unknown(&snapshot, &plugin("shop")), None);
        for reaching in ["other", "istio-system"] {
            assert_eq!(unknown(&snapshot, &plugin(reaching)).as_deref(), Some("pods cannot be listed in every namespace"));
        }
        // Listed as a whole, and not to be watched.
        snapshot.parts.insert(Kind::Pod, BTreeSet::from([None]));
        assert_eq!(unknown(&snapshot, &plugin("istio-system")), None);
    }

    #[test]
    fn what_the_oldest_istiod_cannot_decode_is_unknown() {
        let object = r#"{"metadata": {"namespace": "shop", "name": "p"}, "spec": {"url": "oci://a/b:v1", "failStrategy": "FAIL_RELOAD"}}"#;
        let said = |versions: &[&str]| {
            let mut collector = Collector::default();
            for kind in Kind::ALL {
                collector.apply(Update::Absent(kind));
            }
            collector.apply(Update::Applied { kind: Kind::WasmPlugin, object: serde_json::from_str(object).unwrap_or_default() });
            let istiods = versions.iter().map(|version| Istiod { pod: String::new(), version: (*version).to_owned() });
            collector.apply(Update::Istiods(istiods.collect()));
            unknown(&collector.snapshot(Default::default()), &plugin("shop"))
        };
        let why = "failStrategy is FAIL_RELOAD, which it does not know before 1.27; istiod cannot decode that, and goes on with what it had before";
        assert_eq!(said(&["1.26.0"]).as_deref(), Some(why));
        assert_eq!(said(&["1.31.0", "1.26.0"]).as_deref(), Some(why));
        assert_eq!(said(&["1.31.0"]), None);
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!([0, 999, 3_500, 120_000].map(grouped), ["0", "999", "3,500", "120,000"]);
    }
}
