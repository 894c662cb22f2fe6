//! Incidents that were put on a real mesh, each with the cause that is named: certificates, hosts that are gone, a gateway's listener, a patch
//! that Envoy rejects, a module that is fetched again.

use std::sync::Arc;

use meshscope::analysis::findings::{Finding, Severity};
use meshscope::model::ids::ProxyId;
use meshscope::model::snapshot::Snapshot;
use meshscope::model::sync::{CLUSTERS, EXTENSIONS, LISTENERS, ROUTES, SyncState};
use serde_json::{Value, json};

use super::proxies::{beside, refusing};
use super::recorded::{HTTPBIN, Mesh, SLEEP, object};
use super::removed::{envoy_filter, patch};
use super::requests::{failing, fails, istio, log, peers, refused, sent};
use super::{found, of, one};

const POD: &str = "Pod default/httpbin-664956bb75-9d64m";
const SECURE: &str = "outbound|8080||secure.example";

/// What requests of sleep to this cluster fail by, each a line of its access log.
fn to(cluster: &str, objects: impl IntoIterator<Item = Value>, line: &str) -> Vec<Finding> {
    let host = cluster.rsplit('|').next().unwrap();
    // The connection went to no address that a service of the recording has.
    let line = line.replace("httpbin:8000", &format!("{host}:8080")).replace("10.96.90.99:8000", "240.1.1.1:8080");
    fails(&failing(objects, &[(SLEEP, vec![line])]))
}

/// The line of a request whose client does not accept the certificate.
fn not_accepted(why: &str) -> String {
    let failed = format!(
        "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_X509_verify_cert:_certificate_verification_error_at_depth_0:_{why}:TLS_error_end"
    );
    let details = "upstream_reset_before_response_started{remote_connection_failure|TLS_error:_x}";
    sent(503, "URX,UF", details, SECURE).replace(" - \"-\" 0 19", &format!(" - \"{failed}\" 0 19"))
}

#[test]
fn a_certificate_that_the_client_does_not_accept() {
    let ports = json!([{"number": 8080, "name": "http", "protocol": "HTTP", "targetPort": 8443}]);
    let entry = istio(
        "ServiceEntry",
        "default/secure",
        json!({"hosts": ["secure.example"], "addresses": ["240.1.1.1"], "ports": ports,
        "location": "MESH_EXTERNAL", "resolution": "STATIC", "endpoints": [{"address": "10.244.0.200"}]}),
    );
    let tls = json!({"mode": "SIMPLE", "sni": "secure.example"});
    let rule = istio("DestinationRule", "default/secure", json!({"host": "secure.example", "trafficPolicy": {"tls": tls}}));
    for (why, fix) in [
        ("certificate_has_expired", "renew the certificate of the server behind ServiceEntry default/secure"),
        (
            "unable_to_get_local_issuer_certificate",
            "name the CA that signed the server's certificate in DestinationRule default/secure: caCertificates, or credentialName",
        ),
        (
            "self-signed_certificate",
            "name the CA that signed the server's certificate in DestinationRule default/secure: caCertificates, or credentialName",
        ),
        ("something_else", "see which TLS the server speaks on that port, and what the client's DestinationRule sets"),
    ] {
        let finding = one(to(SECURE, [entry.clone(), rule.clone()], &not_accepted(why)), Severity::Error, "DestinationRule default/secure");
        let said = format!("certificate verification error at depth 0: {}.", why.replace('_', " "));
        assert!(finding.what.ends_with(&format!("(DestinationRule default/secure sets tls): {said}")), "{finding:?}");
        assert_eq!(finding.fix, fix);
    }
}

#[test]
fn requests_to_a_host_that_no_service_has_any_more_are_past() {
    let upstream = |how: &str| format!("upstream_reset_before_response_started{{{how}}}");
    for line in [
        not_accepted("certificate_has_expired"),
        sent(503, "URX,UF", &upstream("connection_failure"), SECURE),
        sent(503, "UC", &upstream("connection_termination"), SECURE),
        sent(504, "UT", "upstream_response_timeout", SECURE),
    ] {
        let finding = one(to(SECURE, [], &line), Severity::Information, "Deployment default/sleep");
        assert!(
            finding.what.contains(" failed until 00:00:01 UTC (")
                && finding.what.ends_with("; no Service or ServiceEntry has this host now."),
            "{finding:?}"
        );
    }
}

