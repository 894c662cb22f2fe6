//! A piece of JSON as the proxy wrote it, with secrets removed.

use std::ops::Range;
use std::sync::Arc;

/// The field of a message of which only the type could be read when istiod sent it over xDS, as the filters of Istio's own proxy have no
/// descriptor here.
pub const UNREAD: &str = "@unread";

/// A slice of a redacted text that several pieces share, so that keeping the raw JSON of each filter costs one copy of its listener.
/// Only [`crate::ingest::redact`] makes the text, so what can be shown or copied has passed it.
#[derive(Clone, PartialEq, Eq)]
pub struct RawJson {
    text: Arc<str>,
    range: Range<usize>,
}

impl RawJson {
    /// No text: of what istiod would send, no proxy wrote any.
    pub fn none() -> Self {
        Self { text: Arc::from(""), range: 0..0 }
    }

    /// The whole of a redacted text.
    pub fn whole(text: Arc<str>) -> Self {
        let range = 0..text.len();
        Self { text, range }
    }

    /// A piece of the same text; the whole of this piece where `range` does not lie on character boundaries within the text.
    pub fn piece(&self, range: Range<usize>) -> Self {
        if self.text.get(range.clone()).is_some() { Self { text: self.text.clone(), range } } else { self.clone() }
    }

    /// The text of this piece.
    pub fn as_str(&self) -> &str {
        self.text.get(self.range.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for RawJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawJson({} bytes)", self.range.len())
    }
}
