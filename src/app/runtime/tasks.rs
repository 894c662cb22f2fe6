//! Work outside the event loop: started, stopped by its ticket, and never lost without a word when it breaks.

use std::collections::HashMap;

use futures::future::BoxFuture;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};

use crate::app::state::Ticket;

/// The tasks that run now. Dropping it stops them all.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    set: JoinSet<()>,
    tickets: HashMap<Id, (Ticket, AbortHandle)>,
}

impl Tasks {
    /// Starts a task.
    pub(super) fn run(&mut self, ticket: Option<Ticket>, work: BoxFuture<'static, ()>) {
        let handle = self.set.spawn(work);
        if let Some(ticket) = ticket {
            self.tickets.insert(handle.id(), (ticket, handle));
        }
    }

    /// Stops the tasks of a ticket.
    pub(super) fn stop(&mut self, ticket: Ticket) {
        for (_, handle) in self.tickets.values().filter(|(of, _)| *of == ticket) {
            handle.abort();
        }
    }

    /// Waits until a task has broken. None where no task runs. To drop the future in the middle loses nothing.
    pub(super) async fn next_failure(&mut self) -> Option<(Option<Ticket>, String)> {
        loop {
            let (id, failure) = match self.set.join_next_with_id().await? {
                Ok((id, ())) => (id, None),
                Err(error) => (error.id(), describe(error)),
            };
            let ticket = self.tickets.remove(&id).map(|(ticket, _)| ticket);
            if let Some(what) = failure {
                return Some((ticket, what));
            }
        }
    }
}

/// What a panic said; None for a task that was stopped on purpose.
fn describe(error: JoinError) -> Option<String> {
    let payload = error.try_into_panic().ok()?;
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| payload.downcast_ref::<String>().cloned());
    Some(format!("internal error: {}", text.unwrap_or_else(|| "a task broke without a reason".to_owned())))
}
