//! What istiod would send against what the proxies have: nothing over recordings of meshes at rest, and each way to differ over edited ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::views::{EXTENSION, PROXY, SECRET, chains, diff, each_filter, edited, edited_files, lines, listener};

#[test]
fn meshes_at_rest_differ_in_nothing_but_stubs() {
    let eras = support::eras();
    let mut bases = BTreeMap::new();
    for recording in support::MESHES.into_iter().chain(eras.iter().map(String::as_str)) {
        let path = support::recording(recording);
        let files = support::files(recording);
        let proxies: std::collections::BTreeSet<&str> =
            files.keys().filter_map(|name| name.strip_prefix("proxies/")?.strip_suffix("/config_dump.json")).collect();
        for proxy in proxies {
            let entry = diff(path.to_str().unwrap(), proxy);
            assert_eq!(lines(&entry, 0), [], "{recording} {entry}");
            let stubbed = recording.starts_with("fetch-failed") && proxy.starts_with("httpbin");
            let expected: &[(&str, &str)] = if stubbed { &[("stub", "both")] } else { &[] };
            assert_eq!(lines(&entry, 1), expected, "{recording} {entry}");
            for found in entry["types"].as_array().unwrap() {
                let differs = found["type"] != "ECDS" && found["differences"] != json!([]);
                assert!(!differs, "{recording} {proxy} {found}");
                *bases.entry(format!("{} {}", found["type"].as_str().unwrap(), found["basis"].as_str().unwrap())).or_insert(0) += 1;
            }
        }
    }
    let kinds: Vec<&str> = bases.keys().map(String::as_str).collect();
    let of_plugins = ["ECDS istiod", "ECDS listeners", "ECDS predicted"];
    let expected = [&["CDS istiod", "CDS none"][..], &of_plugins, &["EDS none", "LDS istiod", "LDS predicted", "RDS istiod", "RDS none"]];
    assert_eq!(kinds, expected.concat(), "each basis is met");
}

/// The module that istiod would send.
fn module(view: &mut Value) -> &mut Value {
    &mut view["configs"][1]["ecdsFilters"][0]["ecdsFilter"]["config"]
}

/// The HTTP filters of the first chain that has the plugin.
fn http_filters(view: &mut Value) -> &mut Vec<Value> {
    let chains = listener(view, "virtualInbound")["filter_chains"].as_array_mut().unwrap();
    let filters = chains.iter_mut().flat_map(|chain| chain["filters"].as_array_mut().unwrap());
    let mut lists = filters.filter_map(|filter| filter["typed_config"].get_mut("http_filters")).filter_map(Value::as_array_mut);
    lists.find(|list| list.iter().any(|filter| filter["name"] == EXTENSION)).unwrap()
}

#[test]
fn what_the_agent_and_the_form_make_is_no_difference() {
    let (_folder, entry) = edited(|_| {});
    for found in entry["types"].as_array().unwrap() {
        assert_eq!((&found["basis"], &found["same"]), (&json!("istiod"), &json!(true)), "{found}");
    }
    let note = entry["types"][1]["notes"][0].as_str().unwrap();
    assert!(note.contains("in the place of oci://registry/helloworld:latest, which is no difference"), "{note}");
}

/// Another way of writing the same: as istiod does, with what it need not write, and in a TypedStruct.
fn rewritten(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let is_message = object.contains_key("@type");
            for (key, mut value) in std::mem::take(object).into_iter().rev() {
                let chosen = ["policies", "filter_metadata"].contains(&key.as_str());
                if chosen {
                    value.as_object_mut().unwrap().values_mut().for_each(rewritten)
                } else {
                    rewritten(&mut value)
                }
                let mut parts = key.split('_');
                let first = parts.next().unwrap().to_owned();
                let camel = parts.fold(first, |camel, part| camel + &part[..1].to_uppercase() + &part[1..]);
                object.insert(if key.contains('.') { key } else { camel }, value);
            }
            if is_message {
                object.insert("someFlag".to_owned(), json!(false));
                object.insert("statPrefix".to_owned(), object.get("statPrefix").cloned().unwrap_or_else(|| json!("")));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(rewritten),
        Value::Number(number) => *value = json!(number.to_string()),
        Value::String(text) => match text.as_str() {
            "DENY" => *value = json!(1),
            "HUNDRED" => *value = json!(0),
            "0s" => *value = json!("0.000s"),
            _ => {}
        },
        _ => {}
    }
}

