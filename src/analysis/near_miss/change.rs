//! What would have to change. Each change by itself brings the plugin to the workload that was asked about, and to no other.

use super::LabelLine;
use super::fix::{Edit, Fix, Neighbours};
use super::rule::closest;
use crate::analysis::attachment::injection::NoProxy;
use crate::analysis::attachment::{self, Exclusion, Reason, Unused};
use crate::ingest::workloads::{self, GATEWAY_NAME};
use crate::model::ids::{WorkloadId, WorkloadKind};
use crate::model::inventory::Inventory;
use crate::model::labels::{Labels, Selector};
use crate::model::plugin::{Plugin, TargetRef};
use crate::model::workload::Pod;

/// The API group of Gateways and their classes.
const GATEWAY_GROUP: &str = "gateway.networking.k8s.io";

/// How many fixes are shown.
const MOST: usize = 2;
/// What follows a change by which the first condition holds and others do not.
const REST: &str = ", and mend what else fails";
/// A label that no workload has, for whoever wants to see what one would change.
const NEW_LABEL: &str = "meshscope.invalid/new";

/// What is asked: how to bring the plugin to the workload of the pod.
pub(super) struct Asked<'a, 'o> {
    pub(super) plugin: &'a Plugin,
    pub(super) pod: &'a Pod,
    pub(super) workload: &'a WorkloadId,
    pub(super) objects: &'a Inventory,
    pub(super) neighbours: &'a Neighbours<'o>,
    /// How many conditions fail.
    pub(super) distance: Option<usize>,
}

impl Asked<'_, '_> {
    /// What would bring the plugin to the pod, or into a chain of it; none where nothing could.
    pub(super) fn fixes(&self, reason: &Reason, labels: &[LabelLine]) -> Vec<Fix> {
        // What is for gateways and waypoints is not brought to an application.
        let by_proxy = matches!(reason, Reason::TargetsOnly | Reason::NoProxy(_));
        if by_proxy && self.distance.is_none() {
            return Vec::new();
        }
        let whole = |group: Vec<Fix>| group.into_iter().filter(|fix| self.is_whole(fix)).take(MOST).collect::<Vec<_>>();
        let groups = self.groups(reason, labels).into_iter().map(whole);
        groups.into_iter().find(|group| !group.is_empty()).unwrap_or_default()
    }

    /// Ways in groups, the best first, whether or not they suffice and whom else they would reach.
    fn groups(&self, reason: &Reason, labels: &[LabelLine]) -> Vec<Vec<Fix>> {
        match reason {
            Reason::NoProxy(why) => self.no_proxy(why),
            Reason::Unused(why) => vec![vec![Fix::other(unused(why) + self.rest())]],
            Reason::OtherNamespace { .. } => vec![self.moving(), vec![self.by_new_label()]],
            Reason::TargetsOnly => vec![self.without_targets(), vec![self.by_new_label()]],
            Reason::WaypointNeedsTarget | Reason::GatewayNeedsTarget => {
                vec![vec![self.targeting(self.gateway(), |text| text)]]
            }
            Reason::LabelsDiffer(..) => self.by_labels(labels).into_iter().chain([vec![self.by_new_label()]]).collect(),
            Reason::TopologyLabels(..) => vec![vec![Fix::other("look in the proxy whether its filter is there")]],
            Reason::OtherTarget(misses) => closest(misses).map(|miss| self.target(miss)).unwrap_or_default(),
            Reason::ExcludesEveryChain(exclusion) => vec![vec![Fix::other(excluded(exclusion))]],
            Reason::Ztunnel | Reason::Selector(..) | Reason::NoSelector(_) | Reason::EmptySelector(_) | Reason::Target(_) => Vec::new(),
        }
    }

    fn is_here(&self) -> bool {
        self.plugin.id.name.namespace == self.pod.id.namespace
    }

    /// What else to do where a plugin of another namespace is not looked at.
    pub(super) fn there(&self) -> String {
        if self.is_here() { String::new() } else { format!(", and create the plugin in {}", self.pod.id.namespace) }
    }

