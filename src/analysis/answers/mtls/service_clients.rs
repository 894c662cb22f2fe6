//! The clients of a workload's service ports, as the answer has them.

use std::sync::Arc;

use serde::Serialize;

use super::seen::RefusedClient;
use crate::analysis::mtls::client::{Because, Wire};
use crate::analysis::mtls::identity::SanCheck;
use crate::analysis::mtls::verdict::{Reason, Verdict};
use crate::model::ids::{ObjectName, WorkloadId};
use crate::model::kind::Kind;

/// A service port that leads to the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceClients {
    /// The service, `namespace/name`.
    pub service: String,
    /// Whether it is a Service or a ServiceEntry.
    #[serde(skip)]
    pub kind: Kind,
    /// The host by which clients know it.
    pub host: String,
    /// The service's port.
    pub port: u16,
    /// The port on the workload.
    pub target_port: u16,
    /// The clients: those with a proxy first, the most of them first.
    pub clients: Vec<ClientAnswer>,
}

/// Clients that fare alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientAnswer {
    /// Whether they have a sidecar, or are gateways.
    pub proxy: bool,
    /// Who they are: `namespace default`, `deploy/a in default`; empty for all.
    pub from: Vec<String>,
    /// The subset that they are sent to by a VirtualService; None for the service as a whole.
    pub subset: Option<String>,
    /// Whether a route sends them to the subset; None for the service as a whole, and where VirtualServices could not be read.
    pub routed: Option<bool>,
    /// The DestinationRules that they use for the host, `namespace/name`.
    pub rules: Vec<String>,
    /// The one of these that decides what they send, `namespace/name`; None where none does.
    pub decided_by: Option<String>,
    /// What they send.
    pub sends: Wire,
    /// Why, in words.
    pub because: String,
    /// Whether it comes through.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
    /// The clients without a proxy, and the addresses that no pod has now, whose connections no filter chain took, by the access log; None
    /// where none was read, and for clients with a proxy.
    pub refused: Option<Vec<RefusedClient>>,
    /// Why no access log was read; None where one was, and for clients with a proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_note: Option<&'static str>,
    /// Their Sidecars, where these do not import the service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<ObjectName>,
    /// Their workloads, as lists that others share.
    #[serde(skip)]
    pub members: Vec<Arc<[WorkloadId]>>,
    /// What comes of the names that they demand of the server's certificate; None where it is accepted, or not looked at.
    #[serde(skip)]
    pub san: Option<SanCheck>,
    /// Why they send that.
    #[serde(skip)]
    pub cause: Because,
    /// What comes of it.
    #[serde(skip)]
    pub outcome: Reason,
}