#[test]
fn ways_of_writing_are_no_difference() {
    let (_folder, entry) = edited(|view| {
        for name in ["virtualInbound", "virtualOutbound"] {
            let listener = listener(view, name);
            rewritten(listener);
            listener["name"] = json!(name);
            for chain in listener["filterChains"].as_array_mut().unwrap() {
                let http = chain["filters"].as_array_mut().unwrap().last_mut().unwrap()["typedConfig"].get_mut("httpFilters");
                for filter in http.and_then(Value::as_array_mut).into_iter().flatten().filter(|filter| !filter["typedConfig"].is_null()) {
                    let mut config = filter["typedConfig"].take();
                    let of = config.as_object_mut().unwrap().remove("@type").unwrap();
                    filter["typedConfig"] = json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "typeUrl": of, "value": config});
                }
            }
        }
    });
    assert_eq!(lines(&entry, 0), [], "{entry}");
    assert_eq!(entry["types"][0]["same"], true, "{entry}");
}

#[test]
fn names_of_chains_are_no_difference() {
    let (_folder, entry) = edited(|view| {
        for chain in listener(view, "virtualInbound")["filter_chains"].as_array_mut().unwrap() {
            chain["name"] = json!("another");
        }
    });
    assert_eq!(lines(&entry, 0), []);
}

