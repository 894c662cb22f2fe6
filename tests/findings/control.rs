//! The control plane: registries that never answer, proxies that are cut off, istiods that differ.

use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::analysis::findings::{Finding, Severity};
use meshscope::analysis::headline::{Headline, headline};
use meshscope::ingest::logs::instant;
use meshscope::model::ids::ProxyId;
use meshscope::model::mesh::Istiod;
use meshscope::model::snapshot::{Dump, Snapshot};
use meshscope::model::sync::{EXTENSIONS, IstiodSync, Sync, SyncState};
use meshscope::model::vitals::LostUpstream;
use serde_json::{Value, json};

use super::proxies::DUMP;
use super::recorded::{HTTPBIN, Mesh, SLEEP, chains, created, http_filters, is_of, wasm_plugin};
use super::{found, of, one};

const PENDING: &str = "pending-listener";
const ALONE: &str = "proxy-not-connected";
const DIFFER: &str = "istiods-differ";

/// A plugin on httpbin whose module is at a URL.
fn silent(url: &str, strategy: &str) -> Value {
    let mut plugin = wasm_plugin("default/silent", json!({"selector": {"matchLabels": {"app": "httpbin"}}, "failStrategy": strategy}));
    plugin["spec"]["url"] = json!(url);
    created(plugin, "2026-11-23T19:38:00Z")
}

/// The dump of httpbin as its Envoy starts: no listener takes connections, and the configuration of no plugin has come. Both plugins stand
/// in the same chains.
fn starting(dump: &mut Value) {
    for section in dump["configs"].as_array_mut().unwrap() {
        if let Some(ecds) = section.get_mut("ecds_filters") {
            *ecds = json!([]);
        }
        for entry in section.get_mut("dynamic_listeners").and_then(Value::as_array_mut).into_iter().flatten() {
            entry["warming_state"] = entry["active_state"].take();
            entry.as_object_mut().unwrap().remove("active_state");
            for chain in
                chains(&mut entry["warming_state"]["listener"]).iter_mut().filter(|chain| chain.to_string().contains("default.helloworld"))
            {
                let filters = http_filters(chain);
                let at = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
                let other = filters[at].to_string().replace("default.helloworld", "default.silent");
                filters.insert(at, serde_json::from_str(&other).unwrap());
            }
        }
    }
}

fn new_pod(url: &str, strategy: &str) -> Snapshot {
    of(Mesh::permissive().with([silent(url, strategy)]).change(DUMP, starting))
}

#[test]
fn incident_d15_a_registry_that_never_answers_is_one_finding() {
    let mut snapshot = new_pod("oci://10.255.255.1:5000/lab/silent:v1", "FAIL_CLOSE");
    // The agent answers to istiod when it has fetched all modules.
    change_httpbin(&mut snapshot, |types| {
        let ecds = types.get_mut(EXTENSIONS).unwrap();
        (ecds.state, ecds.sent) = (SyncState::Stale, instant("2026-11-23T19:37:49Z"));
    });
    let finding = one(found(&snapshot, PENDING), Severity::Warning, "WasmPlugin default/silent");
    let wanted = "On 1 proxy default/silent and default/helloworld have not come: the agent waits for 10.255.255.1:5000, registry.lab:5000 since \
        2026-11-23T19:37:4";
    assert!(finding.what.starts_with(wanted) && finding.what.ends_with(" listeners take no connections."), "{finding:?}");
    let listeners = finding.evidence.iter().find(|line| line.contains(" listeners warm (")).unwrap();
    assert!(listeners.contains(" s; ") && listeners.ends_with("no other of that name takes connections meanwhile"), "{finding:?}");
    assert!(
        finding
            .evidence
            .iter()
            .any(|line| line.ends_with("the agent puts a filter in the place of the plugin, which denies every request")),
        "{finding:?}"
    );
    assert_eq!((finding.plugins.len(), finding.place.unwrap().listener.as_str()), (2, "virtualInbound"));
    assert!(
        finding.fix.starts_with("check the address in ") && finding.fix.contains("oci://10.255.255.1:5000/lab/silent:v1"),
        "{}",
        finding.fix
    );
    for code in ["stale-proxy", "plugin-absent", "chains-differ"] {
        assert_eq!(found(&snapshot, code), [], "{code}: one cause is one finding");
    }
}

