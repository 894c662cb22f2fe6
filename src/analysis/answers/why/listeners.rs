//! The listeners of one proxy in which a plugin stands, or in which istiod would put it: counted and predicted side by side.

use std::collections::BTreeMap;

use super::WhyListener;
use crate::analysis::chains::{self, Facts};
use crate::analysis::control_plane::ControlPlane;
use crate::analysis::era::Version;
use crate::analysis::explain;
use crate::analysis::health::PluginState;
use crate::analysis::outlook::{Judgement, Outlook, PARTS_UNREAD};
use crate::analysis::placement::{self, ListenerDirection};
use crate::analysis::removal::{self, Removal};
use crate::model::envoy::{DumpView, Listener, ListenerState};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::peer_authentication::MtlsMode;
use crate::model::snapshot::{LoadedDump, Snapshot};

/// The inbound listeners under each mode.
pub(super) type ByMode = [(MtlsMode, Vec<Listener>)];

/// The listeners in which the plugin stands or would stand, by direction, port and name.
pub(super) fn of_proxy(
    snapshot: &Snapshot,
    plugin: &PluginId,
    proxy: &ProxyId,
    outlook: Result<&Outlook<'_>, &String>,
    by_mode: &ByMode,
    plugin_state: PluginState,
) -> Vec<WhyListener> {
    let read = snapshot.dump(proxy).map(|loaded| &**loaded);
    let loaded = read.filter(|loaded| !placement::awaits_listeners(snapshot, proxy, &loaded.dump));
    let unread = if read.is_some() && loaded.is_none() { placement::NO_LISTENERS } else { "the proxy's own config dump was not read" };
    let removals = match (loaded, outlook) {
        (Some(loaded), Ok(outlook)) if loaded.dump.view == DumpView::Proxy => removal::in_outlook(outlook, &loaded.dump, plugin),
        _ => Vec::new(),
    };
    let question = Question { snapshot, plugin, proxy, loaded, unread, outlook, removals };
    let mut found = question.counted();
    found.extend(question.only_predicted());
    for listener in &mut found {
        question.fill_removed(listener);
    }
    for listener in &mut found {
        question.fill_modes(listener, by_mode);
        listener.plugin_state = plugin_state;
    }
    found.sort_by(|a, b| (a.direction, a.port, &a.listener, a.state).cmp(&(b.direction, b.port, &b.listener, b.state)));
    found
}

/// How often the plugin would stand in the inbound listener of the same workload by the rules of the releases on the other side of
/// 1.23, where the passthrough chains became one set for all IP families; None where that is the same number.
pub(super) fn era_note(outlook: &Outlook<'_>, plugin: &PluginId, by_mode: &ByMode) -> Option<String> {
    let count = |inbound: &[Listener]| -> usize { inbound.iter().map(|listener| placement::count_in_listener(listener, plugin)).sum() };
    let facts = &outlook.facts;
    let version = facts.plane.version;
    let now = by_mode.iter().find(|(mode, _)| *mode == facts.mode).map_or(0, |(_, inbound)| count(inbound));
    let other = if version.passthrough_by_family() { Version::NEWEST } else { Version::new(1, 22) };
    let plane = ControlPlane { version: other, ..facts.plane.clone() };
    let mut others = Facts { plane, ..facts.clone() };
    if !version.passthrough_by_family() {
        // The families that a pod may have had by then.
        others.addresses = vec![core::net::Ipv4Addr::LOCALHOST.into(), core::net::Ipv6Addr::LOCALHOST.into()];
    }
    let then = count(&chains::predict_inbound(&others));
    let is_predicted =
        || outlook.prediction.listeners.iter().all(|listener| !outlook.is_inbound(listener) || outlook.unknown(listener).is_none());
    (now > 0 && then != now && is_predicted()).then(|| match version.passthrough_by_family() {
        true => format!("Until 1.22 each IP family has its own passthrough chains; from 1.23 on the same workload shows {then} here."),
        false => {
            format!("Until 1.22 each IP family had its own passthrough chains: with IPv4 and IPv6 the same workload showed {then} here.")
        }
    })
}

struct Question<'s> {
    snapshot: &'s Snapshot,
    plugin: &'s PluginId,
    proxy: &'s ProxyId,
    /// The proxy's dump, where it says which listeners the proxy has.
    loaded: Option<&'s LoadedDump>,
    /// Why there is none.
    unread: &'static str,
    outlook: Result<&'s Outlook<'s>, &'s String>,
    /// Where it lacks the plugin that the objects ask for.
    removals: Vec<Removal<'s>>,
}

