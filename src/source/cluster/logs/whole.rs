//! One container's log, for a recording.

use std::time::Duration;

use bytes::Bytes;
use futures::AsyncReadExt;
use kube::api::LogParams;

use super::super::Shared;
use super::read::{fix, open};
use crate::clock;
use crate::model::envoy::DumpView;
use crate::source::{FailureKind, LogRequest, Reply, SourceError};

/// The kubelet keeps 10 MiB of a container's log by default; what is beyond this is left out, and that is said.
const LARGEST: u64 = 256 << 20;
/// A log that does not go on for so long has lost its connection.
const SILENCE: Duration = Duration::from_secs(30);

/// Reads a log as far as it reaches back.
pub(in super::super) async fn read(shared: &Shared, request: &LogRequest) -> Result<Reply, SourceError> {
    let began = clock::now();
    let LogRequest { pod, container } = request;
    let what = format!("cannot read the log of container {container} of pod {} in namespace {}", pod.pod, pod.namespace);
    let stream = open(shared, pod, container, LogParams::default()).await;
    let stream = stream.map_err(|trouble| trouble.failed(&what, fix(shared, pod, &trouble)))?;
    let mut stream = Box::pin(stream.take(LARGEST + 1));
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    loop {
        match tokio::time::timeout(SILENCE, stream.read(&mut chunk)).await {
            Ok(Ok(0)) => break,
            Ok(Ok(read)) => bytes.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            Ok(Err(error)) => {
                return Err(SourceError::new(FailureKind::Unreachable, format!("{what}: the connection was lost: {error}"), ""));
            }
            Err(_) => return Err(SourceError::new(FailureKind::TimedOut, format!("{what}: it stopped after {} bytes", bytes.len()), "")),
        }
    }
    let mut tried = Vec::new();
    if bytes.len() as u64 > LARGEST {
        tried.push(format!("only the first {} MiB of the log were read", LARGEST >> 20));
    }
    Ok(Reply { bytes: Bytes::from(bytes), way: "log", view: DumpView::Proxy, took: began.elapsed(), tried, asked_as: None })
}
