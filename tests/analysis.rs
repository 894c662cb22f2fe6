//! The rules, one by one, on objects as the API server writes them.

use meshscope::analysis::attachment::{self, Reason};
use meshscope::analysis::health::{PluginState, Rollup, roll_up};
use meshscope::analysis::{lookup, mtls};
use meshscope::ingest::collect::{Changed, Collector};
use meshscope::model::ids::{ObjectName, PluginId, PluginKind, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::peer_authentication::MtlsMode;
use meshscope::model::snapshot::Snapshot;
use meshscope::model::update::{Unread, Update};
use serde_json::{Value, json};

fn mesh(objects: &[(Kind, Value)]) -> Collector {
    let mut collector = Collector::default();
    for (kind, object) in objects {
        collector.apply(Update::Applied { kind: *kind, object: object.clone() });
    }
    collector
}

fn snapshot(objects: &[(Kind, Value)]) -> Snapshot {
    let mut collector = Collector::default();
    for kind in Kind::ALL {
        collector.apply(Update::Absent(kind));
    }
    for (kind, object) in objects {
        collector.apply(Update::Applied { kind: *kind, object: object.clone() });
    }
    collector.snapshot(Default::default())
}

fn plugin(namespace: &str, spec: Value) -> (Kind, Value) {
    let mut spec = spec;
    spec["url"] = json!("oci://registry/x:v1");
    (Kind::WasmPlugin, json!({"metadata": {"namespace": namespace, "name": "p"}, "spec": spec}))
}

fn pod(namespace: &str, labels: Value, role: &str) -> (Kind, Value) {
    let containers = match role {
        "" => json!([{"name": "app"}]),
        role => json!([{"name": "app", "ports": [{"name": "web", "containerPort": 80}]}, {"name": "istio-proxy", "args": ["proxy", role]}]),
    };
    let status = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    (
        Kind::Pod,
        json!({"metadata": {"namespace": namespace, "name": "w", "labels": labels}, "spec": {"containers": containers}, "status": status}),
    )
}

/// Whether the plugin applies to the pod, and the reason as it is said.
fn attached(objects: &[(Kind, Value)]) -> (bool, String) {
    let snapshot = snapshot(objects);
    let plugin = snapshot.objects.plugins.values().next().unwrap();
    let pod = snapshot.objects.pods.values().next().unwrap();
    let decision = attachment::attach(plugin, pod, &snapshot.objects);
    (decision.attached, decision.reason.to_string())
}

const GATEWAY: &str = "gateway.networking.k8s.io/gateway-name";

#[test]
fn a_selector_reaches_its_own_namespace_and_from_the_root_namespace_all() {
    let wants = || json!({"selector": {"matchLabels": {"app": "a"}}});
    let a = json!({"app": "a", "version": "v1"});
    assert_eq!(attached(&[plugin("n", wants()), pod("n", a.clone(), "sidecar")]), (true, "selector app=a matches the pod's labels".into()));
    assert_eq!(
        attached(&[plugin("istio-system", wants()), pod("n", a.clone(), "sidecar")]),
        (true, "selector app=a matches the pod's labels; root namespace istio-system reaches the whole mesh".into())
    );
    assert!(!attached(&[plugin("other", wants()), pod("n", a.clone(), "sidecar")]).0);
    assert_eq!(
        attached(&[plugin("n", wants()), pod("n", json!({"app": "b"}), "sidecar")]),
        (false, "selector wants app=a, the pod has app=b".into())
    );
    assert_eq!(attached(&[plugin("n", wants()), pod("n", json!({}), "sidecar")]).1, "selector wants app=a, the pod has no label app");
    assert!(attached(&[plugin("n", json!({})), pod("n", a.clone(), "sidecar")]).0, "no selector is everything in reach");
    assert!(attached(&[plugin("n", json!({"selector": {}})), pod("n", a.clone(), "sidecar")]).0, "an empty selector too");
    assert_eq!(attached(&[plugin("n", json!({})), pod("n", a, "")]), (false, "the pod has no proxy".into()));
}

#[test]
fn the_root_namespace_is_the_mesh_configurations() {
    let mesh = (
        Kind::MeshConfigMap,
        json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": "rootNamespace: mesh-root\n"}}),
    );
    assert!(attached(&[plugin("mesh-root", json!({})), pod("n", json!({}), "sidecar"), mesh.clone()]).0);
    assert!(!attached(&[plugin("istio-system", json!({})), pod("n", json!({}), "sidecar"), mesh]).0);
}

#[test]
fn target_refs_reach_gateways_and_waypoints_only() {
    let to = |kind: &str, name: &str| {
        let group = if kind.starts_with("Gateway") { "gateway.networking.k8s.io" } else { "" };
        json!({"targetRefs": [{"group": group, "kind": kind, "name": name}]})
    };
    let web = || json!({GATEWAY: "web"});
    assert_eq!(attached(&[plugin("n", to("Gateway", "web")), pod("n", web(), "router")]), (true, "targetRef Gateway web".into()));
    assert!(!attached(&[plugin("n", to("Gateway", "other")), pod("n", web(), "router")]).0);
    assert!(!attached(&[plugin("istio-system", to("Gateway", "web")), pod("n", web(), "router")]).0, "not even from the root namespace");
    assert!(!attached(&[plugin("n", to("Gateway", "web")), pod("n", json!({"app": "a"}), "sidecar")]).0);
    assert!(attached(&[plugin("n", json!({})), pod("n", web(), "router")]).0, "a gateway takes a plugin without targetRefs too");
    assert!(!attached(&[plugin("n", json!({})), pod("n", web(), "waypoint")]).0, "a waypoint does not");
    assert!(attached(&[plugin("n", to("Gateway", "web")), pod("n", web(), "waypoint")]).0);
    assert!(attached(&[plugin("istio-system", to("GatewayClass", "istio-waypoint")), pod("n", web(), "waypoint")]).0);
    assert!(!attached(&[plugin("n", to("GatewayClass", "istio-waypoint")), pod("n", web(), "waypoint")]).0, "only from the root namespace");
    assert!(!attached(&[plugin("istio-system", to("GatewayClass", "istio-waypoint")), pod("n", web(), "router")]).0);
    let single = json!({"targetRef": {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web"}});
    assert!(attached(&[plugin("n", single), pod("n", web(), "router")]).0, "the deprecated single form");
}

#[test]
fn a_service_target_reaches_the_waypoint_that_serves_it() {
    let refs = json!({"targetRefs": [{"group": "", "kind": "Service", "name": "s"}]});
    let service =
        |labels: Value| (Kind::Service, json!({"metadata": {"namespace": "n", "name": "s", "labels": labels}, "spec": {"ports": []}}));
    let waypoint = || pod("n", json!({GATEWAY: "wp"}), "waypoint");
    let namespace = (Kind::Namespace, json!({"metadata": {"name": "n", "labels": {"istio.io/use-waypoint": "wp"}}}));
    assert!(attached(&[plugin("n", refs.clone()), waypoint(), service(json!({"istio.io/use-waypoint": "wp"}))]).0);
    assert!(attached(&[plugin("n", refs.clone()), waypoint(), service(json!({})), namespace.clone()]).0);
    assert!(
        !attached(&[plugin("n", refs.clone()), waypoint(), service(json!({"istio.io/use-waypoint": "none"})), namespace]).0,
        "none opts out"
    );
    assert!(!attached(&[plugin("n", refs), waypoint(), service(json!({}))]).0);
}

#[test]
fn ztunnel_never_runs_wasm() {
    let (applies, reason) = attached(&[plugin("n", json!({})), pod("n", json!({"app": "ztunnel"}), "ztunnel")]);
    assert!(!applies && reason.contains("ztunnel"), "{reason}");
}

fn policy(namespace: &str, name: &str, created: &str, selector: Value, mode: &str) -> (Kind, Value) {
    let mut spec = json!({"mtls": {"mode": mode}});
    if !selector.is_null() {
        spec["selector"] = json!({"matchLabels": selector});
    }
    (Kind::PeerAuthentication, json!({"metadata": {"namespace": namespace, "name": name, "creationTimestamp": created}, "spec": spec}))
}

fn mode(policies: &[(Kind, Value)], namespace: &str) -> (MtlsMode, Option<String>) {
    let labels = [("app".to_owned(), "a".to_owned())].into_iter().collect();
    let effective = mtls::effective(&snapshot(policies).objects, namespace, &labels);
    (effective.mode, effective.winner.map(|name| name.to_string()))
}

#[test]
fn the_nearest_policy_wins_and_the_oldest_of_one_scope() {
    let none = Value::Null;
    assert_eq!(mode(&[], "n"), (MtlsMode::Permissive, None));
    let mesh = policy("istio-system", "mesh", "2026-01-01T00:00:00Z", none.clone(), "STRICT");
    let own = policy("n", "own", "2026-01-02T00:00:00Z", none.clone(), "DISABLE");
    let workload = policy("n", "w", "2026-01-03T00:00:00Z", json!({"app": "a"}), "STRICT");
    assert_eq!(mode(std::slice::from_ref(&mesh), "n"), (MtlsMode::Strict, Some("istio-system/mesh".into())));
    assert_eq!(mode(&[mesh.clone(), own.clone()], "n"), (MtlsMode::Disable, Some("n/own".into())));
    assert_eq!(mode(&[mesh.clone(), own.clone(), workload], "n"), (MtlsMode::Strict, Some("n/w".into())));
    let younger = policy("n", "a-younger", "2026-01-05T00:00:00Z", none.clone(), "STRICT");
    assert_eq!(mode(&[own.clone(), younger], "n"), (MtlsMode::Disable, Some("n/own".into())));
    let same_second = policy("n", "aaa", "2026-01-02T00:00:00Z", none.clone(), "PERMISSIVE");
    assert_eq!(mode(&[own.clone(), same_second], "n"), (MtlsMode::Permissive, Some("n/aaa".into())));
    let unset = policy("n", "unset", "2026-01-01T00:00:00Z", none, "UNSET");
    assert_eq!(mode(&[mesh.clone(), unset], "n"), (MtlsMode::Strict, Some("istio-system/mesh".into())), "UNSET inherits");
    let of_root = policy("istio-system", "w", "2026-01-01T00:00:00Z", json!({"app": "a"}), "DISABLE");
    assert_eq!(mode(&[mesh.clone(), of_root.clone()], "n").0, MtlsMode::Strict, "a selector in the root namespace is ignored");
    assert_eq!(mode(&[mesh, of_root], "istio-system").0, MtlsMode::Strict, "for its own workloads too");
    assert_eq!(mode(&[own], "other").0, MtlsMode::Permissive);
}

#[test]
fn pods_belong_to_the_workload_that_owns_them() {
    let owned = |name: &str, owner: Value, labels: Value| {
        (
            Kind::Pod,
            json!({"metadata": {"namespace": "n", "name": name, "labels": labels, "ownerReferences": [owner]}, "spec": {"containers": []}}),
        )
    };
    let replica_set = json!({"kind": "ReplicaSet", "name": "web-5f4b", "controller": true});
    let objects = [
        owned("web-5f4b-a", replica_set.clone(), json!({"pod-template-hash": "5f4b"})),
        owned("bare-x", json!({"kind": "ReplicaSet", "name": "bare"}), json!({})),
        owned("db-0", json!({"kind": "StatefulSet", "name": "db"}), json!({})),
        owned("gw-1", replica_set, json!({GATEWAY: "gw"})),
        (Kind::Pod, json!({"metadata": {"namespace": "n", "name": "alone"}, "spec": {"containers": []}})),
        (Kind::Pod, json!({"metadata": {"namespace": "n", "name": "done"}, "spec": {"containers": []}, "status": {"phase": "Succeeded"}})),
        (Kind::ReplicaSet, json!({"metadata": {"namespace": "n", "name": "bare"}})),
        (Kind::WorkloadEntry, json!({"metadata": {"namespace": "n", "name": "vm"}, "spec": {"labels": {"app": "vm"}}})),
    ];
    let names: Vec<String> = snapshot(&objects).workloads.iter().map(|workload| workload.id.short()).collect();
    assert_eq!(names, ["pod/alone", "replicaset/bare", "statefulset/db", "gateway/gw", "workloadentry/vm", "deploy/web"]);
}

#[test]
fn names_are_found_as_a_person_types_them() {
    let objects = [
        plugin("n", json!({})),
        (Kind::TrafficExtension, json!({"metadata": {"namespace": "n", "name": "p"}, "spec": {"lua": {}}})),
        pod("n", json!({"app": "a"}), "sidecar"),
        (Kind::Deployment, json!({"metadata": {"namespace": "n", "name": "empty"}})),
    ];
    let world = snapshot(&objects);
    assert_eq!(lookup::plugin(&world, "wasmplugin/n/p", "default").unwrap(), PluginId::new(PluginKind::WasmPlugin, "n", "p"));
    assert_eq!(lookup::plugin(&world, "trafficextension/n/p", "default").unwrap().kind, PluginKind::TrafficExtension);
    let ambiguous = lookup::plugin(&world, "p", "n").unwrap_err().to_string();
    assert!(ambiguous.contains("wasmplugin/n/p") && ambiguous.contains("trafficextension/n/p"), "{ambiguous}");
    assert!(lookup::plugin(&world, "n/q", "n").unwrap_err().to_string().contains("no WasmPlugin or TrafficExtension n/q"));
    let proxy = vec![ProxyId::new("w", "n")];
    for text in ["pod/w", "w.n", "w", "n/w", "n/pod/w"] {
        assert_eq!(lookup::workload(&world, text, "n").unwrap().proxies, proxy, "{text}");
    }
    assert!(lookup::workload(&world, "deploy/empty", "n").unwrap_err().to_string().contains("has no pods"));
    assert!(lookup::workload(&world, "deploy/none", "n").unwrap_err().to_string().contains("there is pod/w"));
    assert!(lookup::workload(&world, "deploy/none", "elsewhere").unwrap_err().to_string().contains("in namespace elsewhere"));
}

#[test]
fn an_odd_object_costs_a_warning_and_is_kept_as_far_as_it_is_understood() {
    let objects = [
        (
            Kind::WasmPlugin,
            json!({"metadata": {"namespace": "n", "name": "odd", "labels": []}, "spec": {"url": 7, "phase": "EARLY", "priority": "high",
            "match": [{"mode": "SIDEWAYS", "ports": [{"number": 99999}]}], "failStrategy": "FAIL_SOFT", "selector": {"matchLabels": {"a": 1}}}}),
        ),
        (Kind::WasmPlugin, json!({"spec": {}})),
        (
            Kind::PeerAuthentication,
            json!({"metadata": {"namespace": "n", "name": "x"}, "spec": {"mtls": {"mode": "MAYBE"}, "portLevelMtls": {"http": {}}}}),
        ),
        (Kind::MeshConfigMap, json!({"metadata": {"namespace": "istio-system", "name": "istio"}, "data": {"mesh": "a: [b"}})),
    ];
    let world = snapshot(&objects);
    assert!(world.objects.plugins.contains_key(&PluginId::new(PluginKind::WasmPlugin, "n", "odd")));
    let said: Vec<String> = world.warnings.iter().map(ToString::to_string).collect();
    for part in [
        "metadata.labels is a list",
        "spec.url is a number",
        "EARLY",
        "spec.priority is text",
        "SIDEWAYS",
        "1 to 65535",
        "FAIL_SOFT",
        "a WasmPlugin: has no metadata.name",
        "MAYBE",
        "portLevelMtls.http",
        "is not YAML",
    ] {
        assert!(said.iter().any(|warning| warning.contains(part)), "{part}: {said:#?}");
    }
    assert!(said.iter().all(|warning| !warning.contains('\n')));
}

#[test]
fn a_list_replaces_what_was_known_of_its_part_of_the_cluster() {
    let mut collector = mesh(&[pod("n", json!({}), "sidecar"), pod("m", json!({}), "sidecar")]);
    let list = |namespace: Option<&str>| Update::Listed { kind: Kind::Pod, namespace: namespace.map(str::to_owned), objects: vec![] };
    assert_eq!(collector.apply(list(Some("n"))), Changed::Objects(Kind::Pod, None));
    assert_eq!(collector.objects().pods.keys().map(ToString::to_string).collect::<Vec<_>>(), ["w.m"]);
    let (_, again) = pod("m", json!({"app": "new"}), "sidecar");
    assert_eq!(
        collector.apply(Update::Applied { kind: Kind::Pod, object: again }),
        Changed::Objects(Kind::Pod, Some(ObjectName::new("m", "w")))
    );
    collector.apply(Update::Deleted { kind: Kind::Pod, namespace: "m".into(), name: "w".into() });
    assert!(collector.objects().pods.is_empty());
    assert!(!collector.awaited().is_empty());
    for kind in Kind::ALL {
        collector.apply(Update::Unread(unread(kind, "forbidden", false)));
    }
    assert!(collector.awaited().is_empty());
    assert_eq!(collector.snapshot(Default::default()).warnings.len(), Kind::ALL.len());
    collector.apply(list(None));
    assert_eq!(collector.snapshot(Default::default()).warnings.len(), Kind::ALL.len() - 1, "what was read after all is no gap");
    collector.apply(Update::Applied { kind: Kind::Pod, object: pod("n", json!({}), "sidecar").1 });
    collector.apply(Update::Absent(Kind::Pod));
    assert!(collector.objects().pods.is_empty(), "a kind that is gone has no objects");
}

fn unread(kind: Kind, why: &str, listed: bool) -> Unread {
    Unread { kind: Some(kind), namespace: None, what: kind.resource(), why: why.into(), fix: String::new(), listed }
}

#[test]
fn what_was_listed_stays_read_where_only_the_watch_is_lacking() {
    for (why, listed) in [("watch on pods is forbidden", false), ("in other words", true)] {
        let mut collector = Collector::default();
        collector.apply(Update::Listed { kind: Kind::Pod, namespace: None, objects: vec![] });
        collector.apply(Update::Unread(unread(Kind::Pod, why, listed)));
        let snapshot = collector.snapshot(Default::default());
        assert_eq!(snapshot.parts[&Kind::Pod].contains(&None), listed, "{why}");
    }
}

#[test]
fn the_states_of_proxies_sum_up() {
    use PluginState::{
        Absent, Leftover, NotApplicable, Outdated, Pending, Rejected, Removed, Running, StubAllow, StubDeny, Unexpected, Unknown,
        Unverified, VmFailed,
    };
    for (states, expected) in [
        (vec![], Rollup::Unmatched),
        (vec![Running, Running], Rollup::Ready),
        (vec![Running, StubDeny], Rollup::Partial),
        (vec![StubDeny, StubAllow], Rollup::Failed),
        (vec![Pending, Pending], Rollup::Pending),
        (vec![Running, Pending], Rollup::Partial),
        (vec![Rejected, Absent], Rollup::Failed),
        (vec![StubDeny, Pending, Unknown], Rollup::Failed),
        (vec![Running, Absent], Rollup::Partial),
        (vec![Running, Leftover, NotApplicable, Unexpected], Rollup::Ready),
        (vec![Leftover, NotApplicable], Rollup::Unmatched),
        (vec![Unknown], Rollup::Unknown),
        (vec![Running, Unknown], Rollup::Unknown),
        (vec![Running, Unverified], Rollup::Unknown),
        (vec![Unverified], Rollup::Unknown),
        (vec![Outdated], Rollup::Partial),
        (vec![VmFailed, Removed], Rollup::Failed),
        (vec![VmFailed, Running], Rollup::Partial),
        (vec![Running, Outdated], Rollup::Partial),
    ] {
        assert_eq!(roll_up(&states), expected, "{states:?}");
    }
}

#[test]
fn reasons_are_data_before_they_are_words() {
    let world = snapshot(&[plugin("n", json!({"selector": {"matchLabels": {"app": "a"}}})), pod("n", json!({"app": "b"}), "sidecar")]);
    let decision =
        attachment::attach(world.objects.plugins.values().next().unwrap(), world.objects.pods.values().next().unwrap(), &world.objects);
    let Reason::LabelsDiffer(_, differences) = decision.reason else { panic!("labels differ") };
    assert_eq!((differences[0].key.as_str(), differences[0].has.as_deref()), ("app", Some("b")));
}

#[test]
fn what_is_lacking_of_a_kind_is_told_by_what_lacks() {
    let one = |verb: &str, namespace: Option<&str>| {
        let place = namespace.map_or("all namespaces".to_owned(), |namespace| format!("namespace {namespace}"));
        Unread {
            kind: Some(Kind::Pod),
            namespace: namespace.map(str::to_owned),
            what: format!("pods in {place}"),
            why: format!("{verb} on pods in {place} is forbidden"),
            fix: "grant list and watch on pods".to_owned(),
            listed: verb == "watch",
        }
    };
    let list_in = |part: &str| format!("list on pods in {part} is forbidden");
    let watch_in = |part: &str| format!("watch on pods in {part} is forbidden");
    for (unread, expected) in [
        (vec![one("list", Some("a")), one("watch", Some("b"))], vec![list_in("namespace a"), watch_in("namespace b")]),
        (vec![one("watch", Some("a")), one("list", Some("a"))], vec![list_in("namespace a"), watch_in("namespace a")]),
        (
            vec![one("list", None), one("list", Some("b")), one("list", Some("a")), one("list", Some("b"))],
            vec![format!("{}, and so it is in namespace a, in namespace b", list_in("all namespaces"))],
        ),
    ] {
        let mut collector = Collector::default();
        unread.into_iter().for_each(|unread| drop(collector.apply(Update::Unread(unread))));
        let told = |collector: &Collector| collector.snapshot(Default::default()).warnings.into_iter().map(|warning| warning.what);
        assert_eq!(told(&collector).collect::<Vec<_>>(), expected);
        collector.apply(Update::Listed { kind: Kind::Pod, namespace: Some("a".to_owned()), objects: vec![] });
        assert!(collector.unread().iter().all(|unread| unread.namespace.as_deref() != Some("a")), "it was read after all");
    }
}
