//! Which type an element of a dump has: by its `@type`, else by its keys.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The `@type` of a raw element, or the type that an element without one has by its keys.
pub(super) fn type_of(raw: &RawValue) -> String {
    type_in_text(raw.get())
}

/// The `@type` at the start of an element's text, even where the text ends too early.
pub(super) fn type_in_text(text: &str) -> String {
    let mut found = Head::default();
    // An error comes after what was found, so it says nothing here.
    let _ = HeadSeed(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
    match found {
        Head { type_url: Some(type_url), .. } => type_url,
        Head { shape: Some(name), .. } => format!("type.googleapis.com/{name}"),
        Head { .. } => String::new(),
    }
}

/// Keys by which an element without a type is known, as istiod's `types=lds` and `istioctl proxy-config … -o json` write them.
const SHAPES: [(&[&str], &str); 10] = [
    (&["filter_chains", "filterChains", "traffic_direction", "trafficDirection", "default_filter_chain", "defaultFilterChain"], LISTENER),
    (&["dynamic_listeners", "dynamicListeners", "static_listeners", "staticListeners"], "envoy.admin.v3.ListenersConfigDump"),
    (&["ecds_filters", "ecdsFilters"], "envoy.admin.v3.EcdsConfigDump"),
    (&["bootstrap"], "envoy.admin.v3.BootstrapConfigDump"),
    (
        &["dynamic_active_secrets", "dynamicActiveSecrets", "dynamic_warming_secrets", "dynamicWarmingSecrets"],
        "envoy.admin.v3.SecretsConfigDump",
    ),
    (&["dynamic_active_clusters", "dynamicActiveClusters"], "envoy.admin.v3.ClustersConfigDump"),
    (&["dynamic_route_configs", "dynamicRouteConfigs"], "envoy.admin.v3.RoutesConfigDump"),
    (&["dynamic_endpoint_configs", "dynamicEndpointConfigs"], "envoy.admin.v3.EndpointsConfigDump"),
    (&["virtual_hosts", "virtualHosts", "validate_clusters", "validateClusters"], ROUTES),
    (&["connect_timeout", "connectTimeout", "eds_cluster_config", "edsClusterConfig", "load_assignment", "loadAssignment"], CLUSTER),
];
pub(super) const LISTENER: &str = "envoy.config.listener.v3.Listener";
pub(super) const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
pub(super) const ROUTES: &str = "envoy.config.route.v3.RouteConfiguration";
pub(super) const ENDPOINTS: &str = "envoy.config.endpoint.v3.ClusterLoadAssignment";

/// Whether a type is one of those that a dump is made of.
pub(super) fn is_of_a_dump(type_url: &str) -> bool {
    let name = section_name(type_url);
    name.starts_with("envoy.admin.") || RESOURCES.contains(&&*name) || name == "envoy.config.core.v3.TypedExtensionConfig"
}

/// The resources that a bare list has.
const RESOURCES: [&str; 4] = [LISTENER, CLUSTER, ROUTES, ENDPOINTS];

/// The name of a type, where it is one of the API v2 the same one's of v3.
pub(super) fn section_name(type_url: &str) -> Cow<'_, str> {
    let name = type_url.rsplit('/').next().unwrap_or_default();
    if let Some(section) = name.strip_prefix("envoy.admin.v2alpha.") {
        return format!("envoy.admin.v3.{section}").into();
    }
    let old = name.strip_prefix("envoy.api.v2.");
    let same = old.and_then(|old| RESOURCES.into_iter().find(|name| name.rsplit('.').next() == Some(old)));
    same.unwrap_or(name).into()
}

/// Whether a dump, or an element of one, begins with this key.
pub(super) fn is_first_key(key: &str) -> bool {
    matches!(key, "configs" | "@type") || SHAPES.iter().any(|(keys, _)| keys.contains(&key))
}

/// What the first keys of an element say.
#[derive(Default)]
struct Head {
    type_url: Option<String>,
    /// The type that the keys are of.
    shape: Option<&'static str>,
}

/// Reads keys until `@type` is found; Envoy and istiod write it first, so little of a section is passed over.
struct HeadSeed<'o>(&'o mut Head);

/// Ends the reading once the type is known.
const FOUND: &str = "found";

impl<'a> DeserializeSeed<'a> for HeadSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for HeadSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            match &*key {
                "@type" => {
                    self.0.type_url = Some(map.next_value::<String>()?);
                    return Err(serde::de::Error::custom(FOUND));
                }
                // Only endpoints have this key; their `name` is something else.
                "clusterName" | "cluster_name" if self.0.shape.is_none() => self.0.shape = Some(ENDPOINTS),
                key if self.0.shape.is_none() => {
                    self.0.shape = SHAPES.iter().find(|(keys, _)| keys.contains(&key)).map(|(_, name)| *name);
                }
                _ => {}
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_istioctl_writes_without_types_is_known_by_its_keys() {
        for (text, name) in [
            (r#"{"name": "x", "defaultFilterChain": {}}"#, LISTENER),
            (r#"{"name": "BlackHoleCluster", "type": "STATIC", "connectTimeout": "10s"}"#, CLUSTER),
            (r#"{"name": "80", "validateClusters": false}"#, "envoy.config.route.v3.RouteConfiguration"),
            (r#"{"clusterName": "x", "endpoints": []}"#, ENDPOINTS),
            (r#"{"ecdsFilters": []}"#, "envoy.admin.v3.EcdsConfigDump"),
            (r#"{"dynamicActiveSecrets": [{"name": "default"}]}"#, "envoy.admin.v3.SecretsConfigDump"),
            (r#"{"bootstrap": {"node": {}}}"#, "envoy.admin.v3.BootstrapConfigDump"),
        ] {
            let found = type_in_text(text);
            assert!(found.ends_with(&format!("/{name}")) && is_of_a_dump(&found), "{text}: {found}");
        }
        assert_eq!(type_in_text(r#"{"name": "x"}"#), "");
        for old in ["type.googleapis.com/envoy.api.v2.Listener", "type.googleapis.com/envoy.admin.v2alpha.ClustersConfigDump"] {
            assert!(is_of_a_dump(old));
        }
        assert!(!is_of_a_dump("type.googleapis.com/envoy.api.v2.core.Address"));
    }
}
