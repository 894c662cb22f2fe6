//! A source of logs that a test feeds, and of nothing else.

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use meshscope::model::logs::LogOrigin;
use meshscope::source::logs::{LogFeed, LogNews, LogQuery, LogStream, LogStreams, LogTargets};
use meshscope::source::{
    FailureKind, IstiodReplies, LogRequest, ProxyRequest, Reply, SharedSource, Source, SourceError, SourceInfo, SourceKind, Updates,
};
use tokio::sync::mpsc;

/// A stream for each container, of which so many batches may wait, and where what comes of them is put in.
pub fn source(origins: &[Arc<LogOrigin>], waiting: usize) -> (SharedSource, Vec<LogFeed>) {
    let (outs, batches): (Vec<_>, Vec<_>) = origins.iter().map(|_| mpsc::channel(waiting)).unzip();
    let streams = origins.iter().cloned().zip(batches).map(|(origin, batches)| LogNews::Stream(LogStream { origin, batches })).collect();
    (Arc::new(Fed { streams: Mutex::new(streams) }), outs.into_iter().map(LogFeed::new).collect())
}

struct Fed {
    streams: Mutex<Vec<LogNews>>,
}

fn nothing<T: Send + 'static>() -> BoxFuture<'static, Result<T, SourceError>> {
    async { Err(SourceError::new(FailureKind::Missing, "only logs", "")) }.boxed()
}

impl Source for Fed {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Cluster, name: "fed".to_owned(), namespace: "shop".to_owned(), scenes: &[] }
    }

    fn watch(&self, _: Updates) -> BoxFuture<'static, ()> {
        async {}.boxed()
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
