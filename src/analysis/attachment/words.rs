//! The reasons in words.

use std::fmt;

use super::injection::NoProxy;
use super::reason::{Exclusion, LabelDifference, Reach, Reason, RefMiss, TargetMiss, Unused};
use super::waypoint::NotServed;

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(namespace) => write!(f, "namespace {namespace}"),
            Self::Root(namespace) => write!(f, "the whole mesh, since {namespace} is the root namespace"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Selector(selector, reach) => {
                write!(f, "selector {} matches the pod's labels", selector.text())?;
                if let Reach::Root(namespace) = reach { write!(f, "; root namespace {namespace} reaches the whole mesh") } else { Ok(()) }
            }
            Self::EmptySelector(reach) => write!(f, "the selector is empty, so it applies to {reach}"),
            Self::NoSelector(reach) => write!(f, "no selector, so it applies to {reach}"),
            Self::Target(target) => write!(f, "targetRef {target}"),
            Self::LabelsDiffer(selector, differences) => {
                write!(f, "selector wants {}, the pod has {}", selector.text(), joined(differences))
            }
            Self::TopologyLabels(_, keys) => {
                write!(
                    f,
                    "selector wants {}, which istiod itself adds to a proxy, so the pod does not show whether it is met",
                    keys.join(", ")
                )
            }
            Self::OtherNamespace { plugin, pod } => {
                write!(f, "the plugin is in namespace {plugin}, the workload in {pod}; only the root namespace reaches others")
            }
            Self::TargetsOnly => {
                f.write_str("the plugin has targetRefs, which reach only gateways and waypoints that a Gateway object made")
            }
            Self::WaypointNeedsTarget => f.write_str("a waypoint takes only plugins with targetRefs; selectors do not reach it"),
            Self::GatewayNeedsTarget => f.write_str(
                "istiod is set to ignore selectors for gateways that a Gateway object made, so it takes only plugins with targetRefs",
            ),
            Self::OtherTarget(misses) => {
                let names: Vec<String> = misses.iter().map(TargetMiss::to_string).collect();
                f.write_str(&names.join("; "))
            }
            Self::Unused(why) => write!(f, "istiod does not use the object: {why}"),
            Self::NoProxy(NoProxy::Unknown) => f.write_str("the pod has no proxy"),
            Self::NoProxy(why) => write!(f, "the pod has no proxy: {why}"),
            Self::Ztunnel => f.write_str("Wasm never runs in ztunnel, which is no Envoy"),
            Self::ExcludesEveryChain(exclusion) => write!(f, "it applies, but {exclusion}"),
        }
    }
}

fn joined(differences: &[LabelDifference]) -> String {
    differences.iter().map(LabelDifference::to_string).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for LabelDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.has {
            Some(has) => write!(f, "{}={has}", self.key),
            None => write!(f, "no label {}", self.key),
        }
    }
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind => f.write_str("TrafficExtensions are known from Istio 1.30 on"),
            Self::Undiscovered(namespace) => {
                write!(f, "no discoverySelectors item of the mesh configuration matches namespace {namespace}")
            }
            Self::OtherRevision { wants, istiod, runs } => {
                write!(f, "its label istio.io/rev is {wants}, and the istiod of this proxy is of revision {istiod}")?;
                if *runs { Ok(()) } else { write!(f, "; no istiod of revision {wants} runs, and a tag does not count here") }
            }
            Self::Undecodable(what) => write!(f, "{what}; it cannot decode that, and goes on with what it had before"),
            Self::NoUrl => f.write_str("url is not set"),
            Self::BadUrl(why) => write!(f, "url is no URL ({why})"),
            Self::NothingToRun => f.write_str("neither wasm nor lua is set"),
            Self::EmptyLua => f.write_str("lua.inlineCode is empty"),
            Self::LongLua(bytes) => write!(f, "lua.inlineCode has {bytes} bytes, more than 65536"),
        }
    }
}

