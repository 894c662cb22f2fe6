//! Logs of a cluster whose API server ends streams, cuts them within a line, restarts containers and goes away.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;

use std::sync::Arc;
use std::time::Duration;

use fake_api::FakeApi;
use meshscope::model::ids::{ProxyId, WorkloadId, WorkloadKind};
use meshscope::model::logs::{LogOrigin, LogSource, MarkKind};
use meshscope::source::Source;
use meshscope::source::cluster::Cluster;
use meshscope::source::logs::{AT_ONCE, LogItem, LogNews, LogQuery, LogStream};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

const T: &str = "2026-11-23T19:37:41.100000000Z";
const LATER: &str = "2026-11-23T19:37:41.900000000Z";
const MUCH_LATER: &str = "2026-11-23T19:38:00.000000000Z";

/// A pod whose container is in a state.
fn pod(name: &str, uid: &str, restarts: u64, state: &Value) -> Value {
    let status = json!({"name": "istio-proxy", "restartCount": restarts, "state": state});
    json!({"metadata": {"namespace": "shop", "name": name, "uid": uid}, "status": {"phase": "Running", "containerStatuses": [status]}})
}

fn running() -> Value {
    json!({"running": {"startedAt": T}})
}

fn origin(pod: &str) -> Arc<LogOrigin> {
    let workload = Some(WorkloadId::new(WorkloadKind::Deployment, "shop", "web"));
    Arc::new(LogOrigin { source: LogSource::Proxy, pod: ProxyId::new(pod, "shop"), container: "istio-proxy".to_owned(), workload })
}

/// An API server with running pods.
async fn server(pods: &[&str]) -> FakeApi {
    let api = FakeApi::start().await;
    for name in pods {
        let mut state = api.state();
        state.put("pods", pod(name, "u1", 0, &running()));
        state.log(name, "istio-proxy", |_| {});
    }
    api
}

/// Another run of web-1 begins.
fn run_again(api: &FakeApi, uid: &str, restarts: u64, line: &str) {
    let mut state = api.state();
    state.log("web-1", "istio-proxy", |log| {
        log.restart();
        log.write(MUCH_LATER, &[line]);
    });
    state.put("pods", pod("web-1", uid, restarts, &running()));
}

/// The streams, as their reader sees them.
struct Streams {
    news: mpsc::Receiver<LogNews>,
    targets: watch::Sender<Arc<[Arc<LogOrigin>]>>,
    task: tokio::task::JoinHandle<()>,
    open: Vec<LogStream>,
}

impl Streams {
    async fn start(api: &FakeApi, query: LogQuery, pods: &[&str]) -> Self {
        let cluster = Cluster::connect(api.options()).await.unwrap();
        let (targets, wanted) = watch::channel(pods.iter().map(|pod| origin(pod)).collect());
        let (sender, news) = mpsc::channel(8);
        Self { news, targets, task: tokio::spawn(cluster.logs(query, wanted, sender)), open: Vec::new() }
    }

    async fn follow(api: &FakeApi, pods: &[&str]) -> Self {
        Self::start(api, LogQuery { follow: true, ..LogQuery::default() }, pods).await
    }

    fn want(&self, pods: &[&str]) {
        self.targets.send_replace(pods.iter().map(|pod| origin(pod)).collect());
    }

    async fn news(&mut self) -> LogNews {
        tokio::time::timeout(Duration::from_secs(10), self.news.recv()).await.expect("news come").expect("there is a source")
    }

    /// The stream of a pod that comes next.
    async fn opened(&mut self, pod: &str) -> usize {
        match self.news().await {
            LogNews::Stream(stream) => {
                assert_eq!(stream.origin, origin(pod));
                self.open.push(stream);
                self.open.len() - 1
            }
            LogNews::Mark(kind, text) => panic!("{kind:?} {text}"),
        }
    }

    /// What comes of a stream, marks in angle brackets, until an item begins like this.
    async fn until(&mut self, stream: usize, last: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        while found.last().is_none_or(|item| !item.starts_with(last)) {
            let next = tokio::time::timeout(Duration::from_secs(15), self.open[stream].batches.recv()).await;
            let Ok(Some(batch)) = next else { panic!("no {last:?} but {found:#?}") };
            found.extend(batch.items.into_iter().map(shown));
        }
        found
    }

