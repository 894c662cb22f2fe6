//! Order: the plugins in running order with the reason for each place, then the built-in filters along the ruler with the
//! plugins in their places.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{below_question, empty, inset, list, padded, pane, section, state};
use crate::analysis::answers::{OrderEntry, OrderList, OrderedPlugin, RulerMark, RulerPlace};
use crate::analysis::order::phase_words;
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Focus, Screen, Subject};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, paint, width};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Cells before a plugin's or filter's name, with its mark.
const INDENT: usize = 6;
/// The same for what goes on in another line.
const HANG: u16 = 6;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Order(focus) = &screen.subject else { return 0 };
    let mut title = vec![Piece::new(Role::Title, focus.proxy.pod.as_str())];
    if let Some(plugin) = &focus.plugin {
        title.extend([Piece::new(Role::Muted, format!(" {} ", look.symbols.between)), Piece::new(Role::Plugin, plugin.to_string())]);
    }
    let inside = inset(pane(screen, title).render(area, buffer, look));
    let known = |entry: &&OrderEntry| !screen.rows.is_empty() && (entry.proxy_kind.is_some() || !app.snapshot.objects.pods.is_empty());
    let Some(entry) = rows::order::entry(screen).filter(known) else {
        empty::not_found(screen).unwrap_or_else(|| empty::proxy(app, &focus.proxy)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let question = vec![
        Piece::new(Role::Title, format!("In which order do plugins run in {}?", focus.name())),
        Piece::new(Role::Muted, format!("  Rules of Istio {}", entry.istio_version)),
    ];
    let columns = Columns::of(entry, inside.width, look.ascii());
    let rest = below_question(question, inside, buffer, look);
    if !columns.wide && rest.height > 0 {
        // In the empty line under the question.
        let line = Rect { y: rest.y - 1, height: 1, ..rest };
        paint(buffer, line, &[Piece::new(Role::Muted, condition(screen, entry))], look);
    }
    let row = |index: usize| row(screen, focus, entry, index, &columns, look);
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

/// When the filter of the selected row is there, for screens on which no column says it.
fn condition(screen: &Screen, entry: &OrderEntry) -> String {
    let Some(Row::Place(list, place)) = screen.selected() else { return String::new() };
    let list = &entry.lists[*list];
    match when(list, &list.ruler[*place]) {
        "" => String::new(),
        when => format!("{}: {when}", list.ruler[*place].name()),
    }
}

/// When a filter is there; of a plugin, by which rule it applies.
fn when<'a>(list: &'a OrderList, place: &RulerPlace) -> &'a str {
    match &place.what {
        RulerMark::BuiltIn(built_in) => built_in.when,
        RulerMark::Plugin { place, .. } => list.plugins.get(place - 1).map(|plugin| plugin.applies.as_str()).unwrap_or_default(),
        RulerMark::Phase { .. } => "",
    }
}

/// How wide the columns of the rulers are.
struct Columns {
    name: usize,
    what: usize,
    share: usize,
    /// Whether there is room for a column that says when a filter is there.
    wide: bool,
    ascii: bool,
}

impl Columns {
    fn of(entry: &OrderEntry, room: u16, ascii: bool) -> Self {
        let shown = entry.shown().into_iter().flatten().map(|index| &entry.lists[index]);
        let (mut name, mut what, mut share, mut condition) = (0, 0, 0, 0);
        for (list, place) in shown.flat_map(|list| list.ruler.iter().map(move |place| (list, place))) {
            let fit = |column: &mut usize, text: &str| *column = width(&[Piece::text(text)], ascii).max(*column);
            fit(&mut name, &place.name());
            fit(&mut what, &self::what(place));
            fit(&mut share, &list.share(place.chains));
            fit(&mut condition, when(list, place));
        }
        Self { name, what, share, wide: INDENT + name + share + what + condition + 6 <= usize::from(room), ascii }
    }

    fn padded<'a>(&self, piece: Piece<'a>, to: usize) -> [Piece<'a>; 2] {
        padded(piece, to, 2, self.ascii)
    }
}

/// What stands at a place, in a few words.
fn what(place: &RulerPlace) -> String {
    match &place.what {
        RulerMark::BuiltIn(built_in) => built_in.what.to_owned(),
        RulerMark::Plugin { place, .. } => format!("plugin {place}"),
        RulerMark::Phase { .. } => String::new(),
    }
}

