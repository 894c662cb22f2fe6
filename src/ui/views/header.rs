//! The lines around the view: where I am, how the mesh and its source are, and the last thing that happened.

use std::collections::BTreeSet;

use super::level;
use crate::app::App;
use crate::app::action::View;
use crate::app::screen::Subject;
use crate::app::state::Sum;
use crate::model::logs::hour;
use crate::model::snapshot::Dump;
use crate::model::update::Health;
use crate::source::SourceKind;
use crate::ui::Look;
use crate::ui::text::Piece;
use crate::ui::theme::Role;

/// The steps of the way here, as they can be walked back.
pub(super) fn steps(app: &App) -> Vec<String> {
    let mut steps = vec![source(app).to_owned()];
    for screen in &app.screens {
        match &screen.subject {
            Subject::Plugins { .. } if app.options.info.kind == SourceKind::Dump => {}
            Subject::Plugins { namespace } => steps.push(namespace.clone().unwrap_or_else(|| "all namespaces".to_owned())),
            Subject::Workloads(plugin) => steps.push(plugin.to_string()),
            Subject::Chains(focus) | Subject::Why(focus) | Subject::Connection(focus, _) | Subject::Order(focus) | Subject::Diff(focus) => {
                for step in [focus.plugin.as_ref().map(ToString::to_string), Some(focus.name().to_owned())].into_iter().flatten() {
                    if !steps.contains(&step) {
                        steps.push(step);
                    }
                }
                steps.push(screen.view().title().to_lowercase());
            }
            Subject::Timeline(plugin) | Subject::Health(plugin) => {
                let plugin = plugin.to_string();
                if !steps.contains(&plugin) {
                    steps.push(plugin);
                }
                steps.push(screen.view().title().to_lowercase());
            }
            Subject::WhatIf(supposed) => steps.push(format!("what if {}", supposed.typed)),
            Subject::Mtls(workload) => {
                if !steps.contains(&workload.name.name) {
                    steps.push(workload.name.name.clone());
                }
                steps.push(screen.view().title().to_owned());
            }
            Subject::Logs(of) => {
                let name = of.name();
                if !steps.contains(&name) {
                    steps.push(name);
                }
                steps.push(screen.view().title().to_lowercase());
            }
            Subject::Record(_) | Subject::Sync { .. } | Subject::Raw { .. } | Subject::Findings { .. } | Subject::Help(_) => {
                steps.push(screen.view().title().to_lowercase())
            }
        }
    }
    steps
}

/// The source's name; of a file only the last part of its path.
pub(super) fn source(app: &App) -> &str {
    let name = app.options.info.name.as_str();
    match app.options.info.kind {
        SourceKind::Recording | SourceKind::Dump | SourceKind::Log => {
            name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or(name)
        }
        SourceKind::Cluster | SourceKind::Demo => name,
    }
}

/// The versions of istiod, how many proxies were read, and how the source is.
pub(super) fn status(app: &App, width: u16, look: &Look<'_>) -> Vec<Piece<'static>> {
    // What is changed goes before everything else.
    let mut pieces = level::status(app, width, look);
    let changed = !pieces.is_empty();
    pieces.extend(control_plane(app, look));
    let trouble = app.health.as_ref().is_some_and(Health::is_trouble);
    // Where there is little room, trouble goes before what is well.
    if width >= 140 || !(trouble || changed) {
        pieces.extend(tally(app, width, look));
        // The way here says more than versions do.
        let versions: BTreeSet<&str> = app.snapshot.objects.istiods.iter().map(|istiod| short(&istiod.version)).collect();
        if !versions.is_empty() && width >= 100 {
            pieces.push(Piece::new(Role::Muted, format!("istio {}  ", versions.into_iter().collect::<Vec<_>>().join(", "))));
        }
        if let Some(time) = app.istiods_as_of() {
            pieces.push(Piece::new(Role::Warning, format!("istiod as of {}  ", hour(time))));
        }
        let read = app.proxies_read();
        let (role, mark) = if read > 0 { (Role::Good, look.symbols.dot) } else { (Role::Muted, look.symbols.ring) };
        // Home says of how many: of those that were not read nothing was found.
        let all = counted(app).filter(|_| app.screen().view() == View::Plugins).map_or(read, |sum| sum.proxies.max(read));
        let of = if all > read { format!(" of {all}") } else { String::new() };
        let said = match all {
            // It counts what was read, which a screen of istiod alone does not need.
            0 => " no proxy read".to_owned(),
            1 => format!(" {read}{of} proxy"),
            _ => format!(" {read}{of} proxies"),
        };
        pieces.extend([Piece::new(role, mark), Piece::text(said)]);
        let silent = app.proxies_silent();
        if silent > 0 {
            pieces.push(Piece::new(Role::Warning, format!(", {silent} without an answer")));
        }
        pieces.push(Piece::text("  "));
    }
    pieces.extend(health(app, width, look));
    pieces
}

/// `✗ no istiod is ready  ! 2 proxies cut off  ! 1 proxy stale`.
fn control_plane(app: &App, look: &Look<'_>) -> Vec<Piece<'static>> {
    let Some(headline) = app.tally.headline else { return Vec::new() };
    let bad = headline.lacks_istiod.then(|| Piece::new(Role::Bad, format!("{} no istiod is ready  ", look.symbols.bad)));
    let counted = [(headline.cut_off, "cut off"), (headline.stale, "stale")].into_iter().filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, what)| {
        let noun = if count == 1 { "proxy" } else { "proxies" };
        Piece::new(Role::Warning, format!("{} {count} {noun} {what}  ", look.symbols.warning))
    });
    bad.into_iter().chain(counted).collect()
}