    pub(super) fn gateway(&self) -> &str {
        self.pod.labels.get(GATEWAY_NAME).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn template(&self) -> String {
        match self.workload.kind {
            WorkloadKind::Pod => "the pod".to_owned(),
            WorkloadKind::Proxy => "what the proxy's node says of itself".to_owned(),
            kind => format!("the pod template of the {}", kind.as_str()),
        }
    }

    /// A Gateway is targeted from its own namespace.
    pub(super) fn targeting(&self, gateway: &str, text: impl FnOnce(String) -> String) -> Fix {
        self.at_gateway(gateway, text(format!("use targetRefs with group {GATEWAY_GROUP}, kind Gateway, name {gateway}")))
    }

    /// The same in other words, which do not say where the plugin has to be.
    pub(super) fn at_gateway(&self, gateway: &str, text: String) -> Fix {
        let text = text + &self.there();
        let name = gateway.to_owned();
        let target = TargetRef { group: GATEWAY_GROUP.to_owned(), kind: "Gateway".to_owned(), name, namespace: String::new() };
        Fix::plugin(text, self.plugin, |plugin| {
            (plugin.selector, plugin.target_ref, plugin.target_refs) = (None, None, vec![target]);
            plugin.id.name.namespace.clone_from(&self.pod.id.namespace);
        })
    }

    fn no_proxy(&self, why: &NoProxy) -> Vec<Vec<Fix>> {
        let namespace = &self.pod.id.namespace;
        let template = self.template();
        let ask = format!("set label sidecar.istio.io/inject: \"true\" (or istio.io/rev) on {template}, and recreate the pods");
        let first = |text: String| vec![Fix::other(text + self.rest())];
        // A label of the namespace injects all of its pods.
        let whole = |text: String| if self.is_alone_in_namespace() { Some(first(text)) } else { None };
        let text = match why {
            NoProxy::SystemNamespace(_) | NoProxy::OfIstio => return Vec::new(),
            NoProxy::HostNetwork => "take hostNetwork away, and recreate the pods".to_owned(),
            NoProxy::Ambient => {
                let text = "give its service a waypoint (label istio.io/use-waypoint), and target the Service with targetRefs";
                return vec![vec![Fix::other(text.to_owned() + &self.there())]];
            }
            NoProxy::OptedOut => "take sidecar.istio.io/inject: \"false\" away from the pod template, and recreate the pods".to_owned(),
            NoProxy::NamespaceOff { .. } => {
                let text = format!("set label istio-injection=enabled on namespace {namespace}, and recreate the pods");
                return whole(text)
                    .into_iter()
                    .chain([first(format!("take label istio-injection away from namespace {namespace}, and {ask}"))])
                    .collect();
            }
            NoProxy::NotAsked { .. } => {
                let text = format!("set label istio-injection=enabled (or istio.io/rev) on namespace {namespace}, and recreate the pods");
                return whole(text).into_iter().chain([first(ask)]).collect();
            }
            NoProxy::NoSuchRevision(revision) => format!("ask for a revision that runs, or make {revision} a tag of one"),
            NoProxy::NotInjected => "recreate the pods; if that does not help, look at the events of their owner".to_owned(),
            NoProxy::Unknown => "see why it has none: labels of its namespace and pod, or the owner's events".to_owned(),
        };
        vec![first(text)]
    }

    /// What else to do where more conditions fail than the first.
    fn rest(&self) -> &'static str {
        if self.distance > Some(1) { REST } else { "" }
    }

    /// Whether no other workload of the namespace lacks nothing but a proxy.
    fn is_alone_in_namespace(&self) -> bool {
        let lacks_proxy = |pod: &Pod| pod.proxy.is_none() && attachment::distance(self.plugin, pod, self.objects) == Some(1);
        let is_other = |pod: &Pod| workloads::owner_of(self.objects, pod) != *self.workload;
        let mut pods = self.neighbours.in_question(self.plugin, Some(&self.pod.id.namespace));
        !pods.any(|pod| lacks_proxy(pod) && is_other(pod))
    }

    fn moving(&self) -> Vec<Fix> {
        let (namespace, root) = (&self.pod.id.namespace, self.objects.root_namespace());
        let to =
            |text: String, namespace: &str| Fix::plugin(text, self.plugin, |plugin| namespace.clone_into(&mut plugin.id.name.namespace));
        let there = format!("create the plugin in namespace {namespace}");
        let mut found = vec![to(there.clone(), namespace)];
        // A selector of its own is for where its own labels differ, or the plugin would reach others.
        if !self.is_whole(&found[0]) {
            let own = self.own_selector(|plugin| plugin.id.name.namespace.clone_from(namespace));
            found = own.map(|(own, changed)| Fix::changed(format!("{there}, with selector {own}"), changed)).into_iter().collect();
        }
        found.push(to(format!("in the root namespace {root}, which reaches all"), root));
        found
    }

