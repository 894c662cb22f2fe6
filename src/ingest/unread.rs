//! What could not be read, as warnings: a kind that is forbidden in several parts of the cluster is one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::kind::Kind;
use crate::model::update::Unread;
use crate::model::warning::Warning;

/// One warning for all of a kind of which the same is lacking, in the order of [`Kind::ALL`], then what is no kind's.
pub(super) fn warnings(unread: &[Unread]) -> Vec<Warning> {
    let mut of_kinds: BTreeMap<(usize, bool, &str), (&Unread, BTreeSet<String>)> = BTreeMap::new();
    let mut others = Vec::new();
    for one in unread {
        let Some(place) = one.kind.and_then(|kind| Kind::ALL.iter().position(|known| *known == kind)) else {
            others.push(Warning::new(&one.what, &one.why, &one.fix));
            continue;
        };
        let (first, parts) = of_kinds.entry((place, one.listed, &one.fix)).or_insert((one, BTreeSet::new()));
        if one.namespace != first.namespace {
            parts.insert(one.namespace.as_ref().map_or("in all namespaces".to_owned(), |namespace| format!("in namespace {namespace}")));
        }
    }
    let of_kinds = of_kinds.into_values().map(|(first, parts)| {
        let parts: Vec<String> = parts.into_iter().collect();
        let also = if parts.is_empty() { String::new() } else { format!(", and so it is {}", parts.join(", ")) };
        Warning::new(&first.what, format!("{}{also}", first.why), &first.fix)
    });
    of_kinds.chain(others).collect()
}
