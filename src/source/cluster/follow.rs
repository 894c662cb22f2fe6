//! Follows one kind: in all namespaces, or where that is forbidden in the two namespaces that matter most.

use std::sync::Arc;

use futures::future::join_all;
use kube::api::ApiResource;
use serde_json::Value;
use tokio::sync::Notify;

use super::Shared;
use super::health::Board;
use super::scope::{Ended, Scope};
use super::trouble::Trouble;
use crate::model::kind::{Depth, Kind};
use crate::model::update::{Unread, Update};
use crate::source::Updates;

/// What the scopes of one kind share.
pub(super) struct Follower {
    pub shared: Arc<Shared>,
    pub board: Arc<Board>,
    pub kind: Kind,
    updates: Updates,
    istiods: Arc<Notify>,
}

impl Follower {
    /// A follower of one kind. `istiods` is told when a pod of istiod changed.
    pub fn new(shared: Arc<Shared>, board: Arc<Board>, updates: Updates, istiods: Arc<Notify>, kind: Kind) -> Self {
        Self { shared, board, kind, updates, istiods }
    }

    /// Follows the kind at the first of the places that the server knows. Ends where the mesh does not have the kind (any
    /// more), having said so.
    pub async fn run(self, places: Vec<ApiResource>) {
        for place in places {
            let ended = match self.kind.depth() {
                Depth::Whole => self.at::<false>(&place).await,
                Depth::Metadata => self.at::<true>(&place).await,
            };
            if ended == Ended::ReaderGone {
                return;
            }
        }
        self.send(Update::Absent(self.kind)).await;
        self.board.settled(&self.kind.resource()).await;
    }

    async fn at<const METADATA: bool>(&self, place: &ApiResource) -> Ended {
        if self.kind == Kind::MeshConfigMap {
            return Scope::new(self, place, Some(self.shared.istio_namespace.clone())).run::<METADATA>().await;
        }
        let ended = Scope::new(self, place, None).run::<METADATA>().await;
        if ended != Ended::Forbidden {
            return ended;
        }
        let namespaces = self.shared.namespaces();
        // The kind as a whole goes on waiting until each of its namespaces has been read.
        let parts: Vec<_> = namespaces.into_iter().map(|namespace| Scope::new(self, place, Some(namespace))).collect();
        let names: Vec<_> = parts.iter().map(Scope::part).collect();
        self.board.expect(names.clone()).await;
        self.board.settled(&self.kind.resource()).await;
        let ended = join_all(parts.into_iter().map(Scope::run::<METADATA>)).await;
        for name in names {
            self.board.settled(&name).await;
        }
        ended.into_iter().find(|ended| *ended == Ended::ReaderGone).unwrap_or(Ended::NotThere)
    }

    /// Says which right is lacking.
    pub async fn unread(&self, verb: &str, namespace: Option<&str>, trouble: &Trouble) {
        let resource = self.kind.resource();
        let place = match namespace {
            Some(namespace) => format!(" in namespace {namespace}"),
            None if self.kind.namespaced() => " in all namespaces".to_owned(),
            None => String::new(),
        };
        let unread = Unread {
            kind: Some(self.kind),
            namespace: namespace.map(str::to_owned),
            what: format!("{resource}{place}"),
            why: format!("{verb} on {resource}{place} is forbidden{}", trouble.to_user()),
            fix: format!("grant list and watch on {resource}"),
            listed: verb == "watch",
        };
        self.send(Update::Unread(unread)).await;
    }

    /// Hands an update on.
    pub async fn send(&self, update: Update) {
        let pods_changed = match &update {
            Update::Listed { kind: Kind::Pod, .. } => true,
            Update::Applied { kind: Kind::Pod, object } => self.is_istiod(object),
            Update::Deleted { kind: Kind::Pod, namespace, .. } => *namespace == self.shared.istio_namespace,
            _ => false,
        };
        // Where the reader is gone the whole watch ends, see `watch::run`.
        let _ = self.updates.send(update).await;
        if pods_changed {
            self.istiods.notify_one();
        }
    }

    /// Whether an object of the kind is one that the program reads.
    pub fn wants(&self, object: &Value) -> bool {
        if self.kind != Kind::MeshConfigMap {
            return true;
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        // Leader elections live in ConfigMaps called `istio-…` too and are written every few seconds.
        is_mesh_config(name) && object["data"].get("mesh").is_some()
    }

    fn is_istiod(&self, pod: &Value) -> bool {
        pod["metadata"]["labels"]["app"] == "istiod" && pod["metadata"]["namespace"] == self.shared.istio_namespace.as_str()
    }
}

/// Whether a ConfigMap of the istio namespace is, by its name, the mesh configuration of some revision.
pub(super) fn is_mesh_config(name: &str) -> bool {
    name == "istio" || name.starts_with("istio-")
}
