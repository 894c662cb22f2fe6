//! Puts the requests of an access log into groups while it is read, so that ten thousand that fail for one reason take the memory of one.

use serde_json::{Map, Value};

use super::cause;
use super::window::{self, Window};
use crate::analysis::naming::first;
use crate::ingest::logs::{AccessFormat, details};
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;
use crate::model::log_details::{LogDetails, LoggedRequest};
use crate::model::logs::{LogEvent, LogKind, LogRecord, LogTime, hour};
use crate::model::mesh::MeshConfig;
use crate::model::requests::{Cause, Destination, Failed, FailedReason, Requests, Span};
use crate::model::workload::{Pod, ProxyKind};

/// How many groups of failures are kept of a proxy, how many destinations, how many paths and clients of a group, and how much of a text.
const GROUPS: usize = 64;
const DESTINATIONS: usize = 256;
pub(super) const KEPT: usize = 8;
/// How many requests that pass separate a failure from those before it.
const MANY: u64 = 20;
const TEXT: usize = 512;
/// How many keys are named of an object that is not understood.
const KEYS: usize = 4;

/// Gathers the requests of one proxy.
#[derive(Debug)]
pub struct Gatherer {
    found: Requests,
    /// The pod's addresses.
    own: Vec<String>,
    is_gateway: bool,
    /// Whether the access log's own format has flags and details; None where that format cannot be read back.
    says_why: Option<bool>,
    /// Why there may be no access log.
    no_log: Option<&'static str>,
    /// How many lines are read at most, and how many were.
    most: u64,
    lines: u64,
    /// Which lines are of interest, and whether older ones came too.
    window: Window,
    reaches_back: bool,
    /// Whether the log has the lines of a proxy that starts, so that it is there since then.
    has_start: bool,
    /// Since when the proxy runs, where it ran before.
    restarted: Option<LogTime>,
    /// The keys of the first line of JSON that no parser knows.
    keys: Option<String>,
}

const NOT_WRITTEN: &str = "meshConfig.accessLogFile is empty, and its log has no request";
const NOT_IN_LOG: &str = "meshConfig.accessLogFile is a file of its own, and its log has no request";
const UNKNOWN: &str = "its log has no request, and whether it writes an access log is not known, since meshConfig was not read";
const NOT_READABLE: &str = "meshConfig.accessLogFormat is one whose lines cannot be read back";

impl Gatherer {
    /// For these minutes of the log of this proxy, of which `most` lines are read at most.
    pub fn new(objects: &Inventory, proxy: &ProxyId, window: Window, most: u64) -> Self {
        let pod = objects.pods.get(proxy);
        let is_gateway = |pod: &Pod| pod.proxy.as_ref().is_some_and(|proxy| proxy.kind != ProxyKind::Sidecar);
        let mesh = objects.mesh.as_deref();
        let of_format = |mesh: &MeshConfig| match AccessFormat::of(mesh) {
            Some(format) => Some(format.says_why()),
            None => mesh.access_log_format.is_empty().then_some(true),
        };
        let no_log = |mesh: &MeshConfig| match mesh.access_log_file.as_str() {
            "" => Some(NOT_WRITTEN),
            "/dev/stdout" | "/dev/stderr" => None,
            _ => Some(NOT_IN_LOG),
        };
        Self {
            found: Requests::default(),
            own: pod.map(|pod| pod.ips.clone()).unwrap_or_default(),
            is_gateway: pod.is_some_and(|pod| is_gateway(pod)),
            says_why: mesh.map_or(Some(true), of_format),
            no_log: mesh.map_or(Some(UNKNOWN), no_log),
            most,
            lines: 0,
            window,
            reaches_back: false,
            has_start: false,
            restarted: pod.and_then(|pod| pod.proxy.as_ref().filter(|proxy| proxy.restarted)?.started),
            keys: None,
        }
    }

