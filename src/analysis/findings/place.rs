//! Where in a proxy a finding can be looked at.

use serde::Serialize;

use crate::model::ids::ProxyId;

/// A listener of a proxy, or a chain of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The proxy.
    pub proxy: ProxyId,
    /// The listener's name.
    pub listener: String,
    /// The listener's state.
    pub state: &'static str,
    /// The chain's 0-based place in it; None where it is the listener as a whole.
    pub chain: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chain = self.chain.map(|chain| format!("chain {chain} of ")).unwrap_or_default();
        write!(f, "{chain}listener {} ({}) of {}", self.listener, self.state, self.proxy)
    }
}
