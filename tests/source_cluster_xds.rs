//! istiods whose debug interface on port 15014 is closed, asked over xDS: a discovery service behind an API server that does as told.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;
#[path = "support/fake_istiod.rs"]
mod fake_istiod;

use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryRequest;
use envoy_types::pb::envoy::service::status::v3::client_config::GenericXdsConfig;
use envoy_types::pb::envoy::service::status::v3::{ClientConfig, ConfigStatus};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Any, Struct, Timestamp, Value as ProtoValue};
use fake_api::{FakeApi, Forward, TOKEN};
use fake_istiod::{ROOT, Running, Says, closed, mesh, run};
use meshscope::ingest::istiod::syncz;
use meshscope::model::ids::ProxyId;
use meshscope::model::sync::SyncState;
use meshscope::source::cluster::{Cluster, ClusterOptions};
use meshscope::source::{FailureKind, IstiodReplies, Source, SourceError};
use prost::Message;
use serde_json::{Value, json};
use tonic::Status;

const OTHER_ROOT: &str = include_str!("fixtures/tls/other-root.pem");
/// A connection that is not cut.
const WHOLE: usize = usize::MAX;

async fn ask(api: &FakeApi, path: &str) -> Result<IstiodReplies, SourceError> {
    // A busy machine takes its time for an answer of many mebibytes.
    let options = ClusterOptions { timeout: Duration::from_secs(20), ..api.options() };
    let found = Cluster::connect(options).await.unwrap().istiod(path.to_owned()).await;
    let said = format!("{found:?}");
    assert!(!said.contains(TOKEN), "the token is shown nowhere: {said}");
    if let Err(error) = &found {
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
    found
}

/// One istiod with this discovery service.
async fn one(says: Says) -> (FakeApi, Running) {
    let running = run(says);
    let api = mesh(&[("istiod-1", Forward::Istiod { http: closed, xds: running.address, cut: WHOLE })], ROOT).await;
    (api, running)
}

fn text(text: &str) -> ProtoValue {
    ProtoValue { kind: Some(Kind::StringValue(text.to_owned())) }
}

/// How `web-1.shop` stands: listeners taken, extensions refused.
fn client_configs(request: &DiscoveryRequest) -> Result<Option<Vec<Any>>, Status> {
    assert_eq!((request.type_url.as_str(), request.resource_names.len()), ("istio.io/debug/syncz", 0));
    let of = |url: &str, status: ConfigStatus, error: Option<&str>| GenericXdsConfig {
        type_url: format!("type.googleapis.com/{url}"),
        config_status: status.into(),
        last_updated: Some(Timestamp { seconds: 1_795_462_670, nanos: 0 }),
        error_state: error
            .map(|details| envoy_types::pb::envoy::admin::v3::UpdateFailureState { details: details.to_owned(), ..Default::default() }),
        ..Default::default()
    };
    let fields = [("CLUSTER_ID", "Kubernetes"), ("ISTIO_VERSION", "1.31.0"), ("NAMESPACE", "shop"), ("SECRET", "hunter2hunter2")];
    let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect();
    let config = ClientConfig {
        node: Some(Node { id: "web-1.shop".to_owned(), metadata: Some(Struct { fields }), ..Default::default() }),
        generic_xds_configs: vec![
            of("envoy.config.listener.v3.Listener", ConfigStatus::Synced, None),
            of("envoy.config.core.v3.TypedExtensionConfig", ConfigStatus::Error, Some("no such module, password=hunter2hunter2")),
        ],
        ..Default::default()
    };
    let value = config.encode_to_vec();
    Ok(Some(vec![Any { type_url: CLIENT_CONFIG.to_owned(), value }]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_debug_interface_is_gone_around_and_that_is_said() {
    let (api, istiod) = one(client_configs).await;
    let found = ask(&api, "/debug/syncz").await.unwrap();
    let (pod, reply) = &found.replies[0];
    assert_eq!((pod.as_str(), reply.way, found.silent.len()), ("istiod-1", "xDS", 0));
    assert_eq!(reply.tried, ["on port 15014: status 404: 404 page not found"]);
    assert!(!String::from_utf8_lossy(&reply.bytes).contains("SECRET"), "of the metadata only what is read");
    let client = syncz(&reply.bytes).unwrap().clients.remove(0);
    assert_eq!((client.proxy, client.cluster.as_str(), client.version.as_str()), (ProxyId::new("web-1", "shop"), "Kubernetes", "1.31.0"));
    let states: Vec<SyncState> = client.types.values().map(|sync| sync.state).collect();
    assert_eq!(states, [SyncState::Refused, SyncState::Synced]);
    let refused = client.types.values().next().unwrap();
    assert!(refused.error.starts_with("no such module") && !refused.error.contains("hunter2"), "{}", refused.error);

    // It asks under its own name, with a token that was made for istiod.
    let asked = istiod.asked.lock().unwrap();
    let (token, request) = &asked[0];
    assert_eq!(token, &format!("Bearer {TOKEN}"));
    let node = request.node.as_ref().unwrap();
    assert_eq!(node.id, "sidecar~127.0.0.1~meshscope.istio-system~istio-system.svc.cluster.local");
    let metadata = &node.metadata.as_ref().unwrap().fields;
    assert_eq!(metadata["GENERATOR"], text("event"));
    assert!(metadata.contains_key("ISTIO_VERSION"), "istiod writes a warning of a client without one");
    let made = api.state().requests.iter().any(|path| path.contains("/namespaces/istio-system/serviceaccounts/default/token"));
    assert!(made);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_many_mebibytes_comes_whole() {
    fn large(request: &DiscoveryRequest) -> Result<Option<Vec<Any>>, Status> {
        assert_eq!((request.type_url.as_str(), request.resource_names.as_slice()), ("istio.io/debug", &["adsz".to_owned()][..]));
        let value =
            json!({"clients": [{"connectionId": "web-1.shop-1", "metadata": {"pad": "x".repeat(9 << 20)}}]}).to_string().into_bytes();
        Ok(Some(vec![Any { type_url: "istio.io/debug".to_owned(), value }]))
    }
    let (api, _istiod) = one(large).await;
    let found = ask(&api, "/debug/adsz").await.unwrap();
    let answer: Value = serde_json::from_slice(&found.replies[0].1.bytes).unwrap();
    assert_eq!(answer["clients"][0]["metadata"]["pad"].as_str().unwrap().len(), 9 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_said() {
    let cases: [(Says, &str); 2] = [
        (|_| Err(Status::unauthenticated("authentication failure")), "istiod takes the token for nobody's: authentication failure"),
        (
            |_| Err(Status::permission_denied("the debug info is not available")),
            "istiod refuses the token: the debug info is not available",
        ),
    ];
    for (says, expected) in cases {
        let (api, _istiod) = one(says).await;
        let error = ask(&api, "/debug/syncz").await.unwrap_err();
        assert_eq!(error.kind, FailureKind::Forbidden);
        assert!(error.what.contains(expected) && error.what.contains("on port 15014: status 404"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_lacking_is_named() {
    let (api, istiod) = one(client_configs).await;
    for namespace in ["istio-system", "shop"] {
        forbid(&api, "create", "serviceaccounts/token", namespace);
    }
    let error = ask(&api, "/debug/syncz").await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Forbidden);
    assert!(error.fix.contains("create on serviceaccounts/token in namespace istio-system"), "{error}");
    assert!(error.what.contains("and in namespace shop: "), "{error}");
    assert!(istiod.asked.lock().unwrap().is_empty());
}

/// Takes a right in a namespace away.
fn forbid(api: &FakeApi, verb: &str, resource: &str, namespace: &str) {
    api.state().forbidden.insert((verb.to_owned(), resource.to_owned(), Some(namespace.to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_a_token_of_istiods_namespace_it_is_asked_as_an_account_of_ones_own() {
    let (api, istiod) = one(only_syncz).await;
    forbid(&api, "create", "serviceaccounts/token", "istio-system");
    forbid(&api, "get", "configmaps", "istio-system");
    let metadata = json!({"namespace": "shop", "name": "istio-ca-root-cert"});
    api.state().put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"root-cert.pem": ROOT}}));
    let found = ask(&api, "/debug/syncz").await.unwrap();
    let reply = &found.replies[0].1;
    let asked_as = reply.asked_as.as_ref().unwrap();
    assert_eq!((asked_as.account.to_string().as_str(), asked_as.sees_all), ("shop/default", false));
    assert!(reply.tried[1].starts_with("a token of service account istio-system/default: serviceaccounts"), "{:?}", reply.tried);
    // It says that it is of the token's namespace: of another one istiod would refuse it.
    assert_eq!(istiod.asked.lock().unwrap()[0].1.node.as_ref().unwrap().id, "sidecar~127.0.0.1~meshscope.shop~shop.svc.cluster.local");
    assert!(api.state().requests.iter().any(|path| path.contains("/namespaces/shop/serviceaccounts/default/token")));

    // As that account istiod tells of its namespace alone, and this is said.
    let source = Arc::new(Cluster::connect(api.options()).await.unwrap());
    let sync = meshscope::fetch::sync(source).await.unwrap();
    assert_eq!((sync.istiods[0].account.as_deref(), sync.istiods[0].only.as_deref()), (Some("shop/default"), Some("shop")));
    assert!(sync.tells_of("shop") && !sync.tells_of("team"));
    let said: Vec<String> = sync.gaps.iter().map(ToString::to_string).collect();
    let told = |what: &str| assert!(said.iter().any(|said| said.contains(what)), "{said:?}");
    told("as service account shop/default, which it tells of the proxies of namespace shop alone");
    told("istiod refuses the token: the debug info is not available for current identity (service account shop/default)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_istiod_that_tells_any_account_of_all_is_believed() {
    fn of_all(request: &DiscoveryRequest) -> Result<Option<Vec<Any>>, Status> {
        let node = Node { id: "web-1.team".to_owned(), metadata: Some(Struct::default()), ..Default::default() };
        let value = ClientConfig { node: Some(node), ..Default::default() }.encode_to_vec();
        let more = Any { value, type_url: CLIENT_CONFIG.to_owned() };
        Ok(only_syncz(request)?.map(|own| own.into_iter().chain([more]).collect()))
    }
    let (api, _istiod) = one(of_all).await;
    let sync = |api: &FakeApi| {
        let options = api.options();
        async move { meshscope::fetch::sync(Arc::new(Cluster::connect(options).await.unwrap())).await.unwrap() }
    };
    let as_istioctl = sync(&api).await;
    assert_eq!((as_istioctl.istiods[0].account.as_deref(), as_istioctl.istiods[0].only.as_deref()), (Some("istio-system/default"), None));
    forbid(&api, "create", "serviceaccounts/token", "istio-system");
    let as_own = sync(&api).await;
    assert_eq!((as_own.istiods[0].account.as_deref(), as_own.istiods[0].only.as_deref()), (Some("shop/default"), None));
}

const CLIENT_CONFIG: &str = "type.googleapis.com/envoy.service.status.v3.ClientConfig";

/// What an istiod tells an account that is not of its namespace.
fn only_syncz(request: &DiscoveryRequest) -> Result<Option<Vec<Any>>, Status> {
    match request.type_url.as_str() {
        "istio.io/debug/syncz" => client_configs(request),
        _ => Err(Status::permission_denied("the debug info is not available for current identity")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_in_the_middle_is_said() {
    let (api, _istiod) = one(|_| Ok(None)).await;
    let error = ask(&api, "/debug/syncz").await.unwrap_err();
    assert!(error.what.contains("the connection to istiod was lost: istiod ended the connection without an answer"), "{error}");

    let running = run(|_| Ok(Some(vec![Any { type_url: "istio.io/debug".to_owned(), value: vec![b'['; 4 << 20] }])));
    let api = mesh(&[("istiod-1", Forward::Istiod { http: closed, xds: running.address, cut: 1 << 20 })], ROOT).await;
    let error = ask(&api, "/debug/adsz").await.unwrap_err();
    assert!(error.what.contains("the connection to istiod was lost"), "{error}");
    assert_eq!(error.kind, FailureKind::Unreachable);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_replicas_the_one_that_answers_is_enough() {
    let running = run(client_configs);
    let there = Forward::Istiod { http: closed, xds: running.address, cut: WHOLE };
    let api = mesh(&[("istiod-1", Forward::Refused), ("istiod-2", there)], ROOT).await;
    let found = ask(&api, "/debug/syncz").await.unwrap();
    assert_eq!((found.replies.len(), found.replies[0].0.as_str(), found.silent.len()), (1, "istiod-2", 1));
    assert!(found.silent[0].starts_with("istiod-1: ") && found.silent[0].contains("connection refused"), "{:?}", found.silent);
    let tokens = api.state().requests.iter().filter(|path| path.contains("/token")).count();
    assert_eq!(tokens, 1, "one token for all");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_istiod_that_another_root_vouches_for_is_not_trusted() {
    let running = run(client_configs);
    let forward = Forward::Istiod { http: closed, xds: running.address, cut: WHOLE };
    let api = mesh(&[("istiod-1", forward.clone())], OTHER_ROOT).await;
    let error = ask(&api, "/debug/syncz").await.unwrap_err();
    assert!(error.what.contains("no TLS connection to istiod: invalid peer certificate: UnknownIssuer"), "{error}");
    let api = mesh(&[("istiod-1", forward)], "no certificate").await;
    let error = ask(&api, "/debug/syncz").await.unwrap_err();
    assert!(error.what.contains("over xDS"), "{error}");
    assert!(running.asked.lock().unwrap().is_empty(), "the token was sent to nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_istiod_answers_is_not_asked_for_twice() {
    fn open(path: &str) -> (u16, String) {
        match path {
            "/debug/syncz" => (200, "[]".to_owned()),
            _ => (404, "Proxy not connected to this Pilot instance. It may be connected to another instance.\n".to_owned()),
        }
    }
    let running = run(|_| Err(Status::internal("nobody asks here")));
    let api = mesh(&[("istiod-1", Forward::Istiod { http: open, xds: running.address, cut: WHOLE })], ROOT).await;
    let found = ask(&api, "/debug/syncz").await.unwrap();
    assert_eq!((found.replies[0].1.way, found.replies[0].1.tried.len()), ("port-forward", 0));
    let error = ask(&api, "/debug/config_dump?proxyID=web-1.shop").await.unwrap_err();
    assert!(error.what.contains("Proxy not connected"), "{error}");
    assert!(!api.state().requests.iter().any(|path| path.contains("/token")), "no token is made that nobody needs");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_istiod_does_not_have_over_xds_is_said_in_its_words() {
    let (api, _istiod) =
        one(|_| Ok(Some(vec![Any { type_url: "istio.io/debug".to_owned(), value: b"404 page not found\n".to_vec() }]))).await;
    let error = ask(&api, "/debug/adsz").await.unwrap_err();
    assert!(error.what.contains("over xDS: istiod says: 404 page not found"), "{error}");
    assert_eq!(ask(&api, "/version").await.unwrap().replies[0].1.way, "port-forward");
}
