//! A plugin that an EnvoyFilter takes out of chains in which the objects ask for it.

use meshscope::analysis::findings::{Finding, Severity};
use serde_json::{Value, json};

use super::proxies::{everywhere_without_plugin, without_plugin, without_plugin_in};
use super::recorded::{HTTPBIN, Mesh, chains, http_filters, is_of, object};
use super::{found, of, one};

const FILTER: &str = "extensions.istio.io/trafficextension/default.helloworld~istio-translated-wasmplugin";
const HCM: &str = "envoy.filters.network.http_connection_manager";

pub(super) fn envoy_filter(name: &str, labels: Value, patch: Value) -> Value {
    let mut spec = json!({"configPatches": [patch]});
    if labels != json!({}) {
        spec["workloadSelector"] = json!({"labels": labels});
    }
    object("networking.istio.io/v1alpha3", "EnvoyFilter", name, spec)
}

/// `default/cleanup`, on httpbin.
fn cleanup(patch: Value) -> Value {
    envoy_filter("default/cleanup", json!({"app": "httpbin"}), patch)
}

pub(super) fn patch(apply_to: &str, operation: &str, filter: Value) -> Value {
    json!({"applyTo": apply_to, "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": {"filter": filter}}},
        "patch": {"operation": operation}})
}

/// The patch of the incident.
fn remove() -> Value {
    patch("HTTP_FILTER", "REMOVE", json!({"name": HCM, "subFilter": {"name": FILTER}}))
}

fn with_value(mut patch: Value, value: Value) -> Value {
    patch["patch"]["value"] = value;
    patch
}

fn with_match(mut patch: Value, key: &str, value: Value) -> Value {
    let path = patch["match"]["listener"].as_object_mut().unwrap();
    path.insert(key.to_owned(), value);
    patch
}

fn state(mesh: &Mesh) -> Value {
    mesh.ask(&["why", "default/helloworld", "deploy/httpbin"])["workloads"][0]["state"].clone()
}

#[test]
fn incident_d7_an_envoy_filter_removes_the_plugins_filter() {
    let mesh = || without_plugin(Mesh::permissive()).with([cleanup(remove())]);
    let snapshot = of(mesh());
    let finding = one(found(&snapshot, "plugin-removed"), Severity::Error, "WasmPlugin default/helloworld");
    assert_eq!(finding.what, "On 1 proxy EnvoyFilter default/cleanup removes default/helloworld from virtualInbound.");
    let said = format!("EnvoyFilter default/cleanup, configPatches[0]: REMOVE of HTTP_FILTER {FILTER}");
    assert!(
        finding.evidence[0].contains("0 of 8 chains have it, the objects ask for 4") && finding.evidence[0].contains(&said),
        "{finding:?}"
    );
    assert_eq!(finding.place.unwrap().listener, "virtualInbound");
    for code in ["plugin-absent", "chains-differ", "envoy-filter-on-plugin", "match-excludes-all"] {
        assert_eq!(found(&snapshot, code), [], "{code}");
    }
    let why = mesh().ask(&["why", "default/helloworld", "deploy/httpbin"]);
    let (entry, listener) = (&why["workloads"][0], &why["workloads"][0]["listeners"][0]);
    assert_eq!((&entry["state"], &listener["port"]), (&json!("removed"), &json!(15006)), "{entry}");
    assert_eq!((&listener["counted"], &listener["chainCount"], &listener["objectsAskFor"]), (&json!(0), &json!(8), &json!(4)));
    assert_eq!(listener["causes"], json!([{"cause": "envoyFilter", "why": said}]));
    let text = mesh().text(&["why", "default/helloworld", "deploy/httpbin"]);
    assert!(text.contains("port 15006, virtualInbound (inbound): 0 of 8 chains have it; the objects ask for 4"), "{text}");
    let plugins = mesh().ask(&["plugins"]);
    assert!(plugins.to_string().contains("\"removed\":1") && !plugins.to_string().contains("\"running\":1"), "{plugins}");
}

#[test]
fn incident_d7_diff_says_that_neither_has_what_the_objects_ask_for() {
    let diff = without_plugin(Mesh::permissive()).with([cleanup(remove())]).ask(&["diff", HTTPBIN]);
    let listeners = &diff["proxies"][0]["types"][0];
    let line = &listeners["differences"][0];
    assert_eq!((&listeners["same"], &line["what"], &line["only"]), (&json!(false), &json!("removed"), &json!("neither")), "{listeners}");
    assert_eq!(line["causes"][0]["cause"], "envoyFilter", "{line}");
    let sound = Mesh::permissive().with([cleanup(remove())]).ask(&["diff", HTTPBIN]);
    assert!(!sound.to_string().contains("neither has"), "{sound}");
}

