//! Logs of containers as the kubelet serves them: from a time on, so many lines from the end, followed, of the run before.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::Frame;
use jiff::Timestamp;

use super::answer::{Body, status};
use super::{Shared, lock};

/// One container's log.
#[derive(Clone, Default)]
pub struct ContainerLog {
    /// What this run wrote.
    pub text: String,
    /// What the run before wrote, as long as that is kept.
    pub previous: Option<String>,
    /// Streams that began before it grew are ended by the server.
    pub epoch: u64,
    /// Whether the container runs, so that its log can be followed.
    pub over: bool,
    /// Why the log cannot be read yet.
    pub refused: Option<(u16, String)>,
    /// How many bytes of a stream are sent before the server ends it; for one stream.
    pub cut: Option<usize>,
}

impl ContainerLog {
    /// Writes lines, each with this time in front.
    pub fn write(&mut self, time: &str, lines: &[&str]) {
        lines.iter().for_each(|line| self.text.push_str(&format!("{time} {line}\n")));
    }

    /// Ends the streams, as for an idle connection.
    pub fn end_streams(&mut self) {
        self.epoch += 1;
    }

    /// Begins another run.
    pub fn restart(&mut self) {
        self.previous = Some(std::mem::take(&mut self.text));
        self.epoch += 1;
        self.over = false;
    }
}

/// Answers `GET pods/…/log`.
pub fn answer(state: Shared, pod: &str, query: &str) -> Response<Body> {
    let query: BTreeMap<String, String> =
        query.split('&').filter_map(|pair| pair.split_once('=')).map(|(key, value)| (key.to_owned(), value.replace("%3A", ":"))).collect();
    let key = (pod.to_owned(), query.get("container").cloned().unwrap_or_default());
    let has = |name: &str| query.get(name).is_some_and(|value| value == "true");
    let mut locked = lock(&state);
    let Some(log) = locked.logs.get_mut(&key) else {
        return status(400, "BadRequest", &format!("container {} is not valid for pod {pod}", key.1));
    };
    if let Some((code, why)) = &log.refused {
        return status(*code, "BadRequest", why);
    }
    let text = if has("previous") { log.previous.clone() } else { Some(log.text.clone()) };
    let Some(text) = text else {
        return status(400, "BadRequest", &format!("previous terminated container \"{}\" in pod \"{pod}\" not found", key.1));
    };
    let (cut, epoch, over, mut sent) = (log.cut.take(), log.epoch, log.over, log.text.len());
    let mut first = chosen(&text, &query);
    let follows = has("follow") && !over && cut.is_none();
    first.truncate(cut.unwrap_or(first.len()));
    let mut changed = locked.changed.subscribe();
    drop(locked);
    let (mut sender, receiver) = futures::channel::mpsc::channel::<Bytes>(4);
    tokio::spawn(async move {
        if sender.send(Bytes::from(first)).await.is_err() || !follows {
            return;
        }
        loop {
            let more = {
                let state = lock(&state);
                let Some(log) = state.logs.get(&key) else { return };
                if log.epoch != epoch {
                    return;
                }
                let more = log.text.get(sent..).unwrap_or_default().to_owned();
                if more.is_empty() && log.over {
                    return;
                }
                more
            };
            sent += more.len();
            if !more.is_empty() {
                if sender.send(Bytes::from(more)).await.is_err() {
                    return;
                }
            } else if changed.changed().await.is_err() {
                return;
            }
        }
    });
    let frames = receiver.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
    Response::builder().status(200).body(BodyExt::boxed(StreamBody::new(frames))).unwrap()
}

/// The part of a log that is asked for.
fn chosen(text: &str, query: &BTreeMap<String, String>) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let tail = query.get("tailLines").and_then(|tail| tail.parse().ok()).unwrap_or(lines.len());
    let since: Option<Timestamp> = query.get("sinceTime").map(|since| since.parse().unwrap());
    let time = |line: &str| line.split(' ').next().and_then(|time| time.parse::<Timestamp>().ok());
    let lines = lines.iter().skip(lines.len().saturating_sub(tail));
    lines.filter(|line| since.is_none_or(|since| time(line).is_none_or(|time| time >= since))).copied().collect()
}
