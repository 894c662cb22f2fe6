//! What happened to the streams, as records among those that are read.

use std::sync::Arc;

use crate::model::ids::ProxyId;
use crate::model::logs::{LogEvent, LogKind, LogOrigin, LogRecord, LogSource, LogTime, MarkKind};
use crate::model::text::Text;

/// What happened to a stream, as a record.
pub(super) fn mark(origin: Arc<LogOrigin>, time: Option<LogTime>, kind: MarkKind, text: String) -> LogRecord {
    let message = Text::from(text);
    LogRecord {
        time,
        origin,
        kind: LogKind::Mark,
        event: Some(LogEvent::Mark(kind)),
        level: Text::default(),
        scope: Text::default(),
        plugin: None,
        plugin_note: None,
        failure_of: Text::default(),
        raw: message.clone(),
        message,
    }
}

/// What happened to all streams together.
pub(super) fn mark_of_all(kind: MarkKind, text: String) -> LogRecord {
    let nobody = LogOrigin { source: LogSource::Meshscope, pod: ProxyId::new("", ""), container: String::new(), workload: None };
    mark(Arc::new(nobody), None, kind, text)
}
