//! In which order plugins run: the rulers held against every recording and against what real istiods of old versions sent, and
//! what differs from the rules said.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use meshscope::analysis::answers::{self, OrderEntry, OrderList};
use meshscope::ingest::collect::Collector;
use meshscope::ingest::config_dump;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::mesh::Istiod;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::update::Update;
use serde_json::{Value, json};

/// Every list of filters of every proxy of a recording.
fn recorded(recording: &str) -> Vec<(String, Value)> {
    let files = support::files(recording);
    let proxies = files.keys().filter_map(|path| path.strip_prefix("proxies/")?.strip_suffix("/config_dump.json"));
    let from = support::recording(recording);
    let lists = |proxy: &str| {
        let answer = support::json(&["order", proxy, "--from", from.to_str().unwrap()]);
        let lists = answer["workloads"][0]["lists"].as_array().unwrap().clone();
        lists.into_iter().map(|list| (format!("{recording} {proxy}"), list)).collect::<Vec<_>>()
    };
    proxies.flat_map(lists).collect()
}

#[test]
fn every_list_of_every_recording_lies_along_its_ruler() {
    let eras = support::eras();
    let recordings = support::MESHES.into_iter().chain(["scale"]).chain(eras.iter().map(String::as_str));
    let mut laid = 0;
    for (whose, list) in recordings.flat_map(recorded) {
        for found in list["found"].as_array().unwrap() {
            for filter in found["filters"].as_array().unwrap() {
                // Over a dump without objects nothing says which plugins there are.
                let unknown = whose.starts_with("scale") && filter.get("plugin").is_some();
                assert!(filter["stands"] == "inOrder" || unknown, "{whose}: {filter} in {found}");
                laid += 1;
            }
            assert_eq!(found["differences"], json!([]), "{whose}");
        }
    }
    assert!(laid > 300, "{laid} filters were laid");
}

/// A mesh of one proxy whose HTTP filters, in one inbound chain, are `http`; a name with a slash is a plugin's, one with `(custom)` behind it
/// that of a filter of a CUSTOM policy.
fn mesh(version: &str, http: &[&str], objects: &[(Kind, Value)]) -> Snapshot {
    let pod = json!({"metadata": {"namespace": "default", "name": "w-0"}, "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", "sidecar"]}]}, "status": {"phase": "Running"}});
    let mut collector = Collector::default();
    Kind::ALL.into_iter().for_each(|kind| drop(collector.apply(Update::Absent(kind))));
    for (kind, object) in objects.iter().cloned().chain([(Kind::Pod, pod)]) {
        collector.apply(Update::Applied { kind, object });
    }
    collector.apply(Update::Istiods(vec![Istiod { pod: "istiod".to_owned(), version: version.to_owned() }]));
    let minor: u32 = version.split('.').nth(1).unwrap().parse().unwrap();
    let chain = |filters: Vec<Value>| json!({"filters": filters});
    let hcm = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "route_config": {"virtual_hosts": [{"routes": [{"route": {"cluster": "inbound|80||"}}]}]},
        "http_filters": http.iter().map(|name| filter(name, minor)).collect::<Vec<_>>()}});
    let listener = json!({"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "virtualInbound", "traffic_direction": "INBOUND",
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 15006}}, "filter_chains": [chain(vec![hcm])]});
    let node = json!({"id": "sidecar~10.0.0.1~w-0.default~default.svc.cluster.local", "metadata": {"ISTIO_VERSION": version}});
    let dump = json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"node": node}},
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": [{"name": "virtualInbound", "active_state": {"listener": listener}}]}]});
    let parsed = config_dump::parse(dump.to_string().as_bytes(), DumpView::Proxy, "dump").unwrap();
    let loaded = LoadedDump {
        dump: parsed.dump,
        way: "file",
        took_ms: 0,
        read_at: None,
        vitals: None,
        serial: 1,
        warnings: Vec::new(),
        cut_short: None,
    };
    collector.snapshot(BTreeMap::from([(ProxyId::new("w-0", "default"), Dump::Loaded(Arc::new(loaded)))]))
}

