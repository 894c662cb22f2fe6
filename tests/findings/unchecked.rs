//! What could not be looked at is said, and nothing is concluded from it.

use meshscope::analysis::answers::{self, FindingsAnswer};
use meshscope::analysis::findings::RULES;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::{Dump, Snapshot};
use serde_json::json;

use super::of;
use super::recorded::{HTTPBIN, Mesh, wasm_plugin};

fn answer(snapshot: &Snapshot) -> FindingsAnswer {
    answers::findings(snapshot, None, &[])
}

fn codes(answer: &FindingsAnswer) -> Vec<&str> {
    answer.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_plugin_matches_nothing_only_where_all_pods_are_known() {
    let mut snapshot =
        of(Mesh::permissive().with([wasm_plugin("default/p", json!({"selector": {"matchLabels": {"app": "nobody", "tier": "x"}}}))]));
    assert!(codes(&answer(&snapshot)).contains(&"matches-nothing"));
    assert_eq!(answer(&snapshot).not_checked, []);
    snapshot.unread.insert(Kind::Pod);
    let lacking = answer(&snapshot);
    assert!(!codes(&lacking).contains(&"matches-nothing"), "{:?}", codes(&lacking));
    let [unchecked] = &lacking.not_checked[..] else { panic!("{:?}", lacking.not_checked) };
    assert_eq!(unchecked.objects, ["pods"]);
    assert!(unchecked.codes.contains(&"matches-nothing") && !unchecked.codes.contains(&"stub-in-place"), "{unchecked}");
    // So at the start, before they were listed.
    snapshot.unread.clear();
    snapshot.settled.remove(&Kind::Pod);
    let early = answer(&snapshot);
    assert!(!codes(&early).contains(&"matches-nothing") && early.not_checked[0].why == "they are still being read", "{early:?}");
}

#[test]
fn a_proxy_that_was_not_read_is_named() {
    let mut snapshot = of(Mesh::of("fetch-failed-closed"));
    let proxy: ProxyId = snapshot.dumps.keys().find(|proxy| proxy.pod.starts_with("httpbin")).unwrap().clone();
    snapshot.dumps.insert(proxy.clone(), Dump::Failed("the port-forward broke".to_owned()));
    let unread = answer(&snapshot);
    assert!(!codes(&unread).contains(&"stub-in-place"));
    let [unchecked] = &unread.not_checked[..] else { panic!("{:?}", unread.not_checked) };
    assert_eq!((&unchecked.objects, unchecked.why.as_str()), (&vec![proxy.to_string()], "the port-forward broke"));
    for code in ["stub-in-place", "refused-push", "chains-differ", "digest-skew"] {
        assert!(unchecked.codes.contains(&code), "{code}");
    }
    assert!(unchecked.codes.len() < RULES.len() / 2, "most rules need no dump");
    snapshot.dumps.remove(&proxy);
    assert_eq!(answer(&snapshot).not_checked[0].why, "the config dump was not asked for");
}

#[test]
fn what_was_looked_at_is_counted() {
    let mut snapshot = of(Mesh::permissive());
    let all = answer(&snapshot);
    assert_eq!(all.scope.to_string(), "All namespaces, 1 plugin, 2 of 2 proxies read");
    assert_eq!(all.blind, None);
    snapshot.dumps.remove(&ProxyId::parse(HTTPBIN).unwrap());
    let own = answers::findings(&snapshot, Some("default"), &[]);
    assert_eq!((own.scope.to_string().as_str(), own.blind), ("Namespace default, 1 plugin, 1 of 2 proxies read", None));
    snapshot.dumps.clear();
    assert_eq!(answer(&snapshot).blind.as_deref(), Some("the config dump was not asked for"));
    assert_eq!(answers::findings(&snapshot, Some("kube-system"), &[]).blind, None, "no proxy is there");
}

#[test]
fn a_dump_that_is_cut_short_or_istiods_is_no_evidence() {
    let mut snapshot = of(Mesh::permissive());
    let proxy = ProxyId::parse(HTTPBIN).unwrap();
    let Some(Dump::Loaded(loaded)) = snapshot.dumps.get(&proxy).cloned() else { panic!("it was read") };
    let mut cut = (*loaded).clone();
    cut.cut_short = Some("is cut short at byte 5".to_owned());
    snapshot.dumps.insert(proxy.clone(), Dump::Loaded(cut.into()));
    assert_eq!(answer(&snapshot).not_checked[0].why, "the config dump is cut short at byte 5");
    let mut istiods = (*loaded).clone();
    istiods.dump.view = meshscope::model::envoy::DumpView::Istiod;
    snapshot.dumps.insert(proxy, Dump::Loaded(istiods.into()));
    assert!(answer(&snapshot).not_checked[0].why.contains("only istiod's view"));
}

#[test]
fn a_namespace_sees_its_own_and_what_reaches_it() {
    let snapshot = of(Mesh::of("fetch-failed-closed")
        .with([wasm_plugin("other/p", json!({"selector": {"matchLabels": {"app": "nobody", "tier": "x"}}}))]));
    assert!(codes(&answer(&snapshot)).contains(&"matches-nothing"));
    let own = answers::findings(&snapshot, Some("default"), &[]);
    assert!(codes(&own).contains(&"stub-in-place") && !codes(&own).contains(&"matches-nothing"), "{:?}", codes(&own));
    let other = answers::findings(&snapshot, Some("other"), &[]);
    assert_eq!(codes(&other), ["matches-nothing", "empty-plugin-name"]);
}
