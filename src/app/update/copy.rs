//! What is copied, and the JSON of the rows of the tree.

use std::sync::Arc;

use super::logs;
use crate::app::effect::Effect;
use crate::app::keymap;
use crate::app::program::App;
use crate::app::question::Answered;
use crate::app::rows::{self, Row};
use crate::app::screen::Subject;
use crate::model::envoy::Listener;
use crate::model::printable::Printable;
use crate::report::{self, Answer};

/// Copies what the screen is about: the whole explanation, a row's JSON, or its name.
pub(super) fn copy(app: &mut App) -> Vec<Effect> {
    let screen = app.screen();
    let selected = screen.selected().cloned();
    let text = match (&screen.subject, &selected) {
        (Subject::Why(_), _) => screen.why().map(Answer::pasted),
        (Subject::WhatIf(_), _) => screen.what_if().and_then(Result::ok).map(Answer::pasted),
        (Subject::Mtls(_), _) => screen.mtls().map(Answer::pasted),
        (Subject::Connection(..), _) => match &screen.answer {
            Some(Answered::Connection(answer)) => Some(answer.pasted()),
            _ => None,
        },
        (Subject::Order(_), _) => screen.order().map(Answer::pasted),
        (Subject::Timeline(_), _) => screen.timeline().map(Answer::pasted),
        (Subject::Sync { .. }, _) => screen.sync().map(Answer::pasted),
        (Subject::Raw { lines, .. }, _) => Some(lines.join("\n")),
        (Subject::Logs(_), _) => logs::text(screen),
        (Subject::Record(line), _) => Some(line.record.raw.to_string()),
        (Subject::Diff(_), _) => match &screen.answer {
            Some(Answered::Diff(answer)) => Some(answer.pasted()),
            _ => None,
        },
        (Subject::Health(_), _) => match &screen.answer {
            Some(Answered::Health(answer)) => Some(answer.pasted()),
            _ => None,
        },
        (Subject::Findings { .. }, Some(Row::Warning(index))) => app.snapshot.warnings.get(*index).map(ToString::to_string),
        (Subject::Findings { .. }, Some(Row::Finding(index))) => {
            screen.findings().and_then(|answer| answer.findings.get(*index)).map(report::finding)
        }
        (Subject::Findings { .. }, Some(row @ Row::Unchecked(_))) => Some(rows::text(screen, row)),
        (Subject::Findings { .. }, _) => screen.findings().map(Answer::pasted),
        (Subject::Help(_), _) => Some(keymap::readme_table()),
        (_, Some(row @ (Row::Chain(..) | Row::NetworkFilter(..) | Row::HttpFilter(..) | Row::Listener(_)))) => {
            raw(app, row).map(|(_, text)| text)
        }
        (_, Some(row)) => Some(rows::text(screen, row)),
        (_, None) => None,
    };
    match text {
        // As a file of saved lines has it: what a terminal would obey where it is pasted is written as an escape.
        Some(text) => vec![Effect::Copy(Printable::page(&text.replace('\t', "  ")).into_string())],
        None => {
            app.note = Some("there is nothing here to copy".to_owned());
            Vec::new()
        }
    }
}

/// The JSON of a row of the tree, as the proxy wrote it, with what it is of.
pub(super) fn raw(app: &App, row: &Row) -> Option<(String, String)> {
    let proxy = app.screen().chains()?.proxies.first()?;
    let dump = &app.snapshot.dump(&proxy.proxy)?.dump;
    let chain = |listener: &usize, chain: &usize| {
        let place = proxy.listeners[*listener].filter_chains[*chain].place;
        self::listener(app, *listener)?.chains.get(place)
    };
    match row {
        Row::Listener(index) => listener(app, *index).map(|listener| (listener.name.clone(), listener.raw.as_str().to_owned())),
        Row::Chain(listener, place) => chain(listener, place).map(|chain| (chain.name.clone(), chain.raw.as_str().to_owned())),
        Row::NetworkFilter(listener, place, filter) => {
            let filter = chain(listener, place)?.network_filters.get(*filter)?;
            Some((filter.name.clone(), filter.raw.as_str().to_owned()))
        }
        Row::HttpFilter(listener, place, filter) => {
            let filter = chain(listener, place)?.http_filters.as_ref()?.get(*filter)?;
            // The reference resolves to what ECDS has under the filter's name.
            let entry = dump.ecds.iter().find(|entry| entry.name == filter.name);
            let held = entry.map(|entry| format!(",\n{}", entry.raw.as_str())).unwrap_or_default();
            Some((
                filter.name.clone(),
                if held.is_empty() { filter.raw.as_str().to_owned() } else { format!("[{}{held}]", filter.raw.as_str()) },
            ))
        }
        _ => None,
    }
}

/// The listener at a place in the answer. The dump may be newer than the visible answer: what is taken is what
/// is shown, or nothing.
pub(super) fn listener(app: &App, place: usize) -> Option<&Listener> {
    let proxy = app.screen().chains()?.proxies.first()?;
    let shown = &proxy.listeners[place];
    let listener = app.snapshot.dump(&proxy.proxy)?.dump.listeners.get(shown.index);
    listener.filter(|listener| listener.name == shown.name && listener.state == shown.state)
}

/// The lines of a JSON text, indented; the text as it is where it cannot be read.
pub(super) fn indented(text: &str) -> Arc<[String]> {
    let pretty = serde_json::from_str::<serde_json::Value>(text).and_then(|value| serde_json::to_string_pretty(&value));
    pretty.unwrap_or_else(|_| text.to_owned()).lines().map(str::to_owned).collect()
}
