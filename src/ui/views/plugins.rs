//! Home: all plugins, what is in trouble first, and on a wide terminal all about the selected one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{empty, inset, list, or, pane, paragraph, state, widest, with_details};
use crate::analysis::answers::PluginSummary;
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::ids::PluginKind;
use crate::model::logs::hour;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::{Align, Column, Pane, Table, TableRow};

const COLUMNS: [Column<'static>; 9] = [
    Column { title: "PLUGIN", min: 18, want: 34, priority: 1, align: Align::Left },
    Column { title: "KIND", min: 10, want: 10, priority: 6, align: Align::Left },
    Column { title: "MATCHES", min: 7, want: 9, priority: 3, align: Align::Left },
    Column { title: "STATE", min: 20, want: 28, priority: 2, align: Align::Left },
    Column { title: "ON 15006", min: 8, want: 8, priority: 4, align: Align::Right },
    Column { title: "PHASE", min: 5, want: 5, priority: 7, align: Align::Left },
    Column { title: "PRIO", min: 4, want: 6, priority: 8, align: Align::Right },
    Column { title: "MODE", min: 4, want: 10, priority: 9, align: Align::Left },
    Column { title: "IMAGE", min: 14, want: 60, priority: 5, align: Align::Left },
];

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let selected = match screen.selected() {
        Some(Row::Plugin(index)) => screen.plugins().and_then(|answer| answer.plugins.get(*index)),
        _ => None,
    };
    let (left, right) = with_details(area, selected.is_some());
    let inside = pane(screen, vec![Piece::new(Role::Title, "Plugins")]).render(left, buffer, look);
    let height = Table::<fn(usize) -> TableRow<'static>>::body_height(inside.height);
    if screen.rows.is_empty() {
        let Subject::Plugins { namespace } = &screen.subject else { return height };
        let reason = empty::not_found(screen).unwrap_or_else(|| empty::plugins(app, namespace.as_deref()));
        reason.render(inside, buffer, look);
        return height;
    }
    let mut columns = COLUMNS;
    columns[0].want = widest(screen.plugins().iter().flat_map(|answer| &answer.plugins).map(|plugin| plugin.plugin.as_str()), &COLUMNS[0]);
    let counts = screen.plugins().iter().flat_map(|answer| &answer.plugins).map(|plugin| matches(plugin).len()).max().unwrap_or_default();
    columns[2].min = columns[2].min.max(u16::try_from(counts).unwrap_or(u16::MAX));
    // What is not known of some proxies is at the end of the words.
    let states = screen.plugins().iter().flat_map(|answer| &answer.plugins).map(|plugin| state::counts(plugin).len() + 2).max();
    columns[3].min = columns[3].min.max(u16::try_from(states.unwrap_or_default()).unwrap_or(u16::MAX).min(columns[3].want));
    if screen.plugins().is_some_and(|answer| answer.plugins.iter().any(|plugin| plugin.plugin_kind == PluginKind::TrafficExtension)) {
        columns[1] = Column::left("KIND", 16, 16, 6);
    }
    let row = |index: usize| match (&screen.rows[index], screen.plugins()) {
        (Row::Plugin(place), Some(answer)) => TableRow::Cells(cells(app, &answer.plugins[*place], rows::hits(screen, index), look)),
        _ => TableRow::Section(Vec::new()),
    };
    Table { columns: &columns, total: screen.rows.len(), row, state: list(screen), focused: true }.render(inside, buffer, look);
    if let (Some(plugin), Some(right)) = (selected, right) {
        let pane = Pane { title: vec![Piece::new(Role::Plugin, plugin.plugin.as_str())], ..Pane::default() };
        let inside = pane.render(right, buffer, look);
        paragraph(buffer, inset(inside), &details(app, plugin, look), look);
    }
    height
}

fn cells<'a>(app: &'a App, plugin: &'a PluginSummary, hits: &'a [usize], look: &Look<'_>) -> Vec<Vec<Piece<'a>>> {
    let or_none = |text: String| if text.is_empty() { Piece::new(Role::Muted, "-") } else { Piece::text(text) };
    vec![
        vec![Piece::text(plugin.plugin.as_str()).with_hits(hits)],
        vec![Piece::text(plugin.plugin_kind.as_str())],
        vec![Piece::text(matches(plugin))],
        state::of_plugin(app, plugin, look),
        inbound(app, plugin, look),
        vec![or_none(plugin.phase.clone())],
        vec![or_none(plugin.priority.map(|priority| priority.to_string()).unwrap_or_default())],
        vec![Piece::text(plugin.matches.as_str())],
        vec![Piece::new(Role::Muted, image(plugin))],
    ]
}

