//! The parts of the agent's lines (`pkg/wasm/{imagefetcher,convert}.go`, `pilot/cmd/pilot-agent`).

use super::istiod::connection;
use crate::model::log_details::LogDetails;

/// The parts of a message.
pub(super) fn read<'m>(scope: &str, message: &'m str) -> Option<LogDetails<'m>> {
    match scope {
        "wasm" => fetch(message).or_else(|| failed(message)),
        // Envoy asks the agent for certificates over xDS.
        "ads" => connection(message.strip_prefix("ADS:")?),
        "" => started(message),
        _ => None,
    }
}

fn started(message: &str) -> Option<LogDetails<'_>> {
    if let Some(version) = message.strip_prefix("Version ") {
        return Some(LogDetails::Started { program: "pilot-agent", version });
    }
    message.starts_with("Envoy command: ").then_some(LogDetails::Started { program: "envoy", version: "" })
}

/// `fetching image linsun/helloworld from registry registry.example:5000 with tag latest`, the last word being a tag or a digest;
/// `fetching image with plain text from registry.example:5000/linsun/helloworld:latest`.
fn fetch(message: &str) -> Option<LogDetails<'_>> {
    let rest = message.strip_prefix("fetching image ")?;
    if let Some(url) = rest.strip_prefix("with plain text from ") {
        let (registry, rest) = url.split_once('/')?;
        let (repository, reference) = rest.split_once('@').or_else(|| rest.rsplit_once(':')).unwrap_or((rest, ""));
        return Some(LogDetails::Fetch { registry, repository, reference, plain_text: true });
    }
    let (repository, rest) = rest.split_once(" from registry ")?;
    let (registry, reference) = rest.split_once(" with tag ")?;
    Some(LogDetails::Fetch { registry, repository, reference, plain_text: false })
}

/// `error in converting the wasm config to local: cause. applying deny RBAC filter`; until Istio 1.24 only the cause, which
/// is `cannot fetch Wasm module <url>: why`.
fn failed(message: &str) -> Option<LogDetails<'_>> {
    let converting = message.strip_prefix("error in converting the wasm config to local: ");
    let (cause, stub) = match converting.and_then(|rest| rest.rsplit_once(". applying ")) {
        Some((cause, stub)) => (cause, stub.strip_suffix(" RBAC filter")),
        None => (converting.or_else(|| message.strip_prefix("convert the wasm config: ")).unwrap_or(message), None),
    };
    let at = cause.find("cannot fetch Wasm module ").map(|at| at + "cannot fetch Wasm module ".len());
    let url = at.and_then(|at| cause[at..].split_once(": ")).map(|(url, _)| url);
    (url.is_some() || converting.is_some()).then_some(LogDetails::FetchFailed { url, cause, stub })
}
