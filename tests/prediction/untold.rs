//! Where a prediction cannot be made it says why, naming the object, and the count still stands.

use serde_json::{Value, json};

use super::mesh::{HTTPBIN, Mesh, SLEEP, chains, object, wasm_plugin};
use super::support;

const DNS: &str = "10.96.0.10_53";

fn routes(name: &str, spec: Value) -> Value {
    object("networking.istio.io/v1", "VirtualService", name, spec)
}

/// TCP routes of a host.
fn tcp(hosts: Value) -> Value {
    json!({"hosts": hosts, "tcp": [{"route": [{"destination": {"host": "x"}}]}]})
}

/// The kube-dns listener with a chain that a route for some addresses makes.
fn with_a_routes_chain(mesh: Mesh) -> Mesh {
    mesh.with_chains(HTTPBIN, DNS, |chains| {
        let mut more = chains[0].clone();
        more["filter_chain_match"] = json!({"prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]});
        chains.push(more);
    })
}

#[test]
fn routes_that_are_not_followed_leave_the_chains_without_http_untold() {
    for hosts in [json!(["kube-dns.kube-system.svc.cluster.local"]), json!(["*.kube-system.svc.cluster.local"]), json!(["*"])] {
        let mesh = with_a_routes_chain(Mesh::permissive()).with([routes("default/e-tcp", tcp(hosts.clone()))]);
        let prediction = mesh.prediction(HTTPBIN, DNS);
        assert_eq!((&prediction["agrees"], &prediction["differences"][0]["how"]), (&Value::Null, &json!("unexpected")), "{hosts}");
        let cause = &prediction["causes"][0];
        assert_eq!(cause["cause"], "notPredicted", "{hosts}: {prediction}");
        let why = "VirtualService default/e-tcp has tcp or tls routes for kube-dns.kube-system.svc.cluster.local, which are not predicted";
        assert_eq!(cause["why"], why, "{hosts}");
        assert_eq!(mesh.prediction(HTTPBIN, "0.0.0.0_8000")["agrees"], true, "HTTP is not touched");
    }
}

#[test]
fn routes_of_other_hosts_gateways_or_http_excuse_nothing() {
    let named = |spec: Value| with_a_routes_chain(Mesh::permissive()).with([routes("default/e", spec)]);
    let host = "kube-dns.kube-system.svc.cluster.local";
    let mut of_gateway = tcp(json!([host]));
    of_gateway["gateways"] = json!(["default/web"]);
    let http = json!({"hosts": [host], "http": [{"route": [{"destination": {"host": "x"}}]}]});
    // A name without a dot is of the VirtualService's own namespace.
    for spec in [tcp(json!(["other.example.com"])), tcp(json!(["kube-dns"])), of_gateway, http] {
        let prediction = named(spec.clone()).prediction(HTTPBIN, DNS);
        assert_eq!((&prediction["agrees"], &prediction["causes"][0]["cause"]), (&json!(false), &json!("unexplained")), "{spec}");
    }
    let own = with_a_routes_chain(Mesh::permissive()).with([routes("kube-system/e", tcp(json!(["kube-dns"])))]);
    assert_eq!(own.prediction(HTTPBIN, DNS)["agrees"], Value::Null);
}

#[test]
fn where_tcp_is_untold_a_network_plugin_is_not_predicted_but_http_is() {
    let network = wasm_plugin("default/e-net", json!({"type": "NETWORK", "selector": {"matchLabels": {"app": "httpbin"}}}));
    let mesh = Mesh::permissive().with([routes("default/e-tcp", tcp(json!(["kube-dns.kube-system.svc.cluster.local"]))), network]);
    let answer = mesh.ask(&["why", "default/e-net", HTTPBIN]);
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    let of = |name: &str| listeners.iter().find(|listener| listener["listener"] == name).cloned();
    // It stands nowhere yet, so what is not predicted is not listed; what is predicted is.
    assert_eq!(of(DNS), None);
    let inbound = of("virtualInbound").unwrap();
    assert_eq!((&inbound["counted"], &inbound["predicted"]), (&json!(0), &json!(7)), "{inbound}");
    let mut counted = mesh;
    counted = counted.with_chains(HTTPBIN, DNS, |chains| {
        let name = "extensions.istio.io/trafficextension/default.e-net~istio-translated-wasmplugin";
        let filter =
            json!({"name": name, "config_discovery": {"type_urls": ["type.googleapis.com/envoy.extensions.filters.network.wasm.v3.Wasm"]}});
        chains[0]["filters"].as_array_mut().unwrap().insert(0, filter);
    });
    let answer = counted.ask(&["why", "default/e-net", HTTPBIN]);
    let dns = answer["workloads"][0]["listeners"].as_array().unwrap().iter().find(|listener| listener["listener"] == DNS).unwrap();
    assert_eq!((&dns["counted"], &dns["predicted"]), (&json!(1), &Value::Null), "{dns}");
    assert!(dns["predictionNote"].as_str().unwrap().contains("VirtualService default/e-tcp"), "{dns}");
    assert_eq!(counted.why("0.0.0.0_8000")["predicted"], 1, "an HTTP plugin's count is known");
}

#[test]
fn a_sidecar_with_egress_listeners_of_its_own_leaves_the_outbound_side_untold() {
    let egress = |egress: Value| {
        object(
            "networking.istio.io/v1",
            "Sidecar",
            "default/e-sidecar",
            json!({"workloadSelector": {"labels": {"app": "httpbin"}}, "egress": [egress]}),
        )
    };
    for declared in [
        json!({"port": {"number": 9080, "protocol": "HTTP", "name": "http"}, "hosts": ["./*"]}),
        json!({"bind": "127.0.0.1", "hosts": ["*/*"]}),
        json!({"captureMode": "NONE", "hosts": ["*/*"]}),
    ] {
        let mesh = Mesh::permissive().with([egress(declared.clone())]);
        let note = "Sidecar default/e-sidecar declares egress listeners of its own, which are not predicted";
        for name in ["0.0.0.0_8000", "virtualOutbound", DNS] {
            let prediction = mesh.prediction(HTTPBIN, name);
            assert_eq!((&prediction["agrees"], &prediction["note"]), (&Value::Null, &json!(note)), "{declared} {name}");
        }
        assert_eq!(mesh.proxy(HTTPBIN)["absent"], json!([]), "{declared}");
        assert_eq!(mesh.why("virtualInbound")["predicted"], 4, "{declared}");
        let outbound = mesh.why("0.0.0.0_8000");
        assert_eq!((&outbound["counted"], &outbound["predicted"], &outbound["predictionNote"]), (&json!(1), &Value::Null, &json!(note)));
        assert_eq!(mesh.prediction(SLEEP, "0.0.0.0_8000")["agrees"], true, "it is for another workload");
    }
    // Hosts alone narrow what is known, and that is predicted.
    let narrow = Mesh::permissive().with([egress(json!({"hosts": ["./*"]}))]);
    assert_eq!(narrow.prediction(HTTPBIN, "0.0.0.0_8000")["agrees"], true);
    assert_eq!(narrow.prediction(HTTPBIN, DNS)["chains"], 0, "it is in a namespace that is not imported");
}

/// Says that a kind could not be read.
fn unread(mesh: Mesh, kind: &str) -> Mesh {
    mesh.write("k8s/unread.json", json!([{"kind": kind, "why": "forbidden"}]).to_string())
}

#[test]
fn a_kind_that_could_not_be_read_is_named() {
    for kind in ["Service", "PeerAuthentication", "Sidecar", "ServiceEntry", "EnvoyFilter", "TrafficExtension"] {
        let mesh = unread(if kind == "Service" { Mesh::permissive().without("k8s/services.json") } else { Mesh::permissive() }, kind);
        let proxy = mesh.proxy(HTTPBIN);
        let note = proxy["predictionNote"].as_str().unwrap_or_else(|| panic!("{kind}"));
        assert!(note.contains("could not be read"), "{kind}: {note}");
        assert!(proxy["listeners"].as_array().unwrap().iter().all(|listener| listener["prediction"].is_null()), "{kind}");
        assert_eq!(proxy["absent"], json!([]), "{kind}");
        let why = mesh.why("virtualInbound");
        assert_eq!((&why["counted"], &why["predicted"], &why["predictedByMode"]), (&json!(4), &Value::Null, &Value::Null), "{kind}");
        assert_eq!(why["predictionNote"], note, "{kind}");
    }
}

#[test]
fn without_routes_only_the_chains_without_http_are_untold() {
    let mesh = unread(with_a_routes_chain(Mesh::permissive()), "VirtualService");
    let prediction = mesh.prediction(HTTPBIN, DNS);
    assert_eq!((&prediction["agrees"], &prediction["causes"][0]["cause"]), (&Value::Null, &json!("notPredicted")), "{prediction}");
    assert!(prediction["causes"][0]["why"].as_str().unwrap().starts_with("VirtualServices could not be read"), "{prediction}");
    assert_eq!(mesh.why("virtualInbound")["predicted"], 4);
    assert_eq!(mesh.prediction(HTTPBIN, "0.0.0.0_8000")["agrees"], true);
}

#[test]
fn a_lone_dump_has_counts_and_no_prediction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, &support::files("permissive")[&format!("proxies/{HTTPBIN}/config_dump.json")]).unwrap();
    let from = ["--from", path.to_str().unwrap()];
    let chains = support::json(&[&["chains"][..], &from].concat());
    let note = "a lone config dump has no objects to predict from";
    assert_eq!(chains["proxies"][0]["predictionNote"], note);
    let why = support::json(&[&["why", "default/helloworld"][..], &from].concat());
    let listener = why["workloads"][0]["listeners"].as_array().unwrap().iter().find(|listener| listener["port"] == 15006).unwrap();
    assert_eq!((&listener["counted"], &listener["predicted"], &listener["predictionNote"]), (&json!(4), &Value::Null, &json!(note)));
}

