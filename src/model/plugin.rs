//! WasmPlugin and TrafficExtension: what extends a proxy (`istio.io/api extensions/v1alpha1/{wasm,traffic_extension}.proto`).

use serde::Serialize;

use super::ids::{ObjectName, PluginId};
use super::labels::Selector;

/// One WasmPlugin or TrafficExtension, as its object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its kind and name.
    pub id: PluginId,
    /// `spec.selector`; None where the field is absent.
    pub selector: Option<Selector>,
    /// `spec.targetRefs`; Istio 1.22 and later.
    pub target_refs: Vec<TargetRef>,
    /// The deprecated single `spec.targetRef`, which counts only where the list is empty; Istio 1.20 and later.
    pub target_ref: Option<TargetRef>,
    /// `spec.phase`; the four phases stand in this order in a filter chain.
    pub phase: Phase,
    /// `spec.priority`; None sorts lowest (`pilot/pkg/model/push_context.go: sortByPriority`).
    pub priority: Option<i64>,
    /// HTTP or NETWORK.
    pub plugin_type: PluginType,
    /// What runs: a Wasm module or a Lua script.
    pub extension: Extension,
    /// `spec.match`: where it applies; empty is everywhere.
    pub matches: Vec<TrafficSelector>,
    /// `metadata.labels["istio.io/rev"]`: only this revision's istiod uses the object.
    pub revision: Option<String>,
    /// `metadata.creationTimestamp`, RFC 3339.
    pub created: Option<String>,
    /// `metadata.resourceVersion`: opaque, changes with every write.
    pub resource_version: Option<String>,
    /// `metadata.generation`: 1 when it was created, one more with each change of the spec.
    pub generation: Option<i64>,
    /// Who wrote the spec last, each manager once, the latest last (`metadata.managedFields`); empty where that was not read.
    pub writes: Vec<Write>,
    /// What in its spec no istiod can decode, as clauses: `spec.phase is EARLY, which is not a phase`.
    pub undecodable: Vec<String>,
}

/// When one manager wrote fields of an object's spec last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Write {
    /// RFC 3339 in UTC; the API server keeps whole seconds.
    pub time: String,
    /// `kubectl-client-side-apply`, the name of a controller, …
    pub manager: String,
    /// `Apply` or `Update`.
    pub operation: String,
}

/// What a plugin runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// A Wasm module.
    Wasm(WasmModule),
    /// A Lua script, inlined in the listener and never in ECDS (`core/extension/extensionfilter.go`).
    Lua {
        /// How long `inlineCode` is, in bytes.
        bytes: usize,
    },
    /// Neither is set: istiod discards the object (`pilot/pkg/model/extensions.go: convertToTrafficExtensionWrapper`).
    None,
}

/// The module of a plugin and how it is fetched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WasmModule {
    /// `url`, as written.
    pub url: String,
    /// Why Go does not take `url` for a URL, in its words; None where it does.
    pub url_fault: Option<&'static str>,
    /// `pluginName`: the root id; empty where unset.
    pub plugin_name: String,
    /// `failStrategy`; `FAIL_CLOSE` where unset.
    pub fail_strategy: String,
    /// `sha256`; empty where unset.
    pub sha256: String,
    /// `imagePullPolicy`; empty where unset.
    pub image_pull_policy: String,
    /// `imagePullSecret`: the name only; its content is never read.
    pub image_pull_secret: String,
    /// `pluginConfig` as JSON, without secrets; empty where unset.
    pub plugin_config: String,
    /// `vmConfig.env` as JSON, without secrets, as Envoy has it (`VmConfig.environment_variables`); empty where unset.
    pub environment: String,
}

