//! What a row is about, whichever place it has: by this the selection follows it when a new answer has its rows in another order.

use std::mem::{Discriminant, discriminant};

use super::{Row, chains, diff, findings, mtls, order, text, timeline, why};
use crate::app::screen::Screen;

/// What the selected row is about, and of several rows about the same which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    row: Name,
    before: usize,
}

type Name = (Discriminant<Row>, String);

/// What the selected row is about. None where nothing but its place says it.
pub fn selected(screen: &Screen) -> Option<Identity> {
    let row = name(screen, screen.selected()?)?;
    let above = screen.rows.get(..screen.list.selected)?;
    let before = above.iter().filter(|other| name(screen, other).as_ref() == Some(&row)).count();
    Some(Identity { row, before })
}

/// Selects the row that is about the same; where it is gone, which is said, the row that has its place stays selected.
pub fn select(screen: &mut Screen, identity: &Identity, height: usize) -> bool {
    let same = |(_, row): &(usize, &Row)| name(screen, row).as_ref() == Some(&identity.row);
    let mut rows = screen.rows.iter().enumerate().filter(same).map(|(place, _)| place);
    let Some(first) = rows.next() else { return false };
    let place = rows.take(identity.before).last().unwrap_or(first);
    screen.list.select(place, height, screen.rows.len());
    true
}

fn name(screen: &Screen, row: &Row) -> Option<Name> {
    let inside = |outer: Option<Name>| format!("{} {}", outer.map(|(_, name)| name).unwrap_or_default(), text(screen, row));
    let name = match row {
        Row::Plugin(index) => screen.plugins()?.plugins.get(*index).map(|plugin| format!("{} {}", plugin.plugin_kind, plugin.plugin))?,
        Row::Workload(index) => screen.workloads()?.workloads.get(*index).map(|workload| format!("{:?}", workload.id))?,
        Row::Listener(_) => format!("{:?}", chains::key_of(screen, row)?),
        Row::Chain(listener, _) => inside(self::name(screen, &Row::Listener(*listener))),
        Row::NetworkFilter(listener, chain, _) | Row::HttpFilter(listener, chain, _) => {
            inside(self::name(screen, &Row::Chain(*listener, *chain)))
        }
        Row::Sum(index) => {
            let listener = why::entry(screen)?.listeners.get(*index)?;
            format!("{} {}", listener.listener, listener.state.as_str())
        }
        Row::Term(index, _) | Row::Difference(index, _) => inside(self::name(screen, &Row::Sum(*index))),
        Row::MtlsClient(place, _) => format!("{} {}", mtls::entry(screen)?.services.get(*place)?.service, text(screen, row)),
        Row::Ordered(list, _) => inside(self::name(screen, &Row::Ordering(*list))),
        Row::Place(list, _) => inside(self::name(screen, &Row::Ruler(*list))),
        Row::Ordering(list) | Row::Ruler(list) => order::entry(screen)?.lists.get(*list)?.heading(),
        Row::Step(part, step) => {
            let part = timeline::part(screen, *part)?;
            format!("{} {}", part.heading, part.steps.get(*step)?.step.words())
        }
        Row::Unseen(part, _) => format!("{} {}", timeline::part(screen, *part)?.heading, text(screen, row)),
        // The sentence of a type says how many differences there are.
        Row::DiffType(_) => diff::of_type(screen, row)?.short.to_owned(),
        Row::DiffLine(place, _) => inside(self::name(screen, &Row::DiffType(*place))),
        Row::Finding(index) => findings::of(screen, *index)?.id.clone(),
        Row::Line(_) | Row::Warning(_) => return None,
        _ => text(screen, row),
    };
    (!name.is_empty()).then(|| (discriminant(row), name))
}