#[test]
fn incident_d15_modules_by_other_ways() {
    let by_http = new_pod("https://user:pass@files.example:8443/silent.wasm", "FAIL_OPEN");
    let finding = one(found(&by_http, PENDING), Severity::Warning, "WasmPlugin default/silent");
    assert!(finding.what.contains("waits for files.example:8443, registry.lab:5000"), "{finding:?}");
    assert!(!finding.what.contains("pass"), "{finding:?}");
    assert!(finding.evidence.iter().any(|line| line.contains("allows or denies every request, by its failStrategy")), "{finding:?}");
    // An old pod keeps its listeners: nothing is cut off.
    let old = Mesh::permissive().with([silent("oci://10.255.255.1:5000/lab/silent:v1", "FAIL_CLOSE")]).change(DUMP, |dump| {
        let mut warming = dump.clone();
        starting(&mut warming);
        for (section, warming) in dump["configs"].as_array_mut().unwrap().iter_mut().zip(warming["configs"].as_array().unwrap()) {
            let listeners = section.get_mut("dynamic_listeners").and_then(Value::as_array_mut).into_iter().flatten();
            for (entry, warming) in listeners.zip(warming["dynamic_listeners"].as_array().into_iter().flatten()) {
                if entry["name"] == "virtualInbound" {
                    entry["warming_state"] = warming["warming_state"].clone();
                }
            }
        }
    });
    let finding = one(found(&of(old), PENDING), Severity::Warning, "WasmPlugin default/silent");
    assert!(finding.what.contains("default/silent has not come: the agent waits for 10.255.255.1:5000"), "{finding:?}");
    assert!(finding.what.ends_with("; what the proxy had before goes on meanwhile."), "{finding:?}");
    assert_eq!(found(&of(Mesh::permissive()), PENDING), []);
}

fn sync(snapshot: &mut Snapshot) -> &mut Sync {
    let Some(Ok(sync)) = &mut snapshot.sync else { panic!("the recording has it") };
    Arc::make_mut(sync)
}

fn change_httpbin(snapshot: &mut Snapshot, change: impl FnOnce(&mut std::collections::BTreeMap<String, meshscope::model::sync::TypeSync>)) {
    let clients = &mut sync(snapshot).istiods[0].clients;
    change(&mut clients.iter_mut().find(|client| client.proxy.to_string() == HTTPBIN).unwrap().types);
}

/// The recording in which no istiod has a connection of these proxies, each with what its log says.
fn cut_off(mesh: Mesh, lost: &[(&str, Option<&str>)]) -> Snapshot {
    let mut snapshot = of(mesh);
    sync(&mut snapshot).istiods[0].clients.retain(|client| lost.iter().all(|(proxy, _)| client.proxy.to_string() != *proxy));
    for (proxy, reason) in lost {
        let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&ProxyId::parse(proxy).unwrap()) else { panic!("{proxy} was read") };
        let lost = reason.map(|reason| LostUpstream { reason: reason.to_owned(), since: instant("2026-11-23T20:00:00Z") });
        Arc::make_mut(loaded).vitals.as_mut().unwrap().lost_upstream = lost;
    }
    snapshot
}

const TIMEOUT: &str = "dial tcp 10.96.82.11:15012: i/o timeout";

