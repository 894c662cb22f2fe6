//! The workloads of a plugin: those that it applies to, by which rule, with its counts and state; then all others.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::{empty, inset, list, pane, paragraph, shifted, state, widest, with_details, workload_details};
use crate::analysis::answers::{Counts, WorkloadSummary};
use crate::analysis::health::PluginState;
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::Screen;
use crate::model::ids::ProxyId;
use crate::model::peer_authentication::MtlsMode;
use crate::ui::Look;
use crate::ui::text::Piece;
use crate::ui::theme::Role;
use crate::ui::widgets::{Align, Column, Pane, Table, TableRow};

const COLUMNS: [Column<'static>; 6] = [
    Column { title: "WORKLOAD", min: 18, want: 40, priority: 1, align: Align::Left },
    Column { title: "PODS", min: 5, want: 5, priority: 6, align: Align::Left },
    Column { title: "WHY IT MATCHES", min: 20, want: 70, priority: 5, align: Align::Left },
    Column { title: "mTLS", min: 10, want: 10, priority: 4, align: Align::Left },
    Column { title: "N in/out", min: 10, want: 10, priority: 3, align: Align::Left },
    Column { title: "STATE", min: 10, want: 18, priority: 2, align: Align::Left },
];

/// The height from which the details of a near-miss stand below a list that is too narrow for them beside it.
const TALL: u16 = 18;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let name = screen.plugin().map(ToString::to_string).unwrap_or_default();
    let title = vec![Piece::new(Role::Title, "Workloads of "), Piece::new(Role::Plugin, name)];
    let selected = match screen.selected() {
        Some(Row::Workload(place) | Row::Proxy(place, _)) => screen.workloads().and_then(|answer| answer.workloads.get(*place)),
        _ => None,
    };
    let missed = selected.is_some_and(|workload| workload.near_miss.is_some());
    let (rest, details) = match with_details(area, selected.is_some()) {
        // What would have to change is worth a part of a narrow screen too.
        (area, None) if missed && area.height >= TALL => {
            let [above, below] = area.layout(&Layout::vertical([Constraint::Fill(1), Constraint::Length(area.height / 2)]));
            (above, Some(below))
        }
        beside => beside,
    };
    let inside = pane(screen, title).render(rest, buffer, look);
    let height = Table::<fn(usize) -> TableRow<'static>>::body_height(inside.height);
    let Some(answer) = screen.workloads().filter(|_| !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::workloads(app)).render(inside, buffer, look);
        return height;
    };
    let mut columns = COLUMNS;
    // Namespaces stand behind the names of other namespaces' workloads.
    let names = answer.workloads.iter().map(|workload| if own(screen, workload) { workload.short.as_str() } else { &workload.workload });
    columns[0].want = widest(names, &COLUMNS[0]).saturating_add(6).min(COLUMNS[0].want);
    if answer.workloads.iter().any(|workload| workload.mode_lags().is_some()) {
        // The mark takes two cells.
        columns[3].want += 2;
    }
    let row = |index: usize| match &screen.rows[index] {
        Row::Workload(place) => TableRow::Cells(workload(app, screen, &answer.workloads[*place], rows::hits(screen, index), look)),
        Row::Proxy(place, proxy) => {
            let proxy = &answer.workloads[*place].proxies[*proxy];
            let name = Piece::new(Role::Muted, proxy.proxy.to_string()).with_hits(rows::hits(screen, index));
            let state = state::of_proxy(app, &proxy.proxy, proxy.state, look);
            let of = |count: Option<usize>| Counts::of(count);
            let count = counts(app, screen, Some(&proxy.proxy), of(proxy.inbound), of(proxy.elsewhere), look);
            TableRow::Cells(vec![vec![Piece::text("  "), name], vec![], vec![], vec![], count, state])
        }
        _ => TableRow::Section(vec![Piece::new(Role::Section, "not matched, the nearest first")]),
    };
    Table { columns: &columns, total: screen.rows.len(), row, state: list(screen), focused: true }.render(inside, buffer, look);
    if let (Some(workload), Some(area)) = (selected, details) {
        let pane = Pane { title: vec![Piece::new(Role::Title, workload.short.as_str())], ..Pane::default() };
        let inside = pane.render(area, buffer, look);
        paragraph(buffer, inset(inside), &workload_details::lines(app, workload, look), look);
    }
    height
}

