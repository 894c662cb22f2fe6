//! The running order of plugins, tie-breaker by tie-breaker; what rulers say; how filters lie along one.

use super::built_in::CUSTOM;
use super::{BuiltIn, FilterList, Laid, Place, Reason, ServedFrom, lay, limits, reason, ruler, running_order};
use crate::analysis::era::Version;
use crate::analysis::placement::ListenerDirection;
use crate::ingest::redact;
use crate::model::envoy::{Filter, FilterSource};
use crate::model::ids::{PluginId, PluginKind};
use crate::model::plugin::{Extension, Phase, Plugin, PluginType};

const NOW: Version = Version { major: 1, minor: 31 };
const ROOT: &str = "istio-system";

fn at(minor: u32) -> Version {
    Version { major: 1, minor }
}

fn plugin(name: &str) -> Plugin {
    let (namespace, name) = name.split_once('/').expect("namespace/name");
    Plugin {
        id: PluginId::new(PluginKind::WasmPlugin, namespace, name),
        selector: None,
        target_refs: Vec::new(),
        target_ref: None,
        phase: Phase::Unspecified,
        priority: None,
        plugin_type: PluginType::Http,
        extension: Extension::Lua { bytes: 1 },
        matches: Vec::new(),
        revision: None,
        created: Some("2026-11-23T19:00:00Z".to_owned()),
        resource_version: None,
        generation: None,
        writes: Vec::new(),
        undecodable: Vec::new(),
    }
}

fn in_phase(name: &str, phase: Phase) -> Plugin {
    Plugin { phase, ..plugin(name) }
}

fn with_priority(name: &str, priority: impl Into<Option<i64>>) -> Plugin {
    Plugin { priority: priority.into(), ..plugin(name) }
}

fn created(name: &str, created: Option<&str>) -> Plugin {
    Plugin { created: created.map(str::to_owned), ..plugin(name) }
}

fn traffic_extension(name: &str) -> Plugin {
    let wasm = plugin(name);
    Plugin { id: PluginId { kind: PluginKind::TrafficExtension, ..wasm.id.clone() }, ..wasm }
}

/// The order whichever way the plugins come, and the reasons between neighbours.
fn ordered(plugins: &[Plugin], version: Version) -> (Vec<String>, Vec<Reason>) {
    let sorted = running_order(plugins, "default", ROOT, version);
    assert_eq!(sorted, running_order(plugins.iter().rev(), "default", ROOT, version), "the order does not depend on how they come");
    let reasons = sorted.windows(2).map(|pair| reason(pair[0], pair[1], "default", ROOT, version)).collect();
    (sorted.iter().map(|plugin| plugin.id.to_string()).collect(), reasons)
}

#[test]
fn the_phase_decides_before_all_else() {
    let plugins = [
        Plugin { priority: Some(9), ..plugin("default/none") },
        in_phase("default/stats", Phase::Stats),
        in_phase("istio-system/authn", Phase::Authn),
        in_phase("default/authz", Phase::Authz),
    ];
    let (names, reasons) = ordered(&plugins, NOW);
    assert_eq!(names, ["istio-system/authn", "default/authz", "default/stats", "default/none"]);
    assert_eq!(reasons[0], Reason::Phase { before: Phase::Authn, after: Phase::Authz });
    assert_eq!(reasons[2].to_string(), "no phase comes after phase STATS");
}

#[test]
fn an_unset_priority_is_below_negative_ones() {
    let plugins =
        [with_priority("default/a", None), with_priority("default/b", -5), with_priority("default/c", 0), with_priority("default/d", 10)];
    for version in [at(12), at(18), at(19), NOW] {
        let (names, reasons) = ordered(&plugins, version);
        assert_eq!(names, ["default/d", "default/c", "default/b", "default/a"]);
        assert_eq!(reasons[2], Reason::Priority { before: Some(-5), after: None });
        assert_eq!(reasons[2].to_string(), "same phase; no priority is the lowest, below -5");
    }
}

#[test]
fn an_unset_priority_is_the_smallest_number_of_the_field() {
    let plugins = [with_priority("default/a", None), with_priority("default/b", i64::from(i32::MIN))];
    assert_eq!(ordered(&plugins, at(18)).0, ["default/b", "default/a"], "64 bits");
    assert_eq!(ordered(&plugins, at(19)).0, ["default/a", "default/b"], "32 bits: the same, so the name decides");
}

