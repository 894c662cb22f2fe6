//! PeerAuthentications, DestinationRules, plugins without a priority and what keeps a plugin from a workload: cases from the field, states of a
//! live mesh, hostile input.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::inputs::Case;
use super::support::meshscope;

/// The recording of a case, in which a test changes objects.
struct Recording(Case);

impl Recording {
    fn of(case: &str) -> Self {
        Self(Case::open(case))
    }

    /// Puts a list of objects in the place of those of a kind.
    fn put(&self, file: &str, objects: &[Value]) -> &Self {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.write(&format!("k8s/{file}.json"), &list)
    }

    /// Adds objects to those of a kind.
    fn add(&self, file: &str, objects: &[Value]) -> &Self {
        let mut all = self.objects(file);
        all.extend(objects.iter().cloned());
        self.put(file, &all)
    }

    fn objects(&self, file: &str) -> Vec<Value> {
        let text =
            std::fs::read(self.0.folder().join(format!("recording/k8s/{file}.json"))).unwrap_or_else(|_| b"{\"items\": []}".to_vec());
        serde_json::from_slice::<Value>(&text).unwrap()["items"].as_array().unwrap().clone()
    }

    fn write(&self, path: &str, value: &Value) -> &Self {
        std::fs::write(self.0.folder().join("recording").join(path), value.to_string()).unwrap();
        self
    }

    /// Exit status, answer, and what was written to standard error.
    fn run(&self, arguments: &[&str]) -> (i32, Value, String) {
        let path = self.0.path("recording");
        let output = meshscope(&[arguments, &["--from", path.to_str().unwrap(), "-o", "json"]].concat());
        let error = String::from_utf8(output.stderr).unwrap();
        let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{arguments:?}: {why}; {error}"));
        (output.status.code().unwrap(), answer, error)
    }

    fn text(&self, arguments: &[&str]) -> String {
        let path = self.0.path("recording");
        String::from_utf8(meshscope(&[arguments, &["--from", path.to_str().unwrap()]].concat()).stdout).unwrap()
    }

    /// The findings of a code, in all namespaces.
    fn found(&self, code: &str) -> Vec<Value> {
        let (_, answer, _) = self.run(&["check", "-A"]);
        answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == code).cloned().collect()
    }

    /// What clients with a proxy send to httpbin, the service as a whole and subsets.
    fn clients(&self) -> Vec<Value> {
        let (_, answer, _) = self.run(&["mtls", "deploy/httpbin"]);
        let services = answer["workloads"][0]["services"].as_array().unwrap().clone();
        let clients = services.iter().flat_map(|service| service["clients"].as_array().unwrap().clone());
        clients.filter(|client| client["proxy"] == true).collect()
    }
}

const PEER_AUTHENTICATIONS: &str = "peerauthentications.security.istio.io";
const DESTINATION_RULES: &str = "destinationrules.networking.istio.io";
const WASM_PLUGINS: &str = "wasmplugins.extensions.istio.io";

fn object(kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    let group = match kind {
        "PeerAuthentication" => "security.istio.io/v1",
        "WasmPlugin" | "TrafficExtension" => "extensions.istio.io/v1alpha1",
        "Service" => "v1",
        "Gateway" => "gateway.networking.k8s.io/v1",
        _ => "networking.istio.io/v1",
    };
    let metadata = json!({"namespace": namespace, "name": name, "creationTimestamp": "2026-11-23T19:37:50Z"});
    json!({"apiVersion": group, "kind": kind, "metadata": metadata, "spec": spec})
}

fn peer_authentication(namespace: &str, spec: Value) -> Value {
    object("PeerAuthentication", namespace, "p", spec)
}

fn app(name: &str) -> Value {
    json!({"matchLabels": {"app": name}})
}

#[track_caller]
fn only(findings: Vec<Value>, severity: &str) -> Value {
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["severity"], severity, "{findings:?}");
    findings[0].clone()
}

fn fix(finding: &Value) -> &str {
    finding["fix"].as_str().unwrap()
}

