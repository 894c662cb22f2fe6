//! The second way to Envoy's admin port: `pilot-agent request` in the proxy's container, as istioctl does.

use bytes::Bytes;
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::AttachParams;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::forward::{Answer, LARGEST, Limits, left};
use super::trouble::{Cause, Trouble, bounded, one_line, seconds};
use crate::source::agent_command;

const BUFFER: usize = 1 << 20;

/// Runs one `pilot-agent request`.
pub(super) async fn ask(
    pods: &Api<Pod>,
    pod: &str,
    container: &str,
    port: u16,
    method: &Method,
    path: &str,
    limits: Limits,
) -> Result<Answer, Trouble> {
    let command = agent_command(port, method.as_str(), path);
    let params = AttachParams::default().container(container).stdin(false).stdout(true).stderr(true).max_stdout_buf_size(BUFFER);
    let whole = left(limits.end);
    // Dropping it ends the connection.
    let mut running = bounded(left(limits.first), pods.exec(pod, command, &params)).await?;
    let (stdout, stderr, status) = (running.stdout(), running.stderr(), running.take_status());
    let finished = async { tokio::join!(read(stdout), read(stderr), async { status?.await }) };
    let (out, err, status) = tokio::time::timeout(left(limits.end), finished)
        .await
        .map_err(|_| Trouble::new(Cause::TimedOut, format!("pilot-agent did not end within {}", seconds(whole))))?;
    let Some(status) = status else { return Err(Trouble::new(Cause::Unreachable, "the connection was lost")) };
    if status.status.as_deref() == Some("Success") {
        let out = out?;
        return Ok(Answer { status: if is_not_found(&out) { 404 } else { 200 }, body: out });
    }
    let text = String::from_utf8_lossy(&err?).into_owned();
    match unsuccessful(&text) {
        Some((status, body)) => Ok(Answer { status, body: Bytes::from(body) }),
        None => {
            let why = if text.trim().is_empty() { status.message.unwrap_or_default() } else { last_line(&text) };
            Err(Trouble::new(Cause::Refused, format!("pilot-agent failed: {}", one_line(&why))))
        }
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> Result<Bytes, Trouble> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        let read = stream.take(LARGEST as u64 + 1).read_to_end(&mut bytes).await;
        read.map_err(|error| Trouble::new(Cause::Unreachable, format!("the connection was lost: {error}")))?;
    }
    if bytes.len() > LARGEST {
        return Err(Trouble::new(Cause::Answered, format!("the answer is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(Bytes::from(bytes))
}

/// pilot-agent prints a 404 of Envoy as if it were an answer, and ends well.
fn is_not_found(body: &[u8]) -> bool {
    body.len() < 200 && body.ends_with(b"not found in config dump") || body.starts_with(b"invalid path. admin commands are")
}

/// `Error: received unsuccessful status code 400: FieldMask …`: any other status of Envoy.
fn unsuccessful(stderr: &str) -> Option<(u16, String)> {
    let (_, rest) = stderr.rsplit_once("received unsuccessful status code ")?;
    let (code, body) = rest.split_once(':')?;
    Some((code.trim().parse().ok()?, one_line(body)))
}

/// The agent logs before it says what failed.
fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_ways_to_say_no_are_recognised() {
        assert!(is_not_found(b"ecds_filters not found in config dump"));
        assert!(!is_not_found(b"{\"configs\": []}"));
        let text = "2026/11/23 22:15:33 INFO x\nError: received unsuccessful status code 400: FieldMask a could not be applied.\n";
        assert_eq!(unsuccessful(text), Some((400, "FieldMask a could not be applied".to_owned())));
        assert_eq!(unsuccessful("no"), None);
        assert_eq!(last_line("a\nb\n\n"), "b");
    }
}
