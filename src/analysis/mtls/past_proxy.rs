//! Connections that do not pass the client's own proxy, so that they are plain text: what a setting of the pod keeps from it
//! (`tools/istio-iptables/pkg/capture/run.go: Run`).

use std::fmt;

use crate::analysis::chains::Facts;
use crate::analysis::cidr;
use crate::analysis::targets::ServiceTarget;
use crate::model::capture::KeptBy;
use crate::model::service::{Resolution, Service};
use crate::model::workload::{Pod, ProxyKind};

/// That connections to a service go past the client's proxy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PastProxy {
    /// The setting of the client's pod, by name: `excludeOutboundPorts`.
    pub setting: &'static str,
    /// What it keeps from the proxy: `port 8000`, `10.96.1.5`; None where a part of the connections may pass it.
    pub kept: Option<String>,
    /// The setting with its value.
    words: String,
}

impl PastProxy {
    /// None where all connections to a service pass the proxies of such clients. `pods` are the server's, which are called one by one where the
    /// service has no address.
    pub fn of(client: &Facts<'_>, target: &ServiceTarget<'_>, pods: &[&Pod]) -> Option<Self> {
        let outbound = client.pod.proxy.as_ref().filter(|_| client.kind == ProxyKind::Sidecar).map(|proxy| &proxy.capture.outbound)?;
        if !client.intercepts {
            return Some(Self { setting: "interceptionMode", kept: None, words: "interception mode NONE".to_owned() });
        }
        let port = target.port.port;
        let addresses = addresses(target.service, pods);
        let of_address = |address: &String| outbound.keeps(port, |ranges| cidr::any_holds(ranges, address));
        let kept: Vec<Option<KeptBy<'_>>> = match &addresses {
            Some(addresses) => addresses.iter().map(of_address).collect(),
            // An address that is not known is in a range or is not.
            None => [true, false].map(|held| outbound.keeps(port, |_| held)).to_vec(),
        };
        let by = kept.iter().flatten().next()?;
        let what = match addresses {
            _ if by.name == "excludeOutboundPorts" => format!("port {port}"),
            Some(addresses) => addresses.join(" and "),
            None => target.service.name.to_string(),
        };
        let all = kept.iter().all(Option::is_some);
        Some(Self { setting: by.name, kept: all.then_some(what), words: by.to_string() })
    }
}

/// Where clients reach a service; None where that is not known, or is a range.
fn addresses(service: &Service, pods: &[&Pod]) -> Option<Vec<String>> {
    let known = match service.resolution {
        Resolution::Passthrough if service.addresses.is_empty() => pods.iter().flat_map(|pod| pod.ips.clone()).collect(),
        _ => service.addresses.clone(),
    };
    (!known.is_empty() && known.iter().all(|address| !address.contains('/'))).then_some(known)
}

impl fmt::Display for PastProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kept {
            Some(kept) => write!(f, "{} keeps {kept} from the client's proxy", self.words),
            None => write!(f, "{} may keep these connections from the client's proxy", self.words),
        }
    }
}
