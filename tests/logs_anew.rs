//! The screen of logs while the mesh changes: what it holds is tied to the plugins that there are now, and filters and counts follow.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "support/fed.rs"]
mod fed;
mod support;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use meshscope::app::App;
use meshscope::app::clipboard::Method;
use meshscope::app::effect::Effect;
use meshscope::app::handler::World;
use meshscope::app::logs::Logs;
use meshscope::app::msg::Msg;
use meshscope::app::runtime::{Handler, Program, Work};
use meshscope::app::screen::Subject;
use meshscope::model::ids::{ProxyId, WorkloadId, WorkloadKind};
use meshscope::model::kind::Kind;
use meshscope::model::logs::{LogLine, LogOrigin, LogSource};
use meshscope::model::update::{Health, Update};
use meshscope::source::logs::{LogFeed, LogItem};
use serde_json::{Value, json};
use support::driver::Driver;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

const FETCH: &str = "info\twasm\tfetching image hello from registry shop.example:5000 with tag v1";
const ROOT: &str = "warning\tenvoy wasm source/extensions/common/wasm/context.cc:1154\twasm log hi: configured\tthread=22";
const OTHER: &str = "info\txdsproxy\tconnected to upstream XDS server";

/// The program over a mesh that a test changes, with one proxy whose log it writes.
struct Live {
    app: App,
    world: World,
    runtime: Runtime,
    sender: mpsc::Sender<Msg>,
    receiver: mpsc::Receiver<Msg>,
    updates: mpsc::Sender<Update>,
    feed: LogFeed,
    origin: Arc<LogOrigin>,
    lines: usize,
}

impl Live {
    /// With these plugins at first; the logs of the first, or of all, are open.
    fn of(plugins: &[Value]) -> Self {
        let workload = Some(WorkloadId::new(WorkloadKind::Pod, "shop", "web"));
        let origin = Arc::new(LogOrigin {
            source: LogSource::Proxy,
            pod: ProxyId::new("web", "shop"),
            container: "istio-proxy".to_owned(),
            workload,
        });
        let (source, mut feeds, updates) = fed::mesh(std::slice::from_ref(&origin));
        let (app, first) = App::start(Driver::options(source.as_ref(), source.info()));
        let (sender, receiver) = mpsc::channel(256);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let world = World::new(source, Method::Off);
        let mut live = Self { app, world, runtime, sender, receiver, updates, feed: feeds.remove(0), origin, lines: 0 };
        live.perform(first);
        for kind in Kind::ALL {
            let objects = match kind {
                Kind::Pod => vec![pod("web")],
                Kind::WasmPlugin => plugins.to_vec(),
                _ => Vec::new(),
            };
            live.tell(Update::Listed { kind, namespace: None, objects });
        }
        live.tell(Update::Health(Health::Live));
        let many = plugins.len();
        live.until("the mesh", |app| app.snapshot.objects.plugins.len() == many && app.snapshot.settled.len() == Kind::ALL.len());
        live.until("its answer", |app| many == 0 || app.screen().selected().is_some());
        live.keys("l");
        live.until("the logs", |app| app.screen().logs.as_ref().is_some_and(|logs| !logs.origins.is_empty()));
        live
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        let _inside = self.runtime.enter();
        for effect in effects {
            if let Work::Run(_, work) = self.world.handle(effect, &self.sender) {
                self.runtime.spawn(work);
            }
        }
    }

