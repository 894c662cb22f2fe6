//! Istio's Go programs, as text (`pkg/log/{config,scope}.go`): the columns time, level, scope, caller, message; and what Go
//! itself writes before that is set up, or when it dies.

use std::borrow::Cow;

use super::parsed::{Parsed, is_number};
use super::{blanks, time, ztunnel};
use crate::model::logs::{LogKind, LogSource, LogTime};

/// The scopes that Istio's programs register. The default scope has no column, and a message of one word can be in its place.
const SCOPES: [&str; 59] = [
    "access",
    "ads",
    "adsc",
    "ambient",
    "analysis",
    "authn",
    "authorization",
    "ca",
    "cache",
    "citadelclient",
    "cni-agent",
    "cni-plugin",
    "controllers",
    "controlleruntime",
    "delta",
    "deltaadsc",
    "dns",
    "endpoint",
    "epp",
    "file",
    "forwarder",
    "gateway",
    "gatewaycommon",
    "gcecred",
    "google",
    "grpc",
    "grpcgen",
    "hbone",
    "healthcheck",
    "ingress",
    "injection",
    "installer",
    "ip-autoallocate",
    "klog",
    "krt",
    "kube",
    "leader",
    "model",
    "monitor",
    "monitoring",
    "pkica",
    "pkira",
    "probes",
    "processing",
    "push",
    "retry",
    "rootcertrotator",
    "sds",
    "secretcontroller",
    "security",
    "serverca",
    "serviceentry",
    "spiffe",
    "status",
    "trustBundle",
    "validation",
    "validationController",
    "wasm",
    "xdsproxy",
];

/// Whose a line of a Go program is.
pub(super) fn kind(source: LogSource) -> LogKind {
    match source {
        LogSource::Istiod => LogKind::Istiod,
        LogSource::Proxy | LogSource::Meshscope => LogKind::Agent,
    }
}

/// `time⇥level⇥[scope⇥][caller⇥]message`.
pub(super) fn columns(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    let (time, rest) = time::rfc3339(raw)?;
    let rest = rest.strip_prefix('\t')?;
    let (level, rest) = rest.split_once('\t').unwrap_or(("", rest));
    if level.is_empty() || level.contains(' ') {
        // Some of the tabs became blanks, or the message is empty.
        if let Some(parsed) = blanks::parse(raw, source) {
            return Some(parsed);
        }
    }
    let (scope, rest) = scope(rest);
    Some(plain(Some(time), source, level, scope, without_caller(rest)))
}

/// The scope, and what follows.
fn scope(text: &str) -> (&str, &str) {
    match text.split_once('\t') {
        Some((column, rest)) if is_scope(column, rest) => (column, rest),
        _ => ("", text),
    }
}

/// Whether a column is a scope, by itself and by what follows.
pub(super) fn is_scope(column: &str, rest: &str) -> bool {
    is_known_scope(column) || is_word(column) && !is_label(rest)
}

/// Whether one of Istio's programs registers a scope of this name.
pub(super) fn is_known_scope(word: &str) -> bool {
    SCOPES.binary_search(&word).is_ok()
}

/// Whether it could be a scope: no scope has a blank, and a caller has a colon.
fn is_word(column: &str) -> bool {
    let in_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !column.is_empty() && column.len() <= 32 && column.bytes().all(in_word)
}

/// Whether labels begin here: `name=…`.
fn is_label(text: &str) -> bool {
    let word = text.find(['=', ' ', '\t', '\n']).and_then(|at| text.as_bytes().get(at));
    word == Some(&b'=')
}

/// Without the column `xds/delta.go:218`, which is there where `--log_caller` asks for it.
fn without_caller(text: &str) -> &str {
    match text.split_once('\t') {
        Some((column, rest)) if is_caller(column) => rest,
        _ => text,
    }
}

/// `xds/delta.go:218`.
pub(super) fn is_caller(column: &str) -> bool {
    let line = column.rsplit_once(".go:").map(|(_, line)| line);
    line.is_some_and(is_number) && !column.contains([' ', '\n'])
}

/// `2026/11/23 19:37:48 INFO message key=value` of `slog`, and without a level that of `log`.
pub(super) fn slashed(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    let (time, rest) = time::slashed(raw)?;
    let rest = rest.strip_prefix(' ')?;
    let (level, message) = match rest.split_once(' ') {
        Some((level @ ("DEBUG" | "INFO" | "WARN" | "ERROR"), message)) => (level, message),
        _ => ("", rest),
    };
    Some(plain(Some(time), source, level, "", message))
}

