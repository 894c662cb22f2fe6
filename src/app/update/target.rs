//! What is in question on the visible screen: the proxy, the plugin and the workload of the selected row.

use super::logs;
use crate::analysis::lookup;
use crate::app::program::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Focus, Line, Subject};
use crate::model::ids::{PluginId, ProxyId, WorkloadId};

/// The note of a key that needs a plugin, on a finding about none.
pub(super) const NO_PLUGIN: &str = "the finding is about no plugin";

/// The plugin of the selected row, else of the screen. Where there is none, that is reported.
pub(super) fn plugin(app: &mut App) -> Option<PluginId> {
    let screen = app.screen();
    let plugin = match (screen.selected(), screen.plugins(), screen.findings()) {
        (Some(Row::Plugin(index)), Some(answer), _) => Some(answer.plugins[*index].id.clone()),
        (Some(Row::Finding(index)), _, Some(answer)) => answer.findings[*index].plugin.clone(),
        _ => logs::line(screen).and_then(|record| record.plugin.clone()).or_else(|| screen.plugin().cloned()),
    };
    if plugin.is_none() {
        let is_finding = matches!(screen.selected(), Some(Row::Finding(_)));
        app.note = Some(if is_finding { NO_PLUGIN } else { "no plugin is selected" }.to_owned());
    }
    plugin
}

/// The proxy of the selected row, with the plugin in question.
pub(in crate::app) fn in_question(app: &App) -> Option<Focus> {
    let screen = app.screen();
    match (screen.selected(), &screen.subject) {
        (_, Subject::Chains(focus) | Subject::Why(focus) | Subject::Connection(focus, _) | Subject::Diff(focus)) => Some(focus.clone()),
        (_, Subject::Logs(of) | Subject::Record(Line { of, .. })) => logs::focus(app, of),
        (row, Subject::Order(focus)) => {
            let plugin = row.and_then(|row| rows::order::plugin(screen, row)).or(focus.plugin.as_ref());
            Some(Focus { plugin: plugin.cloned(), ..focus.clone() })
        }
        (Some(row), Subject::Timeline(_)) => rows::timeline::focus(app, row),
        (Some(Row::Finding(index)), _) => {
            let finding = &screen.findings()?.findings[*index];
            let proxy = finding.place.as_ref().map(|place| &place.proxy).or(finding.proxies.first()).cloned();
            proxy.map(|proxy| Focus { plugin: finding.plugin.clone(), workload: lookup::owner(&app.snapshot, &proxy), proxy })
        }
        (Some(Row::Plugin(index)), _) => {
            let plugin = &screen.plugins()?.plugins[*index];
            let first = plugin.proxies.first();
            first.map(|(workload, proxy)| Focus {
                plugin: Some(plugin.id.clone()),
                workload: Some(workload.clone()),
                proxy: proxy.proxy.clone(),
            })
        }
        (Some(row @ Row::Health(_)), Subject::Health(plugin)) => rows::health::proxy(screen, row).map(|proxy| Focus {
            plugin: Some(plugin.clone()),
            workload: lookup::owner(&app.snapshot, proxy),
            proxy: proxy.clone(),
        }),
        (Some(Row::Workload(index)), Subject::Workloads(plugin)) => {
            let workload = &screen.workloads()?.workloads[*index];
            let proxy = workload.proxies.first().map(|proxy| proxy.proxy.clone()).or_else(|| first_proxy(app, *index));
            proxy.map(|proxy| Focus { plugin: Some(plugin.clone()), workload: Some(workload.id.clone()), proxy })
        }
        (Some(Row::Proxy(index, proxy)), Subject::Workloads(plugin)) => {
            let workload = &screen.workloads()?.workloads[*index];
            let proxy = workload.proxies[*proxy].proxy.clone();
            Some(Focus { plugin: Some(plugin.clone()), workload: Some(workload.id.clone()), proxy })
        }
        (Some(row @ Row::SyncProxy(_)), _) => rows::sync::entry(screen, row).map(|entry| {
            let proxy = entry.proxy.clone();
            Focus { plugin: None, workload: lookup::owner(&app.snapshot, &proxy), proxy }
        }),
        _ => None,
    }
}

/// Why it is not known to what a plugin of the overview applies.
pub(super) fn unknown(app: &App, index: usize) -> Option<String> {
    app.screen().plugins()?.plugins.get(index)?.matched_note.clone()
}

/// The focus of [`in_question`]; where there is none, the note gives the reason.
pub(super) fn focus(app: &mut App) -> Option<Focus> {
    let found = in_question(app);
    if found.is_none() {
        app.note = Some(match app.screen().selected() {
            Some(Row::Plugin(index)) => unknown(app, *index)
                .unwrap_or_else(|| "the plugin applies to no proxy, so there are no chains to show; n says why".to_owned()),
            Some(Row::Step(..) | Row::Unseen(..) | Row::Sentence(_)) => "that is no proxy's: select a line of one".to_owned(),
            Some(Row::Workload(_)) => "the workload has no proxy that runs Envoy".to_owned(),
            _ if logs::line(app.screen()).is_some() => "the line is of no proxy".to_owned(),
            Some(Row::Finding(_)) => "the finding is about no proxy".to_owned(),
            _ => "nothing is selected".to_owned(),
        });
    }
    found
}

/// The workload of the selected row, with a proxy or without.
pub(super) fn workload(app: &mut App) -> Option<WorkloadId> {
    let screen = app.screen();
    if let (Some(Row::Workload(index) | Row::Proxy(index, _)), Some(answer)) = (screen.selected(), screen.workloads()) {
        return Some(answer.workloads[*index].id.clone());
    }
    let focus = focus(app)?;
    if focus.workload.is_none() {
        app.note = Some("a config dump alone has no PeerAuthentications, so nothing says which mode is in force".to_owned());
    }
    focus.workload
}

/// The first proxy of a workload that the plugin does not apply to.
fn first_proxy(app: &App, index: usize) -> Option<ProxyId> {
    let id = &app.screen().workloads()?.workloads[index].id;
    let workload = app.snapshot.workloads.iter().find(|workload| workload.id == *id)?;
    let has_envoy = |proxy: &&ProxyId| app.snapshot.objects.pods.get(*proxy).is_some_and(|pod| pod.runs_envoy());
    workload.pods.iter().find(has_envoy).cloned()
}
