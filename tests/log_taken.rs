//! From a request's line to the listener and the chain that took its connection, over the proxies of recordings.
#![allow(clippy::unwrap_used)]

#[path = "prediction/mesh.rs"]
#[allow(dead_code, reason = "a part is used")]
mod mesh;
mod support;

use mesh::Mesh;
use meshscope::analysis::answers::{Taken, taken};
use meshscope::analysis::placement;
use meshscope::model::envoy::{FilterChain, Listener, ListenerState};
use meshscope::model::ids::ProxyId;
use meshscope::model::logs::{LogKind, LogRecord};
use meshscope::model::snapshot::Snapshot;

const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";
const VERSION: &str = "1.31-alpha.eed52ebb66ad";

fn snapshot(recording: &str) -> Snapshot {
    Mesh::of(recording).snapshot(&[("istiod", VERSION)])
}

/// A line of the default format, with what its connection had.
fn line(request: &str, cluster: &str, local: &str, sni: &str) -> String {
    let (request, code) = if request.is_empty() { ("- - -", 0) } else { (request, 200) };
    format!(
        "[2026-11-23T19:42:30.054Z] \"{request}\" {code} - via_upstream - \"-\" 0 0 3 1 \"-\" \"curl\" \"id\" \"a\" \"10.9.0.1:80\" {cluster} \
         10.9.0.2:5 {local} 10.244.0.7:37002 {sni} default"
    )
}

fn listener<'s>(snapshot: &'s Snapshot, proxy: &str, taken: &Taken) -> &'s Listener {
    let dump = &snapshot.dump(&ProxyId::parse(proxy).unwrap()).unwrap().dump;
    dump.listeners.iter().find(|listener| listener.name == taken.listener && listener.state == ListenerState::Active).unwrap()
}

/// `listener / what the chain's match and destination are`.
fn shown(snapshot: &Snapshot, proxy: &str, record: &LogRecord) -> String {
    let Some(found) = taken(snapshot, &ProxyId::parse(proxy).unwrap(), record) else { return "none".to_owned() };
    let listener = listener(snapshot, proxy, &found);
    let words = |chain: &FilterChain| {
        let http = if chain.http_filters.is_some() { "http" } else { "tcp" };
        format!("{} {http} {}", chain.matches.transport_protocol, placement::destination(chain)).trim().to_owned()
    };
    format!("{} / {}", found.listener, found.chain.map_or("any".to_owned(), |chain| words(&listener.chains[chain])))
}

#[test]
fn the_address_leads_to_the_listener_and_envoys_choice_to_the_chain() {
    let snapshot = snapshot("permissive");
    let mesh = "outbound_.8000_._.httpbin.default.svc.cluster.local";
    let get = "GET /headers HTTP/1.1";
    for (request, cluster, local, sni, expected) in [
        // To the workload: the port is the container's, and the server name tells mTLS from plain text.
        (get, "inbound|80||", "10.244.0.4:80", mesh, "virtualInbound / tls http inbound|80||"),
        (get, "inbound|80||", "10.244.0.4:80", "-", "virtualInbound / raw_buffer http inbound|80||"),
        (get, "InboundPassthroughCluster", "10.244.0.4:9000", mesh, "virtualInbound / tls http InboundPassthroughCluster"),
        ("GET / HTTP/2", "InboundPassthroughCluster", "10.244.0.4:9000", "-", "virtualInbound / raw_buffer http InboundPassthroughCluster"),
        ("", "InboundPassthroughCluster", "10.244.0.4:9000", "-", "virtualInbound / raw_buffer tcp InboundPassthroughCluster"),
        ("", "InboundPassthroughCluster", "10.244.0.4:9000", mesh, "virtualInbound / tls tcp InboundPassthroughCluster"),
        ("", "InboundPassthroughCluster", "10.244.0.4:9000", "api.example.com", "virtualInbound / tls tcp InboundPassthroughCluster"),
        // From the workload: a listener of the address goes before that of the port, and both before the one that catches all.
        (get, "outbound|8000||httpbin.default.svc.cluster.local", "10.96.33.57:8000", "-", "0.0.0.0_8000 / raw_buffer http 8000"),
        (
            "",
            "outbound|443||kubernetes.default.svc.cluster.local",
            "10.96.0.1:443",
            "kubernetes",
            "10.96.0.1_443 / tcp outbound|443||kubernetes.default.svc.cluster.local",
        ),
        ("", "PassthroughCluster", "93.184.216.34:443", "example.com", "virtualOutbound / tcp PassthroughCluster"),
        // The cluster alone would lead to the wrong listener: a route of the port's listener lets it pass.
        (get, "PassthroughCluster", "93.184.216.34:80", "-", "0.0.0.0_80 / raw_buffer http 80"),
        ("", "PassthroughCluster", "93.184.216.34:80", "-", "0.0.0.0_80 / tcp PassthroughCluster"),
        // No cluster was found for it: its own address tells the way.
        (get, "-", "10.244.0.4:80", mesh, "virtualInbound / tls http inbound|80||"),
        (get, "-", "10.96.33.57:8000", "-", "0.0.0.0_8000 / raw_buffer http 8000"),
        // Formats without the address, and addresses that are none.
        (get, "inbound|80||", "-", mesh, "none"),
        (get, "inbound|80||", "envoy://internal_client_address/", mesh, "none"),
    ] {
        let record = support::logs::record(&line(request, cluster, local, sni), &support::logs::proxy(HTTPBIN));
        assert_eq!(shown(&snapshot, HTTPBIN, &record), expected, "{request} {cluster} {local} {sni}");
    }
}

#[test]
fn at_a_gateway_it_is_the_listener_of_the_port_that_the_client_meant() {
    let snapshot = snapshot("gateway");
    let web = "web-istio-759658cb64-mqgvm.default";
    let pod = &snapshot.objects.pods[&ProxyId::parse(web).unwrap()];
    for (port, expected) in [(80, "0.0.0.0_80 / http http.80"), (8081, "0.0.0.0_8081 / http http.8081"), (9, "none")] {
        let local = format!("{}:{port}", pod.ips[0]);
        let text = line("GET / HTTP/1.1", "outbound|8000||httpbin.default.svc.cluster.local", &local, "-");
        assert_eq!(shown(&snapshot, web, &support::logs::record(&text, &support::logs::proxy(web))), expected, "{local}");
    }
}

#[test]
fn every_request_of_the_recordings_leads_to_a_chain_that_speaks_http() {
    let mut requests = 0;
    for name in support::MESHES {
        let snapshot = snapshot(name);
        for (origin, text) in support::logs::of_recording(name) {
            let records = support::logs::records(&text, &origin);
            for record in records.iter().filter(|record| record.kind == LogKind::Access) {
                let found = shown(&snapshot, &origin.pod.to_string(), record);
                let inbound = record.message.contains(" inbound|80|| ");
                // Where mTLS was switched off since, the chain that took it is gone, and the one to the same cluster is shown.
                let tls = if name != "disable" && record.message.contains(" outbound_.8000_._") { "tls" } else { "raw_buffer" };
                let expected = if inbound {
                    format!("virtualInbound / {tls} http inbound|80||")
                } else {
                    "0.0.0.0_8000 / raw_buffer http 8000".to_owned()
                };
                assert_eq!(found, expected, "{name}: {}", record.raw);
                requests += 1;
            }
        }
    }
    assert!(requests >= 12, "{requests}");
}
