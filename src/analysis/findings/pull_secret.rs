//! The Secret that a module is to be pulled with, and that istiod does not find or take.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity, fetch_error};
use crate::analysis::answers;
use crate::model::ids::ObjectName;
use crate::model::plugin::Plugin;
use crate::model::pull_secret::{PULL_SECRET_TYPE, PullSecret};

pub(super) const RULE: Rule = Rule {
    code: "pull-secret",
    severity: Severity::Error,
    title: "The Secret of imagePullSecret is not there, in another namespace, or of another type.",
    why: "The agent does not fetch a module whose Secret is missing, be the registry open or not: a stub takes the plugin's place in every proxy that \
        has not the module yet.",
    source: "pilot/pkg/model/extensions.go: toSecretResourceName; pilot/pkg/credentials/kube/secrets.go: GetDockerCredential; pkg/wasm/convert.go",
    needs: Needs::objects(PLUGINS, &[]),
    check,
};

/// The Secret that a plugin names, where it is asked for: a file in the proxy's container is pulled from nowhere.
pub(super) fn named(plugin: &Plugin) -> Option<ObjectName> {
    plugin.pull_secret().filter(|_| plugin.wasm().is_some_and(|module| !module.url.starts_with("file://")))
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.plugins.iter().filter_map(|plugin| finding(facts, plugin)).collect()
}

/// What to do about a Secret that istiod cannot use.
pub(super) fn create(facts: &Facts<'_>, secret: &ObjectName) -> String {
    let ObjectName { namespace, name } = secret;
    let create = format!("kubectl create secret docker-registry {name} -n {namespace} …");
    match facts.snapshot.pull_secrets.get(secret) {
        Some(PullSecret::OtherType) => format!("delete it and create it of type {PULL_SECRET_TYPE}: `{create}`"),
        _ => format!("create it in namespace {namespace}: `{create}`, or take imagePullSecret away where the registry asks for none"),
    }
}

fn finding(facts: &Facts<'_>, plugin: &PluginFacts<'_>) -> Option<Finding> {
    let secret = named(plugin.plugin)?;
    let found = answers::pull_secret(facts.snapshot, &secret);
    let (id, ObjectName { namespace, name }) = (&plugin.plugin.id, &secret);
    // The finding about the stub has the cause too.
    (found.good == Some(false) && !fetch_error::is_for_secret(facts, id)).then(|| Finding {
        evidence: vec![
            format!("Secret {secret} {}", found.what),
            format!("imagePullSecret is {name}, which istiod looks for in {namespace}"),
        ],
        fix: create(facts, &secret),
        ..RULE.of_plugin(id, format!("{} {id} is to be pulled with a Secret that istiod cannot use.", id.kind))
    })
}
