//! The lines of Order: the plugins in running order with their reasons, then each list's ruler with the plugins in their places.

use super::{Key, Row};
use crate::analysis::answers::{ChainPlace, OrderEntry, RulerMark};
use crate::app::screen::Screen;
use crate::model::ids::PluginId;

/// The one proxy that the screen is about.
pub fn entry(screen: &Screen) -> Option<&OrderEntry> {
    screen.order()?.workloads.first()
}

pub(super) fn rows(screen: &Screen) -> Vec<Row> {
    let Some(entry) = entry(screen) else { return Vec::new() };
    let mut rows: Vec<Row> = Vec::new();
    for group in entry.shown() {
        rows.push(Row::Ordering(group[0]));
        rows.extend((0..entry.lists[group[0]].plugins.len()).map(|plugin| Row::Ordered(group[0], plugin)));
        rows.push(Row::Blank);
        for index in group {
            let list = &entry.lists[index];
            rows.push(Row::Ruler(index));
            rows.extend((0..list.ruler.len()).map(|place| Row::Place(index, place)));
            rows.extend(list.differences().chain(&list.limits).cloned().map(Row::Sentence));
            rows.extend(list.found.iter().map(|found| Row::Sentence(format!("{}.", found.text()))));
            rows.push(Row::Blank);
        }
    }
    rows.extend(entry.said().into_iter().map(Row::Sentence));
    rows
}

/// The plugin of a row.
pub fn plugin<'s>(screen: &'s Screen, row: &Row) -> Option<&'s PluginId> {
    let lists = &entry(screen)?.lists;
    match row {
        Row::Ordered(list, plugin) => lists[*list].plugins.get(*plugin).map(|plugin| &plugin.id),
        Row::Place(list, place) => match &lists[*list].ruler[*place].what {
            RulerMark::Plugin { place, .. } => lists[*list].plugins.get(place - 1).map(|plugin| &plugin.id),
            RulerMark::BuiltIn(_) | RulerMark::Phase { .. } => None,
        },
        _ => None,
    }
}

/// The first chain that has what a row represents; None where the proxy has none.
pub(in crate::app) fn chain(screen: &Screen, row: &Row) -> Option<Key> {
    let lists = &entry(screen)?.lists;
    let key = |place: &ChainPlace| Key { listener: place.listener.clone(), state: place.state, chain: Some(place.chain) };
    let of_plugin = |list: usize, number: usize| {
        let is_it = |mark: &RulerMark| matches!(mark, RulerMark::Plugin { place, .. } if *place == number);
        lists[list].ruler.iter().find(|place| is_it(&place.what))?.first_chain.as_ref()
    };
    match row {
        Row::Ordered(list, plugin) => of_plugin(*list, plugin + 1).map(key),
        Row::Place(list, place) => lists[*list].ruler[*place].first_chain.as_ref().map(key),
        Row::Ordering(list) | Row::Ruler(list) => lists[*list].found.first().map(|found| key(&found.first_chain)),
        _ => None,
    }
}

pub(super) fn text(screen: &Screen, row: &Row) -> Option<String> {
    let lists = &entry(screen)?.lists;
    match row {
        Row::Ordered(list, plugin) => lists[*list].plugins.get(*plugin).map(|plugin| plugin.plugin.clone()),
        Row::Ruler(list) | Row::Ordering(list) => Some(lists[*list].heading()),
        Row::Place(list, place) => Some(lists[*list].ruler[*place].name()),
        _ => None,
    }
}
