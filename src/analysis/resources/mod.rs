//! Clusters, routes and endpoints as istiod would send them, beside those that the proxy has: setting by setting, without what differs
//! in writing alone.

mod endpoints;

use std::collections::BTreeMap;

use super::settings::{Changes, canonical};
use crate::model::resources::{Comparison, Comparisons, Resource, ResourceDifference, ResourceType, Resources};

/// How many differences of one type are told.
const MOST: usize = 500;

/// Compares type by type. A type that one of the two dumps does not hold is not compared, which is said.
pub fn compare(istiod: &Resources, proxy: &Resources) -> Comparisons {
    let types = ResourceType::ALL.into_iter().map(|of| {
        let lacking = |whose: &str| Err(format!("{whose} dump holds no {}", of.plural()));
        let compared = match (istiod.lists.get(&of), proxy.lists.get(&of)) {
            (None, _) => lacking("istiod's"),
            (_, None) => lacking("the proxy's"),
            (Some(sent), Some(held)) => Ok(of_type(of, sent, held)),
        };
        (of, compared)
    });
    let mut types: Comparisons = types.collect();
    let gaps: Vec<String> = [("istiod", istiod), ("the proxy", proxy)]
        .into_iter()
        .flat_map(|(whose, of)| of.gaps.iter().map(move |gap| format!("in the dump of {whose} {gap}")))
        .collect();
    if let Some(compared) = types.values_mut().find_map(|found| found.as_mut().ok()) {
        compared.notes.extend(gaps);
    }
    types
}

/// The resources by name: those that warm, or the others.
fn by_name(list: &[Resource], warms: bool) -> BTreeMap<&str, &Resource> {
    list.iter().filter(|resource| resource.warms == warms).map(|resource| (resource.name.as_str(), resource)).collect()
}

fn of_type(of: ResourceType, sent: &[Resource], held: &[Resource]) -> Comparison {
    let wanted = by_name(sent, false);
    let (active, warming) = (by_name(held, false), by_name(held, true));
    let mut found = Collected::default();
    for (name, sent) in &wanted {
        match (active.get(name), warming.get(name)) {
            (None, None) => found.add("resource", "istiod", name, format!("the proxy lacks {} {name}, which istiod would send", of.noun())),
            (held, Some(_)) => {
                let why = if held.is_some() { "uses the one before it until then" } else { "does not use it until then" };
                let what = "waits for what it needs, such as its endpoints or a certificate";
                found.add("warming", "both", name, format!("{} {name} has been received and {what}; the proxy {why}", of.noun()));
            }
            (Some(held), None) => found.settings(of, sent, held),
        }
    }
    // Envoy lists the endpoints of all clusters here, and istiod sends those of the ones that are filled by EDS.
    if of != ResourceType::Endpoints {
        for name in active.keys().chain(warming.keys()).filter(|name| !wanted.contains_key(*name)) {
            found.add("resource", "proxy", name, format!("istiod would not send {} {name}, which the proxy has", of.noun()));
        }
    }
    let held = match of {
        ResourceType::Endpoints => active.keys().filter(|name| wanted.contains_key(*name)).count(),
        _ => active.len() + warming.keys().filter(|name| !active.contains_key(*name)).count(),
    };
    let hidden = match found.hidden {
        0 => None,
        1 => Some("1 setting is a secret, of which is not told whether it is the same".to_owned()),
        many => Some(format!("{many} settings are secrets, of which is not told whether they are the same")),
    };
    let untold = (found.untold > 0).then(|| {
        let settings = if found.untold == 1 { "1 setting is".to_owned() } else { format!("{} settings are", found.untold) };
        format!("{settings} written in a way that could not be compared, such as messages of Istio's own types over xDS")
    });
    let Collected { mut differences, left_out, .. } = found;
    differences.sort_by(|one, other| one.resource.cmp(&other.resource));
    Comparison { sent: wanted.len(), held, differences, left_out, notes: hidden.into_iter().chain(untold).collect() }
}

/// What was found of one type.
#[derive(Default)]
struct Collected {
    differences: Vec<ResourceDifference>,
    left_out: usize,
    hidden: usize,
    untold: usize,
}

impl Collected {
    fn add(&mut self, what: &'static str, only: &'static str, name: &str, detail: String) {
        if self.differences.len() < MOST {
            self.differences.push(ResourceDifference { what, only, resource: name.to_owned(), detail });
        } else {
            self.left_out += 1;
        }
    }

    fn settings(&mut self, of: ResourceType, sent: &Resource, held: &Resource) {
        let (Some(sent_body), Some(held_body)) = (canonical(sent.body.as_str()), canonical(held.body.as_str())) else {
            return self.add("settings", "both", &sent.name, format!("{} {} could not be compared: it is no JSON", of.noun(), sent.name));
        };
        let mut changes = Changes::default();
        match of {
            ResourceType::Endpoints => {
                let (wanted, there) = (endpoints::of(&sent_body), endpoints::of(&held_body));
                for (only, detail) in endpoints::missing(&sent.name, &wanted, &there) {
                    self.add("endpoints", only, &sent.name, detail);
                }
                for (address, wanted, there) in endpoints::otherwise(&wanted, &there) {
                    changes.within(address, wanted, there);
                }
            }
            ResourceType::Clusters | ResourceType::Routes => changes.between(&sent_body, &held_body),
        }
        self.hidden += changes.hidden;
        self.untold += changes.untold;
        for change in changes.told() {
            self.add("settings", change.only(), &sent.name, format!("{} {}: {change}", of.noun(), sent.name));
        }
        if let Some(rest) = changes.rest() {
            self.add("settings", "both", &sent.name, format!("{} {}: {rest}", of.noun(), sent.name));
        }
    }
}
