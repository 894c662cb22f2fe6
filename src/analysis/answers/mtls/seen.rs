//! Clients without a proxy, by name: whose connections no filter chain of the workload's proxies took, by their access logs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::World;
use crate::analysis::answers::log_timestamp;
use crate::analysis::naming;
use crate::model::logs::{LogTime, hour};
use crate::model::requests::{Cause, Requests};
use crate::model::workload::Pod;

/// How many clients are named in a sentence.
const NAMED: usize = 3;

/// A client whose connections were closed, within the minutes that were read of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedClient {
    /// Its address.
    pub address: String,
    /// The pod that has the address, `pod.namespace`; None where none has, or several have.
    pub pod: Option<String>,
    /// How many of its connections to the port no filter chain took.
    pub connections: u64,
    /// When the last of them began, RFC 3339; None where the log does not say.
    pub last: Option<String>,
    /// The client in words: `10.244.0.6 = legacy/cron-5fd98889c5-w4ch6 (no proxy)`.
    #[serde(skip)]
    pub name: String,
    /// When the last of them began.
    #[serde(skip)]
    pub last_at: Option<LogTime>,
}

impl RefusedClient {
    /// `2 connections closed of 10.244.0.6 = legacy/cron-… (no proxy), the last at 12:00:00 UTC`.
    fn words(&self) -> String {
        let count = if self.connections == 1 { "1 connection".to_owned() } else { format!("{} connections", self.connections) };
        let last = self.last_at.map(|last| format!(", the last at {}", hour(last))).unwrap_or_default();
        format!("{count} of {} closed{last}", self.name)
    }
}

/// All of them in one clause.
pub(super) fn said(clients: &[RefusedClient]) -> String {
    naming::first(&clients.iter().map(RefusedClient::words).collect::<Vec<_>>(), NAMED)
}

/// Why such clients are not known.
pub(super) const LOGS_UNREAD: &str = "which clients without a proxy there are is not known: no access log of the workload was read";

/// Those of a port of the workload; None where no access log of its proxies was read.
pub(super) fn of_port(world: &World<'_>, pods: &[&Pod], port: u16) -> Option<Vec<RefusedClient>> {
    let requests = |pod: &&Pod| -> Option<&Requests> { world.snapshot.dump(&pod.id)?.vitals.as_ref()?.requests.as_ref() };
    let read: Vec<&Requests> = pods.iter().filter_map(requests).filter(|requests| requests.gap.is_none() || requests.count > 0).collect();
    if read.is_empty() {
        return None;
    }
    let mut found: BTreeMap<&str, (u64, Option<LogTime>)> = BTreeMap::new();
    for group in read.iter().flat_map(|requests| &requests.failed) {
        let reason = &group.reason;
        if group.cause == Cause::NoChain && reason.to.inbound && reason.to.name.parse() == Ok(port) && !reason.client.is_empty() {
            let (count, last) = found.entry(&reason.client).or_default();
            (*count, *last) = (*count + group.count, (*last).max(group.last));
        }
    }
    let client = |(address, (connections, last)): (&str, (u64, Option<LogTime>))| {
        let pod = naming::by_address(world.objects, address);
        pod.is_none_or(|pod| pod.proxy.is_none()).then(|| RefusedClient {
            address: address.to_owned(),
            pod: pod.map(|pod| pod.id.to_string()),
            connections,
            last: last.and_then(log_timestamp),
            name: naming::client_of(world.objects, address, pod),
            last_at: last,
        })
    };
    Some(found.into_iter().filter_map(client).collect())
}
