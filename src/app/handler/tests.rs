//! Answers that take long, on a clock that the test moves.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::*;
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;
use crate::source::logs::{LogQuery, LogStreams, LogTargets};
use crate::source::{
    FailureKind, IstiodReplies, LogRequest, ProxyQuestion, ProxyRequest, Reply, Source, SourceError, SourceInfo, SourceKind, Updates,
};

/// A mesh whose proxies all fail, each after this time, and some at once, as in a live mesh.
struct Slow(Duration, Arc<Semaphore>);

fn failed<T: Send + 'static>(after: Duration) -> BoxFuture<'static, Result<T, SourceError>> {
    async move {
        tokio::time::sleep(after).await;
        Err(SourceError::new(FailureKind::Unreachable, "nothing answers", ""))
    }
    .boxed()
}

impl Source for Slow {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Cluster, name: "slow".to_owned(), namespace: "default".to_owned(), scenes: &[] }
    }

    fn watch(&self, _: Updates) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }

    fn proxy(&self, _: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let (answer, turns) = (failed(self.0), self.1.clone());
        async move {
            let _turn = turns.acquire_owned().await;
            answer.await
        }
        .boxed()
    }

    fn istiod(&self, _: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>> {
        failed(self.0)
    }

    fn log(&self, _: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        failed(self.0)
    }

    fn logs(&self, _: LogQuery, _: LogTargets, _: LogStreams) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }

    fn list(&self, _: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        failed(self.0)
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        failed(self.0)
    }
}

/// How many proxies count as without an answer where this many are asked at once, and each fails after this time.
async fn unanswered(proxies: usize, after: Duration) -> usize {
    let mut world = World::new(Arc::new(Slow(after, Arc::new(Semaphore::new(PROXIES_AT_ONCE)))), Method::Off);
    let (sender, mut answers) = mpsc::channel(256);
    let mut waits = crate::app::state::Waits::default();
    for number in 0..proxies {
        let (ticket, proxy) = (waits.begin("a dump"), ProxyId::new(format!("p{number}"), "n"));
        let request = fetch::request(&Inventory::default(), &proxy, ProxyQuestion::Chains, Duration::from_secs(10));
        let (objects, after) = (Arc::default(), Duration::ZERO);
        let effect = Effect::FetchConfigDump { ticket, request, serial: 1, previous: None, objects, vital: false, after };
        let Work::Run(_, work) = world.handle(effect, &sender) else { panic!("a request is work") };
        tokio::spawn(work);
    }
    let (mut silent, mut read) = (0, 0);
    while read < proxies {
        match answers.recv().await {
            Some(Msg::Unanswered(_)) => silent += 1,
            Some(Msg::DumpRead { .. }) => read += 1,
            other => panic!("{other:?}"),
        }
    }
    silent
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_waits_for_its_turn_is_not_without_an_answer() {
    assert_eq!(unanswered(3 * PROXIES_AT_ONCE, Duration::from_secs(4)).await, 0, "the last ones answer 12 s after they were wanted");
    assert_eq!(unanswered(3 * PROXIES_AT_ONCE, Duration::from_secs(6)).await, 3 * PROXIES_AT_ONCE);
}
