//! Whose logs are read: every istiod, and the proxies of workloads, of a plugin, of a namespace; of a recording, those that it holds.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use meshscope::analysis::logs::{Choice, Targets, targets};
use meshscope::ingest::collect::Collector;
use meshscope::model::ids::{PluginId, PluginKind, ProxyId, WorkloadId, WorkloadKind};
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogOrigin, LogSource};
use meshscope::model::snapshot::Snapshot;
use meshscope::model::update::Update;
use serde_json::{Value, json};

fn pod(namespace: &str, name: &str, owner: &str, proxy: Option<Value>) -> Value {
    let owners = json!([{"kind": "StatefulSet", "name": owner, "controller": true, "apiVersion": "apps/v1", "uid": "1"}]);
    let mut spec = json!({"containers": [{"name": "app"}]});
    if let Some(proxy) = proxy {
        spec["initContainers"] = json!([proxy]);
    }
    json!({"metadata": {"namespace": namespace, "name": name, "labels": {"app": owner}, "ownerReferences": owners}, "spec": spec,
        "status": {"phase": "Running"}})
}

/// Two replicas with native sidecars, one workload without a proxy, one elsewhere, ztunnel, and two istiods.
fn mesh() -> Snapshot {
    let native = || Some(json!({"name": "istio-proxy", "restartPolicy": "Always", "args": ["proxy", "sidecar"]}));
    let ztunnel = || Some(json!({"name": "istio-proxy", "restartPolicy": "Always", "args": ["proxy", "ztunnel"]}));
    let plugin = json!({"metadata": {"namespace": "shop", "name": "auth"},
        "spec": {"url": "oci://x/y:v1", "selector": {"matchLabels": {"app": "web"}}}});
    let mut collector = Collector::default();
    let pods = vec![
        pod("shop", "web-0", "web", native()),
        pod("shop", "web-1", "web", native()),
        pod("shop", "cart-0", "cart", native()),
        pod("shop", "bare-0", "bare", None),
        pod("other", "web-0", "web", native()),
        pod("istio-system", "ztunnel-0", "ztunnel", ztunnel()),
        pod("istio-system", "istiod-0", "istiod", None),
        pod("istio-system", "istiod-1", "istiod", None),
    ];
    collector.apply(Update::Listed { kind: Kind::Pod, namespace: None, objects: pods });
    collector.apply(Update::Listed { kind: Kind::WasmPlugin, namespace: None, objects: vec![plugin] });
    collector.snapshot(Default::default())
}

fn choice(names: &[&str]) -> Choice {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Choice { names, plugin: None, namespace: Some("shop".to_owned()), own_namespace: "shop".to_owned() }
}

fn pods(found: &Targets) -> Vec<String> {
    found.origins.iter().map(|origin| format!("{}/{}", origin.pod, origin.container)).collect()
}

const ISTIODS: [&str; 2] = ["istiod-0.istio-system/discovery", "istiod-1.istio-system/discovery"];

#[test]
fn every_istiod_comes_first_and_then_the_proxies_of_the_namespace() {
    let found = targets(&mesh(), &choice(&[]), None);
    let proxies = ["cart-0.shop/istio-proxy", "web-0.shop/istio-proxy", "web-1.shop/istio-proxy"];
    assert_eq!(pods(&found), [&ISTIODS[..], &proxies].concat());
    assert_eq!(found.origins[3].workload, Some(WorkloadId::new(WorkloadKind::StatefulSet, "shop", "web")));
    let all = targets(&mesh(), &Choice { namespace: None, ..choice(&[]) }, None);
    // ztunnel's container has the same name and is no Envoy.
    assert_eq!(pods(&all).len(), 6);
    assert!(pods(&all).contains(&"web-0.other/istio-proxy".to_owned()));
}

#[test]
fn a_plugin_chooses_the_proxies_that_it_applies_to() {
    let plugin = Some(PluginId::new(PluginKind::WasmPlugin, "shop", "auth"));
    let found = targets(&mesh(), &Choice { plugin, ..choice(&[]) }, None);
    assert_eq!(pods(&found)[2..], ["web-0.shop/istio-proxy", "web-1.shop/istio-proxy"]);
}

#[test]
fn names_choose_workloads_and_single_pods() {
    let found = targets(&mesh(), &choice(&["statefulset/web", "cart-0.shop"]), None);
    assert_eq!(pods(&found)[2..], ["cart-0.shop/istio-proxy", "web-0.shop/istio-proxy", "web-1.shop/istio-proxy"]);
    let workload = |name: &str| WorkloadId::new(WorkloadKind::StatefulSet, "shop", name);
    assert_eq!((found.workloads, found.pods), (vec![workload("web"), workload("cart")], vec![]));
    let one = targets(&mesh(), &choice(&["pod/web-1"]), None);
    assert_eq!((one.workloads, one.pods), (vec![], vec![ProxyId::new("web-1", "shop")]));
    let istiod = targets(&mesh(), &choice(&["statefulset/istio-system/istiod"]), None);
    assert_eq!((pods(&istiod), istiod.workloads), (ISTIODS.map(str::to_owned).to_vec(), vec![]));
    let bare = targets(&mesh(), &choice(&["statefulset/bare", "statefulset/nope"]), None);
    assert_eq!(bare.unknown[0], "statefulset/bare has no proxy, so no log to show");
    assert!(bare.unknown[1].contains("no StatefulSet nope"), "{:?}", bare.unknown);
}

fn held(source: LogSource, pod: &str, namespace: &str) -> LogOrigin {
    let container = if source == LogSource::Istiod { "discovery" } else { "istio-proxy" }.to_owned();
    LogOrigin { source, pod: ProxyId::new(pod, namespace), container, workload: None }
}

#[test]
fn a_recordings_logs_are_those_that_it_holds() {
    let logs = [
        held(LogSource::Istiod, "istiod-1", ""),
        held(LogSource::Istiod, "istiod-gone", ""),
        held(LogSource::Proxy, "web-0", "shop"),
        held(LogSource::Proxy, "web-0", "other"),
    ];
    let found = targets(&mesh(), &choice(&[]), Some(&logs));
    assert_eq!(pods(&found), ["istiod-gone/discovery", "istiod-1.istio-system/discovery", "web-0.shop/istio-proxy"]);
    let found = targets(&mesh(), &choice(&["statefulset/web"]), Some(&logs));
    assert_eq!(found.unknown, ["the recording holds no log of web-1.shop"]);
    // A log without a pod's name is that of the only istiod, and of none in particular where there are two.
    let nameless = [held(LogSource::Istiod, "", "")];
    assert_eq!(pods(&targets(&mesh(), &choice(&[]), Some(&nameless))), ["/discovery"]);
}

#[test]
fn without_objects_logs_go_by_the_names_of_their_pods() {
    let logs = [held(LogSource::Istiod, "", ""), held(LogSource::Proxy, "web-0", "shop"), held(LogSource::Proxy, "web-1", "shop")];
    let snapshot = Snapshot { objects: Arc::default(), ..Snapshot::default() };
    assert_eq!(pods(&targets(&snapshot, &choice(&[]), Some(&logs))).len(), 3);
    for name in ["web-1", "pod/web-1", "web-1.shop"] {
        let found = targets(&snapshot, &choice(&[name]), Some(&logs));
        assert_eq!((pods(&found).len(), found.pods), (2, vec![ProxyId::new("web-1", "shop")]), "{name}");
    }
    let unknown = targets(&snapshot, &choice(&["web-9"]), Some(&logs)).unknown;
    assert_eq!(unknown, ["there is no log of web-9; there is web-0.shop, web-1.shop"]);
}
