//! What a key of a document says about the value behind it: Envoy's, Istio's and Kubernetes' own keys, in snake_case and
//! camelCase alike.

use super::names::Name;
use super::rules::Says;
use super::web_keys::is_private_member;

/// What a key says.
#[derive(Clone, Copy)]
pub(super) struct Key {
    /// What its name says of the value.
    pub(super) says: Says,
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
    /// What is below says which objects are chosen: labels and selectors, or which ports there are.
    pub(super) chooses: bool,
    /// It gives the name of a pair.
    pub(super) names: bool,
    /// It gives the value of a pair.
    pub(super) is_value: bool,
    /// The values below belong to the pair, or to the web key, around it.
    pub(super) lends_values: bool,
    /// With it a `key` is the first half of a pair.
    pub(super) makes_pair: bool,
    /// An object with it is a JSON Web Key.
    pub(super) is_key_type: bool,
    /// In a JSON Web Key it is not public.
    pub(super) is_private_member: bool,
    /// With it an object is a JSON Web Key if its private members look made by a machine.
    pub(super) is_algorithm: bool,
    /// Below are names of users with their passwords.
    pub(super) is_of_users: bool,
    /// It is the content of a Secret.
    pub(super) is_data: bool,
    /// It gives the kind of an object.
    pub(super) is_kind: bool,
    /// It is a text or bytes that Envoy has within its configuration, as a `DataSource`.
    pub(super) is_inline: bool,
    /// It repeats the whole object as text.
    pub(super) repeats_object: bool,
}

impl Key {
    /// No key: an element of a list at the top, or the whole text.
    pub(super) const fn none() -> Self {
        Self {
            says: Says::Nothing,
            is_suspect: false,
            is_readable_object: false,
            is_kept: false,
            is_free: false,
            is_plain: false,
            chooses: false,
            names: false,
            is_value: false,
            lends_values: false,
            makes_pair: false,
            is_key_type: false,
            is_private_member: false,
            is_algorithm: false,
            is_of_users: false,
            is_data: false,
            is_kind: false,
            is_inline: false,
            repeats_object: false,
        }
    }

    /// Looks a key up; where people choose the names, it takes less to be suspected.
    pub(super) fn new(key: &str, free: bool) -> Self {
        let name = Name::new(key);
        let plain = Self { says: name.says(), is_suspect: free && name.is_suspect(), ..Self::none() };
        match name.folded().as_bytes() {
            b"secret" | b"cookie" => Self { is_readable_object: true, ..plain },
            b"key" | b"header" | b"headername" => Self { names: true, ..plain },
            // Pairs as people write them.
            b"k" if free => Self { names: true, is_private_member: true, ..plain },
            b"v" | b"val" | b"default" | b"defaultvalue" | b"content" | b"data" if free => Self { is_value: true, ..plain },
            b"name" => Self { names: true, is_kept: true, ..plain },
            b"filename" | b"environmentvariable" | b"type" | b"providername" | b"secretname" | b"namespace" | b"client" => {
                Self { is_kept: true, ..plain }
            }
            b"pluginconfig"
            | b"configuration"
            | b"keyvalues"
            | b"environmentvariables"
            | b"proxymetadata"
            | b"env"
            | b"inlinecode"
            | b"defaultsourcecode"
            | b"sourcecodes" => Self { is_free: true, ..plain },
            b"labels"
            | b"matchlabels"
            | b"sourcelabels"
            | b"podlabels"
            | b"matchexpressions"
            | b"selector"
            | b"labelselector"
            | b"namespaceselector"
            | b"podselector"
            | b"nodeselector"
            | b"workloadselector"
            | b"discoveryselectors"
            | b"ports" => Self { chooses: true, ..plain },
            b"sdsconfig" | b"secretkeyref" | b"configmapkeyref" => Self { is_plain: true, ..plain },
            b"value" | b"rawvalue" | b"stringvalue" | b"exact" | b"exactmatch" | b"prefix" | b"prefixmatch" | b"suffix"
            | b"suffixmatch" | b"contains" | b"containsmatch" | b"regex" | b"headervalue" => {
                Self { is_value: true, makes_pair: true, ..plain }
            }
            b"operator" => Self { makes_pair: true, ..plain },
            // Of an AuthorizationPolicy's condition, too.
            b"values" | b"notvalues" => Self { is_value: true, makes_pair: true, lends_values: true, ..plain },
            b"stringmatch" | b"saferegex" | b"saferegexmatch" | b"oth" => Self { lends_values: true, ..plain },
            b"users" if free => Self { is_of_users: true, ..plain },
            b"pkcs12" => Self { says: Says::Secret, ..plain },
            b"kind" => Self { is_kind: true, ..plain },
            b"data" | b"stringdata" => Self { is_data: true, ..plain },
            b"inlinestring" | b"inlinebytes" => Self { is_inline: true, ..plain },
            b"kty" | b"crv" => Self { is_key_type: true, ..plain },
            b"alg" => Self { is_algorithm: true, ..plain },
            member if is_private_member(member) => Self { is_private_member: true, ..plain },
            _ => Self { repeats_object: key == "kubectl.kubernetes.io/last-applied-configuration", ..plain },
        }
    }
}
