//! Connections over a port-forward, and HTTP requests on them: no local port is bound, and the connection ends with the value.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared as SharedFuture};
use http::header::{ACCEPT, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::Portforwarder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;

use super::trouble::{Cause, Trouble, bounded, seconds};
use crate::clock::{self, Instant};

/// An answer larger than this is not taken: the largest dumps seen are some hundred MiB.
pub(super) const LARGEST: usize = 1 << 30;

/// What a pod answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// How long an answer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until when something has to come. Earlier than the end, where another way could still be tried after this one.
    pub first: Instant,
    /// Until when all of it has to be there.
    pub end: Instant,
}

/// Bytes in both directions.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// Why a port cannot be used: the API server tells it here, and on the connection itself nothing ever comes.
type Reason = SharedFuture<BoxFuture<'static, Option<String>>>;

/// One port of one pod, whatever is spoken there. The connection lasts as long as the value.
pub(super) struct Port {
    error: Reason,
    number: u16,
    forwarder: Portforwarder,
}

impl Drop for Port {
    fn drop(&mut self) {
        // Left alone, it would wait for a server that may never close its end.
        self.forwarder.abort();
    }
}

impl Port {
    /// Opens a forward to a port.
    pub async fn open(pods: &Api<Pod>, pod: &str, number: u16, limits: Limits) -> Result<(Self, Box<dyn Io>), Trouble> {
        let mut forwarder = bounded(left(limits.first), pods.portforward(pod, &[number])).await?;
        let no_port = || Trouble::new(Cause::Refused, format!("the API server forwards no port {number}"));
        let stream = forwarder.take_stream(number).ok_or_else(no_port)?;
        let error = forwarder.take_error(number).ok_or_else(no_port)?.boxed().shared();
        Ok((Self { error, number, forwarder }, Box::new(stream)))
    }

    /// Why the port cannot be used, as soon as that is told.
    pub fn error(&self) -> Reason {
        self.error.clone()
    }

    /// The same in words.
    pub fn refused(&self, reason: &str) -> Trouble {
        // The kubelet wraps the reason: `error forwarding port 15000 to pod <id>, uid : failed to …: connect: connection refused`.
        let reason = if reason.contains("connection refused") { "connection refused" } else { reason };
        Trouble::new(Cause::Unreachable, format!("nothing answers on port {}: {reason}", self.number))
    }
}

/// HTTP on a connection to one port of one pod.
pub(super) struct Forward {
    sender: SendRequest<Empty<Bytes>>,
    port: Port,
    connection: AbortHandle,
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

impl Forward {
    /// Opens a forward to a port.
    pub async fn open(pods: &Api<Pod>, pod: &str, port: u16, limits: Limits) -> Result<Self, Trouble> {
        let (port, io) = Port::open(pods, pod, port, limits).await?;
        let (sender, connection) = handshake(TokioIo::new(io)).await.map_err(|error| lost(&error))?;
        // Its errors reach the sender of the request.
        let connection = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Self { sender, port, connection })
    }

    /// Sends one request and reads all of the answer.
    pub async fn ask(&mut self, method: Method, path: &str, limits: Limits) -> Result<Answer, Trouble> {
        let error = self.port.error();
        tokio::select! {
            // What the API server says is the reason; the broken connection is only its consequence.
            biased;
            Some(reason) = error => Err(self.port.refused(&reason)),
            answer = self.exchange(method, path, limits) => answer,
        }
    }

    async fn exchange(&mut self, method: Method, path: &str, limits: Limits) -> Result<Answer, Trouble> {
        let began = clock::now();
        let request = Request::builder().method(method).uri(path).header(HOST, "localhost").header(ACCEPT, accepted(path));
        let request = request.body(Empty::new());
        let request = request.map_err(|error| Trouble::new(Cause::Refused, error.to_string()))?;
        let no_answer = |_| Trouble::new(Cause::TimedOut, format!("no answer within {}", seconds(began.elapsed())));
        let sent = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        let response = match tokio::time::timeout(left(limits.first), sent).await.map_err(no_answer)? {
            Ok(response) => response,
            Err(error) => return Err(self.broken(&error).await),
        };
        let status = response.status().as_u16();
        let mut stream = response.into_body();
        let mut body = BytesMut::new();
        while let Some(frame) = tokio::time::timeout(left(limits.end), stream.frame()).await.map_err(|_| {
            let text = format!("only {} KiB of the answer came within {}", body.len() / 1024, seconds(began.elapsed()));
            Trouble::new(Cause::TooSlow, text)
        })? {
            match frame {
                Ok(frame) => body.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
                Err(error) => return Err(self.broken(&error).await),
            }
            if body.len() > LARGEST {
                return Err(Trouble::new(Cause::Answered, format!("the answer is larger than {} MiB", LARGEST >> 20)));
            }
        }
        Ok(Answer { status, body: body.freeze() })
    }

    /// The reason may come a moment after the connection broke.
    async fn broken(&self, error: &hyper::Error) -> Trouble {
        match tokio::time::timeout(Duration::from_millis(200), self.port.error()).await {
            Ok(Some(reason)) => self.port.refused(&reason),
            _ => lost(error),
        }
    }
}

/// What may come as the answer. An agent writes a warning into its log where a request for its metrics names none, and passes it on to the
/// application (`pilot/cmd/pilot-agent/status/server.go: allowedContentTypes`). No encoding is named: Envoy compresses no dump.
fn accepted(path: &str) -> &'static str {
    if path.starts_with("/stats/") { "text/plain;version=0.0.4" } else { "*/*" }
}

fn lost(error: &hyper::Error) -> Trouble {
    Trouble::new(Cause::Unreachable, format!("the connection was lost: {error}"))
}

/// What is left until a moment.
pub(super) fn left(until: Instant) -> Duration {
    until.saturating_duration_since(clock::now())
}
