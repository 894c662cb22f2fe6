//! What could not be read or understood, said once, with what to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// How many warnings of one kind are written out.
const MOST: usize = 10;

/// One thing that is missing from an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Warning {
    /// What it is about: `WasmPlugin default/helloworld`, `config dump of httpbin-1.default at configs[3]`.
    pub object: String,
    /// What went wrong, as one clause.
    pub what: String,
    /// What to do about it; empty where nothing can be done.
    pub fix: String,
}

impl Warning {
    /// Puts the parts together.
    pub fn new(object: impl Into<String>, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { object: object.into(), what: what.into(), fix: fix.into() }
    }
}

/// The warnings, each once, in their order.
pub fn once<'w>(warnings: impl IntoIterator<Item = &'w Warning>) -> Vec<Warning> {
    let mut seen = BTreeSet::new();
    warnings.into_iter().filter(|warning| seen.insert(*warning)).cloned().collect()
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.object, self.what)?;
        if !self.fix.is_empty() {
            write!(f, " ({})", self.fix)?;
        }
        Ok(())
    }
}

/// The lines to write for people: of each kind the first ones, and how many more there are, since a mesh of thousands of proxies can have
/// the same fault in each, with `advice` on how to see all.
pub fn summed_up(warnings: &[String], advice: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for warning in warnings {
        let count = kinds.entry(kind(warning)).or_default();
        *count += 1;
        if *count <= MOST {
            lines.push(warning.clone());
        }
    }
    let more = kinds.into_iter().filter(|(_, count)| *count > MOST);
    lines.extend(more.map(|(kind, count)| format!("{} more of the kind `{kind}`: {advice}", count - MOST)));
    lines
}

/// What a warning says, whatever object it is about: without the object's name, and without numbers.
fn kind(warning: &str) -> String {
    let (object, what) = warning.split_once(": ").unwrap_or(("", warning));
    let named = object.rsplit(' ').next().filter(|name| !name.is_empty());
    let what = named.map_or_else(|| what.to_owned(), |name| what.replace(name, "…"));
    let mut kind = String::with_capacity(what.len());
    for c in what.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }) {
        if c != '#' || !kind.ends_with('#') {
            kind.push(c);
        }
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_ten_of_one_kind_are_summed_up() {
        let missing = |index: usize| format!("web-{index}.shop: proxies/web-{index}.shop/config_dump.json is not in the recording");
        let mut warnings: Vec<String> = (0..5000).map(missing).collect();
        warnings.insert(3, "istiod: it is silent".to_owned());
        let lines = summed_up(&warnings, "-o json lists all");
        assert_eq!(lines.len(), 12);
        assert_eq!(lines[3], "istiod: it is silent");
        assert_eq!(lines[11], "4990 more of the kind `proxies/…/config_dump.json is not in the recording`: -o json lists all");
        assert_eq!(summed_up(&warnings[..11], "-o json lists all"), warnings[..11], "ten are written out");
    }

    #[test]
    fn places_within_one_dump_are_one_kind() {
        let at = |index: usize| format!("config dump of a.b at configs[{index}]: not understood: invalid type at line {index} column 9");
        assert_eq!(summed_up(&(0..30).map(at).collect::<Vec<_>>(), "-o json lists all").len(), 11);
    }
}
