//! The mutual TLS mode of a workload, as answers say it.

use serde::Serialize;

use crate::analysis::answers::mtls::MODE_UNKNOWN;
use crate::analysis::mtls::EffectiveMtls;
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::snapshot::Snapshot;

/// The mode in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MtlsAnswer {
    /// The mode.
    pub mode: MtlsMode,
    /// `PeerAuthentication namespace/name`; None where Istio's default stands.
    pub winner: Option<String>,
}

impl MtlsAnswer {
    /// The mode in a namespace, or why it is not known.
    pub(in crate::analysis::answers) fn known(
        snapshot: &Snapshot,
        namespace: &str,
        effective: &EffectiveMtls,
    ) -> (Option<Self>, Option<String>) {
        if snapshot.lacks(Kind::PeerAuthentication, namespace) {
            return (None, Some(MODE_UNKNOWN.to_owned()));
        }
        (Some(Self { mode: effective.mode, winner: effective.winner_text() }), None)
    }
}
