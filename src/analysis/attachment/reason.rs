//! Why a plugin applies to a proxy, or the first rule that kept it from it.

use super::injection::NoProxy;
use super::waypoint::NotServed;
use crate::model::ids::ObjectName;
use crate::model::labels::Selector;
use crate::model::plugin::TargetRef;

/// Why a plugin applies to a proxy, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// All labels of the selector are on the pod. The namespace is the root namespace where the plugin reaches the pod from there.
    Selector(Selector, Reach),
    /// The plugin has no selector, so it applies to all that its namespace reaches.
    NoSelector(Reach),
    /// The plugin's selector names no label, which is as good as none.
    EmptySelector(Reach),
    /// One of its targetRefs is this gateway or waypoint, its class, or a service of the waypoint.
    Target(TargetRef),
    /// The pod has no proxy.
    NoProxy(NoProxy),
    /// ztunnel is no Envoy.
    Ztunnel,
    /// The istiod of this proxy does not use the object at all.
    Unused(Unused),
    /// The plugin's namespace is neither the pod's nor the root namespace.
    OtherNamespace {
        /// The plugin's namespace.
        plugin: String,
        /// The pod's namespace.
        pod: String,
    },
    /// A plugin with targetRefs never reaches a proxy that no Gateway object made.
    TargetsOnly,
    /// A waypoint ignores plugins without targetRefs.
    WaypointNeedsTarget,
    /// The istiod is set to ignore selectors for gateways that a Gateway object made (`ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY`).
    GatewayNeedsTarget,
    /// Labels that the selector wants and the pod has otherwise, or not at all.
    LabelsDiffer(Selector, Vec<LabelDifference>),
    /// The selector wants labels that istiod itself gives to a proxy, so the pod does not show what they are.
    TopologyLabels(Selector, Vec<String>),
    /// None of the targetRefs is this gateway or waypoint.
    OtherTarget(Vec<TargetMiss>),
    /// It applies to the proxy, but `match` keeps it out of every chain there.
    ExcludesEveryChain(Exclusion),
}

/// From which namespace a plugin reaches a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Its own, which is the proxy's.
    Own(String),
    /// The mesh's root namespace, which reaches all.
    Root(String),
}

/// A label that a selector wants, and what the pod has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelDifference {
    /// The label.
    pub key: String,
    /// What the selector wants.
    pub wanted: String,
    /// What the pod has; None where it lacks the label.
    pub has: Option<String>,
}

/// Why an istiod does not use an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unused {
    /// No istiod before 1.30 knows TrafficExtensions.
    UnknownKind,
    /// No `discoverySelectors` item matches the labels of the object's namespace.
    Undiscovered(String),
    /// The object's label `istio.io/rev` names another revision (`pkg/config/model.go: LabelsInRevision`).
    OtherRevision {
        /// The revision that it names.
        wants: String,
        /// The revision of the proxy's istiod.
        istiod: String,
        /// Whether an istiod of the revision that it names runs; a tag is none.
        runs: bool,
    },
    /// It holds what istiod cannot decode, so it goes on with what it had before.
    Undecodable(String),
    /// `url` is not set.
    NoUrl,
    /// Go's `net/url` refuses `url`, for this reason.
    BadUrl(&'static str),
    /// Neither `wasm` nor `lua` is set.
    NothingToRun,
    /// `lua.inlineCode` is empty.
    EmptyLua,
    /// `lua.inlineCode` has more than 65536 bytes.
    LongLua(usize),
}

/// A targetRef, and why it is not this gateway or waypoint: every condition that fails, the first one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetMiss {
    /// The reference.
    pub target: TargetRef,
    /// What fails; never empty.
    pub why: Vec<RefMiss>,
}

/// One condition of a targetRef that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefMiss {
    /// No such kind can be targeted.
    UnknownKind,
    /// The istiod is too old for this kind of target.
    TooNew,
    /// The kind is of another API group.
    Group {
        /// The kind's own group; empty is the core group.
        wanted: &'static str,
    },
    /// Only a waypoint serves Services and ServiceEntries, and is of a GatewayClass in this sense.
    NotWaypoint,
    /// The plugin stands in another namespace than the Gateway.
    PluginNamespace {
        /// The Gateway's namespace.
        gateway: String,
        /// The plugin's.
        plugin: String,
    },
    /// The reference names a namespace that is not the Gateway's.
    RefNamespace(String),
    /// It names another Gateway.
    OtherGateway {
        /// The Gateway of this proxy.
        gateway: String,
    },
    /// Of all GatewayClasses only `istio-waypoint` counts.
    OtherClass,
    /// A GatewayClass counts only for plugins in the root namespace.
    NotRoot {
        /// The root namespace.
        root: String,
    },
    /// There is no such service in the namespace that it would have to stand in.
    NoService {
        /// Where it is looked for.
        namespace: String,
        /// Services of this kind and name elsewhere.
        elsewhere: Vec<ObjectName>,
    },
    /// The service does not use this waypoint.
    NotServed {
        /// The waypoint.
        waypoint: ObjectName,
        /// Why it does not.
        why: NotServed,
    },
}

/// What of `match` excludes every chain of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exclusion {
    /// `spec.match` in a few words.
    pub matches: String,
    /// Ports that it names as a Service declares them, with the container port that istiod compares instead.
    pub service_ports: Vec<(u16, u16)>,
}