impl fmt::Display for NoProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SystemNamespace(namespace) => write!(f, "namespace {namespace} is never injected"),
            Self::OfIstio => f.write_str("it is a part of Istio itself"),
            Self::HostNetwork => f.write_str("it uses the node's network (hostNetwork), and such pods are never injected"),
            Self::Ambient => f.write_str("ambient captures its traffic, and plugins run only in a waypoint then"),
            Self::OptedOut => f.write_str("its own sidecar.istio.io/inject is false"),
            Self::NamespaceOff { namespace, value } => write!(f, "label istio-injection of namespace {namespace} is {value}"),
            Self::NotAsked { namespace } => {
                write!(f, "namespace {namespace} has neither label istio-injection nor istio.io/rev, and the pod asks for none itself")
            }
            Self::NoSuchRevision(revision) => write!(f, "it asks for revision {revision}, of which no istiod runs"),
            Self::NotInjected => f.write_str("a sidecar is asked for, but the pod is older than that, or injection failed"),
            Self::Unknown => Ok(()),
        }
    }
}

impl fmt::Display for TargetMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.why.first() else { return write!(f, "targetRef {}", self.target) };
        write!(f, "targetRef {}: {first}", self.target)
    }
}

impl fmt::Display for RefMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind => f.write_str("only Gateway, Service, ServiceEntry and GatewayClass can be targeted"),
            Self::TooNew => f.write_str("the istiod of this proxy is too old for such a target"),
            Self::Group { wanted: "" } => f.write_str("its group must be empty"),
            Self::Group { wanted } => write!(f, "its group must be {wanted}"),
            Self::NotWaypoint => f.write_str("only a waypoint can be reached by it, and this is none"),
            Self::PluginNamespace { gateway, plugin } => write!(f, "the Gateway is in namespace {gateway}, the plugin in {plugin}"),
            Self::RefNamespace(namespace) => write!(f, "it names namespace {namespace}, and other namespaces cannot be targeted"),
            Self::OtherGateway { gateway } => write!(f, "this is {gateway}"),
            Self::OtherClass => f.write_str("of all classes only istio-waypoint can be targeted"),
            Self::NotRoot { root } => write!(f, "a class is targeted from the root namespace {root} alone"),
            Self::NoService { namespace, elsewhere } => match elsewhere.first() {
                None => write!(f, "there is none in namespace {namespace}"),
                Some(other) => write!(f, "there is none in namespace {namespace}, but one in {}", other.namespace),
            },
            Self::NotServed { waypoint, why } => write!(f, "waypoint {} does not serve it: {why}", waypoint.name),
        }
    }
}

impl fmt::Display for NotServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLabel => f.write_str("neither it nor its namespace has label istio.io/use-waypoint"),
            Self::OptedOut => f.write_str("its label istio.io/use-waypoint is none"),
            Self::OtherWaypoint { names, of_namespace: true } => write!(f, "its namespace's label istio.io/use-waypoint leads to {names}"),
            Self::OtherWaypoint { names, of_namespace: false } => write!(f, "its label istio.io/use-waypoint leads to {names}"),
            Self::NotForServices(value) => write!(f, "label istio.io/waypoint-for of the Gateway is {value}"),
            Self::NamespaceNotAllowed => f.write_str("the Gateway takes no routes from its namespace"),
            Self::ExternalName => f.write_str("it is of type ExternalName"),
            Self::Undiscovered => f.write_str("no item of discoverySelectors matches its namespace, so istiod does not see it"),
            Self::OfWaypoint => f.write_str("it is the Service of a waypoint itself"),
            Self::OtherChain => f.write_str("the chain is another service's"),
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "match {} keeps it out of every chain", self.matches)?;
        for (service, container) in &self.service_ports {
            write!(f, "; port {service} is a service's, and match compares the container port {container} that it leads to")?;
        }
        Ok(())
    }
}
