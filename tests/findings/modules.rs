//! Rules about the module that runs: VMs that fail, digests, the Secret that it is pulled with; and what is only on its way.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::{Finding, Severity};
use meshscope::ingest::logs::leading;
use meshscope::model::ids::ObjectName;
use meshscope::model::pull_secret::PullSecret;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use serde_json::{Value, json};

use super::proxies::{DUMP, PLUGINS, everywhere_without_plugin, replicas};
use super::recorded::{HTTPBIN, Mesh, chains, http_filters, is_of, wasm_plugin};
use super::{found, of, one};

pub const LOG: &str = "logs/httpbin-664956bb75-9d64m.default.istio-proxy.log";
pub const STATS: &str = "proxies/httpbin-664956bb75-9d64m.default/stats.prom";
const TRAP: &str = "critical\tenvoy wasm source/extensions/common/wasm/context.cc:1\tFunction: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable\tthread=22";

/// The recording in whose log of httpbin a module fails at a time of day, with a request that it ends.
pub fn failing(mesh: Mesh, time: &str, request: bool) -> Mesh {
    mesh.change_text(LOG, |log| {
        log.push_str(&format!("2026-11-23T{time}.000000000Z 2026-11-23T{time}.000000Z\t{TRAP}\n"));
        if request {
            log.push_str(&format!("2026-11-23T{time}.100000000Z [2026-11-23T{time}.050Z] \"GET /headers HTTP/1.1\" 503 - wasm_fail_stream - \"-\" 0 0 3 1 \"-\" \"curl/7.88.1\" \"26f6ea12\" \"httpbin:8000\" \"10.244.0.4:80\" inbound|80|| 127.0.0.6:37832 10.244.0.4:80 10.244.0.5:56634 - default\n"));
        }
    })
}

pub fn strategy(mesh: Mesh, strategy: &str) -> Mesh {
    mesh.change(PLUGINS, |list| list["items"][0]["spec"]["failStrategy"] = json!(strategy))
}

/// What `check` finds of a rule, each with its severity, what, and object.
pub fn checked(mesh: &Mesh, code: &str) -> Vec<Value> {
    let answer = mesh.ask_whatever(&["check"]);
    answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code).cloned().collect()
}

#[test]
fn a_module_whose_vm_fails_at_run_time() {
    let closed = failing(strategy(Mesh::permissive(), "FAIL_CLOSE"), "19:40:10", true);
    let [finding] = &checked(&closed, "vm-failed")[..] else { panic!("it is found once") };
    assert_eq!((finding["severity"].as_str(), finding["object"]["name"].as_str()), (Some("error"), Some("helloworld")), "{finding}");
    let evidence = finding["evidence"].to_string();
    assert!(
        evidence.contains("the module's proxy_on_request_headers failed: unreachable")
            && evidence.contains("1 request ended with 503 wasm_fail_stream"),
        "{evidence}"
    );
    let health = closed.ask(&["health", "default/helloworld"])["plugins"][0].take();
    assert_eq!((&health["rollup"], &health["vmFailed"]), (&json!("failed"), &json!(1)), "{health}");
    let proxy = &health["proxies"][0];
    assert_eq!((&proxy["state"], &proxy["vmFailed"]), (&json!("vmFailed"), &json!(true)));
    assert!(proxy["evidence"][0]["what"].as_str().unwrap().contains("proxy_on_request_headers failed"), "{proxy}");
    let text = closed.text(&["health", "default/helloworld"]);
    assert!(text.contains("failed: 1 VM failed") && !text.contains("running"), "{text}");

    let open = failing(strategy(Mesh::permissive(), "FAIL_OPEN"), "19:40:10", false);
    assert_eq!(checked(&open, "vm-failed")[0]["severity"], "warning");
    // Nor is it of this plugin where another one, which may be gone by now, could not start.
    for words in ["Function: proxy_on_configure failed", "Plugin configured to fail closed failed to load"] {
        let start = failing(strategy(Mesh::permissive(), "FAIL_CLOSE"), "19:40:10", false)
            .change_text(LOG, |log| *log = log.replace("Function: proxy_on_request_headers failed", words));
        assert_eq!(checked(&start, "vm-failed"), [] as [Value; 0], "{words}");
    }
    // Before the module that is there now was put in place.
    let before = failing(strategy(Mesh::permissive(), "FAIL_CLOSE"), "19:37:49", true);
    assert_eq!(checked(&before, "vm-failed"), [] as [Value; 0]);
    assert_eq!(checked(&Mesh::permissive(), "vm-failed"), [] as [Value; 0]);
}