    /// Lets happen what happens until something is so.
    fn until(&mut self, what: &str, is: impl Fn(&App) -> bool) {
        while !is(&self.app) {
            let next = async { tokio::time::timeout(Duration::from_secs(20), self.receiver.recv()).await };
            let message = self.runtime.block_on(next).unwrap_or_else(|_| panic!("{what}: {:?}", self.shown())).unwrap();
            let effects = self.app.update(message);
            self.perform(effects);
        }
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\x08' => KeyCode::Backspace,
                '\x1b' => KeyCode::Esc,
                key => KeyCode::Char(key),
            };
            let effects = self.app.update(Msg::KeyPressed(KeyEvent::new(code, KeyModifiers::NONE)));
            self.perform(effects);
        }
    }

    fn tell(&mut self, update: Update) {
        self.runtime.block_on(self.updates.send(update)).unwrap();
    }

    /// Writes lines, a second apart.
    fn write(&mut self, lines: &[&str]) {
        let items = lines.iter().map(|text| {
            self.lines += 1;
            let text = format!("2026-11-23T19:00:{:02}.000000Z\t{text}", self.lines);
            LogItem::Line(LogLine { origin: self.origin.clone(), time: None, text, cut: false })
        });
        let items = items.collect();
        assert!(self.runtime.block_on(self.feed.lines(items)) && self.runtime.block_on(self.feed.at_end()));
        let lines = self.lines as u64;
        self.until("the lines", |app| logs(app).held.end() == lines);
    }

    /// Of each line that is held: the plugin and the note.
    fn tied(&self) -> Vec<(String, String)> {
        tied(&self.app)
    }

    /// The rows, as they were written, without their times.
    fn shown(&self) -> Vec<String> {
        logs(&self.app).held.shown(0..99).map(|(_, record)| record.raw.split_once('\t').unwrap().1.to_owned()).collect()
    }

    /// Types another filter, and waits for it.
    fn filter(&mut self, text: &str) {
        self.keys("F");
        self.keys(&"\x08".repeat(60));
        self.keys(&format!("{text}\n"));
        self.until("the filter", |app| logs(app).asked.is_none() && app.typing.is_none());
    }
}

/// The logs, on the visible screen or the one below.
fn logs(app: &App) -> &Logs {
    app.screens.iter().rev().find_map(|screen| screen.logs.as_deref()).unwrap()
}

fn tied(app: &App) -> Vec<(String, String)> {
    let of = |record: Arc<meshscope::model::logs::LogRecord>| {
        (record.plugin.as_ref().map(ToString::to_string).unwrap_or_default(), record.plugin_note.clone().unwrap_or_default())
    };
    logs(app).held.since(0).into_iter().map(of).collect()
}

fn plugins(app: &App) -> Vec<String> {
    tied(app).into_iter().map(|(plugin, _)| plugin).collect()
}

