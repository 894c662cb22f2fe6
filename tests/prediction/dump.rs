//! What a proxy has was changed by hand: each difference is found, at the right chain and in the right words.

use serde_json::{Value, json};

use super::mesh::{HTTPBIN, Mesh, chains, http_filters, is_of, wasm_plugin};

/// The chains of `virtualInbound` under PERMISSIVE, by their places.
const CATCH_ALL_TLS: usize = 1;
const CATCH_ALL_PLAIN: usize = 2;
const PORT_80_TLS: usize = 6;
const PORT_80_PLAIN: usize = 7;

fn inbound(change: impl FnOnce(&mut Vec<Value>)) -> Mesh {
    Mesh::permissive().with_chains(HTTPBIN, "virtualInbound", change)
}

/// The differences, which must be there; why is not to be seen from the dump alone.
fn differences(mesh: &Mesh) -> Value {
    let prediction = mesh.prediction(HTTPBIN, "virtualInbound");
    assert_eq!(prediction["agrees"], false, "{prediction}");
    assert_eq!(prediction["chains"], 8, "what istiod would send stays: {prediction}");
    let causes: Vec<&str> = prediction["causes"].as_array().unwrap().iter().map(|cause| cause["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["unexplained"], "{prediction}");
    prediction["differences"].clone()
}

/// Counted, predicted, and whether they are said to agree.
fn counts(mesh: &Mesh) -> [Value; 3] {
    let why = mesh.why("virtualInbound");
    [why["counted"].clone(), why["predicted"].clone(), why["agrees"].clone()]
}

#[test]
fn a_chain_that_is_gone_is_missed() {
    let mesh = inbound(|chains| drop(chains.remove(PORT_80_PLAIN)));
    let expected = json!([{"chain": null, "meaning": "plain text to port 80", "recognisedBy": "port 80 · raw_buffer", "how": "missing"}]);
    assert_eq!(differences(&mesh), expected);
    assert_eq!(counts(&mesh), [json!(3), json!(4), json!(false)]);
    assert_eq!(mesh.why("virtualInbound")["differences"], expected, "why says the same");
}

#[test]
fn a_chain_too_many_is_named_by_its_place() {
    let mesh = inbound(|chains| {
        let mut more = chains[PORT_80_PLAIN].clone();
        more["filter_chain_match"]["destination_port"] = json!(9999);
        chains.push(more);
    });
    let expected =
        json!([{"chain": 8, "meaning": "plain text to port 9999", "recognisedBy": "port 9999 · raw_buffer", "how": "unexpected"}]);
    assert_eq!(differences(&mesh), expected);
    assert_eq!(counts(&mesh), [json!(5), json!(4), json!(false)]);
}

#[test]
fn a_plugin_that_one_chain_lacks_is_named() {
    let mesh = inbound(|chains| http_filters(&mut chains[CATCH_ALL_TLS]).retain(|filter| !is_of(filter, "default.helloworld")));
    let difference = &differences(&mesh)[0];
    assert_eq!((&difference["chain"], &difference["how"]), (&json!(CATCH_ALL_TLS), &json!("plugins")), "{difference}");
    assert_eq!((&difference["predicted"], &difference["counted"]), (&json!(["default/helloworld"]), &json!([])), "{difference}");
    assert_eq!(counts(&mesh), [json!(3), json!(4), json!(false)]);
}

#[test]
fn a_plugin_that_stands_twice_in_one_chain_is_named() {
    let mesh = inbound(|chains| {
        let filters = http_filters(&mut chains[PORT_80_TLS]);
        let own = filters.iter().find(|filter| is_of(filter, "default.helloworld")).unwrap().clone();
        filters.insert(0, own);
    });
    let difference = &differences(&mesh)[0];
    assert_eq!(difference["chain"], PORT_80_TLS, "{difference}");
    assert_eq!(difference["counted"], json!(["default/helloworld", "default/helloworld"]), "{difference}");
    assert_eq!(counts(&mesh), [json!(5), json!(4), json!(false)]);
}

#[test]
fn plugins_in_another_order_are_a_difference_though_the_counts_are_equal() {
    // A second plugin of the same phase with a priority, so that it runs before helloworld, which has none.
    let first = wasm_plugin("default/first", json!({"selector": {"matchLabels": {"app": "httpbin"}}, "priority": 1}));
    let beside = |chains: &mut Vec<Value>| {
        for chain in chains.iter_mut().filter(|chain| chain.to_string().contains("http_filters")) {
            let filters = http_filters(chain);
            let own = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
            let text = filters[own].to_string().replace("default.helloworld", "default.first");
            filters.insert(own, serde_json::from_str(&text).unwrap());
        }
    };
    let both = || inbound(beside).with([first.clone()]);
    assert_eq!(both().prediction(HTTPBIN, "virtualInbound")["agrees"], true, "{}", both().prediction(HTTPBIN, "virtualInbound"));
    let mesh = both().with_chains(HTTPBIN, "virtualInbound", |chains| {
        let filters = http_filters(&mut chains[CATCH_ALL_PLAIN]);
        let own = filters.iter().position(|filter| is_of(filter, "default.helloworld")).unwrap();
        filters.swap(own - 1, own);
    });
    let difference = &differences(&mesh)[0];
    assert_eq!((&difference["chain"], &difference["how"]), (&json!(CATCH_ALL_PLAIN), &json!("plugins")), "{difference}");
    assert_eq!(difference["predicted"], json!(["default/first", "default/helloworld"]), "{difference}");
    assert_eq!(difference["counted"], json!(["default/helloworld", "default/first"]), "{difference}");
    assert_eq!(counts(&mesh), [json!(4), json!(4), json!(false)], "N alone would not show it");
}

#[test]
fn a_chain_that_speaks_http_no_more_is_named() {
    let mesh = inbound(|chains| {
        let tcp = chains[5]["filters"].to_string().replace("InboundPassthroughCluster", "inbound|80||");
        chains[PORT_80_TLS]["filters"] = serde_json::from_str(&tcp).unwrap();
    });
    let expected = json!([{"chain": PORT_80_TLS, "meaning": "mTLS from the mesh to port 80, TCP",
        "recognisedBy": "port 80 · tls · istio, istio-peer-exchange, istio-http/1.0, istio-http/1.1, istio-h2", "how": "protocol", "http": true}]);
    assert_eq!(differences(&mesh), expected);
    assert_eq!(counts(&mesh), [json!(3), json!(4), json!(false)]);
}

#[test]
fn names_and_the_order_of_chains_do_not_matter() {
    let mesh = inbound(|chains| {
        chains.reverse();
        for (place, chain) in chains.iter_mut().enumerate() {
            chain["name"] = json!(format!("any-{place}"));
            if let Some(alpn) = chain["filter_chain_match"].get_mut("application_protocols").and_then(Value::as_array_mut) {
                alpn.reverse();
            }
        }
    });
    assert_eq!(mesh.prediction(HTTPBIN, "virtualInbound")["agrees"], true);
    assert_eq!(counts(&mesh), [json!(4), json!(4), json!(true)]);
}

#[test]
fn a_listener_that_is_gone_is_absent_and_still_counted_as_none() {
    let mesh = Mesh::permissive().change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
        for section in dump["configs"].as_array_mut().unwrap() {
            if let Some(entries) = section.get_mut("dynamic_listeners").and_then(Value::as_array_mut) {
                entries.retain(|entry| entry["name"] != "virtualInbound" && entry["name"] != "10.96.0.1_443");
            }
        }
    });
    assert_eq!(mesh.proxy(HTTPBIN)["absent"], json!(["10.96.0.1_443", "virtualInbound"]));
    let why = mesh.why("virtualInbound");
    assert_eq!((&why["counted"], &why["predicted"], &why["agrees"]), (&json!(0), &json!(4), &json!(false)), "{why}");
    assert_eq!(why["differences"].as_array().unwrap().len(), 8, "{why}");
}

