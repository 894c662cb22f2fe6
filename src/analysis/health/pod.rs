//! A plugin of a pod whose containers do not all run: what its proxy had shows little of now.

use super::{Evidence, EvidenceSource, Health, PluginState};
use crate::analysis::lookup;
use crate::model::ids::ProxyId;
use crate::model::inventory::Inventory;

/// Takes back that a plugin runs where its pod's containers do not.
pub(super) fn compared_with_pod(mut health: Health, objects: &Inventory, proxy: &ProxyId) -> Health {
    if !matches!(health.state, PluginState::Running | PluginState::Unverified) {
        return health;
    }
    let hindrance = || Some(format!("its pod is not ready: {}", objects.pods.get(proxy)?.hindrance()?));
    let (state, what) = match lookup::stopped(objects, proxy) {
        Some(why) => (PluginState::Unknown, format!("{why}, so that its proxy does not run")),
        None => match hindrance() {
            Some(why) => (PluginState::Unverified, why),
            None => return health,
        },
    };
    health.state = state;
    health.evidence.insert(0, Evidence::new(EvidenceSource::Objects, "", what));
    health
}
