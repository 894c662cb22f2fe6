//! The level of a proxy's logger, raised and put back, against an API server whose pods do as told. No cluster is needed.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_api::{Envoy, Exec, FakeApi, Forward};
use meshscope::level::{Levels, NotRaised, PutBack, request};
use meshscope::model::ids::ProxyId;
use meshscope::model::log_level::LogLevel::{self, Debug, Info, Trace, Warning};
use meshscope::source::cluster::Cluster;
use meshscope::source::demo::Demo;
use meshscope::source::{FailureKind, ProxyQuestion, ProxyRequest, Source};

const SOON: Duration = Duration::from_secs(5);

fn proxy(pod: &str) -> ProxyId {
    ProxyId::new(pod, "shop")
}

fn ask(pod: &str) -> ProxyRequest {
    let (container, question) = ("istio-proxy".to_owned(), ProxyQuestion::Logging);
    ProxyRequest { proxy: proxy(pod), container, admin_port: 15000, question, deadline: SOON }
}

/// A pod whose Envoy has its `wasm` logger at this level, and may be reached by port-forward alone.
fn envoy(api: &FakeApi, pod: &str, level: &str) -> Envoy {
    let envoy = Envoy::at(level);
    api.state().forwards.insert(pod.to_owned(), Forward::Envoy(envoy.clone()));
    api.state().execs.insert(pod.to_owned(), Exec::Forbidden);
    envoy
}

async fn levels(api: &FakeApi) -> Levels {
    Levels::of(Arc::new(Cluster::connect(api.options()).await.unwrap()))
}

