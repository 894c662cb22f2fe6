//! What is shown where there is nothing to list: why it is so, and what to do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::header::source;
use super::{inset, paragraph};
use crate::app::App;
use crate::app::logs::{Logs, Reading};
use crate::app::screen::{Focus, Screen};
use crate::model::ids::{PluginId, ProxyId, WorkloadId};
use crate::model::kind::Kind;
use crate::model::snapshot::Dump;
use crate::model::update::Health;
use crate::source::SourceKind;
use crate::ui::Look;
use crate::ui::text::{Piece, TextLine};
use crate::ui::theme::Role;

/// A reason and what to do about it.
pub(super) struct Reason {
    role: Role,
    what: String,
    fix: String,
}

impl Reason {
    fn new(role: Role, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { role, what: what.into(), fix: fix.into() }
    }

    /// Draws it, a line from the top.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer, look: &Look<'_>) {
        let area = inset(Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area });
        let lines = [
            TextLine::new([Piece::new(self.role, self.what.as_str())]),
            TextLine::default(),
            TextLine::new([Piece::new(Role::Muted, self.fix.as_str())]),
        ];
        paragraph(buffer, area, &lines, look);
    }
}

/// Why a search found nothing; None where nothing is looked for.
pub(super) fn not_found(screen: &Screen) -> Option<Reason> {
    let what = format!("Nothing here has the letters \"{}\" in its name, in this order.", screen.find);
    (!screen.find.is_empty()).then(|| Reason::new(Role::Info, what, "Esc shows everything again."))
}

/// Why a plugin has no proxies to look at.
pub(super) fn health(app: &App) -> Reason {
    if let Some(reason) = trouble(app) {
        return reason;
    }
    if app.screen().answer.is_none() {
        return Reason::new(Role::Muted, "Looking at its proxies.", "");
    }
    if let Some(note) = app.screen().health().and_then(|plugin| plugin.matched_note.as_ref()) {
        return Reason::new(Role::Info, format!("It is unknown to which proxies it applies: {note}."), "f lists what could not be read.");
    }
    Reason::new(
        Role::Info,
        "It applies to no proxy, and none that was read has anything of it.",
        "n on the screen of plugins shows what keeps it from each.",
    )
}

/// Why there are no plugins.
pub(super) fn plugins(app: &App, namespace: Option<&str>) -> Reason {
    if let Some(reason) = trouble(app) {
        return reason;
    }
    if let (SourceKind::Dump, Some(lone)) = (app.options.info.kind, app.options.proxies.first()) {
        return proxy(app, lone);
    }
    let kinds = [Kind::WasmPlugin, Kind::TrafficExtension];
    let snapshot = &app.snapshot;
    let waiting: Vec<&str> = kinds.iter().filter(|kind| !snapshot.settled.contains(kind)).map(|kind| kind.plural()).collect();
    if !waiting.is_empty() || app.screen().answer.is_none() {
        let what = if waiting.is_empty() { "the answer".to_owned() } else { waiting.join(" and ") };
        return Reason::new(Role::Info, format!("Waiting for {what} of {} …", source(app)), "");
    }
    if let Some(kind) = kinds.iter().find(|kind| snapshot.unread.contains(kind)) {
        let warning = snapshot.warnings.iter().find(|warning| warning.object.contains(kind.plural()));
        let (why, fix) = warning.map(|warning| (warning.what.clone(), warning.fix.clone())).unwrap_or_default();
        return Reason::new(Role::Warning, format!("{kind}s cannot be read: {why}."), fix);
    }
    if kinds.iter().all(|kind| snapshot.absent.contains(kind)) {
        let what = format!("{} has neither WasmPlugins nor TrafficExtensions: their CRDs are not installed.", source(app));
        return Reason::new(
            Role::Info,
            what,
            "Is this the cluster you mean? --context chooses another; Istio's CRDs come with its chart istio-base.",
        );
    }
    let elsewhere = snapshot.objects.plugins.len();
    match namespace {
        Some(namespace) => Reason::new(
            Role::Info,
            format!("There is no WasmPlugin or TrafficExtension in namespace {namespace}, nor in the root namespace."),
            match elsewhere {
                0 => "Other namespaces may have some: A shows all.".to_owned(),
                _ => format!("Other namespaces have {elsewhere}: A shows all."),
            },
        ),
        None => Reason::new(
            Role::Info,
            "There is no WasmPlugin or TrafficExtension in any namespace that was read.",
            "As soon as one is applied, it appears here.",
        ),
    }
}

/// Why there are no workloads.
pub(super) fn workloads(app: &App) -> Reason {
    if let Some(reason) = trouble(app) {
        return reason;
    }
    if !app.snapshot.settled.contains(&Kind::Pod) || app.screen().answer.is_none() {
        let note = app.screen().workloads().and_then(|answer| answer.matched_note.clone());
        return Reason::new(Role::Info, format!("Waiting for pods of {} …", source(app)), note.unwrap_or_default());
    }
    if app.snapshot.unread.contains(&Kind::Pod) {
        return Reason::new(
            Role::Warning,
            "Pods cannot be read, so nothing says to what the plugin applies.",
            "f lists what could not be read, and what to do.",
        );
    }
    Reason::new(Role::Info, "No pods were found.", "Is this the cluster you mean? --context chooses another.")
}