    /// All that comes of a stream until it ends.
    async fn rest(&mut self, stream: usize) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(batch) = tokio::time::timeout(Duration::from_secs(15), self.open[stream].batches.recv()).await.unwrap() {
            found.extend(batch.items.into_iter().map(shown));
        }
        found
    }
}

fn shown(item: LogItem) -> String {
    match item {
        LogItem::Line(line) => line.text,
        LogItem::Mark(kind, text) => format!("<{kind:?}: {text}>"),
    }
}

fn requests(api: &FakeApi) -> Vec<String> {
    api.state().requests.iter().filter(|request| request.contains("/log?")).cloned().collect()
}

#[tokio::test]
async fn a_stream_that_ends_goes_on_where_it_ended() {
    let api = server(&["web-1"]).await;
    // Lines of one instant, and even the same text twice: each is a line.
    api.state().log("web-1", "istio-proxy", |log| log.write(T, &["one", "same", "same"]));
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert_eq!(streams.until(web, "same").await, ["one", "same", "same"]);
    api.state().log("web-1", "istio-proxy", |log| {
        log.end_streams();
        log.write(T, &["same", "new of the same instant"]);
        // The runtime can write what is a little older after it.
        log.write("2026-11-23T19:37:41.090000000Z", &["older"]);
        log.write(LATER, &["last"]);
    });
    let rest = streams.until(web, "last").await;
    assert_eq!(rest, ["<Resumed: goes on where it ended>", "same", "new of the same instant", "older", "last"]);
    let asked = requests(&api);
    assert!(asked[0].contains("container=istio-proxy&follow=true&timestamps=true"), "{asked:?}");
    // Whole seconds, and never those after the last line.
    assert!(asked[1].contains("sinceTime=2026-11-23T19%3A37%3A40Z"), "{asked:?}");
}

#[tokio::test]
async fn a_line_that_was_cut_comes_whole() {
    let api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| {
        log.write(T, &["one", "two of which a part comes"]);
        log.cut = Some(T.len() * 2 + 16);
    });
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert_eq!(streams.until(web, "two").await, ["one", "<Resumed: goes on where it ended>", "two of which a part comes"]);
}

#[tokio::test]
async fn what_the_kubelet_says_of_a_log_is_no_line_of_it() {
    const SAID: &str = "unable to retrieve container logs for containerd://40f214d84f73";
    let api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| {
        log.write(T, &["one"]);
        log.text.push_str(SAID);
        log.cut = Some(log.text.len());
    });
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    let mark = format!("<Waiting: the kubelet cannot read the log: {SAID}>");
    assert_eq!(streams.until(web, &mark).await, ["one", &mark]);
    api.state().log("web-1", "istio-proxy", |log| {
        log.text = log.text.replace(SAID, "");
        log.write(LATER, &["two"]);
        log.end_streams();
    });
    assert_eq!(streams.until(web, "two").await, ["<Resumed: goes on where it ended>", "two"]);
}

#[tokio::test]
async fn an_api_server_that_goes_away_is_waited_for() {
    let mut api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| log.write(T, &["one"]));
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    streams.until(web, "one").await;
    api.go_away().await;
    let said = streams.until(web, "<Waiting").await;
    assert!(said[0].contains("the connection was lost"), "{said:?}");
    api.state().log("web-1", "istio-proxy", |log| log.write(LATER, &["two"]));
    tokio::time::sleep(Duration::from_secs(1)).await;
    api.come_back().await;
    let rest = streams.until(web, "two").await;
    assert_eq!(rest.iter().filter(|item| !item.starts_with('<')).collect::<Vec<_>>(), ["two"]);
    assert!(rest.iter().any(|item| item.contains("Connection refused")), "{rest:?}");
    assert_eq!(rest[rest.len() - 2], "<Resumed: goes on where it ended>");
}

