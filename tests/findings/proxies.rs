//! Rules about what proxies have: stubs, refusals, waiting listeners, chains and filters that are others, modules that differ.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::Severity;
use meshscope::ingest::logs::leading;
use meshscope::ingest::metrics;
use meshscope::model::ids::ProxyId;
use meshscope::model::snapshot::{Dump, Snapshot};
use meshscope::model::sync::{CLUSTERS, EXTENSIONS, LISTENERS, SyncState};
use meshscope::model::vitals::Vitals;
use serde_json::{Value, json};

use super::recorded::{HTTPBIN, Mesh, chains, http_filters, is_of, object};
use super::{found, of, one, support};

pub const DUMP: &str = "proxies/httpbin-664956bb75-9d64m.default/config_dump.json";
pub const PLUGINS: &str = "k8s/wasmplugins.extensions.istio.io.json";

#[test]
fn a_stub_in_the_place_of_a_module() {
    let closed = one(found(&of(Mesh::of("fetch-failed-closed")), "stub-in-place"), Severity::Error, "WasmPlugin default/missing");
    assert_eq!(closed.place.unwrap().listener, "virtualInbound");
    one(found(&of(Mesh::of("fetch-failed-open")), "stub-in-place"), Severity::Warning, "WasmPlugin default/missing-open");
    // A guard that lets everything pass is worse.
    let guard = Mesh::of("fetch-failed-open").change(PLUGINS, |list| {
        list["items"].as_array_mut().unwrap().iter_mut().for_each(|item| item["spec"]["phase"] = json!("AUTHZ"));
    });
    one(found(&of(guard), "stub-in-place"), Severity::Error, "WasmPlugin default/missing-open");
    assert_eq!(found(&of(Mesh::permissive()), "stub-in-place"), []);
    // What ECDS still holds of a plugin that is gone hurts nobody.
    let leftover = Mesh::permissive().change(DUMP, |dump| {
        let stub = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {}, "rules_stat_prefix": "wasm-default-deny"});
        let entry = json!({"ecds_filter": {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "typed_config": stub,
            "name": "extensions.istio.io/trafficextension/default.gone~istio-translated-wasmplugin"}, "last_updated": "2026-11-23T19:37:51Z"});
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        sections.filter_map(|section| section.get_mut("ecds_filters")).for_each(|ecds| ecds.as_array_mut().unwrap().push(entry.clone()));
    });
    assert_eq!(found(&of(leftover), "stub-in-place"), []);
}

/// The recording with another state of the inbound listener beside the active one.
pub(super) fn beside(state: &str, value: impl FnOnce(&Value) -> Value) -> Mesh {
    Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| entry[state] = value(&entry["active_state"]))
}

#[test]
fn a_listener_that_the_proxy_refused() {
    let refused = beside("error_state", |sent| json!({"failed_configuration": sent["listener"], "details": "no such filter"}));
    let pod = "Pod default/httpbin-664956bb75-9d64m";
    let finding = one(found(&of(refused), "refused-push"), Severity::Error, pod);
    assert!(finding.evidence[0].contains("no such filter") && finding.evidence[1].contains("stays in force"), "{finding:?}");
    assert_eq!(finding.place.unwrap().state, "error");
    assert_eq!(found(&of(beside("warming_state", Value::clone)), "refused-push"), []);
}

/// What istiod says that httpbin refused of a type.
pub(super) fn refusing(mesh: Mesh, url: &str, error: &str) -> Snapshot {
    of(mesh.change("istiod/syncz.json", |answer| {
        let entry = answer.as_array_mut().unwrap().iter_mut().find(|entry| entry["proxy"] == HTTPBIN).unwrap();
        entry["resources"][url]["lastError"] = json!(error);
    }))
}

