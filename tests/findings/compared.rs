//! What a proxy has of a plugin, compared with its object: where the module came from, and where its filter is.

use serde_json::{Value, json};

use super::modules::{LOG, checked, with_second_module};
use super::passed::{HCM, patched};
use super::proxies::{DUMP, PLUGINS};
use super::recorded::{HTTPBIN, Mesh, chains, http_filters, is_of};
use super::removed::patch;

/// The state of helloworld on the one proxy, and what `health` says first and last of the objects.
fn said(mesh: &Mesh) -> (String, String) {
    let proxy = mesh.ask(&["health", "default/helloworld"])["plugins"][0]["proxies"][0].take();
    let evidence = proxy["evidence"].as_array().unwrap();
    let of_objects: Vec<&str> =
        evidence.iter().filter(|shown| shown["source"] == "objects").map(|shown| shown["what"].as_str().unwrap()).collect();
    (proxy["state"].as_str().unwrap().to_owned(), of_objects.join("; "))
}

fn with_url(url: &str) -> Mesh {
    Mesh::permissive().change(PLUGINS, |list| list["items"][0]["spec"]["url"] = json!(url))
}

/// Changes the HTTP filters of the inbound chains with the plugin.
fn with_filters(change: impl Fn(usize, &mut Vec<Value>)) -> Mesh {
    Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", |chains| {
        let having = chains.iter_mut().filter(|chain| chain.to_string().contains("default.helloworld"));
        having.enumerate().for_each(|(place, chain)| change(place, http_filters(chain)));
    })
}

#[test]
fn the_folder_of_the_file_shows_the_repository_and_the_log_the_tag() {
    let (state, what) = said(&Mesh::permissive());
    assert!(state == "running" && what.contains("repository, tag, chains"), "{state}: {what}");
    let (state, what) = said(&with_url("oci://registry.lab:5000/linsun/other:latest"));
    assert_eq!(state, "outdated", "{what}");
    assert!(
        what.contains("url: the object has oci://registry.lab:5000/linsun/other:latest, the proxy a module of another repository"),
        "{what}"
    );
    let text = with_url("oci://registry.lab:5000/linsun/other:latest").text(&["health", "default/helloworld"]);
    assert!(text.contains("image sha256:77d4eb7c") && text.contains("from before the object was changed last"), "{text}");
    // Another tag of it, or no line of the fetch: the tag is not compared, and that is said.
    let no_fetch = Mesh::permissive().change_text(LOG, |log| *log = log.replace("fetching image", "getting image"));
    for mesh in [with_url("oci://registry.lab:5000/linsun/helloworld:v9"), no_fetch] {
        let (_, what) = said(&mesh);
        assert!(what.contains("repository, chains; not compared: the tag of its URL"), "{what}");
    }
    // Another tag that the object names since the proxy was given what it has.
    let edited = with_url("oci://registry.lab:5000/linsun/helloworld:v9").change(PLUGINS, |list| {
        let write = json!({"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-23T19:40:00Z", "fieldsV1": {"f:spec": {}}});
        list["items"][0]["metadata"]["managedFields"] = json!([write]);
    });
    let (state, what) = said(&edited);
    assert_eq!(state, "outdated", "{what}");
    assert!(what.contains("helloworld:v9 since 2026-11-23T19:40:00.000000Z, the agent fetched latest before"), "{what}");
    // A digest in the URL is that of the file.
    let pinned = |digest: &str| said(&with_url(&format!("oci://registry.lab:5000/linsun/helloworld@sha256:{digest}")));
    let runs = "77d4eb7c048d5bcb7f7067d7c4d833517111c818975ce671aa33dafcc0a2afea";
    assert_eq!((pinned(runs).0, pinned(&"0".repeat(64)).0), ("running".to_owned(), "outdated".to_owned()));
}

#[test]
fn a_filter_in_too_few_chains_or_at_another_place_is_not_running() {
    // In one chain less, and no EnvoyFilter took it out.
    let fewer = with_filters(|place, filters| filters.retain(|filter| place > 0 || !is_of(filter, "default.helloworld")));
    let (state, what) = said(&fewer);
    assert_eq!(state, "unverified", "{what}");
    assert!(
        what.contains("it is not in the chains that the objects ask for: virtualInbound: 3 chains have it, the objects ask for 4"),
        "{what}"
    );
    // Behind filters before which its phase is.
    let last = with_filters(|_, filters| {
        let place = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
        let filter = filters.remove(place);
        filters.insert(filters.len() - 1, filter);
    });
    let (state, what) = said(&last);
    assert_eq!(state, "outdated", "{what}");
    assert!(what.contains("phase: its filter is after envoy.filters.http.") && what.contains("no phase is before that"), "{what}");
    // Behind a plugin of less priority.
    let raised = with_second_module(false).change(PLUGINS, |list| list["items"][0]["spec"]["priority"] = json!(100));
    let (state, what) = said(&raised);
    assert_eq!(state, "outdated", "{what}");
    assert!(what.contains("priority or phase: it runs after default/second, the objects put it before that"), "{what}");
    let (state, what) = said(&with_second_module(false));
    assert!(state == "running" && what.contains("order among the plugins"), "{state}: {what}");
}

