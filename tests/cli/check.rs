//! The findings as CI meets them: exit statuses, what is ignored, what was not looked at, and the forms that CI reads.

use serde_json::Value;

use super::support::{meshscope, recording};
use super::{fails, lone_dump};

fn check(name: &str, arguments: &[&str]) -> (i32, String) {
    let path = recording(name);
    let output = meshscope(&[&["check", "-A", "--from", path.to_str().unwrap()], arguments].concat());
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn answer(name: &str, arguments: &[&str]) -> (i32, Value) {
    let (status, text) = check(name, &[arguments, &["-o", "json"]].concat());
    (status, serde_json::from_str(&text).unwrap())
}

fn codes(answer: &Value, severity: &str) -> Vec<String> {
    let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] == severity);
    findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_mesh_that_is_well_has_no_finding_to_act_on() {
    for name in ["permissive", "strict", "disable", "gateway"] {
        let (status, answer) = answer(name, &[]);
        assert_eq!((status, codes(&answer, "error"), codes(&answer, "warning")), (0, Vec::new(), Vec::new()), "{name}: {answer}");
        assert_eq!(answer["notChecked"], Value::Array(Vec::new()), "{name}");
    }
}

#[test]
fn an_error_is_bad_news_and_a_warning_is_none() {
    let (status, closed) = answer("fetch-failed-closed", &[]);
    assert_eq!((status, codes(&closed, "error")), (1, vec!["stub-in-place".to_owned()]));
    let stub = &closed["findings"][0];
    assert_eq!(stub["object"], serde_json::json!({"kind": "WasmPlugin", "namespace": "default", "name": "missing"}));
    assert_eq!((&stub["place"]["listener"], &stub["place"]["state"]), (&Value::from("virtualInbound"), &Value::from("active")));
    let (status, open) = answer("fetch-failed-open", &[]);
    assert_eq!((status, codes(&open, "error").len()), (0, 0), "it was to fail open, and did");
    assert!(codes(&open, "warning").contains(&"stub-in-place".to_owned()));
}

#[test]
fn what_was_looked_at_is_said() {
    let scope = answer("permissive", &[]).1["scope"].clone();
    assert_eq!(scope, serde_json::json!({"namespace": null, "plugins": 1, "proxies": 2, "proxiesRead": 2}));
    let path = recording("permissive");
    let own = |arguments: &[&str]| meshscope(&[&["check", "--from", path.to_str().unwrap()], arguments].concat());
    let text = String::from_utf8(own(&["-n", "default"]).stdout).unwrap();
    assert!(text.contains("Namespace default, 1 plugin, 2 of 2 proxies read: 0 errors, 0 warnings"), "{text}");
    for form in ["junit", "sarif"] {
        assert!(String::from_utf8(own(&["-o", form]).stdout).unwrap().contains("scope"), "{form}");
    }
    assert!(own(&["-n", "kube-system"]).status.success());
    fails(&own(&["-n", "nosuch"]), 2, &["there is no namespace nosuch"]);
}

#[test]
fn what_is_ignored_is_counted_and_no_bad_news() {
    for ignored in ["stub-in-place", "stub-in-place:default/missing", "stub-in-place:wasmplugin/default/missing"] {
        let (status, answer) = answer("fetch-failed-closed", &["--ignore", ignored]);
        assert_eq!((status, &answer["ignored"]), (0, &Value::from(1)), "{ignored}");
    }
    for other in ["priority-tie", "stub-in-place:default/helloworld", "stub-in-place:trafficextension/default/missing"] {
        assert_eq!(answer("fetch-failed-closed", &["--ignore", other]).0, 1, "{other}");
    }
    let output = meshscope(&["check", "--demo", "--ignore", "stub"]);
    fails(&output, 2, &["there is no finding stub", "stub-in-place", "near-miss"]);
    let output = meshscope(&["check", "--demo", "--ignore", "refused-push:"]);
    fails(&output, 2, &["refused-push: names no object", "write refused-push alone"]);
}

/// Six pods of one Deployment, of which the first five refused their inbound listeners for one reason.
fn refused() -> tempfile::TempDir {
    super::support::crowd(6, |place, dump| {
        let mut dump: Value = serde_json::from_str(dump).unwrap();
        let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
        let listeners = sections.filter_map(|section| section.get_mut("dynamic_listeners")).flat_map(|list| list.as_array_mut().unwrap());
        for listener in listeners.filter(|listener| place < 5 && listener["name"] == "virtualInbound") {
            let sent = listener["active_state"]["listener"].clone();
            let details = format!("httpbin-00{place}.default: no such filter");
            listener["error_state"] = serde_json::json!({"failed_configuration": sent, "details": details, "last_update_attempt": format!("2026-11-23T19:37:5{place}Z")});
        }
        dump.to_string()
    })
}

