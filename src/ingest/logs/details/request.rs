//! The parts of a request in the access log, by the columns that its format has.

use std::borrow::Cow;

use super::super::access::{self, COLUMNS};
use super::super::{layout, ztunnel};
use crate::model::log_details::LoggedRequest;

/// What Envoy writes as a request's details where a VM that failed ended it (`source/extensions/common/wasm/context.cc`).
pub const FAIL_STREAM: &str = "wasm_fail_stream";
/// The response flag of a request that met a filter without a configuration, `NoFilterConfigFound` (`source/common/http/filter_chain_helper.cc`).
pub const NO_CONFIGURATION: &str = "NFCF";

/// What is said of a line of which only the request and its code are known.
const OTHER_FORMAT: &str = "the access log has a format of its own: only method, path, protocol and code are read";

/// Reads the columns.
pub(super) fn read(message: &str) -> LoggedRequest<'_> {
    if let Some(columns) = access::columns(message) {
        return of(columns, None);
    }
    if let Some(connection) = ztunnel::read(message) {
        return connection;
    }
    let layout = layout::read(message);
    of(layout.columns, (!layout.known).then_some(OTHER_FORMAT))
}

fn of<'m>(columns: [Cow<'m, str>; COLUMNS], note: Option<&'static str>) -> LoggedRequest<'m> {
    let mut columns = columns.into_iter();
    let mut next = || columns.next().filter(|column| column != access::NONE).unwrap_or_default();
    let (method, path, protocol, code) = (next(), next(), next(), next().parse().unwrap_or(0));
    let (flags, details, termination, transport_failure) = (next(), next(), next(), next());
    let (bytes_received, bytes_sent) = (number(&next()), number(&next()));
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
        cluster: plain_cluster(cluster),
        upstream_local,
        downstream_local,
        downstream_remote,
        server_name,
        route,
        note,
    }
}

/// The name of a cluster without the mark at its end that statistics have, and with them `%UPSTREAM_CLUSTER%`
/// (`pilot/pkg/networking/util/util.go: DelimitedStatsPrefix`).
fn plain_cluster(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.strip_suffix(';').unwrap_or(name)),
        Cow::Owned(mut name) => {
            if name.ends_with(';') {
                name.pop();
            }
            Cow::Owned(name)
        }
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
