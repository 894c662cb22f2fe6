//! Finding by any letters of a name in their order. A thin cover over the matcher, so that its limits are in one place.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

/// How many characters of a text and of a pattern are looked at. The matcher's work grows with their product.
const MAX_TEXT: usize = 512;
const MAX_PATTERN: usize = 64;

/// One text that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its place among the texts that were searched.
    pub index: usize,
    /// The positions of the characters that were found, counted in characters.
    pub positions: Vec<usize>,
}

/// A pattern, ready to be matched with texts. Letters match in either case unless the pattern has a capital.
pub struct Pattern {
    matcher: SkimMatcherV2,
    words: Vec<String>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pattern").field("words", &self.words).finish_non_exhaustive()
    }
}

impl Pattern {
    /// Takes the words of a pattern; a text must match each.
    pub fn new(pattern: &str) -> Self {
        let pattern: String = pattern.chars().take(MAX_PATTERN).collect();
        let matcher = SkimMatcherV2::default().smart_case().element_limit(MAX_TEXT * MAX_PATTERN);
        Self { matcher, words: pattern.split_whitespace().map(str::to_owned).collect() }
    }

    /// Whether every text matches.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The positions found in a text, with a score that is higher the better it matches; None where it does not.
    pub fn find(&self, text: &str) -> Option<(i64, Vec<usize>)> {
        let text = head(text);
        let (mut score, mut positions) = (0_i64, Vec::new());
        for word in &self.words {
            let (points, found) = self.matcher.fuzzy_indices(text, word)?;
            score = score.saturating_add(points);
            positions.extend(found);
        }
        positions.sort_unstable();
        positions.dedup();
        Some((score, positions))
    }

    /// The texts that match, the best first; equals keep the order they came in, the shorter before the longer.
    pub fn rank<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Vec<Hit> {
        let mut found: Vec<(i64, usize, Hit)> = texts
            .into_iter()
            .enumerate()
            .filter_map(|(index, text)| {
                let (score, positions) = self.find(text)?;
                // Without a pattern, order is the caller's.
                let length = if self.is_empty() { 0 } else { text.len() };
                Some((score, length, Hit { index, positions }))
            })
            .collect();
        found.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)).then(one.2.index.cmp(&other.2.index)));
        found.into_iter().map(|(_, _, hit)| hit).collect()
    }
}

fn head(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(pattern: &str, texts: &[&str]) -> Vec<usize> {
        Pattern::new(pattern).rank(texts.iter().copied()).into_iter().map(|hit| hit.index).collect()
    }

    #[test]
    fn ranks_the_best_first_and_keeps_the_order_of_equals() {
        assert_eq!(order("hw", &["default/near-miss", "default/helloworld", "hw"]), [2, 1]);
        assert_eq!(order("", &["b", "aa", "c"]), [0, 1, 2]);
        assert_eq!(order("a", &["xa", "xa", "xa"]), [0, 1, 2]);
    }

    #[test]
    fn a_capital_asks_for_a_capital() {
        assert_eq!(order("gw", &["GW", "gw"]).len(), 2);
        assert_eq!(order("GW", &["GW", "gw"]), [0]);
    }

    #[test]
    fn every_word_must_match_and_positions_are_characters() {
        let pattern = Pattern::new("wörld hel");
        let (_, positions) = pattern.find("hel-é-wörld").unwrap();
        assert_eq!(positions, [0, 1, 2, 6, 7, 8, 9, 10]);
        assert!(pattern.find("hel").is_none());
    }

    #[test]
    fn long_texts_are_cut_and_do_no_harm() {
        let long = format!("{}z", "é".repeat(100_000));
        assert!(Pattern::new("z").find(&long).is_none());
        assert!(Pattern::new(&"é".repeat(1000)).find(&long).is_some());
    }

    proptest! {
        #[test]
        fn positions_are_within_the_text(pattern in "\\PC{0,12}", text in "\\PC{0,40}") {
            if let Some((_, positions)) = Pattern::new(&pattern).find(&text) {
                prop_assert!(positions.iter().all(|position| *position < text.chars().count()));
            }
        }
    }
}
