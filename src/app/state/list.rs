//! A selection in a list, and which rows are visible.

use std::ops::Range;

/// Which row is selected, and which one stood at the top when it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListState {
    /// The selected row.
    pub selected: usize,
    /// The row at the top. Only a wish: [`window`] says what is shown.
    pub offset: usize,
}

/// The row at the top, so that the selected row is visible and the view moves no more than it must.
pub fn window(selected: usize, offset: usize, height: usize, total: usize) -> usize {
    if height == 0 || total <= height {
        return 0;
    }
    let selected = selected.min(total - 1);
    let lowest = (selected + 1).saturating_sub(height);
    offset.clamp(lowest, selected).min(total - height)
}

impl ListState {
    /// The visible rows.
    pub fn visible(&self, height: usize, total: usize) -> Range<usize> {
        let first = window(self.selected, self.offset, height, total);
        first..total.min(first + height)
    }

    /// Moves by so many rows, over those that cannot be selected, and stops at the ends.
    pub fn step(&mut self, rows: isize, height: usize, total: usize, selectable: impl Fn(usize) -> bool) {
        let Some(last) = total.checked_sub(1) else {
            *self = Self::default();
            return;
        };
        let target = self.selected.min(last).saturating_add_signed(rows).min(last);
        let onward = if rows < 0 { (0..=target).rev().find(|row| selectable(*row)) } else { (target..total).find(|row| selectable(*row)) };
        // Nothing to select further on: the nearest that there is on this side.
        let nearest = onward.or_else(|| {
            if rows < 0 { (target..total).find(|row| selectable(*row)) } else { (0..=target).rev().find(|row| selectable(*row)) }
        });
        self.select(nearest.unwrap_or(0), height, total);
        if !(0..self.selected).any(&selectable) {
            // What is above the first row, such as a heading, becomes visible with it.
            self.offset = 0;
            self.offset = window(self.selected, self.offset, height, total);
        }
    }

    /// Goes to a row.
    pub fn select(&mut self, row: usize, height: usize, total: usize) {
        self.selected = row.min(total.saturating_sub(1));
        self.offset = window(self.selected, self.offset, height, total);
    }

    /// Goes to the first row that can be selected.
    pub fn first(&mut self, height: usize, total: usize, selectable: impl Fn(usize) -> bool) {
        self.step(isize::MIN, height, total, selectable);
    }

    /// Goes to the last row that can be selected.
    pub fn last(&mut self, height: usize, total: usize, selectable: impl Fn(usize) -> bool) {
        self.step(isize::MAX, height, total, selectable);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_view_moves_no_more_than_it_must() {
        assert_eq!(window(5, 3, 4, 20), 3);
        assert_eq!(window(7, 3, 4, 20), 4);
        assert_eq!(window(2, 3, 4, 20), 2);
        assert_eq!(window(19, 19, 4, 20), 16);
        assert_eq!(window(3, 9, 10, 5), 0);
    }

    #[test]
    fn steps_over_headings_and_stops_at_the_ends() {
        let rows = |row: usize| row != 0 && row != 3 && row != 5;
        let mut list = ListState { selected: 1, offset: 1 };
        list.step(1, 3, 6, rows);
        assert_eq!(list.selected, 2);
        list.step(1, 3, 6, rows);
        assert_eq!(list.selected, 4);
        list.step(1, 3, 6, rows);
        assert_eq!(list.selected, 4);
        list.first(3, 6, rows);
        assert_eq!(list, ListState { selected: 1, offset: 0 });
        list.last(3, 6, rows);
        assert_eq!(list.selected, 4);
        list.step(1, 3, 0, rows);
        assert_eq!(list, ListState::default());
    }

    proptest! {
        #[test]
        fn the_selection_is_always_in_sight(selected in 0_usize..50, offset in 0_usize..99, height in 1_usize..30, total in 1_usize..50) {
            let list = ListState { selected: selected.min(total - 1), offset };
            let visible = list.visible(height, total);
            prop_assert!(visible.contains(&list.selected));
            prop_assert_eq!(visible.len(), height.min(total));
        }

        #[test]
        fn steps_land_on_what_can_be_selected(mask in proptest::collection::vec(any::<bool>(), 1..20), rows in any::<isize>(), from in 0_usize..30, height in 0_usize..9) {
            let mut list = ListState { selected: from, offset: from };
            list.step(rows, height, mask.len(), |row| mask[row]);
            prop_assert!(mask[list.selected] || !mask.contains(&true));
        }
    }
}
