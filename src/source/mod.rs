//! Where everything comes from: a cluster, files, the embedded demo. The only code that does I/O towards the mesh.
//!
//! All sources fulfil [`Source`], and the rest of the program cannot tell them apart. A source hands on bytes and raw objects; understanding
//! them is the work of [`crate::ingest`].

pub mod cluster;
pub mod demo;
pub mod files;
pub mod logs;
pub mod manifest;
pub(crate) mod private;
pub mod record;
pub mod regular;
mod request;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use thiserror::Error;
use tokio::sync::mpsc;

use self::logs::{LogQuery, LogStreams, LogTargets};
pub use self::request::{LevelRequest, PROXIES_AT_ONCE, ProxyQuestion, ProxyRequest};
use crate::model::envoy::DumpView;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::logs::LogOrigin;
use crate::model::pull_secret::PullSecret;
use crate::model::update::Update;

/// Where a source puts what it has to say. Bounded: a source waits where the reader is slow.
pub type Updates = mpsc::Sender<Update>;

/// A source that the whole program shares.
pub type SharedSource = Arc<dyn Source>;

/// What meshscope reads a mesh from.
pub trait Source: Send + Sync + 'static {
    /// What it is and where it reads from, for the header and for errors.
    fn info(&self) -> SourceInfo;

    /// The proxies that the source has output of, for where no objects say which there are: the ones of a recording, the one
    /// of a lone dump (which has no namespace until the dump was understood). None for a live mesh.
    fn proxies(&self) -> Vec<ProxyId> {
        Vec::new()
    }

    /// Why nothing of any proxy can be read although there is a place for it.
    fn no_proxies(&self) -> Option<String> {
        None
    }

    /// Reads the objects and goes on to say what changes, until the reader drops its end. For each kind there is a
    /// `Listed`, `Absent` or `Unread` at the start; a fixed source ends with `Health::Fixed`.
    fn watch(&self, updates: Updates) -> BoxFuture<'static, ()>;

    /// Asks one proxy. At most one request to a proxy is under way at once, others wait their turn.
    fn proxy(&self, request: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>>;

    /// Sets the level of one of Envoy's loggers in one proxy, and answers with the levels as the proxy lists them then. This is
    /// the only thing that any source writes, and only a live mesh has a proxy to write it to.
    fn set_log_level(&self, _request: LevelRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let refused = self.info().has_no_proxies();
        Box::pin(async move { Err(refused) })
    }

    /// What istiod would send a proxy, as a config dump with endpoints from the istiod that the proxy is connected to; where that cannot
    /// write the whole of it, without ECDS or the listeners alone, which is said in the reply.
    fn view_of_istiod(&self, proxy: ProxyId) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let error = SourceError::new(FailureKind::Missing, format!("nothing is recorded of what istiod would send {proxy}"), "");
        Box::pin(std::future::ready(Err(error)))
    }

    /// Asks every istiod that can be reached the same thing, under `/debug/…` or `/version` of port 15014. What is closed there is asked
    /// for over xDS where that has it; `/debug/syncz` is then the list of its ClientConfigs in Envoy's JSON.
    fn istiod(&self, path: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>>;

    /// The log of one container, as far as it reaches back, each line with the kubelet's time in front.
    fn log(&self, request: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>>;

    /// Streams the logs of the wanted containers, each in its own order, until all were read or, where they are followed, until
    /// the reader drops its end. What happens to a stream is said in it.
    fn logs(&self, query: LogQuery, targets: LogTargets, news: LogStreams) -> BoxFuture<'static, ()>;

    /// The containers that the source holds logs of, by pod and container, without workloads. None for a live mesh, where the
    /// pods say which there are.
    fn logs_held(&self) -> Option<Vec<LogOrigin>> {
        None
    }

    /// Why it is not known which logs the source holds, where that is so.
    fn logs_unreadable(&self) -> Option<SourceError> {
        None
    }

    /// Whether the Secret that a module is pulled with is there and of the right type; its content is never asked for.
    fn pull_secret(&self, secret: ObjectName) -> BoxFuture<'static, Result<PullSecret, SourceError>> {
        let error = SourceError::new(FailureKind::Missing, format!("nothing is recorded of Secret {secret}"), "");
        Box::pin(std::future::ready(Err(error)))
    }

    /// All objects of one resource in every namespace that may be read, as a Kubernetes List, for a recording.
    /// `resource` is `plural.group` as in [`crate::model::kind::Kind::resource`].
    fn list(&self, resource: String) -> BoxFuture<'static, Result<Reply, SourceError>>;

    /// What the source itself says that it lacks: a recording does. Nothing for a live mesh.
    fn lacks(&self) -> BoxFuture<'static, record::Lacks> {
        Box::pin(std::future::ready(record::Lacks::default()))
    }

    /// The resources that a recording should hold, as `plural.group`: those of the mesh and the kinds around it.
    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>>;
}

