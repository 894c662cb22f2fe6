//! Readings that are not settled: of a proxy that starts and has no listeners of istiod's yet, of one whose listeners or plugins are on their
//! way, and of one that does not answer. They are made again by and by, as long as the screen in sight needs them.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, dumps};
use crate::analysis::diff;
use crate::analysis::{lookup, placement, sync as rules};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::model::envoy::ExtensionConfig;
use crate::model::ids::ProxyId;
use crate::model::snapshot::{Dump, LoadedDump, Snapshot};
use crate::model::sync::{EXTENSIONS, LISTENERS, Sync, TypeSync};
use crate::source::SourceKind;

/// When a proxy that starts is asked again, each after the answer before; then by the last. It has its listeners within seconds.
const STARTING: [Duration; 4] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];
/// The same for what may take longer, or for ever: draining takes 45 s by default, and a module may never come.
const ON_ITS_WAY: [Duration; 3] = [Duration::from_secs(5), Duration::from_secs(10), Duration::from_secs(15)];

/// Asks a proxy whose answer has come once more, where that was not the last word and the screen in sight needs it.
pub(super) fn again(app: &mut App, proxy: &ProxyId) -> Vec<Effect> {
    let delays = unsettled(app, proxy).filter(|_| ask::needed(app).contains(proxy));
    let Some(fetch) = app.fetches.get_mut(proxy) else { return Vec::new() };
    let Some(delays) = delays else {
        fetch.again = 0;
        return Vec::new();
    };
    let delay = delays[fetch.again.min(delays.len() - 1)];
    fetch.again += 1;
    dumps::fetch(app, proxy, delay)
}

/// Whether a proxy's reading was left unsettled when no screen needed it, and nobody reads it now.
pub(super) fn was_left(app: &App, proxy: &ProxyId) -> bool {
    app.fetches.get(proxy).is_some_and(|fetch| fetch.ticket.is_none()) && unsettled(app, proxy).is_some()
}

/// When a proxy is to be asked again, by what is known of it; None where its reading is settled.
fn unsettled(app: &App, proxy: &ProxyId) -> Option<&'static [Duration]> {
    if app.options.info.kind != SourceKind::Cluster || lookup::why_not_running(&app.snapshot.objects, proxy).is_some() {
        return None;
    }
    match app.snapshot.dumps.get(proxy)? {
        Dump::Loaded(loaded) if awaits_listeners(&app.snapshot, proxy, loaded) => Some(&STARTING),
        Dump::Loaded(loaded) => {
            let is_silent = app.fetches.get(proxy).is_some_and(|fetch| fetch.silent);
            let awaits_plugin = loaded.dump.ecds.iter().any(|entry| matches!(entry.config, ExtensionConfig::Missing));
            (is_silent || awaits_plugin || diff::in_transition(&loaded.dump)).then_some(&ON_ITS_WAY)
        }
        Dump::Failed(_) if is_starting(app, proxy) => Some(&STARTING),
        // Why one that runs cannot be read need not pass: r asks again.
        Dump::Failed(_) | Dump::Loading => None,
    }
}

/// Whether a proxy's pod is there and not ready, so that the proxy need not answer yet.
pub(super) fn is_starting(app: &App, proxy: &ProxyId) -> bool {
    app.snapshot.objects.pods.get(proxy).is_some_and(|pod| !pod.ready && !pod.is_workload_entry)
}

pub(super) fn awaits_listeners(snapshot: &Snapshot, proxy: &ProxyId, loaded: &LoadedDump) -> bool {
    placement::awaits_listeners(snapshot, proxy, &loaded.dump)
}

/// Asks the proxies again that were read before their pods were ready, now that these are.
pub(super) fn follow_pods(app: &mut App, previous: &Snapshot) -> Vec<Effect> {
    let is_ready = |snapshot: &Snapshot, proxy: &ProxyId| snapshot.objects.pods.get(proxy).map(|pod| pod.ready);
    let became = |proxy: &&ProxyId| is_ready(&app.snapshot, proxy) == Some(true) && is_ready(previous, proxy) == Some(false);
    let ready: Vec<ProxyId> = app.fetches.keys().filter(became).cloned().collect();
    ready.into_iter().flat_map(|proxy| dumps::fetch(app, &proxy, Duration::ZERO)).collect()
}

/// Asks the proxies of the screen in sight again that were sent, or have answered, something since the istiods were asked before.
pub(super) fn follow_pushes(app: &mut App, before: Option<&Sync>, now: &Sync) -> Vec<Effect> {
    let Some(before) = before.filter(|_| app.options.info.kind == SourceKind::Cluster) else { return Vec::new() };
    let (before, now) = (rules::connections(before), rules::connections(now));
    let moved = |proxy: &&ProxyId| {
        let (Some(old), Some(new)) = (before.get(*proxy), now.get(*proxy)) else { return false };
        let push = |told: &TypeSync| (told.sent_push.clone(), told.acked_push.clone(), told.error.clone());
        [LISTENERS, EXTENSIONS].iter().any(|url| old.types.get(*url).map(push) != new.types.get(*url).map(push))
    };
    let needed = ask::needed(app);
    let moved: Vec<ProxyId> = needed.iter().filter(|proxy| app.snapshot.dump(proxy).is_some()).filter(moved).cloned().collect();
    moved.into_iter().flat_map(|proxy| dumps::fetch(app, &proxy, Duration::ZERO)).collect()
}

/// The dump that the next one of a proxy is compared with: not one that was read before the proxy had its listeners.
pub(super) fn comparable(app: &App, proxy: &ProxyId) -> Option<Arc<LoadedDump>> {
    app.snapshot.dump(proxy).filter(|loaded| !awaits_listeners(&app.snapshot, proxy, loaded)).cloned()
}