impl Question<'_> {
    /// What the dump has.
    fn counted(&self) -> Vec<WhyListener> {
        let Some(loaded) = self.loaded else { return Vec::new() };
        let pod = self.snapshot.objects.pods.get(self.proxy).map(|pod| &**pod);
        let kind = placement::proxy_kind(&loaded.dump, pod.and_then(|pod| pod.proxy.as_ref()).map(|proxy| proxy.kind));
        let own = loaded.dump.view == DumpView::Proxy;
        let mut found = Vec::new();
        for listener in &loaded.dump.listeners {
            let count = placement::count_in_listener(listener, self.plugin);
            let judgement = self.outlook.ok().and_then(|outlook| outlook.judge(listener, &loaded.dump));
            let (predicted, note) = self.predicted(listener, judgement.as_ref());
            let may_have_it = listener.lacks_parts() && !listener.is_static;
            if count == 0 && predicted.unwrap_or(0) == 0 && !may_have_it && self.removed(&listener.name, listener.state).is_none() {
                continue;
            }
            let by_name = || self.outlook.ok().and_then(|outlook| outlook.direction(listener));
            let direction = placement::direction(listener, kind).or_else(by_name);
            let held = judgement.filter(|_| own && predicted.is_some());
            found.push(WhyListener {
                counted: placement::known_count(listener, self.plugin).filter(|_| own),
                counted_note: match (own, listener.lacks_parts()) {
                    (false, _) => {
                        Some(format!("only istiod's view could be read: istiod would send {count}, what the proxy has is not known"))
                    }
                    (true, true) if count > 0 => Some(format!("{PARTS_UNREAD}; at least {count} of its chains have it")),
                    (true, true) => Some(format!("{PARTS_UNREAD}, and it may be in them")),
                    (true, false) => None,
                },
                predicted,
                prediction_note: note,
                agrees: held.as_ref().and_then(Judgement::agrees),
                differences: held.as_ref().map(|judgement| judgement.differences.clone()).unwrap_or_default(),
                causes: held.map(|judgement| judgement.causes).unwrap_or_default(),
                terms: if own { explain::terms(listener, direction, self.plugin, pod, &self.snapshot.objects) } else { Vec::new() },
                chain_count: listener.chains.len(),
                ..Self::empty(listener, direction)
            });
        }
        found
    }

    fn empty(listener: &Listener, direction: Option<ListenerDirection>) -> WhyListener {
        WhyListener {
            listener: listener.name.clone(),
            port: listener.port(),
            direction,
            state: listener.state,
            counted: None,
            counted_note: None,
            predicted: None,
            objects_ask_for: None,
            predicted_by_mode: None,
            prediction_note: None,
            agrees: None,
            differences: Vec::new(),
            causes: Vec::new(),
            terms: Vec::new(),
            chain_count: 0,
            chains_by_mode: None,
            plugin_state: PluginState::Unknown,
        }
    }

    fn removed(&self, listener: &str, state: ListenerState) -> Option<&Removal<'_>> {
        self.removals.iter().find(|removal| removal.listener == listener && state == ListenerState::Active)
    }

    /// What the objects ask for, and what took it out.
    fn fill_removed(&self, listener: &mut WhyListener) {
        let Some(removal) = self.removed(&listener.listener, listener.state).filter(|removal| !removal.by.is_empty()) else { return };
        listener.objects_ask_for = Some(removal.wanted);
        listener.causes.splice(0..0, removal.causes());
    }

    /// How often istiod would put the plugin into the listener; else why that cannot be told.
    fn predicted(&self, listener: &Listener, judgement: Option<&Judgement<'_>>) -> (Option<usize>, Option<String>) {
        let outlook = match self.outlook {
            Ok(outlook) => outlook,
            Err(why) => return (None, Some(why.clone())),
        };
        if judgement.is_none() {
            let why = if listener.unread { PARTS_UNREAD } else { "listeners of the bootstrap and the ends of tunnels are not predicted" };
            return (None, Some(why.to_owned()));
        }
        match outlook.count(self.plugin, listener) {
            Ok(count) => (Some(count), None),
            Err(why) => (None, Some(why)),
        }
    }

    /// Where istiod would put the plugin, and the proxy has no such listener, or was not read.
    fn only_predicted(&self) -> Vec<WhyListener> {
        let Ok(outlook) = self.outlook else { return Vec::new() };
        let own = self.loaded.map(|loaded| &loaded.dump).filter(|dump| dump.view == DumpView::Proxy);
        let counted = own.filter(|dump| dump.has_all_listeners()).map(|_| 0);
        let unread = if own.is_some() { "not all listeners of the proxy could be read" } else { self.unread };
        let mut found = Vec::new();
        let lacking: Vec<&Listener> = match self.loaded {
            Some(loaded) => outlook.not_in(&loaded.dump).collect(),
            None => outlook.prediction.listeners.iter().collect(),
        };
        for listener in lacking {
            if placement::count_in_listener(listener, self.plugin) == 0 {
                continue;
            }
            let direction = outlook.direction(listener);
            let none = listener.without_chains();
            let judgement = self.loaded.filter(|_| counted.is_some()).and_then(|loaded| outlook.judge(&none, &loaded.dump));
            let predicted = outlook.count(self.plugin, listener);
            found.push(WhyListener {
                counted,
                counted_note: counted.is_none().then(|| unread.to_owned()),
                predicted: predicted.as_ref().ok().copied(),
                prediction_note: predicted.err(),
                agrees: counted.and(judgement.as_ref()).and_then(Judgement::agrees),
                differences: judgement.as_ref().map(|judgement| judgement.differences.clone()).unwrap_or_default(),
                causes: judgement.map(|judgement| judgement.causes).unwrap_or_default(),
                ..Self::empty(listener, direction)
            });
        }
        found
    }

    /// The counts under each mode: a sidecar's inbound listeners depend on it, nothing else does.
    fn fill_modes(&self, listener: &mut WhyListener, by_mode: &ByMode) {
        let Some(now) = listener.predicted else { return };
        if listener.direction != Some(ListenerDirection::Inbound) {
            listener.predicted_by_mode = Some(MtlsMode::ALL.into_iter().map(|mode| (mode, now)).collect());
            return;
        }
        let of = |count: &dyn Fn(&Listener) -> usize| -> BTreeMap<MtlsMode, usize> {
            let named = |listeners: &[Listener]| listeners.iter().find(|candidate| candidate.name == listener.listener).map_or(0, count);
            by_mode.iter().map(|(mode, listeners)| (*mode, named(listeners))).collect()
        };
        let predicted = of(&|candidate| placement::count_in_listener(candidate, self.plugin));
        let chains = of(&|candidate| candidate.chains.len());
        listener.predicted_by_mode = Some(predicted);
        listener.chains_by_mode = Some(chains);
    }
}
