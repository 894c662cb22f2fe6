//! A text of which others are parts: a log record is kept once, and its message, level and scope are places in it.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// A text, or a slice of one that several share. A clone costs no copy.
#[derive(Clone, Default)]
pub struct Text {
    whole: Arc<str>,
    range: Range<usize>,
}

impl Text {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        self.whole.get(self.range.clone()).unwrap_or_default()
    }

    /// The same words as a text of their own: shared where they are a slice of this one, else copied.
    pub fn part(&self, words: &str) -> Self {
        if words.is_empty() {
            return Self { whole: self.whole.clone(), range: 0..0 };
        }
        let from = words.as_ptr().addr().wrapping_sub(self.whole.as_ptr().addr());
        let range = from..from.saturating_add(words.len());
        if self.whole.get(range.clone()).is_some() { Self { whole: self.whole.clone(), range } } else { words.into() }
    }

    /// Whether both are of one text, and together cost no more than one.
    pub fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.whole, &other.whole)
    }
}

impl<T: Into<Arc<str>>> From<T> for Text {
    fn from(text: T) -> Self {
        let whole = text.into();
        Self { range: 0..whole.len(), whole }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Eq for Text {}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn a_slice_is_shared_and_other_words_are_copied() {
        let whole = Text::from("time\tlevel\tmessage");
        let part = whole.part(&whole[5..10]);
        assert!(part == "level" && part.shares(&whole));
        let message = part.part(&whole[11..]);
        assert!(message == "message" && message.shares(&whole));
        let copied = whole.part("level");
        assert!(copied == part && !copied.shares(&whole));
        assert_eq!([whole.part(""), Text::default()], ["", ""]);
    }
}
