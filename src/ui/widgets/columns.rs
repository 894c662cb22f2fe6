//! Columns of lists and trees: which of them there is room for, and how wide each is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Look, after};
use crate::ui::text::{Piece, paint, width};

/// Cells between two columns.
pub(super) const GAP: u16 = 2;

/// To which side of its column a cell keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column. Its width does not depend on which rows are in sight, so that nothing moves while scrolling.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Its name; empty for none.
    pub title: &'a str,
    /// The least width at which it is worth showing.
    pub min: u16,
    /// The width that shows all of it.
    pub want: u16,
    /// 1 for the column that is kept longest; greater numbers fall away first where it is narrow.
    pub priority: u8,
    /// To which side its cells keep.
    pub align: Align,
}

impl<'a> Column<'a> {
    /// A column of words.
    pub fn left(title: &'a str, min: u16, want: u16, priority: u8) -> Self {
        Self { title, min, want: want.max(min), priority, align: Align::Left }
    }

    /// A column of numbers.
    pub fn right(title: &'a str, min: u16, want: u16, priority: u8) -> Self {
        Self { align: Align::Right, ..Self::left(title, min, want, priority) }
    }
}

/// The width of each column, None for those that fall away. The first by priority is always shown.
pub(super) fn fit(columns: &[Column<'_>], room: u16) -> Vec<Option<u16>> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns[*index].priority);
    let mut widths = vec![None; columns.len()];
    let mut left = room;
    for (rank, index) in order.iter().enumerate() {
        let needed = columns[*index].min + if rank == 0 { 0 } else { GAP };
        if rank > 0 && needed > left {
            // All that matter less go with it: a column never shows while a more important one does not.
            break;
        }
        widths[*index] = Some(columns[*index].min.min(left));
        left = left.saturating_sub(needed);
    }
    for index in order {
        if let Some(width) = &mut widths[index] {
            let more = columns[index].want.saturating_sub(*width).min(left);
            *width += more;
            left -= more;
        }
    }
    widths
}

/// Paints cells side by side. A row with fewer cells than there are columns gives its last cell the rest of the row.
pub(super) fn paint_cells(
    buffer: &mut Buffer,
    row: Rect,
    columns: &[Column<'_>],
    widths: &[Option<u16>],
    cells: &[Vec<Piece<'_>>],
    look: &Look<'_>,
) {
    let mut rest = row;
    for (index, cell) in cells.iter().enumerate() {
        let (Some(Some(wanted)), Some(column)) = (widths.get(index), columns.get(index)) else { continue };
        let spreads = index + 1 == cells.len() && cells.len() < columns.len();
        let room = if spreads { rest.width } else { (*wanted).min(rest.width) };
        let area = Rect { width: room, ..rest };
        let taken = u16::try_from(width(cell, look.ascii())).unwrap_or(u16::MAX).min(room);
        let indent = if column.align == Align::Right && !spreads { room - taken } else { 0 };
        paint(buffer, after(area, indent), cell, look);
        rest = after(rest, room + GAP);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_least_important_fall_away_first() {
        let columns = [Column::left("A", 10, 20, 1), Column::left("B", 5, 5, 3), Column::right("C", 4, 8, 2)];
        assert_eq!(fit(&columns, 60), [Some(20), Some(5), Some(8)]);
        assert_eq!(fit(&columns, 25), [Some(12), Some(5), Some(4)]);
        assert_eq!(fit(&columns, 22), [Some(16), None, Some(4)]);
        assert_eq!(fit(&columns, 15), [Some(15), None, None]);
        assert_eq!(fit(&columns, 3), [Some(3), None, None]);
        assert_eq!(fit(&[], 3), []);
    }

    proptest! {
        #[test]
        fn columns_never_take_more_than_there_is(room in 0_u16..200, sizes in proptest::collection::vec((1_u16..30, 0_u16..60, 0_u8..9), 1..9)) {
            let columns: Vec<Column<'_>> = sizes.iter().map(|(min, want, priority)| Column::left("", *min, *want, *priority)).collect();
            let shown: Vec<u16> = fit(&columns, room).into_iter().flatten().collect();
            prop_assert!(!shown.is_empty());
            let gaps = GAP * u16::try_from(shown.len() - 1).unwrap();
            prop_assert!(shown.iter().sum::<u16>() + gaps <= room);
        }
    }
}
