//! Drives the terminal program without a terminal: keys in, frames out, its effects performed by the real handler.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use meshscope::app::App;
use meshscope::app::clipboard::Method;
use meshscope::app::effect::Effect;
use meshscope::app::handler::World;
use meshscope::app::msg::Msg;
use meshscope::app::program::Options;
use meshscope::app::runtime::{Handler, Program, Work};
use meshscope::config::ColorSupport;
use meshscope::model::ids::ProxyId;
use meshscope::model::snapshot::Dump;
use meshscope::source::demo::Demo;
use meshscope::source::files::Files;
use meshscope::source::{SharedSource, Source, SourceInfo};
use meshscope::ui::theme::Themes;
use meshscope::ui::views;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The proxies that are asked for their dumps, in the order of the effects.
pub fn proxies_asked(effects: &[Effect]) -> Vec<ProxyId> {
    let of = |effect: &Effect| match effect {
        Effect::FetchConfigDump { request, .. } => Some(request.proxy.clone()),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

/// The program with its world.
pub struct Driver {
    pub app: App,
    /// What was asked to be copied.
    pub copied: Vec<String>,
    /// Requests for dumps, while they are held back.
    pub held: Vec<Effect>,
    hold: bool,
    world: World,
    runtime: Runtime,
    tasks: JoinSet<()>,
    sender: mpsc::Sender<Msg>,
    receiver: mpsc::Receiver<Msg>,
    themes: Themes,
    ascii: bool,
}

impl Driver {
    /// The demo, as it is when everything was read.
    pub fn demo() -> Self {
        Self::over(Arc::new(Demo::new(0).unwrap()), false)
    }

    /// A recording, read.
    pub fn recording(name: &str) -> Self {
        Self::over(Arc::new(Files::open(&super::recording(name)).unwrap()), false)
    }

    /// A source, read; with `hold`, no proxy is asked: see [`Self::release`].
    pub fn over(source: SharedSource, hold: bool) -> Self {
        let info = source.info();
        let options = Self::options(source.as_ref(), info);
        Self::with(source, options, hold)
    }

    /// Options for a source that is said to be so: its own namespace, the first theme.
    pub fn options(source: &dyn Source, info: SourceInfo) -> Options {
        Options {
            namespace: Some(info.namespace.clone()),
            scene: 0,
            deadline: Duration::from_secs(10),
            themes: 5,
            theme: 0,
            notices: Vec::new(),
            proxies: source.proxies(),
            logs_memory: 64_000_000,
            info,
        }
    }

    /// The same, with options of one's own.
    pub fn with(source: SharedSource, options: Options, hold: bool) -> Self {
        let (app, first) = App::start(options);
        let (sender, receiver) = mpsc::channel(256);
        let mut driver = Self {
            app,
            copied: Vec::new(),
            held: Vec::new(),
            hold,
            world: World::new(source, Method::Off),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap(),
            tasks: JoinSet::new(),
            sender,
            receiver,
            themes: Themes::load(&[], ColorSupport::TrueColor).0,
            ascii: false,
        };
        driver.perform(first);
        driver.settle();
        driver
    }

    /// Draws with ASCII alone and without colours from now on.
    pub fn plain(&mut self) {
        self.ascii = true;
        self.themes = Themes::load(&[], ColorSupport::Monochrome).0;
    }

    /// Types keys, `"<enter>w"`, and waits for what comes of each.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for key in parse(keys) {
            let effects = self.app.update(Msg::KeyPressed(key));
            self.perform(effects);
            self.settle();
        }
        self
    }

    /// Types keys, and performs nothing: hands back what was to be done.
    pub fn effects_of(&mut self, keys: &str) -> Vec<Effect> {
        parse(keys).into_iter().flat_map(|key| self.app.update(Msg::KeyPressed(key))).collect()
    }

    /// Lets something happen, and hands back what is to be done because of it.
    pub fn send(&mut self, msg: Msg) -> Vec<Effect> {
        self.app.update(msg)
    }

    /// Performs effects.
    pub fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Copy(text) => self.copied.push(text),
                // A live mesh is asked again and again, so that nothing would ever settle.
                Effect::FetchSync { after, .. } if !after.is_zero() => {}
                Effect::FetchConfigDump { .. } if self.hold => self.held.push(effect),
                // What is asked in the background leaves room, for which no test waits.
                Effect::Ask { ticket, question, snapshot, .. } => {
                    self.run(Effect::Ask { ticket, question, snapshot, after: Duration::ZERO });
                }
                effect => self.run(effect),
            }
        }
    }

    fn run(&mut self, effect: Effect) {
        match self.world.handle(effect, &self.sender) {
            Work::Run(_, work) => drop(self.tasks.spawn_on(work, self.runtime.handle())),
            Work::Nothing | Work::Stop(_) | Work::Write(_) | Work::Suspend { .. } | Work::TakeTerminal | Work::Redraw => {}
        }
    }

    /// Performs the requests that were held back.
    pub fn release(&mut self) {
        self.hold = false;
        let held = std::mem::take(&mut self.held);
        self.perform(held);
        self.settle();
    }

    /// Takes what happens until nothing is under way.
    pub fn settle(&mut self) {
        loop {
            let msg = self.runtime.block_on(async {
                loop {
                    if let Ok(msg) = self.receiver.try_recv() {
                        return Some(msg);
                    }
                    // A task may wait until what it has said is taken.
                    tokio::select! {
                        Some(msg) = self.receiver.recv() => return Some(msg),
                        joined = self.tasks.join_next() => if joined.is_none() {
                            return self.receiver.try_recv().ok();
                        },
                    }
                }
            });
            let Some(msg) = msg else { return };
            let effects = self.app.update(timeless(msg));
            self.perform(effects);
        }
    }

    /// What is on the screen at a size.
    pub fn screen(&mut self, (width, height): (u16, u16)) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        // What a frame tells back can change what the next one shows, as it does in the event loop.
        for _ in 0..2 {
            let mut drawn = None;
            terminal.draw(|frame| drawn = Some(views::render(&self.app, &self.themes, self.ascii, frame))).unwrap();
            self.app.drawn(drawn.unwrap());
        }
        terminal.backend().buffer().clone()
    }

    /// The same as text without styles.
    pub fn text(&mut self, size: (u16, u16)) -> String {
        let screen = super::screen::show(&self.screen(size));
        screen.split("--- styles").next().unwrap().to_owned()
    }
}

/// How long a read took differs from run to run.
fn timeless(msg: Msg) -> Msg {
    match msg {
        Msg::DumpRead { ticket, proxy, dump: Dump::Loaded(loaded), changes } => {
            let mut loaded = (*loaded).clone();
            loaded.took_ms = 0;
            Msg::DumpRead { ticket, proxy, dump: Dump::Loaded(Arc::new(loaded)), changes }
        }
        other => other,
    }
}

fn parse(keys: &str) -> Vec<KeyEvent> {
    let mut found = Vec::new();
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let code = match named {
            Some((name, after)) => {
                rest = after;
                match name {
                    "enter" => KeyCode::Enter,
                    "esc" => KeyCode::Esc,
                    "down" => KeyCode::Down,
                    "up" => KeyCode::Up,
                    "left" => KeyCode::Left,
                    "right" => KeyCode::Right,
                    "end" => KeyCode::End,
                    "pgdn" => KeyCode::PageDown,
                    "bs" => KeyCode::Backspace,
                    other => panic!("no key {other}"),
                }
            }
            None => {
                rest = &rest[first.len_utf8()..];
                KeyCode::Char(first)
            }
        };
        found.push(KeyEvent::new(code, KeyModifiers::NONE));
    }
    found
}
