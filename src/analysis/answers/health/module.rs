//! The module of a plugin over its proxies: which digests run, when it is pulled again, and the secret that it is pulled with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ProxyHealth;
use crate::analysis::era::Version;
use crate::analysis::health::module::{NOT_AGAIN, is_comparable, named_digest, next_pull, next_pull_of_stubs};
use crate::analysis::health::{PluginState, Weight};
use crate::model::ids::{ObjectName, PluginId, ProxyId};
use crate::model::pull_secret::{PULL_SECRET_TYPE, PullSecret};
use crate::model::snapshot::Snapshot;

/// A plugin's module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleHealth {
    /// Its URL.
    pub url: String,
    /// `sha256`; empty where unset.
    pub sha256: String,
    /// `imagePullPolicy`, as written; empty where unset.
    pub image_pull_policy: String,
    /// When an agent pulls it the next time, by the oldest agent among the proxies.
    pub next_pull: String,
    /// The digests that the proxies run, those of most proxies first.
    pub digests: Vec<RunDigest>,
    /// What is wrong with them: they differ, or are not what `sha256` asks for.
    pub skew: Vec<String>,
    /// `imagePullSecret`; None where unset.
    pub image_pull_secret: Option<SecretHealth>,
}

impl ModuleHealth {
    /// When it is pulled again, as a sentence.
    fn pulled(&self) -> String {
        match self.next_pull.strip_prefix(NOT_AGAIN) {
            Some(why) => format!("not pulled again{why}"),
            None => format!("pulled again {}", self.next_pull),
        }
    }

    /// What is known of it, as sentences.
    pub fn said(&self) -> Vec<(Weight, String)> {
        let mut lines = vec![(Weight::Neutral, format!("module {}", self.url)), (Weight::Neutral, self.pulled())];
        let of_digest = |run: &RunDigest| {
            let before = match run.outdated {
                0 => "",
                all if all == run.proxies.len() => ", from before the object was changed last",
                _ => ", on some of them from before the object was changed last",
            };
            format!("{} on {} of its proxies{before}", run.named, run.proxies.len())
        };
        lines.extend(self.digests.iter().map(|run| (Weight::Neutral, of_digest(run))));
        lines.extend(self.skew.iter().map(|skew| (Weight::Bad, skew.clone())));
        lines.extend(self.image_pull_secret.iter().map(|secret| {
            let weight = if secret.good == Some(false) { Weight::Bad } else { Weight::Neutral };
            (weight, secret.said())
        }));
        lines
    }
}

/// A digest, and who runs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunDigest {
    /// The checksum in the name of the module's file: of the OCI image's manifest, or of the module that HTTP gave.
    pub digest: String,
    /// The proxies.
    pub proxies: Vec<ProxyId>,
    /// The digest with what it is of: `image sha256:…`, `module sha256:…`.
    #[serde(skip)]
    pub named: String,
    /// On how many of the proxies the plugin is outdated, so that the URL is not the one that the digest was pulled from.
    #[serde(skip)]
    pub outdated: usize,
}

/// The secret that a module is pulled with; its content is never read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretHealth {
    /// `namespace/name`.
    pub name: String,
    /// Whether it will do; None where that could not be read.
    pub good: Option<bool>,
    /// What is known of it, as one clause.
    pub what: String,
}

impl SecretHealth {
    /// What is known of it, as a sentence. An error names it itself.
    fn said(&self) -> String {
        let is_named = self.good.is_none() && self.what.contains(&self.name);
        if is_named { self.what.clone() } else { format!("Secret {} {}", self.name, self.what) }
    }
}

