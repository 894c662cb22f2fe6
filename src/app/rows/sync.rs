//! The lines of Sync: a proxy each.

use super::Row;
use crate::analysis::answers::SyncEntry;
use crate::app::screen::{Screen, Subject};

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    (0..screen.sync().map_or(0, |answer| answer.proxies.len())).map(Row::SyncProxy).collect()
}

/// The proxy of a row.
pub fn entry<'s>(screen: &'s Screen, row: &Row) -> Option<&'s SyncEntry> {
    let Row::SyncProxy(index) = row else { return None };
    screen.sync()?.proxies.get(*index)
}

/// Whether it is the proxy that the screen was opened for.
pub(super) fn is_in_question(screen: &Screen, row: &Row) -> bool {
    let Subject::Sync { at: Some(proxy), .. } = &screen.subject else { return false };
    entry(screen, row).is_some_and(|entry| entry.proxy == *proxy)
}