    /// Takes the next record of the log, of whatever kind and time.
    pub fn take(&mut self, record: &LogRecord) {
        self.has_start |= record.event == Some(LogEvent::Started);
        let written = self.window.plausible(window::written(record));
        if written.zip(self.window.from()).is_some_and(|(written, from)| written < from) {
            self.reaches_back = true;
            return;
        }
        self.lines += record.raw.lines().count() as u64;
        if let Some(written) = written {
            self.found.from = Some(self.found.from.map_or(written, |known| known.min(written)));
            self.found.until = self.found.until.max(Some(written));
        }
        if record.kind == LogKind::Unknown && record.raw.starts_with('{') {
            self.keys.get_or_insert_with(|| keys(&record.raw));
        }
        if record.event != Some(LogEvent::Request) {
            return;
        }
        let time = self.window.plausible(record.time);
        let Some(LogDetails::Request(request)) = details::details(record) else { return };
        self.found.count += 1;
        self.found.without_reason += u64::from(self.says_why == Some(false) || !details::says_why(record, &request));
        let to = self.destination(&request);
        let counted =
            if self.found.to.len() < DESTINATIONS || self.found.to.contains_key(&to) { to.clone() } else { Destination::default() };
        *self.found.to.entry(counted).or_default() += 1;
        match cause::of(&request) {
            Some(cause) => self.fail(time, &request, to, cause),
            None => self.pass(time, &request, &to),
        }
    }

    /// What was gathered.
    pub fn requests(self) -> Requests {
        let gap = match self.says_why {
            None => Some(NOT_READABLE.to_owned()),
            Some(_) => self.not_known().or_else(|| self.without_log()).or_else(|| self.begins_late()),
        };
        let cut = self.lines >= self.most;
        let span = match self.found.from {
            Some(first) if cut || self.begins_late().is_some() => Span::Since(first),
            _ if self.window.is_recorded => Span::EndOfLog,
            _ => Span::LastMinutes,
        };
        Requests { cut, span, gap, ..self.found }
    }

    /// That lines which may be requests were not understood.
    fn not_known(&self) -> Option<String> {
        let keys = self.keys.as_ref().filter(|keys| !keys.is_empty())?;
        Some(format!("its log has lines of JSON with keys of another format ({keys}), and requests in them were not read"))
    }

    /// Why there is no access log.
    fn without_log(&self) -> Option<String> {
        self.no_log.filter(|_| self.found.count == 0).map(str::to_owned)
    }

    /// Why requests of these minutes may not be in the log, though all of it was read; None where it has all that the proxy handled.
    fn begins_late(&self) -> Option<String> {
        let from = self.window.from().filter(|_| !self.reaches_back && self.lines < self.most)?;
        match (self.restarted.filter(|restarted| *restarted > from), self.found.from) {
            (Some(restarted), _) => Some(format!("the proxy was restarted at {}, and the log of before was not read", hour(restarted))),
            _ if self.has_start => None,
            (None, Some(first)) => {
                Some(format!("its log begins at {}, as after a rotation, so that requests of before are not known", hour(first)))
            }
            (None, None) if self.lines > 0 => Some("no line of its log has a time that can be right".to_owned()),
            (None, None) => Some("its log is empty, as after a rotation, so that requests of before are not known".to_owned()),
        }
    }

    fn fail(&mut self, time: Option<LogTime>, request: &LoggedRequest<'_>, to: Destination, cause: Cause) {
        let of_connection = request.is_tcp() && to.inbound;
        let client = if of_connection { host(&request.downstream_remote) } else { "" };
        let reason = FailedReason {
            code: request.code,
            flags: short(&request.flags),
            // Behind the kind of a reset are its details, such as the address that was tried, which differ from one to the next.
            details: short(if cause.is_passing() && cause != Cause::Tls { name(&request.details) } else { &request.details }),
            termination: short(&request.termination),
            transport_failure: short(&request.transport_failure),
            cluster: short(&request.cluster),
            route: short(&request.route),
            local: short(&request.downstream_local),
            client: short(client),
            server_name: short(if of_connection { &request.server_name } else { "" }),
            to,
        };
        let place = self.found.failed.iter().position(|known| known.reason == reason);
        if place.is_none() && self.found.failed.len() == GROUPS {
            self.found.more += 1;
            return;
        }
        let place = place.unwrap_or_else(|| {
            let (method, first, last) = (short(&request.method), time, time);
            self.found.failed.push(Failed {
                reason,
                cause,
                count: 0,
                first,
                last,
                method,
                paths: Vec::new(),
                clients: Vec::new(),
                upstream: String::new(),
                rejected: false,
                passed: 0,
                between: 0,
            });
            self.found.failed.len() - 1
        });
        let group = &mut self.found.failed[place];
        group.count += 1;
        group.between = if group.passed > MANY { 0 } else { group.between.max(group.passed) };
        group.passed = 0;
        (group.first, group.last) = ([group.first, time].into_iter().flatten().min(), group.last.max(time));
        (group.upstream, group.rejected) = (short(&request.upstream_host), cause::is_rejected(request));
        keep(&mut group.paths, path(&request.path));
        keep(&mut group.clients, short(host(&request.downstream_remote)));
    }

