//! The routes of VirtualServices that a client's requests take, with those of the VirtualServices that they delegate to.

use std::collections::BTreeSet;

use super::fits::{Fit, Sent, fit};
use super::gather::{KEPT, port};
use super::mesh::{DOMAIN, Mesh, spellings};
use crate::analysis::chains::{self, Facts};
use crate::analysis::mtls::clients::clients;
use crate::analysis::mtls::rules::full_host;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::Failed;
use crate::model::routing::{RouteProtocol, RouteRule, VirtualService};
use crate::model::sidecar::Egress;
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

/// A route of a VirtualService with hosts (the root), or of one that a root delegates to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'o> {
    /// The VirtualService that has it.
    pub(super) name: &'o ObjectName,
    pub(super) rule: &'o RouteRule,
    /// The VirtualService that delegates to that one, with the route that does.
    root: Option<(&'o ObjectName, &'o RouteRule)>,
    /// Whether it is sure that requests take it.
    pub(super) sure: bool,
}

/// How a client's requests go.
#[derive(Debug, Default)]
pub(super) struct Routes<'o> {
    /// The VirtualServices that the client's proxy follows for their host: one for a sidecar, for a gateway several.
    pub(super) by: Vec<&'o ObjectName>,
    /// The routes that they take or can take, the sure ones first.
    pub(super) taken: Vec<Route<'o>>,
    /// Whether each of them has a route, whatever is not known of it.
    pub(super) complete: bool,
}

impl Route<'_> {
    /// `VirtualService default/httpbin`, or `VirtualService default/v2 (delegate of default/httpbin)`.
    pub(super) fn text(&self) -> String {
        let of = self.root.map(|(root, _)| format!(" (delegate of {root})")).unwrap_or_default();
        format!("{KIND} {}{of}", self.name)
    }

    /// `VirtualService default/httpbin routes to`, or may do so, as the requests go.
    pub(super) fn leads_to(&self) -> String {
        format!("{} {} to", self.text(), if self.sure { "routes" } else { "may route them" })
    }

    /// Whether it has something, or the route that delegates to it has (`pilot/pkg/model/virtualservice.go: mergeHTTPRoute`).
    pub(super) fn has(&self, is: impl Fn(&RouteRule) -> bool) -> bool {
        is(self.rule) || self.root.is_some_and(|(_, rule)| is(rule))
    }

    fn fit(&self, client: &Facts<'_>, sent: &Sent<'_>) -> Fit {
        let Some((root, rule)) = self.root else { return fit(self.rule, self.name, client, sent) };
        // Its name in the access log is made of both.
        let sent = Sent { route: "", ..*sent };
        let fits = fit(rule, root, client, &sent).min(fit(self.rule, self.name, client, &sent));
        // Where both have a match, istiod merges them or leaves the route out, which is not followed here.
        if rule.matches.is_empty() || self.rule.matches.is_empty() { fits } else { fits.min(Fit::May) }
    }
}

impl<'o> Mesh<'o> {
    /// The routes of VirtualServices that failed requests of a client took.
    pub(super) fn routes(&self, client: &Pod, failed: &Failed) -> Routes<'o> {
        let client = self.objects.pods.get(&client.id);
        let Some(facts) = client.and_then(|pod| Facts::of(self.objects, pod, None, None)) else { return Routes::default() };
        let reason = &failed.reason;
        // The listener of a gateway has the port of its Gateway, which its Service leads to another one.
        let port = port(&reason.local).or_else(|| port(&reason.to.name)).filter(|_| !facts.is_gateway());
        let is_http = !failed.method.is_empty();
        let lists = self.lists(&facts, failed, port, is_http);
        let all: Vec<Route<'o>> = lists.iter().flatten().copied().collect();
        // Of a group's requests the first alone says its method.
        let method = Some(failed.method.as_str()).filter(|_| failed.count == 1);
        let sent = Sent { path: None, method, authority: Some(&reason.to.name), port, route: &reason.route };
        let known = failed.paths.iter().map(|path| Some(path.as_str()));
        let unknown = (failed.paths.is_empty() || failed.paths.len() == KEPT).then_some(None);
        let walks: Vec<(Vec<Route<'o>>, bool)> = known.chain(unknown).map(|path| walk(&all, &facts, &Sent { path, ..sent })).collect();
        let complete = !all.is_empty() && walks.iter().all(|(_, ended)| *ended);
        let mut taken: Vec<Route<'o>> = walks.into_iter().flat_map(|(taken, _)| taken).collect();
        taken.sort_by_key(|route| !route.sure);
        let by = lists.iter().filter_map(|list| list.first()).map(|route| route.root.map_or(route.name, |(root, _)| root));
        Routes { by: by.collect(), taken, complete }
    }

