//! `check`: what is wrong or may not be what was meant, and what could not be looked at.

use serde::Serialize;

use crate::analysis::findings::{self, Facts, Finding, Ignore, NotChecked, Severity};
use crate::model::ids::ProxyId;
use crate::model::snapshot::Snapshot;
use crate::model::warning::Warning;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingsAnswer {
    /// What could not be read or understood.
    pub warnings: Vec<Warning>,
    /// The findings, the gravest first, of each severity by object.
    pub findings: Vec<Finding>,
    /// What could not be looked at, with the rules that would have.
    pub not_checked: Vec<NotChecked>,
    /// How many findings were left out because they are ignored.
    pub ignored: usize,
    /// The proxies that were looked at, or should have been.
    #[serde(skip)]
    pub proxies: Vec<ProxyId>,
}

impl FindingsAnswer {
    /// How many findings are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// `1 error, 2 warnings, 1 information; 3 ignored`.
    pub fn summary(&self) -> String {
        let plural = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
        let ignored = if self.ignored > 0 { format!("; {} ignored", self.ignored) } else { String::new() };
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let information = self.count(Severity::Information);
        format!("{}, {}, {information} information{ignored}", plural(errors, "error"), plural(warnings, "warning"))
    }

    /// Whether it is bad news, which the exit status says.
    pub fn is_bad(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}

/// Answers for what a namespace sees, its own and the root namespace's plugins and its own proxies; for all where it is None.
pub fn findings(snapshot: &Snapshot, namespace: Option<&str>, ignore: &[Ignore]) -> FindingsAnswer {
    let facts = Facts::of(snapshot, namespace);
    let mut found = findings::findings(&facts);
    let all = found.len();
    found.retain(|finding| !ignore.iter().any(|ignore| ignore.covers(finding)));
    FindingsAnswer {
        warnings: snapshot.warnings.clone(),
        ignored: all - found.len(),
        findings: found,
        not_checked: findings::not_checked(&facts),
        proxies: facts.proxies.into_iter().map(|proxy| proxy.id).collect(),
    }
}