#[test]
fn the_root_namespace_went_first_until_1_19() {
    let plugins = [created("default/own", Some("2026-11-23T19:00:01Z")), plugin("istio-system/root"), plugin("shop/service")];
    let (names, reasons) = ordered(&plugins, at(19));
    assert_eq!(names, ["istio-system/root", "default/own", "shop/service"]);
    assert_eq!(
        reasons[0].to_string(),
        "same phase and priority; namespace default (the proxy's own) comes after istio-system (the root namespace)"
    );
    for version in [at(20), NOW] {
        let (names, reasons) = ordered(&plugins, version);
        assert_eq!(names, ["default/own", "istio-system/root", "shop/service"], "{version:?}: though the root's is older");
        let wanted = Reason::Namespace {
            before: "istio-system".to_owned(),
            before_is: ServedFrom::Root,
            after: "shop".to_owned(),
            after_is: ServedFrom::Service,
        };
        assert_eq!(reasons[1], wanted);
    }
}

#[test]
fn the_older_runs_first_to_the_second() {
    let plugins = [
        created("default/younger", Some("2026-11-23T19:00:02Z")),
        created("default/z-older", Some("2026-11-23T19:00:01.900000Z")),
        created("default/a-same-second", Some("2026-11-23T19:00:01Z")),
        created("default/unknown", None),
    ];
    let (names, reasons) = ordered(&plugins, NOW);
    assert_eq!(names, ["default/unknown", "default/a-same-second", "default/z-older", "default/younger"]);
    let first = Some("2026-11-23T19:00:01Z".to_owned());
    assert_eq!(reasons[0], Reason::Age { before: None, after: first });
    assert!(matches!(reasons[1], Reason::Name { .. }));
    assert!(matches!(reasons[2], Reason::Age { .. }));
}

#[test]
fn in_one_second_the_name_decides_with_the_mark_of_a_translated_plugin() {
    let plugins = [plugin("default/a"), plugin("default/ab")];
    assert_eq!(ordered(&plugins, at(29)).0, ["default/a", "default/ab"]);
    let (names, reasons) = ordered(&plugins, at(30));
    assert_eq!(names, ["default/ab", "default/a"], "~ sorts after every letter");
    let marked = |name: &str| format!("{name}~istio-translated-wasmplugin");
    assert_eq!(reasons[0], Reason::Name { before: marked("ab"), after: marked("a") });
    let native = [traffic_extension("default/a"), plugin("default/a")];
    assert_eq!(running_order(&native, "default", ROOT, NOW)[0].id.kind, PluginKind::TrafficExtension, "its name has no mark");
}

#[test]
fn until_1_22_the_compared_name_had_the_namespace_behind_it() {
    let plugins = [plugin("default/a"), plugin("default/a-b")];
    assert_eq!(ordered(&plugins, at(22)).0, ["default/a-b", "default/a"], "a-b.default is less than a.default");
    assert_eq!(ordered(&plugins, at(23)).0, ["default/a", "default/a-b"]);
}

#[test]
fn a_phase_that_istio_does_not_know_comes_last() {
    let plugins = [in_phase("default/odd", Phase::Unknown("LATE".to_owned())), plugin("default/none")];
    let (names, reasons) = ordered(&plugins, NOW);
    assert_eq!(names, ["default/none", "default/odd"]);
    assert_eq!(reasons[0].to_string(), "phase LATE comes after no phase");
}

fn told(list: FilterList, direction: ListenerDirection, minor: u32, custom: bool) -> Vec<String> {
    limits(&ruler(list, direction, at(minor), custom))
}

