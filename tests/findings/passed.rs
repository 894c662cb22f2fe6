//! Filters that are there, or whose EnvoyFilter makes a prediction impossible, and that requests do not pass.

use serde_json::{Value, json};

use super::modules::checked;
use super::proxies::{DUMP, without_plugin};
use super::recorded::{HTTPBIN, Mesh, http_filters, is_of};
use super::removed::{envoy_filter, patch};

const FILTER: &str = "extensions.istio.io/trafficextension/default.helloworld~istio-translated-wasmplugin";
pub(super) const HCM: &str = "envoy.filters.network.http_connection_manager";

/// An EnvoyFilter on httpbin with one patch and its value.
pub(super) fn patched(mut patch: Value, value: Value) -> Value {
    patch["patch"]["value"] = value;
    envoy_filter("default/cleanup", json!({"app": "httpbin"}), patch)
}

/// The recording in which a change is made to the chains with HTTP of virtualInbound.
fn changed(change: impl Fn(&mut Value)) -> Mesh {
    Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")).for_each(change);
    })
}

/// What `health` says of the plugin on its one proxy: the state, and the evidence.
fn said(mesh: &Mesh) -> (String, String) {
    let health = mesh.ask(&["health", "default/helloworld"]);
    let proxy = &health["plugins"][0]["proxies"][0];
    (proxy["state"].as_str().unwrap().to_owned(), proxy["evidence"].to_string())
}

#[test]
fn a_plugin_in_no_inbound_chain_does_not_run_whatever_an_envoy_filter_leaves_open() {
    let merge = patch("NETWORK_FILTER", "MERGE", json!({"name": HCM}));
    let manager = json!({"typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", "http_filters": []}});
    let insert = patch("HTTP_FILTER", "INSERT_BEFORE", json!({"name": HCM, "subFilter": {"name": "envoy.filters.http.router"}}));
    for envoy_filter in [patched(merge, manager), patched(insert.clone(), json!({"name": "lua"}))] {
        let (state, evidence) = said(&without_plugin(Mesh::permissive()).with([envoy_filter]));
        assert_eq!(state, "unverified", "{evidence}");
        assert!(
            evidence.contains("virtualInbound: 0 of 8 inbound chains have it; EnvoyFilter default/cleanup may change its chains"),
            "{evidence}"
        );
    }
    // In its chains it runs, whatever else an EnvoyFilter adds; and what only leaves the workload is in no inbound chain.
    assert_eq!(said(&Mesh::permissive().with([patched(insert, json!({"name": "lua"}))])).0, "running");
}

#[test]
fn a_filter_that_is_disabled_in_its_chains_is_removed_by_what_merges_it() {
    let own = json!({"name": HCM, "subFilter": {"name": FILTER}});
    let disabled = || {
        changed(|chain| {
            let filters = http_filters(chain);
            filters.iter_mut().find(|filter| is_of(filter, "default.helloworld")).unwrap()["disabled"] = json!(true);
        })
    };
    let mesh = disabled().with([patched(patch("HTTP_FILTER", "MERGE", own), json!({"name": FILTER, "disabled": true}))]);
    let (state, evidence) = said(&mesh);
    assert_eq!(state, "removed", "{evidence}");
    assert!(evidence.contains("EnvoyFilter default/cleanup") && evidence.contains("disabled: true"), "{evidence}");
    assert_eq!(checked(&mesh, "plugin-removed")[0]["severity"], "error");
    // By an EnvoyFilter that does not show it.
    let insert = patch("HTTP_FILTER", "INSERT_BEFORE", json!({"name": HCM, "subFilter": {"name": "envoy.filters.http.router"}}));
    let (state, evidence) = said(&disabled().with([patched(insert, json!({"name": "lua"}))]));
    assert_eq!(state, "unverified", "{evidence}");
    assert!(evidence.contains("its filter is disabled in 4 of 8 inbound chains"), "{evidence}");
}

#[test]
fn a_filter_of_another_type_under_the_plugins_name_is_not_the_plugins() {
    let lua = json!({"name": FILTER, "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"}});
    let own = json!({"name": HCM, "subFilter": {"name": FILTER}});
    let mesh = changed(|chain| {
        let filters = http_filters(chain);
        *filters.iter_mut().find(|filter| is_of(filter, "default.helloworld")).unwrap() = lua.clone();
    });
    let mesh = mesh.with([patched(patch("HTTP_FILTER", "REPLACE", own), lua.clone())]);
    let (state, evidence) = said(&mesh);
    assert_eq!(state, "removed", "{evidence}");
    assert!(evidence.contains("virtualInbound: 0 of 8 chains have it, the objects ask for 4"), "{evidence}");
    assert_eq!(checked(&mesh, "plugin-removed")[0]["severity"], "error");
}

#[test]
fn a_filter_that_the_inbound_routes_disable_is_not_known_to_run() {
    let off = |disabled: bool| json!({FILTER: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": disabled}});
    let routes = |chain: &mut Value| -> Value {
        let filters = chain["filters"].as_array_mut().unwrap();
        filters.iter_mut().find(|filter| filter["name"] == HCM).unwrap()["typed_config"]["route_config"].take()
    };
    let with = |change: &dyn Fn(&mut Value)| {
        changed(|chain| {
            let mut config = routes(chain);
            change(&mut config);
            let filters = chain["filters"].as_array_mut().unwrap();
            filters.iter_mut().find(|filter| filter["name"] == HCM).unwrap()["typed_config"]["route_config"] = config;
        })
    };
    let (state, evidence) = said(&with(&|config| config["typed_per_filter_config"] = off(true)));
    assert_eq!(state, "unverified", "{evidence}");
    assert!(evidence.contains("typed_per_filter_config disables it on 4 of 4 routes of its inbound chains"), "{evidence}");
    // What is more specific decides.
    let back = with(&|config| {
        config["typed_per_filter_config"] = off(true);
        config["virtual_hosts"][0]["routes"][0]["typed_per_filter_config"] = off(false);
    });
    assert_eq!(said(&back).0, "running");
}

#[test]
fn a_plugin_whose_listener_warms_does_not_run_there() {
    let mesh = Mesh::permissive().change(DUMP, |dump| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let listeners = sections.filter_map(|section| section.get_mut("dynamic_listeners")?.as_array_mut()).flatten();
        for entry in listeners.filter(|entry| entry["name"] == "virtualInbound") {
            entry["warming_state"] = entry["active_state"].take();
            entry.as_object_mut().unwrap().remove("active_state");
        }
    });
    let (state, evidence) = said(&mesh);
    assert_eq!(state, "unverified", "{evidence}");
    assert!(evidence.contains("listeners that have it warm and take no connections yet: virtualInbound"), "{evidence}");
}
