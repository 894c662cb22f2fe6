//! Whether a client accepts the certificate of a server: the names that it demands, and the identity that istiod's CA writes into certificates
//! of the pod's service account (`pkg/spiffe/spiffe.go: MustGenSpiffeURI`). istiod writes each name as an exact match, one with `*` too
//! (`pilot/pkg/networking/core/cluster_tls.go: buildUpstreamClusterTLSContext`; `pkg/model/proxy.go: StringToExactMatch`).

use std::collections::BTreeMap;
use std::fmt;

use super::client::{Because, Wire};
use super::verdict::Reason;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::mesh::DEFAULT_TRUST_DOMAIN;
use crate::model::service::{Registry, Service};
use crate::model::workload::{Pod, ProxyKind};

/// How many names are listed in a sentence.
const MOST: usize = 3;

/// The names that a client demands: the server's certificate must have one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What lists them: `DestinationRule default/httpbin`.
    pub by: String,
    /// The names, as they are written.
    pub names: Vec<String>,
}

impl Demand {
    /// What a client demands that sends mutual TLS for this reason; None where any certificate of the mesh will do. A DestinationRule's names
    /// replace what istiod derives: the identities of a service's endpoints, and those that a ServiceEntry adds (`buildUpstreamTLSSettings`;
    /// `pilot/pkg/model/push_context.go: addServiceAccounts`).
    pub fn of(because: &Because, service: &Service, objects: &Inventory) -> Option<Self> {
        if let Because::Rule(_, decider) = because
            && !decider.subject_alt_names.is_empty()
        {
            let by = format!("{} {}", Kind::DestinationRule, decider.rule);
            return Some(Self { by, names: decider.subject_alt_names.clone() });
        }
        // Pods that a selector matches are endpoints with an identity of their own, which is one of the names.
        if service.registry != Registry::ServiceEntry || service.selector.is_some() {
            return None;
        }
        let domain = Trust::of(objects).domain;
        let accounts = service.endpoints.iter().filter_map(|endpoint| endpoint.service_account.as_deref());
        let of_endpoints = accounts.map(|account| spiffe(domain, &service.name.namespace, account));
        let names: Vec<String> = service.subject_alt_names.iter().cloned().chain(of_endpoints).collect();
        (!names.is_empty()).then(|| Self { by: format!("{} {}", Kind::ServiceEntry, service.name), names })
    }
}

fn spiffe(trust_domain: &str, namespace: &str, account: &str) -> String {
    format!("spiffe://{trust_domain}/ns/{namespace}/sa/{account}")
}

/// What comes of a demand at the pods of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SanCheck {
    /// What is demanded.
    pub demand: Demand,
    /// The identities that are not accepted.
    pub rejected: Vec<String>,
    /// Why of a pod it is unknown whether its certificate is accepted.
    unknown: Option<String>,
    /// How many pods of the service have an accepted certificate, and how many there are.
    accepted: (usize, usize),
}

impl SanCheck {
    /// Compares; None where the certificates of all pods of the workload are accepted. `behind` are the pods of the service.
    pub fn of(demand: Demand, workload: &[&Pod], behind: &[&Pod], objects: &Inventory) -> Option<Self> {
        let trust = Trust::of(objects);
        let (mut rejected, mut unknown) = (BTreeMap::new(), None);
        for pod in workload {
            match trust.accepts(&demand.names, pod) {
                Ok(true) => {}
                Ok(false) => *rejected.entry(trust.identity(pod)).or_insert(0_usize) += 1,
                Err(why) => unknown = Some(why),
            }
        }
        let accepted = behind.iter().filter(|pod| trust.accepts(&demand.names, pod) == Ok(true)).count();
        let all_accepted = rejected.is_empty() && unknown.is_none();
        (!all_accepted).then(|| Self { demand, rejected: rejected.into_keys().collect(), unknown, accepted: (accepted, behind.len()) })
    }

    /// What comes of it.
    pub fn reason(&self) -> Reason {
        if self.rejected.is_empty() { Reason::UnknownSan } else { Reason::OtherSan }
    }
}

/// Whether the client looks at a certificate of the mesh at all: the server's sidecar terminates its TLS. Over HBONE it is the tunnel's.
pub fn shows(wire: Wire, reason: Reason, client_sends_hbone: bool, server: &Pod) -> bool {
    let terminates = matches!((wire, reason), (Wire::MutualTls, Reason::Taken) | (Wire::OwnMutualTls, Reason::StrictOwnCertificate));
    let sidecar = server.proxy.as_ref().filter(|proxy| proxy.kind == ProxyKind::Sidecar);
    terminates && sidecar.is_some_and(|proxy| !(client_sends_hbone && proxy.hbone))
}

/// The trust domain of the mesh, as far as it is known.
struct Trust<'o> {
    domain: &'o str,
    aliases: &'o [String],
    is_known: bool,
}

impl<'o> Trust<'o> {
    fn of(objects: &'o Inventory) -> Self {
        let mesh = objects.mesh.as_deref();
        Self {
            domain: mesh.map_or(DEFAULT_TRUST_DOMAIN, |mesh| &mesh.trust_domain),
            aliases: mesh.map(|mesh| mesh.trust_domain_aliases.as_slice()).unwrap_or_default(),
            is_known: mesh.is_some(),
        }
    }

    fn identity(&self, pod: &Pod) -> String {
        spiffe(self.domain, &pod.id.namespace, pod.service_account.as_deref().unwrap_or_default())
    }

    /// Whether the pod's certificate has one of the names; an error says why that is unknown.
    fn accepts(&self, names: &[String], pod: &Pod) -> Result<bool, String> {
        let Some(account) = &pod.service_account else { return Err(format!("the service account of {} is unknown", pod.id)) };
        if names.contains(&self.identity(pod)) {
            return Ok(true);
        }
        let path = format!("/ns/{}/sa/{account}", pod.id.namespace);
        let mut domains = names.iter().filter_map(|name| name.strip_prefix("spiffe://")?.strip_suffix(&path));
        match domains.find(|domain| !domain.contains('/') && (!self.is_known || self.aliases.iter().any(|alias| alias == domain))) {
            Some(_) if !self.is_known => Err("the mesh configuration, which has the trust domain, could not be read".to_owned()),
            Some(alias) => {
                Err(format!("only certificates from before {alias} became an alias of the trust domain {} have it", self.domain))
            }
            None => Ok(false),
        }
    }
}

impl fmt::Display for SanCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { demand: Demand { by, names }, rejected, unknown, accepted: (accepted, all) } = self;
        write!(f, "{by} wants SAN {}; ", listed(names, " or "))?;
        match (rejected.as_slice(), unknown) {
            ([], Some(why)) => write!(f, "it is unknown whether the server's certificate has it: {why}")?,
            ([one], _) => write!(f, "the server's certificate has {one}")?,
            (several, _) => write!(f, "the certificates of its pods have {}", listed(several, " and "))?,
        }
        if *accepted > 0 {
            let have = if *accepted == 1 { "has" } else { "have" };
            write!(f, "; {accepted} of {all} pods of the service {have} one that is wanted, so a part of the connections fails")?;
        }
        Ok(())
    }
}

fn listed(names: &[String], between: &str) -> String {
    let more = names.len().saturating_sub(MOST);
    let rest = if more > 0 { format!("{between}{more} more") } else { String::new() };
    names[..names.len() - more].join(between) + &rest
}
