//! One question and one answer of istiod's discovery service over a connection that is there already.

use std::future::{Ready, ready};
use std::io;
use std::task::{Context, Poll};

use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use futures::{StreamExt, stream};
use http::Uri;
use hyper_util::rt::TokioIo;
use tonic::codegen::Service;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::super::forward::{Io, LARGEST, Limits, Port, left};
use super::super::trouble::{Cause, Trouble, root_text, seconds};
use super::Access;
use crate::clock;

/// Hands the one connection on, once.
struct Once(Option<Box<dyn Io>>);

impl Service<Uri> for Once {
    type Response = TokioIo<Box<dyn Io>>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::Error::other("the connection was lost")))
    }
}

/// Asks, and waits for the first answer. What the API server says of the connection goes before what comes of it.
pub(super) async fn ask(
    (port, io): (Port, Box<dyn Io>),
    access: &Access,
    request: DiscoveryRequest,
    limits: Limits,
) -> Result<DiscoveryResponse, Trouble> {
    tokio::select! {
        biased;
        Some(reason) = port.error() => Err(port.refused(&reason)),
        answer = exchange(io, access, request, limits) => answer,
    }
}

async fn exchange(io: Box<dyn Io>, access: &Access, request: DiscoveryRequest, limits: Limits) -> Result<DiscoveryResponse, Trouble> {
    let began = clock::now();
    let late = |_| Trouble::new(Cause::TimedOut, format!("no answer over xDS within {}", seconds(began.elapsed())));
    // Every istiod's certificate has this name, whatever its revision (`pilot/pkg/bootstrap/server.go: initIstiodCerts`).
    let name = format!("istiod.{}.svc", access.istio_namespace);
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&access.root)).domain_name(&name);
    let endpoint = Endpoint::from_shared(format!("https://{name}:15012")).and_then(|endpoint| endpoint.tls_config(tls));
    let endpoint = endpoint
        .map_err(|error| Trouble::new(Cause::Refused, format!("the mesh's root certificate cannot be used: {}", root_text(&error))))?;
    let connected = tokio::time::timeout(left(limits.first), endpoint.connect_with_connector(Once(Some(io)))).await.map_err(late)?;
    let channel =
        connected.map_err(|error| Trouble::new(Cause::Unreachable, format!("no TLS connection to istiod: {}", root_text(&error))))?;
    let mut client = AggregatedDiscoveryServiceClient::new(channel).max_decoding_message_size(LARGEST);
    // The stream stays open until the answer is there: its end would end istiod's side too.
    let mut request = Request::new(stream::iter([request]).chain(stream::pending()));
    let bearer = access.token.bearer().parse().map_err(|_| Trouble::new(Cause::Refused, "the token cannot be sent"))?;
    request.metadata_mut().insert("authorization", bearer);
    let answer = async {
        let mut answers = client.stream_aggregated_resources(request).await?.into_inner();
        answers.message().await?.ok_or_else(|| Status::unavailable("istiod ended the connection without an answer"))
    };
    tokio::time::timeout(left(limits.end), answer).await.map_err(late)?.map_err(|status| trouble(&status))
}

/// What istiod's refusal, or the loss of the connection, means.
fn trouble(status: &Status) -> Trouble {
    let said = if status.message().is_empty() { root_text(status) } else { status.message().to_owned() };
    match status.code() {
        Code::Unauthenticated => Trouble::new(Cause::Unauthorized, format!("istiod takes the token for nobody's: {said}")),
        Code::PermissionDenied => Trouble::new(Cause::Forbidden, format!("istiod refuses the token: {said}")),
        Code::Unavailable | Code::Cancelled | Code::Unknown => {
            Trouble::new(Cause::Unreachable, format!("the connection to istiod was lost: {said}"))
        }
        Code::OutOfRange | Code::ResourceExhausted => Trouble::new(Cause::Answered, format!("the answer is too large: {said}")),
        code => Trouble::new(Cause::Answered, format!("istiod answers {code:?}: {said}")),
    }
}
