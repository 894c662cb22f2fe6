//! What istiods say that they would send a proxy, where their debug interface is closed: asked over xDS, and read as if it were open.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;
#[path = "support/fake_istiod.rs"]
#[allow(dead_code, reason = "what another test uses of it")]
mod fake_istiod;

use envoy_types::pb::envoy::admin::v3 as admin;
use envoy_types::pb::envoy::config::cluster::v3::{CircuitBreakers, Cluster as EnvoyCluster, circuit_breakers::Thresholds};
use envoy_types::pb::envoy::config::core::v3::{Metadata, Node, TransportSocket};
use envoy_types::pb::envoy::config::listener::v3::{Filter, FilterChain, Listener, filter};
use envoy_types::pb::envoy::config::route::v3::{RouteConfiguration, VirtualHost};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext;
use envoy_types::pb::envoy::extensions::wasm::v3::PluginConfig;
use envoy_types::pb::envoy::service::discovery::v3::DiscoveryRequest;
use envoy_types::pb::envoy::service::status::v3::ClientConfig;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Any, BoolValue, Duration, Struct, UInt32Value, Value as ProtoValue};
use fake_api::{FakeApi, Forward, TOKEN};
use fake_istiod::{ROOT, Running, Says, closed, mesh, run};
use meshscope::analysis::resources::compare;
use meshscope::ingest::config_dump;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::resources::ResourceType;
use meshscope::source::cluster::Cluster;
use meshscope::source::{FailureKind, Reply, Source, SourceError};
use prost::{Message, Name};
use serde_json::{Value, json};
use tonic::Status;

async fn ask(api: &FakeApi) -> Result<Reply, SourceError> {
    let found = Cluster::connect(api.options()).await.unwrap().view_of_istiod(ProxyId::new("web-1", "shop")).await;
    let said = format!("{found:?}");
    assert!(!said.contains(TOKEN), "the token is shown nowhere: {said}");
    found
}

async fn one(says: Says) -> (FakeApi, Running) {
    let running = run(says);
    let api = mesh(&[("istiod-1", Forward::Istiod { http: closed, xds: running.address, cut: usize::MAX })], ROOT).await;
    (api, running)
}

fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: message.encode_to_vec() }
}

/// The list of connected proxies.
fn connected(names: &[&str]) -> Vec<Any> {
    let client = |name: &&str| ClientConfig { node: Some(Node { id: (*name).to_owned(), ..Node::default() }), ..ClientConfig::default() };
    names.iter().map(|name| any(&client(name))).collect()
}

fn cluster() -> EnvoyCluster {
    let text = |text: &str| ProtoValue { kind: Some(Kind::StringValue(text.to_owned())) };
    let inner = Struct {
        fields: [("host".to_owned(), text("web.shop")), ("port".to_owned(), ProtoValue { kind: Some(Kind::NumberValue(80.0)) })].into(),
    };
    let socket = any(&UpstreamTlsContext { sni: "web".to_owned(), ..UpstreamTlsContext::default() });
    EnvoyCluster {
        name: "outbound|80||web.shop".to_owned(),
        connect_timeout: Some(Duration { seconds: 0, nanos: 250_000_000 }),
        lb_policy: 1,
        circuit_breakers: Some(CircuitBreakers {
            thresholds: vec![Thresholds { max_requests: Some(UInt32Value { value: 0 }), ..Thresholds::default() }],
            ..CircuitBreakers::default()
        }),
        metadata: Some(Metadata { filter_metadata: [("istio".to_owned(), inner)].into(), ..Metadata::default() }),
        transport_socket: Some(TransportSocket {
            name: "tls".to_owned(),
            config_type: Some(envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType::TypedConfig(socket)),
        }),
        ..EnvoyCluster::default()
    }
}

