//! What other programs put in the place of tabs: no-break spaces of a web page or a chat, `\t` of an escaped text, `#011` of rsyslog.

use std::borrow::Cow;

use super::super::{blanks, time};

/// The marks, and what each was.
pub(super) const MARKS: [(&str, &str); 3] = [("\u{a0}", " "), ("\\t", "\t"), ("#011", "\t")];

/// The line with its tabs, where a mark is between its time and its level; else as it is.
pub(super) fn restored(line: &str) -> Cow<'_, str> {
    let plain = || Cow::Borrowed(line);
    let Some((_, rest)) = time::rfc3339(line) else { return plain() };
    let column = rest.trim_start_matches([' ', '\t']);
    let Some((mark, tab)) = MARKS.iter().find(|(mark, _)| column.starts_with(mark)) else { return plain() };
    // A level follows, so that the mark is no part of a message.
    let level = column.trim_start_matches(mark).find(mark).map(|_| rest.replace(mark, tab));
    match level.filter(|rest| blanks::begins(rest)) {
        Some(tabbed) => Cow::Owned(format!("{}{tabbed}", &line[..line.len() - rest.len()])),
        None => plain(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_time_and_level_shows_marks() {
        let tabs = "2023-05-10T03:16:18.100000Z\tinfo\twasm\tfetching";
        for mark in ["\\t", "#011"] {
            assert_eq!(restored(&tabs.replace('\t', mark)), tabs, "{mark}");
        }
        assert_eq!(restored(&tabs.replace('\t', "\u{a0}\u{a0}")), tabs.replace('\t', "  "));
        for other in [tabs, "2023-05-10T03:16:18Z\tinfo\ta\\tb#011c", "2023-05-10T03:16:18Z#011 odd", "\\tinfo\\t", ""] {
            assert!(matches!(restored(other), Cow::Borrowed(_)), "{other}");
        }
    }
}
