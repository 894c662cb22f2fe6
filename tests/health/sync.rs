//! What istiod says as evidence: a refusal decides where it names the plugin, and what only may matter stands beside the state.

use std::sync::Arc;

use meshscope::analysis::health::{self, EvidenceSource, Health, PluginState};
use meshscope::model::ids::ProxyId;
use meshscope::model::sync::{Client, EXTENSIONS, IstiodSync, LISTENERS, Sync, SyncState, TypeSync};

use crate::mesh::{FILE, applying, dump, in_state, mesh, module, plugin};

/// The plugin's health where istiod says this of one type of the proxy, or that the proxy is not connected.
fn told(told: Option<(&str, SyncState, &str)>) -> Health {
    let mut snapshot = mesh(&applying(), &dump(&[in_state("active_state", true)], &[module(FILE)]), None);
    let proxy = ProxyId::new("w", "n");
    let client = |(url, state, error): (&str, SyncState, &str)| Client {
        proxy: proxy.clone(),
        cluster: "Kubernetes".to_owned(),
        version: "1.31.0".to_owned(),
        types: [(
            url.to_owned(),
            TypeSync { state, sent: Some(0), sent_push: "p/2".to_owned(), acked_push: "p/1".to_owned(), error: error.to_owned() },
        )]
        .into(),
        extensions: None,
    };
    let clients = told.map(client).into_iter().collect();
    let istiod = IstiodSync {
        pod: "istiod".to_owned(),
        way: "port-forward",
        tried: Vec::new(),
        account: None,
        only: None,
        tells_watched: true,
        clients,
    };
    snapshot.sync = Some(Ok(Arc::new(Sync { istiods: vec![istiod], ..Sync::default() })));
    health::of_proxy(&snapshot, &plugin(), &proxy)
}

fn said(health: &Health) -> Option<&str> {
    health.evidence.iter().find(|evidence| evidence.source == EvidenceSource::Istiod).map(|evidence| evidence.what.as_str())
}

#[test]
fn a_refusal_that_names_the_plugin_decides() {
    for error in [
        "Unable to create Wasm plugin n.p~istio-translated-wasmplugin",
        "Error adding extensions.istio.io/trafficextension/n.p~istio-translated-wasmplugin: no.",
        "Unable to create Wasm plugin n.p.",
    ] {
        let refused = told(Some((EXTENSIONS, SyncState::Refused, error)));
        assert_eq!((refused.state, refused.evidence[0].source), (PluginState::Rejected, EvidenceSource::Istiod), "{error}");
        assert!(said(&refused).unwrap().starts_with("the proxy refused ECDS: "), "{refused:?}");
        assert_eq!(refused.evidence[0].field, "ECDS of push p/2");
    }
    for other in ["Unable to create Wasm plugin n.p2~istio-translated-wasmplugin", "no reason with a name"] {
        let fine = told(Some((EXTENSIONS, SyncState::Refused, other)));
        assert_eq!((fine.state, said(&fine)), (PluginState::Unverified, None), "{other}");
    }
}

#[test]
fn what_only_may_matter_stands_beside_the_state() {
    let listener = told(Some((LISTENERS, SyncState::Refused, "virtualInbound: no such cluster")));
    assert_eq!(
        (listener.state, said(&listener)),
        (PluginState::Unverified, Some("the proxy refused a listener: virtualInbound: no such cluster"))
    );
    let stale = told(Some((EXTENSIONS, SyncState::Stale, "")));
    assert_eq!((stale.state, said(&stale)), (PluginState::Unverified, Some("the proxy has not answered to what was sent last of ECDS")));
    let synced = told(Some((EXTENSIONS, SyncState::Synced, "")));
    assert_eq!((synced.state, said(&synced)), (PluginState::Unverified, None));
    let alone = told(None);
    assert_eq!(alone.state, PluginState::Unverified);
    assert!(said(&alone).unwrap().contains("connected to no istiod"), "{alone:?}");
}