fn row<'a>(
    screen: &'a Screen,
    focus: &Focus,
    entry: &'a OrderEntry,
    index: usize,
    columns: &Columns,
    look: &Look<'_>,
) -> Vec<TextLine<'a>> {
    let section = |text: String| vec![section(&text, look)];
    let row = &screen.rows[index];
    match row {
        Row::Ordering(list) => {
            let group = entry.shown().into_iter().find(|group| group[0] == *list).unwrap_or_default();
            section(entry.heading(&group))
        }
        Row::Ordered(list, plugin) => ordered(focus, &entry.lists[*list].plugins[*plugin], look),
        Row::Ruler(list) => section(entry.lists[*list].heading()),
        Row::Place(list, place) => {
            let marked = focus.plugin.is_some() && rows::order::plugin(screen, row) == focus.plugin.as_ref();
            vec![place_line(&entry.lists[*list], *place, marked, columns, look)]
        }
        Row::Sentence(text) => vec![TextLine::new([Piece::text(text.as_str()).with_hits(rows::hits(screen, index))])],
        _ => vec![TextLine::default()],
    }
}

/// `1 ● default/helloworld  WasmPlugin · no phase · priority 5 · created …`, and the reason under it.
fn ordered<'a>(focus: &Focus, plugin: &'a OrderedPlugin, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let marked = focus.plugin.as_ref() == Some(&plugin.id);
    let facts = [
        plugin.plugin_kind.to_string(),
        if plugin.phase.is_empty() { "no phase".to_owned() } else { format!("phase {}", plugin.phase) },
        plugin.priority.map_or_else(|| "no priority".to_owned(), |priority| format!("priority {priority}")),
        format!("match {}", plugin.matches),
        format!("created {}", plugin.created.as_deref().unwrap_or("at no known time")),
    ];
    let name = Piece::new(if marked { Role::Plugin } else { Role::Text }, plugin.plugin.as_str());
    let between = format!(" {} ", look.symbols.between);
    let mut pieces = vec![Piece::new(Role::Count, format!("{:>3} ", plugin.place)), mark(marked, look), name];
    if let Some(trouble) = plugin.state.filter(|state| state.is_trouble()) {
        pieces.push(Piece::text("  "));
        pieces.extend(state::marked_state(trouble, look));
    }
    pieces.push(Piece::new(Role::Muted, format!("  {}", facts.join(&between))));
    vec![TextLine::new(pieces).hanging(HANG), TextLine::new([Piece::text(format!("{}{}", " ".repeat(INDENT), plugin.why))]).hanging(HANG)]
}

/// The mark of the plugin in question.
fn mark(marked: bool, look: &Look<'_>) -> Piece<'static> {
    if marked { Piece::new(Role::Plugin, format!("{} ", look.symbols.dot)) } else { Piece::text("  ") }
}

fn place_line<'a>(list: &'a OrderList, index: usize, marked: bool, columns: &Columns, look: &Look<'_>) -> TextLine<'a> {
    let place = &list.ruler[index];
    if let RulerMark::Phase { phase } = &place.what {
        return TextLine::new([Piece::new(Role::Section, format!("  {0}{0} {1}", look.symbols.rule, phase_words(phase)))]);
    }
    let absent = place.chains == Some(0);
    let role = match (&place.what, absent) {
        (RulerMark::Plugin { .. }, true) => Role::Warning,
        (_, true) => Role::Muted,
        (_, false) if marked => Role::Plugin,
        (_, false) => Role::Text,
    };
    let mut pieces = vec![Piece::text(" ".repeat(INDENT - 2)), mark(marked, look)];
    pieces.extend(columns.padded(Piece::new(role, place.name()), columns.name));
    pieces.extend(columns.padded(Piece::new(if absent { Role::Muted } else { Role::Count }, list.share(place.chains)), columns.share));
    pieces.extend(columns.padded(Piece::new(Role::Muted, what(place)), columns.what));
    if columns.wide {
        pieces.push(Piece::new(Role::Muted, when(list, place)));
    }
    TextLine::new(pieces).hanging(HANG)
}
