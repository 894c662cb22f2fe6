//! Ports that an annotation of the pod keeps from its sidecar, where mutual TLS or a plugin is wanted.

use std::collections::{BTreeMap, BTreeSet};

use super::broken::{Broken, broken};
use super::{Facts, Finding, FindingObject, Needs, Rule, Severity, failing};
use crate::analysis::answers::{MtlsEntry, ServiceClients};
use crate::analysis::bypass;
use crate::analysis::mtls::verdict::Reason;
use crate::analysis::naming::first;
use crate::model::capture::{KeptBy, SettingOf};
use crate::model::kind::Kind;
use crate::model::peer_authentication::MtlsMode;
use crate::model::plugin::PluginType;
use crate::model::workload::Pod;

pub(super) const RULE: Rule = Rule {
    code: "port-not-captured",
    severity: Severity::Error,
    title: "An annotation of the pod keeps a Service's port from the sidecar, so neither mutual TLS nor a plugin comes to it.",
    why: "istiod does not know of the annotation: clients send mutual TLS as to every pod with a sidecar, and the application gets it as it \
        comes. No mode, policy or plugin of the sidecar counts for such a port.",
    source: "tools/istio-iptables/pkg/capture/run.go: handleInboundPortsInclude; pkg/kube/inject/validate.go",
    needs: Needs::objects(
        &[Kind::WasmPlugin, Kind::TrafficExtension, Kind::VirtualService],
        &[Kind::Pod, Kind::Service, Kind::PeerAuthentication, Kind::DestinationRule, Kind::Sidecar],
    ),
    check,
};

/// How many ports or plugins are named.
const MOST: usize = 3;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.mtls().workloads.iter().filter_map(|entry| finding(facts, entry)).collect()
}

fn finding(facts: &Facts<'_>, entry: &MtlsEntry) -> Option<Finding> {
    let pod: &Pod = facts.objects().pods.get(&entry.pod)?;
    let mut ports: BTreeMap<u16, (KeptBy<'_>, Vec<&ServiceClients>)> = BTreeMap::new();
    for service in &entry.services {
        if let Some(kept) = pod.kept_from_sidecar(service.target_port) {
            ports.entry(service.target_port).or_insert_with(|| (kept, Vec::new())).1.push(service);
        }
    }
    let (kept, _) = ports.values().next()?;
    let broken: Vec<Broken<'_>> =
        broken(facts).filter(|broken| broken.entry.id == entry.id && broken.client.outcome == Reason::NotCaptured).collect();
    let plugins = passed_by(facts, entry, pod, &ports);
    let strict = entry.ports.iter().find(|port| port.mode == MtlsMode::Strict && port.port.is_some_and(|port| ports.contains_key(&port)));
    let strict =
        strict.map(|port| format!("STRICT{} does not hold there", port.by.as_ref().map(|by| format!(" of {by}")).unwrap_or_default()));
    let severity = match (broken.is_empty(), plugins.is_empty(), &strict) {
        (false, ..) => Severity::Error,
        (_, false, _) => Severity::Warning,
        (.., Some(_)) => Severity::Information,
        _ => return None,
    };
    let follows = [
        (!broken.is_empty()).then(|| "mutual TLS fails there".to_owned()),
        (!plugins.is_empty()).then(|| format!("{} {} none of it", first(&plugins, MOST), if plugins.len() == 1 { "sees" } else { "see" })),
        strict.filter(|_| broken.is_empty()),
    ];
    let follows: Vec<String> = follows.into_iter().flatten().collect();
    let listed = first(&ports.keys().map(u16::to_string).collect::<Vec<_>>(), MOST);
    let noun = if ports.len() == 1 { "port" } else { "ports" };
    let leads = |(port, (_, services)): (&u16, &(KeptBy<'_>, Vec<&ServiceClients>))| {
        let of: Vec<String> =
            services.iter().map(|service| format!("port {} of {} {}", service.port, service.kind.as_str(), service.service)).collect();
        format!("{} leads to port {port}", first(&of, MOST))
    };
    let clients: BTreeSet<_> = broken.iter().flat_map(Broken::clients).collect();
    let value = &kept.setting.value;
    let (annotation, what) = match kept.setting.of {
        SettingOf::Annotation => {
            (format!("Pod {} has traffic.sidecar.istio.io/{}: \"{value}\"", pod.id, kept.name), format!("Annotation {}", kept.name))
        }
        SettingOf::InitContainer => (format!("Pod {}: {kept}", pod.id), format!("Setting {}", kept.name)),
    };
    let lines = broken.iter().map(Broken::line);
    Some(Finding {
        severity,
        evidence: std::iter::once(annotation).chain(ports.iter().map(leads)).chain(lines).chain(failing::shown(facts, &broken)).collect(),
        fix: fix(*kept, &listed, noun),
        proxies: vec![entry.pod.clone()],
        clients: clients.into_iter().map(|client| FindingObject::new(client.kind.as_str(), &client.name)).collect(),
        ..RULE.found(
            FindingObject::new(entry.id.kind.as_str(), &entry.id.name),
            format!("{what} of {} keeps {noun} {listed} from the proxy: {}.", entry.short, follows.join(", and ")),
        )
    })
}

/// The plugins for one of these ports, which see nothing of it.
fn passed_by(facts: &Facts<'_>, entry: &MtlsEntry, pod: &Pod, ports: &BTreeMap<u16, (KeptBy<'_>, Vec<&ServiceClients>)>) -> Vec<String> {
    let speaks_http = |port: u16| entry.ports.iter().any(|known| known.port == Some(port) && matches!(known.protocol, "HTTP" | "AUTO"));
    let is_for = |plugin: &crate::model::plugin::Plugin| {
        ports.iter().any(|(port, (_, services))| {
            let lets_in = services.iter().any(|service| bypass::lets_in(plugin, *port, service.port, pod, facts.objects()));
            lets_in && (plugin.plugin_type != PluginType::Http || speaks_http(*port))
        })
    };
    let applying = facts.plugins.iter().filter(|plugin| plugin.applies_to(&pod.id) && is_for(plugin.plugin));
    applying.map(|plugin| plugin.plugin.id.to_string()).collect()
}

fn fix(kept: KeptBy<'_>, ports: &str, noun: &str) -> String {
    let way = if kept.name == "includeInboundPorts" { "add" } else { "take" };
    let end = if way == "add" { "to" } else { "out of" };
    format!(
        "{way} {noun} {ports} {end} {} in the pod template; where it is meant, send plain text by a DestinationRule with tls.mode DISABLE",
        kept.name
    )
}
