//! What Envoy's own lines tell of Wasm (`source/extensions/common/wasm/{wasm,plugin_handle}.cc`).

use crate::model::log_details::LogDetails;

/// What Envoy's lines hold where a VM failed; what a plugin itself says is none of them.
pub const VM_FAILURES: [&str; 7] = [
    "Wasm VM failed",
    "Unable to create Wasm",
    "Failed to load Wasm",
    "failed to load",
    "Failed to configure base Wasm plugin",
    "Plugin configured to fail",
    "Function: proxy_",
];

/// The parts of a message.
pub(super) fn read<'m>(component: &str, message: &'m str) -> Option<LogDetails<'m>> {
    let failed = match component {
        "wasm" => VM_FAILURES.iter().any(|words| message.contains(words)),
        // The refused configuration, said once more by whoever subscribed to it.
        _ => message.contains("Unable to create Wasm"),
    };
    failed.then(|| LogDetails::VmFailed { plugin: plugin(message) })
}

/// `Plugin default.broken~istio-translated-wasmplugin failed to load`, `Unable to create Wasm plugin default.broken~…`.
fn plugin(message: &str) -> Option<&str> {
    let after = |words: &str| message.split_once(words).map(|(_, rest)| rest.split([' ', '\n', ',', '\'', '"']).next().unwrap_or(rest));
    let name = after("Unable to create Wasm plugin ").or_else(|| message.strip_prefix("Plugin ").and_then(|_| after("Plugin ")))?;
    name.contains('.').then_some(name.trim_end_matches(['.', ':', ';']))
}
