//! The clusters that routes of a dump lead to and that the dump does not have. Sections of routes and clusters are large, and are looked through
//! for the names alone.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use memchr::memmem;

/// How the names of clusters of services begin (`pilot/pkg/model/service.go: BuildSubsetKey`), as a text of JSON.
const OUTBOUND: &[u8] = b"\"outbound|";
/// The field of a virtual host that is in front of its routes (`envoy/config/route/v3/route_components.proto`).
const DOMAINS: &[u8] = b"\"domains\"";
/// How many clusters are kept.
const MOST: usize = 64;

/// The sections of a dump in which clusters are named.
#[derive(Default)]
pub(super) struct Routed<'a> {
    routes: Vec<&'a str>,
    clusters: Vec<&'a str>,
}

impl<'a> Routed<'a> {
    /// Takes a section of routes.
    pub(super) fn routes(&mut self, section: &'a str) {
        self.routes.push(section);
    }

    /// Takes a section of clusters.
    pub(super) fn clusters(&mut self, section: &'a str) {
        self.clusters.push(section);
    }

    /// The clusters that routes lead to and no section has, each with the domains of the virtual hosts that lead there; none where the dump has no
    /// section of clusters.
    pub(super) fn dead(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut dead: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        if self.clusters.is_empty() {
            return dead;
        }
        let known: HashSet<&str> = self.clusters.iter().flat_map(|section| names(section)).map(|(_, name)| name).collect();
        for section in &self.routes {
            for (at, name) in names(section).filter(|(_, name)| !known.contains(name)) {
                if dead.len() < MOST || dead.contains_key(name) {
                    dead.entry(name.to_owned()).or_default().extend(domains(&section[..at]));
                }
            }
        }
        dead
    }
}

/// The names of clusters in a section, each with its place.
fn names(section: &str) -> impl Iterator<Item = (usize, &str)> {
    memmem::find_iter(section.as_bytes(), OUTBOUND).filter_map(|at| Some((at, section.get(at + 1..)?.split('"').next()?)))
}

/// The domains of the virtual host that begins last in a text.
fn domains(before: &str) -> Vec<String> {
    let list = || {
        let behind = before.get(memmem::rfind(before.as_bytes(), DOMAINS)? + DOMAINS.len()..)?;
        let list = behind.trim_start().strip_prefix(':')?;
        serde_json::Deserializer::from_str(list).into_iter::<Vec<String>>().next()?.ok()
    };
    list().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_that_routes_lead_to_and_no_section_has_is_dead() {
        let host = |domains: &str, cluster: &str| {
            format!(r#"{{"name": "a", "domains": {domains}, "routes": [{{"route": {{"cluster": "{cluster}"}}}}]}}"#)
        };
        let routes =
            [host(r#"["httpbin", "httpbin.default", "[fd00::1]:80"]"#, "outbound|80|v2|a"), host(r#"[ "b" ]"#, "outbound|80||b")].join(",");
        let mut routed = Routed::default();
        routed.routes(&routes);
        assert_eq!(routed.dead(), BTreeMap::new(), "which clusters there are is not known");
        routed.clusters(r#"{"cluster":{"name":"outbound|80||b"}}"#);
        let domains = ["httpbin", "httpbin.default", "[fd00::1]:80"].map(str::to_owned);
        assert_eq!(routed.dead(), BTreeMap::from([("outbound|80|v2|a".to_owned(), BTreeSet::from(domains))]));
        routed.clusters(r#"{"cluster":{"name": "outbound|80|v2|a"}}"#);
        assert_eq!(routed.dead(), BTreeMap::new());
    }
}
