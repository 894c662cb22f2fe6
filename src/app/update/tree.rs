//! The tree of chains: what is open and what is hidden.

use super::lay_out;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::rows::{self, Row};

/// Opens or closes the selected row.
pub(super) fn toggle(app: &mut App, to: Option<bool>) -> Vec<Effect> {
    let screen = app.screen_mut();
    let Some(key) = screen.selected().cloned().and_then(|row| rows::chains::key_of(screen, &row)) else { return Vec::new() };
    let open = to.unwrap_or(!screen.open.contains(&key));
    if open {
        screen.open.insert(key)
    } else {
        screen.open.remove(&key)
    };
    lay_out(app);
    Vec::new()
}

/// Closes the selected row, or goes to the row above it in the tree.
pub(super) fn collapse(app: &mut App) -> Vec<Effect> {
    let height = app.body_height;
    let screen = app.screen_mut();
    let Some(row) = screen.selected().cloned() else { return Vec::new() };
    if let Some(key) = rows::chains::key_of(screen, &row)
        && screen.open.remove(&key)
    {
        lay_out(app);
        return Vec::new();
    }
    let above = match row {
        Row::Chain(listener, _) => Row::Listener(listener),
        Row::NetworkFilter(listener, chain, _) | Row::HttpFilter(listener, chain, _) => Row::Chain(listener, chain),
        _ => return Vec::new(),
    };
    if let Some(place) = screen.rows.iter().position(|candidate| *candidate == above) {
        screen.list.select(place, height, screen.rows.len());
    }
    Vec::new()
}

/// Opens every row, or closes all where all are open.
pub(super) fn expand_all(app: &mut App) -> Vec<Effect> {
    let screen = app.screen_mut();
    let all = rows::chains::all_keys(screen);
    screen.open = if screen.open == all { Default::default() } else { all };
    lay_out(app);
    Vec::new()
}
