//! The state of a plugin by one config dump: its entry in the ECDS section, and the listeners that refer to it.
//!
//! Most dumps do not show that Envoy refused an ECDS resource: the section lists the refused one as if it were in place. Where an entry has an
//! `error_state`, that decides (`envoy/admin/v3/config_dump_shared.proto: EcdsFilterConfig`, of which Envoy's documentation hides it yet).

use super::{Evidence, Expected, Health, PluginState, weigh};
use crate::analysis::placement::{self, NO_LISTENERS};
use crate::ingest::logs::instant;
use crate::ingest::{config_dump, plugin_name};
use crate::model::envoy::{ConfigDump, DumpView, EcdsFilter, ExtensionConfig, Filter, FilterSource, Listener, ListenerState};
use crate::model::ids::{PluginId, PluginKind};

/// The field of a dump that holds a plugin's configuration.
pub(super) const ENTRY: &str = "ecds_filters";
const CONFIG: &str = "ecds_filters[].ecds_filter.typed_config";
/// The field of an entry that holds a Wasm module.
pub(super) const MODULE: &str = "ecds_filters[].ecds_filter.typed_config.config.vm_config.code.local";
const REFERENCE: &str = "dynamic_listeners[]";

/// What is not in such a dump may be there all the same.
const NOT_UNDERSTOOD: &str = "parts of the dump could not be understood, and it may be in them";

/// The state of `plugin` by one dump. `awaits` is whether the proxy still waits for its listeners
/// ([`placement::awaits_listeners`]).
pub fn of_dump(plugin: &PluginId, dump: &ConfigDump, expected: &Expected, awaits: bool) -> Health {
    if dump.view == DumpView::Istiod {
        let what = "only istiod's view could be read, which does not say what the proxy has";
        return Health::new(PluginState::Unknown, Evidence::of_dump("", what));
    }
    let held = weigh::entry(plugin, dump).map(held);
    let stands = Stands::of(plugin, dump);
    if let (Some(refusal), Expected::Yes(_) | Expected::Unknown(_)) = (refusal(plugin, dump, &stands), expected) {
        let evidence = std::iter::once(refusal).chain(held.map(|held| held.evidence).into_iter().flatten());
        return Health::of(PluginState::Rejected, evidence.collect());
    }
    if stands.is_in_use() {
        let health = held.unwrap_or_else(|| without_entry(plugin, dump, &stands));
        let health = with_rejection(health, plugin, dump);
        return match expected {
            Expected::No(_) => unexpected(health, expected),
            Expected::Yes(_) | Expected::Unknown(_) => health,
        };
    }
    match held {
        // Whether it runs is not to be seen in a part of a dump, nor in that of a proxy that starts.
        Some(health) if health.state == PluginState::Running && says_no_references(dump, expected, awaits) => {
            let what = Evidence::of_dump("", unseen(dump, awaits).unwrap_or(WITHOUT_LISTENERS));
            Health::of(PluginState::Unknown, std::iter::once(what).chain(health.evidence).collect())
        }
        Some(health) if dump.listeners.is_empty() => health,
        Some(health) if health.state != PluginState::Pending => not_in_use(health, dump, expected, &stands, awaits),
        _ => not_there(dump, expected, awaits),
    }
}

/// In which states of listeners the plugin's filter stands.
struct Stands<'d> {
    listeners: Vec<&'d Listener>,
}

impl<'d> Stands<'d> {
    fn of(plugin: &PluginId, dump: &'d ConfigDump) -> Self {
        Self { listeners: dump.listeners.iter().filter(|listener| placement::count_in_listener(listener, plugin) > 0).collect() }
    }

    fn names(&self, state: ListenerState) -> Vec<&'d str> {
        self.listeners.iter().filter(|listener| listener.state == state).map(|listener| listener.name.as_str()).collect()
    }

    fn is_in(&self, state: ListenerState) -> bool {
        self.listeners.iter().any(|listener| listener.state == state)
    }

    /// Whether connections go through it, or will.
    fn is_in_use(&self) -> bool {
        self.is_in(ListenerState::Active) || self.is_in(ListenerState::Warming)
    }
}

/// What the ECDS section holds of a plugin.
fn held(entry: &EcdsFilter) -> Health {
    let said = |state, field: &str, what: String| Health::new(state, Evidence::of_dump(format!("{CONFIG}{field}"), what));
    match &entry.config {
        ExtensionConfig::Wasm { file, .. } if !file.is_empty() => {
            said(PluginState::Running, ".config.vm_config.code.local.filename", format!("ECDS holds the module as {file}"))
        }
        ExtensionConfig::Wasm { url, .. } if !url.is_empty() => {
            let what = format!("ECDS holds only the module's URL {url}: whether it was fetched is not to be seen");
            said(PluginState::Unknown, ".config.vm_config.code.remote.http_uri.uri", what)
        }
        ExtensionConfig::Wasm { .. } => {
            said(PluginState::Running, ".config.vm_config.code.local", "ECDS holds the module itself".to_owned())
        }
        ExtensionConfig::StubAllow => stub(entry, PluginState::StubAllow, "wasm-default-allow", "without rules", "allowed"),
        ExtensionConfig::StubDeny => stub(entry, PluginState::StubDeny, "wasm-default-deny", "with empty rules", "denied"),
        ExtensionConfig::Contradicting => said(
            PluginState::Unknown,
            "",
            "ECDS holds several entries of its name that differ, and which one it runs by is not known".to_owned(),
        ),
        ExtensionConfig::Other(type_url) => said(PluginState::Unknown, ".@type", format!("ECDS holds {type_url} under its name")),
        ExtensionConfig::Missing => Health::new(
            PluginState::Pending,
            Evidence::of_dump("ecds_filters[].last_updated", "ECDS was asked for it and has received nothing"),
        ),
    }
}

