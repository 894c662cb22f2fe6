//! Objects that change a proxy's listeners beside plugins and PeerAuthentications.

use super::envoy_filter::EnvoyFilter;
use super::gateway::{GatewaySpec, Server};
use super::ids::ObjectName;
use super::kind::Kind;
use super::labels::{Labels, Selector};
use super::logs::LogTime;
use super::routing::{DestinationRule, VirtualService};
use super::sidecar::Sidecar;

/// An EnvoyFilter, Sidecar, Gateway or the like: where it stands, what it selects, and the parts that answers use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub name: ObjectName,
    /// Its labels: `istio.io/rev`, `istio.io/waypoint-for`, …
    pub labels: Labels,
    /// Which workloads it selects; None selects its whole scope.
    pub selector: Option<Selector>,
    /// `metadata.creationTimestamp`, RFC 3339.
    pub created: Option<String>,
    /// When its spec was last written (`metadata.managedFields`); None where that was not read.
    pub changed: Option<LogTime>,
    /// What it says.
    pub spec: PolicySpec,
}

/// What a policy says, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySpec {
    /// Of a `networking.istio.io` EnvoyFilter.
    EnvoyFilter(EnvoyFilter),
    /// Of a `networking.istio.io` Sidecar.
    Sidecar(Sidecar),
    /// `spec.servers` of a `networking.istio.io` Gateway.
    Servers(Vec<Server>),
    /// Of a `gateway.networking.k8s.io` Gateway.
    Gateway(GatewaySpec),
    /// Of a `networking.istio.io` VirtualService.
    VirtualService(VirtualService),
    /// Of a `networking.istio.io` DestinationRule.
    DestinationRule(DestinationRule),
    /// Of a `security.istio.io` AuthorizationPolicy or RequestAuthentication, as far as it says which requests it is for.
    Requests(OfRequests),
}

/// What an AuthorizationPolicy or RequestAuthentication says of whom it is for (`istio.io/api security/v1/{authorization_policy,
/// request_authentication}.proto`). Of its rules only this is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfRequests {
    /// What an AuthorizationPolicy enforces; None of a RequestAuthentication, of action AUDIT, and of one that the annotation
    /// `istio.io/dry-run` makes a dry run (`pilot/pkg/security/authz/builder/builder.go: isDryRun`).
    pub enforces: Option<Action>,
    /// `provider.name`: of action CUSTOM, the authorizer in the mesh configuration; empty where it names none.
    pub provider: String,
    /// How many `rules` it has.
    pub rules: usize,
    /// Whether one of its rules is empty, which every request fits.
    pub fits_all: bool,
    /// Whether `targetRef` or `targetRefs` name what it is for.
    pub has_targets: bool,
    /// A field that only HTTP has, where each of the rules has one: for TCP an ALLOW has no rule then.
    pub http_field: Option<String>,
    /// Whether each of the rules asks for `requestPrincipals`, which only a JWT has.
    pub needs_jwt: bool,
    /// Whether a rule is for every request with a JWT.
    pub any_jwt: bool,
    /// The `jwtRules` without keys of their own, whose keys istiod fetches.
    pub fetched_keys: Vec<FetchedKeys>,
}

/// An action of an AuthorizationPolicy that lets requests fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `ALLOW`: denies what no rule allows.
    Allow,
    /// `DENY`: denies what a rule fits.
    Deny,
    /// `CUSTOM`: asks an external authorization service.
    Custom,
}

/// Keys of one of the `jwtRules` that istiod fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchedKeys {
    /// The field that says where: `jwtRules[0].jwksUri`, or `jwtRules[0].issuer`, whose OpenID configuration names the URI.
    pub field: String,
    /// Its value.
    pub value: String,
}
