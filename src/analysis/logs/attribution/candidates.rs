//! The plugins that a line can mean, and those of them that reach a proxy.

use std::collections::HashMap;
use std::sync::Arc;

use super::reach::{self, Reach};
use super::{Found, Named};
use crate::analysis::{control_plane, naming};
use crate::ingest::logs::instant;
use crate::ingest::plugin_name;
use crate::model::ids::{ObjectName, PluginId, PluginKind, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::log_details::LoggedObject;
use crate::model::logs::LogTime;
use crate::model::plugin::Plugin;

/// How many candidates a note names.
const NAMED: usize = 4;

/// By how much the API server's clock may be ahead of the proxy's: 5 s.
const SLACK: LogTime = 5_000_000_000;

/// The plugins of a mesh.
#[derive(Clone, Debug)]
pub(super) struct Candidates {
    objects: Arc<Inventory>,
    /// By name; a WasmPlugin and a TrafficExtension can share one.
    by_name: HashMap<ObjectName, Vec<PluginId>>,
    reach: Reach,
    /// Only plugins that were there by then fit; None lets all fit.
    until: Option<LogTime>,
    /// Whether istiod marks the names of WasmPlugins, so that a name without a mark is a TrafficExtension's.
    marks: bool,
}

/// The plugins that fit.
#[derive(Debug)]
pub(super) struct Choice {
    ids: Vec<PluginId>,
    /// Whose other plugins were looked at.
    whose: &'static str,
}

impl Candidates {
    pub(super) fn new(objects: Arc<Inventory>) -> Self {
        let mut by_name: HashMap<ObjectName, Vec<PluginId>> = HashMap::new();
        for id in objects.plugins.keys() {
            by_name.entry(id.name.clone()).or_default().push(id.clone());
        }
        let marks = control_plane::control_plane(&objects, None, None).version.translates_wasm_plugins();
        Self { objects, by_name, reach: Reach::default(), until: None, marks }
    }

    /// Goes by other objects. Whether an answer that was given can be another one now.
    pub(super) fn follow(&mut self, objects: Arc<Inventory>) -> bool {
        let before = std::mem::replace(self, Self::new(objects));
        self.reach = before.reach;
        let moved = self.reach.follow(&before.objects, &self.objects);
        moved || self.marks != before.marks || !reach::same_plugins(&before.objects, &self.objects)
    }

    /// The plugin of a name as logs and refusals have it, `ns.name` of each era or a resource's whole name; with a note where
    /// there is no such object. None where it is no plugin's name.
    pub(super) fn named(&self, name: &str) -> Option<Found> {
        if let Some(filter) = plugin_name::of_resource(name, false) {
            return Some(self.known(filter.id));
        }
        let (object, marked) = plugin_name::of_configuration(name)?;
        if marked {
            return Some(self.known(PluginId { name: object, kind: PluginKind::WasmPlugin }));
        }
        self.by_name.contains_key(&object).then(|| Found { plugin: Some(self.unmarked(object)), note: None })
    }

    /// The plugin of a name without a mark, whether or not there is one.
    pub(super) fn unmarked(&self, name: ObjectName) -> PluginId {
        let kind = match self.by_name.get(&name).map(Vec::as_slice) {
            Some([id]) => id.kind,
            _ if self.marks => PluginKind::TrafficExtension,
            _ => PluginKind::WasmPlugin,
        };
        PluginId { name, kind }
    }

    /// Says where a line names a plugin that is not there (any more).
    pub(super) fn known(&self, id: PluginId) -> Found {
        let note = (!self.has(&id)).then(|| format!("there is no {} {id} now", id.kind));
        Found { plugin: Some(id), note }
    }

    /// Whether there is such a plugin now.
    pub(super) fn has(&self, id: &PluginId) -> bool {
        self.objects.plugins.contains_key(id)
    }

    /// Whether what a line names is a plugin that is there now.
    pub(super) fn is_there(&self, named: &Named) -> bool {
        match &named.plugin {
            Some(plugin) => self.has(plugin),
            None => self.named(&named.said).and_then(|found| found.plugin).is_some_and(|plugin| self.has(&plugin)),
        }
    }

    /// What the lines next to a line say of the plugin that failed.
    pub(super) fn neighbour(&self, named: Found, names: &str) -> Found {
        let Found { plugin: Some(plugin), note } = named else {
            let of_none = || format!("the failure is of {names}, which is not the name of a plugin that is there");
            return Found { plugin: None, note: Some(named.note.unwrap_or_else(of_none)) };
        };
        let by = "by a line of the same failure, which names it";
        let note = note.map_or_else(|| by.to_owned(), |note| format!("{by}; {note}"));
        Found { plugin: Some(plugin), note: Some(note) }
    }

    /// The line has nothing of a plugin, so that only one can be meant where there is only one, and it was there by then.
    pub(super) fn only(&self, chosen: Choice, kind: &str, time: Option<LogTime>) -> Found {
        let whose = chosen.whose;
        match chosen.ids.as_slice() {
            [] => Found::default(),
            [id] if self.is_later(id, time) => {
                let note = format!("the line does not name its plugin, and {id}, the only {kind} {whose}, was created after it");
                Found { plugin: None, note: Some(note) }
            }
            [id] => Found { plugin: Some(id.clone()), note: Some(format!("the only {kind} {whose}")) },
            several => Found { plugin: None, note: Some(format!("the line does not say which of {}", list(several))) },
        }
    }

    /// What the line has, `its root id add_header`, decides, where a plugin that has it was there by then.
    pub(super) fn by(&self, chosen: Choice, what: &str, time: Option<LogTime>) -> Found {
        let whose = chosen.whose;
        match chosen.ids.as_slice() {
            [] => Found { plugin: None, note: Some(format!("no plugin has {what}")) },
            [id] if self.is_later(id, time) => {
                let note = format!("the line has only {what}, and {id}, the only plugin {whose} that has it now, was created after it");
                Found { plugin: None, note: Some(note) }
            }
            [id] => Found { plugin: Some(id.clone()), note: Some(format!("by {what}, which no other plugin {whose} has")) },
            several => Found { plugin: None, note: Some(format!("the line has only {what}, which {} have", list(several))) },
        }
    }

    /// Whether a plugin was made after a time.
    fn is_later(&self, id: &PluginId, time: Option<LogTime>) -> bool {
        let created = self.objects.plugins.get(id).and_then(|plugin| created(plugin));
        created.zip(time).is_some_and(|(created, time)| created > time.saturating_add(SLACK))
    }

    /// The plugin that is this object, if it is one.
    pub(super) fn object(&self, object: &LoggedObject<'_>) -> Option<PluginId> {
        let name = object.name.strip_suffix(plugin_name::TRANSLATED);
        let kind = match (object.kind, name) {
            ("WasmPlugin" | "wasmplugin", _) | ("TrafficExtension" | "trafficextension", Some(_)) => PluginKind::WasmPlugin,
            ("TrafficExtension" | "trafficextension", None) => PluginKind::TrafficExtension,
            _ => return None,
        };
        Some(PluginId::new(kind, object.namespace, name.unwrap_or(object.name)))
    }

    /// The plugins that fit: of those that reach the proxy, else of the mesh. Where nothing but the proxy speaks for a plugin
    /// (`strict`), none stands in for those that do not reach it.
    pub(super) fn choose(&mut self, proxy: Option<&ProxyId>, strict: bool, fits: impl Fn(&Plugin) -> bool) -> Choice {
        let reaching = proxy.and_then(|proxy| self.reach.of(proxy, &self.objects));
        let fits = |plugin: &Plugin| fits(plugin) && self.until.is_none_or(|until| created(plugin).is_none_or(|created| created <= until));
        let fitting = || self.objects.plugins.values().filter(|plugin| fits(plugin)).map(|plugin| &plugin.id);
        if let Some(reaching) = reaching {
            let ids: Vec<PluginId> = fitting().filter(|id| reaching.contains(id)).cloned().collect();
            if strict || !ids.is_empty() {
                return Choice { ids, whose: "that reaches the proxy" };
            }
        }
        Choice { ids: fitting().cloned().collect(), whose: "of the mesh" }
    }

    /// Lets only plugins fit that were there by then, or all again.
    pub(super) fn only_until(&mut self, until: Option<LogTime>) {
        self.until = until;
    }

    /// Whether a proxy is known.
    pub(super) fn knows(&mut self, proxy: &ProxyId) -> bool {
        self.reach.of(proxy, &self.objects).is_some()
    }
}

impl Choice {
    /// The candidates in words; None where there are none.
    pub(super) fn list(&self) -> Option<String> {
        (!self.ids.is_empty()).then(|| list(&self.ids))
    }
}

/// When a plugin was made, in whole seconds.
fn created(plugin: &Plugin) -> Option<LogTime> {
    instant(plugin.created.as_deref()?)
}

/// `default/a, default/b and 3 more`.
pub(super) fn list(ids: &[PluginId]) -> String {
    naming::enumerated(ids, NAMED)
}
