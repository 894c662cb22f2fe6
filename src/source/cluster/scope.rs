//! Follows one kind in one part of the cluster: lists it, then watches from there on, and begins again where that broke.
//!
//! The client's runtime crate has such a loop, but its requests have no deadline, and after an error it does not tell that
//! the watch stands again until the next object changes. Here each request is bounded and each state is seen.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use kube::Api;
use kube::api::{ApiResource, ListParams, WatchEvent, WatchParams};

use super::follow::{Follower, is_mesh_config};
use super::health::SLOW_RETRY;
use super::object::AnyObject;
use super::trouble::{Cause, Trouble, bounded};
use crate::clock;
use crate::model::kind::Kind;
use crate::model::update::Update;

const PAGE: u32 = 500;
/// How long the server is asked to keep a watch open, in seconds; it sends bookmarks meanwhile.
const WATCH_SECONDS: u32 = 290;
/// A watch that the server did not end by then has lost its connection without a word.
const WATCH_DEAD: Duration = Duration::from_secs(300);
/// A watch that ends before has not ended in an ordinary way, and taking it up again at once would be a busy loop.
const SHORTEST_WATCH: Duration = Duration::from_secs(1);
/// After so many failed attempts to take a watch up again everything is listed anew: the server may not be the same.
const RESUME_ATTEMPTS: u32 = 2;

/// Why following a scope ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The server does not know the resource.
    NotThere,
    /// It may not be listed in all namespaces.
    Forbidden,
    /// Nobody reads any more.
    ReaderGone,
}

/// One kind in one namespace, or in all.
pub(super) struct Scope<'a> {
    follower: &'a Follower,
    place: &'a ApiResource,
    namespace: Option<String>,
    /// Where the watch stands; None before a list.
    version: Option<String>,
    /// The right that was last said to be lacking, so that it is said once.
    lacking: Option<&'static str>,
}

