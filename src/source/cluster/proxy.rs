//! Questions to one proxy: by port-forward, else by exec, else, for a config dump, what istiod would send it.

use bytes::Bytes;
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use super::Shared;
use super::dump::{self, Way};
use super::forward::{Forward, Limits};
use super::istiod;
use super::trouble::{Cause, Trouble};
use crate::clock::{self, Instant};
use crate::model::envoy::DumpView;
use crate::source::{ProxyQuestion, ProxyRequest, Reply, SourceError};

const AGENT_PORT: u16 = 15020;
/// Envoy's statistics of Wasm and of what it refused. An Envoy that knows no `filter` here gives all of them.
const WASM_STATS: &str = "/stats/prometheus?filter=wasm%7Cextension_config_discovery%7Clds.update_rejected%7Ctotal_listeners_warming";

/// Asks a proxy. The deadline begins when the turn of the question has come, since waiting for others says nothing about
/// the proxy. Dropping the future gives everything back.
pub(super) async fn ask(shared: &Shared, request: &ProxyRequest) -> Result<Reply, SourceError> {
    let _turn = shared.gates.proxy(&request.proxy).await;
    let began = clock::now();
    let end = began + request.deadline;
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &request.proxy.namespace);
    let asked = Asked { request, pods: &pods };
    let mut tried = Vec::new();
    let reply = |bytes, way, view, tried| Reply { bytes, way, view, took: began.elapsed(), tried };

    // Each way leaves half of what is left to the ways after it, until something has come by it.
    let first = match asked.by_forward(limits(began, end)).await {
        Ok((bytes, notes)) => return Ok(reply(bytes, "port-forward", DumpView::Proxy, notes)),
        Err(trouble) if asked.is_final(&trouble) => return Err(asked.failed(&trouble, &[])),
        Err(trouble) => trouble,
    };
    tried.push(format!("port-forward to port {}: {}", asked.port(), first.text));
    match asked.by_exec(limits(clock::now(), end)).await {
        Ok((bytes, notes)) => {
            tried.extend(notes);
            return Ok(reply(bytes, "exec", DumpView::Proxy, tried));
        }
        Err(trouble) if asked.is_final(&trouble) => return Err(asked.failed(&trouble, &tried)),
        Err(trouble) => tried.push(format!("exec in container {}: {}", request.container, trouble.text)),
    }
    if matches!(request.question, ProxyQuestion::Chains | ProxyQuestion::WholeDump) {
        match istiod::dump_of(shared, &request.proxy, Limits { first: end, end }).await {
            Ok((bytes, notes)) => {
                tried.extend(notes);
                return Ok(reply(bytes, "istiod", DumpView::Istiod, tried));
            }
            Err(trouble) => tried.push(format!("istiod's debug dump: {}", trouble.text)),
        }
    }
    Err(asked.all_failed(&first, &tried))
}

fn limits(now: Instant, end: Instant) -> Limits {
    Limits { first: now + end.saturating_duration_since(now) / 2, end }
}

struct Asked<'a> {
    request: &'a ProxyRequest,
    pods: &'a Api<Pod>,
}

impl Asked<'_> {
    fn port(&self) -> u16 {
        if self.request.question == ProxyQuestion::AgentStats { AGENT_PORT } else { self.request.admin_port }
    }

    async fn by_forward(&self, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
        let forward = Forward::open(self.pods, &self.request.proxy.pod, self.port(), limits).await?;
        self.by(&mut Way::Forward(Box::new(forward)), limits).await
    }

    async fn by_exec(&self, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
        let (pod, container) = (self.request.proxy.pod.as_str(), self.request.container.as_str());
        self.by(&mut Way::Exec { pods: self.pods, pod, container, port: self.port() }, limits).await
    }

    async fn by(&self, way: &mut Way<'_>, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
        let (method, path, json) = match self.request.question {
            ProxyQuestion::Chains => return dump::chains(way, limits).await,
            ProxyQuestion::WholeDump => (Method::GET, "/config_dump?include_eds", true),
            ProxyQuestion::InitDump => (Method::GET, "/init_dump", true),
            ProxyQuestion::ServerInfo => (Method::GET, "/server_info", true),
            ProxyQuestion::Certs => (Method::GET, "/certs", true),
            // Envoy takes only POST here; without parameters it changes nothing.
            ProxyQuestion::Logging => (Method::POST, "/logging", false),
            ProxyQuestion::Stats | ProxyQuestion::AgentStats => (Method::GET, "/stats/prometheus", false),
            ProxyQuestion::WasmStats => (Method::GET, WASM_STATS, false),
        };
        let answer = way.ask(method, path, limits).await?;
        let bytes = match (json, answer.status) {
            (true, _) => dump::accept(answer)?,
            (false, 200) => answer.body,
            (false, _) => return Err(Trouble::new(Cause::Answered, dump::said(&answer))),
        };
        Ok((bytes, Vec::new()))
    }

    /// Whether another way would find the same: the pod is gone, Envoy itself said no, or it is too slow for any way.
    fn is_final(&self, trouble: &Trouble) -> bool {
        matches!(trouble.cause, Cause::NotFound | Cause::Unauthorized | Cause::TooSlow | Cause::Answered)
    }

    fn what(&self) -> String {
        let part = match self.request.question {
            ProxyQuestion::Chains | ProxyQuestion::WholeDump => "the config dump",
            ProxyQuestion::InitDump => "the init dump",
            ProxyQuestion::ServerInfo => "the server info",
            ProxyQuestion::Certs => "the certificates",
            ProxyQuestion::Logging => "the log levels",
            ProxyQuestion::Stats | ProxyQuestion::WasmStats => "the statistics",
            ProxyQuestion::AgentStats => "the agent's statistics",
        };
        format!("cannot read {part} of pod {} in namespace {}", self.request.proxy.pod, self.request.proxy.namespace)
    }

    fn failed(&self, trouble: &Trouble, tried: &[String]) -> SourceError {
        let fix = match trouble.cause {
            Cause::NotFound => "the pod is gone: look for its successor".to_owned(),
            Cause::Unauthorized => "sign in again".to_owned(),
            Cause::TooSlow => "allow more time".to_owned(),
            _ => String::new(),
        };
        let before = if tried.is_empty() { String::new() } else { format!(" (before that, {})", tried.join("; ")) };
        SourceError::new(trouble.kind(), format!("{}: {}{before}", self.what(), trouble.text), fix)
    }

    fn all_failed(&self, first: &Trouble, tried: &[String]) -> SourceError {
        let namespace = &self.request.proxy.namespace;
        let fix = match first.cause {
            Cause::Forbidden => format!("grant get and create on pods/portforward, or else on pods/exec, in namespace {namespace}"),
            Cause::TimedOut => format!("see whether {} is ready, or allow more time", self.request.container),
            _ => format!("see whether {} runs and Envoy's admin port is {}", self.request.container, self.port()),
        };
        SourceError::new(first.kind(), format!("{}: {}", self.what(), tried.join("; ")), fix)
    }
}