#[test]
fn a_vm_that_could_not_be_started_anew_is_counted() {
    let counting = |count: usize| {
        let name = "envoy_wasm_default_helloworld_istio_translated_wasmplugin_vm_reload_failure{} ";
        checked(
            &Mesh::permissive().change_text(STATS, |stats| *stats = stats.replace(&format!("{name}0"), &format!("{name}{count}"))),
            "vm-failed",
        )
    };
    let [finding] = &counting(2)[..] else { panic!("it is found once") };
    assert_eq!(finding["severity"], "warning", "nothing says since when: {finding}");
    assert!(finding["evidence"].to_string().contains("2 restarts of a VM of it failed"), "{finding}");
    assert_eq!(counting(0), [] as [Value; 0]);
}

/// The recording in which httpbin has a second plugin in each chain: of another module, or of the same, so that both share a VM.
pub fn with_second_module(shared: bool) -> Mesh {
    let second = |value: &Value| -> Value {
        let text = value.to_string().replace("default.helloworld~", "default.second~");
        serde_json::from_str(&if shared { text } else { text.replace("/77d4eb7c", "/88d4eb7c") }).unwrap()
    };
    let counter = "envoy_wasm_default_second_istio_translated_wasmplugin_vm_reload{} 0\n";
    let mesh = Mesh::permissive().change_text(STATS, |stats| stats.push_str(counter));
    let mesh = mesh.with([wasm_plugin(
        "default/second",
        json!({"selector": {"matchLabels": {"app": "httpbin"}}, "pluginName": "add_header", "match": [{"mode": "SERVER"}]}),
    )]);
    mesh.change(DUMP, |dump| {
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        sections.filter_map(|section| section.get_mut("ecds_filters")).for_each(|ecds| {
            let entries = ecds.as_array_mut().unwrap();
            entries.push(second(&entries[0]));
        });
    })
    .with_chains(HTTPBIN, "virtualInbound", |chains| {
        for chain in chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
            let filters = http_filters(chain);
            let place = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
            filters.insert(place, second(&filters[place]));
        }
    })
}

#[test]
fn a_failure_of_one_of_several_modules_names_them() {
    let failed = checked(&failing(with_second_module(false), "19:40:10", true), "vm-failed");
    let [finding] = &failed[..] else { panic!("one finding, of the pod: {failed:?}") };
    assert_eq!((&finding["object"]["kind"], &finding["severity"]), (&json!("Pod"), &json!("error")), "{finding}");
    assert!(finding["what"].as_str().unwrap().ends_with("of one of default/helloworld and default/second."), "{finding}");
    // Where a plugin cannot start Envoy refuses it, which another rule tells.
    let start = failing(with_second_module(false), "19:40:10", false)
        .change_text(LOG, |log| *log = log.replace("proxy_on_request_headers", "proxy_on_configure"));
    assert_eq!(checked(&start, "vm-failed"), [] as [Value; 0]);
}

#[test]
fn what_was_refused_runs_nowhere_and_skews_nothing() {
    let refusal = "2026-11-23T19:40:10.000000000Z 2026-11-23T19:40:10.000000Z\twarning\tenvoy config external/envoy/source/x.cc:1\tdelta config for \
        type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig rejected: Unable to create Wasm plugin default.helloworld~istio-translated-wasmplugin\tthread=22\n";
    let skewed = || replicas(&"0b".repeat(32));
    assert_eq!(checked(&skewed(), "digest-skew").len(), 1);
    let refused = skewed().write("logs/httpbin-2.default.istio-proxy.log", refusal);
    assert_eq!(checked(&refused, "digest-skew"), [] as [Value; 0]);
    let module = refused.ask(&["health", "default/helloworld"])["plugins"][0]["module"].take();
    assert_eq!((&module["skew"], module["digests"].as_array().unwrap().len()), (&json!([]), 1), "{module}");
}

/// The recording with a `sha256`: another than that of the module that runs, or its own.
fn pinned(other: bool) -> Mesh {
    const RUNS: &str = "77d4eb7c048d5bcb7f7067d7c4d833517111c818975ce671aa33dafcc0a2afea";
    let wanted = if other { "ab".repeat(32) } else { RUNS.to_owned() };
    Mesh::permissive().change(PLUGINS, |list| list["items"][0]["spec"]["sha256"] = json!(wanted))
}

#[test]
fn a_module_that_is_not_the_one_that_was_pinned() {
    let finding = one(found(&of(pinned(true)), "digest-mismatch"), Severity::Error, "WasmPlugin default/helloworld");
    assert!(finding.evidence[1].contains("runs image sha256:77d4eb7c048d") && finding.place.is_some(), "{finding:?}");
    for well in [pinned(false), Mesh::permissive()] {
        assert_eq!(found(&of(well), "digest-mismatch"), []);
    }
    let text = pinned(true).text(&["health", "default/helloworld"]);
    assert!(text.contains("not pulled again: sha256 names one module"), "{text}");
}

