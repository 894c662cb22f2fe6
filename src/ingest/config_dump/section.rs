//! The lists of one section, as raw elements, kept up to where the text ends even where it ends too early.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::outer::Elements;

/// A list to be read: its key in snake_case and in lowerCamelCase, and where its elements go.
pub(super) type List<'l, 'a> = ([&'static str; 2], &'l mut Vec<&'a RawValue>);

/// Reads the named lists of a section; other keys are passed over. What was read before an error stays.
pub(super) fn lists<'a>(text: &'a str, wanted: &mut [List<'_, 'a>]) -> Result<(), serde_json::Error> {
    Lists(wanted).deserialize(&mut serde_json::Deserializer::from_str(text))
}

struct Lists<'w, 'l, 'a>(&'w mut [List<'l, 'a>]);

impl<'a> DeserializeSeed<'a> for Lists<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Lists<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section of a config dump")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match self.0.iter_mut().find(|(keys, _)| keys.contains(&&*key)) {
                Some((_, list)) => map.next_value_seed(Elements(list))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}
