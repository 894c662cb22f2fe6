//! The whole state of the terminal program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::effect::Effect;
use super::keymap::Context;
use super::level::{LevelQuestion, Raised};
use super::msg::Msg;
use super::runtime::Program;
use super::screen::{Screen, Subject, Supposition};
use super::state::{Deferred, Fetch, Palette, Prompt, Tally, Ticket, Waits};
use super::update;
use crate::analysis::diff::CountChange;
use crate::clock::Instant;
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::logs::LogTime;
use crate::model::snapshot::{Dump, LoadedDump, Snapshot};
use crate::model::update::Health;
use crate::model::warning::Warning;
use crate::source::{SourceInfo, SourceKind};

/// How many proxies of a live mesh are asked where a screen concerns many: each dump stops a proxy's main thread for a moment.
pub(super) const MOST_AT_FIRST: usize = 24;

/// What the program is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The source, for the header.
    pub info: SourceInfo,
    /// The namespace to look at; None is all.
    pub namespace: Option<String>,
    /// The demo's scene.
    pub scene: usize,
    /// How long a question to a proxy may take.
    pub deadline: Duration,
    /// How many themes there are.
    pub themes: usize,
    /// The theme to begin with.
    pub theme: usize,
    /// Said at the start, such as what is wrong with a theme file.
    pub notices: Vec<String>,
    /// The proxies of a source without objects.
    pub proxies: Vec<ProxyId>,
    /// How many bytes of logs a screen holds.
    pub logs_memory: usize,
}

/// The state. Views read it; only [`Program::update`] changes it.
#[derive(Debug)]
pub struct App {
    /// What it was started with.
    pub options: Options,
    /// The world, with the dumps that were read.
    pub snapshot: Arc<Snapshot>,
    /// How the source is; None before it said anything.
    pub health: Option<Health>,
    /// Home and the way from it; the last is visible. Never empty.
    pub screens: Vec<Screen>,
    /// Where text is typed now.
    pub typing: Option<Typing>,
    /// What is waited for.
    pub waits: Waits,
    /// The last thing that happened that matters.
    pub event: Option<String>,
    /// Whether it is a failure.
    pub failed: bool,
    /// The proxy whose failure it is.
    pub(super) event_of: Option<ProxyId>,
    /// An action that waits until objects are read.
    pub(super) deferred: Option<Deferred>,
    /// What the last key came to, where no screen shows it; gone with the next key.
    pub note: Option<String>,
    /// How the counts of each proxy changed last, so that old and new are shown side by side.
    pub changes: BTreeMap<ProxyId, Vec<CountChange>>,
    /// The theme, as a place in the list of themes.
    pub theme: usize,
    /// The log levels that are raised.
    pub raised: BTreeMap<ProxyId, Raised>,
    /// What the clock said last, while levels are raised.
    pub now: Option<Instant>,
    /// Whether the clock will say it again.
    pub(super) ticking: bool,
    /// The request for a level that the next question is about.
    pub(super) level_read: Option<Ticket>,
    /// Last dump of each pod that is gone, keyed by the pod its screen shows now.
    pub(super) lost: BTreeMap<ProxyId, Arc<LoadedDump>>,
    pub(super) object_warnings: Vec<Warning>,
    pub(super) epoch: u64,
    pub(super) fetches: BTreeMap<ProxyId, Fetch>,
    /// The request to the istiods that is under way.
    pub(super) sync: Option<Ticket>,
    /// Whether the last one failed, so that what is shown is what the istiods said before.
    pub(super) sync_failed: bool,
    /// How long that request waits before it asks.
    pub(super) sync_after: Duration,
    /// What the findings come to.
    pub tally: Tally,
    pub(super) last_change: Option<String>,
    pub(super) body_height: usize,
    dirty: bool,
    over: bool,
}

/// Where keys are text.
#[derive(Debug)]
pub enum Typing {
    /// `/`: what is looked for on the visible screen.
    Find(Prompt),
    /// `:`: an action by its name.
    Command(Palette),
    /// What a question is to be asked with.
    Question(Asking, Prompt),
}

/// The questions that something is typed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Which chain takes a connection.
    Connection,
    /// What would be, of this.
    WhatIf(Supposition),
    /// Which lines are shown.
    Filter,
    /// Into which file the lines are saved.
    SaveLogs,
    /// Whether the log level of a proxy is to be changed.
    Level(LevelQuestion),
}

