//! Where the values of a text are that an access log has in a format of the mesh's own, and which of them can be nowhere else.

use std::ops::Range;

use super::access_format::{PATH, What};

/// The places of the values in a text, each as far to the left as it can be and the path ending at the nth of the places where it could;
/// None where there are not so many, and a None within it where the text is another.
pub(super) fn divided(line: &str, parts: &[(What, String)], nth: usize) -> Option<Option<Vec<Range<usize>>>> {
    let (mut places, mut at) = (Vec::with_capacity(parts.len()), 0);
    if nth > 0 && !parts.iter().any(|(what, behind)| *what == What::Column(PATH) && !behind.is_empty()) {
        return None;
    }
    for (what, behind) in parts {
        let left = &line[at..];
        let end = match (behind.as_str(), what) {
            ("", _) => left.len(),
            (behind, What::Column(PATH)) => left.match_indices(behind).nth(nth)?.0,
            (behind, _) => match left.find(behind) {
                Some(end) => end,
                None => return Some(None),
            },
        };
        places.push(at..at + end);
        at += end + behind.len();
    }
    Some((at == line.len()).then_some(places))
}

/// The places of the values, each as far to the right as it can be.
pub(super) fn last(line: &str, parts: &[(What, String)]) -> Option<Vec<Range<usize>>> {
    let (behind, before) = parts.split_last().map(|((_, behind), before)| (behind, before))?;
    let (mut places, mut end) = (Vec::with_capacity(parts.len()), line.strip_suffix(behind.as_str())?.len());
    for (_, behind) in before.iter().rev() {
        let at = line[..end].rfind(behind.as_str())?;
        places.push(at + behind.len()..end);
        end = at;
    }
    places.push(0..end);
    places.reverse();
    Some(places)
}

/// The places that are the only ones, empty ones for the others: where values without quotes hold what is between them, as the list of
/// X-Forwarded-For holds blanks, no place is sure.
pub(super) fn agreed(first: Vec<Range<usize>>, last: &[Range<usize>], parts: &[(What, String)]) -> Vec<Range<usize>> {
    let (mut sure, mut places) = (true, Vec::with_capacity(first.len()));
    for ((first, last), (what, behind)) in first.into_iter().zip(last).zip(parts) {
        let begins = sure || first.start == last.start;
        sure = first.end == last.end || begins && what.is_word() && behind.starts_with([' ', '\t', '"', ']', '|', ';']);
        places.push(if begins && sure { first } else { 0..0 });
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_end_in_two_places_has_none() {
        let columns = [What::Column(3), What::Column(10), What::Other, What::Other];
        let parts: Vec<(What, String)> = columns.into_iter().zip([" ", " ", " ", ""].map(str::to_owned)).collect();
        let places = |line: &str| agreed(divided(line, &parts, 0).unwrap().unwrap(), &last(line, &parts).unwrap(), &parts);
        let texts = |line: &'static str| places(line).into_iter().map(|place| &line[place]).collect::<Vec<_>>();
        assert_eq!(texts("200 5 a b"), ["200", "5", "a", "b"]);
        assert_eq!(texts("200 5 a, b c"), ["200", "5", "", ""]);
    }
}
