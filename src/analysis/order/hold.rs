//! A chain's filters laid along a ruler: which mark each is of, and which stand elsewhere than the ruler has them.

use super::built_in::BuiltIn;
use crate::model::envoy::Filter;
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

/// The longest run in order that begins with a filter taken for a place, and how it goes on.
struct Run {
    place: usize,
    length: usize,
    next: Option<Step>,
}

/// A filter, and which of its runs.
type Step = (usize, usize);

/// Lays a chain's filters, each with the plugin that made it, along the places.
///
/// As many as possible count as in order, so that what was moved is as little as can be. What can be of two places is taken for
/// the later one where both are possible.
pub fn lay(places: &[Place], filters: &[(&Filter, Option<&PluginId>)]) -> Vec<Laid> {
    let mut runs: Vec<Vec<Run>> = filters.iter().map(|_| Vec::new()).collect();
    for (filter, found) in filters.iter().enumerate().rev() {
        let run = |place| {
            let next = best(&runs, filter + 1, place);
            Run { place, length: 1 + next.map_or(0, |(next, run)| runs[next][run].length), next }
        };
        runs[filter] = (0..places.len()).filter(|place| is_at(&places[*place], found)).map(run).collect();
    }
    let mut laid: Vec<Laid> = runs.iter().map(|runs| runs.last().map_or(Laid::Unknown, |run| Laid::Moved(run.place))).collect();
    let mut step = best(&runs, 0, 0);
    while let Some((filter, run)) = step {
        laid[filter] = Laid::At(runs[filter][run].place);
        step = runs[filter][run].next;
    }
    laid
}

/// Where the longest run begins, from a filter on and at a place or later: at the nearest filter and the latest place where
/// several are as long.
fn best(runs: &[Vec<Run>], from: usize, place: usize) -> Option<Step> {
    let all = (from..runs.len()).rev().flat_map(|filter| (0..runs[filter].len()).map(move |run| (filter, run)));
    all.filter(|(filter, run)| runs[*filter][*run].place >= place).max_by_key(|(filter, run)| runs[*filter][*run].length)
}

/// Whether a filter can be of a place.
fn is_at(place: &Place, (filter, plugin): &(&Filter, Option<&PluginId>)) -> bool {
    match (place, plugin) {
        (Place::Plugin(id), Some(plugin)) => id == *plugin,
        (Place::BuiltIn(built_in), None) => built_in.is(filter),
        _ => false,
    }
}
