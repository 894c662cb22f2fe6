//! A question about a connection: what is typed, and what is asked with it.

use super::{ask, walk};
use crate::analysis::connection::Asked;
use crate::app::effect::Effect;
use crate::app::program::{App, Asking, Typing};
use crate::app::rows;
use crate::app::screen::Subject;
use crate::app::state::Prompt;

/// Opens the prompt: with the connection that was asked about, or with one that the selected chain might take.
pub(super) fn ask(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let begin = match &screen.subject {
        Subject::Connection(_, asked) => asked.to_string(),
        _ => rows::chains::example(screen).unwrap_or_else(|| "port=".to_owned()),
    };
    app.typing = Some(Typing::Question(Asking::Connection, Prompt::with(&begin)));
    Vec::new()
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
