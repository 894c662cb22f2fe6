//! Which subsets routes name. A subset that no route names takes no traffic, whatever its `trafficPolicy` says: only VirtualServices
//! lead to one (`pilot/pkg/networking/core/route/route.go: GetDestinationCluster`; routes of the Gateway API name Services).

use std::collections::BTreeMap;

use super::rules::full_host;
use crate::analysis::chains::Facts;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::routing::VirtualService;
use crate::model::workload::ProxyKind;

/// The routes of a mesh that name a subset, by host and subset.
#[derive(Clone, Debug, Default)]
pub struct SubsetRoutes<'o>(BTreeMap<(String, &'o str), Vec<Route<'o>>>);

#[derive(Clone, Debug)]
struct Route<'o> {
    namespace: &'o str,
    of: &'o VirtualService,
    port: Option<u16>,
}

impl<'o> SubsetRoutes<'o> {
    /// Those of all VirtualServices.
    pub fn of(objects: &'o Inventory, domain: &str) -> Self {
        let mut found = Self::default();
        for policy in objects.policies_of(Kind::VirtualService) {
            let PolicySpec::VirtualService(of) = &policy.spec else { continue };
            let namespace = policy.name.namespace.as_str();
            for route in &of.subsets {
                let key = (full_host(&route.host, namespace, domain), route.subset.as_str());
                found.0.entry(key).or_default().push(Route { namespace, of, port: route.port });
            }
        }
        found
    }

    /// Whether a route of a client leads to a subset of a host on a port.
    pub fn lead(&self, client: &Facts<'_>, host: &str, subset: &str, port: u16) -> bool {
        let routes = self.0.get(&(host.to_owned(), subset));
        routes.is_some_and(|routes| routes.iter().any(|route| route.port.is_none_or(|own| own == port) && route.is_of(client)))
    }
}

impl Route<'_> {
    /// Whether the client follows it: a VirtualService is for sidecars (`mesh`), or for gateways that it names, in the namespaces that
    /// it is exported to. One without hosts is delegated to, by which one is not looked at.
    fn is_of(&self, client: &Facts<'_>) -> bool {
        let VirtualService { hosts, gateways, export_to, .. } = self.of;
        let of_gateways = gateways.iter().any(|gateway| gateway != "mesh");
        let bound = if client.kind == ProxyKind::Sidecar { self.of.is_for_mesh() } else { of_gateways };
        let own = client.pod.id.namespace.as_str();
        let seen = |to: &String| to == "*" || to == own || (to == "." && self.namespace == own);
        hosts.is_empty() || (bound && (export_to.is_empty() || export_to.iter().any(seen)))
    }
}
