//! istiods whose discovery service says what a test tells it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::google::protobuf::Any;
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::json;
use tokio::task::JoinHandle;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

use super::fake_api::{FakeApi, Forward};

/// The root that the discovery services' certificate is of.
pub const ROOT: &str = include_str!("../fixtures/tls/root.pem");

/// What a discovery service says to a request.
pub type Says = fn(&DiscoveryRequest) -> Result<Option<Vec<Any>>, Status>;

/// A discovery service; it keeps what it was asked, with the token.
struct Istiod {
    says: Says,
    asked: Asked,
}

/// What it was asked, each with the token.
pub type Asked = Arc<Mutex<Vec<(String, DiscoveryRequest)>>>;

#[tonic::async_trait]
impl AggregatedDiscoveryService for Istiod {
    type StreamAggregatedResourcesStream = BoxStream<'static, Result<DiscoveryResponse, Status>>;
    type DeltaAggregatedResourcesStream = BoxStream<'static, Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Self::StreamAggregatedResourcesStream>, Status> {
        let token = request.metadata().get("authorization").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        let first = request.into_inner().message().await?.unwrap();
        let said = (self.says)(&first)?;
        let answer = said.map(|resources| Ok(DiscoveryResponse { type_url: first.type_url.clone(), resources, ..Default::default() }));
        self.asked.lock().unwrap().push((token, first));
        Ok(Response::new(match answer {
            Some(answer) => stream::iter([answer]).chain(stream::pending()).boxed(),
            None => stream::empty().boxed(),
        }))
    }

    async fn delta_aggregated_resources(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaAggregatedResourcesStream>, Status> {
        Err(Status::unimplemented("not here"))
    }
}

/// A discovery service that listens. It ends with the value.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it was asked.
    pub asked: Asked,
    server: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Starts one.
pub fn run(says: Says) -> Running {
    let asked = Asked::default();
    let service = AggregatedDiscoveryServiceServer::new(Istiod { says, asked: asked.clone() }).max_encoding_message_size(1 << 30);
    let identity = Identity::from_pem(include_str!("../fixtures/tls/istiod.pem"), include_str!("../fixtures/tls/istiod.key"));
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = incoming.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let server = Server::builder().tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
        let _ = server.serve_with_incoming(service, incoming).await;
    });
    Running { address, asked, server }
}

/// The debug interface of an istiod with `ENABLE_DEBUG_ON_HTTP=false`.
pub fn closed(path: &str) -> (u16, String) {
    match path {
        "/version" => (200, "1.31.0-abc-Clean".to_owned()),
        _ => (404, "404 page not found\n".to_owned()),
    }
}

/// A mesh with these istiods, and this root.
pub async fn mesh(istiods: &[(&str, Forward)], root: &str) -> FakeApi {
    let api = FakeApi::start().await;
    for (name, forward) in istiods {
        let metadata = json!({"namespace": "istio-system", "name": name, "labels": {"app": "istiod"}});
        api.state().put("pods", json!({"metadata": metadata, "status": {"phase": "Running"}}));
        api.state().forwards.insert((*name).to_owned(), forward.clone());
    }
    let metadata = json!({"namespace": "istio-system", "name": "istio-ca-root-cert"});
    api.state().put("configmaps", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"root-cert.pem": root}}));
    api
}
