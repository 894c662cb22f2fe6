//! What the proxy's own log tells of the module: the agent's fetch, the VM, the plugin's first line, the first request it failed.

use super::gather::{VM_CREATED, is_denied};
use super::scene::Scene;
use super::step::{SECOND, Step, StepKind, Unseen, written};
use crate::analysis::logs::attribution::module::Module;
use crate::ingest::logs::details;
use crate::model::envoy::ExtensionConfig;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogKind, LogRecord, LogTime};

/// The agent's fetch, its failure, and why there is none. `until` is when the proxy had the module.
pub(super) fn fetch(scene: &Scene<'_>, until: Option<LogTime>) -> (Vec<Step>, Option<Unseen>) {
    let Some(module) = scene.module() else { return (Vec::new(), None) };
    let is_image = matches!(Module::of(&module.url), Module::Image { .. });
    if !is_image && module.url.starts_with("file:") {
        return (Vec::new(), Some(Unseen::new(StepKind::Fetch, "the module is a file in the proxy's container, which nobody fetches")));
    }
    // What is fetched after the proxy has the module is fetched for another push.
    let in_time = |time: LogTime| until.is_none_or(|until| time <= until);
    let fetches = scene
        .own()
        .filter(|(time, record)| in_time(*time) && record.event == Some(LogEvent::Fetch) && is_of(scene, record, module.url.as_str()));
    let failures = scene.own().filter(|(time, record)| {
        in_time(*time) && record.event == Some(LogEvent::FetchFailed) && is_of(scene, record, module.url.as_str())
    });
    let mut steps = Vec::new();
    if let Some(record) = scene.first(fetches.clone()) {
        let mut step = Step::logged(StepKind::Fetch, record, format!("the agent of {} began to fetch {}", scene.name, module.url));
        let again = fetches.into_iter().find(|(time, again)| Some(*time) > record.time && is_plain(again));
        if let Some((time, _)) = again.filter(|(time, _)| record.time.is_some_and(|first| *time - first < SECOND)) {
            step = step.noted(format!("at {} again without TLS, since the registry does not speak it", written(time)));
        }
        if record.plugin.as_ref() != Some(scene.plugin) {
            step = step.nearest(record.plugin_note.clone().unwrap_or_default());
        }
        steps.push(scene.marked(step));
    }
    if let Some(found) = scene.first(failures) {
        let step = Step::logged(StepKind::FetchFailed, found, format!("the agent of {} could not fetch the module", scene.name));
        steps.push(scene.marked(step));
    }
    if !steps.is_empty() {
        return (steps, None);
    }
    let why = if is_image {
        scene.no_line("the agent wrote no line of a fetch, so that it should have had the module in its cache")
    } else {
        scene.no_line("the agent writes no line of a fetch by HTTP at level info")
    };
    (steps, Some(Unseen::new(StepKind::Fetch, why)))
}

/// Whether a line of the agent can be about the plugin's module: it names the URL, which several plugins can have.
fn is_of(scene: &Scene<'_>, record: &LogRecord, url: &str) -> bool {
    if record.plugin.is_some() {
        return record.plugin.as_ref() == Some(scene.plugin);
    }
    match details(record) {
        Some(LogDetails::Fetch { registry, repository, reference, .. }) => {
            Module::parts(registry, repository, reference) == Module::of(url)
        }
        Some(LogDetails::FetchFailed { url: Some(failed), .. }) => Module::of(failed) == Module::of(url),
        _ => false,
    }
}

fn is_plain(record: &LogRecord) -> bool {
    matches!(details(record), Some(LogDetails::Fetch { plain_text: true, .. }))
}