#[tokio::test]
async fn a_container_that_is_started_anew_is_marked_and_its_last_words_are_read() {
    let api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| log.write(T, &["one"]));
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    streams.until(web, "one").await;
    {
        let mut state = api.state();
        state.log("web-1", "istio-proxy", |log| {
            // Nobody saw the last line of this run.
            log.end_streams();
            log.write(LATER, &["last words"]);
            log.restart();
            log.write(LATER, &["born again"]);
        });
        state.put("pods", pod("web-1", "u1", 1, &running()));
    }
    let rest = streams.until(web, "born again").await;
    assert_eq!(rest, ["last words", "<Restarted: the container was started anew (restart 1)>", "born again"]);
    run_again(&api, "u2", 0, "of another pod");
    let rest = streams.until(web, "of another pod").await;
    assert_eq!(rest, ["<Restarted: the pod was replaced by another of the same name>", "of another pod"]);
}

#[tokio::test]
async fn a_container_that_has_ended_is_read_to_its_end_and_its_restart_awaited() {
    let api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| log.write(T, &["one"]));
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    streams.until(web, "one").await;
    {
        let mut state = api.state();
        state.put("pods", pod("web-1", "u1", 0, &json!({"terminated": {"exitCode": 1, "reason": "Error"}})));
        state.log("web-1", "istio-proxy", |log| {
            log.text.push_str(&format!("{LATER} no line end"));
            log.over = true;
        });
    }
    let rest = streams.until(web, "<Waiting").await;
    assert_eq!(rest, ["no line end", "<Waiting: it ended with exit code 1 (Error); waits for its restart>"]);
    run_again(&api, "u1", 1, "two");
    let rest = streams.until(web, "two").await;
    assert_eq!(rest, ["<Restarted: the container was started anew (restart 1)>", "two"]);
}

#[tokio::test]
async fn a_container_that_is_not_ready_is_waited_for_visibly() {
    let api = server(&[]).await;
    {
        let mut state = api.state();
        state.put("pods", pod("web-1", "u1", 0, &json!({"waiting": {"reason": "PodInitializing"}})));
        let why = "container \"istio-proxy\" in pod \"web-1\" is waiting to start: PodInitializing".to_owned();
        state.log("web-1", "istio-proxy", |log| log.refused = Some((400, why)));
    }
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert_eq!(streams.until(web, "<").await, ["<Waiting: it waits: PodInitializing>"]);
    {
        let mut state = api.state();
        state.put("pods", pod("web-1", "u1", 0, &running()));
        state.log("web-1", "istio-proxy", |log| {
            log.refused = None;
            log.write(T, &["one"]);
        });
    }
    // It was said once, however often it was tried.
    assert_eq!(streams.until(web, "one").await, ["one"]);
    let mut once = Streams::start(&api, LogQuery::default(), &["web-1"]).await;
    let web = once.opened("web-1").await;
    assert_eq!(once.rest(web).await, ["one"]);
    assert!(tokio::time::timeout(Duration::from_secs(5), once.news.recv()).await.unwrap().is_none(), "it ends with its logs");
}

#[tokio::test]
async fn the_pods_that_are_wanted_come_and_go() {
    let api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| log.write(T, &["one"]));
    let query = LogQuery { follow: true, tail: Some(1), ..LogQuery::default() };
    let mut streams = Streams::start(&api, query, &["web-1"]).await;
    let old = streams.opened("web-1").await;
    streams.until(old, "one").await;
    {
        let mut state = api.state();
        state.put("pods", pod("web-2", "u2", 0, &running()));
        state.log("web-2", "istio-proxy", |log| log.write(LATER, &["two"]));
    }
    streams.want(&["web-1", "web-2"]);
    let new = streams.opened("web-2").await;
    // A pod that came later is read from where the following began, however short the tail.
    assert_eq!(streams.until(new, "two").await, ["<Restarted: the pod web-2 is new>", "two"]);
    assert!(
        requests(&api).iter().any(|request| request.contains("web-2") && request.contains("sinceSeconds=") && !request.contains("tail"))
    );
    // The rest of a log that is on its way is still read.
    {
        let mut state = api.state();
        state.log("web-1", "istio-proxy", |log| {
            log.write(LATER, &["last words"]);
            log.over = true;
        });
        state.delete("pods", "shop", "web-1");
        state.put("pods", pod("web-3", "u3", 0, &running()));
        state.log("web-3", "istio-proxy", |log| log.write(LATER, &["three"]));
    }
    streams.want(&["web-2", "web-3"]);
    assert_eq!(streams.rest(old).await, ["last words", "<Ended: the pod is gone>"]);
    let third = streams.opened("web-3").await;
    assert_eq!(streams.until(third, "three").await[0], "<Restarted: the pod web-3 is new>");
    // One that is wanted again goes on where it was left.
    streams.want(&["web-3"]);
    let rest = streams.rest(new).await;
    assert_eq!(rest, ["<Ended: it is no longer among those that are followed>"]);
    api.state().log("web-2", "istio-proxy", |log| log.write(MUCH_LATER, &["meanwhile"]));
    streams.want(&["web-2", "web-3"]);
    let again = streams.opened("web-2").await;
    assert_eq!(streams.until(again, "meanwhile").await, ["meanwhile"]);
}

