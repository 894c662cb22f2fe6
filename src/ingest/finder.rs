//! Finds the first of several texts, at the speed of memory: what is looked for in every byte of dumps and logs.

use aho_corasick::{AhoCorasick, Input, Match, MatchKind, PatternID, Span, packed};

/// A search for texts, which costs little to go on with behind a find as well.
#[derive(Debug)]
pub struct Finder {
    search: Search,
    near: Option<Box<Near>>,
}

/// A search with SIMD, or where the processor has none, or the texts are too many, an automaton: ten times slower, and the same
/// finds.
#[derive(Debug)]
enum Search {
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
        let search = packed.map(Search::Packed).or_else(|| automaton().map(Search::Automaton)).filter(|_| !texts.is_empty())?;
        Some(Self { search, near: Near::new(texts) })
    }

    /// The first of the texts from `from` on.
    pub fn find(&self, bytes: &[u8], from: usize) -> Option<Match> {
        let mut from = from.min(bytes.len());
        if let Some(near) = &self.near
            && (from > 0 || bytes.len() <= Near::PLACES)
        {
            match near.find(bytes, from) {
                Ok(found) => return Some(found),
                Err(end) if end == bytes.len() => return None,
                Err(searched) => from = searched,
            }
        }
        match &self.search {
            Search::Packed(finder) => finder.find_in(bytes, Span::from(from..bytes.len())),
            Search::Automaton(finder) => finder.find(Input::new(bytes).range(from..)),
        }
    }
}

/// How many bytes a text is known by at once.
const HEAD: usize = 3;

/// A search of a few bytes, one by one. To begin the other costs as much as that, and where one text was found the next is often near.
#[derive(Debug)]
struct Near {
    /// By place and byte: which of the texts have this byte there.
    with: [[u64; 256]; HEAD],
    texts: Vec<Box<[u8]>>,
}

impl Near {
    /// How many bytes are looked at.
    const PLACES: usize = 32;

    /// None for texts that are shorter, or more than a number has bits.
    fn new<T: AsRef<[u8]>>(texts: &[T]) -> Option<Box<Self>> {
        let mut with = [[0; 256]; HEAD];
        for (index, text) in texts.iter().enumerate() {
            let bit = 1_u64.checked_shl(u32::try_from(index).ok()?)?;
            let head = text.as_ref().first_chunk::<HEAD>()?;
            with.iter_mut().zip(head).for_each(|(with, byte)| with[usize::from(*byte)] |= bit);
        }
        Some(Box::new(Self { with, texts: texts.iter().map(|text| text.as_ref().into()).collect() }))
    }

    /// The first text that begins at one of the next places; or from where on there may be one.
    fn find(&self, bytes: &[u8], from: usize) -> Result<Match, usize> {
        let rest = bytes.get(from..).unwrap_or_default();
        for (place, head) in rest.windows(HEAD).take(Self::PLACES).enumerate() {
            let &[first, second, third] = head else { break };
            let with = |place: usize, byte: u8| self.with[place][usize::from(byte)];
            let mut candidates = with(0, first) & with(1, second) & with(2, third);
            while candidates != 0 {
                let index = candidates.trailing_zeros() as usize;
                let at = from + place;
                if let Some(text) = self.texts.get(index)
                    && begins(&bytes[at..], text)
                {
                    return Ok(Match::new(PatternID::must(index), at..at + text.len()));
                }
                candidates &= candidates - 1;
            }
        }
        // Where fewer bytes are left than any text has, there is none.
        Err(if rest.len() < HEAD + Self::PLACES { bytes.len() } else { from + Self::PLACES })
    }
}

/// Whether bytes begin with a text of which the head is there: a few bytes are faster compared one by one.
fn begins(bytes: &[u8], text: &[u8]) -> bool {
    bytes.len() >= text.len() && bytes[HEAD..].iter().zip(&text[HEAD..]).all(|(byte, wanted)| byte == wanted)
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

    /// Behind a find, and in a short text, another search looks than in a long one.
    #[test]
    fn near_and_far_are_found_alike() {
        let texts = ["name", "named", "tap", "map-"];
        let (finder, parts) = (Finder::new(&texts).unwrap(), ["name", "named", "nam", "tap", "ta", "map", "-", "x", "", "n", "a"]);
        let mut number = 1_u32;
        for places in 0..2_000 {
            let part = |_| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                parts[(number >> 16) as usize % parts.len()].repeat(if number >> 28 == 0 { 20 } else { 1 })
            };
            let text: String = (0..places % 40).map(part).collect();
            let begins = |at: usize| texts.iter().position(|wanted| text[at..].starts_with(wanted)).map(|index| (index, at));
            for from in 0..=text.len() {
                let found = finder.find(text.as_bytes(), from).map(|found| (found.pattern().as_usize(), found.start()));
                assert_eq!(found, (from..text.len()).find_map(begins), "{text} {from}");
            }
        }
    }
}
