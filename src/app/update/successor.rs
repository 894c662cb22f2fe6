//! A screen belongs to a workload: where the pod that it shows is replaced, it goes on with the one that takes its place; where there is
//! none yet it waits for one.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{ask, forget};
use crate::analysis::diff::{self, CountChange};
use crate::analysis::lookup;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::rows;
use crate::app::screen::{Screen, Subject};
use crate::model::envoy::ConfigDump;
use crate::model::ids::{ProxyId, WorkloadId};
use crate::model::snapshot::{LoadedDump, Snapshot};

/// Goes on with other pods where those that the screens show are gone. `previous` is the world before.
pub(super) fn follow(app: &mut App, previous: &Snapshot) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (gone, workload) in gone(app, previous) {
        let dump = previous.dump(&gone).cloned();
        if let Some(dump) = dump {
            app.lost.insert(gone.clone(), dump);
        }
        match successor(&app.snapshot, &workload, |proxy| !previous.objects.pods.contains_key(proxy)) {
            Some(new) => effects.extend(replace(app, &gone, &new)),
            None if previous.objects.pods.contains_key(&gone) => {
                app.say(format!("pod {} is gone; waiting for another one of {} that is ready", gone.pod, workload.short()));
            }
            None => {}
        }
    }
    let shown: BTreeSet<ProxyId> = app.screens.iter().filter_map(Screen::proxy).cloned().collect();
    app.lost.retain(|proxy, _| shown.contains(proxy));
    effects
}

/// The proxies of the screens whose pods are gone, with their workloads.
fn gone(app: &App, previous: &Snapshot) -> BTreeSet<(ProxyId, WorkloadId)> {
    let gone = app.screens.iter().filter_map(Screen::focus).filter(|focus| app.snapshot.objects.is_gone(&focus.proxy));
    gone.filter_map(|focus| {
        let workload = focus.workload.clone().or_else(|| lookup::owner(previous, &focus.proxy))?;
        Some((focus.proxy.clone(), workload))
    })
    .collect()
}

/// The pod of a workload to go on with: one that is ready, a new one before those that were there.
fn successor(snapshot: &Snapshot, workload: &WorkloadId, is_new: impl Fn(&ProxyId) -> bool) -> Option<ProxyId> {
    let workload = snapshot.workloads.iter().find(|known| known.id == *workload)?;
    let pods = workload.pods.iter().filter_map(|proxy| snapshot.objects.pods.get(proxy));
    let fit = pods.filter(|pod| pod.runs_envoy() && pod.ready && !pod.deleting);
    fit.map(|pod| pod.id.clone()).min_by_key(|proxy| (!is_new(proxy), proxy.clone()))
}

fn replace(app: &mut App, gone: &ProxyId, new: &ProxyId) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut stale = Vec::new();
    for screen in &mut app.screens {
        let proxy = match &mut screen.subject {
            Subject::WhatIf(supposed) => supposed.proxy.as_mut(),
            Subject::Sync { at, .. } => at.as_mut(),
            _ => screen.focus_mut().map(|focus| &mut focus.proxy),
        };
        let Some(proxy) = proxy.filter(|proxy| *proxy == gone) else { continue };
        proxy.clone_from(new);
        let selected = rows::identity::selected(screen).filter(|_| screen.chosen);
        screen.lost = screen.lost.take().or(selected);
        // What was answered is of the pod that is gone.
        screen.answer = None;
        screen.rows.clear();
        screen.of_istiod = None;
        stale.extend(screen.pending.into_iter().chain(screen.reading));
    }
    for ticket in stale {
        forget(app, ticket);
        effects.push(Effect::Stop(ticket));
    }
    if let Some(dump) = app.lost.remove(gone) {
        app.lost.insert(new.clone(), dump);
    }
    let change = format!("pod {} replaces {}", new.pod, gone.pod);
    app.last_change = Some(change.clone());
    app.say(change);
    effects.extend(ask::wanted_dumps(app));
    effects
}

/// The dump to compare the next one of a proxy with, where it is the one of the pod before.
pub(super) fn before(app: &App, proxy: &ProxyId) -> Option<Arc<LoadedDump>> {
    app.lost.get(proxy).cloned()
}

/// Reports the inbound count after a pod was replaced: old and new where they differ, else "as before".
pub(super) fn read(app: &mut App, proxy: &ProxyId, after: &ConfigDump) -> Option<CountChange> {
    let before = app.lost.remove(proxy)?;
    let change = diff::inbound_change(&before.dump, after, app.screen().plugin()?, app.snapshot.objects.inbound_port())?;
    if change.before != change.after {
        return Some(change);
    }
    app.say_after_change(proxy, &change, &format!("{} as before", change.after));
    None
}
