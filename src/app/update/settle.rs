//! Reads a proxy again while its last reading is not final and the visible screen needs it: it is starting, its listeners are warming or
//! draining, a plugin's configuration is missing, or it does not answer; and from time to time where it is final.

use std::sync::Arc;
use std::time::Duration;

use super::{ask, dumps};
use crate::analysis::{diff, sync as rules};
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::screen::Subject;
use crate::fetch;
use crate::model::envoy::{ExtensionConfig, Listener, ListenerState};
use crate::model::ids::ProxyId;
use crate::model::snapshot::{Dump, LoadedDump, Snapshot};
use crate::model::sync::{EXTENSIONS, LISTENERS, Sync};
use crate::source::SourceKind;

/// When a proxy that starts is asked again, in seconds, each after the answer before; then by the last. It has its listeners within seconds.
const STARTING: &[u64] = &[1, 2, 4, 5, 5, 5, 5, 5, 5, 5, 15];
/// The same for what may take longer, or for ever: draining takes 45 s by default, the agent gives up a module after some tries, and who
/// does not answer may be gone.
const ON_ITS_WAY: &[u64] = &[2, 3, 5, 5, 5, 5, 5, 5, 5, 5, 15];

/// How old a settled reading of a proxy may become while the visible screen goes by it. Each reading holds up the proxy's main thread, so one
/// that takes long is made less often: `SHARE` times as long as it took lies between two at least.
const RENEW: Duration = Duration::from_secs(10);
const SHARE: u64 = 50;

/// Schedules the next request to a proxy whose reading is not final, if the visible screen needs it.
pub(super) fn again(app: &mut App, proxy: &ProxyId) -> Vec<Effect> {
    let delays = unsettled(app, proxy).filter(|_| ask::needed(app).contains(proxy));
    let Some(fetch) = app.fetches.get_mut(proxy) else { return Vec::new() };
    let Some(delays) = delays else {
        fetch.again = 0;
        return Vec::new();
    };
    let delay = delays[fetch.again.min(delays.len() - 1)];
    fetch.again += 1;
    dumps::fetch_all(app, vec![proxy.clone()], Duration::from_secs(delay))
}

/// Whether a proxy's reading is not final and no request for it is under way.
pub(super) fn needs_reading(app: &App, proxy: &ProxyId) -> bool {
    let Some(fetch) = app.fetches.get(proxy) else { return false };
    fetch.ticket.is_none() && (fetch.followed.is_some() || unsettled(app, proxy).is_some())
}

/// When a proxy is to be asked again, by what is known of it; None where its reading is final, or nothing would answer.
fn unsettled(app: &App, proxy: &ProxyId) -> Option<&'static [u64]> {
    let kind = app.options.info.kind;
    if kind != SourceKind::Cluster || is_ending(app, proxy) || fetch::unreachable(&app.snapshot.objects, proxy, kind).is_some() {
        return None;
    }
    let fetch = app.fetches.get(proxy)?;
    match app.snapshot.dumps.get(proxy)? {
        Dump::Loaded(_) if fetch.early => Some(STARTING),
        Dump::Loaded(loaded) => {
            let awaits_plugin = loaded.dump.ecds.iter().any(|entry| matches!(entry.config, ExtensionConfig::Missing));
            (fetch.silent || awaits_plugin || diff::in_transition(&loaded.dump)).then_some(ON_ITS_WAY)
        }
        Dump::Failed(_) if is_starting(app, proxy) => Some(STARTING),
        // A right that is lacking stays lacking: r asks again.
        Dump::Failed(_) => (!fetch.lasting).then_some(ON_ITS_WAY),
        Dump::Loading => None,
    }
}

/// Whether a proxy's pod is there and not ready, so that the proxy need not answer yet.
pub(super) fn is_starting(app: &App, proxy: &ProxyId) -> bool {
    app.snapshot.objects.pods.get(proxy).is_some_and(|pod| !pod.ready && !pod.is_workload_entry)
}

/// Whether listeners of a proxy drain: it is asked again for that alone, and answers as ever.
pub(super) fn drains(app: &App, proxy: &ProxyId) -> bool {
    let is_draining = |listener: &Listener| listener.state == ListenerState::Draining;
    app.snapshot.dump(proxy).is_some_and(|loaded| loaded.dump.listeners.iter().any(is_draining))
}