#[test]
fn field_30_ports_of_a_policy_without_selector_are_ignored() {
    let mesh = Recording::of("30-port-level-without-selector");
    let ignored = only(mesh.found("port-level-mtls-ignored"), "warning");
    assert_eq!(ignored["object"], json!({"kind": "PeerAuthentication", "namespace": "istio-system", "name": "default"}));
    assert_eq!(ignored["id"], "port-level-mtls-ignored:peerauthentication/istio-system/default");
    // An empty selector is none; of a namespace as of the mesh.
    for spec in [
        json!({"portLevelMtls": {"80": {"mode": "DISABLE"}}}),
        json!({"selector": {"matchLabels": {}}, "portLevelMtls": {"80": {"mode": "STRICT"}}}),
    ] {
        mesh.put(PEER_AUTHENTICATIONS, &[peer_authentication("default", spec)]);
        assert!(fix(&only(mesh.found("port-level-mtls-ignored"), "warning")).contains("with a selector"));
    }
    // 8000 is the Service's port, 80 the container's.
    let on = |ports: Value| [peer_authentication("default", json!({"selector": app("httpbin"), "portLevelMtls": ports}))];
    mesh.put(PEER_AUTHENTICATIONS, &on(json!({"8000": {"mode": "DISABLE"}, "80": {"mode": "STRICT"}})));
    let service = only(mesh.found("port-level-mtls-ignored"), "warning");
    assert!(fix(&service).contains("80 in the place of 8000"), "{service}");
    assert_eq!(service["proxies"], json!(["httpbin-664956bb75-9d64m.default"]));
    for good in [json!({"80": {"mode": "DISABLE"}}), json!({"9090": {"mode": "DISABLE"}})] {
        mesh.put(PEER_AUTHENTICATIONS, &on(good));
        assert_eq!(mesh.found("port-level-mtls-ignored"), [] as [Value; 0]);
    }
}

#[test]
fn field_32_a_selector_is_not_taken_away_where_that_reaches_the_mesh() {
    let mesh = Recording::of("32-root-namespace-selector");
    let unused = only(mesh.found("object-not-used"), "warning");
    assert_eq!(fix(&unused), "create it in the namespace of the workloads that it is for: default");
    let (_, answer, _) = mesh.run(&["mtls", "deploy/httpbin"]);
    assert_eq!((&answer["workloads"][0]["mode"], &answer["workloads"][0]["winner"]), (&json!("PERMISSIVE"), &Value::Null));
    let warning = &answer["warnings"][0];
    assert!(warning["fix"].as_str().unwrap().contains("namespace of the workloads"), "{warning}");
}