fn check_of(folder: &tempfile::TempDir, arguments: &[&str]) -> String {
    let output = meshscope(&[&["check", "-A", "--from", folder.path().to_str().unwrap()], arguments].concat());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_has_one_cause_is_one_finding_of_the_workload() {
    let folder = refused();
    let answer: Value = serde_json::from_str(&check_of(&folder, &["-o", "json"])).unwrap();
    let [finding] = &answer["findings"].as_array().unwrap()[..1] else { panic!("{answer}") };
    assert_eq!(codes(&answer, "error"), ["refused-push"], "{answer}");
    assert_eq!(finding["object"], serde_json::json!({"kind": "Deployment", "namespace": "default", "name": "httpbin"}));
    assert_eq!(finding["workloads"], serde_json::json!([finding["object"]]));
    assert_eq!(finding["id"], "refused-push:deployment/default/httpbin:listener/virtualInbound");
    let names: Vec<String> = (0..5).map(|place| format!("httpbin-00{place}.default")).collect();
    assert_eq!(finding["proxies"], serde_json::json!(names));
    assert_eq!(finding["what"], "httpbin-000.default refused listener virtualInbound; so it is with 4 other proxies.");
    let named = names.join(", ");
    for (form, line) in
        [("text", format!("proxies   {named}\n")), ("markdown", format!("- proxies: {named}\n")), ("junit", format!("Proxies: {named}.\n"))]
    {
        let text = check_of(&folder, &["-o", form]);
        assert!(text.contains(&line), "{form}: {text}");
    }
}

#[test]
fn a_finding_is_the_same_from_run_to_run_whichever_pods_there_are() {
    let id = "refused-push:deployment/default/httpbin:listener/virtualInbound";
    let sarif: Value = serde_json::from_str(&check_of(&refused(), &["-o", "sarif"])).unwrap();
    let mut prints: Vec<&str> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["partialFingerprints"]["codeAndObject/v2"].as_str().unwrap())
        .collect();
    assert_eq!(prints[0], id);
    let all = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), all, "no two are one");
    let junit = check_of(&refused(), &["-o", "junit"]);
    assert!(junit.contains(&format!("classname=\"meshscope.refused-push\" name=\"{id}\"")), "{junit}");
}