/// The agent's filter, by its stat prefix, which old agents do not write, else by its shape.
fn stub(entry: &EcdsFilter, state: PluginState, prefix: &str, shape: &str, then: &str) -> Health {
    let (field, sign) = match entry.raw.as_str() {
        raw if !raw.contains(prefix) => (".rules", shape),
        raw if raw.contains("filters.network") => (".stat_prefix", prefix),
        _ => (".rules_stat_prefix", prefix),
    };
    let what = format!("ECDS holds an RBAC filter {sign} in its place: the module could not be fetched, all requests are {then}");
    Health::new(state, Evidence::of_dump(format!("{CONFIG}{field}"), what))
}

/// Reports the inline module; one with a URL comes first. Whether Envoy has fetched one cannot be seen.
fn in_listener(inline: &[&Filter]) -> Health {
    let said = |state, what: String| Health::new(state, Evidence::of_dump(format!("{REFERENCE} … typed_config"), what));
    let configs: Vec<ExtensionConfig> = inline.iter().map(|filter| config_dump::inline(filter)).collect();
    let fetched = configs.iter().find_map(|config| match config {
        ExtensionConfig::Wasm { url, .. } if !url.is_empty() => Some(url),
        _ => None,
    });
    match (fetched, configs.first()) {
        (Some(url), _) => said(
            PluginState::Unknown,
            format!("the listener names the module's URL {url}, which Envoy fetches itself: whether it runs is not to be seen"),
        ),
        (None, Some(ExtensionConfig::Wasm { file, .. })) if !file.is_empty() => {
            said(PluginState::Running, format!("the listener has the module as {file}"))
        }
        (None, _) => said(PluginState::Running, "its configuration is in the listener itself".to_owned()),
    }
}

/// Listeners have it, and the ECDS section does not.
fn without_entry(plugin: &PluginId, dump: &ConfigDump, stands: &Stands<'_>) -> Health {
    let filters = stands.listeners.iter().flat_map(|listener| &listener.chains).flat_map(|chain| chain.filters());
    let of_plugin = filters.filter(|filter| placement::is_of(filter, plugin));
    // Lua, and the Wasm of an EnvoyFilter, are in the listener itself and need no ECDS.
    let inline: Vec<&Filter> = of_plugin.filter(|filter| matches!(filter.source, FilterSource::Inline(_))).collect();
    if !inline.is_empty() {
        return in_listener(&inline);
    }
    let warming = stands.names(ListenerState::Warming);
    let has_ecds = dump.sections.iter().any(|section| section.type_url.contains("EcdsConfigDump"));
    match (warming.is_empty(), has_ecds) {
        (true, false) => Health::new(PluginState::Unknown, Evidence::of_dump("", "the dump has no ECDS section")),
        (true, true) if dump.not_understood > 0 => Health::new(PluginState::Unknown, Evidence::of_dump("", NOT_UNDERSTOOD)),
        (true, true) => Health::new(PluginState::Pending, Evidence::of_dump(ENTRY, "listeners refer to it, and ECDS does not hold it")),
        (false, _) => {
            let what = format!("listeners wait for it and take no connections yet ({}), and ECDS does not hold it", warming.join(", "));
            Health::new(PluginState::Pending, Evidence::of_dump(format!("{REFERENCE}.warming_state"), what))
        }
    }
}

/// Envoy refused a listener because of it, or one that has it where no other does.
fn refusal(plugin: &PluginId, dump: &ConfigDump, stands: &Stands<'_>) -> Option<Evidence> {
    let refused = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Error);
    let mut because = refused.filter(|listener| {
        let error = listener.error.as_deref().unwrap_or_default();
        // Of an EnvoyFilter's Wasm Envoy names only what its configuration calls itself.
        let may_be_of_wasm = plugin.kind == PluginKind::EnvoyFilter && error.contains("Wasm");
        let is_in_it = || placement::count_in_listener(listener, plugin) > 0;
        names_plugin(error, plugin) || (may_be_of_wasm || !stands.is_in_use()) && is_in_it()
    });
    let first = because.next()?;
    let others = match because.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let error = first.error.as_deref().unwrap_or("without a reason");
    Some(Evidence::of_dump(
        format!("{REFERENCE}.error_state.details"),
        format!("Envoy refused the listener {}{others}: {error}", first.name),
    ))
}

