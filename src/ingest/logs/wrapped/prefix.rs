//! The pod and container in front of a line: `kubectl logs --prefix`, stern, kubetail, kail, docker compose.

use super::{Whose, is_record, marks, stamp};

/// Whose a line is, and the rest of it; None where nothing of the kind is in front. Words alone count only in front of a record, or
/// where `is_known` says that their lines were seen before: such records have more lines.
pub(super) fn split(line: &str, is_known: impl Fn(&Whose) -> bool) -> Option<(Whose, &str)> {
    named(line, &is_known).or_else(|| {
        let rest = marks::without(line)?;
        let is_timed = || rest.starts_with(|first: char| first == '[' || first.is_ascii_digit()) && begins(rest);
        named(rest, &is_known).or_else(|| is_timed().then(|| (Whose::default(), rest)))
    })
}

fn named(line: &str, is_known: impl Fn(&Whose) -> bool) -> Option<(Whose, &str)> {
    match line.as_bytes().first()? {
        b'[' => bracketed(line, is_known),
        b'a'..=b'z' | b'0'..=b'9' => piped(line, &is_known).or_else(|| words(line, is_known)),
        _ => None,
    }
}

/// `[pod/NAME/CONTAINER] ` of kubectl (`kubectl/pkg/cmd/logs/logs.go: addPrefixIfNeeded`), `[NAME CONTAINER] ` of kubetail,
/// `[NAME/CONTAINER] `.
fn bracketed(line: &str, is_known: impl Fn(&Whose) -> bool) -> Option<(Whose, &str)> {
    let (inner, rest) = line.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix(' ').or(rest.is_empty().then_some(""))?;
    if let Some(inner) = inner.strip_prefix("pod/") {
        let (pod, container) = inner.split_once('/')?;
        return Some((whose("", pod, container)?, rest));
    }
    let (pod, container) = inner.split_once([' ', '/'])?;
    let whose = whose("", pod, container)?;
    (is_known(&whose) || begins(rest)).then_some((whose, rest))
}

/// `NAME › CONTAINER | ` and `NAME | ` of templates of stern, the latter of docker compose too.
fn piped(line: &str, is_known: impl Fn(&Whose) -> bool) -> Option<(Whose, &str)> {
    let (first, rest) = line.split_once(' ').filter(|(first, _)| is_name(first))?;
    let rest = rest.trim_start_matches(' ');
    if let Some(rest) = rest.strip_prefix("› ") {
        let (container, rest) = rest.split_once(" | ")?;
        return Some((whose("", first, container.trim_end_matches(' '))?, rest));
    }
    let rest = rest.strip_prefix("| ")?;
    let whose = Whose { pod: first.to_owned(), ..Whose::default() };
    (is_known(&whose) || begins(rest)).then_some((whose, rest))
}

/// Without the time `05-10 03:16:18 ` of `stern --timestamps=short`.
fn unstamped(text: &str) -> &str {
    let shape = |stamp: &[u8; 15]| {
        stamp.iter().zip(b"00-00 00:00:00 ").all(|(byte, sample)| if *sample == b'0' { byte.is_ascii_digit() } else { byte == sample })
    };
    text.as_bytes().first_chunk().filter(|stamp| shape(stamp)).map_or(text, |stamp| &text[stamp.len()..])
}

/// `NAME CONTAINER `, with the namespace in front where several are followed, of stern; `NAMESPACE/NAME[CONTAINER]: ` of kail.
fn words(line: &str, is_known: impl Fn(&Whose) -> bool) -> Option<(Whose, &str)> {
    let (first, rest) = line.split_once(' ')?;
    if let Some((namespace, inner)) = first.split_once('/') {
        let (pod, container) = inner.strip_suffix("]:")?.split_once('[')?;
        return Some((whose(namespace, pod, container)?, rest));
    }
    if !is_name(first) {
        return None;
    }
    let (second, behind) = rest.split_once(' ').unwrap_or((rest, ""));
    let (two, behind) = (whose("", first, second)?, unstamped(behind));
    if is_known(&two) || begins(behind) {
        return Some((two, behind));
    }
    let (third, behind) = behind.split_once(' ').unwrap_or((behind, ""));
    let (three, behind) = (whose(first, second, third)?, unstamped(behind));
    (is_known(&three) || begins(behind)).then_some((three, behind))
}

/// `NAME⇥CONTAINER⇥` in front of a record, with the namespace before them where there are three columns.
pub(super) fn columns(text: &str) -> Option<(Whose, &str)> {
    let (first, rest) = text.split_once('\t')?;
    let (second, behind) = rest.split_once('\t')?;
    if is_record(behind) {
        return Some((whose("", first, second)?, behind));
    }
    let (third, behind) = behind.split_once('\t')?;
    is_record(behind).then(|| whose(first, second, third))?.map(|whose| (whose, behind))
}

/// Whether a record begins, behind a time of whoever saved it.
fn begins(text: &str) -> bool {
    is_record(text) || stamp::unwrap(text).is_some_and(|peeled| is_record(&peeled.text))
}

fn whose(namespace: &str, pod: &str, container: &str) -> Option<Whose> {
    let is_whole = (namespace.is_empty() || is_name(namespace)) && is_name(pod) && is_name(container) && !container.contains('.');
    is_whole.then(|| Whose { namespace: namespace.to_owned(), pod: pod.to_owned(), container: container.to_owned() })
}

/// Whether a word can be the name of a pod (RFC 1123 subdomain).
fn is_name(word: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    !word.is_empty() && word.len() <= 253 && word.bytes().all(in_name) && !word.starts_with(['-', '.']) && !word.ends_with(['-', '.'])
}