#[test]
fn a_gateway_whose_listener_lacks_its_secret() {
    let label = json!({"gateway.networking.k8s.io/gateway-name": "web"});
    let service = object("v1", "Service", "default/web-istio", json!({"selector": label, "ports": [{"name": "https", "port": 443}]}));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "default", "name": "web-1", "labels": label},
        "spec": {"containers": [{"name": "istio-proxy"}]}, "status": {"phase": "Running", "podIPs": [{"ip": "10.244.0.77"}]}});
    let listener = json!({"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"certificateRefs": [{"name": "missing"}]}});
    let mut gateway =
        object("gateway.networking.k8s.io/v1", "Gateway", "default/web", json!({"gatewayClassName": "istio", "listeners": [listener]}));
    let state = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "False", "reason": reason, "message": message});
    let conditions = [
        state("Programmed", "Invalid", "Bad TLS configuration"),
        state("ResolvedRefs", "InvalidCertificateRef", "secret default/missing not found"),
    ];
    gateway["status"] = json!({"listeners": [{"name": "https", "conditions": conditions}]});
    let cluster = "outbound|443||web-istio.default.svc.cluster.local";
    let line = sent(503, "UF,URX", "upstream_reset_before_response_started{connection_failure}", cluster);
    let finding = one(to(cluster, [service, pod, gateway], &line), Severity::Error, "Gateway default/web");
    let said = "listener https of Gateway default/web is not programmed, so nothing listens on port 443: \
        InvalidCertificateRef: secret default/missing not found.";
    assert!(finding.what.ends_with(said), "{finding:?}");
}

#[test]
fn a_patch_that_envoy_rejects_names_its_envoy_filter() {
    let refused = beside("error_state", |sent| json!({"failed_configuration": sent["listener"], "details": "script load error"}));
    let inserts = patch("HTTP_FILTER", "INSERT_FIRST", json!({"name": "envoy.filters.network.http_connection_manager"}));
    let gate = envoy_filter("default/gate", json!({"app": "httpbin"}), inserts);
    let finding = one(found(&of(refused.with([gate])), "refused-push"), Severity::Error, POD);
    assert_eq!(finding.evidence[2], "EnvoyFilter that can patch it: default/gate");
    assert!(finding.fix.starts_with("see whether the reason is of what EnvoyFilter default/gate patches"), "{finding:?}");
}

#[test]
fn a_type_that_is_rejected_names_the_envoy_filters_that_patch_it() {
    let of_type = |url: &str, apply_to: &str, context: &str| {
        let patch = json!({"applyTo": apply_to, "match": {"context": context}, "patch": {"operation": "MERGE", "value": {}}});
        let filter = |name: &str, app: &str| envoy_filter(name, json!({"app": app}), patch.clone());
        let patched = Mesh::permissive().with([filter("default/bad", "httpbin"), filter("default/other", "sleep")]);
        one(found(&refusing(patched, url, "Error adding/updating: bad"), "refused-push"), Severity::Error, POD)
    };
    for (url, apply_to, context) in [
        (CLUSTERS, "CLUSTER", "ANY"),
        (CLUSTERS, "CLUSTER", "SIDECAR_INBOUND"),
        (ROUTES, "HTTP_ROUTE", "SIDECAR_OUTBOUND"),
        (LISTENERS, "LISTENER_FILTER", "SIDECAR_INBOUND"),
    ] {
        let finding = of_type(url, apply_to, context);
        assert_eq!(finding.evidence.last().unwrap(), "EnvoyFilter that can patch it: default/bad", "{apply_to}");
        assert!(finding.fix.starts_with("see whether the reason is of what EnvoyFilter default/bad patches"), "{finding:?}");
    }
    for (url, apply_to, context) in [(CLUSTERS, "HTTP_ROUTE", "ANY"), (ROUTES, "CLUSTER", "ANY"), (CLUSTERS, "CLUSTER", "GATEWAY")] {
        let finding = of_type(url, apply_to, context);
        assert!(!finding.evidence.iter().any(|line| line.contains("EnvoyFilter")), "{finding:?}");
    }
}

/// What istiod sent the proxy with the stub last of ECDS, so many seconds before it last sent anything, and that was not answered.
fn unanswered(seconds: i64) -> Snapshot {
    let mut snapshot = of(Mesh::of("fetch-failed-closed"));
    let stubbed: ProxyId = found(&snapshot, "stub-in-place")[0].proxies[0].clone();
    let Some(Ok(sync)) = &mut snapshot.sync else { panic!("the recording has it") };
    let sync = Arc::make_mut(sync);
    let newest = sync.clients().flat_map(|(_, client)| client.types.values().filter_map(|status| status.sent)).max().unwrap();
    let client = sync.istiods[0].clients.iter_mut().find(|client| client.proxy == stubbed).unwrap();
    let ecds = client.types.get_mut(EXTENSIONS).unwrap();
    (ecds.state, ecds.sent) = (SyncState::Stale, Some(newest - seconds * 1_000_000_000));
    snapshot
}

#[test]
fn a_module_that_is_fetched_again_is_one_finding_with_its_stub() {
    assert_eq!(found(&unanswered(20), "stale-proxy"), []);
    assert_eq!(found(&unanswered(90), "stale-proxy").len(), 1, "a fetch ends sooner");
}

