//! All that is known of one record, in words: where it comes from, what it tells in its parts, and the record as written.

use super::{summary, words};
use crate::analysis::answers::log_timestamp;
use crate::ingest::logs::details;
use crate::model::ids::ProxyId;
use crate::model::log_details::{LogDetails, LoggedRequest};
use crate::model::logs::{LogRecord, LogSource};

/// A line of the details: what it is, and its value. Where a value goes on in another line, that has no name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is, in the words of Kubernetes and Envoy.
    pub name: &'static str,
    /// The value.
    pub value: String,
}

/// The facts of a record, the most important first, the record as written last.
pub fn facts(record: &LogRecord) -> Vec<Fact> {
    let mut facts = Facts(Vec::new());
    let origin = &record.origin;
    facts.add("time", record.time.and_then(log_timestamp).unwrap_or_default());
    facts.add("what", summary::what(record));
    facts.add("says", summary::words(record));
    facts.add("level", record.level.as_str());
    facts.add("scope", record.scope.as_str());
    facts.add("plugin", record.plugin.as_ref().map(|plugin| format!("{plugin} ({})", plugin.kind)).unwrap_or_default());
    facts.add("note", record.plugin_note.as_deref().unwrap_or_default());
    if let Some(details) = details(record) {
        facts.details(&details);
    }
    let source = match origin.source {
        LogSource::Istiod => "istiod",
        LogSource::Proxy => "proxy",
        LogSource::Meshscope => "meshscope",
    };
    facts.add("source", source);
    facts.add(
        "workload",
        origin.workload.as_ref().map(|workload| format!("{} of {}", workload.short(), workload.name.namespace)).unwrap_or_default(),
    );
    facts.add("pod", if origin.pod.pod.is_empty() { String::new() } else { origin.pod.to_string() });
    facts.add("container", origin.container.as_str());
    facts.add("raw", record.raw.as_str());
    facts.0
}

/// The proxy that a record is about: the one that wrote it, or the one that istiod names in it.
pub fn proxy(record: &LogRecord) -> Option<ProxyId> {
    if record.origin.source == LogSource::Proxy {
        return Some(record.origin.pod.clone());
    }
    match details(record)? {
        LogDetails::Push { node, .. } | LogDetails::Nack { node, .. } | LogDetails::Connection { node, .. } => ProxyId::parse(node),
        _ => None,
    }
}

/// The cluster that a request went to, `inbound|80||`, and whether it came with TLS, which the server name tells; None for other
/// records.
pub fn cluster(record: &LogRecord) -> Option<(String, bool)> {
    match details(record)? {
        LogDetails::Request(request) if !request.cluster.is_empty() => {
            let tls = !request.server_name.is_empty();
            Some((request.cluster.into_owned(), tls))
        }
        _ => None,
    }
}