#[test]
fn incident_d11_a_proxy_that_is_cut_off_says_why_and_what_it_misses() {
    let changes = || {
        let newer = |name: &str, time: &str| created(wasm_plugin(name, json!({"selector": {"matchLabels": {"app": "httpbin"}}})), time);
        let policy = json!({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "spec": {"mtls": {"mode": "STRICT"}},
            "metadata": {"namespace": "default", "name": "strict", "creationTimestamp": "2026-11-23T20:00:02Z"}});
        [
            newer("default/one", "2026-11-23T20:00:01Z"),
            policy,
            newer("default/three", "2026-11-23T20:00:03Z"),
            newer("default/four", "2026-11-23T20:00:04Z"),
        ]
    };
    let snapshot = cut_off(Mesh::permissive().with(changes()), &[(HTTPBIN, Some(TIMEOUT))]);
    let finding = one(found(&snapshot, ALONE), Severity::Error, "Pod default/httpbin-664956bb75-9d64m");
    assert_eq!(finding.what, format!("{HTTPBIN} is connected to no istiod: {TIMEOUT}, since 2026-11-23T20:00:00.000000Z."));
    let misses = "changes that it misses: WasmPlugin default/four of 20:00:04 UTC, WasmPlugin default/three of 20:00:03 UTC, \
        PeerAuthentication default/strict of 20:00:02 UTC and 1 more";
    assert_eq!(finding.evidence[1], misses);
    assert!(finding.fix.contains("drops port 15012"), "{}", finding.fix);
    assert_eq!(headline(&snapshot), Some(Headline { cut_off: 1, ..Headline::default() }));
    // What came before the connection was lost is not missed, nor what is for others.
    let older = changes().map(|change| created(change, "2026-11-23T19:00:00Z"));
    assert_eq!(
        one(
            found(&cut_off(Mesh::permissive().with(older), &[(HTTPBIN, Some(TIMEOUT))]), ALONE),
            Severity::Warning,
            "Pod default/httpbin-664956bb75-9d64m"
        )
        .evidence
        .len(),
        1
    );
    let others = created(wasm_plugin("default/other", json!({"selector": {"matchLabels": {"app": "sleep"}}})), "2026-11-23T20:00:01Z");
    let finding = one(
        found(&cut_off(Mesh::permissive().with([others]), &[(HTTPBIN, None)]), ALONE),
        Severity::Warning,
        "Pod default/httpbin-664956bb75-9d64m",
    );
    assert_eq!((finding.what.as_str(), finding.evidence.len()), (format!("{HTTPBIN} is connected to no istiod.").as_str(), 1));
    assert_eq!(headline(&of(Mesh::permissive())), None);
}

#[test]
fn incident_d11_what_was_changed_before_the_loss_was_noticed_is_missed() {
    // An agent gives up a connection on which nothing comes after 40 s; the change before that has not come.
    let changed =
        created(wasm_plugin("default/helloworld", json!({"selector": {"matchLabels": {"app": "httpbin"}}})), "2026-11-23T19:59:30Z");
    let snapshot = cut_off(Mesh::permissive().with([changed]), &[(HTTPBIN, Some(TIMEOUT))]);
    let [finding] = &found(&snapshot, ALONE)[..] else { panic!("one cause is one finding") };
    assert_eq!(finding.evidence[1], "changes that it misses: WasmPlugin default/helloworld of 19:59:30 UTC");
}

