//! What of a pod's traffic is redirected to its sidecar. istiod does not know of it: it sends the proxy the chains and clusters of every port
//! (`tools/istio-iptables/pkg/capture/run.go`).

use std::fmt;

/// The settings of a pod that differ from Istio's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// `includeInboundPorts`; None is `*`, empty no port at all.
    pub include_ports: Option<Setting>,
    /// `excludeInboundPorts`, which counts only where all others are included.
    pub exclude_ports: Option<Setting>,
    /// Those of connections to others.
    pub outbound: OutboundCapture,
}

/// The settings for connections to others, in the order in which the rules count.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutboundCapture {
    /// `excludeOutboundPorts`.
    pub exclude_ports: Option<Setting>,
    /// `excludeOutboundIPRanges`.
    pub exclude_ranges: Option<Setting>,
    /// `includeOutboundPorts`: these are redirected wherever they lead.
    pub include_ports: Option<Setting>,
    /// `includeOutboundIPRanges`; None is `*`, empty no range at all.
    pub include_ranges: Option<Setting>,
}

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    /// A list, as it is written.
    pub value: String,
    /// Where.
    pub of: SettingOf,
}

/// Where a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingOf {
    /// An annotation of the pod.
    Annotation,
    /// The arguments of its init container alone, into which injection writes the mesh's defaults (`values.global.proxy`).
    InitContainer,
}

/// The setting that keeps traffic from a sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeptBy<'p> {
    /// The name of the setting, that of the annotation after `traffic.sidecar.istio.io/`.
    pub name: &'static str,
    /// Its value.
    pub setting: &'p Setting,
}

impl fmt::Display for KeptBy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, setting: Setting { value, of } } = self;
        match of {
            SettingOf::Annotation => write!(f, "annotation {name} (\"{value}\")"),
            SettingOf::InitContainer => write!(f, "{name} (\"{value}\") of its init container"),
        }
    }
}

impl Setting {
    /// Whether the list has a port.
    fn lists(&self, port: u16) -> bool {
        self.value.split(',').any(|item| item.trim().parse() == Ok(port))
    }
}

impl Capture {
    /// What keeps a container port from the sidecar; None where connections to it are redirected.
    pub fn keeps_inbound(&self, port: u16) -> Option<KeptBy<'_>> {
        match &self.include_ports {
            None => {
                let setting = self.exclude_ports.as_ref().filter(|ports| ports.lists(port))?;
                Some(KeptBy { name: "excludeInboundPorts", setting })
            }
            Some(setting) => (!setting.lists(port)).then_some(KeptBy { name: "includeInboundPorts", setting }),
        }
    }
}

impl OutboundCapture {
    /// What keeps connections to a port of an address from the sidecar; None where they are redirected. `holds` says whether a list of ranges
    /// holds the address.
    pub fn keeps(&self, port: u16, holds: impl Fn(&str) -> bool) -> Option<KeptBy<'_>> {
        let Self { exclude_ports, exclude_ranges, include_ports, include_ranges } = self;
        if let Some(setting) = exclude_ports.as_ref().filter(|ports| ports.lists(port)) {
            return Some(KeptBy { name: "excludeOutboundPorts", setting });
        }
        if let Some(setting) = exclude_ranges.as_ref().filter(|ranges| holds(&ranges.value)) {
            return Some(KeptBy { name: "excludeOutboundIPRanges", setting });
        }
        let included = include_ports.as_ref().is_some_and(|ports| ports.lists(port));
        let setting = include_ranges.as_ref().filter(|ranges| !included && !holds(&ranges.value))?;
        Some(KeptBy { name: "includeOutboundIPRanges", setting })
    }
}