#[test]
fn each_way_to_differ_is_told() {
    type Edit = fn(&mut Value);
    let cases: Vec<(usize, (&str, &str), &str, Edit)> = vec![
        (0, ("listener", "proxy"), "istiod would not send listener virtualOutbound", |view| {
            view["configs"][0]["dynamicListeners"].as_array_mut().unwrap().retain(|entry| entry["name"] != "virtualOutbound");
        }),
        (0, ("listener", "istiod"), "the proxy lacks listener new", |view| {
            let mut new = view["configs"][0]["dynamicListeners"][0].clone();
            (new["name"], new["activeState"]["listener"]["name"]) = (json!("new"), json!("new"));
            view["configs"][0]["dynamicListeners"].as_array_mut().unwrap().push(new);
        }),
        (0, ("chain", "proxy"), "istiod would not make the chain for", |view| {
            drop(listener(view, "virtualInbound")["filter_chains"].as_array_mut().unwrap().remove(0));
        }),
        (0, ("chain", "istiod"), "the proxy lacks the chain for", |view| {
            let chains = listener(view, "virtualInbound")["filter_chains"].as_array_mut().unwrap();
            let mut new = chains[0].clone();
            new["filter_chain_match"]["destination_port"] = json!(4711);
            chains.push(new);
        }),
        (0, ("plugins", "both"), "istiod would put no plugin there", |view| {
            http_filters(view).retain(|filter| filter["name"] != EXTENSION)
        }),
        (0, ("filters", "both"), "the proxy lacks the filters new", |view| http_filters(view).insert(0, json!({"name": "new"}))),
        (0, ("filters", "both"), "in another order", |view| {
            let filters = http_filters(view);
            let last = filters.len() - 1;
            let plain: Vec<usize> = (0..last).filter(|place| filters[*place]["name"] != EXTENSION).collect();
            filters.swap(plain[0], plain[1]);
        }),
        (
            0,
            ("settings", "both"),
            "chains 2, 3, 7 and 8: filter envoy.filters.http.fault: abort.percentage.numerator is 100, istiod would send 1",
            |view| {
                each_filter(view, "envoy.filters.http.fault", |config| config["abort"]["percentage"]["numerator"] = json!(1));
            },
        ),
        (
            0,
            ("settings", "both"),
            "rules.policies.ns[default]-policy[x].principals[0].authenticated.principal_name.exact is alice, istiod would send bob",
            |view| {
                each_filter(view, "envoy.filters.http.cors", |config| {
                    config["rules"]["policies"]["ns[default]-policy[x]"]["principals"][0]["authenticated"]["principal_name"]["exact"] =
                        json!("bob");
                });
            },
        ),
        (
            0,
            ("settings", "both"),
            "virtualInbound, chains 7 and 8: filter envoy.filters.network.http_connection_manager: route_config.virtual_hosts[inbound|http|8000].routes[0].route.timeout is 0s, istiod would send 15s",
            |view| {
                for chain in chains(view) {
                    let hosts =
                        chain["filters"][0]["typed_config"].pointer_mut("/route_config/virtual_hosts").and_then(Value::as_array_mut);
                    for host in hosts.into_iter().flatten().filter(|host| host["name"] == "inbound|http|8000") {
                        host["routes"][0]["route"]["timeout"] = json!("15s");
                    }
                }
            },
        ),
        (0, ("settings", "proxy"), "filter envoy.filters.http.grpc_stats: the proxy has typed_config as", |view| {
            each_filter(view, "envoy.filters.http.grpc_stats", |config| *config = Value::Null);
        }),
        (0, ("tls", "istiod"), "transport_socket.typed_config.max_session_keys, which istiod would send as 0", |view| {
            for chain in chains(view).iter_mut().filter(|chain| !chain["transport_socket"].is_null()) {
                chain["transport_socket"]["typedConfig"] = chain["transport_socket"]["typed_config"].take();
                chain["transport_socket"]["typedConfig"]["maxSessionKeys"] = json!(0);
                chain["transport_socket"].as_object_mut().unwrap().remove("typed_config");
            }
        }),
        (0, ("settings", "proxy"), "virtualInbound: the proxy has", |view| {
            drop(listener(view, "virtualInbound").as_object_mut().unwrap().remove("listener_filters_timeout"));
        }),
        (
            1,
            ("configuration", "istiod"),
            "the proxy lacks vm_config.environment_variables, which istiod would send as {\"key_values\":{\"MODE\":\"enforce\"}}",
            |view| {
                module(view)["vmConfig"]["environmentVariables"]["keyValues"]["MODE"] = json!("enforce");
            },
        ),
        (1, ("module", "both"), "istiod would send oci://registry/helloworld:latest with the sha256 abab", |view| {
            module(view)["vmConfig"]["code"]["remote"]["sha256"] = json!("ab".repeat(32));
        }),
        (1, ("configuration", "both"), "failure_policy is FAIL_CLOSED, istiod would send FAIL_OPEN", |view| {
            module(view)["failurePolicy"] = json!("FAIL_OPEN");
        }),
        (1, ("configuration", "istiod"), "the proxy lacks vm_config.vm_id, which istiod would send as one", |view| {
            module(view)["vmConfig"]["vmId"] = json!("one");
        }),
        (1, ("extension", "proxy"), "which the proxy has and its listeners refer to", |view| view["configs"][1]["ecdsFilters"] = json!([])),
        (1, ("extension", "istiod"), "the proxy lacks default.other", |view| {
            let mut new = view["configs"][1]["ecdsFilters"][0].clone();
            new["ecdsFilter"]["config"]["name"] = json!("default.other");
            view["configs"][1]["ecdsFilters"].as_array_mut().unwrap().push(new);
        }),
        (1, ("configuration", "both"), "istiod would send other", |view| {
            view["configs"][1]["ecdsFilters"][0]["ecdsFilter"]["config"]["rootId"] = json!("other");
        }),
        (1, ("configuration", "istiod"), "the proxy lacks configuration, which istiod would send as {\"a\":1}", |view| {
            view["configs"][1]["ecdsFilters"][0]["ecdsFilter"]["config"]["configuration"] =
                json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{\"a\": 1}"});
        }),
    ];
    for (place, expected, says, edit) in cases {
        let (_folder, entry) = edited(edit);
        assert_eq!(lines(&entry, place), [expected], "{says}: {entry}");
        assert_eq!(lines(&entry, 1 - place), [], "the other type is the same: {says}");
        let found = &entry["types"][place];
        assert_eq!(found["same"], false);
        let detail = found["differences"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{says}: {detail}");
    }
}

