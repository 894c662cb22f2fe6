//! What `mtls` calls broken, client by client.

use super::Facts;
use crate::analysis::answers::{ClientAnswer, MtlsEntry, ServiceClients};
use crate::analysis::mtls::client::Because;
use crate::analysis::mtls::hidden::Mistake;
use crate::analysis::mtls::verdict::{Reason, Verdict};
use crate::model::ids::WorkloadId;

/// A client with a proxy whose connections do not come through.
#[derive(Clone, Copy)]
pub(super) struct Broken<'f> {
    pub(super) entry: &'f MtlsEntry,
    pub(super) service: &'f ServiceClients,
    pub(super) client: &'f ClientAnswer,
}

impl<'f> Broken<'f> {
    /// The workloads that cannot reach the server. It hardly calls itself.
    pub(super) fn clients(&self) -> impl Iterator<Item = &'f WorkloadId> {
        let server = &self.entry.id;
        self.client.members.iter().flat_map(|members| members.iter()).filter(move |member| *member != server)
    }

    /// Who sends what to whom, and why it does not come through.
    pub(super) fn line(&self) -> String {
        let Self { entry, service, client } = self;
        format!("{} {}, {}: {}", entry.workload_kind, entry.workload, service.name(), client.sentence())
    }

    /// The same without what a sentence says already of the certificate.
    pub(super) fn line_beside(&self, sentence: &str) -> String {
        let line = self.line();
        let told = self.client.san.as_ref().map(ToString::to_string).filter(|san| sentence.contains(san.as_str()));
        match told.and_then(|san| line.strip_suffix(&format!("; {san}"))) {
            Some(rest) => rest.to_owned(),
            None => line,
        }
    }

    /// What is wrong with the Sidecar of clients whose traffic is dropped, and the service; None where the service may well be hidden on purpose.
    pub(super) fn mistake(&self) -> Option<(&'f Mistake, &'f str)> {
        match &self.client.cause {
            Because::Hidden(hidden) if self.client.outcome == Reason::Blackholed => Some((hidden.mistake.as_ref()?, &hidden.service)),
            _ => None,
        }
    }
}

/// All that `mtls` calls broken. A client without a proxy is none: to keep it away is what STRICT is for.
pub(super) fn broken<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = Broken<'f>> {
    let services = facts.mtls().workloads.iter().flat_map(|entry| entry.services.iter().map(move |service| (entry, service)));
    let clients = services.flat_map(|(entry, service)| service.clients.iter().map(move |client| Broken { entry, service, client }));
    clients.filter(|broken| broken.client.proxy && broken.client.verdict == Verdict::Fails)
}
