//! Columns of text, as wide as their widest cell.

use unicode_width::UnicodeWidthStr;

use super::paint::{Paint, Style};
use crate::model::printable::printable;

/// Rows of cells under a header.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// A table with these column names.
    pub fn new(header: &[&str]) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [(Style, String); N]) {
        self.row_of(cells.into());
    }

    /// Adds a row of a table whose columns depend on what is shown.
    pub fn row_of(&mut self, cells: Vec<(Style, String)>) {
        self.rows.push(cells);
    }

    /// The table as text; empty cells are a dash.
    pub fn text(&self, paint: Paint) -> String {
        let shown = |text: &str| if text.is_empty() { "-".to_owned() } else { printable(text).into_owned() };
        let mut widths: Vec<usize> = self.header.iter().map(|name| name.width()).collect();
        for row in &self.rows {
            for (width, (_, text)) in widths.iter_mut().zip(row) {
                *width = (*width).max(shown(text).width());
            }
        }
        let mut out = String::new();
        let header = self.header.iter().map(|name| (Style::Muted, name.clone())).collect::<Vec<_>>();
        for row in std::iter::once(&header).chain(&self.rows) {
            let mut line = String::new();
            for (index, ((style, text), width)) in row.iter().zip(&widths).enumerate() {
                let text = shown(text);
                line.push_str(&paint.paint(*style, &text));
                if index + 1 < row.len() {
                    line.push_str(&" ".repeat(width - text.width() + 3));
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// The table as Markdown.
    pub fn markdown(&self) -> String {
        let cell = |text: &str| printable(text).replace('|', "\\|");
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut out = line(self.header.iter().map(|name| cell(name)).collect());
        out.push_str(&line(self.header.iter().map(|_| "---".to_owned()).collect()));
        for row in &self.rows {
            out.push_str(&line(row.iter().map(|(_, text)| cell(text)).collect()));
        }
        out
    }
}
