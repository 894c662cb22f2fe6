//! The state of the world at one moment: what every answer is asked of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::envoy::ConfigDump;
use super::ids::{ObjectName, ProxyId};
use super::inventory::Inventory;
use super::kind::Kind;
use super::logs::LogTime;
use super::pull_secret::PullSecret;
use super::sync::Sync;
use super::vitals::Vitals;
use super::warning::Warning;
use super::workload::Workload;

/// Everything that is known, immutable and shared: answers are functions of it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every change, so that a late answer to an old question can be told.
    pub generation: u64,
    /// The objects.
    pub objects: Arc<Inventory>,
    /// The workloads that the pods belong to, by name, then kind.
    pub workloads: Arc<[Arc<Workload>]>,
    /// The proxies' config dumps, as far as they were asked for.
    pub dumps: BTreeMap<ProxyId, Dump>,
    /// What the istiods say of their proxies, as far as they were asked; an error says what failed, on what, and what to do.
    pub sync: Option<Result<Arc<Sync>, String>>,
    /// The Secrets that modules are pulled with, as far as they were looked for.
    pub pull_secrets: BTreeMap<ObjectName, PullSecret>,
    /// Kinds that have been listed (or that the mesh has not): None of these can still turn up for want of waiting.
    pub settled: std::collections::BTreeSet<Kind>,
    /// How many objects have come of the kinds whose list is under way.
    pub reading: BTreeMap<Kind, usize>,
    /// The namespaces that were listed of each kind; None is all of them together.
    pub parts: BTreeMap<Kind, std::collections::BTreeSet<Option<String>>>,
    /// Kinds that the mesh does not have: their CRD is not installed, or the recording holds none.
    pub absent: std::collections::BTreeSet<Kind>,
    /// Kinds that could not be read at all: an answer may not conclude from their absence.
    pub unread: std::collections::BTreeSet<Kind>,
    /// Whether there are objects at all; false over a lone config dump.
    pub has_objects: bool,
    /// What could not be read or understood.
    pub warnings: Vec<Warning>,
}

/// A proxy's dump, or why there is none.
#[derive(Clone, Debug)]
pub enum Dump {
    /// Asked for, not yet here.
    Loading,
    /// Read.
    Loaded(Arc<LoadedDump>),
    /// Could not be read: what failed, on what, and what to do.
    Failed(String),
}

/// A dump that was read, and how.
#[derive(Clone, Debug)]
pub struct LoadedDump {
    /// What was understood.
    pub dump: ConfigDump,
    /// By which way: `port-forward`, `exec`, `istiod`, `file`.
    pub way: &'static str,
    /// How long it took, in milliseconds, as the source measured it.
    pub took_ms: u64,
    /// When it was read; None where the source does not say, as a file does not.
    pub read_at: Option<LogTime>,
    /// What else the proxy said of itself; None where it was not asked.
    pub vitals: Option<Vitals>,
    /// Counts the dumps of this proxy that were read, from 1.
    pub serial: u64,
    /// What could not be understood of it.
    pub warnings: Vec<Warning>,
    /// Why it is not the whole dump, so that counts may be too small, and what to do.
    pub cut_short: Option<String>,
}

impl Snapshot {
    /// Whether objects of a kind that can reach a namespace, its own and the root namespace's, may be missing.
    pub fn lacks(&self, kind: Kind, namespace: &str) -> bool {
        let is_listed = |namespace: &str| self.is_listed(kind, Some(namespace));
        self.unread.contains(&kind) && !(is_listed(namespace) && is_listed(self.objects.root_namespace()))
    }

    /// Whether the objects of a kind were listed: those of one namespace, or where it is None those of all together. They may be listed
    /// and not be watchable.
    pub fn is_listed(&self, kind: Kind, namespace: Option<&str>) -> bool {
        let Some(listed) = self.parts.get(&kind) else { return false };
        listed.contains(&None) || namespace.is_some_and(|namespace| listed.contains(&Some(namespace.to_owned())))
    }

    /// The dump of a proxy, where it was read.
    pub fn dump(&self, proxy: &ProxyId) -> Option<&Arc<LoadedDump>> {
        match self.dumps.get(proxy) {
            Some(Dump::Loaded(dump)) => Some(dump),
            Some(Dump::Loading | Dump::Failed(_)) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_listed_and_cannot_be_watched_is_not_missing() {
        let kind = Kind::PeerAuthentication;
        let listing = |parts: Vec<Option<&str>>| Snapshot {
            unread: BTreeSet::from([kind]),
            parts: BTreeMap::from([(kind, parts.into_iter().map(|part| part.map(str::to_owned)).collect())]),
            ..Snapshot::default()
        };
        assert!(listing(Vec::new()).lacks(kind, "shop"));
        assert!(listing(vec![Some("shop")]).lacks(kind, "shop"), "the root namespace was not listed");
        assert!(!listing(vec![Some("istio-system"), Some("shop")]).lacks(kind, "shop"));
        assert!(!listing(vec![None]).lacks(kind, "shop"), "all namespaces were listed together");
    }
}
