//! Plugins that belong together two by two, as groups: one finding is about all of a group, however many pairs it has.

use std::collections::BTreeMap;

use super::FindingObject;
use crate::model::ids::PluginId;

/// How many of a group are named where people read.
const MOST: usize = 8;

/// Things that are joined two by two (a disjoint-set forest).
pub(super) struct Together<T> {
    known: Vec<T>,
    places: BTreeMap<T, usize>,
    parents: Vec<usize>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { known: Vec::new(), places: BTreeMap::new(), parents: Vec::new() }
    }
}

impl<T: Ord + Copy> Together<T> {
    fn place(&mut self, item: T) -> usize {
        if let Some(place) = self.places.get(&item) {
            return *place;
        }
        self.places.insert(item, self.known.len());
        self.parents.push(self.known.len());
        self.known.push(item);
        self.known.len() - 1
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.parents[place] != place {
            self.parents[place] = self.parents[self.parents[place]];
            place = self.parents[place];
        }
        place
    }

    /// Says that two belong together.
    pub(super) fn join(&mut self, one: T, other: T) {
        let (one, other) = (self.place(one), self.place(other));
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }

    /// The groups, each in the order in which its members were first named.
    pub(super) fn groups(mut self) -> Vec<Vec<T>> {
        let mut groups: BTreeMap<usize, Vec<T>> = BTreeMap::new();
        for place in 0..self.known.len() {
            let root = self.root(place);
            groups.entry(root).or_default().push(self.known[place]);
        }
        groups.into_values().collect()
    }
}

/// `a and b`, `a, b and c`, and of many the first.
pub(super) fn named(plugins: &[&PluginId]) -> String {
    let names: Vec<String> = plugins.iter().take(MOST).map(ToString::to_string).collect();
    match (plugins.len().saturating_sub(MOST), &names[..]) {
        (0, [first @ .., last]) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (0, _) => names.join(", "),
        (more, _) => format!("{} and {more} more", names.join(", ")),
    }
}

/// The plugins as a finding lists them.
pub(super) fn listed(plugins: &[&PluginId]) -> Vec<FindingObject> {
    plugins.iter().map(|plugin| FindingObject::new(plugin.kind.as_str(), &plugin.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::Together;

    #[test]
    fn what_is_joined_over_others_is_one_group() {
        let mut together = Together::default();
        for (one, other) in [(1, 2), (3, 4), (2, 3), (5, 6)] {
            together.join(one, other);
        }
        assert_eq!(together.groups(), [vec![1, 2, 3, 4], vec![5, 6]]);
    }
}
