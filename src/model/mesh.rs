//! The mesh as a whole: its configuration and its control plane.

use super::labels::LabelSelector;

/// `rootNamespace` where it is unset (`pkg/config/mesh/mesh.go`).
pub const DEFAULT_ROOT_NAMESPACE: &str = "istio-system";

/// What the mesh configuration says, as far as the answers need it (`meshConfig`, ConfigMap `istio`, key `mesh`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshConfig {
    /// `rootNamespace`: its plugins and policies reach the whole mesh. `istio-system` where unset.
    pub root_namespace: String,
    /// `discoverySelectors`: istiod sees only namespaces that match one of them; none is all.
    pub discovery_selectors: Vec<LabelSelector>,
    /// `defaultConfig.proxyAdminPort`; 15000 where unset.
    pub admin_port: u16,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self { root_namespace: DEFAULT_ROOT_NAMESPACE.to_owned(), discovery_selectors: Vec::new(), admin_port: 15000 }
    }
}

/// One istiod and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Istiod {
    /// The pod; empty where the source does not know it (a recording).
    pub pod: String,
    /// The version, as `/version` on port 15014 says it, without the build's revision and status: `1.31-alpha.eed52ebb66ad`.
    pub version: String,
}
