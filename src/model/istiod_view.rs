//! What istiod would send a proxy, as istiod itself says it.

use std::collections::BTreeMap;

use super::envoy::ConfigDump;
use super::ids::ProxyId;

/// What istiod said of one proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IstiodView {
    /// What was understood of it; its secrets are removed.
    pub dump: ConfigDump,
    /// What is to be known of how it was had, a clause each: that only the listeners could be had, and why.
    pub notes: Vec<String>,
}

impl IstiodView {
    /// Whether istiod told what it would send of ECDS, be it nothing.
    pub fn tells_ecds(&self) -> bool {
        self.dump.sections.iter().any(|section| section.type_url.contains("EcdsConfigDump"))
    }
}

/// What istiod said of each proxy that it was asked for, or why it did not, as a clause.
pub type IstiodViews = BTreeMap<ProxyId, Result<IstiodView, String>>;
