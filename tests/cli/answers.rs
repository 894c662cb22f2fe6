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
fn health_says_the_same_states_as_why_and_shows_each() {
    for source in sources() {
        let health = answer(&["health", "default/helloworld"], &source);
        promises(&health, &[("plugins", "l"), ("warnings", "l")]);
        let plugin = &list(&health, "plugins")[0];
        promises(plugin, &[("plugin", "s"), ("pluginKind", "s"), ("rollup", "s"), ("states", "o"), ("module", "o"), ("proxies", "l")]);
        promises(&plugin["module"], &[("url", "s"), ("sha256", "s"), ("nextPull", "s"), ("digests", "l"), ("skew", "l")]);
        let why = answer(&["why", "default/helloworld"], &source);
        for (proxy, entry) in list(plugin, "proxies").iter().zip(list(&why, "workloads")) {
            promises(proxy, &[("workload", "s"), ("proxy", "s"), ("attached", "b"), ("state", "s"), ("since", "s0"), ("evidence", "l")]);
            assert_eq!((&proxy["proxy"], &proxy["state"]), (&entry["proxy"], &entry["state"]), "{source:?}");
            for evidence in list(proxy, "evidence") {
                promises(evidence, &[("source", "s"), ("field", "s"), ("what", "s")]);
            }
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
fn order_keeps_its_promises() {
    for source in sources() {
        let chains = answer(&["chains"], &source);
        for proxy in list(&chains, "proxies") {
            let order = answer(&["order", proxy["proxy"].as_str().unwrap()], &source);
            promises(&order, &[("warnings", "l"), ("workloads", "l")]);
            let [entry] = &list(&order, "workloads")[..] else { panic!("one proxy") };
            promises(entry, &[("workload", "s"), ("workloadKind", "s"), ("proxy", "s"), ("proxyKind", "s"), ("istioVersion", "s")]);
            promises(entry, &[("istioVersionNote", "s"), ("dumpNote", "s"), ("envoyFilters", "l"), ("leftOut", "l"), ("lists", "l")]);
            for of_list in list(entry, "lists") {
                promises(of_list, &[("direction", "s"), ("filters", "s"), ("plugins", "l"), ("ruler", "l"), ("limits", "l")]);
                promises(of_list, &[("chains", "n"), ("found", "l")]);
                for (index, plugin) in list(of_list, "plugins").iter().enumerate() {
                    assert_eq!(plugin["place"], index + 1);
                    promises(plugin, &[("plugin", "s"), ("pluginKind", "s"), ("phase", "s"), ("priority", "n0"), ("namespace", "s")]);
                    promises(plugin, &[("created", "s0"), ("match", "s"), ("applies", "s"), ("why", "s")]);
                    promises(plugin, &[("reason", if index == 0 { "0" } else { "o" })]);
                }
                for place in list(of_list, "ruler") {
                    match place["kind"].as_str().unwrap() {
                        "builtIn" => promises(place, &[("names", "l"), ("what", "s"), ("when", "s"), ("chains", "n")]),
                        "plugin" => promises(place, &[("place", "n"), ("plugin", "s"), ("pluginKind", "s"), ("chains", "n")]),
                        kind => assert_eq!((kind, place["phase"].is_string()), ("phase", true)),
                    }
                    if let Some(first) = place.get("firstChain") {
                        let is_it = |listener: &&Value| listener["name"] == first["listener"] && listener["state"] == first["state"];
                        let listener = list(proxy, "listeners").iter().find(is_it).unwrap();
                        let chain = &listener["filterChains"][usize::try_from(first["chain"].as_u64().unwrap()).unwrap()];
                        let mut filters = list(chain, "httpFilters").iter().chain(list(chain, "networkFilters"));
                        let names = place["names"].as_array().into_iter().flatten().collect::<Vec<_>>();
                        let is_there = |filter: &Value| names.contains(&&filter["name"]) || filter.get("plugin") == place.get("plugin");
                        assert!(filters.any(is_there), "{place} stands in {chain}");
                    }
                }
                let found: u64 = list(of_list, "found").iter().map(|found| found["chains"].as_u64().unwrap()).sum();
                assert_eq!(of_list["chains"], found);
            }
        }
    }
}

#[test]
fn order_says_the_reason_for_each_place_and_all_replicas() {
    let from = recording("fetch-failed-closed");
    let order = json(&["order", "deploy/httpbin", "--from", from.to_str().unwrap()]);
    let http = &order["workloads"][0]["lists"][0];
    let plugins: Vec<&str> = list(http, "plugins").iter().map(|plugin| plugin["plugin"].as_str().unwrap()).collect();
    assert_eq!(plugins, ["default/helloworld", "default/missing"]);
    let reason = &http["plugins"][1]["reason"];
    assert_eq!((&reason["by"], &reason["before"]), (&Value::from("age"), &http["plugins"][0]["created"]));
    let gateway = json(&["order", "gateway/web", "--from", recording("gateway").to_str().unwrap()]);
    let lists = list(&gateway["workloads"][0], "lists");
    assert!(lists.iter().all(|list| list["direction"] == "gateway"));
    assert_eq!(lists[0]["plugins"][0]["plugin"], "default/web-header");
}

#[test]
fn over_a_lone_dump_order_shows_what_the_proxy_has() {
    let folder = tempfile::tempdir().unwrap();
    let dump = lone_dump(&folder);
    let order = json(&["order", "httpbin-664956bb75-9d64m.default", "--from", dump.to_str().unwrap()]);
    let entry = &order["workloads"][0];
    assert!(entry["note"].as_str().unwrap().contains("lone config dump"), "{entry}");
    assert_eq!(entry["istioVersion"], "1.31");
    let found = &entry["lists"][0]["found"][0];
    assert_eq!((&found["filters"][0]["plugin"], &found["chains"]), (&Value::from("default/helloworld"), &Value::from(4)));
    assert_eq!(found["differences"], serde_json::json!([]));
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
fn near_misses_keep_their_promises() {
    for source in sources() {
        let plugins = answer(&["plugins"], &source);
        for plugin in list(&plugins, "plugins").iter().map(|plugin| plugin["plugin"].as_str().unwrap()) {
            let matched = answer(&["workloads", plugin], &source);
            assert!(list(&matched, "workloads").iter().all(|workload| workload["nearMiss"].is_null() && workload["matched"] == true));
            let missed = answer(&["workloads", plugin, "--near-misses"], &source);
            promises(&missed, &[("plugin", "s"), ("warnings", "l"), ("workloads", "l")]);
            let mut before = 0;
            for workload in list(&missed, "workloads") {
                promises(workload, &[("workload", "s"), ("workloadKind", "s"), ("matched", "b"), ("reason", "s"), ("nearMiss", "o")]);
                let miss = &workload["nearMiss"];
                promises(miss, &[("rule", "s"), ("failed", "s"), ("wanted", "s"), ("found", "s"), ("change", "s0"), ("distance", "n0")]);
                for line in list(miss, "labels") {
                    promises(line, &[("key", "s"), ("wanted", "s"), ("found", "s0"), ("agrees", "b"), ("onOwner", "b")]);
                }
                let distance = miss["distance"].as_u64().unwrap_or(u64::MAX);
                assert!(distance >= before && distance > 0, "the nearest first: {missed}");
                before = distance;
            }
        }
    }
    let missed = json(&["workloads", "default/helloworld", "--near-misses", "--demo", "-n", "default"]);
    let names: Vec<&Value> = list(&missed, "workloads").iter().map(|workload| &workload["workload"]).collect();
    assert_eq!(names, ["default/sleep"], "-n narrows them");
    let miss = &missed["workloads"][0]["nearMiss"];
    assert_eq!((&miss["rule"], &miss["wanted"], &miss["found"]), (&"labels".into(), &"app=httpbin".into(), &"app=sleep".into()));
}

/// The recorded mesh with its plugin's selector a letter off and the label it wants on a Deployment alone.
#[test]
fn what_matches_nothing_leads_to_the_near_misses() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("k8s")).unwrap();
    for (name, bytes) in super::support::files("permissive").into_iter().filter(|(name, _)| name.starts_with("k8s/")) {
        let text = String::from_utf8(bytes).unwrap();
        let text = match name.as_str() {
            "k8s/wasmplugins.extensions.istio.io.json" => text.replace("\"app\": \"httpbin\"", "\"app\": \"httpbn\""),
            _ => text,
        };
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let run = |arguments: &[&str]| {
        let output = super::support::meshscope(&[arguments, &["--from", folder.path().to_str().unwrap()]].concat());
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let nothing = run(&["workloads", "default/helloworld"]);
    assert!(
        nothing.contains("applies to no workload; `meshscope workloads default/helloworld --near-misses` says what keeps it"),
        "{nothing}"
    );
    assert_eq!(run(&["workloads", "default/helloworld", "-o", "markdown"]), nothing);
    let missed = run(&["workloads", "default/helloworld", "--near-misses"]);
    let first = missed.split("\n\n").nth(1).unwrap();
    assert!(first.starts_with("deploy/httpbin in default: one condition fails"), "the nearest by letters comes first: {missed}");
    assert!(first.contains("to reach it: did you mean app=httpbin? Write it so in the selector"), "{missed}");
}

#[test]
fn a_plugin_that_does_not_reach_the_workload_is_an_answer() {
    let why = json(&["why", "default/helloworld", "deploy/sleep", "--demo"]);
    let entry = &why["workloads"][0];
    assert_eq!((&entry["attached"], entry["state"].as_str()), (&Value::Bool(false), Some("notApplicable")));
    assert!(list(entry, "listeners").is_empty());
    assert!(entry["reason"].as_str().unwrap().contains("app"), "{entry}");
}

#[test]
fn a_story_says_what_was_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let dump = lone_dump(&folder);
    let alone = json(&["timeline", "default/helloworld", "--from", dump.to_str().unwrap()]);
    assert!(alone["unseen"][0]["why"].as_str().unwrap().contains("no WasmPlugin was read"), "{alone}");
    assert!(alone["start"].is_null() && alone["controlPlane"].as_array().unwrap().is_empty());
    let steps: Vec<&str> = alone["proxies"][0]["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["ldsAccepted", "ecdsAccepted"], "the dump alone has these");
    let bounded = json(&["timeline", "default/helloworld", "--demo", "--since", "1s"]);
    let notes = bounded["notes"].to_string();
    assert!(notes.contains("Only log lines of the last 1 s were read"), "{notes}");
    let why = bounded["controlPlane"][0]["unseen"][0]["why"].as_str().unwrap();
    assert!(why.contains("before istiod's log begins, which reaches back only to"), "{why}");
}
