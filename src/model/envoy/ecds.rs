//! The extension configurations that a proxy holds (ECDS).

use super::raw::RawJson;
use crate::model::ids::PluginId;

/// One entry of a dump's ECDS section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcdsFilter {
    /// The resource's name, which is the filter's name.
    pub name: String,
    /// The plugin: that of the filter that asks for the resource by its name, else by the name alone.
    pub plugin: Option<PluginId>,
    /// What it configures.
    pub config: ExtensionConfig,
    /// `version_info`; empty where unset.
    pub version: String,
    /// `last_updated`, RFC 3339; None where absent or at the epoch, which means: subscribed, nothing received.
    pub last_updated: Option<String>,
    /// The last update, where the proxy rejected it and has accepted none since.
    pub rejected: Option<RejectedUpdate>,
    /// The entry as the proxy wrote it.
    pub raw: RawJson,
}

/// An update that the proxy rejected (`error_state`): what it had before goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RejectedUpdate {
    /// When, RFC 3339; None where that is not said.
    pub at: Option<String>,
    /// Why, in the proxy's words.
    pub details: String,
}

/// What an ECDS resource holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtensionConfig {
    /// A Wasm filter.
    Wasm {
        /// The file the module was put into by the agent; empty where the code is remote or inline.
        file: String,
        /// The URL where the code is still remote; empty otherwise.
        url: String,
        /// `config.name`: `ns.name`, with the marker where translated.
        name: String,
        /// `root_id`.
        root_id: String,
        /// `failure_policy`, as written; `FAIL_OPEN` for the `fail_open` of old versions.
        failure_policy: String,
        /// Whether it is a network filter.
        network: bool,
        /// What Envoy knows its VM by: filters with the same one share a VM on each worker (`proxy-wasm-cpp-host src/wasm.cc: makeVmKey`).
        vm: String,
    },
    /// The RBAC filter that the agent puts in place of a module it could not fetch, when it allows all (`pkg/wasm/convert.go`).
    StubAllow,
    /// The same when it denies all.
    StubDeny,
    /// Subscribed to, nothing received.
    Missing,
    /// Several entries of the name, of which each holds something else.
    Contradicting,
    /// Something else, by its type URL.
    Other(String),
}
