//! Which plugin a line names where no object says which plugins there are, as in a log file alone: by its name, or not at all.

use std::sync::LazyLock;

use super::Found;
use super::candidates::{Candidates, list};
use super::module::image_url;
use crate::ingest::finder::Finder;
use crate::ingest::logs::details;
use crate::ingest::logs::details::{FAIL_STREAM, NO_CONFIGURATION};
use crate::ingest::plugin_name;
use crate::model::ids::PluginId;
use crate::model::log_details::LogDetails;
use crate::model::logs::{LogKind, LogRecord};

/// What is in front of a plugin's name (`source/extensions/filters/{http,network}/wasm/wasm_filter.h`,
/// `source/extensions/common/wasm/{wasm,plugin_handle}.cc`, `pkg/wasm/convert.go`).
const BEFORE: [&str; 8] = [
    "Wasm HTTP filter ",
    "Wasm network filter ",
    "Wasm NETWORK filter ",
    "Wasm filter ",
    "Wasm module ",
    "Plugin ",
    "plugin ",
    "fallback of ",
];
/// What a request's line says where a plugin ended it.
static FAILED: LazyLock<Option<Finder>> = LazyLock::new(|| Finder::new(&[FAIL_STREAM, NO_CONFIGURATION]));

/// The plugin that a record names, or why it is not known.
pub(super) fn find(record: &LogRecord, candidates: &Candidates) -> Found {
    let message = &*record.message;
    match record.kind {
        // Most requests name no failure: one search of the line is enough.
        LogKind::Access if FAILED.as_ref().is_some_and(|words| words.find(message.as_bytes(), 0).is_some()) => {
            return unknown("the line does not name the plugin that failed");
        }
        LogKind::Access | LogKind::Mark | LogKind::Unknown => return Found::default(),
        LogKind::Istiod | LogKind::Agent | LogKind::Envoy | LogKind::Plugin => {}
    }
    if !record.failure_of.is_empty() {
        let named: Vec<PluginId> = record.failure_of.split(' ').filter_map(|name| named(name, candidates)).collect();
        return match named.as_slice() {
            [] => unknown("the line does not name the plugin"),
            [plugin] => candidates.neighbour(Found { plugin: Some(plugin.clone()), note: None }, &record.failure_of),
            several => unknown(&format!("the lines of this failure name {}", list(several))),
        };
    }
    match details(record) {
        Some(LogDetails::PluginLog { lua: true, .. }) => unknown("a line of a Lua script does not name its plugin"),
        Some(LogDetails::PluginLog { plugin: Some(plugin), .. }) => match named(&plugin, candidates) {
            Some(plugin) => Found { plugin: Some(plugin), note: None },
            None => unknown(&format!("{plugin}, which the line has, is not the name of an object")),
        },
        Some(LogDetails::PluginLog { root_id, .. }) if root_id.is_empty() => unknown("the line does not name its plugin"),
        Some(LogDetails::PluginLog { root_id, .. }) => match named(&root_id, candidates) {
            Some(plugin) => Found {
                plugin: Some(plugin),
                note: Some("by the one name in the line, which is that of the plugin unless it is a root id".to_owned()),
            },
            None => unknown(&format!("the line has only root id {root_id}, and there are no objects to say which plugin has it")),
        },
        Some(LogDetails::Fetch { registry, repository, reference, .. }) => by_url(&image_url(registry, repository, reference)),
        Some(LogDetails::FetchFailed { url: Some(url), .. }) if url.contains('/') => match in_words(message, candidates) {
            Found { plugin: None, note: None } => by_url(url),
            found => found,
        },
        Some(LogDetails::VmFailed { .. } | LogDetails::FetchFailed { .. }) => match in_words(message, candidates) {
            Found { plugin: None, note: None } => unknown("the line does not name the plugin"),
            found => found,
        },
        Some(LogDetails::Debounce { object: Some(object), .. } | LogDetails::Discarded { object, .. }) => {
            Found { plugin: candidates.object(&object), note: None }
        }
        Some(LogDetails::Nack { .. }) => in_words(message, candidates),
        None if record.kind != LogKind::Plugin => in_words(message, candidates),
        _ => Found::default(),
    }
}

fn unknown(why: &str) -> Found {
    Found { plugin: None, note: Some(why.to_owned()) }
}

fn by_url(url: &str) -> Found {
    unknown(&format!("the line has only the URL {url}, and there are no objects to say which plugin has it"))
}

/// The one plugin that a text names as Envoy and the agent name plugins.
fn in_words(text: &str, candidates: &Candidates) -> Found {
    let mut found: Vec<PluginId> = Vec::new();
    for before in BEFORE {
        for (at, _) in text.match_indices(before) {
            let rest = &text[at + before.len()..];
            let word = rest.split([' ', '\n', '\t', ',', ';', '\'', '"', '(', ')']).next().unwrap_or_default();
            if let Some(plugin) = named(word.trim_end_matches(['.', ':']), candidates)
                && !found.contains(&plugin)
            {
                found.push(plugin);
            }
        }
    }
    match found.as_slice() {
        [] => Found::default(),
        [_] => Found { plugin: found.pop(), note: None },
        several => unknown(&format!("the line names {}", list(several))),
    }
}

/// The plugin of a name as logs have it: `ns.name`, or a resource's whole name. Names of Envoy's and Istio's own filters are none. The
/// plugin that was asked for is one.
fn named(name: &str, candidates: &Candidates) -> Option<PluginId> {
    match candidates.named(name) {
        Some(found) => found.plugin,
        None => plugin_name::of_resource(name, true).map(|filter| filter.id),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn only_what_is_the_name_of_an_object_is_a_plugin() {
        let none = Candidates::new(Arc::default());
        let said = |name: &str| named(name, &none).map(|plugin| plugin.to_string());
        for (name, plugin) in [
            ("shop.quota", "shop/quota"),
            ("higress-system.mcp-server-1.0.0", "higress-system/mcp-server-1.0.0"),
            ("default.hello~istio-translated-wasmplugin", "default/hello"),
            ("extensions.istio.io/wasmplugin/default.hello", "default/hello"),
        ] {
            assert_eq!(said(name).as_deref(), Some(plugin), "{name}");
        }
        for name in
            ["", "quota", "my_root.id", "envoy.wasm.stats", "istio.metadata_exchange", "a..b", "Shop.quota", "shop.", "oci://a.b/c:v1"]
        {
            assert_eq!(said(name), None, "{name}");
        }
    }

    #[test]
    fn the_words_in_front_say_what_is_a_name() {
        let none = Candidates::new(Arc::default());
        let of = |text: &str| in_words(text, &none).plugin.map(|plugin| plugin.to_string());
        let twice = "0.0.0.0_80: Unable to create Wasm HTTP filter shop.quota\n0.0.0.0_443: Unable to create Wasm HTTP filter shop.quota\n";
        assert_eq!(of(twice).as_deref(), Some("shop/quota"));
        assert_eq!(of("cannot fetch Wasm module shop.quota: missing image pulling secret").as_deref(), Some("shop/quota"));
        assert_eq!(of("failed to create allow-all filter as a fallback of default.x Wasm Module.").as_deref(), Some("default/x"));
        assert_eq!(of("Plugin shop.auth and Plugin shop.quota failed"), None);
        assert_eq!(of("push to shop.example failed"), None);
    }
}
