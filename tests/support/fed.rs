//! A source of logs that a test feeds, and of nothing else.

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use meshscope::model::logs::LogOrigin;
use meshscope::model::update::Update;
use meshscope::source::logs::{LogBatch, LogNews, LogQuery, LogStream, LogStreams, LogTargets};
use meshscope::source::{
    FailureKind, IstiodReplies, LogRequest, ProxyRequest, Reply, SharedSource, Source, SourceError, SourceInfo, SourceKind, Updates,
};
use tokio::sync::mpsc;

#[allow(dead_code, reason = "each test file uses a part")]
/// A stream for each container, of which so many batches may wait, and where what comes of them is put in.
pub fn source(origins: &[Arc<LogOrigin>], waiting: usize) -> (SharedSource, Vec<mpsc::Sender<LogBatch>>) {
    let (feeds, batches): (Vec<_>, Vec<_>) = origins.iter().map(|_| mpsc::channel(waiting)).unzip();
    let streams = origins.iter().cloned().zip(batches).map(|(origin, batches)| LogNews::Stream(LogStream { origin, batches })).collect();
    (Arc::new(Fed { streams: Mutex::new(streams), updates: Mutex::default() }), feeds)
}

/// The same over a mesh, whose objects a test tells too.
#[allow(dead_code, reason = "each test file uses a part")]
pub fn mesh(origins: &[Arc<LogOrigin>]) -> (SharedSource, Vec<mpsc::Sender<LogBatch>>, mpsc::Sender<Update>) {
    let (feeds, batches): (Vec<_>, Vec<_>) = origins.iter().map(|_| mpsc::channel(64)).unzip();
    let streams = origins.iter().cloned().zip(batches).map(|(origin, batches)| LogNews::Stream(LogStream { origin, batches })).collect();
    let (sender, updates) = mpsc::channel(64);
    (Arc::new(Fed { streams: Mutex::new(streams), updates: Mutex::new(Some(updates)) }), feeds, sender)
}

struct Fed {
    streams: Mutex<Vec<LogNews>>,
    updates: Mutex<Option<mpsc::Receiver<Update>>>,
}

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<T, SourceError>> {
    async { Err(SourceError::new(FailureKind::Missing, "only logs", "")) }.boxed()
}

impl Source for Fed {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Cluster, name: "fed".to_owned(), namespace: "shop".to_owned(), scenes: &[] }
    }

    fn watch(&self, out: Updates) -> BoxFuture<'static, ()> {
        let updates = self.updates.lock().unwrap().take();
        async move {
            let Some(mut updates) = updates else { return };
            while let Some(update) = updates.recv().await {
                let _ = out.send(update).await;
            }
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

    fn logs(&self, _: LogQuery, _: LogTargets, news: LogStreams) -> BoxFuture<'static, ()> {
        let streams = std::mem::take(&mut *self.streams.lock().unwrap());
        async move {
            for stream in streams {
                news.send(stream).await.unwrap();
            }
            news.closed().await;
        }
        .boxed()
    }

    fn list(&self, _: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        nothing()
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        nothing()
    }
}
