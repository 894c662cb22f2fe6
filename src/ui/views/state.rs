//! States of plugins as symbol and words, and counts with the ones before.

use crate::analysis::answers::{Counts, PluginSummary, counted};
use crate::analysis::diff::CountChange;
use crate::analysis::health::{PluginState, Rollup, Weight};
use crate::analysis::{lookup, placement};
use crate::app::App;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::logs::{LogTime, hour};
use crate::model::snapshot::Dump;
use crate::ui::Look;
use crate::ui::text::Piece;
use crate::ui::theme::Role;

/// `✓ running`: one proxy's state.
pub(super) fn of_proxy(app: &App, proxy: &ProxyId, state: PluginState, look: &Look<'_>) -> Vec<Piece<'static>> {
    if state == PluginState::Unknown && !is_read(app, proxy) {
        return unread(app, std::iter::once(proxy), look);
    }
    let mut pieces = marked_state(state, look);
    if state.weight() == Weight::Waits {
        pieces.push(Piece::new(role(state), at(app, std::iter::once(proxy))));
    }
    pieces
}

/// The same of a proxy that was read, without the time.
pub(super) fn marked_state(state: PluginState, look: &Look<'_>) -> Vec<Piece<'static>> {
    let words = if state == PluginState::StubDeny { "stub, denies all: 403" } else { state.words() };
    marked(role(state), symbol(state, look), words)
}

/// When the proxies said what is shown of them, the oldest reading; None where the source does not say.
pub(super) fn read_at<'p>(app: &App, proxies: impl Iterator<Item = &'p ProxyId>) -> Option<LogTime> {
    proxies.filter_map(|proxy| app.snapshot.dump(proxy)?.read_at).min()
}

/// ` 00:43:10`: what waits may have come since, so its time is shown with it.
fn at<'p>(app: &App, proxies: impl Iterator<Item = &'p ProxyId>) -> String {
    read_at(app, proxies).map(|time| format!(" {}", hour(time).trim_end_matches(" UTC"))).unwrap_or_default()
}