/// Why there is nothing of a workload's mutual TLS.
pub(super) fn mtls(app: &App, workload: &WorkloadId) -> Reason {
    match trouble(app) {
        Some(reason) => reason,
        None if app.screen().answer.is_none() => Reason::new(Role::Info, format!("Looking for the policies of {workload} …"), ""),
        None => Reason::new(
            Role::Warning,
            format!("{} of namespace {} has no pods now. Waiting for one …", workload.short(), workload.name.namespace),
            "Esc goes back.",
        ),
    }
}

/// Why there is no timeline yet.
pub(super) fn timeline(app: &App, plugin: &PluginId) -> Reason {
    match trouble(app) {
        Some(reason) => reason,
        None if app.screen().reading.is_some() || app.screen().pending.is_some() => {
            Reason::new(Role::Info, format!("Reading the logs of istiod and of the proxies that {plugin} concerns …"), "Esc goes back.")
        }
        None => Reason::new(Role::Info, "The logs were not read.", "r reads them."),
    }
}

/// Why there is no sync status.
pub(super) fn sync(app: &App, namespace: Option<&str>) -> Reason {
    match &app.snapshot.sync {
        None => Reason::new(Role::Info, "Asking istiod for the sync status of its proxies …", ""),
        Some(Err(why)) => Reason::new(Role::Bad, format!("Could not get the sync status from istiod: {why}."), "r asks again."),
        Some(Ok(_)) if app.screen().answer.is_none() => Reason::new(Role::Info, "Looking through what istiod said …", ""),
        Some(Ok(_)) => Reason::new(
            Role::Info,
            format!("There is no proxy in {}.", namespace.map_or_else(|| "any namespace".to_owned(), |name| format!("namespace {name}"))),
            "Esc goes back.",
        ),
    }
}

/// Why there are no findings yet.
pub(super) fn findings(app: &App) -> Reason {
    trouble(app).unwrap_or_else(|| Reason::new(Role::Info, format!("Looking through {} …", source(app)), ""))
}

/// Why there is nothing of a proxy: its dump is not there.
pub(super) fn proxy(app: &App, proxy: &ProxyId) -> Reason {
    // A lone dump's proxy is known by its file until it was read.
    let whose = if proxy.namespace.is_empty() { source(app).to_owned() } else { proxy.to_string() };
    match app.snapshot.dumps.get(proxy) {
        Some(Dump::Loading) => Reason::new(Role::Info, format!("Reading the config dump of {whose} …"), "Esc cancels."),
        Some(Dump::Failed(why)) => Reason::new(Role::Bad, format!("The config dump of {whose} could not be read: {why}."), "r asks again."),
        Some(Dump::Loaded(_)) => Reason::new(Role::Info, format!("Looking through the config dump of {whose} …"), ""),
        None if app.snapshot.objects.is_gone(proxy) => {
            let what = format!("The pod {} of namespace {} is gone.", proxy.pod, proxy.namespace);
            match app.screen().focus().and_then(|focus| focus.workload.as_ref()) {
                Some(workload) => Reason::new(
                    Role::Warning,
                    format!("{what} Waiting for another pod of {} that is ready …", workload.short()),
                    "Esc goes back.",
                ),
                None => Reason::new(Role::Warning, what, "Esc goes back."),
            }
        }
        None => Reason::new(Role::Info, format!("The config dump of {whose} was not read."), "r asks for it."),
    }
}

/// Why there are no lines of logs.
pub(super) fn logs(app: &App, logs: &Logs) -> Reason {
    match &logs.reading {
        Reading::Nothing(why) => {
            let fix = "The recordings that `meshscope record` makes have the logs of istiod and of every proxy, and so has a live mesh.";
            Reason::new(Role::Info, why.as_str(), fix)
        }
        Reading::Opening => {
            trouble(app).unwrap_or_else(|| Reason::new(Role::Info, format!("Waiting for the pods of {} …", source(app)), ""))
        }
        _ if logs.held.end() > 0 => Reason::new(
            Role::Info,
            format!("None of the {} lines that are held passes the filter.", logs.held.end() - logs.held.dropped()),
            "- shows less grave ones, p those that are not about the plugin, and F changes the filter.",
        ),
        Reading::Open => Reason::new(Role::Info, "Nothing has been logged yet.", "As soon as a line is written, it appears here."),
        Reading::Ended => Reason::new(Role::Info, "These logs are empty.", ""),
    }
}

/// A source that cannot answer.
fn trouble(app: &App) -> Option<Reason> {
    let name = source(app);
    match &app.health {
        Some(Health::Failed { what, fix }) => Some(Reason::new(Role::Bad, format!("{name} cannot be read: {what}."), fix.clone())),
        Some(Health::Degraded { what, .. } | Health::Silent { what, .. }) => {
            Some(Reason::new(Role::Warning, format!("{name} does not answer: {what}."), "It is tried again and again; q leaves."))
        }
        _ => None,
    }
}

/// Why nothing is compared with istiod yet.
pub(super) fn diff(app: &App, focus: &Focus) -> Reason {
    trouble(app).unwrap_or_else(|| Reason::new(Role::Info, format!("Asking istiod what it would send {} …", focus.proxy), "Esc goes back."))
}
