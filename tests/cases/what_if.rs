//! What would be, under another mode or with a manifest: where plain `why` predicts nothing, this does neither.

use serde_json::{Value, json};

use super::inputs::Case;
use super::mesh::{HTTPBIN, Mesh, object};
use super::support;
use super::support::driver::Driver;

/// A file of manifests.
fn file(objects: &[Value]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifests.yaml");
    std::fs::write(&path, objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

/// What would be of `default/helloworld` in httpbin.
fn would(mesh: &Mesh, objects: &[Value], more: &[&str]) -> Value {
    let (_folder, path) = file(objects);
    let with = if objects.is_empty() { vec![] } else { vec!["--with", path.as_str()] };
    mesh.ask(&[&["why", "default/helloworld", HTTPBIN][..], &with, more].concat())
}

fn listener(answer: &Value, name: &str) -> Value {
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    listeners.iter().find(|listener| listener["listener"] == name).cloned().unwrap_or_default()
}

/// How often the plugin is in a listener, as things are and as they would be.
fn counts(answer: &Value, name: &str) -> (Value, Value) {
    let listener = listener(answer, name);
    (listener["before"].clone(), listener["after"].clone())
}

/// What was not understood of the manifests, or is not predicted.
fn warned(answer: &Value, object: &str) -> Vec<String> {
    let warnings = answer["warnings"].as_array().unwrap().iter();
    warnings.filter(|warning| warning["object"] == object).map(|warning| warning["what"].as_str().unwrap().to_owned()).collect()
}

fn envoy_filter(patch: Value) -> Value {
    object(
        "networking.istio.io/v1alpha3",
        "EnvoyFilter",
        "default/chain",
        json!({"workloadSelector": {"labels": {"app": "httpbin"}}, "configPatches": [patch]}),
    )
}

/// A patch that takes a chain away.
fn removing() -> Value {
    let chain = json!({"destinationPort": 80, "transportProtocol": "raw_buffer"});
    json!({"applyTo": "FILTER_CHAIN", "match": {"context": "SIDECAR_INBOUND", "listener": {"filterChain": chain}}, "patch": {"operation": "REMOVE"}})
}

fn sidecar() -> Value {
    let egress = json!([{"port": {"number": 8000, "protocol": "HTTP", "name": "http"}, "hosts": ["./*"]}, {"hosts": ["istio-system/*"]}]);
    object("networking.istio.io/v1", "Sidecar", "default/e", json!({"workloadSelector": {"labels": {"app": "httpbin"}}, "egress": egress}))
}

const PATCHED: &str = "EnvoyFilter default/chain may change its chains, so there is no prediction";
const EGRESS: &str = "Sidecar default/e declares egress listeners of its own, which are not predicted";

#[test]
fn live_l1_an_envoy_filter_of_the_file_takes_the_prediction_away() {
    let answer = would(&Mesh::permissive(), &[envoy_filter(removing())], &[]);
    let inbound = listener(&answer, "virtualInbound");
    assert_eq!(
        (&inbound["before"], &inbound["chainsBefore"], &inbound["after"], &inbound["chainsAfter"]),
        (&json!(4), &json!(8), &Value::Null, &Value::Null)
    );
    assert_eq!((&inbound["note"], &inbound["chains"]), (&json!(PATCHED), &json!([])), "{inbound}");
    assert_eq!(counts(&answer, "0.0.0.0_8000"), (json!(1), json!(1)), "no outbound listener is patched");
    let (_folder, path) = file(&[envoy_filter(removing())]);
    let text = Mesh::permissive().text(&["why", "default/helloworld", HTTPBIN, "--with", &path]);
    assert!(text.contains("virtualInbound: 4 -> not predicted") && text.contains(PATCHED), "{text}");
}

#[test]
fn live_l1_an_envoy_filter_of_the_mesh_takes_it_away_under_every_mode() {
    let mesh = Mesh::permissive().with([envoy_filter(removing())]);
    for mode in ["STRICT", "PERMISSIVE", "DISABLE"] {
        let answer = would(&mesh, &[], &["--mode", mode]);
        let inbound = listener(&answer, "virtualInbound");
        assert_eq!((&inbound["before"], &inbound["after"], &inbound["note"]), (&Value::Null, &Value::Null, &json!(PATCHED)), "{mode}");
    }
    let plain = mesh.why("virtualInbound");
    assert_eq!((&plain["predicted"], &plain["predictionNote"]), (&Value::Null, &json!(PATCHED)), "for the same reason");
}

#[test]
fn live_l1_egress_listeners_of_a_sidecar_are_not_predicted_and_none_is_said_to_go() {
    let with = would(&Mesh::permissive(), &[sidecar()], &[]);
    for name in ["0.0.0.0_8000", "0.0.0.0_80"] {
        let outbound = listener(&with, name);
        assert_eq!((&outbound["before"], &outbound["after"], &outbound["note"]), (&json!(1), &Value::Null, &json!(EGRESS)), "{outbound}");
    }
    assert_eq!(counts(&with, "virtualInbound"), (json!(4), json!(4)));
    // On the mesh already: nothing is predicted on either side, and what the proxy has is not left out.
    let mesh = Mesh::permissive().with([sidecar()]);
    let strict = would(&mesh, &[], &["--mode", "STRICT"]);
    let outbound = listener(&strict, "0.0.0.0_8000");
    assert_eq!((&outbound["before"], &outbound["after"], &outbound["note"]), (&Value::Null, &Value::Null, &json!(EGRESS)), "{strict}");
    assert_eq!(counts(&strict, "virtualInbound"), (json!(4), json!(2)), "what is predicted still is");
    // Without a dump there are no names to say it of, and it is said all the same.
    let unread = would(&mesh.without(&format!("proxies/{HTTPBIN}/config_dump.json")), &[], &["--mode", "STRICT"]);
    assert_eq!(unread["workloads"][0]["unpredicted"], json!([EGRESS]), "{unread}");
}

#[test]
fn live_l1_the_screen_says_the_same() {
    let (_folder, path) = file(&[envoy_filter(removing())]);
    let mut driver = Driver::recording("permissive");
    driver.keys(&format!("wx{path}<enter>"));
    let text = driver.text((200, 60));
    assert!(text.contains("virtualInbound: 4 -> not predicted") && text.contains(PATCHED), "{text}");
}

#[test]
fn live_l1_what_could_not_be_read_takes_away_the_whole() {
    for (kind, plural) in [("EnvoyFilter", "envoyfilters"), ("Sidecar", "sidecars"), ("ServiceEntry", "serviceentries")] {
        let mesh = Mesh::permissive().write("k8s/unread.json", json!([{"kind": kind, "why": "forbidden"}]).to_string());
        let answer = would(&mesh, &[], &["--mode", "STRICT"]);
        let inbound = listener(&answer, "virtualInbound");
        assert_eq!((&inbound["before"], &inbound["after"]), (&Value::Null, &Value::Null), "{kind}");
        let note = inbound["note"].as_str().unwrap().to_owned();
        assert!(note.starts_with(&format!("{plural} could not be read")), "{inbound}");
        let undumped = would(&mesh.without(&format!("proxies/{HTTPBIN}/config_dump.json")), &[], &["--mode", "STRICT"]);
        assert_eq!(undumped["workloads"][0]["unpredicted"], json!([note]), "{undumped}");
    }
}

#[test]
fn live_l1_a_patch_that_can_change_no_chain_takes_nothing_away() {
    let add = json!({"operation": "ADD", "value": {"name": "x", "address": {}}});
    for patch in [
        json!({"applyTo": "LISTENER", "match": {"context": "SIDECAR_INBOUND"}, "patch": add}),
        json!({"applyTo": "LISTENER", "match": {"context": "ANY"}, "patch": {"operation": "INSERT_FIRST", "value": {"name": "x"}}}),
        json!({"applyTo": "LISTENER_FILTER", "match": {"context": "SIDECAR_INBOUND"}, "patch": {"operation": "INSERT_FIRST", "value": {"name": "x"}}}),
        json!({"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_INBOUND", "proxy": {"proxyVersion": "^1\\.12.*"}}, "patch": add}),
        json!({"applyTo": "HTTP_FILTER", "match": {"context": "GATEWAY"}, "patch": add}),
        json!({"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_OUTBOUND"}, "patch": add}),
        json!({"applyTo": "LISTENER", "match": {"context": "SIDECAR_INBOUND", "listener": {"name": "other"}}, "patch": {"operation": "REMOVE"}}),
        json!({"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_INBOUND"}}),
    ] {
        let filter = envoy_filter(patch.clone());
        let answer = would(&Mesh::permissive(), std::slice::from_ref(&filter), &[]);
        assert_eq!(counts(&answer, "virtualInbound"), (json!(4), json!(4)), "{patch}");
        let adds = patch["applyTo"] == "LISTENER" && patch["patch"]["operation"] != "REMOVE";
        let said = if adds { json!(["EnvoyFilter default/chain adds listeners of its own, which are not predicted"]) } else { json!([]) };
        assert_eq!(answer["workloads"][0]["unpredicted"], said, "{patch}");
        let strict = would(&Mesh::permissive().with([filter]), &[], &["--mode", "STRICT"]);
        assert_eq!(counts(&strict, "virtualInbound"), (json!(4), json!(2)), "{patch}");
    }
    for patch in [
        json!({"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_INBOUND", "proxy": {"proxyVersion": "^1\\.3[0-9]-?.*"}}, "patch": add}),
        json!({"applyTo": "HTTP_FILTER", "match": {"proxy": {"proxyVersion": "("}}, "patch": add}),
        json!({"applyTo": "LISTENER", "match": {"context": "SIDECAR_INBOUND"}, "patch": {"operation": "MERGE", "value": {}}}),
        json!({"applyTo": "LISTENER", "patch": {"operation": "ADD", "value": {"name": "virtualInbound"}}}),
        json!({"applyTo": "NETWORK_FILTER", "match": {"listener": {"portNumber": 80}}, "patch": {"operation": "REMOVE"}}),
    ] {
        let answer = would(&Mesh::permissive(), &[envoy_filter(patch.clone())], &[]);
        assert_eq!(
            (counts(&answer, "virtualInbound").1, &listener(&answer, "virtualInbound")["note"]),
            (Value::Null, &json!(PATCHED)),
            "{patch}"
        );
    }
}

