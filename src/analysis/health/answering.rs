//! What answers requests where Envoy rejected a plugin's configuration: what it accepted before, the agent's stub of before, or nothing
//! (`source/common/filter/config_discovery_impl.cc`: a rejected update leaves the factory of before in place, and without one every
//! request gets 500 with the flag NFCF).

use std::fmt;

use super::EvidenceSource;
use super::failures::request;
use crate::analysis::logs::attribution::module::{Module, image_url};
use crate::ingest::logs::details::{NO_CONFIGURATION, details};
use crate::model::envoy::{EcdsFilter, ExtensionConfig};
use crate::model::ids::PluginId;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogRecord, LogTime};

/// What answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answering {
    /// The module that Envoy accepted before; with its URL where the log still has the line of its fetch.
    ModuleBefore(Option<String>),
    /// The agent's stub of before; whether it allows every request.
    Stub(bool),
    /// Nothing: Envoy never accepted a configuration.
    Nothing,
}

impl Answering {
    /// What answers where the configuration was rejected at `since`; None where nothing shows it. `has` is whether Envoy has a plugin of
    /// the name, `url` the module of the object, where no other plugin of the proxy has one of its repository.
    pub(super) fn of(
        plugin: &PluginId,
        entry: Option<&EcdsFilter>,
        log: &[LogRecord],
        (has, since): (Option<bool>, Option<LogTime>),
        url: Option<&str>,
    ) -> Option<Self> {
        let is_before = |record: &&LogRecord| since.is_none_or(|since| record.time < Some(since));
        if has == Some(true) {
            return Some(Self::ModuleBefore(fetched_before(url, log.iter().filter(is_before))));
        }
        let answered = log.iter().rfind(|record| record.time >= since && since.is_some() && ends_here(record)).and_then(request);
        match answered {
            Some(request) if request.flags.contains(NO_CONFIGURATION) => return Some(Self::Nothing),
            // Without statistics the module before may be there, and the denial that of a policy.
            _ if has.is_none() => return None,
            Some(_) => return Some(Self::Stub(false)),
            None => {}
        }
        let mut failed = log.iter().filter(is_before).filter(|record| record.event == Some(LogEvent::FetchFailed));
        let own = url.map(Module::of);
        let names = |record: &LogRecord| match (details(record), &own) {
            (Some(LogDetails::FetchFailed { url: Some(url), .. }), Some(own)) => Module::of(url).is_of_repository_of(own),
            _ => false,
        };
        let had_stub = failed.clone().any(|record| record.plugin.as_ref() == Some(plugin) || names(record));
        if !had_stub && url.is_none() && failed.any(|record| record.plugin.is_none()) {
            return None;
        }
        let opens =
            matches!(entry.map(|entry| &entry.config), Some(ExtensionConfig::Wasm { failure_policy, .. }) if failure_policy == "FAIL_OPEN");
        Some(if had_stub { Self::Stub(opens) } else { Self::Nothing })
    }

    /// What shows it. `has` is whether Envoy's statistics have a plugin of the name.
    pub(super) fn source(&self, has: Option<bool>) -> EvidenceSource {
        match self {
            // Its URL, the agent's stub and the requests that fail are in the proxy's log.
            Self::ModuleBefore(Some(_)) | Self::Stub(_) => EvidenceSource::Log,
            Self::Nothing if has.is_none() => EvidenceSource::Log,
            Self::ModuleBefore(None) | Self::Nothing => EvidenceSource::Stats,
        }
    }
}

/// What the stub that denies writes: it has no policies, so none matches.
const BY_STUB: &str = "rbac_access_denied_matched_policy[none]";

fn ends_here(record: &LogRecord) -> bool {
    request(record).is_some_and(|request| request.flags.contains(NO_CONFIGURATION) || request.details == BY_STUB)
}

/// The last module of the same repository that the agent fetched, but the object's own.
pub(super) fn fetched_before<'l>(url: Option<&str>, log: impl DoubleEndedIterator<Item = &'l LogRecord>) -> Option<String> {
    let own = Module::of(url?);
    log.rev().find_map(|record| match details(record)? {
        LogDetails::Fetch { registry, repository, reference, .. } => {
            let found = Module::parts(registry, repository, reference);
            (found.is_of_repository_of(&own) && found != own).then(|| image_url(registry, repository, reference))
        }
        _ => None,
    })
}

impl fmt::Display for Answering {
    /// One clause, after what was rejected.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModuleBefore(Some(url)) => write!(f, "requests pass the module before, {url} by the agent's log"),
            Self::ModuleBefore(None) => f.write_str("requests pass the module before"),
            Self::Stub(true) => f.write_str("requests pass the stub before, which allows all"),
            Self::Stub(false) => f.write_str("the stub before denies every request: 403"),
            Self::Nothing => f.write_str("Envoy never accepted a configuration of it, so every request fails: 500 NFCF"),
        }
    }
}
