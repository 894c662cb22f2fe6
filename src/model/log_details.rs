//! The parts of a log record. They are read from a record when they are asked for, and borrow from it.

use std::borrow::Cow;

use serde::Serialize;

use super::logs::LogEvent;

/// The parts of a record, by its event. Durations are in nanoseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "event")]
pub enum LogDetails<'r> {
    /// istiod took changes together and pushes (`pilot/pkg/xds/discovery.go: debounce`).
    Debounce {
        /// Counts the pushes of this istiod.
        number: u64,
        /// How many changes there were.
        events: u64,
        /// One of the objects that changed, whichever Go's map gave; None where no object caused the push.
        object: Option<LoggedObject<'r>>,
        /// How many more objects changed.
        more: u64,
        /// What caused it where no object did, `tag:1`.
        reason: Option<&'r str>,
        /// Since the last of the changes.
        since_change: Option<i64>,
        /// Since the first of the changes, which the line calls the last push.
        since_push: Option<i64>,
        /// Whether all is computed anew.
        forced: bool,
    },
    /// istiod sent a type to a proxy (`pilot/pkg/xds/{xdsgen,delta}.go`).
    Push {
        /// `LDS`, `ECDS`, …
        xds: &'r str,
        /// The proxy, `httpbin-1.default`.
        node: &'r str,
        /// Whether the proxy had asked.
        request: bool,
        /// Whether only what changed was sent.
        incremental: bool,
        /// How many resources.
        resources: u64,
        /// How many were taken back; None in logs of the protocol without deltas.
        removed: Option<u64>,
        /// The size, rounded as in the line.
        size: u64,
    },
    /// A proxy refused what istiod sent.
    Nack {
        /// `LDS`, `ECDS`, …
        xds: &'r str,
        /// The proxy, without the connection's number.
        node: &'r str,
        /// gRPC's code: `Internal`.
        code: &'r str,
        /// What the proxy says.
        message: &'r str,
    },
    /// A proxy connected or disconnected.
    Connection {
        /// The proxy, without the connection's number.
        node: &'r str,
        /// The connection's number.
        number: Option<u64>,
        /// Its address, where the line has it.
        peer: Option<&'r str>,
        /// Whether it began.
        opened: bool,
        /// Why it ended, where the line has it.
        cause: &'r str,
    },
    /// The agent fetches a module (`pkg/wasm/imagefetcher.go`).
    Fetch {
        /// The registry, `registry.example:5000`.
        registry: &'r str,
        /// The repository, `linsun/helloworld`.
        repository: &'r str,
        /// The tag or digest.
        reference: &'r str,
        /// Whether it is fetched without TLS.
        plain_text: bool,
    },
    /// The agent could not (`pkg/wasm/convert.go`).
    FetchFailed {
        /// The URL; for want of a pull secret it is the plugin's name.
        url: Option<&'r str>,
        /// Why.
        cause: &'r str,
        /// What stands in the plugin's place: `deny`, `allow`; None where the line does not say.
        stub: Option<&'r str>,
    },
    /// A Wasm VM failed.
    VmFailed {
        /// The plugin's name as Envoy has it, where the line has it.
        plugin: Option<&'r str>,
    },
    /// A plugin wrote a line (`proxy-wasm-cpp-host src/context.cc: makeLogPrefix`).
    PluginLog {
        /// The plugin's name as Envoy has it; None in a root context, of a line of Lua, or where one word alone may be either name.
        plugin: Option<Cow<'r, str>>,
        /// The root id, or the one word; empty where there is none.
        root_id: Cow<'r, str>,
        /// Whether a Lua script wrote it, which writes no names.
        lua: bool,
    },
    /// A request, by the access log.
    Request(Box<LoggedRequest<'r>>),
    /// An object that istiod does not use (`pilot/pkg/model/extensions.go`).
    Discarded {
        /// The object.
        object: LoggedObject<'r>,
        /// Why.
        why: &'r str,
    },
    /// A program began.
    Started {
        /// `istiod`, `pilot-agent`, `envoy`.
        program: &'static str,
        /// Its version, where the line has it.
        version: &'r str,
    },
}

/// An object as a line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedObject<'r> {
    /// `WasmPlugin`, `trafficextension`, … as written.
    pub kind: &'r str,
    /// The namespace; empty where it has none.
    pub namespace: &'r str,
    /// The name, with istiod's marks.
    pub name: &'r str,
}

/// The parts of an access log's line, `-` left out (`pilot/pkg/model/telemetry_logging.go: EnvoyTextLogFormat`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest<'r> {
    /// `GET`; empty for TCP.
    pub method: Cow<'r, str>,
    /// The path.
    pub path: Cow<'r, str>,
    /// `HTTP/1.1`.
    pub protocol: Cow<'r, str>,
    /// The response's code; 0 where there was none.
    pub code: u16,
    /// The response flags, `UF,URX`.
    pub flags: Cow<'r, str>,
    /// The response code's details.
    pub details: Cow<'r, str>,
    /// The details of a connection's end.
    pub termination: Cow<'r, str>,
    /// Why the upstream's transport failed.
    pub transport_failure: Cow<'r, str>,
    /// Bytes of the request.
    pub bytes_received: Option<u64>,
    /// Bytes of the response.
    pub bytes_sent: Option<u64>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// How long the upstream took, in milliseconds.
    pub upstream_ms: Option<u64>,
    /// `X-Forwarded-For`: who forwarded it, in their order.
    pub forwarded_for: Cow<'r, str>,
    /// `User-Agent`: the client as it names itself.
    pub user_agent: Cow<'r, str>,
    /// The request's ID.
    pub request_id: Cow<'r, str>,
    /// The authority.
    pub authority: Cow<'r, str>,
    /// The upstream's address.
    pub upstream_host: Cow<'r, str>,
    /// The cluster, `inbound|80||`.
    pub cluster: Cow<'r, str>,
    /// Whether it came to the workload; None where the cluster does not tell.
    pub inbound: Option<bool>,
    /// The address from which this proxy connected to the upstream.
    pub upstream_local: Cow<'r, str>,
    /// The address that the client connected to, as it was before it was redirected: what decides which listener takes it.
    pub downstream_local: Cow<'r, str>,
    /// The client's address; where it was forwarded it can be the one that `X-Forwarded-For` says.
    pub downstream_remote: Cow<'r, str>,
    /// The server name of TLS.
    pub server_name: Cow<'r, str>,
    /// The route.
    pub route: Cow<'r, str>,
    /// Why the rest is not known, where the line has a format of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

impl LoggedRequest<'_> {
    /// Whether it is a connection of which Envoy knows no requests. One of HTTP that Envoy could not read has no method either.
    pub fn is_tcp(&self) -> bool {
        self.method.is_empty() && self.protocol.is_empty() && self.code == 0
    }
}

impl LogDetails<'_> {
    /// The event that these are the parts of.
    pub fn event(&self) -> LogEvent {
        match self {
            Self::Debounce { .. } => LogEvent::Debounce,
            Self::Push { .. } => LogEvent::Push,
            Self::Nack { .. } => LogEvent::Nack,
            Self::Connection { .. } => LogEvent::Connection,
            Self::Fetch { .. } => LogEvent::Fetch,
            Self::FetchFailed { .. } => LogEvent::FetchFailed,
            Self::VmFailed { .. } => LogEvent::VmFailed,
            Self::PluginLog { .. } => LogEvent::PluginLog,
            Self::Request(_) => LogEvent::Request,
            Self::Discarded { .. } => LogEvent::Discarded,
            Self::Started { .. } => LogEvent::Started,
        }
    }
}
