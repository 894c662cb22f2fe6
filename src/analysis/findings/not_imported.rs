//! A Sidecar that does not import what its workloads call, where `REGISTRY_ONLY` drops it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::broken::{Broken, broken};
use super::mtls_mismatch::by_object;
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity};
use crate::analysis::mtls::hidden::{Mistake, MistakeOf};
use crate::analysis::mtls::verdict::Reason;
use crate::analysis::naming::first;
use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::policy::PolicySpec;

/// How many services are named.
const MOST: usize = 3;

pub(super) const RULE: Rule = Rule {
    code: "not-imported",
    severity: Severity::Error,
    title: "A Sidecar does not import the services that its workloads are to reach, and REGISTRY_ONLY drops what is unknown.",
    why: "The clients' proxies have no cluster for the service: HTTP requests are answered with 502 and connections are closed, both in \
        BlackHoleCluster, and nothing reaches the server.",
    source: "pilot/pkg/model/sidecar.go: selectServices; pilot/pkg/networking/core/httproute.go: buildCatchAllVirtualHost",
    needs: Needs::objects(&[Kind::VirtualService], &[Kind::Pod, Kind::Service, Kind::ServiceEntry, Kind::Sidecar]),
    check,
};

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut services: BTreeMap<FindingObject, BTreeSet<&str>> = BTreeMap::new();
    let found = broken(facts).filter_map(|broken| {
        let (Mistake { sidecar, of }, service) = broken.mistake()?;
        broken.clients().next()?;
        let object = FindingObject::new(Kind::Sidecar.as_str(), sidecar);
        let fix = match of {
            MistakeOf::NothingImported => {
                format!("add ./* to egress.hosts of {object}, or write ~/* in their place where its workloads are to call nothing")
            }
            MistakeOf::NoSuchHost(host) => {
                format!("write {}/{} in place of {host} in egress.hosts of {object}", namespace(&broken), broken.service.host)
            }
        };
        services.entry(object.clone()).or_default().insert(service);
        Some((broken, object, RULE.severity, fix))
    });
    let found: Vec<_> = found.collect();
    let what = |_: &Broken<'_>, sidecar: &FindingObject| {
        let services: Vec<String> = services.get(sidecar).into_iter().flatten().map(ToString::to_string).collect();
        format!("{sidecar} does not import {}, and {}.", first(&services, MOST), Reason::Blackholed)
    };
    let found = by_object(&RULE, facts, found.into_iter(), what);
    found
        .into_iter()
        .map(|finding| Finding { evidence: egress(facts, &finding).into_iter().chain(finding.evidence).collect(), ..finding })
        .collect()
}

fn namespace<'b>(broken: &Broken<'b>) -> &'b str {
    broken.service.service.split_once('/').map_or("", |(namespace, _)| namespace)
}

/// `egress.hosts is istio-system/*; outboundTrafficPolicy REGISTRY_ONLY is the Sidecar's own`.
fn egress(facts: &Facts<'_>, finding: &Finding) -> Option<String> {
    let name = ObjectName::new(&finding.object.namespace, &finding.object.name);
    let policy = facts.objects().policies.get(&(Kind::Sidecar, name)).map(Arc::as_ref)?;
    let PolicySpec::Sidecar(sidecar) = &policy.spec else { return None };
    let hosts: Vec<String> = sidecar.egress.iter().flat_map(|egress| egress.hosts.iter().cloned()).collect();
    let whose = if sidecar.outbound_mode.is_empty() { "meshConfig's" } else { "the Sidecar's own" };
    Some(format!("egress.hosts is {}; outboundTrafficPolicy REGISTRY_ONLY is {whose}", first(&hosts, 8)))
}
