//! What the answers for all workloads share.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::analysis::comparison::EnvoyFilters;
use crate::analysis::control_plane;
use crate::analysis::era::Version;
use crate::analysis::mtls::clients::{Clients, clients};
use crate::analysis::mtls::hidden::Imports;
use crate::analysis::mtls::routes::SubsetRoutes;
use crate::analysis::mtls::rules::Rules;
use crate::analysis::mtls::unused_rules::TlsRules;
use crate::analysis::requests::{DeadRoute, Mesh};
use crate::model::envoy_filter::Patch;
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;
use crate::model::snapshot::Snapshot;
use crate::model::workload::Pod;

/// The objects, ready for the questions about each workload.
pub(super) struct World<'o> {
    pub(super) snapshot: &'o Snapshot,
    pub(super) objects: &'o Inventory,
    pub(super) domain: &'static str,
    pub(super) version: Version,
    pub(super) rules: Rules<'o>,
    pub(super) tls_rules: TlsRules<'o>,
    /// The routes that name subsets; None where VirtualServices could not be read.
    pub(super) routes: Option<SubsetRoutes<'o>>,
    /// What brings clients a service that their Sidecar does not list.
    pub(super) imports: Imports<'o>,
    pub(super) clients: Vec<Clients<'o>>,
    /// The EnvoyFilters of clients, by the pod that stands for them; empty where no EnvoyFilter changes the TLS of clusters.
    pub(super) cluster_patches: BTreeMap<&'o ProxyId, EnvoyFilters<'o>>,
    dead_routes: OnceCell<Vec<DeadRoute>>,
}

impl<'o> World<'o> {
    /// Those of a snapshot.
    pub(super) fn of(snapshot: &'o Snapshot) -> Self {
        let objects = &snapshot.objects;
        // Without a dump nothing says what the domain is.
        let domain = "cluster.local";
        let version = control_plane::control_plane(objects, None, None).version;
        let rules = Rules::of(objects, domain, version);
        let clients = clients(objects, &rules);
        let routes = (!snapshot.unread.contains(&Kind::VirtualService)).then(|| SubsetRoutes::of(objects, domain));
        Self {
            snapshot,
            objects,
            domain,
            version,
            rules,
            tls_rules: TlsRules::of(objects, domain),
            routes,
            imports: Imports::of(objects, domain),
            cluster_patches: cluster_patches(objects, &clients),
            clients,
            dead_routes: OnceCell::new(),
        }
    }

    /// The routes that lead nowhere, each once.
    pub(super) fn dead_routes(&self) -> &[DeadRoute] {
        self.dead_routes.get_or_init(|| {
            if self.objects.policies_of(Kind::VirtualService).next().is_none() {
                return Vec::new();
            }
            Mesh::of(self.snapshot).all_dead_routes().into_iter().collect()
        })
    }

    /// The first of these kinds of which something may be missing that counts for a pod. Policies of its own namespace and of the root
    /// namespace are all that do.
    pub(super) fn lacks(&self, kinds: &[Kind], pod: &Pod) -> Option<Kind> {
        let is_lacking = |kind: &Kind| match kind {
            Kind::PeerAuthentication => self.snapshot.lacks(*kind, &pod.id.namespace),
            kind => self.snapshot.unread.contains(kind),
        };
        kinds.iter().copied().find(is_lacking)
    }
}

fn cluster_patches<'o>(objects: &'o Inventory, clients: &[Clients<'o>]) -> BTreeMap<&'o ProxyId, EnvoyFilters<'o>> {
    let patches =
        |spec: &PolicySpec| matches!(spec, PolicySpec::EnvoyFilter(filter) if filter.patches.iter().any(Patch::changes_cluster_tls));
    let any = objects.policies_of(Kind::EnvoyFilter).any(|policy| patches(&policy.spec));
    clients.iter().filter(|_| any).map(|clients| (&clients.facts.pod.id, EnvoyFilters::of(&clients.facts))).collect()
}
