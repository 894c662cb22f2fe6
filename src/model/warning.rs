//! What could not be read or understood, said once, with what to do.

use std::collections::BTreeSet;

use serde::Serialize;

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
