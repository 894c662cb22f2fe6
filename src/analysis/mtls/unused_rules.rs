//! DestinationRules with TLS that no client uses for a service: which rule clients use in their place, and why
//! (`pilot/pkg/model/push_context.go: setDestinationRules, destinationRule`). Rules for some clients or for many hosts are left out: others go
//! before them on purpose.

use std::collections::BTreeSet;
use std::fmt;

use super::clients::Clients;
use super::rules::{Rules, full_host};
use crate::model::ids::ObjectName;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::routing::{DestinationRule, TrafficPolicy};
use crate::model::service::{Registry, Service};

/// The DestinationRules of a mesh that set TLS for one host.
#[derive(Clone, Debug)]
pub struct TlsRules<'o> {
    rules: Vec<TlsRule<'o>>,
    /// The hosts of all services.
    hosts: BTreeSet<String>,
    root: &'o str,
    private_by_default: bool,
}

#[derive(Clone, Debug)]
struct TlsRule<'o> {
    name: &'o ObjectName,
    of: &'o DestinationRule,
    /// Its host in full.
    host: String,
}

/// Why clients do not use a rule for a service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unused {
    /// No service has its host, which names the service: that host in full, and the service's.
    NoSuchHost(String, String),
    /// It is not exported to their namespace.
    NotExported,
    /// They use this rule, of its own namespace.
    Beside(ObjectName),
    /// They use this rule, of a namespace that goes before.
    Before(ObjectName),
    /// It is in a namespace that is neither theirs nor the service's, nor the root namespace.
    Elsewhere,
}

impl<'o> TlsRules<'o> {
    /// Those of a mesh.
    pub fn of(objects: &'o Inventory, domain: &str) -> Self {
        let mut rules = Vec::new();
        for policy in objects.policies_of(Kind::DestinationRule).filter(|policy| policy.selector.is_none()) {
            let PolicySpec::DestinationRule(of) = &policy.spec else { continue };
            if !of.host.starts_with('*') && of.policy.as_ref().is_some_and(sets_tls) {
                rules.push(TlsRule { name: &policy.name, of, host: full_host(&of.host, &policy.name.namespace, domain) });
            }
        }
        let services = objects.services.values().filter(|_| !rules.is_empty());
        let default = objects.mesh.as_deref().map(|mesh| mesh.destination_rule_export_to.as_slice()).unwrap_or_default();
        Self {
            hosts: services.flat_map(|service| service.hosts(domain)).collect(),
            rules,
            root: objects.root_namespace(),
            private_by_default: default.iter().any(|namespace| namespace == "."),
        }
    }

    /// Those for a host of a service that no client with a proxy uses for it, each with the reasons.
    pub fn unused(
        &self,
        clients: &[Clients<'o>],
        used: &Rules<'o>,
        host: &str,
        service: &Service,
    ) -> Vec<(&'o ObjectName, BTreeSet<Unused>)> {
        let of_rule = |rule: &TlsRule<'o>| {
            if rule.host != host {
                return BTreeSet::from([Unused::NoSuchHost(rule.host.clone(), host.to_owned())]);
            }
            // Where one client uses it, there is none.
            let reasons: Option<BTreeSet<Unused>> = clients.iter().map(|clients| self.reason(rule, clients, used, host, service)).collect();
            reasons.unwrap_or_default()
        };
        let named = self.rules.iter().filter(|rule| rule.host == host || self.misses(rule, service));
        named.map(|rule| (rule.name, of_rule(rule))).filter(|(_, reasons)| !reasons.is_empty()).collect()
    }

    /// Why clients do not use a rule for its host; None where they use it, or nothing says why not.
    fn reason(&self, rule: &TlsRule<'o>, clients: &Clients<'o>, used: &Rules<'o>, host: &str, service: &Service) -> Option<Unused> {
        let (own, of_service) = (clients.facts.namespace(), service.name.namespace.as_str());
        let namespace = rule.name.namespace.as_str();
        let found = used.for_client(own, &clients.facts.pod.labels, host, of_service);
        if found.is_some_and(|found| found.from.contains(&rule.name)) {
            return None;
        }
        if !self.is_exported(rule, own) {
            return Some(Unused::NotExported);
        }
        if ![own, of_service, self.root].contains(&namespace) {
            return Some(Unused::Elsewhere);
        }
        let by = found?.owner(None);
        Some(if by.namespace == namespace { Unused::Beside(by.clone()) } else { Unused::Before(by.clone()) })
    }

    fn is_exported(&self, rule: &TlsRule<'_>, to: &str) -> bool {
        let own = rule.name.namespace == to;
        let reaches = |namespace: &String| namespace == "*" || namespace == to || (namespace == "." && own);
        if rule.of.export_to.is_empty() { own || !self.private_by_default } else { rule.of.export_to.iter().any(reaches) }
    }

    /// Whether the rule's host is that of no service, and names this one: a short name stands for a service of the rule's own namespace, and one
    /// with a dot is taken as it is written.
    fn misses(&self, rule: &TlsRule<'_>, service: &Service) -> bool {
        let ObjectName { namespace, name } = &service.name;
        let mut labels = rule.of.host.split('.');
        let names_it = labels.next() == Some(name) && labels.next().is_none_or(|label| label == namespace);
        service.registry == Registry::Kubernetes && names_it && !self.hosts.contains(&rule.host)
    }
}

fn sets_tls(policy: &TrafficPolicy) -> bool {
    policy.tls.is_some() || policy.ports.values().any(Option::is_some)
}

impl Unused {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            Self::NoSuchHost(_, host) => format!("write {host} as its host"),
            Self::NotExported => "export it to the namespaces of the clients".to_owned(),
            Self::Beside(by) | Self::Before(by) => format!("write its settings into DestinationRule {by}, or delete one of them"),
            Self::Elsewhere => "put it into the namespace of its clients or of the service".to_owned(),
        }
    }
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost(host, _) => write!(f, "no service has its host {host}"),
            Self::NotExported => f.write_str("it is not exported to their namespace"),
            Self::Beside(by) => write!(f, "they use DestinationRule {by} of the same namespace"),
            Self::Before(by) => {
                write!(
                    f,
                    "they use DestinationRule {by}: the client's namespace goes before the service's, and that before the root namespace"
                )
            }
            Self::Elsewhere => f.write_str("it is neither in their namespace nor in that of the service, nor in the root namespace"),
        }
    }
}
