//! EnvoyFilter: patches to what istiod generates (`istio.io/api networking/v1alpha3/envoy_filter.proto`).

use super::envoy::FilterChain;
use super::plugin::TargetRef;
use super::sync::{CLUSTERS, EXTENSIONS, LISTENERS, ROUTES};

/// What an EnvoyFilter patches, as far as listeners go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyFilter {
    /// `spec.targetRefs`.
    pub target_refs: Vec<TargetRef>,
    /// `spec.configPatches`.
    pub patches: Vec<Patch>,
}

/// One item of `spec.configPatches`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// `applyTo`: `LISTENER`, `FILTER_CHAIN`, `NETWORK_FILTER`, `HTTP_FILTER`, `CLUSTER`, …
    pub apply_to: String,
    /// `match.context`: `ANY`, `SIDECAR_INBOUND`, `SIDECAR_OUTBOUND`, `GATEWAY`, `WAYPOINT`; `ANY` where unset.
    pub context: String,
    /// `match.proxy.proxyVersion`, a regular expression; empty is any.
    pub proxy_version: String,
    /// `match.listener.name`; empty is any.
    pub listener: String,
    /// `match.listener.portNumber`; None is any.
    pub port: Option<u16>,
    /// `match.listener.filterChain`; its default is any.
    pub chain: ChainPattern,
    /// `match.listener.filterChain.filter.name`; None where there is no `filter`, which is any.
    pub filter: Option<String>,
    /// `match.listener.filterChain.filter.subFilter.name`; None where there is no `subFilter`, which is any.
    pub sub_filter: Option<String>,
    /// `patch.operation`; empty where there is no `patch`, so that istiod leaves the item out.
    pub operation: String,
    /// `patch.value.name`: of a filter, its configuration or a listener; empty where unset.
    pub value_name: String,
    /// The type URL of `patch.value.typed_config`; empty where it has none.
    pub value_type: String,
    /// `patch.value.disabled`.
    pub disables: bool,
    /// `match.cluster`; its default is any.
    pub cluster: ClusterPattern,
    /// Whether `match.proxy.metadata` keeps it to some proxies.
    pub by_metadata: bool,
    /// The names of the transport sockets of `patch.value`: that of a cluster, and of its `transport_socket_matches`.
    pub transport_sockets: Vec<String>,
}

/// Which clusters a patch is for, by what is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterPattern {
    /// `name`, beside which nothing else counts.
    pub name: String,
    /// `service`: a host.
    pub service: String,
    /// `subset`.
    pub subset: String,
    /// `portNumber`.
    pub port: Option<u16>,
}

impl ClusterPattern {
    /// Whether a cluster for what is sent to others is meant (`pilot/pkg/networking/core/envoyfilter/cluster_patch.go: clusterMatch`).
    pub fn means(&self, host: &str, subset: &str, port: u16) -> bool {
        if !self.name.is_empty() {
            return self.name == format!("outbound|{port}|{subset}|{host}");
        }
        (self.service.is_empty() || self.service == host)
            && (self.subset.is_empty() || self.subset == subset)
            && self.port.is_none_or(|own| own == port)
    }
}

/// Which chains of a listener a patch is for, by what is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainPattern {
    /// `name`.
    pub name: String,
    /// `sni`.
    pub sni: String,
    /// `transportProtocol`.
    pub transport_protocol: String,
    /// `applicationProtocols`, with commas between them.
    pub application_protocols: String,
    /// `destinationPort`.
    pub destination_port: Option<u16>,
}

impl ChainPattern {
    /// Whether a chain is meant (`pilot/pkg/networking/core/envoyfilter/listener_patch.go: filterChainMatch`).
    fn means(&self, chain: &FilterChain) -> bool {
        let matches = &chain.matches;
        let has = |wanted: &str, found: &[String]| wanted.is_empty() || wanted.split(',').all(|word| found.iter().any(|has| has == word));
        (self.name.is_empty() || self.name == chain.name)
            && (self.sni.is_empty() || matches.server_names.contains(&self.sni))
            && (self.transport_protocol.is_empty() || self.transport_protocol == matches.transport_protocol)
            && has(&self.application_protocols, &matches.application_protocols)
            && (self.destination_port.is_none() || self.destination_port == matches.destination_port)
    }
}

/// The network filter that holds the HTTP filters.
const HCM: &str = "envoy.filters.network.http_connection_manager";

