//! A live cluster as a source: objects by watches, proxies and istiods by port-forward, exec and debug requests.
//!
//! Everything here only reads, but for the log level of a proxy that is set on demand. What may not be read is named with the right that is lacking, and the rest goes on.

mod away;
mod discovery;
mod dump;
mod exec;
mod follow;
mod forward;
mod gates;
mod health;
mod istiod;
mod kubeconfig;
mod list;
mod logs;
mod no_proxy;
mod object;
mod proxy;
mod pulse;
mod scope;
mod secret;
mod trouble;
mod view;
mod watch;
mod xds;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use kube::Client;

use self::gates::Gates;
use super::logs::{LogQuery, LogStreams, LogTargets};
use super::{IstiodReplies, LevelRequest, LogRequest, ProxyRequest, Reply, Source, SourceError, SourceInfo, SourceKind, Updates};
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::pull_secret::PullSecret;

/// Which cluster to read, and what of it.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// The kubeconfig; None looks where kubectl does (`$KUBECONFIG`, `~/.kube/config`, the pod's service account).
    pub kubeconfig: Option<PathBuf>,
    /// The context; None is the current one.
    pub context: Option<String>,
    /// The namespace that a person works in; None is the context's.
    pub namespace: Option<String>,
    /// The namespace of istiod.
    pub istio_namespace: String,
    /// How long one request to the API server may take.
    pub timeout: Duration,
}

/// A live cluster.
pub struct Cluster {
    shared: Arc<Shared>,
}

/// What the parts of this source share.
struct Shared {
    client: Client,
    context: String,
    server: String,
    namespace: String,
    istio_namespace: String,
    timeout: Duration,
    gates: Gates,
    xds: xds::Held,
}

impl Shared {
    /// The namespaces to fall back to where all may not be read.
    fn namespaces(&self) -> Vec<String> {
        let mut namespaces = vec![self.namespace.clone()];
        if self.istio_namespace != self.namespace {
            namespaces.push(self.istio_namespace.clone());
        }
        namespaces
    }
}

impl Cluster {
    /// Reads the kubeconfig. No request is sent: whether the cluster answers is seen by watching.
    pub async fn connect(options: ClusterOptions) -> Result<Self, SourceError> {
        let connection = kubeconfig::connect(&options).await?;
        let namespace = options.namespace.filter(|namespace| !namespace.is_empty()).unwrap_or(connection.namespace);
        let shared = Shared {
            client: connection.client,
            context: connection.context,
            server: connection.server,
            namespace,
            istio_namespace: options.istio_namespace,
            timeout: options.timeout,
            gates: Gates::default(),
            xds: xds::Held::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Source for Cluster {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Cluster, name: self.shared.context.clone(), namespace: self.shared.namespace.clone(), scenes: &[] }
    }

    fn watch(&self, updates: Updates) -> BoxFuture<'static, ()> {
        watch::run(self.shared.clone(), updates).boxed()
    }

    fn proxy(&self, request: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let shared = self.shared.clone();
        async move { proxy::ask(&shared, &request).await }.boxed()
    }

    fn view_of_istiod(&self, proxy: ProxyId) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let shared = self.shared.clone();
        async move { view::view_of(&shared, &proxy).await }.boxed()
    }

    fn set_log_level(&self, request: LevelRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let shared = self.shared.clone();
        async move { proxy::set_log_level(&shared, &request).await }.boxed()
    }

    fn istiod(&self, path: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>> {
        let shared = self.shared.clone();
        async move { istiod::ask_all(&shared, &path).await }.boxed()
    }

    fn log(&self, request: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let shared = self.shared.clone();
        async move { logs::whole::read(&shared, &request).await }.boxed()
    }

    fn logs(&self, query: LogQuery, targets: LogTargets, news: LogStreams) -> BoxFuture<'static, ()> {
        logs::run(self.shared.clone(), query, targets, news).boxed()
    }

    fn pull_secret(&self, secret: ObjectName) -> BoxFuture<'static, Result<PullSecret, SourceError>> {
        let shared = self.shared.clone();
        async move { secret::look(&shared, &secret).await }.boxed()
    }

    fn list(&self, resource: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let shared = self.shared.clone();
        async move { list::list(&shared, &resource).await }.boxed()
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        let shared = self.shared.clone();
        async move { list::recordable(&shared).await }.boxed()
    }
}
