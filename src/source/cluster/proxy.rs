//! Requests to one proxy: by port-forward, else by exec, else, for a config dump, what istiod would send it.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use super::Shared;
use super::dump::{self, Way};
use super::forward::{Answer, Forward, Limits};
use super::trouble::{Cause, Trouble};
use super::view::{self, Found};
use crate::clock::{self, Instant};
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::source::{LevelRequest, ProxyQuestion, ProxyRequest, Reply, SourceError};

const AGENT_PORT: u16 = 15020;
/// The agent's own metrics. It passes the filter on to Envoy, of whose statistics none fits: those are asked for at Envoy's own port.
const AGENT_STATS: &str = "/stats/prometheus?filter=istio_agent";
/// Envoy's statistics of Wasm and of what it refused. An Envoy that knows no `filter` here gives all of them.
const WASM_STATS: &str =
    "/stats/prometheus?filter=wasm%7Cextension_config_discovery%7Clds.update_rejected%7Ctotal_listeners_warming%7Cserver.concurrency";

/// Asks a proxy.
pub(super) async fn ask(shared: &Shared, request: &ProxyRequest) -> Result<Reply, SourceError> {
    let ProxyRequest { proxy, container, admin_port, question, deadline } = request;
    run(shared, &Job { proxy, container, admin_port: *admin_port, task: Task::Read(*question), deadline: *deadline }).await
}

/// Sets the level of a logger of a proxy. To do so by a second way where the first gave no answer does no harm: it is the same
/// level.
pub(super) async fn set_log_level(shared: &Shared, request: &LevelRequest) -> Result<Reply, SourceError> {
    let LevelRequest { proxy, container, admin_port, deadline, .. } = request;
    run(shared, &Job { proxy, container, admin_port: *admin_port, task: Task::SetLevel(request), deadline: *deadline }).await
}

