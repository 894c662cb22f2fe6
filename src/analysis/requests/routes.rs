//! The VirtualServices by which a client's requests go, with those that they delegate to.

use super::mesh::{DOMAIN, Mesh, spellings};
use crate::analysis::mtls::rules::full_host;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::requests::FailedReason;
use crate::model::routing::VirtualService;
use crate::model::workload::{Pod, ProxyKind};

const KIND: Kind = Kind::VirtualService;

/// A VirtualService of which a route leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadRoute {
    /// Its name.
    pub name: ObjectName,
    /// The hosts that it is for, in full.
    pub hosts: Vec<String>,
    /// What of it leads nowhere, as a clause.
    pub words: String,
}

/// A VirtualService by which requests go: one with hosts (the root), or one that a root delegates to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'o> {
    pub(super) name: &'o ObjectName,
    pub(super) of: &'o VirtualService,
    /// The VirtualService that delegates to it, whose hosts it is for; None where the hosts are its own.
    pub(super) root: Option<(&'o ObjectName, &'o VirtualService)>,
    /// Whether one of its routes takes every request to the hosts.
    pub(super) matches_all: bool,
}

impl<'o> Route<'o> {
    /// `VirtualService default/httpbin`, or `VirtualService default/v2 (delegate of default/httpbin)`.
    pub(super) fn text(&self) -> String {
        let of = self.root.map(|(root, _)| format!(" (delegate of {root})")).unwrap_or_default();
        format!("{KIND} {}{of}", self.name)
    }

    /// The hosts that it is for, in full.
    fn hosts(&self) -> Vec<String> {
        let (name, of) = self.root.unwrap_or((self.name, self.of));
        of.hosts.iter().map(|host| full_host(host, &name.namespace, DOMAIN)).collect()
    }
}

impl<'o> Mesh<'o> {
    /// The VirtualServices by which a client's requests to an authority go, those for this host before those for more.
    pub(super) fn routes(&self, client: &Pod, reason: &FailedReason) -> Vec<Route<'o>> {
        let own = client.id.namespace.as_str();
        let mut names = spellings(&reason.to.name, own);
        names.extend(self.service(reason, own).into_iter().flat_map(|service| service.hosts(DOMAIN)));
        let mut found: Vec<(bool, Route<'o>)> = Vec::new();
        for route in self.followed(client) {
            let hosts = route.hosts();
            let covers = |host: &String| host.strip_prefix('*').is_some_and(|suffix| names.iter().any(|name| name.ends_with(suffix)));
            match (hosts.iter().any(|host| names.contains(host)), hosts.iter().any(covers)) {
                (true, _) => found.push((false, route)),
                (false, true) => found.push((true, route)),
                (false, false) => {}
            }
        }
        found.sort_by_key(|(wide, _)| *wide);
        let exact = found.iter().any(|(wide, _)| !wide);
        found.into_iter().filter(|(wide, _)| !(exact && *wide)).map(|(_, route)| route).collect()
    }

    /// The VirtualServices that a client follows of which a route leads nowhere.
    pub fn dead_routes(&self, client: &Pod) -> Vec<DeadRoute> {
        let dead = |route: Route<'o>| {
            let words = self.leads_nowhere(client, route.name, route.of)?;
            Some(DeadRoute { name: route.name.clone(), hosts: route.hosts(), words })
        };
        self.followed(client).into_iter().filter_map(dead).collect()
    }

    /// The VirtualServices by which a client's requests can go. One without hosts counts only where another delegates to it
    /// (`pilot/pkg/model/virtualservice.go: mergeVirtualServicesIfNeeded`).
    fn followed(&self, client: &Pod) -> Vec<Route<'o>> {
        let own = client.id.namespace.as_str();
        let is_sidecar = client.proxy.as_ref().is_none_or(|proxy| proxy.kind == ProxyKind::Sidecar);
        let mut found = Vec::new();
        for policy in self.objects.policies_of(KIND) {
            let PolicySpec::VirtualService(of) = &policy.spec else { continue };
            let bound = if is_sidecar { of.is_for_mesh() } else { of.gateways.iter().any(|gateway| gateway != "mesh") };
            if of.hosts.is_empty() || !bound || !self.is_exported(&policy.name, of, own) {
                continue;
            }
            let root = &policy.name;
            found.push(Route { name: root, of, root: None, matches_all: of.matches_all });
            for delegate in &of.delegates {
                let Some(policy) = self.objects.policies.get(&(KIND, delegate.name.clone())) else { continue };
                let PolicySpec::VirtualService(to) = &policy.spec else { continue };
                if to.hosts.is_empty() && self.is_exported(&policy.name, to, &root.namespace) {
                    let matches_all = delegate.matches_all && to.matches_all;
                    found.push(Route { name: &policy.name, of: to, root: Some((root, of)), matches_all });
                }
            }
        }
        found
    }

    /// Whether a VirtualService is visible in a namespace: by its `exportTo`, else by the mesh's default
    /// (`pilot/pkg/model/push_context.go: initDefaultExportMaps`).
    fn is_exported(&self, name: &ObjectName, of: &VirtualService, to: &str) -> bool {
        let by_default = self.objects.mesh.as_deref().map(|mesh| &mesh.virtual_service_export_to[..]).unwrap_or_default();
        let export_to = if of.export_to.is_empty() { by_default } else { &of.export_to };
        let reaches = |namespace: &String| namespace == "*" || namespace == to || (namespace == "." && name.namespace == to);
        export_to.is_empty() || export_to.iter().any(reaches)
    }
}
