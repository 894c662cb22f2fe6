//! One list of filters: its plugins in running order, the ruler with them in their places, and what the proxy has of it.

use std::collections::BTreeMap;

use super::{Applying, ChainPlace, FoundFilter, FoundFilters, OrderList, OrderedPlugin, RulerMark, RulerPlace, Stands};
use crate::analysis::answers::filters::{filter_answer, with_states};
use crate::analysis::attachment::listener_match::{Class, allows_class, traffic_selectors};
use crate::analysis::era::Version;
use crate::analysis::health;
use crate::analysis::order::{self, FilterList, Laid, Mark, Place};
use crate::analysis::outlook::Outlooks;
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::envoy::{ConfigDump, DumpView, Filter, FilterChain, Listener, ListenerState};
use crate::model::ids::{PluginId, ProxyId};
use crate::model::plugin::{Plugin, Write};
use crate::model::snapshot::Snapshot;

/// What the lists of one proxy are made from.
pub(super) struct Context<'s> {
    pub snapshot: &'s Snapshot,
    pub proxy: &'s ProxyId,
    pub outlooks: Outlooks<'s>,
    pub dump: Option<&'s ConfigDump>,
    /// Whether the dump was read before the proxy had listeners of istiod's.
    pub awaits: bool,
    pub version: Version,
    pub applying: Vec<Applying<'s>>,
}

/// The last write of a plugin's spec after its creation.
fn last_change(plugin: &Plugin) -> Option<&Write> {
    let is_later = |write: &&Write| plugin.created.as_deref().is_some_and(|created| created < write.time.as_str());
    plugin.writes.last().filter(is_later)
}

/// The chains that have the same filters in a list.
struct Sequence<'s> {
    filters: &'s [Filter],
    chains: Vec<ChainPlace>,
}

impl<'s> Context<'s> {
    pub(super) fn list(&self, direction: ListenerDirection, filters: FilterList) -> OrderList {
        let sequences = self.sequences(direction, filters);
        let whole = self.is_whole(direction);
        let custom = sequences.iter().flat_map(|sequence| sequence.filters).any(order::is_custom);
        let marks = order::ruler(filters, direction, self.version, custom);
        let plugins = if marks.iter().any(|mark| matches!(mark, Mark::Phase(_))) { self.plugins(direction, filters) } else { Vec::new() };
        let (places, mut ruler) = self.places(&marks, &plugins);
        let own = !self.awaits && self.dump.is_some_and(|dump| dump.view == DumpView::Proxy);
        let found: Vec<FoundFilters> = sequences.iter().filter(|_| own).map(|sequence| self.found(sequence, &places, &mut ruler)).collect();
        if own && !whole {
            ruler.iter_mut().for_each(|place| place.chains = None);
        } else if own {
            let there = ruler.iter_mut().filter(|place| !matches!(place.what, RulerMark::Phase { .. }));
            there.for_each(|place| place.chains = Some(place.chains.unwrap_or_default()));
        }
        OrderList {
            direction,
            filters,
            plugins: self.ordered(&plugins),
            ruler,
            limits: order::limits(&marks),
            chains: (own && whole).then(|| found.iter().map(|found| found.chains).sum()),
            chains_note: (!own || !whole).then(|| match self.dump {
                Some(_) if own => "parts of the proxy's config dump could not be read".to_owned(),
                Some(_) if self.awaits => placement::NO_LISTENERS.to_owned(),
                Some(_) => "only istiod's view could be read: what the proxy has is not known".to_owned(),
                None => "the proxy's config dump was not read".to_owned(),
            }),
            found,
        }
    }

