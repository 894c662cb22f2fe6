//! What the parsers of all formats understand of a record.

use std::borrow::Cow;

use super::form::Form;
use super::{access, blanks, envoy, go, json};
use crate::model::logs::{LogKind, LogSource, LogTime};

/// What a parser understood of a record, borrowed from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed<'r> {
    /// The record's own time.
    pub(super) time: Option<LogTime>,
    /// What wrote it.
    pub(super) kind: LogKind,
    /// The level as written.
    pub(super) level: Cow<'r, str>,
    /// The scope or component.
    pub(super) scope: Cow<'r, str>,
    /// The message, a plugin's without its prefix.
    pub(super) message: Cow<'r, str>,
}

/// Whether a text is digits alone.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'r> Parsed<'r> {
    /// Has the parser of its format read a record; None where it does not know it either. `near` is a time that is not far from the
    /// record's.
    pub(super) fn of(raw: &'r str, form: Form, source: LogSource, near: Option<LogTime>) -> Option<Self> {
        match form {
            Form::Columns => envoy::columns(raw).or_else(|| go::columns(raw, source)),
            Form::Blanks => blanks::parse(raw, source),
            Form::Json => json::parse(raw, source),
            Form::Access => access::parse(raw),
            Form::Bare => access::bare(raw),
            Form::EnvoyOwn => envoy::own(raw),
            Form::Slashed => go::slashed(raw, source),
            Form::Klog => go::klog(raw, source, near),
            Form::Panic => go::panic(raw, source),
            Form::OwnAccess | Form::Unknown => None,
        }
    }
}
