//! A source of logs that a test feeds.

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use meshscope::model::logs::LogOrigin;
use meshscope::model::update::Update;
use meshscope::source::SharedSource;
use meshscope::source::logs::{LogFeed, LogNews, LogStream, LogStreams};
use tokio::sync::mpsc;

#[path = "log_source.rs"]
mod log_source;

use log_source::LogSource;

#[allow(dead_code, reason = "each test file uses a part")]
/// A stream for each container, of which so many batches may wait, and where what comes of them is put in.
pub fn source(origins: &[Arc<LogOrigin>], waiting: usize) -> (SharedSource, Vec<LogFeed>) {
    over(origins, waiting, None)
}

/// The same over a mesh, whose objects a test tells too.
#[allow(dead_code, reason = "each test file uses a part")]
pub fn mesh(origins: &[Arc<LogOrigin>]) -> (SharedSource, Vec<LogFeed>, mpsc::Sender<Update>) {
    let (sender, updates) = mpsc::channel(64);
    let (source, feeds) = over(origins, 64, Some(updates));
    (source, feeds, sender)
}

fn over(origins: &[Arc<LogOrigin>], waiting: usize, told: Option<mpsc::Receiver<Update>>) -> (SharedSource, Vec<LogFeed>) {
    let (outs, batches): (Vec<_>, Vec<_>) = origins.iter().map(|_| mpsc::channel(waiting)).unzip();
    let streams = origins.iter().cloned().zip(batches).map(|(origin, batches)| LogNews::Stream(LogStream { origin, batches })).collect();
    let streams: Mutex<Vec<LogNews>> = Mutex::new(streams);
    let logs = move |_, _, news: LogStreams| {
        let streams = std::mem::take(&mut *streams.lock().unwrap());
        async move {
            for stream in streams {
                news.send(stream).await.unwrap();
            }
            news.closed().await;
        }
        .boxed()
    };
    let feeds = outs.into_iter().map(LogFeed::new).collect();
    (Arc::new(LogSource { name: "fed", pods: Vec::new(), told: Mutex::new(told), logs: Box::new(logs) }), feeds)
}
