//! Two configurations of Envoy as JSON, setting by setting: what differs, each with its path and both values, and not what differs in
//! writing alone.
//!
//! No difference: snake_case or lowerCamelCase, the order of a map's keys and of lists in which it says nothing, a message or the
//! TypedStruct of it, a default that is written out, `1s` or `1.000s`, a number or the same as text, an enumeration's name or its number,
//! the alphabet of base64. The keys of maps are never changed. Secrets, and what one of the two could not decode, are not compared, which is counted.

mod canonical;
mod changes;
mod fields;
mod place;
#[cfg(test)]
mod spellings;
mod values;
mod written;

pub use canonical::{canonical, canonical_without, typed_config};
pub use changes::{Change, Changes};