/// A changed recording as it would be read so many seconds after the plugin's object was written.
fn read_after(mesh: Mesh, seconds: i64) -> Snapshot {
    let mut snapshot = of(mesh);
    let written = leading("2026-11-23T19:37:50Z ").unwrap();
    for dump in snapshot.dumps.values_mut() {
        if let Dump::Loaded(loaded) = dump {
            let LoadedDump { read_at, .. } = Arc::make_mut(loaded);
            *read_at = Some(written + seconds * 1_000_000_000);
        }
    }
    snapshot
}

#[test]
fn what_was_changed_a_moment_ago_is_on_its_way() {
    let name = "WasmPlugin default/helloworld";
    let absent = |seconds| found(&read_after(everywhere_without_plugin(Mesh::permissive()), seconds), "plugin-absent");
    let fresh = one(absent(5), Severity::Information, name);
    assert!(fresh.what.contains("was changed a moment ago"), "{fresh:?}");
    one(absent(60), Severity::Error, name);
    // The proxy was read before there was anything to have.
    one(absent(-60), Severity::Information, name);
    assert_eq!(found(&read_after(pinned(true), 5), "digest-mismatch"), []);
    one(found(&read_after(pinned(true), 60), "digest-mismatch"), Severity::Error, name);
}

#[test]
fn a_plugin_that_is_absent_is_told_once() {
    let absent = of(everywhere_without_plugin(Mesh::permissive()));
    one(found(&absent, "plugin-absent"), Severity::Error, "WasmPlugin default/helloworld");
    assert_eq!(found(&absent, "chains-differ"), []);
    // A chain that differs otherwise too is told of, with that alone.
    let more = everywhere_without_plugin(Mesh::permissive()).with_listener(HTTPBIN, "virtualInbound", |entry| {
        let chains = chains(&mut entry["active_state"]["listener"]);
        chains.retain(|chain| chain["filter_chain_match"]["destination_port"] != 80 || chain.to_string().contains("raw_buffer"));
    });
    let finding = one(found(&of(more), "chains-differ"), Severity::Warning, "Pod default/httpbin-664956bb75-9d64m");
    assert!(
        finding.evidence[0].contains("the proxy lacks the chain") && !finding.evidence.iter().any(|line| line.contains("holds no plugin")),
        "{finding:?}"
    );
}

#[test]
fn a_secret_that_istiod_cannot_pull_with() {
    let naming = |secret: &str| of(Mesh::permissive().change(PLUGINS, |list| list["items"][0]["spec"]["imagePullSecret"] = json!(secret)));
    let with = |looked: PullSecret| {
        let mut snapshot = naming("registry");
        snapshot.pull_secrets.insert(ObjectName::new("default", "registry"), looked);
        let answer = answers::findings(&snapshot, None, &[]);
        let found: Vec<Finding> = answer.findings.into_iter().filter(|finding| finding.code == "pull-secret").collect();
        (found, answer.not_checked)
    };
    for (looked, said, fix) in [
        (PullSecret::Missing, "Secret default/registry is not there", "kubectl create secret docker-registry registry -n default"),
        (PullSecret::OtherType, "not of type kubernetes.io/dockerconfigjson", "delete it"),
        (PullSecret::Elsewhere(vec!["team".to_owned()]), "one of its name is in team", "create it in namespace default"),
    ] {
        let (found, not_checked) = with(looked);
        let finding = one(found, Severity::Error, "WasmPlugin default/helloworld");
        assert!(finding.evidence[0].contains(said) && finding.fix.contains(fix), "{finding:?}");
        assert_eq!(not_checked, []);
    }
    assert_eq!(with(PullSecret::Good), (vec![], vec![]));
    let (found, not_checked) = with(PullSecret::Unread("cannot look for Secret default/registry: forbidden".to_owned()));
    let [unchecked] = &not_checked[..] else { panic!("{not_checked:?}") };
    assert_eq!(
        (found, unchecked.objects.as_slice(), unchecked.codes.as_slice()),
        (vec![], &["Secret default/registry".to_owned()][..], &["pull-secret"][..])
    );
    assert!(unchecked.why.contains("forbidden"));
    // Nothing is asked where nothing is named.
    assert_eq!(answers::findings(&naming(""), None, &[]).not_checked, []);
}

#[test]
fn a_stub_is_fetched_again_with_the_next_push_alone() {
    let said = |mesh: &Mesh, plugin: &str| mesh.ask(&["health", plugin])["plugins"][0]["module"]["nextPull"].as_str().unwrap().to_owned();
    let stub = said(&Mesh::of("fetch-failed-closed"), "default/missing");
    assert!(stub.starts_with("with the next push of ECDS, which any change of the object brings"), "{stub}");
    assert!(!stub.contains("what runs stays"), "{stub}");
    assert!(said(&Mesh::permissive(), "default/helloworld").contains("imagePullPolicy is unset"));
}
