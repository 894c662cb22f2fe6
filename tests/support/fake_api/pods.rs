//! What pods do: port-forwards and execs over WebSockets, and logs.

use std::net::SocketAddr;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::answer::{Body, status};
use super::envoy::Envoy;
use super::{Shared, lock, logs};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What a port-forward to a pod does. A pod without one is not there.
#[derive(Clone)]
pub enum Forward {
    /// The connection stands and nothing ever comes.
    Silent,
    /// The kubelet says that nothing listens.
    Refused,
    /// The right is lacking.
    Forbidden,
    /// It is HTTP: the answer to a path, with its status.
    Http(fn(&str) -> (u16, String)),
    /// It is HTTP, and the pod is gone in the middle of its answer: half of it comes, then the connection ends.
    Gone(fn(&str) -> (u16, String)),
    /// It leads to an Envoy.
    Envoy(Envoy),
    /// It is istiod: HTTP, but for port 15012, which leads to a server; after so many bytes of its answer the connection is cut.
    Istiod { http: fn(&str) -> (u16, String), xds: SocketAddr, cut: usize },
}

/// What an exec in a pod does.
#[derive(Clone)]
pub enum Exec {
    /// The right is lacking.
    Forbidden,
    /// It prints the answer to the arguments, and ends well or with what it prints to its error stream.
    Prints(fn(&str) -> Result<String, String>),
    /// It has `pilot-agent request` ask an Envoy.
    Envoy(Envoy),
}

/// Answers a request to a pod.
pub async fn answer(state: Shared, mut request: Request<Incoming>, namespace: &str, pod: &str, sub: &str) -> Response<Body> {
    let forbidden = |verb: &str| {
        let text = format!(
            "pods \"{pod}\" is forbidden: User \"jane\" cannot {verb} resource \"pods/{sub}\" in API group \"\" in the namespace \"{namespace}\""
        );
        status(403, "Forbidden", &text)
    };
    let missing = || status(404, "NotFound", &format!("pods \"{pod}\" not found"));
    let (forward, exec) = {
        let state = lock(&state);
        (state.forwards.get(pod).cloned(), state.execs.get(pod).cloned())
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let known = lock(&state).logs.keys().any(|(name, _)| name == pod);
    match (sub, forward, exec) {
        ("log", ..) if known => logs::answer(state, pod, &query),
        ("portforward", Some(Forward::Forbidden), _) => forbidden("create"),
        ("exec", _, Some(Exec::Forbidden)) => forbidden("create"),
        ("portforward", Some(forward), _) => {
            let port: u16 = query.split('&').find_map(|part| part.strip_prefix("ports=")).and_then(|port| port.parse().ok()).unwrap();
            upgrade(&mut request, move |socket| serve_forward(socket, port, forward))
        }
        ("exec", _, Some(Exec::Prints(prints))) => {
            let arguments = query.split('&').filter_map(|part| part.strip_prefix("command=")).collect::<Vec<_>>().join(" ");
            let arguments = arguments.replace("%2F", "/").replace("%3F", "?").replace("%3D", "=").replace("%2C", ",");
            upgrade(&mut request, move |socket| serve_exec(socket, prints(&arguments)))
        }
        ("exec", _, Some(Exec::Envoy(envoy))) => {
            let arguments = query.split('&').filter_map(|part| part.strip_prefix("command=")).collect::<Vec<_>>();
            let [.., method, path] = arguments[..] else { return missing() };
            let (code, body) = envoy.answer(method, &path.replace("%3F", "?").replace("%3D", "=")).await;
            let failed = format!("Error: received unsuccessful status code {code}: {body}\n");
            upgrade(&mut request, move |socket| serve_exec(socket, if code == 200 { Ok(body) } else { Err(failed) }))
        }
        ("log", Some(_), _) => {
            let body = Full::new(Bytes::from_static(b"2026-01-01T00:00:00Z one\n2026-01-01T00:00:01Z two\n"));
            Response::builder().status(200).body(BodyExt::boxed(body)).unwrap()
        }
        _ => missing(),
    }
}

fn upgrade<F: Future<Output = Option<()>> + Send + 'static>(
    request: &mut Request<Incoming>,
    serve: impl FnOnce(Socket) -> F + Send + 'static,
) -> Response<Body> {
    let key = request.headers().get("sec-websocket-key").unwrap().as_bytes().to_vec();
    let upgraded: OnUpgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let upgraded = upgraded.await.ok()?;
        serve(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await).await
    });
    Response::builder()
        .status(101)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-accept", derive_accept_key(&key))
        .header("sec-websocket-protocol", "v4.channel.k8s.io")
        .body(BodyExt::boxed(Full::default()))
        .unwrap()
}

