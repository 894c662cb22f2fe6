//! Which URL the module in place came from: by the agent's file, whose folder is named after the URL, and by the fetch in the agent's log.

use sha2::{Digest, Sha256};

use crate::analysis::era::Version;
use crate::analysis::logs::attribution::module::Module;
use crate::ingest::logs::details::details;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogRecord, LogTime};
use crate::model::snapshot::LoadedDump;

/// How long before the proxy was given the configuration the agent can have begun to fetch its module, in nanoseconds: with retries two minutes.
const FETCH: LogTime = 120_000_000_000;

/// Whether an agent's file, `/var/lib/istio/data/<SHA-256 of the URL without tag and digest>/<checksum>.wasm`, is of a URL
/// (`pkg/wasm/cache.go: moduleNameFromURL, getModulePath`). None where the file is none of such an agent.
pub(super) fn is_of(file: &str, url: &str, agent: Option<Version>) -> Option<bool> {
    let folder = file.rsplit('/').nth(1).filter(|folder| folder.len() == 64 && folder.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    agent.filter(|agent| agent.since(15))?;
    let hash: String = Sha256::digest(Module::of(url).cache_name()).iter().map(|byte| format!("{byte:02x}")).collect();
    Some(folder.eq_ignore_ascii_case(&hash))
}

/// The digest that a URL names, without `sha256:`.
pub(super) fn pinned(url: &str) -> Option<&str> {
    url.split_once("@sha256:").map(|(_, digest)| digest)
}

/// What the agent fetched last of a URL's repository before the proxy was given the configuration.
pub(super) enum Fetched {
    /// The module of the URL.
    Wanted,
    /// That of another tag or digest, named here.
    Other(String),
}

/// What the agent of a proxy fetched for what the proxy was given then, by what was read of its log; see [`fetched`].
pub(super) fn fetched_by(loaded: &LoadedDump, own_url: Option<&str>, given: Option<LogTime>) -> Option<Fetched> {
    fetched(own_url?, &loaded.vitals.as_ref()?.log, given)
}

/// What the agent fetched for what the proxy was given then; None where the log does not show it, as where the agent had the module already.
/// No other plugin of the proxy may have the repository of `url`.
fn fetched(url: &str, log: &[LogRecord], given: Option<LogTime>) -> Option<Fetched> {
    let (given, wanted) = (given?, Module::of(url));
    let of_repository = |record: &LogRecord| match details(record) {
        Some(LogDetails::Fetch { registry, repository, reference, .. }) => {
            let found = Module::parts(registry, repository, reference);
            let fetched = if found == wanted { Fetched::Wanted } else { Fetched::Other(reference.to_owned()) };
            record.time.zip(Some(fetched)).filter(|_| found.is_of_repository_of(&wanted))
        }
        _ => None,
    };
    let (time, fetched) = log.iter().filter(|record| record.time <= Some(given)).rev().find_map(of_repository)?;
    (given.saturating_sub(time) <= FETCH).then_some(fetched)
}
