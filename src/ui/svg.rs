//! A screen as an SVG picture: the same cells give the same bytes, on every machine.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::theme::{Role, Theme, rgb};

/// The size of a cell, and of the letters in it: DejaVu Sans Mono is 0.602 as wide as it is high.
const CELL: (usize, usize) = (9, 19);
const FONT_SIZE: usize = 15;
/// Where letters stand in their cell.
const BASELINE: usize = 14;
/// Space around the screen.
const MARGIN: usize = 10;

/// The picture of a screen. Where a cell has the terminal's own colours, the theme's are taken, or those of a dark screen.
pub fn svg(buffer: &Buffer, theme: &Theme, title: &str) -> String {
    let ground = theme.style(Role::Text);
    let (ink, paper) = (hex(ground.fg, "#d6d9e0"), hex(ground.bg, "#16181d"));
    let (width, height) = (usize::from(buffer.area.width) * CELL.0 + 2 * MARGIN, usize::from(buffer.area.height) * CELL.1 + 2 * MARGIN);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"'JetBrains Mono','DejaVu Sans Mono',monospace\" font-size=\"{FONT_SIZE}\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"{paper}\"/>\n",
        escape(title)
    );
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for row in 0..buffer.area.height {
        let runs = runs(buffer, row, &ink, &paper, &mut lines);
        let y = usize::from(row) * CELL.1 + MARGIN;
        for run in runs.iter().filter(|run| run.look.paper != paper) {
            let (x, width) = (run.x(), run.cells * CELL.0);
            let _ = writeln!(picture, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{}\" fill=\"{}\"/>", CELL.1, run.look.paper);
        }
        for run in runs.iter().filter(|run| run.is_seen()) {
            let (skip, text) = run.letters();
            let (x, y, width) = (run.x() + skip * CELL.0, y + BASELINE, (run.cells - skip).min(run.width_of(text)) * CELL.0);
            let _ = writeln!(
                picture,
                "<text x=\"{x}\" y=\"{y}\" textLength=\"{width}\" xml:space=\"preserve\" fill=\"{}\"{}>{}</text>",
                run.look.ink,
                run.look.attributes(),
                escape(text)
            );
        }
    }
    for (color, path) in lines {
        let _ = writeln!(picture, "<path d=\"{path}\" stroke=\"{color}\" fill=\"none\"/>");
    }
    picture.push_str("</svg>\n");
    picture
}

/// How a cell looks, colours resolved.
#[derive(Clone, PartialEq, Eq)]
struct CellLook {
    ink: String,
    paper: String,
    modifiers: Modifier,
}

impl CellLook {
    fn of(cell: &Cell, ink: &str, paper: &str) -> Self {
        let (mut front, mut back) = (hex(Some(cell.fg), ink), hex(Some(cell.bg), paper));
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut front, &mut back);
        }
        Self { ink: front, paper: back, modifiers: cell.modifier - Modifier::REVERSED }
    }

    fn attributes(&self) -> String {
        let known = [
            (Modifier::BOLD, " font-weight=\"bold\""),
            (Modifier::ITALIC, " font-style=\"italic\""),
            (Modifier::UNDERLINED, " text-decoration=\"underline\""),
            (Modifier::DIM, " opacity=\"0.65\""),
        ];
        known.iter().filter(|(modifier, _)| self.modifiers.contains(*modifier)).map(|(_, attribute)| *attribute).collect()
    }
}

/// Neighbouring cells that look the same.
struct Run {
    start: usize,
    cells: usize,
    text: String,
    look: CellLook,
}

impl Run {
    fn x(&self) -> usize {
        self.start * CELL.0 + MARGIN
    }

    fn is_seen(&self) -> bool {
        !self.letters().1.is_empty()
    }

    /// What is to be written, and after how many cells: spaces around it are seen only where they are underlined.
    fn letters(&self) -> (usize, &str) {
        if self.look.modifiers.contains(Modifier::UNDERLINED) {
            return (0, &self.text);
        }
        let text = self.text.trim_start_matches(' ');
        (self.text.len() - text.len(), text.trim_end_matches(' '))
    }

    /// How many cells a part of the run takes.
    fn width_of(&self, part: &str) -> usize {
        if self.is_wide() { self.cells } else { part.chars().count() }
    }

    /// Whether it is one character that takes more than one cell, or one cell of several characters.
    fn is_wide(&self) -> bool {
        self.cells != self.text.chars().count()
    }
}

/// The runs of one row. Lines of boxes are drawn into `lines` by colour instead, since letters would leave gaps.
fn runs(buffer: &Buffer, row: u16, ink: &str, paper: &str, lines: &mut BTreeMap<String, String>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    while column < buffer.area.width {
        let cell = &buffer[(buffer.area.x + column, buffer.area.y + row)];
        let look = CellLook::of(cell, ink, paper);
        let cells = cell.symbol().width().max(1);
        let start = usize::from(column);
        let symbol = match arms(cell.symbol()) {
            Some(arms) => {
                draw(lines.entry(look.ink.clone()).or_default(), (start, usize::from(row)), arms);
                " "
            }
            None => cell.symbol(),
        };
        match runs.last_mut() {
            // A wide character has a run of its own, so that its width is kept whatever the font.
            // So has what stands after a gap, so that columns stay under each other whatever the font.
            Some(run)
                if run.look == look
                    && cells == 1
                    && symbol.chars().count() == 1
                    && !run.is_wide()
                    && !(symbol != " " && run.text.trim_start().ends_with("  ")) =>
            {
                run.cells += 1;
                run.text.push_str(symbol);
            }
            _ => runs.push(Run { start, cells, text: symbol.to_owned(), look }),
        }
        column = column.saturating_add(u16::try_from(cells).unwrap_or(1));
    }
    runs
}

/// Which ways a box line goes from the middle of its cell: up, right, down, left.
fn arms(symbol: &str) -> Option<[bool; 4]> {
    let ways = match symbol {
        "─" => ".r.l",
        "│" => "u.d.",
        "┌" => ".rd.",
        "┐" => "..dl",
        "└" => "ur..",
        "┘" => "u..l",
        _ => return None,
    };
    Some(["u", "r", "d", "l"].map(|way| ways.contains(way)))
}

fn draw(path: &mut String, (column, row): (usize, usize), arms: [bool; 4]) {
    let (x0, y0) = (column * CELL.0 + MARGIN, row * CELL.1 + MARGIN);
    let (x1, y1) = (x0 + CELL.0, y0 + CELL.1);
    // Half a pixel in, so that a line is one pixel sharp.
    let (x, y) = (format!("{}.5", x0 + CELL.0 / 2), format!("{}.5", y0 + CELL.1 / 2));
    let _ = match arms {
        [false, true, false, true] => {
            // A line across goes on where the last one ended.
            let (end, begun) = (format!("H{x0}"), path.rsplit('M').next().is_some_and(|last| last.contains(&format!(" {y}H"))));
            if begun && path.ends_with(&end) {
                path.truncate(path.len() - end.len());
                write!(path, "H{x1}")
            } else {
                write!(path, "M{x0} {y}H{x1}")
            }
        }
        [true, false, true, false] => write!(path, "M{x} {y0}V{y1}"),
        [up, right, ..] => {
            let (side, end) = (if right { x1 } else { x0 }, if up { y0 } else { y1 });
            write!(path, "M{x} {end}V{y}H{side}")
        }
    };
}

fn hex(color: Option<Color>, default: &str) -> String {
    color.and_then(rgb).map_or_else(|| default.to_owned(), |[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
