//! What is in front of a line, with a time: a container runtime's file on a node, and the text exports of log stores.

use std::borrow::Cow;

use super::super::{blanks, form, time};
use super::{End, Peeled, json, prefix};

/// Takes a line out of what a runtime or a log store put in front of it; None where neither did.
pub(super) fn unwrap(text: &str) -> Option<Peeled<'_>> {
    let Some((at, rest)) = time::zoned(text) else { return counted(text) };
    if let Some(inner) = rest.strip_prefix(' ') {
        return runtime(at, inner).or_else(|| labelled(at, inner));
    }
    let inner = rest.strip_prefix('\t')?;
    if let Some((whose, line)) = prefix::columns(inner).filter(|_| !blanks::begins(rest)) {
        return Some(Peeled { whose: Some(whose), time: Some(at), text: Cow::Borrowed(line), ..Peeled::default() });
    }
    // A program's own time is followed by its level.
    let of_store = !text[..text.len() - rest.len()].ends_with('Z') && !blanks::begins(rest) || form::begins(time::split_kubelet(inner).1);
    of_store.then(|| Peeled { time: Some(at), text: Cow::Borrowed(inner), ..Peeled::default() })
}

/// `1683688580000⇥2023-05-10T03:16:20.000Z⇥line`, as Grafana downloads logs.
fn counted(text: &str) -> Option<Peeled<'_>> {
    let (number, rest) = text.split_once('\t').filter(|(number, _)| matches!(number.len(), 13 | 19))?;
    let at = time::of_store(number)?;
    let inner = time::zoned(rest).and_then(|(_, behind)| behind.strip_prefix('\t'))?;
    Some(Peeled { time: Some(at), text: Cow::Borrowed(inner), ..Peeled::default() })
}

/// `stdout F line`, or `P` for a part of one (`kubernetes/cri-client pkg/logs: parseCRILog`).
fn runtime(at: i64, text: &str) -> Option<Peeled<'_>> {
    let (stream, rest) = match text.split_once(' ')? {
        ("stdout", rest) => ("stdout", rest),
        ("stderr", rest) => ("stderr", rest),
        _ => return None,
    };
    let (tags, line) = rest.split_once(' ').unwrap_or((rest, ""));
    let end = match tags.split(':').next()? {
        "F" => End::Whole,
        "P" => End::Part,
        _ => return None,
    };
    Some(Peeled { time: Some(at), of_runtime: true, stream, end, text: Cow::Borrowed(line), ..Peeled::default() })
}

/// `{pod="web-1", container="istio-proxy"} line`, as Loki's logcli writes it.
fn labelled(at: i64, text: &str) -> Option<Peeled<'_>> {
    let (labels, line) = text.strip_prefix('{')?.split_once("} ")?;
    labels.contains("=\"").then(|| Peeled {
        whose: json::of_labels(labels),
        time: Some(at),
        text: Cow::Borrowed(line),
        ..Peeled::default()
    })
}
