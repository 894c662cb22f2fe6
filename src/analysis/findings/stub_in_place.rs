//! A module that could not be fetched, in whose place the agent has put a filter that allows or denies everything.

use super::fetch_error::{FetchError, newest_line};
use super::states::{InState, in_states, with_url};
use super::{DUMPS, Facts, Finding, Rule, Severity, digest_mismatch, pull_secret};
use crate::analysis::answers;
use crate::analysis::health::PluginState;
use crate::model::plugin::Phase;

pub(super) const RULE: Rule = Rule {
    code: "stub-in-place",
    severity: Severity::Error,
    title: "The plugin's module could not be fetched, and a filter of the same name allows or denies every request.",
    why: "The plugin does not run, and nothing in `istioctl proxy-status` shows it: to the proxy the filter in its place is one like any \
        other. The agent does not try again by itself.",
    source: "pkg/istio-agent/xds_proxy.go: rewriteAndForward; pkg/wasm/convert.go",
    needs: DUMPS,
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    in_states(facts, &[PluginState::StubDeny, PluginState::StubAllow]).iter().map(|stub| finding(facts, stub)).collect()
}

fn finding(facts: &Facts<'_>, stub: &InState<'_>) -> Finding {
    let object = facts.objects().plugins.get(stub.plugin);
    let guards = object.is_some_and(|object| matches!(object.phase, Phase::Authn | Phase::Authz));
    let (does, severity) = match stub.state {
        PluginState::StubDeny => ("denies every request", Severity::Error),
        _ if guards => ("allows every request", Severity::Error),
        _ => ("allows every request", Severity::Warning),
    };
    let newest = newest_line(stub.on.iter().map(|(_, health)| *health));
    if let Some(error) = newest.and_then(|line| FetchError::of(&line.what)) {
        return for_error(facts, stub, does, severity, error);
    }
    let reason = newest.map(|line| format!(": the agent's log has the reason at {}", line.field)).unwrap_or_default();
    Finding {
        severity,
        fix: format!(
            "see that the module can be fetched{reason}; then change the object, an annotation suffices, so that it is fetched again"
        ),
        ..stub.finding(&RULE, &format!("a filter in the place of {} {does}", with_url(facts, stub.plugin)))
    }
}

/// The finding where the agent's words show what to do. A Secret that cannot be used is part of it.
fn for_error(facts: &Facts<'_>, stub: &InState<'_>, does: &str, severity: Severity, error: FetchError<'_>) -> Finding {
    let object = facts.objects().plugins.get(stub.plugin).map(|object| &**object);
    let first = stub.on.first().map(|(proxy, _)| proxy);
    let named = |digest: &str| first.map(|proxy| digest_mismatch::named(object, proxy, digest)).unwrap_or_else(|| digest.to_owned());
    let secret = object.and_then(pull_secret::named).filter(|_| error.is_of_secret());
    let secret = secret.map(|name| (answers::pull_secret(facts.snapshot, &name), pull_secret::create(facts, &name)));
    let what = format!("a filter in the place of {} {does}: {}", with_url(facts, stub.plugin), error.words(&named));
    let finding = stub.finding(&RULE, &what);
    let shown = secret.iter().map(|(secret, _)| format!("Secret {} {}", secret.name, secret.what));
    let fix = error.fix(secret.as_ref().map(|(secret, create)| (secret, create.as_str())));
    Finding {
        severity,
        evidence: finding.evidence.iter().cloned().chain(shown).collect(),
        fix: match error {
            // What is written into url is a change of the object.
            FetchError::Unknown(_) => fix,
            _ => format!("{fix}; then change the object, an annotation suffices, so that it is fetched again"),
        },
        ..finding
    }
}