#[tokio::test]
async fn a_right_that_is_lacking_is_named() {
    let api = server(&["web-1"]).await;
    let why = "pods \"web-1\" is forbidden: User \"jane\" cannot get resource \"pods/log\"".to_owned();
    api.state().log("web-1", "istio-proxy", |log| log.refused = Some((403, why)));
    for (follow, kind) in [(true, MarkKind::Waiting), (false, MarkKind::Failed)] {
        let mut streams = Streams::start(&api, LogQuery { follow, ..LogQuery::default() }, &["web-1"]).await;
        let web = streams.opened("web-1").await;
        let said = streams.until(web, "<").await;
        assert!(said[0].starts_with(&format!("<{kind:?}")) && said[0].contains("grant get on pods/log in namespace shop"), "{said:?}");
    }
    // Logs can be read where pods can not.
    api.state().log("web-1", "istio-proxy", |log| {
        log.refused = None;
        log.write(T, &["one"]);
    });
    api.state().forbid("get", "pods", Some("shop"));
    let mut streams = Streams::follow(&api, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert_eq!(streams.until(web, "one").await, ["one"]);
}

#[tokio::test]
async fn what_is_not_followed_ends_and_a_lost_connection_is_no_loss() {
    let api = server(&["web-1"]).await;
    api.state().log("web-1", "istio-proxy", |log| log.write(T, &["one", "two"]));
    let mut streams = Streams::start(&api, LogQuery { tail: Some(1), ..LogQuery::default() }, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert_eq!(streams.rest(web).await, ["two"]);
    let mut streams = Streams::start(&api, LogQuery { previous: true, ..LogQuery::default() }, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert!(streams.rest(web).await[0].contains("previous terminated container"));
    api.state().log("web-1", "istio-proxy", |log| log.restart());
    let mut streams = Streams::start(&api, LogQuery { previous: true, ..LogQuery::default() }, &["web-1"]).await;
    let web = streams.opened("web-1").await;
    assert_eq!(streams.rest(web).await, ["one", "two"]);
}

#[tokio::test]
async fn the_bound_on_open_streams_is_said_and_places_are_taken_when_free() {
    let names: Vec<String> = (0..AT_ONCE + 2).map(|number| format!("web-{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let api = server(&names).await;
    names.iter().for_each(|name| api.state().log(name, "istio-proxy", |log| log.write(T, &[*name])));
    for follow in [false, true] {
        let mut streams = Streams::start(&api, LogQuery { follow, ..LogQuery::default() }, &names).await;
        for name in &names[..AT_ONCE] {
            streams.opened(name).await;
        }
        let LogNews::Mark(kind, text) = streams.news().await else { panic!("no mark") };
        assert_eq!(kind, if follow { MarkKind::Waiting } else { MarkKind::Failed });
        assert_eq!(text, "50 logs are read at once, and 2 more are not: name workloads to choose");
        if follow {
            streams.want(&names[1..]);
            let last = streams.opened(names[AT_ONCE]).await;
            streams.until(last, names[AT_ONCE]).await;
        }
        streams.task.abort();
    }
}