impl Patch {
    /// Whether it takes a filter out of a chain that it is for, with what holds it or under another name
    /// (`pilot/pkg/networking/core/envoyfilter/listener_patch.go`). Nothing is removed or replaced that a patch does not name, and a name is
    /// merged into what has its configuration in the listener alone.
    pub fn removes(&self, filter: &Removable<'_>, chain: &FilterChain) -> bool {
        let removes = matches!(self.operation.as_str(), "REMOVE" | "REPLACE");
        let names = |found: &Option<String>, name: &str| found.as_deref() == Some(name);
        let may_name = |found: &Option<String>, name: &str| found.as_deref().is_none_or(|found| found == name);
        let takes = match self.apply_to.as_str() {
            "LISTENER" | "FILTER_CHAIN" => self.operation == "REMOVE",
            "NETWORK_FILTER" => removes && names(&self.filter, if filter.http { HCM } else { filter.name }),
            "HTTP_FILTER" if !filter.http => false,
            "HTTP_FILTER" if removes => names(&self.filter, HCM) && names(&self.sub_filter, filter.name),
            "HTTP_FILTER" => {
                (self.renames(filter) || self.operation == "MERGE" && self.disables)
                    && may_name(&self.filter, HCM)
                    && may_name(&self.sub_filter, filter.name)
            }
            _ => false,
        };
        takes && (self.apply_to == "LISTENER" || self.chain.means(chain))
    }

    /// Whether it gives a filter another name.
    fn renames(&self, filter: &Removable<'_>) -> bool {
        self.operation == "MERGE" && filter.inline && !self.value_name.is_empty() && self.value_name != filter.name
    }

    /// What it does to a filter, as a clause: `REMOVE of HTTP_FILTER envoy.filters.http.lua`.
    pub fn words(&self) -> String {
        let named = self.sub_filter.as_ref().filter(|_| self.apply_to == "HTTP_FILTER").or(self.filter.as_ref());
        let named = named.filter(|_| self.apply_to != "LISTENER").map(|name| format!(" {name}")).unwrap_or_default();
        let by = match self.operation.as_str() {
            "REPLACE" | "MERGE" if !self.value_name.is_empty() => format!(" by {}", self.value_name),
            _ => String::new(),
        };
        let disables = if self.disables { ", disabled: true" } else { "" };
        format!("{} of {}{named}{by}{disables}", self.operation, self.apply_to)
    }

    /// Whether it writes a filter of this name, or its configuration.
    pub fn writes_filter(&self, name: &str) -> bool {
        self.value_name == name && self.applies_to_filters()
    }

    /// Whether it is about filters or their configuration.
    pub fn applies_to_filters(&self) -> bool {
        matches!(self.apply_to.as_str(), "NETWORK_FILTER" | "HTTP_FILTER" | "EXTENSION_CONFIG")
    }

    /// Whether it is about routes.
    pub fn applies_to_routes(&self) -> bool {
        matches!(self.apply_to.as_str(), "ROUTE_CONFIGURATION" | "VIRTUAL_HOST" | "HTTP_ROUTE")
    }

    /// Whether it can change resources of a type, by the type's URL (`networking/v1alpha3/envoy_filter.proto: ApplyTo`).
    pub fn changes(&self, type_url: &str) -> bool {
        let is_of_type = match type_url {
            CLUSTERS => self.apply_to == "CLUSTER",
            LISTENERS => {
                matches!(self.apply_to.as_str(), "LISTENER" | "LISTENER_FILTER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER")
            }
            ROUTES => self.applies_to_routes(),
            EXTENSIONS => self.apply_to == "EXTENSION_CONFIG",
            _ => false,
        };
        is_of_type && !self.operation.is_empty()
    }

    /// Whether it can change which filters are in which chains of listeners that are there. Listener filters are in no chain.
    pub fn shapes_chains(&self) -> bool {
        let in_chains = matches!(self.apply_to.as_str(), "LISTENER" | "FILTER_CHAIN" | "NETWORK_FILTER" | "HTTP_FILTER");
        in_chains && !self.operation.is_empty() && !self.adds_listener()
    }

    /// Whether it can change the TLS of clusters, or takes clusters away. What it adds are clusters of its own.
    pub fn changes_cluster_tls(&self) -> bool {
        let sets = !self.transport_sockets.is_empty() && !matches!(self.operation.as_str(), "" | "INVALID" | "ADD");
        self.apply_to == "CLUSTER" && (self.removes_cluster() || sets)
    }

    /// Whether it takes clusters away.
    pub fn removes_cluster(&self) -> bool {
        self.apply_to == "CLUSTER" && self.operation == "REMOVE"
    }

    /// Whether it adds a listener. Of listeners and chains the inserting operations count as `ADD`
    /// (`pilot/pkg/model/envoyfilter.go: convertToEnvoyFilterWrapper`).
    pub fn adds_listener(&self) -> bool {
        self.apply_to == "LISTENER" && self.adds()
    }

    /// Whether it adds a filter chain.
    pub fn adds_chain(&self) -> bool {
        self.apply_to == "FILTER_CHAIN" && self.adds()
    }

    fn adds(&self) -> bool {
        matches!(self.operation.as_str(), "ADD" | "INSERT_BEFORE" | "INSERT_AFTER" | "INSERT_FIRST")
    }
}

/// A filter of a chain, as patches see it.
#[derive(Clone, Copy, Debug)]
pub struct Removable<'f> {
    /// Its name.
    pub name: &'f str,
    /// Whether it is an HTTP filter; else a network filter.
    pub http: bool,
    /// Whether its configuration is in the listener, not in ECDS.
    pub inline: bool,
}