/// `spec.phase`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Phase {
    /// Before Istio's authentication filters.
    #[serde(rename = "AUTHN")]
    Authn,
    /// Before Istio's authorization filters.
    #[serde(rename = "AUTHZ")]
    Authz,
    /// Before Istio's stats filter.
    #[serde(rename = "STATS")]
    Stats,
    /// Not set: after the others.
    #[serde(rename = "UNSPECIFIED_PHASE")]
    Unspecified,
    /// A value this program does not know.
    #[serde(untagged)]
    Unknown(String),
}

impl Phase {
    /// The field's own word; empty where it is not set.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Authn => "AUTHN",
            Self::Authz => "AUTHZ",
            Self::Stats => "STATS",
            Self::Unspecified => "",
            Self::Unknown(word) => word,
        }
    }
}

/// `spec.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PluginType {
    /// An HTTP filter, in every HttpConnectionManager (also where unspecified).
    #[serde(rename = "HTTP")]
    Http,
    /// A network filter (Istio 1.20 and later).
    #[serde(rename = "NETWORK")]
    Network,
}

impl PluginType {
    /// The field's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Network => "NETWORK",
        }
    }
}

/// One item of `spec.match`: mode and ports, both of which must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficSelector {
    /// `mode`.
    pub mode: WorkloadMode,
    /// `ports[].number`; empty is any. 0 stands for a number that no port can have: it matches nothing.
    pub ports: Vec<u16>,
}

impl TrafficSelector {
    /// `SERVER:80,8080`, `CLIENT`, `any:80`.
    pub fn text(&self) -> String {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        if ports.is_empty() { self.mode.as_str().to_owned() } else { format!("{}:{}", self.mode.as_str(), ports.join(",")) }
    }
}

/// `WorkloadMode` of `spec.match[].mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkloadMode {
    /// Sidecar outbound and gateways.
    Client,
    /// Sidecar inbound and waypoints.
    Server,
    /// Both (also where undefined).
    ClientAndServer,
}

impl WorkloadMode {
    /// A short word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "CLIENT",
            Self::Server => "SERVER",
            Self::ClientAndServer => "any",
        }
    }
}

/// One item of `spec.targetRefs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRef {
    /// API group; empty is the core group.
    pub group: String,
    /// `Gateway`, `Service`, `ServiceEntry`, `GatewayClass`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The object's namespace; empty is the plugin's own, the only one that Istio supports.
    pub namespace: String,
}

impl std::fmt::Display for TargetRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

impl Plugin {
    /// What it targets: the list, else the deprecated single form (`pilot/pkg/model/policyattachment.go: GetTargetRefs`).
    pub fn targets(&self) -> &[TargetRef] {
        if self.target_refs.is_empty() { self.target_ref.as_slice() } else { &self.target_refs }
    }

    /// Whether the object names its workloads, by labels or targets, and is not for all that its namespace reaches.
    pub fn selects_workloads(&self) -> bool {
        self.selector.as_ref().is_some_and(|selector| !selector.is_empty()) || !self.targets().is_empty()
    }

    /// The Wasm module, where it runs one.
    pub fn wasm(&self) -> Option<&WasmModule> {
        match &self.extension {
            Extension::Wasm(module) => Some(module),
            Extension::Lua { .. } | Extension::None => None,
        }
    }

    /// The Secret that its module is pulled with; None where it names none. istiod looks in the plugin's own namespace, whatever is
    /// written (`pilot/pkg/model/extensions.go: toSecretResourceName`).
    pub fn pull_secret(&self) -> Option<ObjectName> {
        let written = &self.wasm()?.image_pull_secret;
        let mut parts = written.strip_prefix("kubernetes://").unwrap_or(written).split('/');
        let first = parts.next()?;
        let name = parts.next().unwrap_or(first);
        (!name.is_empty()).then(|| ObjectName::new(&self.id.name.namespace, name))
    }

    /// `spec.match` in a few words; `any` where it is empty.
    pub fn match_text(&self) -> String {
        let items: Vec<String> = self.matches.iter().map(TrafficSelector::text).collect();
        if items.is_empty() { "any".to_owned() } else { items.join(" or ") }
    }
}