/// The address of a proxy's pod.
fn ip(proxy: &str) -> String {
    of(Mesh::permissive()).objects.pods[&ProxyId::parse(proxy).unwrap()].ips[0].clone()
}

/// A connection of sleep to the address of httpbin that its proxy passed on as it came, and that the server closed.
fn passed_on() -> String {
    let snapshot = of(Mesh::permissive());
    let httpbin = snapshot.objects.services.values().find(|service| service.name.name == "httpbin").unwrap();
    let address = format!("{}:8000", httpbin.addresses[0]);
    format!(
        r#"[2026-12-01T00:00:01.000Z] "- - -" 0 UR - - "-" 87 0 0 - "-" "-" "-" "-" "{address}" PassthroughCluster 10.244.0.5:38642 {address} 10.244.0.5:38638 - -"#
    )
}

#[test]
fn a_sidecar_whose_egress_is_for_another_port() {
    let egress = |port: u16, protocol: &str| {
        let port = json!({"number": port, "protocol": protocol, "name": "own"});
        let spec =
            json!({"workloadSelector": {"labels": {"app": "sleep"}}, "egress": [{"port": port, "hosts": ["./*", "istio-system/*"]}]});
        istio("Sidecar", "default/own", spec)
    };
    let finds = |sidecar: Option<Value>| {
        let objects = sidecar.into_iter().chain([peers("STRICT")]);
        let snapshot = failing(objects, &[(SLEEP, vec![passed_on(); 3]), (HTTPBIN, vec![refused(&ip(SLEEP))])]);
        (found(&snapshot, "mtls-mismatch"), fails(&snapshot), found(&snapshot, "connections-refused"))
    };
    let (mismatch, fails, refused) = finds(Some(egress(9999, "HTTP")));
    let [finding, ..] = &mismatch[..] else { panic!("{mismatch:?}") };
    assert_eq!((finding.severity, finding.object.to_string().as_str()), (Severity::Error, "Service default/httpbin"), "{finding:?}");
    assert!(finding.evidence[0].contains("Sidecar default/own does not import httpbin.default"), "{finding:?}");
    assert_eq!((fails, refused), (vec![], vec![]), "one cause is one finding");
    // The port of the service, that of an HTTP proxy, and no Sidecar at all.
    for sidecar in [Some(egress(8000, "HTTP")), Some(egress(9999, "HTTP_PROXY")), None] {
        let (mismatch, fails, _) = finds(sidecar);
        assert!(mismatch.iter().all(|finding| finding.object.name != "httpbin"), "{mismatch:?}");
        let finding = one(fails, Severity::Information, "Service default/httpbin");
        assert!(
            finding.what.ends_with("; PassthroughCluster took them, and the client's proxy knows Service default/httpbin now."),
            "{finding:?}"
        );
    }
}

#[test]
fn a_client_whose_annotation_keeps_a_port_from_its_proxy() {
    let excluding = |ports: &str| {
        let ports = ports.to_owned();
        let mesh = Mesh::permissive().with([peers("STRICT")]).change("k8s/pods.json", move |list| {
            for pod in list["items"].as_array_mut().unwrap().iter_mut().filter(|pod| pod["metadata"]["labels"]["app"] == "sleep") {
                pod["metadata"]["annotations"]["traffic.sidecar.istio.io/excludeOutboundPorts"] = json!(ports);
            }
        });
        let mut snapshot = of(mesh);
        log(&mut snapshot, &[(HTTPBIN, vec![refused(&ip(SLEEP))])]);
        (found(&snapshot, "mtls-mismatch"), found(&snapshot, "connections-refused"))
    };
    let (mismatch, refused) = excluding("9000, 8000");
    let finding = one(mismatch, Severity::Error, "Service default/httpbin");
    let said = "Clients of Service default/httpbin send plain text, which Deployment default/httpbin does not take, since annotation \
        excludeOutboundPorts (\"9000, 8000\") keeps port 8000 from the client's proxy: 1 client workload fails, deploy/sleep in default.";
    assert_eq!(finding.what, said);
    assert!(finding.evidence.iter().any(|line| line.starts_with("access log of deploy/httpbin: connections to port 80")), "{finding:?}");
    assert!(finding.fix.starts_with("take port 8000 out of excludeOutboundPorts"), "{finding:?}");
    assert_eq!(refused, [], "one cause is one finding");
    let (mismatch, refused) = excluding("9000");
    assert_eq!(mismatch, []);
    one(refused, Severity::Information, "Deployment default/httpbin");
}

#[test]
fn the_recording_of_a_sound_mesh_has_none_of_them() {
    let snapshot = of(Mesh::permissive());
    for code in ["refused-push", "stale-proxy", "requests-fail"] {
        assert_eq!(found(&snapshot, code), [], "{code} {HTTPBIN}");
    }
}
