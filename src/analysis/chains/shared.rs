//! What sidecars share that know the same services: their outbound listeners before any plugin is put in. In a large mesh that is most
//! of the work, and most proxies of a namespace have it in common.

use core::net::IpAddr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::conflict::Entries;
use super::{Facts, Gap};
use crate::analysis::era::Version;
use crate::model::ids::ObjectName;
use crate::model::mesh::Features;
use crate::model::service::{Endpoint, Resolution};

/// Outbound listeners without plugins, by all that they depend on beside the objects of one mesh.
#[derive(Debug, Default)]
pub struct Shared(Mutex<HashMap<Scope, Arc<Laid>>>);

/// The services of a sidecar, laid out in listeners.
#[derive(Debug)]
pub(super) struct Laid {
    pub entries: Entries,
    pub gaps: Vec<Gap>,
}

/// What of a sidecar decides how its services are laid out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Scope {
    namespace: String,
    sidecar: Option<ObjectName>,
    revision: Option<String>,
    version: Version,
    features: Features,
    domain: String,
    families: (bool, bool),
    dns: (bool, bool),
    http10: bool,
    own_ports: Vec<u16>,
    /// Its address, where a headless service has it among its endpoints: a proxy has no listener for itself.
    own_address: Option<IpAddr>,
}

impl Scope {
    fn of(facts: &Facts<'_>) -> Self {
        let pod = facts.pod;
        let headless = || facts.services().filter(|service| service.resolution == Resolution::Passthrough);
        let is_own = |endpoint: &Endpoint| endpoint.address.parse().ok().as_ref() == facts.addresses.first();
        let among = headless().any(|service| service.selects(pod) || service.endpoints.iter().any(is_own));
        Self {
            namespace: facts.namespace().to_owned(),
            sidecar: facts.sidecar().map(|(policy, _)| policy.name.clone()),
            revision: facts.revision.map(str::to_owned),
            version: facts.plane.version,
            features: facts.plane.features,
            domain: facts.domain.clone(),
            families: (facts.has_ipv4(), facts.has_ipv6()),
            dns: (facts.captures_dns, facts.hides_addresses),
            http10: facts.http10,
            own_ports: facts.own_ports.clone(),
            own_address: facts.addresses.first().copied().filter(|_| among),
        }
    }
}

impl Shared {
    /// The layout for a proxy: that of one that knows the same, else made by `lay`.
    pub(super) fn laid(&self, facts: &Facts<'_>, lay: impl FnOnce() -> Laid) -> Arc<Laid> {
        let scope = Scope::of(facts);
        let known = |scope: &Scope| self.0.lock().unwrap_or_else(PoisonError::into_inner).get(scope).cloned();
        // Made outside of the lock: two may make the same, and none waits for another.
        known(&scope).unwrap_or_else(|| {
            let laid = Arc::new(lay());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(scope, laid.clone());
            laid
        })
    }
}
