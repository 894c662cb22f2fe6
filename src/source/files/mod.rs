//! Files as a source: one config dump, standard input, a recording folder, a recording archive, one log file.
//!
//! It finds and unpacks bytes and never understands a dump: whether bytes are one is for [`crate::ingest`] to say.
//! A folder is read file by file when somebody asks; an archive is unpacked once into memory and never onto the disk.

mod archive;
mod blocks;
mod budget;
mod bug_report;
mod compression;
mod fault;
mod lines;
mod logs;
mod objects;
mod open;
mod questions;
mod store;
mod text;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

pub(super) use self::fault::shown;
pub(super) use self::questions::{istiods_dump, view_of_istiod};
use self::store::Store;
use super::logs::{LogQuery, LogStreams, LogTargets};
use super::record::Lacks;
use super::{FailureKind, IstiodReplies, LogRequest, ProxyRequest, Reply, Source, SourceError, SourceInfo, SourceKind, Updates};
use crate::clock::Instant;
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::model::logs::LogOrigin;
use crate::model::update::{Health, Update};

/// The file of a recording that says that the writing of it was not finished; the writer removes it last.
pub const UNFINISHED: &str = "unfinished.txt";

/// What a recording lacks that has this file.
pub const INTERRUPTED: &str = "its writing was interrupted, so files may be missing";

/// A source over files. Cheap to clone: clones share what was read.
#[derive(Clone)]
pub struct Files {
    store: Arc<Store>,
    info: SourceInfo,
    /// What a standalone log holds.
    alone: Arc<logs::Alone>,
}

impl Files {
    /// Opens a config dump, a recording folder or a recording archive; each file may be gzip- or zstd-compressed.
    /// Blocks: what is compressed and an archive are read here, a plain dump and a folder only when asked.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let name = fault::shown(path);
        Ok(Self::over(name, open::open(path)?))
    }

    /// Reads standard input to its end: a config dump, or whatever else [`Files::open`] takes as a file.
    pub fn stdin() -> Result<Self, SourceError> {
        Ok(Self::over("standard input".to_owned(), open::stdin()?))
    }

    /// A recording archive that is in memory already.
    pub fn archive(name: &str, bytes: &'static [u8]) -> Result<Self, SourceError> {
        Ok(Self::over(name.to_owned(), open::from_bytes(name, Bytes::from_static(bytes))?))
    }

    fn over(name: String, store: Store) -> Self {
        // Without objects an answer rests on dumps alone, be it one file or a folder of them.
        let kind = match store {
            Store::Log(_) => SourceKind::Log,
            _ if store.has("k8s") => SourceKind::Recording,
            _ => SourceKind::Dump,
        };
        let info = SourceInfo { kind, name, namespace: "default".to_owned(), scenes: &[] };
        let alone = Arc::new(logs::Alone::of(&store));
        Self { store: Arc::new(store), info, alone }
    }

    /// Answers from the first of `names` that is there.
    fn answer(&self, names: Vec<(String, DumpView)>) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let store = self.store.clone();
        off_the_runtime(move || questions::answer(&store, &names))
    }
}

impl Source for Files {
    fn info(&self) -> SourceInfo {
        self.info.clone()
    }

    fn proxies(&self) -> Vec<ProxyId> {
        questions::proxies(&self.store, &self.info.name)
    }

    fn no_proxies(&self) -> Option<String> {
        self.store.no_proxies()
    }

    fn watch(&self, updates: Updates) -> BoxFuture<'static, ()> {
        let store = self.store.clone();
        async move {
            for step in objects::steps(&store) {
                let store = store.clone();
                // A reader that left, or a program that ends, needs no more of it.
                let Ok(found) = tokio::task::spawn_blocking(move || step.read(&store)).await else { return };
                for update in found {
                    if updates.send(update).await.is_err() {
                        return;
                    }
                }
            }
            let _ = updates.send(Update::Health(Health::Fixed)).await;
        }
        .boxed()
    }

    fn proxy(&self, request: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        if let Store::Dump(_) = *self.store {
            let (store, name) = (self.store.clone(), self.info.name.clone());
            return off_the_runtime(move || questions::lone_dump(&store, &name, request.question));
        }
        self.answer(questions::of_proxy(&request))
    }

    fn view_of_istiod(&self, proxy: ProxyId) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let store = self.store.clone();
        off_the_runtime(move || questions::view(&store, &proxy))
    }

    fn istiod(&self, path: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>> {
        match questions::of_istiod(&path) {
            // A recording does not say which istiod answered.
            Some(name) => self
                .answer(vec![(name, DumpView::Istiod)])
                .map(|reply| Ok(IstiodReplies { replies: vec![(String::new(), reply?)], silent: Vec::new() }))
                .boxed(),
            None => async move { Err(SourceError::new(FailureKind::Missing, format!("recordings hold no {path} of istiod"), "")) }.boxed(),
        }
    }

    fn log(&self, request: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        self.answer(questions::of_log(&request))
    }

    fn logs(&self, query: LogQuery, targets: LogTargets, news: LogStreams) -> BoxFuture<'static, ()> {
        logs::run(self.store.clone(), self.alone.clone(), query, targets, news).boxed()
    }

    fn logs_held(&self) -> Option<Vec<LogOrigin>> {
        Some(logs::held(&self.store, &self.alone))
    }

    fn logs_unreadable(&self) -> Option<SourceError> {
        self.store.unreadable("logs")
    }

    fn list(&self, resource: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        self.answer(questions::of_resource(&resource))
    }

    fn lacks(&self) -> BoxFuture<'static, Lacks> {
        let store = self.store.clone();
        async move { tokio::task::spawn_blocking(move || objects::lacks(&store)).await.unwrap_or_default() }.boxed()
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        let store = self.store.clone();
        off_the_runtime(move || Ok(questions::resources(&store)))
    }
}

/// Runs work that reads files where it may block.
fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> BoxFuture<'static, Result<T, SourceError>> {
    async move {
        let stopped = |_| SourceError::new(FailureKind::Unreachable, "the reading of a file was interrupted", "");
        tokio::task::spawn_blocking(work).await.map_err(stopped)?
    }
    .boxed()
}

/// A reply that came from a file.
fn reply(bytes: Bytes, view: DumpView, started: Instant, tried: Vec<String>) -> Reply {
    Reply { bytes, way: "file", view, took: started.elapsed(), tried, asked_as: None }
}
