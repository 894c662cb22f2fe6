//! `diff` of a recording: what `record` keeps of istiod's view where istiod cannot dump a proxy, and whose extension is whose.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::views::{EXTENSION, PROXY, diff, edited, edited_files, lines};
use super::support::{meshscope, recording};

/// istiod's error, as it is recorded of a proxy whose plugin has no pluginConfig.
const ERROR: &str = "istiod: status 500: proto: not found";

/// Moves istiod's dump to where `record` keeps what was read in other ways.
fn to_view(files: &mut BTreeMap<String, Vec<u8>>, notes: &[&str]) {
    let name = format!("istiod/config_dump.{PROXY}.json");
    let mut view: Value = serde_json::from_slice(&files[&name]).unwrap();
    view["notes"] = json!(notes);
    files.insert(format!("istiod/view.{PROXY}.json"), view.to_string().into_bytes());
    files.insert(name, ERROR.as_bytes().to_vec());
}

fn bases(entry: &Value) -> Vec<(&str, &str, Option<bool>)> {
    let types = entry["types"].as_array().unwrap().iter();
    types.map(|found| (found["type"].as_str().unwrap(), found["basis"].as_str().unwrap(), found["same"].as_bool())).collect()
}

#[test]
fn item_5_a_recorded_view_is_compared_in_all_types() {
    let (_folder, entry) = edited_files(|_| {}, |files| to_view(files, &["its ECDS was read over xDS"]));
    let expected = ["LDS", "ECDS", "CDS", "RDS", "EDS"].map(|name| (name, "istiod", Some(true)));
    assert_eq!(bases(&entry), expected, "{entry}");
    assert_eq!(entry["types"][1]["notes"][0], "its ECDS was read over xDS");
    assert_eq!((&entry["way"], &entry["viewNote"]), (&json!("file"), &Value::Null));
}

#[test]
fn item_5_a_cluster_that_was_changed_behind_istiods_back_is_named_with_its_field() {
    let mut name = String::new();
    let (_folder, entry) = edited_files(
        |view| {
            let cluster = &mut view["configs"][2]["dynamicActiveClusters"][0]["cluster"];
            name = cluster["name"].as_str().unwrap().to_owned();
            cluster["connectTimeout"] = json!("77s");
        },
        |files| to_view(files, &[]),
    );
    assert_eq!(lines(&entry, 2), [("settings", "both")], "{entry}");
    let line = &entry["types"][2]["differences"][0];
    assert_eq!(line["resource"], json!(name));
    let detail = line["detail"].as_str().unwrap();
    assert!(detail.contains("connect_timeout is") && detail.contains("istiod would send 77s"), "{detail}");
}

#[test]
fn item_5_each_setting_of_an_extension_is_compared_offline() {
    type Edit = fn(&mut Value);
    let cases: [(&str, &str, Edit); 4] = [
        ("module", "sha256", |config| config["vmConfig"]["code"]["remote"]["sha256"] = json!("ab".repeat(32))),
        ("configuration", "failure_policy", |config| config["failurePolicy"] = json!("FAIL_OPEN")),
        ("configuration", "configuration", |config| {
            config["configuration"] = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{\"a_b\": 1}"});
        }),
        ("configuration", "runtime", |config| config["vmConfig"]["runtime"] = json!("envoy.wasm.runtime.null")),
    ];
    for (what, says, edit) in cases {
        let (_folder, entry) =
            edited_files(|view| edit(&mut view["configs"][1]["ecdsFilters"][0]["ecdsFilter"]["config"]), |files| to_view(files, &[]));
        let found = &entry["types"][1]["differences"][0];
        assert_eq!((&found["what"], &found["extension"]), (&json!(what), &json!(EXTENSION)), "{entry}");
        assert!(found["detail"].as_str().unwrap().contains(says), "{found}");
    }
}

#[test]
fn item_5_an_old_recording_says_the_reason_once() {
    let path = recording("permissive");
    let path = path.to_str().unwrap();
    for form in ["text", "markdown"] {
        let output = meshscope(&["diff", PROXY, "--from", path, "-o", form]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.matches("proto: not found").count(), 1, "{text}");
        assert!(text.contains("LDS") && text.contains("EDS"), "{text}");
    }
    let entry = diff(path, PROXY);
    assert!(entry["viewNote"].as_str().unwrap().contains("proto: not found"), "{entry}");
    assert_eq!(bases(&entry)[2..], [("CDS", "none", None), ("RDS", "none", None), ("EDS", "none", None)]);
}

