//! The chains of a proxy: listeners, their chains, the filters in them, and where among them the plugin stands.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{empty, inset, list, pane, paragraph, proxy_title, shifted, state, way_role};
use crate::analysis::answers::{ChainAnswer, FilterAnswer, ListenerAnswer, ProxyChains};
use crate::app::App;
use crate::app::rows::chains::{chain_count, filter, key_of, listener_count};
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::envoy::ListenerState;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;
use crate::ui::widgets::{Align, Column, Tree, TreeRow};

const COLUMNS: [Column<'static>; 4] = [
    Column { title: "", min: 36, want: 42, priority: 1, align: Align::Left },
    Column { title: "", min: 12, want: 76, priority: 4, align: Align::Left },
    Column { title: "", min: 14, want: 28, priority: 3, align: Align::Left },
    Column { title: "", min: 5, want: 7, priority: 2, align: Align::Right },
];

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Chains(focus) = &screen.subject else { return 0 };
    let inside = pane(screen, proxy_title(app, focus, look)).render(area, buffer, look);
    let proxy = screen.chains().and_then(|answer| answer.proxies.first());
    let Some(proxy) = proxy.filter(|_| !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::proxy(app, &focus.proxy)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let lines = summary(app, screen, proxy, look);
    let taken = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inside.height);
    paragraph(buffer, inset(Rect { height: taken, ..inside }), &lines, look);
    let tree = Rect { y: inside.y + taken, height: inside.height - taken, ..inside };
    let mut columns = COLUMNS;
    if inside.width >= 150 {
        // Room for the longest meanings.
        columns[0].want = 64;
    }
    let row = |index: usize| row(app, screen, proxy, index, look);
    Tree { columns: &columns, total: screen.rows.len(), row, state: list(screen), focused: true }.render(tree, buffer, look);
    usize::from(tree.height)
}

/// `N = 4 on 15006   (a connection takes exactly one chain)`.
fn summary<'a>(app: &App, screen: &Screen, proxy: &'a ProxyChains, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let mut lines = Vec::new();
    if let Some(plugin) = screen.plugin() {
        let active = proxy.listeners.iter().filter(|listener| listener.state == ListenerState::Active);
        let mut with: Vec<(&ListenerAnswer, usize)> =
            active.map(|listener| (listener, listener_count(listener, plugin))).filter(|(_, count)| *count > 0).collect();
        let mut pieces = Vec::new();
        if let Some(note) = proxy.listeners_note {
            pieces.push(Piece::new(Role::Warning, format!("How often {plugin} is in it is not known: {note}.")));
        } else if with.is_empty() {
            pieces.push(Piece::new(Role::Warning, format!("{plugin} is in no chain of this proxy's active listeners.")));
        } else {
            let (listener, count) = with.remove(0);
            let port = listener.port.map_or_else(|| listener.name.clone(), |port| port.to_string());
            pieces.push(Piece::text("N = "));
            match state::change(app, &proxy.proxy, plugin, &listener.name) {
                Some(change) if change.after == count => pieces.extend(state::before_and_after(change.before, &count.to_string(), look)),
                _ => pieces.push(Piece::new(Role::Count, count.to_string())),
            }
            pieces.push(Piece::text(format!(" on {port}")));
            pieces.push(Piece::new(Role::Muted, "   (a connection takes exactly one chain)"));
            let filters = listener.filter_chains.iter().flat_map(|chain| chain.network_filters.iter().chain(&chain.http_filters));
            if let Some(trouble) = filters.filter(|filter| filter.id.as_ref() == Some(plugin)).find_map(FilterAnswer::trouble) {
                pieces.insert(0, Piece::text("   "));
                pieces.splice(0..0, state::marked_state(trouble, look));
            }
        }
        lines.push(TextLine::new(pieces));
    }
    if proxy.view == "istiod" {
        lines.push(TextLine::new([Piece::new(Role::Warning, "istiod's view: what it would send, not what the proxy has")]));
    }
    lines
}

fn row<'a>(app: &App, screen: &'a Screen, proxy: &'a ProxyChains, index: usize, look: &Look<'_>) -> TreeRow<'a> {
    let row = &screen.rows[index];
    let hits = rows::hits(screen, index);
    let expanded = key_of(screen, row).is_some_and(|key| screen.open.contains(&key));
    match row {
        Row::Listener(place) => {
            let listener = &proxy.listeners[*place];
            TreeRow { depth: 0, expandable: true, expanded, cells: listener_cells(app, screen, proxy, listener, hits, look) }
        }
        Row::Chain(place, chain) => {
            let chain = &proxy.listeners[*place].filter_chains[*chain];
            TreeRow { depth: 1, expandable: true, expanded, cells: chain_cells(screen, chain, hits, look) }
        }
        Row::NetworkFilter(..) => filter_row(screen, row, "network", hits, look),
        _ => filter_row(screen, row, "http", hits, look),
    }
}