/// None where the plugin has no object, or no Wasm module.
pub(super) fn of_plugin(snapshot: &Snapshot, plugin: &PluginId, proxies: &[ProxyHealth]) -> Option<ModuleHealth> {
    let object = snapshot.objects.plugins.get(plugin)?;
    let module = object.wasm()?;
    let oldest = proxies.iter().filter_map(|proxy| agent(snapshot, &proxy.proxy)).min();
    let mut by_digest: BTreeMap<&str, Vec<ProxyId>> = BTreeMap::new();
    // What was refused, or is left over, runs nowhere.
    for proxy in proxies.iter().filter(|proxy| proxy.state.has_module()) {
        if let Some(digest) = &proxy.digest {
            by_digest.entry(digest).or_default().push(proxy.proxy.clone());
        }
    }
    let is_outdated = |of: &ProxyId| proxies.iter().any(|proxy| proxy.proxy == *of && proxy.state == PluginState::Outdated);
    let named = |digest: &str, proxies: &[ProxyId]| {
        named_digest(digest, &module.url, proxies.iter().filter_map(|proxy| agent(snapshot, proxy)).min())
    };
    let mut digests: Vec<RunDigest> = by_digest
        .into_iter()
        .map(|(digest, proxies)| RunDigest {
            digest: digest.to_owned(),
            named: named(digest, &proxies),
            outdated: proxies.iter().filter(|proxy| is_outdated(proxy)).count(),
            proxies,
        })
        .collect();
    digests.sort_by_key(|digest| std::cmp::Reverse(digest.proxies.len()));
    let mut skew = Vec::new();
    if digests.len() > 1 {
        let of = if digests.iter().all(|digest| digest.named.starts_with("image")) { "images" } else { "modules" };
        skew.push(format!(
            "the proxies run {} different {of}: some pulled theirs before it changed in the registry, or by another tag",
            digests.len()
        ));
    }
    let other =
        |digest: &&RunDigest| digest.digest != module.sha256 && digest.proxies.iter().any(|proxy| comparable(snapshot, proxy, &module.url));
    if !module.sha256.is_empty() {
        skew.extend(
            digests.iter().filter(other).map(|other| {
                format!("sha256 asks for {}, and {} is on {} of its proxies", module.sha256, other.named, other.proxies.len())
            }),
        );
    }
    let stubs = proxies.iter().filter(|proxy| proxy.state.is_stub()).count();
    Some(ModuleHealth {
        url: module.url.clone(),
        sha256: module.sha256.clone(),
        image_pull_policy: module.image_pull_policy.clone(),
        next_pull: next_pull_of_stubs(next_pull(module, oldest), stubs, proxies.len()),
        digests,
        skew,
        image_pull_secret: object.pull_secret().map(|name| pull_secret(snapshot, &name)),
    })
}

/// The version of a proxy's agent, by its own word.
fn agent(snapshot: &Snapshot, proxy: &ProxyId) -> Option<Version> {
    Version::parse(&snapshot.dump(proxy)?.dump.node.as_ref()?.istio_version)
}

fn comparable(snapshot: &Snapshot, proxy: &ProxyId, url: &str) -> bool {
    is_comparable(url, agent(snapshot, proxy))
}

/// What is known of a Secret that a module is pulled with.
pub fn pull_secret(snapshot: &Snapshot, secret: &ObjectName) -> SecretHealth {
    let (good, what) = match snapshot.pull_secrets.get(secret) {
        Some(PullSecret::Awaited) => (None, "is being looked for".to_owned()),
        Some(PullSecret::Good) => (Some(true), format!("is there, and of type {PULL_SECRET_TYPE}")),
        Some(PullSecret::OtherType) => (Some(false), format!("is there, and not of type {PULL_SECRET_TYPE}, which istiod asks for")),
        Some(PullSecret::Missing) => (Some(false), "is not there".to_owned()),
        Some(PullSecret::Elsewhere(namespaces)) => {
            let there = namespaces.join(", ");
            (Some(false), format!("is not there; one of its name is in {there}, and it has to be in the plugin's own namespace"))
        }
        Some(PullSecret::Unread(why)) => (None, why.clone()),
        None => (None, "was not looked for".to_owned()),
    };
    SecretHealth { name: secret.to_string(), good, what }
}
