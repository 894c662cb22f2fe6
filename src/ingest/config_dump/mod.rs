//! Envoy's `config_dump` (and istiod's version of it), parsed in two phases over borrowed text: the outer list is cut into
//! raw sections, and only the sections that answers need are read further. A 46 MB dump costs little more than reading it.
//!
//! Accepted: what Envoy writes (snake_case), what istiod writes (lowerCamelCase), parts of a dump (`?resource=`, `?mask=`),
//! and a bare list of listeners, as istiod's `types=lds` and `istioctl proxy-config listener -o json` print it.

mod chain;
mod ecds;
mod filter;
mod json;
mod listener;
mod listener_filter;
mod matcher;
mod node;
mod outer;
mod resources;
mod section;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::model::envoy::{ConfigDump, DumpView, Section};
use crate::model::warning::Warning;

pub use ecds::{inline, inline_wasm};
pub use resources::resources;

/// Bytes that are no config dump at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}; {fix}")]
pub struct NotADump {
    /// What they are instead.
    pub what: String,
    /// What to do.
    pub fix: String,
}

/// What was understood of a dump.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The dump.
    pub dump: ConfigDump,
    /// What was not understood, each with its place.
    pub warnings: Vec<Warning>,
    /// Where the text ended too early; what came before it is in the dump.
    pub cut_short: Option<String>,
}

/// Reads a config dump. `object` names it in warnings: `config dump of httpbin-1.default`.
///
/// # Errors
/// Only where the bytes are no dump at all: empty, not JSON, JSON of another kind. Everything else is a warning.
pub fn parse(bytes: &[u8], view: DumpView, object: &str) -> Result<Parsed, NotADump> {
    let lossy;
    let mut warnings = Vec::new();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            warnings.push(Warning::new(object, format!("is not UTF-8 at byte {}; replaced what is not", error.valid_up_to()), ""));
            lossy = String::from_utf8_lossy(bytes);
            &*lossy
        }
    };
    let mut sections = Vec::new();
    let end = outer::cut(text, &mut sections);
    let mut reader = Reader { dump: ConfigDump::empty(view), warnings, object };
    reader.dump.bytes = bytes.len();
    for (index, section) in sections.iter().enumerate() {
        reader.section(section, &format!("configs[{index}]"));
    }
    let cut_short = match end {
        outer::End::Whole => None,
        outer::End::CutShort { at, what } => {
            reader.partial_section(text.get(at..).unwrap_or_default(), &format!("configs[{}]", sections.len()));
            // That the section ends too early is said once, by `cut_short`.
            reader.warnings.retain(|warning| !warning.what.contains("EOF while parsing"));
            if sections.is_empty() && reader.dump.sections.is_empty() {
                return Err(outer::not_a_dump(text, &what));
            }
            Some(format!("is cut short after {} bytes ({what})", text.len()))
        }
    };
    reader.drop_repeated_refusals();
    reader.dump.settle_ecds();
    let known = reader.dump.sections.iter().any(|section| outer::is_of_a_dump(&section.type_url));
    if !known {
        return Err(outer::not_a_dump(text, "it has no section of an Envoy config dump"));
    }
    Ok(Parsed { dump: reader.dump, warnings: reader.warnings, cut_short })
}

/// Collects what is understood.
struct Reader<'a> {
    dump: ConfigDump,
    warnings: Vec<Warning>,
    object: &'a str,
}

impl Reader<'_> {
    fn warn(&mut self, place: &str, what: impl std::fmt::Display) {
        self.warnings.push(Warning::new(format!("{} at {place}", self.object), format!("not understood: {what}"), ""));
    }

    fn section(&mut self, raw: &RawValue, place: &str) {
        let type_url = outer::type_of(raw);
        let name = type_url.rsplit('/').next().unwrap_or_default();
        match name {
            "envoy.admin.v3.BootstrapConfigDump" | "envoy.admin.v2alpha.BootstrapConfigDump" => self.bootstrap(raw, place),
            "envoy.admin.v3.ListenersConfigDump" | "envoy.admin.v2alpha.ListenersConfigDump" => self.listeners(raw.get(), place),
            "envoy.admin.v3.ListenersConfigDump.DynamicListener" => self.dynamic_listener(raw, place),
            "envoy.admin.v3.ListenersConfigDump.StaticListener" => self.static_listener(raw, place),
            "envoy.admin.v3.EcdsConfigDump" => self.ecds_section(raw.get(), place),
            "envoy.admin.v3.EcdsConfigDump.EcdsFilterConfig" => self.ecds_filter(raw, place),
            "envoy.config.listener.v3.Listener" => self.bare_listener(raw, place),
            _ => {}
        }
        self.dump.sections.push(Section { type_url, bytes: raw.get().len() });
    }

    /// The section in which the text ends: its elements up to there.
    fn partial_section(&mut self, text: &str, place: &str) {
        let type_url = outer::type_in_text(text);
        match type_url.rsplit('/').next().unwrap_or_default() {
            "envoy.admin.v3.ListenersConfigDump" => self.listeners(text, place),
            "envoy.admin.v3.EcdsConfigDump" => self.ecds_section(text, place),
            _ => {}
        }
        if outer::is_of_a_dump(&type_url) {
            self.dump.sections.push(Section { type_url, bytes: text.len() });
        }
    }
}

#[cfg(test)]
mod tests;
