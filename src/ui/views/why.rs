//! Why: the sum, term by term, what was before, and the sentences that explain it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{below_question, empty, inset, list, padded, pane, prediction, proxy_title, section, state, way_role};
use crate::analysis::answers::{WhyEntry, WhyListener};
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Focus, Screen, Subject};
use crate::model::envoy::ListenerState;
use crate::model::snapshot::Dump;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, width};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Why(focus) = &screen.subject else { return 0 };
    let inside = inset(pane(screen, proxy_title(app, focus, look)).render(area, buffer, look));
    let read = matches!(app.snapshot.dumps.get(&focus.proxy), Some(Dump::Loaded(_)));
    let Some(entry) = rows::why::entry(screen).filter(|_| read && !screen.rows.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::proxy(app, &focus.proxy)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let rest = below_question(with_state(question(focus, entry), entry, look), inside, buffer, look);
    let columns = Columns::of(entry, rest.width, look.ascii());
    let row = |index: usize| row(app, screen, focus, entry, index, &columns, look);
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

/// `Why does default/helloworld appear 4 times on httpbin's port 15006?`
fn question<'a>(focus: &'a Focus, entry: &WhyEntry) -> Vec<Piece<'a>> {
    let plugin = focus.plugin.as_ref().map(ToString::to_string).unwrap_or_default();
    let whose = focus.name();
    let strong = |text: &str| Piece::new(Role::Title, text.to_owned());
    let does = [strong("Why does "), Piece::new(Role::Plugin, plugin)];
    let Some(first) = rows::why::asked(entry) else {
        return [&does[..], &[strong(&format!(" not appear in {whose}?"))]].concat();
    };
    let place = first.port.map_or_else(|| format!("listener {}", first.listener), |port| format!("port {port}"));
    let rest = match first.counted {
        Some(0) => vec![strong(&format!(" not appear on {whose}'s {place}?"))],
        Some(1) => vec![strong(&format!(" appear once on {whose}'s {place}?"))],
        Some(count) => {
            vec![strong(" appear "), Piece::new(Role::Count, count.to_string()), strong(&format!(" times on {whose}'s {place}?"))]
        }
        None => vec![strong(&format!(" appear on {whose}'s {place}?"))],
    };
    [&does[..], &rest].concat()
}

/// The question with the plugin's state, where it does not run.
fn with_state<'a>(mut question: Vec<Piece<'a>>, entry: &WhyEntry, look: &Look<'_>) -> Vec<Piece<'a>> {
    if entry.state.is_trouble() {
        question.push(Piece::text("   "));
        question.extend(state::marked_state(entry.state, look));
    }
    question
}

/// How wide the parts of the sums are, so that they stand under each other.
struct Columns {
    count: usize,
    what: usize,
    how: usize,
    /// Whether a term takes two lines.
    narrow: bool,
    ascii: bool,
}

impl Columns {
    fn of(entry: &WhyEntry, room: u16, ascii: bool) -> Self {
        let terms = || entry.listeners.iter().flat_map(|listener| &listener.terms);
        let widest = |text: fn(&crate::analysis::explain::Term) -> &str| {
            terms().map(|term| width(&[Piece::text(text(term))], ascii)).max().unwrap_or_default()
        };
        let (what, how) = (widest(|term| &term.what), widest(|term| &term.how));
        Self {
            count: terms().map(|term| term.count.to_string().len()).max().unwrap_or(1),
            what,
            how,
            // Signs, gaps and the chains' places take some thirty cells.
            narrow: what + how + 30 > usize::from(room),
            ascii,
        }
    }

    fn padded<'a>(&self, text: &'a str, to: usize) -> [Piece<'a>; 2] {
        padded(Piece::text(text), to, 3, self.ascii)
    }
}

fn row<'a>(
    app: &App,
    screen: &'a Screen,
    focus: &Focus,
    entry: &'a WhyEntry,
    index: usize,
    columns: &Columns,
    look: &Look<'_>,
) -> Vec<TextLine<'a>> {
    match &screen.rows[index] {
        Row::Sum(place) => vec![heading(app, focus, &entry.listeners[*place], look)],
        Row::Term(place, term) => term_lines(&entry.listeners[*place], *term, columns),
        Row::Total(place) => total(app, focus, &entry.listeners[*place], columns, look),
        Row::Difference(place, difference) => prediction::difference(&entry.listeners[*place], *difference, look),
        Row::Cause(place, cause) => prediction::cause(&entry.listeners[*place], *cause),
        Row::Modes(place, line) => prediction::modes(entry, &entry.listeners[*place], *line),
        Row::Elsewhere => {
            vec![section("other listeners of the proxy", look)]
        }
        Row::Sentence(text) => vec![TextLine::new([Piece::text(text.as_str()).with_hits(rows::hits(screen, index))])],
        _ => vec![TextLine::default()],
    }
}

