//! Whether a proxy should have a plugin at all.

use super::{Evidence, EvidenceSource, Health, PluginState};
use crate::analysis::attachment::{self, Reason, Unused};
use crate::analysis::bypass;
use crate::analysis::near_miss;
use crate::analysis::outlook::Outlooks;
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;

/// Whether the plugin applies to the proxy, each with the reason as one clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It does.
    Yes(String),
    /// It does not, or there is no such plugin any more.
    No(String),
    /// That cannot be told.
    Unknown(String),
}

impl Expected {
    /// By the objects of the mesh.
    pub fn of(snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> Self {
        if !snapshot.has_objects {
            return Self::Unknown("a lone config dump has no objects, so nothing says to what the plugin applies".to_owned());
        }
        let kind = match plugin.kind {
            PluginKind::WasmPlugin => Kind::WasmPlugin,
            PluginKind::TrafficExtension => Kind::TrafficExtension,
            PluginKind::EnvoyFilter => return Self::Unknown("an EnvoyFilter put it there".to_owned()),
        };
        let Some(object) = snapshot.objects.plugins.get(plugin) else {
            let unread = snapshot.lacks(kind, &plugin.name.namespace).then_some("could not be read");
            let unread = unread.or_else(|| snapshot.reading.contains_key(&kind).then_some("are being read"));
            let unread = unread.map(|why| Self::Unknown(format!("{} {why}", kind.plural())));
            return unread.unwrap_or_else(|| Self::No(format!("there is no {} {plugin}", plugin.kind)));
        };
        let Some(pod) = snapshot.objects.pods.get(proxy) else {
            return Self::Unknown("the pod is not among the objects that were read".to_owned());
        };
        let decision = attachment::attach(object, pod, &snapshot.objects);
        match decision.reason {
            reason if decision.attached => Self::Yes(reason.to_string()),
            // istiod goes on with what it had before, which nothing shows.
            reason @ Reason::Unused(Unused::Undecodable(_)) => Self::Unknown(reason.to_string()),
            reason => Self::No(reason.to_string()),
        }
    }

    pub(super) fn evidence(&self) -> Evidence {
        let (Self::Yes(why) | Self::No(why) | Self::Unknown(why)) = self;
        Evidence::new(EvidenceSource::Objects, "", why.clone())
    }
}

/// A plugin that is missed is only missed where istiod would put it into a chain: `match`, or the proxy's listeners, can keep it out
/// of every one.
pub(super) fn compared_with_prediction(health: Health, plugin: &PluginId, outlooks: &Outlooks<'_>) -> Health {
    if health.state != PluginState::Absent {
        return health;
    }
    let predicted = outlooks.whole().map(|outlook| {
        let counts: Vec<Option<usize>> = outlook.prediction.listeners.iter().map(|listener| outlook.count(plugin, listener).ok()).collect();
        let whole = outlook.prediction.gaps.is_empty() && counts.iter().all(Option::is_some);
        (counts.into_iter().flatten().sum::<usize>(), whole)
    });
    let nowhere = || {
        let objects = &outlooks.snapshot.objects;
        let both = objects.plugins.get(plugin).zip(objects.pods.get(outlooks.proxy));
        let exclusion = both.and_then(|(object, pod)| near_miss::exclusion(object, pod, Some(0), objects));
        exclusion.map_or_else(|| "istiod would put it into no chain of this proxy".to_owned(), |exclusion| exclusion.to_string())
    };
    let (state, what) = match predicted {
        Ok((0, true)) if health.evidence.iter().any(|evidence| evidence.field.starts_with(super::dump::ENTRY)) => {
            (PluginState::Leftover, nowhere())
        }
        Ok((0, true)) => (PluginState::NotApplicable, format!("it applies, and {}", nowhere())),
        Ok((0, false)) => (PluginState::Unknown, "what istiod would send this proxy cannot be told as a whole".to_owned()),
        Ok((count, _)) => (PluginState::Absent, format!("istiod would put it into {count} filter chains of this proxy")),
        Err(why) => (PluginState::Absent, format!("in how many chains it should be is not to be told: {why}")),
    };
    let mut evidence = health.evidence;
    let at = usize::from(state == PluginState::Absent);
    evidence.insert(at, Evidence::new(EvidenceSource::Objects, "", what));
    Health::of(state, evidence)
}

/// A plugin to which no request to the workload comes is not known to run, whatever chains it is in: no declared port leads to it.
pub(super) fn compared_with_ports(health: Health, snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> Health {
    let objects = &snapshot.objects;
    let is_read = [Kind::Service, Kind::ServiceEntry, Kind::Sidecar].iter().all(|kind| !snapshot.lacks(*kind, &proxy.namespace));
    let is_in_place = matches!(health.state, PluginState::Running | PluginState::Unverified);
    let known = objects.plugins.get(plugin).zip(objects.pods.get(proxy)).filter(|_| is_read && is_in_place);
    let bypasses = known.map(|(plugin, pod)| bypass::of_all_ports(plugin, pod, objects)).unwrap_or_default();
    let Some(bypass) = bypasses.first() else { return health };
    let more = if bypasses.len() > 1 { format!(" (and {} more)", bypasses.len() - 1) } else { String::new() };
    let shown = Evidence::new(EvidenceSource::Objects, "", format!("requests to the workload pass it by: {bypass}{more}"));
    Health { state: PluginState::Unverified, evidence: std::iter::once(shown).chain(health.evidence).collect(), ..health }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn what_was_listed_in_its_namespace_is_known_to_be_gone() {
        let listing = |parts: &[&str]| Snapshot {
            has_objects: true,
            unread: BTreeSet::from([Kind::WasmPlugin]),
            parts: BTreeMap::from([(Kind::WasmPlugin, parts.iter().map(|part| Some((*part).to_owned())).collect())]),
            ..Snapshot::default()
        };
        let of =
            |snapshot: &Snapshot| Expected::of(snapshot, &PluginId::new(PluginKind::WasmPlugin, "shop", "p"), &ProxyId::new("w", "shop"));
        assert_eq!(of(&listing(&["shop", "istio-system"])), Expected::No("there is no WasmPlugin shop/p".to_owned()));
        assert_eq!(of(&listing(&["other"])), Expected::Unknown("wasmplugins could not be read".to_owned()));
    }
}
