//! The proxies of a recording: what each says at its admin port, and its log.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};

use super::super::{FailureKind, LogRequest, ProxyQuestion, ProxyRequest, SharedSource, SourceError};
use super::folder::{Folder, blocking, is_plain_name};
use super::{AT_ONCE, Gap, RecordTarget, contents};
use crate::model::envoy::DumpView;

/// What is asked, and the file that keeps the answer.
const QUESTIONS: [(ProxyQuestion, &str); 7] = [
    (ProxyQuestion::WholeDump, "config_dump.json"),
    (ProxyQuestion::InitDump, "init_dump.json"),
    (ProxyQuestion::ServerInfo, "server_info.json"),
    (ProxyQuestion::Certs, "certs.json"),
    (ProxyQuestion::Logging, "logging.txt"),
    (ProxyQuestion::Stats, "stats.prom"),
    (ProxyQuestion::AgentStats, "agent.prom"),
];

/// Writes the proxies. Hands back how many dumps there are, and what could not be read.
pub(super) async fn record(
    source: &SharedSource,
    folder: &Folder,
    targets: &[RecordTarget],
    deadline: Duration,
) -> Result<(usize, Vec<Gap>), SourceError> {
    let each = stream::iter(targets).map(|target| one(source, folder, target, deadline)).buffer_unordered(AT_ONCE);
    let all: Vec<(bool, Vec<Gap>)> = each.try_collect().await?;
    let dumps = all.iter().filter(|(has_dump, _)| *has_dump).count();
    Ok((dumps, all.into_iter().flat_map(|(_, gaps)| gaps).collect()))
}

async fn one(source: &SharedSource, folder: &Folder, target: &RecordTarget, deadline: Duration) -> Result<(bool, Vec<Gap>), SourceError> {
    let RecordTarget { proxy, container, admin_port } = target;
    if !is_plain_name(&proxy.to_string()) || !is_plain_name(container) {
        return Ok((false, vec![Gap::said(format!("proxy {proxy}"), "its name cannot be a file's name")]));
    }
    let mut gaps = Vec::new();
    let mut has_dump = false;
    for (question, file) in QUESTIONS {
        let request = ProxyRequest { proxy: proxy.clone(), container: container.clone(), admin_port: *admin_port, question, deadline };
        let is_dump = question == ProxyQuestion::WholeDump;
        match source.proxy(request).await {
            // What istiod would send is written with istiod's answers, and never as what the proxy has.
            Ok(reply) if is_dump && reply.view == DumpView::Istiod => {
                let mut why = vec!["only istiod's view could be read".to_owned()];
                why.extend(reply.tried);
                gaps.push(Gap::said(format!("{file} of {proxy}"), why.join(": ")));
            }
            Ok(reply) => {
                has_dump |= is_dump;
                let bytes = reply.bytes;
                let clean = if question == ProxyQuestion::ServerInfo { contents::server_info } else { contents::text };
                let text = blocking(move || Ok(clean(&bytes))).await?;
                folder.write(&format!("proxies/{proxy}/{file}"), text).await?;
            }
            // A source that has no such thing lacks nothing but the dump, which every answer needs.
            Err(error) if error.kind == FailureKind::Missing && !is_dump => {}
            Err(error) => {
                let gone = is_dump && error.kind == FailureKind::Unreachable;
                gaps.push(Gap::new(format!("{file} of {proxy}"), error));
                if gone {
                    // Who does not answer the first question costs a deadline for each of the others.
                    break;
                }
            }
        }
    }
    let request = LogRequest { pod: proxy.clone(), container: container.clone() };
    gaps.extend(log(source, folder, request, format!("logs/{proxy}.{container}.log")).await?);
    Ok((has_dump, gaps))
}

/// Writes a container's log.
pub(super) async fn log(source: &SharedSource, folder: &Folder, request: LogRequest, file: String) -> Result<Vec<Gap>, SourceError> {
    let what = format!("log of {}, container {}", request.pod, request.container);
    match source.log(request).await {
        Ok(reply) => {
            let bytes = reply.bytes;
            let text = blocking(move || Ok(contents::text(&bytes))).await?;
            folder.write(&file, text).await?;
            Ok(reply
                .tried
                .into_iter()
                .filter(|why| !why.ends_with("is not in the recording"))
                .map(|why| Gap::said(what.as_str(), why))
                .collect())
        }
        Err(error) if error.kind == FailureKind::Missing => Ok(Vec::new()),
        Err(error) => Ok(vec![Gap::new(what, error)]),
    }
}