fn pod(name: &str) -> Value {
    let containers = json!([{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
    json!({"metadata": {"namespace": "shop", "name": name, "labels": {"app": name}}, "spec": {"containers": containers}, "status": {"phase": "Running"}})
}

fn wasm(name: &str, root_id: &str) -> Value {
    json!({"metadata": {"namespace": "shop", "name": name}, "spec": {"url": "oci://shop.example:5000/hello:v1", "pluginName": root_id}})
}

fn applied(object: Value) -> Update {
    Update::Applied { kind: Kind::WasmPlugin, object }
}

fn deleted(name: &str) -> Update {
    Update::Deleted { kind: Kind::WasmPlugin, namespace: "shop".to_owned(), name: name.to_owned() }
}

/// How many records the last minutes have.
fn counted(app: &App) -> u64 {
    logs(app).activity.last(36, Duration::ZERO).iter().map(|count| count.records).sum()
}

#[test]
fn a_line_finds_the_plugin_that_is_made_long_after_it() {
    let mut live = Live::of(&[]);
    live.write(&[FETCH, OTHER, ROOT]);
    assert_eq!(plugins(&live.app), ["", "", ""]);
    live.tell(applied(wasm("hello", "hi")));
    live.until("the plugin", |app| plugins(app) == ["shop/hello", "", "shop/hello"]);
    assert_eq!(live.tied()[2].1, "by root id hi, which no other plugin that reaches the proxy has");
    assert_eq!((live.shown().len(), counted(&live.app)), (3, 3), "the same lines are shown, and each counts once");
    live.filter("plugin=shop/hello");
    assert_eq!((live.shown(), counted(&live.app)), (vec![FETCH.to_owned(), ROOT.to_owned()], 2));
    // It goes: what was about it stays about it, and says so.
    live.tell(deleted("hello"));
    let gone = "there is no WasmPlugin shop/hello now";
    live.until("its end", |app| tied(app)[0].1 == gone && tied(app)[2].1 == gone);
    assert_eq!(
        (plugins(&live.app), live.shown().len(), counted(&live.app)),
        (vec!["shop/hello".to_owned(), String::new(), "shop/hello".to_owned()], 2, 2)
    );
    // It comes again under another name. Its name is in no line, and the filter still asks for the old one.
    live.tell(applied(wasm("greeter", "hi")));
    live.until("the other name", |app| plugins(app) == ["shop/greeter", "", "shop/greeter"]);
    assert_eq!((live.shown(), counted(&live.app)), (Vec::<String>::new(), 0));
    live.write(&[ROOT]);
    assert_eq!(live.tied()[3], live.tied()[2], "what comes is tied by the same");
    live.filter("plugin=shop/greeter");
    assert_eq!((live.shown().len(), counted(&live.app)), (3, 3));
}

#[test]
fn a_line_that_names_its_plugin_says_whether_that_is_there() {
    const NAMED: &str = "warning\tenvoy wasm source/extensions/common/wasm/context.cc:1154\twasm log shop.hello~istio-translated-wasmplugin hi: there\tthread=22";
    let mut live = Live::of(&[wasm("hello", "hi")]);
    live.write(&[NAMED, ROOT]);
    assert_eq!(live.tied()[0], ("shop/hello".to_owned(), String::new()));
    live.tell(deleted("hello"));
    let gone = ("shop/hello".to_owned(), "there is no WasmPlugin shop/hello now".to_owned());
    live.until("its end", |app| tied(app) == [gone.clone(), gone.clone()]);
    live.tell(applied(wasm("hello", "hi")));
    live.until("it again", |app| tied(app)[0].1.is_empty() && tied(app)[1].1.starts_with("by root id hi"));
}

#[test]
fn a_silent_plugin_has_spoken_once_its_lines_are_known() {
    let mut live = Live::of(&[wasm("hello", "another")]);
    live.write(&[FETCH, ROOT, OTHER]);
    assert!(logs(&live.app).is_silent());
    assert_eq!(live.shown(), [FETCH], "the screen was opened for the plugin");
    live.tell(applied(wasm("hello", "hi")));
    live.until("its word", |app| !logs(app).is_silent());
    assert_eq!(live.shown(), [FETCH, ROOT]);
    assert_eq!((logs(&live.app).selected().unwrap().0, logs(&live.app).follows), (1, true), "the youngest row stays selected");
}

#[test]
fn an_open_line_and_marks_go_along() {
    let mut live = Live::of(&[]);
    live.write(&[OTHER, ROOT, FETCH]);
    live.keys("gj k\n");
    let facts = |app: &App| match &app.screen().subject {
        Subject::Record(line) => line.facts.iter().map(|fact| format!("{} {}", fact.name, fact.value)).collect(),
        _ => Vec::<String>::new(),
    };
    assert!(facts(&live.app).iter().any(|fact| fact == "note no plugin has root id hi"), "{:?}", facts(&live.app));
    live.tell(applied(wasm("hello", "hi")));
    live.until("the plugin", |app| facts(app).iter().any(|fact| fact == "plugin shop/hello (WasmPlugin)"));
    assert_eq!(live.app.screen().rows.len(), facts(&live.app).len(), "the rows are those of the line as it is now");
    live.keys("\x1b");
    assert_eq!(logs(&live.app).held.marked().collect::<Vec<_>>(), [1]);
    assert_eq!(logs(&live.app).selected().unwrap().0, 1);
}

#[test]
fn a_filter_that_is_typed_while_the_mesh_changes_is_held_against_what_is_tied_anew() {
    let mut live = Live::of(&[]);
    live.write(&[FETCH, OTHER, ROOT]);
    // All at once: the objects come, and filters are asked for before anything is looked at anew.
    live.tell(applied(wasm("hello", "hi")));
    live.until("the object", |app| app.snapshot.objects.plugins.len() == 1);
    live.filter("plugin=shop/hello");
    live.until("the rows", |app| logs(app).held.rows() == 2 && logs(app).tie.is_none() && logs(app).asked.is_none());
    live.tell(applied(wasm("hello", "other")));
    live.until("the edit", |app| plugins(app) == ["shop/hello", "", ""]);
    assert_eq!((live.shown(), counted(&live.app)), (vec![FETCH.to_owned()], 1));
    assert_eq!(live.app.note, None);
}
