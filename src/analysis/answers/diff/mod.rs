//! `diff WORKLOAD`: what istiod would send a proxy against what the proxy has, type by type.
//!
//! What is no difference: the state and version around a resource, the names of chains, listeners of the bootstrap, which istiod never
//! sends, the agent's exchange of a module's URL for a file (`pkg/wasm/convert.go`), and what [`crate::analysis::settings`] and
//! [`crate::analysis::resources`] say.

mod extensions;
mod listeners;
mod modules;
mod pairing;
mod removed;
mod resources;
mod states;
mod within;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use crate::analysis::comparison::Cause;
use crate::analysis::lookup;
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement;
use crate::analysis::sync as rules;
use crate::model::envoy::{ConfigDump, DumpView, EcdsFilter};
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::istiod_view::{IstiodView, IstiodViews};
use crate::model::resources::ResourceType;
use crate::model::snapshot::{Dump, Snapshot};
use crate::model::sync::SyncState;
use crate::model::warning::{self, Warning};

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffAnswer {
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// The proxies, by name.
    pub proxies: Vec<DiffEntry>,
}

/// A proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffEntry {
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// The workload, `namespace/name`; None where no object says it.
    pub workload: Option<String>,
    /// Its kind.
    pub workload_kind: Option<&'static str>,
    /// Why nothing can be compared; None where something can.
    pub note: Option<String>,
    /// By which way istiod's view came: `port-forward`, `xDS`, `file`; None where it did not.
    pub way: Option<&'static str>,
    /// Why it did not come by the way before that; None where it did.
    pub way_note: Option<String>,
    /// Why several types, named in front unless it is all of them, are not compared with what istiod says; None where each has its own reason.
    pub view_note: Option<String>,
    /// The types that are compared, in the order `LDS`, `ECDS`, `CDS`, `RDS`, `EDS`; empty where nothing can be compared.
    pub types: Vec<TypeDiff>,
}

/// What was found of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeDiff {
    /// `LDS`, `ECDS`, `CDS`, `RDS` or `EDS`.
    #[serde(rename = "type")]
    pub short: &'static str,
    /// What the proxy is compared with: `istiod`, what istiod says that it would send; `listeners`, what the listeners that istiod would
    /// send refer to; `predicted`, what istiod would make of the objects; `none`.
    pub basis: &'static str,
    /// Why, or what, it is compared with in the place of what istiod says of this type; None where it is compared with that, or where the
    /// entry's `viewNote` says all.
    pub basis_note: Option<String>,
    /// Whether nothing differs that matters, of what `compared` says; None where that cannot be told.
    pub same: Option<bool>,
    /// What was compared, or where something differs what both have, as one sentence.
    pub compared: String,
    /// What differs, by listener and chain.
    pub differences: Vec<DiffLine>,
    /// What differs in writing alone, was not compared or could not be, a sentence each.
    pub notes: Vec<String>,
}

/// A type before all that differs is known.
struct Draft {
    /// What was found so far; `compared` is what it says where nothing differs.
    found: TypeDiff,
    /// What `compared` says where something differs.
    differing: String,
    /// The names of the ECDS entries that a note lists as leftovers.
    leftovers: BTreeSet<String>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffLine {
    /// A stable word: `listener`, `refused`, `warming`, `chain`, `protocol`, `plugins`, `filters`, `destination`, `tls`, `settings`, `removed`; of
    /// ECDS `refused`, `extension`, `stub`, `pending`, `module`, `configuration`, `state`; of the others `refused`, `resource`, `warming`, `settings`, `endpoints`.
    pub what: &'static str,
    /// Who has it: `istiod`, `proxy`, `both` where both have it in different ways, or `neither` where the objects
    /// alone ask for it.
    pub only: &'static str,
    /// The listener.
    pub listener: Option<String>,
    /// The chain's 0-based place in the proxy's listener, the first one's of several that differ in the same way; None where the proxy
    /// lacks it.
    pub chain: Option<usize>,
    /// The name of the ECDS resource.
    pub extension: Option<String>,
    /// The name of the cluster or route configuration.
    pub resource: Option<String>,
    /// The difference as one sentence.
    pub detail: String,
    /// Why, as far as the dump and the objects show it.
    pub causes: Vec<Cause>,
}

impl Draft {
    fn new(found: TypeDiff, differing: String) -> Self {
        Self { found, differing, leftovers: BTreeSet::new() }
    }

