//! The workloads of a plugin, or all with their plugins.

use std::fmt::Write;

use super::Table;
use super::form::Form;
use super::paint::{Paint, Style};
use crate::analysis::answers::{Part, WorkloadSummary, WorkloadsAnswer};
use crate::analysis::near_miss::NearMiss;
use crate::model::printable::printable;
use crate::model::warning::Warning;

impl Form for WorkloadsAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn nothing(&self, paint: Paint) -> Option<String> {
        if !self.workloads.is_empty() {
            return None;
        }
        let Some(plugin) = &self.plugin else { return Some("No workloads here; look in all namespaces with -A.\n".to_owned()) };
        let (painted, missed) = (paint.paint(Style::Plugin, plugin), self.part == Part::Missed);
        Some(match &self.matched_note {
            Some(note) if missed => format!("It is unknown which workloads {painted} does not reach: {note}.\n"),
            Some(note) => format!("It is unknown to which workloads {painted} applies: {note}.\n"),
            None if missed => format!("{painted} reaches every workload here.\n"),
            None => format!(
                "{painted} applies to no workload; `meshscope workloads {} --near-misses` says what keeps it from each.\n",
                printable(plugin)
            ),
        })
    }

    fn text(&self, paint: Paint) -> String {
        match &self.plugin {
            Some(plugin) if self.part == Part::Missed => missed(self, plugin, paint),
            _ => table(self).text(paint),
        }
    }

    fn markdown(&self) -> String {
        if self.part == Part::Missed { missed_table(self).markdown() } else { table(self).markdown() }
    }
}

fn table(answer: &WorkloadsAnswer) -> Table {
    if answer.plugin.is_none() {
        let mut table = Table::new(&["NAMESPACE", "WORKLOAD", "PODS", "PROXY", "MTLS", "PLUGINS"]);
        for workload in &answer.workloads {
            table.row([
                (Style::Plain, workload.id.name.namespace.clone()),
                (Style::Strong, workload.short.clone()),
                (Style::Plain, pods(workload)),
                (Style::Plain, workload.proxy_kind.unwrap_or_default().to_owned()),
                (Style::Plain, workload.mode_word().to_owned()),
                (Style::Plugin, workload.plugins.join(", ")),
            ]);
        }
        return table;
    }
    let mut table = Table::new(&["NAMESPACE", "WORKLOAD", "PODS", "WHY", "MTLS", "INBOUND", "ELSEWHERE", "STATE"]);
    for workload in &answer.workloads {
        let count = |counts: Option<crate::analysis::answers::Counts>| counts.map(|counts| counts.to_string()).unwrap_or_default();
        let mut states: Vec<&str> = workload.proxies.iter().map(|proxy| proxy.state.words()).collect();
        states.dedup();
        table.row([
            (Style::Plain, workload.id.name.namespace.clone()),
            (Style::Strong, workload.short.clone()),
            (Style::Plain, pods(workload)),
            (Style::Plain, workload.reason.clone()),
            mode(workload),
            (Style::Strong, count(workload.inbound)),
            (Style::Plain, count(workload.elsewhere)),
            (Style::Plain, states.join(", ")),
        ]);
    }
    table
}

/// `STRICT`, and whether it has not come to a proxy.
fn mode(workload: &WorkloadSummary) -> (Style, String) {
    match workload.mode_lags() {
        Some(_) => (Style::Warn, format!("! {}", workload.mode_word())),
        None => (Style::Plain, workload.mode_word().to_owned()),
    }
}

fn pods(workload: &WorkloadSummary) -> String {
    format!("{}/{}", workload.ready, workload.pods)
}

/// Each workload that the plugin does not reach: why, and what would have to change.
fn missed(answer: &WorkloadsAnswer, plugin: &str, paint: Paint) -> String {
    let plugin = paint.paint(Style::Plugin, plugin);
    let mut out = format!("What keeps {plugin} from {}, the nearest first:\n", counted(answer.workloads.len()));
    for (workload, miss) in misses(answer) {
        let name = paint.paint(Style::Strong, &workload.short);
        let namespace = paint.paint(Style::Plain, &workload.id.name.namespace);
        let _ = writeln!(out, "\n{name} in {namespace}: {}", paint.paint(Style::Muted, &miss.how_near()));
        let _ = writeln!(out, "  {}", paint.paint(Style::Plain, &workload.reason));
        // Of one condition the reason says all.
        for condition in miss.conditions.iter().filter(|_| miss.conditions.len() > 1) {
            let _ = writeln!(out, "  fails: {}", paint.paint(Style::Plain, condition));
        }
        let labels = if miss.labels.is_empty() { String::new() } else { labels(miss).text(paint) };
        for line in labels.lines() {
            let _ = writeln!(out, "    {line}");
        }
        if let Some(change) = &miss.change {
            let _ = writeln!(out, "  {} {}", paint.paint(Style::Strong, "to reach it:"), paint.paint(Style::Plain, change));
        }
    }
    out
}

fn misses(answer: &WorkloadsAnswer) -> impl Iterator<Item = (&WorkloadSummary, &NearMiss)> {
    answer.workloads.iter().filter_map(|workload| Some((workload, workload.near_miss.as_ref()?)))
}

fn counted(workloads: usize) -> String {
    if workloads == 1 { "one workload".to_owned() } else { format!("{workloads} workloads") }
}

/// The selector's labels and the pod's, side by side.
fn labels(miss: &NearMiss) -> Table {
    let mut table = Table::new(&["LABEL", "SELECTOR", "POD", "RESULT"]);
    for line in &miss.labels {
        let style = if line.agrees { Style::Plain } else { Style::Warn };
        table.row([
            (Style::Plain, line.key.clone()),
            (Style::Plain, line.wanted.clone()),
            (Style::Plain, line.found.clone().unwrap_or_default()),
            (style, line.verdict().to_owned()),
        ]);
    }
    table
}

fn missed_table(answer: &WorkloadsAnswer) -> Table {
    let mut table = Table::new(&["NAMESPACE", "WORKLOAD", "HOW NEAR", "WHY NOT", "TO REACH IT"]);
    for (workload, miss) in misses(answer) {
        table.row([
            (Style::Plain, workload.id.name.namespace.clone()),
            (Style::Plain, workload.short.clone()),
            (Style::Plain, miss.how_near()),
            (Style::Plain, workload.reason.clone()),
            (Style::Plain, miss.change.clone().unwrap_or_default()),
        ]);
    }
    table
}
