//! Whether the API server still answers: a server that hangs keeps its connections open, and a watch over one looks as if nothing
//! happened in the mesh.
//!
//! At rest a watch brings nothing for a minute, so after a few seconds without a word one small request is sent.

use std::time::Duration;

use http::Request;

use super::Shared;
use super::health::Board;
use super::trouble::{Cause, Trouble, bounded};

/// How long nothing may be heard before the connection is tested.
const QUIET: Duration = Duration::from_secs(5);
/// How long the test waits for its answer. Together they are less than ten seconds.
const ANSWER: Duration = Duration::from_secs(3);
/// The time from a test that failed to the next.
const AGAIN: Duration = Duration::from_secs(1);

/// Tests the connection whenever it is quiet.
pub(super) async fn watch_over(shared: &Shared, board: &Board) {
    loop {
        let quiet = board.quiet();
        if quiet < QUIET && !*board.unresponsive().borrow() {
            tokio::time::sleep(QUIET - quiet).await;
            continue;
        }
        match test(shared).await {
            Ok(()) => board.mark_responsive().await,
            Err(trouble) => {
                board.mark_unresponsive(&trouble).await;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Asks for the version, which everybody may know. A rejection is an answer too.
async fn test(shared: &Shared) -> Result<(), Trouble> {
    let request = Request::get("/version").body(Vec::new()).map_err(|error| Trouble::new(Cause::Refused, error.to_string()))?;
    match bounded(ANSWER.min(shared.timeout), shared.client.request_text(request)).await {
        Err(trouble) if matches!(trouble.cause, Cause::Unreachable | Cause::TimedOut) => Err(trouble),
        _ => Ok(()),
    }
}