#[test]
fn a_pod_that_is_not_known_is_predicted_by_what_its_node_says() {
    let mesh = Mesh::permissive().change("k8s/pods.json", |list| {
        list["items"].as_array_mut().unwrap().retain(|pod| !HTTPBIN.starts_with(pod["metadata"]["name"].as_str().unwrap()));
    });
    let answer = mesh.ask(&["chains"]);
    let proxies = answer["proxies"].as_array().unwrap();
    let of = |proxy: &str| proxies.iter().find(|found| found["proxy"] == proxy).map(|found| found["predictionNote"].clone());
    assert_eq!(of(SLEEP), Some(Value::Null));
    assert_eq!(of(HTTPBIN), Some(Value::Null));
    let warnings = answer["warnings"].as_array().unwrap();
    let named = warnings.iter().any(|warning| warning.to_string().contains(HTTPBIN.split('.').next().unwrap()));
    assert!(named, "what the answer rests on is said: {warnings:?}");
}

/// The proxy's own words, changed.
fn node(mesh: Mesh, change: impl FnOnce(&mut Value)) -> Mesh {
    mesh.change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
        let sections = dump["configs"].as_array_mut().unwrap();
        change(&mut sections.iter_mut().find_map(|section| section.get_mut("bootstrap")).unwrap()["node"]["metadata"]);
    })
}

