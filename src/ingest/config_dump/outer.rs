//! The outer shape of a dump: a list of raw sections, found even where the text ends too early.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::NotADump;

/// How the text ended.
pub(super) enum End {
    /// As it should.
    Whole,
    /// Too early, or with an error.
    CutShort {
        /// Where the element begins that could not be read.
        at: usize,
        /// The parser's word for it.
        what: String,
    },
}

/// Cuts the text into the raw elements of `configs`, or of the list that it is.
pub(super) fn cut<'a>(text: &'a str, sections: &mut Vec<&'a RawValue>) -> End {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = Outer(sections).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    match result {
        Ok(()) => End::Whole,
        Err(error) => {
            let read_to = sections.last().map_or(0, |last| offset(text, last.get()) + last.get().len());
            let rest = text.get(read_to..).unwrap_or_default();
            let skipped = if sections.is_empty() { rest.find('[').map_or(0, |at| at + 1) } else { rest.find(',').map_or(0, |at| at + 1) };
            End::CutShort { at: read_to + skipped, what: error.to_string() }
        }
    }
}

/// Where `part`, a slice of `text`, begins.
pub(super) fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The `@type` of a raw element. An element without one that has the fields of a listener is one: istiod's `types=lds`.
pub(super) fn type_of(raw: &RawValue) -> String {
    type_in_text(raw.get())
}

/// The `@type` at the start of an element's text, even where the text ends too early.
pub(super) fn type_in_text(text: &str) -> String {
    let mut found = Head::default();
    // An error comes after what was found, so it says nothing here.
    let _ = HeadSeed(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
    match found {
        Head { type_url: Some(type_url), .. } => type_url,
        Head { listener: true, .. } => "type.googleapis.com/envoy.config.listener.v3.Listener".to_owned(),
        Head { .. } => String::new(),
    }
}

/// Whether a type is one of those that a dump is made of.
pub(super) fn is_of_a_dump(type_url: &str) -> bool {
    let bare = ["listener.v3.Listener", "cluster.v3.Cluster", "route.v3.RouteConfiguration", "endpoint.v3.ClusterLoadAssignment"];
    let is_bare = |config: &str| bare.contains(&config);
    type_url.contains("envoy.admin.") || type_url.rsplit_once("envoy.config.").is_some_and(|(_, config)| is_bare(config))
}

/// Says what a text is that is no dump.
pub(super) fn not_a_dump(text: &str, error: &str) -> NotADump {
    let fix =
        "give what `GET /config_dump` of Envoy's admin port answers, for instance by `istioctl proxy-config all POD -o json`".to_owned();
    let start = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let what = match start.chars().next() {
        None => "is empty".to_owned(),
        Some('{' | '[') if error.contains("section") => "is JSON, but not an Envoy config dump: it has no section of one".to_owned(),
        Some('{' | '[') => format!("is not a whole JSON document: {error}"),
        Some(_) => format!("is not JSON: {error}"),
    };
    NotADump { what, fix }
}

/// Reads `{"configs": [..]}` or `[..]`, pushing each element as it comes, so that what came before an error is kept.
struct Outer<'o, 'a>(&'o mut Vec<&'a RawValue>);

impl<'a> DeserializeSeed<'a> for Outer<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Outer<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an Envoy config dump")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            if key == "configs" {
                map.next_value_seed(Elements(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<(), A::Error> {
        Elements(self.0).visit_seq(seq)
    }
}

/// Pushes the raw elements of a list.
pub(super) struct Elements<'o, 'a>(pub(super) &'o mut Vec<&'a RawValue>);

impl<'a> DeserializeSeed<'a> for Elements<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Elements<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element::<&RawValue>()? {
            self.0.push(element);
        }
        Ok(())
    }
}

/// What the first keys of an element tell.
#[derive(Default)]
struct Head {
    type_url: Option<String>,
    listener: bool,
}

/// Reads keys until `@type` is found; Envoy and istiod write it first, so little of a section is passed over.
struct HeadSeed<'o>(&'o mut Head);

/// Ends the reading once the type is known.
const FOUND: &str = "found";

impl<'a> DeserializeSeed<'a> for HeadSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for HeadSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match &*key {
                "@type" => {
                    self.0.type_url = Some(map.next_value::<String>()?);
                    return Err(serde::de::Error::custom(FOUND));
                }
                "filter_chains" | "filterChains" | "traffic_direction" | "trafficDirection" => self.0.listener = true,
                _ => {}
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
