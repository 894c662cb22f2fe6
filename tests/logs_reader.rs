//! Logs while they are read, in a time that a test moves: the window of merging, clocks that differ, and the end.
#![allow(clippy::unwrap_used)]

#[path = "support/fed.rs"]
mod fed;

use std::sync::Arc;
use std::time::Duration;

use meshscope::analysis::logs::merge::WINDOW;
use meshscope::analysis::logs::{Filter, FilterSpec};
use meshscope::ingest::collect::Collector;
use meshscope::logs::{self, View};
use meshscope::model::ids::{PluginId, PluginKind, ProxyId};
use meshscope::model::inventory::Inventory;
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogEvent, LogLine, LogOrigin, LogRecord, LogSource, LogTime, MarkKind};
use meshscope::model::update::Update;
use meshscope::source::logs::{BATCHES, LogFeed, LogItem, LogQuery};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const SECOND: LogTime = 1_000_000_000;

/// What a test holds of a reader.
struct Reading {
    feeds: Vec<LogFeed>,
    origins: Vec<Arc<LogOrigin>>,
    views: watch::Sender<Arc<View>>,
    records: mpsc::Receiver<Vec<LogRecord>>,
    task: JoinHandle<logs::Seen>,
}

impl Reading {
    fn of(pods: &[&str]) -> Self {
        Self::with_room(pods, 64)
    }

    /// A reader whose records wait in a channel of this size.
    fn with_room(pods: &[&str], room: usize) -> Self {
        let origin = |pod: &&str| {
            let pod = ProxyId::new(*pod, "shop");
            Arc::new(LogOrigin { source: LogSource::Proxy, pod, container: "istio-proxy".to_owned(), workload: None })
        };
        let origins: Vec<_> = pods.iter().map(origin).collect();
        let (source, feeds) = fed::source(&origins, room);
        let filter = Arc::new(Filter::new(FilterSpec::default(), &Default::default()).unwrap());
        let (views, view) =
            watch::channel(Arc::new(View { origins: origins.clone().into(), objects: Arc::default(), alone: true, filter }));
        let (sender, records) = mpsc::channel(room);
        let query = LogQuery { follow: true, ..LogQuery::default() };
        Self { feeds, origins, views, records, task: tokio::spawn(logs::run(source, query, view, sender)) }
    }

    /// A line comes, as soon as it was written.
    async fn line(&mut self, log: usize, time: LogTime, text: &str) {
        let line = LogLine { origin: self.origins[log].clone(), time: Some(time), text: text.to_owned(), cut: false };
        assert!(self.feeds[log].lines(vec![LogItem::Line(line)]).await);
        self.quiet(log).await;
    }

    async fn mark(&mut self, log: usize, kind: MarkKind) {
        assert!(self.feeds[log].mark(kind, format!("{kind:?}")).await);
    }

    async fn quiet(&mut self, log: usize) {
        assert!(self.feeds[log].at_end().await);
    }

