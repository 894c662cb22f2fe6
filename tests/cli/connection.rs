//! `chains --connection`: which chain of recorded proxies takes a connection.

use serde_json::{Value, json};

use super::fails;
use super::support::{json as answer_of, meshscope, recording};

/// The answer for one proxy of a recording.
fn ask(recorded: &str, workload: &str, connection: &str) -> Value {
    let path = recording(recorded);
    let mut answer = answer_of(&["chains", workload, "--connection", connection, "--from", path.to_str().unwrap()]);
    let proxies = answer["proxies"].as_array_mut().unwrap();
    assert_eq!(proxies.len(), 1, "{recorded} {workload}");
    proxies.remove(0)
}

/// The outcome and the chain's place, or null.
fn taken(recorded: &str, workload: &str, connection: &str) -> (String, Value) {
    let answer = ask(recorded, workload, connection);
    (answer["outcome"].as_str().unwrap().to_owned(), answer["chain"]["place"].clone())
}

#[test]
fn each_mode_takes_what_it_should() {
    let closed = |mode: &str, connection: &str| {
        assert_eq!(taken(mode, "deploy/httpbin", connection), ("closed".to_owned(), Value::Null), "{mode} {connection}")
    };
    let chain = |mode: &str, connection: &str, place: usize| {
        assert_eq!(taken(mode, "deploy/httpbin", connection), ("chain".to_owned(), json!(place)), "{mode} {connection}");
    };
    chain("permissive", "port=80,tls=mesh", 6);
    chain("permissive", "port=80,tls=mesh,alpn=istio", 6);
    chain("permissive", "port=80,tls=mesh,http=none", 6);
    chain("permissive", "port=80", 7);
    chain("permissive", "port=80,http=none", 7);
    // Port 80 was chosen first, and its chain for TLS wants the mesh's ALPN.
    closed("permissive", "port=80,tls=foreign");
    for (connection, place) in [
        ("port=9999,tls=mesh", 1),
        ("port=9999,tls=mesh,http=2", 1),
        ("port=9999", 2),
        ("port=9999,http=2", 2),
        ("port=9999,tls=mesh,http=none", 3),
        ("port=9999,http=none", 4),
        // The chain of 1.31 names http/1.1 and h2c.
        ("port=9999,http=1.0", 4),
        ("port=9999,tls=foreign,http=2", 5),
        ("port=15006", 0),
    ] {
        chain("permissive", connection, place);
    }
    chain("strict", "port=80,tls=mesh", 3);
    chain("strict", "port=80,tls=foreign", 3);
    chain("strict", "port=9999,tls=mesh", 1);
    chain("strict", "port=9999,tls=foreign", 2);
    closed("strict", "port=80");
    closed("strict", "port=9999");
    chain("disable", "port=80", 3);
    // Without a TLS inspector TLS bytes are bytes.
    chain("disable", "port=80,tls=mesh", 3);
    chain("disable", "port=9999,tls=foreign", 2);
    chain("disable", "port=9999", 1);
}

