//! What the istiods say of the proxies that are connected to them: what was sent of each type, and what the proxy made of it.

use std::collections::BTreeMap;

use super::ids::ProxyId;
use super::logs::LogTime;
use super::warning::Warning;

/// The type URL of clusters, CDS.
pub const CLUSTERS: &str = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
/// The type URL of listeners, LDS.
pub const LISTENERS: &str = "type.googleapis.com/envoy.config.listener.v3.Listener";
/// The type URL of endpoints, EDS.
pub const ENDPOINTS: &str = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
/// The type URL of routes, RDS.
pub const ROUTES: &str = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
/// The type URL of extensions, ECDS: plugins come by it.
pub const EXTENSIONS: &str = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig";

/// What all istiods that answered said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sync {
    /// The istiods that answered.
    pub istiods: Vec<IstiodSync>,
    /// Whether an istiod that runs is missing among them.
    pub partial: bool,
    /// The istiods that run and did not answer, by their pods, each with the reason.
    pub silent: BTreeMap<String, String>,
    /// The mesh configuration that each istiod goes by, by its pod: setting by setting. Asked for where there are several istiods.
    pub mesh_configs: BTreeMap<String, BTreeMap<String, String>>,
    /// What of it could not be had: an istiod that is away, an answer that was cut short.
    pub gaps: Vec<Warning>,
    /// When it was asked; None over a recording, of which the ages would say nothing.
    pub asked: Option<LogTime>,
}

/// What one istiod said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IstiodSync {
    /// Its pod; empty where the source does not know it (a recording).
    pub pod: String,
    /// By which way it was asked: `port-forward`, `xDS`, `file`.
    pub way: &'static str,
    /// What was tried before and why it did not work.
    pub tried: Vec<String>,
    /// The service account as which it was asked, `namespace/name`; None where nobody's token was shown.
    pub account: Option<String>,
    /// The one namespace of whose proxies it told, since it tells that account of no others; None where it told of all.
    pub only: Option<String>,
    /// Whether it tells of every type that a proxy watches, so that the others are not watched (1.23 and later).
    pub tells_watched: bool,
    /// Those that are connected to it.
    pub clients: Vec<Client>,
}

/// A connection to an istiod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whose it is.
    pub proxy: ProxyId,
    /// The cluster that it says it is in; empty where it says none, or istiod does not tell.
    pub cluster: String,
    /// The version of Istio that it says it is of.
    pub version: String,
    /// What became of each type, by type URL. A type that is not here is not told of.
    pub types: BTreeMap<String, TypeSync>,
    /// The names of the ECDS resources that it watches; None where istiod did not tell.
    pub extensions: Option<Vec<String>>,
}

/// What became of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeSync {
    /// How it stands.
    pub state: SyncState,
    /// When istiod last sent it; None where it does not tell.
    pub sent: Option<LogTime>,
    /// The push that was sent last, `2026-11-23T19:37:49Z/7`: istiod's own name for it. Empty where nothing was sent.
    pub sent_push: String,
    /// The push that the proxy took last. Empty where it took none.
    pub acked_push: String,
    /// Why the proxy refused it, in its own words; empty where it did not.
    pub error: String,
}

/// How a type stands between istiod and a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SyncState {
    /// The proxy refused what was sent last.
    Refused,
    /// The proxy has not answered to what was sent last.
    Stale,
    /// The proxy watches it, and istiod has sent nothing.
    NotSent,
    /// The proxy took what was sent last.
    Synced,
    /// The proxy does not watch it.
    NotWatched,
    /// Nothing was sent, and istiod of this version does not tell whether the proxy watches it.
    Untold,
}

impl SyncState {
    /// The state in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::NotSent => "notSent",
            Self::Synced => "synced",
            Self::NotWatched => "notWatched",
            Self::Untold => "untold",
        }
    }
}

impl Sync {
    /// Whether all istiods that answered would tell of a proxy of this namespace.
    pub fn tells_of(&self, namespace: &str) -> bool {
        self.istiods.iter().all(|istiod| istiod.only.as_deref().is_none_or(|only| only == namespace))
    }

    /// All connections, each with the istiod that it is to.
    pub fn clients(&self) -> impl Iterator<Item = (&IstiodSync, &Client)> {
        self.istiods.iter().flat_map(|istiod| istiod.clients.iter().map(move |client| (istiod, client)))
    }
}