#[test]
fn a_type_that_the_proxy_refused() {
    let (code, pod) = ("refused-push", "Pod default/httpbin-664956bb75-9d64m");
    let error = "Internal:Error adding/updating cluster(s) outbound|8000||httpbin: bad patch";
    let mut clusters = refusing(Mesh::permissive(), CLUSTERS, error);
    let finding = one(found(&clusters, code), Severity::Error, pod);
    assert!(finding.what.ends_with("refused CDS.") && finding.evidence[0].ends_with(error), "{finding:?}");
    // The proxy itself need not be read for that.
    clusters.dumps.clear();
    one(found(&clusters, code), Severity::Error, pod);
    // What the dump has too is said once.
    let refused = || beside("error_state", |sent| json!({"failed_configuration": sent["listener"], "details": "no such filter"}));
    let said = |error: &str| found(&refusing(refused(), LISTENERS, error), code);
    let once = one(said("Error adding/updating listener(s) virtualInbound: no such filter\n"), Severity::Error, pod);
    assert!(once.place.is_some(), "{once:?}");
    assert_eq!(said("Error adding/updating listener(s) 0.0.0.0_80: duplicate").len(), 2, "it is of another listener");
    let plugin = refusing(Mesh::permissive(), EXTENSIONS, "Unable to create Wasm plugin default.helloworld~istio-translated-wasmplugin");
    one(found(&plugin, code), Severity::Error, "WasmPlugin default/helloworld");
    assert_eq!(found(&refusing(Mesh::permissive(), CLUSTERS, ""), code), []);
}

#[test]
fn a_listener_that_warms() {
    let pod = "Pod default/httpbin-664956bb75-9d64m";
    let finding = one(found(&of(beside("warming_state", Value::clone)), "pending-listener"), Severity::Warning, pod);
    assert!(finding.evidence[0].contains("meanwhile"), "{finding:?}");
    let awaited = Mesh::permissive().change(DUMP, |dump| {
        let listener = super::recorded::entry(dump, "virtualInbound");
        listener["warming_state"] = listener["active_state"].take();
        listener.as_object_mut().unwrap().remove("active_state");
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        sections.filter_map(|section| section.get_mut("ecds_filters")).for_each(|ecds| *ecds = json!([]));
    });
    let finding = one(found(&of(awaited), "pending-listener"), Severity::Warning, "WasmPlugin default/helloworld");
    let waits = finding.evidence.iter().any(|line| line.starts_with("default/helloworld: ") && line.contains("ECDS does not hold it"));
    assert!(waits && finding.plugin.is_some(), "{finding:?}");
    // With none beside it that takes connections, and not only since a moment ago.
    let since = |time: &str, beside: bool| {
        let mesh = Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |listener| {
            listener["warming_state"] = listener["active_state"].clone();
            listener["warming_state"]["last_updated"] = json!(time);
            if !beside {
                listener.as_object_mut().unwrap().remove("active_state");
            }
        });
        found(&of(mesh), "pending-listener")
    };
    let long = one(since("2026-11-22T00:00:00Z", false), Severity::Error, pod);
    assert!(long.evidence[0].contains(", for at least ") && long.evidence[0].contains("no other of that name"), "{long:?}");
    one(since("2026-11-22T00:00:00Z", true), Severity::Warning, pod);
    assert_eq!(found(&of(beside("draining_state", Value::clone)), "pending-listener"), []);
}

#[test]
fn a_plugin_that_envoy_refused() {
    let mut snapshot = of(Mesh::permissive());
    let proxy = ProxyId::parse(HTTPBIN).unwrap();
    let mut counting = |counters: &str| {
        let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&proxy) else { panic!("it was read") };
        let envoy = Some(metrics::of_envoy(format!("{counters}envoy_wasm_envoy_wasm_runtime_v8_active{{}} 4\n").as_bytes()));
        Arc::make_mut(loaded).vitals = Some(Vitals { envoy, ..Vitals::default() });
        found(&snapshot, "refused-push")
    };
    // Of a plugin that Envoy made it counts the reloads, and the dump lists one that it refused all the same.
    let refused = counting("envoy_wasm_default_other_istio_translated_wasmplugin_vm_reload{} 0\n");
    let finding = one(refused, Severity::Error, "WasmPlugin default/helloworld");
    assert!(finding.what.contains("rejected the configuration") && finding.place.is_some(), "{finding:?}");
    assert_eq!(counting("envoy_wasm_default_helloworld_istio_translated_wasmplugin_vm_reload{} 0\n"), []);
}

#[test]
fn a_plugin_that_is_not_where_it_belongs() {
    let name = "WasmPlugin default/helloworld";
    one(found(&of(everywhere_without_plugin(Mesh::permissive())), "plugin-absent"), Severity::Error, name);
    // Deleted, and still in the listeners; or in the ECDS section alone.
    let deleted = |mesh: Mesh| of(mesh.change(PLUGINS, |list| list["items"] = json!([])));
    let unexpected = deleted(Mesh::permissive());
    one(found(&unexpected, "plugin-unexpected"), Severity::Warning, name);
    let leftover = deleted(everywhere_without_plugin(Mesh::permissive()));
    one(found(&leftover, "plugin-leftover"), Severity::Information, name);
    let well = of(Mesh::permissive());
    for (snapshot, codes) in [
        (&well, &["plugin-absent", "plugin-unexpected", "plugin-leftover"][..]),
        (&unexpected, &["plugin-leftover"]),
        (&leftover, &["plugin-unexpected"]),
    ] {
        codes.iter().for_each(|code| assert_eq!(found(snapshot, code), [], "{code}"));
    }
}

