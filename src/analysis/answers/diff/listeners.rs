//! The listeners: each that istiod would send beside the one that the proxy has, chain by chain.

use super::within::{self, Found};
use super::{DiffLine, Draft, TypeDiff};
use crate::analysis::answers::prediction;
use crate::analysis::comparison::{self, Cause, Difference, How};
use crate::analysis::outlook::{Outlook, PARTS_UNREAD};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, Listener, ListenerState};
use crate::model::istiod_view::IstiodView;

const LDS: &str = "LDS";

/// Compares with what istiod says; where it does not say it, with the prediction.
pub(super) fn of(view: Option<&IstiodView>, outlook: Result<&Outlook<'_>, &String>, dump: &ConfigDump) -> Draft {
    match (view, outlook) {
        (Some(view), outlook) => with_istiod(view, outlook.ok(), dump),
        (None, Ok(outlook)) => with_prediction(outlook, dump),
        (None, Err(neither)) => Draft::none(LDS, Some(neither.clone())),
    }
}

/// The listeners of a proxy that istiod could have sent, each once: the one that takes connections, else the one that is to.
fn held(dump: &ConfigDump) -> Vec<&Listener> {
    let rank = |listener: &Listener| match listener.state {
        ListenerState::Active => 0,
        ListenerState::Warming => 1,
        ListenerState::Error => 2,
        ListenerState::Draining => 3,
    };
    let mut found: Vec<&Listener> =
        dump.listeners.iter().filter(|listener| !listener.is_static && listener.state != ListenerState::Draining).collect();
    found.sort_by_key(|listener| (listener.name.as_str(), rank(listener)));
    found.dedup_by_key(|listener| listener.name.as_str());
    found
}

fn with_istiod(view: &IstiodView, outlook: Option<&Outlook<'_>>, dump: &ConfigDump) -> Draft {
    let held = held(dump);
    let (mut differences, mut notes, mut all) = (Vec::new(), Vec::new(), Found::default());
    let mut sent: Vec<&Listener> = view.dump.listeners.iter().collect();
    sent.sort_by_key(|listener| listener.name.as_str());
    for wanted in &sent {
        match held.iter().find(|listener| listener.name == wanted.name) {
            Some(listener) if listener.state == ListenerState::Error => differences.push(refused(listener)),
            Some(listener) if listener.lacks_parts() || wanted.lacks_parts() => {
                notes.push(format!("listener {} cannot be compared: {PARTS_UNREAD}", listener.name));
            }
            Some(listener) => {
                differences.extend(warming(listener));
                all.add(between(listener, wanted, outlook, dump), &mut differences);
            }
            None if dump.has_all_listeners() => differences.push(lacking(&wanted.name, wanted.chains.len())),
            None => {}
        }
    }
    let unexpected = held.iter().filter(|listener| !sent.iter().any(|wanted| wanted.name == listener.name));
    differences.extend(unexpected.filter(|_| !view.dump.unread_listeners).map(|listener| not_sent(listener)));
    let unread = [(!dump.has_all_listeners(), "the proxy's"), (view.dump.unread_listeners, "istiod's")];
    notes.extend(unread.iter().filter(|(is_so, _)| *is_so).map(|(_, whose)| format!("not all listeners of {whose} dump could be read")));
    let chains: usize = sent.iter().map(|listener| listener.chains.len()).sum();
    let here: usize = held.iter().map(|listener| listener.chains.len()).sum();
    let of_istiod = format!("{} with {}", counted(sent.len(), "listener"), counted(chains, "chain"));
    let differing = format!("istiod would send {of_istiod}, the proxy has {} with {here}", held.len());
    let compared =
        if notes.is_empty() { format!("{of_istiod} compared field by field with what istiod would send now") } else { differing.clone() };
    let same = super::same(&differences, !notes.is_empty());
    let found = TypeDiff { short: LDS, basis: "istiod", basis_note: None, same, compared, differences, notes };
    Draft::new(within::bounded(found, &all), differing)
}

