//! What is wrong, or may not be what was meant: rules over objects, predictions and dumps, one a file. A rule says what it found,
//! what shows it, why it matters and what to do; what it could not look at is said too.

mod absent;
mod after_custom;
mod before_plugin;
mod behind;
mod broken;
mod chains_differ;
mod connections_refused;
mod destination_rule;
mod digest_mismatch;
mod digest_skew;
mod duplicate_wasm_filter;
mod empty_plugin_name;
mod empty_selector;
mod envoy_filter;
mod facts;
mod fail_open;
mod failing;
mod fetch_error;
mod group;
mod http_plugin_on_tcp_port;
mod ignore;
mod istiods_differ;
mod latest_if_not_present;
mod leftover;
mod match_excludes_all;
mod matches_nothing;
mod missed;
mod mtls_mismatch;
mod near_miss;
mod no_istiod;
mod not_imported;
mod object_not_used;
mod outdated;
mod peer_authentications;
mod pending;
mod permissive;
mod place;
mod port_level_mtls;
mod port_not_captured;
mod priority_tie;
mod proxy_not_connected;
mod pull_secret;
mod reference_not_found;
mod refused_connections;
mod refused_push;
mod removed;
mod requests_fail;
mod rules;
mod same_root_id;
mod selector_ignored;
mod sidecar_not_injected;
mod stale_proxy;
mod states;
mod stub_in_place;
mod together;
mod unchecked;
mod unexpected;
mod unusable_url;
mod version_skew;
mod vm_failed;
mod without_certificate;

use serde::Serialize;

use crate::model::ids::{ObjectName, PluginId, ProxyId};
use crate::model::kind::Kind;

pub use facts::{Facts, PluginFacts, ProxyFacts};
pub use group::grouped;
use group::{NAMED, once_each, proxies};
pub use ignore::Ignore;
pub use place::Place;
pub use rules::RULES;
pub use unchecked::{NotChecked, not_checked};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Something does not work.
    Error,
    /// It may not be what was meant.
    Warning,
    /// Worth to know.
    Information,
}

impl Severity {
    /// The word of JSON and of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Information => "information",
        }
    }
}

/// What is the same of all findings of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its stable name, by which findings are ignored.
    pub code: &'static str,
    /// The highest severity of its findings.
    pub severity: Severity,
    /// What it finds, as one sentence.
    pub title: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// Where it comes from: the place in Istio's or Envoy's source, or what shows it.
    pub source: &'static str,
    needs: Needs,
    check: fn(&Facts<'_>) -> Vec<Finding>,
}

impl Rule {
    /// A finding of this rule, of the rule's severity.
    fn found(&self, object: FindingObject, what: impl Into<String>) -> Finding {
        Finding {
            code: self.code,
            severity: self.severity,
            what: what.into(),
            evidence: Vec::new(),
            why: self.why,
            fix: String::new(),
            object,
            proxies: Vec::new(),
            workloads: Vec::new(),
            clients: Vec::new(),
            place: None,
            plugin: None,
            plugins: Vec::new(),
            id: String::new(),
        }
    }

    /// The same about a plugin.
    fn of_plugin(&self, plugin: &PluginId, what: impl Into<String>) -> Finding {
        Finding { plugin: Some(plugin.clone()), ..self.found(FindingObject::new(plugin.kind.as_str(), &plugin.name), what) }
    }
}

/// What a rule looks at. What of it could not be read is listed with the findings.
#[derive(Clone, Copy, Debug)]
struct Needs {
    /// The proxies' own dumps.
    dumps: bool,
    /// What the istiods say of their proxies.
    sync: bool,
    /// Kinds of objects that it finds something in: those that could not be read are left out.
    some: &'static [Kind],
    /// Kinds of objects that it concludes from the absence of: it finds nothing unless all could be read.
    all: &'static [Kind],
}

const PLUGINS: &[Kind] = &[Kind::WasmPlugin, Kind::TrafficExtension];
const PLUGINS_AND_PODS: &[Kind] = &[Kind::WasmPlugin, Kind::TrafficExtension, Kind::Pod];
const SYNC: Needs = Needs { dumps: false, sync: true, some: &[Kind::Pod], all: &[] };
const DUMPS: Needs = Needs { dumps: true, sync: false, some: &[], all: &[] };