    /// The plugins that stand in the list, in running order.
    fn plugins(&self, direction: ListenerDirection, filters: FilterList) -> Vec<&'s Plugin> {
        let class = match direction {
            ListenerDirection::Outbound => Class::Outbound,
            ListenerDirection::Gateway => Class::Gateway,
            ListenerDirection::Inbound | ListenerDirection::Internal | ListenerDirection::Waypoint => Class::Inbound,
        };
        let stands = |plugin: &&Plugin| {
            filters.takes(plugin.plugin_type, self.version) && allows_class(traffic_selectors(plugin, Some(self.version)), class)
        };
        let standing = self.applying.iter().map(|(plugin, _)| *plugin).filter(stands);
        order::running_order(standing, &self.proxy.namespace, self.snapshot.objects.root_namespace(), self.version)
    }

    fn ordered(&self, plugins: &[&Plugin]) -> Vec<OrderedPlugin> {
        let root = self.snapshot.objects.root_namespace();
        let rules: BTreeMap<&PluginId, &String> = self.applying.iter().map(|(plugin, rule)| (&plugin.id, rule)).collect();
        let one = |(index, plugin): (usize, &&Plugin)| {
            let before = index.checked_sub(1).map(|before| plugins[before]);
            let change = last_change(plugin);
            let of_several = change.filter(|_| plugins.len() > 1);
            let edit =
                of_several.map(|write| format!("; its spec was changed last at {} by {}", write.time, write.manager)).unwrap_or_default();
            let reason = before.map(|before| order::reason(before, plugin, &self.proxy.namespace, root, self.version));
            OrderedPlugin {
                place: index + 1,
                plugin: plugin.id.to_string(),
                plugin_kind: plugin.id.kind,
                phase: plugin.phase.as_str().to_owned(),
                priority: plugin.priority,
                namespace: plugin.id.name.namespace.clone(),
                created: plugin.created.clone(),
                matches: plugin.match_text(),
                applies: rules.get(&plugin.id).map(|rule| (*rule).clone()).unwrap_or_default(),
                why: match &reason {
                    Some(reason) => format!("{reason}{edit}"),
                    None if plugins.len() == 1 => "the only one".to_owned(),
                    None => format!("the first{edit}"),
                },
                changed: change.map(|write| write.time.clone()),
                changed_by: change.map(|write| write.manager.clone()),
                reason,
                state: self.dump.map(|_| health::of_plugin(&plugin.id, &self.outlooks).state),
                id: plugin.id.clone(),
            }
        };
        plugins.iter().enumerate().map(one).collect()
    }

    /// The ruler with the plugins behind their phases: to lay filters along, and to show.
    fn places(&self, marks: &[Mark], plugins: &[&Plugin]) -> (Vec<Place>, Vec<RulerPlace>) {
        let (mut places, mut ruler) = (Vec::new(), Vec::new());
        let mut put = |place, what| {
            places.push(place);
            ruler.push(RulerPlace { what, chains: None, first_chain: None });
        };
        for mark in marks {
            match mark {
                Mark::BuiltIn(built_in) => put(Place::BuiltIn(*built_in), RulerMark::BuiltIn(*built_in)),
                Mark::Phase(phase) => {
                    put(Place::Heading, RulerMark::Phase { phase: phase.clone() });
                    for (index, plugin) in plugins.iter().enumerate().filter(|(_, plugin)| plugin.phase == *phase) {
                        let id = &plugin.id;
                        put(
                            Place::Plugin(id.clone()),
                            RulerMark::Plugin { place: index + 1, plugin: id.to_string(), plugin_kind: id.kind },
                        );
                    }
                }
            }
        }
        (places, ruler)
    }

    /// The sequences of filters in the proxy's active listeners, the most frequent first. Chains that go to a black hole or straight
    /// through a sidecar's outbound side never hold a network plugin, and are left out.
    fn sequences(&self, direction: ListenerDirection, filters: FilterList) -> Vec<Sequence<'s>> {
        let mut sequences: BTreeMap<Vec<(&str, bool)>, Sequence<'s>> = BTreeMap::new();
        for listener in self.listeners(direction) {
            for (place, chain) in listener.chains.iter().enumerate() {
                let Some(filters) = filters_of(chain, filters) else { continue };
                let names = filters.iter().map(|filter| (filter.name.as_str(), order::is_custom(filter))).collect();
                let sequence = sequences.entry(names).or_insert_with(|| Sequence { filters, chains: Vec::new() });
                let state = listener.state.as_str();
                sequence.chains.push(ChainPlace { listener: listener.name.clone(), state, chain: place });
            }
        }
        let mut sequences: Vec<Sequence<'s>> = sequences.into_values().collect();
        sequences.sort_by_key(|sequence| (std::cmp::Reverse(sequence.chains.len()), sequence.chains.first().cloned()));
        sequences
    }

    /// The proxy's active listeners of a direction.
    fn listeners(&self, direction: ListenerDirection) -> impl Iterator<Item = &'s Listener> {
        let of_pod = self.snapshot.objects.pods.get(self.proxy).and_then(|pod| pod.proxy.as_ref()).map(|proxy| proxy.kind);
        let kind = self.dump.and_then(|dump| placement::proxy_kind(dump, of_pod));
        let goes = move |listener: &&Listener| match placement::direction(listener, kind) {
            Some(ListenerDirection::Internal) => direction == ListenerDirection::Inbound,
            found => found == Some(direction),
        };
        let all = self.dump.map(|dump| dump.listeners.as_slice()).unwrap_or_default();
        all.iter().filter(|listener| listener.state == ListenerState::Active).filter(goes)
    }

    /// Whether all of them could be read: else there may be more chains, with other filters.
    fn is_whole(&self, direction: ListenerDirection) -> bool {
        let is_unread = |listener: &Listener| listener.unread && !listener.is_static;
        self.dump.is_some_and(|dump| dump.has_all_listeners() && !dump.listeners.iter().any(is_unread))
            && !self.listeners(direction).any(Listener::lacks_parts)
    }

    /// Lays a sequence along the ruler, and counts its chains there.
    fn found(&self, sequence: &Sequence<'_>, places: &[Place], ruler: &mut [RulerPlace]) -> FoundFilters {
        let mut answers: Vec<_> = sequence.filters.iter().map(|filter| filter_answer(self.snapshot, self.proxy, filter)).collect();
        with_states(&self.outlooks, answers.iter_mut());
        let made: Vec<(&Filter, Option<&PluginId>)> =
            sequence.filters.iter().zip(&answers).map(|(filter, answer)| (filter, answer.id.as_ref())).collect();
        let laid = order::lay(places, &made);
        let mut at: Vec<usize> = laid.iter().filter_map(|laid| laid.place()).collect();
        at.sort_unstable();
        at.dedup();
        let first_chain = sequence.chains[0].clone();
        for place in &at {
            let place = &mut ruler[*place];
            place.chains = Some(place.chains.unwrap_or_default() + sequence.chains.len());
            if place.first_chain.as_ref().is_none_or(|known| first_chain < *known) {
                place.first_chain = Some(first_chain.clone());
            }
        }
        let stands = |laid: &Laid| match laid {
            Laid::At(_) => Stands::InOrder,
            Laid::Moved(_) => Stands::Moved,
            Laid::Unknown => Stands::Unknown,
        };
        let filters: Vec<FoundFilter> =
            answers.into_iter().zip(&laid).map(|(filter, laid)| FoundFilter { filter, stands: stands(laid) }).collect();
        FoundFilters { chains: sequence.chains.len(), first_chain, differences: self.differences(&filters, &laid), filters }
    }

    fn differences(&self, filters: &[FoundFilter], laid: &[Laid]) -> Vec<String> {
        let mut sentences = Vec::new();
        if laid.iter().any(|laid| matches!(laid, Laid::Moved(_))) {
            let actual: Vec<(usize, &str)> =
                filters.iter().zip(laid).filter_map(|(filter, laid)| Some((laid.place()?, filter.filter.shown()))).collect();
            let mut computed = actual.clone();
            computed.sort_by_key(|(place, _)| *place);
            let text = |order: &[(usize, &str)]| order.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(" > ");
            sentences.push(format!("By the rules the order is {}; the proxy has {}.", text(&computed), text(&actual)));
        }
        for filter in filters.iter().filter(|filter| filter.stands == Stands::Unknown).map(|filter| &filter.filter) {
            let sentence = match filter.own_plugin() {
                Some(_) if !self.snapshot.has_objects => continue,
                Some(plugin) => format!("{plugin} is in this list, but the objects do not put it there."),
                None => {
                    let by = filter
                        .plugin
                        .as_ref()
                        .map_or("an EnvoyFilter can put such a filter here".to_owned(), |name| format!("EnvoyFilter {name} puts it here"));
                    format!("{} is none of Istio's filters of this list: {by}.", filter.name)
                }
            };
            // A chain can have several filters of one name.
            if !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        sentences
    }
}

/// The filters of a chain that are of a list; None where it has no such list.
fn filters_of(chain: &FilterChain, list: FilterList) -> Option<&[Filter]> {
    let cluster = chain.destination.as_ref().map(|destination| destination.name()).unwrap_or_default();
    match (list, &chain.http_filters) {
        (FilterList::Http, http) => http.as_deref(),
        (FilterList::NetworkOfHttp, Some(_)) => Some(&chain.network_filters),
        (FilterList::NetworkOfTcp, None) if !matches!(cluster, placement::BLACK_HOLE | placement::PASSTHROUGH) => {
            Some(&chain.network_filters)
        }
        _ => None,
    }
}