/// The VM's start and its failure, and why no start is seen.
pub(super) fn vm(scene: &Scene<'_>, stub: bool) -> (Vec<Step>, Option<Unseen>) {
    let mut steps = Vec::new();
    let mut unseen = None;
    let started = |record: &LogRecord| record.kind == LogKind::Envoy && record.message.contains(VM_CREATED);
    if stub {
        unseen = Some("a filter without a VM stands in the module's place".to_owned());
    } else if let Some(found) = scene.first(scene.own().filter(|(_, record)| started(record))) {
        let step = Step::logged(StepKind::VmStarted, found, format!("a Wasm VM started in {}", scene.name));
        steps.push(scene.marked(step.nearest("the line does not say of which plugin")));
    } else {
        unseen = Some(scene.no_line("Envoy tells a VM's start at level debug of its logger wasm, which is at warning by default"));
    }
    if let Some(found) = scene.first(scene.own().filter(|(_, record)| record.event == Some(LogEvent::VmFailed))) {
        let step = Step::logged(StepKind::VmFailed, found, format!("the VM of the plugin failed in {}", scene.name));
        steps.push(scene.marked(match &found.plugin_note {
            Some(note) => step.nearest(format!("the line does not name the plugin: it is {note}")),
            None => step,
        }));
    }
    (steps, unseen.map(|why| Unseen::new(StepKind::VmStarted, why)))
}

/// The first line that the plugin wrote with the configuration that it has now. `accepted` is when the proxy took that.
pub(super) fn first_line(scene: &Scene<'_>, accepted: Option<LogTime>, pushed: Option<LogTime>, stub: bool) -> Result<Step, Unseen> {
    let unseen = |why: String| Unseen::new(StepKind::PluginLog, why);
    if stub {
        return Err(unseen("a filter without the module stands in its place, so that it cannot write anything".to_owned()));
    }
    let Some(accepted) = accepted else {
        let why = "nothing shows that the proxy has taken the change, so that what the plugin writes may be of what was there before";
        return Err(unseen(scene.no_line(why)));
    };
    let spoke = scene.own().filter(|(time, record)| {
        // Until the proxy has the new configuration the one before speaks; but what starts anew speaks while it is being taken.
        let new = *time >= accepted || pushed.is_some_and(|pushed| *time >= pushed && is_root(record));
        record.event == Some(LogEvent::PluginLog) && new
    });
    match scene.first(spoke) {
        Some(found) => {
            let step = Step::logged(StepKind::PluginLog, found, format!("the plugin wrote its first line in {}", scene.name));
            let step = match &found.plugin_note {
                Some(note) => step.nearest(format!("the line does not name the plugin: {note}")),
                None => step,
            };
            Ok(scene.marked(step))
        }
        None => {
            let why = "the plugin wrote no line since; of its lines only warnings and worse are written unless the level of Envoy's logger wasm is raised";
            Err(unseen(scene.no_line(why)))
        }
    }
}

/// Whether a root context wrote it: those of a VM's start and of its configuration do.
fn is_root(record: &LogRecord) -> bool {
    matches!(details(record), Some(LogDetails::PluginLog { plugin: None, .. }))
}

/// How long Envoy keeps connections on a listener that was replaced (`drainDuration` of the mesh configuration).
const DRAIN: LogTime = 45 * SECOND;

/// The first request that the plugin failed, or the stub in its place denied.
pub(super) fn failed_request(scene: &Scene<'_>, config: Option<&ExtensionConfig>, accepted: Option<LogTime>) -> Option<Step> {
    let denies = config == Some(&ExtensionConfig::StubDeny);
    let in_force = |time: LogTime| accepted.is_some_and(|accepted| time > accepted);
    let failed = scene.own().filter(|(time, record)| {
        // What has its configuration does not fail for want of it.
        if in_force(*time)
            && matches!(details(record), Some(LogDetails::Request(request)) if request.flags.contains(details::NO_CONFIGURATION))
        {
            return false;
        }
        let by_stub = denies && is_denied(record) && accepted.is_none_or(|accepted| *time >= accepted);
        record.event == Some(LogEvent::Request) && (record.plugin.as_ref() == Some(scene.plugin) || by_stub)
    });
    let found = scene.first(failed)?;
    let Some(LogDetails::Request(request)) = details(found) else { return None };
    let said = format!("a request failed in {} with {}", scene.name, request.code);
    let why = found.plugin_note.clone().unwrap_or_default();
    let facts = format!("flags {}, details {}", dash(&request.flags), dash(&request.details));
    let mut step = Step::logged(StepKind::RequestFailed, found, said).noted(facts).nearest(format!("the line names no plugin: {why}"));
    if step.time < scene.from.saturating_add(DRAIN) {
        step = step.noted("a connection that was open before the change is served by the listener of before for 45 s");
    }
    Some(scene.marked(step))
}

fn dash(text: &str) -> &str {
    if text.is_empty() { "-" } else { text }
}