#[test]
fn a_plugin_behind_the_filter_of_an_authorization_policy_is_not_where_its_phase_puts_it() {
    let rules = json!({"action": "DENY", "policies": {"ns[default]-policy[block]-rule[0]": {}}});
    let rbac = json!({"name": "envoy.filters.http.rbac", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": rules}});
    let of = |phase: &str, before: bool, change: &dyn Fn(&mut Value)| {
        let mut rbac = rbac.clone();
        change(&mut rbac);
        let mesh = with_filters(|_, filters| {
            let place = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
            filters.insert(if before { place } else { place + 1 }, rbac.clone());
        });
        mesh.change(PLUGINS, |list| list["items"][0]["spec"]["phase"] = json!(phase))
    };
    let as_it_is = |_: &mut Value| {};
    let insert = || patched(patch("HTTP_FILTER", "INSERT_FIRST", json!({"name": HCM})), json!({"name": "envoy.filters.http.rbac"}));
    for phase in ["AUTHN", "AUTHZ"] {
        let wrong = format!("its filter is after envoy.filters.http.rbac, phase {phase} is before that");
        let (state, what) = said(&of(phase, true, &as_it_is));
        assert!(state == "outdated" && what.contains(&wrong), "{phase} {state}: {what}");
        assert_eq!(said(&of(phase, false, &as_it_is)).0, "running", "{phase}");
        // Where an EnvoyFilter can have done it.
        let mesh = of(phase, true, &as_it_is).with([insert()]);
        let first = mesh.ask(&["health", "default/helloworld"])["plugins"][0]["proxies"][0]["evidence"][0]["what"].to_string();
        assert_eq!(said(&mesh).0, "unverified", "{phase}: {first}");
        assert!(first.contains("it is not where its phase puts it: virtualInbound: ") && first.contains(&wrong), "{first}");
        assert!(first.contains("EnvoyFilter default/cleanup may change its chains"), "{first}");
        assert_eq!(checked(&mesh, "envoy-filter-on-plugin").len(), 1, "{phase}");
        let sound = of(phase, false, &as_it_is).with([insert()]);
        assert_eq!((said(&sound).0.as_str(), checked(&sound, "envoy-filter-on-plugin").len()), ("running", 0), "{phase}");
    }
    // Before every phase is the filter of a CUSTOM policy, which asks nothing but what ext_authz is to be asked.
    let custom = |rbac: &mut Value| rbac["typed_config"]["shadow_rules_stat_prefix"] = json!("istio_ext_authz_");
    assert_eq!(said(&of("AUTHN", true, &custom)).0, "running");
}

#[test]
fn a_listener_without_the_plugin_is_not_running_while_another_comes_or_was_rejected() {
    for (state, said_of_it) in
        [("warming_state", "the listener that takes its place warms"), ("error_state", "Envoy rejected the listener in its place: no")]
    {
        let mesh = Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| {
            let listener = entry["active_state"]["listener"].clone();
            entry[state] = match state {
                "error_state" => json!({"failed_configuration": listener, "details": "no"}),
                _ => json!({"listener": listener}),
            };
            for chain in
                chains(&mut entry["active_state"]["listener"]).iter_mut().filter(|chain| chain.to_string().contains("http_filters"))
            {
                http_filters(chain).retain(|filter| !is_of(filter, "default.helloworld"));
            }
        });
        let (found, what) = said(&mesh);
        assert_eq!(found, "unverified", "{state}: {what}");
        assert!(what.contains(&format!("virtualInbound: 0 chains have it, the objects ask for 4; {said_of_it}")), "{what}");
    }
}

#[test]
fn a_plugin_of_a_pod_that_does_not_run_is_not_running_whatever_was_recorded_of_it() {
    let of = |phase: &str, proxy: Value, reason: &str| {
        let mesh = Mesh::permissive().change("k8s/pods.json", |list| {
            let pods = list["items"].as_array_mut().unwrap();
            let pod = pods.iter_mut().find(|pod| pod["metadata"]["labels"]["app"] == "httpbin").unwrap();
            pod["status"]["phase"] = json!(phase);
            for condition in pod["status"]["conditions"].as_array_mut().unwrap().iter_mut().filter(|of| of["type"] == "Ready") {
                (condition["status"], condition["reason"]) = (json!("False"), json!("ContainersNotReady"));
            }
            for list in ["containerStatuses", "initContainerStatuses"] {
                for status in pod["status"][list].as_array_mut().into_iter().flatten() {
                    match status["name"].as_str() {
                        Some("istio-proxy") => status["state"] = proxy.clone(),
                        Some("httpbin") if !reason.is_empty() => status["state"] = json!({"waiting": {"reason": reason}}),
                        _ => {}
                    }
                }
            }
        });
        let health = mesh.ask(&["health", "default/helloworld"]);
        let proxy = &health["plugins"][0]["proxies"][0];
        (proxy["state"].as_str().unwrap().to_owned(), proxy["evidence"][0]["what"].as_str().unwrap().to_owned())
    };
    let (runs, waits) = (|| json!({"running": {}}), || json!({"waiting": {"reason": "PodInitializing"}}));
    for (found, state, first) in [
        (of("Running", runs(), "CrashLoopBackOff"), "unverified", "its pod is not ready: CrashLoopBackOff"),
        (of("Pending", runs(), "ImagePullBackOff"), "unverified", "its pod is not ready: ImagePullBackOff"),
        (of("Pending", waits(), "ImagePullBackOff"), "unknown", "the pod is Pending"),
    ] {
        assert_eq!((found.0.as_str(), found.1.as_str()), (state, first));
    }
    // That a probe fails says nothing of the proxy.
    assert_eq!(of("Running", runs(), "").0, "running");
}

/// The recording in which the agent could not fetch the module, for this reason.
fn not_fetched(why: &str) -> Mesh {
    let stub = json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {}, "rules_stat_prefix": "wasm-default-deny"});
    let url = "oci://registry.lab:5000/linsun/helloworld:latest";
    Mesh::permissive()
        .change(DUMP, |dump| {
            let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
            let ecds = sections.filter_map(|section| section.get_mut("ecds_filters")).next().unwrap();
            ecds[0]["ecds_filter"]["typed_config"] = stub.clone();
        })
        .change_text(LOG, |log| {
            log.push_str(&format!(
                "2026-11-23T19:40:10.000000000Z 2026-11-23T19:40:10.000000Z\terror\twasm\terror in converting the wasm config to local: \
                 cannot fetch Wasm module {url}: {why}. applying deny RBAC filter\n"
            ));
        })
}