/// The mesh configuration with `discoverySelectors`.
fn discovering(mesh: Mesh, selectors: Value) -> Mesh {
    mesh.change("k8s/configmap-istio.json", |list| {
        let map = if list["items"].is_array() { &mut list["items"][0] } else { list };
        let text = format!("{}\ndiscoverySelectors: {selectors}\n", map["data"]["mesh"].as_str().unwrap().trim_end());
        map["data"]["mesh"] = json!(text);
    })
}

#[test]
fn live_l7_what_discovery_selectors_leave_out_istiod_does_not_see() {
    let dns = "10.96.0.10_53";
    assert_eq!(Mesh::permissive().prediction(HTTPBIN, dns)["chains"], 1);
    let own = json!({"matchLabels": {"istio-injection": "enabled"}});
    let system = json!({"matchLabels": {"kubernetes.io/metadata.name": "istio-system"}});
    let others = json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]});
    for selectors in [json!([own, system]), json!([others])] {
        let mesh = discovering(Mesh::permissive(), selectors.clone());
        assert_eq!(mesh.prediction(HTTPBIN, dns)["chains"], 0, "{selectors}: kube-system is left out");
        assert_eq!(mesh.prediction(HTTPBIN, "0.0.0.0_8000")["agrees"], true, "{selectors}");
        assert_eq!(mesh.why("virtualInbound")["predicted"], 4, "{selectors}");
    }
    // Neither the services nor the policies of a namespace that is left out count, not even for its own pods.
    let strict = object("security.istio.io/v1", "PeerAuthentication", "default/default", json!({"mtls": {"mode": "STRICT"}}));
    let mesh = discovering(Mesh::permissive().with([strict]), json!([system]));
    let answer = mesh.ask(&["why", "default/helloworld", HTTPBIN]);
    let entry = &answer["workloads"][0];
    assert_eq!((&entry["attached"], &entry["mtls"]["mode"]), (&json!(false), &json!("PERMISSIVE")), "{entry}");
    let inbound = mesh.prediction(HTTPBIN, "virtualInbound");
    assert_eq!(inbound["chains"], 6, "the blackhole and the passthrough, no port of a Service: {inbound}");
    // An empty list is none, an empty selector all.
    for selectors in [json!([]), json!([{}])] {
        assert_eq!(discovering(Mesh::permissive(), selectors).prediction(HTTPBIN, dns)["agrees"], true);
    }
    let unread = discovering(Mesh::permissive().without("k8s/namespaces.json"), json!([own]))
        .write("k8s/unread.json", json!([{"kind": "Namespace", "why": "forbidden"}]).to_string());
    let note = unread.prediction(HTTPBIN, dns);
    assert!(unread.proxy(HTTPBIN)["predictionNote"].as_str().unwrap().starts_with("namespaces could not be read"), "{note}");
}

