//! An object or a list of a JSON text while it is walked over: what its names say of its values.

use std::ops::Range;

use super::keys::Key;
use super::looks;
use super::rules::Says;

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
    /// Labels and what selects by them: answers follow from them, and no secret is kept there.
    Chosen,
    /// Each text is a secret, and each `DataSource`: `passwords`.
    Several,
    /// Only the text of a `DataSource` is a secret.
    Inline,
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
    /// Whether it is one where its private members look like it.
    pub(super) has_algorithm: bool,
    /// Whether it is a Secret of Kubernetes.
    pub(super) is_secret: bool,
    /// Whether it is what such a Secret holds.
    pub(super) is_data: bool,
    /// Whether it names users, with their passwords.
    pub(super) is_of_users: bool,
    /// How many strings a list has had: the first can name the second.
    pub(super) strings: usize,
    /// Its first entry of the values that are held.
    pub(super) held: usize,
    /// Whether its values belong to the pair around it, as those of a header's string match do.
    pub(super) lends_values: bool,
}

/// A value of which the whole object says whether it is a secret.
pub(super) struct Held {
    pub(super) at: Range<usize>,
    pub(super) part: Part,
    /// How many objects and lists it is in.
    pub(super) depth: u16,
}

pub(super) enum Part {
    /// The value of a pair.
    Value,
    /// The second string of a list whose first names it.
    Second,
    /// What is private in a JSON Web Key.
    Member,
    /// A `key`, where people choose the names.
    Key,
    /// What a Secret holds, if it is one.
    Data,
}

impl Frame {
    pub(super) fn new(object: bool, zone: Zone, lends_values: bool, held: usize) -> Self {
        let (key, pair) = (Key::none(), Says::Nothing);
        let (has_value, is_web_key, has_algorithm, is_secret, is_data, is_of_users, strings) =
            (false, false, false, false, false, false, 0);
        Self {
            object,
            zone,
            key,
            awaits_key: object,
            pair,
            has_value,
            is_web_key,
            has_algorithm,
            is_secret,
            is_data,
            is_of_users,
            strings,
            held,
            lends_values,
        }
    }

    /// What holds for an object or list that begins here.
    pub(super) fn zone_below(&self) -> Zone {
        let key = &self.key;
        match self.zone {
            _ if key.is_plain => Zone::Plain,
            Zone::Secret => Zone::Secret,
            Zone::Chosen => Zone::Chosen,
            Zone::Plain if key.chooses => Zone::Chosen,
            _ if key.says.is_secret() && !key.is_readable_object => Zone::Secret,
            Zone::Suspect => Zone::Suspect,
            Zone::Free if key.is_suspect && !key.is_readable_object => Zone::Suspect,
            Zone::Free => Zone::Free,
            Zone::Several => Zone::Inline,
            Zone::Plain | Zone::Inline if key.is_free => Zone::Free,
            Zone::Plain | Zone::Inline if key.says == Says::Several => Zone::Several,
            Zone::Plain | Zone::Inline => Zone::Plain,
        }
    }

    /// What the name of an object says of the values in it: a VirtualService has `cookie: {exact: …}` for a header.
    pub(super) fn pair_below(&self) -> Says {
        if self.key.says == Says::Header { Says::Header } else { Says::Nothing }
    }

    /// Whether a string, or a number without a text, that is here is a secret as a whole.
    pub(super) fn takes_all(&self, text: Option<&str>) -> bool {
        let key = &self.key;
        // A switch that is named after a secret is none, nor is a number or an address where the name only holds such a word.
        let named = key.says.is_secret() && !text.is_some_and(looks::is_switch);
        let suspected = text.is_some_and(|text| !looks::is_setting(text));
        match self.zone {
            Zone::Secret => !key.is_kept,
            Zone::Suspect => named || suspected && !key.is_kept,
            Zone::Free => named || suspected && key.is_suspect && !key.says.is_secret(),
            Zone::Plain => named,
            Zone::Chosen => named && text.is_some(),
            Zone::Several => text.is_some() && !key.is_kept,
            Zone::Inline => named || key.is_inline,
        }
    }

    /// Whether a string is a secret by what its key says and what it looks like.
    pub(super) fn takes_credential(&self, text: &str) -> bool {
        match (self.key.says, self.zone) {
            _ if self.is_of_users => !looks::is_plain(text),
            (Says::Credential, Zone::Free) => !looks::is_plain(text),
            (Says::Credential, _) => looks::is_credential(text),
            (Says::Opaque, Zone::Free) => looks::is_credential(text),
            (Says::Key, Zone::Free) => !self.object && !looks::is_plain(text),
            _ => false,
        }
    }

    /// Whether a value that was held is a secret.
    pub(super) fn takes_held(&self, part: &Part, text: &str) -> bool {
        match part {
            Part::Value => match self.pair {
                Says::Credential => !looks::is_plain(text),
                Says::Opaque => looks::is_credential(text),
                says => says.is_secret() && !looks::is_switch(text),
            },
            Part::Second => self.pair.is_secret() && !looks::is_plain(text),
            Part::Member => self.is_web_key || self.has_algorithm && looks::is_credential(text),
            Part::Data => self.is_secret,
            Part::Key => !self.has_value && !looks::is_plain(text),
        }
    }
}
