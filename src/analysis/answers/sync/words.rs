//! The sentences of the answer.

use super::{IstiodAnswer, PluginOnProxy, PluginSync, SyncAnswer, SyncEntry, TypeAnswer};
use crate::model::sync::SyncState;

/// What being synced does not say.
pub(super) const SYNCED_IS_NOT_RUNNING: &str = "Synced: istiod reports that the proxy acknowledged what it sent last. Not compared: what the proxy does with it, and whether a plugin's module runs; for a module that cannot be fetched the proxy's agent puts a stub of the same name, and that is synced too.";

/// The same of the type that brings modules.
pub(super) const MODULES_NOT_COMPARED: &str = "not compared: whether the modules run";

pub(super) const PLUGINS_NOT_TOLD: &str = "what istiod said does not tell which plugins the proxy watches";

pub(super) const UNTOLD: &str = "nothing was sent; istiod of this version does not tell whether the proxy watches it";

pub(super) const REFUSAL_UNTOLD: &str = "istiod of this version does not tell whether the proxy refused it";

impl SyncAnswer {
    /// How many proxies there are, and how they stand.
    pub fn headline(&self) -> String {
        let count = |is_so: &dyn Fn(&SyncEntry) -> bool| self.proxies.iter().filter(|entry| is_so(entry)).count();
        let has = |state: SyncState| count(&|entry| entry.types.iter().any(|found| found.sync == state));
        let troubles = [
            (has(SyncState::Refused), "refused a part of what istiod sent"),
            (has(SyncState::Stale), "did not answer to a part of it yet"),
            (has(SyncState::NotSent), "was not sent a part of what it watches"),
            (count(&|entry| entry.has_plugin_trouble()), "with a plugin that does not run as its object asks"),
            (count(&|entry| !entry.connected && entry.stopped.is_none()), "connected to no istiod that answered"),
            (count(&|entry| entry.stopped.is_some()), "of a pod that does not run"),
        ];
        let said: Vec<String> = troubles.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let proxies = if self.proxies.len() == 1 { "1 proxy".to_owned() } else { format!("{} proxies", self.proxies.len()) };
        match (self.proxies.len(), said.is_empty()) {
            (0, _) => "There is no proxy here.".to_owned(),
            (1, true) => "The proxy acknowledged what istiod sent.".to_owned(),
            (_, true) => format!("{proxies}, and each acknowledged what istiod sent."),
            (_, false) => format!("Of {proxies}, {}.", said.join(", ")),
        }
    }
}

impl IstiodAnswer {
    /// `istiod-66c44df5f5-bspp2, 1.31.0: 3 proxies, asked by xDS as service account shop/default, which is told of namespace shop alone`.
    pub fn sentence(&self) -> String {
        let name = self.istiod.as_deref().unwrap_or("istiod");
        let version = self.version.as_deref().unwrap_or("of unknown version");
        let proxies = if self.connected == 1 { "1 proxy" } else { "proxies" };
        let count = if self.connected == 1 { String::new() } else { format!("{} ", self.connected) };
        let way = if self.way == "file" { "read from a file".to_owned() } else { format!("asked by {}", self.way) };
        let tried = if self.tried.is_empty() { String::new() } else { format!(" ({})", self.tried.join("; ")) };
        let account = self.account.as_ref().map(|account| format!(" as service account {account}")).unwrap_or_default();
        let only = self.only.as_ref().map(|only| format!(", which is told of namespace {only} alone")).unwrap_or_default();
        format!("{name}, {version}: {count}{proxies}, {way}{account}{only}{tried}")
    }
}

impl SyncEntry {
    /// What is not as it should be, and what else is to be known, a sentence each.
    pub fn said(&self) -> Vec<String> {
        let troubles = self.types.iter().filter(|found| found.is_trouble()).map(TypeAnswer::sentence);
        let plugins = self.plugins.iter().flatten().filter_map(PluginSync::sentence);
        let states = self.plugin_states.iter().filter_map(PluginOnProxy::sentence);
        self.note.iter().cloned().chain(troubles).chain(states).chain(self.skew.clone()).chain(plugins).collect()
    }

    /// Whether something is not as it should be.
    pub fn is_trouble(&self) -> bool {
        !self.connected && self.stopped.is_none() || self.types.iter().any(TypeAnswer::is_trouble) || self.has_plugin_trouble()
    }

    fn has_plugin_trouble(&self) -> bool {
        self.plugin_states.iter().any(|plugin| plugin.trouble().is_some())
    }

    /// Its plugins with their states, `default/helloworld (running)`; where none applies, those that it watches.
    pub fn plugins_cell(&self) -> String {
        let named: Vec<String> = self.plugin_states.iter().map(PluginOnProxy::named).collect();
        if named.is_empty() { self.watched() } else { named.join(", ") }
    }