#[test]
fn a_wrong_sha256_and_a_refused_pull_are_said_in_those_terms() {
    let (got, wanted) = ("1b".repeat(32), "2c".repeat(32));
    let why = format!(
        "module downloaded from oci://registry.lab:5000/linsun/helloworld:latest has checksum {got}, which does not match: {wanted}"
    );
    let [finding] = &checked(&not_fetched(&why), "stub-in-place")[..] else { panic!("one finding") };
    let what = finding["what"].as_str().unwrap();
    assert!(what.contains(&format!("sha256 asks for image sha256:{wanted}, and the URL has image sha256:{got}")), "{what}");
    assert!(finding["fix"].as_str().unwrap().contains(&got), "{finding}");

    let unknown =
        "could not fetch manifest: GET http://registry.lab:5000/v2/linsun/helloworld/manifests/v9: MANIFEST_UNKNOWN: manifest unknown";
    let [finding] = &checked(&not_fetched(unknown), "stub-in-place")[..] else { panic!("one finding") };
    assert!(finding["what"].as_str().unwrap().ends_with(" denies every request: tag v9 does not exist in the registry."), "{finding}");
    assert_eq!(finding["fix"], "write a tag that exists in the registry into url, in the place of v9");

    let refused = "could not fetch Wasm OCI image: could not fetch manifest: GET https://registry.lab:5000/v2/: UNAUTHORIZED: authentication required";
    let with_secret = |mesh: Mesh| mesh.change(PLUGINS, |list| list["items"][0]["spec"]["imagePullSecret"] = json!("registry"));
    for (mesh, fix) in [(not_fetched(refused), "name a Secret"), (with_secret(not_fetched(refused)), "Secret default/registry")] {
        let [finding] = &checked(&mesh, "stub-in-place")[..] else { panic!("one finding") };
        assert!(finding["what"].as_str().unwrap().contains("the registry refuses the pull: 401 UNAUTHORIZED"), "{finding}");
        assert!(finding["fix"].as_str().unwrap().contains(fix), "{finding}");
        assert_eq!(checked(&mesh, "pull-secret"), [] as [Value; 0], "one cause, one finding");
    }
}
