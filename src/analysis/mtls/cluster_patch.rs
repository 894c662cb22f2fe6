//! EnvoyFilters that patch the cluster by which clients send to a service (`pilot/pkg/networking/core/envoyfilter/cluster_patch.go`). What a patch
//! makes of its TLS is not worked out: it depends on the sockets that the cluster has by then.

use std::fmt;

use crate::analysis::comparison::{EnvoyFilters, PlacedPatch};
use crate::model::ids::ObjectName;

/// A patch of the clients' cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterPatch {
    /// The EnvoyFilter.
    pub envoy_filter: ObjectName,
    /// Whether the cluster is gone by it.
    pub removes: bool,
    words: String,
}

impl ClusterPatch {
    /// The patch that takes the cluster away, else the first that may change its TLS; None where none does.
    pub fn of(filters: &EnvoyFilters<'_>, host: &str, subset: &str, port: u16) -> Option<Self> {
        let patches: Vec<PlacedPatch<'_>> = filters.of_cluster(host, subset, port).collect();
        // Nothing says here which version and metadata a client's proxy has.
        let removes = |placed: &&PlacedPatch<'_>| {
            let PlacedPatch { patch, .. } = placed;
            patch.removes_cluster() && patch.proxy_version.is_empty() && !patch.by_metadata
        };
        let removing = patches.iter().find(removes);
        let placed = removing.or_else(|| patches.first())?;
        Some(Self { envoy_filter: placed.envoy_filter.clone(), removes: removing.is_some(), words: placed.to_string() })
    }
}

impl fmt::Display for ClusterPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
