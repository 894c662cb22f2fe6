//! Which row is selected when a screen is first shown, and what is open for it.

use std::collections::BTreeSet;

use super::{Key, Row, chains, order, sync};
use crate::app::screen::Screen;

/// What is to be open so that this row is visible: itself and what it is inside of.
pub fn opening(key: Key) -> BTreeSet<Key> {
    let listener = Key { chain: None, ..key.clone() };
    [listener, key].into_iter().collect()
}

/// Selects the first chain with the plugin, or the last row that is open by choice, when a tree is first shown; in running order
/// the plugin itself.
pub fn select_plugin(screen: &mut Screen, height: usize) {
    let chosen = screen.open.iter().rev().find(|key| key.chain.is_some()).cloned();
    let is_it = |row: &Row| match row {
        Row::SyncProxy(_) => sync::is_in_question(screen, row),
        Row::Ordered(..) => screen.plugin().is_some() && order::plugin(screen, row) == screen.plugin(),
        _ => chosen.is_some() && chains::key_of(screen, row) == chosen,
    };
    let found = screen.rows.iter().position(is_it);
    if let Some(row) = found {
        screen.list.select(row, height, screen.rows.len());
        // The listener above it says what it is a chain of.
        screen.list.offset = screen.list.offset.min(row.saturating_sub(2));
    }
}
