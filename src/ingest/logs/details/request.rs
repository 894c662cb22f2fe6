//! The parts of a request in the access log, by the columns of Istio's default text.

use std::borrow::Cow;

use super::super::access::{self, COLUMNS};
use crate::model::log_details::LoggedRequest;

/// What Envoy writes as a request's details where a VM that failed ended it (`source/extensions/common/wasm/context.cc`).
pub const FAIL_STREAM: &str = "wasm_fail_stream";

/// Reads as many columns as there are: a mesh can choose others, and what does not fit is left out.
pub(super) fn read(message: &str) -> LoggedRequest<'_> {
    let mut columns = access::columns(message).unwrap_or_else(|| in_text(message)).into_iter();
    let mut next = || columns.next().filter(|column| column != "-").unwrap_or_default();
    let (method, path, protocol, code) = (next(), next(), next(), next().parse().unwrap_or(0));
    let (flags, details, termination, transport_failure) = (next(), next(), next(), next());
    let (bytes_received, bytes_sent) = (number(&next()).unwrap_or(0), number(&next()).unwrap_or(0));
    let (duration_ms, upstream_ms) = (number(&next()), number(&next()));
    let (forwarded_for, user_agent, request_id, authority, upstream_host) = (next(), next(), next(), next(), next());
    let (cluster, upstream_local, downstream_local, downstream_remote, server_name, route) =
        (next(), next(), next(), next(), next(), next());
    LoggedRequest {
        method,
        path,
        protocol,
        code,
        flags,
        details,
        termination,
        transport_failure,
        bytes_received,
        bytes_sent,
        duration_ms,
        upstream_ms,
        forwarded_for,
        user_agent,
        request_id,
        authority,
        upstream_host,
        inbound: inbound(&cluster),
        cluster,
        upstream_local,
        downstream_local,
        downstream_remote,
        server_name,
        route,
    }
}

/// The direction by the cluster's name (`pilot/pkg/model/service.go: BuildSubsetKey`).
fn inbound(cluster: &str) -> Option<bool> {
    let of_workload = cluster.starts_with("inbound|") || cluster.starts_with("InboundPassthroughCluster");
    let from_workload = cluster.starts_with("outbound|") || matches!(cluster, "PassthroughCluster" | "BlackHoleCluster");
    (of_workload || from_workload).then_some(of_workload)
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

/// The columns of the text.
fn in_text(message: &str) -> [Cow<'_, str>; COLUMNS] {
    let mut columns = Columns(message);
    let (method, path, protocol) = columns.request();
    let mut first = [method, path, protocol].into_iter();
    std::array::from_fn(|_| Cow::Borrowed(first.next().or_else(|| columns.next()).unwrap_or_default()))
}

/// What is left of a line.
struct Columns<'m>(&'m str);

impl<'m> Columns<'m> {
    /// The request's line. Envoy escapes no quotes, so that it ends where a status code follows.
    fn request(&mut self) -> (&'m str, &'m str, &'m str) {
        let Some(inner) = self.0.strip_prefix('"') else { return ("", "", "") };
        let ends = |at: &usize| inner[at + 2..].split(' ').next().is_some_and(|code| code.parse::<u16>().is_ok());
        let end = inner.match_indices("\" ").map(|(at, _)| at).find(ends).or_else(|| inner.find('"'));
        let line = end.map_or(inner, |end| &inner[..end]);
        self.0 = end.map_or("", |end| inner[end + 1..].trim_start_matches(' '));
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (path, protocol) = rest.rsplit_once(' ').unwrap_or((rest, ""));
        (method, path, protocol)
    }
}

impl<'m> Iterator for Columns<'m> {
    type Item = &'m str;

    /// The next column, without its quotes. Details can hold blanks within braces and brackets.
    fn next(&mut self) -> Option<&'m str> {
        if self.0.is_empty() {
            return None;
        }
        let (column, rest) = match self.0.strip_prefix('"') {
            Some(inner) => inner.split_once("\" ").unwrap_or_else(|| (inner.strip_suffix('"').unwrap_or(inner), "")),
            None => self.0.split_at(plain_end(self.0)),
        };
        self.0 = rest.strip_prefix(' ').unwrap_or(rest);
        Some(column)
    }
}

/// The end of a column without quotes: the first blank outside of braces and brackets that are closed.
fn plain_end(text: &str) -> usize {
    let blank = text.find(' ').unwrap_or(text.len());
    let Some(open) = text[..blank].find(['{', '[']) else { return blank };
    let close = if text.as_bytes().get(open) == Some(&b'{') { '}' } else { ']' };
    let Some(closed) = text[open..].find(close).map(|at| open + at) else { return blank };
    text[closed..].find(' ').map_or(text.len(), |at| closed + at)
}