#[test]
fn field_34_mutual_tls_without_a_certificate() {
    let mesh = Recording::of("34-dr-mutual-for-istio-mutual");
    let (status, ..) = mesh.run(&["check", "-A"]);
    assert_eq!(status, 1);
    let bare = only(mesh.found("destination-rule-without-certificate"), "error");
    assert_eq!(bare["object"], json!({"kind": "DestinationRule", "namespace": "default", "name": "httpbin"}));
    assert_eq!(mesh.found("destination-rule-refused"), [] as [Value; 0], "it is said once");
    let [client] = &mesh.clients()[..] else { panic!() };
    assert_eq!((&client["verdict"], &client["decidedBy"]), (&json!("fails"), &json!("default/httpbin")), "{client}");
    assert!(client["because"].as_str().unwrap().contains("there is no client certificate"), "{client}");
    let text = mesh.text(&["mtls", "deploy/httpbin"]);
    assert!(text.lines().any(|line| line.contains("fails") && line.contains("there is no client certificate")), "{text}");
    // Half a certificate is none; ports and subsets have their own.
    let mutual = |more: Value| {
        let mut tls = json!({"mode": "MUTUAL"});
        tls.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tls
    };
    let bare = || mutual(json!({}));
    let files = json!({"clientCertificate": "/etc/certs/tls.crt", "privateKey": "/etc/certs/tls.key"});
    for (spec, fields) in [
        (json!({"trafficPolicy": {"tls": mutual(json!({"clientCertificate": "/etc/certs/tls.crt"}))}}), 1),
        (json!({"trafficPolicy": {"tls": mutual(json!({"caCertificates": "/etc/certs/ca.crt", "credentialName": ""}))}}), 1),
        (json!({"trafficPolicy": {"portLevelSettings": [{"port": {"number": 8000}, "tls": bare()}]}}), 1),
        (
            json!({"trafficPolicy": {"tls": bare()}, "subsets": [{"name": "v1", "labels": {"version": "v1"}, "trafficPolicy": {"tls": bare()}}]}),
            2,
        ),
        (json!({"trafficPolicy": {"tls": mutual(files)}}), 0),
        (json!({"trafficPolicy": {"tls": mutual(json!({"credentialName": "client"}))}}), 0),
        (json!({"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}), 0),
        (json!({"trafficPolicy": {"tls": {"mode": "SIMPLE"}}}), 0),
    ] {
        let mut rule = spec.clone();
        rule["host"] = json!("httpbin");
        mesh.put(DESTINATION_RULES, &[object("DestinationRule", "default", "httpbin", rule)]);
        let found: usize =
            mesh.found("destination-rule-without-certificate").iter().map(|one| one["evidence"].as_array().unwrap().len()).sum();
        assert_eq!(found, fields, "{spec}");
    }
}

#[test]
fn field_35_the_tls_of_a_subset_is_its_own() {
    let mesh = Recording::of("35-dr-subset-tls");
    let clients = mesh.clients();
    let verdicts: Vec<_> = clients.iter().map(|client| (&client["subset"], &client["verdict"])).collect();
    assert_eq!(verdicts, [(&Value::Null, &json!("fails")), (&json!("v1"), &json!("works"))], "{clients:?}");
    assert_eq!(clients[1]["routed"], false, "the case has no VirtualService");
}

#[test]
fn field_36_a_destination_rule_opens_no_server() {
    let mesh = Recording::of("36-dr-disable-for-outsiders");
    let (_, answer, _) = mesh.run(&["mtls", "deploy/httpbin"]);
    let clients = answer["workloads"][0]["services"][0]["clients"].as_array().unwrap();
    assert!(clients.len() == 2 && clients.iter().all(|client| client["verdict"] == "fails"), "{clients:?}");
    assert_eq!(only(mesh.found("destination-rule-refused"), "error")["object"]["kind"], "DestinationRule");
    assert_eq!(mesh.found("mtls-mismatch"), [] as [Value; 0], "the rule is to blame");
}

#[test]
fn field_37_what_the_api_server_prunes_counts_for_nothing() {
    let mesh = Recording::of("37-policy-fields-in-wrong-place");
    let clients = mesh.clients();
    assert!(clients.iter().all(|client| client["verdict"] == "works" && client["sends"] == "mutualTls"), "{clients:?}");
}

/// The near-misses of a plugin, the nearest first.
fn near_misses(mesh: &Recording, plugin: &str) -> Vec<Value> {
    let (status, answer, _) = mesh.run(&["workloads", plugin, "--near-misses", "-A"]);
    assert_eq!(status, 0);
    answer["workloads"].as_array().unwrap().clone()
}

#[test]
fn field_38_what_a_target_ref_names_comes_first() {
    let mesh = Recording::of("38-targetref-manual-gateway");
    let misses = near_misses(&mesh, "istio-system/limiter");
    let (nearest, miss) = (&misses[0], &misses[0]["nearMiss"]);
    assert_eq!((&nearest["short"], &miss["distance"], &miss["named"]), (&json!("deploy/istio-ingressgateway"), &json!(1), &json!(true)));
    let label = "gateway.networking.k8s.io/gateway-name=istio-ingressgateway";
    assert!(miss["wanted"].as_str().unwrap().contains(label), "{miss}");
    let change = miss["change"].as_str().unwrap();
    assert!(change.contains(label) && change.contains("such as istio=ingressgateway"), "{change}");
    let nothing = mesh.found("matches-nothing").into_iter().find(|one| one["object"]["name"] == "limiter").unwrap();
    assert!(nothing["evidence"][0].as_str().unwrap().contains("Deployment istio-system/istio-ingressgateway"), "{nothing}");
    assert!(!fix(&nothing).contains("httpbin"), "{nothing}");
    // A selector reaches the whole mesh from the root namespace: here others have these labels too.
    let mut pods = mesh.objects("pods");
    let sleep = pods.iter_mut().find(|pod| pod["metadata"]["labels"]["app"] == "sleep").unwrap();
    for (key, value) in [("istio", "ingressgateway"), ("service.istio.io/canonical-name", "istio-ingressgateway")] {
        sleep["metadata"]["labels"][key] = json!(value);
    }
    let mut other = sleep.clone();
    other["metadata"]["name"] = json!("other");
    other["metadata"]["labels"]["app"] = json!("istio-ingressgateway");
    other["metadata"]["ownerReferences"] = json!([]);
    pods.push(other);
    mesh.put("pods", &pods);
    let change = near_misses(&mesh, "istio-system/limiter")[0]["nearMiss"]["change"].as_str().unwrap().to_owned();
    assert_eq!(change, format!("set label {label} on the pod template of the Deployment"));
}

#[test]
fn field_38_what_is_for_gateways_is_not_brought_to_sidecars() {
    let mesh = Recording::of("38-targetref-manual-gateway");
    let misses = near_misses(&mesh, "istio-system/by-class");
    let (nearest, miss) = (&misses[0], &misses[0]["nearMiss"]);
    assert_eq!((&nearest["short"], &miss["distance"], &miss["named"]), (&json!("deploy/istio-ingressgateway"), &json!(2), &json!(true)));
    let both = "set label gateway.networking.k8s.io/gateway-name=istio-ingressgateway on the pod template of the Deployment, \
                and use targetRefs with group gateway.networking.k8s.io, kind Gateway, name istio-ingressgateway";
    assert!(miss["change"].as_str().unwrap().starts_with(both), "{miss}");
    let by_class = |mesh: &Recording| mesh.found("matches-nothing").into_iter().find(|one| one["object"]["name"] == "by-class").unwrap();
    let nothing = by_class(&mesh);
    assert!(nothing["evidence"][0].as_str().unwrap().contains("Deployment istio-system/istio-ingressgateway"), "{nothing}");
    assert!(fix(&nothing).starts_with(both), "{nothing}");
    // The label and the targetRef would bring it to another Deployment behind the Gateway too, whose pods have the label.
    let alone = mesh.objects("pods");
    let mut pods = alone.clone();
    let mut other = pods.iter().find(|pod| pod["metadata"]["labels"]["istio"] == "ingressgateway").unwrap().clone();
    other["metadata"]["name"] = json!("other-1");
    other["metadata"]["ownerReferences"] = json!([]);
    other["metadata"]["labels"]["gateway.networking.k8s.io/gateway-name"] = json!("istio-ingressgateway");
    pods.push(other);
    mesh.put("pods", &pods);
    let misses = near_misses(&mesh, "istio-system/by-class");
    let miss = &misses.iter().find(|miss| miss["short"] == "deploy/istio-ingressgateway").unwrap()["nearMiss"];
    assert!(!miss["change"].as_str().unwrap().contains("kind Gateway, name istio-ingressgateway"), "{miss}");
    mesh.put("pods", &alone);
    // Whatever of these the targetRefs name, nothing brings the plugin to sidecars, nor to pods that could have one.
    let mut pods = mesh.objects("pods");
    let sleep = pods.iter_mut().find(|pod| pod["metadata"]["labels"]["app"] == "sleep").unwrap();
    sleep["spec"]["containers"] = json!([{"name": "sleep", "image": "sleep"}]);
    sleep["spec"]["initContainers"] = json!([]);
    mesh.put("pods", &pods);
    for (group, kind, name) in [
        ("gateway.networking.k8s.io", "GatewayClass", "other"),
        ("gateway.networking.k8s.io", "Gateway", "httpbin"),
        ("", "Service", "httpbin"),
        ("networking.istio.io", "ServiceEntry", "outside"),
    ] {
        for namespace in ["istio-system", "default"] {
            let refs = json!({"targetRefs": [{"group": group, "kind": kind, "name": name}], "url": "oci://r.example.com/a:v1"});
            mesh.put(WASM_PLUGINS, &[object("WasmPlugin", namespace, "by-class", refs)]);
            for miss in near_misses(&mesh, &format!("{namespace}/by-class"))
                .iter()
                .filter(|miss| miss["workload"].as_str().unwrap().starts_with("default/"))
            {
                assert_eq!((&miss["nearMiss"]["change"], &miss["nearMiss"]["distance"]), (&Value::Null, &Value::Null), "{kind}: {miss}");
            }
            let nothing = by_class(&mesh);
            assert!(!nothing["evidence"][0].as_str().unwrap().contains("default/") && !fix(&nothing).contains("app="), "{nothing}");
        }
    }
}

#[test]
fn field_38_of_classes_only_istio_waypoint_counts() {
    let mesh = Recording::of("38-targetref-manual-gateway");
    let class = |name: &str| json!([{"group": "gateway.networking.k8s.io", "kind": "GatewayClass", "name": name}]);
    mesh.put(
        WASM_PLUGINS,
        &[object("WasmPlugin", "istio-system", "by-class", json!({"targetRefs": class("istio"), "url": "oci://r.example.com/a:v1"}))],
    );
    let mut pods = mesh.objects("pods");
    let sidecar = pods.iter().find(|pod| pod["metadata"]["labels"]["app"] == "sleep").unwrap().clone();
    let made = |namespace: &str, name: &str, role: &str| {
        let mut pod = sidecar.clone();
        pod["metadata"] =
            json!({"namespace": namespace, "name": format!("{name}-1"), "labels": {"gateway.networking.k8s.io/gateway-name": name}});
        pod["spec"]["containers"] = json!([{"name": "istio-proxy", "args": ["proxy", role]}]);
        pod["spec"]["initContainers"] = json!([]);
        pod
    };
    let gateway =
        |namespace: &str, name: &str, class: &str| object("Gateway", namespace, name, json!({"gatewayClassName": class, "listeners": []}));
    pods.extend([made("default", "web", "router"), made("default", "wp", "waypoint")]);
    mesh.put("pods", &pods);
    mesh.put("gateways.gateway.networking.k8s.io", &[gateway("default", "web", "istio"), gateway("default", "wp", "istio-waypoint")]);
    let misses = near_misses(&mesh, "istio-system/by-class");
    assert_eq!((&misses[0]["short"], &misses[0]["nearMiss"]["distance"]), (&json!("gateway/web"), &json!(2)), "{}", misses[0]);
    assert_eq!(misses[0]["nearMiss"]["conditions"].as_array().unwrap().len(), 2);
    assert!(misses[0]["nearMiss"]["change"].as_str().unwrap().contains("kind Gateway, name web"), "{}", misses[0]);
    let of_waypoint = |misses: &[Value]| {
        misses.iter().find(|miss| miss["short"] == "gateway/wp").unwrap()["nearMiss"]["change"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        of_waypoint(&misses),
        "target GatewayClass istio-waypoint, or target kind Gateway, name wp, and create the plugin in default"
    );
    // The class would bring it to every waypoint.
    pods.push(made("istio-system", "wp2", "waypoint"));
    mesh.put("pods", &pods);
    assert_eq!(of_waypoint(&near_misses(&mesh, "istio-system/by-class")), "target kind Gateway, name wp, and create the plugin in default");
    let text = mesh.text(&["workloads", "istio-system/by-class", "--near-misses", "-A"]);
    let web = text.split("\n\n").find(|part| part.starts_with("gateway/web")).unwrap();
    assert_eq!(web.matches("\n  fails: ").count(), 2, "both are named: {web}");
}

#[test]
fn field_39_the_order_needs_no_proxy() {
    let mesh = Recording::of("39-priorities");
    let (status, answer, error) = mesh.run(&["order", "deploy/httpbin"]);
    assert_eq!(status, 0, "{error}");
    assert!(error.contains("httpbin-664956bb75-9d64m.default"), "the proxy was not read: {error}");
    let inbound = answer["workloads"][0]["lists"][0]["plugins"].as_array().unwrap();
    let names: Vec<&str> = inbound.iter().map(|plugin| plugin["plugin"].as_str().unwrap()).collect();
    assert_eq!(names, ["default/authn", "default/first", "istio-system/ten", "default/zero", "default/helloworld", "default/unset"]);
    let (status, answer, error) = mesh.run(&["why", "default/helloworld", "deploy/sleep"]);
    assert_eq!((status, &answer["workloads"][0]["attached"]), (0, &json!(false)), "that it does not apply is in the objects: {error}");
    let (status, ..) = mesh.run(&["why", "default/helloworld", "deploy/httpbin"]);
    assert_eq!(status, 3, "how often it is there is not");
}

fn rule_of_subset() -> Value {
    let subset = json!({"name": "v1", "labels": {"version": "v1"}, "trafficPolicy": {"tls": {"mode": "SIMPLE"}}});
    object("DestinationRule", "default", "d", json!({"host": "httpbin.default.svc.cluster.local", "subsets": [subset]}))
}

#[test]
fn live_l6_a_subset_that_no_route_names_breaks_nothing() {
    let mesh = Recording::of("35-dr-subset-tls");
    mesh.put(DESTINATION_RULES, &[rule_of_subset()]);
    let of_subset = |mesh: &Recording| mesh.clients().into_iter().find(|client| client["subset"] == "v1").unwrap();
    assert_eq!(mesh.found("destination-rule-refused"), [] as [Value; 0]);
    let unused = of_subset(&mesh);
    assert_eq!((&unused["verdict"], &unused["routed"]), (&json!("unused"), &json!(false)), "{unused}");
    let to = |subset: &str| json!({"host": "httpbin", "subset": subset});
    let virtual_service = |namespace: &str, spec: Value| object("VirtualService", namespace, "h", spec);
    let hosts = || json!(["httpbin"]);
    let broken = [
        json!({"hosts": hosts(), "http": [{"route": [{"destination": to("v2")}, {"destination": to("v1")}]}]}),
        json!({"hosts": hosts(), "http": [{"route": [{"destination": {"host": "httpbin"}}], "mirror": to("v1")}]}),
        json!({"hosts": hosts(), "http": [{"route": [{"destination": {"host": "httpbin"}}], "mirrors": [{"destination": to("v1")}]}]}),
        json!({"hosts": hosts(), "tcp": [{"route": [{"destination": to("v1")}]}]}),
        json!({"hosts": ["other.example.com"], "tls": [{"route": [{"destination": {"host": "httpbin.default.svc.cluster.local", "subset": "v1", "port": {"number": 8000}}}]}]}),
    ];
    for spec in broken {
        mesh.put("virtualservices.networking.istio.io", &[virtual_service("default", spec.clone())]);
        assert_eq!(of_subset(&mesh)["verdict"], "fails", "{spec}");
        only(mesh.found("destination-rule-refused"), "error");
    }
    let harmless = [
        ("default", json!({"hosts": hosts(), "http": [{"route": [{"destination": to("v2")}]}]})),
        ("default", json!({"http": [{"route": [{"destination": to("v1")}]}]})),
        ("default", json!({"hosts": hosts(), "gateways": ["istio-system/web"], "http": [{"route": [{"destination": to("v1")}]}]})),
        (
            "default",
            json!({"hosts": hosts(), "http": [{"route": [{"destination": {"host": "httpbin", "subset": "v1", "port": {"number": 9000}}}]}]}),
        ),
        ("istio-system", json!({"hosts": hosts(), "http": [{"route": [{"destination": to("v1")}]}]})),
        (
            "istio-system",
            json!({"hosts": ["httpbin.default.svc.cluster.local"], "exportTo": ["."], "http": [{"route": [{"destination": {"host": "httpbin.default.svc.cluster.local", "subset": "v1"}}]}]}),
        ),
    ];
    for (namespace, spec) in harmless {
        mesh.put("virtualservices.networking.istio.io", &[virtual_service(namespace, spec.clone())]);
        assert_eq!(of_subset(&mesh)["verdict"], "unused", "{spec}");
        assert_eq!(mesh.found("destination-rule-refused"), [] as [Value; 0], "{spec}");
    }
    // What could not be read is not known.
    std::fs::remove_file(mesh.0.path("recording/k8s/virtualservices.networking.istio.io.json")).unwrap();
    mesh.write("k8s/unread.json", &json!([{"kind": "virtualservices.networking.istio.io", "why": "no right to list"}]));
    let unknown = of_subset(&mesh);
    assert_eq!((&unknown["verdict"], &unknown["routed"]), (&json!("depends"), &Value::Null), "{unknown}");
    let (_, answer, _) = mesh.run(&["check", "-A"]);
    assert!(answer["notChecked"].to_string().contains("destination-rule-refused"), "{}", answer["notChecked"]);
}

fn plain(namespace: &str, name: &str, url: &str, created: &str) -> Value {
    let mut plugin = object("WasmPlugin", namespace, name, json!({"selector": app("httpbin"), "url": url, "pluginName": name}));
    plugin["metadata"]["creationTimestamp"] = json!(created);
    plugin
}

#[test]
fn live_l13_between_namespaces_the_namespace_decides() {
    let mesh = Recording::of("39-priorities");
    // The root namespace's is the older one, and still runs later.
    let own = plain("default", "own", "oci://r.example.com/a:v1", "2026-11-23T19:37:50Z");
    let root = plain("istio-system", "root", "oci://r.example.com/b:v1", "2026-11-01T00:00:00Z");
    mesh.put(WASM_PLUGINS, &[own.clone(), root.clone()]);
    let tie = only(mesh.found("priority-tie"), "information");
    let why = tie["why"].as_str().unwrap();
    assert!(why.contains("namespace decides") && why.contains("since Istio 1.20") && !why.contains("applied again"), "{tie}");
    assert!(fix(&tie).contains("default/own runs first now"), "{tie}");
    assert!(tie["evidence"][0].as_str().unwrap().contains("comes after default (the proxy's own)"), "{tie}");
    // In one namespace age decides, and who is created again runs later.
    let younger = plain("default", "younger", "oci://r.example.com/c:v1", "2026-11-24T00:00:00Z");
    mesh.put(WASM_PLUGINS, &[own, younger]);
    assert!(only(mesh.found("priority-tie"), "warning")["why"].as_str().unwrap().contains("applied again"));
}

#[test]
fn live_l16_what_mtls_calls_broken_is_a_finding() {
    let mesh = Recording::of("36-dr-disable-for-outsiders");
    mesh.put(DESTINATION_RULES, &[]);
    let headless = |name: &str, app_name: &str| {
        object(
            "Service",
            "default",
            name,
            json!({"clusterIP": "None", "selector": {"app": app_name}, "ports": [{"name": "http-w", "port": 80}]}),
        )
    };
    let policy = |ports: Value| {
        peer_authentication("default", json!({"selector": app("httpbin"), "mtls": {"mode": "STRICT"}, "portLevelMtls": ports}))
    };
    mesh.put(PEER_AUTHENTICATIONS, &[policy(json!({"80": {"mode": "DISABLE"}}))]);
    assert_eq!(mesh.found("mtls-mismatch"), [] as [Value; 0], "of a Service with an address each pod is looked at");
    mesh.add("services", &[headless("head", "httpbin")]);
    let broken = only(mesh.found("mtls-mismatch"), "error");
    assert_eq!(broken["object"], json!({"kind": "Service", "namespace": "default", "name": "head"}));
    assert_eq!(broken["id"], "mtls-mismatch:service/default/head");
    assert!(fix(&broken).contains("PERMISSIVE") && fix(&broken).contains("head.default.svc.cluster.local"), "{broken}");
    assert_eq!(mesh.run(&["check", "-A"]).0, 1);
    // Whatever else breaks it: no label, auto mutual TLS for the namespace, a client that does not know the service.
    let strict = |namespace: &str| peer_authentication(namespace, json!({"mtls": {"mode": "STRICT"}}));
    let mut pods = mesh.objects("pods");
    mesh.put(PEER_AUTHENTICATIONS, &[strict("istio-system")]);
    assert_eq!(mesh.found("mtls-mismatch"), [] as [Value; 0]);
    let httpbin = pods.iter_mut().find(|pod| pod["metadata"]["labels"]["app"] == "httpbin").unwrap();
    httpbin["metadata"]["labels"].as_object_mut().unwrap().remove("security.istio.io/tlsMode");
    mesh.put("pods", &pods);
    let broken = mesh.found("mtls-mismatch");
    assert!(broken.len() == 2 && broken.iter().all(|one| one["severity"] == "error" && fix(one).contains("tlsMode")), "{broken:?}");
    let mesh = Recording::of("36-dr-disable-for-outsiders");
    mesh.put(DESTINATION_RULES, &[]);
    let own = json!({"selector": app("httpbin"), "mtls": {"mode": "STRICT"}});
    let whole = object("PeerAuthentication", "default", "whole", json!({"mtls": {"mode": "DISABLE"}}));
    mesh.put(PEER_AUTHENTICATIONS, &[peer_authentication("default", own), whole]);
    assert!(fix(&only(mesh.found("mtls-mismatch"), "error")).contains("ISTIO_MUTUAL"));
    mesh.put(PEER_AUTHENTICATIONS, &[strict("istio-system")]);
    let narrow = object(
        "Sidecar",
        "default",
        "narrow",
        json!({"workloadSelector": {"labels": {"app": "sleep"}}, "egress": [{"hosts": ["istio-system/*"]}]}),
    );
    mesh.put("sidecars.networking.istio.io", &[narrow]);
    let kept = mesh.found("mtls-mismatch");
    assert!(kept.len() == 2 && kept.iter().all(|one| one["severity"] == "information" && fix(one).contains("egress")), "{kept:?}");
}

#[test]
fn live_l17_a_group_of_plugins_is_one_finding() {
    let mesh = Recording::of("39-priorities");
    let same = |name: &str, created: &str| {
        let mut plugin = plain("default", name, "oci://r.example.com/a:v1", created);
        plugin["spec"]["pluginName"] = json!("add_header");
        plugin
    };
    let seven: Vec<Value> = (0..7).map(|place| same(&format!("p{place}"), &format!("2026-11-2{place}T00:00:00Z"))).collect();
    mesh.put(WASM_PLUGINS, &seven);
    for code in ["same-root-id", "priority-tie"] {
        let all = only(mesh.found(code), "warning");
        assert_eq!((all["plugins"].as_array().unwrap().len(), &all["id"]), (7, &json!(format!("{code}:wasmplugin/default/p6"))), "{all}");
    }
    // Another order of the objects, and other findings beside them, change no id.
    let mut more: Vec<Value> = seven.iter().rev().cloned().collect();
    more.push(plain("default", "zzz", "oci://r.example.com/other:v1", "2026-11-01T00:00:00Z"));
    mesh.put(WASM_PLUGINS, &more);
    assert_eq!(only(mesh.found("same-root-id"), "warning")["id"], "same-root-id:wasmplugin/default/p6");
    // Plugins that meet in no proxy are no group.
    let apart = |place: usize| {
        let mut plugin = same(&format!("p{place}"), "2026-11-20T00:00:00Z");
        plugin["spec"]["selector"] = app(if place < 2 { "httpbin" } else { "sleep" });
        plugin
    };
    mesh.put(WASM_PLUGINS, &(0..4).map(apart).collect::<Vec<_>>());
    let groups = mesh.found("same-root-id");
    let ids: Vec<&str> = groups.iter().map(|group| group["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["same-root-id:wasmplugin/default/p1", "same-root-id:wasmplugin/default/p3"]);
}

#[test]
fn live_l17_many_plugins_take_no_more_than_their_number() {
    let mesh = Recording::of("39-priorities");
    let took = |count: usize| {
        let many: Vec<Value> = (0..count)
            .map(|place| {
                let mut plugin = plain("default", &format!("p{place:04}"), "oci://r.example.com/a:v1", "2026-11-20T00:00:00Z");
                plugin["spec"]["pluginName"] = json!("a");
                plugin
            })
            .collect();
        mesh.put(WASM_PLUGINS, &many);
        let began = Instant::now();
        let (_, answer, _) = mesh.run(&["check", "-A"]);
        let findings = answer["findings"].as_array().unwrap();
        for code in ["same-root-id", "priority-tie"] {
            assert_eq!(findings.iter().filter(|finding| finding["code"] == code).count(), 1, "{code}");
        }
        assert!(answer.to_string().len() < 1000 * count, "{} bytes", answer.to_string().len());
        began.elapsed()
    };
    let (some, many) = (took(150), took(600));
    assert!(many < Duration::from_secs(20) && many < some * 12, "150 took {some:?}, 600 took {many:?}");
}

#[test]
fn live_l18_a_workload_entry_is_no_pod() {
    let mesh = Recording::of("30-port-level-without-selector");
    mesh.put(PEER_AUTHENTICATIONS, &[]);
    let entry = object("WorkloadEntry", "default", "vm1", json!({"address": "192.0.2.50", "labels": {"app": "vm"}}));
    mesh.put("workloadentries.networking.istio.io", &[entry]);
    let (_, answer, error) = mesh.run(&["check", "-A"]);
    let about: Vec<&Value> = answer["findings"].as_array().unwrap().iter().filter(|finding| finding.to_string().contains("vm1")).collect();
    let [finding] = &about[..] else { panic!("{about:?}") };
    assert_eq!((&finding["code"], &finding["severity"]), (&json!("proxy-not-connected"), &json!("information")), "{finding}");
    assert_eq!(finding["object"], json!({"kind": "WorkloadEntry", "namespace": "default", "name": "vm1"}));
    assert!(!answer["notChecked"].to_string().contains("vm1"), "it is said once: {}", answer["notChecked"]);
    assert!(!error.contains("pod vm1"), "{error}");
    assert_eq!(answer["scope"]["proxies"], 2);
}

#[test]
fn hostile_h16_what_rests_on_unread_policies_is_not_known() {
    let mesh = Recording::of("39-priorities");
    mesh.write("k8s/unread.json", &json!([{"kind": PEER_AUTHENTICATIONS, "why": "no right to list"}]));
    std::fs::remove_file(mesh.0.folder().join(format!("recording/k8s/{PEER_AUTHENTICATIONS}.json"))).unwrap_or_default();
    let (_, why, _) = mesh.run(&["why", "default/helloworld", "deploy/httpbin"]);
    let entry = &why["workloads"][0];
    assert_eq!(entry["mtls"], Value::Null);
    assert!(entry["mtlsNote"].as_str().unwrap().contains("PeerAuthentications cannot be read"), "{entry}");
    let text = mesh.text(&["why", "default/helloworld", "deploy/httpbin"]);
    assert!(!text.contains("no PeerAuthentication applies") && text.contains("PeerAuthentications cannot be read"), "{text}");
    let (_, mtls, _) = mesh.run(&["mtls", "deploy/httpbin"]);
    let entry = &mtls["workloads"][0];
    assert_eq!((&entry["mode"], &entry["ports"], &entry["services"]), (&Value::Null, &json!([]), &json!([])));
    assert!(entry["note"].as_str().unwrap().contains("PeerAuthentications cannot be read"), "{entry}");
    assert!(!mesh.text(&["mtls", "deploy/httpbin"]).contains("Istio's default"));
    let (_, workloads, _) = mesh.run(&["workloads"]);
    assert!(
        workloads["workloads"].as_array().unwrap().iter().all(|workload| workload["mtls"].is_null() && workload["mtlsNote"].is_string())
    );
    // What clients send rests on more.
    let mesh = Recording::of("36-dr-disable-for-outsiders");
    std::fs::remove_file(mesh.0.path(&format!("recording/k8s/{DESTINATION_RULES}.json"))).unwrap();
    mesh.write("k8s/unread.json", &json!([{"kind": DESTINATION_RULES, "why": "no right to list"}]));
    let (_, mtls, _) = mesh.run(&["mtls", "deploy/httpbin"]);
    let entry = &mtls["workloads"][0];
    assert_eq!((&entry["mode"], &entry["services"]), (&json!("STRICT"), &json!([])), "{entry}");
    assert!(entry["note"].as_str().unwrap().contains("what clients send"), "{entry}");
}

#[test]
fn hostile_h20_long_labels_are_not_compared_letter_by_letter() {
    let mesh = Recording::of("39-priorities");
    let long = |letter: &str| letter.repeat(60_000);
    let mut pods = mesh.objects("pods");
    for pod in &mut pods {
        pod["metadata"]["labels"]["app"] = json!(long("a"));
        pod["metadata"]["labels"][long("k")] = json!("v");
    }
    mesh.put("pods", &pods);
    let mut plugin = plain("default", "p", "oci://r.example.com/a:v1", "2026-11-20T00:00:00Z");
    plugin["spec"]["selector"] = json!({"matchLabels": {"app": long("b"), long("l"): "v"}});
    mesh.put(WASM_PLUGINS, &[plugin]);
    let began = Instant::now();
    assert_eq!(near_misses(&mesh, "default/p").len(), pods.len());
    assert_eq!(mesh.found("matches-nothing").len(), 1);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
