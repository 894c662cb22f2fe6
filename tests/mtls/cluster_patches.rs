//! EnvoyFilters that patch the clients' cluster: no such client is said to fit.

use meshscope::analysis::answers;
use meshscope::analysis::findings::Severity;
use meshscope::model::kind::Kind;
use serde_json::{Value, json};

use super::mesh::{Object, entry, pod, policy, rule, service, snapshot, tls};

/// An EnvoyFilter of namespace `c` with one patch of clusters.
fn patching(matches: Value, patch: Value) -> Object {
    let spec = json!({"configPatches": [{"applyTo": "CLUSTER", "match": matches, "patch": patch}]});
    (Kind::EnvoyFilter, json!({"metadata": {"namespace": "c", "name": "e"}, "spec": spec}))
}

fn mesh(more: &[Object]) -> Vec<Object> {
    [&[pod("n", "w"), pod("c", "client"), service(80, 8080, "http"), policy("n/n", 1, "", "STRICT", Value::Null)], more].concat()
}

/// The words and reasons of clients with a proxy, those of namespace `c` first.
fn fares(more: &[Object]) -> Vec<(&'static str, String)> {
    let clients = entry(&mesh(more)).services[0].clients.clone();
    let mut clients: Vec<_> = clients.into_iter().filter(|client| client.proxy).collect();
    clients.sort_by_key(|client| client.from.first().is_none_or(|from| from != "namespace c"));
    clients.into_iter().map(|client| (client.word(), client.reason)).collect()
}

fn raw() -> Value {
    json!({"operation": "MERGE", "value": {"transport_socket": {"name": "envoy.transport_sockets.raw_buffer"}}})
}

#[test]
fn a_patch_of_the_transport_socket_leaves_it_open_what_is_sent() {
    let matches = json!({"socket": {"name": "envoy.transport_sockets.raw_buffer"}});
    let by_match =
        json!({"operation": "MERGE", "value": {"transport_socket_matches": [{"name": "a", "transport_socket": matches["socket"]}]}});
    let camel = json!({"operation": "MERGE", "value": {"transportSocket": matches["socket"]}});
    for patch in [raw(), by_match, camel] {
        let [(word, reason), (other, _)] = &fares(&[patching(json!({}), patch)])[..] else { panic!() };
        assert_eq!((*word, *other), ("depends", "fits"), "the EnvoyFilter is for one namespace");
        let expected = "EnvoyFilter c/e, configPatches[0]: MERGE of CLUSTER; what the client's cluster sends by this patch is unknown";
        assert_eq!(reason, expected);
    }
    // Nor is a client said to fail, whose cluster may have TLS by the patch.
    assert_eq!(fares(&[rule("c/r", 1, tls("DISABLE")), patching(json!({}), raw())])[0].0, "depends");
}

#[test]
fn a_patch_is_for_the_clusters_that_it_matches() {
    let host = "w.n.svc.cluster.local";
    for (matches, word) in [
        (json!({"context": "SIDECAR_OUTBOUND"}), "depends"),
        (json!({"context": "GATEWAY"}), "fits"),
        (json!({"context": "SIDECAR_INBOUND"}), "fits"),
        (json!({"cluster": {"service": host, "portNumber": 80}}), "depends"),
        (json!({"cluster": {"service": host, "portNumber": 8080}}), "fits"),
        (json!({"cluster": {"service": "other.n.svc.cluster.local"}}), "fits"),
        (json!({"cluster": {"subset": "v1"}}), "fits"),
        (json!({"cluster": {"name": format!("outbound|80||{host}"), "service": "no"}}), "depends"),
        (json!({"cluster": {"name": "inbound|8080||"}}), "fits"),
    ] {
        assert_eq!(fares(&[patching(matches.clone(), raw())])[0].0, word, "{matches}");
    }
    let timeout = json!({"operation": "MERGE", "value": {"connect_timeout": "1s"}});
    assert_eq!(fares(&[patching(json!({}), timeout)])[0].0, "fits", "it is not about TLS");
    let added = json!({"operation": "ADD", "value": {"name": "mine", "transport_socket": {"name": "x"}}});
    assert_eq!(fares(&[patching(json!({}), added)])[0].0, "fits", "it is another cluster");
}

#[test]
fn a_cluster_that_is_taken_away_sends_nothing() {
    let removed = || json!({"operation": "REMOVE"});
    let objects = mesh(&[patching(json!({"cluster": {"service": "w.n.svc.cluster.local"}}), removed())]);
    let client = entry(&objects).services[0].clients.iter().find(|client| client.from == ["namespace c"]).unwrap().clone();
    let said = "namespace c sends nothing, since EnvoyFilter c/e, configPatches[0]: REMOVE of CLUSTER; \
        the client's proxy has no cluster for the service";
    assert_eq!((client.word(), client.sentence().as_str()), ("fails", said));
    let found = answers::findings(&snapshot(&objects), None, &[]).findings;
    let found: Vec<_> = found.iter().filter(|finding| finding.code == "mtls-mismatch").collect();
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!((finding.severity, finding.object.to_string()), (Severity::Error, "EnvoyFilter c/e".to_owned()));
    assert!(finding.what.starts_with("EnvoyFilter c/e takes the cluster of w.n.svc.cluster.local away from clients"), "{finding:?}");
    // Which version a client's proxy has is not known here.
    let old = json!({"proxy": {"proxyVersion": "^1\\.9.*"}});
    assert_eq!(fares(&[patching(old, removed())])[0].0, "depends");
}
