//! What each version of Istio does differently, as its release branches have it.

/// An Istio version, as far as rules depend on it: `1.31` of `1.31-alpha.eed52ebb66ad`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Version {
    /// Reads the first two numbers; None where the text does not begin with them (a development build may say anything).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split(['.', '-']);
        Some(Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? })
    }

    /// Until 1.20 a plugin's filter is named just `ns.name`; later names have a prefix.
    pub fn names_filters_bare(self) -> bool {
        self < Self { major: 1, minor: 21 }
    }

    /// The newest version whose rules are known, taken where none is said.
    pub const NEWEST: Self = Self { major: 1, minor: 31 };

    /// Until 1.19 plugins of the root namespace stand before those of the proxy's own
    /// (`pilot/pkg/model/push_context.go: WasmPluginsByListenerInfo`).
    pub fn puts_root_namespace_first(self) -> bool {
        self < Self { major: 1, minor: 20 }
    }

    /// What an unset `priority` counts as: the smallest of the field's numbers, which had 64 bits until 1.18
    /// (`pilot/pkg/model/push_context.go: sortByPriority`).
    pub fn unset_priority(self) -> i64 {
        if self < (Self { major: 1, minor: 19 }) { i64::MIN } else { i64::from(i32::MIN) }
    }

    /// Until 1.22 objects of one second are ordered by `name.namespace`, later by the name and then the namespace
    /// (`pilot/pkg/model/config.go: sortConfigByCreationTime`).
    pub fn compares_names_with_namespaces(self) -> bool {
        self < Self { major: 1, minor: 23 }
    }

    /// From 1.16 on plugins have `match`; an older API server dropped the field.
    pub fn has_match(self) -> bool {
        self >= Self { major: 1, minor: 16 }
    }

    /// From 1.20 on plugins have `type`, and can be NETWORK (`pilot/pkg/model/extensions.go: MatchType`).
    pub fn has_network_plugins(self) -> bool {
        self >= Self { major: 1, minor: 20 }
    }

    /// From 1.30 on istiod makes a TrafficExtension with a marked name of each WasmPlugin
    /// (`pilot/pkg/config/kube/extensions/translate.go`).
    pub fn translates_wasm_plugins(self) -> bool {
        self >= Self { major: 1, minor: 30 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_istiod_writes_them() {
        assert_eq!(Version::parse("1.12.0"), Some(Version { major: 1, minor: 12 }));
        assert_eq!(Version::parse("1.31-alpha.eed52ebb66ad"), Some(Version { major: 1, minor: 31 }));
        assert_eq!(Version::parse("unknown"), None);
        assert!(Version::parse("1.20.8").is_some_and(Version::names_filters_bare));
        assert!(!Version::parse("1.21.0").is_some_and(Version::names_filters_bare));
    }
}
