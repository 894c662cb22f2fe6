//! `order WORKLOAD`: the plugins of each proxy in running order, with the reason for each place, and the built-in filters among
//! which they stand.

mod list;
mod places;
mod words;

use std::sync::Arc;

use serde::Serialize;

use super::why::dump_note;
use crate::analysis::attachment::{self, Attachment, injection};
use crate::analysis::chains::Facts;
use crate::analysis::comparison::EnvoyFilters;
use crate::analysis::control_plane;
use crate::analysis::health::PluginState;
use crate::analysis::lookup;
use crate::analysis::order::{FilterList, Reason};
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::ids::{PluginId, PluginKind, ProxyId};
use crate::model::plugin::Plugin;
use crate::model::snapshot::Snapshot;
use crate::model::warning::{self, Warning};
use crate::model::workload::{Pod, ProxyKind};

pub use places::{ChainPlace, FoundFilter, FoundFilters, RulerMark, RulerPlace, Stands};

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderAnswer {
    /// What could not be read.
    pub warnings: Vec<Warning>,
    /// One entry a proxy.
    pub workloads: Vec<OrderEntry>,
}

/// One proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEntry {
    /// `namespace/name` of its workload; None over a lone dump.
    pub workload: Option<String>,
    /// The workload's kind.
    pub workload_kind: Option<&'static str>,
    /// `pod.namespace`.
    pub proxy: ProxyId,
    /// `sidecar`, `gateway`, `waypoint`, `ztunnel`; None where the pod has no proxy.
    pub proxy_kind: Option<&'static str>,
    /// Whose rules are taken, as the first two numbers of an Istio version.
    pub istio_version: String,
    /// Why this version.
    pub istio_version_note: String,
    /// How the dump was read, `port-forward` and so on, or why there is none.
    pub dump_note: String,
    /// Why there is no list to show, or why no plugins are known; None where all is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The EnvoyFilters that apply to the proxy and can put filters elsewhere than the rules have them, by name.
    pub envoy_filters: Vec<String>,
    /// Plugins that apply to the proxy and that its istiod leaves out, by name.
    pub left_out: Vec<LeftOut>,
    /// Its lists of filters, inbound first, the HTTP filters of each side first.
    pub lists: Vec<OrderList>,
}

/// A plugin without a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// `namespace/name`.
    pub plugin: String,
    /// Its kind.
    pub plugin_kind: PluginKind,
    /// Why it has none.
    pub why: String,
}

/// One list of filters that Istio builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderList {
    /// In which chains the list stands.
    pub direction: ListenerDirection,
    /// Which list of such a chain it is.
    pub filters: FilterList,
    /// The plugins that stand in it, in running order.
    pub plugins: Vec<OrderedPlugin>,
    /// The built-in filters in their order, with the phases and the plugins in their places.
    pub ruler: Vec<RulerPlace>,
    /// What can never stand before or after what, as sentences.
    pub limits: Vec<String>,
    /// How many chains with such a list the proxy's active listeners have; None where its own dump was not read.
    pub chains: Option<usize>,
    /// Why `chains` is None.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains_note: Option<String>,
    /// What the proxy has: each sequence of filters once, the most frequent first.
    pub found: Vec<FoundFilters>,
}

/// A plugin in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderedPlugin {
    /// Its place among the plugins, from 1.
    pub place: usize,
    /// `namespace/name`.
    pub plugin: String,
    /// Its kind.
    pub plugin_kind: PluginKind,
    /// `spec.phase`; empty where unset.
    pub phase: String,
    /// `spec.priority`; None where unset, which is the lowest.
    pub priority: Option<i64>,
    /// Its namespace.
    pub namespace: String,
    /// `metadata.creationTimestamp`.
    pub created: Option<String>,
    /// When its spec was changed last after its creation, RFC 3339; None where nothing shows that it was. A new phase or priority changes the
    /// order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    /// The field manager that changed it, `kubectl-edit`; None where `changed` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// `spec.match` in a few words; a mode or port can keep it out of single chains.
    #[serde(rename = "match")]
    pub matches: String,
    /// By which rule it applies to the proxy.
    pub applies: String,
    /// Why it stands after the one before it, as data; None for the first.
    pub reason: Option<Reason>,
    /// How it fares on this proxy; None where its dump was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PluginState>,
    /// The same as a clause.
    pub why: String,
    /// The ID.
    #[serde(skip)]
    pub id: PluginId,
}