fn workload<'a>(app: &App, screen: &Screen, workload: &'a WorkloadSummary, hits: &[usize], look: &Look<'_>) -> Vec<Vec<Piece<'a>>> {
    let namespace = &workload.id.name.namespace;
    // A search looks at `namespace kind/name`.
    let mut name = vec![Piece::text(workload.short.as_str()).with_hits(shifted(hits, namespace.chars().count() + 1))];
    if !own(screen, workload) {
        name.push(Piece::new(Role::Muted, format!("  {namespace}")));
    }
    let pods = vec![Piece::text(format!("{}/{}", workload.ready, workload.pods))];
    if !workload.matched {
        return vec![name, pods, vec![Piece::new(Role::Muted, workload.reason.as_str())]];
    }
    let only = match workload.proxies.as_slice() {
        [one] => Some(&one.proxy),
        _ => None,
    };
    vec![
        name,
        pods,
        vec![Piece::new(if workload.near_miss.is_some() { Role::Warning } else { Role::Text }, workload.reason.as_str())],
        mode(workload, look),
        counts(app, screen, only, workload.inbound, workload.elsewhere, look),
        states(app, workload, look),
    ]
}

/// `STRICT`, and whether it has not come to a proxy.
fn mode<'a>(workload: &'a WorkloadSummary, look: &Look<'_>) -> Vec<Piece<'a>> {
    let lags = workload.mode_lags().map(|_| Piece::new(Role::Warning, format!("{} ", look.symbols.warning)));
    let role = workload.mtls.as_ref().map_or(Role::Warning, |mtls| mode_role(mtls.mode));
    lags.into_iter().chain([Piece::new(role, workload.mode_word())]).collect()
}

/// Whether it is of the plugin's own namespace.
fn own(screen: &Screen, workload: &WorkloadSummary) -> bool {
    screen.plugin().is_some_and(|plugin| plugin.name.namespace == workload.id.name.namespace)
}

/// `4 / 4`, or `4→2 / 4` after a change.
fn counts(
    app: &App,
    screen: &Screen,
    proxy: Option<&ProxyId>,
    inbound: Option<Counts>,
    elsewhere: Option<Counts>,
    look: &Look<'_>,
) -> Vec<Piece<'static>> {
    let changed = proxy.zip(screen.plugin()).and_then(|(proxy, plugin)| state::inbound_change(app, proxy, plugin));
    let mut pieces = match (changed, inbound) {
        (Some(change), Some(counts)) if counts.max == change.after => state::in_column(change.before, &counts.to_string(), look),
        _ => vec![state::count(inbound)],
    };
    pieces.extend([Piece::new(Role::Muted, " / "), state::count(elsewhere)]);
    pieces
}

/// One proxy's state in words; of several, how many are in which state.
fn states(app: &App, workload: &WorkloadSummary, look: &Look<'_>) -> Vec<Piece<'static>> {
    let Some(first) = workload.proxies.first() else { return vec![Piece::new(Role::Muted, "-")] };
    if workload.proxies.iter().all(|proxy| proxy.state == first.state) {
        return state::of_proxy(app, &first.proxy, first.state, look);
    }
    let mut pieces = Vec::new();
    for state in PluginState::ALL {
        let count = workload.proxies.iter().filter(|proxy| proxy.state == state).count();
        if count > 0 {
            let comma = if pieces.is_empty() { "" } else { ", " };
            pieces.push(Piece::new(state::role(state), format!("{comma}{count} {}", state.words())));
        }
    }
    pieces
}

/// What a mode is drawn with.
pub(super) fn mode_role(mode: MtlsMode) -> Role {
    match mode.as_str() {
        "STRICT" => Role::Mtls,
        "DISABLE" => Role::Plaintext,
        _ => Role::Info,
    }
}
