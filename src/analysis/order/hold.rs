//! A chain's filters laid along a ruler: which mark each is of, and which stand elsewhere than the ruler has them.

use super::built_in::BuiltIn;
use crate::model::ids::PluginId;

/// A place of a ruler, the plugins put in: what a filter can be found at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A built-in filter.
    BuiltIn(BuiltIn),
    /// A plugin.
    Plugin(PluginId),
    /// A heading between them; no filter is of it.
    Heading,
}

/// What a filter of a chain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Laid {
    /// That of the place, in the ruler's order.
    At(usize),
    /// That of the place, but elsewhere than the ruler has it.
    Moved(usize),
    /// Nothing that the ruler knows.
    Unknown,
}

impl Laid {
    /// The place that a filter is of.
    pub fn place(self) -> Option<usize> {
        match self {
            Self::At(place) | Self::Moved(place) => Some(place),
            Self::Unknown => None,
        }
    }
}

/// Lays a chain's filters, by their names and the plugins that made them, along the places.
///
/// As many as possible are taken to stand in order, so that what was moved is as little as can be. A name that can be of two
/// places (`rbac` is both of CUSTOM and of the other actions) is taken for the later one where both are possible.
pub fn lay(places: &[Place], filters: &[(&str, Option<&PluginId>)]) -> Vec<Laid> {
    let candidates: Vec<Vec<usize>> = filters.iter().map(|filter| candidates(places, filter)).collect();
    // The longest run in order that begins with a filter at a candidate, from the last filter on: how long, and how it goes on.
    let mut runs: Vec<Vec<(usize, Option<(usize, usize)>)>> = vec![Vec::new(); filters.len()];
    for filter in (0..filters.len()).rev() {
        runs[filter] = candidates[filter]
            .iter()
            .map(|place| {
                let next = best(&runs, &candidates, filter + 1, *place);
                (1 + next.map_or(0, |(next, choice)| runs[next][choice].0), next)
            })
            .collect();
    }
    let mut laid: Vec<Laid> = candidates.iter().map(|found| found.last().map_or(Laid::Unknown, |place| Laid::Moved(*place))).collect();
    let mut at = best(&runs, &candidates, 0, 0);
    while let Some((filter, choice)) = at {
        laid[filter] = Laid::At(candidates[filter][choice]);
        at = runs[filter][choice].1;
    }
    laid
}

/// The filter and candidate with which the longest run begins, from a filter on and at a place or later; the nearest filter and
/// the latest place where several are as long.
fn best(runs: &[Vec<(usize, Option<(usize, usize)>)>], candidates: &[Vec<usize>], from: usize, place: usize) -> Option<(usize, usize)> {
    let all = (from..runs.len()).rev().flat_map(|filter| (0..runs[filter].len()).map(move |choice| (filter, choice)));
    all.filter(|(filter, choice)| candidates[*filter][*choice] >= place).max_by_key(|(filter, choice)| runs[*filter][*choice].0)
}

fn candidates(places: &[Place], (name, plugin): &(&str, Option<&PluginId>)) -> Vec<usize> {
    let is = |place: &Place| match (place, plugin) {
        (Place::Plugin(id), Some(plugin)) => id == *plugin,
        (Place::BuiltIn(built_in), None) => built_in.names.contains(name),
        _ => false,
    };
    (0..places.len()).filter(|index| is(&places[*index])).collect()
}
