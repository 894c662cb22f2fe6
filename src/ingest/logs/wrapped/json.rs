//! A line within an object of JSON: docker's files, fluent-bit, and the exports of Loki, Elastic, Splunk, VictoriaLogs and Google's
//! log.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::super::object::Object;
use super::super::time;
use super::{End, Peeled, Whose, is_record};
use crate::ingest::finder::Finder;

/// How the objects show that have a line within them: by the key of that.
pub(super) const KEYS: [&str; 9] = [
    "\"log\":",
    "\"_msg\":",
    "\"line\":",
    "\"message\":",
    "\"textPayload\":",
    "\"_source\":",
    "\"body\":",
    "\"_raw\":",
    "\"jsonPayload\":",
];
/// Those of them that nothing else has, in front of a text.
const SURE: [&str; 5] = ["\"log\":", "\"_msg\":", "\"line\":", "\"textPayload\":", "\"_raw\":"];
/// The stream of docker's lines, whose parts show by their lack of a line end.
pub(super) const DOCKER: &str = "docker";

static FINDER: LazyLock<Option<Finder>> = LazyLock::new(|| Finder::new(&KEYS));

/// The keys of the line, the surest first.
const LINES: [&str; 7] = ["log", "_msg", "line", "textPayload", "_raw", "message", "body"];
/// The keys of the time.
const TIMES: [&str; 8] = ["time", "@timestamp", "_time", "timestamp", "ts", "date", "datetime", "receiveTimestamp"];
/// The keys of other objects that say whose a line is.
const WITHIN: [&str; 9] = ["kubernetes", "labels", "stream", "fields", "resource", "k8s", "pod", "container", "namespace"];
/// The keys of whose a line is, as written by one collector or the other.
const PODS: [&str; 9] = [
    "pod",
    "pod_name",
    "podName",
    "kubernetes.pod_name",
    "kubernetes.pod.name",
    "kubernetes_pod_name",
    "k8s.pod.name",
    "k8s_pod_name",
    "pod.name",
];
const CONTAINERS: [&str; 9] = [
    "container",
    "container_name",
    "containerName",
    "kubernetes.container_name",
    "kubernetes.container.name",
    "kubernetes_container_name",
    "k8s.container.name",
    "k8s_container_name",
    "container.name",
];
const NAMESPACES: [&str; 9] = [
    "namespace",
    "namespace_name",
    "namespaceName",
    "kubernetes.namespace_name",
    "kubernetes.namespace",
    "kubernetes_namespace_name",
    "k8s.namespace.name",
    "k8s_namespace_name",
    "namespace.name",
];

/// Takes a line out of its object; None where the object is a program's own.
pub(super) fn unwrap(text: &str) -> Option<Peeled<'_>> {
    FINDER
        .as_ref()
        .is_some_and(|keys| keys.find(text.as_bytes(), 0).is_some())
        .then(|| Object::read(text.trim_end()))?
        .and_then(|object| of(&object, true))
}

fn of<'l>(object: &Object<'l>, outer: bool) -> Option<Peeled<'l>> {
    let value = |key: &str| object.find(&[key]);
    // Elastic's, and Splunk's.
    let within = ["_source", "result"].iter().filter(|_| outer).find_map(|key| value(key).filter(|source| source.starts_with('{')));
    if let Some(Cow::Borrowed(source)) = within {
        return Object::read(source).and_then(|source| of(&source, false));
    }
    // Google's log takes a program's JSON apart.
    if let Some(Cow::Borrowed(payload)) = value("jsonPayload").filter(|payload| payload.starts_with('{')) {
        let inner = Object::read(payload)?;
        let text = inner.find(&["message", "log"]).filter(|line| is_record(line)).or_else(|| is_record(payload).then(|| payload.into()))?;
        let at = TIMES.iter().find_map(|key| time::of_store(&value(key)?));
        return Some(Peeled { whose: whose(object), time: at, text, wrapped: true, ..Peeled::default() });
    }
    let (key, line) = LINES.iter().find_map(|key| Some((*key, value(key)?)))?;
    // Istio's programs have a message under `msg`, and ztunnel has a scope.
    let of_program = value("level").is_some() && (value("msg").is_some() || value("scope").is_some());
    let by_collector = || TIMES[1..3].iter().chain(&WITHIN).any(|key| value(key).is_some()) || whose(object).is_some();
    if of_program || matches!(key, "message" | "body") && !is_record(&line) && !by_collector() {
        return None;
    }
    let at = TIMES.iter().find_map(|key| time::of_store(&value(key)?));
    let is_docker = key == "log" && matches!(value("stream").as_deref(), Some("stdout" | "stderr"));
    let end = match value("logtag").or_else(|| value("_p")).as_deref() {
        Some("P") => End::Part,
        None if is_docker && !line.ends_with('\n') => End::Perhaps,
        _ => End::Whole,
    };
    let stream = if is_docker { DOCKER } else { "" };
    Some(Peeled { whose: whose(object), time: at, of_runtime: is_docker, stream, end, text: line, wrapped: true })
}

