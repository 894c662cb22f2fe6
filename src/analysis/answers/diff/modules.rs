//! How an extension differs from the one that istiod would send: setting by setting, once what the agent puts in its place is taken out.
//!
//! The agent exchanges a URL for a file that is named after the module's digest, and takes the variables that istiod means for it out of
//! the module's environment, the pull secret among them (`pkg/wasm/convert.go: rewriteVMConfig`).

use serde_json::{Map, Value};

use super::DiffLine;
use super::extensions::line;
use super::within::Found;
use crate::analysis::era::Version;
use crate::analysis::health::module;
use crate::analysis::settings::{Changes, typed_config};
use crate::model::envoy::{ConfigDump, EcdsFilter, ExtensionConfig};

/// How the variables begin that istiod sends for the agent alone (`pkg/bootstrap/option: IstioMetaPrefix`).
const FOR_THE_AGENT: &str = "ISTIO_META_";

/// Finds the differences, and says in `notes` what is none.
pub(super) fn between(entry: &EcdsFilter, sent: &EcdsFilter, dump: &ConfigDump, notes: &mut Vec<String>) -> Found {
    let mut found = Found::default();
    match (&sent.config, &entry.config) {
        // A stub or nothing in its place has been told.
        (_, ExtensionConfig::StubAllow | ExtensionConfig::StubDeny | ExtensionConfig::Missing) => return found,
        (ExtensionConfig::Missing | ExtensionConfig::Contradicting, _) | (_, ExtensionConfig::Contradicting) => {
            found.untold += 1;
            return found;
        }
        _ => {}
    }
    let (Some(mut wanted), Some(mut held)) = (typed_config(sent.raw.as_str()), typed_config(entry.raw.as_str())) else {
        found.untold += 1;
        return found;
    };
    exchanged(entry, &mut wanted, &mut held, dump, &mut found, notes);
    // The settings of the plugin are told by their own paths; of two types nothing else is compared.
    let both = |key: &str| wanted.get(key).zip(held.get(key));
    let is_one = both("@type").is_some_and(|(sent, held)| sent == held) && both("config").is_some();
    let configs = if is_one { wanted.get_mut("config").map(Value::take).zip(held.get_mut("config").map(Value::take)) } else { None };
    for (sent, held) in configs.iter().map(|(sent, held)| (sent, held)).chain([(&wanted, &held)]) {
        let mut changes = Changes::default();
        changes.between(sent, held);
        found.hidden += changes.hidden;
        found.untold += changes.untold;
        for change in changes.told() {
            let of_module = change.path == "@type" || change.path.starts_with("vm_config.code");
            let what = if of_module { "module" } else { "configuration" };
            found.lines.push(differs(what, change.only(), &entry.name, &change.to_string()));
        }
        found.lines.extend(changes.rest().map(|rest| differs("configuration", "both", &entry.name, &rest)));
    }
    found
}

/// Takes out what the agent changes, where it has put a file in the place of a URL, and holds the file's digest against the one that istiod
/// asks for.
fn exchanged(entry: &EcdsFilter, wanted: &mut Value, held: &mut Value, dump: &ConfigDump, found: &mut Found, notes: &mut Vec<String>) {
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let url = text(wanted, "/config/vm_config/code/remote/http_uri/uri");
    let file = text(held, "/config/vm_config/code/local/filename");
    if url.is_empty() || file.is_empty() {
        return;
    }
    let sha256 = text(wanted, "/config/vm_config/code/remote/sha256");
    let name = &entry.name;
    let put = format!("{name}: the agent put the file {file} in the place of {url}, which is no difference");
    let agent = dump.node.as_ref().and_then(|node| Version::parse(&node.istio_version));
    match (digest(&url, &sha256), module::digest(&file)) {
        (Some((by, asked)), Some(runs)) if module::is_comparable(&url, agent) => {
            if asked.eq_ignore_ascii_case(runs) {
                notes.push(format!("{put}: it is named after {by}"));
            } else {
                let said = format!("the module's file is {file}, istiod would send {url} with {by} {asked}");
                found.lines.push(differs("module", "both", name, &said));
            }
        }
        (Some((by, _)), _) => notes.push(format!("{put}; that file's name does not say whether it has {by}")),
        (None, _) => notes.push(format!("{put}; without sha256 istiod does not say which module that is")),
    }
    for body in [wanted, held] {
        let Some(vm) = body.pointer_mut("/config/vm_config").and_then(Value::as_object_mut) else { continue };
        vm.remove("code");
        if let Some(environment) = vm.get_mut("environment_variables").and_then(Value::as_object_mut) {
            without_the_agents(environment);
            if environment.is_empty() {
                vm.remove("environment_variables");
            }
        }
    }
}

fn without_the_agents(environment: &mut Map<String, Value>) {
    if let Some(values) = environment.get_mut("key_values").and_then(Value::as_object_mut) {
        values.retain(|key, _| !key.starts_with(FOR_THE_AGENT));
        if values.is_empty() {
            environment.remove("key_values");
        }
    }
}

/// The digest that istiod asks for, and by what; `nil` is one that is not set (`pilot/pkg/model/extensions.go: buildDataSource`).
fn digest<'t>(url: &'t str, sha256: &'t str) -> Option<(&'static str, &'t str)> {
    match sha256 {
        "" | "nil" => url.split_once("@sha256:").map(|(_, digest)| ("the digest in its URL", digest)),
        set => Some(("the sha256", set)),
    }
}

fn differs(what: &'static str, only: &'static str, name: &str, said: &str) -> DiffLine {
    line(what, only, name, format!("{name}: {said}"))
}
