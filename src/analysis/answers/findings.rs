//! `check`: what is wrong or may not be what was meant, and what could not be looked at.

use serde::Serialize;

use crate::analysis::findings::{self, Facts, Finding, Ignore, NotChecked, ProxyFacts, Severity};
use crate::model::ids::ProxyId;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};

/// What was looked at: silence is good news of that alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckScope {
    /// The namespace; None for all.
    pub namespace: Option<String>,
    /// How many plugins there are, those of the root namespace too.
    pub plugins: usize,
    /// How many proxies there are: those of the namespace, and those that its plugins apply to.
    pub proxies: usize,
    /// Of how many of them the own config dump was read, whole.
    pub proxies_read: usize,
}

impl std::fmt::Display for CheckScope {
    /// `Namespace default, 1 plugin, 2 of 3 proxies read`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "Namespace {namespace}")?,
            None => f.write_str("All namespaces")?,
        }
        let plugins = if self.plugins == 1 { "1 plugin".to_owned() } else { format!("{} plugins", self.plugins) };
        write!(f, ", {plugins}, {}", self.read())
    }
}

impl CheckScope {
    /// `2 of 3 proxies read`.
    fn read(&self) -> String {
        format!("{} of {} {} read", self.proxies_read, self.proxies, if self.proxies == 1 { "proxy" } else { "proxies" })
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingsAnswer {
    /// What could not be read or understood.
    pub warnings: Vec<Warning>,
    /// What was looked at.
    pub scope: CheckScope,
    /// The findings, the gravest first, of each severity by object.
    pub findings: Vec<Finding>,
    /// What could not be looked at, with the rules that would have.
    pub not_checked: Vec<NotChecked>,
    /// How many findings were left out because they are ignored.
    pub ignored: usize,
    /// The proxies in question.
    #[serde(skip)]
    pub proxies: Vec<ProxyId>,
    /// Why of no proxy that runs anything could be read; None where something could, and where none runs.
    #[serde(skip)]
    pub blind: Option<String>,
}

impl FindingsAnswer {
    /// How many findings are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// `24 of 60 proxies read`; None where all were.
    pub fn unread(&self) -> Option<String> {
        (self.scope.proxies_read < self.scope.proxies).then(|| self.scope.read())
    }

    /// `1 error, 2 warnings, 1 information; 3 ignored`.
    pub fn summary(&self) -> String {
        let plural = |count: usize, word: &str| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") };
        let ignored = if self.ignored > 0 { format!("; {} ignored", self.ignored) } else { String::new() };
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let information = self.count(Severity::Information);
        format!("{}, {}, {information} information{ignored}", plural(errors, "error"), plural(warnings, "warning"))
    }

    /// What no rule looks at, so that silence is no good news of it.
    pub fn beyond(&self) -> &'static str {
        match findings::RULES.iter().any(|rule| rule.code == "requests-fail") {
            true => "Routes and authorization were looked at where requests failed, and nowhere else.",
            false => "Routes, authorization and requests were not looked at.",
        }
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
    let idle: Vec<Warning> = idle.collect();
    let warnings = warning::once(snapshot.warnings.iter().chain(&idle));
    let (ignored, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|finding| ignore.iter().any(|ignore| ignore.covers(finding)));
    FindingsAnswer {
        warnings,
        scope: CheckScope {
            namespace: namespace.map(str::to_owned),
            plugins: facts.plugins.len(),
            proxies: facts.proxies.iter().filter(|proxy| proxy.dump.is_ok() || !facts.is_without_agent(proxy)).count(),
            proxies_read: facts.dumps().filter(|(_, dump)| dump.not_understood == 0).count(),
        },
        blind: blind(&facts),
        ignored: findings::grouped(&facts, ignored).len(),
        findings: findings::grouped(&facts, found),
        not_checked: findings::not_checked(&facts),
        proxies: facts.proxies.into_iter().map(|proxy| proxy.id).collect(),
    }
}

fn blind(facts: &Facts<'_>) -> Option<String> {
    // A proxy that does not run yet, or any more, has nothing to say.
    let runs = |proxy: &&ProxyFacts<'_>| proxy.pod.is_none_or(|pod| pod.proxy.as_ref().is_some_and(|proxy| proxy.running));
    let running: Vec<&ProxyFacts<'_>> = facts.proxies.iter().filter(runs).collect();
    let first = running.first()?.dump.as_ref().err()?;
    running.iter().all(|proxy| proxy.dump.is_err()).then(|| first.clone())
}