#[test]
fn live_l14_what_is_left_over_while_listeners_drain_is_no_finding() {
    let leftover = || everywhere_without_plugin(Mesh::permissive()).change(PLUGINS, |list| list["items"] = json!([]));
    // The dump shows a listener that drains.
    let drains = everywhere_without_plugin(beside("draining_state", Value::clone)).change(PLUGINS, |list| list["items"] = json!([]));
    let health = drains.ask(&["health", "default/helloworld"]);
    assert!(health.to_string().contains("it goes with the draining listeners"), "{health}");
    assert_eq!(found(&of(drains), "plugin-leftover"), []);
    // Chains of a listener drain, which it does not show: the listener was changed a moment ago.
    let read_after = |seconds: i64| {
        let mut snapshot = of(leftover());
        for dump in snapshot.dumps.values_mut() {
            let Dump::Loaded(loaded) = dump else { continue };
            let loaded = Arc::make_mut(loaded);
            let times = loaded.dump.listeners.iter().filter(|listener| !listener.is_static);
            let newest = times.filter_map(|listener| leading(&format!("{} ", listener.last_updated.as_deref()?))).max().unwrap();
            loaded.read_at = Some(newest + seconds * 1_000_000_000);
        }
        found(&snapshot, "plugin-leftover")
    };
    assert_eq!(read_after(44), []);
    let later = one(read_after(90), Severity::Information, "WasmPlugin default/helloworld");
    assert!(!later.fix.contains("it goes when the proxy restarts"), "{later:?}");
}

/// The recording with an EnvoyFilter that has a Wasm filter of a free name in ECDS, in the chain of port 80 of httpbin.
fn with_own_wasm(config: &Value) -> Mesh {
    let patch = |apply_to: &str| json!({"applyTo": apply_to, "match": {"context": "SIDECAR_INBOUND"}, "patch": {"operation": "ADD", "value": {"name": "my-wasm"}}});
    let spec =
        json!({"workloadSelector": {"labels": {"app": "httpbin"}}, "configPatches": [patch("EXTENSION_CONFIG"), patch("HTTP_FILTER")]});
    let counter = "envoy_wasm_mine_vm_reload{} 0\n";
    let stats = "proxies/httpbin-664956bb75-9d64m.default/stats.prom";
    let mesh = Mesh::permissive().change_text(stats, |stats| stats.push_str(counter));
    let mesh = mesh.with([object("networking.istio.io/v1alpha3", "EnvoyFilter", "default/ownwasm", spec)]);
    let types = ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"];
    let filter = json!({"name": "my-wasm", "config_discovery": {"config_source": {"ads": {}}, "type_urls": types}});
    mesh.change(DUMP, |dump| {
        let entry = json!({"ecds_filter": {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "typed_config": config,
            "name": "my-wasm"}, "last_updated": "2026-11-23T19:37:51Z"});
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        sections.filter_map(|section| section.get_mut("ecds_filters")).for_each(|ecds| ecds.as_array_mut().unwrap().push(entry.clone()));
    })
    .with_chains(HTTPBIN, "virtualInbound", |chains| {
        for chain in chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
            let filters = http_filters(chain);
            filters.insert(filters.len() - 1, filter.clone());
        }
    })
}