    /// The routes of the VirtualServices that are for the host of requests, a list of each. The most specific host counts. Of several
    /// VirtualServices for it a sidecar follows the first that has a route for it, and a gateway all
    /// (`pilot/pkg/networking/core/httproute.go: BuildSidecarOutboundVirtualHosts`; `gateway.go: buildGatewayHTTPRouteConfig`).
    fn lists(&self, client: &Facts<'o>, failed: &Failed, port: Option<u16>, is_http: bool) -> Vec<Vec<Route<'o>>> {
        let names = self.names(client, failed, port);
        let rank = |(name, of): (&'o ObjectName, &'o VirtualService)| {
            let rank = full_hosts(name, of).iter().filter_map(|host| specificity(host, &names)).max()?;
            let routes = routes_of(client, name, of).into_iter();
            let seen = routes.filter(|route| is_http == (route.rule.protocol == RouteProtocol::Http) && is_for(route, client, port));
            Some((rank, seen.collect::<Vec<_>>()))
        };
        let ranked: Vec<(usize, Vec<Route<'o>>)> = chains::followed(client, egress(client), port).into_iter().filter_map(rank).collect();
        let most = ranked.iter().map(|(rank, _)| *rank).max();
        let is_merged = client.is_gateway() || !is_http;
        let wanted = ranked.into_iter().filter(|(rank, routes)| (!is_http || Some(*rank) == most) && !routes.is_empty());
        wanted.map(|(_, routes)| routes).take(if is_merged { usize::MAX } else { 1 }).collect()
    }

    /// The hosts of VirtualServices that can be meant by requests. Those that a sidecar follows are hosts of services, on port 80 others as well
    /// (`pilot/pkg/networking/core/httproute.go: selectVirtualServices`).
    fn names(&self, client: &Facts<'_>, failed: &Failed, port: Option<u16>) -> Vec<String> {
        let (own, reason) = (client.namespace(), &failed.reason);
        let service = self.service(reason, own);
        let hosts = service.into_iter().flat_map(|service| service.hosts(DOMAIN));
        let of_services_alone = !client.is_gateway() && port.is_some_and(|port| port != 80) && self.knows_services();
        let spelt = if of_services_alone { Vec::new() } else { spellings(&reason.to.name, own) };
        spelt.into_iter().chain(hosts).collect()
    }

    /// The VirtualServices of which a route leads nowhere, for whichever clients.
    pub fn all_dead_routes(&self) -> BTreeSet<DeadRoute> {
        clients(self.objects, &self.rules).iter().flat_map(|clients| self.dead_routes(&clients.facts)).collect()
    }

    /// The VirtualServices that a client follows of which a route leads nowhere.
    fn dead_routes(&self, client: &Facts<'o>) -> Vec<DeadRoute> {
        let mut claimed: BTreeSet<String> = BTreeSet::new();
        let mut found = Vec::new();
        for (name, of) in chains::followed(client, egress(client), None) {
            let routes: Vec<Route<'o>> = routes_of(client, name, of).into_iter().filter(|route| is_for(route, client, None)).collect();
            let mut hosts = full_hosts(name, of);
            if !client.is_gateway() && !routes.is_empty() {
                hosts.retain(|host| claimed.insert(host.clone()));
            }
            if hosts.is_empty() {
                continue;
            }
            for protocol in [RouteProtocol::Http, RouteProtocol::Tls, RouteProtocol::Tcp] {
                let of_it: Vec<Route<'o>> = routes.iter().filter(|route| route.rule.protocol == protocol).copied().collect();
                found.extend(walk(&of_it, client, &Sent::default()).0.iter().filter_map(|route| {
                    let words = format!("routes to {}", self.leads_nowhere(client.pod, route.name, route.rule)?);
                    Some(DeadRoute { name: route.name.clone(), hosts: hosts.clone(), words })
                }));
            }
        }
        found
    }
}

/// The routes that a request takes, in order, up to the one that it surely takes; and whether there is such a one.
fn walk<'o>(routes: &[Route<'o>], client: &Facts<'_>, sent: &Sent<'_>) -> (Vec<Route<'o>>, bool) {
    let mut taken = Vec::new();
    for route in routes {
        match route.fit(client, sent) {
            Fit::No => {}
            Fit::May => taken.push(Route { sure: false, ..*route }),
            Fit::Yes => {
                taken.push(Route { sure: taken.is_empty(), ..*route });
                return (taken, true);
            }
        }
    }
    (taken, false)
}

/// The routes of a VirtualService, with those of its delegates in the places of the routes that delegate.
fn routes_of<'o>(client: &Facts<'o>, name: &'o ObjectName, of: &'o VirtualService) -> Vec<Route<'o>> {
    let mut found = Vec::new();
    for rule in &of.rules {
        let Some(delegate) = &rule.delegate else {
            found.push(Route { name, rule, root: None, sure: false });
            continue;
        };
        let Some((delegate, of)) = chains::delegate(client, name, delegate) else { continue };
        let rules = of.rules.iter().filter(|rule| rule.protocol == RouteProtocol::Http);
        found.extend(rules.map(|own| Route { name: delegate, rule: own, root: Some((name, rule)), sure: false }));
    }
    found
}

/// Whether a route is for requests of the client to a port at all.
fn is_for(route: &Route<'_>, client: &Facts<'_>, port: Option<u16>) -> bool {
    route.fit(client, &Sent { port, ..Sent::default() }) != Fit::No
}

fn egress<'o>(client: &Facts<'o>) -> &'o [Egress] {
    let sidecar = client.sidecar().filter(|_| client.kind == ProxyKind::Sidecar);
    sidecar.map(|(_, sidecar)| sidecar.egress.as_slice()).unwrap_or_default()
}

fn full_hosts(name: &ObjectName, of: &VirtualService) -> Vec<String> {
    of.hosts.iter().map(|host| full_host(host, &name.namespace, DOMAIN)).collect()
}

/// How exactly a host of a VirtualService names one of these; None where it does not.
fn specificity(host: &str, names: &[String]) -> Option<usize> {
    match host.strip_prefix('*') {
        Some(suffix) => names.iter().any(|name| name.ends_with(suffix)).then_some(host.len()),
        None => names.iter().any(|name| name == host).then_some(usize::MAX),
    }
}
