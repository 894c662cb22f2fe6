//! The lines of Health: the proxies of the plugin, then what is known of its module.

use super::Row;
use crate::app::screen::Screen;
use crate::model::ids::ProxyId;

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(health) = screen.health() else { return Vec::new() };
    let mut rows: Vec<Row> = (0..health.proxies.len()).map(Row::Health).collect();
    if let Some(module) = &health.module {
        rows.extend([Row::Blank, Row::Heading("Module")]);
        rows.extend(module.said().into_iter().map(|(_, line)| Row::Sentence(line)));
    }
    rows
}

/// The proxy of a row.
pub fn proxy<'s>(screen: &'s Screen, row: &Row) -> Option<&'s ProxyId> {
    let Row::Health(index) = row else { return None };
    screen.health()?.proxies.get(*index).map(|proxy| &proxy.proxy)
}
