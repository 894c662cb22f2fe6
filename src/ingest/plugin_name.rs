//! From the name of a filter back to the plugin that made it, in each of Istio's ways of naming (`pilot/pkg/model/extensions.go` of each release).

use crate::model::envoy::{FilterSource, NameEra, PluginFilter};
use crate::model::ids::{ObjectName, PluginId, PluginKind, is_dns_label};
use crate::model::version::Version;

/// Istio's mark on the name of a TrafficExtension that istiod made of a WasmPlugin
/// (`pilot/pkg/config/kube/extensions/translate.go`).
pub const TRANSLATED: &str = "~istio-translated-wasmplugin";

/// The prefixes, each with its era; the middle one has Istio's own typo.
const PREFIXES: [(&str, NameEra); 3] = [
    ("extensions.istio.io/trafficextension/", NameEra::TrafficExtension),
    ("extenstions.istio.io/wasmplugin/", NameEra::Extenstions),
    ("extensions.istio.io/wasmplugin/", NameEra::Extensions),
];

/// The plugin behind a filter; None for Envoy's and Istio's own filters.
///
/// `native` says that the filter's code is compiled into Envoy (`envoy.wasm.runtime.null`): Istio's own telemetry was built
/// so until 1.17, and is no plugin.
pub fn of_filter(name: &str, source: &FilterSource, native: bool) -> Option<PluginFilter> {
    if let Some(found) = prefixed(name) {
        return may_be(&found, source).then_some(found);
    }
    let types: &[String] = match source {
        FilterSource::Inline(type_url) => std::slice::from_ref(type_url),
        FilterSource::Discovery(type_urls) => type_urls,
        FilterSource::Unknown => &[],
    };
    if native || !types.iter().any(|type_url| type_url.ends_with(".wasm.v3.Wasm")) {
        return None;
    }
    let discovered = matches!(source, FilterSource::Discovery(_));
    if discovered && let Some(found) = bare(name) {
        return Some(found);
    }
    Some(foreign(name))
}

/// Whether a filter of a plugin's name can be the plugin's: an EnvoyFilter can replace it by one of another type under its name. Of what is
/// inline istiod writes only the Lua of a TrafficExtension.
fn may_be(plugin: &PluginFilter, source: &FilterSource) -> bool {
    let FilterSource::Inline(type_url) = source else { return true };
    let is_lua = type_url.ends_with(".Lua") && plugin.id.kind == PluginKind::TrafficExtension;
    is_lua || type_url.ends_with(".wasm.v3.Wasm") || type_url.is_empty()
}

/// The filter of an EnvoyFilter or of the bootstrap, known by its own name alone.
pub fn foreign(name: &str) -> PluginFilter {
    PluginFilter { id: PluginId::new(PluginKind::EnvoyFilter, "", name), era: NameEra::Foreign }
}

/// Whether an istiod that serves a proxy of this version can name a plugin's filter `ns.name`, as it did until 1.20: a proxy is no newer
/// than its istiod. True where the version is not known.
pub fn is_bare_possible(proxy: &str) -> bool {
    Version::parse(proxy).is_none_or(Version::names_filters_bare)
}

/// Whether an ECDS resource of this name is the plugin's.
pub fn is_resource_of(name: &str, plugin: &PluginId) -> bool {
    match plugin.kind {
        PluginKind::EnvoyFilter => name == plugin.name.name,
        PluginKind::WasmPlugin | PluginKind::TrafficExtension => of_resource(name, true).is_some_and(|found| found.id == *plugin),
    }
}

/// The plugin behind the name of an ECDS resource, which is the filter's name. `wasm` says that it holds a Wasm filter, or
/// what the agent put in the place of one.
pub fn of_resource(name: &str, wasm: bool) -> Option<PluginFilter> {
    prefixed(name).or_else(|| wasm.then(|| bare(name)).flatten())
}

/// The namespace and name in the name that a plugin's configuration carries, `ns.name`, in logs and refusals; and whether it has
/// the mark of a WasmPlugin that istiod translated.
pub fn of_configuration(name: &str) -> Option<(ObjectName, bool)> {
    // A namespace has no dot, a plugin's name may: the first one divides (`extension_config_builder.go: parseExtensionName`).
    let (namespace, name) = name.split_once('.')?;
    let marked = name.strip_suffix(TRANSLATED);
    Some((ObjectName::new(namespace, marked.unwrap_or(name)), marked.is_some()))
}

fn prefixed(name: &str) -> Option<PluginFilter> {
    let (rest, era) = PREFIXES.into_iter().find_map(|(prefix, era)| Some((name.strip_prefix(prefix)?, era)))?;
    let (name, marked) = of_configuration(rest)?;
    let kind = if era == NameEra::TrafficExtension && !marked { PluginKind::TrafficExtension } else { PluginKind::WasmPlugin };
    Some(PluginFilter { id: PluginId { name, kind }, era })
}