#[test]
fn the_answer_says_why_and_what_comes_of_it() {
    let answer = ask("permissive", "deploy/httpbin", "port=80,tls=foreign");
    assert_eq!(
        answer["why"],
        "No filter chain matches; Envoy closes the connection. Chain 5 would match, but the chains for destination port 80 were chosen \
         before, and Envoy does not go back."
    );
    let losers: Vec<(u64, &str)> = answer["losers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|loser| (loser["place"].as_u64().unwrap(), loser["lostAt"].as_str().unwrap()))
        .collect();
    assert_eq!(
        losers,
        [
            (0, "destinationPort"),
            (1, "destinationPort"),
            (2, "destinationPort"),
            (3, "destinationPort"),
            (4, "destinationPort"),
            (5, "destinationPort"),
            (6, "applicationProtocol"),
            (7, "transportProtocol")
        ]
    );
    assert_eq!(answer["losers"][6]["meaning"], "mTLS from the mesh to port 80");
    assert_eq!(
        answer["listener"],
        json!({"name": "virtualInbound", "port": 15006, "direction": "inbound", "why": "all that comes to the pod is redirected to it"})
    );
    let strict = ask("strict", "deploy/httpbin", "port=80,tls=foreign");
    assert!(strict["consequence"].as_str().unwrap().contains("client certificate of the mesh"), "{strict}");
    let disabled = ask("disable", "deploy/httpbin", "port=80,tls=mesh");
    assert_eq!(disabled["seen"]["transportProtocol"], "raw_buffer");
    assert!(disabled["seen"]["unseen"][0].as_str().unwrap().contains("no TLS inspector runs here"), "{disabled}");
    assert!(disabled["consequence"].as_str().unwrap().contains("does not terminate TLS"), "{disabled}");
    let mesh = ask("permissive", "deploy/httpbin", "port=80,tls=mesh,source=10.244.0.9:4000,sni=outbound_.8000_._.httpbin");
    assert_eq!(mesh["plugins"], json!(["default/helloworld"]));
    assert_eq!(mesh["consequence"], Value::Null);
    assert_eq!(
        mesh["connection"],
        json!({"direction": "inbound", "port": 80, "address": "10.244.0.4", "tls": "mesh", "http": "1.1", "alpn": ["istio-http/1.1", "istio", "http/1.1"],
            "sni": "outbound_.8000_._.httpbin", "source": "10.244.0.9", "sourcePort": 4000, "assumed": [
                "HTTP/1.1 is spoken, as http= was not given",
                "ALPN istio-http/1.1, istio, http/1.1: what a sidecar offers for this, as alpn= was not given",
                "inbound, as direction= was not given",
                "to 10.244.0.4, the proxy's only address, as address= was not given"]})
    );
}

#[test]
fn what_leaves_a_pod_goes_to_the_listener_of_its_destination() {
    let sleep = |connection: &str| ask("permissive", "deploy/sleep", connection);
    let http = sleep("port=8000,direction=outbound");
    assert_eq!(
        (&http["listener"]["name"], &http["outcome"], &http["chain"]["place"]),
        (&json!("0.0.0.0_8000"), &json!("chain"), &json!(0))
    );
    let tcp = sleep("port=8000,direction=outbound,http=none");
    assert_eq!((&tcp["outcome"], &tcp["chain"]["kind"]), (&json!("default"), &json!("default")));
    let kubernetes = sleep("port=443,direction=outbound,tls=foreign,address=10.96.0.1");
    assert_eq!((&kubernetes["listener"]["name"], &kubernetes["chain"]["place"]), (&json!("10.96.0.1_443"), &json!(0)));
    let unsaid = sleep("port=443,direction=outbound,tls=foreign");
    assert_eq!((&unsaid["outcome"], &unsaid["listener"]), (&json!("unknown"), &Value::Null));
    assert!(unsaid["why"].as_str().unwrap().contains("port 443 has 10.96.0.1_443, 10.96.197.71_443; say address=IP"), "{unsaid}");
    let elsewhere = sleep("port=9999,direction=outbound");
    assert_eq!(
        (&elsewhere["listener"]["name"], &elsewhere["chain"]["destination"]),
        (&json!("virtualOutbound"), &json!("PassthroughCluster"))
    );
    let itself = sleep("port=15001,direction=outbound");
    assert_eq!(itself["chain"]["kind"], "blackhole");
}

#[test]
fn old_istio_has_a_passthrough_set_for_each_ip_family() {
    let ask = |connection: &str| ask("eras/1.12.0/permissive-dual", "httpbin-0.default", connection);
    let place = |connection: &str| ask(connection)["chain"]["place"].clone();
    assert_eq!(place("port=9999,tls=mesh,address=10.0.0.5"), 1);
    assert_eq!(place("port=9999,tls=mesh,address=fd00::5"), 6);
    assert_eq!(place("port=80,tls=mesh"), 11, "a declared port is for both families");
    let unsaid = ask("port=9999,tls=mesh");
    assert_eq!(unsaid["outcome"], "unknown");
    assert!(unsaid["why"].as_str().unwrap().contains("the destination address; say address=IP"), "{unsaid}");
    let lost = unsaid["losers"].as_array().unwrap().iter().map(|loser| loser["place"].as_u64().unwrap());
    assert!(lost.eq([0, 11, 12]), "those for other ports are lost for certain");
    // That istiod detects HTTP/1.0 too.
    assert_eq!(place("port=9999,http=1.0,address=10.0.0.5"), 2);
}

#[test]
fn a_gateway_takes_what_comes_to_its_ports() {
    for port in [80, 8081] {
        let answer = ask("gateway", "gateway/web", &format!("port={port}"));
        assert_eq!((&answer["listener"]["name"], &answer["chain"]["place"]), (&json!(format!("0.0.0.0_{port}")), &json!(0)));
        assert_eq!(answer["plugins"], json!(["default/web-header"]));
        assert_eq!(answer["connection"]["direction"], "gateway");
    }
    let none = ask("gateway", "gateway/web", "port=8000");
    assert_eq!((&none["outcome"], &none["listener"], &none["chain"]), (&json!("closed"), &Value::Null, &Value::Null));
    assert_eq!(none["why"], "No active listener of the gateway is for port 8000.");
}

#[test]
fn every_form_says_the_same() {
    let run = |form: &str, connection: &str| {
        let output = meshscope(&["chains", "deploy/httpbin", "--demo", "--connection", connection, "-o", form]);
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    for form in ["text", "markdown"] {
        let taken = run(form, "port=80,tls=mesh");
        for words in
            ["mTLS from the mesh to port 80", "default/helloworld", "wants destination port 15006; the connection has 80", "assumed: "]
        {
            assert!(taken.contains(words), "{form} {words}: {taken}");
        }
        assert!(run(form, "port=80,tls=foreign").contains("No chain takes it."), "{form}");
    }
}

#[test]
fn a_wrong_description_lists_what_is_possible() {
    let run = |connection: &str| meshscope(&["chains", "deploy/httpbin", "--demo", "--connection", connection]);
    fails(&run("tls=mesh"), 2, &["port= is missing", "port=PORT, address=IP, tls=none|mesh|foreign", "direction=inbound|outbound"]);
    fails(&run("port=80,tls=maybe"), 2, &["tls=maybe is not possible", "tls=none|mesh|foreign"]);
    fails(&run("port=80,colour=red"), 2, &["there is no colour=", "alpn=NAME+NAME"]);
    fails(&run("port=80,sni=a.b"), 2, &["tls= says that there is none"]);
    fails(&meshscope(&["chains", "--demo", "--connection", "port=80", "--port", "80"]), 2, &["--connection", "--port"]);
    fails(&meshscope(&["chains", "deploy/nope", "--demo", "--connection", "port=80"]), 2, &["there is deploy/httpbin"]);
}