/// `1 of 5002`.
fn matches(plugin: &PluginSummary) -> String {
    plugin.matched_said()
}

/// The count in inbound listeners, with the one before where it changed in sight of this program.
fn inbound(app: &App, plugin: &PluginSummary, look: &Look<'_>) -> Vec<Piece<'static>> {
    let changed = plugin.proxies.iter().find_map(|(_, proxy)| state::inbound_change(app, &proxy.proxy, &plugin.id));
    match (changed, plugin.inbound) {
        (Some(change), Some(counts)) if counts.min == counts.max && counts.max == change.after => {
            state::in_column(change.before, &counts.to_string(), look)
        }
        _ => vec![state::count(plugin.inbound)],
    }
}

/// The module without scheme and registry, which are the same for most.
fn image(plugin: &PluginSummary) -> &str {
    if plugin.url.is_empty() {
        return if plugin.extension == "Lua" { "(Lua)" } else { "-" };
    }
    let rest = plugin.url.split_once("://").map_or(plugin.url.as_str(), |(_, rest)| rest);
    match rest.split_once('/') {
        Some((registry, image)) if registry.contains(['.', ':']) => image,
        _ => rest,
    }
}

fn details<'a>(app: &App, plugin: &'a PluginSummary, look: &Look<'_>) -> Vec<TextLine<'a>> {
    const NAME: usize = 12;
    let fact = |name: &str, text: String| TextLine::new([Piece::new(Role::Muted, format!("{name:<NAME$}")), Piece::text(text)]).hanging(12);
    let mut lines =
        vec![fact("kind", format!("{} ({}, {})", plugin.plugin_kind, or(plugin.extension, "nothing to run"), plugin.plugin_type))];
    let applies = match (plugin.selector.as_str(), plugin.target_refs.as_slice()) {
        ("", []) => "every workload in reach".to_owned(),
        ("", targets) => targets.join(", "),
        (selector, _) => selector.to_owned(),
    };
    lines.push(fact(if plugin.target_refs.is_empty() { "selector" } else { "targetRefs" }, applies));
    lines.push(fact("matches", if plugin.workloads.is_empty() { "nothing".to_owned() } else { plugin.workloads.join(", ") }));
    let mut line = fact("state", String::new());
    line.pieces.extend(state::of_plugin(app, plugin, look));
    lines.push(line);
    if let Some(time) = state::read_at(app, plugin.proxies.iter().map(|(_, proxy)| &proxy.proxy)) {
        lines.push(fact("read", hour(time)));
    }
    let count =
        |counts: Option<crate::analysis::answers::Counts>| counts.map_or_else(|| "not read".to_owned(), |counts| counts.to_string());
    lines.push(fact("inbound", count(plugin.inbound)));
    lines.push(fact("elsewhere", count(plugin.elsewhere)));
    lines.push(TextLine::default());
    for (name, value) in [("url", &plugin.url), ("sha256", &plugin.sha256), ("pluginName", &plugin.plugin_name)] {
        if !value.is_empty() {
            lines.push(fact(name, value.clone()));
        }
    }
    if !plugin.fail_strategy.is_empty() {
        lines.push(fact("on failure", plugin.fail_strategy.clone()));
    }
    if !plugin.extension.is_empty() {
        // `manifests/charts/istio-control/istio-discovery/values.yaml: global.proxy.logLevel`: a plugin that logs at level info may seem silent.
        lines.push(fact("logs", "level warning and above, unless set".to_owned()));
    }
    lines.push(fact("match", plugin.matches.clone()));
    lines.push(fact("phase", or(&plugin.phase, "unset: after AUTHN, AUTHZ and STATS").to_owned()));
    lines.push(fact("priority", plugin.priority.map_or_else(|| "unset".to_owned(), |priority| priority.to_string())));
    lines.push(TextLine::default());
    lines.extend(proxies(plugin));
    lines
}

/// How many proxies the details name.
const MOST_PROXIES: usize = 8;

fn proxies(plugin: &PluginSummary) -> Vec<TextLine<'_>> {
    let mut lines: Vec<TextLine<'_>> = plugin
        .proxies
        .iter()
        .take(MOST_PROXIES)
        .map(|(_, proxy)| {
            let note = Piece::new(Role::Muted, proxy.state_note.as_str());
            TextLine::new([Piece::text(format!("{}: ", proxy.proxy)), note]).hanging(2)
        })
        .collect();
    let more = plugin.proxies.len().saturating_sub(MOST_PROXIES);
    if more > 0 {
        lines.push(TextLine::new([Piece::new(Role::Muted, format!("and {more} more; Enter shows all workloads"))]));
    }
    lines
}
