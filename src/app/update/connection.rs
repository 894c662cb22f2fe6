//! A question about a connection: what is typed, and what is asked with it.

use super::{ask, copy, walk};
use crate::analysis::connection::{self, Asked};
use crate::analysis::placement::ChainKind;
use crate::app::effect::Effect;
use crate::app::program::{App, Asking, Typing};
use crate::app::rows::Row;
use crate::app::screen::Subject;
use crate::app::state::Prompt;

/// Opens the prompt: with the connection that was asked about, or with one that the selected chain might take.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let begin = match &screen.subject {
        Subject::Connection(_, asked) => asked.to_string(),
        _ => example(app).unwrap_or_else(|| "port=".to_owned()),
    };
    app.typing = Some(Typing::Question(Asking::Connection, Prompt::with(&begin)));
    Vec::new()
}

/// A connection that the selected chain might take, or the first of the selected listener that leads somewhere.
fn example(app: &App) -> Option<String> {
    let screen = app.screen();
    let (place, chain) = match screen.selected()? {
        Row::Listener(listener) => (*listener, None),
        Row::Chain(listener, chain) | Row::NetworkFilter(listener, chain, _) | Row::HttpFilter(listener, chain, _) => {
            (*listener, Some(*chain))
        }
        _ => return None,
    };
    let shown = &screen.chains()?.proxies.first()?.listeners[place];
    let chain = match chain {
        Some(chain) => &shown.filter_chains[chain],
        None => shown.filter_chains.iter().find(|chain| chain.kind != ChainKind::Blackhole)?,
    };
    let listener = copy::listener(app, place)?;
    Some(connection::example(listener.chains.get(chain.place)?, listener, shown.direction))
}

/// Asks with what was typed. What cannot be understood stays in the prompt, and the reason is said.
pub(super) fn answer(app: &mut App, text: &str) -> Vec<Effect> {
    let asked: Asked = match text.parse() {
        Ok(asked) => asked,
        Err(error) => {
            app.note = Some(error.what);
            return Vec::new();
        }
    };
    app.typing = None;
    let Some(focus) = app.screen().focus().cloned() else { return Vec::new() };
    let subject = Subject::Connection(focus, asked);
    if matches!(app.screen().subject, Subject::Connection(..)) {
        // Another connection, on the same screen: the way here does not grow.
        let screen = app.screen_mut();
        screen.subject = subject;
        screen.find.clear();
        return ask::ask(app);
    }
    walk::go(app, subject)
}