/// Answers for the given proxies.
pub fn order(snapshot: &Snapshot, proxies: &[ProxyId]) -> OrderAnswer {
    let mut workloads: Vec<OrderEntry> = proxies.iter().map(|proxy| entry(snapshot, proxy)).collect();
    workloads.sort_by(|a, b| (&a.workload, &a.workload_kind, &a.proxy).cmp(&(&b.workload, &b.workload_kind, &b.proxy)));
    OrderAnswer { warnings: warning::once(&snapshot.warnings), workloads }
}

fn entry(snapshot: &Snapshot, proxy: &ProxyId) -> OrderEntry {
    let objects = &snapshot.objects;
    let pod = objects.pods.get(proxy).map(|pod| &**pod);
    let workload = lookup::owner(snapshot, proxy);
    let dump = snapshot.dump(proxy).map(|loaded| &loaded.dump);
    let of_pod = pod.and_then(|pod| pod.proxy.as_ref()).map(|proxy| proxy.kind);
    let kind = dump.map_or(of_pod, |dump| placement::proxy_kind(dump, of_pod).or(Some(ProxyKind::Sidecar)));
    let node = dump.and_then(|dump| dump.node.as_ref());
    let plane = control_plane::control_plane(objects, pod, node);
    let facts = pod.and_then(|pod| Facts::of(objects, pod, node, None));
    let (left_out, applying) = applying(snapshot, pod);
    let awaits = dump.is_some_and(|dump| placement::awaits_listeners(snapshot, proxy, dump));
    let outlooks = Outlooks::sharing(snapshot, proxy, &Arc::default());
    let context = list::Context { snapshot, proxy, outlooks, dump, awaits, version: plane.version, applying };
    let directions: &[ListenerDirection] = match kind {
        Some(ProxyKind::Sidecar) => &[ListenerDirection::Inbound, ListenerDirection::Outbound],
        Some(ProxyKind::ClassicGateway | ProxyKind::Gateway) => &[ListenerDirection::Gateway],
        Some(ProxyKind::Waypoint) => &[ListenerDirection::Waypoint],
        Some(ProxyKind::Ztunnel) | None => &[],
    };
    let network = plane.version.network_plugins();
    let lists = FilterList::ALL.into_iter().filter(|filters| network || *filters == FilterList::Http);
    OrderEntry {
        workload: workload.as_ref().map(|id| id.name.to_string()),
        workload_kind: workload.as_ref().map(|id| id.kind.as_str()),
        proxy: proxy.clone(),
        proxy_kind: kind.map(ProxyKind::as_str),
        istio_version: plane.version.to_string(),
        istio_version_note: plane.basis,
        dump_note: dump_note(snapshot, proxy),
        note: match (kind, pod) {
            (Some(ProxyKind::Ztunnel), _) => Some(attachment::Reason::Ztunnel.to_string()),
            (Some(_), _) if !snapshot.has_objects => Some(
                "a lone config dump has no objects, so the plugins and their phases are not known; what the proxy has is shown".to_owned(),
            ),
            (Some(_), _) => None,
            (None, Some(pod)) => Some(attachment::Reason::NoProxy(injection::missing(pod, objects)).to_string()),
            (None, None) => Some("neither the pod nor its config dump was read".to_owned()),
        },
        envoy_filters: facts.iter().flat_map(|facts| EnvoyFilters::of(facts).shaping_chains()).map(ToString::to_string).collect(),
        left_out,
        lists: directions.iter().flat_map(|direction| lists.clone().map(|filters| context.list(*direction, filters))).collect(),
    }
}

/// A plugin that applies to a proxy, with the rule by which it does.
type Applying<'s> = (&'s Plugin, String);

/// The plugins that apply to a pod: those that would if its istiod used them at all, and the others.
fn applying<'s>(snapshot: &'s Snapshot, pod: Option<&Pod>) -> (Vec<LeftOut>, Vec<Applying<'s>>) {
    let (mut left_out, mut found) = (Vec::new(), Vec::new());
    let Some(pod) = pod else { return (left_out, found) };
    for plugin in snapshot.objects.plugins.values() {
        let Attachment { attached, reason } = attachment::attach(plugin, pod, &snapshot.objects);
        if attached {
            found.push((&**plugin, reason.to_string()));
        } else if matches!(reason, attachment::Reason::Unused(_)) && attachment::distance(plugin, pod, &snapshot.objects) == Some(1) {
            left_out.push(LeftOut { plugin: plugin.id.to_string(), plugin_kind: plugin.id.kind, why: reason.to_string() });
        }
    }
    (left_out, found)
}
