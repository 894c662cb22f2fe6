//! Puts the lines of one container together to records, and has each understood.

use std::sync::Arc;

use super::form::Form;
use super::json;
use super::{access, details, envoy, go};
use crate::ingest::redact;
use crate::model::logs::{LogEvent, LogKind, LogLine, LogOrigin, LogRecord, LogSource, LogTime};

/// How many bytes a record holds at most; what is more goes on in a record of the same kind.
const LARGEST: usize = 256 << 10;

/// Takes the lines of one container in their order and gives its records. One line is always kept back, since only the next
/// tells where a record ends: whoever follows a log asks for it with [`Assembler::flush`] when no more lines come.
#[derive(Debug, Default)]
pub struct Assembler {
    pending: Option<Pending>,
}

/// A record of which more lines may come.
#[derive(Debug)]
struct Pending {
    origin: Arc<LogOrigin>,
    time: Option<LogTime>,
    raw: String,
    form: Form,
    /// Whether no more lines can belong to it.
    complete: bool,
    /// What a record was that grew too large, and goes on in this one.
    continues: Option<Head>,
}

/// What stands in front of a message.
#[derive(Clone, Debug)]
struct Head {
    kind: LogKind,
    level: String,
    scope: String,
}

/// What a parser understood of a record, borrowed from it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed<'r> {
    /// The record's own time.
    pub(super) time: Option<LogTime>,
    /// What wrote it.
    pub(super) kind: LogKind,
    /// The level as written.
    pub(super) level: std::borrow::Cow<'r, str>,
    /// The scope or component.
    pub(super) scope: std::borrow::Cow<'r, str>,
    /// The message, a plugin's without its prefix.
    pub(super) message: std::borrow::Cow<'r, str>,
}

impl Assembler {
    /// Takes a line. Gives the record before it, where the line begins another.
    pub fn push(&mut self, line: LogLine) -> Option<LogRecord> {
        let form = Form::of(&line.text);
        if form == Form::Unknown
            && let Some(pending) = &mut self.pending
            && !pending.complete
            && pending.origin == line.origin
        {
            if pending.raw.len() + line.text.len() < LARGEST {
                pending.raw.push('\n');
                pending.raw.push_str(&line.text);
                pending.complete = pending.form == Form::Columns && envoy::is_complete(&pending.raw);
                return None;
            }
            let (form, before) = (pending.form, self.flush());
            let continues =
                before.as_ref().map(|record| Head { kind: record.kind, level: record.level.clone(), scope: record.scope.clone() });
            self.pending = Some(Pending { continues, form, complete: false, ..Pending::new(line, form) });
            return before;
        }
        let before = self.flush();
        self.pending = Some(Pending::new(line, form));
        before
    }

    /// Gives the record that is kept back: at the end of a log, or where no more lines come for a while.
    pub fn flush(&mut self) -> Option<LogRecord> {
        self.pending.take().map(Pending::understood)
    }

    /// How many bytes are kept back.
    pub fn held(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.raw.len())
    }
}

impl Pending {
    fn new(line: LogLine, form: Form) -> Self {
        let complete = !form.takes_more() || form == Form::Columns && envoy::is_complete(&line.text);
        Self { origin: line.origin, time: line.time, raw: line.text, form, complete, continues: None }
    }

    fn understood(self) -> LogRecord {
        let redacted = if self.form == Form::Json { redact::json(&self.raw) } else { redact::text(&self.raw) };
        let raw = match redacted {
            std::borrow::Cow::Borrowed(_) => None,
            std::borrow::Cow::Owned(clean) => Some(clean),
        }
        .unwrap_or(self.raw);
        let source = self.origin.source;
        let parsed = match (&self.continues, self.form) {
            (Some(_), _) | (None, Form::Unknown) => None,
            (None, Form::Columns) => envoy::columns(&raw).or_else(|| go::columns(&raw, source)),
            (None, Form::Json) => json::parse(&raw, source),
            (None, Form::Access) => access::parse(&raw),
            (None, Form::EnvoyOwn) => envoy::own(&raw),
            (None, Form::Slashed) => go::slashed(&raw, source),
            (None, Form::Klog) => go::klog(&raw, source),
            (None, Form::Panic) => go::panic(&raw, source),
        };
        let (time, head, message) = match (parsed, self.continues) {
            (Some(parsed), _) => {
                let head = Head { kind: parsed.kind, level: parsed.level.into_owned(), scope: parsed.scope.into_owned() };
                (parsed.time, head, parsed.message.into_owned())
            }
            (None, Some(head)) => (None, head, raw.clone()),
            (None, None) => (None, Head { kind: LogKind::Unknown, level: String::new(), scope: String::new() }, raw.clone()),
        };
        let event = match head.kind {
            LogKind::Plugin => Some(LogEvent::PluginLog),
            LogKind::Access => Some(LogEvent::Request),
            kind => details::read(kind, &head.scope, &message).map(|details| details.event()),
        };
        LogRecord {
            time: time.or(self.time),
            origin: self.origin,
            kind: head.kind,
            event,
            level: head.level,
            scope: head.scope,
            plugin: None,
            plugin_note: None,
            message,
            raw,
        }
    }
}

/// Whose a line of a Go program is.
pub(super) fn go_kind(source: LogSource) -> LogKind {
    match source {
        LogSource::Istiod => LogKind::Istiod,
        LogSource::Proxy | LogSource::Meshscope => LogKind::Agent,
    }
}