/// The sections of istiod's dump, in which a filter is of a type that only Istio's own Envoy knows.
fn sections() -> Vec<Any> {
    let unknown = Any { type_url: "type.googleapis.com/stats.PluginConfig".to_owned(), value: vec![8, 1] };
    let filter = Filter { name: "istio.stats".to_owned(), config_type: Some(filter::ConfigType::TypedConfig(unknown)) };
    let listener = Listener {
        name: "virtualOutbound".to_owned(),
        filter_chains: vec![FilterChain { filters: vec![filter], ..FilterChain::default() }],
        ..Listener::default()
    };
    let routes = RouteConfiguration {
        name: "80".to_owned(),
        virtual_hosts: vec![VirtualHost { name: "web".to_owned(), domains: vec!["web".to_owned()], ..VirtualHost::default() }],
        validate_clusters: Some(BoolValue { value: false }),
        ..RouteConfiguration::default()
    };
    let wasm = Wasm { config: Some(PluginConfig { name: "shop.plugin".to_owned(), root_id: "own".to_owned(), ..PluginConfig::default() }) };
    let active = admin::listeners_config_dump::DynamicListenerState { listener: Some(any(&listener)), ..Default::default() };
    let of_listener =
        admin::listeners_config_dump::DynamicListener { name: listener.name.clone(), active_state: Some(active), ..Default::default() };
    let of_cluster = admin::clusters_config_dump::DynamicCluster { cluster: Some(any(&cluster())), ..Default::default() };
    let of_routes = admin::routes_config_dump::DynamicRouteConfig { route_config: Some(any(&routes)), ..Default::default() };
    let of_wasm = admin::ecds_config_dump::EcdsFilterConfig { ecds_filter: Some(any(&wasm)), ..Default::default() };
    vec![
        any(&admin::BootstrapConfigDump::default()),
        any(&admin::ClustersConfigDump { dynamic_active_clusters: vec![of_cluster], ..Default::default() }),
        any(&admin::ListenersConfigDump { dynamic_listeners: vec![of_listener], ..Default::default() }),
        any(&admin::RoutesConfigDump { dynamic_route_configs: vec![of_routes], ..Default::default() }),
        any(&admin::EcdsConfigDump { ecds_filters: vec![of_wasm] }),
    ]
}

fn whole(request: &DiscoveryRequest) -> Result<Option<Vec<Any>>, Status> {
    match (request.type_url.as_str(), request.resource_names.as_slice()) {
        ("istio.io/debug/syncz", []) => Ok(Some(connected(&["web-1.shop", "web-2.shop"]))),
        ("istio.io/debug/config_dump", [proxy]) if proxy == "web-1.shop" => Ok(Some(sections())),
        other => panic!("nobody asks for {other:?}"),
    }
}

