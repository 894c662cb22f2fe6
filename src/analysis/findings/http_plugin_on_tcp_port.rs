//! An HTTP plugin on workloads whose ports are TCP to istiod, so that requests pass it by.

use super::{Facts, Finding, Needs, PLUGINS, PluginFacts, Rule, Severity, once_each};
use crate::analysis::bypass::{self, Bypass, Why};
use crate::analysis::lookup;
use crate::analysis::naming::first;
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::plugin::Plugin;

pub(super) const RULE: Rule = Rule {
    code: "http-plugin-on-tcp-port",
    severity: Severity::Warning,
    title: "The ports of the workload are TCP by their names or appProtocol, so requests pass the HTTP plugin by.",
    why: "istiod gives a TCP port chains without an HttpConnectionManager, where no HTTP filter has a place: the plugin is in the chains of \
        other ports alone. A port is HTTP by its name (http, http2, grpc) or appProtocol; without either, each connection is looked at.",
    source: "pkg/config/kube/conversion.go: ConvertProtocol; pilot/pkg/networking/core/listener_inbound.go: buildInboundListeners",
    needs: Needs::objects(PLUGINS, &[Kind::Pod, Kind::Service, Kind::ServiceEntry, Kind::Sidecar]),
    check,
};

/// How many ports are named in the sentence.
const MOST: usize = 3;

fn check(facts: &Facts<'_>) -> Vec<Finding> {
    facts.plugins.iter().filter_map(|plugin| finding(facts, plugin)).collect()
}

fn finding(facts: &Facts<'_>, PluginFacts { plugin, applies }: &PluginFacts<'_>) -> Option<Finding> {
    let mut found: Vec<(&ProxyId, Bypass<'_>)> = Vec::new();
    for pod in applies.iter().filter(|pod| facts.sees(&plugin.id.name.namespace) && pod.phase != "Succeeded") {
        let bypasses = bypass::of_all_ports(plugin, pod, facts.objects());
        found.extend(bypasses.into_iter().filter(|bypass| matches!(bypass.why, Why::NotHttp { .. })).map(|bypass| (&pod.id, bypass)));
    }
    let listed = |text: fn(&Bypass<'_>) -> String| {
        let mut all: Vec<String> = found.iter().map(|(_, bypass)| text(bypass)).collect();
        all.sort();
        all.dedup();
        all
    };
    let ports = listed(|bypass| bypass.to_string());
    if ports.is_empty() {
        return None;
    }
    let mut proxies: Vec<ProxyId> = found.iter().map(|(proxy, _)| (*proxy).clone()).collect();
    proxies.dedup();
    let id = &plugin.id;
    let whom = |proxy: &&ProxyId| lookup::owner(facts.snapshot, proxy).map_or_else(|| proxy.to_string(), |owner| owner.short());
    Some(Finding {
        severity: if is_meant(plugin) { RULE.severity } else { Severity::Information },
        evidence: once_each(found.iter().map(|(proxy, bypass)| (whom(proxy), bypass.to_string()))),
        fix: listed(fix).join("; "),
        proxies,
        ..RULE.of_plugin(id, format!("{}, so HTTP plugin {id} handles no request to it.", first(&ports, MOST)))
    })
}

/// Whether the plugin's object names these workloads or ports. One for all of a namespace may well reach some that are no HTTP.
fn is_meant(plugin: &Plugin) -> bool {
    plugin.selects_workloads() || plugin.matches.iter().any(|item| !item.ports.is_empty())
}

fn fix(bypass: &Bypass<'_>) -> String {
    let port = &bypass.port;
    match bypass.why {
        Why::NotHttp { ingress: true, .. } => format!("if the application speaks HTTP there, set the protocol of {port} to HTTP"),
        Why::NotHttp { tls: true, .. } => {
            format!("let the application speak plain HTTP there, and name {port} http: mutual TLS is the proxies' work")
        }
        _ => format!("if the application speaks HTTP there, name {port} http (or http-…), or set its appProtocol to http"),
    }
}
