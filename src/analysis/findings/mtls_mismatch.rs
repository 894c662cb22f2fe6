//! Clients that send what the workload does not take, by no DestinationRule, and those that do not accept its certificate: what `mtls` calls
//! broken.

use std::collections::{BTreeMap, BTreeSet};

use super::broken::{Broken, broken};
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, failing};
use crate::analysis::answers::ServiceClients;
use crate::analysis::mtls::client::{Because, TLS_MODE};
use crate::analysis::mtls::verdict::Reason;
use crate::analysis::naming::first;
use crate::model::ids::{ProxyId, WorkloadId};
use crate::model::kind::Kind;

pub(super) const RULE: Rule = Rule {
    code: "mtls-mismatch",
    severity: Severity::Error,
    title: "Clients with a proxy send what the workload's mutual TLS mode does not take, or do not accept its certificate.",
    why: "What auto mutual TLS chooses for the service is not what the port takes: the connection is reset before any request, and no plugin runs.",
    source: "pilot/pkg/xds/endpoints/mtls_checker.go: checkMtlsEnabled; pilot/pkg/networking/core/cluster_tls.go: buildUpstreamTLSSettings; \
        pilot/pkg/networking/core/filterchain_options.go",
    needs: Needs::objects(
        &[Kind::VirtualService, Kind::EnvoyFilter],
        &[Kind::Pod, Kind::Service, Kind::PeerAuthentication, Kind::DestinationRule, Kind::Sidecar],
    ),
    check,
};

/// How many clients are named in the sentence.
const NAMED: usize = 3;

/// How many clients are listed.
const LISTED: usize = 20;

/// Why it matters where the clients do not know the service.
const KEPT: &str = "Their proxies pass on what they get without mutual TLS, or drop it where outboundTrafficPolicy is REGISTRY_ONLY: if these \
    clients send requests to the service all the same, none of them arrives.";

/// Why it matters where the connections go past the client's proxy.
const PAST: &str = "Traffic that is not redirected to the client's proxy goes out as the application sends it, without mutual TLS: if these \
    clients call the service, no filter chain of the server takes the connection.";

/// Why it matters where the clients do not accept the server's certificate.
const UNACCEPTED: &str = "The proxies of these clients close the connection (CERTIFICATE_VERIFY_FAILED): requests get 503 with the flag UF, and \
    no plugin of the server runs.";

/// One finding an object, with all that is broken by it and each way to mend it once.
pub(super) fn by_object<'f>(
    rule: &Rule,
    facts: &Facts<'_>,
    broken: impl Iterator<Item = (Broken<'f>, FindingObject, Severity, String)>,
    what: impl Fn(&Broken<'f>, &FindingObject) -> String,
) -> Vec<Finding> {
    let mut found: BTreeMap<FindingObject, Gathered<'f>> = BTreeMap::new();
    for (broken, object, severity, fix) in broken {
        let new = || Gathered {
            finding: Finding { severity, ..rule.found(object.clone(), what(&broken, &object)) },
            fixes: BTreeSet::new(),
            proxies: BTreeSet::new(),
            clients: BTreeSet::new(),
            broken: Vec::new(),
        };
        let Gathered { finding, fixes, proxies, clients, broken: all } = found.entry(object.clone()).or_insert_with(new);
        finding.severity = finding.severity.min(severity);
        let line = broken.line_beside(&finding.what);
        finding.evidence.push(line);
        fixes.insert(fix);
        proxies.insert(broken.entry.pod.clone());
        clients.extend(broken.clients());
        all.push(broken);
    }
    found.into_values().map(|gathered| gathered.into_finding(facts)).collect()
}

/// What is broken by one object.
struct Gathered<'f> {
    finding: Finding,
    fixes: BTreeSet<String>,
    proxies: BTreeSet<ProxyId>,
    clients: BTreeSet<&'f WorkloadId>,
    broken: Vec<Broken<'f>>,
}