/// Whether a proxy's pod is being deleted or gone, so that the proxy need not answer any more.
pub(super) fn is_ending(app: &App, proxy: &ProxyId) -> bool {
    let objects = &app.snapshot.objects;
    objects.is_gone(proxy) || objects.pods.get(proxy).is_some_and(|pod| pod.deleting)
}

/// Reads the proxies again whose pods became ready, or whose containers were started, since they were read.
pub(super) fn follow_pods(app: &mut App, previous: &Snapshot) -> Vec<Effect> {
    let state = |snapshot: &Snapshot, proxy: &ProxyId| {
        let pod = snapshot.objects.pods.get(proxy)?;
        Some((pod.ready, pod.proxy.as_ref().is_some_and(|proxy| proxy.running)))
    };
    let became = |proxy: &&ProxyId| {
        let (Some(before), Some(now)) = (state(previous, proxy), state(&app.snapshot, proxy)) else { return false };
        now.0 && !before.0 || now.1 && !before.1
    };
    let changed = app.fetches.keys().filter(became).cloned().collect();
    dumps::read_once(app, changed)
}

/// Reads the proxies again that the visible screen goes by and that nothing else has read for a while: requests fail and pass, and a VM fails,
/// without any change of an object. `waited` is the time since the last call.
pub(super) fn renew(app: &mut App, waited: Duration) -> Vec<Effect> {
    let goes_by_readings = matches!(
        app.screen().subject,
        Subject::Plugins { .. }
            | Subject::Workloads(_)
            | Subject::Why(_)
            | Subject::Findings { .. }
            | Subject::Health(_)
            | Subject::Sync { .. }
    );
    if app.options.info.kind != SourceKind::Cluster || !goes_by_readings {
        return Vec::new();
    }
    let mut due = Vec::new();
    for proxy in ask::needed(app) {
        let Some(took_ms) = app.snapshot.dump(&proxy).map(|loaded| loaded.took_ms) else { continue };
        let Some(fetch) = app.fetches.get_mut(&proxy).filter(|fetch| fetch.ticket.is_none()) else { continue };
        fetch.idle += waited;
        if fetch.idle >= RENEW.max(Duration::from_millis(took_ms.saturating_mul(SHARE))) {
            due.push(proxy);
        }
    }
    dumps::fetch_all(app, due, Duration::ZERO)
}

/// Reads again the proxies of the visible screen that istiod pushed to, or that answered a push, since the last sync request. Those that
/// are followed are read all the same.
pub(super) fn follow_pushes(app: &mut App, before: Option<&Sync>, now: &Sync) -> Vec<Effect> {
    let Some(before) = before.filter(|_| app.options.info.kind == SourceKind::Cluster) else { return Vec::new() };
    let (before, now) = (rules::connections(before), rules::connections(now));
    let moved = |proxy: &&ProxyId| match (before.get(*proxy), now.get(*proxy)) {
        (Some(old), Some(new)) => [LISTENERS, EXTENSIONS].iter().any(|url| old.types.get(*url) != new.types.get(*url)),
        // Its log has why it is connected to none any more.
        (None, Some(_)) | (Some(_), None) => true,
        (None, None) => false,
    };
    let is_settled = |proxy: &&ProxyId| app.fetches.get(*proxy).is_some_and(|fetch| fetch.followed.is_none());
    let read = |proxy: &&ProxyId| app.snapshot.dump(proxy).is_some();
    let needed = ask::needed(app);
    let moved = needed.iter().filter(read).filter(is_settled).filter(moved).cloned().collect();
    dumps::fetch_all(app, moved, Duration::ZERO)
}

/// The dump that the next one of a proxy is compared with: not one that was read before the proxy had its listeners.
pub(super) fn comparable(app: &App, proxy: &ProxyId) -> Option<Arc<LoadedDump>> {
    let is_early = app.fetches.get(proxy).is_some_and(|fetch| fetch.early);
    app.snapshot.dump(proxy).filter(|_| !is_early).cloned()
}