/// The recording in which a change is made to the chains with HTTP of virtualInbound.
fn changed(change: impl Fn(&mut Value)) -> Mesh {
    Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")).for_each(change);
    })
}

fn own(chain: &mut Value) -> &mut Value {
    http_filters(chain).iter_mut().find(|filter| is_of(filter, "default.helloworld")).unwrap()
}

#[test]
fn incident_d7_whichever_way_it_is_taken_out() {
    let by = |mesh: Mesh, envoy_filter: Value, shown: &str| {
        let mesh = mesh.with([envoy_filter]);
        assert_eq!(state(&mesh), "removed", "{shown}");
        let finding = one(found(&of(mesh), "plugin-removed"), Severity::Error, "WasmPlugin default/helloworld");
        assert!(finding.evidence.iter().any(|line| line.contains(shown)), "{shown}: {finding:?}");
    };
    let gone = || without_plugin(Mesh::permissive());
    let own_filter = json!({"name": HCM, "subFilter": {"name": FILTER}});
    let replace = |value: Value| cleanup(with_value(patch("HTTP_FILTER", "REPLACE", own_filter.clone()), value));
    by(
        changed(|chain| *own(chain) = json!({"name": "nothing"})),
        replace(json!({"name": "nothing"})),
        &format!("REPLACE of HTTP_FILTER {FILTER} by nothing"),
    );
    let disabled = |chain: &mut Value| own(chain)["disabled"] = json!(true);
    by(changed(disabled), replace(json!({"name": FILTER, "disabled": true})), "0 of 8 chains have it, the objects ask for 4");
    // The HttpConnectionManager with all that it holds.
    let bare = |chain: &mut Value| chain["filters"].as_array_mut().unwrap().retain(|filter| filter["name"] != HCM);
    by(changed(bare), cleanup(patch("NETWORK_FILTER", "REMOVE", json!({"name": HCM}))), &format!("REMOVE of NETWORK_FILTER {HCM}"));
    // The chains themselves: here two of four.
    let chains = json!({"applyTo": "FILTER_CHAIN", "match": {"listener": {"name": "virtualInbound", "filterChain": {"destinationPort": 80}}}, "patch": {"operation": "REMOVE"}});
    let fewer = Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        chains.retain(|chain| chain["filter_chain_match"]["destination_port"] != 80);
    });
    by(
        fewer,
        cleanup(chains),
        "2 of 6 chains have it, the objects ask for 4; EnvoyFilter default/cleanup, configPatches[0]: REMOVE of FILTER_CHAIN",
    );
    // The listener.
    let whole = Mesh::permissive().change(super::proxies::DUMP, |dump| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        for list in sections.filter_map(|section| section.get_mut("dynamic_listeners")) {
            list.as_array_mut().unwrap().retain(|listener| listener["name"] != "virtualInbound");
        }
    });
    by(
        whole,
        cleanup(json!({"applyTo": "LISTENER", "match": {"listener": {"name": "virtualInbound"}}, "patch": {"operation": "REMOVE"}})),
        "the proxy has no such listener",
    );
    // One of the root namespace, one for the version, one of several patches.
    by(gone(), envoy_filter("istio-system/all", json!({}), remove()), "EnvoyFilter istio-system/all, configPatches[0]");
    let mut versioned = remove();
    versioned["match"]["proxy"] = json!({"proxyVersion": "^1\\.31.*"});
    by(gone(), cleanup(versioned), "configPatches[0]");
    let mut several = cleanup(json!({"applyTo": "CLUSTER", "patch": {"operation": "ADD"}}));
    several["spec"]["configPatches"].as_array_mut().unwrap().push(remove());
    by(gone(), several, "configPatches[1]");
    // In part: the chains of one port.
    let port = cleanup(with_match(remove(), "portNumber", json!(80)));
    let part = Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        for chain in chains.iter_mut().filter(|chain| chain["filter_chain_match"]["destination_port"] == 80) {
            http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
        }
    });
    by(part, port, "2 of 8 chains have it, the objects ask for 4");
    // Everywhere: no listener refers to it.
    let mut anywhere = remove();
    anywhere["match"]["context"] = json!("ANY");
    by(everywhere_without_plugin(Mesh::permissive()), cleanup(anywhere), "0.0.0.0_15010: 0 of 2 chains have it, the objects ask for 1");
}

