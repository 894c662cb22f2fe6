//! What a dump alone shows of plugins: stubs of every release, refused listeners, and the Wasm of EnvoyFilters.

use serde_json::{Value, json};

use super::inputs::Case;
use super::support;

const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const RBAC: &str = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC";

/// What `health` says of the plugins of a file, by name: the state on its one proxy.
fn states(path: &str) -> Vec<(String, String)> {
    let answer = support::json(&["health", "--from", path]);
    let of = |plugin: &Value| (plugin["plugin"].as_str().unwrap().to_owned(), plugin["proxies"][0]["state"].as_str().unwrap().to_owned());
    answer["plugins"].as_array().unwrap().iter().map(of).collect()
}

/// What `check` finds: each code with its severity and object; and its exit status.
fn checked(path: &str) -> (Vec<(String, String, String)>, i32) {
    let (status, _, answer) = support::ask(&["check", "--from", path, "-o", "json"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |finding: &Value| (text(&finding["code"]), text(&finding["severity"]), text(&finding["object"]["name"]));
    (answer["findings"].as_array().unwrap().iter().map(of).collect(), status)
}

fn found(code: &str, severity: &str, object: &str) -> (String, String, String) {
    (code.to_owned(), severity.to_owned(), object.to_owned())
}

/// A dump of a proxy of this version whose one chain has these HTTP filters, with these ECDS resources.
fn dump(version: &str, filters: &[Value], ecds: &[Value]) -> Value {
    let manager = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "http_filters": filters});
    let chain = json!({"name": "0.0.0.0_8080", "filter_chain_match": {"destination_port": 8080},
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]});
    let listener = json!({"name": "virtualInbound", "traffic_direction": "INBOUND", "filter_chains": [chain],
        "address": {"socket_address": {"address": "0.0.0.0", "port_value": 15006}}});
    json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"node": {
            "id": "sidecar~10.1.0.7~orders-0.shop~shop.svc.cluster.local", "metadata": {"ISTIO_VERSION": version, "NAMESPACE": "shop"}}}},
        {"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": ecds},
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": [
            {"name": "virtualInbound", "active_state": {"listener": listener, "last_updated": "2025-02-01T00:00:01Z"}}]}]})
}

fn asks(name: &str, types: &[&str]) -> Value {
    json!({"name": name, "config_discovery": {"config_source": {"ads": {}, "initial_fetch_timeout": "0s"}, "type_urls": types}})
}

fn resource(name: &str, config: &Value) -> Value {
    json!({"ecds_filter": {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": name, "typed_config": config},
        "last_updated": "2025-02-01T00:00:01Z"})
}

/// A dump in a file, which goes when the value does.
fn file(dump: &Value) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, dump.to_string()).unwrap();
    let name = path.to_str().unwrap().to_owned();
    (folder, name)
}

#[test]
fn field_01_a_stub_is_known_by_its_shape_in_every_release() {
    let case = Case::open("01-stub-without-stat-prefix");
    let path = |file: &str| case.path(file).to_str().unwrap().to_owned();
    for (file, state, severity, exit) in [("allow-1.18.json", "stubAllow", "warning", 0), ("deny-1.26.json", "stubDeny", "error", 1)] {
        assert_eq!(states(&path(file)), [("shop/coupon".to_owned(), state.to_owned())]);
        assert_eq!(checked(&path(file)), (vec![found("stub-in-place", severity, "coupon")], exit), "{file}");
    }
    let mesh = path("open-126");
    assert!(checked(&mesh).0.contains(&found("stub-in-place", "warning", "missing-open")));
    let plugins = support::json(&["plugins", "--from", &mesh]);
    let of = |name: &str| plugins["plugins"].as_array().unwrap().iter().find(|plugin| plugin["plugin"] == name).unwrap().clone();
    assert_eq!(of("default/missing-open")["states"], json!({"stubAllow": 1}));
    assert_eq!(of("default/helloworld")["states"], json!({"running": 1}));
}