#[test]
fn a_proxy_that_intercepts_nothing_is_untold_outbound_and_has_no_virtual_inbound() {
    let mesh = node(Mesh::permissive(), |metadata| metadata["INTERCEPTION_MODE"] = json!("NONE"));
    let outbound = mesh.prediction(HTTPBIN, "0.0.0.0_8000");
    assert!(outbound["note"].as_str().unwrap().contains("interception mode NONE"), "{outbound}");
    let inbound = mesh.prediction(HTTPBIN, "virtualInbound");
    assert_eq!((&inbound["agrees"], &inbound["chains"]), (&json!(false), &json!(0)), "{inbound}");
}

#[test]
fn addresses_that_an_old_istiod_keeps_to_itself_are_untold() {
    let entry = object(
        "networking.istio.io/v1",
        "ServiceEntry",
        "default/e-se",
        json!({"hosts": ["a.example.com"], "resolution": "DNS", "ports": [{"number": 9191, "name": "tcp", "protocol": "TCP"}]}),
    );
    let captures = |mesh: Mesh| {
        node(mesh.with([entry.clone()]), |metadata| {
            metadata["DNS_CAPTURE"] = json!("true");
            metadata["DNS_AUTO_ALLOCATE"] = json!("true");
        })
    };
    let at = |mesh: Mesh, address: &str| {
        mesh.change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
            let text = super::mesh::entry(dump, DNS).to_string().replace(DNS, &format!("{address}_9191"));
            let sections = dump["configs"].as_array_mut().unwrap();
            let section = sections.iter_mut().find(|section| section.get("dynamic_listeners").is_some()).unwrap();
            section["dynamic_listeners"].as_array_mut().unwrap().push(serde_json::from_str(&text).unwrap());
        })
    };
    let old = at(captures(Mesh::permissive()), "240.240.0.1").write("istiod/version.txt", "1.22.3-x-Clean");
    let prediction = old.prediction(HTTPBIN, "240.240.0.1_9191");
    assert_eq!(prediction["note"], "istiod allots addresses to ServiceEntries in its memory, where nothing shows them");
    assert_eq!(old.proxy(HTTPBIN)["absent"], json!([]), "it is on none of the others");
    // From 1.25 on the address stands in the object's status.
    let mut assigned = entry.clone();
    assigned["status"] =
        json!({"addresses": [{"host": "a.example.com", "value": "2001:2::1"}, {"host": "a.example.com", "value": "240.240.0.7"}]});
    let new = node(at(Mesh::permissive().with([assigned]), "240.240.0.7"), |metadata| metadata["DNS_CAPTURE"] = json!("true"));
    assert_eq!(new.prediction(HTTPBIN, "240.240.0.7_9191")["agrees"], true);
    assert_eq!(new.proxy(HTTPBIN)["absent"], json!([]));
}

