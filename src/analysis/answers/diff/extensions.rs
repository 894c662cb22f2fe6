//! ECDS: each resource that istiod would send beside the one that the proxy holds.
//!
//! istiod dumps the bare Wasm message with the short name in it, before the agent put the module's file in the place of its URL
//! (`pilot/pkg/xds/debug.go: dumpEcdsConfig`).

use std::collections::BTreeSet;

use super::listeners::counted;
use super::pairing::{self, Pairing, Wanted};
use super::within::{self, Found};
use super::{DiffLine, Draft, TypeDiff, modules};
use crate::analysis::outlook::Outlook;
use crate::model::envoy::{ConfigDump, EcdsFilter, ExtensionConfig, FilterSource, Listener, ListenerState};
use crate::model::istiod_view::IstiodView;

pub(super) const ECDS: &str = "ECDS";

/// Compares with what istiod says; else with what its listeners, or the predicted ones, refer to.
pub(super) fn of(view: Option<&IstiodView>, outlook: Result<&Outlook<'_>, &String>, dump: &ConfigDump) -> Draft {
    match (view, outlook) {
        (Some(view), _) if view.tells_ecds() => {
            let wanted = view.dump.ecds.iter().map(|entry| Wanted { name: &entry.name, entry: Some(entry) });
            let asked_for = referred(&view.dump.listeners).iter().map(|wanted| wanted.name).collect();
            let is_whole = view.dump.not_understood == 0;
            let mut draft = compare("istiod", None, Asked { wanted: wanted.collect(), asked_for, is_whole }, dump);
            draft.found.notes.splice(0..0, view.notes.iter().cloned());
            draft
        }
        (Some(view), _) => {
            let why = if view.notes.is_empty() { "istiod's dump holds no ECDS section".to_owned() } else { view.notes.join("; ") };
            let why = format!("{why}; in its place, what its listeners refer to");
            let is_whole = view.dump.not_understood == 0;
            compare("listeners", Some(why), Asked { is_whole, ..Asked::of(&view.dump.listeners) }, dump)
        }
        (None, Ok(outlook)) => {
            let why = "in its place, the plugins in the chains that istiod would make of the objects".to_owned();
            compare("predicted", Some(why), Asked::of(&outlook.prediction.listeners), dump)
        }
        (None, Err(neither)) => Draft::none(ECDS, Some(neither.clone())),
    }
}

/// istiod's side.
struct Asked<'v> {
    wanted: Vec<Wanted<'v>>,
    /// The names that istiod's listeners ask for, where istiod says what it would send.
    asked_for: BTreeSet<&'v str>,
    /// Whether all of it could be read.
    is_whole: bool,
}

impl<'v> Asked<'v> {
    /// What listeners refer to.
    fn of(listeners: impl IntoIterator<Item = &'v Listener>) -> Self {
        Self { wanted: referred(listeners), asked_for: BTreeSet::new(), is_whole: true }
    }
}

/// What listeners refer to in ECDS, by name.
fn referred<'v>(listeners: impl IntoIterator<Item = &'v Listener>) -> Vec<Wanted<'v>> {
    let filters = listeners.into_iter().flat_map(|listener| &listener.chains).flat_map(|chain| chain.filters());
    let names: BTreeSet<&str> =
        filters.filter(|filter| matches!(filter.source, FilterSource::Discovery(_))).map(|filter| filter.name.as_str()).collect();
    names.into_iter().map(|name| Wanted { name, entry: None }).collect()
}

