//! What every form of the answer says alike: which lists are shown, and the words above and under them.

use std::collections::BTreeSet;

use super::{FoundFilters, OrderEntry, OrderList};
use crate::analysis::order::FilterList;

impl OrderEntry {
    /// The lists to show, as places in `lists`, those with the same plugins together: all of HTTP filters, and those of network
    /// filters that have plugins.
    pub fn shown(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, list) in self.lists.iter().enumerate().filter(|(_, list)| list.filters == FilterList::Http || list.has_plugins()) {
            let same = |group: &Vec<usize>| {
                let first = &self.lists[group[0]];
                first.filters == list.filters && first.plugins == list.plugins
            };
            match groups.iter_mut().find(|group| same(group)) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        groups
    }

    /// `HTTP filters, inbound and outbound: 2 plugins in running order`.
    pub fn heading(&self, group: &[usize]) -> String {
        let lists: Vec<&OrderList> = group.iter().map(|index| &self.lists[*index]).collect();
        let directions: Vec<&str> = lists.iter().map(|list| list.direction.as_str()).collect();
        let count = match lists[0].plugins.len() {
            0 => "no plugin".to_owned(),
            1 => "1 plugin".to_owned(),
            more => format!("{more} plugins in running order"),
        };
        format!("{}, {}: {count}", lists[0].filters.as_str(), directions.join(" and "))
    }

    /// Whose rules are taken, how the dump was read, what can differ, and which plugins have no place, as sentences.
    pub fn said(&self) -> Vec<String> {
        let mut lines = vec![
            format!("Rules of Istio {}: {}.", self.istio_version, self.istio_version_note),
            format!("Config dump: {}.", self.dump_note),
        ];
        lines.extend(self.note.iter().map(|note| format!("Note: {note}.")));
        let patches = |name: &String| format!("EnvoyFilter {name} applies here, and can put filters elsewhere than the rules have them.");
        lines.extend(self.envoy_filters.iter().map(patches));
        lines.extend(self.left_out.iter().map(|plugin| format!("{} {} has no place: {}.", plugin.plugin_kind, plugin.plugin, plugin.why)));
        lines
    }
}

impl OrderList {
    /// Whether a plugin stands in it, by the rules or in the proxy.
    pub fn has_plugins(&self) -> bool {
        let has = |found: &FoundFilters| found.filters.iter().any(|filter| filter.filter.plugin_kind.is_some());
        !self.plugins.is_empty() || self.found.iter().any(has)
    }

    /// `HTTP filters, inbound: counted from the proxy's 4 chains`.
    pub fn heading(&self) -> String {
        let counted = match (self.chains, &self.chains_note) {
            (Some(1), _) => "counted from the proxy's one chain".to_owned(),
            (Some(chains), _) => format!("counted from the proxy's {chains} chains"),
            (None, note) => note.clone().unwrap_or_default(),
        };
        format!("{}, {}: {counted}", self.filters.as_str(), self.direction.as_str())
    }

    /// How what the proxy has differs from the rules, as sentences, each once.
    pub fn differences(&self) -> impl Iterator<Item = &String> {
        let mut said = BTreeSet::new();
        self.found.iter().flat_map(|found| &found.differences).filter(move |sentence| said.insert(*sentence))
    }

    /// `4 of 4`, `none`; empty where there is nothing to count.
    pub fn share(&self, chains: Option<usize>) -> String {
        match chains.zip(self.chains) {
            Some((0, _)) => "none".to_owned(),
            Some((chains, of)) => format!("{chains} of {of}"),
            None => String::new(),
        }
    }
}

impl FoundFilters {
    /// `In 4 of the proxy's chains: default/helloworld > fault > cors > router`.
    pub fn text(&self) -> String {
        let names: Vec<&str> = self.filters.iter().map(|filter| filter.filter.shown()).collect();
        format!("In {} of the proxy's chains: {}", self.chains, names.join(" > "))
    }
}