#[test]
fn live_l4_the_wasm_of_an_envoy_filter_by_ecds_is_the_envoy_filters() {
    let module = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {"name": "mine", "root_id": "add_header", "vm_config": {"code": {"local": {"filename": "/var/lib/istio/data/a/b.wasm"}}}}});
    let mesh = with_own_wasm(&module);
    assert_eq!(found(&of(with_own_wasm(&module)), "pending-listener"), []);
    let chains = mesh.ask(&["chains", "deploy/httpbin", "--listener", "virtualInbound"]);
    let all = chains["proxies"][0]["listeners"][0]["filterChains"].as_array().unwrap();
    let mut filters = all.iter().flat_map(|chain| chain["httpFilters"].as_array().unwrap());
    let own = filters.find(|filter| filter["name"] == "my-wasm").unwrap();
    assert_eq!((&own["plugin"], &own["pluginKind"]), (&json!("default/ownwasm"), &json!("EnvoyFilter")));
    assert!(mesh.text(&["chains", "deploy/httpbin"]).contains("* my-wasm (EnvoyFilter default/ownwasm)"));
    let health = mesh.ask(&["health"]);
    let own = health["plugins"].as_array().unwrap().iter().find(|plugin| plugin["plugin"] == "my-wasm").unwrap();
    assert_eq!((&own["envoyFilter"], &own["rollup"]), (&json!("default/ownwasm"), &json!("ready")), "{own}");
    // What is found of it is found of the EnvoyFilter.
    let stub = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {}});
    one(found(&of(with_own_wasm(&stub)), "stub-in-place"), Severity::Error, "EnvoyFilter default/ownwasm");
    // An EnvoyFilter that reaches other pods has not made it.
    let other = with_own_wasm(&stub).change("k8s/envoyfilters.networking.istio.io.json", |list| {
        list["items"][0]["spec"]["workloadSelector"]["labels"]["app"] = json!("sleep");
    });
    one(found(&of(other), "stub-in-place"), Severity::Error, "EnvoyFilter my-wasm");
}

pub fn everywhere_without_plugin(mesh: Mesh) -> Mesh {
    mesh.change(DUMP, |dump| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        for entry in sections.filter_map(|section| section.get_mut("dynamic_listeners")).flat_map(|list| list.as_array_mut().unwrap()) {
            for chain in
                chains(&mut entry["active_state"]["listener"]).iter_mut().filter(|chain| chain.to_string().contains("http_filters"))
            {
                http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
            }
        }
    })
}

pub fn without_plugin(mesh: Mesh) -> Mesh {
    without_plugin_in(usize::MAX, mesh)
}

/// The recording whose first chains of virtualInbound with HTTP lack the plugin.
pub fn without_plugin_in(count: usize, mesh: Mesh) -> Mesh {
    mesh.with_chains(HTTPBIN, "virtualInbound", |chains| {
        for chain in chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")).take(count) {
            http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
        }
    })
}

fn envoy_filter() -> Value {
    let patch = json!({"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_INBOUND"}, "patch": {"operation": "INSERT_BEFORE"}});
    object("networking.istio.io/v1alpha3", "EnvoyFilter", "default/moves", json!({"configPatches": [patch]}))
}

#[test]
fn chains_that_are_not_those_that_istiod_would_send() {
    let pod = "Pod default/httpbin-664956bb75-9d64m";
    let finding = one(found(&of(without_plugin_in(1, Mesh::permissive())), "chains-differ"), Severity::Warning, pod);
    assert!(finding.evidence[0].contains("no plugin, istiod would put default/helloworld there"), "{finding:?}");
    assert_eq!(finding.place.unwrap().listener, "virtualInbound");
    assert_eq!(found(&of(Mesh::permissive()), "chains-differ"), []);
    assert_eq!(
        found(&of(without_plugin(Mesh::permissive()).with([envoy_filter()])), "chains-differ"),
        [],
        "an EnvoyFilter may have done it"
    );
    // What was refused or warms has a finding of its own.
    let warms = without_plugin(beside("warming_state", Value::clone));
    assert_eq!(found(&of(warms), "chains-differ"), []);
}

/// Two replicas of httpbin, the second with its module in another file, or in the same.
pub fn replicas(other: &str) -> Mesh {
    let files = support::files("permissive");
    let dump = String::from_utf8(files[DUMP].clone()).unwrap();
    let file = dump.split("/var/lib/istio/data/").find(|rest| rest.split('"').next().unwrap().ends_with(".wasm")).unwrap();
    let digest = file.split(['/', '.']).nth(1).unwrap();
    let pods: Value = serde_json::from_slice(&files["k8s/pods.json"]).unwrap();
    let mut pod = pods["items"].as_array().unwrap().iter().find(|pod| pod["metadata"]["labels"]["app"] == "httpbin").unwrap().clone();
    (pod["kind"], pod["apiVersion"], pod["metadata"]["name"]) = (json!("Pod"), json!("v1"), json!("httpbin-2"));
    let changed = dump.replace(digest, if other.is_empty() { digest } else { other });
    Mesh::permissive().with([pod]).write("proxies/httpbin-2.default/config_dump.json", changed)
}