/// Whose a line is, by the keys of its object and of those within it.
fn whose(object: &Object<'_>) -> Option<Whose> {
    let mut found = Whose::default();
    collect(object, &mut found, 0);
    if let Some(labels) = object.find(&["_stream"]).and_then(|stream| of_labels(stream.trim_start_matches('{').trim_end_matches('}'))) {
        fill(&mut found, labels);
    }
    (!found.pod.is_empty()).then_some(found)
}

fn collect(object: &Object<'_>, found: &mut Whose, depth: usize) {
    let plain = |keys: &[&str]| object.find(keys).filter(|value| !value.starts_with('{')).unwrap_or_default().into_owned();
    fill(found, Whose { namespace: plain(&NAMESPACES), pod: plain(&PODS), container: plain(&CONTAINERS) });
    for key in WITHIN.iter().filter(|_| depth < 2) {
        let Some(within) = object.find(&[key]).filter(|value| value.starts_with('{')) else { continue };
        let Some(within) = Object::read(&within) else { continue };
        let name = || within.find(&["name"]).unwrap_or_default().into_owned();
        // `"pod": {"name": "web-1"}`, as Elastic has it.
        match *key {
            "pod" => fill(found, Whose { pod: name(), ..Whose::default() }),
            "container" => fill(found, Whose { container: name(), ..Whose::default() }),
            "namespace" => fill(found, Whose { namespace: name(), ..Whose::default() }),
            _ => collect(&within, found, depth + 1),
        }
    }
}

/// What is not known yet comes from another.
fn fill(found: &mut Whose, other: Whose) {
    for (known, other) in [(&mut found.namespace, other.namespace), (&mut found.pod, other.pod), (&mut found.container, other.container)] {
        if known.is_empty() {
            *known = other;
        }
    }
}

/// Whose a line is by labels, `pod="web-1", container="istio-proxy"`.
pub(super) fn of_labels(labels: &str) -> Option<Whose> {
    let value = |keys: &[&str]| {
        let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(key, _)| keys.contains(&key.trim().trim_matches('"')));
        found.next().map(|(_, value)| value.trim().trim_matches('"').to_owned()).unwrap_or_default()
    };
    let whose = Whose { namespace: value(&NAMESPACES), pod: value(&PODS), container: value(&CONTAINERS) };
    (!whose.pod.is_empty()).then_some(whose)
}

/// Whether JSON begins that has lines within it, and is no config dump.
pub(super) fn is_export(head: &str) -> bool {
    let is_string = |key: &&str| head.find(*key).is_some_and(|at| head[at + key.len()..].trim_start().starts_with('"'));
    let is_dump = head.contains("\"configs\"") || head.contains("\"@type\"") || head.contains("\"apiVersion\"");
    let by_collector = ["\"@timestamp\"", "\"_source\":", "\"kubernetes\"", "\"podName\""].iter().any(|key| head.contains(key));
    !is_dump && (SURE.iter().any(is_string) || by_collector && KEYS.iter().any(|key| head.contains(key)))
}
