//! What istiod says of a plugin in a proxy: what the proxy refused, in its own words, what it has not answered to, and that it is not
//! connected at all.

use super::weigh::{IN_PLACE, decide};
use super::{Evidence, EvidenceSource, Health, PluginState};
use crate::analysis::sync as rules;
use crate::ingest::plugin_name;
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::snapshot::Snapshot;
use crate::model::sync::{EXTENSIONS, LISTENERS, Sync, SyncState, TypeSync};

/// Holds the state by the proxy against what istiod says, where it was asked. A refusal decides where it names the plugin: it is of
/// what was sent last, and a type carries all plugins. That the proxy has not answered yet decides nothing.
pub(super) fn weighed(mut health: Health, snapshot: &Snapshot, plugin: &PluginId, proxy: &ProxyId) -> Health {
    let Some(Ok(sync)) = &snapshot.sync else { return health };
    if health.state == PluginState::NotApplicable {
        return health;
    }
    let Some(client) = rules::connection(sync, proxy) else {
        health.evidence.extend(not_connected(snapshot, sync, proxy));
        return health;
    };
    // Of another plugin's resource nothing follows for this one's.
    let is_superseded =
        |url: &str, told: &TypeSync| snapshot.dump(proxy).is_some_and(|loaded| rules::is_superseded(sync, told, url, loaded, Some(plugin)));
    for url in [EXTENSIONS, LISTENERS] {
        let Some(told) = client.types.get(url) else { continue };
        let name = rules::short(url);
        match told.state {
            SyncState::Refused if names(plugin, &told.error) && is_superseded(url, told) => {
                let what = format!("istiod was asked before the proxy was given what it has now of {name}, and said of what was before");
                let said = of(url, told, format!("{what}: {}", rules::first_line(&told.error)));
                decide(
                    &mut health.state,
                    &mut health.evidence,
                    said,
                    &[PluginState::Running, PluginState::Unverified],
                    PluginState::Unknown,
                );
            }
            SyncState::Refused if names(plugin, &told.error) => {
                let said = of(url, told, format!("the proxy refused {name}: {}", rules::first_line(&told.error)));
                decide(&mut health.state, &mut health.evidence, said, &IN_PLACE, PluginState::Rejected);
            }
            // Listeners go into force together with all that they refer to; a refusal of another plugin's resource is not this one's.
            SyncState::Refused if url == LISTENERS => {
                health.evidence.push(of(url, told, format!("the proxy refused a listener: {}", rules::first_line(&told.error))));
            }
            SyncState::Stale => health.evidence.push(of(url, told, format!("the proxy has not answered to what was sent last of {name}"))),
            SyncState::Refused | SyncState::NotSent | SyncState::Synced | SyncState::NotWatched | SyncState::Untold => {}
        }
    }
    health
}

fn not_connected(snapshot: &Snapshot, sync: &Sync, proxy: &ProxyId) -> Option<Evidence> {
    if !sync.tells_of(&proxy.namespace) {
        return None;
    }
    let why = rules::why_alone(snapshot.objects.pods.get(proxy)?, &snapshot.objects, !sync.partial)?;
    Some(Evidence::new(EvidenceSource::Istiod, "", why))
}

fn of(url: &str, told: &TypeSync, what: String) -> Evidence {
    Evidence::new(EvidenceSource::Istiod, format!("{} of push {}", rules::short(url), told.sent_push), what)
}

/// Whether an error names the plugin: by its resource, or by the name that its configuration carries.
fn names(plugin: &PluginId, error: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '~' | '/' | '_');
    error.split(|c| !is_part(c)).map(|word| word.trim_end_matches('.')).any(|word| {
        let resource = plugin_name::of_resource(word, false).is_some_and(|found| found.id == *plugin);
        let of_envoy_filter = plugin.kind == PluginKind::EnvoyFilter && word == plugin.name.name;
        resource || of_envoy_filter || plugin_name::of_configuration(word).is_some_and(|(name, _)| name == plugin.name)
    })
}
