//! Health: the proxies of a plugin with their states, under the selected one what shows its state, then the module.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{below_question, empty, inset, list, padded, pane, section, state};
use crate::analysis::answers::ProxyHealth;
use crate::analysis::health::Weight;
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::logs::hour;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, width};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Cells before what shows a state.
const INDENT: u16 = 4;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Health(plugin) = &screen.subject else { return 0 };
    let inside = inset(pane(screen, vec![Piece::new(Role::Plugin, plugin.to_string())]).render(area, buffer, look));
    let Some(health) = screen.health().filter(|_| !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::health(app)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let question = vec![
        Piece::new(Role::Title, format!("Does {plugin} run in its proxies?")),
        Piece::new(Role::Muted, format!("  {}", health.said())),
    ];
    let visible = screen.rows.get(screen.list.visible(usize::from(inside.height), screen.rows.len())).unwrap_or_default();
    let in_sight = visible.iter().filter_map(|row| match row {
        Row::Health(proxy) => health.proxies.get(*proxy),
        _ => None,
    });
    let columns = Columns::of(in_sight, look);
    let row = |index: usize| match &screen.rows[index] {
        Row::Health(proxy) => {
            let is_selected = index == screen.list.selected;
            proxy_lines(app, screen, &health.proxies[*proxy], index, is_selected, &columns, look)
        }
        Row::Heading(text) => vec![section(text, look)],
        Row::Sentence(text) => {
            let is_bad = health.module.iter().flat_map(|module| module.said()).any(|(weight, line)| weight == Weight::Bad && line == *text);
            let role = if is_bad { Role::Bad } else { Role::Text };
            vec![TextLine::new([Piece::new(role, text.as_str()).with_hits(rows::hits(screen, index))]).hanging(2)]
        }
        _ => vec![TextLine::default()],
    };
    let rest = below_question(question, inside, buffer, look);
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

/// How wide the columns are.
struct Columns {
    state: usize,
    proxy: usize,
    digest: usize,
}

impl Columns {
    fn of<'p>(proxies: impl Iterator<Item = &'p ProxyHealth>, look: &Look<'_>) -> Self {
        let mut columns = Self { state: 8, proxy: 0, digest: 0 };
        let fit = |column: &mut usize, text: String| *column = width(&[Piece::text(text)], look.ascii()).max(*column);
        for proxy in proxies {
            fit(&mut columns.state, format!("{} {}", look.symbols.warning, proxy.state.words()));
            fit(&mut columns.proxy, proxy.proxy.to_string());
            fit(&mut columns.digest, proxy.short_digest().to_owned());
        }
        columns
    }
}

/// `✓ running   httpbin-664956bb75-9d64m.default   77d4eb7c048d   since 2026-11-23T19:37:50Z`, and what shows it.
fn proxy_lines<'a>(
    app: &App,
    screen: &'a Screen,
    proxy: &'a ProxyHealth,
    index: usize,
    is_selected: bool,
    columns: &Columns,
    look: &Look<'_>,
) -> Vec<TextLine<'a>> {
    let ascii = look.ascii();
    let mut pieces = state::of_proxy(app, &proxy.proxy, proxy.state, look);
    let missing = columns.state.saturating_sub(width(&pieces, ascii)) + 2;
    pieces.push(Piece::text(" ".repeat(missing)));
    let name = Piece::text(proxy.proxy.to_string()).with_hits(rows::hits(screen, index));
    pieces.extend(padded(name, columns.proxy, 2, ascii));
    pieces.extend(padded(Piece::new(Role::Count, proxy.short_digest()), columns.digest, 2, ascii));
    if let Some(since) = &proxy.since {
        pieces.push(Piece::new(Role::Muted, format!("since {since}")));
    }
    if let Some(time) = state::read_at(app, std::iter::once(&proxy.proxy)) {
        pieces.push(Piece::new(Role::Muted, format!("  read {}", hour(time))));
    }
    let mut lines = vec![TextLine::new(pieces).hanging(INDENT)];
    if is_selected {
        let indent = " ".repeat(usize::from(INDENT));
        lines.extend(proxy.evidence.iter().map(|evidence| {
            let field = if evidence.field.is_empty() { String::new() } else { format!("  {}", evidence.field) };
            TextLine::new([
                Piece::new(Role::Section, format!("{indent}{}: ", evidence.source.words())),
                Piece::text(evidence.what.as_str()),
                Piece::new(Role::Muted, field),
            ])
            .hanging(INDENT + 2)
        }));
    }
    lines
}