#[test]
fn a_pod_is_ignored_by_its_workload() {
    let folder = refused();
    let from = folder.path().to_str().unwrap();
    for wanted in ["deploy/httpbin", "deployment/default/httpbin", "default/httpbin", "default/*", "deploy/http*", "httpbin", "*"] {
        let ignore = format!("refused-push:{wanted}");
        let output = meshscope(&["check", "-A", "--from", from, "--ignore", &ignore]);
        assert_eq!(output.status.code(), Some(0), "{wanted}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("; 1 ignored"), "{wanted}: one finding");
        assert!(!String::from_utf8_lossy(&output.stderr).contains("--ignore"), "{wanted}");
    }
    // A pod's own name leaves the others.
    let output = meshscope(&["check", "-A", "--from", from, "--ignore", "refused-push:pod/default/httpbin-000"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("httpbin-001.default refused listener virtualInbound; so it is with 3 other proxies.")
    );
    for wanted in ["refused-push:deploy/sleep", "refused-push:other/*", "stub-in-place"] {
        let output = meshscope(&["check", "-A", "--from", from, "--ignore", wanted]);
        assert_eq!(output.status.code(), Some(1), "{wanted}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("warning: --ignore {wanted}: is true of no finding")), "{wanted}: {said}");
    }
}

#[test]
fn how_many_proxies_were_asked_is_said_in_each_form() {
    let some = &["--max-proxies", "1"];
    for (form, said) in [
        ("text", "All namespaces, 1 plugin, 1 of 2 proxies read: "),
        ("markdown", "All namespaces, 1 plugin, 1 of 2 proxies read.\n"),
        ("sarif", "\"text\": \"1 of 2 proxies read\""),
        ("junit", "<system-out>1 of 2 proxies read</system-out>"),
    ] {
        let (_, text) = check("permissive", &[&some[..], &["-o", form]].concat());
        assert!(text.contains(said), "{form}: {text}");
        let (_, all) = check("permissive", &["-o", form]);
        assert!(!all.contains("1 of 2") && !all.contains(said), "{form}: {all}");
    }
    let (_, answer) = answer("permissive", some);
    assert_eq!((&answer["scope"]["proxiesRead"], &answer["scope"]["proxies"]), (&Value::from(1), &Value::from(2)));
    let warning = answer["warnings"].as_array().unwrap().iter().find(|warning| warning["object"] == "proxies").unwrap();
    assert!(warning["fix"].as_str().unwrap().contains("--max-proxies"), "{warning}");
    fails(&meshscope(&["check", "--demo", "--max-proxies", "0"]), 2, &["'0'", "from 1 on, or all"]);
}

/// The one proxy of many that has a stub is the last.
#[test]
fn every_proxy_is_asked() {
    let folder = super::support::crowd(60, |place, dump| if place == 59 { denied(dump) } else { dump.to_owned() });
    let run = |arguments: &[&str]| meshscope(&[arguments, &["-A", "--from", folder.path().to_str().unwrap()]].concat());
    assert_eq!(run(&["check"]).status.code(), Some(1));
    assert_eq!(run(&["check", "--max-proxies", "50"]).status.code(), Some(0));
    let health = String::from_utf8(run(&["health", "default/helloworld", "--max-proxies", "all"]).stdout).unwrap();
    assert!(health.contains("60 of 61 running, 1 stub, denies all"), "{health}");
    let health = String::from_utf8(run(&["health", "default/helloworld", "--max-proxies", "50"]).stdout).unwrap();
    assert!(health.contains("50 of 61 running, 11 unknown"), "{health}");
}

/// A dump with a filter that denies in the place of the module.
fn denied(dump: &str) -> String {
    let mut dump: Value = serde_json::from_str(dump).unwrap();
    let rbac = serde_json::json!({"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {},
        "rules_stat_prefix": "wasm-default-deny"});
    let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
    for entry in sections.filter_map(|section| section.get_mut("ecds_filters")).flat_map(|list| list.as_array_mut().unwrap()) {
        entry["ecds_filter"]["typed_config"] = rbac.clone();
    }
    dump.to_string()
}

#[test]
fn the_forms_of_check_are_of_check_alone() {
    for form in ["sarif", "junit"] {
        fails(&meshscope(&["plugins", "--demo", "-o", form]), 2, &["forms of `check` alone"]);
    }
}

#[test]
fn what_was_not_looked_at_is_said() {
    // The dump of a lone proxy: no objects, so their rules have nothing to look at.
    let folder = tempfile::tempdir().unwrap();
    let dump = lone_dump(&folder);
    let output = meshscope(&["check", "-o", "json", "--from", dump.to_str().unwrap()]);
    assert!(output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let unchecked = &answer["notChecked"][0];
    assert_eq!(unchecked["objects"][0], "objects");
    let codes: Vec<&str> = unchecked["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    assert!(codes.contains(&"matches-nothing") && codes.contains(&"chains-differ") && !codes.contains(&"stub-in-place"), "{codes:?}");
    // Objects without proxies: the rules that look into dumps.
    for (path, bytes) in super::support::files("fetch-failed-closed").iter().filter(|(path, _)| path.starts_with("k8s/")) {
        let path = folder.path().join("mesh").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let mesh = folder.path().join("mesh");
    let output = meshscope(&["check", "-A", "-o", "json", "--from", mesh.to_str().unwrap()]);
    // Nothing was seen of any proxy, which is no good news.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("meshscope: nothing of any proxy could be read: "), "{said}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (istiod, unread): (Vec<&Value>, Vec<&Value>) =
        answer["notChecked"].as_array().unwrap().iter().partition(|unchecked| unchecked["objects"][0] == "istiod");
    assert!(
        matches!(istiod[..], [of] if of["codes"] == serde_json::json!(["refused-push", "stale-proxy", "istiods-differ", "proxy-not-connected"])),
        "{answer}"
    );
    assert!(!unread.is_empty() && unread.iter().all(|unchecked| unchecked["codes"][0] == "stub-in-place"), "{answer}");
}

/// The properties that SARIF 2.1.0 requires (sections 3.13, 3.14, 3.18, 3.27, 3.49), and what CI systems ask for beside them.
#[test]
fn sarif_is_as_it_has_to_be() {
    let (status, text) = check("fetch-failed-closed", &["-o", "sarif"]);
    assert_eq!(status, 1);
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().ends_with("sarif-schema-2.1.0.json"));
    let [run] = &log["runs"].as_array().unwrap()[..] else { panic!("one run") };
    assert_eq!(run["tool"]["driver"]["name"], "meshscope");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for rule in rules {
        assert!(
            ["shortDescription", "fullDescription", "help"].iter().all(|key| !rule[key]["text"].as_str().unwrap().is_empty()),
            "{rule}"
        );
        assert!(["error", "warning", "note"].contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        assert_eq!(ids[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().unwrap()));
        let location = &result["locations"][0];
        let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], uri);
        assert_eq!(result["partialFingerprints"]["codeAndObject/v2"], format!("{}:{uri}", result["ruleId"].as_str().unwrap()));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), rules.len(), "codes are unique");
}

#[test]
fn junit_counts_what_it_holds() {
    let (_, text) = check("fetch-failed-closed", &["-o", "junit"]);
    let attribute =
        |name: &str| -> usize { text.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap() };
    assert_eq!(attribute("tests"), text.matches("<testcase ").count());
    assert_eq!(text.matches("</testcase>").count(), 3, "the findings; rules that pass have nothing to say");
    assert_eq!((attribute("failures"), text.matches("<failure ").count()), (1, 1));
    assert_eq!((attribute("skipped"), text.matches("<skipped ").count()), (0, 0));
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>") && text.ends_with("</testsuites>\n"));
}
