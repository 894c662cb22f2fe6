//! The three mutual TLS modes, on every level, with those that lose.

use serde_json::{Value, json};

use super::super::world::{is_lab, mesh};
use super::{HELLOWORLD, State, object, on};

fn policy(name: &str, spec: Value) -> Value {
    object("security.istio.io/v1", "PeerAuthentication", name, spec)
}

fn mode(name: &str, mode: &str) -> Value {
    policy(name, json!({"mtls": {"mode": mode}}))
}

/// N and the chains of httpbin, and the chains of sleep, in the inbound listener.
fn come_to(what: &str, manifests: Vec<Value>, n: usize, httpbin: usize, sleep: usize) {
    let numbers = [
        ("httpbin", "virtualInbound", HELLOWORLD, n),
        ("httpbin", "virtualInbound", "", httpbin),
        ("sleep", "virtualInbound", "", sleep),
        ("httpbin", "0.0.0.0_8000", HELLOWORLD, 1),
    ];
    State { what, manifests, numbers: &numbers, ..State::default() }.holds();
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_three_modes_on_the_level_of_the_mesh_and_the_namespace() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    come_to("PERMISSIVE, as nothing says otherwise", Vec::new(), 4, 8, 8);
    come_to("STRICT in the mesh", vec![mode("istio-system/e2e", "STRICT")], 2, 4, 4);
    come_to(
        "DISABLE in the namespace over STRICT in the mesh",
        vec![mode("istio-system/e2e", "STRICT"), mode("default/e2e", "DISABLE")],
        2,
        4,
        4,
    );
    come_to(
        "PERMISSIVE in the namespace over STRICT in the mesh",
        vec![mode("istio-system/e2e", "STRICT"), mode("default/e2e", "PERMISSIVE")],
        4,
        8,
        8,
    );
    come_to("an UNSET namespace under STRICT in the mesh", vec![mode("istio-system/e2e", "STRICT"), mode("default/e2e", "UNSET")], 2, 4, 4);
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_workloads_own_policy_and_those_that_lose() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let own = |name: &str, mode: &str| policy(name, json!({"selector": on("httpbin"), "mtls": {"mode": mode}}));
    let three = vec![mode("istio-system/e2e", "STRICT"), mode("default/e2e-namespace", "DISABLE"), own("default/e2e-own", "PERMISSIVE")];
    come_to("three levels, of which the workload's wins", three, 4, 8, 4);
    // Of one second the first by name wins, and the other is not merged in.
    come_to("two of one scope", vec![mode("default/e2e-z", "STRICT"), mode("default/e2e-a", "PERMISSIVE")], 4, 8, 8);
    come_to("a selector in the root namespace, which counts for nothing", vec![own("istio-system/e2e", "STRICT")], 4, 8, 8);
    come_to("a policy of another revision, which counts for nothing", vec![labelled(mode("default/e2e", "STRICT"))], 4, 8, 8);
    come_to(
        "a selector that misses",
        vec![policy("default/e2e", json!({"selector": on("httpbin-not"), "mtls": {"mode": "STRICT"}}))],
        4,
        8,
        8,
    );
}

fn labelled(mut object: Value) -> Value {
    object["metadata"]["labels"] = json!({"istio.io/rev": "e2e"});
    object
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn the_modes_of_single_ports_declared_and_not() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let ports = |workload: &str, ports: Value| {
        policy("default/e2e", json!({"selector": on("httpbin"), "mtls": {"mode": workload}, "portLevelMtls": ports}))
    };
    // 80 is declared, so it only changes its own set; the others have a passthrough set each.
    let declared = json!({"80": {"mode": "DISABLE"}});
    come_to("a declared port", vec![ports("PERMISSIVE", declared)], 3, 7, 8);
    let all = json!({"80": {"mode": "DISABLE"}, "9000": {"mode": "STRICT"}, "9001": {}, "9002": {"mode": "PERMISSIVE"}});
    come_to(
        "declared and undeclared ports under PERMISSIVE",
        vec![ports("PERMISSIVE", all.clone())],
        1 + 2 + 1 + 2 + 2,
        1 + 1 + 5 + 2 + 5 + 5,
        8,
    );
    come_to("the same under STRICT", vec![ports("STRICT", all)], 1 + 1 + 1 + 1 + 2, 1 + 1 + 2 + 2 + 2 + 5, 8);
    let unset = policy("default/e2e", json!({"selector": on("httpbin"), "portLevelMtls": {"80": {"mode": "STRICT"}}}));
    come_to("a port alone, under DISABLE in the namespace", vec![unset, mode("default/e2e-namespace", "DISABLE")], 1 + 1, 1 + 1 + 2, 4);
}
