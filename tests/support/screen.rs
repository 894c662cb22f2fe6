//! A screen as text that keeps its styles: the glyphs, then for each row runs of style letters, then what they stand for.

use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// The text of a screen, for snapshots.
pub fn show(buffer: &Buffer) -> String {
    let mut styles: Vec<(Color, Color, Modifier)> = Vec::new();
    let mut glyphs = String::new();
    let mut runs: Vec<String> = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut row: Vec<(usize, usize)> = Vec::new();
        let mut line = String::new();
        let mut hidden = 0;
        for x in buffer.area.left()..buffer.area.right() {
            let cell = &buffer[(x, y)];
            if hidden == 0 {
                line.push_str(cell.symbol());
                hidden = unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1);
            }
            hidden -= 1;
            let style = (cell.fg, cell.bg, cell.modifier);
            let letter = styles.iter().position(|known| *known == style).unwrap_or_else(|| {
                styles.push(style);
                styles.len() - 1
            });
            match row.last_mut() {
                Some((last, count)) if *last == letter => *count += 1,
                _ => row.push((letter, 1)),
            }
        }
        writeln!(glyphs, "{}", line.trim_end()).unwrap();
        runs.push(row.iter().map(|(letter, count)| format!("{}{count}", name(*letter))).collect::<Vec<_>>().join(" "));
    }
    let mut text = glyphs;
    writeln!(text, "--- styles").unwrap();
    let mut first = 0;
    while first < runs.len() {
        let last = (first..runs.len()).take_while(|row| runs[*row] == runs[first]).last().unwrap_or(first);
        let rows = if first == last { format!("{first}") } else { format!("{first}-{last}") };
        writeln!(text, "{rows}: {}", runs[first]).unwrap();
        first = last + 1;
    }
    writeln!(text, "--- legend").unwrap();
    for (letter, (fg, bg, modifier)) in styles.iter().enumerate() {
        writeln!(text, "{}: {fg} on {bg} {modifier:?}", name(letter)).unwrap();
    }
    text
}

fn name(letter: usize) -> String {
    let alphabet = b"abcdefghijklmnopqrstuvwxyz";
    let last = char::from(alphabet[letter % 26]);
    if letter < 26 { last.to_string() } else { format!("{}{last}", char::from(alphabet[letter / 26 - 1])) }
}