impl App {
    /// The program at home, and the first things to do.
    pub fn start(options: Options) -> (Self, Vec<Effect>) {
        let namespace = options.namespace.clone();
        let mut app = Self {
            snapshot: Arc::new(Snapshot::default()),
            health: None,
            screens: vec![Screen::new(Subject::Plugins { namespace })],
            typing: None,
            waits: Waits::default(),
            event: options.notices.first().cloned(),
            failed: false,
            event_of: None,
            deferred: None,
            note: None,
            changes: BTreeMap::new(),
            theme: options.theme,
            raised: BTreeMap::new(),
            now: None,
            ticking: false,
            level_read: None,
            lost: BTreeMap::new(),
            object_warnings: Vec::new(),
            epoch: 1,
            fetches: BTreeMap::new(),
            sync: None,
            sync_failed: false,
            sync_after: Duration::ZERO,
            tally: Tally::default(),
            last_change: None,
            body_height: 10,
            dirty: true,
            over: false,
            options,
        };
        let effects = update::start(&mut app);
        (app, effects)
    }

    /// The visible screen.
    pub fn screen(&self) -> &Screen {
        // `screens` is never empty: home stays.
        &self.screens[self.screens.len() - 1]
    }

    pub(super) fn screen_mut(&mut self) -> &mut Screen {
        let last = self.screens.len() - 1;
        &mut self.screens[last]
    }

    /// Where the person is, as far as keys depend on it.
    pub fn context(&self) -> Context {
        Context {
            view: self.screen().view(),
            scenes: !self.options.info.scenes.is_empty(),
            live_proxy: self.has_live_proxy(),
            no_proxy: self.has_lost_proxy(),
            typing: self.typing.is_some(),
        }
    }

    /// Whether the proxy in question is one of a live mesh that can be asked for something.
    fn has_live_proxy(&self) -> bool {
        let pods = &self.snapshot.objects.pods;
        self.options.info.kind == SourceKind::Cluster
            && update::in_question(self).and_then(|focus| pods.get(&focus.proxy)).is_some_and(|pod| pod.runs_envoy())
    }

    /// Whether the pod that the visible screen is about is gone.
    pub fn has_lost_proxy(&self) -> bool {
        self.screen().proxy().is_some_and(|proxy| self.snapshot.objects.is_gone(proxy))
    }

    /// Whether the visible findings are those of the first proxies alone, since each request costs a proxy of a live mesh a moment.
    pub fn reads_some(&self) -> bool {
        let live = self.options.info.kind == SourceKind::Cluster;
        live && !self.screen().every_proxy && self.screen().findings().is_some_and(|answer| answer.proxies.len() > MOST_AT_FIRST)
    }

    /// Whether proxies are asked for all that they say of themselves, and not for their dumps alone.
    pub(super) fn wants_vitals(&self) -> bool {
        self.screen().wants_vitals() || self.tally.reads && matches!(self.screen().subject, Subject::Plugins { .. })
    }

    /// The proxies whose dumps were read.
    pub fn proxies_read(&self) -> usize {
        self.snapshot.dumps.values().filter(|dump| matches!(dump, Dump::Loaded(_))).count()
    }

    /// How many of those did not answer when they were asked last, so that what is shown is of before.
    pub fn proxies_silent(&self) -> usize {
        let is_silent = |proxy: &&ProxyId| self.fetches.get(*proxy).is_some_and(|fetch| fetch.silent);
        self.snapshot.dumps.iter().filter(|(_, dump)| matches!(dump, Dump::Loaded(_))).map(|(proxy, _)| proxy).filter(is_silent).count()
    }

    /// When the istiods said what is shown of them, where they did not answer when they were asked last.
    pub fn istiods_as_of(&self) -> Option<LogTime> {
        self.snapshot.sync.as_ref().filter(|_| self.sync_failed)?.as_ref().ok()?.asked
    }

    /// The demo's scene; None for other sources.
    pub fn scene(&self) -> Option<&'static str> {
        self.options.info.scenes.get(self.options.scene).copied()
    }

    /// Kinds that have not been answered for yet.
    pub fn awaited(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| !self.snapshot.settled.contains(kind)).collect()
    }

    pub(super) fn leave(&mut self) {
        self.over = true;
    }
}

/// What drawing a frame reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// How many rows of the view are visible.
    pub body_height: usize,
}

impl Program for App {
    type Msg = Msg;
    type Effect = Effect;
    type Drawn = Drawn;

    fn update(&mut self, msg: Msg) -> Vec<Effect> {
        self.dirty = true;
        update::update(self, msg)
    }

    fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    fn drawn(&mut self, drawn: Drawn) {
        self.body_height = drawn.body_height;
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn task_failed(ticket: Option<Ticket>, what: String) -> Msg {
        Msg::TaskFailed(ticket, what)
    }

    fn is_continued(msg: &Msg) -> bool {
        matches!(msg, Msg::Continued)
    }
}
