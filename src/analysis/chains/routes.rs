//! What keeps the outbound chains of a service from being predicted: routes that this program does not follow, and endpoints that
//! it does not read.

use super::addresses::binds;
use super::services::Known;
use super::{Facts, Gap};
use crate::analysis::protocol::{Protocol, ProtocolClass};
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::routing::VirtualService;
use crate::model::service::{Registry, Resolution, Service};

/// The objects that chains without HTTP depend on beside their services.
pub(super) struct Routes<'s> {
    virtual_services: Vec<(&'s ObjectName, &'s VirtualService)>,
    aliases: Vec<&'s Service>,
}

impl<'s> Routes<'s> {
    /// VirtualServices of the mesh with TCP or TLS routes, which replace the chains without HTTP of their hosts, and other names for
    /// hosts, by which TLS is recognised too (`pilot/pkg/model/push_context.go: resolveServiceAliases`).
    pub fn of(facts: &Facts<'s>) -> Self {
        let policies = facts.objects.policies_of(Kind::VirtualService);
        let routes = policies.filter(|policy| facts.sees(policy)).filter_map(|policy| match &policy.spec {
            PolicySpec::VirtualService(routes) => Some((&policy.name, routes)),
            _ => None,
        });
        Self {
            virtual_services: routes.filter(|(_, routes)| (routes.tcp || routes.tls) && routes.is_for_mesh()).collect(),
            aliases: facts.services().filter(|service| service.resolution == Resolution::Alias).collect(),
        }
    }

    /// What cannot be told of the chains of a service.
    pub fn gaps(&self, known: &Known<'_>, facts: &Facts<'_>) -> Vec<Gap> {
        let mut found = Vec::new();
        for port in known.ports() {
            let protocol = Protocol::of_port(port, known.service.registry, facts.plane.version);
            if matches!(protocol.class(), ProtocolClass::Http | ProtocolClass::Udp) {
                continue;
            }
            let mut add = |listener: String, tcp_only: bool, why: String| found.push(Gap { listener: Some(listener), tcp_only, why });
            let names = || binds(known, port, protocol, facts).into_iter().map(|bind| format!("{}_{}", bind.address, port.port));
            for (name, _) in self.virtual_services.iter().filter(|(name, routes)| routes.hosts.iter().any(|host| leads(host, name, known)))
            {
                let why = format!("VirtualService {name} has tcp or tls routes for {}, which are not predicted", known.host);
                names().for_each(|listener| add(listener, true, why.clone()));
            }
            for alias in self.aliases.iter().filter(|alias| protocol.is_tls() && alias.entry_hosts.contains(&known.host)) {
                let why = format!(
                    "Service {} is another name for {}, and by which names TLS is recognised is not predicted",
                    alias.name, known.host
                );
                names().for_each(|listener| add(listener, true, why.clone()));
            }
            if known.is_headless()
                && known.service.registry == Registry::Kubernetes
                && known.service.selector.is_none()
                && known.service.endpoints.is_empty()
            {
                let why = format!("Service {} selects no pods, and its EndpointSlices are not read", known.service.name);
                add(format!("*_{}", port.port), false, why);
            }
        }
        found
    }
}

/// Whether a host of a VirtualService is the service's, where either may begin with `*` (`pkg/config/host/name.go: Matches`).
fn leads(host: &str, of: &ObjectName, known: &Known<'_>) -> bool {
    let service = &known.service.name;
    match (host.strip_prefix('*'), known.host.strip_prefix('*')) {
        (Some(end), Some(other)) => end.ends_with(other) || other.ends_with(end),
        (Some(end), None) => known.host.ends_with(end),
        (None, Some(end)) => host.ends_with(end),
        // A name without a dot is of the VirtualService's namespace.
        (None, None) => *host == known.host || (*host == service.name && of.namespace == service.namespace),
    }
}
