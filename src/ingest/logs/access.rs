//! The access log as text (`pilot/pkg/model/telemetry_logging.go: EnvoyTextLogFormat`).

use std::borrow::Cow;

use super::parsed::Parsed;
use super::time;
use crate::model::logs::LogKind;

/// `[time] "GET /path HTTP/1.1" 200 - via_upstream …`. Its other columns are read when they are asked for, since a mesh can
/// choose others.
pub(super) fn parse(raw: &str) -> Option<Parsed<'_>> {
    let (time, rest) = time::rfc3339(raw.strip_prefix('[')?)?;
    let message = rest.strip_prefix("] ")?;
    Some(Parsed {
        time: Some(time),
        kind: LogKind::Access,
        level: Cow::Borrowed(""),
        scope: Cow::Borrowed(""),
        message: Cow::Borrowed(message),
    })
}