    fn none(short: &'static str, why: Option<String>) -> Self {
        let compared = "Nothing was compared".to_owned();
        let differing = compared.clone();
        let found = TypeDiff { short, basis: "none", basis_note: why, same: None, compared, differences: Vec::new(), notes: Vec::new() };
        Self::new(found, differing)
    }

    /// Adds differences in front.
    fn differs_first(&mut self, lines: Vec<DiffLine>) {
        self.found.differences.splice(0..0, lines);
    }

    fn has(&self, is_it: impl Fn(&DiffLine) -> bool) -> bool {
        self.found.differences.iter().any(is_it)
    }

    /// Says that nothing differs only where nothing does.
    fn finish(self) -> TypeDiff {
        let Self { found, differing, .. } = self;
        if found.differences.is_empty() { found } else { TypeDiff { same: Some(false), compared: differing, ..found } }
    }
}

impl TypeDiff {
    /// What the whole comes to, as one sentence.
    pub fn sentence(&self) -> String {
        match (self.same, self.differences.len()) {
            (Some(true), _) if self.basis == "istiod" => format!("{}: nothing differs.", self.compared),
            (_, 0) => format!("{}.", self.compared),
            (_, 1) => format!("{}: 1 difference.", self.compared),
            (_, many) => format!("{}: {many} differences.", self.compared),
        }
    }
}

impl DiffLine {
    /// The sign of a difference's line: `-` is istiod's alone, `+` the proxy's alone, `!` is in both and differs.
    pub fn sign(&self) -> char {
        match self.only {
            "istiod" => '-',
            "proxy" => '+',
            _ => '!',
        }
    }
}

/// Answers for the given proxies, with what istiod said of each.
pub fn diff(snapshot: &Snapshot, views: &IstiodViews, proxies: &[ProxyId]) -> DiffAnswer {
    let mut proxies: Vec<&ProxyId> = proxies.iter().collect();
    proxies.sort();
    proxies.dedup();
    let shared = Arc::default();
    let entries = proxies.into_iter().map(|proxy| {
        let owner = lookup::owner(snapshot, proxy);
        let view = views.get(proxy).map_or_else(|| Err("istiod was not asked".to_owned()), |view| view.as_ref().map_err(String::clone));
        let (mut types, note) = match types(snapshot, view.as_ref().ok().copied(), proxy, &shared) {
            Ok(types) => (types, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let view_note = match &view {
            _ if types.is_empty() => None,
            Ok(_) => shared_reason(&mut types),
            Err(why) => Some(why.clone()),
        };
        let view = view.ok();
        DiffEntry {
            proxy: proxy.clone(),
            way: view.map(|view| view.way),
            way_note: view.and_then(|view| view.way_note.clone()),
            view_note,
            workload: owner.as_ref().map(|id| id.name.to_string()),
            workload_kind: owner.as_ref().map(|id| id.kind.as_str()),
            note,
            types,
        }
    });
    DiffAnswer { warnings: warning::once(&snapshot.warnings), proxies: entries.collect() }
}

/// Takes the reason out of the types that have the same one, so that it is said once.
fn shared_reason(types: &mut [TypeDiff]) -> Option<String> {
    let has = |found: &TypeDiff, why: &String| found.basis == "none" && found.basis_note.as_ref() == Some(why);
    let reasons = || types.iter().filter_map(|found| found.basis_note.as_ref());
    let why = reasons().find(|why| types.iter().filter(|found| has(found, why)).count() > 1)?.clone();
    let sharing: Vec<&mut TypeDiff> = types.iter_mut().filter(|found| has(found, &why)).collect();
    let names: Vec<&str> = sharing.iter().map(|found| found.short).collect();
    let said = format!("{}: {why}", names.join(", "));
    sharing.into_iter().for_each(|found| found.basis_note = None);
    Some(said)
}

fn types(
    snapshot: &Snapshot,
    view: Option<&IstiodView>,
    proxy: &ProxyId,
    shared: &Arc<crate::analysis::chains::Shared>,
) -> Result<Vec<TypeDiff>, String> {
    let dump = match snapshot.dumps.get(proxy) {
        Some(Dump::Loaded(loaded)) if placement::awaits_listeners(snapshot, proxy, &loaded.dump) => {
            return Err(placement::NO_LISTENERS.to_owned());
        }
        Some(Dump::Loaded(loaded)) if loaded.dump.view == DumpView::Proxy => &loaded.dump,
        Some(Dump::Loaded(_)) => return Err("only istiod's view could be read, which does not say what the proxy has".to_owned()),
        Some(Dump::Failed(why)) => return Err(why.clone()),
        Some(Dump::Loading) | None => return Err("it runs no Envoy whose config dump could be read".to_owned()),
    };
    let outlooks = Outlooks::sharing(snapshot, proxy, shared);
    let outlook = outlooks.whole();
    let mut listeners = listeners::of(view, outlook, dump);
    if let Ok(outlook) = outlook {
        removed::add(&mut listeners, outlook, dump);
        if listeners.found.basis == "istiod" {
            let note = |name: &ObjectName| format!("not compared: what EnvoyFilter {name} changes, since istiod would send that too");
            listeners.found.notes.extend(outlook.envoy_filters.shaping_chains().into_iter().map(note));
        }
    }
    let mut extensions = extensions::of(view, outlook, dump);
    let mut resources = ResourceType::ALL.map(|of| resources::of(of, view));
    for draft in [&mut listeners, &mut extensions].into_iter().chain(&mut resources) {
        answered(snapshot, proxy, dump, &mut draft.found);
    }
    states::add(&listeners, &mut extensions, &outlooks, dump);
    Ok([listeners, extensions].into_iter().chain(resources).map(Draft::finish).collect())
}

/// Whether both sides are the same; None where no difference is known and not all could be compared.
fn same(differences: &[DiffLine], is_unclear: bool) -> Option<bool> {
    if differences.is_empty() && is_unclear { None } else { Some(differences.is_empty()) }
}

/// Adds what the proxy made of istiod's last push: a dump lists an extension that Envoy refused as if it were in place.
fn answered(snapshot: &Snapshot, proxy: &ProxyId, dump: &ConfigDump, found: &mut TypeDiff) {
    let Some(Ok(sync)) = &snapshot.sync else { return };
    let own = sync.clients().filter(|(_, client)| client.proxy == *proxy).flat_map(|(_, client)| &client.types);
    for (url, told) in own.filter(|(url, _)| rules::short(url) == found.short) {
        if told.state == SyncState::Refused
            && snapshot.dump(proxy).is_some_and(|loaded| rules::is_superseded(sync, told, url, loaded, None))
        {
            continue;
        }
        let is_told = found.differences.iter().any(|line| line.what == "refused");
        match told.state {
            SyncState::Refused if !is_told => {
                let is_named = |entry: &&EcdsFilter| told.error.contains(extensions::short(&entry.name));
                let extension = dump.ecds.iter().filter(|_| found.short == extensions::ECDS).find(is_named).map(|entry| entry.name.clone());
                let detail = format!("the proxy refused the last push of {}, and keeps what it had: {}", found.short, told.error);
                let line = DiffLine {
                    what: "refused",
                    only: "istiod",
                    listener: None,
                    chain: None,
                    extension,
                    resource: None,
                    detail,
                    causes: Vec::new(),
                };
                found.differences.push(line);
            }
            SyncState::Stale => found.notes.push(format!("the proxy has not answered to istiod's last push of {}", found.short)),
            _ => {}
        }
    }
}