#[test]
fn field_01_each_release_writes_its_own_name_and_its_own_stub() {
    let network = "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC";
    for (version, name, config, state) in [
        ("1.14.6", "shop.coupon", json!({"@type": RBAC}), "stubAllow"),
        ("1.20.8", "shop.coupon", json!({"@type": RBAC}), "stubAllow"),
        ("1.24.1", "extenstions.istio.io/wasmplugin/shop.coupon", json!({"@type": RBAC}), "stubAllow"),
        ("1.25.0", "extenstions.istio.io/wasmplugin/shop.coupon", json!({"@type": RBAC, "rules": {}}), "stubDeny"),
        (
            "1.27.9",
            "extensions.istio.io/wasmplugin/shop.coupon",
            json!({"@type": RBAC, "rules": {"action": "ALLOW", "policies": {}}}),
            "stubDeny",
        ),
        (
            "1.25.0",
            "extenstions.istio.io/wasmplugin/shop.coupon",
            json!({"@type": network, "rules": {}, "stat_prefix": "wasm-default-deny"}),
            "stubDeny",
        ),
        (
            "1.28.0",
            "extensions.istio.io/wasmplugin/shop.coupon",
            json!({"@type": RBAC, "rules_stat_prefix": "wasm-default-allow"}),
            "stubAllow",
        ),
        (
            "1.31.0",
            "extensions.istio.io/trafficextension/shop.coupon~istio-translated-wasmplugin",
            json!({"@type": RBAC, "rules": {}, "rules_stat_prefix": "wasm-default-deny"}),
            "stubDeny",
        ),
    ] {
        let (_folder, path) = file(&dump(version, &[asks(name, &[WASM, RBAC])], &[resource(name, &config)]));
        assert_eq!(states(&path), [("shop/coupon".to_owned(), state.to_owned())], "{version} {config}");
        let exit = i32::from(state == "stubDeny");
        assert_eq!(checked(&path).1, exit, "{version} {config}");
    }
}

#[test]
fn field_01_somebodys_own_rbac_filter_is_no_stub() {
    let own = json!({"@type": RBAC, "rules": {"policies": {"all": {"permissions": [{"any": true}], "principals": [{"any": true}]}}}});
    let empty = json!({"@type": RBAC, "rules": {}});
    // Of a filter that asks for RBAC alone, whatever its name and shape.
    let (_folder, path) = file(&dump("1.26.2", &[asks("shop.guard", &[RBAC])], &[resource("shop.guard", &empty)]));
    assert_eq!((states(&path), checked(&path)), (vec![], (vec![], 0)));
    // In the listener itself.
    let inline = json!({"name": "envoy.filters.http.rbac", "typed_config": empty});
    let (_folder, path) = file(&dump("1.26.2", &[inline], &[]));
    assert_eq!((states(&path), checked(&path)), (vec![], (vec![], 0)));
    // In a TypedStruct, whatever is in it: the agent writes the message itself.
    for value in [own.clone(), empty.clone(), json!({}), json!({"rules_stat_prefix": "wasm-default-deny", "rules": {}})] {
        for outer in ["type.googleapis.com/udpa.type.v1.TypedStruct", "type.googleapis.com/xds.type.v3.TypedStruct"] {
            let wrapped = json!({"@type": outer, "type_url": RBAC, "value": value});
            for name in ["my-auth", "extensions.istio.io/wasmplugin/shop.coupon"] {
                let (_folder, path) = file(&dump("1.26.2", &[asks(name, &[WASM, RBAC])], &[resource(name, &wrapped)]));
                assert_eq!(states(&path)[0].1, "unknown", "{name} {wrapped}");
                assert_eq!(checked(&path), (vec![], 0), "{name} {wrapped}");
            }
        }
    }
    // With rules, shadow rules or a stat prefix of its own: the agent writes none of them.
    let shadow = json!({"@type": RBAC, "shadow_rules": {}});
    let named = json!({"@type": RBAC, "rules": {}, "rules_stat_prefix": "mine"});
    for config in [own, shadow, named] {
        let name = "extensions.istio.io/wasmplugin/shop.coupon";
        let (_folder, path) = file(&dump("1.26.2", &[asks(name, &[WASM, RBAC])], &[resource(name, &config)]));
        assert_eq!(states(&path), [("shop/coupon".to_owned(), "unknown".to_owned())], "{config}");
        assert_eq!(checked(&path), (vec![], 0), "{config}");
    }
}

