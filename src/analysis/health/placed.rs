//! Where the proxy has a plugin, compared with where the objects put it: in how many chains, and at which place among the filters.

use super::passed;
use super::wanted::Comparison;
use crate::analysis::comparison::{self, Pair};
use crate::analysis::order::{self, FilterList, Mark, phase_words};
use crate::analysis::outlook::{Outlook, Outlooks};
use crate::analysis::placement::{self, ListenerDirection};
use crate::model::envoy::{ConfigDump, Filter, FilterChain, Listener, ListenerState};
use crate::model::ids::PluginId;
use crate::model::plugin::{Phase, Plugin, PluginType};

/// How many listeners a dump, and how many services a mesh may have for all listeners to be predicted; of more only the inbound ones are.
const MOST: usize = 128;
const SERVICES: usize = 1000;

/// How many differences are named.
const NAMED: usize = 3;

/// Compares the places of a plugin.
pub(super) fn compare(comparison: &mut Comparison, plugin: &Plugin, outlooks: &Outlooks<'_>, dump: &ConfigDump) {
    let all = dump.listeners.len() <= MOST && outlooks.snapshot.objects.services.len() <= SERVICES;
    let outlook = if all { outlooks.whole() } else { outlooks.inbound() };
    match outlook {
        Ok(outlook) => Compared::of(outlook, plugin, dump, all).add_to(comparison),
        Err(why) => comparison.not_compared(format!("its chains, since {why}")),
    }
}

/// What the chains of one proxy show.
#[derive(Default)]
struct Compared {
    /// In how many chains of how many listeners it is, of those that were compared.
    chains: usize,
    listeners: usize,
    counts: Vec<String>,
    /// Where requests that come to the workload do not pass it.
    lacks: Vec<String>,
    orders: Vec<String>,
    unknown: Vec<String>,
    /// Whether some filter shows that its phase is the object's; None where no chain with it was compared.
    phase: Option<bool>,
    /// Where its filter is on the wrong side of a built-in filter, in listeners that cannot be predicted.
    moved: Vec<String>,
    /// Whether another plugin is in one of its chains.
    others: bool,
}

/// A built-in filter that a plugin's filter is on the wrong side of, by the plugin's phase.
struct WrongSide<'f> {
    built_in: &'f str,
    /// Whether the plugin's filter is before it.
    is_before: bool,
}

impl WrongSide<'_> {
    fn said(&self, phase: &Phase) -> String {
        let (is, should) = if self.is_before { ("before", "after") } else { ("after", "before") };
        format!("its filter is {is} {}, {} is {should} that", self.built_in, phase_words(phase))
    }
}

