//! PeerAuthentication: which transport a proxy takes from its peers (`istio.io/api security/v1/peer_authentication.proto`).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::ids::ObjectName;
use super::labels::Selector;
use super::logs::LogTime;

/// A mutual TLS mode that is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MtlsMode {
    /// Mutual TLS or plain text: Istio's default.
    Permissive,
    /// Mutual TLS only.
    Strict,
    /// Plain text only.
    Disable,
}

impl MtlsMode {
    /// The three modes, in the order in which answers show them.
    pub const ALL: [Self; 3] = [Self::Permissive, Self::Strict, Self::Disable];

    /// The field's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permissive => "PERMISSIVE",
            Self::Strict => "STRICT",
            Self::Disable => "DISABLE",
        }
    }

    /// Reads the field's own word, in any case; None for UNSET and for what is not a mode.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for MtlsMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One PeerAuthentication object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAuthentication {
    /// Its namespace and name.
    pub name: ObjectName,
    /// `metadata.labels["istio.io/rev"]`: only this revision's istiod uses the object.
    pub revision: Option<String>,
    /// `spec.selector`; None where the field is absent.
    pub selector: Option<Selector>,
    /// `spec.mtls.mode`; None where it is absent or UNSET, which inherits.
    pub mode: Option<MtlsMode>,
    /// `spec.portLevelMtls`, by container port; None is UNSET.
    pub ports: BTreeMap<u16, Option<MtlsMode>>,
    /// `metadata.creationTimestamp`, RFC 3339: the oldest of a scope wins.
    pub created: Option<String>,
    /// When its spec was last written, by `metadata.managedFields`; None where that was not read.
    pub changed: Option<LogTime>,
}

impl PeerAuthentication {
    /// The labels of the workloads that it is for; None where it is for a whole namespace or mesh, as one with an empty selector is.
    pub fn of_workload(&self) -> Option<&Selector> {
        self.selector.as_ref().filter(|selector| !selector.is_empty())
    }
}