async fn serve_forward(mut socket: Socket, port: u16, forward: Forward) -> Option<()> {
    let [low, high] = port.to_le_bytes();
    for channel in [0, 1] {
        send(&mut socket, channel, &[low, high]).await?;
    }
    if let Forward::Refused = forward {
        let text =
            format!("error forwarding port {port} to pod x, uid : failed to connect to localhost:{port}: connect: connection refused");
        send(&mut socket, 1, text.as_bytes()).await?;
    }
    if let (15012, Forward::Istiod { xds, cut, .. }) = (port, &forward) {
        return bridge(socket, TcpStream::connect(xds).await.ok()?, *cut).await;
    }
    let mut received = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Binary(bytes) = message else { continue };
        received.extend_from_slice(&bytes[1..]);
        let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(received.drain(..end + 4).collect()).unwrap();
        let (method, path) = head.split_once(' ').unwrap();
        let path = path.split(' ').next().unwrap();
        // An agent and an application write into their logs where none is named.
        let accepted = if path.starts_with("/stats/") { "accept: text/plain;version=0.0.4\r" } else { "accept: */*\r" };
        if !head.to_lowercase().contains(accepted) {
            send(&mut socket, 0, &http(406, &format!("{path} is asked for without `{accepted}`"))).await?;
            continue;
        }
        if let Forward::Envoy(envoy) = &forward {
            let (code, body) = envoy.answer(method, path).await;
            send(&mut socket, 0, &http(code, &body)).await?;
        }
        if let Forward::Http(answer) | Forward::Gone(answer) | Forward::Istiod { http: answer, .. } = forward {
            let (code, body) = answer(path);
            let response = http(code, &body);
            if let Forward::Gone(_) = forward {
                send(&mut socket, 0, &response[..response.len() / 2]).await?;
                return None;
            }
            send(&mut socket, 0, &response).await?;
        }
    }
    None
}

fn http(code: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Carries bytes between the port-forward and a server, until so many have come from it.
async fn bridge(mut socket: Socket, mut server: TcpStream, cut: usize) -> Option<()> {
    let mut left = cut;
    let mut buffer = vec![0; 1 << 16];
    loop {
        tokio::select! {
            message = socket.next() => match message?.ok()? {
                Message::Binary(bytes) => server.write_all(&bytes[1..]).await.ok()?,
                Message::Close(_) => return None,
                _ => {}
            },
            read = server.read(&mut buffer) => {
                let read = read.ok().filter(|read| *read > 0)?;
                left = left.checked_sub(read)?;
                send(&mut socket, 0, &buffer[..read]).await?;
            }
        }
    }
}

async fn serve_exec(mut socket: Socket, printed: Result<String, String>) -> Option<()> {
    let end = match printed {
        Ok(out) => {
            send(&mut socket, 1, out.as_bytes()).await?;
            json!({"metadata": {}, "status": "Success"})
        }
        Err(text) => {
            send(&mut socket, 2, text.as_bytes()).await?;
            json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated with non-zero exit code"})
        }
    };
    send(&mut socket, 3, end.to_string().as_bytes()).await?;
    socket.close(None).await.ok()?;
    while let Some(Ok(_)) = socket.next().await {}
    None
}

async fn send(socket: &mut Socket, channel: u8, bytes: &[u8]) -> Option<()> {
    let mut message = vec![channel];
    message.extend_from_slice(bytes);
    socket.send(Message::Binary(message.into())).await.ok()
}
