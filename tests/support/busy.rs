//! A live mesh whose proxies never rest, and the program over it with someone at its keys.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use futures::{FutureExt, Stream, StreamExt, stream};
use meshscope::app::App;
use meshscope::app::clipboard::Method;
use meshscope::app::handler::World;
use meshscope::app::msg::Msg;
use meshscope::app::program::{Drawn, Options};
use meshscope::app::runtime::{Run, Screen};
use meshscope::config::ColorSupport;
use meshscope::model::logs::{LogLine, LogOrigin, MarkKind};
use meshscope::source::Source;
use meshscope::source::logs::{LogBatch, LogItem, LogNews, LogQuery, LogStream, LogStreams, LogTargets};
use meshscope::ui::theme::Themes;
use meshscope::ui::views;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;
use tokio::sync::mpsc;

#[path = "log_source.rs"]
mod log_source;

use log_source::LogSource;

/// A mesh whose proxies write so many lines in each burst, with so long between two.
#[derive(Clone, Copy)]
pub struct Busy {
    pub proxies: usize,
    pub burst: usize,
    pub bursts: usize,
    pub pause: Duration,
    pub mark: Option<MarkKind>,
}

impl Busy {
    /// The mesh as a source, whose logs are followed from the last lines on.
    fn source(self) -> LogSource {
        let pods = (0..self.proxies).map(|number| {
            let containers = json!([{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
            json!({"metadata": {"namespace": "shop", "name": format!("web-{number}")}, "spec": {"containers": containers},
                "status": {"phase": "Running"}})
        });
        let logs = move |query: LogQuery, targets: LogTargets, news: LogStreams| {
            assert!(query.follow && query.tail == Some(500), "a live mesh is followed from the last lines on");
            async move {
                let origins = targets.borrow().clone();
                for origin in origins.iter().cloned() {
                    let (out, batches) = mpsc::channel(4);
                    let _ = news.send(LogNews::Stream(LogStream { origin: origin.clone(), batches })).await;
                    tokio::spawn(write(self, origin, out));
                }
                news.closed().await;
            }
            .boxed()
        };
        LogSource { name: "busy", pods: pods.collect(), told: Mutex::default(), logs: Box::new(logs) }
    }
}

/// Writes a proxy's log, each line with its number, and is then at rest.
async fn write(busy: Busy, origin: Arc<LogOrigin>, out: mpsc::Sender<LogBatch>) {
    let line = |number: usize| {
        let level = if number.is_multiple_of(100) { "error" } else { "info" };
        let millis = number * 5;
        let (minutes, seconds) = (millis / 60_000 % 60, millis / 1000 % 60);
        let text = format!(
            "2026-11-23T19:{minutes:02}:{seconds:02}.{:06}Z\t{level}\tenvoy wasm source/extensions/common/wasm/context.cc:1154\twasm log shop.hello hello: number {number} \x1b[2J of {}\tthread=22",
            millis % 1000 * 1000,
            origin.pod
        );
        LogItem::Line(LogLine { origin: origin.clone(), time: None, text, cut: false })
    };
    for burst in 0..busy.bursts {
        let items = (burst * busy.burst..(burst + 1) * busy.burst).map(line).collect();
        if out.send(LogBatch { items, live: true, came: None }).await.is_err() {
            return;
        }
        tokio::time::sleep(busy.pause).await;
    }
    let mark = busy.mark.map(|kind| LogItem::Mark(kind, "the container is another one now".to_owned()));
    let _ = out.send(LogBatch { items: mark.into_iter().collect(), live: true, came: None }).await;
    let _ = out.send(LogBatch { items: Vec::new(), live: true, came: None }).await;
    out.closed().await;
}

/// What was drawn last, when keys were pressed, and how long each took to be seen.
#[derive(Clone, Default)]
pub struct Seen {
    pressed: Arc<Mutex<Vec<Instant>>>,
    pub took: Arc<Mutex<Vec<Duration>>>,
    pub most: Arc<Mutex<usize>>,
}

struct Paper {
    terminal: Terminal<TestBackend>,
    themes: Themes,
    seen: Seen,
}

impl Screen<App> for Paper {
    fn draw(&mut self, app: &App) -> io::Result<Drawn> {
        let mut drawn = None;
        self.terminal.draw(|frame| drawn = Some(views::render(app, &self.themes, false, frame))).unwrap();
        let pressed = std::mem::take(&mut *self.seen.pressed.lock().unwrap());
        self.seen.took.lock().unwrap().extend(pressed.iter().map(Instant::elapsed));
        if let Some(logs) = app.screen().logs.as_deref() {
            let mut most = self.seen.most.lock().unwrap();
            *most = (*most).max(logs.held.bytes());
        }
        Ok(drawn.unwrap())
    }

    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// Keys, each at its time from the start in milliseconds, as they would be typed whatever the program does meanwhile.
fn typed(keys: Vec<(u64, char)>, seen: Seen) -> impl Stream<Item = io::Result<Msg>> + Unpin {
    let start = Instant::now();
    Box::pin(stream::iter(keys).then(move |(at, key)| {
        let seen = seen.clone();
        async move {
            let at = start + Duration::from_millis(at);
            tokio::time::sleep_until(at.into()).await;
            seen.pressed.lock().unwrap().push(at);
            Ok(Msg::KeyPressed(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)))
        }
    }))
}

/// Runs the program over the mesh until these keys were typed; hands back what it is then, and what was seen.
pub fn run(busy: Busy, memory: usize, keys: Vec<(u64, char)>) -> (App, Seen) {
    let source = busy.source();
    let options = Options {
        info: source.info(),
        namespace: Some("shop".to_owned()),
        scene: 0,
        deadline: Duration::from_secs(5),
        themes: 1,
        theme: 0,
        notices: Vec::new(),
        proxies: Vec::new(),
        logs_memory: memory,
    };
    let seen = Seen::default();
    let terminal = Terminal::new(TestBackend::new(160, 50)).unwrap();
    let screen = Paper { terminal, themes: Themes::load(&[], ColorSupport::TrueColor).0, seen: seen.clone() };
    let handler = World::new(Arc::new(source), Method::Off);
    let (program, first) = App::start(options);
    let run = Run { program, screen, handler, input: typed(keys, seen.clone()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let app = runtime.block_on(run.until_over(first)).unwrap();
    runtime.shutdown_background();
    (app, seen)
}

/// Reads while keys are pressed for 5 s: up and the end again, other levels, the next warning. Hands back the program as it is then, and
/// what was seen.
pub fn flood(busy: Busy, memory: usize) -> (App, Seen) {
    let pressed = "kkkG+-k)(G".chars().cycle().take(90).enumerate().map(|(number, key)| (500 + 50 * number as u64, key));
    let keys = [(200, 'l')].into_iter().chain(pressed).chain([(5200, 'q')]).collect();
    run(busy, memory, keys)
}