#[test]
fn where_istiod_dumps_listeners_alone_they_say_what_ecds_would_hold() {
    let (_folder, entry) = edited(|view| {
        let listeners = view["configs"][0]["dynamicListeners"].as_array().unwrap().iter();
        *view = listeners.map(|entry| entry["activeState"]["listener"].clone()).collect();
    });
    assert_eq!((&entry["types"][0]["basis"], &entry["types"][1]["basis"]), (&json!("istiod"), &json!("listeners")));
    assert_eq!((&entry["types"][0]["same"], &entry["types"][1]["same"]), (&json!(true), &json!(true)));
}

#[test]
fn what_could_not_be_read_of_istiods_extensions_is_no_difference() {
    let (_folder, entry) = edited(|view| view["configs"][1]["ecdsFilters"][0] = json!(7));
    let found = &entry["types"][1];
    assert_eq!((&found["basis"], &found["same"], lines(&entry, 1)), (&json!("istiod"), &Value::Null, vec![]), "{found}");
    let note = format!(
        "parts of istiod's config dump could not be understood, so whether it would send {EXTENSION}, which the proxy has, is not known"
    );
    assert!(found["notes"].as_array().unwrap().contains(&json!(note)), "{found}");
    assert_eq!(found["compared"], "The proxy has 1 extension, as far as istiod's config dump could be read", "{found}");
}

