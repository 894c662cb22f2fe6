//! In which order plugins run: the plugins with the reason for each place, then the ruler with them in their places.

use std::fmt::Write;

use super::form::Form;
use super::paint::{Paint, Style};
use super::{Table, markdown};
use crate::analysis::answers::{OrderAnswer, OrderEntry, OrderList, RulerMark};
use crate::model::warning::Warning;

impl Form for OrderAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        if self.workloads.is_empty() {
            return "The workload has no pod to look at.\n".to_owned();
        }
        self.workloads.iter().map(|entry| text(entry, paint)).collect::<Vec<_>>().join("\n")
    }

    fn markdown(&self) -> String {
        let entries = if self.workloads.is_empty() {
            "\nThe workload has no pod to look at.\n".to_owned()
        } else {
            self.workloads.iter().map(entry_markdown).collect()
        };
        format!("### In which order plugins run\n{entries}")
    }
}

fn text(entry: &OrderEntry, paint: Paint) -> String {
    let plain = |text: &str| paint.paint(Style::Plain, text);
    let mut out = String::new();
    let _ = writeln!(out, "Plugins of {}{}", paint.paint(Style::Strong, &owner(entry)), plain(&format!("{}{}", entry.proxy, kind(entry))));
    for line in entry.said() {
        let _ = writeln!(out, "  {}", plain(&line));
    }
    for group in entry.shown() {
        let _ = writeln!(out, "\n  {}", paint.paint(Style::Strong, &entry.heading(&group)));
        out.push_str(&indented(&plugins(&entry.lists[group[0]]), paint));
        for list in group.iter().map(|index| &entry.lists[*index]) {
            let _ = writeln!(out, "\n  {}", paint.paint(Style::Strong, &list.heading()));
            out.push_str(&indented(&ruler(list), paint));
            for (style, sentence) in sentences(list) {
                let _ = writeln!(out, "    {}", paint.paint(style, &sentence));
            }
        }
    }
    out
}

fn entry_markdown(entry: &OrderEntry) -> String {
    let plain = |text: &str| Paint::Plain.paint(Style::Plain, text);
    let mut out = format!("\n#### {}{}{}\n\n", plain(&owner(entry)), markdown::code(&entry.proxy.to_string()), kind(entry));
    for line in entry.said() {
        let _ = writeln!(out, "- {}", plain(&line));
    }
    for group in entry.shown() {
        let _ = writeln!(out, "\n**{}**\n", entry.heading(&group));
        let first = &entry.lists[group[0]];
        if !first.plugins.is_empty() {
            let _ = writeln!(out, "{}", plugins(first).markdown());
        }
        for list in group.iter().map(|index| &entry.lists[*index]) {
            let _ = writeln!(out, "{}\n\n{}", list.heading(), ruler(list).markdown());
            for (_, sentence) in sentences(list) {
                let _ = writeln!(out, "- {}", plain(&sentence));
            }
            out.push('\n');
        }
    }
    out
}

fn owner(entry: &OrderEntry) -> String {
    entry.workload.as_ref().map(|workload| format!("{} {workload}, ", entry.workload_kind.unwrap_or_default())).unwrap_or_default()
}

fn kind(entry: &OrderEntry) -> String {
    entry.proxy_kind.map(|kind| format!(" ({kind})")).unwrap_or_default()
}

fn plugins(list: &OrderList) -> Table {
    let mut table = Table::new(&["PLACE", "PLUGIN", "KIND", "PHASE", "PRIORITY", "CREATED", "MATCH", "STATE", "WHY HERE"]);
    for plugin in &list.plugins {
        table.row([
            (Style::Strong, plugin.place.to_string()),
            (Style::Plugin, plugin.plugin.clone()),
            (Style::Plain, plugin.plugin_kind.to_string()),
            (Style::Plain, plugin.phase.clone()),
            (Style::Plain, plugin.priority.map(|priority| priority.to_string()).unwrap_or_default()),
            (Style::Plain, plugin.created.clone().unwrap_or_default()),
            (Style::Plain, plugin.matches.clone()),
            plugin.state.map_or((Style::Plain, String::new()), |state| (Style::of(state.weight()), state.words().to_owned())),
            (Style::Plain, plugin.why.clone()),
        ]);
    }
    table
}

fn ruler(list: &OrderList) -> Table {
    let mut table = Table::new(&["FILTER", "WHAT", "CHAINS", "WHEN"]);
    for place in &list.ruler {
        let there = place.chains.is_none_or(|chains| chains > 0);
        let (style, cells) = match &place.what {
            RulerMark::Phase { .. } => (Style::Strong, [place.name(), "place of plugins".to_owned(), String::new()]),
            RulerMark::Plugin { place: number, plugin, .. } => {
                let applies = list.plugins.get(number - 1).map(|plugin| plugin.applies.clone()).unwrap_or_default();
                (if there { Style::Plugin } else { Style::Warn }, [plugin.clone(), format!("plugin {number}"), applies])
            }
            RulerMark::BuiltIn(built_in) => {
                (if there { Style::Plain } else { Style::Muted }, [place.name(), built_in.what.to_owned(), built_in.when.to_owned()])
            }
        };
        let [name, what, when] = cells;
        table.row([(style, name), (style, what), (style, list.share(place.chains)), (Style::Muted, when)]);
    }
    table
}

/// What can never be, what the proxy has, and how it differs.
fn sentences(list: &OrderList) -> Vec<(Style, String)> {
    let mut found: Vec<(Style, String)> = list.limits.iter().map(|limit| (Style::Plain, limit.clone())).collect();
    for sequence in &list.found {
        found.push((Style::Muted, sequence.text()));
    }
    found.extend(list.differences().map(|difference| (Style::Warn, difference.clone())));
    found
}

fn indented(table: &Table, paint: Paint) -> String {
    if table.is_empty() { String::new() } else { table.text(paint).lines().map(|line| format!("    {line}\n")).collect() }
}
