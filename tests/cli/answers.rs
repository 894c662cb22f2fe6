//! The promised keys of the JSON answers, and what the options narrow.

use serde_json::Value;

use super::lone_dump;
use super::support::{json, recording};

/// The sources over which the promises are held: the demo's scenes and two recordings with more in them.
fn sources() -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = ["--demo", "--demo=strict", "--demo=disable"].iter().map(|demo| vec![(*demo).to_owned()]).collect();
    for name in ["gateway", "fetch-failed-closed", "eras/1.12.0/permissive-dual"] {
        all.push(vec!["--from".to_owned(), recording(name).to_str().unwrap().to_owned()]);
    }
    all
}

fn answer(arguments: &[&str], source: &[String]) -> Value {
    let source: Vec<&str> = source.iter().map(String::as_str).collect();
    json(&[arguments, &source].concat())
}

/// Asserts that each key is there, with a value of one of the kinds: s(tring), n(umber), b(oolean), l(ist), o(bject), 0 (null).
fn promises(value: &Value, keys: &[(&str, &str)]) {
    for (key, kinds) in keys {
        let found = match value.get(key) {
            None => panic!("{key} is missing in {value}"),
            Some(Value::String(_)) => 's',
            Some(Value::Number(_)) => 'n',
            Some(Value::Bool(_)) => 'b',
            Some(Value::Array(_)) => 'l',
            Some(Value::Object(_)) => 'o',
            Some(Value::Null) => '0',
        };
        assert!(kinds.contains(found), "{key} is {}, not {kinds}", value[key]);
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

#[test]
fn plugins_keeps_its_promises() {
    for source in sources() {
        let all = answer(&["plugins"], &source);
        promises(&all, &[("plugins", "l"), ("warnings", "l")]);
        assert!(!list(&all, "plugins").is_empty());
        for plugin in list(&all, "plugins") {
            promises(plugin, &[("plugin", "s"), ("pluginKind", "s"), ("matched", "n"), ("rollup", "s"), ("phase", "s")]);
            promises(plugin, &[("priority", "n0"), ("type", "s"), ("failStrategy", "s"), ("url", "s")]);
            let rollup = plugin["rollup"].as_str().unwrap();
            assert!(["ready", "partial", "failed", "pending", "unmatched", "unknown"].contains(&rollup), "{rollup}");
        }
    }
}

#[test]
fn why_keeps_its_promises() {
    let states =
        ["running", "stubAllow", "stubDeny", "rejected", "pending", "absent", "unexpected", "leftover", "notApplicable", "unknown"];
    for source in sources() {
        let why = answer(&["why", "default/helloworld"], &source);
        promises(&why, &[("plugin", "s"), ("pluginKind", "s"), ("warnings", "l"), ("workloads", "l")]);
        assert!(!list(&why, "workloads").is_empty(), "{source:?}");
        for entry in list(&why, "workloads") {
            promises(entry, &[("workload", "s"), ("workloadKind", "s"), ("proxy", "s"), ("attached", "b"), ("reason", "s")]);
            promises(entry, &[("mtls", "o"), ("listeners", "l"), ("state", "s")]);
            promises(&entry["mtls"], &[("mode", "s"), ("winner", "s0")]);
            assert!(states.contains(&entry["state"].as_str().unwrap()));
            for listener in list(entry, "listeners") {
                promises(listener, &[("listener", "s"), ("port", "n0"), ("direction", "s0"), ("state", "s"), ("counted", "n")]);
                promises(listener, &[("predicted", "n0"), ("predictedByMode", "o0"), ("predictionNote", "s0"), ("terms", "l")]);
                // What cannot be known is null with a note beside it.
                assert!(!listener["predicted"].is_null() || listener["predictionNote"].is_string());
                let sum: u64 = list(listener, "terms").iter().map(|term| term["count"].as_u64().unwrap()).sum();
                assert_eq!(Some(sum), listener["counted"].as_u64());
                for term in list(listener, "terms") {
                    promises(term, &[("count", "n"), ("what", "s"), ("chains", "l")]);
                }
            }
        }
    }
}

#[test]
fn chains_keeps_its_promises() {
    for source in sources() {
        let chains = answer(&["chains"], &source);
        promises(&chains, &[("warnings", "l"), ("proxies", "l")]);
        assert!(!list(&chains, "proxies").is_empty());
        for proxy in list(&chains, "proxies") {
            promises(proxy, &[("proxy", "s"), ("istioVersion", "s"), ("listeners", "l")]);
            for listener in list(proxy, "listeners") {
                promises(listener, &[("name", "s"), ("port", "n0"), ("direction", "s0"), ("state", "s"), ("filterChains", "l")]);
                for chain in list(listener, "filterChains") {
                    promises(chain, &[("name", "s"), ("kind", "s"), ("meaning", "s"), ("match", "o")]);
                    promises(chain, &[("networkFilters", "l"), ("httpFilters", "l")]);
                    for filter in list(chain, "networkFilters").iter().chain(list(chain, "httpFilters")) {
                        promises(filter, &[("name", "s")]);
                        assert_eq!(filter.get("plugin").is_some(), filter.get("pluginKind").is_some(), "{filter}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_chains_of_a_term_are_places_in_the_chains_answer() {
    for source in sources() {
        let why = answer(&["why", "default/helloworld"], &source);
        let chains = answer(&["chains"], &source);
        for entry in list(&why, "workloads") {
            let proxy = list(&chains, "proxies").iter().find(|proxy| proxy["proxy"] == entry["proxy"]).unwrap();
            for counted in list(entry, "listeners") {
                let is_it = |candidate: &&Value| candidate["name"] == counted["listener"] && candidate["state"] == counted["state"];
                let listener = list(proxy, "listeners").iter().find(is_it).unwrap();
                for place in list(counted, "terms").iter().flat_map(|term| list(term, "chains")) {
                    let chain = &listener["filterChains"][usize::try_from(place.as_u64().unwrap()).unwrap()];
                    let mut filters = list(chain, "httpFilters").iter().chain(list(chain, "networkFilters"));
                    assert!(filters.any(|filter| filter["plugin"] == "default/helloworld"), "{chain}");
                }
            }
        }
    }
}

#[test]
fn mtls_keeps_its_promises() {
    for source in sources() {
        let all = answer(&["mtls", "-A"], &source);
        promises(&all, &[("warnings", "l"), ("workloads", "l")]);
        let names: Vec<&str> = list(&all, "workloads").iter().map(|entry| entry["workload"].as_str().unwrap()).collect();
        assert!(names.iter().any(|name| name.starts_with("default/httpbin")) && names.is_sorted(), "{names:?}");
        for entry in list(&all, "workloads") {
            promises(entry, &[("workload", "s"), ("workloadKind", "s"), ("short", "s"), ("pod", "s"), ("proxyKind", "s0")]);
            promises(entry, &[("mode", "s"), ("winner", "s0"), ("note", "s0"), ("ports", "l"), ("policies", "l"), ("services", "l")]);
            for port in list(entry, "ports") {
                promises(port, &[("port", "n0"), ("mode", "s"), ("by", "s0"), ("portLevel", "b"), ("behind", "s"), ("services", "l")]);
            }
            for policy in list(entry, "policies") {
                promises(policy, &[("policy", "s"), ("scope", "s"), ("mode", "s"), ("created", "s0"), ("fate", "s"), ("reason", "s")]);
                promises(policy, &[("by", "s0"), ("portLevel", "s"), ("ports", "o")]);
            }
            for service in list(entry, "services") {
                promises(service, &[("service", "s"), ("host", "s"), ("port", "n"), ("targetPort", "n"), ("clients", "l")]);
                for client in list(service, "clients") {
                    promises(client, &[("proxy", "b"), ("from", "l"), ("subset", "s0"), ("rules", "l"), ("sends", "s"), ("verdict", "s")]);
                }
            }
            // What has no sidecar has no ports of its own, and says why.
            assert_eq!(list(entry, "ports").is_empty(), entry["proxyKind"] != "sidecar", "{entry}");
            assert!(entry["proxyKind"] == "sidecar" || entry["note"].is_string(), "{entry}");
        }
    }
    assert_eq!(list(&json(&["mtls", "deploy/httpbin", "--demo"]), "workloads").len(), 1);
}

#[test]
fn over_a_lone_dump_what_only_objects_say_is_null() {
    let folder = tempfile::tempdir().unwrap();
    let dump = lone_dump(&folder);
    let why = json(&["why", "default/helloworld", "--from", dump.to_str().unwrap()]);
    let entry = &why["workloads"][0];
    assert_eq!(entry["proxy"], "httpbin-664956bb75-9d64m.default");
    for key in ["attached", "mtls", "workload", "workloadKind"] {
        assert!(entry[key].is_null(), "{key}");
    }
    assert!(entry["reason"].as_str().unwrap().contains("lone config dump"), "{entry}");
    assert_eq!(entry["listeners"][0]["counted"], 4);
    assert!(entry["listeners"][0]["predicted"].is_null() && entry["listeners"][0]["predictionNote"].is_string());
}

#[test]
fn options_narrow_the_chains() {
    let names = |options: &[&str]| -> Vec<(String, usize)> {
        let chains = json(&[&["chains", "deploy/httpbin", "--demo"], options].concat());
        let listeners = list(&chains["proxies"][0], "listeners").iter();
        listeners.map(|listener| (listener["name"].as_str().unwrap().to_owned(), list(listener, "filterChains").len())).collect()
    };
    let all = names(&[]);
    assert!(all.len() > 10, "{all:?}");
    assert_eq!(names(&["--port", "15006"]), [("virtualInbound".to_owned(), 8)]);
    assert_eq!(names(&["--listener", "virtualInbound"]), [("virtualInbound".to_owned(), 8)]);
    assert_eq!(names(&["--port", "15006", "--plugin", "default/helloworld"]), [("virtualInbound".to_owned(), 4)]);
    assert!(names(&["--plugin", "default/helloworld"]).len() < all.len());
    assert!(names(&["--listener", "none"]).is_empty() && names(&["--port", "1"]).is_empty());
}

#[test]
fn a_plugin_that_does_not_reach_the_workload_is_an_answer() {
    let why = json(&["why", "default/helloworld", "deploy/sleep", "--demo"]);
    let entry = &why["workloads"][0];
    assert_eq!((&entry["attached"], entry["state"].as_str()), (&Value::Bool(false), Some("notApplicable")));
    assert!(list(entry, "listeners").is_empty());
    assert!(entry["reason"].as_str().unwrap().contains("app"), "{entry}");
}