impl Compared {
    fn of(outlook: &Outlook<'_>, plugin: &Plugin, dump: &ConfigDump, all: bool) -> Self {
        let mut found = Self::default();
        let active = dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active);
        for listener in active {
            let Some(direction) = outlook.direction(listener) else { continue };
            let counted = placement::count_in_listener(listener, &plugin.id);
            if !all && !outlook.is_inbound(listener) {
                if counted > 0 {
                    add(&mut found.unknown, "its outbound listeners, which are too many to compare here".to_owned());
                }
                continue;
            }
            let count = outlook.count(&plugin.id, listener);
            if outlook.is_inbound(listener) && !listener.lacks_parts() && plugin.plugin_type != PluginType::Network {
                let predicted = outlook.predicted(&listener.name);
                let is_wanted =
                    predicted.map_or(plugin.matches.is_empty(), |predicted| placement::count_in_listener(predicted, &plugin.id) > 0);
                let why = count.as_ref().err().filter(|_| is_wanted).map(String::as_str);
                found.lacks.extend(passed::lacks(listener, &plugin.id, why, predicted));
            }
            match count {
                _ if listener.lacks_parts() => add(&mut found.unknown, format!("{}, of which parts could not be read", listener.name)),
                Err(why) if counted > 0 => {
                    for chain in &listener.chains {
                        if let Some(wrong) = found.phase(outlook, plugin, direction, chain) {
                            add(&mut found.moved, format!("{}: {}; {why}", listener.name, wrong.said(&plugin.phase)));
                        }
                    }
                    add(&mut found.unknown, format!("{}: {why}", listener.name));
                }
                Err(_) => {}
                Ok(wanted) if wanted != counted => {
                    let comes = dump.listeners.iter().filter(|other| other.name == listener.name).find_map(coming).unwrap_or_default();
                    found.counts.push(format!("{}: {counted} chains have it, the objects ask for {wanted}{comes}", listener.name));
                }
                Ok(0) => {}
                Ok(_) => {
                    (found.chains, found.listeners) = (found.chains + counted, found.listeners + 1);
                    let predicted = outlook.predicted(&listener.name);
                    let pairs = predicted.map(|predicted| comparison::pairs(listener, predicted)).unwrap_or_default();
                    for Pair { counted, predicted } in pairs {
                        let (Some((_, counted)), Some(predicted)) = (counted, predicted) else { continue };
                        found.order(outlook, plugin, direction, counted, predicted);
                    }
                }
            }
        }
        let lacking = outlook.lacking(dump).filter(|wanted| outlook.unknown(wanted).is_none());
        for wanted in lacking.filter(|wanted| placement::count_in_listener(wanted, &plugin.id) > 0) {
            found.counts.push(format!("the proxy has no listener {}, in which the objects put it", wanted.name));
        }
        found
    }

    /// Compares the place among the filters of one chain.
    fn order(
        &mut self,
        outlook: &Outlook<'_>,
        plugin: &Plugin,
        direction: ListenerDirection,
        counted: &FilterChain,
        predicted: &FilterChain,
    ) {
        let (has, wanted) = (plugins(counted), plugins(predicted));
        let (Some(at), Some(wanted_at)) = (place(&has, &plugin.id), place(&wanted, &plugin.id)) else { return };
        for (other_at, other) in has.iter().enumerate().filter(|(_, other)| **other != &plugin.id) {
            let Some(other_wanted) = place(&wanted, other) else { continue };
            self.others = true;
            if (other_at < at) != (other_wanted < wanted_at) {
                let (is, should) = if other_at < at { ("after", "before") } else { ("before", "after") };
                add(&mut self.orders, format!("priority or phase: it runs {is} {other}, the objects put it {should} that"));
            }
        }
        if let Some(wrong) = self.phase(outlook, plugin, direction, counted) {
            add(&mut self.orders, format!("phase: {}", wrong.said(&plugin.phase)));
        }
    }

    /// Compares the place among the built-in filters of one chain, which needs no prediction: the first that it is on the wrong side of.
    fn phase<'c>(
        &mut self,
        outlook: &Outlook<'_>,
        plugin: &Plugin,
        direction: ListenerDirection,
        chain: &'c FilterChain,
    ) -> Option<WrongSide<'c>> {
        if plugin.plugin_type == PluginType::Network {
            return None;
        }
        let filters = chain.http_filters.as_deref().unwrap_or_default();
        let at = filters.iter().position(|filter| placement::is_of(filter, &plugin.id))?;
        let marks = order::ruler(FilterList::Http, direction, outlook.facts.plane.version, filters.iter().any(order::is_custom));
        let wrong = wrong_side(filters, at, &marks, &plugin.phase);
        let shown = wrong.is_some() || {
            let phases = marks.iter().filter_map(|mark| if let Mark::Phase(phase) = mark { Some(phase) } else { None });
            phases.filter(|phase| **phase != plugin.phase).all(|phase| wrong_side(filters, at, &marks, phase).is_some())
        };
        self.phase = Some(self.phase.unwrap_or_default() || shown);
        wrong
    }

    fn add_to(self, comparison: &mut Comparison) {
        comparison.not_passed = (!self.lacks.is_empty()).then(|| self.lacks.join("; "));
        let (more, named) = (self.counts.len().saturating_sub(NAMED), self.counts.iter().take(NAMED));
        let rest = if more > 0 { format!(" and {more} more listeners differ") } else { String::new() };
        if self.counts.is_empty() && self.lacks.is_empty() && self.listeners > 0 {
            comparison.same("chains");
        } else if !self.counts.is_empty() {
            comparison.misplaced = Some(format!("{}{rest}", named.cloned().collect::<Vec<_>>().join("; ")));
        }
        if self.orders.is_empty() && self.others {
            comparison.same("order among the plugins");
        }
        let is_in_order = self.orders.is_empty() && self.moved.is_empty();
        match self.phase {
            Some(true) if is_in_order => comparison.same("phase"),
            Some(false) if is_in_order => {
                comparison.not_compared("its phase, which no filter in its chains distinguishes from another".to_owned());
            }
            _ => {}
        }
        comparison.differs.extend(self.orders);
        comparison.moved = (!self.moved.is_empty()).then(|| self.moved.join("; "));
        let more = self.unknown.len().saturating_sub(NAMED);
        self.unknown.into_iter().take(NAMED).for_each(|what| comparison.not_compared(what));
        if more > 0 {
            comparison.not_compared(format!("{more} more listeners"));
        }
    }
}

/// What becomes of a listener that is to take the place of the one in force; None where it is none such.
fn coming(listener: &Listener) -> Option<String> {
    match listener.state {
        ListenerState::Warming => Some("; the listener that takes its place warms".to_owned()),
        ListenerState::Error => {
            Some(format!("; Envoy rejected the listener in its place: {}", listener.error.as_deref().unwrap_or("without a reason")))
        }
        ListenerState::Active | ListenerState::Draining => None,
    }
}

/// The plugins of a chain in their order.
fn plugins(chain: &FilterChain) -> Vec<&PluginId> {
    chain.filters().filter_map(|filter| filter.plugin.as_ref()).map(|plugin| &plugin.id).collect()
}

fn place(plugins: &[&PluginId], plugin: &PluginId) -> Option<usize> {
    plugins.iter().position(|other| *other == plugin)
}

/// The first built-in filter on whose other side a plugin of this phase would be; None where its filter, at a place, is on the right side
/// of all.
fn wrong_side<'f>(filters: &'f [Filter], at: usize, marks: &[Mark], phase: &Phase) -> Option<WrongSide<'f>> {
    let own = marks.iter().position(|mark| matches!(mark, Mark::Phase(other) if other == phase))?;
    filters.iter().enumerate().filter(|(_, filter)| filter.plugin.is_none()).find_map(|(other, filter)| {
        let mark = marks.iter().position(|mark| matches!(mark, Mark::BuiltIn(built_in) if built_in.is(filter)))?;
        ((mark < own) != (other < at)).then_some(WrongSide { built_in: &filter.name, is_before: at < other })
    })
}

/// Adds what is not there yet.
fn add(to: &mut Vec<String>, what: String) {
    if !to.contains(&what) {
        to.push(what);
    }
}
