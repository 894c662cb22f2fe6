//! How the effects of screens of logs become work.

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::message::{FilterBy, LogsEffect, LogsMsg};
use crate::app::msg::Msg;
use crate::app::runtime::Work;
use crate::app::state::Ticket;
use crate::logs::pane::{self, InForce, Session};
use crate::source::SharedSource;

/// The readings that go on.
#[derive(Debug, Default)]
pub struct Readings {
    sessions: BTreeMap<Ticket, Session>,
}

impl Readings {
    /// Forgets a reading whose work is stopped.
    pub fn end(&mut self, ticket: Ticket) {
        self.sessions.remove(&ticket);
    }

    /// Turns an effect into work, without waiting for anything.
    pub fn handle(&mut self, of: Ticket, effect: LogsEffect, source: SharedSource, answers: mpsc::Sender<Msg>) -> Work {
        match effect {
            LogsEffect::Read(question, snapshot) => {
                let session = Session::new(snapshot);
                self.sessions.insert(of, session.clone());
                let wrap = move |news| Msg::Logs(of, LogsMsg::News(news));
                Work::Run(Some(of), Box::pin(pane::read(source, *question, session, answers, wrap)))
            }
            LogsEffect::LookAt(snapshot) => {
                if let Some(session) = self.sessions.get(&of) {
                    session.look_at(snapshot);
                }
                Work::Nothing
            }
            LogsEffect::Filter { generation, by, first, records, tie } => {
                let session = self.sessions.get(&of).cloned();
                let work = move || {
                    let range = first..first + records.len() as u64;
                    let filter = match by {
                        FilterBy::Made(filter) => Ok(filter),
                        FilterBy::Typed { typed, plugin, namespace, snapshot, or_stay } => {
                            let made = pane::narrow(&typed, plugin.as_ref(), &snapshot, &namespace);
                            let stays = session.as_ref().filter(|_| or_stay).and_then(Session::in_force);
                            made.or_else(|why| stays.ok_or(why)).inspect(|filter| {
                                let filter = Some(filter.clone());
                                session.iter().for_each(|session| session.filter_by(InForce { generation, filter: filter.clone() }));
                            })
                        }
                    };
                    let outcome = filter.map(|filter| (filter.clone(), pane::filter(&filter, first, &records, tie.as_deref())));
                    LogsMsg::Filtered { generation, range, outcome }
                };
                Work::Run(None, answer(of, work, answers))
            }
            LogsEffect::Seek { ticket, sought, records } => {
                Work::Run(Some(ticket), answer(of, move || LogsMsg::Sought(ticket, pane::seek(&sought, &records)), answers))
            }
            LogsEffect::Save { file, records, origins } => {
                Work::Run(None, answer(of, move || LogsMsg::Saved(pane::save(&file, &records, &origins)), answers))
            }
        }
    }
}

/// Works on a thread of its own, and sends what came of it.
fn answer(of: Ticket, work: impl FnOnce() -> LogsMsg + Send + 'static, answers: mpsc::Sender<Msg>) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let message = match spawn_blocking(work).await {
            Ok(message) => Msg::Logs(of, message),
            Err(error) => Msg::TaskFailed(None, format!("internal error: {error}")),
        };
        let _ = answers.send(message).await;
    })
}
