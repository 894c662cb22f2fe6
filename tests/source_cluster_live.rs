//! The cluster source against a live mesh. Ignored by default: needs `$KUBECONFIG` to lead to a cluster with Istio.
//!
//! `cargo test --test source_cluster_live -- --ignored --nocapture`
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::update::{Health, Update};
use meshscope::source::cluster::{Cluster, ClusterOptions};
use meshscope::source::{LogRequest, ProxyQuestion, ProxyRequest, Source};
use serde_json::Value;
use tokio::sync::mpsc;

async fn connect() -> Cluster {
    let options = ClusterOptions {
        kubeconfig: None,
        context: None,
        namespace: None,
        istio_namespace: "istio-system".to_owned(),
        timeout: Duration::from_secs(10),
    };
    Cluster::connect(options).await.unwrap()
}

/// Everything up to the moment at which the source is live.
async fn first_state(cluster: &Cluster) -> Vec<Update> {
    let (sender, mut updates) = mpsc::channel(64);
    let watch = tokio::spawn(cluster.watch(sender));
    let mut seen = Vec::new();
    let read = async {
        while let Some(update) = updates.recv().await {
            let live = matches!(update, Update::Health(Health::Live));
            seen.push(update);
            if live {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), read).await.unwrap();
    drop(updates);
    tokio::time::timeout(Duration::from_secs(5), watch).await.unwrap().unwrap();
    seen
}

/// The proxies among the listed pods.
fn proxies(seen: &[Update]) -> Vec<ProxyId> {
    let pods = seen.iter().filter_map(|update| match update {
        Update::Listed { kind: Kind::Pod, objects, .. } => Some(objects),
        _ => None,
    });
    let has_proxy = |pod: &&Value| pod["metadata"]["annotations"].get("sidecar.istio.io/status").is_some();
    let id = |pod: &Value| ProxyId::new(pod["metadata"]["name"].as_str().unwrap(), pod["metadata"]["namespace"].as_str().unwrap());
    pods.flatten().filter(has_proxy).map(id).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a live mesh"]
async fn every_kind_is_answered_for_once() {
    let cluster = connect().await;
    let mut answers: BTreeMap<Kind, usize> = BTreeMap::new();
    for update in first_state(&cluster).await {
        match &update {
            Update::Listed { kind, objects, .. } => println!("{kind}: {} objects", objects.len()),
            other => println!("{other:?}"),
        }
        match update {
            Update::Listed { kind, .. } | Update::Absent(kind) => *answers.entry(kind).or_default() += 1,
            _ => {}
        }
    }
    assert_eq!(answers.len(), Kind::ALL.len());
    assert!(answers.values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a live mesh"]
async fn every_proxy_answers_every_question() {
    let cluster = connect().await;
    let proxies = proxies(&first_state(&cluster).await);
    assert!(!proxies.is_empty());
    for proxy in proxies {
        for question in [
            ProxyQuestion::Chains,
            ProxyQuestion::WholeDump,
            ProxyQuestion::InitDump,
            ProxyQuestion::ServerInfo,
            ProxyQuestion::Certs,
            ProxyQuestion::Logging,
            ProxyQuestion::Stats,
            ProxyQuestion::AgentStats,
        ] {
            let (container, deadline) = ("istio-proxy".to_owned(), Duration::from_secs(10));
            let request = ProxyRequest { proxy: proxy.clone(), container, admin_port: 15000, question, deadline };
            let reply = cluster.proxy(request).await.unwrap();
            println!("{proxy} {question:?}: {} bytes by {} in {:?} {:?}", reply.bytes.len(), reply.way, reply.took, reply.tried);
            assert_eq!(reply.view, DumpView::Proxy);
            if question == ProxyQuestion::Chains {
                let dump: Value = serde_json::from_slice(&reply.bytes).unwrap();
                let id = dump["configs"][0]["bootstrap"]["node"]["id"].as_str().unwrap();
                assert!(id.contains(&proxy.to_string()));
                assert!(dump["configs"][1]["dynamic_listeners"].as_array().is_some_and(|listeners| !listeners.is_empty()));
            }
        }
        let log = LogRequest { pod: proxy.clone(), container: "istio-proxy".to_owned() };
        println!("{proxy} log: {} bytes", cluster.log(log).await.unwrap().bytes.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a live mesh"]
async fn what_a_recording_needs_can_be_listed() {
    let cluster = connect().await;
    for resource in cluster.recordable().await.unwrap() {
        let reply = cluster.list(resource.clone()).await.unwrap();
        let list: Value = serde_json::from_slice(&reply.bytes).unwrap();
        println!("{resource}: {} items, {} bytes", list["items"].as_array().unwrap().len(), reply.bytes.len());
    }
    for (pod, reply) in cluster.istiod("/debug/syncz".to_owned()).await.unwrap().replies {
        println!("syncz of {pod}: {} bytes", reply.bytes.len());
    }
    assert!(cluster.list("secrets".to_owned()).await.is_err());
}