    /// What is handed out by now.
    async fn out(&mut self) -> Vec<String> {
        // The reader's task runs while this one waits for the least of times.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut found = Vec::new();
        while let Ok(records) = self.records.try_recv() {
            found.extend(records.into_iter().map(|record| record.message.to_string()));
        }
        found
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_waits_for_what_was_written_before_it() {
    let mut reading = Reading::of(&["a", "b"]);
    for log in [0, 1] {
        reading.quiet(log).await;
    }
    reading.line(0, 20 * SECOND, "second").await;
    assert!(reading.out().await.is_empty());
    tokio::time::sleep(Duration::from_millis(200)).await;
    reading.line(1, 10 * SECOND, "first").await;
    assert!(reading.out().await.is_empty());
    tokio::time::sleep(Duration::from_nanos(WINDOW.unsigned_abs()) - Duration::from_millis(200)).await;
    assert_eq!(reading.out().await, ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_read_holds_nobody_up() {
    let mut reading = Reading::of(&["a", "b"]);
    let line = |text: &str| LogLine { origin: reading.origins[0].clone(), time: Some(SECOND), text: text.to_owned(), cut: false };
    let items = ["past", "more of it"].map(|text| LogItem::Line(line(text))).to_vec();
    assert!(reading.feeds[0].lines(items).await);
    assert!(reading.out().await.is_empty(), "the other has not shown its past");
    reading.mark(1, MarkKind::Waiting).await;
    assert_eq!(reading.out().await, ["Waiting", "past"]);
    reading.mark(1, MarkKind::Resumed).await;
    reading.quiet(0).await;
    assert_eq!(reading.out().await, ["Resumed"]);
    reading.quiet(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(reading.out().await, ["more of it"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_behind_is_marked_once() {
    let mut reading = Reading::of(&["right", "late"]);
    for log in [0, 1] {
        reading.quiet(log).await;
    }
    for tick in 1..=40 {
        reading.line(0, tick * SECOND, "x").await;
        reading.line(1, (tick - 7) * SECOND, "x").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut records = Vec::new();
    while let Ok(batch) = reading.records.try_recv() {
        records.extend(batch);
    }
    let skews: Vec<&LogRecord> = records.iter().filter(|record| record.event == Some(LogEvent::Mark(MarkKind::Skew))).collect();
    assert_eq!(skews.len(), 1);
    assert_eq!((skews[0].origin.pod.pod.as_str(), skews[0].origin.source), ("late", LogSource::Meshscope));
    assert!(skews[0].message.contains("7.0 s later than those of right"), "{}", skews[0].message);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_taken_slowly_are_no_clock_that_is_wrong() {
    let mut reading = Reading::with_room(&["quiet", "loud"], BATCHES);
    let began = Instant::now();
    let now = move || LogTime::try_from(began.elapsed().as_nanos()).unwrap();
    for log in [0, 1] {
        reading.quiet(log).await;
    }
    for _ in 0..40 {
        reading.line(0, now(), "x").await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        reading.out().await;
    }
    let (mut feed, origin) = (reading.feeds.remove(1), reading.origins[1].clone());
    let writing = tokio::spawn(async move {
        for _ in 0..1000 {
            let line = LogLine { origin: origin.clone(), time: Some(now()), text: "x".to_owned(), cut: false };
            assert!(feed.lines(vec![LogItem::Line(line); 20]).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let mut skews = Vec::new();
    while !writing.is_finished() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let records = reading.records.recv().await.unwrap();
        skews.extend(records.into_iter().filter(|record| record.event == Some(LogEvent::Mark(MarkKind::Skew))));
    }
    assert_eq!(skews, []);
}

#[tokio::test(start_paused = true)]
async fn a_line_is_tied_to_a_plugin_that_is_only_seen_after_it() {
    let mut reading = Reading::of(&["a"]);
    let mut collector = Collector::default();
    let pod = json!({"metadata": {"namespace": "shop", "name": "a"}, "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]}, "status": {"phase": "Running"}});
    collector.apply(Update::Applied { kind: Kind::Pod, object: pod });
    let origins: Arc<[Arc<LogOrigin>]> = reading.origins.clone().into();
    let view = |objects: Arc<Inventory>, spec: FilterSpec| {
        let filter = Arc::new(Filter::new(spec, &objects).unwrap());
        Arc::new(View { origins: origins.clone(), objects, alone: false, filter })
    };
    let hello = PluginId::new(PluginKind::WasmPlugin, "shop", "hello");
    let only = FilterSpec { plugins: vec![hello.clone()], ..FilterSpec::default() };
    reading.views.send_replace(view(collector.snapshot(Default::default()).objects, only.clone()));
    // The line can be quicker than what the API server says of the object.
    reading
        .line(0, SECOND, "1970-01-01T00:00:01.000000Z\tinfo\twasm\tfetching image hello from registry shop.example:5000 with tag v1")
        .await;
    assert!(reading.out().await.is_empty());
    let plugin = json!({"metadata": {"namespace": "shop", "name": "hello"}, "spec": {"url": "oci://shop.example:5000/hello:v1"}});
    collector.apply(Update::Applied { kind: Kind::WasmPlugin, object: plugin });
    reading.views.send_replace(view(collector.snapshot(Default::default()).objects, only));
    let records = reading.records.recv().await.unwrap();
    assert_eq!(records.iter().map(|record| record.plugin.clone()).collect::<Vec<_>>(), [Some(hello)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_back_is_handed_out_at_the_end() {
    let mut reading = Reading::of(&["a", "b"]);
    reading.line(0, 2 * SECOND, "two").await;
    reading.line(1, SECOND, "one").await;
    assert!(reading.out().await.is_empty());
    drop(reading.views);
    assert_eq!(reading.records.recv().await.unwrap().into_iter().map(|record| record.message).collect::<Vec<_>>(), ["one", "two"]);
    reading.task.await.unwrap();
    assert!(reading.records.recv().await.is_none());
}
