//! Puts the lines of one container together to records, and has each understood.

use std::borrow::Cow;
use std::sync::Arc;

use super::access_format::AccessFormat;
use super::form::{self, Form};
use super::parsed::Parsed;
use super::{details, envoy};
use crate::ingest::redact;
use crate::model::logs::{LogEvent, LogKind, LogLine, LogOrigin, LogRecord, LogTime};
use crate::model::text::Text;

/// How many bytes a record holds at most; what is more goes on in a record of the same kind.
const LARGEST: usize = 256 << 10;

/// Stands at the end of a line that was longer than is read.
const CUT: &str = "… [the rest of this line was too long and is left out]";

/// How long after a line, by the kubelet's times, none belongs to its record any more: 50 ms. What is logged in several lines is written at
/// once (0.13 ms between two is the longest that was seen); what comes later is of a format that nobody knows, such as an access log's own.
const PAUSE: LogTime = 50_000_000;

/// Takes the lines of one container in their order and gives its records. One record is always kept back, since only the next
/// line shows where it ends: whoever follows a log asks for it with [`Assembler::flush`] when no more lines come.
#[derive(Debug, Default)]
pub struct Assembler {
    pending: Option<Pending>,
    /// Whether a line has come that cannot be of a key.
    begun: bool,
    /// Whether the lines so far end within a private key.
    in_key: bool,
    /// The time of the last record that has one.
    last: Option<LogTime>,
    /// The access log's format, where it is known and not one of Istio's.
    format: Option<Arc<AccessFormat>>,
}

/// A record of which more lines may come.
#[derive(Debug)]
struct Pending {
    origin: Arc<LogOrigin>,
    time: Option<LogTime>,
    /// The kubelet's time of the last line.
    last: Option<LogTime>,
    raw: String,
    form: Form,
    /// Whether no more lines can belong to it.
    complete: bool,
    /// Whether it begins within a private key.
    in_key: bool,
    /// What a record was that grew too large, and goes on in this one.
    continues: Option<Head>,
}

/// What is in front of a message.
#[derive(Clone, Debug)]
struct Head {
    kind: LogKind,
    level: Text,
    scope: Text,
}

impl Assembler {
    /// Reads the access log in the format that the mesh has now.
    pub fn set_access_format(&mut self, format: Option<Arc<AccessFormat>>) {
        self.format = format;
    }

    /// Takes a line. Gives the record before it, where the line begins another.
    pub fn push(&mut self, line: LogLine) -> Option<LogRecord> {
        let form = match (Form::of(&line.text), &self.format) {
            (form, Some(format)) if !form.is_of_program(&line.text) && format.read(&line.text).is_some() => Form::OwnAccess,
            (form, _) => form,
        };
        // A log that is not read from its start can begin within a key, which no line before it shows.
        let of_key = !self.begun && redact::is_of_key(&line.text);
        let in_key = (of_key || self.begun && self.in_key) && form == Form::Unknown;
        self.begun |= !of_key;
        self.in_key = redact::key_goes_on(&line.text, in_key);
        let fresh = Pending { in_key, ..Pending::new(line, form) };
        let Some(pending) = self.pending.as_mut().filter(|pending| pending.takes(&fresh)) else {
            let before = self.pending.replace(fresh);
            return before.map(|before| self.understood(before));
        };
        if pending.raw.len() + fresh.raw.len() < LARGEST {
            pending.raw.push('\n');
            pending.raw.push_str(&fresh.raw);
            pending.last = fresh.last;
            pending.complete |= envoy::is_complete(&fresh.raw);
            return None;
        }
        let (form, complete) = (pending.form, envoy::is_complete(&fresh.raw));
        let before = self.flush()?;
        let continues = Some(Head { kind: before.kind, level: before.level.clone(), scope: before.scope.clone() });
        self.pending = Some(Pending { form, complete, continues, ..fresh });
        Some(before)
    }

    /// Gives the record that is kept back: at the end of a log, or where no more lines come for a while.
    pub fn flush(&mut self) -> Option<LogRecord> {
        let pending = self.pending.take()?;
        Some(self.understood(pending))
    }

    fn understood(&mut self, pending: Pending) -> LogRecord {
        let record = pending.understood(self.last, self.format.as_deref());
        self.last = record.time.or(self.last);
        record
    }
}

impl Pending {
    fn new(line: LogLine, form: Form) -> Self {
        let complete = !form.takes_more() || envoy::is_complete(&line.text);
        let time = line.time;
        let raw = if line.cut { line.text + CUT } else { line.text };
        Self { origin: line.origin, time, last: time, raw, form, complete, in_key: false, continues: None }
    }

    /// Whether a line belongs to it: one that begins nothing itself, or goes on with a private key, which is known only as a whole.
    fn takes(&self, line: &Self) -> bool {
        let goes_on = || !self.complete && !self.is_long_before(line) && !form::has_own_time(&line.raw);
        line.form == Form::Unknown && self.origin == line.origin && (line.in_key || goes_on())
    }

    fn is_long_before(&self, line: &Self) -> bool {
        self.last.zip(line.time).is_some_and(|(last, next)| next.saturating_sub(last) > PAUSE)
    }

    /// The record. `near` is the time of the one before it.
    fn understood(self, near: Option<LogTime>, format: Option<&AccessFormat>) -> LogRecord {
        let raw = Text::from(redacted(self.raw, self.form, self.in_key));
        let parsed = match (self.form, format) {
            (Form::OwnAccess, Some(format)) => format.read(&raw),
            _ => Parsed::of(&raw, self.form, self.origin.source, self.time.or(near)),
        };
        let (mut time, mut event) = (None, None);
        let (head, message) = match (self.continues, parsed) {
            (Some(head), _) => (head, raw.clone()),
            (None, None) => (Head { kind: LogKind::Unknown, level: raw.part(""), scope: raw.part("") }, raw.clone()),
            (None, Some(parsed)) => {
                time = parsed.time;
                event = match parsed.kind {
                    LogKind::Plugin => Some(LogEvent::PluginLog),
                    LogKind::Access => Some(LogEvent::Request),
                    kind => details::read(kind, &parsed.scope, &parsed.message).map(|details| details.event()),
                };
                let head = Head { kind: parsed.kind, level: raw.part(&parsed.level), scope: raw.part(&parsed.scope) };
                (head, raw.part(&parsed.message))
            }
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
            failure_of: Text::default(),
            message,
            raw,
        }
    }
}

/// The record without its secrets. Nothing is copied where there are none.
fn redacted(raw: String, form: Form, in_key: bool) -> String {
    let raw = if in_key { redact::end_of_key(&raw) } else { raw };
    match if form == Form::Json || form == Form::OwnAccess && raw.starts_with('{') { redact::json_line(&raw) } else { redact::text(&raw) } {
        Cow::Owned(clean) => clean,
        Cow::Borrowed(_) => raw,
    }
}