fn service(name: &str, spec: Value) -> Value {
    object("v1", "Service", name, spec)
}

#[test]
fn live_l8_a_service_without_cluster_ip_gets_an_address() {
    let ports = json!([{"name": "x", "port": 7440, "targetPort": 9}, {"name": "tcp", "port": 7441}, {"name": "http", "port": 7442}]);
    for (spec, comes) in [
        (json!({"ports": ports}), true),
        (json!({"ports": ports, "type": "NodePort"}), true),
        (json!({"ports": ports, "clusterIP": "None"}), false),
    ] {
        let mut spec = spec;
        spec["selector"] = json!({"app": "multi"});
        let answer = would(&Mesh::permissive(), &[service("default/lb", spec.clone())], &[]);
        let name = |port: u16| format!("(an address still to be given to lb.default.svc.cluster.local)_{port}");
        let found = listener(&answer, &name(7440));
        assert_eq!(found["after"], if comes { json!(1) } else { Value::Null }, "{spec}: {answer}");
        assert_eq!(listener(&answer, &name(7441))["chainsAfter"], if comes { json!(1) } else { Value::Null }, "{spec}");
        assert_eq!(listener(&answer, "0.0.0.0_7441"), Value::Null, "{spec}");
        assert_eq!(counts(&answer, "0.0.0.0_7442"), (json!(0), json!(1)), "{spec}: HTTP needs no address");
    }
    // Two of them do not meet on one address.
    let answer = would(
        &Mesh::permissive(),
        &[service("default/a", json!({"ports": [{"port": 7440}]})), service("default/b", json!({"ports": [{"port": 7440}]}))],
        &[],
    );
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    assert_eq!(listeners.iter().filter(|listener| listener["port"] == 7440).count(), 2, "{answer}");
}

