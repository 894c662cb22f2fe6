//! What the source said: the world changes, and the proxies that a change may concern are followed.

use std::sync::Arc;

use super::{ask, dumps, forget, level, logs, settle, successor, sync, timeline};
use crate::analysis::diff::CountChange;
use crate::app::effect::Effect;
use crate::app::program::App;
use crate::app::state::Ticket;
use crate::ingest::collect::Changed;
use crate::model::ids::{ObjectName, ProxyId};
use crate::model::inventory::Inventory;
use crate::model::kind::Kind;
use crate::model::snapshot::Snapshot;
use crate::model::update::Health;

/// Takes the objects as they are now.
pub(super) fn read(app: &mut App, objects: &Arc<Snapshot>, changed: &[Changed], health: Option<Health>) -> Vec<Effect> {
    let recovered = app.health.as_ref().is_some_and(Health::is_trouble) && matches!(health, Some(Health::Live));
    app.health = health.or(app.health.take());
    if recovered {
        app.say(format!("{} answers again", app.options.info.name));
    }
    if !changed.iter().any(|change| matches!(change, Changed::Objects(..) | Changed::Reading)) {
        return if recovered { dumps::retry(app, |_| true) } else { Vec::new() };
    }
    let mut effects = let_go(app, &objects.objects);
    let mut dumps = app.snapshot.dumps.clone();
    // A pod that is gone has no dump. Where no pods were read, the dumps are all there is.
    dumps.retain(|proxy, _| !objects.objects.is_gone(proxy));
    let (sync, pull_secrets) = (app.snapshot.sync.clone(), app.snapshot.pull_secrets.clone());
    // The source counts its own changes alone.
    let generation = app.snapshot.generation.max(objects.generation) + 1;
    let now = Snapshot { generation, dumps, sync, pull_secrets, ..(**objects).clone() };
    let previous = std::mem::replace(&mut app.snapshot, Arc::new(now));
    // A count of a plugin from before it was created or deleted is of another object.
    let exists = |snapshot: &Snapshot, change: &CountChange| snapshot.objects.plugins.contains_key(&change.plugin);
    app.changes.values_mut().for_each(|changes| changes.retain(|change| exists(&previous, change) == exists(&app.snapshot, change)));
    app.object_warnings.clone_from(&objects.warnings);
    dumps::list_warnings(app);
    effects.extend(follow(app, &previous, changed));
    effects.extend(settle::follow_pods(app, &previous));
    effects.extend(sync::follow_istiods(app, &previous));
    effects.extend(successor::follow(app, &previous));
    effects.extend(logs::look_at(app, changed));
    effects.extend(retry_failed(app, changed));
    effects.extend(level::follow_pods(app));
    effects.extend(timeline::follow(app, changed));
    effects.extend(ask::ask(app));
    effects
}

/// Lets go of the proxies whose pods are gone: nothing is asked of them any more, and what failed on them matters to nobody.
fn let_go(app: &mut App, objects: &Inventory) -> Vec<Effect> {
    let gone: Vec<ProxyId> = app.fetches.keys().filter(|proxy| objects.is_gone(proxy)).cloned().collect();
    let tickets: Vec<Ticket> = gone.iter().filter_map(|proxy| app.fetches.remove(proxy)?.ticket).collect();
    tickets.iter().for_each(|ticket| forget(app, *ticket));
    app.changes.retain(|proxy, _| !objects.is_gone(proxy));
    if app.event_of.as_ref().is_some_and(|proxy| objects.is_gone(proxy)) {
        app.event = None;
        app.event_of = None;
        app.failed = false;
    }
    tickets.into_iter().map(Effect::Stop).collect()
}

/// A proxy that could not be read may be readable once its pod has changed.
fn retry_failed(app: &mut App, changed: &[Changed]) -> Vec<Effect> {
    let is_pod = |proxy: &ProxyId, name: &ObjectName| proxy.pod == name.name && proxy.namespace == name.namespace;
    dumps::retry(app, |proxy| changed.iter().any(|change| matches!(change, Changed::Objects(Kind::Pod, Some(name)) if is_pod(proxy, name))))
}

/// Follows what single changes may concern. A list is where the watching begins or begins again, and no change.
fn follow(app: &mut App, previous: &Snapshot, changed: &[Changed]) -> Vec<Effect> {
    let root = app.snapshot.objects.root_namespace().to_owned();
    let mut namespaces = Vec::new();
    for change in changed {
        if let Changed::Objects(kind, Some(name)) = change
            && shapes_listeners(*kind)
        {
            let change = describe(app, previous, *kind, name);
            app.last_change = Some(change.clone());
            app.say(change);
            // Services shape the outbound listeners of every proxy, and the root namespace reaches all.
            let everywhere = matches!(kind, Kind::Service | Kind::ServiceEntry | Kind::MeshConfigMap) || name.namespace == root;
            namespaces.push((!everywhere).then(|| name.namespace.clone()));
        }
    }
    if namespaces.is_empty() {
        return Vec::new();
    }
    dumps::follow(app, |proxy| namespaces.iter().any(|namespace| namespace.as_ref().is_none_or(|namespace| *namespace == proxy.namespace)))
}

/// Whether objects of a kind decide what istiod sends.
fn shapes_listeners(kind: Kind) -> bool {
    match kind {
        Kind::WasmPlugin
        | Kind::TrafficExtension
        | Kind::PeerAuthentication
        | Kind::AuthorizationPolicy
        | Kind::RequestAuthentication
        | Kind::EnvoyFilter
        | Kind::Sidecar
        | Kind::IstioGateway
        | Kind::Gateway
        | Kind::Service
        | Kind::ServiceEntry
        | Kind::VirtualService
        | Kind::MeshConfigMap => true,
        Kind::Pod
        | Kind::DestinationRule
        | Kind::Namespace
        | Kind::WorkloadEntry
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet => false,
    }
}

/// `PeerAuthentication default/default changed to STRICT`.
fn describe(app: &App, previous: &Snapshot, kind: Kind, name: &ObjectName) -> String {
    let exists = |snapshot: &Snapshot| match kind {
        Kind::WasmPlugin | Kind::TrafficExtension => {
            snapshot.objects.plugins.keys().any(|id| id.name == *name && id.kind.as_str() == kind.as_str())
        }
        Kind::PeerAuthentication => snapshot.objects.peer_authentications.contains_key(name),
        Kind::Service | Kind::ServiceEntry => snapshot.objects.services.contains_key(&(kind, name.clone())),
        Kind::MeshConfigMap => true,
        _ => snapshot.objects.policies.contains_key(&(kind, name.clone())),
    };
    let policy = (kind == Kind::PeerAuthentication).then(|| app.snapshot.objects.peer_authentications.get(name)).flatten();
    let mode = policy.and_then(|policy| policy.mode).map(|mode| format!(": {mode}")).unwrap_or_default();
    let what = match (exists(previous), exists(&app.snapshot)) {
        (false, true) => "created",
        (true, false) => "deleted",
        _ => "changed",
    };
    format!("{kind} {name} {what}{mode}")
}