/// Adds that Envoy rejected an update of the ECDS resource since it accepted the one that it has, and runs what it had before: the stub, where
/// it has that.
fn with_rejection(mut health: Health, plugin: &PluginId, dump: &ConfigDump) -> Health {
    let Some((entry, rejected)) = weigh::entry(plugin, dump).and_then(|entry| Some((entry, entry.rejected.as_ref()?))) else {
        return health;
    };
    let time = |text: &Option<String>| text.as_deref().and_then(instant);
    if time(&rejected.at).zip(time(&entry.last_updated)).is_some_and(|(rejected, accepted)| rejected < accepted) {
        return health;
    }
    let at = rejected.at.as_ref().map(|at| format!(" of {at}")).unwrap_or_default();
    let why = if rejected.details.is_empty() { "without a reason" } else { &rejected.details };
    let what = format!("Envoy rejected the update{at} of its ECDS resource: {why}");
    let is_stub = health.state.is_stub();
    let place = if is_stub { health.evidence.len() } else { 0 };
    health.evidence.insert(place, Evidence::of_dump("ecds_filters[].error_state.details", what));
    Health { state: if is_stub { health.state } else { PluginState::Rejected }, ..health }
}

/// Whether a text of Envoy names the plugin, by its configuration's name or its resource's.
pub(super) fn names_plugin(text: &str, plugin: &PluginId) -> bool {
    if plugin.kind == PluginKind::EnvoyFilter {
        return text.contains(&plugin.name.name);
    }
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let names = text.split(|c| !is_of_a_name(c)).filter_map(|word| plugin_name::of_configuration(word.trim_end_matches('.')));
    names.into_iter().any(|(name, marked)| name == plugin.name && (!marked || plugin.kind == PluginKind::WasmPlugin))
}

/// The ECDS section has it, and no listener that takes connections does.
fn not_in_use(held: Health, dump: &ConfigDump, expected: &Expected, stands: &Stands<'_>, awaits: bool) -> Health {
    let draining = stands.names(ListenerState::Draining);
    let (state, what) = match expected {
        _ if dump.not_understood > 0 => (PluginState::Unknown, NOT_UNDERSTOOD.to_owned()),
        Expected::Yes(_) => match unseen(dump, awaits) {
            Some(why) => (PluginState::Unknown, why.to_owned()),
            None => (PluginState::Absent, "no listener refers to it".to_owned()),
        },
        _ if !draining.is_empty() => (PluginState::Leftover, format!("only draining listeners refer to it: {}", draining.join(", "))),
        _ => (PluginState::Leftover, "no listener refers to it, and ECDS still holds it".to_owned()),
    };
    let reference = Evidence::of_dump(REFERENCE, what);
    let goes = (state == PluginState::Leftover && !draining.is_empty()).then(|| Evidence::of_dump("", GOES));
    Health::of(state, [vec![reference, expected.evidence()], held.evidence, goes.into_iter().collect()].concat())
}

/// Envoy gives up a subscription with the last listener, or chain, that asked for it (`source/common/filter/config_discovery_impl.cc`).
const GOES: &str = "it goes with the draining listeners";

/// Whether a dump that holds a plugin's module cannot say that a listener refers to it.
fn says_no_references(dump: &ConfigDump, expected: &Expected, awaits: bool) -> bool {
    !dump.has_all_listeners() || awaits && !matches!(expected, Expected::No(_))
}

/// Why the proxy may have what its dump does not show; None where it has not.
fn unseen(dump: &ConfigDump, awaits: bool) -> Option<&'static str> {
    if dump.not_understood > 0 {
        return Some(NOT_UNDERSTOOD);
    }
    if !dump.has_listeners() {
        return Some(WITHOUT_LISTENERS);
    }
    // A proxy that starts has its own listeners alone, and its ECDS section is read after them.
    awaits.then_some(NO_LISTENERS)
}

const WITHOUT_LISTENERS: &str = "the dump holds no listeners, which would show whether one refers to it";

/// Neither is there.
fn not_there(dump: &ConfigDump, expected: &Expected, awaits: bool) -> Health {
    let (state, what) = match expected {
        _ if dump.not_understood > 0 => (PluginState::Unknown, NOT_UNDERSTOOD),
        Expected::No(_) => (PluginState::NotApplicable, "it does not apply to this proxy, and is not there"),
        Expected::Yes(_) => match unseen(dump, awaits) {
            Some(why) => (PluginState::Unknown, why),
            None => (PluginState::Absent, "the proxy has neither a filter nor an ECDS entry of it"),
        },
        Expected::Unknown(_) => (PluginState::Unknown, "the proxy has neither a filter nor an ECDS entry of it"),
    };
    Health::of(state, vec![Evidence::of_dump("", what), expected.evidence()])
}

fn unexpected(health: Health, expected: &Expected) -> Health {
    let reference = Evidence::of_dump(REFERENCE, "listeners have it, and it does not apply to this proxy");
    Health::of(PluginState::Unexpected, [vec![reference, expected.evidence()], health.evidence].concat())
}