#[test]
fn incident_d11_what_a_proxy_misses_makes_it_an_error() {
    let severity = |snapshot: &Snapshot| {
        let found = found(snapshot, ALONE);
        let [finding] = &found[..] else { panic!("{found:?}") };
        finding.severity
    };
    let lost = [(HTTPBIN, Some(TIMEOUT))];
    assert_eq!(severity(&cut_off(Mesh::permissive(), &lost)), Severity::Warning);
    // A policy that is not in listeners alone, created after the connection was lost.
    let policy = json!({"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "spec": {},
        "metadata": {"namespace": "default", "name": "none", "creationTimestamp": "2026-11-23T20:00:02Z"}});
    assert_eq!(severity(&cut_off(Mesh::permissive().with([policy.clone()]), &lost)), Severity::Error);
    // One that was there before and was edited since.
    let edited = |kind: &str| {
        let group = if kind == "VirtualService" { "networking" } else { "security" };
        json!({"apiVersion": format!("{group}.istio.io/v1"), "kind": kind, "spec": {},
            "metadata": {"namespace": "default", "name": "edited", "creationTimestamp": "2026-11-23T19:00:00Z",
                "managedFields": [{"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-23T20:00:02Z", "fieldsV1": {"f:spec": {}}}]}})
    };
    for kind in ["AuthorizationPolicy", "PeerAuthentication", "VirtualService"] {
        assert_eq!(severity(&cut_off(Mesh::permissive().with([edited(kind)]), &lost)), Severity::Error, "{kind}");
    }
    // One reason for two proxies is one finding, as severe as the worse of them.
    let both = [(HTTPBIN, Some(TIMEOUT)), (SLEEP, Some(TIMEOUT))];
    let for_sleep = {
        let mut policy = policy;
        policy["spec"]["selector"] = json!({"matchLabels": {"app": "sleep"}});
        policy
    };
    assert_eq!(severity(&cut_off(Mesh::permissive().with([for_sleep]), &both)), Severity::Error);
    // A proxy that never had a listener of istiod's.
    let mut snapshot = cut_off(Mesh::permissive(), &lost);
    let Some(Dump::Loaded(loaded)) = snapshot.dumps.get_mut(&ProxyId::parse(HTTPBIN).unwrap()) else { panic!("it was read") };
    Arc::make_mut(loaded).dump.listeners.retain(|listener| listener.is_static);
    let finding = one(found(&snapshot, ALONE), Severity::Error, "Pod default/httpbin-664956bb75-9d64m");
    assert!(finding.evidence.iter().any(|line| line.starts_with("istiod has sent it no listener")), "{finding:?}");
}

#[test]
fn incident_d11_reasons_have_fixes_of_their_own_and_one_for_all_is_one_finding() {
    for (reason, fix) in [
        ("dial tcp: lookup istiod.istio-system.svc on 10.96.0.10:53: no such host", "resolves in the pod"),
        ("dial tcp 10.96.82.11:15012: connect: connection refused", "leads to its port 15012"),
        (
            "authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "root certificate",
        ),
        ("authentication failure", "rejects the token"),
        ("something else", "look at the log of istio-proxy"),
    ] {
        let finding = one(
            found(&cut_off(Mesh::permissive(), &[(HTTPBIN, Some(reason))]), ALONE),
            Severity::Warning,
            "Pod default/httpbin-664956bb75-9d64m",
        );
        assert!(finding.what.contains(reason) && finding.fix.contains(fix), "{finding:?}");
    }
    let both = |reason: [Option<&str>; 2]| found(&cut_off(Mesh::permissive(), &[(HTTPBIN, reason[0]), (SLEEP, reason[1])]), ALONE);
    let of_all = one(both([Some(TIMEOUT); 2]), Severity::Warning, "Deployment istio-system/istiod");
    assert!(of_all.what.starts_with(&format!("2 proxies of 2 workloads are connected to no istiod: {TIMEOUT}")), "{of_all:?}");
    assert_eq!(of_all.proxies.len(), 2);
    let from = |port: &str| format!("read tcp 10.244.0.5:{port}->10.96.82.11:15012: read: connection reset by peer");
    assert_eq!(both([Some(&from("34962")), Some(&from("40000"))]).len(), 1, "their own ports are no reason");
    assert_eq!(both([Some(TIMEOUT), Some("authentication failure")]).len(), 2);
    assert_eq!(both([None; 2]).len(), 2, "nothing says that the reason is one");
    // A pod that starts has no connection yet.
    let starting = |list: &mut Value| {
        for pod in list["items"].as_array_mut().unwrap().iter_mut().filter(|pod| pod["metadata"]["labels"]["app"] == "httpbin") {
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
        }
    };
    let starts = |reason| found(&cut_off(Mesh::permissive().change("k8s/pods.json", starting), &[(HTTPBIN, reason)]), ALONE).len();
    assert_eq!((starts(None), starts(Some(TIMEOUT))), (0, 1));
}