impl Needs {
    const fn objects(some: &'static [Kind], all: &'static [Kind]) -> Self {
        Self { dumps: false, sync: false, some, all }
    }

    /// Whether it looks at a kind of objects.
    fn kind(&self, kind: Kind) -> bool {
        self.some.contains(&kind) || self.all.contains(&kind)
    }

    /// Whether it looks at objects at all.
    fn any_kind(&self) -> bool {
        !self.some.is_empty() || !self.all.is_empty()
    }
}

/// One finding. Its fields are JSON keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The rule's stable name.
    pub code: &'static str,
    /// Its severity.
    pub severity: Severity,
    /// What is so, as one sentence.
    pub what: String,
    /// What shows it, as clauses.
    pub evidence: Vec<String>,
    /// Why it matters.
    pub why: &'static str,
    /// What to do, as one clause.
    pub fix: String,
    /// The object that it is about.
    pub object: FindingObject,
    /// The proxies that it is about, by name; empty where it is about none.
    pub proxies: Vec<ProxyId>,
    /// The workloads of these proxies, by name.
    pub workloads: Vec<FindingObject>,
    /// The first workloads by name whose requests fail, where it is about clients; `what` has their number.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<FindingObject>,
    /// Where in a proxy it can be looked at; None where it is in no listener.
    pub place: Option<Place>,
    /// The plugin that it is about; of several the last that runs, or the last by name.
    #[serde(skip)]
    pub plugin: Option<PluginId>,
    /// All plugins that it is about, where it is about several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<FindingObject>,
    /// What identifies it from run to run, whichever pods there are: the code, the object or the pods' workload, the listener or plugin.
    pub id: String,
}

impl Finding {
    /// Whether the sync status of the proxies shows it.
    pub fn is_of_sync(&self) -> bool {
        self.code == no_istiod::RULE.code || RULES.iter().any(|rule| rule.code == self.code && rule.needs.sync)
    }

    /// Whether what shows it is the access log.
    pub fn is_of_requests(&self) -> bool {
        [requests_fail::RULE.code, connections_refused::RULE.code].contains(&self.code)
    }

    /// Its sentence with a further clause.
    fn what_with(&self, clause: &str) -> String {
        format!("{}{clause}.", self.what.trim_end_matches('.'))
    }

    /// The proxies that it is about, the first ones by name, where its object does not name the only one.
    pub fn said_proxies(&self, most: usize) -> Option<String> {
        if let ("Pod", [_]) | (_, []) = (self.object.kind, &self.proxies[..]) {
            return None;
        }
        let names: Vec<String> = self.proxies.iter().take(most).map(ProxyId::to_string).collect();
        let more = self.proxies.len() - names.len();
        Some(if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") })
    }
}

/// The object that a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct FindingObject {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace; empty for what is in none.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl FindingObject {
    fn new(kind: &'static str, name: &ObjectName) -> Self {
        Self { kind, namespace: name.namespace.clone(), name: name.name.clone() }
    }

    fn pod(proxy: &ProxyId) -> Self {
        Self { kind: "Pod", namespace: proxy.namespace.clone(), name: proxy.pod.clone() }
    }

    /// `wasmplugin/default/helloworld`, which is how `--ignore` takes it too.
    pub fn path(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), ObjectName::new(self.namespace.as_str(), self.name.as_str()))
    }
}

impl std::fmt::Display for FindingObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, ObjectName::new(self.namespace.as_str(), self.name.as_str()))
    }
}

/// What the rules find, the most severe first, of each severity by object, each proxy for itself: see [`grouped`]. A rule that cannot
/// see what it needs finds nothing.
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let able = RULES.iter().filter(|rule| !unchecked::is_blind(rule, facts));
    let mut found: Vec<Finding> = able.flat_map(|rule| (rule.check)(facts)).collect();
    found.iter_mut().for_each(|finding| finding.workloads = group::owners(facts, &finding.proxies));
    found.sort_by(|a, b| (a.severity, &a.object, a.code, &a.what).cmp(&(b.severity, &b.object, b.code, &b.what)));
    found
}
