//! What clients send to each service port of a workload, and what comes of it.

use std::cell::OnceCell;

use super::fare::{Fare, Group};
use super::service_clients::{ClientAnswer, ServiceClients};
use super::{World, seen};
use crate::analysis::chains::HiddenBy;
use crate::analysis::mtls::client::{Because, Server, Wire, sends};
use crate::analysis::mtls::clients::Clients;
use crate::analysis::mtls::cluster_patch::ClusterPatch;
use crate::analysis::mtls::hidden::{Hidden, Outbound};
use crate::analysis::mtls::identity::{self, Demand, SanCheck};
use crate::analysis::mtls::past_proxy::PastProxy;
use crate::analysis::mtls::ports::{Behind, PortMode};
use crate::analysis::mtls::rules::Merged;
use crate::analysis::mtls::unused_rules::Unused;
use crate::analysis::mtls::verdict::{Reason, Taker, Verdict, judge};
use crate::analysis::mtls::{self, EffectiveMtls};
use crate::analysis::protocol::ProtocolClass;
use crate::analysis::targets::{self, ServiceTarget};
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::routing::Subset;
use crate::model::service::Registry;
use crate::model::warning::Warning;
use crate::model::workload::{Pod, ProxyKind};

/// The workload that clients send to.
pub(super) struct Served<'a> {
    pub pod: &'a Pod,
    /// All pods of the workload.
    pub pods: &'a [&'a Pod],
    pub effective: &'a EffectiveMtls,
    pub ports: &'a [PortMode<'a>],
    pub targets: &'a [ServiceTarget<'a>],
}

/// For each service port of the workload, by service; none for gateways, waypoints and ztunnel.
pub(super) fn services(world: &World<'_>, served: &Served<'_>, warnings: &mut Vec<Warning>) -> Vec<ServiceClients> {
    let Served { pod, effective, targets, .. } = *served;
    if pod.proxy.as_ref().is_some_and(|proxy| proxy.kind != ProxyKind::Sidecar) {
        return Vec::new();
    }
    let of_namespace = &mtls::of_namespace(world.objects, pod);
    let mut found = Vec::new();
    for target in targets {
        let class = target.protocol.class();
        if class == ProtocolClass::Udp {
            continue;
        }
        let (taker, class) = taker(served, target.target, class);
        for host in target.service.hosts(world.domain) {
            let asked = Asked {
                world,
                server: Server { pod, effective, of_namespace, unlabelled: OnceCell::new() },
                pods: served.pods,
                target,
                host: &host,
                taker,
                class,
            };
            found.push(ServiceClients {
                service: target.service.name.to_string(),
                kind: if target.service.registry == Registry::Kubernetes { Kind::Service } else { Kind::ServiceEntry },
                port: target.port.port,
                target_port: target.target,
                clients: asked.clients(warnings),
                host,
            });
        }
    }
    found
}

/// Who receives what is sent to a port, and as what kind of port.
fn taker(served: &Served<'_>, port: u16, class: ProtocolClass) -> (Taker, ProtocolClass) {
    let Served { pod, effective, ports, .. } = *served;
    let mode = effective.mode_of_port(port);
    if pod.proxy.is_none() {
        return (if pod.injection.ambient { Taker::Ztunnel(mode) } else { Taker::Application }, class);
    }
    if pod.kept_from_sidecar(port).is_some() {
        return (Taker::Uncaptured, class);
    }
    // A port that a Sidecar's ingress leaves out is taken by the passthrough chains; without interception nobody takes it.
    let own = ports.iter().find(|known| known.port == Some(port));
    let rest = || ports.iter().find(|known| matches!(known.behind, Behind::Rest));
    own.or_else(rest).map_or((Taker::Application, class), |known| (Taker::Sidecar(mode), known.class))
}

/// One service port under one host.
struct Asked<'a> {
    world: &'a World<'a>,
    server: Server<'a>,
    pods: &'a [&'a Pod],
    target: &'a ServiceTarget<'a>,
    host: &'a str,
    taker: Taker,
    class: ProtocolClass,
}