#[test]
fn incident_d7_what_no_envoy_filter_explains_is_said_to_be_unknown() {
    let mesh = without_plugin(Mesh::permissive());
    assert_eq!(state(&mesh), "removed");
    let snapshot = of(mesh);
    let finding = one(found(&snapshot, "plugin-removed"), Severity::Error, "WasmPlugin default/helloworld");
    assert!(finding.what.contains("what took it out is not known"), "{finding:?}");
    assert_eq!(found(&snapshot, "chains-differ"), [], "one cause is one finding");
    // One that only inserts explains nothing, and hides what istiod would send.
    let inserts = with_value(patch("HTTP_FILTER", "INSERT_BEFORE", json!({"name": HCM})), json!({"name": "x"}));
    let mesh = without_plugin(Mesh::permissive()).with([cleanup(inserts)]);
    assert_eq!(found(&of(mesh), "plugin-removed"), []);
}

#[test]
fn what_every_chain_of_a_port_lacks_is_removed_and_one_of_several_chains_is_not_known_to_run() {
    let mesh = |lacks: &dyn Fn(usize, &Value) -> bool| {
        Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
            for (place, chain) in chains.iter_mut().enumerate().filter(|(_, chain)| chain.to_string().contains("default.helloworld")) {
                if lacks(place, chain) {
                    http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
                }
            }
        })
    };
    let of_port = |_: usize, chain: &Value| chain["filter_chain_match"]["destination_port"] == 80;
    for (lacks, words) in [
        (&of_port as &dyn Fn(usize, &Value) -> bool, "2 of 8 chains have it, the objects ask for 4; none of port 80 does"),
        (
            &|place, chain| !of_port(place, chain),
            "2 of 8 chains have it, the objects ask for 4; none of ports that no Service declares does",
        ),
    ] {
        assert_eq!(state(&mesh(lacks)), "removed", "{words}");
        let snapshot = of(mesh(lacks));
        let finding = one(found(&snapshot, "plugin-removed"), Severity::Error, "WasmPlugin default/helloworld");
        assert!(finding.evidence[0].contains(words) && finding.place.unwrap().chain.is_some(), "{words}: {:?}", finding.evidence);
        assert_eq!(found(&snapshot, "chains-differ"), [], "one cause is one finding");
    }
    // Of one chain of two requests of the other kind pass it: what is known is that they differ.
    let first = std::cell::Cell::new(usize::MAX);
    let one_of = |place: usize, chain: &Value| {
        first.set(if of_port(place, chain) { first.get().min(place) } else { first.get() });
        place == first.get()
    };
    assert_eq!(state(&mesh(&one_of)), "unverified");
    first.set(usize::MAX);
    assert_eq!(found(&of(mesh(&one_of)), "chains-differ").len(), 1);
    // Nor does it run where an EnvoyFilter leaves open what would be there.
    let inserts = cleanup(with_value(patch("HTTP_FILTER", "INSERT_BEFORE", json!({"name": HCM})), json!({"name": "x"})));
    first.set(usize::MAX);
    assert_eq!(state(&mesh(&one_of).with([inserts.clone()])), "unverified");
    assert_eq!(state(&mesh(&|_, _| false).with([inserts])), "running");
}

