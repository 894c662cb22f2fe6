//! All about the selected workload, beside the list: why the plugin applies to it, or what keeps it away and what would have to change.

use super::{or, state};
use crate::analysis::answers::{MtlsAnswer, WorkloadSummary};
use crate::analysis::near_miss::{LabelLine, NearMiss};
use crate::app::App;
use crate::model::logs::hour;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;

/// How many proxies the details name.
const MOST_PROXIES: usize = 8;

/// How wide the names of facts are.
const NAME: usize = 12;

/// The lines of the pane.
pub(super) fn lines<'a>(app: &App, workload: &'a WorkloadSummary, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let role = if workload.near_miss.is_some() { Role::Warning } else { Role::Text };
    let mut lines = vec![TextLine::new([Piece::new(role, workload.reason.as_str())])];
    if let Some(miss) = &workload.near_miss {
        lines.extend(of_miss(miss, look));
    }
    if workload.matched {
        lines.push(TextLine::default());
        lines.extend(of_match(app, workload, look));
    }
    lines
}

fn fact<'a>(name: &str, text: impl Into<Piece<'a>>) -> TextLine<'a> {
    TextLine::new([Piece::new(Role::Muted, format!("{name:<NAME$}")), text.into()]).hanging(12)
}

/// What is to be done comes first: below a narrow list there is not much room.
fn of_miss<'a>(miss: &'a NearMiss, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let mut lines = vec![match &miss.change {
        Some(change) => TextLine::new([Piece::new(Role::Good, "To reach it: "), Piece::text(change.as_str())]).hanging(2),
        None => TextLine::new([Piece::new(Role::Muted, "Nothing would bring the plugin there.")]),
    }];
    lines.push(TextLine::default());
    if miss.labels.is_empty() {
        lines.extend([fact("wanted", miss.wanted.as_str()), fact("found", miss.found.as_str())]);
    } else {
        lines.extend(side_by_side(&miss.labels, look));
    }
    lines.extend([TextLine::default(), fact("rule", miss.failed), fact("how near", miss.how_near())]);
    lines.extend(miss.conditions.iter().filter(|_| miss.conditions.len() > 1).map(|condition| fact("", condition.as_str())));
    lines
}

/// The selector's labels and the pod's in two columns, each marked whether they agree.
fn side_by_side<'a>(labels: &'a [LabelLine], look: &Look<'_>) -> Vec<TextLine<'a>> {
    let width =
        |of: fn(&LabelLine) -> &str, title: &str| labels.iter().map(|line| of(line).chars().count()).max().unwrap_or(0).max(title.len());
    let key = width(|line| &line.key, "LABEL");
    let wanted = width(|line| &line.wanted, "SELECTOR");
    let mut lines = vec![TextLine::new([Piece::new(Role::HeaderRow, format!("  {:<key$}  {:<wanted$}  POD", "LABEL", "SELECTOR"))])];
    lines.extend(labels.iter().map(|line| {
        let (role, mark) = if line.agrees { (Role::Good, look.symbols.good) } else { (Role::Bad, look.symbols.bad) };
        let verdict = if line.agrees { String::new() } else { format!("  {}", line.verdict()) };
        TextLine::new([
            Piece::new(role, format!("{mark} ")),
            Piece::text(format!("{:<key$}  {:<wanted$}  {}", line.key, line.wanted, line.found.as_deref().unwrap_or("-"))),
            Piece::new(Role::Muted, verdict),
        ])
        .hanging(2)
    }));
    lines
}

fn of_match<'a>(app: &App, workload: &'a WorkloadSummary, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let of = |mtls: &MtlsAnswer| format!("{}, by {}", mtls.mode, or(mtls.winner.as_deref().unwrap_or_default(), "Istio's default"));
    let mode = workload.mtls.as_ref().map_or_else(|| workload.mtls_note.clone().unwrap_or_default(), of);
    let mut lines = vec![fact("mTLS", mode)];
    lines.extend(workload.mode_lags().map(|lags| fact("", Piece::new(Role::Warning, format!("{} {lags}", look.symbols.warning)))));
    if let Some(time) = state::read_at(app, workload.proxies.iter().map(|proxy| &proxy.proxy)) {
        lines.push(fact("read", hour(time)));
    }
    lines.push(TextLine::default());
    for proxy in workload.proxies.iter().take(MOST_PROXIES) {
        let mut line = TextLine::new([Piece::text(format!("{}  ", proxy.proxy))]).hanging(2);
        line.pieces.extend(state::of_proxy(app, &proxy.proxy, proxy.state, look));
        line.pieces.push(Piece::new(Role::Muted, format!(": {}", proxy.state_note)));
        lines.push(line);
    }
    let more = workload.proxies.len().saturating_sub(MOST_PROXIES);
    if more > 0 {
        lines.push(TextLine::new([Piece::new(Role::Muted, format!("and {more} more"))]));
    }
    lines
}
