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
    /// Whether another plugin is in one of its chains.
    others: bool,
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
                    found.unknown("its outbound listeners, which are too many to compare here".to_owned());
                }
                continue;
            }
            let count = outlook.count(&plugin.id, listener);
            if outlook.is_inbound(listener) && !listener.lacks_parts() && plugin.plugin_type != PluginType::Network {
                let predicted = outlook.predicted(&listener.name).map(|wanted| placement::count_in_listener(wanted, &plugin.id));
                let is_wanted = predicted.map_or(plugin.matches.is_empty(), |wanted| wanted > 0);
                let why = count.as_ref().err().filter(|_| is_wanted).map(String::as_str);
                found.lacks.extend(passed::lacks(listener, &plugin.id, why));
            }
            match count {
                _ if listener.lacks_parts() => found.unknown(format!("{}, of which parts could not be read", listener.name)),
                Err(why) if counted > 0 => found.unknown(format!("{}: {why}", listener.name)),
                Err(_) => {}
                Ok(wanted) if wanted != counted => {
                    // What is on its way, or was rejected, has a state of its own.
                    let comes = |other: &Listener| {
                        other.name == listener.name && !matches!(other.state, ListenerState::Active | ListenerState::Draining)
                    };
                    if !dump.listeners.iter().any(comes) {
                        found.counts.push(format!("{}: {counted} chains have it, the objects ask for {wanted}", listener.name));
                    }
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

    fn unknown(&mut self, what: String) {
        if !self.unknown.contains(&what) {
            self.unknown.push(what);
        }
    }

    fn differs(&mut self, what: String) {
        if !self.orders.contains(&what) {
            self.orders.push(what);
        }
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
                self.differs(format!("priority or phase: it runs {is} {other}, the objects put it {should} that"));
            }
        }
        if plugin.plugin_type == PluginType::Network {
            return;
        }
        let filters = counted.http_filters.as_deref().unwrap_or_default();
        let custom = filters.iter().any(|filter| filter.name.ends_with(".ext_authz"));
        let marks = order::ruler(FilterList::Http, direction, outlook.facts.plane.version, custom);
        let shown = match wrong_side(filters, &plugin.id, &marks, &plugin.phase) {
            None => {
                let phases = marks.iter().filter_map(|mark| if let Mark::Phase(phase) = mark { Some(phase) } else { None });
                phases.filter(|phase| **phase != plugin.phase).all(|phase| wrong_side(filters, &plugin.id, &marks, phase).is_some())
            }
            Some((other, is_before)) => {
                let (is, should) = if is_before { ("before", "after") } else { ("after", "before") };
                self.differs(format!("phase: its filter is {is} {other}, {} is {should} that", phase_words(&plugin.phase)));
                true
            }
        };
        self.phase = Some(self.phase.unwrap_or_default() || shown);
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
        match self.phase {
            Some(true) if self.orders.is_empty() => comparison.same("phase"),
            Some(false) if self.orders.is_empty() => {
                comparison.not_compared("its phase, which no filter in its chains distinguishes from another".to_owned());
            }
            _ => {}
        }
        comparison.differs.extend(self.orders);
        let more = self.unknown.len().saturating_sub(NAMED);
        self.unknown.into_iter().take(NAMED).for_each(|what| comparison.not_compared(what));
        if more > 0 {
            comparison.not_compared(format!("{more} more listeners"));
        }
    }
}

/// The plugins of a chain in their order.
fn plugins(chain: &FilterChain) -> Vec<&PluginId> {
    chain.filters().filter_map(|filter| filter.plugin.as_ref()).map(|plugin| &plugin.id).collect()
}

fn place(plugins: &[&PluginId], plugin: &PluginId) -> Option<usize> {
    plugins.iter().position(|other| *other == plugin)
}

/// A built-in filter on whose other side a plugin of this phase would be, and whether the plugin's filter is before it; None where all are
/// on the right side.
fn wrong_side<'f>(filters: &'f [Filter], plugin: &PluginId, marks: &[Mark], phase: &Phase) -> Option<(&'f str, bool)> {
    let own = marks.iter().position(|mark| matches!(mark, Mark::Phase(other) if other == phase))?;
    let at = filters.iter().position(|filter| placement::is_of(filter, plugin))?;
    filters.iter().enumerate().filter(|(_, filter)| filter.plugin.is_none()).find_map(|(other, filter)| {
        let mut of_name = marks
            .iter()
            .enumerate()
            .filter(|(_, mark)| matches!(mark, Mark::BuiltIn(built_in) if built_in.names.contains(&filter.name.as_str())));
        // A name that several built-in filters share shows no side.
        let (mark, None) = (of_name.next()?.0, of_name.next()) else { return None };
        ((mark < own) != (other < at)).then_some((filter.name.as_str(), at < other))
    })
}