/// A step that did not work: which verb, and why.
type Failed = (&'static str, Trouble);

impl<'a> Scope<'a> {
    /// A scope that has not been read yet; no namespace means all.
    pub fn new(follower: &'a Follower, place: &'a ApiResource, namespace: Option<String>) -> Self {
        Self { follower, place, namespace, version: None, lacking: None }
    }

    /// Its name on the board.
    pub fn part(&self) -> String {
        let resource = self.follower.kind.resource();
        match &self.namespace {
            Some(namespace) if self.follower.kind != Kind::MeshConfigMap => format!("{resource} in namespace {namespace}"),
            _ => resource,
        }
    }

    /// Follows it for as long as that is possible.
    pub async fn run<const METADATA: bool>(mut self) -> Ended {
        let client = self.follower.shared.client.clone();
        let api: Api<AnyObject<METADATA>> = match &self.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, self.place),
            None => Api::all_with(client, self.place),
        };
        let mut attempt = 0;
        loop {
            let Err((verb, trouble)) = self.pass(&api, &mut attempt).await else { continue };
            match trouble.cause {
                // Too old to go on from: not a failure, unless a fresh list is too old as well.
                Cause::Gone if attempt == 0 => {
                    (self.version, attempt) = (None, 1);
                }
                Cause::NotFound if verb == "list" => return Ended::NotThere,
                Cause::Forbidden => {
                    if self.lacking != Some(verb) {
                        self.lacking = Some(verb);
                        self.follower.unread(verb, self.namespace.as_deref(), &trouble).await;
                    }
                    if self.namespace.is_none() && self.follower.kind.namespaced() && self.version.is_none() {
                        return Ended::Forbidden;
                    }
                    self.follower.board.settled(&self.part()).await;
                    // The right may be granted while we run.
                    tokio::time::sleep(SLOW_RETRY).await;
                }
                _ => {
                    attempt += 1;
                    if matches!(trouble.cause, Cause::Gone | Cause::NotFound) || attempt > RESUME_ATTEMPTS {
                        self.version = None;
                    }
                    self.follower.board.failing(&self.part(), &trouble, attempt).await;
                }
            }
        }
    }

    /// Lists where that is due, then watches until the server ends the watch.
    async fn pass<const METADATA: bool>(&mut self, api: &Api<AnyObject<METADATA>>, attempt: &mut u32) -> Result<(), Failed> {
        let version = match self.version.clone() {
            Some(version) => version,
            None => self.list(api).await.map_err(|trouble| ("list", trouble))?,
        };
        self.version = Some(version.clone());
        let failed = |trouble| ("watch", trouble);
        let params = WatchParams::default().timeout(WATCH_SECONDS);
        let events = bounded(self.follower.shared.timeout, api.watch(&params, &version)).await.map_err(failed)?;
        let mut events = events.boxed();
        let began = clock::now();
        self.lacking = None;
        let mut fresh = true;
        let mut silent = self.follower.board.unresponsive();
        loop {
            // A version that is too old is told as the first event of a watch that began well, so a watch counts as
            // standing once that has not come at once.
            let wait = if fresh { Duration::from_millis(50) } else { WATCH_DEAD };
            let event = tokio::select! {
                event = tokio::time::timeout(wait, events.try_next()) => event,
                // The connection of this watch may be as dead as the one that was tested.
                Ok(_) = silent.wait_for(|silent| *silent) => return Err(failed(Trouble::new(Cause::TimedOut, "nothing is heard"))),
            };
            if matches!(event, Ok(Ok(Some(_)))) || fresh {
                self.follower.board.record_answer();
            }
            match event {
                Ok(Ok(Some(WatchEvent::Error(status)))) => return Err(failed(Trouble::of(&kube::Error::Api(status)))),
                Ok(Err(error)) => return Err(failed(Trouble::of(&error))),
                Ok(Ok(Some(event))) => self.hand_on(event).await,
                Ok(Ok(None)) if began.elapsed() < SHORTEST_WATCH => {
                    return Err(failed(Trouble::new(Cause::Unreachable, "the connection was closed at once")));
                }
                Ok(Ok(None)) => return Ok(()),
                Err(_) if fresh => {}
                Err(_) => return Ok(()),
            }
            if std::mem::take(&mut fresh) {
                *attempt = 0;
                self.follower.board.settled(&self.part()).await;
            }
        }
    }

    async fn hand_on<const METADATA: bool>(&mut self, event: WatchEvent<AnyObject<METADATA>>) {
        let kind = self.follower.kind;
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                self.moved_to(object.version());
                if self.follower.wants(&object.value) {
                    self.follower.send(Update::Applied { kind, object: object.value }).await;
                }
            }
            WatchEvent::Deleted(object) => {
                self.moved_to(object.version());
                let (namespace, name) = object.name();
                if kind != Kind::MeshConfigMap || is_mesh_config(&name) {
                    self.follower.send(Update::Deleted { kind, namespace, name }).await;
                }
            }
            WatchEvent::Bookmark(bookmark) => self.moved_to(Some(&bookmark.metadata.resource_version)),
            WatchEvent::Error(_) => {}
        }
    }

    fn moved_to(&mut self, version: Option<&str>) {
        if let Some(version) = version.filter(|version| !version.is_empty()) {
            self.version = Some(version.to_owned());
        }
    }

    /// Lists all pages and hands them on as one, with the version that they are of.
    async fn list<const METADATA: bool>(&self, api: &Api<AnyObject<METADATA>>) -> Result<String, Trouble> {
        let mut params = ListParams::default().limit(PAGE);
        let mut objects = Vec::new();
        loop {
            let page = bounded(self.follower.shared.timeout, api.list(&params)).await?;
            self.follower.board.record_answer();
            objects.extend(page.items.into_iter().map(|object| object.value).filter(|object| self.follower.wants(object)));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => {
                    params.continue_token = Some(token);
                    let (kind, so_far) = (self.follower.kind, objects.len());
                    self.follower.send(Update::Reading { kind, so_far }).await;
                }
                None => {
                    let version = page.metadata.resource_version.filter(|version| !version.is_empty());
                    let version = version.ok_or_else(|| Trouble::new(Cause::Refused, "the list has no resourceVersion"))?;
                    let namespace = self.namespace.clone();
                    self.follower.send(Update::Listed { kind: self.follower.kind, namespace, objects }).await;
                    return Ok(version);
                }
            }
        }
    }
}