#[test]
fn incident_d7_what_takes_nothing_out_is_no_finding() {
    let removing = |name: &str, key: &str| patch("HTTP_FILTER", "REMOVE", json!({"name": HCM, key: {"name": name}}));
    let labels = || json!({"app": "httpbin"});
    let mut draft = remove();
    draft["match"]["context"] = json!("GATEWAY");
    for envoy_filter in [
        cleanup(remove()),
        cleanup(removing("envoy.filters.http.cors", "subFilter")),
        // The plugin's filter is there again, elsewhere: another rule says so.
        envoy_filter("default/moves", labels(), remove()),
    ] {
        let findings = found(&of(Mesh::permissive().with([envoy_filter.clone()])), "plugin-removed");
        assert_eq!(findings, [], "{envoy_filter}");
    }
    // What cannot have taken it out is not to blame.
    for innocent in [
        cleanup(removing("envoy.filters.http.cors", "subFilter")),
        cleanup(removing(FILTER, "other")),
        cleanup(draft),
        cleanup(with_match(remove(), "portNumber", json!(9999))),
        cleanup(with_match(remove(), "name", json!("virtualOutbound"))),
        cleanup(with_value(patch("HTTP_FILTER", "MERGE", json!({"name": HCM, "subFilter": {"name": FILTER}})), json!({"name": "renamed"}))),
        envoy_filter("other/cleanup", labels(), remove()),
        envoy_filter("default/cleanup", json!({"app": "sleep"}), remove()),
    ] {
        let findings = found(&of(without_plugin(Mesh::permissive()).with([innocent.clone()])), "plugin-removed");
        let is_unknown = |finding: &Finding| finding.what.ends_with("and what took it out is not known.");
        assert!(findings.iter().all(is_unknown), "{innocent}: {findings:?}");
    }
    // A listener that has it waits to take the place of the one that lacks it.
    let warms = Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| {
        entry["warming_state"] = entry["active_state"].clone();
        for chain in chains(&mut entry["active_state"]["listener"]).iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
            http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
        }
    });
    assert_eq!(found(&of(warms.with([cleanup(remove())])), "plugin-removed"), []);
    // What its own match keeps out of chains is as it should be.
    let by_match = without_plugin_in(usize::MAX, Mesh::permissive()).change(super::proxies::PLUGINS, |list| {
        list["items"][0]["spec"]["match"] = json!([{"mode": "CLIENT"}]);
    });
    assert_eq!(found(&of(by_match), "plugin-removed"), []);
}

/// The recording with a filter in front of all HTTP filters of virtualInbound, and the EnvoyFilter `default/gate` that put it there.
pub(super) fn gated(name: &str, config: Value) -> Mesh {
    let filter = json!({"name": name, "typed_config": config});
    let patch = with_value(patch("HTTP_FILTER", "INSERT_FIRST", json!({"name": HCM})), filter.clone());
    changed(|chain| http_filters(chain).insert(0, filter.clone())).with([envoy_filter("default/gate", json!({"app": "httpbin"}), patch)])
}

fn of_type(kind: &str) -> Value {
    json!({"@type": format!("type.googleapis.com/envoy.extensions.filters.http.{kind}")})
}

pub(super) fn lua(script: &str) -> Value {
    json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua", "default_source_code": {"inline_string": script}})
}

#[test]
fn incident_d7b_an_own_filter_that_can_answer_runs_before_the_plugin() {
    let code = "envoy-filter-before-plugin";
    let script = "function envoy_on_request(h) h:respond({[':status']='401'},'no') end";
    for (name, config) in [
        ("gate.lua", lua(script)),
        ("gate.fault", of_type("fault.v3.HTTPFault")),
        ("gate.limit", of_type("local_ratelimit.v3.LocalRateLimit")),
        ("gate.proc", of_type("ext_proc.v3.ExternalProcessor")),
    ] {
        let finding = one(found(&of(gated(name, config)), code), Severity::Information, "EnvoyFilter default/gate");
        assert!(finding.what.contains(&format!("{name} of EnvoyFilter default/gate runs before default/helloworld")), "{finding:?}");
        assert_eq!(finding.place.unwrap().listener, "virtualInbound");
    }
    for (name, config) in [
        ("gate.lua", lua("function envoy_on_request(h) h:logInfo('x') end")),
        ("gate.tag", of_type("header_to_metadata.v3.Config")),
        ("gate.unknown", of_type("mine.v1.Mine")),
    ] {
        assert_eq!(found(&of(gated(name, config)), code), [], "{name}");
    }
    // Behind the plugin it keeps nothing from it; and what nobody is known to have put there is no finding.
    let behind = changed(|chain| {
        let filters = http_filters(chain);
        filters.insert(filters.len() - 1, json!({"name": "gate.lua", "typed_config": lua(script)}));
    });
    let insert = with_value(patch("HTTP_FILTER", "INSERT_BEFORE", json!({"name": HCM})), json!({"name": "gate.lua"}));
    assert_eq!(found(&of(behind.with([cleanup(insert)])), code), []);
    let nobodys = changed(|chain| http_filters(chain).insert(0, json!({"name": "gate.lua", "typed_config": lua(script)})));
    assert_eq!(found(&of(nobodys), code), []);
}
