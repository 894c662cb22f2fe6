//! What a proxy is asked, and the one thing that is changed in it.

use std::time::Duration;

use crate::model::ids::ProxyId;
use crate::model::log_level::LogLevel;

/// How many proxies are asked at once: each forward is a connection of its own through the API server and the kubelet.
pub const PROXIES_AT_ONCE: usize = 8;

/// A question to one proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyRequest {
    /// Which proxy.
    pub proxy: ProxyId,
    /// Its container, `istio-proxy`.
    pub container: String,
    /// Envoy's admin port.
    pub admin_port: u16,
    /// What is asked.
    pub question: ProxyQuestion,
    /// How long it may take in all.
    pub deadline: Duration,
}

/// What can be asked of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProxyQuestion {
    /// The parts of the config dump that chains and plugins need: node, listeners, ECDS. Envoy's main thread stands still
    /// while it dumps, so nothing more is asked for.
    Chains,
    /// The parts of it that only a comparison with istiod's view needs: clusters, routes, endpoints.
    Resources,
    /// The whole config dump with endpoints, for a recording.
    WholeDump,
    /// `/init_dump`: what the proxy waits for.
    InitDump,
    /// `/server_info`.
    ServerInfo,
    /// `/certs`.
    Certs,
    /// `/logging`, which lists the levels and changes none.
    Logging,
    /// `/stats/prometheus`, for a recording.
    Stats,
    /// The part of it that says how plugins fare.
    WasmStats,
    /// The agent's metrics on port 15020.
    AgentStats,
}

/// A change of the level of one of Envoy's loggers, until the proxy is told otherwise or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelRequest {
    /// Which proxy.
    pub proxy: ProxyId,
    /// Its container, `istio-proxy`.
    pub container: String,
    /// Envoy's admin port.
    pub admin_port: u16,
    /// The logger.
    pub logger: &'static str,
    /// The level that it is to have.
    pub level: LogLevel,
    /// How long it may take in all.
    pub deadline: Duration,
}

impl LevelRequest {
    /// Where it is posted to, on the admin port.
    pub fn path(&self) -> String {
        format!("/logging?{}={}", self.logger, self.level)
    }
}
