//! What istiod would send beside what the proxy has: agreement, differences with their causes, counts under each mode.

use super::state;
use crate::analysis::answers::{WhyEntry, WhyListener};
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;

/// `   ✓ just as the objects ask, chain by chain`.
pub(super) fn held(listener: &WhyListener, look: &Look<'_>) -> Vec<Piece<'static>> {
    let (role, mark) = state::weight(listener.weight(), "?", look);
    vec![Piece::new(role, format!("   {mark} {}", listener.held_against()))]
}

/// `  ! the proxy lacks the chain for …`.
pub(super) fn difference<'a>(listener: &'a WhyListener, place: usize, look: &Look<'_>) -> Vec<TextLine<'a>> {
    let mark = Piece::new(Role::Warning, format!("  {} ", look.symbols.warning));
    vec![TextLine::new([mark, Piece::text(listener.differences[place].to_string())]).hanging(4)]
}

/// `    because …`.
pub(super) fn cause(listener: &WhyListener, place: usize) -> Vec<TextLine<'_>> {
    let why = Piece::new(Role::Muted, listener.causes[place].why.as_str());
    vec![TextLine::new([Piece::new(Role::Muted, "    because "), why]).hanging(6)]
}

/// A line of the counts under each mode: the modes' names, the plugin's occurrences, the chains. The mode in force is marked.
pub(super) fn modes<'a>(entry: &WhyEntry, listener: &WhyListener, line: usize) -> Vec<TextLine<'a>> {
    let (Some(predicted), Some(chains)) = (&listener.predicted_by_mode, &listener.chains_by_mode) else { return vec![TextLine::default()] };
    let now = entry.mtls.as_ref().map(|mtls| mtls.mode);
    let name = ["mode", "occurrences", "chains"][line.min(2)];
    let mut pieces = vec![Piece::new(Role::Muted, format!("  {name:<13}"))];
    for mode in predicted.keys() {
        let in_force = now == Some(*mode);
        let cell = match line {
            0 => format!("{mode}{}", if in_force { " (now)" } else { "" }),
            1 => predicted.get(mode).map(ToString::to_string).unwrap_or_default(),
            _ => chains.get(mode).map(ToString::to_string).unwrap_or_default(),
        };
        let role = match (line, in_force) {
            (0, false) => Role::Muted,
            (1, _) => Role::Count,
            (_, true) => Role::Text,
            (_, false) => Role::Muted,
        };
        pieces.push(Piece::new(role, format!("{cell:<18}")));
    }
    vec![TextLine::new(pieces)]
}
