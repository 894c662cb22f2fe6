//! The demo: a recorded mesh in three mTLS modes, embedded in the program. It needs no cluster, no file, no network.

use futures::future::BoxFuture;

use super::files::Files;
use super::logs::{LogQuery, LogStreams, LogTargets};
use super::record::Lacks;
use super::{IstiodReplies, LogRequest, ProxyRequest, Reply, Source, SourceError, SourceInfo, SourceKind, Updates};
use crate::model::ids::ProxyId;
use crate::model::logs::LogOrigin;

/// The modes that the demo can be switched to, in the order of the screen.
pub const SCENES: &[&str] = &["permissive", "strict", "disable"];

const ARCHIVES: [&[u8]; 3] = [
    include_bytes!("../../tests/fixtures/recordings/permissive.tar.zst"),
    include_bytes!("../../tests/fixtures/recordings/strict.tar.zst"),
    include_bytes!("../../tests/fixtures/recordings/disable.tar.zst"),
];

/// The embedded mesh in one of its scenes. Another scene is another demo: making one costs a few milliseconds.
#[derive(Clone)]
pub struct Demo {
    scene: usize,
    files: Files,
}

impl Demo {
    /// The mesh in one scene, by its place in [`SCENES`]; a place beyond the last is the first.
    pub fn new(scene: usize) -> Result<Self, SourceError> {
        let scene = if scene < ARCHIVES.len() { scene } else { 0 };
        Ok(Self { scene, files: Files::archive("demo", ARCHIVES[scene])? })
    }

    /// Which scene it shows, as a place in [`SCENES`].
    pub fn scene(&self) -> usize {
        self.scene
    }
}

impl Source for Demo {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Demo, name: "demo".to_owned(), scenes: SCENES, ..self.files.info() }
    }

    fn proxies(&self) -> Vec<ProxyId> {
        self.files.proxies()
    }

    fn no_proxies(&self) -> Option<String> {
        self.files.no_proxies()
    }

    fn watch(&self, updates: Updates) -> BoxFuture<'static, ()> {
        self.files.watch(updates)
    }

    fn proxy(&self, request: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        self.files.proxy(request)
    }

    fn view_of_istiod(&self, proxy: ProxyId) -> BoxFuture<'static, Result<Reply, SourceError>> {
        self.files.view_of_istiod(proxy)
    }

    fn istiod(&self, path: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>> {
        self.files.istiod(path)
    }

    fn log(&self, request: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        self.files.log(request)
    }

    fn logs(&self, query: LogQuery, targets: LogTargets, news: LogStreams) -> BoxFuture<'static, ()> {
        self.files.logs(query, targets, news)
    }

    fn logs_held(&self) -> Option<Vec<LogOrigin>> {
        self.files.logs_held()
    }

    fn logs_unreadable(&self) -> Option<SourceError> {
        self.files.logs_unreadable()
    }

    fn list(&self, resource: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        self.files.list(resource)
    }

    fn lacks(&self) -> BoxFuture<'static, Lacks> {
        self.files.lacks()
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        self.files.recordable()
    }
}