#[test]
fn live_l8_a_service_that_is_there_keeps_its_address() {
    let httpbin =
        service("default/httpbin", json!({"selector": {"app": "httpbin"}, "ports": [{"name": "auto", "port": 8000, "targetPort": 80}]}));
    let answer = would(&Mesh::permissive(), &[httpbin], &[]);
    assert!(!answer.to_string().contains("still to be given"), "{answer}");
}

#[test]
fn live_l9_an_http_proxy_port_has_the_http_listener_alone() {
    let ports = json!([{"name": "p", "port": 7012, "targetPort": 7112, "appProtocol": "http_proxy"}]);
    let answer = would(
        &Mesh::permissive(),
        &[service("default/hp", json!({"selector": {"app": "httpbin"}, "ports": ports, "clusterIP": "10.96.9.9"}))],
        &[],
    );
    let outbound = listener(&answer, "0.0.0.0_7012");
    assert_eq!((&outbound["after"], &outbound["chainsAfter"]), (&json!(1), &json!(1)), "{outbound}");
}

/// A pod with a UDP and a TCP port of one name, and a Service that names it.
fn named_port(protocol: &str) -> Vec<Value> {
    let containers = json!([
        {"name": "a", "ports": [{"name": "web", "containerPort": 8181, "protocol": "UDP"}]},
        {"name": "b", "ports": [{"name": "web", "containerPort": 8080}]},
        {"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
    let mut pod = object("v1", "Pod", "default/np", json!({"containers": containers}));
    pod["metadata"]["labels"] = json!({"app": "np"});
    pod["status"] = json!({"phase": "Running", "podIPs": [{"ip": "10.0.0.77"}]});
    let port = json!({"name": "http-w", "port": 80, "targetPort": "web", "protocol": protocol});
    vec![pod, service("default/np", json!({"clusterIP": "10.96.9.9", "selector": {"app": "np"}, "ports": [port]}))]
}

#[test]
fn live_l10_a_named_target_port_is_found_by_name_and_protocol() {
    let plugin = object(
        "extensions.istio.io/v1alpha1",
        "WasmPlugin",
        "default/np",
        json!({"url": "oci://a/b", "selector": {"matchLabels": {"app": "np"}}}),
    );
    for (protocol, port) in [("TCP", Some("8080")), ("UDP", Some("8181")), ("SCTP", None)] {
        let mut objects = named_port(protocol);
        objects.push(plugin.clone());
        let (_folder, path) = file(&objects);
        let answer = Mesh::permissive().ask(&["why", "default/np", "pod/np", "--with", &path]);
        let inbound = listener(&answer, "virtualInbound");
        let places: Vec<&str> = inbound["chains"].as_array().unwrap().iter().filter_map(|chain| chain["recognisedBy"].as_str()).collect();
        for other in ["8080", "8181"] {
            let has = places.iter().any(|place| place.contains(&format!("port {other}")));
            assert_eq!(has, port == Some(other), "{protocol} {other}: {places:?}");
        }
    }
}

#[test]
fn live_l11_a_headless_service_selects_no_workload_entries() {
    let entry = object("networking.istio.io/v1", "WorkloadEntry", "default/vm1", json!({"address": "192.0.2.50", "labels": {"app": "vm"}}));
    let headless = |name: &str, address: &str| {
        service(
            name,
            json!({"clusterIP": address, "selector": {"app": "vm"}, "ports": [{"name": "auto", "port": 7604}, {"name": "tcp", "port": 7605}]}),
        )
    };
    let answer = would(&Mesh::permissive(), &[entry.clone(), headless("default/vmhead", "None")], &[]);
    assert!(!answer.to_string().contains("192.0.2.50_"), "{answer}");
    let with_address = would(&Mesh::permissive(), &[entry, headless("default/vmaddress", "10.96.9.9")], &[]);
    assert_eq!(counts(&with_address, "10.96.9.9_7604"), (json!(0), json!(1)));
    // A ServiceEntry without addresses of its own does select them.
    let entry = object("networking.istio.io/v1", "WorkloadEntry", "default/vm1", json!({"address": "192.0.2.50", "labels": {"app": "vm"}}));
    let spec = json!({"hosts": ["vm.example.com"], "resolution": "NONE", "location": "MESH_INTERNAL", "workloadSelector": {"labels": {"app": "vm"}},
        "ports": [{"number": 7604, "name": "auto", "protocol": "TCP"}]});
    let answer = would(&Mesh::permissive(), &[entry, object("networking.istio.io/v1", "ServiceEntry", "default/vm", spec)], &[]);
    assert_eq!(listener(&answer, "192.0.2.50_7604")["chainsAfter"], 1, "{answer}");
}

#[test]
fn live_l15_nothing_is_passed_over_that_an_answer_depends_on() {
    let kinds = [
        ("discovery.k8s.io/v1", "EndpointSlice", "is not read, though listeners of a headless Service without a selector come with it"),
        ("v1", "Endpoints", "is not read, though listeners of a headless Service without a selector come with it"),
        ("gateway.networking.k8s.io/v1", "TLSRoute", "is not read, though chains of gateways follow it"),
        ("gateway.networking.k8s.io/v1alpha2", "TCPRoute", "is not read, though chains of gateways follow it"),
        ("networking.k8s.io/v1", "Ingress", "is not read, though istiod may make listeners of gateways of it"),
        ("telemetry.istio.io/v1", "Telemetry", "is not looked at: no answer depends on it"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute", "is not looked at: no answer depends on it"),
        ("example.com/v1", "Thing", "is not read: its kind is not known here"),
    ];
    for (version, kind, what) in kinds {
        let answer = would(&Mesh::permissive(), &[object(version, kind, "default/x", json!({}))], &[]);
        let warnings = warned(&answer, &format!("{kind} default/x"));
        assert!(matches!(warnings.as_slice(), [one] if one.starts_with(what)), "{kind}: {warnings:?}");
    }
    let ports = json!([{"name": "tcp-h", "port": 7410}, {"name": "auto", "port": 7411}]);
    let headless = service("default/nosel", json!({"clusterIP": "None", "ports": ports}));
    let mut slice = object("discovery.k8s.io/v1", "EndpointSlice", "default/nosel-1", Value::Null);
    slice["metadata"]["labels"] = json!({"kubernetes.io/service-name": "nosel"});
    slice["addressType"] = json!("IPv4");
    slice["endpoints"] = json!([{"addresses": ["192.0.2.33"]}]);
    slice["ports"] = json!([{"name": "auto", "port": 7412, "protocol": "TCP"}]);
    let mut endpoints = object("v1", "Endpoints", "default/nosel", Value::Null);
    endpoints["subsets"] = json!([{"addresses": [{"ip": "192.0.2.33"}], "ports": [{"name": "auto", "port": 7412}]}]);
    for given in [slice, endpoints] {
        // In the order of the file or not: what is predicted is the same.
        for objects in [[given.clone(), headless.clone()], [headless.clone(), given.clone()]] {
            let answer = would(&Mesh::permissive(), &objects, &[]);
            assert_eq!(counts(&answer, "192.0.2.33_7411"), (json!(0), json!(1)), "{answer}");
            assert_eq!(listener(&answer, "192.0.2.33_7410"), Value::Null, "it has no such port");
            assert_eq!((&answer["workloads"][0]["unpredicted"], &answer["warnings"]), (&json!([]), &json!([])), "{answer}");
        }
    }
    let answer = would(&Mesh::permissive(), &[headless], &[]);
    let unread = json!(["Service default/nosel selects no pods, and its EndpointSlices are not read"]);
    assert_eq!(answer["workloads"][0]["unpredicted"], unread, "{answer}");
}

#[test]
fn live_l15_the_service_of_a_managed_gateway_is_not_foretold_and_that_is_said() {
    let listeners = json!([{"name": "http", "port": 80, "protocol": "HTTP"}]);
    let gateway = |addresses: Value| {
        object(
            "gateway.networking.k8s.io/v1",
            "Gateway",
            "default/web",
            json!({"gatewayClassName": "istio", "listeners": listeners, "addresses": addresses}),
        )
    };
    for (addresses, managed) in [
        (json!([]), true),
        (json!([{"value": "10.0.0.1"}]), true),
        (json!([{"type": "Hostname", "value": "web.istio-system.svc.cluster.local"}]), false),
    ] {
        let answer = would(&Mesh::permissive(), &[gateway(addresses.clone())], &[]);
        let said = warned(&answer, "Gateway default/web")
            .iter()
            .any(|what| what.contains("a Deployment and a Service for it, which are not predicted"));
        assert_eq!(said, managed, "{addresses}");
    }
}

#[test]
fn field_33_an_empty_selector_is_said_and_found() {
    let case = Case::open("33-selector-labels-instead-of-matchlabels");
    let recording = case.path("recording");
    let from = ["--from", recording.to_str().unwrap()];
    let answer = support::json(&[&["workloads", "default/openid-connect"][..], &from].concat());
    let workloads = answer["workloads"].as_array().unwrap();
    assert_eq!(workloads.len(), 2, "{answer}");
    assert!(answer.to_string().contains("the selector is empty, so it applies to"), "{answer}");
    assert!(!answer.to_string().contains("no selector"), "{answer}");
    let output = support::meshscope(&[&["check", "-o", "json"][..], &from].concat());
    let check: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found: Vec<&Value> = check["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "empty-selector").collect();
    assert_eq!(found.len(), 1, "{check}");
    assert_eq!((&found[0]["severity"], &found[0]["object"]["name"]), (&json!("warning"), &json!("openid-connect")));
    for (manifest, path) in [("plugin.yaml", "spec.selector.labels"), ("plugin2.yaml", "spec.workloadSelector")] {
        let manifest = case.path(manifest);
        let answer = support::json(&[&["why", "default/openid-connect", "--with", manifest.to_str().unwrap()][..], &from].concat());
        let warnings = warned(&answer, "WasmPlugin default/openid-connect");
        assert!(warnings.iter().any(|what| what.starts_with(&format!("{path} is no field of a WasmPlugin"))), "{warnings:?}");
        assert_eq!(answer["touchedAfter"].as_array().unwrap().len(), 2, "the pruned object counts: {answer}");
    }
}

#[test]
fn field_33_the_screen_says_what_is_wrong_with_the_manifest() {
    let case = Case::open("33-selector-labels-instead-of-matchlabels");
    for (manifest, path) in [("plugin.yaml", "spec.selector.labels"), ("plugin2.yaml", "spec.workloadSelector")] {
        let mut driver = Driver::demo();
        driver.keys(&format!("x{}<enter>", case.path(manifest).display()));
        let text = driver.text((200, 60));
        let said = text.find(&format!("{path} is no field of a WasmPlugin"));
        let first = text.find("the plugin applies").or_else(|| text.find("the plugin would"));
        assert!(said.is_some() && (first.is_none() || said < first), "before the workloads: {text}");
    }
}

#[test]
fn field_33_what_the_api_server_rejects_ends_with_status_2() {
    for (object, what) in [
        (
            object("extensions.istio.io/v1alpha1", "WasmPlugin", "default/a", json!({"url": "oci://a/b", "priority": "high"})),
            "spec.priority is text and not a whole number",
        ),
        (
            object("extensions.istio.io/v1alpha1", "WasmPlugin", "default/a", json!({"url": "oci://a/b", "phase": "FIRST"})),
            "spec.phase is \"FIRST\", which is none of",
        ),
        (
            object("security.istio.io/v1", "PeerAuthentication", "default/a", json!({"mtls": {"mode": "ON"}})),
            "spec.mtls.mode is \"ON\", which is none of",
        ),
        (object("networking.istio.io/v1", "DestinationRule", "default/a", json!({"host": ["a"]})), "spec.host is a list and not text"),
        (object("v1", "Service", "default/a", json!({"ports": [{"port": "http"}]})), "spec.ports[0].port is text and not a whole number"),
        (
            object("gateway.networking.k8s.io/v1", "Gateway", "default/a", json!({"listeners": {}})),
            "spec.listeners is a map and not a list",
        ),
        (
            object("extensions.istio.io/v1alpha1", "WasmPlugin", "default/a", json!({"url": "oci://a/b", "pluginConfig": [1]})),
            "spec.pluginConfig is a list and not a map",
        ),
        (
            object("extensions.istio.io/v1alpha1", "WasmPlugin", "default/a", json!({"url": "oci://a/b", "priority": 99_999_999_999_i64})),
            "spec.priority is 99999999999, which is no number of 32 bits",
        ),
        (
            object("security.istio.io/v1", "PeerAuthentication", "default/a", json!({"portLevelMtls": {"80": {"mode": "DISABLE"}}})),
            "spec.portLevelMtls needs a selector with labels",
        ),
    ] {
        let (_folder, path) = file(std::slice::from_ref(&object));
        let recording = support::folder("permissive", &[]);
        let arguments = ["why", "default/helloworld", "--with", &path, "--from", recording.path().to_str().unwrap()];
        let output = support::meshscope(&arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{object}: {error}");
        assert!(error.contains(what) && error.trim_end().lines().count() == 1, "{error}");
    }
}

#[test]
fn field_33_empty_selectors_of_policies_are_found_and_absent_ones_are_not() {
    let policies = |selector: Option<Value>| {
        let with = |key: &str, mut spec: Value| {
            if let Some(selector) = &selector {
                spec[key] = selector.clone();
            }
            spec
        };
        [
            object("security.istio.io/v1", "PeerAuthentication", "default/p", with("selector", json!({"mtls": {"mode": "PERMISSIVE"}}))),
            object("networking.istio.io/v1", "Sidecar", "default/s", with("workloadSelector", json!({"egress": [{"hosts": ["*/*"]}]}))),
            object("networking.istio.io/v1alpha3", "EnvoyFilter", "default/e", with("workloadSelector", json!({"configPatches": []}))),
            object("networking.istio.io/v1", "DestinationRule", "default/d", with("workloadSelector", json!({"host": "httpbin"}))),
        ]
    };
    let found = |selector: Option<Value>| -> Vec<String> {
        let answer = Mesh::permissive().with(policies(selector)).ask_whatever(&["check"]);
        let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "empty-selector");
        let mut kinds: Vec<String> = findings.map(|finding| finding["object"]["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        kinds
    };
    assert_eq!(found(Some(json!({}))), ["DestinationRule", "EnvoyFilter", "PeerAuthentication", "Sidecar"]);
    assert_eq!(found(None), Vec::<String>::new());
}

#[test]
fn live_words_listeners_that_a_proxy_lacks_are_a_finding() {
    let far =
        service("default/far", json!({"clusterIP": "10.96.9.9", "ports": [{"name": "http", "port": 7310}, {"name": "tcp", "port": 7311}]}));
    let found = |mesh: &Mesh| -> Vec<String> {
        let answer = mesh.ask_whatever(&["check"]);
        let findings = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "chains-differ");
        findings.map(|finding| finding["what"].as_str().unwrap().to_owned()).collect()
    };
    let what = found(&Mesh::permissive().with([far.clone()]));
    assert!(!what.is_empty() && what.iter().all(|what| what.contains("0.0.0.0_7310, 10.96.9.9_7311")), "{what:?}");
    assert_eq!(found(&Mesh::permissive()), Vec::<String>::new());
    // What is not predicted is not missed.
    let sidecar = object("networking.istio.io/v1", "Sidecar", "default/e", json!({"egress": [{"bind": "127.0.0.1", "hosts": ["*/*"]}]}));
    assert_eq!(found(&Mesh::permissive().with([far, sidecar])), Vec::<String>::new());
}

/// The answer and its text, where the file is no list of whole objects.
fn would_text(text: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifests.yaml");
    std::fs::write(&path, text).unwrap();
    let recording = support::folder("permissive", &[]);
    let from = recording.path().to_str().unwrap();
    let output = support::meshscope(&["why", "default/helloworld", HTTPBIN, "--with", path.to_str().unwrap(), "--from", from]);
    (output.status.code(), String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
}

#[test]
fn with_a_file_without_objects_is_a_usage_error() {
    for text in ["", "---\n---\n", "# nothing\n", r#"{"apiVersion": "v1", "kind": "List", "items": []}"#] {
        let (status, error) = would_text(text);
        assert_eq!(status, Some(2), "{text:?}: {error}");
        assert!(error.contains("manifests.yaml holds no object") && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn with_yaml_that_cannot_be_read_the_error_is_in_words_of_yaml() {
    let (status, error) = would_text("apiVersion: v1\nkind: Service\nmetadata: {name: a, name: b}\n");
    assert_eq!(status, Some(2));
    assert!(error.contains("line 3 column ") && error.contains("the key name is there twice in one map"), "{error}");
    assert!(!error.contains("DuplicateKeyPolicy") && error.lines().count() == 1, "{error}");
}

#[test]
fn with_a_whole_number_written_with_a_fraction_the_priority_is_that_number() {
    let (_folder, path) = file(&[]);
    std::fs::write(&path, "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a, namespace: default}\nspec: {url: oci://a/b, priority: 5.0}\n").unwrap();
    let answer = Mesh::permissive().ask(&["why", "default/a", HTTPBIN, "--with", &path]);
    assert_eq!(answer["warnings"], json!([]), "{answer}");
}

/// TLS of one host to another.
fn tls_route() -> Value {
    let to = json!([{"destination": {"host": "httpbin.default.svc.cluster.local"}}]);
    let host = "kubernetes.default.svc.cluster.local";
    let tls = json!([{"match": [{"port": 443, "sniHosts": [host]}], "route": to}]);
    object("networking.istio.io/v1", "VirtualService", "default/v", json!({"hosts": [host], "tls": tls}))
}

#[test]
fn with_a_tls_route_the_listener_is_named_that_is_no_longer_predicted() {
    let answer = would(&Mesh::permissive(), &[tls_route()], &[]);
    let outbound = listener(&answer, "10.96.0.1_443");
    let note = "VirtualService default/v has tcp or tls routes for kubernetes.default.svc.cluster.local, which are not predicted";
    assert_eq!((&outbound["note"], &outbound["after"]), (&json!(note), &json!(0)), "an HTTP plugin is in no chain of TLS: {answer}");
    assert_eq!((&outbound["chainsBefore"], &outbound["chainsAfter"]), (&json!(1), &Value::Null), "{outbound}");
    let (_folder, path) = file(&[tls_route()]);
    let text = Mesh::permissive().text(&["why", "default/helloworld", HTTPBIN, "--with", &path]);
    assert!(text.contains("port 443, 10.96.0.1_443: 0\n") && text.contains(note) && text.contains("no other chain would change"), "{text}");
    // The other way about: the manifest takes the routes away.
    let mut without = tls_route();
    without["spec"]["tls"] = Value::Null;
    let answer = would(&Mesh::permissive().with([tls_route()]), &[without], &[]);
    let outbound = listener(&answer, "10.96.0.1_443");
    assert_eq!(outbound["note"], json!(format!("as things are, {note}")), "{answer}");
    // On both sides it is no difference.
    let answer = would(&Mesh::permissive().with([tls_route()]), &[], &["--mode", "STRICT"]);
    assert_eq!(listener(&answer, "10.96.0.1_443"), Value::Null, "{answer}");
}

#[test]
fn with_an_envoy_filter_less_the_note_says_that_it_is_of_now() {
    let mesh = Mesh::permissive().with([envoy_filter(removing())]);
    let answer = would(&mesh, &[envoy_filter(json!({"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": {}}}))], &[]);
    let inbound = listener(&answer, "virtualInbound");
    assert_eq!((&inbound["before"], &inbound["after"]), (&Value::Null, &json!(4)), "{inbound}");
    assert_eq!(inbound["note"], json!(format!("as things are, {PATCHED}")));
}

/// A Sidecar that says what becomes of traffic that no service takes.
fn outbound_policy(mode: &str) -> Value {
    object("networking.istio.io/v1", "Sidecar", "default/e", json!({"outboundTrafficPolicy": {"mode": mode}}))
}

#[test]
fn with_registry_only_what_no_service_takes_leads_nowhere() {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio", "namespace": "istio-system"},
        "data": {"mesh": "rootNamespace: istio-system\ndefaultConfig: {discoveryAddress: istiod.istio-system.svc:15012}\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}\n"}});
    for given in [outbound_policy("REGISTRY_ONLY"), map] {
        let answer = would(&Mesh::permissive(), std::slice::from_ref(&given), &[]);
        for name in ["0.0.0.0_80", "0.0.0.0_8000", "virtualOutbound"] {
            let chains = listener(&answer, name)["chains"].clone();
            let how: Vec<&Value> = chains.as_array().into_iter().flatten().map(|chain| &chain["how"]).collect();
            assert_eq!(how, [&json!("from PassthroughCluster to BlackHoleCluster")], "{name}: {answer}");
        }
        assert_eq!(counts(&answer, "virtualInbound"), (json!(4), json!(4)));
    }
    let answer = would(&Mesh::permissive(), &[outbound_policy("ALLOW_ANY")], &[]);
    assert!(!answer.to_string().contains("BlackHoleCluster"), "{answer}");
}

#[test]
fn a_way_out_that_istiod_would_make_otherwise_is_found_where_the_mode_is_known() {
    let found = |mesh: Mesh| -> usize {
        let answer = mesh.ask_whatever(&["check"]);
        answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "chains-differ").count()
    };
    assert!(found(Mesh::permissive().with([outbound_policy("REGISTRY_ONLY")])) > 0);
    assert_eq!(found(Mesh::permissive().with([outbound_policy("ALLOW_ANY")])), 0);
    // Without the mesh configuration and a Sidecar nobody knows it.
    let dump = format!("proxies/{HTTPBIN}/config_dump.json");
    let closed = |mesh: Mesh| {
        mesh.change(&dump, |dump| {
            *dump = serde_json::from_str(&dump.to_string().replace("\"PassthroughCluster\"", "\"BlackHoleCluster\"")).unwrap();
        })
    };
    assert_eq!(found(closed(Mesh::permissive())), 1);
    assert_eq!(found(closed(Mesh::permissive().without("k8s/configmap-istio.json"))), 0);
}

#[test]
fn warnings_name_places_of_lists_in_brackets_and_kinds_with_their_article() {
    let patch = json!({"applyTo": "CLUSTER", "patches": {}});
    let answer = would(&Mesh::permissive(), &[envoy_filter(patch)], &[]);
    let warnings = warned(&answer, "EnvoyFilter default/chain");
    assert!(warnings.iter().any(|what| what.starts_with("spec.configPatches[0].patches is no field of an EnvoyFilter")), "{warnings:?}");
}