    /// The plugins that it watches, `none`, or why that is not known; empty where it is not connected.
    pub fn said_watched(&self) -> String {
        match (self.watched(), self.plugins_note.filter(|_| self.plugins.is_none())) {
            (watched, Some(note)) => format!("{watched}: {note}"),
            (watched, None) if watched.is_empty() && self.connected => "none".to_owned(),
            (watched, None) => watched,
        }
    }

    /// The plugins that it watches, `default/helloworld, default/other`.
    fn watched(&self) -> String {
        let Some(plugins) = &self.plugins else { return if self.connected { "not told".to_owned() } else { String::new() } };
        let watched = plugins.iter().filter(|plugin| plugin.resource.is_some()).map(|plugin| plugin.plugin.as_str());
        watched.collect::<Vec<_>>().join(", ")
    }
}

impl TypeAnswer {
    /// The state in a table: `synced 5m`, `VM failed; synced 5m`.
    pub fn cell(&self) -> String {
        let trouble = self
            .plugin_trouble
            .filter(|_| matches!(self.sync, SyncState::Synced | SyncState::Stale | SyncState::NotSent))
            .map(|state| format!("{}; ", state.words()));
        let word = format!("{}{}", trouble.unwrap_or_default(), self.word());
        match self.age_seconds {
            Some(seconds) if self.sync != SyncState::NotSent => format!("{word} {}", age(seconds)),
            _ => word,
        }
    }

    /// The state in a word or two.
    pub fn word(&self) -> &'static str {
        match self.sync {
            SyncState::Refused => "refused",
            SyncState::Stale => "stale",
            SyncState::NotSent => "not sent",
            SyncState::Synced => "synced",
            SyncState::NotWatched => "not watched",
            SyncState::Untold => "not told",
        }
    }

    /// How it stands and since when, with the reason.
    pub fn sentence(&self) -> String {
        let name = &self.name;
        let sent = match (&self.sent, self.age_seconds) {
            (_, Some(seconds)) => format!("sent {} ago", age(seconds)),
            (Some(sent), None) => format!("sent at {sent}"),
            (None, None) => "sent at a time that istiod does not tell".to_owned(),
        };
        let note = self.note.map(|note| format!("; {note}")).unwrap_or_default();
        match self.sync {
            SyncState::Refused => format!("{name} was refused ({sent}): {}", self.error.as_deref().unwrap_or("no reason is told")),
            SyncState::Stale => format!("{name} is stale: {sent}, and {}{note}", self.before()),
            SyncState::NotSent => format!("{name} was not sent: the proxy watches it, and istiod has nothing of it yet"),
            SyncState::Synced => format!("{name} is synced: the proxy acknowledged {}, {sent}{note}", self.push()),
            SyncState::NotWatched => format!("{name} is not watched by the proxy"),
            SyncState::Untold => format!("{name}: {}", self.note.unwrap_or_default()),
        }
    }

    fn push(&self) -> String {
        self.acked_push.as_ref().map_or_else(|| "what istiod sent last".to_owned(), |push| format!("push {push}"))
    }

    /// What the proxy has in the place of what it did not answer to.
    fn before(&self) -> String {
        match (&self.acked_push, &self.sent_push) {
            (None, Some(_)) => "the proxy never took any".to_owned(),
            (Some(acked), Some(sent)) if acked != sent => format!("the proxy still has that of push {acked} in place of {sent}"),
            _ => "the proxy has not answered yet".to_owned(),
        }
    }
}

impl PluginSync {
    /// What is not as expected, or is not seen in ECDS; None where a plugin that applies is watched.
    pub fn sentence(&self) -> Option<String> {
        let plugin = format!("{} {}", self.plugin_kind, self.plugin);
        match (&self.resource, self.applies) {
            (None, _) if self.comes_by == "LDS" => {
                Some(format!("{plugin} is Lua: it is in the listeners themselves, which LDS brings, and never in ECDS"))
            }
            (None, _) => Some(format!("{plugin} applies to the proxy and is not watched: no listener that the proxy has refers to it")),
            (Some(_), Some(false)) => Some(format!("{plugin} is watched though it does not apply to the proxy")),
            (Some(_), Some(true) | None) => None,
        }
    }
}

/// An age, in the largest unit that says enough.
fn age(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::age;

    #[test]
    fn ages_are_short() {
        let ages: Vec<String> = [0, 119, 120, 7199, 7200, 172_799, 172_800].into_iter().map(age).collect();
        assert_eq!(ages, ["0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
    }
}