    fn pass(&mut self, time: Option<LogTime>, request: &LoggedRequest<'_>, to: &Destination) {
        // What of a connection came through is known once bytes came back.
        if request.is_tcp() && request.bytes_sent.unwrap_or_default() == 0 {
            return;
        }
        let (path, client) = (path(&request.path), host(&request.downstream_remote));
        // A line is written at the end of a request: one that began with the failure or before it says nothing of what passes since.
        let is_since = |group: &&mut Failed| time.zip(group.last).is_none_or(|(time, last)| time > last);
        for group in self.found.failed.iter_mut().filter(|group| group.reason.to == *to).filter(is_since) {
            let is_client = || group.clients.iter().any(|known| known == client);
            let is_alike = match group.cause {
                // What others send says nothing of what this client sends.
                Cause::NoChain => is_client(),
                // A request to the same destination that passes left by another cluster.
                Cause::BlackHole => true,
                cause if cause.is_of_connection() => group.reason.cluster == request.cluster,
                _ => group.method == request.method && group.paths.contains(&path) && is_client(),
            };
            group.passed += u64::from(is_alike);
        }
    }

    /// Where a request goes: a cluster says it, else whether the client connected to an address of the pod.
    fn destination(&self, request: &LoggedRequest<'_>) -> Destination {
        let local = &*request.downstream_local;
        let is_own = || self.own.iter().any(|own| own == host(local)) || request.server_name.starts_with("outbound_.");
        let no_chain = request.is_tcp() && request.cluster.is_empty();
        let inbound = request.inbound.unwrap_or_else(is_own) || self.is_gateway && no_chain;
        // What a format lacks the cluster may have: `inbound|80||`, `outbound|8000||httpbin.default.svc.cluster.local`.
        let mut of_cluster = request.cluster.split('|').skip(1);
        let (port, host) = (of_cluster.next().unwrap_or_default(), of_cluster.nth(1).unwrap_or_default());
        let own_port = || local.rsplit_once(':').map_or(local, |(_, port)| port);
        let name = match inbound {
            true if local.is_empty() => port.to_owned(),
            true if !self.is_gateway || no_chain => own_port().to_owned(),
            _ if !request.authority.is_empty() => request.authority.to_ascii_lowercase(),
            _ if !local.is_empty() => local.to_owned(),
            _ if !host.is_empty() => format!("{host}:{port}"),
            _ => request.cluster.to_string(),
        };
        Destination { inbound, name: short(&name) }
    }
}

/// The first keys of an object; empty where it is none.
fn keys(object: &str) -> String {
    let object: Map<String, Value> = serde_json::from_str(object.trim_end()).unwrap_or_default();
    first(&object.keys().map(|key| short(key)).collect::<Vec<_>>(), KEYS)
}

/// Keeps a text among the first ones.
fn keep(texts: &mut Vec<String>, text: String) {
    if !text.is_empty() && texts.len() < KEPT && !texts.contains(&text) {
        texts.push(text);
    }
}

/// The port of an address.
pub(super) fn port(address: &str) -> Option<u16> {
    address.rsplit_once(':')?.1.parse().ok()
}

/// An address without its port and brackets.
pub(super) fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host).trim_start_matches('[').trim_end_matches(']')
}

/// The name in front of what is in braces.
fn name(details: &str) -> &str {
    details.split('{').next().unwrap_or(details)
}

/// A path without its query.
fn path(path: &str) -> String {
    short(path.split(['?', '#']).next().unwrap_or(path))
}

/// A text within its bound.
fn short(text: &str) -> String {
    let end = (0..=TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text[..end].to_owned()
}
