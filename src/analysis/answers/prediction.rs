//! A listener held against the one that istiod would send, as part of an answer.

use serde::Serialize;

use crate::analysis::comparison::{Cause, Difference};
use crate::analysis::outlook::{Judgement, Outlook};
use crate::model::envoy::{ConfigDump, Listener};

/// How a listener stands to what istiod would send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PredictionAnswer {
    /// Whether each chain is as istiod would make it, with the same plugins in the same order; None where that cannot be told.
    pub agrees: Option<bool>,
    /// How many chains istiod would give it; None where that cannot be told.
    pub chains: Option<usize>,
    /// Why nothing can be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where they differ.
    pub differences: Vec<Difference>,
    /// Why they differ.
    pub causes: Vec<Cause>,
}

impl PredictionAnswer {
    /// Each difference and each cause as a sentence; none where the listener is as istiod would send it, or that cannot be told.
    pub fn lines(&self) -> Vec<String> {
        let causes = self.causes.iter().map(|cause| format!("because {}", cause.why));
        self.differences.iter().map(ToString::to_string).chain(causes).collect()
    }
}

/// Holds a listener of a dump against the prediction; None for listeners that are never predicted.
pub(super) fn of(outlook: &Outlook<'_>, listener: &Listener, dump: &ConfigDump) -> Option<PredictionAnswer> {
    let judgement = outlook.judge(listener, dump)?;
    let agrees = judgement.agrees();
    let Judgement { predicted, unknown, differences, causes, .. } = judgement;
    let known = unknown.is_none();
    let chains = known.then(|| predicted.map_or(0, |predicted| predicted.chains.len()));
    Some(PredictionAnswer { agrees, chains, note: unknown, differences, causes })
}

/// The listeners that istiod would send and the proxy lacks in every state but a draining one.
pub(super) fn absent(outlook: &Outlook<'_>, dump: &ConfigDump) -> Vec<String> {
    let absent = outlook.lacking(dump).filter(|wanted| outlook.unknown(wanted).is_none());
    let mut found: Vec<String> = absent.map(|listener| listener.name.clone()).collect();
    found.sort();
    found
}
