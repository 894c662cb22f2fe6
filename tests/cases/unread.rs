//! Dumps of which parts could not be read: nothing follows from what is not there.

use serde_json::{Value, json};

use crate::support::{self, meshscope};

const DUMP: &str = "proxies/httpbin-664956bb75-9d64m.default/config_dump.json";
const PLUGIN: &str = "default/helloworld";

/// The answer of a command as JSON, with its exit status.
fn ask(arguments: &[&str], from: &str) -> (Value, i32) {
    let output = meshscope(&[arguments, &["-o", "json", "--from", from]].concat());
    (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), output.status.code().unwrap())
}

/// The dump of the recording, changed.
fn changed(change: impl Fn(&mut Value)) -> Value {
    let mut dump: Value = serde_json::from_slice(&support::files("permissive")[DUMP]).unwrap();
    change(&mut dump);
    dump
}

fn section<'d>(dump: &'d mut Value, name: &str) -> &'d mut Value {
    let is_it = |section: &&mut Value| section["@type"].as_str().unwrap().ends_with(name);
    dump["configs"].as_array_mut().unwrap().iter_mut().find(is_it).unwrap()
}

fn listeners(dump: &mut Value) -> impl Iterator<Item = &mut Value> {
    let all = section(dump, ".ListenersConfigDump")["dynamic_listeners"].as_array_mut().unwrap();
    all.iter_mut().map(|entry| &mut entry["active_state"]["listener"])
}

fn chains(dump: &mut Value) -> impl Iterator<Item = &mut Value> {
    listeners(dump).flat_map(|listener| listener["filter_chains"].as_array_mut().unwrap())
}

fn managers(dump: &mut Value) -> impl Iterator<Item = &mut Value> {
    let filters = chains(dump).flat_map(|chain| chain["filters"].as_array_mut().unwrap());
    filters.map(|filter| &mut filter["typed_config"]).filter(|config| config.get("http_filters").is_some())
}

/// Each way in which the listeners, or what is in them, cannot be read.
fn unread() -> Vec<(&'static str, Value)> {
    let dynamic = |value: Value| changed(|dump| section(dump, ".ListenersConfigDump")["dynamic_listeners"] = value.clone());
    let manager = |value: Value| changed(|dump| managers(dump).for_each(|manager| manager["http_filters"] = value.clone()));
    let of_chain = |key: &'static str, value: Value| changed(|dump| chains(dump).for_each(|chain| chain[key] = value.clone()));
    let of_match =
        |key: &'static str, value: Value| changed(|dump| chains(dump).for_each(|chain| chain["filter_chain_match"][key] = value.clone()));
    let without = |name: &'static str| {
        changed(|dump| {
            dump["configs"].as_array_mut().unwrap().retain(|section| !section["@type"].as_str().unwrap().ends_with(name));
        })
    };
    vec![
        ("no section", without(".ListenersConfigDump")),
        ("a type is a number", changed(|dump| section(dump, ".ListenersConfigDump")["@type"] = json!(7))),
        ("listeners are text", dynamic(json!("x"))),
        ("listeners are a map", dynamic(json!({"a": 1}))),
        ("listeners are numbers", dynamic(json!([1, 2]))),
        ("a listener is a list", changed(|dump| listeners(dump).for_each(|listener| *listener = json!([])))),
        ("a listener is null", changed(|dump| listeners(dump).for_each(|listener| *listener = Value::Null))),
        ("chains are a map", changed(|dump| listeners(dump).for_each(|listener| listener["filter_chains"] = json!({})))),
        ("chains are numbers", changed(|dump| chains(dump).for_each(|chain| *chain = json!(7)))),
        ("chains are lists", changed(|dump| chains(dump).for_each(|chain| *chain = json!([])))),
        ("filters are a map", of_chain("filters", json!({}))),
        ("filters are text", of_chain("filters", json!(["x"]))),
        ("a match is text", of_chain("filter_chain_match", json!("x"))),
        ("a port is a word", of_match("destination_port", json!("eighty"))),
        ("a protocol is a number", of_match("transport_protocol", json!(7))),
        ("HTTP filters are text", manager(json!("x"))),
        ("HTTP filters are a map", manager(json!({"a": 1}))),
        ("HTTP filters are an empty map", manager(json!({}))),
        ("HTTP filters are a number", manager(json!(7))),
        ("an HTTP filter is text", manager(json!(["x"]))),
        ("an HTTP filter is null", manager(json!([null]))),
        ("an HTTP filter has no name", manager(json!([{"a": 1}]))),
    ]
}