/// What the findings come to, where no objects are missing that may still come.
fn counted(app: &App) -> Option<&Sum> {
    app.tally.sum.as_ref().filter(|_| app.awaited().is_empty())
}

/// `✗ 2 errors ! 3 warnings · f`: the number of findings, on home before the first whole answer `checking…`. The screen of findings has its
/// own summary, and other screens than home show it only where there are some.
fn tally(app: &App, width: u16, look: &Look<'_>) -> Vec<Piece<'static>> {
    let symbols = look.symbols;
    let view = app.screen().view();
    let is_home = view == View::Plugins;
    let sum = counted(app);
    let (errors, warnings) = sum.map_or((0, 0), |sum| (sum.errors, sum.warnings));
    let may_come = app.snapshot.has_objects && app.awaited().is_empty();
    if view == View::Findings || !is_home && errors + warnings == 0 || sum.is_none() && !may_come {
        return Vec::new();
    }
    let wide = width >= 110;
    let words = |count: usize, word: &str| match (wide, count) {
        (true, 1) => format!("1 {word}"),
        (true, _) => format!("{count} {word}s"),
        (false, _) => count.to_string(),
    };
    let mut pieces = Vec::new();
    if errors > 0 {
        pieces.push(Piece::new(Role::Bad, format!("{} {} ", symbols.bad, words(errors, "error"))));
    }
    if warnings > 0 {
        pieces.push(Piece::new(Role::Warning, format!("{} {} ", symbols.warning, words(warnings, "warning"))));
    }
    match sum {
        _ if !pieces.is_empty() => {}
        // No finding is good news only of what was looked at.
        Some(sum) if app.tally.is_complete => {
            let (role, mark) = if sum.is_whole { (Role::Good, symbols.good) } else { (Role::Muted, "?") };
            pieces.push(Piece::new(role, format!("{mark} {} ", if wide { "0 errors, 0 warnings" } else { "0 errors" })));
        }
        _ => pieces.push(Piece::new(Role::Muted, format!("checking{} ", symbols.ellipsis))),
    }
    pieces.extend([Piece::new(Role::Muted, format!("{} ", symbols.between)), Piece::new(Role::Key, "f"), Piece::text("  ")]);
    pieces
}

fn health(app: &App, width: u16, look: &Look<'_>) -> Vec<Piece<'static>> {
    let symbols = look.symbols;
    match &app.health {
        None | Some(Health::Connecting(_)) => {
            vec![Piece::new(Role::Muted, symbols.ring), Piece::text(format!(" connecting{}", waiting(app, width)))]
        }
        Some(Health::Live) => vec![Piece::new(Role::Good, symbols.dot), Piece::text(format!(" live{}", waiting(app, width)))],
        Some(Health::Fixed) => {
            let what = match app.options.info.kind {
                SourceKind::Demo => format!("demo {}", app.scene().unwrap_or_default()),
                SourceKind::Recording => "recording".to_owned(),
                SourceKind::Dump => "config dump".to_owned(),
                SourceKind::Log => "log".to_owned(),
                SourceKind::Cluster => "fixed".to_owned(),
            };
            vec![Piece::new(Role::Info, symbols.dot), Piece::text(format!(" {what}"))]
        }
        Some(Health::Degraded { what, attempt, retry_in_ms }) => vec![
            Piece::new(Role::Warning, format!("{} degraded: {}", symbols.warning, cut(what, width, look))),
            Piece::text(format!(" {} retry {attempt} in {}", symbols.between, seconds(*retry_in_ms))),
        ],
        Some(Health::Silent { since, seconds, .. }) => {
            let said = format!("{} nothing heard since {} ({seconds} s)", symbols.warning, hour(*since));
            vec![Piece::new(Role::Warning, said)]
        }
        Some(Health::Failed { what, .. }) => vec![Piece::new(Role::Bad, format!("{} failed: {}", symbols.bad, cut(what, width, look)))],
    }
}

/// `: waiting for pods, services and 3 more`; nothing where all kinds were answered for.
fn waiting(app: &App, width: u16) -> String {
    let awaited = app.awaited();
    if awaited.is_empty() || app.options.info.kind == SourceKind::Dump {
        return String::new();
    }
    let most = if width >= 110 { 2 } else { 1 };
    let named: Vec<String> = awaited
        .iter()
        .take(most)
        .map(|kind| match app.snapshot.reading.get(kind) {
            Some(count) => format!("{} ({count} so far)", kind.plural()),
            None => kind.plural().to_owned(),
        })
        .collect();
    let more = awaited.len().saturating_sub(most);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(": waiting for {}{rest}", named.join(", "))
}

/// The first clause of a long failure: the whole of it is among the warnings and on the empty screens.
fn cut(what: &str, width: u16, look: &Look<'_>) -> String {
    // The retry behind it must stay visible.
    let most = usize::from(width.saturating_sub(35) / 3).min(48);
    if what.chars().count() <= most {
        return what.to_owned();
    }
    what.chars().take(most.saturating_sub(1)).chain(look.symbols.ellipsis.chars()).collect()
}

fn seconds(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{} s", ms.div_ceil(1000)) }
}

/// `1.31-alpha.eed52ebb66ad` is known as `1.31-alpha`.
fn short(version: &str) -> &str {
    let Some(dash) = version.find('-') else { return version };
    version[dash..].find('.').map_or(version, |dot| &version[..dash + dot])
}

/// The last thing that happened, or else what is waited for.
pub(super) fn event(app: &App, look: &Look<'_>) -> Vec<Piece<'static>> {
    if let Some(note) = &app.note {
        return vec![Piece::new(Role::Info, plain(note, look))];
    }
    if let Some(event) = &app.event {
        let role = if app.failed { Role::ErrorLine } else { Role::EventLine };
        let mark = if app.failed { format!("{} ", look.symbols.bad) } else { String::new() };
        return vec![Piece::new(role, mark + &plain(event, look))];
    }
    let proxies: Vec<String> = app
        .snapshot
        .dumps
        .iter()
        .filter(|(_, dump)| matches!(dump, Dump::Loading))
        .map(|(proxy, _)| format!("reading the config dump of {proxy}"))
        .collect();
    match proxies.split_first() {
        Some((first, [])) => vec![Piece::new(Role::Muted, first.clone())],
        Some((first, rest)) => vec![Piece::new(Role::Muted, format!("{first} and {} more", rest.len()))],
        None => Vec::new(),
    }
}

/// How much could not be read or understood, and the key that lists it. What was found is counted apart.
pub(super) fn notice(app: &App) -> Vec<Piece<'static>> {
    match app.snapshot.warnings.len() {
        0 => Vec::new(),
        count => vec![Piece::new(Role::Warning, format!("{count} not read or understood (f)"))],
    }
}

/// The program's own sentences with marks that the terminal shows.
pub(super) fn plain(text: &str, look: &Look<'_>) -> String {
    if !look.ascii() {
        return text.to_owned();
    }
    text.replace('→', look.symbols.arrow).replace('·', look.symbols.between).replace('›', look.symbols.step)
}
