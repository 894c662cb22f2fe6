//! Which name may have been meant.

/// How long a name is at most that is compared letter by letter: a key of a label has 317 characters.
const LONGEST: usize = 320;

/// How many letters have to be put in, taken out or changed to make one text of the other (Levenshtein). Of texts that are no names
/// the longer counts as replaced.
pub(super) fn edits(a: &str, b: &str) -> usize {
    if a == b {
        return 0;
    }
    if a.len().max(b.len()) > LONGEST {
        return a.chars().count().max(b.chars().count());
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, from) in a.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

/// Whether one text may be a slip of the other: a third of its letters at most.
pub(super) fn is_slip(written: &str, meant: &str) -> bool {
    written != meant && edits(written, meant) * 3 <= meant.chars().count().max(3)
}

/// The name that may have been meant, where one is near enough.
pub(super) fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names.filter(|name| is_slip(written, name)).min_by_key(|name| (edits(written, name), *name))
}

#[cfg(test)]
mod tests {
    use super::{edits, nearest};

    #[test]
    fn a_slip_is_told_from_another_name() {
        assert_eq!(edits("httpbin", "httpbin"), 0);
        assert_eq!(edits("httpbn", "httpbin"), 1);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(nearest("htpbin", ["sleep", "httpbin", "httpbun"].into_iter()), Some("httpbin"));
        assert_eq!(nearest("sleep", ["httpbin"].into_iter()), None);
        assert_eq!(nearest("httpbin", ["httpbin"].into_iter()), None, "what is written right is no slip");
    }

    #[test]
    fn texts_that_are_no_names_are_not_compared_letter_by_letter() {
        let (long, other) = ("a".repeat(60_000), "a".repeat(59_999));
        assert_eq!(edits(&long, &long), 0);
        assert_eq!(edits(&long, &other), 60_000);
        assert_eq!(nearest(&long, [other.as_str()].into_iter()), None);
        assert_eq!(edits(&"é".repeat(160), &"é".repeat(159)), 1, "a name of the greatest length");
    }
}
