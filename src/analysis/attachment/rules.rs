//! What the releases of istiod do differently when they attach a plugin
//! (`pilot/pkg/model/policyattachment.go` and `push_context.go` of each).

use crate::analysis::era::Version;
use crate::ingest::workloads::GATEWAY_NAME;
use crate::model::ids::PluginKind;
use crate::model::inventory::Inventory;
use crate::model::labels::{Labels, Selector};
use crate::model::plugin::{Plugin, TargetRef};

/// The label that 1.21 to 1.23 took beside [`GATEWAY_NAME`].
const DEPRECATED_GATEWAY_NAME: &str = "istio.io/gateway-name";

/// The rules of one istiod. Where its version is not known, those of the newest that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The second number of its version; the first has always been 1.
    minor: u32,
}

impl Rules {
    pub(super) fn of(version: Option<Version>) -> Self {
        Self { minor: version.filter(|version| version.major <= 1).map_or(u32::MAX, |version| version.minor) }
    }

    fn since(self, minor: u32) -> bool {
        self.minor >= minor
    }

    /// Whether it knows the kind at all.
    pub(super) fn knows(self, kind: PluginKind) -> bool {
        kind != PluginKind::TrafficExtension || self.since(30)
    }

    /// A plugin without a url is discarded since WasmPlugins are translated into TrafficExtensions.
    pub(super) fn discards_without_url(self) -> bool {
        self.since(30)
    }

    /// `failStrategy` came with 1.20, its third value with 1.27.
    pub(super) fn decodes_fail_strategy(self, word: &str) -> bool {
        word != "FAIL_RELOAD" || self.since(27) || !self.since(20)
    }

    /// Whether it sees the plugins of a namespace.
    pub(super) fn discovers(self, objects: &Inventory, namespace: &str) -> bool {
        Version::new(1, self.minor).discovers(objects, namespace)
    }

    /// What the plugin targets, as far as it knows the fields; those that it does not know are as good as absent.
    pub(super) fn targets(self, plugin: &Plugin) -> &[TargetRef] {
        match self.minor {
            ..20 => &[],
            20..22 => plugin.target_ref.as_slice(),
            _ => plugin.targets(),
        }
    }

    /// The Gateway that the proxy is an instance of. The label decides, not what made the pod: a hand-labelled pod counts too.
    pub(super) fn gateway_name(self, labels: &Labels) -> Option<&str> {
        let deprecated = labels.get(DEPRECATED_GATEWAY_NAME).filter(|_| (21..24).contains(&self.minor));
        labels.get(GATEWAY_NAME).or(deprecated).map(String::as_str)
    }

    /// Whether a waypoint (and with selectors switched off a gateway) passes over a plugin that targets nothing: 1.20 and 1.21 only
    /// over those that have a selector, even an empty one.
    pub(super) fn needs_target(self, selector: Option<&Selector>) -> bool {
        match self.minor {
            ..20 => false,
            20..22 => selector.is_some(),
            _ => true,
        }
    }

    /// Whether a plugin of the root namespace may target a Gateway of another.
    pub(super) fn gateway_targets_from_root(self) -> bool {
        !self.since(25)
    }

    /// Whether this kind of target is known; `Gateway` always is.
    pub(super) fn knows_target(self, kind: &str) -> bool {
        match kind {
            "Service" => self.since(22),
            "ServiceEntry" => self.since(24),
            "GatewayClass" => self.since(25),
            _ => true,
        }
    }

    /// 1.22 and 1.23 compare a service's name alone, whatever its namespace.
    pub(super) fn services_by_name_alone(self) -> bool {
        !self.since(24)
    }

    /// Whether plugins of a service's namespace are looked at for a waypoint that stands in another.
    pub(super) fn looks_in_service_namespaces(self) -> bool {
        self.since(25)
    }
}
