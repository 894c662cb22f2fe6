//! Envoy's `config_dump` (and istiod's version of it), parsed in two phases over borrowed text: the outer list is cut into
//! raw sections, and only the sections that answers need are read further. A 46 MB dump costs little more than reading it.
//!
//! Accepted: what Envoy writes (snake_case), what istiod writes (lowerCamelCase), the names of the old API v2, parts of a dump (`?resource=`,
//! `?mask=`, one section alone), a bare list of listeners, as istiod's `types=lds` and `istioctl proxy-config listeners -o json` print it, and all
//! of it in the encodings and wrappings in which people save it.

mod chain;
mod ecds;
mod filter;
mod json;
mod kind;
mod listener;
mod listener_fields;
mod listener_filter;
mod matcher;
mod node;
mod outer;
mod resources;
mod routed;
mod saved;
mod section;
mod shape;
mod types;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use thiserror::Error;

use self::outer::{Cut, End};
use self::routed::Routed;
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
    /// Why it is not the whole: where the text ended too early, or what it lacks, and what to do. What there is of it is in the dump.
    pub cut_short: Option<String>,
}

/// What to do about a dump that is not whole.
const AGAIN: &str = "take the dump again; what came before that is shown";
/// What to do about a dump without listeners.
const WHOLE: &str = "save the whole of `GET /config_dump`";

/// Reads a config dump. `object` names it in warnings: `config dump of httpbin-1.default`.
///
/// # Errors
/// Only where the bytes are no dump at all: empty, not JSON, JSON of another kind, or of a part that says nothing of plugins. Everything
/// else is a warning.
pub fn parse(bytes: &[u8], view: DumpView, object: &str) -> Result<Parsed, NotADump> {
    if bytes.starts_with(b"PK\x03\x04") {
        let (what, fix) = ("is a zip archive, which is not read", "unpack it, and give its folder or the dump in it");
        return Err(NotADump { what: what.to_owned(), fix: fix.to_owned() });
    }
    let (text, encoding) = saved::decode(bytes);
    let (document, before) = saved::document(&text);
    let Cut { text, sections, end } = outer::find(document)?;
    let mut reader = Reader { dump: ConfigDump::empty(view), warnings: Vec::new(), object, partial: false, of_name: BTreeMap::new() };
    reader.dump.bytes = bytes.len();
    encoding.into_iter().chain(before).for_each(|note| reader.note(note));
    let mut routed = Routed::default();
    for (index, section) in sections.iter().enumerate() {
        reader.section(section, &format!("configs[{index}]"));
        match types::section_name(&types::type_of(section)).as_ref() {
            "envoy.admin.v3.RoutesConfigDump" => routed.routes(section.get()),
            "envoy.admin.v3.ClustersConfigDump" => routed.clusters(section.get()),
            _ => {}
        }
    }
    // Clusters may be in what is missing of a dump that ends too early.
    if matches!(end, End::Whole(_)) {
        reader.dump.dead_clusters = routed.dead();
    }
    let mut cut_short = match end {
        End::Whole(more) => {
            more.into_iter().for_each(|note| reader.note(note));
            None
        }
        End::Broken { at, early, what } => {
            let is_of_listeners = |section: &Section| section.type_url.ends_with(".ListenersConfigDump");
            reader.dump.unread_listeners |= !reader.dump.sections.iter().any(is_of_listeners);
            reader.dump.not_understood += 1;
            reader.partial_section(text.get(at..).unwrap_or_default(), &format!("configs[{}]", sections.len()));
            Some(if early {
                format!("is cut short after {} bytes ({what}); {AGAIN}", text.len())
            } else {
                format!("is damaged ({what}); {AGAIN}")
            })
        }
    };
    reader.drop_repeated_refusals();
    reader.dump.settle_ecds();
    if cut_short.is_none() && view == DumpView::Proxy && !reader.dump.has_listeners() {
        let what = reader.dump.without_listeners();
        if reader.dump.ecds.is_empty() {
            return Err(NotADump { what, fix: WHOLE.to_owned() });
        }
        cut_short = Some(format!("{what}; {WHOLE}"));
    }
    Ok(Parsed { dump: reader.dump, warnings: reader.warnings, cut_short })
}

/// Collects what is understood.
struct Reader<'a> {
    dump: ConfigDump,
    warnings: Vec<Warning>,
    object: &'a str,
    /// Whether the section ends too early, which is said once for the whole.
    partial: bool,
    /// Where the first ECDS entry of each name is.
    of_name: BTreeMap<String, usize>,
}

impl Reader<'_> {
    /// Says something of the dump as a whole.
    fn note(&mut self, what: String) {
        self.warnings.push(Warning::new(self.object, what, ""));
    }

    /// Says what was not understood, of which then nothing is known.
    fn warn(&mut self, place: &str, what: impl std::fmt::Display) {
        self.dump.not_understood += 1;
        self.warnings.push(Warning::new(format!("{} at {place}", self.object), format!("not understood: {what}"), ""));
    }

    /// The error with which the reading of a section ended.
    fn ended(&mut self, place: &str, end: Result<(), serde_json::Error>) {
        if let Err(error) = end
            && !self.partial
        {
            self.warn(place, error);
        }
    }

    fn section(&mut self, raw: &RawValue, place: &str) {
        let type_url = types::type_of(raw);
        let name = types::section_name(&type_url);
        match name.strip_prefix("envoy.admin.v3.").unwrap_or(&name) {
            "BootstrapConfigDump" => self.bootstrap(raw, place),
            "ListenersConfigDump" => self.listeners(raw.get(), place),
            "ListenersConfigDump.DynamicListener" => self.dynamic_listener(raw, place),
            "ListenersConfigDump.StaticListener" => self.static_listener(raw, place),
            "EcdsConfigDump" => self.ecds_section(raw.get(), place),
            "EcdsConfigDump.EcdsFilterConfig" => self.ecds_filter(raw, place),
            types::LISTENER => self.bare_listener(raw, place),
            "" => {
                self.dump.unread_listeners = true;
                if raw.get().starts_with('{') {
                    self.warn(place, "the element has no @type, so it can be anything");
                } else {
                    self.warn(place, format_args!("the element is {} and no section of a dump", shape::of_text(raw.get())));
                }
            }
            _ => {}
        }
        self.dump.sections.push(Section { type_url, bytes: raw.get().len() });
    }

    /// The section in which the text ends: its elements up to there.
    fn partial_section(&mut self, text: &str, place: &str) {
        self.partial = true;
        let type_url = types::type_in_text(text);
        match type_url.rsplit('.').next().unwrap_or_default() {
            "ListenersConfigDump" => self.listeners(text, place),
            "EcdsConfigDump" => self.ecds_section(text, place),
            _ => {}
        }
        if types::is_of_a_dump(&type_url) {
            self.dump.sections.push(Section { type_url, bytes: text.len() });
        }
    }
}

#[cfg(test)]
mod tests;