#[test]
fn endpoints_and_names_that_are_not_read_are_told() {
    let headless = object(
        "v1",
        "Service",
        "default/e-headless",
        json!({"clusterIP": "None", "ports": [{"name": "tcp", "port": 7012, "targetPort": 7012, "protocol": "TCP"}]}),
    );
    let listening = |mesh: Mesh| {
        mesh.change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
            let text = super::mesh::entry(dump, DNS).to_string().replace(DNS, "10.50.0.1_7012");
            let sections = dump["configs"].as_array_mut().unwrap();
            let section = sections.iter_mut().find(|section| section.get("dynamic_listeners").is_some()).unwrap();
            section["dynamic_listeners"].as_array_mut().unwrap().push(serde_json::from_str(&text).unwrap());
        })
    };
    let mesh = listening(Mesh::permissive().with([headless]));
    assert_eq!(
        mesh.prediction(HTTPBIN, "10.50.0.1_7012")["note"],
        "Service default/e-headless selects no pods, and its EndpointSlices are not read"
    );
    assert_eq!(mesh.prediction(HTTPBIN, DNS)["agrees"], true);

    let entry = object(
        "networking.istio.io/v1",
        "ServiceEntry",
        "default/e-se",
        json!({"hosts": ["a.example.com"], "resolution": "DNS", "ports": [{"number": 53, "name": "tls", "protocol": "TLS"}]}),
    );
    let alias = object("v1", "Service", "default/e-alias", json!({"type": "ExternalName", "externalName": "a.example.com"}));
    let mesh = Mesh::permissive().with([entry, alias]).change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
        let mut listener: Value =
            serde_json::from_str(&super::mesh::entry(dump, "0.0.0.0_80").to_string().replace("0.0.0.0_80", "0.0.0.0_53")).unwrap();
        let filters = super::mesh::entry(dump, DNS)["active_state"]["listener"]["filter_chains"][0]["filters"].clone();
        let chain = &mut chains(&mut listener["active_state"]["listener"])[0];
        *chain = json!({"filter_chain_match": {"server_names": ["a.example.com", "e-alias.default"]}, "filters": filters});
        let sections = dump["configs"].as_array_mut().unwrap();
        let section = sections.iter_mut().find(|section| section.get("dynamic_listeners").is_some()).unwrap();
        section["dynamic_listeners"].as_array_mut().unwrap().push(listener);
    });
    let prediction = mesh.prediction(HTTPBIN, "0.0.0.0_53");
    assert_eq!((&prediction["agrees"], &prediction["causes"][0]["cause"]), (&Value::Null, &json!("notPredicted")), "{prediction}");
    assert!(prediction["causes"][0]["why"].as_str().unwrap().starts_with("Service default/e-alias is another name for a.example.com"));
}
