//! Clusters, routes and endpoints: what a dump holds of them, and in what istiod and a proxy differ.

use std::collections::BTreeMap;

use super::envoy::RawJson;

/// A type of resource that is compared as a whole, setting by setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// Clusters (CDS).
    Clusters,
    /// Route configurations (RDS).
    Routes,
    /// The endpoints of clusters (EDS).
    Endpoints,
}

impl ResourceType {
    /// All of them, in the order of answers.
    pub const ALL: [Self; 3] = [Self::Clusters, Self::Routes, Self::Endpoints];

    /// The short name: `CDS`, `RDS`, `EDS`.
    pub fn short(self) -> &'static str {
        match self {
            Self::Clusters => "CDS",
            Self::Routes => "RDS",
            Self::Endpoints => "EDS",
        }
    }

    /// What one resource is called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Clusters => "cluster",
            Self::Routes => "route configuration",
            Self::Endpoints => "list of endpoints",
        }
    }

    /// What several are called.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Clusters => "clusters",
            Self::Routes => "route configurations",
            Self::Endpoints => "lists of endpoints",
        }
    }
}

/// The dynamic resources of a dump. A type whose section the dump does not hold is not in the map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// The resources of each type, in the dump's order.
    pub lists: BTreeMap<ResourceType, Vec<Resource>>,
    /// What could not be understood, a clause each.
    pub gaps: Vec<String>,
}

/// One cluster, route configuration or list of endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its name; of endpoints the cluster's, as EDS has it.
    pub name: String,
    /// Whether the proxy has received it and does not use it yet (`dynamic_warming_clusters`).
    pub warms: bool,
    /// The resource as it was written, its secrets removed.
    pub body: RawJson,
}

/// What of a type istiod would send and a proxy has, as far as it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many resources istiod would send.
    pub sent: usize,
    /// How many the proxy has.
    pub held: usize,
    /// In what they differ, by name.
    pub differences: Vec<ResourceDifference>,
    /// How many more differences there are.
    pub left_out: usize,
    /// What could not be compared, a sentence each.
    pub notes: Vec<String>,
}

/// One difference in a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceDifference {
    /// What differs: `resource`, `warming`, `settings`, `endpoints`.
    pub what: &'static str,
    /// Who has it: `istiod`, `proxy`, or `both` where both have it in different ways.
    pub only: &'static str,
    /// The resource's name.
    pub resource: String,
    /// The difference as one sentence.
    pub detail: String,
}

/// The comparison of each type, or why it could not be compared, as a clause.
pub type Comparisons = BTreeMap<ResourceType, Result<Comparison, String>>;
