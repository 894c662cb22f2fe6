//! Where the person is in a text that is longer than the screen.

/// Which row of the wrapped text is at the top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextState {
    /// The row at the top, counted after wrapping.
    pub top: usize,
}

impl TextState {
    /// Moves by so many rows; the last row stays at the bottom.
    pub fn step(&mut self, rows: isize, height: usize, total: usize) {
        let last = total.saturating_sub(height);
        self.top = self.top.min(last).saturating_add_signed(rows).min(last);
    }

    /// Brings a row into sight, a third down the screen where there is room.
    pub fn show(&mut self, row: usize, height: usize, total: usize) {
        if row < self.top || row >= self.top.saturating_add(height) {
            self.top = row.saturating_sub(height / 3).min(total.saturating_sub(height));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_the_text() {
        let mut text = TextState::default();
        text.step(isize::MAX, 10, 25);
        assert_eq!(text.top, 15);
        text.step(-3, 10, 25);
        assert_eq!(text.top, 12);
        text.step(isize::MIN, 10, 25);
        assert_eq!(text.top, 0);
        text.step(5, 10, 7);
        assert_eq!(text.top, 0);
        text.show(20, 9, 25);
        assert_eq!(text.top, 16);
        text.show(17, 9, 25);
        assert_eq!(text.top, 16);
    }
}
