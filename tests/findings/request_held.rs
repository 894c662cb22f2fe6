//! What the objects no longer ask for and the proxy still has: that is not over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::ids::ProxyId;
use meshscope::model::snapshot::{Dump, Snapshot};
use meshscope::model::sync::{LISTENERS, Sync, SyncState};
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, Mesh, SLEEP, http_filters};
use super::requests::{fails, istio, log, peers, refused, sent, served};
use super::{found, of, one};

const BY_RULE: &str = "rbac_access_denied_matched_policy[ns[default]-policy[gone]-rule[0]]";
const BY_NONE: &str = "rbac_access_denied_matched_policy[none]";

/// The recording, in whose inbound chains of httpbin is one more filter.
fn having(filter: &Value) -> Mesh {
    Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        let of_http = chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters"));
        of_http.for_each(|chain| http_filters(chain).insert(0, filter.clone()));
    })
}

fn rbac(field: &str, rules: Value) -> Mesh {
    let type_url = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";
    having(&json!({"name": "envoy.filters.http.rbac", "typed_config": {"@type": type_url, field: rules}}))
}

fn with_log(mesh: Mesh, proxy: &str, line: String) -> Snapshot {
    let mut snapshot = of(mesh);
    snapshot.absent.clear();
    log(&mut snapshot, &[(proxy, vec![line.clone(), line.clone(), line])]);
    snapshot
}

fn change_sync(snapshot: &mut Snapshot, change: impl FnOnce(&mut Sync)) {
    let Some(Ok(sync)) = &mut snapshot.sync else { panic!("istiod was asked") };
    change(Arc::make_mut(sync));
}

/// istiod has no connection of a proxy.
fn cut_off(snapshot: &mut Snapshot, proxy: &str) {
    change_sync(snapshot, |sync| sync.istiods[0].clients.retain(|client| client.proxy.to_string() != proxy));
}

fn held(finding: &Finding, words: &str) {
    assert!(finding.what.contains(words) && !finding.what.contains("failed until"), "{finding:?}");
    assert!(finding.fix.contains("does not reach the proxy"), "{finding:?}");
}

#[test]
fn incident_q10_a_policy_that_is_gone_and_still_denies_is_not_over() {
    let name = "AuthorizationPolicy default/gone";
    let policies = json!({"ns[default]-policy[gone]-rule[0]": {"permissions": [{"any": true}], "principals": [{"any": true}]}});
    let denying = || json!({"action": "DENY", "policies": policies});
    let of = |mesh: Mesh, details: &str| fails(&with_log(mesh, HTTPBIN, served("/a", 403, details)));
    let finding = one(of(rbac("rules", denying()), BY_RULE), Severity::Error, name);
    held(&finding, "which is gone; the proxy still has it");
    // A dry run denies nothing, and another rule is not this one.
    one(of(rbac("shadow_rules", denying()), BY_RULE), Severity::Information, name);
    one(of(rbac("rules", json!({"policies": policies})), BY_RULE), Severity::Information, name);
    one(of(Mesh::permissive(), BY_RULE), Severity::Information, name);
    // One that allows only what its rules fit.
    let finding = one(of(rbac("rules", json!({"policies": policies})), BY_NONE), Severity::Warning, "Deployment default/httpbin");
    held(&finding, "none of action ALLOW is there now; the proxy still has one");
    one(of(rbac("rules", denying()), BY_NONE), Severity::Information, "Deployment default/httpbin");
}

#[test]
fn a_filter_whose_envoy_filter_is_gone_still_answers() {
    let type_url = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua";
    let script = json!({"name": "gate", "typed_config": {"@type": type_url, "default_source_code": {"inline_string": "respond"}}});
    let finding = one(
        fails(&with_log(having(&script), HTTPBIN, served("/a", 401, "lua_response"))),
        Severity::Information,
        "Deployment default/httpbin",
    );
    held(&finding, "no EnvoyFilter or policy does so now; the proxy still has such a filter");
}

#[test]
fn incident_q11_a_route_that_was_mended_and_did_not_reach_the_proxy_is_not_over() {
    let to = json!([{"route": [{"destination": {"host": "httpbin", "subset": "v2"}}]}]);
    let route = || istio("VirtualService", "default/httpbin", json!({"hosts": ["httpbin"], "http": to}));
    let rule = || istio("DestinationRule", "default/r", json!({"host": "httpbin", "subsets": [{"name": "v2"}]}));
    let mesh = || with_log(Mesh::permissive().with([route(), rule()]), SLEEP, sent(503, "NC", "cluster_not_found", "-"));
    one(fails(&mesh()), Severity::Information, "Deployment default/sleep");
    // Its own routes lead there, and it has no such cluster.
    let mut dead = mesh();
    let Some(Dump::Loaded(loaded)) = dead.dumps.get_mut(&ProxyId::parse(SLEEP).unwrap()) else { panic!("{SLEEP}") };
    assert_eq!(loaded.dump.dead_clusters, BTreeMap::new());
    let cluster = "outbound|8000|v2|httpbin.default.svc.cluster.local".to_owned();
    let domains = |name: &str| BTreeSet::from([name.to_owned()]);
    Arc::make_mut(loaded).dump.dead_clusters =
        BTreeMap::from([(cluster.clone(), domains("other")), (cluster.replace("v2", "v3"), domains("httpbin"))]);
    let words = "; the proxy still has a route to outbound|8000|v3|httpbin.default.svc.cluster.local, which it does not have";
    held(&one(fails(&dead), Severity::Error, "Deployment default/sleep"), words);
    let mut alone = mesh();
    cut_off(&mut alone, SLEEP);
    held(&one(fails(&alone), Severity::Error, "Deployment default/sleep"), "the proxy has no connection to istiod");
    let mut refusing = mesh();
    change_sync(&mut refusing, |sync| {
        let of_sleep = sync.istiods[0].clients.iter_mut().find(|client| client.proxy == ProxyId::parse(SLEEP).unwrap()).unwrap();
        let status = of_sleep.types.get_mut(LISTENERS).unwrap();
        (status.state, status.error) = (SyncState::Refused, "no such filter".to_owned());
    });
    held(&one(fails(&refusing), Severity::Error, "Deployment default/sleep"), "the proxy refused the last LDS of istiod");
}

#[test]
fn incident_c4_connections_that_a_proxy_still_refuses_are_not_past() {
    let (code, own) = ("connections-refused", "Deployment default/httpbin");
    let permissive = |mesh: Mesh| with_log(mesh.with([peers("PERMISSIVE")]), HTTPBIN, refused("10.9.9.9"));
    one(found(&permissive(Mesh::permissive()), code), Severity::Information, own);
    let mut alone = permissive(Mesh::permissive());
    cut_off(&mut alone, HTTPBIN);
    held(
        &one(found(&alone, code), Severity::Warning, own),
        "the mode is PERMISSIVE now, which takes plain text; the proxy has no connection",
    );
    // Its own chains are those of STRICT.
    let strict = Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        chains.retain(|chain| chain["filter_chain_match"]["transport_protocol"] == "tls");
    });
    held(&one(found(&permissive(strict), code), Severity::Warning, own), "; the proxy's chains still refuse it");
}
