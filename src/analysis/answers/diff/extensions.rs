//! ECDS: each resource that istiod would send beside the one that the proxy holds.
//!
//! istiod dumps the bare Wasm message with the short name in it, before the agent put the module's file in the place of its URL
//! (`pilot/pkg/xds/debug.go: dumpEcdsConfig`, `pkg/wasm/convert.go`).

use std::collections::BTreeSet;

use serde_json::Value;

use super::listeners::counted;
use super::{DiffLine, TypeDiff};
use crate::analysis::outlook::Outlook;
use crate::model::envoy::{ConfigDump, EcdsFilter, ExtensionConfig, FilterSource, Listener, ListenerState};
use crate::model::istiod_view::IstiodView;

pub(super) const ECDS: &str = "ECDS";

/// What istiod would send under a name, and what of it is known.
struct Wanted<'v> {
    name: &'v str,
    /// None where only a listener's reference to it is known.
    entry: Option<&'v EcdsFilter>,
}

/// Compares with what istiod says; else with what its listeners, or the predicted ones, refer to.
pub(super) fn of(view: Result<&IstiodView, &String>, outlook: Result<&Outlook<'_>, &String>, dump: &ConfigDump) -> TypeDiff {
    match (view, outlook) {
        (Ok(view), _) if view.tells_ecds() => {
            let wanted = view.dump.ecds.iter().map(|entry| Wanted { name: &entry.name, entry: Some(entry) });
            compare("istiod", None, wanted.collect(), dump)
        }
        (Ok(view), _) => {
            let why = if view.notes.is_empty() { "istiod's dump holds no ECDS section".to_owned() } else { view.notes.join("; ") };
            let why = format!("{why}; what its listeners refer to stands in for what it would send");
            compare("listeners", Some(why), referred(&view.dump.listeners), dump)
        }
        (Err(why), Ok(outlook)) => {
            let why = format!("{why}; the plugins in the chains that istiod would make of the objects stand in for what it would send");
            compare("predicted", Some(why), referred(&outlook.prediction.listeners), dump)
        }
        (Err(why), Err(neither)) => TypeDiff::none(ECDS, format!("{why}; and {neither}")),
    }
}

/// What listeners refer to in ECDS, by name.
fn referred<'v>(listeners: impl IntoIterator<Item = &'v Listener>) -> Vec<Wanted<'v>> {
    let filters = listeners.into_iter().flat_map(|listener| &listener.chains).flat_map(|chain| chain.filters());
    let names: BTreeSet<&str> =
        filters.filter(|filter| matches!(filter.source, FilterSource::Discovery(_))).map(|filter| filter.name.as_str()).collect();
    names.into_iter().map(|name| Wanted { name, entry: None }).collect()
}

fn compare(basis: &'static str, basis_note: Option<String>, wanted: Vec<Wanted<'_>>, dump: &ConfigDump) -> TypeDiff {
    let mut entries: Vec<&EcdsFilter> = dump.ecds.iter().collect();
    entries.sort_by_key(|entry| entry.name.as_str());
    let mut wanted = wanted;
    wanted.sort_by_key(|wanted| wanted.name);
    let (mut differences, mut notes) = (Vec::new(), Vec::new());
    for wanted in &wanted {
        let Some(entry) = entries.iter().find(|entry| short(&entry.name) == short(wanted.name)) else {
            let detail = format!("the proxy lacks {}, which istiod would send", wanted.name);
            differences.push(line("extension", "istiod", wanted.name, detail));
            continue;
        };
        held(entry, &mut differences, &mut notes);
        if let Some(sent) = wanted.entry {
            between(entry, sent, &mut differences, &mut notes);
        }
    }
    let in_use = referred(dump.listeners.iter().filter(|it| matches!(it.state, ListenerState::Active | ListenerState::Warming)));
    let stands = |entry: &EcdsFilter, among: &[Wanted<'_>]| among.iter().any(|other| short(&entry.name) == short(other.name));
    for entry in entries.iter().filter(|entry| !stands(entry, &wanted)) {
        if stands(entry, &in_use) {
            let detail = format!("istiod would not send {}, which the proxy has and its listeners refer to", entry.name);
            differences.push(line("extension", "proxy", &entry.name, detail));
        } else {
            let kept = "the proxy still has it, though no listener that takes connections refers to it; Envoy keeps such for a while";
            notes.push(format!("{} is a leftover, which is no difference: {kept}", entry.name));
        }
    }
    entries.retain(|entry| stands(entry, &wanted) || stands(entry, &in_use));
    let compared = if wanted.is_empty() && entries.is_empty() {
        "Neither has an extension".to_owned()
    } else if differences.is_empty() {
        let by = if basis == "istiod" { "" } else { " by name" };
        format!("Both have the same {}{by}", counted(wanted.len(), "extension"))
    } else {
        format!("istiod would send {}, the proxy has {}", counted(wanted.len(), "extension"), entries.len())
    };
    TypeDiff { short: ECDS, basis, basis_note, same: Some(differences.is_empty()), compared, differences, notes }
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
        ExtensionConfig::Wasm { .. } | ExtensionConfig::Other(_) => {}
    }
}