#[test]
fn hostile_h15_nothing_is_concluded_from_listeners_that_could_not_be_read() {
    for (what, dump) in unread() {
        let folder = support::folder("permissive", &[(DUMP, dump.to_string())]);
        let from = folder.path().to_str().unwrap();
        let (answer, status) = ask(&["check"], from);
        let found: Vec<&str> = answer["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
        assert_eq!((status, found.as_slice()), (0, &["permissive-without-need"][..]), "{what}: {answer}");
        assert_eq!(answer["scope"]["proxiesRead"], 1, "{what}");
        let not_checked = answer["notChecked"].as_array().unwrap();
        let is_of_proxy = |entry: &&Value| entry["objects"].to_string().contains("httpbin-664956bb75-9d64m.default");
        assert!(not_checked.iter().find(is_of_proxy).unwrap()["codes"].to_string().contains("chains-differ"), "{what}: {answer}");
        assert!(answer["warnings"].to_string().contains("config dump of httpbin"), "{what}: {answer}");

        let (answer, _) = ask(&["why", PLUGIN], from);
        let entry = &answer["workloads"][0];
        // Of a chain whose match alone could not be read it is known that the plugin is in it.
        assert!(entry["state"] == "unknown" || entry["state"] == "running", "{what}: {answer}");
        let all = entry["listeners"].as_array().unwrap();
        assert!(all.len() > 1, "{what}: {answer}");
        for listener in all {
            assert_eq!((&listener["counted"], &listener["agrees"]), (&Value::Null, &Value::Null), "{what}: {listener}");
            assert!(listener["countedNote"].as_str().unwrap().contains("be read"), "{what}: {listener}");
            assert_eq!((&listener["differences"], &listener["causes"]), (&json!([]), &json!([])), "{what}");
        }
        let (answer, _) = ask(&["plugins"], from);
        let plugin = &answer["plugins"][0];
        assert_eq!((&plugin["inbound"], &plugin["states"]["absent"]), (&Value::Null, &Value::Null), "{what}: {plugin}");

        let (answer, _) = ask(&["chains", "httpbin-664956bb75-9d64m.default"], from);
        assert_eq!(answer["proxies"][0]["absent"], json!([]), "{what}");
        let (answer, _) = ask(&["diff", "httpbin-664956bb75-9d64m.default"], from);
        let of_listeners = &answer["proxies"][0]["types"][0];
        assert_ne!(of_listeners["same"], true, "{what}: {answer}");
        assert_eq!(of_listeners["differences"].as_array().map(Vec::len).unwrap_or_default(), 0, "{what}: {of_listeners}");
    }
}

#[test]
fn hostile_h15_one_unread_chain_costs_only_its_listener() {
    let dump = changed(|dump| managers(dump).last().unwrap()["http_filters"] = json!({"0": {}}));
    let folder = support::folder("permissive", &[(DUMP, dump.to_string())]);
    let (answer, _) = ask(&["why", PLUGIN], folder.path().to_str().unwrap());
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    let (read, unread): (Vec<&Value>, Vec<&Value>) = listeners.iter().partition(|listener| listener["counted"].is_number());
    assert!(unread.len() == 1 && read.iter().all(|listener| listener["agrees"] == true), "{answer}");
    assert!(unread[0]["countedNote"].as_str().unwrap().contains("at least"), "{answer}");
    let (answer, _) = ask(&["chains", "httpbin-664956bb75-9d64m.default"], folder.path().to_str().unwrap());
    let all = answer["proxies"][0]["listeners"].as_array().unwrap();
    let unread = all.iter().flat_map(|listener| listener["filterChains"].as_array().unwrap()).filter(|chain| chain["unread"] == true);
    assert_eq!(unread.count(), 1);
    // The place is that of the field.
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains(".http_filters: ") || warnings.contains(".http_filters\""), "{warnings}");
}