#[test]
fn a_listener_that_istiod_would_not_send_is_told() {
    let mesh = Mesh::permissive().change(&format!("proxies/{HTTPBIN}/config_dump.json"), |dump| {
        let text = super::mesh::entry(dump, "0.0.0.0_80").to_string().replace("0.0.0.0_80", "0.0.0.0_9999");
        let mut more: Value = serde_json::from_str(&text).unwrap();
        let port = &mut more["active_state"]["listener"]["address"]["socket_address"]["port_value"];
        *port = json!(9999);
        let sections = dump["configs"].as_array_mut().unwrap();
        let section = sections.iter_mut().find(|section| section.get("dynamic_listeners").is_some()).unwrap();
        section["dynamic_listeners"].as_array_mut().unwrap().push(more);
    });
    let prediction = mesh.prediction(HTTPBIN, "0.0.0.0_9999");
    assert_eq!((&prediction["agrees"], &prediction["chains"]), (&json!(false), &json!(0)), "{prediction}");
    let hows: Vec<&str> = prediction["differences"].as_array().unwrap().iter().map(|found| found["how"].as_str().unwrap()).collect();
    assert_eq!(hows, ["unexpected", "unexpected"], "{prediction}");
    let why = mesh.why("0.0.0.0_9999");
    assert_eq!((&why["counted"], &why["predicted"]), (&json!(1), &json!(0)), "{why}");
}

#[test]
fn what_the_text_says_is_what_the_json_says() {
    let mesh = inbound(|chains| drop(chains.remove(PORT_80_PLAIN)));
    let why = mesh.why("virtualInbound");
    let (difference, cause) = (&why["differences"][0], &why["causes"][0]);
    let output = mesh.text(&["why", "default/helloworld", HTTPBIN]);
    let sentence = format!(
        "the proxy lacks the chain for {} ({})",
        difference["meaning"].as_str().unwrap(),
        difference["recognisedBy"].as_str().unwrap()
    );
    let flat = output.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&sentence), "{sentence}\n{output}");
    assert!(flat.contains(cause["why"].as_str().unwrap()), "{cause}\n{output}");
}

#[test]
fn one_listener_is_told_from_another_of_its_name_in_another_state() {
    // The listener warms with a chain less; the active one is as it should be.
    let mesh = Mesh::permissive().with_listener(HTTPBIN, "virtualInbound", |entry| {
        let mut warming = entry["active_state"].clone();
        chains(&mut warming["listener"]).truncate(PORT_80_PLAIN);
        entry["warming_state"] = warming;
    });
    let listeners = mesh.listeners(HTTPBIN);
    let of = |state: &str| {
        let wanted = |listener: &&Value| listener["name"] == "virtualInbound" && listener["state"] == state;
        listeners.iter().find(wanted).unwrap()["prediction"].clone()
    };
    assert_eq!(of("active")["agrees"], true);
    assert_eq!((&of("warming")["agrees"], &of("warming")["differences"][0]["how"]), (&json!(false), &json!("missing")));
}