    /// Whether it brings the plugin to the workload, and to no other.
    fn is_whole(&self, fix: &Fix) -> bool {
        match &fix.edit {
            Edit::Plugin(changed) => self.reaches_only(changed),
            Edit::Labels(added) => attachment::attach(self.plugin, &self.labelled(added), self.objects).attached,
            Edit::Both(changed, added) => {
                attachment::attach(changed, &self.labelled(added), self.objects).attached
                    && self.neighbours.adds_only(self.workload, changed, self.plugin)
            }
            Edit::Other => true,
        }
    }

    /// Whether the plugin as it would be applies to the workload, and to no other to which it does not apply yet.
    pub(super) fn reaches_only(&self, changed: &Plugin) -> bool {
        attachment::attach(changed, self.pod, self.objects).attached && self.neighbours.adds_only(self.workload, changed, self.plugin)
    }

    fn labelled(&self, added: &Labels) -> Pod {
        let mut pod = self.pod.clone();
        pod.labels.extend(added.clone());
        pod
    }

    /// For a plugin with targetRefs, which look for a label that only the proxies of a Gateway have.
    fn without_targets(&self) -> Vec<Fix> {
        let namespace = &self.pod.id.namespace;
        let label = attachment::gateway_behind(self.plugin, self.pod, self.objects).map(|behind| {
            let name = behind.gateway.name.clone();
            let set = format!("set label {GATEWAY_NAME}={name} on {}", self.template());
            match behind.class {
                Some(_) => {
                    let Fix { text, edit } = self.targeting(&name, |text| format!("{set}, and {text}"));
                    let label = [(GATEWAY_NAME.to_owned(), name)].into_iter().collect();
                    Fix { text, edit: if let Edit::Plugin(plugin) = edit { Edit::Both(plugin, label) } else { edit } }
                }
                None => Fix::labels(set, [(GATEWAY_NAME.to_owned(), name)]),
            }
        });
        let prepare = |plugin: &mut Plugin| {
            (plugin.target_ref, plugin.target_refs) = (None, Vec::new());
            if plugin.id.name.namespace != self.objects.root_namespace() {
                plugin.id.name.namespace.clone_from(namespace);
            }
        };
        let selector = self.own_selector(prepare).map(|(own, changed)| {
            let is_moved = !self.is_here() && self.plugin.id.name.namespace != self.objects.root_namespace();
            let there = if is_moved { format!(", in a plugin of namespace {namespace}") } else { String::new() };
            Fix::changed(format!("use a selector in the place of targetRefs, such as {own}{there}"), changed)
        });
        label.into_iter().chain(selector).collect()
    }

    /// Where every label of it is another workload's too.
    fn by_new_label(&self) -> Fix {
        let reaches = self.is_here() || self.plugin.id.name.namespace == self.objects.root_namespace();
        let there = if reaches { String::new() } else { format!(" in a plugin of namespace {}", self.pod.id.namespace) };
        let place = if self.plugin.targets().is_empty() { "" } else { " in the place of targetRefs" };
        let label = Labels::from([(NEW_LABEL.to_owned(), self.workload.name.name.clone())]);
        let mut changed = self.plugin.clone();
        (changed.target_ref, changed.target_refs) = (None, Vec::new());
        changed.selector = Some(Selector::of(label.clone()));
        if !reaches {
            changed.id.name.namespace.clone_from(&self.pod.id.namespace);
        }
        let text = format!("set a label on {} that no other workload has, and select by that{place}{there}", self.template());
        Fix { text, edit: Edit::Both(Box::new(changed), label) }
    }
}

fn unused(why: &Unused) -> String {
    match why {
        Unused::UnknownKind => "write it as a WasmPlugin, or upgrade istiod to 1.30".to_owned(),
        Unused::Undiscovered(namespace) => format!("give namespace {namespace} the labels that discoverySelectors ask for"),
        Unused::OtherRevision { istiod, .. } => format!("set label istio.io/rev={istiod} on the plugin, or take the label away"),
        Unused::Undecodable(_) => {
            "correct the field; as long as the object stands there, istiod sees no change to any object of its kind".to_owned()
        }
        Unused::NoUrl => "set url".to_owned(),
        Unused::BadUrl(_) => "write the url with its scheme, as oci://registry:5000/name:tag".to_owned(),
        Unused::NothingToRun => "set wasm or lua".to_owned(),
        Unused::EmptyLua => "set lua.inlineCode".to_owned(),
        Unused::LongLua(_) => "shorten the script to 65536 bytes".to_owned(),
    }
}

fn excluded(exclusion: &Exclusion) -> String {
    match exclusion.service_ports.first() {
        Some((service, container)) => format!("write port {container} in the place of {service}: match compares the container's port"),
        None => "change mode or ports of match".to_owned(),
    }
}