/// `I1123 19:37:48.123456       1 file.go:12] message` of klog. It names no year, so that `near`, a time that is known, has to.
pub(super) fn klog(raw: &str, source: LogSource, near: Option<LogTime>) -> Option<Parsed<'_>> {
    let level = match raw.as_bytes().first()? {
        b'I' => "info",
        b'W' => "warning",
        b'E' => "error",
        _ => "fatal",
    };
    let message = raw.split_once("] ").map_or(raw, |(_, message)| message);
    let time = near.and_then(|near| time::of_klog(&raw[1..], near));
    Some(plain(time, source, level, "klog", message))
}

/// The last words of a Go program, with the stacks of its goroutines.
pub(super) fn panic(raw: &str, source: LogSource) -> Option<Parsed<'_>> {
    Some(plain(None, source, "fatal", "", raw))
}

pub(super) fn plain<'r>(time: Option<LogTime>, source: LogSource, level: &'r str, scope: &'r str, message: &'r str) -> Parsed<'r> {
    let message = Cow::Borrowed(message.trim_end_matches('\n'));
    parsed(time, source, Cow::Borrowed(level), Cow::Borrowed(scope), message)
}

/// A line of a Go program, or one that ztunnel writes in the same columns: those of its scope `access` are of connections.
pub(super) fn parsed<'r>(
    time: Option<LogTime>,
    source: LogSource,
    level: Cow<'r, str>,
    scope: Cow<'r, str>,
    message: Cow<'r, str>,
) -> Parsed<'r> {
    let of_connection = source == LogSource::Proxy && ztunnel::is_connection(&scope, &message);
    let kind = if of_connection { LogKind::Access } else { kind(source) };
    Parsed { time, kind, level, scope, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> (&str, String, String) {
        let parsed = columns(raw, LogSource::Istiod).unwrap();
        assert_eq!(parsed.kind, LogKind::Istiod);
        (raw.split('\t').nth(1).unwrap(), parsed.scope.into_owned(), parsed.message.into_owned())
    }

    #[test]
    fn scope_and_caller_may_be_absent() {
        let time = "2026-08-27T12:45:20.123456Z\tinfo\t";
        for (rest, scope, message) in [
            ("Version 1.31", "", "Version 1.31"),
            ("ads\tXDS: Pushing", "ads", "XDS: Pushing"),
            ("ads\txds/ads.go:568\tXDS: Pushing", "ads", "XDS: Pushing"),
            ("app/cmd.go:12\tProxy role\tips=[10.0.0.1] type=sidecar", "", "Proxy role\tips=[10.0.0.1] type=sidecar"),
            ("sync complete\tname=Mesh attempt=1", "", "sync complete\tname=Mesh attempt=1"),
            ("synced\tname=Mesh attempt=1", "", "synced\tname=Mesh attempt=1"),
            ("controllers\tstarting\tcontroller=tag", "controllers", "starting\tcontroller=tag"),
            ("brandnew\tmessage of a scope that is not known", "brandnew", "message of a scope that is not known"),
        ] {
            assert_eq!(read(&format!("{time}{rest}")), ("info", scope.to_owned(), message.to_owned()), "{rest}");
        }
    }

    #[test]
    fn the_scopes_are_in_order() {
        assert!(SCOPES.is_sorted());
    }

    #[test]
    fn what_go_itself_writes_is_known() {
        let slog = slashed("2026/11/23 19:37:48 INFO memory is not limited", LogSource::Proxy).unwrap();
        assert_eq!((slog.kind, &*slog.level, &*slog.message), (LogKind::Agent, "INFO", "memory is not limited"));
        let log = slashed("2026/11/23 19:37:48 http: TLS handshake error", LogSource::Proxy).unwrap();
        assert_eq!((&*log.level, &*log.message), ("", "http: TLS handshake error"));
        let klog = klog("E1123 19:37:48.123456       1 leaderelection.go:12] lost", LogSource::Istiod, None).unwrap();
        assert_eq!((&*klog.level, &*klog.scope, &*klog.message), ("error", "klog", "lost"));
    }
}
