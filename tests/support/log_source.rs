//! A live mesh of which a test makes pods and logs, and nothing else.

use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;
use meshscope::model::kind::Kind;
use meshscope::model::update::{Health, Update};
use meshscope::source::logs::{LogQuery, LogStreams, LogTargets};
use meshscope::source::{
    FailureKind, IstiodReplies, LogRequest, ProxyRequest, Reply, Source, SourceError, SourceInfo, SourceKind, Updates,
};
use serde_json::Value;
use tokio::sync::mpsc;

/// Streams the logs that are asked for.
type Logs = Box<dyn Fn(LogQuery, LogTargets, LogStreams) -> BoxFuture<'static, ()> + Send + Sync>;

pub struct LogSource {
    pub name: &'static str,
    pub pods: Vec<Value>,
    /// What a test tells of the objects, in the place of the pods.
    pub told: Mutex<Option<mpsc::Receiver<Update>>>,
    pub logs: Logs,
}

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<T, SourceError>> {
    async { Err(SourceError::new(FailureKind::Missing, "only logs", "")) }.boxed()
}

impl Source for LogSource {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Cluster, name: self.name.to_owned(), namespace: "shop".to_owned(), scenes: &[] }
    }

    fn watch(&self, updates: Updates) -> BoxFuture<'static, ()> {
        let (pods, told) = (self.pods.clone(), self.told.lock().unwrap().take());
        async move {
            if let Some(mut told) = told {
                while let Some(update) = told.recv().await {
                    let _ = updates.send(update).await;
                }
                return;
            }
            for kind in Kind::ALL {
                let objects = if kind == Kind::Pod { pods.clone() } else { Vec::new() };
                let _ = updates.send(Update::Listed { kind, namespace: None, objects }).await;
            }
            let _ = updates.send(Update::Health(Health::Live)).await;
            updates.closed().await;
        }
        .boxed()
    }

    fn proxy(&self, _: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        nothing()
    }

    fn istiod(&self, _: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>> {
        nothing()
    }

    fn log(&self, _: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        nothing()
    }

    fn logs(&self, query: LogQuery, targets: LogTargets, news: LogStreams) -> BoxFuture<'static, ()> {
        (self.logs)(query, targets, news)
    }

    fn list(&self, _: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        nothing()
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        nothing()
    }
}