#[test]
fn field_05_a_refused_listener_is_an_error_without_objects() {
    let case = Case::open("05-refused-listener-lone-dump");
    let path = case.path("dump.json");
    assert_eq!(checked(path.to_str().unwrap()), (vec![found("refused-push", "error", "coupon")], 1));
    // Whatever the reason, and where no plugin is in it.
    let mut other = dump("1.26.2", &[], &[]);
    let entry = &mut other["configs"][2]["dynamic_listeners"][0];
    entry["error_state"] = json!({"failed_configuration": entry["active_state"]["listener"], "details": "no such filter"});
    let (_folder, path) = file(&other);
    assert_eq!(checked(&path), (vec![found("refused-push", "error", "orders-0")], 1));
}

#[test]
fn field_08_a_resource_belongs_to_the_filter_that_asks_for_it() {
    let case = Case::open("08-envoyfilter-ecds");
    for name in ["my-wasm-filter", "basic_auth", "istio.basic_auth"] {
        let path = case.path(&format!("dump-{name}.json"));
        let path = path.to_str().unwrap();
        assert_eq!(states(path), [(name.to_owned(), "unverified".to_owned())]);
        assert_eq!(checked(path), (vec![], 0), "{name}");
    }
}

#[test]
fn field_08_free_names_of_every_shape() {
    let module =
        json!({"@type": WASM, "config": {"name": "mine", "vm_config": {"code": {"local": {"filename": "/var/lib/istio/data/a/b.wasm"}}}}});
    let wrapped = json!({"@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "type_url": WASM, "value": {"config": module["config"]}});
    for name in ["shop.quota", "istio.stats-of-mine", "envoy.filters.http.wasm", "Quota", "a.b.c", "quota/v1"] {
        for config in [&module, &wrapped] {
            let (_folder, path) = file(&dump("1.26.2", &[asks(name, &[WASM])], &[resource(name, config)]));
            let health = support::json(&["health", "--from", &path]);
            let plugin = &health["plugins"][0];
            assert_eq!((&plugin["plugin"], &plugin["pluginKind"]), (&json!(name), &json!("EnvoyFilter")), "{health}");
            assert_eq!(plugin["proxies"][0]["state"], "unverified", "the dump alone: {health}");
            assert_eq!(checked(&path), (vec![], 0), "{name}");
        }
        // Where ECDS really does not hold it, the filter waits.
        let (_folder, path) = file(&dump("1.26.2", &[asks(name, &[WASM])], &[resource("another", &module)]));
        assert_eq!(checked(&path).0, [found("pending-listener", "warning", name)]);
    }
    // Until 1.20 a plugin's filter had no prefix.
    let (_folder, path) = file(&dump("1.20.3", &[asks("istio.quota", &[WASM])], &[resource("istio.quota", &module)]));
    assert_eq!(states(&path), [("istio/quota".to_owned(), "unverified".to_owned())]);
}

#[test]
fn field_40_of_a_module_that_envoy_fetches_itself_nothing_is_to_be_seen() {
    let case = Case::open("40-envoyfilter-inline-remote");
    let path = case.path("dump.json");
    let path = path.to_str().unwrap();
    let health = support::json(&["health", "--from", path]);
    let plugin = &health["plugins"][0];
    assert_eq!((&plugin["plugin"], &plugin["pluginKind"]), (&json!("envoy.filters.http.wasm"), &json!("EnvoyFilter")));
    assert_eq!((&plugin["proxies"][0]["state"], &plugin["rollup"]), (&json!("unknown"), &json!("unknown")));
    let said = plugin["proxies"][0]["evidence"][0]["what"].as_str().unwrap();
    assert!(said.contains("http://wasm-server.kuadrant-system.svc/plugin.wasm") && said.contains("not to be seen"), "{said}");
    assert_eq!(checked(path), (vec![], 0));
    // A module that the listener has as a file, or whole, was read when Envoy took the listener.
    for code in [json!({"local": {"filename": "/etc/m.wasm"}}), json!({"local": {"inline_bytes": "AGFzbQ=="}})] {
        let inline = json!({"name": "m", "typed_config": {"@type": WASM, "config": {"name": "m", "vm_config": {"code": code}}}});
        let (_folder, path) = file(&dump("1.26.2", &[inline], &[]));
        assert_eq!(states(&path), [("m".to_owned(), "running".to_owned())]);
    }
}

#[test]
fn field_03_a_filter_whose_listener_envoy_rejected_does_not_run() {
    let case = Case::open("03-v2-untyped-config");
    let path = case.path("dump.json");
    assert_eq!(states(path.to_str().unwrap()), [("envoy.filters.http.wasm".to_owned(), "rejected".to_owned())]);
}

#[test]
fn field_41_the_same_filter_several_times_in_one_chain() {
    let case = Case::open("41-envoyfilter-duplicates");
    let path = case.path("dump.json");
    let path = path.to_str().unwrap();
    assert_eq!(checked(path), (vec![found("duplicate-wasm-filter", "warning", "envoy.filters.http.wasm")], 0));
    let chains = support::json(&["chains", "--from", path]);
    let filters = chains["proxies"][0]["listeners"][0]["filterChains"][0]["httpFilters"].as_array().unwrap();
    assert_eq!(filters.iter().filter(|filter| filter["pluginKind"] == "EnvoyFilter").count(), 3, "a request passes all of them");
    let order = support::json(&["order", "orders-0.shop", "--from", path]);
    for list in order["workloads"][0]["lists"].as_array().unwrap() {
        for sequence in list["found"].as_array().unwrap() {
            let mut said: Vec<&str> = sequence["differences"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            let lines = said.len();
            said.sort_unstable();
            said.dedup();
            assert_eq!(said.len(), lines, "no sentence twice");
        }
    }
}

#[test]
fn field_41_what_is_the_same_filter() {
    let config =
        |name: &str, file: &str| json!({"config": {"name": name, "root_id": "r", "vm_config": {"code": {"local": {"filename": file}}}}});
    let direct = |name: &str, file: &str| {
        let mut typed = config(name, file);
        typed["@type"] = json!(WASM);
        json!({"name": "w", "typed_config": typed})
    };
    let wrapped = |name: &str, file: &str| {
        let typed = json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": WASM, "value": config(name, file)});
        json!({"name": "w", "typed_config": typed})
    };
    let codes = |filters: &[Value], ecds: &[Value]| {
        let (_folder, path) = file(&dump("1.26.2", filters, ecds));
        checked(&path).0.into_iter().map(|(code, ..)| code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&[direct("a", "a.wasm"), wrapped("a", "a.wasm")], &[]), ["duplicate-wasm-filter"], "written in two ways");
    assert_eq!(codes(&[direct("a", "a.wasm"), direct("b", "a.wasm")], &[]), [] as [&str; 0], "one module, two configurations");
    assert_eq!(codes(&[direct("a", "a.wasm"), direct("a", "b.wasm")], &[]), [] as [&str; 0], "two modules");
    let name = "extensions.istio.io/wasmplugin/shop.coupon";
    let module = json!({"@type": WASM, "config": {"name": "shop.coupon", "vm_config": {"code": {"local": {"filename": "/var/lib/istio/data/a/b.wasm"}}}}});
    let twice = [asks(name, &[WASM]), asks(name, &[WASM])];
    assert_eq!(codes(&twice, &[resource(name, &module)]), ["duplicate-wasm-filter"], "a plugin's filter that was copied");
    assert_eq!(codes(&twice[..1], &[resource(name, &module)]), [] as [&str; 0]);
}
