//! Which plugin a log record is about: by its name, else by what only one plugin can have meant. Where that cannot be told, the
//! record says why.

mod alone;
mod candidates;
pub(in crate::analysis) mod module;
mod needles;
mod reach;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use self::candidates::{Candidates, list};
use self::module::Module;
use crate::ingest::finder::Finder;
use crate::ingest::logs::{details, failure};
use crate::ingest::plugin_name::TRANSLATED;
use crate::model::ids::{PluginId, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogEvent, LogKind, LogRecord, LogSource, LogTime};
use crate::model::plugin::{Extension, Plugin};

pub use needles::needles;

/// What a request's line says of a plugin's failure: its VM ended the stream, its configuration was not there, or nothing allowed
/// the request.
const FAILED: [&str; 3] = [" wasm_fail_stream ", "\"wasm_fail_stream\"", details::NO_CONFIGURATION];
const DENIED: &str = "rbac_access_denied_matched_policy[none]";
static FAILURES: LazyLock<Option<Finder>> = LazyLock::new(|| Finder::new(&[FAILED.as_slice(), &[DENIED]].concat()));

/// Knows the plugins of a mesh, and which of them reach which proxy.
#[derive(Clone, Debug)]
pub struct Attributor {
    candidates: Candidates,
    /// Per proxy: the last failure whose named plugin does not exist, and its time.
    gone: HashMap<ProxyId, (Named, LogTime)>,
}

/// What a line names as what failed.
#[derive(Clone, Debug)]
struct Named {
    /// As it is said.
    said: String,
    /// The plugin that it is; None where it is the name of none.
    plugin: Option<PluginId>,
}

/// Who names several plugins.
const OF_LINE: &str = "the line names";
const OF_FAILURE: &str = "the lines of this failure name";
/// How long after a line that names a plugin which is not there now a line without a name may be about it: a minute.
const LINGERS: LogTime = 60_000_000_000;
/// Of how many proxies that is remembered.
const MOST: usize = 1000;

/// What was found: the plugin, and how it was found or why not, where the record does not name it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    plugin: Option<PluginId>,
    note: Option<String>,
}

impl Attributor {
    /// Prepares for the plugins and proxies that there are.
    pub fn new(objects: Arc<Inventory>) -> Self {
        Self { candidates: Candidates::new(objects), gone: HashMap::new() }
    }

    /// Goes by other objects from now on. Whether a record that was looked at before can be about another plugin by them. A pod that
    /// is gone is remembered as it was: its records stay.
    pub fn follow(&mut self, objects: Arc<Inventory>) -> bool {
        let is_another = self.candidates.follow(objects);
        let candidates = &self.candidates;
        self.gone.retain(|_, (named, _)| !candidates.is_there(named));
        is_another
    }

    /// Writes into a record which plugin it is about.
    pub fn attribute(&mut self, record: &mut LogRecord) {
        let found = self.find(record);
        self.remember(record, found.plugin.as_ref());
        (record.plugin, record.plugin_note) = (found.plugin, found.note);
    }

    /// The same where no objects say which plugins there are: only what the record names is known.
    pub fn attribute_alone(&self, record: &mut LogRecord) {
        (record.plugin, record.plugin_note) = self.again_alone(record);
    }

    /// The plugin of a record that was looked at before, and how it was found or why not, where no objects say which plugins there are.
    pub fn again_alone(&self, record: &LogRecord) -> (Option<PluginId>, Option<String>) {
        let found = alone::find(record, &self.candidates);
        (found.plugin, found.note)
    }

    /// The plugin of a record that was looked at before, and how it was found or why not. What is about a plugin that is gone stays
    /// so, unless another one is meant now; and so does what can be about a plugin as well that was made after it.
    pub fn again(&mut self, record: &LogRecord) -> (Option<PluginId>, Option<String>) {
        let found = self.find_again(record);
        self.remember(record, found.plugin.as_ref());
        (found.plugin, found.note)
    }