#[test]
fn item_5_what_the_proxy_did_not_say_is_said_once_too() {
    let (folder, _) = edited(|_| {});
    let file = folder.path().join(format!("proxies/{PROXY}/config_dump.json"));
    let dump: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let kept = dump["configs"].as_array().unwrap().iter().filter(|section| {
        let of = section["@type"].as_str().unwrap();
        !["ClustersConfigDump", ".RoutesConfigDump", "EndpointsConfigDump"].iter().any(|name| of.ends_with(name))
    });
    std::fs::write(&file, json!({"configs": kept.collect::<Vec<_>>()}).to_string()).unwrap();
    let entry = diff(folder.path().to_str().unwrap(), PROXY);
    // Each type has a reason of its own here.
    assert!(entry["types"][2]["basisNote"].as_str().unwrap().contains("clusters"), "{entry}");
    assert_eq!(entry["viewNote"], Value::Null);
}

/// Gives an extension that an EnvoyFilter made to the proxy, and to istiod as it dumps that: by the name in the message.
fn with_envoy_filter(view: &mut Value, inner: &str) {
    let mut own = view["configs"][1]["ecdsFilters"][0].clone();
    own["ecdsFilter"]["config"]["name"] = json!(inner);
    view["configs"][1]["ecdsFilters"].as_array_mut().unwrap().push(own);
}

fn on_the_proxy(files: &mut BTreeMap<String, Vec<u8>>, resource: &str, inner: Option<&str>) {
    let name = format!("proxies/{PROXY}/config_dump.json");
    let mut dump: Value = serde_json::from_slice(&files[&name]).unwrap();
    let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
    let entries = sections.into_iter().find_map(|section| section.get_mut("ecds_filters")?.as_array_mut()).unwrap();
    let mut own = entries[0].clone();
    own["ecds_filter"]["name"] = json!(resource);
    match inner {
        Some(inner) => own["ecds_filter"]["typed_config"]["config"]["name"] = json!(inner),
        None => {
            own["ecds_filter"]["typed_config"] = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
                "rules": {}, "rules_stat_prefix": "wasm-default-deny"});
        }
    }
    entries.push(own);
    files.insert(name, dump.to_string().into_bytes());
}

#[test]
fn live_l4_an_extension_is_found_by_the_name_in_its_message() {
    for inner in ["mine", "default.helloworld~istio-translated-wasmplugin"] {
        let (_folder, entry) = edited_files(|view| with_envoy_filter(view, inner), |files| on_the_proxy(files, "my-wasm", Some(inner)));
        assert_eq!(lines(&entry, 1), [], "{inner}: {entry}");
        assert_eq!(entry["types"][1]["same"], true);
    }
    let (_folder, entry) = edited_files(
        |view| {
            with_envoy_filter(view, "mine");
            view["configs"][1]["ecdsFilters"][1]["ecdsFilter"]["config"]["rootId"] = json!("other");
        },
        |files| on_the_proxy(files, "my-wasm", Some("mine")),
    );
    assert_eq!(lines(&entry, 1), [("configuration", "both")], "{entry}");
    assert_eq!(entry["types"][1]["differences"][0]["extension"], "my-wasm");
}

#[test]
fn live_l5_jwt_requirements_are_the_same_in_either_spelling() {
    let of = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    let held = json!({"@type": of, "rules": [{"match": {"prefix": "/"}, "requires": {"requires_any": {"requirements": [
        {"provider_name": "origins-0"}, {"allow_missing": {}}]}}}], "providers": {"origins-0": {"issuer": "x"}}});
    let sent = |provider: &str| {
        json!({"@type": of, "rules": [{"match": {"prefix": "/"}, "requires": {"requiresAny": {"requirements": [
            {"providerName": provider}, {"allowMissing": {}}]}}}], "providers": {"origins-0": {"issuer": "x"}}})
    };
    for (provider, expected) in [("origins-0", vec![]), ("origins_0", vec![("settings", "both")])] {
        let (folder, _) = edited(|view| {
            super::support::views::each_filter(view, "envoy.filters.http.fault", |config| *config = sent(provider));
        });
        let file = folder.path().join(format!("proxies/{PROXY}/config_dump.json"));
        let mut dump: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        replace(&mut dump, "envoy.filters.http.fault", &held);
        std::fs::write(&file, dump.to_string()).unwrap();
        let entry = diff(folder.path().to_str().unwrap(), PROXY);
        assert_eq!(lines(&entry, 0), expected, "{provider}: {entry}");
    }
}

/// Gives the filters of a name this configuration, in the inbound listener.
fn replace(value: &mut Value, name: &str, config: &Value) {
    let sections = value["configs"].as_array_mut().unwrap().iter_mut();
    let entries = sections.filter_map(|section| section.get_mut("dynamic_listeners")?.as_array_mut()).flatten();
    let inbound = entries.into_iter().find(|entry| entry["name"] == "virtualInbound").unwrap();
    for chain in inbound["active_state"]["listener"]["filter_chains"].as_array_mut().unwrap() {
        let filters = chain["filters"].as_array_mut().unwrap().iter_mut();
        let http = filters.filter_map(|filter| filter["typed_config"].get_mut("http_filters")?.as_array_mut()).flatten();
        http.filter(|filter| filter["name"] == name).for_each(|filter| filter["typed_config"] = config.clone());
    }
}