#[test]
fn stale_for_over_five_seconds_is_in_the_first_line() {
    let stale = |seconds: i64| {
        let mut snapshot = of(Mesh::permissive());
        let sent = instant("2026-11-23T19:37:49Z").unwrap();
        sync(&mut snapshot).asked = Some(sent + seconds * 1_000_000_000);
        change_httpbin(&mut snapshot, |types| {
            let ecds = types.get_mut(EXTENSIONS).unwrap();
            (ecds.state, ecds.sent) = (SyncState::Stale, Some(sent));
        });
        (found(&snapshot, "stale-proxy").len(), headline(&snapshot))
    };
    assert_eq!(stale(6), (1, Some(Headline { stale: 1, ..Headline::default() })));
    assert_eq!(stale(4), (0, None));
}

/// The recording with a second istiod, changed.
fn two(change: impl Fn(&mut Value)) -> Snapshot {
    let second = |list: &mut Value| {
        let items = list["items"].as_array_mut().unwrap();
        let mut pod = items.iter().find(|item| item["metadata"]["labels"]["app"] == "istiod").unwrap().clone();
        pod["metadata"]["name"] = json!("istiod-2");
        change(&mut pod);
        items.push(pod);
    };
    of(Mesh::permissive().change("k8s/pods.json", second))
}

fn first(snapshot: &Snapshot) -> String {
    snapshot.objects.control_planes.keys().find(|pod| pod.pod != "istiod-2").unwrap().pod.clone()
}

fn with_versions(mut snapshot: Snapshot, versions: [&str; 2]) -> Snapshot {
    let pods = [first(&snapshot), "istiod-2".to_owned()];
    Arc::make_mut(&mut snapshot.objects).istiods =
        pods.into_iter().zip(versions).map(|(pod, version)| Istiod { pod, version: version.to_owned() }).collect();
    snapshot
}

fn canary(pod: &mut Value) {
    pod["metadata"]["labels"]["istio.io/rev"] = json!("canary");
}

fn differ(snapshot: &Snapshot, severity: Severity) -> Finding {
    one(found(snapshot, DIFFER), severity, "Deployment istio-system/istiod")
}

#[test]
fn istiods_of_one_revision_that_differ_in_their_versions() {
    let minor = with_versions(two(|_| ()), ["1.29.0", "1.30.1"]);
    let finding = differ(&minor, Severity::Warning);
    assert_eq!(finding.what, "The istiods of revision default differ: they are of versions 1.29.0 and 1.30.1.");
    assert!(finding.evidence[1].contains("translated into TrafficExtensions"), "{finding:?}");
    let skew: Vec<String> = found(&minor, "version-skew").into_iter().map(|finding| finding.what).collect();
    assert!(!skew.iter().any(|what| what.contains("side by side")), "one cause is one finding: {skew:?}");
    differ(&with_versions(two(|_| ()), ["1.30.0", "1.30.1"]), Severity::Information);
    for (what, snapshot) in [
        ("two of one version", with_versions(two(|_| ()), ["1.31.0", "1.31.0"])),
        ("a canary", with_versions(two(canary), ["1.30.0", "1.31.0"])),
        ("one alone", of(Mesh::permissive())),
    ] {
        assert_eq!(found(&snapshot, DIFFER), [], "{what}");
    }
    let unready =
        |pod: &mut Value| pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
    assert_eq!(found(&with_versions(two(unready), ["1.30.0", "1.31.0"]), DIFFER), [], "one that does not serve yet");
}

