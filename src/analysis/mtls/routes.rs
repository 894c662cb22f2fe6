//! Which subsets routes name. A subset that no route names takes no traffic, whatever its `trafficPolicy` says: only VirtualServices
//! lead to one (`pilot/pkg/networking/core/route/route.go: GetDestinationCluster`; routes of the Gateway API name Services).

use std::collections::BTreeMap;

use super::clients::Clients;
use super::rules::full_host;
use crate::analysis::chains;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};

/// The routes of a mesh that name a subset, by host and subset.
#[derive(Clone, Debug, Default)]
pub struct SubsetRoutes<'o>(BTreeMap<(String, &'o str), Vec<Route<'o>>>);

#[derive(Clone, Debug)]
struct Route<'o> {
    policy: &'o Policy,
    port: Option<u16>,
}

impl<'o> SubsetRoutes<'o> {
    /// Those of all VirtualServices.
    pub fn of(objects: &'o Inventory, domain: &str) -> Self {
        let mut found = Self::default();
        for policy in objects.policies_of(Kind::VirtualService) {
            let PolicySpec::VirtualService(of) = &policy.spec else { continue };
            for route in &of.subsets {
                let key = (full_host(&route.host, &policy.name.namespace, domain), route.subset.as_str());
                found.0.entry(key).or_default().push(Route { policy, port: route.port });
            }
        }
        found
    }

    /// Whether a route that clients follow leads to a subset of a host on a port.
    pub fn lead(&self, clients: &Clients<'_>, host: &str, subset: &str, port: u16) -> bool {
        let follow = |route: &Route<'_>| {
            let is_of_port = route.port.is_none_or(|own| own == port);
            is_of_port && chains::follows(&clients.facts, clients.egress, Some(port), route.policy)
        };
        self.0.get(&(host.to_owned(), subset)).is_some_and(|routes| routes.iter().any(follow))
    }
}