fn filter(name: &str, minor: u32) -> Value {
    let Some((namespace, plugin)) = name.split_once('/') else {
        let (name, unusable) = name.strip_suffix("(unusable)").map_or((name, false), |name| (name, true));
        let (name, custom) = name.strip_suffix("(custom)").map_or((name, false), |name| (name, true));
        let name = if name.contains('.') || name == "istio_authn" { name.to_owned() } else { format!("envoy.filters.http.{name}") };
        let mut config = json!({"@type": "type.googleapis.com/x"});
        match name.as_str() {
            _ if unusable => {
                let name = "istio-ext-authz-ns[default]-policy[ext]-rule[0]-deny-due-to-bad-CUSTOM-action";
                config["rules"] = json!({"action": "DENY", "policies": {name: {}}});
            }
            "envoy.filters.http.rbac" if custom => config["shadow_rules_stat_prefix"] = json!("istio_ext_authz_"),
            _ if custom => config["filter_enabled_metadata"] = json!({"path": [{"key": "istio_ext_authz_shadow_effective_policy_id"}]}),
            _ => {}
        }
        return json!({"name": name, "typed_config": config});
    };
    let name = match minor {
        ..=20 => format!("{namespace}.{plugin}"),
        21..=25 => format!("extenstions.istio.io/wasmplugin/{namespace}.{plugin}"),
        26..=29 => format!("extensions.istio.io/wasmplugin/{namespace}.{plugin}"),
        _ => format!("extensions.istio.io/trafficextension/{namespace}.{plugin}~istio-translated-wasmplugin"),
    };
    json!({"name": name, "config_discovery": {"type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]}})
}

fn plugin(name: &str, spec: Value) -> (Kind, Value) {
    let mut spec = spec;
    spec["url"] = json!("oci://registry.example/x:v1");
    (
        Kind::WasmPlugin,
        json!({"metadata": {"namespace": "default", "name": name, "creationTimestamp": "2026-11-23T19:00:00Z"}, "spec": spec}),
    )
}

/// A plugin of each phase.
fn of_each_phase() -> [(Kind, Value); 4] {
    [
        plugin("authn", json!({"phase": "AUTHN"})),
        plugin("authz", json!({"phase": "AUTHZ"})),
        plugin("none", json!({})),
        plugin("stats", json!({"phase": "STATS"})),
    ]
}

fn entry(snapshot: &Snapshot) -> OrderEntry {
    answers::order(snapshot, &[ProxyId::new("w-0", "default")]).workloads.remove(0)
}

fn names(list: &OrderList) -> Vec<&str> {
    list.plugins.iter().map(|plugin| plugin.plugin.as_str()).collect()
}

#[test]
fn incident_d8_an_edit_of_one_of_several_plugins_is_named() {
    let edited = |mut of: (Kind, Value)| {
        let write = |time: &str| json!({"manager": "kubectl-edit", "operation": "Update", "time": time, "fieldsV1": {"f:spec": {}}});
        of.1["apiVersion"] = json!("extensions.istio.io/v1alpha1");
        of.1["metadata"]["managedFields"] = json!([write("2026-11-23T19:00:00Z"), write("2026-11-23T20:30:00Z")]);
        of
    };
    let auth = || plugin("auth", json!({"phase": "AUTHN", "priority": 10}));
    let limit = || edited(plugin("limit", json!({"phase": "AUTHN", "priority": 20})));
    let of = |objects: &[(Kind, Value)]| {
        let list = entry(&mesh("1.31.0", &["default/limit", "default/auth", "router"], objects)).lists.remove(0);
        list.plugins.iter().map(|plugin| (plugin.why.clone(), plugin.changed.clone().zip(plugin.changed_by.clone()))).collect::<Vec<_>>()
    };
    let changed = ("2026-11-23T20:30:00Z".to_owned(), "kubectl-edit".to_owned());
    let expected = [
        ("the first; its spec was changed last at 2026-11-23T20:30:00Z by kubectl-edit".to_owned(), Some(changed.clone())),
        ("same phase; priority 10 is lower than 20".to_owned(), None),
    ];
    assert_eq!(of(&[auth(), limit()]), expected);
    // One alone has no order.
    assert_eq!(of(&[limit()]), [("the only one".to_owned(), Some(changed))]);
}

#[test]
fn what_real_istiods_sent_lies_along_the_rulers_of_their_releases() {
    for (version, text) in [
        // Sent with a RequestAuthentication, an AuthorizationPolicy and metrics.
        (
            "1.12.0",
            "default/authn jwt_authn istio_authn default/authz rbac default/stats default/none istio.metadata_exchange cors fault istio.stats router",
        ),
        (
            "1.18.7",
            "istio.metadata_exchange default/authn jwt_authn istio_authn default/authz rbac default/stats default/none grpc_stats fault cors istio.stats router",
        ),
        (
            "1.22.3",
            "istio.metadata_exchange default/authn jwt_authn default/authz rbac default/stats default/none grpc_stats fault cors istio.stats router",
        ),
        (
            "1.26.2",
            "istio.metadata_exchange default/authn jwt_authn default/authz rbac default/stats default/none grpc_stats fault cors istio.stats router",
        ),
        // With a policy of action CUSTOM, as Istio's own tests have it (`core/listener_test.go`, 1.13: `extension/wasmplugin_test.go`).
        (
            "1.31.0",
            "istio.metadata_exchange rbac(custom) ext_authz(custom) default/authn default/authz rbac default/stats default/none grpc_stats fault cors istio.stats router",
        ),
        (
            "1.13.0",
            "default/authn default/authz rbac(custom) ext_authz(custom) jwt_authn istio_authn rbac default/stats default/none istio.metadata_exchange fault cors router",
        ),
        // Until 1.15 the metadata exchange stood after the plugins.
        (
            "1.15.0",
            "rbac(custom) ext_authz(custom) default/authn default/authz rbac default/stats default/none istio.metadata_exchange fault cors router",
        ),
    ] {
        let filters: Vec<&str> = text.split(' ').collect();
        let entry = entry(&mesh(version, &filters, &of_each_phase()));
        let list = &entry.lists[0];
        assert_eq!(list.chains, Some(1), "{version}");
        assert_eq!(list.differences().count(), 0, "{version}: {:?}", list.found);
        assert_eq!(names(list), ["default/authn", "default/authz", "default/stats", "default/none"], "{version}");
        assert_eq!(entry.istio_version, version.rsplit_once('.').unwrap().0);
    }
}

#[test]
fn what_differs_from_the_rules_is_said_with_both_orders() {
    let objects = of_each_phase();
    let moved = ["default/authn", "default/authz", "grpc_stats", "fault", "cors", "default/stats", "default/none", "router"];
    let differing = entry(&mesh("1.31.0", &moved, &objects));
    let said: Vec<&String> = differing.lists[0].differences().collect();
    assert_eq!(
        said,
        [
            "By the rules the order is default/authn > default/authz > default/stats > default/none > grpc_stats > fault > cors > router; the proxy has default/authn > default/authz > grpc_stats > fault > cors > default/stats > default/none > router."
        ]
    );
    assert!(differing.envoy_filters.is_empty());
    let patch = json!({"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_INBOUND"}, "patch": {"operation": "INSERT_FIRST", "value": {"name": "envoy.filters.http.lua"}}});
    let patches = |name: &str, spec: Value| (Kind::EnvoyFilter, json!({"metadata": {"namespace": "default", "name": name}, "spec": spec}));
    let objects = [
        &objects[..],
        &[
            patches("lua", json!({"configPatches": [patch]})),
            patches("clusters", json!({"configPatches": [{"applyTo": "CLUSTER"}]})),
            patches("others", json!({"configPatches": [patch], "workloadSelector": {"labels": {"app": "other"}}})),
        ],
    ]
    .concat();
    let strange = ["default/authn", "default/authz", "default/gone", "lua", "default/stats", "default/none", "grpc_stats", "router"];
    let differing = entry(&mesh("1.31.0", &strange, &objects));
    let said: Vec<&String> = differing.lists[0].differences().collect();
    assert_eq!(
        said,
        [
            "default/gone is in this list, but the objects do not put it there.",
            "envoy.filters.http.lua is none of Istio's filters of this list: an EnvoyFilter can put such a filter here."
        ]
    );
    assert_eq!(differing.envoy_filters, ["default/lua"], "the one that applies and patches listeners");
    assert!(differing.said().iter().any(|line| line.starts_with("EnvoyFilter default/lua applies here")));
}

#[test]
fn an_rbac_filter_is_that_of_custom_policies_only_where_it_is() {
    let plugins = [plugin("guard", json!({"phase": "AUTHN"}))];
    let said = |filters: &[&str]| entry(&mesh("1.31.0", filters, &plugins)).lists[0].differences().cloned().collect::<Vec<_>>();
    let early = ["istio.metadata_exchange", "rbac", "default/guard", "grpc_stats", "router"];
    assert_eq!(
        said(&early),
        ["By the rules the order is istio.metadata_exchange > default/guard > rbac > grpc_stats > router; \
          the proxy has istio.metadata_exchange > rbac > default/guard > grpc_stats > router."]
    );
    let custom = ["istio.metadata_exchange", "rbac(custom)", "ext_authz(custom)", "default/guard", "rbac", "router"];
    assert_eq!(said(&custom), [""; 0]);
    // That of a policy whose provider istiod cannot use stands in the same place, alone.
    let unusable = ["istio.metadata_exchange", "rbac(unusable)", "default/guard", "rbac", "router"];
    assert_eq!(said(&unusable), [""; 0]);
    // What an EnvoyFilter inserts is of no policy.
    let inserted = ["istio.metadata_exchange", "ext_authz", "default/guard", "router"];
    assert_eq!(
        said(&inserted),
        ["envoy.filters.http.ext_authz is none of Istio's filters of this list: an EnvoyFilter can put such a filter here."]
    );
}

#[test]
fn each_side_has_the_plugins_that_its_mode_lets_in() {
    let objects = [
        plugin("both", json!({"priority": 1})),
        plugin("client", json!({"match": [{"mode": "CLIENT"}]})),
        plugin("server", json!({"match": [{"mode": "SERVER", "ports": [{"number": 80}]}]})),
    ];
    let now = entry(&mesh("1.31.0", &["default/both", "default/server", "router"], &objects));
    // Three lists a side, the HTTP filters first.
    assert_eq!(names(&now.lists[0]), ["default/both", "default/server"]);
    assert_eq!(names(&now.lists[3]), ["default/both", "default/client"]);
    assert_eq!(now.shown(), [vec![0], vec![3]], "they differ, so each is said");
    // Before 1.16 there was no match, before 1.14 no plugin in outbound listeners.
    let old = entry(&mesh("1.15.0", &["router"], &objects));
    assert_eq!(names(&old.lists[1]), ["default/both", "default/client", "default/server"]);
    assert_eq!(old.shown(), [vec![0, 1]], "the same on both sides is said once");
    let older = entry(&mesh("1.12.0", &["router"], &objects));
    assert_eq!(names(&older.lists[0]).len(), 3);
    assert!(names(&older.lists[1]).is_empty());
    assert_eq!(older.lists[1].limits, ["Istio puts no plugin into this list."]);
}

#[test]
fn network_plugins_and_lua_stand_where_they_belong() {
    let lua = json!({"metadata": {"namespace": "default", "name": "lua", "creationTimestamp": "2026-11-23T18:00:00Z"}, "spec": {"lua": {"inlineCode": "x"}}});
    let network = json!({"metadata": {"namespace": "default", "name": "tcp"}, "spec": {"wasm": {"url": "oci://x", "type": "NETWORK"}}});
    let objects = [
        plugin("http", json!({})),
        plugin("net", json!({"type": "NETWORK", "phase": "AUTHN"})),
        (Kind::TrafficExtension, lua),
        (Kind::TrafficExtension, network),
    ];
    let now = entry(&mesh("1.31.0", &["router"], &objects));
    assert_eq!(names(&now.lists[0]), ["default/lua", "default/http"], "the older one first, whatever its kind");
    assert_eq!(names(&now.lists[1]), ["default/net", "default/tcp"]);
    assert_eq!(names(&now.lists[2]), ["default/net", "default/tcp"]);
    assert!(now.left_out.is_empty());
    let old = entry(&mesh("1.19.0", &["router"], &objects));
    assert_eq!(names(&old.lists[0]), ["default/net", "default/http"], "every plugin was an HTTP filter");
    assert_eq!(old.lists.len(), 2, "there were no network plugins");
    let why: Vec<&str> = old.left_out.iter().map(|plugin| plugin.why.as_str()).collect();
    assert!(why.len() == 2 && why.iter().all(|why| why.contains("TrafficExtension") && why.contains("1.30")), "{why:?}");
}

#[test]
fn a_phase_that_istiod_cannot_read_has_no_place() {
    let now = entry(&mesh("1.31.0", &["router"], &[plugin("late", json!({"phase": "LATE"}))]));
    assert!(names(&now.lists[0]).is_empty());
    assert!(now.left_out[0].why.contains("spec.phase is LATE, which is not a phase"), "{:?}", now.left_out);
}

#[test]
fn the_version_is_the_istiods_else_the_proxys_else_the_newest() {
    let mut snapshot = mesh("1.18.7", &["router"], &[]);
    assert_eq!(entry(&snapshot).istio_version, "1.18");
    Arc::make_mut(&mut snapshot.objects).istiods.clear();
    assert_eq!(entry(&snapshot).istio_version, "1.18", "the proxy's own");
    snapshot.dumps.clear();
    let newest = entry(&snapshot);
    assert_eq!(newest.istio_version, meshscope::analysis::era::Version::NEWEST.to_string());
    assert_eq!((newest.lists[0].chains, newest.lists[0].chains_note.as_deref()), (None, Some("the proxy's config dump was not read")));
    assert!(newest.lists[0].found.is_empty() && newest.lists[0].ruler.iter().all(|place| place.chains.is_none()));
}
