//! What istiod would send a proxy, as istiod itself says it.

use std::collections::BTreeMap;

use super::envoy::ConfigDump;
use super::ids::ProxyId;
use super::resources::Comparisons;

/// What istiod said of one proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IstiodView {
    /// What was understood of it; its secrets are removed.
    pub dump: ConfigDump,
    /// By which way it came: `port-forward`, `xDS`, `file`.
    pub way: &'static str,
    /// Why it did not come by a way before that, as a clause; None where the first way did.
    pub way_note: Option<String>,
    /// What is to be known of how it was had, a clause each: that ECDS was left out, and why.
    pub notes: Vec<String>,
    /// Its clusters, routes and endpoints against those of the proxy, which was asked for them at the same time.
    pub resources: Comparisons,
}

impl IstiodView {
    /// Whether istiod told what it would send of ECDS, be it nothing.
    pub fn tells_ecds(&self) -> bool {
        self.dump.sections.iter().any(|section| section.type_url.contains("EcdsConfigDump"))
    }
}

/// What istiod said of each proxy that it was asked for, or why it did not, as a clause.
pub type IstiodViews = BTreeMap<ProxyId, Result<IstiodView, String>>;