async fn raise(levels: &Levels, pod: &str, level: LogLevel) -> Result<LogLevel, NotRaised> {
    let shown = levels.read(ask(pod)).await.unwrap();
    levels.raise(ask(pod), level, shown).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_level_from_before_is_put_back_whatever_it_was() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "info");
    let levels = levels(&api).await;
    assert_eq!(raise(&levels, "web-1", Debug).await, Ok(Info));
    assert_eq!(envoy.level(), "debug");
    assert_eq!(levels.put_back(&proxy("web-1"), SOON).await, PutBack::Done(Info));
    assert_eq!((envoy.level().as_str(), envoy.posted()), ("info", vec!["logging?wasm=debug".to_owned(), "logging?wasm=info".to_owned()]));
    // It is put back once.
    assert!(levels.put_back_all(SOON).await.is_empty());
    assert_eq!(envoy.posted().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_is_the_second_way() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    api.state().forwards.insert("web-1".to_owned(), Forward::Forbidden);
    api.state().execs.insert("web-1".to_owned(), Exec::Envoy(envoy.clone()));
    let levels = levels(&api).await;
    assert_eq!(raise(&levels, "web-1", Debug).await, Ok(Warning));
    assert!(levels.put_back_all(SOON).await.is_empty());
    assert_eq!(
        (envoy.level().as_str(), envoy.posted()),
        ("warning", vec!["logging?wasm=debug".to_owned(), "logging?wasm=warning".to_owned()])
    );
    // Neither way is one line, with the right that is lacking.
    api.state().execs.insert("web-1".to_owned(), Exec::Forbidden);
    let error = Cluster::connect(api.options()).await.unwrap().set_log_level(request(&ask("web-1"), Debug)).await.unwrap_err();
    assert_eq!(error.kind, FailureKind::Forbidden);
    let start =
        "cannot set the wasm logger to debug in pod web-1 in namespace shop: port-forward to port 15000: pods \"web-1\" is forbidden";
    assert!(error.what.starts_with(start), "{error}");
    assert!(error.fix.contains("pods/exec"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_has_set_meanwhile_is_left() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    raise(&levels, "web-1", Debug).await.unwrap();
    envoy.set("trace");
    let outcome = levels.put_back(&proxy("web-1"), SOON).await;
    assert_eq!(outcome, PutBack::Changed { now: Trace });
    assert_eq!(outcome.to_string(), "is at trace, which somebody else has set meanwhile: it is left so");
    assert_eq!((envoy.level().as_str(), envoy.posted().len()), ("trace", 1));
    // At the end of the program that is said, too.
    envoy.set("warning");
    raise(&levels, "web-1", Debug).await.unwrap();
    envoy.set("off");
    assert_eq!(
        levels.put_back_all(SOON).await,
        ["the wasm logger of web-1.shop is at off, which somebody else has set meanwhile: it is left so"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_was_started_anew_has_nothing_to_be_put_back() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    raise(&levels, "web-1", Debug).await.unwrap();
    envoy.set("warning");
    assert_eq!(levels.put_back(&proxy("web-1"), SOON).await, PutBack::Already(Warning));
    assert_eq!(envoy.posted(), ["logging?wasm=debug"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_gone_took_its_level_with_it() {
    let api = FakeApi::start().await;
    envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    raise(&levels, "web-1", Debug).await.unwrap();
    api.state().forwards.clear();
    api.state().execs.clear();
    assert_eq!(levels.put_back(&proxy("web-1"), SOON).await, PutBack::Gone);
    assert!(levels.put_back_all(SOON).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_put_back_still_is_to_be() {
    let mut api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    raise(&levels, "web-1", Debug).await.unwrap();
    api.go_away().await;
    let outcome = levels.put_back(&proxy("web-1"), SOON).await;
    assert!(matches!(&outcome, PutBack::Failed(why) if why.starts_with("cannot read the log levels of pod web-1")), "{outcome:?}");
    assert_eq!(outcome.to_string().lines().count(), 1);
    api.come_back().await;
    assert_eq!(levels.put_back(&proxy("web-1"), SOON).await, PutBack::Done(Warning));
    assert_eq!(envoy.level(), "warning");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_puts_all_back_in_its_time_and_says_how_to_do_the_rest() {
    let api = FakeApi::start().await;
    let (one, two) = (envoy(&api, "web-1", "warning"), envoy(&api, "web-2", "error"));
    let levels = levels(&api).await;
    raise(&levels, "web-1", Debug).await.unwrap();
    let other_port = ProxyRequest { admin_port: 15001, ..ask("web-2") };
    levels.raise(other_port, Trace, LogLevel::Error).await.unwrap();
    api.state().forwards.insert("web-2".to_owned(), Forward::Silent);
    let began = Instant::now();
    let lines = levels.put_back_all(Duration::from_secs(1)).await;
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!((one.level().as_str(), two.level().as_str()), ("warning", "trace"));
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.starts_with("the wasm logger of web-2.shop is not put back: "), "{line}");
    let by_hand = "; do it by hand: kubectl --context 'fake' exec -n shop web-2 -c istio-proxy -- pilot-agent request --debug-port 15001 POST 'logging?wasm=error'";
    assert!(line.ends_with(by_hand), "{line}");
    // Nothing is raised any more.
    let error = levels.raise(ask("web-1"), Debug, Warning).await.unwrap_err();
    assert_eq!((error.why.as_str(), one.level().as_str()), ("the program ends: nothing was changed", "warning"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_raised_when_the_program_ends_is_waited_for_and_put_back() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    envoy.slow_down(Duration::from_millis(500));
    let raising = tokio::spawn({
        let levels = levels.clone();
        async move { levels.raise(ask("web-1"), Debug, Warning).await }
    });
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert!(levels.put_back_all(SOON).await.is_empty());
    assert!(raising.is_finished());
    assert_eq!(
        (envoy.level().as_str(), envoy.posted()),
        ("warning", vec!["logging?wasm=debug".to_owned(), "logging?wasm=warning".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_breaks_puts_all_back_before_it_says_so() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    let program = tokio::spawn(async move {
        let breaks = async {
            raise(&levels, "web-1", Debug).await.unwrap();
            panic!("drawn into a corner");
        };
        levels.put_back_after::<()>(breaks, SOON, |line| panic!("{line}")).await;
    });
    assert_eq!(program.await.unwrap_err().into_panic().downcast_ref::<&str>(), Some(&"drawn into a corner"));
    assert_eq!((envoy.level().as_str(), envoy.posted().len()), ("warning", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_raised_that_is_not_as_it_was_shown_or_does_not_obey() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "info");
    let levels = levels(&api).await;
    let error = levels.raise(ask("web-1"), Debug, Warning).await.unwrap_err();
    assert_eq!(
        error,
        NotRaised {
            why: "the wasm logger of web-1.shop is at info by now, and not at warning: nothing was changed".to_owned(),
            held: false
        }
    );
    assert!(envoy.posted().is_empty());
    envoy.turn_deaf();
    let error = levels.raise(ask("web-1"), Debug, Info).await.unwrap_err();
    assert_eq!(error, NotRaised { why: "the wasm logger of web-1.shop is at info after it was set to debug".to_owned(), held: false });
    // Old agents and Envoys may list no such logger.
    api.state().forwards.insert("web-1".to_owned(), Forward::Http(|_| (200, "active loggers:\n  misc: error\n".to_owned())));
    let error = levels.read(ask("web-1")).await.unwrap_err();
    assert_eq!(error.what, "web-1.shop does not say the level of a wasm logger");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_raised_can_be_raised_otherwise_and_goes_back_to_the_beginning() {
    let api = FakeApi::start().await;
    let envoy = envoy(&api, "web-1", "warning");
    let levels = levels(&api).await;
    assert_eq!(raise(&levels, "web-1", Info).await, Ok(Warning));
    assert_eq!(raise(&levels, "web-1", Debug).await, Ok(Warning));
    // The change that does not arrive leaves the one before it in force, which is ours too.
    envoy.turn_deaf();
    let error = raise(&levels, "web-1", Trace).await.unwrap_err();
    assert!(error.held, "a deaf proxy is not put back either: {error:?}");
    let envoy = self::envoy(&api, "web-1", "debug");
    assert_eq!(levels.put_back(&proxy("web-1"), SOON).await, PutBack::Done(Warning));
    assert_eq!(envoy.level(), "warning");
}

#[tokio::test]
async fn only_a_live_mesh_has_proxies_to_change() {
    let demo = Demo::new(0).unwrap();
    let error = demo.set_log_level(request(&ask("web-1"), Debug)).await.unwrap_err();
    assert_eq!(error.to_string(), "demo is no live mesh: it has no running proxy whose log level could be changed");
}
