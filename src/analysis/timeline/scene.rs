//! One proxy's part of the story, as it is put together: whose it is, from when on, and how evidence of other clocks is taken.

use super::gather::Gathered;
use super::milliseconds;
use super::step::{SECOND, Step, written};
use crate::analysis::placement;
use crate::model::envoy::{ConfigDump, DumpView, EcdsFilter};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::logs::{LogRecord, LogSource, LogTime};
use crate::model::plugin::{Plugin, WasmModule};
use crate::model::snapshot::{Dump, Snapshot};

/// What is looked at.
pub(super) struct Scene<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) plugin: &'a PluginId,
    pub(super) object: Option<&'a Plugin>,
    /// Whether there is no object any more.
    pub(super) deleted: bool,
    pub(super) gathered: &'a Gathered,
    pub(super) proxy: &'a ProxyId,
    /// What sentences call it.
    pub(super) name: &'a str,
    /// When the proxy's part begins: at the change, or where the proxy connected later, then.
    pub(super) from: LogTime,
    /// By how much another clock may be behind before what it wrote is taken for something earlier.
    pub(super) slack: LogTime,
}

/// By how much clocks may differ at most, where nothing earlier is near.
pub(super) const SLACK: LogTime = SECOND;

impl<'a> Scene<'a> {
    /// The records of the proxy's own log.
    pub(super) fn own(&self) -> impl Iterator<Item = (LogTime, &'a LogRecord)> + Clone {
        let proxy = self.proxy;
        let is_own = move |record: &&LogRecord| record.origin.source == LogSource::Proxy && record.origin.pod == *proxy;
        self.gathered.records.iter().filter(is_own).filter_map(|record| Some((record.time?, record)))
    }

    /// The first of what is in the order of times that is not before the part begins; else the last that a clock which is behind
    /// may have written after it.
    pub(super) fn first<T>(&self, all: impl Iterator<Item = (LogTime, T)>) -> Option<T> {
        let mut early = None;
        for (time, what) in all {
            if time >= self.from {
                return Some(what);
            }
            if !self.is_before(time) {
                early = Some(what);
            }
        }
        early
    }

    /// Whether a time is before the part begins, whichever clock wrote it.
    pub(super) fn is_before(&self, time: LogTime) -> bool {
        time < self.from.saturating_sub(self.slack)
    }

    /// The plugin's ECDS entry in the proxy's own dump.
    pub(super) fn entry(&self) -> Option<&'a EcdsFilter> {
        self.dump().ok()?.ecds.iter().find(|entry| entry.plugin.as_ref() == Some(self.plugin))
    }

    /// Says of a step where its time is before the part begins.
    pub(super) fn marked(&self, step: Step) -> Step {
        if step.time >= self.from {
            return step;
        }
        let early = milliseconds(self.from - step.time);
        step.nearest(format!(
            "its time is {early} before that of the change as istiod has it: the clocks differ, or it belongs to something earlier"
        ))
    }

    /// The module that the plugin runs.
    pub(super) fn module(&self) -> Option<&'a WasmModule> {
        self.object.and_then(Plugin::wasm)
    }

    /// The proxy's own dump, or why there is none.
    pub(super) fn dump(&self) -> Result<&'a ConfigDump, String> {
        match self.snapshot.dumps.get(self.proxy) {
            Some(Dump::Loaded(loaded)) if loaded.dump.view == DumpView::Istiod => {
                Err("only istiod's view could be read, which does not say what the proxy has taken".to_owned())
            }
            Some(Dump::Loaded(loaded)) if placement::awaits_listeners(self.snapshot, self.proxy, &loaded.dump) => {
                Err(placement::NO_LISTENERS.to_owned())
            }
            Some(Dump::Loaded(loaded)) => Ok(&loaded.dump),
            Some(Dump::Loading) => Err("the proxy's config dump is being read".to_owned()),
            Some(Dump::Failed(why)) => Err(format!("the proxy's config dump could not be read: {why}")),
            None => Err("the proxy's config dump was not read".to_owned()),
        }
    }

    /// What is said where the proxy's log holds no line of something.
    pub(super) fn no_line(&self, of: &str) -> String {
        match self.gathered.reach_of(self.proxy) {
            None => "no log of the proxy was read".to_owned(),
            Some(reach) if reach > self.from.saturating_add(SECOND) => {
                format!("the proxy's log reaches back only to {}", written(reach))
            }
            Some(_) => of.to_owned(),
        }
    }
}