impl Asked<'_> {
    fn clients(&self, warnings: &mut Vec<Warning>) -> Vec<ClientAnswer> {
        let mut groups: Vec<Group> = Vec::new();
        for clients in &self.world.clients {
            let rule = self.rule(clients);
            ignored(rule, self.host, warnings);
            for fare in self.fares(clients, rule) {
                match groups.iter_mut().find(|known| known.fare == fare) {
                    Some(known) => known.add(clients),
                    None => groups.push(Group::of(fare, clients)),
                }
            }
        }
        self.unused(warnings);
        groups.sort_by_key(|group| (group.fare.subset.clone(), std::cmp::Reverse(group.from.len())));
        let all = self.world.clients.len();
        let mut found: Vec<ClientAnswer> = groups.into_iter().map(|group| group.answer(all)).collect();
        let refused = seen::of_port(self.world, self.pods, self.target.target);
        found.push(Group::without_proxy(self.fare(None, None, Vec::new(), (Wire::PlainText, Because::NoProxy)), refused));
        found
    }

    /// Rules with TLS for the host that no client uses.
    fn unused(&self, warnings: &mut Vec<Warning>) {
        let World { clients, rules, tls_rules, .. } = self.world;
        for (name, reasons) in tls_rules.unused(clients, rules, self.host, self.target.service) {
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            let fixes: Vec<String> = reasons.iter().map(Unused::fix).collect();
            let what = format!("no client uses it for {}: {}", self.host, why.join("; "));
            warnings.push(Warning::new(format!("{} {name}", Kind::DestinationRule), what, fixes.join(", or ")));
        }
    }

    fn rule(&self, clients: &Clients<'_>) -> Option<&Merged<'_>> {
        let client = clients.facts.pod;
        self.world.rules.for_client(&client.id.namespace, &client.labels, self.host, &self.target.service.name.namespace)
    }

    /// How the clients fare, as far as their connections pass their proxies.
    fn fares(&self, clients: &Clients<'_>, rule: Option<&Merged<'_>>) -> Vec<Fare> {
        let Some(past) = PastProxy::of(&clients.facts, self.target, self.pods) else { return self.through_proxy(clients, rule) };
        let all = past.kept.is_some();
        let plain = self.fare(None, None, Vec::new(), (Wire::PlainText, Because::PastProxy(past)));
        if all {
            return vec![plain];
        }
        // Where they arrive neither way, that is the answer.
        let through = self.through_proxy(clients, rule);
        let fails = |fare: &Fare| fare.reason.verdict() == Verdict::Fails;
        if fails(&plain) && through.iter().all(fails) { through } else { vec![Fare { reason: Reason::UnknownCapture, ..plain }] }
    }

    /// How the clients fare with the service as a whole, and with subsets that this pod is in where that differs.
    fn through_proxy(&self, clients: &Clients<'_>, rule: Option<&Merged<'_>>) -> Vec<Fare> {
        let names = rule.map(|rule| rule.from.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_or_default();
        if let Some(hidden) = self.world.imports.hidden(clients, self.target.service, self.host) {
            return vec![self.unreached(hidden, names)];
        }
        let to = |subset: Option<&Subset>| {
            let sent = sends(clients, rule, subset, self.target, &self.server);
            let routed = subset.and_then(|subset| self.is_routed(clients, subset));
            let fare = self.fare(subset.map(|subset| subset.name.clone()), routed, names.clone(), sent);
            self.patched(clients, self.verified(clients, subset, fare))
        };
        let whole = to(None);
        let labels = &self.server.pod.labels;
        let subsets = rule.map(|rule| rule.subsets.as_slice()).unwrap_or_default().iter().filter(|subset| subset.labels.matches(labels));
        let differs =
            |fare: &Fare| (fare.wire, &fare.because, fare.reason, &fare.san) != (whole.wire, &whole.because, whole.reason, &whole.san);
        let of_subsets: Vec<Fare> = subsets.map(|subset| to(Some(subset))).filter(differs).collect();
        std::iter::once(whole).chain(of_subsets).collect()
    }

    /// Whether a route sends the clients to a subset; None where that is not known.
    fn is_routed(&self, clients: &Clients<'_>, subset: &Subset) -> Option<bool> {
        let routes = self.world.routes.as_ref()?;
        Some(routes.lead(clients, self.host, &subset.name, self.target.port.port))
    }

    fn fare(&self, subset: Option<String>, routed: Option<bool>, rules: Vec<String>, (wire, because): (Wire, Because)) -> Fare {
        let wire = if wire == Wire::PlainText && self.target.protocol.is_tls() { Wire::ApplicationTls } else { wire };
        Fare { subset, routed, rules, reason: judge(wire, self.taker, self.class), wire, because, san: None, patch: None }
    }

    /// How clients fare whose proxies do not know the service.
    fn unreached(&self, hidden: Hidden, rules: Vec<String>) -> Fare {
        let (by, outbound) = (hidden.by, hidden.outbound);
        let sends = |wire: Wire| self.fare(None, None, rules.clone(), (wire, Because::Hidden(hidden.clone())));
        let passed_on = || sends(Wire::PlainText);
        // A VirtualService that could not be read may bring the service.
        let may_be_known = by == HiddenBy::Sidecar && self.world.routes.is_none();
        match outbound {
            Outbound::Gateway => Fare { reason: Reason::NoCluster, ..sends(Wire::Nothing) },
            Outbound::Drops if !may_be_known => sends(Wire::Nothing),
            Outbound::Passes => passed_on(),
            Outbound::Drops | Outbound::Unknown if passed_on().reason.verdict() == Verdict::Fails => passed_on(),
            Outbound::Drops | Outbound::Unknown => Fare { reason: Reason::UnknownOutbound, ..passed_on() },
        }
    }

    /// The same, with what EnvoyFilters make of the clients' cluster.
    fn patched(&self, clients: &Clients<'_>, fare: Fare) -> Fare {
        let filters = self.world.cluster_patches.get(&clients.facts.pod.id);
        let subset = fare.subset.as_deref().unwrap_or_default();
        match filters.and_then(|filters| ClusterPatch::of(filters, self.host, subset, self.target.port.port)) {
            None => fare,
            Some(patch) if patch.removes => {
                Fare { wire: Wire::Nothing, because: Because::ClusterRemoved(patch), reason: Reason::ClusterRemoved, san: None, ..fare }
            }
            Some(patch) => Fare { reason: Reason::ClusterPatched, san: None, patch: Some(patch), ..fare },
        }
    }

    /// The same, with what the clients make of the server's certificate.
    fn verified(&self, clients: &Clients<'_>, subset: Option<&Subset>, fare: Fare) -> Fare {
        let (objects, service) = (self.world.objects, self.target.service);
        if !identity::shows(fare.wire, fare.reason, clients.facts.hbone, self.server.pod) {
            return fare;
        }
        let Some(demand) = Demand::of(&fare.because, service, objects) else { return fare };
        let runs = |pod: &Pod| !pod.deleting && !matches!(pod.phase.as_str(), "Succeeded" | "Failed");
        let is_server = |pod: &&Pod| runs(pod) && pod.proxy.is_some() && subset.is_none_or(|subset| subset.labels.matches(&pod.labels));
        let own: Vec<&Pod> = self.pods.iter().copied().filter(is_server).collect();
        let of_namespace = objects.pods.range(ProxyId::new("", &service.name.namespace)..).map(|(_, pod)| &**pod);
        let of_namespace = of_namespace.take_while(|pod| pod.id.namespace == service.name.namespace);
        let behind: Vec<&Pod> = of_namespace.filter(|pod| targets::leads_to(service, pod)).filter(is_server).collect();
        let san = SanCheck::of(demand, &own, &behind, objects);
        Fare { reason: san.as_ref().map_or(fare.reason, SanCheck::reason), san, ..fare }
    }
}

/// Of several rules for one host, an older one's `trafficPolicy` is all that counts.
fn ignored(rule: Option<&Merged<'_>>, host: &str, warnings: &mut Vec<Warning>) {
    let Some(rule) = rule else { return };
    for name in &rule.ignored {
        let what = format!("its trafficPolicy is ignored for {host}, since DestinationRule {} is older and has one", rule.owner(None));
        warnings.push(Warning::new(format!("DestinationRule {name}"), what, "make one DestinationRule of both"));
    }
}
