//! An API server on 127.0.0.1 that does what a test tells it: lists, watches, streams logs, refuses, forgets,
//! goes away and comes back.

mod answer;
mod envoy;
mod logs;
mod pods;
mod state;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

pub use self::answer::TOKEN;
pub use self::envoy::Envoy;
pub use self::pods::{Exec, Forward};
use self::state::State;

/// The server. It ends with the value.
pub struct FakeApi {
    state: Shared,
    address: SocketAddr,
    folder: TempDir,
    server: Option<JoinHandle<()>>,
}

/// What the server's connections share.
pub type Shared = Arc<Mutex<State>>;

/// The state; a test that panicked elsewhere does not matter here.
pub fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl FakeApi {
    /// A server with every kind of Istio's and none of the Gateway API's.
    pub async fn start() -> Self {
        let mut api = Self::stopped().await;
        api.come_back().await;
        api
    }

    /// A server that is not there yet, though its address is known.
    pub async fn stopped() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let api = Self { state: Arc::default(), address, folder: TempDir::new().unwrap(), server: None };
        api.write_kubeconfig(json!({"token": "t0ken"}));
        api
    }

    /// Listens (again), with everything that was known before.
    pub async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let state = self.state.clone();
        self.server = Some(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| answer::answer(state.clone(), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        }));
    }

    /// Drops every connection and listens no more.
    pub async fn go_away(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    /// Writes the kubeconfig with another user.
    pub fn write_kubeconfig(&self, user: Value) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{}", self.address)}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "fake", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
                         {"name": "other", "context": {"cluster": "c", "user": "u"}}],
        });
        std::fs::write(self.kubeconfig(), config.to_string()).unwrap();
    }

    /// Where the server listens, or will.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How a source reaches it.
    pub fn options(&self) -> meshscope::source::cluster::ClusterOptions {
        meshscope::source::cluster::ClusterOptions {
            kubeconfig: Some(self.kubeconfig()),
            context: None,
            namespace: None,
            istio_namespace: "istio-system".to_owned(),
            timeout: std::time::Duration::from_secs(2),
        }
    }

    /// Where the kubeconfig is.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The state, to change what the server has and does.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Drop for FakeApi {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
