//! Which version istiod says that it is.

/// The version in an answer of `/version` on port 15014, without the build's revision and status:
/// `1.31-alpha.eed52ebb66ad-unknown-Clean` is `1.31-alpha.eed52ebb66ad`.
pub fn istiod_version(text: &str) -> String {
    let line: String = text.trim().lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    // A version may hold hyphens itself, so only an ending that a build writes is taken off.
    match line.rsplit_once('-') {
        Some((rest, "Clean" | "Modified" | "unknown")) => rest.rsplit_once('-').map_or(rest, |(version, _)| version).to_owned(),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::istiod_version;

    #[test]
    fn takes_the_builds_revision_and_status_off() {
        assert_eq!(istiod_version("1.31-alpha.eed52ebb66ad-unknown-Clean\n"), "1.31-alpha.eed52ebb66ad");
        assert_eq!(istiod_version("1.26.2-9a1b2c3d-Modified"), "1.26.2");
        assert_eq!(istiod_version("1.12.0"), "1.12.0");
        assert_eq!(istiod_version("1.31-alpha.eed52ebb66ad"), "1.31-alpha.eed52ebb66ad");
        assert_eq!(istiod_version("Clean"), "Clean");
        assert_eq!(istiod_version(" \n"), "");
    }
}