fn compare(basis: &'static str, basis_note: Option<String>, of_istiod: Asked<'_>, dump: &ConfigDump) -> Draft {
    let Asked { wanted, asked_for, is_whole: is_istiod_whole } = of_istiod;
    let (mut differences, mut notes) = (Vec::new(), Vec::new());
    let (mut all, mut leftovers) = (Found::default(), BTreeSet::new());
    let Pairing { pairs, lacking, others } = pairing::pair(&wanted, &dump.ecds, &asked_for);
    for (wanted, entry) in &pairs {
        held(entry, &mut differences, &mut notes);
        if let Some(sent) = wanted.entry {
            all.add(modules::between(entry, sent, dump, &mut notes), &mut differences);
        }
    }
    // An entry that could not be read may be the one.
    let is_whole = dump.not_understood == 0;
    if !is_whole && !lacking.is_empty() {
        notes.push("parts of the proxy's config dump could not be understood, so whether it lacks an extension is not known".to_owned());
    }
    let is_unclear = !is_whole && !lacking.is_empty();
    let mut is_unsent_unclear = false;
    for wanted in lacking.into_iter().filter(|_| is_whole) {
        let detail = format!("the proxy lacks {}, which istiod would send", wanted.name);
        differences.push(line("extension", "istiod", wanted.name, detail));
    }
    let in_use = in_use(dump);
    let mut count = pairs.len();
    for entry in others {
        let is_wasm = matches!(entry.config, ExtensionConfig::Wasm { .. } | ExtensionConfig::StubAllow | ExtensionConfig::StubDeny);
        let used = in_use.contains(short(&entry.name));
        count += usize::from(used);
        if used && !is_wasm && asked_for.contains(entry.name.as_str()) {
            // istiod dumps Wasm alone (`pilot/pkg/xds/debug.go: getConfigDumpByResourceType`).
            held(entry, &mut differences, &mut notes);
            notes.push(format!("{} is not Wasm: istiod's dump omits its settings", entry.name));
        } else if used && !is_istiod_whole {
            is_unsent_unclear = true;
            let what = "parts of istiod's config dump could not be understood, so whether it would send";
            notes.push(format!("{what} {}, which the proxy has, is not known", entry.name));
        } else if used {
            let detail = format!("istiod would not send {}, which the proxy has and its listeners refer to", entry.name);
            differences.push(line("extension", "proxy", &entry.name, detail));
        } else {
            let kept = "the proxy still has it, though no listener that takes connections refers to it; Envoy keeps such for a while";
            leftovers.insert(entry.name.clone());
            notes.push(format!("{} is a leftover, which is no difference: {kept}", entry.name));
        }
    }
    differences.sort_by(|one, other| one.extension.cmp(&other.extension));
    let of_proxy = counted(count, "extension");
    let compared = if is_unclear {
        format!("The proxy has {of_proxy}, as far as its config dump could be read")
    } else if is_unsent_unclear {
        format!("The proxy has {of_proxy}, as far as istiod's config dump could be read")
    } else if wanted.is_empty() && count == 0 {
        "Neither has an extension".to_owned()
    } else if basis == "istiod" {
        format!("{of_proxy} compared field by field with what istiod would send now")
    } else {
        format!("{of_proxy} compared by name; not compared: what is set in them")
    };
    let differing = format!("istiod would send {}, the proxy has {count}", counted(wanted.len(), "extension"));
    let same = super::same(&differences, is_unclear || is_unsent_unclear);
    let found = TypeDiff { short: ECDS, basis, basis_note, same, compared, differences, notes };
    Draft { leftovers, ..Draft::new(within::bounded(found, &all), differing) }
}

/// The names, without what Istio puts before them, of what the proxy's listeners that take connections or warm refer to.
pub(super) fn in_use(dump: &ConfigDump) -> BTreeSet<&str> {
    let listeners = dump.listeners.iter().filter(|listener| matches!(listener.state, ListenerState::Active | ListenerState::Warming));
    referred(listeners).iter().map(|used| short(used.name)).collect()
}

/// The name without what Istio puts before it, which istiod's dump leaves out.
pub(super) fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What stands in the place of what istiod sent, whatever that was.
fn held(entry: &EcdsFilter, differences: &mut Vec<DiffLine>, notes: &mut Vec<String>) {
    let name = &entry.name;
    let stub = |does: &str| {
        let why = "since it could not fetch the module that istiod sent";
        line("stub", "both", name, format!("the agent put an RBAC filter that {does} all requests in the place of {name}, {why}"))
    };
    match &entry.config {
        ExtensionConfig::StubAllow => differences.push(stub("allows")),
        ExtensionConfig::StubDeny => differences.push(stub("denies")),
        ExtensionConfig::Missing => {
            let detail = format!("the proxy asked for {name} and has received nothing");
            differences.push(line("pending", "istiod", name, detail));
        }
        ExtensionConfig::Wasm { url, file, .. } if file.is_empty() && !url.is_empty() => {
            notes.push(format!("{name}: the proxy holds the module's URL {url}, which no agent has exchanged for a file"));
        }
        ExtensionConfig::Contradicting => notes.push(format!("{name}: the proxy's dump has several entries of it that differ")),
        ExtensionConfig::Wasm { .. } | ExtensionConfig::Other(_) => {}
    }
}

pub(super) fn line(what: &'static str, only: &'static str, name: &str, detail: String) -> DiffLine {
    DiffLine { what, only, listener: None, chain: None, extension: Some(name.to_owned()), resource: None, detail, causes: Vec::new() }
}
