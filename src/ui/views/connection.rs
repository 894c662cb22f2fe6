//! Connection: the chain that takes it, marked, the reason, and the chains that do not take it, each with its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::chains::{filter_pieces, leads};
use super::{below_question, empty, inset, list, pane, proxy_title, section, way_role};
use crate::analysis::answers::{ChainAnswer, Loser, ProxyConnection};
use crate::analysis::connection::Outcome;
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, width};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Connection(focus, _) = &screen.subject else { return 0 };
    let inside = inset(pane(screen, proxy_title(app, focus, look)).render(area, buffer, look));
    let Some(answer) = screen.connection().filter(|_| !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::proxy(app, &focus.proxy)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let question = format!("Which chain of {} takes a connection {}?", focus.name(), answer.connection.words());
    let mut question = vec![Piece::new(Role::Title, question)];
    if answer.view == "istiod" {
        question.push(Piece::new(Role::Warning, "  istiod's view: not what the proxy has"));
    }
    let rest = below_question(question, inside, buffer, look);
    let columns = Columns::of(answer, rest.width, look.ascii());
    let row = |index: usize| {
        let hits = rows::hits(screen, index);
        match &screen.rows[index] {
            Row::Taken => taken(screen, answer, hits, look),
            Row::Loser(place) => loser(&answer.losers[*place], hits, &columns),
            Row::Losers => {
                vec![section("the chains that do not take it", look)]
            }
            Row::Sentence(text) => vec![TextLine::new([Piece::text(text.as_str()).with_hits(hits)])],
            _ => vec![TextLine::default()],
        }
    };
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

/// `✓ Chain 6 takes it: mTLS from the mesh to port 80`, by what it is recognised and what is in it.
fn taken<'a>(screen: &Screen, answer: &'a ProxyConnection, hits: &'a [usize], look: &Look<'_>) -> Vec<TextLine<'a>> {
    let (role, mark) = match answer.outcome {
        Outcome::Chain | Outcome::Default => (Role::Good, look.symbols.good),
        Outcome::Closed => (Role::Bad, look.symbols.bad),
        Outcome::Unknown => (Role::Warning, "?"),
    };
    let verdict = Piece::new(role, format!("{mark} {}", answer.verdict()));
    let Some(chain) = &answer.chain else { return vec![TextLine::new([verdict, Piece::new(role, ".")])] };
    let mut first = vec![verdict, Piece::new(role, ": "), Piece::new(way_role(&chain.meaning), chain.meaning.as_str()).with_hits(hits)];
    first.push(Piece::text("  "));
    first.extend(leads(chain, look));
    let mut lines = vec![TextLine::new(first).hanging(2)];
    lines.push(TextLine::new([Piece::text("  "), Piece::new(Role::Muted, chain.recognised_by.as_str())]).hanging(2));
    lines.push(TextLine::new(filters(screen, chain, look)).hanging(2));
    lines
}

/// All filters in running order, the plugins marked.
fn filters<'a>(screen: &Screen, chain: &'a ChainAnswer, look: &Look<'_>) -> Vec<Piece<'a>> {
    let mut pieces = vec![Piece::text("  ")];
    for (index, filter) in chain.network_filters.iter().chain(&chain.http_filters).enumerate() {
        if index > 0 {
            pieces.push(Piece::new(Role::Muted, format!(" {} ", look.symbols.step)));
        }
        let own = filter_pieces(screen, filter, &[], look);
        // Two blanks stand for the mark of a plugin in the tree, where filters stand under each other.
        pieces.extend(own.into_iter().skip(usize::from(filter.id.is_none())));
    }
    pieces
}

/// How wide the meanings of the losers are, so that the reasons stand under each other where there is room.
struct Columns {
    meaning: usize,
    narrow: bool,
    ascii: bool,
}

impl Columns {
    fn of(answer: &ProxyConnection, room: u16, ascii: bool) -> Self {
        let widest = |text: fn(&Loser) -> &str| {
            answer.losers.iter().map(|loser| width(&[Piece::text(text(loser))], ascii)).max().unwrap_or_default()
        };
        let meaning = widest(|loser| &loser.meaning);
        Self { meaning, narrow: meaning + widest(|loser| &loser.why) + 10 > usize::from(room), ascii }
    }
}

fn loser<'a>(loser: &'a Loser, hits: &'a [usize], columns: &Columns) -> Vec<TextLine<'a>> {
    let mut first = vec![
        Piece::new(Role::Muted, format!("  {:>2}  ", loser.place)),
        Piece::new(way_role(&loser.meaning), loser.meaning.as_str()).with_hits(hits),
    ];
    let why = Piece::new(Role::Muted, loser.why.as_str());
    if columns.narrow {
        return vec![TextLine::new(first).hanging(6), TextLine::new([Piece::text(" ".repeat(6)), why]).hanging(6)];
    }
    let missing = columns.meaning.saturating_sub(width(&[Piece::text(loser.meaning.as_str())], columns.ascii));
    first.extend([Piece::text(" ".repeat(missing + 3)), why]);
    vec![TextLine::new(first).hanging(6)]
}