/// What a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// What kind of source, which decides what an answer may rest on.
    pub kind: SourceKind,
    /// A short name for the header: the context, the file, `demo`.
    pub name: String,
    /// The namespace that a person works in; `default` where none is set.
    pub namespace: String,
    /// The modes that a demo can be switched to, in order; empty for other sources.
    pub scenes: &'static [&'static str],
}

impl SourceInfo {
    /// Why nothing can be changed in what is no live mesh.
    pub fn has_no_proxies(&self) -> SourceError {
        let what = format!("{} is no live mesh: it has no running proxy whose log level could be changed", self.name);
        SourceError::new(FailureKind::BadInput, what, "")
    }
}

/// What kind of source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A live cluster.
    Cluster,
    /// A recording folder or archive, with objects.
    Recording,
    /// Config dumps without objects: a lone file, or a recording that has no `k8s/`.
    Dump,
    /// One log file, which only its lines can be read of.
    Log,
    /// The embedded recorded mesh.
    Demo,
}

/// A question for a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRequest {
    /// The pod.
    pub pod: ProxyId,
    /// The container.
    pub container: String,
}

/// The port that `pilot-agent request` asks where none is named. Old agents know no other, so it is named only where needed.
const AGENTS_DEFAULT: u16 = 15000;

/// The command that asks Envoy's admin port from within a proxy's container, as istioctl does.
pub fn agent_command(port: u16, method: &str, path: &str) -> Vec<String> {
    let port = (port != AGENTS_DEFAULT).then(|| ["--debug-port".to_owned(), port.to_string()]);
    let mut command = vec!["pilot-agent".to_owned(), "request".to_owned()];
    command.extend(port.into_iter().flatten());
    command.extend([method.to_owned(), path.trim_start_matches('/').to_owned()]);
    command
}

/// An answer in bytes, and how it came.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What was answered.
    pub bytes: Bytes,
    /// By which way: `port-forward`, `exec`, `istiod`, `xDS`, `file`.
    pub way: &'static str,
    /// Whose view it is, where it is a config dump.
    pub view: DumpView,
    /// How long it took.
    pub took: Duration,
    /// What was tried before and why it did not work, so that a fall-back is never silent.
    pub tried: Vec<String>,
    /// As whom an istiod was asked; None where nobody's token was shown.
    pub asked_as: Option<AskedAs>,
}

/// As whom an istiod was asked, where it wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedAs {
    /// The service account whose token was shown.
    pub account: ObjectName,
    /// Whether it is of istiod's own namespace. To others istiod tells of the proxies of their own namespace alone, unless they are in
    /// its `DEBUG_ENDPOINT_AUTH_ALLOWED_NAMESPACES` or it is an old one (`pilot/pkg/xds/statusgen.go: callerNamespaceFilter`).
    pub sees_all: bool,
}

/// What the istiods answered to one question.
#[derive(Clone, Debug, Default)]
pub struct IstiodReplies {
    /// What each said, by its pod; the name is empty where the source does not know it (a recording).
    pub replies: Vec<(String, Reply)>,
    /// Those that run and did not answer, each with the reason: `istiod-1: no answer within 5 s`.
    pub silent: Vec<String>,
}

/// Why a source could not answer. Every text is one line: what failed, on what.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{what}{}", fix_suffix(.fix))]
pub struct SourceError {
    /// What sort of failure it is.
    pub kind: FailureKind,
    /// What failed, on what, and why.
    pub what: String,
    /// What to do; empty where there is nothing.
    pub fix: String,
}

fn fix_suffix(fix: &str) -> String {
    if fix.is_empty() { String::new() } else { format!("; {fix}") }
}

impl SourceError {
    /// Puts the parts together.
    pub fn new(kind: FailureKind, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { kind, what: what.into(), fix: fix.into() }
    }
}

/// Sorts of failure, as far as callers act on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The source has nothing of the kind (a file that is not there, a resource that the server does not know).
    Missing,
    /// A right is lacking, or a credential has expired.
    Forbidden,
    /// Nothing answers.
    Unreachable,
    /// The deadline passed.
    TimedOut,
    /// An answer came and was an error, or could not be used.
    Refused,
    /// The input cannot be what it was said to be.
    BadInput,
}

impl FailureKind {
    /// Whether the same request fails again unless somebody does something.
    pub fn lasts(self) -> bool {
        matches!(self, Self::Missing | Self::Forbidden | Self::BadInput)
    }
}
