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
    /// How many of the proxies in question were read.
    pub proxies_read: usize,
    /// How many proxies are in question: those of the namespace, and those that its plugins apply to.
    pub proxies_all: usize,
    /// The proxies in question.
    #[serde(skip)]
    pub proxies: Vec<ProxyId>,
}

impl FindingsAnswer {
    /// How many findings are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// `24 of 60 proxies read`; None where all were.
    pub fn unread(&self) -> Option<String> {
        let (read, all) = (self.proxies_read, self.proxies_all);
        (read < all).then(|| format!("{read} of {all} {} read", if all == 1 { "proxy" } else { "proxies" }))
    }

    /// `1 error, 2 warnings, 1 information; 3 ignored; 24 of 60 proxies read`.
    pub fn summary(&self) -> String {
        let plural = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
        let ignored = if self.ignored > 0 { format!("; {} ignored", self.ignored) } else { String::new() };
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let information = self.count(Severity::Information);
        let unread = self.unread().map(|unread| format!("; {unread}")).unwrap_or_default();
        format!("{}, {}, {information} information{ignored}{unread}", plural(errors, "error"), plural(warnings, "warning"))
    }

    /// Whether it is bad news, which the exit status says.
    pub fn is_bad(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}

/// Answers for what a namespace sees, its own and the root namespace's plugins and its own proxies; for all where it is None.
pub fn findings(snapshot: &Snapshot, namespace: Option<&str>, ignore: &[Ignore]) -> FindingsAnswer {
    let facts = Facts::of(snapshot, namespace);
    let found = findings::findings(&facts);
    // That nothing is ignored any more is worth to know: the object may be gone, or its name be written otherwise.
    let idle = ignore.iter().filter(|ignore| !found.iter().any(|finding| ignore.covers(finding)));
    let idle = idle.map(|ignore| Warning::new(format!("--ignore {ignore}"), "is true of no finding", "correct the name, or leave it away"));
    let warnings = snapshot.warnings.iter().cloned().chain(idle).collect();
    let (ignored, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|finding| ignore.iter().any(|ignore| ignore.covers(finding)));
    FindingsAnswer {
        warnings,
        ignored: findings::grouped(&facts, ignored).len(),
        findings: findings::grouped(&facts, found),
        not_checked: findings::not_checked(&facts),
        proxies_read: facts.proxies.iter().filter(|proxy| proxy.dump.is_ok()).count(),
        proxies_all: facts.proxies.len(),
        proxies: facts.proxies.into_iter().map(|proxy| proxy.id).collect(),
    }
}
