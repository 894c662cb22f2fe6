//! istiods whose debug interface on port 15014 is closed, asked over xDS: a discovery service behind an API server that does as told.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;
#[path = "support/fake_istiod.rs"]
mod fake_istiod;

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
use meshscope::source::cluster::Cluster;
use meshscope::source::{FailureKind, IstiodReplies, Source, SourceError};
use prost::Message;
use serde_json::{Value, json};
use tonic::Status;

const OTHER_ROOT: &str = include_str!("fixtures/tls/other-root.pem");
/// A connection that is not cut.
const WHOLE: usize = usize::MAX;

async fn ask(api: &FakeApi, path: &str) -> Result<IstiodReplies, SourceError> {
    let found = Cluster::connect(api.options()).await.unwrap().istiod(path.to_owned()).await;
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
    Ok(Some(vec![Any { type_url: "type.googleapis.com/envoy.service.status.v3.ClientConfig".to_owned(), value }]))
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
    assert_eq!(node.metadata.as_ref().unwrap().fields["GENERATOR"], text("event"));
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
    api.state().forbidden.insert(("create".to_owned(), "serviceaccounts/token".to_owned(), Some("istio-system".to_owned())));
    let error = ask(&api, "/debug/syncz").await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Forbidden);
    assert!(error.fix.contains("create on serviceaccounts/token in namespace istio-system"), "{error}");
    assert!(istiod.asked.lock().unwrap().is_empty());
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
