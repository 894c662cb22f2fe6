//! Finds the first of several texts, at the speed of memory: what is looked for in every byte of dumps and logs.

use aho_corasick::{AhoCorasick, Input, Match, MatchKind, Span, packed};

/// A search with SIMD, or where the processor has none, or the texts are too many, an automaton: ten times slower, and the same
/// finds.
#[derive(Debug)]
pub enum Finder {
    /// With SIMD.
    Packed(packed::Searcher),
    /// Without.
    Automaton(AhoCorasick),
}

impl Finder {
    /// Looks for these texts; of two that begin at one place, the first counts. None where there is nothing to look for.
    pub fn new<T: AsRef<[u8]>>(texts: &[T]) -> Option<Self> {
        let packed = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder().extend(texts).build();
        let automaton = || AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(texts).ok();
        packed.map(Self::Packed).or_else(|| automaton().map(Self::Automaton)).filter(|_| !texts.is_empty())
    }

    /// The first of the texts from `from` on.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<Match> {
        let from = from.min(bytes.len());
        match self {
            Self::Packed(finder) => finder.find_in(bytes, Span::from(from..bytes.len())),
            Self::Automaton(finder) => finder.find(Input::new(bytes).range(from..)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_and_many_texts_are_found_alike() {
        let many: Vec<String> = (100..400).map(|number| format!("name-{number}")).collect();
        for texts in [&many[..4], &many[..]] {
            let finder = Finder::new(texts).unwrap();
            let found = finder.find(b"a name-99, a name-103, a name-100", 3).unwrap();
            assert_eq!((found.pattern().as_usize(), found.range()), (3, 13..21));
            assert_eq!(finder.find(b"a name-103", 99), None);
        }
        assert!(Finder::new::<&str>(&[]).is_none());
    }
}
