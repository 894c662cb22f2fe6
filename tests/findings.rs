//! The findings: each rule over a mesh where it has something to say, and over one that is near it and is well.

mod support;

#[path = "findings/compared.rs"]
mod compared;
#[path = "findings/control.rs"]
mod control;
#[path = "findings/custom.rs"]
mod custom;
#[path = "findings/incidents.rs"]
mod incidents;
#[path = "findings/istiods.rs"]
mod istiods;
#[path = "findings/mesh_wide.rs"]
mod mesh_wide;
#[path = "findings/modules.rs"]
mod modules;
#[path = "findings/objects.rs"]
mod objects;
#[path = "findings/passed.rs"]
mod passed;
#[path = "findings/plugins.rs"]
mod plugins;
#[path = "findings/ports.rs"]
mod ports;
#[path = "findings/proxies.rs"]
mod proxies;
#[path = "findings/reach.rs"]
mod reach;
#[path = "prediction/mesh.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod recorded;
#[path = "findings/removed.rs"]
mod removed;
#[path = "findings/replicas.rs"]
mod replicas;
#[path = "findings/request_bounds.rs"]
mod request_bounds;
#[path = "findings/request_causes.rs"]
mod request_causes;
#[path = "findings/request_ends.rs"]
mod request_ends;
#[path = "findings/request_held.rs"]
mod request_held;
#[path = "findings/request_window.rs"]
mod request_window;
#[path = "findings/requests.rs"]
mod requests;
#[path = "findings/routes.rs"]
mod routes;
#[path = "findings/screen.rs"]
mod screen;
#[path = "findings/unchecked.rs"]
mod unchecked;
#[path = "findings/vms.rs"]
mod vms;

use meshscope::analysis::answers;
use meshscope::analysis::findings::{Finding, RULES, Severity};
use std::sync::Arc;

use meshscope::model::snapshot::{Dump, Snapshot};
use recorded::Mesh;
use serde_json::Value;

/// The findings of one rule over all namespaces.
fn found(snapshot: &Snapshot, code: &str) -> Vec<Finding> {
    assert!(RULES.iter().any(|rule| rule.code == code), "there is a rule {code}");
    answers::findings(snapshot, None, &[]).findings.into_iter().filter(|finding| finding.code == code).collect()
}

/// The findings of one rule over the recording `permissive`, to which objects were added.
fn with(objects: impl IntoIterator<Item = Value>, code: &str) -> Vec<Finding> {
    found(&of(Mesh::permissive().with(objects)), code)
}

/// A changed recording under the istiod that it is of.
fn of(mesh: Mesh) -> Snapshot {
    let mut snapshot = mesh.snapshot(&[("istiod", "1.31-alpha.eed52ebb66ad")]);
    for dump in snapshot.dumps.values_mut() {
        if let Dump::Loaded(loaded) = dump {
            Arc::make_mut(loaded).vitals = Some(Default::default());
        }
    }
    snapshot
}

/// The one finding, with all that a finding says.
fn one(findings: Vec<Finding>, severity: Severity, object: &str) -> Finding {
    let [finding] = &findings[..] else { panic!("one finding: {findings:?}") };
    assert_eq!((finding.severity, finding.object.to_string().as_str()), (severity, object), "{finding:?}");
    assert!(
        finding.what.ends_with('.') && !finding.evidence.is_empty() && !finding.fix.is_empty() && !finding.fix.ends_with('.'),
        "{finding:?}"
    );
    finding.clone()
}

#[test]
fn every_rule_says_what_it_is_and_where_it_comes_from() {
    for rule in RULES {
        assert!(rule.code.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.code);
        assert!(rule.title.ends_with('.') && rule.why.ends_with('.') && rule.source.len() > 10, "{}", rule.code);
        assert!(!rule.why.contains("  ") && !rule.title.contains("  "), "{}", rule.code);
        assert_eq!(RULES.iter().filter(|other| other.code == rule.code).count(), 1, "{}", rule.code);
    }
}
