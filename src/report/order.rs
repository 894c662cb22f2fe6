//! In which order plugins run: the plugins with the reason for each place, then the ruler with them in their places.

use std::fmt::Write;

use super::paint::{Paint, Style};
use super::{Answer, Table, markdown};
use crate::analysis::answers::{FoundFilters, OrderAnswer, OrderEntry, OrderList, RulerMark, RulerPlace};
use crate::analysis::order::FilterList;
use crate::model::warning::Warning;

impl Answer for OrderAnswer {
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
        format!("### In which order plugins run\n{entries}{}", markdown::warnings(&self.warnings))
    }
}

fn text(entry: &OrderEntry, paint: Paint) -> String {
    let plain = |text: &str| paint.paint(Style::Plain, text);
    let mut out = String::new();
    let _ = writeln!(out, "Plugins of {}{}", paint.paint(Style::Strong, &owner(entry)), plain(&format!("{}{}", entry.proxy, kind(entry))));
    for line in said(entry) {
        let _ = writeln!(out, "  {}", plain(&line));
    }
    for group in alike(entry) {
        let _ = writeln!(out, "\n  {}", paint.paint(Style::Strong, &heading(&group)));
        out.push_str(&indented(&plugins(group[0]), paint));
        for list in group {
            let _ = writeln!(out, "\n  {}", paint.paint(Style::Strong, &ruler_heading(list)));
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
    for line in said(entry) {
        let _ = writeln!(out, "- {}", plain(&line));
    }
    for group in alike(entry) {
        let _ = writeln!(out, "\n**{}**\n", heading(&group));
        if !group[0].plugins.is_empty() {
            let _ = writeln!(out, "{}", plugins(group[0]).markdown());
        }
        for list in group {
            let _ = writeln!(out, "{}\n\n{}", ruler_heading(list), ruler(list).markdown());
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

/// What is to be said before the lists.
fn said(entry: &OrderEntry) -> Vec<String> {
    let mut lines =
        vec![format!("rules of Istio {}: {}", entry.istio_version, entry.istio_version_note), format!("config dump: {}", entry.dump_note)];
    lines.extend(entry.note.clone());
    lines.extend(entry.left_out.iter().map(|plugin| format!("{} {} has no place: {}", plugin.plugin_kind, plugin.plugin, plugin.why)));
    lines
}

/// The lists to show, those with the same plugins together: all of HTTP, and those network lists that have plugins.
fn alike(entry: &OrderEntry) -> Vec<Vec<&OrderList>> {
    let mut groups: Vec<Vec<&OrderList>> = Vec::new();
    for list in entry.lists.iter().filter(|list| list.filters == FilterList::Http || list.has_plugins()) {
        match groups.iter_mut().find(|group| group[0].filters == list.filters && group[0].plugins == list.plugins) {
            Some(group) => group.push(list),
            None => groups.push(vec![list]),
        }
    }
    groups
}

/// `HTTP filters, inbound and outbound: 2 plugins in running order`.
fn heading(group: &[&OrderList]) -> String {
    let directions: Vec<&str> = group.iter().map(|list| list.direction.as_str()).collect();
    let count = match group[0].plugins.len() {
        0 => "no plugin".to_owned(),
        1 => "1 plugin".to_owned(),
        more => format!("{more} plugins in running order"),
    };
    format!("{}, {}: {count}", group[0].filters.as_str(), directions.join(" and "))
}

fn plugins(list: &OrderList) -> Table {
    let mut table = Table::new(&["PLACE", "PLUGIN", "KIND", "PHASE", "PRIORITY", "CREATED", "MATCH", "WHY HERE"]);
    for plugin in &list.plugins {
        table.row([
            (Style::Strong, plugin.place.to_string()),
            (Style::Plugin, plugin.plugin.clone()),
            (Style::Plain, plugin.plugin_kind.to_string()),
            (Style::Plain, plugin.phase.clone()),
            (Style::Plain, plugin.priority.map(|priority| priority.to_string()).unwrap_or_default()),
            (Style::Plain, plugin.created.clone().unwrap_or_default()),
            (Style::Plain, plugin.matches.clone()),
            (Style::Plain, plugin.why.clone()),
        ]);
    }
    table
}

fn ruler_heading(list: &OrderList) -> String {
    let counted = match (list.chains, &list.chains_note) {
        (Some(1), _) => "counted from the proxy's one chain".to_owned(),
        (Some(chains), _) => format!("counted from the proxy's {chains} chains"),
        (None, note) => note.clone().unwrap_or_default(),
    };
    format!("{}, {}: {counted}", list.filters.as_str(), list.direction.as_str())
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
        table.row([(style, name), (style, what), (style, chains(place, list)), (Style::Muted, when)]);
    }
    table
}

/// `4 of 4`; nothing where there is nothing to count.
fn chains(place: &RulerPlace, list: &OrderList) -> String {
    let counts = place.chains.zip(list.chains);
    counts.map(|(chains, of)| if chains == 0 { "none".to_owned() } else { format!("{chains} of {of}") }).unwrap_or_default()
}

/// What can never be, what the proxy has, and how it differs.
fn sentences(list: &OrderList) -> Vec<(Style, String)> {
    let mut found: Vec<(Style, String)> = list.limits.iter().map(|limit| (Style::Plain, limit.clone())).collect();
    for sequence in &list.found {
        found.push((Style::Muted, format!("In {} of the proxy's chains: {}", sequence.chains, names(sequence))));
        found.extend(sequence.differences.iter().map(|difference| (Style::Warn, difference.clone())));
    }
    found
}

fn names(sequence: &FoundFilters) -> String {
    sequence.filters.iter().map(|filter| filter.filter.shown()).collect::<Vec<_>>().join(" > ")
}

fn indented(table: &Table, paint: Paint) -> String {
    if table.is_empty() { String::new() } else { table.text(paint).lines().map(|line| format!("    {line}\n")).collect() }
}