#[test]
fn what_can_never_be_follows_from_the_ruler() {
    assert_eq!(
        told(FilterList::Http, ListenerDirection::Inbound, 31, false),
        [
            "Every plugin runs after metadata exchange and CUSTOM authorization; none can be put before them.",
            "Plugins of phase AUTHN run before JWT authentication, those of AUTHZ, STATS and no phase after it.",
            "Plugins of phase AUTHN and AUTHZ run before authorization (RBAC), those of STATS and no phase after it.",
            "Plugins of phase STATS and no phase follow each other with no built-in filter between them.",
            "Every plugin runs before gRPC-Web, gRPC statistics, fault injection, CORS, telemetry and routing; none can be put after them.",
        ]
    );
    let waypoint = told(FilterList::Http, ListenerDirection::Waypoint, 29, false);
    assert_eq!(waypoint[0], "Every plugin runs after CUSTOM authorization; none can be put before it.");
    assert_eq!(
        waypoint[2],
        "Plugins of phase AUTHN and AUTHZ run before authorization (RBAC), gRPC-Web, gRPC statistics, fault injection, CORS and dynamic forwarding, those of STATS and no phase after them."
    );
    assert_eq!(
        told(FilterList::Http, ListenerDirection::Outbound, 31, false)[1],
        "Plugins of phase AUTHN, AUTHZ, STATS and no phase follow each other with no built-in filter between them."
    );
    // Until 1.13 plugins of AUTHN and AUTHZ ran before CUSTOM authorization, and so before the JWT check.
    assert_eq!(
        told(FilterList::Http, ListenerDirection::Gateway, 13, true)[1],
        "Plugins of phase AUTHN and AUTHZ run before CUSTOM authorization, JWT authentication, Istio authentication and authorization (RBAC), those of STATS and no phase after them."
    );
    for (list, direction) in
        [(FilterList::NetworkOfHttp, ListenerDirection::Waypoint), (FilterList::NetworkOfTcp, ListenerDirection::Inbound)]
    {
        let nowhere = "Istio puts no plugin into this list.";
        assert_eq!(told(list, direction, 19, false), [nowhere], "NETWORK plugins came with 1.20");
        assert_eq!(told(list, direction, 20, false) == [nowhere], direction == ListenerDirection::Waypoint);
    }
}

/// How filters lie along a ruler, those with `!` in front made for CUSTOM policies: the place of each, `!` where it was moved, `?` where it is
/// unknown.
fn lie(places: &[Place], names: &[&str]) -> String {
    let filter = |name: &&str| Filter {
        name: name.trim_start_matches('!').to_owned(),
        source: FilterSource::Unknown,
        plugin: None,
        disabled: false,
        raw: redact::raw_json(if name.starts_with('!') { r#"{"shadow_rules_stat_prefix": "istio_ext_authz_"}"# } else { "{}" }),
    };
    let filters: Vec<Filter> = names.iter().map(filter).collect();
    let filters: Vec<(&Filter, Option<&PluginId>)> = filters.iter().map(|filter| (filter, None)).collect();
    let mark = |laid: Laid| match laid {
        Laid::At(place) => place.to_string(),
        Laid::Moved(place) => format!("{place}!"),
        Laid::Unknown => "?".to_owned(),
    };
    lay(places, &filters).into_iter().map(mark).collect::<Vec<_>>().join(" ")
}

#[test]
fn filters_lie_along_the_ruler_with_as_few_moved_as_can_be() {
    let built_in = |names: &'static [&'static str]| Place::BuiltIn(BuiltIn { names, what: "", when: "" });
    let places = [Place::BuiltIn(CUSTOM), built_in(&["jwt"]), Place::Heading, built_in(&["envoy.filters.http.rbac"]), built_in(&["cors"])];
    let (custom, authorizer, rbac) = ("!envoy.filters.http.rbac", "!envoy.filters.http.ext_authz", "envoy.filters.http.rbac");
    for (filters, lies) in [
        (&[custom, authorizer, "jwt", rbac, "cors"][..], "0 0 1 3 4"),
        (&[rbac, "cors"], "3 4"),
        (&[rbac, rbac, rbac, "cors"], "3 3 3 4"),
        (&[rbac, "jwt", "cors"], "3 1! 4"),
        (&["jwt", custom, "cors"], "1 0! 4"),
        (&["jwt", rbac], "1 3"),
        (&["cors", "jwt", rbac], "4! 1 3"),
        (&["jwt", "lua", "cors"], "1 ? 4"),
        (&["envoy.filters.http.ext_authz"], "?"),
        (&[], ""),
    ] {
        assert_eq!(lie(&places, filters), lies, "{filters:?}");
    }
}
