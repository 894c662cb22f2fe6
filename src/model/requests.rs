//! What the access log of a proxy says of the last minutes: how many requests and connections there were, and those that failed, in groups.

use std::collections::BTreeMap;

use super::logs::LogTime;

/// The requests and connections of one proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// When the first line that was read was written; None where there was none.
    pub from: Option<LogTime>,
    /// When the last one was.
    pub until: Option<LogTime>,
    /// Which time they are of.
    pub span: Span,
    /// Whether older lines of the same minutes were not read, since there are too many.
    pub cut: bool,
    /// Why some or all of it could not be read, as one clause.
    pub gap: Option<String>,
    /// How many requests and connections were read.
    pub count: u64,
    /// How many of them are in a format that lacks response flags or details, so that it is not known who answered.
    pub without_reason: u64,
    /// How many there were to each destination; to those beyond the bound together under the empty one.
    pub to: BTreeMap<Destination, u64>,
    /// Those that failed, in groups, in the order of their first failures.
    pub failed: Vec<Failed>,
    /// How many more failed, which are in none of the groups.
    pub more: u64,
    /// What istiod's log has of keys that it could not fetch; empty also where no request failed for lack of a key.
    pub lost_keys: Vec<LostKeys>,
}

/// Which time the requests of a log are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// The last ten minutes.
    #[default]
    LastMinutes,
    /// The ten minutes before the end of a log that was recorded.
    EndOfLog,
    /// Since this line: those before it were not read, or are not there.
    Since(LogTime),
}

/// Keys of a RequestAuthentication that istiod could not fetch, by its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostKeys {
    /// The `jwksUri`, or the issuer where there is none.
    pub source: String,
    /// When istiod logged it last.
    pub time: Option<LogTime>,
    /// The line's message.
    pub line: String,
}

/// Where requests go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Destination {
    /// Whether it is the proxy's own workload.
    pub inbound: bool,
    /// Of the own workload the port; else the authority, and of connections without one the address.
    pub name: String,
}

/// What made it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// An AuthorizationPolicy denied it, or none allowed it.
    Denied,
    /// A RequestAuthentication did not accept its JWT.
    Jwt,
    /// The route's cluster does not exist.
    NoCluster,
    /// No route fits it.
    NoRoute,
    /// `REGISTRY_ONLY` drops what is unknown.
    BlackHole,
    /// No filter chain fits the connection.
    NoChain,
    /// The certificate of the server has none of the names that the client accepts.
    OtherSan,
    /// TLS with the server failed otherwise.
    Tls,
    /// No connection to the server could be made.
    NoConnection,
    /// The server ended the connection before it had answered.
    Closed,
    /// The cluster has no healthy endpoint.
    NoEndpoint,
    /// A circuit breaker is open.
    Overflow,
    /// The server did not answer in time.
    Late,
    /// A fault was injected.
    Fault,
    /// A rate limit was reached.
    RateLimit,
    /// An external authorization service denied it or failed.
    ExtAuthz,
    /// A Lua script answered.
    Lua,
    /// It is of HTTP/1.0 or older.
    OldHttp,
}

impl Cause {
    /// Whether it is the connection to the server that fails, whatever the request is.
    pub fn is_of_connection(self) -> bool {
        matches!(
            self,
            Self::BlackHole
                | Self::NoChain
                | Self::OtherSan
                | Self::Tls
                | Self::NoConnection
                | Self::Closed
                | Self::NoEndpoint
                | Self::Overflow
        )
    }

    /// Whether a filter answered that is not Istio's own.
    pub fn is_of_filter(self) -> bool {
        matches!(self, Self::RateLimit | Self::ExtAuthz | Self::Lua)
    }

    /// Whether it may pass by itself, as when a server is restarted.
    pub fn is_passing(self) -> bool {
        matches!(self, Self::NoConnection | Self::Closed | Self::NoEndpoint | Self::Overflow | Self::Late | Self::RateLimit | Self::Tls)
    }
}

impl Failed {
    /// Whether it fails no more: more requests passed since than ever between two failures. A circuit breaker opens under load alone, so that
    /// a few that pass after a burst say nothing of it.
    pub fn is_over(&self) -> bool {
        let burst = if self.cause == Cause::Overflow { self.count } else { 0 };
        self.passed > self.between.max(burst)
    }
}

/// Requests or connections that failed for the same reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What is the same in all of them.
    pub reason: FailedReason,
    /// What made them fail.
    pub cause: Cause,
    /// How many.
    pub count: u64,
    /// When the first began.
    pub first: Option<LogTime>,
    /// When the last began.
    pub last: Option<LogTime>,
    /// The method of the first; empty for a connection.
    pub method: String,
    /// Some of their paths, without queries, in the order in which they came.
    pub paths: Vec<String>,
    /// Some of the clients' addresses.
    pub clients: Vec<String>,
    /// The upstream's address that the last was sent to; empty where it was sent to none.
    pub upstream: String,
    /// Whether the upstream rejected the connection of the last, as where nothing listens.
    pub rejected: bool,
    /// How many requests like these began after the last failure and passed: from one of the clients to one of the paths, or where the path does not
    /// matter, to the cluster; of refused connections, from the same client.
    pub passed: u64,
    /// How many passed between two failures at most. After many that passed it is 0 again.
    pub between: u64,
}

/// What differs from one group to the next, as the access log has it; empty where it has nothing. Texts are cut at a bound.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FailedReason {
    /// Where they went.
    pub to: Destination,
    /// The response's code; 0 where there was none.
    pub code: u16,
    /// The response flags, `URX,UF`.
    pub flags: String,
    /// The response code's details.
    pub details: String,
    /// The details of a connection's end.
    pub termination: String,
    /// Why the upstream's transport failed.
    pub transport_failure: String,
    /// The cluster.
    pub cluster: String,
    /// The route.
    pub route: String,
    /// The address that the client connected to.
    pub local: String,
    /// The client's address without its port, where a connection to the own workload failed.
    pub client: String,
    /// The server name of TLS, where a connection failed.
    pub server_name: String,
}