/// The differences between a listener and the one that istiod would send: first those in plugins and chains, then in all settings.
fn between(listener: &Listener, wanted: &Listener, outlook: Option<&Outlook<'_>>, dump: &ConfigDump) -> Found {
    let direction = outlook.and_then(|outlook| outlook.direction(listener)).or_else(|| placement::direction(listener, None));
    let found = comparison::differences(listener, wanted, direction);
    let causes = match outlook {
        Some(outlook) if !found.is_empty() => comparison::causes(listener, wanted, &found, dump, &outlook.facts, &[]),
        _ => Vec::new(),
    };
    let told: Vec<usize> = found.iter().filter_map(|difference| difference.chain).collect();
    let mut within = within::of_listeners(listener, wanted, &comparison::pairs(listener, wanted), &told);
    let chains = found.iter().map(|difference| line(listener, difference, &causes));
    within.lines.splice(0..0, chains);
    within
}

fn with_prediction(outlook: &Outlook<'_>, dump: &ConfigDump) -> Draft {
    let (mut differences, mut notes) = (Vec::new(), Vec::new());
    let (mut listeners, mut chains) = (0, 0);
    for listener in held(dump) {
        let Some(judgement) = outlook.judge(listener, dump) else { continue };
        if let Some(unknown) = &judgement.unknown {
            notes.push(format!("listener {} cannot be compared: {unknown}", listener.name));
            continue;
        }
        listeners += 1;
        chains += listener.chains.len();
        differences.extend(warming(listener));
        if listener.state == ListenerState::Error {
            differences.push(refused(listener));
        } else if judgement.agrees() == Some(false) {
            differences.extend(judgement.differences.iter().map(|difference| line(listener, difference, &judgement.causes)));
        } else if judgement.agrees().is_none() {
            notes.push(format!("listener {}: its chains without HTTP cannot be compared", listener.name));
        }
    }
    notes.extend((!dump.has_all_listeners()).then(|| "not all listeners of the proxy's dump could be read".to_owned()));
    differences.extend(
        prediction::absent(outlook, dump)
            .iter()
            .map(|name| lacking(name, outlook.predicted(name).map_or(0, |listener| listener.chains.len()))),
    );
    let of_proxy = format!("{} of the proxy with {}", counted(listeners, "listener"), counted(chains, "chain"));
    let compared = format!(
        "{of_proxy} compared with what istiod would make of the objects: the connections that they take and the plugins in them, and nothing more"
    );
    let differing = format!("{of_proxy} compared with what istiod would make of the objects");
    let same = super::same(&differences, !notes.is_empty());
    let basis_note = Some("in its place, the chains that istiod would make of the objects".to_owned());
    Draft::new(TypeDiff { short: LDS, basis: "predicted", basis_note, same, compared, differences, notes }, differing)
}

pub(super) fn of_listener(what: &'static str, only: &'static str, listener: &Listener, detail: String) -> DiffLine {
    DiffLine { what, only, listener: Some(listener.name.clone()), chain: None, extension: None, resource: None, detail, causes: Vec::new() }
}

fn line(listener: &Listener, difference: &Difference, causes: &[Cause]) -> DiffLine {
    let (what, only) = match difference.how {
        How::Missing => ("chain", "istiod"),
        How::Unexpected => ("chain", "proxy"),
        How::Protocol { .. } => ("protocol", "both"),
        How::Destination { .. } => ("destination", "both"),
        How::Plugins { .. } => ("plugins", "both"),
    };
    let detail = format!("{}: {difference}", listener.name);
    DiffLine { chain: difference.chain, causes: causes.to_vec(), ..of_listener(what, only, listener, detail) }
}

fn refused(listener: &Listener) -> DiffLine {
    let error = listener.error.as_deref().unwrap_or("it does not say why");
    of_listener("refused", "istiod", listener, format!("the proxy refused listener {}: {error}", listener.name))
}

/// A listener that takes no connections yet, though the proxy has it: no other of its name does.
fn warming(listener: &Listener) -> Option<DiffLine> {
    let detail = || format!("listener {} is warming: it takes no connections yet", listener.name);
    (listener.state == ListenerState::Warming).then(|| of_listener("warming", "both", listener, detail()))
}

fn not_sent(listener: &Listener) -> DiffLine {
    let has = counted(listener.chains.len(), "chain");
    of_listener("listener", "proxy", listener, format!("istiod would not send listener {} with {has}, which the proxy has", listener.name))
}

fn lacking(name: &str, chains: usize) -> DiffLine {
    let detail = format!("the proxy lacks listener {name} with {}, which istiod would send", counted(chains, "chain"));
    let listener = Some(name.to_owned());
    DiffLine { what: "listener", only: "istiod", listener, chain: None, extension: None, resource: None, detail, causes: Vec::new() }
}

/// `1 chain`, `2 chains`.
pub(super) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