#[test]
fn no_credential_of_istiods_dump_is_in_any_form() {
    let docker = json!({"auths": {"registry": {"auth": "cGxhbnRlZDpwbGFudGVk", "password": SECRET}}}).to_string();
    let (folder, entry) = edited(|view| {
        let tcp = json!({"@type": "type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm", "config": {"name": "default.tcp",
            "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": json!({"password": SECRET}).to_string()},
            "vmConfig": {"code": {"remote": {"httpUri": {"uri": format!("https://me:{SECRET}@registry.example/x")}}},
                "environmentVariables": {"keyValues": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": docker}}}}});
        view["configs"][1]["ecdsFilters"].as_array_mut().unwrap().push(json!({"ecdsFilter": tcp}));
        // What differs is told with both values, and these hold secrets too.
        module(view)["vmConfig"]["environmentVariables"]["keyValues"]["API_TOKEN"] = json!(SECRET);
        module(view)["configuration"] = json!({"@type": "type.googleapis.com/google.protobuf.StringValue",
            "value": json!({"mode": "enforce", "auth": {"client_secret": SECRET}}).to_string()});
        each_filter(view, "envoy.filters.http.fault", |config| {
            config["headers"] = json!([{"name": "authorization", "stringMatch": {"exact": format!("Bearer {SECRET}")}}]);
            config["delay"] = json!({"grpcService": {"initialMetadata": [{"key": "x-api-key", "value": SECRET}]}});
            config["abort"]["tokenSecret"] = json!({"inlineString": SECRET});
            config["inlineCode"] = json!(format!("local password = '{SECRET}'"));
            config["signingKey"] = json!({"inlineBytes": SECRET});
        });
        for chain in chains(view).iter_mut().filter(|chain| !chain["transport_socket"].is_null()) {
            let key = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n");
            chain["transport_socket"]["typed_config"]["common_tls_context"]["tls_certificates"] =
                json!([{"certificate_chain": {"filename": "/etc/cert.pem"}, "private_key": {"inline_string": key}}]);
        }
    });
    let told = |place: usize, what: &str| lines(&entry, place).iter().filter(|(of, _)| *of == what).count();
    assert_eq!((told(1, "extension"), told(1, "configuration"), told(0, "tls"), told(0, "settings")), (1, 2, 1, 5), "{entry}");
    let path = folder.path().to_str().unwrap();
    let error = folder.path().join(format!("istiod/config_dump.{PROXY}.json"));
    for round in 0..2 {
        for form in ["text", "json", "yaml", "markdown"] {
            let output = support::meshscope(&["diff", PROXY, "--from", path, "-o", form]);
            let printed = [output.stdout, output.stderr].concat();
            let printed = String::from_utf8(printed).unwrap();
            assert!(printed.contains(if round == 0 { "default.tcp" } else { "cannot dump" }), "{printed}");
            for part in [SECRET, "cGxhbnRlZ"] {
                assert!(!printed.contains(part), "{part} is in {printed}");
            }
        }
        // An error of istiod passes too.
        std::fs::write(&error, format!("cannot dump {docker} Bearer {SECRET}-and-more-of-it")).unwrap();
    }
}

#[test]
fn a_proxy_whose_own_dump_is_not_there_is_not_compared() {
    let (folder, _) = edited(|_| {});
    std::fs::remove_file(folder.path().join(format!("proxies/{PROXY}/config_dump.json"))).unwrap();
    let entry = diff(folder.path().to_str().unwrap(), PROXY);
    assert_eq!(entry["types"], json!([]));
    assert!(entry["note"].as_str().unwrap().contains("only istiod's view could be read"), "{entry}");
}

#[test]
fn what_the_proxy_refused_is_told_though_its_dump_lists_it() {
    let said = "Unable to create Wasm plugin default.helloworld~istio-translated-wasmplugin";
    let (_folder, entry) = edited_files(
        |_| {},
        |files| {
            let mut syncz: Value = serde_json::from_slice(&files["istiod/syncz.json"]).unwrap();
            let own = syncz.as_array_mut().unwrap().iter_mut().find(|client| client["proxy"] == PROXY).unwrap();
            own["resources"]["type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"] =
                json!({"sent": "2", "acked": "1", "lastError": said});
            files.insert("istiod/syncz.json".to_owned(), syncz.to_string().into_bytes());
        },
    );
    assert_eq!((lines(&entry, 0), lines(&entry, 1)), (vec![], vec![("refused", "istiod")]), "{entry}");
    let line = &entry["types"][1]["differences"][0];
    assert_eq!(line["extension"], EXTENSION);
    assert!(line["detail"].as_str().unwrap().contains(said), "{line}");
    let found = &entry["types"][1];
    // No type with a difference is called the same.
    assert_eq!((&found["same"], &found["compared"]), (&json!(false), &json!("istiod would send 1 extension, the proxy has 1")));
}

#[test]
fn the_same_settings_are_no_tick_for_a_module_that_does_not_run() {
    let (folder, entry) = edited_files(
        |_| {},
        |files| {
            // As a real proxy wrote it, of which istiod reports that it is synced.
            let wasm = |level: &str, place: &str, said: &str| {
                let time = "2026-11-23T19:38:01.000000Z";
                format!(
                    "2026-11-23T19:38:01.000000000Z {time}\t{level}\tenvoy wasm source/extensions/common/wasm/{place}\t{said}\tthread=13\n"
                )
            };
            let rejected = "2026-11-23T19:38:01.000000000Z 2026-11-23T19:38:01.000000Z\twarning\tenvoy config source/extensions/config_subscription/grpc/delta_subscription_state.cc:282\tdelta config for type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm plugin default.helloworld~istio-translated-wasmplugin\tthread=13\n";
            let lines = [
                wasm("error", "wasm_vm.cc:38", "Function: proxy_on_configure failed: Uncaught RuntimeError: memory access out of bounds"),
                wasm("error", "wasm.cc:104", "Wasm VM failed Failed to configure base Wasm plugin"),
                wasm("critical", "wasm.cc:626", "Plugin default.helloworld~istio-translated-wasmplugin failed to load"),
                wasm("critical", "wasm.cc:479", "Plugin configured to fail closed failed to load"),
                rejected.to_owned(),
            ]
            .concat();
            files.insert(
                format!("proxies/{PROXY}/stats.prom"),
                b"# TYPE envoy_wasm_wasm_vm_count gauge\nenvoy_wasm_wasm_vm_count{} 0\n".to_vec(),
            );
            files.insert(format!("logs/{PROXY}.istio-proxy.log"), lines.into_bytes());
        },
    );
    let from = folder.path().to_str().unwrap();
    let health = support::json(&["health", "default/helloworld", "--from", from]);
    let state = &health["plugins"][0]["proxies"][0]["state"];
    let why = support::json(&["why", "default/helloworld", "deploy/httpbin", "--from", from]);
    assert_eq!((state, &why["workloads"][0]["state"]), (&json!("vmFailed"), &json!("vmFailed")), "{health}");
    assert_eq!((lines(&entry, 0), lines(&entry, 1)), (vec![], vec![("state", "both")]), "{entry}");
    let detail = entry["types"][1]["differences"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("WasmPlugin default/helloworld does not run as its object asks: VM failed ("), "{detail}");
    let text = String::from_utf8(support::meshscope(&["diff", PROXY, "--from", from]).stdout).unwrap();
    assert!(
        text.contains("  LDS  11 listeners with 23 chains compared field by field with what istiod would send now: nothing differs."),
        "{text}"
    );
    assert!(text.contains("  ECDS istiod would send 1 extension, the proxy has 1: 1 difference."), "{text}");
    // The chains are as they should be, and that is no tick for the plugin.
    let text = String::from_utf8(support::meshscope(&["why", "default/helloworld", "--from", from, "--color", "always"]).stdout).unwrap();
    let line = text.lines().find(|line| line.contains("virtualInbound")).unwrap();
    assert!(line.contains("chain by chain; but the plugin does not run as its object asks: VM failed") && !line.contains("[32m"), "{line}");
}

/// The answer with changes to the inbound listener of the proxy's dump.
fn with_inbound(edit: impl FnOnce(&mut Value)) -> (tempfile::TempDir, Value) {
    let change = |files: &mut BTreeMap<String, Vec<u8>>| {
        let name = format!("proxies/{PROXY}/config_dump.json");
        let mut dump: Value = serde_json::from_slice(&files[&name]).unwrap();
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let mut entries = sections.filter_map(|section| section.get_mut("dynamic_listeners")?.as_array_mut()).flatten();
        edit(entries.find(|entry| entry["name"] == "virtualInbound").unwrap());
        files.insert(name, dump.to_string().into_bytes());
    };
    edited_files(|_| {}, change)
}

#[test]
fn a_listener_that_only_warms_is_no_tick() {
    let (_folder, entry) = with_inbound(|own| {
        own["warming_state"] = own["active_state"].take();
        own.as_object_mut().unwrap().remove("active_state");
    });
    assert_eq!((lines(&entry, 0), &entry["types"][0]["same"]), (vec![("warming", "both")], &json!(false)), "{entry}");
}

#[test]
fn a_listener_that_warms_or_was_refused_is_told_with_the_cause() {
    for (state, inner, cause) in [("error_state", "failed_configuration", "refused"), ("warming_state", "listener", "warming")] {
        let (_folder, entry) = with_inbound(|own| {
            // What istiod sent is not in place, and what was there before lacks a chain.
            let sent = own["active_state"]["listener"].clone();
            own[state] = json!({inner: sent, "details": "no such thing", "last_updated": "2026-11-23T19:40:00Z"});
            own["active_state"]["listener"]["filter_chains"].as_array_mut().unwrap().remove(0);
        });
        assert_eq!(lines(&entry, 0), [("chain", "istiod")], "{entry}");
        assert_eq!(entry["types"][0]["differences"][0]["causes"][0]["cause"], cause, "{entry}");
    }
}

#[test]
fn what_a_removed_plugin_leaves_in_ecds_is_no_difference() {
    let leave = |files: &mut BTreeMap<String, Vec<u8>>| {
        let name = format!("proxies/{PROXY}/config_dump.json");
        let mut dump: Value = serde_json::from_slice(&files[&name]).unwrap();
        let mut sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let entries = sections.find_map(|section| section.get_mut("ecds_filters")?.as_array_mut()).unwrap();
        let mut left = entries[0].clone();
        left["ecds_filter"]["name"] = json!("extensions.istio.io/trafficextension/default.removed");
        entries.push(left);
        files.insert(name, dump.to_string().into_bytes());
    };
    let (_folder, entry) = edited_files(|_| {}, leave);
    let found = &entry["types"][1];
    assert_eq!((&found["same"], lines(&entry, 1)), (&json!(true), vec![]), "{entry}");
    assert!(
        found["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("default.removed is a leftover")),
        "{found}"
    );
}
