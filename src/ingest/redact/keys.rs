//! What a key of a document says about the value behind it: Envoy's, Istio's and Kubernetes' own keys, in snake_case and
//! camelCase alike.

use super::names::Name;

/// What a key says.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// The value is a secret.
    pub(super) is_secret: bool,
    /// The value is one where people choose the names.
    pub(super) is_suspect: bool,
    /// An object behind it is no secret, though a string would be: a resource called `secret`.
    pub(super) is_readable_object: bool,
    /// It tells what a secret is called or where it lies, also within one.
    pub(super) is_kept: bool,
    /// People choose the names below.
    pub(super) is_free: bool,
    /// The names below are the format's again: how a secret is fetched.
    pub(super) is_plain: bool,
    /// It gives the name of a pair.
    pub(super) names: bool,
    /// It gives the value of a pair.
    pub(super) is_value: bool,
    /// The values below belong to the pair around it.
    pub(super) lends_values: bool,
    /// It repeats the whole object as text.
    pub(super) repeats_object: bool,
}

const READABLE: &[&[u8]] = &[b"secret"];
const KEPT: &[&[u8]] = &[b"filename", b"environmentvariable", b"name", b"type", b"providername", b"secretname", b"namespace", b"client"];
const FREE: &[&[u8]] = &[
    b"pluginconfig",
    b"configuration",
    b"keyvalues",
    b"environmentvariables",
    b"proxymetadata",
    b"env",
    b"inlinecode",
    b"defaultsourcecode",
    b"sourcecodes",
];
const PLAIN: &[&[u8]] = &[b"sdsconfig"];
const NAMES: &[&[u8]] = &[b"key", b"name", b"header", b"headername"];
const VALUES: &[&[u8]] = &[
    b"value",
    b"rawvalue",
    b"stringvalue",
    b"exact",
    b"exactmatch",
    b"prefix",
    b"prefixmatch",
    b"suffix",
    b"suffixmatch",
    b"contains",
    b"containsmatch",
    b"regex",
];
const LENDERS: &[&[u8]] = &[b"stringmatch", b"saferegex", b"saferegexmatch"];

impl Key {
    /// No key: an element of a list at the top, or the whole text.
    pub(super) const fn none() -> Self {
        Self {
            is_secret: false,
            is_suspect: false,
            is_readable_object: false,
            is_kept: false,
            is_free: false,
            is_plain: false,
            names: false,
            is_value: false,
            lends_values: false,
            repeats_object: false,
        }
    }

    /// Looks a key up; where people choose the names, it takes less to be suspected.
    pub(super) fn new(key: &str, free: bool) -> Self {
        let name = Name::new(key);
        Self {
            is_secret: name.is_secret(),
            is_suspect: free && name.is_suspect(),
            is_readable_object: name.is(READABLE),
            is_kept: name.is(KEPT),
            is_free: name.is(FREE),
            is_plain: name.is(PLAIN),
            names: name.is(NAMES),
            is_value: name.is(VALUES),
            lends_values: name.is(LENDERS),
            repeats_object: key == "kubectl.kubernetes.io/last-applied-configuration",
        }
    }
}
