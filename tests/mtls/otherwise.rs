//! What mutual TLS does not decide: clients without a proxy by name, and requests that fail though mutual TLS fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use meshscope::analysis::answers;
use meshscope::ingest::config_dump;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::logs::LogTime;
use meshscope::model::requests::{Cause, Destination, Failed, FailedReason, Requests};
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::vitals::Vitals;
use serde_json::{Value, json};

use super::mesh::{Object, bare_pod, entry, pod, policy, service, snapshot, warned};

fn at(mut object: Object, ip: &str) -> Object {
    object.1["status"]["podIPs"] = json!([{"ip": ip}]);
    object
}

/// Connections from an address that no filter chain of the port 8080 took.
fn refused(address: &str, count: u64) -> Failed {
    let to = Destination { inbound: true, name: "8080".to_owned() };
    let reason = FailedReason { to, client: address.to_owned(), ..FailedReason::default() };
    let last = Some(LogTime::from(1_764_547_200_000_000_000_i64));
    let (method, upstream) = (String::new(), String::new());
    Failed {
        reason,
        cause: Cause::NoChain,
        count,
        first: last,
        last,
        method,
        paths: vec![],
        clients: vec![],
        upstream,
        rejected: false,
        passed: 0,
        between: 0,
    }
}

/// The mesh with an access log of the server's proxy.
fn with_log(objects: &[Object], failed: Vec<Failed>) -> Snapshot {
    let text = json!({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump"}]}).to_string();
    let dump = config_dump::parse(text.as_bytes(), DumpView::Proxy, "dump").unwrap().dump;
    let requests = Requests { count: 9, failed, ..Requests::default() };
    let vitals = Some(Vitals { requests: Some(requests), ..Vitals::default() });
    let loaded = LoadedDump { dump, way: "file", took_ms: 0, read_at: None, vitals, serial: 1, warnings: Vec::new(), cut_short: None };
    let dumps: BTreeMap<ProxyId, Dump> = [(ProxyId::new("w", "n"), Dump::Loaded(Arc::new(loaded)))].into();
    Snapshot { dumps, ..snapshot(objects) }
}

#[test]
fn clients_without_a_proxy_are_named_where_the_access_log_has_them() {
    let objects = [
        pod("n", "w"),
        at(bare_pod("legacy", "cron", json!({"app": "cron"}), &[]), "10.0.0.7"),
        at(pod("n", "client"), "10.0.0.8"),
        service(80, 8080, "http"),
        policy("n/default", 1, "", "STRICT", Value::Null),
    ];
    let of = |failed: Vec<Failed>| {
        let answer = answers::mtls(&with_log(&objects, failed), &[ProxyId::new("w", "n")]);
        answer.workloads[0].services[0].clients.iter().find(|client| !client.proxy).unwrap().clone()
    };
    let client = of(vec![refused("10.0.0.7", 2), refused("10.0.0.8", 1), refused("10.0.0.9", 1)]);
    let named: Vec<(&str, Option<&str>, u64)> =
        client.refused.iter().flatten().map(|it| (it.address.as_str(), it.pod.as_deref(), it.connections)).collect();
    assert_eq!(named, [("10.0.0.7", Some("cron.legacy"), 2), ("10.0.0.9", None, 1)], "one with a proxy is none of them");
    let said = client.sentence();
    let expected = "; 2 connections of 10.0.0.7 = legacy/cron (no proxy) closed, the last at 00:00:00 UTC, 1 connection of 10.0.0.9 (no pod has this address now) closed";
    assert!(said.contains(expected), "{said}");
    assert_eq!((of(Vec::new()).refused, of(Vec::new()).refused_note), (Some(Vec::new()), None));
    // Without a log nothing is known.
    let unknown = entry(&objects).services[0].clients.iter().find(|client| !client.proxy).unwrap().clone();
    assert!(unknown.refused.is_none() && unknown.sentence().ends_with("no access log of the workload was read"), "{}", unknown.sentence());
}

fn route(destination: Value) -> Object {
    let spec = json!({"hosts": ["w"], "http": [{"route": [{"destination": destination}]}]});
    (Kind::VirtualService, json!({"metadata": {"namespace": "n", "name": "web"}, "spec": spec}))
}

#[test]
fn incident_d17_a_route_that_leads_nowhere_is_said_where_mutual_tls_fits() {
    let said = |destination: Value| {
        let mut mesh = snapshot(&[pod("n", "w"), pod("n", "client"), service(80, 8080, "http"), route(destination)]);
        // All kinds were read.
        mesh.absent.clear();
        let answer = answers::mtls(&mesh, &[ProxyId::new("w", "n")]);
        let entry = &answer.workloads[0];
        assert!(entry.services[0].clients.iter().all(|client| client.word() == "fits"));
        assert!(entry.compared.is_some_and(|compared| compared.contains("Not compared: routes")));
        let own = answer.warnings.into_iter().filter(|warning| warning.object.starts_with("VirtualService"));
        own.map(|warning| format!("{}: {}", warning.object, warning.what)).collect::<Vec<_>>()
    };
    let whatever = "a request that it sends there fails with 503, whatever its mutual TLS is";
    for (destination, words) in [
        (json!({"host": "w", "subset": "v2"}), "routes to subset v2, which no DestinationRule defines"),
        (json!({"host": "w", "port": {"number": 81}}), "routes to port 81 of w.n.svc.cluster.local, which has no such port"),
    ] {
        assert_eq!(said(destination), [format!("VirtualService n/web: {words}: {whatever}")]);
    }
    assert_eq!(said(json!({"host": "w"})), Vec::<String>::new());
}

#[test]
fn pods_that_take_no_requests_are_said_where_mutual_tls_fits() {
    let mut unready = pod("n", "w");
    unready.1["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]);
    let said = warned(&[unready.clone(), service(80, 8080, "http")]);
    let not_ready = "Pod n/w: its pod is not ready (ContainersNotReady), ";
    assert_eq!(said, [format!("{not_ready}so Service n/w has no endpoint here: requests fail, whatever its mutual TLS is")]);
    assert_eq!(warned(std::slice::from_ref(&unready)), Vec::<String>::new(), "no service leads to it");
    let mut publishing = service(80, 8080, "http");
    publishing.1["spec"]["publishNotReadyAddresses"] = json!(true);
    assert_eq!(
        warned(&[unready.clone(), publishing]),
        [format!(
            "{not_ready}and Service n/w leads there all the same (publishNotReadyAddresses): requests fail where it does not answer yet, \
             whatever its mutual TLS is"
        )]
    );
    assert_eq!(warned(&[pod("n", "w"), service(80, 8080, "http")]), Vec::<String>::new());
}

#[test]
fn pods_without_the_proxy_that_others_of_the_workload_have_are_counted() {
    let owned = |name: &str, role: &[&str]| {
        let mut pod = bare_pod("n", name, json!({"app": "w", "security.istio.io/tlsMode": "istio"}), role);
        pod.1["metadata"]["ownerReferences"] = json!([{"kind": "StatefulSet", "name": "w", "controller": true}]);
        pod
    };
    let said = |others: &[Object]| warned(&[&[owned("w", &["sidecar"]), service(80, 8080, "http")], others].concat());
    assert_eq!(said(&[owned("w-1", &["sidecar"])]), Vec::<String>::new());
    let all = [owned("w-1", &["sidecar"]), owned("w-2", &[]), owned("w-3", &[])];
    let ids: Vec<ProxyId> = ["w", "w-1", "w-2", "w-3"].map(|name| ProxyId::new(name, "n")).to_vec();
    let objects = [&[owned("w", &["sidecar"]), service(80, 8080, "http")], &all[..]].concat();
    let warnings = answers::mtls(&snapshot(&objects), &ids).warnings;
    let counted: Vec<&str> = warnings.iter().filter(|it| it.object == "StatefulSet n/w").map(|it| it.what.as_str()).collect();
    assert_eq!(
        counted,
        [
            "2 of its 4 pods have no proxy (w-2.n, w-3.n): no mode holds there, they take what comes and send plain text; this answer is about \
          the others"
        ]
    );
}