fn listener_cells<'a>(
    app: &App,
    screen: &Screen,
    proxy: &ProxyChains,
    listener: &'a ListenerAnswer,
    hits: &[usize],
    look: &Look<'_>,
) -> Vec<Vec<Piece<'a>>> {
    let port = listener.port.map(|port| format!("{port} ")).unwrap_or_default();
    let mut name = vec![
        Piece::text(port.clone()).with_hits(hits.to_vec()),
        Piece::text(listener.name.as_str()).with_hits(shifted(hits, port.chars().count())),
    ];
    let role = if listener.state == ListenerState::Error { Role::Bad } else { Role::Warning };
    if listener.state != ListenerState::Active {
        name.push(Piece::new(role, format!("  [{}]", listener.state.as_str())));
    }
    if let Some(error) = &listener.error {
        // The reason needs the whole row.
        name.push(Piece::new(role, format!(" {error}")));
        return vec![name];
    }
    let direction = match (listener.direction, listener.is_static) {
        (Some(direction), _) => direction.as_str(),
        (None, true) => "static",
        (None, false) => "",
    };
    if listener.prediction.as_ref().is_some_and(|prediction| prediction.agrees == Some(false)) {
        name.push(Piece::new(Role::Warning, format!("  {} not as istiod would send it", look.symbols.warning)));
    }
    let chains = listener.filter_chains.len();
    let count = screen.plugin().map(|plugin| (plugin, listener_count(listener, plugin))).filter(|(_, count)| *count > 0);
    let mut number = Vec::new();
    if let Some((plugin, count)) = count {
        let changed = state::change(app, &proxy.proxy, plugin, &listener.name);
        if let Some(change) = changed.filter(|change| change.after == count && listener.state == ListenerState::Active) {
            number.push(Piece::new(Role::Muted, format!("{} {} ", change.before, look.symbols.arrow)));
        }
        number.push(Piece::new(Role::Count, format!("{count}{}", look.symbols.times)));
    }
    vec![
        name,
        vec![Piece::new(Role::Muted, direction)],
        vec![Piece::text(format!("{chains} chain{}", if chains == 1 { "" } else { "s" }))],
        number,
    ]
}

fn chain_cells<'a>(screen: &Screen, chain: &'a ChainAnswer, hits: &'a [usize], look: &Look<'_>) -> Vec<Vec<Piece<'a>>> {
    let count = screen.plugin().map_or(0, |plugin| chain_count(chain, plugin));
    let mark = match count {
        0 if chain.unread => vec![Piece::new(Role::Warning, "not all could be read")],
        0 => Vec::new(),
        1 => vec![Piece::new(Role::Plugin, look.symbols.dot)],
        more => vec![Piece::new(Role::Plugin, format!("{more}{} {}", look.symbols.times, look.symbols.dot))],
    };
    vec![
        // The place is how Why names the chain.
        vec![
            Piece::new(Role::Muted, format!("{:>2}  ", chain.place)),
            Piece::new(way_role(&chain.meaning), chain.meaning.as_str()).with_hits(hits),
        ],
        vec![Piece::new(Role::Muted, chain.recognised_by.as_str())],
        leads(chain, look),
        mark,
    ]
}

fn filter_row<'a>(screen: &'a Screen, row: &Row, layer: &str, hits: &[usize], look: &Look<'_>) -> TreeRow<'a> {
    let mut cell = vec![Piece::new(Role::Muted, format!("    {layer:<9}"))];
    if let Some(found) = filter(screen, row) {
        cell.extend(filter_pieces(screen, found, hits, look));
    }
    TreeRow { depth: 2, expandable: false, expanded: false, cells: vec![cell] }
}

/// Where a chain leads: `→ inbound|80||`; nothing where it leads nowhere.
pub(super) fn leads(chain: &ChainAnswer, look: &Look<'_>) -> Vec<Piece<'static>> {
    let text = if chain.destination.is_empty() { String::new() } else { format!("{} {}", look.symbols.arrow, chain.destination) };
    vec![Piece::new(Role::Muted, text)]
}

/// The plugin in question with a full dot, another plugin with a hollow one, and Envoy's own by their short names.
pub(super) fn filter_pieces<'a>(screen: &Screen, filter: &'a FilterAnswer, hits: &[usize], look: &Look<'_>) -> Vec<Piece<'a>> {
    let Some(id) = &filter.id else {
        let skip = filter.name.chars().count() - filter.short().chars().count();
        return vec![Piece::text("  "), Piece::text(filter.short()).with_hits(shifted(hits, skip))];
    };
    let (role, mark) = if screen.plugin() == Some(id) { (Role::Plugin, look.symbols.dot) } else { (Role::Info, look.symbols.ring) };
    let name = filter.own_plugin().unwrap_or(filter.name.as_str());
    let mut pieces = vec![Piece::new(role, format!("{mark} {name}")), Piece::new(Role::Muted, format!("  {}", id.kind))];
    if let Some(state) = filter.trouble() {
        pieces.push(Piece::text("  "));
        pieces.extend(state::marked_state(state, look));
    }
    pieces
}