impl Gathered<'_> {
    /// The finding, with the first of the clients by name, and what the access logs show of it.
    fn into_finding(self, facts: &Facts<'_>) -> Finding {
        let Self { mut finding, fixes, proxies, clients, broken } = self;
        let shown = failing::shown(facts, &broken);
        // Requests that fail show that the service is not hidden on purpose.
        if !shown.is_empty() {
            finding.severity = Severity::Error;
        }
        finding.evidence.extend(shown);
        // Services that are hidden on purpose have no clients that fail.
        let fail = finding.severity == Severity::Error && !clients.is_empty();
        let names: Vec<String> = clients.iter().map(|client| format!("{} in {}", client.short(), client.name.namespace)).collect();
        let noun = if names.len() == 1 { "1 client workload fails" } else { &format!("{} client workloads fail", names.len()) };
        let what = if fail { finding.what_with(&format!(": {noun}, {}", first(&names, NAMED))) } else { finding.what };
        Finding {
            what,
            fix: Vec::from_iter(fixes).join("; "),
            proxies: Vec::from_iter(proxies),
            clients: clients.into_iter().take(LISTED).map(|client| FindingObject::new(client.kind.as_str(), &client.name)).collect(),
            ..finding
        }
    }
}

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let is_here = |broken: &Broken<'_>| {
        let Broken { client, .. } = broken;
        client.outcome != Reason::NotCaptured
            && client.cause.decider().is_none()
            && client.san.is_none()
            && broken.mistake().is_none()
            && !matches!(client.cause, Because::PastProxy(_))
    };
    let of_no_rule = broken(facts).filter(is_here).map(|broken| {
        let Broken { service, client, .. } = broken;
        let object = match &client.cause {
            Because::ClusterRemoved(patch) => FindingObject::new(Kind::EnvoyFilter.as_str(), &patch.envoy_filter),
            _ => object_of(service),
        };
        (broken, object, severity(&client.cause), fix(&client.cause, &service.host))
    });
    let found = by_object(&RULE, facts, of_no_rule, |Broken { entry, client, service }, object| match client.outcome {
        Reason::Blackholed => format!("{object} is hidden from clients, whose proxies drop what is sent to it."),
        Reason::ClusterRemoved => format!("{object} takes the cluster of {} away from clients, so they send nothing to it.", service.host),
        _ => format!("Clients of {object} send {}, which {} {} does not take.", client.sends, entry.workload_kind, entry.workload),
    });
    let kept = |finding: Finding| if finding.severity == Severity::Information { Finding { why: KEPT, ..finding } } else { finding };
    found.into_iter().map(kept).chain(past_proxy(facts)).chain(unaccepted(facts)).collect()
}

/// Connections that go past the client's proxy, by the service. A port may well be kept from the proxy for what is outside of the mesh.
fn past_proxy(facts: &Facts<'_>) -> impl Iterator<Item = Finding> {
    let of_settings = broken(facts).filter_map(|broken| {
        let Because::PastProxy(past) = &broken.client.cause else { return None };
        let (setting, kept) = (past.setting, past.kept.as_deref()?);
        let change =
            if setting.starts_with("include") { format!("add {kept} to {setting}") } else { format!("take {kept} out of {setting}") };
        let fix = format!("{change} of the clients' pods, so that their proxies send mutual TLS");
        Some((broken, object_of(broken.service), Severity::Information, fix))
    });
    let found = by_object(&RULE, facts, of_settings, |Broken { entry, client, .. }, object| {
        format!(
            "Clients of {object} send {}, which {} {} does not take, since {}.",
            client.sends, entry.workload_kind, entry.workload, client.because
        )
    });
    found.into_iter().map(|finding| Finding { why: PAST, ..finding })
}

/// Certificates that clients do not accept, by the object that lists the names.
fn unaccepted(facts: &Facts<'_>) -> impl Iterator<Item = Finding> {
    let of_names = broken(facts).filter_map(|broken| {
        let Broken { client, service, .. } = broken;
        let san = client.san.as_ref()?;
        let (object, field) = match client.cause.decider() {
            Some(decider) => {
                (FindingObject::new(Kind::DestinationRule.as_str(), &decider.rule), format!("{}.subjectAltNames", decider.field))
            }
            None => (object_of(service), "spec.subjectAltNames".to_owned()),
        };
        let fix = format!("write {} into {field} of {object}, or leave {field} out", san.rejected.join(" and "));
        Some((broken, object, RULE.severity, fix))
    });
    let found = by_object(&RULE, facts, of_names, |Broken { entry, client, .. }, _| {
        let san = client.san.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("Clients do not accept the certificate of {} {}: {san}.", entry.workload_kind, entry.workload)
    });
    found.into_iter().map(|finding| Finding { why: UNACCEPTED, ..finding })
}

fn object_of(service: &ServiceClients) -> FindingObject {
    let (namespace, name) = service.service.split_once('/').unwrap_or(("", &service.service));
    FindingObject { kind: service.kind.as_str(), namespace: namespace.to_owned(), name: name.to_owned() }
}

/// A service that is kept from clients, by exportTo or a Sidecar, may well be kept from them on purpose.
fn severity(cause: &Because) -> Severity {
    if matches!(cause, Because::Hidden(_)) { Severity::Information } else { RULE.severity }
}

fn fix(cause: &Because, host: &str) -> String {
    match cause {
        Because::AutoHeadless => format!(
            "let the port take mutual TLS (PERMISSIVE, STRICT), or send plain text to it by a DestinationRule for {host} with tls.mode DISABLE"
        ),
        Because::NoTlsLabel | Because::HeadlessNoTlsLabel(_) => {
            format!("restart the pods that have a proxy, so that injection sets label {TLS_MODE}=istio, or set it in their pod template")
        }
        Because::AutoMtlsOff => format!("set meshConfig.enableAutoMtls to true, or tls.mode ISTIO_MUTUAL by a DestinationRule for {host}"),
        Because::ClusterRemoved(_) => "delete the patch of the cluster, or narrow its match".to_owned(),
        Because::Hidden(_) => {
            "if these clients are to reach it, export the service to their namespace (exportTo), and import it in their Sidecar (egress)"
                .to_owned()
        }
        _ => format!("set tls.mode ISTIO_MUTUAL by a DestinationRule for {host}, or let the workload take what is sent (PERMISSIVE)"),
    }
}