/// `15006 virtualInbound, inbound: 4 of 8 chains have it`.
fn heading<'a>(app: &App, focus: &Focus, listener: &'a WhyListener, look: &Look<'_>) -> TextLine<'a> {
    let port = listener.port.map(|port| format!("{port} ")).unwrap_or_default();
    let direction = listener.direction.map(|direction| format!(", {}", direction.as_str())).unwrap_or_default();
    let mut pieces = vec![Piece::text(port), Piece::text(listener.listener.as_str()), Piece::new(Role::Muted, direction)];
    if listener.state != ListenerState::Active {
        pieces.push(Piece::new(Role::Warning, format!("  [{}]", listener.state.as_str())));
    }
    pieces.push(Piece::new(Role::Muted, ": "));
    match listener.counted {
        Some(count) => {
            pieces.extend([Piece::new(Role::Count, count.to_string()), Piece::text(format!(" of {} chains have it", listener.chain_count))])
        }
        None => pieces.push(Piece::new(Role::Warning, listener.counted_note.as_deref().unwrap_or("not counted"))),
    }
    // Where there are several terms, their total says it.
    if listener.terms.len() < 2 {
        pieces.extend(was(app, focus, listener, look));
        pieces.extend(prediction::held(listener, look));
    }
    TextLine::new(pieces).hanging(2)
}

/// `   was 4`, where the count changed while the program was open.
fn was(app: &App, focus: &Focus, listener: &WhyListener, look: &Look<'_>) -> Option<Piece<'static>> {
    let change = state::change(app, &focus.proxy, focus.plugin.as_ref()?, &listener.listener)?;
    (listener.counted == Some(change.after) && listener.state == ListenerState::Active)
        .then(|| Piece::new(Role::Warning, format!("   was {} {} now {}", change.before, look.symbols.arrow, change.after)))
}

/// `+ 2   service port 8000 -> 80 (http)   mTLS + plain text   chains 6, 7`, on two lines where it is narrow.
fn term_lines<'a>(listener: &'a WhyListener, index: usize, columns: &Columns) -> Vec<TextLine<'a>> {
    let term = &listener.terms[index];
    let sign = if index == 0 { ' ' } else { '+' };
    let places: Vec<String> = term.chains.iter().map(usize::to_string).collect();
    let hang = 7 + columns.count;
    let mut first = vec![
        Piece::new(Role::Muted, format!("  {sign} ")),
        Piece::new(Role::Count, format!("{:>1$}", term.count, columns.count)),
        Piece::text("   "),
    ];
    let mut second: Vec<Piece<'a>> = ways(&term.how, columns);
    second.push(Piece::new(Role::Muted, format!("chain{} {}", if places.len() == 1 { "" } else { "s" }, places.join(", "))));
    let indent = u16::try_from(hang).unwrap_or_default();
    if columns.narrow {
        first.push(Piece::text(term.what.as_str()));
        second.insert(0, Piece::text(" ".repeat(hang)));
        return vec![TextLine::new(first).hanging(indent), TextLine::new(second).hanging(indent)];
    }
    first.extend(columns.padded(&term.what, columns.what));
    first.extend(second);
    vec![TextLine::new(first).hanging(indent)]
}

/// `mTLS + plain text`, each in its look.
fn ways<'a>(how: &'a str, columns: &Columns) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    for way in how.split(" + ") {
        if !pieces.is_empty() {
            pieces.push(Piece::new(Role::Muted, " + "));
        }
        pieces.push(Piece::new(way_role(way), way));
    }
    let missing = columns.how.saturating_sub(width(&pieces, columns.ascii));
    pieces.push(Piece::text(" ".repeat(missing + 3)));
    pieces
}

/// The rule under the terms, and `  4   = counted in the proxy: 4 ✓`.
fn total<'a>(app: &App, focus: &Focus, listener: &WhyListener, columns: &Columns, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let sum: usize = listener.terms.iter().map(|term| term.count).sum();
    let rule = format!("  {}", look.symbols.rule.repeat(columns.count + 2));
    let mut pieces = vec![Piece::new(Role::Count, format!("    {sum:>0$}", columns.count)), Piece::text("   = counted in the proxy: ")];
    match listener.counted {
        // The sum is right all the same, and shows neither that the plugin runs nor that the count is what the objects ask for.
        Some(count) if count == sum && (listener.plugin_state.is_trouble() || listener.agrees.is_none()) => {
            pieces.push(Piece::text(count.to_string()));
        }
        Some(count) if count == sum => {
            pieces.push(Piece::new(Role::Good, format!("{count} {}", if look.ascii() { "(ok)" } else { look.symbols.good })))
        }
        Some(count) => pieces.push(Piece::new(Role::Bad, format!("{count} {}", look.symbols.bad))),
        None => pieces.push(Piece::new(Role::Muted, "not known")),
    }
    pieces.extend(was(app, focus, listener, look));
    pieces.extend(prediction::held(listener, look));
    let hang = u16::try_from(columns.count + 7).unwrap_or_default();
    vec![TextLine::new([Piece::new(Role::Muted, rule)]), TextLine::new(pieces).hanging(hang)]
}