/// `ns.name`, as Istio wrote it until 1.20: a namespace and a name as the API server takes them. Envoy's own filters have dots in their
/// names too.
fn bare(name: &str) -> Option<PluginFilter> {
    let (namespace, rest) = name.split_once('.')?;
    let is_envoys = namespace == "envoy" && rest.contains('.');
    if is_envoys || !is_dns_label(namespace) || !rest.split('.').all(is_dns_label) {
        return None;
    }
    Some(PluginFilter { id: PluginId::new(PluginKind::WasmPlugin, namespace, rest), era: NameEra::Bare })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovered() -> FilterSource {
        FilterSource::Discovery(vec!["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm".to_owned()])
    }

    #[test]
    fn every_era_is_read_back() {
        for (name, kind, era) in [
            ("default.helloworld", PluginKind::WasmPlugin, NameEra::Bare),
            ("extenstions.istio.io/wasmplugin/default.helloworld", PluginKind::WasmPlugin, NameEra::Extenstions),
            ("extensions.istio.io/wasmplugin/default.helloworld", PluginKind::WasmPlugin, NameEra::Extensions),
            (
                "extensions.istio.io/trafficextension/default.helloworld~istio-translated-wasmplugin",
                PluginKind::WasmPlugin,
                NameEra::TrafficExtension,
            ),
            ("extensions.istio.io/trafficextension/default.helloworld", PluginKind::TrafficExtension, NameEra::TrafficExtension),
        ] {
            let found = of_filter(name, &discovered(), false).expect(name);
            assert_eq!((found.id, found.era), (PluginId::new(kind, "default", "helloworld"), era), "{name}");
        }
    }

    #[test]
    fn a_plugins_name_may_have_dots_and_a_namespace_none() {
        let found = of_filter("extensions.istio.io/wasmplugin/team-a.auth.v1.2", &discovered(), false).expect("a plugin");
        assert_eq!(found.id, PluginId::new(PluginKind::WasmPlugin, "team-a", "auth.v1.2"));
    }

    #[test]
    fn filters_that_are_no_plugins_are_none() {
        let wasm = FilterSource::Inline("type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm".to_owned());
        let router = FilterSource::Inline("type.googleapis.com/envoy.extensions.filters.http.router.v3.Router".to_owned());
        assert_eq!(of_filter("envoy.filters.http.router", &router, false), None);
        assert_eq!(of_filter("istio.stats", &wasm, true), None);
    }

    #[test]
    fn what_is_inline_of_another_type_is_not_the_plugins() {
        let of = |name: &str, of_type: &str| {
            of_filter(name, &FilterSource::Inline(format!("type.googleapis.com/envoy.extensions.filters.http.{of_type}")), false)
        };
        let wasm = "extensions.istio.io/trafficextension/default.p~istio-translated-wasmplugin";
        assert_eq!(of(wasm, "lua.v3.Lua"), None);
        assert!(of(wasm, "wasm.v3.Wasm").is_some());
        let extension = "extensions.istio.io/trafficextension/default.p";
        assert!(of(extension, "lua.v3.Lua").is_some());
        assert_eq!(of(extension, "rbac.v3.RBAC"), None);
    }

    #[test]
    fn wasm_under_a_free_name_is_an_envoy_filters() {
        let wasm = FilterSource::Inline("type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm".to_owned());
        let free = [("my-filter", &wasm), ("envoy.filters.http.wasm", &discovered()), ("basic.auth", &wasm)];
        let no_name_of_an_object = [("istio.basic_auth", &discovered()), ("Shop.auth", &discovered()), ("shop.-auth", &discovered())];
        for (name, source) in free.into_iter().chain(no_name_of_an_object) {
            let found = of_filter(name, source, false).expect(name);
            assert_eq!(found.id, PluginId::new(PluginKind::EnvoyFilter, "", name));
        }
    }

    #[test]
    fn a_namespace_may_be_called_istio_and_names_without_prefix_end_with_1_20() {
        let found = of_filter("istio.auth", &discovered(), false).expect("a plugin");
        assert_eq!(found.id, PluginId::new(PluginKind::WasmPlugin, "istio", "auth"));
        assert!(["1.12.0", "1.20.8", "1.20-alpha.0123", "", "unknown"].into_iter().all(is_bare_possible));
        assert!(!["1.21.0", "1.26.2", "1.31-alpha.eed52ebb66ad", "v1.21.0", "2.0.0"].into_iter().any(is_bare_possible));
    }
}
