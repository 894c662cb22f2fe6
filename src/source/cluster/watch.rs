//! The watches as a whole: finds out what the mesh has, follows each kind in a task of its own, and looks again for kinds
//! that were absent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::api::ApiResource;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::Shared;
use super::discovery::{self, Resources};
use super::follow::Follower;
use super::health::Board;
use super::istiod;
use super::pulse;
use super::trouble::Cause;
use crate::model::kind::Kind;
use crate::source::Updates;

/// How often to look whether a kind that is absent has been installed. Asked only while one is absent.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// The parts of the board that are not kinds.
const DISCOVERY: &str = "the list of resources";
const ISTIOD: &str = "istiod's version";

/// Reads and follows everything until the reader drops its end.
pub(super) async fn run(shared: Arc<Shared>, updates: Updates) {
    tokio::select! {
        () = updates.closed() => {}
        () = follow_all(shared, updates.clone()) => {}
    }
}

async fn follow_all(shared: Arc<Shared>, updates: Updates) {
    let board = Arc::new(Board::new(updates.clone(), shared.context.clone(), shared.server.clone()));
    board.connecting(format!("the API server {}", shared.server)).await;
    let Some(resources) = discover(&shared, &board).await else { return };
    board.expect(Kind::ALL.iter().map(|kind| kind.resource()).chain([ISTIOD.to_owned()])).await;
    board.settled(DISCOVERY).await;

    let istiods = Arc::new(Notify::new());
    // Dropping the set ends the tasks: nothing outlives this future.
    let mut tasks = JoinSet::new();
    let start = |tasks: &mut JoinSet<Option<Kind>>, kind: Kind, at: Vec<ApiResource>| {
        let follower = Follower::new(shared.clone(), board.clone(), updates.clone(), istiods.clone(), kind);
        tasks.spawn(async move {
            follower.run(at).await;
            Some(kind)
        });
    };
    for kind in Kind::ALL {
        start(&mut tasks, kind, candidates(kind, &resources));
    }
    tasks.spawn({
        let (shared, updates, board, istiods) = (shared.clone(), updates.clone(), board.clone(), istiods.clone());
        async move {
            istiod::follow_versions(shared, updates, istiods, || board.settled(ISTIOD)).await;
            None
        }
    });

    tasks.spawn({
        let (shared, board) = (shared.clone(), board.clone());
        async move {
            pulse::watch_over(&shared, &board).await;
            None
        }
    });

    // A follower ends where the mesh does not have its kind.
    let mut absent = BTreeSet::new();
    loop {
        tokio::select! {
            Some(ended) = tasks.join_next() => absent.extend(ended.ok().flatten()),
            () = tokio::time::sleep(LOOK_AGAIN), if !absent.is_empty() => {
                // A failure here says nothing new: the other watches notice it too.
                let Ok(resources) = discovery::resources(&shared.client, shared.timeout).await else { continue };
                let resources = Known::These(resources);
                for kind in std::mem::take(&mut absent) {
                    let at = candidates(kind, &resources);
                    if at.is_empty() { absent.insert(kind); } else { start(&mut tasks, kind, at); }
                }
            }
            else => return,
        }
    }
}

/// What discovery said.
enum Known {
    These(Resources),
    /// It may not be asked: each kind is tried in each version.
    Nothing,
}

async fn discover(shared: &Shared, board: &Board) -> Option<Known> {
    let mut attempt = 0;
    loop {
        match discovery::resources(&shared.client, shared.timeout).await {
            Ok(resources) => return Some(Known::These(resources)),
            Err(trouble) if matches!(trouble.cause, Cause::Forbidden | Cause::NotFound) => return Some(Known::Nothing),
            Err(trouble) => {
                attempt += 1;
                board.failing(DISCOVERY, &trouble, attempt).await;
            }
        }
    }
}

/// Where to ask for a kind, the preferred version first; empty where the mesh does not have it.
fn candidates(kind: Kind, known: &Known) -> Vec<ApiResource> {
    match known {
        Known::These(resources) if kind.is_custom() => discovery::find(resources, kind).into_iter().collect(),
        Known::These(_) | Known::Nothing => kind.versions().iter().map(|version| discovery::at(kind, version)).collect(),
    }
}
