//! What istiod sent and each proxy made of it: a line a proxy, then what is not as it should be.

use std::fmt::Write;

use super::form::Form;
use super::paint::{Paint, Style};
use super::{Table, markdown};
use crate::analysis::answers::{SyncAnswer, SyncEntry};
use crate::analysis::health::PluginState;
use crate::model::warning::Warning;

impl Form for SyncAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        let plain = |text: &str| paint.paint(Style::Plain, text);
        let mut out = format!("{}\n", paint.paint(Style::Strong, &self.headline()));
        for istiod in &self.istiods {
            let _ = writeln!(out, "  {}", plain(&istiod.sentence()));
        }
        if let Some(skew) = &self.skew {
            let _ = writeln!(out, "  {}", paint.paint(Style::Warn, skew));
        }
        if !self.proxies.is_empty() {
            let _ = write!(out, "\n{}", table(self).text(paint));
        }
        for entry in self.proxies.iter().filter(|entry| !entry.said().is_empty()) {
            let _ = writeln!(out, "\n{}", paint.paint(Style::Strong, &entry.proxy.to_string()));
            for sentence in entry.said() {
                let _ = writeln!(out, "  {}", paint.paint(style(entry), &sentence));
            }
        }
        if let Some(note) = self.note {
            let _ = writeln!(out, "\n{}", paint.paint(Style::Muted, note));
        }
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("### What istiod sent, and what the proxies have\n\n{}\n\n", self.headline());
        for said in self.istiods.iter().map(|istiod| istiod.sentence()).chain(self.skew.clone()) {
            let _ = writeln!(out, "- {}", Paint::Plain.paint(Style::Plain, &said));
        }
        if !self.proxies.is_empty() {
            let _ = write!(out, "\n{}", table(self).markdown());
        }
        for entry in self.proxies.iter().filter(|entry| !entry.said().is_empty()) {
            let _ = writeln!(out, "\n{}\n", markdown::code(&entry.proxy.to_string()));
            for sentence in entry.said() {
                let _ = writeln!(out, "- {}", Paint::Plain.paint(Style::Plain, &sentence));
            }
        }
        if let Some(note) = self.note {
            let _ = writeln!(out, "\n{note}");
        }
        out
    }
}

fn table(answer: &SyncAnswer) -> Table {
    let types = answer.types.iter().map(String::as_str);
    let header: Vec<&str> = ["PROXY", "WORKLOAD"].into_iter().chain(types).chain(["PLUGINS", "ISTIOD", "VERSION"]).collect();
    let mut table = Table::new(&header);
    for entry in &answer.proxies {
        let plain = |text: Option<String>| (Style::Plain, text.unwrap_or_default());
        let mut cells = vec![(Style::Strong, entry.proxy.to_string()), (Style::Plain, entry.short.clone())];
        match entry.types.as_slice() {
            [] => {
                let (style, said) = entry.stopped.as_deref().map_or((Style::Bad, "not connected"), |why| (Style::Muted, why));
                cells.extend(answer.types.iter().map(|_| (style, said.to_owned())));
            }
            types => cells.extend(types.iter().map(|found| (Style::of(found.weight()), found.cell()))),
        }
        let lacks = |state: PluginState| state.is_trouble() || state == PluginState::Leftover;
        let style = if entry.plugin_states.iter().any(|plugin| lacks(plugin.state)) { Style::Warn } else { Style::Plain };
        cells.extend([(style, entry.plugins_cell()), plain(entry.istiod.clone()), plain(entry.version.clone())]);
        table.row_of(cells);
    }
    table
}

fn style(entry: &SyncEntry) -> Style {
    if entry.is_trouble() { Style::Warn } else { Style::Plain }
}