/// What Envoy writes of the same.
fn of_envoy() -> Value {
    let cluster = json!({"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "outbound|80||web.shop",
        "connect_timeout": "0.250s", "lb_policy": "LEAST_REQUEST", "circuit_breakers": {"thresholds": [{"max_requests": 0}]},
        "metadata": {"filter_metadata": {"istio": {"host": "web.shop", "port": 80}}},
        "transport_socket": {"name": "tls", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", "sni": "web"}}});
    let routes = json!({"@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", "name": "80",
        "virtual_hosts": [{"name": "web", "domains": ["web"]}], "validate_clusters": false});
    json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "dynamic_active_clusters": [{"cluster": cluster}]},
        {"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "dynamic_route_configs": [{"route_config": routes}]},
        {"@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump"}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_debug_interface_is_gone_around_and_that_is_said() {
    let (api, _istiod) = one(whole).await;
    let reply = ask(&api).await.unwrap();
    assert_eq!((reply.way, reply.view), ("xDS", DumpView::Istiod));
    assert_eq!(reply.tried, ["on port 15014: status 404: 404 page not found"]);
    let parsed = config_dump::parse(&reply.bytes, DumpView::Istiod, "istiod's dump").unwrap();
    assert!(parsed.warnings.is_empty() && parsed.cut_short.is_none(), "{:?}", parsed.warnings);
    assert_eq!(parsed.dump.listeners[0].chains[0].filters().next().unwrap().name, "istio.stats");
    assert_eq!(parsed.dump.ecds[0].name, "shop.plugin");
    // Written as Envoy writes it: only of endpoints is nothing told.
    let istiod = config_dump::resources(&reply.bytes).unwrap();
    let mut envoy = of_envoy();
    let found = compare(&istiod, &config_dump::resources(envoy.to_string().as_bytes()).unwrap());
    for of in [ResourceType::Clusters, ResourceType::Routes] {
        let compared = found[&of].as_ref().unwrap();
        assert_eq!((compared.sent, compared.held, compared.differences.as_slice()), (1, 1, &[][..]));
    }
    assert_eq!(found[&ResourceType::Endpoints], Err("istiod's dump holds no lists of endpoints".to_owned()));
    envoy["configs"][0]["dynamic_active_clusters"][0]["cluster"]["lb_policy"] = json!("RANDOM");
    let found = compare(&istiod, &config_dump::resources(envoy.to_string().as_bytes()).unwrap());
    let told = &found[&ResourceType::Clusters].as_ref().unwrap().differences[0].detail;
    assert_eq!(told, "cluster outbound|80||web.shop: lb_policy is RANDOM, istiod would send LEAST_REQUEST");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_istiod_that_has_the_proxy_is_asked() {
    fn other(request: &DiscoveryRequest) -> Result<Option<Vec<Any>>, Status> {
        assert_eq!(request.type_url, "istio.io/debug/syncz");
        Ok(Some(connected(&["web-2.shop"])))
    }
    let (first, second) = (run(other), run(whole));
    let there = |running: &Running| Forward::Istiod { http: closed, xds: running.address, cut: usize::MAX };
    let api = mesh(&[("istiod-1", there(&first)), ("istiod-2", there(&second))], ROOT).await;
    assert_eq!(ask(&api).await.unwrap().way, "xDS");
    assert_eq!((first.asked.lock().unwrap().len(), second.asked.lock().unwrap().len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_had_over_xds_is_said() {
    let cases: [(Says, FailureKind, &str); 4] = [
        (|_| Ok(Some(connected(&["web-2.shop"]))), FailureKind::Refused, "web-1.shop is connected to no istiod"),
        (|_| Ok(Some(connected(&["web-1.shop", "myweb-1.shop"]))), FailureKind::Refused, "it cannot tell web-1.shop from myweb-1.shop"),
        (|_| Err(Status::permission_denied("not yours")), FailureKind::Forbidden, "over xDS: istiod refuses the token: not yours"),
        (
            |request| Ok(Some(if request.type_url.ends_with("syncz") { connected(&["web-1.shop"]) } else { Vec::new() })),
            FailureKind::Refused,
            "istiod does not have web-1.shop, or cannot dump it",
        ),
    ];
    for (says, kind, expected) in cases {
        let (api, _istiod) = one(says).await;
        let error = ask(&api).await.unwrap_err();
        assert!(error.what.contains(expected) && error.kind == kind, "{error:?}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

/// The debug interface of an istiod that cannot dump a plugin without configuration.
fn without_extensions(path: &str) -> (u16, String) {
    match path {
        "/debug/connections" => (200, json!({"clients": [{"connectionId": "web-1.shop-3"}]}).to_string()),
        _ if path.ends_with("&types=lds,cds,rds,eds") => {
            let envoys = of_envoy();
            let cluster = &envoys["configs"][0]["dynamic_active_clusters"][0]["cluster"];
            let routes = &envoys["configs"][1]["dynamic_route_configs"][0]["route_config"];
            (200, json!({"configs": [cluster, routes]}).to_string())
        }
        _ => (500, "proto: not found".to_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_come_over_xds_where_istiod_cannot_dump_them() {
    let running = run(whole);
    let istiod = Forward::Istiod { http: without_extensions, xds: running.address, cut: usize::MAX };
    let reply = ask(&mesh(&[("istiod-1", istiod)], ROOT).await).await.unwrap();
    assert_eq!(reply.way, "port-forward");
    assert!(reply.tried[0].contains("proto: not found") && reply.tried[0].ends_with("and its ECDS over xDS"), "{:?}", reply.tried);
    let parsed = config_dump::parse(&reply.bytes, DumpView::Istiod, "istiod's dump").unwrap();
    assert_eq!((parsed.dump.ecds[0].name.as_str(), parsed.dump.listeners.len()), ("shop.plugin", 0));
    let lists = config_dump::resources(&reply.bytes).unwrap().lists;
    assert_eq!((lists[&ResourceType::Clusters].len(), lists[&ResourceType::Routes].len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_that_are_not_told_over_xds_either_are_left_out_with_the_reason() {
    let running = run(|_| Err(Status::permission_denied("not yours")));
    let istiod = Forward::Istiod { http: without_extensions, xds: running.address, cut: usize::MAX };
    let reply = ask(&mesh(&[("istiod-1", istiod)], ROOT).await).await.unwrap();
    assert!(reply.tried[0].contains("and not its ECDS over xDS") && reply.tried[0].contains("not yours"), "{:?}", reply.tried);
    assert!(config_dump::parse(&reply.bytes, DumpView::Istiod, "istiod's dump").unwrap().dump.ecds.is_empty());
}
