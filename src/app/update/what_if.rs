//! The question of what would be: what is typed, the manifest that it names, and the screen that answers.

use std::path::PathBuf;
use std::sync::Arc;

use super::{ask, walk};
use crate::analysis::what_if::Assumption;
use crate::app::effect::Effect;
use crate::app::program::{App, Asking, Typing};
use crate::app::rows::Row;
use crate::app::screen::{Subject, Supposition};
use crate::app::state::{Prompt, Ticket};
use crate::model::peer_authentication::MtlsMode;

/// Opens the prompt for the plugin in question: with what was supposed, where something was.
pub(super) fn begin(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let (about, text) = match (&screen.subject, screen.selected()) {
        (Subject::WhatIf(supposed), _) => (supposed.clone(), supposed.typed.clone()),
        (Subject::Plugins { .. }, Some(Row::Plugin(index))) => {
            let plugin = screen.plugins().map(|answer| answer.plugins[*index].id.clone());
            (Supposition { plugin, ..Supposition::default() }, String::new())
        }
        (Subject::Workloads(plugin), _) => (Supposition { plugin: Some(plugin.clone()), ..Supposition::default() }, String::new()),
        _ => match screen.focus() {
            Some(focus) => {
                (Supposition { plugin: focus.plugin.clone(), proxy: Some(focus.proxy.clone()), ..Supposition::default() }, String::new())
            }
            None => (Supposition::default(), String::new()),
        },
    };
    if app.snapshot.has_objects {
        app.typing = Some(Typing::Question(Asking::WhatIf(about), Prompt::with(&text)));
    } else {
        app.note = Some("a lone config dump has no objects that could be otherwise".to_owned());
    }
    Vec::new()
}

/// Asks with what was typed: a mode at once, a manifest once it is read.
pub(super) fn asked(app: &mut App, about: Supposition, text: &str) -> Vec<Effect> {
    let (mode, file) = parts(text);
    if mode.is_none() && file.is_none() {
        app.note = Some("say a mode, a file of manifests, or both: STRICT new-plugin.yaml".to_owned());
        return Vec::new();
    }
    let namespace = app.options.namespace.clone().unwrap_or_else(|| app.options.info.namespace.clone());
    let supposed = Supposition { typed: text.trim().to_owned(), namespace, ..about };
    match file {
        None => show(app, Supposition { assumption: Arc::new(Assumption { mode, objects: Vec::new() }), ..supposed }),
        Some(file) => {
            let ticket = app.waits.begin(format!("the manifests of {}", file.display()));
            vec![Effect::ReadManifest { ticket, file, mode, supposed }]
        }
    }
}

/// A manifest was read. What cannot be read is said, and the prompt stays.
pub(super) fn read(app: &mut App, ticket: Ticket, outcome: Result<Supposition, String>) -> Vec<Effect> {
    if !app.waits.end(ticket) {
        return Vec::new();
    }
    match outcome {
        Ok(supposed) => show(app, supposed),
        Err(why) => {
            app.note = Some(why);
            Vec::new()
        }
    }
}

fn show(app: &mut App, supposed: Supposition) -> Vec<Effect> {
    app.typing = None;
    let subject = Subject::WhatIf(supposed);
    if matches!(app.screen().subject, Subject::WhatIf(_)) {
        // Something else is supposed, on the same screen: the way here does not grow.
        let screen = app.screen_mut();
        screen.subject = subject;
        screen.find.clear();
        return ask::ask(app);
    }
    walk::go(app, subject)
}

/// `STRICT`, `mode=STRICT`, `new-plugin.yaml`, or a mode before a file.
fn parts(text: &str) -> (Option<MtlsMode>, Option<PathBuf>) {
    let mode = |word: &str| MtlsMode::parse(word.strip_prefix("mode=").unwrap_or(word));
    let text = text.trim();
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let (mode, file) = match mode(first) {
        Some(mode) => (Some(mode), rest.trim()),
        None => (None, text),
    };
    (mode, (!file.is_empty()).then(|| PathBuf::from(file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_a_file_or_both() {
        let file = |name: &str| Some(PathBuf::from(name));
        assert_eq!(parts("STRICT"), (Some(MtlsMode::Strict), None));
        assert_eq!(parts(" mode=disable "), (Some(MtlsMode::Disable), None));
        assert_eq!(parts("my plugin.yaml"), (None, file("my plugin.yaml")));
        assert_eq!(parts("permissive  a b.yaml"), (Some(MtlsMode::Permissive), file("a b.yaml")));
        assert_eq!(parts(" "), (None, None));
    }
}
