//! What a plugin has said itself, of what is held.

use crate::analysis::logs::Severity;
use crate::model::logs::LogRecord;

/// How many lines a plugin has said, by how grave they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoken([usize; Severity::WORDS.len()]);

impl Spoken {
    /// Counts a line that it has said.
    pub fn add(&mut self, record: &LogRecord) {
        self.0[Severity::of(&record.level) as usize] += 1;
    }

    /// Counts a line no more.
    pub fn remove(&mut self, record: &LogRecord) {
        let count = &mut self.0[Severity::of(&record.level) as usize];
        *count = count.saturating_sub(1);
    }

    /// Whether it has said nothing.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    /// Whether it has said something, and nothing that a logger at Envoy's own level would hide.
    pub fn only_grave(&self) -> bool {
        let (hidden, shown) = self.0.split_at(Severity::Warning as usize);
        hidden.iter().all(|count| *count == 0) && shown.iter().any(|count| *count > 0)
    }

    /// How many lines it has said of which this level shows none; 0 where it shows some.
    pub fn hidden_by(&self, level: Option<Severity>) -> usize {
        let (hidden, shown) = self.0.split_at(level.map_or(0, |level| level as usize));
        if shown.iter().all(|count| *count == 0) { hidden.iter().sum() } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Severity, Spoken};

    #[test]
    fn what_a_logger_at_warning_would_hide_shows_that_it_is_not() {
        let spoken = |levels: &[Severity]| {
            let mut counts = Spoken::default();
            levels.iter().for_each(|level| counts.0[*level as usize] += 1);
            counts.only_grave()
        };
        assert!(spoken(&[Severity::Warning, Severity::Critical]));
        assert!(!spoken(&[Severity::Warning, Severity::Info]));
        assert!(!spoken(&[]), "a silent one is another matter");
    }
}