/// Does it. The deadline begins when its turn has come, since waiting for others says nothing about the proxy. Dropping the
/// future gives everything back.
async fn run(shared: &Shared, job: &Job<'_>) -> Result<Reply, SourceError> {
    let _turn = shared.gates.proxy(job.proxy).await;
    let began = clock::now();
    let end = began + job.deadline;
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &job.proxy.namespace);
    let asked = Asked { job, pods: &pods };
    let mut tried = Vec::new();
    let reply = |bytes, way, view, tried| Reply { bytes, way, view, took: began.elapsed(), tried, asked_as: None };

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
        Err(trouble) => tried.push(format!("exec in container {}: {}", job.container, trouble.text)),
    }
    if matches!(job.task, Task::Read(ProxyQuestion::Chains | ProxyQuestion::WholeDump)) {
        match view::dump_of(shared, job.proxy, false, Limits { first: end, end }).await {
            Ok(Found { bytes, tried: notes, .. }) => {
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

/// What is wanted of one proxy, and how long it may take.
struct Job<'a> {
    proxy: &'a ProxyId,
    container: &'a str,
    admin_port: u16,
    task: Task<'a>,
    deadline: Duration,
}

enum Task<'a> {
    Read(ProxyQuestion),
    SetLevel(&'a LevelRequest),
}

struct Asked<'a> {
    job: &'a Job<'a>,
    pods: &'a Api<Pod>,
}

impl Asked<'_> {
    fn port(&self) -> u16 {
        if matches!(self.job.task, Task::Read(ProxyQuestion::AgentStats)) { AGENT_PORT } else { self.job.admin_port }
    }

    async fn by_forward(&self, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
        let forward = Forward::open(self.pods, &self.job.proxy.pod, self.port(), limits).await?;
        self.by(&mut Way::Forward(Box::new(forward)), limits).await
    }

    async fn by_exec(&self, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
        let (pod, container) = (self.job.proxy.pod.as_str(), self.job.container);
        self.by(&mut Way::Exec { pods: self.pods, pod, container, port: self.port() }, limits).await
    }

    async fn by(&self, way: &mut Way<'_>, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
        let question = match self.job.task {
            Task::Read(question) => question,
            Task::SetLevel(request) => return Ok((plain(way.ask(Method::POST, &request.path(), limits).await?)?, Vec::new())),
        };
        let (method, path, json) = match question {
            ProxyQuestion::Chains => return dump::chains(way, limits).await,
            ProxyQuestion::Resources => return dump::resources(way, limits).await,
            ProxyQuestion::WholeDump => (Method::GET, "/config_dump?include_eds", true),
            ProxyQuestion::InitDump => (Method::GET, "/init_dump", true),
            ProxyQuestion::ServerInfo => (Method::GET, "/server_info", true),
            ProxyQuestion::Certs => (Method::GET, "/certs", true),
            // Envoy takes only POST here; without parameters it changes nothing.
            ProxyQuestion::Logging => (Method::POST, "/logging", false),
            ProxyQuestion::Stats => (Method::GET, "/stats/prometheus", false),
            ProxyQuestion::AgentStats => (Method::GET, AGENT_STATS, false),
            ProxyQuestion::WasmStats => (Method::GET, WASM_STATS, false),
        };
        let answer = way.ask(method, path, limits).await?;
        Ok((if json { dump::accept(answer)? } else { plain(answer)? }, Vec::new()))
    }

    /// Whether another way would find the same: the pod is gone, Envoy itself said no, or it is too slow for any way.
    fn is_final(&self, trouble: &Trouble) -> bool {
        matches!(trouble.cause, Cause::NotFound | Cause::Unauthorized | Cause::NoCredential | Cause::TooSlow | Cause::Answered)
    }

    fn what(&self) -> String {
        let ProxyId { pod, namespace } = self.job.proxy;
        let question = match self.job.task {
            Task::Read(question) => question,
            Task::SetLevel(LevelRequest { logger, level, .. }) => {
                return format!("cannot set the {logger} logger to {level} in pod {pod} in namespace {namespace}");
            }
        };
        let part = match question {
            ProxyQuestion::Chains | ProxyQuestion::WholeDump => "the config dump",
            ProxyQuestion::Resources => "the clusters, routes and endpoints",
            ProxyQuestion::InitDump => "the init dump",
            ProxyQuestion::ServerInfo => "the server info",
            ProxyQuestion::Certs => "the certificates",
            ProxyQuestion::Logging => "the log levels",
            ProxyQuestion::Stats | ProxyQuestion::WasmStats => "the statistics",
            ProxyQuestion::AgentStats => "the agent's statistics",
        };
        format!("cannot read {part} of pod {pod} in namespace {namespace}")
    }

    fn failed(&self, trouble: &Trouble, tried: &[String]) -> SourceError {
        let fix = match trouble.cause {
            Cause::NotFound => "the pod is gone: look for its successor".to_owned(),
            Cause::Unauthorized | Cause::NoCredential => "sign in again".to_owned(),
            Cause::TooSlow => "allow more time".to_owned(),
            _ => String::new(),
        };
        let before = if tried.is_empty() { String::new() } else { format!(" (before that, {})", tried.join("; ")) };
        SourceError::new(trouble.kind(), format!("{}: {}{before}", self.what(), trouble.text), fix)
    }

    fn all_failed(&self, first: &Trouble, tried: &[String]) -> SourceError {
        let namespace = &self.job.proxy.namespace;
        let fix = match first.cause {
            Cause::Forbidden => format!("grant get and create on pods/portforward, or else on pods/exec, in namespace {namespace}"),
            Cause::TimedOut => format!("see whether {} is ready, or allow more time", self.job.container),
            _ => format!("see whether {} runs and Envoy's admin port is {}", self.job.container, self.port()),
        };
        SourceError::new(first.kind(), format!("{}: {}", self.what(), tried.join("; ")), fix)
    }
}

/// The body of an answer in plain text.
fn plain(answer: Answer) -> Result<Bytes, Trouble> {
    if answer.status == 200 { Ok(answer.body) } else { Err(Trouble::new(Cause::Answered, dump::said(&answer))) }
}