#[test]
fn istiods_that_do_not_answer_or_go_by_another_mesh_configuration() {
    let mut away = two(|_| ());
    sync(&mut away).silent.insert("istiod-2".to_owned(), "no answer within 5 s".to_owned());
    let finding = differ(&away, Severity::Warning);
    assert_eq!(
        (finding.what.as_str(), finding.evidence[0].as_str()),
        ("The istiods of revision default differ: istiod-2 did not answer.", "istiod-2: no answer within 5 s")
    );
    let with_configs = |mut snapshot: Snapshot, second: &str| {
        let settings = |mode: &str| {
            [("rootNamespace", "\"istio-system\""), ("outboundTrafficPolicy.mode", mode)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        };
        let pods = [(first(&snapshot), settings("\"ALLOW_ANY\"")), ("istiod-2".to_owned(), settings(second))];
        sync(&mut snapshot).mesh_configs = pods.into();
        snapshot
    };
    let finding = differ(&with_configs(two(|_| ()), "\"REGISTRY_ONLY\""), Severity::Warning);
    assert!(finding.what.ends_with("they go by different mesh configurations (outboundTrafficPolicy.mode)."), "{finding:?}");
    assert_eq!(found(&with_configs(two(|_| ()), "\"ALLOW_ANY\""), DIFFER), []);
    assert_eq!(found(&with_configs(two(canary), "\"REGISTRY_ONLY\""), DIFFER), [], "each revision has its own");
    // An istiod that is gone is no fault of those that are there.
    let mut gone = of(Mesh::permissive());
    sync(&mut gone).silent.insert("istiod-old".to_owned(), "no answer within 5 s".to_owned());
    assert_eq!(found(&gone, DIFFER), []);
}

#[test]
fn an_istiod_that_does_not_push_a_change_that_another_one_has_pushed() {
    let changed = |time: &str| created(wasm_plugin("default/new", json!({})), time);
    let behind = |time: &str, asked: &str| {
        let second = |list: &mut Value| {
            let items = list["items"].as_array_mut().unwrap();
            let mut pod = items.iter().find(|item| item["metadata"]["labels"]["app"] == "istiod").unwrap().clone();
            pod["metadata"]["name"] = json!("istiod-2");
            items.push(pod);
        };
        let mut snapshot = of(Mesh::permissive().with([changed(time)]).change("k8s/pods.json", second));
        let pod = first(&snapshot);
        let sync = sync(&mut snapshot);
        sync.asked = instant(asked);
        sync.istiods[0].pod = pod;
        let (mut own, other): (Vec<_>, Vec<_>) = sync.istiods[0].clients.drain(..).partition(|client| client.proxy.to_string() == HTTPBIN);
        own.iter_mut().flat_map(|client| client.types.values_mut()).for_each(|told| told.sent_push = "2026-11-23T20:10:01Z/9".to_owned());
        sync.istiods[0].clients = own;
        let second = IstiodSync { pod: "istiod-2".to_owned(), clients: other, ..sync.istiods[0].clone() };
        sync.istiods.push(second);
        snapshot
    };
    let finding = differ(&behind("2026-11-23T20:10:00Z", "2026-11-23T20:11:00Z"), Severity::Warning);
    assert_eq!(finding.what, "The istiods of revision default differ: istiod-2 has not pushed the change of default/new.");
    assert_eq!(found(&behind("2026-11-23T20:10:00Z", "2026-11-23T20:10:10Z"), DIFFER), [], "it may be on its way");
    assert_eq!(found(&behind("2026-11-23T19:00:00Z", "2026-11-23T20:11:00Z"), DIFFER), [], "neither needs to have pushed since");
}

#[test]
fn what_the_istiods_do_not_report_is_not_checked() {
    let mut unasked = of(Mesh::permissive());
    unasked.sync = None;
    let not_checked = answers::findings(&unasked, None, &[]).not_checked;
    assert!(not_checked.iter().any(|lacking| lacking.objects == ["istiod"] && lacking.codes.contains(&DIFFER)), "{not_checked:?}");
}