/// A long line in several, so that each fits a screen.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    const LONGEST: usize = 400;
    let mut rest = line;
    std::iter::from_fn(move || {
        let end = rest.char_indices().nth(LONGEST).map_or(rest.len(), |(end, _)| end);
        let (part, after) = rest.split_at(end);
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

/// `10.244.0.4:80, from 127.0.0.6:37832`, as far as it is told.
fn between(one: &str, way: &str, other: &str) -> String {
    match (one, other) {
        (one, "") => one.to_owned(),
        ("", other) => format!("{way} {other}"),
        (one, other) => format!("{one}, {way} {other}"),
    }
}

struct Facts(Vec<Fact>);

impl Facts {
    /// What a record lacks is left out.
    fn add(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        for (number, line) in value.lines().flat_map(parts).enumerate() {
            self.0.push(Fact { name: if number == 0 { name } else { "" }, value: line.to_owned() });
        }
    }

    fn details(&mut self, details: &LogDetails<'_>) {
        match details {
            LogDetails::Debounce { number, events, since_change, since_push, forced, .. } => {
                let s = if *events == 1 { "" } else { "s" };
                self.add(
                    "push",
                    format!("number {number} of this istiod, for {events} change{s}{}", if *forced { ", forced" } else { "" }),
                );
                let waited = [("since the last change", since_change), ("since the first", since_push)];
                let waited = waited.into_iter().filter_map(|(what, time)| Some(format!("{} ms {what}", (*time)? / 1_000_000)));
                self.add("waited", waited.collect::<Vec<_>>().join(", "));
            }
            LogDetails::Push { xds, node, request, incremental, resources, removed, size } => {
                let why = if *request { "the proxy asked" } else { "something changed" };
                let how = if *incremental { ", only what changed" } else { "" };
                self.add("push", format!("{xds} to {node}, since {why}{how}"));
                let removed = removed.map(|removed| format!(", {removed} removed")).unwrap_or_default();
                self.add("resources", format!("{resources}{removed}, {size} B"));
            }
            LogDetails::Nack { xds, node, code, message } => {
                self.add("refused", format!("{xds} by {node}"));
                self.add("code", *code);
                self.add("message", *message);
            }
            LogDetails::Connection { node, number, peer, opened, cause } => {
                let number = number.map(|number| format!(", number {number}")).unwrap_or_default();
                self.add("connection", format!("of {node} {}{number}", if *opened { "began" } else { "ended" }));
                self.add("peer", peer.unwrap_or_default());
                self.add("cause", *cause);
            }
            LogDetails::Fetch { registry, repository, reference, plain_text } => {
                self.add("registry", format!("{registry}{}", if *plain_text { ", without TLS" } else { "" }));
                self.add("image", format!("{repository}, {reference}"));
            }
            LogDetails::FetchFailed { url, cause, stub } => {
                self.add("url", url.unwrap_or_default());
                self.add("cause", *cause);
                self.add("in its place", stub.map(|stub| format!("a filter that would {stub} every request")).unwrap_or_default());
            }
            LogDetails::VmFailed { plugin } => self.add("VM of", plugin.unwrap_or_default()),
            LogDetails::PluginLog { plugin, root_id, lua } => {
                self.add("spoke", if *lua { "a Lua script" } else { plugin.as_deref().unwrap_or_default() });
                self.add("root id", root_id.as_ref());
            }
            LogDetails::Request(request) => self.request(request),
            LogDetails::Discarded { object, why } => {
                self.add("object", format!("{} {}/{}", object.kind, object.namespace, object.name));
                self.add("why", *why);
            }
            LogDetails::Started { program, version } => self.add("program", format!("{program} {version}").trim_end()),
        }
    }

    fn request(&mut self, request: &LoggedRequest<'_>) {
        self.add("request", [&*request.method, &request.path, &request.protocol].join(" ").trim());
        self.add("authority", &*request.authority);
        self.add("code", if request.code == 0 { "none".to_owned() } else { request.code.to_string() });
        let explained = |word: &str, meaning: Option<&str>| meaning.map_or_else(|| word.to_owned(), |meaning| format!("{word}: {meaning}"));
        for (flag, meaning) in words::flags(&request.flags) {
            self.add("flag", explained(flag, meaning));
        }
        if !request.details.is_empty() {
            self.add("details", explained(&request.details, words::details(&request.details)));
        }
        self.add("ended", &*request.termination);
        self.add("transport", &*request.transport_failure);
        let took = |what: &str, time: Option<u64>| time.map(|time| format!("{time} ms {what}"));
        let took: Vec<String> =
            [took("in all", request.duration_ms), took("upstream", request.upstream_ms)].into_iter().flatten().collect();
        self.add("took", took.join(", "));
        let bytes = |what: &str, bytes: Option<u64>| bytes.map(|bytes| format!("{bytes} {what}"));
        let bytes: Vec<String> =
            [bytes("received", request.bytes_received), bytes("sent", request.bytes_sent)].into_iter().flatten().collect();
        self.add("bytes", bytes.join(", "));
        let way = request.inbound.map(|inbound| if inbound { ", to the workload" } else { ", from the workload" }).unwrap_or_default();
        self.add("cluster", if request.cluster.is_empty() { String::new() } else { format!("{}{way}", request.cluster) });
        self.add("upstream", between(&request.upstream_host, "from", &request.upstream_local));
        self.add("downstream", between(&request.downstream_remote, "to", &request.downstream_local));
        self.add("forwarded", &*request.forwarded_for);
        self.add("user agent", &*request.user_agent);
        self.add("server name", &*request.server_name);
        self.add("route", &*request.route);
        self.add("request id", &*request.request_id);
        self.add("format", request.note.unwrap_or_default());
    }
}