#[test]
fn replicas_that_run_different_modules() {
    let skew = one(found(&of(replicas(&"0a".repeat(32))), "digest-skew"), Severity::Warning, "WasmPlugin default/helloworld");
    assert_eq!(skew.what, "Proxies run 2 different images for default/helloworld (oci://registry.lab:5000/linsun/helloworld:latest).");
    assert_eq!(skew.proxies.len(), 2);
    assert!(
        skew.evidence.iter().any(|line| line.contains("0a0a0a") && line.contains("in httpbin-2.default, since 2026-11-23")),
        "{skew:?}"
    );
    assert_eq!(found(&of(replicas("")), "digest-skew"), []);
}

/// The recording with an authorizer in front of each chain's HTTP filters, or behind them, of a CUSTOM policy or not, and helloworld in
/// a phase.
fn with_authorizer(phase: &str, first: bool, custom: bool) -> Mesh {
    let mut authorizer = json!({"name": "envoy.filters.http.ext_authz", "typed_config": {"@type": "type.googleapis.com/x"}});
    if custom {
        authorizer["typed_config"]["filter_enabled_metadata"] = json!({"filter": "envoy.filters.http.rbac",
            "path": [{"key": "istio_ext_authz_shadow_effective_policy_id"}], "value": {"string_match": {"prefix": "istio-ext-authz"}}});
    }
    Mesh::permissive()
        .with_chains(HTTPBIN, "virtualInbound", |chains| {
            for chain in chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
                let filters = http_filters(chain);
                filters.insert(if first { 0 } else { filters.len() - 1 }, authorizer.clone());
            }
        })
        .change(PLUGINS, |list| list["items"][0]["spec"]["phase"] = json!(phase))
}

#[test]
fn an_authenticating_plugin_behind_an_authorizer() {
    let code = "after-custom-authorizer";
    let behind = one(found(&of(with_authorizer("AUTHN", true, true)), code), Severity::Warning, "WasmPlugin default/helloworld");
    assert!(behind.what.contains("the CUSTOM authorizer") && behind.evidence[0].contains("ext_authz is before it"), "{behind:?}");
    for (phase, first) in [("AUTHZ", true), ("AUTHN", false)] {
        assert_eq!(found(&of(with_authorizer(phase, first, true)), code), [], "{phase} {first}");
    }
    let patched = of(with_authorizer("AUTHN", true, false).with([envoy_filter()]));
    let behind = one(found(&patched, code), Severity::Warning, "WasmPlugin default/helloworld");
    assert!(
        behind.what.contains("the authorizer of an EnvoyFilter") && behind.evidence[1].contains("EnvoyFilter default/moves"),
        "{behind:?}"
    );
    assert_eq!(found(&of(with_authorizer("AUTHN", true, false)), code), [], "nobody is to blame");
}

/// The recording with the plugin's filter moved behind all but the router, or standing twice.
fn moved(twice: bool) -> Mesh {
    Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| {
        for chain in chains(&mut entry["active_state"]["listener"]).iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
            let filters = http_filters(chain);
            let place = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
            let filter = if twice { filters[place].clone() } else { filters.remove(place) };
            filters.insert(filters.len() - 1, filter);
        }
    })
}

#[test]
fn an_envoy_filter_that_moves_or_doubles_a_plugin() {
    for (twice, words) in [(false, "are not where Istio puts them"), (true, "more than once")] {
        let findings = found(&of(moved(twice).with([envoy_filter()])), "envoy-filter-on-plugin");
        let finding = findings.iter().find(|finding| finding.what.contains(words)).unwrap_or_else(|| panic!("{findings:?}"));
        assert_eq!(finding.object.to_string(), "EnvoyFilter default/moves");
        assert_eq!(finding.plugin.as_ref().unwrap().to_string(), "default/helloworld");
        assert!(finding.place.as_ref().unwrap().chain.is_some());
        assert_eq!(found(&of(moved(twice)), "envoy-filter-on-plugin"), [], "nobody is to blame");
    }
    assert_eq!(found(&of(Mesh::permissive().with([envoy_filter()])), "envoy-filter-on-plugin"), []);
}

/// The recording in which istiod's answer about httpbin, or the list of its proxies, is changed.
fn told(change: impl FnOnce(&mut Vec<Value>)) -> Mesh {
    Mesh::permissive().change("istiod/syncz.json", |answer| change(answer.as_array_mut().unwrap()))
}

