//! A VirtualService with a route to a subset, host or port that nothing defines, or for a Gateway that does not exist. Where requests fail by it,
//! `requests-fail` reports it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::chains::gateway_name;
use crate::analysis::naming::first;
use crate::analysis::requests::blame;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::{Policy, PolicySpec};
use crate::model::requests::Cause;

/// How many routes, hosts and Gateways are named.
const NAMED: usize = 3;

const KIND: Kind = Kind::VirtualService;

pub(super) const RULE: Rule = Rule {
    code: "reference-not-found",
    severity: Severity::Warning,
    title: "A VirtualService refers to a subset, host, port or Gateway that does not exist.",
    why: "A request that takes such a route is answered with 503 (NC), and routes for a Gateway that does not exist are in no proxy.",
    source: "pilot/pkg/networking/core/route/route.go: GetDestinationCluster; pilot/pkg/networking/core/gateway.go: buildGatewayHTTPRouteConfig",
    needs: Needs::objects(
        &[KIND],
        &[Kind::Pod, Kind::Service, Kind::ServiceEntry, Kind::DestinationRule, Kind::IstioGateway, Kind::Sidecar],
    ),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    if facts.objects().policies_of(KIND).next().is_none() {
        return Vec::new();
    }
    dead_routes(facts).into_iter().chain(missing_gateways(facts)).collect()
}

fn dead_routes(facts: &Facts<'_>) -> Vec<Finding> {
    let no_cluster = facts.unexplained().iter().filter(|failing| failing.cause() == Cause::NoCluster);
    let blames = no_cluster.map(|failing| blame(facts.mesh(), failing.pod, failing.group));
    let blamed: BTreeSet<ObjectName> = blames.filter_map(|blame| Some(blame.object?.1)).collect();
    let mut found: BTreeMap<ObjectName, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for dead in facts.mesh().all_dead_routes() {
        if facts.is_own(&dead.name.namespace) && !blamed.contains(&dead.name) {
            let (words, hosts) = found.entry(dead.name).or_default();
            words.insert(dead.words);
            hosts.extend(dead.hosts);
        }
    }
    let finding = |(name, (words, hosts)): (ObjectName, (BTreeSet<String>, BTreeSet<String>))| {
        let object = FindingObject::new(KIND.as_str(), &name);
        let words = first(&Vec::from_iter(words), NAMED);
        Finding {
            evidence: vec![format!("it is for requests to {}", first(&Vec::from_iter(hosts), NAMED))],
            fix: format!("define what it routes to, or change the route of {object}"),
            ..RULE.found(object.clone(), format!("{object} {words}."))
        }
    };
    found.into_iter().map(finding).collect()
}

/// VirtualServices for Gateways that do not exist, by `spec.gateways`.
fn missing_gateways(facts: &Facts<'_>) -> Vec<Finding> {
    let gateways = &facts.objects().policies;
    let of = |name: &ObjectName, all: &[String]| -> Vec<String> {
        let named = all.iter().filter(|gateway| *gateway != "mesh").map(|gateway| gateway_name(gateway, &name.namespace));
        named.filter(|gateway| !gateways.contains_key(&(Kind::IstioGateway, gateway.clone()))).map(|gateway| gateway.to_string()).collect()
    };
    let own = facts.objects().policies_of(KIND).filter(|policy| facts.is_own(&policy.name.namespace));
    let finding = |policy: &Policy| {
        let PolicySpec::VirtualService(routes) = &policy.spec else { return None };
        let missing = of(&policy.name, &routes.gateways);
        let object = FindingObject::new(KIND.as_str(), &policy.name);
        let (names, verb) = (first(&missing, NAMED), if missing.len() == 1 { "does" } else { "do" });
        let plural = if missing.len() == 1 { "" } else { "s" };
        (!missing.is_empty()).then(|| Finding {
            evidence: vec![format!("spec.gateways: {}", first(&routes.gateways, NAMED))],
            fix: format!("correct gateways of {object}, or create Gateway{plural} {names}"),
            ..RULE.found(object.clone(), format!("{object} is for Gateway{plural} {names}, which {verb} not exist."))
        })
    };
    own.filter_map(finding).collect()
}
