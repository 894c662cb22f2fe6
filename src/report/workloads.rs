//! The workloads of a plugin, or all with their plugins.

use super::paint::{Paint, Style};
use super::{Answer, Table, markdown};
use crate::analysis::answers::{WorkloadSummary, WorkloadsAnswer};
use crate::model::warning::Warning;

impl Answer for WorkloadsAnswer {
    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn text(&self, paint: Paint) -> String {
        match &self.plugin {
            Some(plugin) if self.workloads.is_empty() => format!("{} applies to no workload.\n", paint.paint(Style::Plugin, plugin)),
            None if self.workloads.is_empty() => "No workloads here; look in all namespaces with -A.\n".to_owned(),
            _ => table(self).text(paint),
        }
    }

    fn markdown(&self) -> String {
        format!("{}{}", table(self).markdown(), markdown::warnings(&self.warnings))
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
                (Style::Plain, workload.mtls.mode.to_string()),
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
            (Style::Plain, workload.mtls.mode.to_string()),
            (Style::Strong, count(workload.inbound)),
            (Style::Plain, count(workload.elsewhere)),
            (Style::Plain, states.join(", ")),
        ]);
    }
    table
}

fn pods(workload: &WorkloadSummary) -> String {
    format!("{}/{}", workload.ready, workload.pods)
}
