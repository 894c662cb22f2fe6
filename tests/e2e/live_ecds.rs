//! Extensions that are no WasmPlugins: the Wasm of an EnvoyFilter by ECDS (L4), and Lua, which never comes by ECDS (L12).

use serde_json::{Value, json};

use super::world::{Applied, is_lab, json as ask, mesh, until};

/// The entry of a list that has a value under a key.
fn entry<'v>(list: &'v Value, key: &str, value: &str) -> Option<&'v Value> {
    list.as_array()?.iter().find(|entry| entry[key] == value)
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l4_the_wasm_of_an_envoy_filter_by_ecds_is_in_place() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _own = Applied::new(include_str!("live/envoyfilter-extension-config.yaml"));
    let answer = until("the EnvoyFilter's module", &["health"], |answer| {
        entry(&answer["plugins"], "plugin", "my-wasm").is_some_and(|own| own["rollup"] == "ready")
    });
    let own = entry(&answer["plugins"], "plugin", "my-wasm").unwrap();
    assert_eq!((&own["pluginKind"], &own["envoyFilter"]), (&json!("EnvoyFilter"), &json!("default/ownwasm")), "{own}");
    let check = ask(&["check"]);
    let codes: Vec<&Value> = check["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(!codes.contains(&&json!("pending-listener")), "{check}");
    let chains = ask(&["chains", "deploy/sleep", "--listener", "virtualInbound"]);
    let filters = chains["proxies"][0]["listeners"][0]["filterChains"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|chain| chain["httpFilters"].as_array().unwrap());
    let own = filters.clone().find(|filter| filter["name"] == "my-wasm").unwrap();
    assert_eq!((&own["plugin"], &own["pluginKind"]), (&json!("default/ownwasm"), &json!("EnvoyFilter")));
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l12_lua_comes_with_the_listeners() {
    let _mesh = mesh();
    let _lua = Applied::new(include_str!("live/sync-lua.yaml"));
    let answer = until("the Lua extension", &["sync"], |answer| {
        let proxies = answer["proxies"].as_array().unwrap();
        proxies.iter().any(|proxy| entry(&proxy["plugins"], "plugin", "default/lua").is_some())
    });
    for proxy in answer["proxies"].as_array().unwrap() {
        let lua = entry(&proxy["plugins"], "plugin", "default/lua").unwrap();
        assert_eq!((&lua["comesBy"], &lua["applies"], &lua["resource"]), (&json!("LDS"), &json!(true), &Value::Null), "{proxy}");
    }
}
