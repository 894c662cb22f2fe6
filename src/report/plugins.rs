//! The overview of plugins.

use super::Table;
use super::form::Form;
use super::paint::{Paint, Style};
use crate::analysis::answers::{PluginsAnswer, summed};
use crate::model::warning::Warning;

impl Form for PluginsAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn nothing(&self, _: Paint) -> Option<String> {
        self.plugins.is_empty().then(|| "No WasmPlugin or TrafficExtension here; look in all namespaces with -A.\n".to_owned())
    }

    fn text(&self, paint: Paint) -> String {
        table(self).text(paint)
    }

    fn markdown(&self) -> String {
        table(self).markdown()
    }
}

/// What is said, with the reason why it is not known to what the plugin applies.
fn noted(said: String, note: Option<&str>) -> String {
    match note {
        Some(note) => format!("{said} ({note})"),
        None => said,
    }
}

fn table(answer: &PluginsAnswer) -> Table {
    let mut table =
        Table::new(&["PLUGIN", "KIND", "MATCHES", "STATE", "INBOUND", "ELSEWHERE", "PHASE", "PRIORITY", "MATCH", "FAIL STRATEGY", "URL"]);
    for plugin in &answer.plugins {
        let count = |counts: Option<crate::analysis::answers::Counts>| counts.map(|counts| counts.to_string()).unwrap_or_default();
        table.row([
            (Style::Plugin, plugin.plugin.clone()),
            (Style::Plain, plugin.plugin_kind.to_string()),
            (Style::Plain, plugin.matched_said()),
            (Style::of(plugin.rollup.weight()), noted(summed(plugin.rollup, &plugin.states), plugin.matched_note.as_deref())),
            (Style::Strong, count(plugin.inbound)),
            (Style::Plain, count(plugin.elsewhere)),
            (Style::Plain, plugin.phase.clone()),
            (Style::Plain, plugin.priority.map(|priority| priority.to_string()).unwrap_or_default()),
            (Style::Plain, plugin.matches.clone()),
            (Style::Plain, plugin.fail_strategy.clone()),
            (Style::Muted, if plugin.extension == "Lua" { "(Lua)".to_owned() } else { plugin.url.clone() }),
        ]);
    }
    table
}
