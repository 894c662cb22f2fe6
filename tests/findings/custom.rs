//! AuthorizationPolicies of action CUSTOM whose provider istiod cannot use: it denies what their rules fit.

use std::sync::Arc;

use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::mesh::{Authorizer, MeshConfig};
use serde_json::{Value, json};

use super::one;
use super::recorded::HTTPBIN;
use super::requests::{authorization, failing, fails, served};

const NAME: &str = "AuthorizationPolicy default/ext";

fn policy(name: &str, provider: &str) -> Value {
    authorization(name, json!({"action": "CUSTOM", "provider": {"name": provider}, "rules": [{}]}))
}

/// What is said of requests that the rules of these policies deny, with these authorizers in the mesh configuration.
fn denied(objects: impl IntoIterator<Item = Value>, authorizers: Option<&[(&str, &str)]>) -> Vec<Finding> {
    let details = "rbac_access_denied_matched_policy[istio-ext-authz-own-ns[default]-policy[ext]-rule[0]-deny-due-to-bad-CUSTOM-action]";
    let mut snapshot = failing(objects, &[(HTTPBIN, vec![served("/a", 403, details); 2])]);
    let of = |(name, service): &(&str, &str)| Authorizer { name: (*name).to_owned(), service: (*service).to_owned() };
    Arc::make_mut(&mut snapshot.objects).mesh =
        authorizers.map(|all| MeshConfig { authorizers: all.iter().map(of).collect(), ..MeshConfig::default() }.into());
    fails(&snapshot)
}

#[test]
fn a_provider_that_istiod_cannot_use_is_named() {
    let (httpbin, gone) = ("httpbin.default.svc.cluster.local", "default/gone.default.svc.cluster.local");
    for (others, authorizers, why) in [
        (None, &[("other", httpbin)][..], "extensionProviders of meshConfig has no authorizer own (not a plugin)."),
        (None, &[("own", gone)], "its service gone.default.svc.cluster.local is none that a Service or ServiceEntry has (not a plugin)."),
        (
            Some("other"),
            &[("own", httpbin)],
            "another policy of the workload names provider other, and by default there may be one (not a plugin).",
        ),
    ] {
        let objects = [policy("default/ext", "own")].into_iter().chain(others.map(|other| policy("default/b", other)));
        let finding = one(denied(objects, Some(authorizers)), Severity::Error, NAME);
        let said =
            format!("the proxy denies requests that rule 0 of {NAME} (CUSTOM) matches, since istiod cannot use its provider own: {why}");
        assert!(finding.what.ends_with(&said), "{finding:?}");
    }
    // Nothing of the objects shows why.
    for authorizers in [Some(&[("own", httpbin)][..]), None] {
        let finding = one(denied([policy("default/ext", "own")], authorizers), Severity::Warning, NAME);
        assert!(finding.what.ends_with("since istiod cannot use its provider own (not a plugin)."), "{finding:?}");
        assert!(finding.fix.contains("istiod's log"), "{finding:?}");
    }
    for now in [None, Some(authorization("default/ext", json!({"rules": [{}]})))] {
        one(denied(now, Some(&[])), Severity::Information, NAME);
    }
}