/// `✗ 1 stub, denies all, 2 running`: the state of a plugin over its proxies, the worst first.
pub(super) fn of_plugin(app: &App, plugin: &PluginSummary, look: &Look<'_>) -> Vec<Piece<'static>> {
    let symbols = look.symbols;
    let (role, symbol) = match plugin.rollup {
        Rollup::Ready => (Role::Good, symbols.good),
        Rollup::Failed => (Role::Bad, symbols.bad),
        Rollup::Partial | Rollup::Unmatched => (Role::Warning, symbols.warning),
        Rollup::Pending => (Role::Warning, symbols.ellipsis),
        Rollup::Unknown => return unknown(app, plugin, look),
    };
    if plugin.rollup == Rollup::Unmatched {
        let what = match plugin.matched {
            Some(0) if !plugin.scaled_to_zero.is_empty() => "scaled to 0",
            Some(0) => "matches nothing",
            _ => "in no chain",
        };
        return marked(role, symbol, what);
    }
    let waiting = plugin.proxies.iter().filter(|(_, proxy)| proxy.state.weight() == Weight::Waits).map(|(_, proxy)| &proxy.proxy);
    let at = if plugin.rollup == Rollup::Pending { at(app, waiting) } else { String::new() };
    marked(role, symbol, &format!("{}{at}", counts(plugin)))
}

/// `2 of 3 running, 1 pending`.
pub(super) fn counts(plugin: &PluginSummary) -> String {
    counted(&plugin.states)
}

/// Nothing bad is known, and not all is known: running where it was read, or not read at all.
fn unknown(app: &App, plugin: &PluginSummary, look: &Look<'_>) -> Vec<Piece<'static>> {
    if let Some(note) = plugin.matched_note.as_ref().filter(|_| plugin.proxies.is_empty()) {
        return marked(Role::Muted, "?", note);
    }
    let running = plugin.states.contains_key(PluginState::Running.as_str());
    let read = plugin.proxies.iter().any(|(_, proxy)| is_read(app, &proxy.proxy));
    if running || read {
        return marked(Role::Info, "?", &counts(plugin));
    }
    unread(app, plugin.proxies.iter().map(|(_, proxy)| &proxy.proxy), look)
}

/// Whether a proxy's dump was read that says which listeners the proxy has.
fn is_read(app: &App, proxy: &ProxyId) -> bool {
    app.snapshot.dump(proxy).is_some_and(|loaded| !placement::awaits_listeners(&app.snapshot, proxy, &loaded.dump))
}

/// Of proxies whose dumps are not there or say nothing yet: being read, too early, failed, or not asked for.
fn unread<'p>(app: &App, proxies: impl Iterator<Item = &'p ProxyId>, look: &Look<'_>) -> Vec<Piece<'static>> {
    let proxies: Vec<&ProxyId> = proxies.collect();
    let dumps: Vec<Option<&Dump>> = proxies.iter().map(|proxy| app.snapshot.dumps.get(*proxy)).collect();
    let mut pods = proxies.iter().map(|proxy| lookup::why_not_running(&app.snapshot.objects, proxy));
    if dumps.iter().any(|dump| matches!(dump, Some(Dump::Loading))) {
        marked(Role::Muted, look.symbols.ellipsis, "reading")
    } else if dumps.iter().any(|dump| matches!(dump, Some(Dump::Loaded(_)))) {
        marked(Role::Muted, look.symbols.ellipsis, "no listeners yet")
    } else if let Some(Some(why)) = pods.next().filter(|first| first.is_some() && pods.all(|pod| pod.is_some())) {
        // Nothing has failed: there is nothing to read yet, or any more.
        marked(Role::Muted, look.symbols.ellipsis, &why.replacen("the pod", "its pod", 1))
    } else if dumps.iter().any(|dump| matches!(dump, Some(Dump::Failed(_)))) {
        marked(Role::Warning, look.symbols.warning, "cannot be read")
    } else {
        marked(Role::Muted, "?", "not read")
    }
}

/// What a state is drawn with.
pub(super) fn role(state: PluginState) -> Role {
    role_of(state.weight())
}

fn role_of(weight: Weight) -> Role {
    match weight {
        Weight::Good => Role::Good,
        Weight::Bad => Role::Bad,
        Weight::Waits => Role::Warning,
        Weight::Neutral => Role::Muted,
    }
}

/// What a weight is drawn with; `neutral` is the symbol where it has none of its own.
pub(super) fn weight(weight: Weight, neutral: &'static str, look: &Look<'_>) -> (Role, &'static str) {
    let symbol = match weight {
        Weight::Good => look.symbols.good,
        Weight::Bad => look.symbols.bad,
        Weight::Waits => look.symbols.warning,
        Weight::Neutral => neutral,
    };
    (role_of(weight), symbol)
}

fn symbol(state: PluginState, look: &Look<'_>) -> &'static str {
    match state {
        PluginState::Running => look.symbols.good,
        PluginState::StubAllow
        | PluginState::StubDeny
        | PluginState::Rejected
        | PluginState::Absent
        | PluginState::Removed
        | PluginState::VmFailed => look.symbols.bad,
        PluginState::Pending => look.symbols.ellipsis,
        PluginState::Unexpected | PluginState::Outdated => look.symbols.warning,
        PluginState::Leftover | PluginState::NotApplicable => look.symbols.ring,
        PluginState::Unknown | PluginState::Unverified => "?",
    }
}

fn marked(role: Role, symbol: &str, words: &str) -> Vec<Piece<'static>> {
    vec![Piece::new(role, format!("{symbol} {words}"))]
}

/// A count, or `-` where nothing was read.
pub(super) fn count(counts: Option<Counts>) -> Piece<'static> {
    match counts {
        Some(Counts { max: 0, .. }) => Piece::new(Role::Muted, "0"),
        Some(counts) => Piece::new(Role::Count, counts.to_string()),
        None => Piece::new(Role::Muted, "-"),
    }
}

/// How the plugin's count in a proxy's inbound listener changed last.
pub(super) fn inbound_change<'a>(app: &'a App, proxy: &ProxyId, plugin: &PluginId) -> Option<&'a CountChange> {
    let inbound = Some(app.snapshot.objects.inbound_port());
    app.changes.get(proxy)?.iter().find(|change| change.plugin == *plugin && change.port == inbound)
}

/// How its count in a listener changed last.
pub(super) fn change<'a>(app: &'a App, proxy: &ProxyId, plugin: &PluginId, listener: &str) -> Option<&'a CountChange> {
    app.changes.get(proxy)?.iter().find(|change| change.plugin == *plugin && change.listener == listener)
}

/// `4 → 2`.
pub(super) fn before_and_after(before: usize, after: &str, look: &Look<'_>) -> Vec<Piece<'static>> {
    vec![Piece::new(Role::Muted, format!("{before} {} ", look.symbols.arrow)), Piece::new(Role::Count, after.to_owned())]
}

/// `4→2`: the same in a narrow column, which has to hold the new count too.
pub(super) fn in_column(before: usize, after: &str, look: &Look<'_>) -> Vec<Piece<'static>> {
    vec![Piece::new(Role::Muted, format!("{before}{}", look.symbols.arrow)), Piece::new(Role::Count, after.to_owned())]
}