    fn find_again(&mut self, record: &LogRecord) -> Found {
        let found = self.find(record);
        let Some(before) = record.plugin.as_ref().filter(|_| found.plugin.is_none()) else { return found };
        let known = self.candidates.known(before.clone());
        if known.note.is_some() {
            return known;
        }
        self.candidates.only_until(record.time);
        let then = self.find(record);
        self.candidates.only_until(None);
        if then.plugin.as_ref() == Some(before) { then } else { found }
    }

    /// Remembers of a failure that it was of no plugin that is there; `plugin` is what was found for the record.
    fn remember(&mut self, record: &LogRecord, plugin: Option<&PluginId>) {
        let Some(time) = record.time else { return };
        if record.origin.source != LogSource::Proxy || record.event != Some(LogEvent::VmFailed) {
            return;
        }
        let Some(said) = plugin.map(ToString::to_string).or_else(|| failure::name(record).map(str::to_owned)) else { return };
        if plugin.is_some_and(|plugin| self.candidates.has(plugin)) {
            return;
        }
        let pod = &record.origin.pod;
        if self.gone.len() >= MOST && !self.gone.contains_key(pod) {
            self.gone.retain(|_, (_, failed)| time.saturating_sub(*failed) <= LINGERS);
            if self.gone.len() >= MOST {
                return;
            }
        }
        self.gone.insert(pod.clone(), (Named { said, plugin: plugin.cloned() }, time));
    }

    fn find(&mut self, record: &LogRecord) -> Found {
        let proxy = (record.origin.source == LogSource::Proxy).then_some(&record.origin.pod);
        match record.kind {
            LogKind::Access => return self.request(proxy, record),
            LogKind::Mark | LogKind::Unknown => return Found::default(),
            LogKind::Istiod | LogKind::Agent | LogKind::Envoy | LogKind::Plugin => {}
        }
        let is_failure = record.event == Some(LogEvent::VmFailed);
        let own = if is_failure { self.named_in(&record.message, OF_LINE) } else { Found::default() };
        let other = is_failure.then(|| failure::name(record)).flatten().unwrap_or(&record.failure_of);
        if own == Found::default() && !other.is_empty() {
            return self.candidates.neighbour(self.named_in(other, OF_FAILURE), other);
        }
        match details(record) {
            Some(LogDetails::PluginLog { lua: true, .. }) => {
                let chosen = self.candidates.choose(proxy, true, |plugin| matches!(plugin.extension, Extension::Lua { .. }));
                self.candidates.only(chosen, "plugin in Lua", record.time)
            }
            Some(LogDetails::PluginLog { plugin, root_id, .. }) => self.spoke(proxy, plugin.as_deref(), &root_id, record.time),
            Some(LogDetails::Debounce { object: Some(object), .. } | LogDetails::Discarded { object, .. }) => {
                self.candidates.object(&object).map(|id| self.candidates.known(id)).unwrap_or_default()
            }
            Some(LogDetails::Fetch { registry, repository, reference, .. }) => {
                let url = format!("oci://{registry}/{repository}:{reference}");
                self.module(proxy, &Module::parts(registry, repository, reference), &url, record.time)
            }
            Some(LogDetails::FetchFailed { url: Some(url), .. }) if url.contains('/') => {
                self.module(proxy, &Module::of(url), url, record.time)
            }
            Some(LogDetails::Push { xds: "ECDS", node, resources: 1.., .. }) => {
                let known = ProxyId::parse(node).filter(|proxy| self.candidates.knows(proxy));
                known.map(|proxy| self.only_wasm(Some(&proxy), record.time)).unwrap_or_default()
            }
            Some(LogDetails::VmFailed { .. }) if own == Found::default() => self.only_wasm(proxy, record.time),
            Some(LogDetails::VmFailed { .. }) => own,
            Some(LogDetails::Nack { .. } | LogDetails::FetchFailed { .. }) => self.named_in(&record.message, OF_LINE),
            None if matches!(&*record.scope, "wasm" | "config" | "xdsproxy" | "model") => self.named_in(&record.message, OF_LINE),
            _ => Found::default(),
        }
    }

