//! Plugins that belong together two by two, as groups: one finding is about all of a group, however many pairs it has.

use std::collections::BTreeMap;

use super::FindingObject;
use crate::model::ids::PluginId;

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

    /// Joins two items.
    pub(super) fn join(&mut self, one: T, other: T) {
        let (one, other) = (self.place(one), self.place(other));
        let (one, other) = (self.root(one), self.root(other));
        self.parents[one.max(other)] = one.min(other);
    }

    /// The groups, each with what is about it; each of `about` goes by a member.
    pub(super) fn groups_with<A>(self, about: impl IntoIterator<Item = (T, A)>) -> Vec<(Vec<T>, Vec<A>)> {
        let mut groups: Vec<(Vec<T>, Vec<A>)> = self.groups().into_iter().map(|group| (group, Vec::new())).collect();
        let members = groups.iter().enumerate().flat_map(|(place, (group, _))| group.iter().map(move |member| (*member, place)));
        let group_of: BTreeMap<T, usize> = members.collect();
        for (member, about) in about {
            groups[group_of[&member]].1.push(about);
        }
        groups
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
        let about = [(4, "of the first"), (5, "of the second"), (1, "of the first too")];
        let expected = [(vec![1, 2, 3, 4], vec!["of the first", "of the first too"]), (vec![5, 6], vec!["of the second"])];
        assert_eq!(together.groups_with(about), expected);
    }
}