/// How the module and its settings differ from what istiod would send; the agent's exchange of URL and file is only noted.
fn between(entry: &EcdsFilter, sent: &EcdsFilter, differences: &mut Vec<DiffLine>, notes: &mut Vec<String>) {
    let name = &entry.name;
    let mut differs = |what, of: &str, istiod: &str, proxy: &str| {
        if istiod != proxy {
            let said = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
            let detail = format!("{name}: the {of} is {}, istiod would send {}", said(proxy), said(istiod));
            differences.push(line(what, "both", name, detail));
        }
    };
    let (istiod, proxy) = match (&sent.config, &entry.config) {
        (istiod @ ExtensionConfig::Wasm { .. }, proxy @ ExtensionConfig::Wasm { .. }) => (istiod, proxy),
        (ExtensionConfig::Other(istiod), ExtensionConfig::Other(proxy)) => return differs("module", "type", istiod, proxy),
        // A stub or nothing in its place has been told.
        _ => return,
    };
    let ExtensionConfig::Wasm { url: sent_url, root_id: sent_root, failure_policy: sent_policy, .. } = istiod else { return };
    let ExtensionConfig::Wasm { url, file, root_id, failure_policy, .. } = proxy else { return };
    if !sent_url.is_empty() && !file.is_empty() {
        notes.push(format!("{name}: the agent put the file {file} in the place of {sent_url}, which is no difference"));
    } else {
        differs("module", "URL of the module", sent_url, url);
    }
    differs("configuration", "root id", sent_root, root_id);
    differs("configuration", "failure policy", policy(sent_policy), policy(failure_policy));
    if configuration(sent) != configuration(entry) {
        let detail = format!("{name}: its configuration is not what istiod would send");
        differences.push(line("configuration", "both", name, detail));
    }
}

/// A failure policy with its default written out (`envoy/extensions/wasm/v3/wasm.proto: FailurePolicy`).
fn policy(written: &str) -> &str {
    if matches!(written, "" | "UNSPECIFIED") { "FAIL_CLOSED" } else { written }
}

/// The plugin's configuration, whichever way of writing it is dumped in; None where it is empty.
fn configuration(entry: &EcdsFilter) -> Option<Value> {
    let raw: Value = serde_json::from_str(entry.raw.as_str()).ok()?;
    let filter = raw.get("ecds_filter").or_else(|| raw.get("ecdsFilter"))?;
    let typed = filter.get("typed_config").or_else(|| filter.get("typedConfig")).unwrap_or(filter);
    let value = typed.get("config")?.get("configuration")?.get("value")?;
    match value.as_str() {
        Some("") => None,
        Some(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| value.clone())),
        None => Some(value.clone()),
    }
}

fn line(what: &'static str, only: &'static str, name: &str, detail: String) -> DiffLine {
    DiffLine { what, only, listener: None, chain: None, extension: Some(name.to_owned()), resource: None, detail, causes: Vec::new() }
}