#[test]
fn hostile_h15_a_connection_to_what_could_not_be_read_is_not_known() {
    for (what, dump) in unread() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, dump.to_string().as_bytes()).unwrap();
        let (answer, _) = ask(&["chains", "--connection", "port=80,direction=outbound,address=10.1.2.3"], file.path().to_str().unwrap());
        for proxy in answer["proxies"].as_array().into_iter().flatten() {
            assert_ne!(proxy["outcome"], "closed", "{what}: {proxy}");
            assert!(proxy["outcome"] == "unknown" || proxy["why"].as_str().unwrap().contains("could not all be read"), "{what}: {proxy}");
        }
    }
}

#[test]
fn hostile_h15_a_dump_without_a_pod_is_looked_at_too() {
    let ghost = "proxies/ghost-1.default/config_dump.json";
    for text in ["{\"configs\":[", "{", "x", "[1]"] {
        let folder = support::folder("permissive", &[(ghost, text.to_owned())]);
        let (answer, _) = ask(&["check"], folder.path().to_str().unwrap());
        assert_eq!((&answer["scope"]["proxies"], &answer["scope"]["proxiesRead"]), (&json!(3), &json!(2)), "{text}: {answer}");
        assert!(answer["notChecked"].to_string().contains("ghost-1.default"), "{text}: {answer}");
        assert!(answer["warnings"].to_string().contains("ghost-1.default"), "{text}: {answer}");
    }
}

#[test]
fn hostile_h15_a_listener_whose_port_is_none_is_not_internal() {
    for port in [json!("eighty"), json!(99_999_999_999_999_999_999_u128.to_string()), json!(70_000), json!(-1), json!([15006]), json!(true)]
    {
        let dump = changed(|dump| {
            let is_inbound = |listener: &&mut Value| listener["name"] == "virtualInbound";
            listeners(dump).find(is_inbound).unwrap()["address"]["socket_address"]["port_value"] = port.clone();
        });
        let folder = support::folder("permissive", &[(DUMP, dump.to_string())]);
        let (answer, _) = ask(&["chains", "httpbin-664956bb75-9d64m.default"], folder.path().to_str().unwrap());
        let all = answer["proxies"][0]["listeners"].as_array().unwrap();
        let inbound = all.iter().find(|listener| listener["name"] == "virtualInbound").unwrap();
        assert_eq!((&inbound["port"], &inbound["portNote"]), (&Value::Null, &json!("address not known")), "{port}");
        assert_eq!(inbound["direction"], "inbound", "{port}");
        assert!(answer["warnings"].to_string().contains("].address.socket_address"), "{port}: {}", answer["warnings"]);
    }
}

#[test]
fn hostile_h15_entries_of_one_name_that_differ_are_not_known() {
    let entry = |dump: &mut Value| section(dump, ".EcdsConfigDump")["ecds_filters"][0].clone();
    let with = |other: &dyn Fn(&mut Value)| {
        changed(|dump| {
            let mut second = entry(dump);
            other(&mut second);
            section(dump, ".EcdsConfigDump")["ecds_filters"].as_array_mut().unwrap().push(second);
        })
    };
    let rbac = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {}});
    for (dump, state) in [
        (with(&|_| {}), "running"),
        (with(&|second| second["last_updated"] = json!("2026-11-24T00:00:00Z")), "running"),
        (with(&|second| second["ecds_filter"]["typed_config"] = rbac.clone()), "unknown"),
        (with(&|second| drop(second["ecds_filter"].as_object_mut().unwrap().remove("typed_config"))), "unknown"),
    ] {
        let folder = support::folder("permissive", &[(DUMP, dump.to_string())]);
        let (answer, _) = ask(&["why", PLUGIN], folder.path().to_str().unwrap());
        assert_eq!(answer["workloads"][0]["state"], state, "{answer}");
        assert_eq!(answer["warnings"].to_string().contains("differs from another entry"), state == "unknown", "{}", answer["warnings"]);
    }
}
