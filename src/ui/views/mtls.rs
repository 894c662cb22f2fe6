//! Mutual TLS of a workload: the mode and who says so, ports, policies with their fates, clients and what breaks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{below_question, empty, inset, list, padded, pane, section};
use crate::analysis::answers::{ClientAnswer, MtlsEntry, PolicyAnswer, PortAnswer};
use crate::analysis::mtls::verdict::Verdict;
use crate::app::App;
use crate::app::rows::{self, Row};
use crate::app::screen::{Screen, Subject};
use crate::model::peer_authentication::MtlsMode;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine, width};
use crate::ui::theme::Role;
use crate::ui::widgets::Paragraphs;

/// Draws it, and returns how many rows are in sight.
pub(super) fn render(app: &App, screen: &Screen, area: Rect, buffer: &mut Buffer, look: &Look<'_>) -> usize {
    let Subject::Mtls(workload) = &screen.subject else { return 0 };
    let title = vec![
        Piece::new(Role::Title, workload.short()),
        Piece::new(Role::Muted, format!(" {} ", look.symbols.between)),
        Piece::new(Role::Title, "mutual TLS"),
    ];
    let inside = inset(pane(screen, title).render(area, buffer, look));
    let Some(entry) = rows::mtls::entry(screen).filter(|_| !screen.rows.is_empty() || screen.find.is_empty()) else {
        empty::not_found(screen).unwrap_or_else(|| empty::mtls(app, workload)).render(inside, buffer, look);
        return usize::from(inside.height);
    };
    let mode = vec![
        Piece::new(Role::Title, "The mode is "),
        Piece::new(entry.mode.map_or(Role::Warning, mode_role), entry.mode_word()),
        Piece::new(Role::Title, format!(", {}.", entry.why())),
    ];
    let rest = below_question(mode, inside, buffer, look);
    let columns = Columns::of(entry, look.ascii());
    let row = |index: usize| vec![row(screen, entry, index, &columns, look)];
    Paragraphs { total: screen.rows.len(), row, state: list(screen) }.render(rest, buffer, look)
}

fn mode_role(mode: MtlsMode) -> Role {
    match mode {
        MtlsMode::Strict => Role::Mtls,
        MtlsMode::Permissive => Role::Count,
        MtlsMode::Disable => Role::Plaintext,
    }
}

/// How wide the parts of ports and policies are, so that they stand under each other.
struct Columns {
    port: usize,
    mode: usize,
    policy: usize,
    modes: usize,
    ascii: bool,
}

impl Columns {
    fn of(entry: &MtlsEntry, ascii: bool) -> Self {
        let widest = |texts: Vec<String>| texts.into_iter().map(|text| width(&[Piece::text(text)], ascii)).max().unwrap_or_default();
        Self {
            port: widest(entry.ports.iter().map(PortAnswer::name).collect()),
            mode: widest(entry.ports.iter().map(|port| port.mode.to_string()).collect()),
            policy: widest(entry.policies.iter().map(|policy| policy.policy.clone()).collect()),
            modes: widest(entry.policies.iter().map(PolicyAnswer::modes).collect()),
            ascii,
        }
    }

    /// A text and the blanks behind it.
    fn padded(&self, role: Role, text: String, to: usize) -> [Piece<'static>; 2] {
        padded(Piece::new(role, text), to, 3, self.ascii)
    }
}

fn row<'a>(screen: &'a Screen, entry: &'a MtlsEntry, index: usize, columns: &Columns, look: &Look<'_>) -> TextLine<'a> {
    match &screen.rows[index] {
        Row::Heading(text) => section(text, look),
        Row::MtlsService(place) => section(&format!("clients of {}", entry.services[*place].name()), look),
        Row::MtlsPort(place) => port_line(&entry.ports[*place], columns),
        Row::MtlsPolicy(place) => policy_line(&entry.policies[*place], columns, look),
        Row::MtlsClient(service, client) => client_line(&entry.services[*service].clients[*client], look),
        Row::MtlsCaveat(place) => {
            let mark = Piece::new(Role::Warning, format!("{} ", look.symbols.warning));
            TextLine::new([mark, Piece::text(entry.caveats[*place].to_string())]).hanging(2)
        }
        Row::Sentence(text) => {
            let role = if entry.note.as_ref() == Some(text) { Role::Warning } else { Role::Muted };
            TextLine::new([Piece::new(role, text.as_str()).with_hits(rows::hits(screen, index))])
        }
        _ => TextLine::default(),
    }
}

/// `80   STRICT   HTTP   default/httpbin 8000 (http), by PeerAuthentication default/default`.
fn port_line<'a>(port: &'a PortAnswer, columns: &Columns) -> TextLine<'a> {
    let mut pieces = Vec::from(columns.padded(Role::Count, port.name(), columns.port));
    pieces.extend(columns.padded(mode_role(port.mode), port.mode.to_string(), columns.mode));
    pieces.extend(columns.padded(Role::Muted, port.protocol.to_owned(), 4));
    pieces.push(Piece::text(port.what.as_str()));
    if port.port_level {
        pieces.push(Piece::new(Role::Warning, format!(", by {}", port.by_whom())));
    }
    hanging(pieces, columns.port + columns.mode + 13)
}

/// `default/default   STRICT   decides, for its namespace`.
fn policy_line<'a>(policy: &'a PolicyAnswer, columns: &Columns, look: &Look<'_>) -> TextLine<'a> {
    let decides = policy.fate == "decides";
    let mark = if decides { Piece::new(Role::Title, look.symbols.dot) } else { Piece::text(" ") };
    let mut pieces = vec![mark, Piece::text(" ")];
    pieces.extend(columns.padded(Role::Text, policy.policy.clone(), columns.policy));
    pieces.extend(columns.padded(Role::Text, policy.modes(), columns.modes));
    pieces.extend(columns.padded(Role::Muted, policy.scope.as_str().to_owned(), "namespace".len()));
    pieces.push(Piece::new(if decides { Role::Title } else { Role::Text }, policy.reason.as_str()));
    hanging(pieces, columns.policy + columns.modes + 20)
}

/// A text goes on under its last part, as long as that leaves it room on a narrow terminal.
fn hanging<'a>(pieces: Vec<Piece<'a>>, hang: usize) -> TextLine<'a> {
    TextLine::new(pieces).hanging(u16::try_from(hang.min(40)).unwrap_or_default())
}

fn client_line<'a>(client: &'a ClientAnswer, look: &Look<'_>) -> TextLine<'a> {
    let (role, mark) = match client.verdict {
        Verdict::Works => (Role::Good, look.symbols.good),
        Verdict::Unused => (Role::Muted, " "),
        Verdict::Depends => (Role::Warning, look.symbols.warning),
        Verdict::Fails => (Role::Bad, look.symbols.bad),
    };
    let word = format!("{mark} {:7}  ", client.word());
    let hang = u16::try_from(word.chars().count()).unwrap_or_default();
    TextLine::new([Piece::new(role, word), Piece::text(client.sentence())]).hanging(hang)
}
