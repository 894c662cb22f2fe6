//! Findings that are meant to be as they are: named by code, or by code and object, `CODE[:OBJECT]`.

use std::str::FromStr;

use super::{Finding, FindingObject, RULES};
use crate::model::ids::{ObjectName, WorkloadKind};

/// One `--ignore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    text: String,
    code: String,
    /// A name, in lower case, in which `*` stands for any letters; None is every object.
    object: Option<String>,
}

impl Ignore {
    /// Whether it is meant by this: its object, either of two plugins, or the workload of its pod, which outlives the pod.
    pub fn covers(&self, finding: &Finding) -> bool {
        let owners = if finding.object.kind == "Pod" { finding.workloads.as_slice() } else { &[] };
        let both = if finding.plugins.len() == 2 { finding.plugins.as_slice() } else { &[] };
        let names = || std::iter::once(&finding.object).chain(owners).chain(both).flat_map(names);
        self.code == finding.code && self.object.as_ref().is_none_or(|wanted| names().any(|name| is_like(wanted, &name)))
    }
}

/// As it was written.
impl std::fmt::Display for Ignore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Ignore {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (code, object) = text.split_once(':').map_or((text, None), |(code, object)| (code, Some(object.trim())));
        if !RULES.iter().any(|rule| rule.code == code) {
            let codes: Vec<&str> = RULES.iter().map(|rule| rule.code).collect();
            return Err(format!("there is no finding {code}; there is {}", codes.join(", ")));
        }
        if object.is_some_and(str::is_empty) {
            return Err(format!("{text} names no object; write {code} alone, or {code}:NAMESPACE/NAME"));
        }
        // Names of Kubernetes are in lower case, kinds are not.
        Ok(Self { text: text.to_owned(), code: code.to_owned(), object: object.map(str::to_lowercase) })
    }
}

/// The ways to write an object: `name`, `namespace/name`, `kind/name`, `kind/namespace/name`; the kind as it is, or in the word
/// that stands for a workload's.
fn names(object: &FindingObject) -> Vec<String> {
    let full = ObjectName::new(object.namespace.as_str(), object.name.as_str()).to_string();
    let word = WorkloadKind::ALL.into_iter().find(|kind| kind.as_str() == object.kind).map(WorkloadKind::prefix);
    let kinds = std::iter::once(object.kind.to_lowercase()).chain(word.map(str::to_owned));
    let of_kind = kinds.flat_map(|kind| [format!("{kind}/{}", object.name), format!("{kind}/{full}")]);
    let mut names: Vec<String> = of_kind.collect();
    names.extend([object.name.clone(), full]);
    names
}

/// Whether a text is what a pattern says, in which `*` stands for any letters but a slash.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(first) else { return false };
    let within = text.find('/').unwrap_or(text.len());
    (0..=within).any(|taken| text.get(taken..).is_some_and(|text| is_like(rest, text)))
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn a_star_stands_for_any_letters_of_one_part() {
        for (pattern, text) in [("*", "a"), ("default/*", "default/a"), ("d*t/a", "default/a"), ("*/*", "default/a"), ("a*", "a")] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("*", "default/a"), ("default/*", "default/a/b"), ("a", "ab"), ("a*b", "ac"), ("*ä", "ö")] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }
}
