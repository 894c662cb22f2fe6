//! An object or a list of a JSON text while it is walked over: what its names say of its values.

use std::ops::Range;

use super::keys::Key;
use super::rules::Says;
use super::value;

/// What holds for the values of an object or list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Names mean what the format says.
    Plain,
    /// People chose the names.
    Free,
    /// Everything is a secret but what a secret is called and where it lies.
    Secret,
    /// The same under a name that people chose: numbers are none.
    Suspect,
}

pub(super) struct Frame {
    pub(super) object: bool,
    pub(super) zone: Zone,
    /// The key that the next value belongs to.
    pub(super) key: Key,
    pub(super) awaits_key: bool,
    /// `{"name": "authorization", "value": …}`: what the name says of the value. It may come after it.
    pub(super) pair: Says,
    /// Whether there is anything that a `key` makes a pair with.
    pub(super) has_value: bool,
    /// Whether it is a JSON Web Key.
    pub(super) is_web_key: bool,
    /// Its first entry of the values that are held.
    pub(super) held: usize,
    /// Whether its values belong to the pair around it, as those of a header's string match do.
    pub(super) lends_values: bool,
}

/// A value of which the whole object says whether it is a secret.
pub(super) struct Held {
    pub(super) at: Range<usize>,
    pub(super) part: Part,
}

pub(super) enum Part {
    /// The value of a pair.
    Value,
    /// What is private in a JSON Web Key.
    Member,
    /// A `key`, where people choose the names.
    Key,
}

impl Frame {
    pub(super) fn new(object: bool, zone: Zone, lends_values: bool, held: usize) -> Self {
        let (key, pair) = (Key::none(), Says::Nothing);
        Self { object, zone, key, awaits_key: object, pair, has_value: false, is_web_key: false, held, lends_values }
    }

    /// What holds for an object or list that begins here.
    pub(super) fn zone_below(&self) -> Zone {
        let key = &self.key;
        match self.zone {
            _ if key.is_plain => Zone::Plain,
            Zone::Secret => Zone::Secret,
            _ if key.says.is_secret() && !key.is_readable_object => Zone::Secret,
            Zone::Suspect => Zone::Suspect,
            Zone::Free if key.is_suspect && !key.is_readable_object => Zone::Suspect,
            Zone::Free => Zone::Free,
            Zone::Plain if key.is_free => Zone::Free,
            Zone::Plain => Zone::Plain,
        }
    }

    /// Whether a string, or else a number, that is here is a secret as a whole.
    pub(super) fn takes_all(&self, is_string: bool) -> bool {
        let key = &self.key;
        match self.zone {
            Zone::Secret => !key.is_kept,
            Zone::Suspect => key.says.is_secret() || is_string && !key.is_kept,
            Zone::Free => key.says.is_secret() || is_string && key.is_suspect,
            Zone::Plain => key.says.is_secret(),
        }
    }

    /// Whether a string is a secret by what its key says and what it looks like.
    pub(super) fn takes_credential(&self, text: &str) -> bool {
        match (self.key.says, self.zone) {
            (Says::Credential, Zone::Free) => !value::is_plain(text),
            (Says::Credential, _) => value::is_credential(text),
            (Says::Key, Zone::Free) => !self.object && !value::is_plain(text),
            _ => false,
        }
    }

    /// Whether a value that was held is a secret.
    pub(super) fn takes_held(&self, part: &Part, text: &str) -> bool {
        match part {
            Part::Value => self.pair.is_secret() || self.pair == Says::Credential && !value::is_plain(text),
            Part::Member => self.is_web_key,
            Part::Key => !self.has_value && !value::is_plain(text),
        }
    }
}