    /// By a plugin's prefix. The name alone is there where it has no root id, the root id alone in a root context.
    fn spoke(&mut self, proxy: Option<&ProxyId>, plugin: Option<&str>, root_id: &str, time: Option<LogTime>) -> Found {
        if let Some(found) = self.candidates.named(plugin.unwrap_or(root_id)) {
            return found;
        }
        let whole = plugin.map_or(root_id.to_owned(), |first| format!("{first} {root_id}"));
        let has_root_id = |plugin: &Plugin| plugin.wasm().is_some_and(|module| module.plugin_name == whole);
        let what = if whole.is_empty() { "an empty root id".to_owned() } else { format!("root id {whole}") };
        let chosen = self.candidates.choose(proxy, false, has_root_id);
        self.candidates.by(chosen, &what, time)
    }

    /// By the module.
    fn module(&mut self, proxy: Option<&ProxyId>, module: &Module<'_>, url: &str, time: Option<LogTime>) -> Found {
        let has_module = |plugin: &Plugin| plugin.wasm().is_some_and(|wasm| Module::of(&wasm.url) == *module);
        let chosen = self.candidates.choose(proxy, false, has_module);
        self.candidates.by(chosen, &format!("the URL {url}"), time)
    }

    /// By the names of plugins and of their resources in a text. `names` is who names them, where they are several.
    fn named_in(&self, text: &str, names: &str) -> Found {
        let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '/' | '_' | '~');
        let words = text.split(|c| !in_name(c)).filter(|word| word.contains('.') || word.contains(TRANSLATED));
        let mut found = Found::default();
        for named in words.filter_map(|word| self.candidates.named(word.trim_end_matches(['.', '/']))) {
            match (&found.plugin, &named.plugin) {
                (Some(one), Some(other)) if one != other => {
                    return Found { plugin: None, note: Some(format!("{names} {}", list(&[one.clone(), other.clone()]))) };
                }
                _ => found = named,
            }
        }
        found
    }

    /// By there being only one that it can be.
    fn only_wasm(&mut self, proxy: Option<&ProxyId>, time: Option<LogTime>) -> Found {
        let chosen = self.candidates.choose(proxy, true, |plugin| plugin.wasm().is_some());
        let found = self.candidates.only(chosen, "Wasm plugin", time);
        let lingers = |(_, failed): &&(Named, LogTime)| time.is_some_and(|time| (0..=LINGERS).contains(&time.saturating_sub(*failed)));
        match proxy.and_then(|proxy| self.gone.get(proxy)).filter(lingers) {
            Some((gone, _)) if found.plugin.is_some() => Found {
                plugin: None,
                note: Some(format!(
                    "the line does not name its plugin, and {}, which is not there now, failed in the proxy shortly before",
                    gone.said
                )),
            },
            _ => found,
        }
    }

    /// A request that a plugin's failure ended; what it says of that names no plugin.
    fn request(&mut self, proxy: Option<&ProxyId>, record: &LogRecord) -> Found {
        let message = &*record.message;
        // Most requests are none of these, which one look tells.
        if FAILURES.as_ref().is_none_or(|words| words.find(message.as_bytes(), 0).is_none()) {
            return Found::default();
        }
        if FAILED.iter().any(|words| message.contains(words)) {
            return self.only_wasm(proxy, record.time);
        }
        let stubs = self.candidates.choose(proxy, true, |plugin| plugin.wasm().is_some()).list();
        let note = stubs.map(|list| format!("no AuthorizationPolicy allowed it, or a stub denied it, in the place of one of: {list}"));
        Found { plugin: None, note }
    }
}
