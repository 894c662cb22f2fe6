//! Every mark that is drawn, with its twin for terminals that show ASCII alone.

use ratatui::symbols::border;

/// A set of marks. All but the border are one cell wide unless their name says more.
#[derive(Debug, PartialEq, Eq)]
pub struct Symbols {
    /// Whether it keeps to ASCII.
    pub ascii: bool,
    /// It is as it should be.
    pub good: &'static str,
    /// It may not be what was meant.
    pub warning: &'static str,
    /// It is broken.
    pub bad: &'static str,
    /// The plugin is here; the source is live.
    pub dot: &'static str,
    /// The same, hollow: not here, not live.
    pub ring: &'static str,
    /// A row whose inside is shown.
    pub expanded: &'static str,
    /// A row whose inside is hidden.
    pub collapsed: &'static str,
    /// The selected row.
    pub selected: &'static str,
    /// A text goes on where there is no room.
    pub ellipsis: &'static str,
    /// A line across.
    pub rule: &'static str,
    /// Between the steps of a way: lab › default.
    pub step: &'static str,
    /// Between two facts of one line.
    pub between: &'static str,
    /// So many times.
    pub times: &'static str,
    /// Leads to; up to two cells.
    pub arrow: &'static str,
    /// At least; up to two cells.
    pub at_least: &'static str,
    /// How much, from nothing to the most.
    pub bars: [&'static str; 9],
    /// There is more above.
    pub more_above: &'static str,
    /// There is more below.
    pub more_below: &'static str,
    /// Lines around a pane.
    pub border: border::Set<'static>,
}

/// The marks for terminals that show Unicode.
pub const UNICODE: Symbols = Symbols {
    ascii: false,
    good: "✓",
    warning: "!",
    bad: "✗",
    dot: "●",
    ring: "○",
    expanded: "▾",
    collapsed: "▸",
    selected: "▸",
    ellipsis: "…",
    rule: "─",
    step: "›",
    between: "·",
    times: "×",
    arrow: "→",
    at_least: "≥",
    bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    more_above: "↑",
    more_below: "↓",
    border: border::PLAIN,
};

/// Their twins.
pub const ASCII: Symbols = Symbols {
    ascii: true,
    good: "+",
    warning: "!",
    bad: "x",
    dot: "*",
    ring: "o",
    expanded: "v",
    collapsed: ">",
    selected: ">",
    ellipsis: "~",
    rule: "-",
    step: ">",
    between: "|",
    times: "x",
    arrow: "->",
    at_least: ">=",
    bars: [" ", ".", ":", "-", "=", "+", "*", "#", "@"],
    more_above: "^",
    more_below: "v",
    border: border::Set {
        top_left: "+",
        top_right: "+",
        bottom_left: "+",
        bottom_right: "+",
        vertical_left: "|",
        vertical_right: "|",
        horizontal_top: "-",
        horizontal_bottom: "-",
    },
};

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    fn marks(set: &Symbols) -> [&'static str; 15] {
        [
            set.good,
            set.warning,
            set.bad,
            set.dot,
            set.ring,
            set.expanded,
            set.collapsed,
            set.selected,
            set.ellipsis,
            set.rule,
            set.step,
            set.between,
            set.times,
            set.more_above,
            set.more_below,
        ]
    }

    #[test]
    fn marks_are_one_cell_and_have_ascii_twins() {
        for set in [&UNICODE, &ASCII] {
            assert!(marks(set).iter().all(|mark| mark.width() == 1));
        }
        assert!(marks(&ASCII).iter().all(|mark| mark.is_ascii()));
        assert!(ASCII.arrow.is_ascii() && ASCII.at_least.is_ascii());
        assert!(UNICODE.bars.iter().chain(&ASCII.bars).all(|bar| bar.width() == 1) && ASCII.bars.concat().is_ascii());
    }
}