/// What istiod sent httpbin last of ECDS, so many seconds before it last sent anything, and that was not answered.
fn unanswered(seconds: i64) -> Snapshot {
    let mut snapshot = of(Mesh::permissive());
    let Some(Ok(sync)) = &mut snapshot.sync else { panic!("the recording has it") };
    let sync = Arc::make_mut(sync);
    let newest = sync.clients().flat_map(|(_, client)| client.types.values().filter_map(|told| told.sent)).max().unwrap();
    let httpbin = sync.istiods[0].clients.iter_mut().find(|client| client.proxy.to_string() == HTTPBIN).unwrap();
    let ecds = httpbin.types.get_mut(EXTENSIONS).unwrap();
    (ecds.state, ecds.sent) = (SyncState::Stale, Some(newest - seconds * 1_000_000_000));
    snapshot
}

#[test]
fn a_proxy_that_has_not_answered_for_a_while() {
    let stale = one(found(&unanswered(60), "stale-proxy"), Severity::Warning, "Pod default/httpbin-664956bb75-9d64m");
    assert!(stale.what.ends_with("the last push of ECDS."), "{stale:?}");
    assert!(stale.evidence[0].contains(" s before istiod was asked, and not answered"), "{stale:?}");
    assert_eq!(found(&unanswered(4), "stale-proxy"), [], "an answer may be on its way");
    for recording in ["permissive", "strict", "disable"] {
        for code in ["stale-proxy", "proxy-not-connected"] {
            assert_eq!(found(&of(Mesh::of(recording)), code), [], "{recording}");
        }
    }
}

#[test]
fn an_istiod_that_does_not_say_when_it_sent_leaves_open_what_is_stale() {
    let old = |acked: &str| {
        of(told(|answer| {
            for entry in answer.iter_mut() {
                entry.as_object_mut().unwrap().remove("resources");
                if entry["proxy"] == HTTPBIN && !acked.is_empty() {
                    entry["listener_acked"] = json!(acked);
                }
            }
        }))
    };
    let stale = old("2026-11-23T19:00:00Z/1c0548b8b-efa3-4508-b11a-b3bc96c8d79f");
    assert_eq!(found(&stale, "stale-proxy"), [], "the answer may be on its way");
    let lacking = answers::findings(&stale, None, &[]).not_checked;
    let [lacking] = &lacking[..] else { panic!("{lacking:?}") };
    assert_eq!((&lacking.objects[..], &lacking.codes[..]), (&[HTTPBIN.to_owned()][..], &["refused-push", "stale-proxy"][..]));
    assert!(lacking.why.contains("last of LDS is not answered"), "{lacking}");
    assert_eq!(answers::findings(&old(""), None, &[]).not_checked, []);
}

#[test]
fn a_proxy_that_no_istiod_has_a_connection_of() {
    let gone = || of(told(|answer| answer.retain(|entry| entry["proxy"] != HTTPBIN)));
    let alone = one(found(&gone(), "proxy-not-connected"), Severity::Warning, "Pod default/httpbin-664956bb75-9d64m");
    assert!(alone.evidence[0].contains("hears of no change"), "{alone:?}");
    // An istiod that did not answer may have it; that is said.
    let mut partial = gone();
    let Some(Ok(sync)) = &mut partial.sync else { panic!("the recording has it") };
    Arc::make_mut(sync).partial = true;
    assert_eq!(found(&partial, "proxy-not-connected"), []);
    let lacking = answers::findings(&partial, None, &[]).not_checked;
    assert!(lacking.iter().any(|lacking| lacking.objects == ["istiod"]
        && lacking.codes == ["refused-push", "stale-proxy", "istiods-differ", "proxy-not-connected"]));
    // Nor is it known of a proxy of a namespace that istiod does not tell of.
    let mut told = gone();
    let Some(Ok(sync)) = &mut told.sync else { panic!("the recording has it") };
    let istiod = &mut Arc::make_mut(sync).istiods[0];
    (istiod.account, istiod.only) = (Some("shop/default".to_owned()), Some("shop".to_owned()));
    assert_eq!(found(&told, "proxy-not-connected"), []);
    let lacking = answers::findings(&told, None, &[]).not_checked;
    assert_eq!(lacking[0].why, "it reports to service account shop/default only the proxies of namespace shop");
    let answer = answers::sync(&told, |_| true);
    assert!(answer.proxies.iter().all(|entry| entry.connected), "{answer:?}");
    let asked = answer.istiods[0].sentence();
    assert!(asked.contains(" as service account shop/default, which is told of namespace shop alone"), "{asked}");
    partial.sync = None;
    assert!(answers::findings(&partial, None, &[]).not_checked[0].why.contains("were not asked"));
}
