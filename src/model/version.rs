//! Versions of Istio. The rules that depend on them are in `analysis::era`, but for one on which reading depends too.

/// An Istio version, as far as rules depend on it: `1.31` of `1.31-alpha.eed52ebb66ad`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
}

impl Version {
    /// Puts the numbers together.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Reads the first two numbers; None where the text does not begin with them (a development build may say anything).
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split(['.', '-']);
        Some(Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? })
    }

    /// Whether it is 1.`minor` or later.
    pub fn since(self, minor: u32) -> bool {
        self >= Self::new(1, minor)
    }

    /// Until 1.20 a plugin's filter is named just `ns.name`; later names have a prefix.
    pub fn names_filters_bare(self) -> bool {
        !self.since(21)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
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
