//! Envoy's choice of a filter chain: on listeners made for one rule each, on random ones against another way to write the
//! same rules, and on every chain of every recording.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeSet;
use std::net::IpAddr;

use meshscope::analysis::connection::{self, Asked, Criterion, NoListener, Outcome, Seen, Verdict};
use meshscope::analysis::placement::{self, ListenerDirection};
use meshscope::ingest::config_dump;
use meshscope::model::envoy::{ConfigDump, DumpView, Listener, ListenerState};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A dump with these listeners, all active.
fn dump(listeners: &[Value]) -> ConfigDump {
    let states: Vec<Value> = listeners.iter().map(|listener| json!({"active_state": {"listener": listener}})).collect();
    let section = json!({"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": states});
    config_dump::parse(json!({"configs": [section]}).to_string().as_bytes(), DumpView::Proxy, "dump").unwrap().dump
}

/// A listener with these chains, each by its match.
fn listener(matches: &[Value]) -> Listener {
    let chains: Vec<Value> = matches.iter().map(|matches| json!({"filter_chain_match": matches})).collect();
    dump(&[json!({"name": "l", "filter_chains": chains})]).listeners.remove(0)
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// Plain bytes to 10.0.0.5:80 from 10.9.9.9:4000.
fn plain() -> Seen {
    Seen {
        port: 80,
        address: ip("10.0.0.5"),
        server_name: Some(String::new()),
        transport_protocol: "raw_buffer",
        application_protocols: Vec::new(),
        source: ip("10.9.9.9"),
        source_port: Some(4000),
        unseen: Vec::new(),
    }
}

fn tls(sni: &str, alpn: &[&str]) -> Seen {
    let application_protocols = alpn.iter().map(|name| (*name).to_owned()).collect();
    Seen { server_name: Some(sni.to_owned()), transport_protocol: "tls", application_protocols, ..plain() }
}

fn prefix(range: &str) -> Value {
    let (address, length) = range.split_once('/').unwrap();
    json!({"address_prefix": address, "prefix_len": length.parse::<u32>().unwrap()})
}

fn taken(matches: &[Value], seen: &Seen) -> Option<usize> {
    let verdict = connection::take(&listener(matches), seen);
    assert_ne!(verdict.outcome, Outcome::Unknown, "{}", verdict.why);
    verdict.chain
}

#[test]
fn the_most_specific_server_name_goes_first() {
    let chains = ["www.example.com", "*.example.com", "*.com", ""]
        .map(|name| if name.is_empty() { json!({}) } else { json!({"server_names": [name]}) });
    for (sni, expected) in [
        ("www.example.com", 0),
        ("api.example.com", 1),
        ("a.b.example.com", 1),
        ("example.com", 2),
        ("com", 3),
        ("example.org", 3),
        ("", 3),
    ] {
        assert_eq!(taken(&chains, &tls(sni, &[])), Some(expected), "{sni}");
    }
    assert_eq!(taken(&[json!({"server_names": ["WWW.Example.com"]})], &tls("www.example.com", &[])), Some(0), "case does not matter");
    assert_eq!(taken(&chains[..1], &tls("www.example.org", &[])), None);
}

#[test]
fn the_longest_prefix_goes_first() {
    let chains = ["10.0.0.0/8", "10.0.0.5/32", "0.0.0.0/0", "fd00::/16"].map(|range| json!({"prefix_ranges": [prefix(range)]}));
    for (address, expected) in
        [("10.0.0.5", Some(1)), ("10.0.0.6", Some(0)), ("11.0.0.1", Some(2)), ("fd00::1", Some(3)), ("fe00::1", None)]
    {
        assert_eq!(taken(&chains, &Seen { address: ip(address), ..plain() }), expected, "{address}");
    }
    let both = [json!({"prefix_ranges": [prefix("10.0.0.0/8"), prefix("10.0.0.4/30")]}), json!({"prefix_ranges": [prefix("10.0.0.0/16")]})];
    assert_eq!(taken(&both, &plain()), Some(0), "a chain counts by the narrowest of its ranges");
}

#[test]
fn the_clients_first_protocol_that_a_chain_names_goes_first() {
    let chains = [json!({"application_protocols": ["h2"]}), json!({"application_protocols": ["http/1.1", "h3"]}), json!({})];
    for (alpn, expected) in [(&["h2", "http/1.1"][..], 0), (&["http/1.1", "h2"], 1), (&["h4", "h3", "h2"], 1), (&["h4"], 2), (&[], 2)] {
        assert_eq!(taken(&chains, &tls("", alpn)), Some(expected), "{alpn:?}");
    }
}

#[test]
fn sources_are_looked_at_last() {
    let chains = [
        json!({"source_prefix_ranges": [prefix("10.9.0.0/16")], "source_ports": [4000, 4001]}),
        json!({"source_prefix_ranges": [prefix("10.9.0.0/16")]}),
        json!({"direct_source_prefix_ranges": [prefix("10.9.9.0/24")], "source_type": "EXTERNAL"}),
        json!({}),
    ];
    // The direct source comes before the source type and the source, however narrow these are.
    assert_eq!(taken(&chains, &plain()), Some(2));
    assert_eq!(taken(&chains, &Seen { source: ip("10.9.8.1"), ..plain() }), Some(0));
    assert_eq!(taken(&chains, &Seen { source: ip("10.9.8.1"), source_port: Some(5000), ..plain() }), Some(1));
    assert_eq!(taken(&chains, &Seen { source: ip("10.8.8.1"), ..plain() }), Some(3));
    let types = [json!({"source_type": "SAME_IP_OR_LOOPBACK"}), json!({"source_type": "EXTERNAL"}), json!({})];
    for (source, expected) in [("127.0.0.1", 0), ("::1", 0), ("10.0.0.5", 0), ("127.0.0.2", 1), ("10.9.9.9", 1)] {
        assert_eq!(taken(&types, &Seen { source: ip(source), ..plain() }), Some(expected), "{source}");
    }
    assert_eq!(taken(&[types[0].clone(), types[2].clone()], &plain()), Some(1), "what names no type takes the rest");
}

#[test]
fn there_is_no_way_back() {
    // Port 80 is chosen first, though nothing of it takes TLS.
    let chains = [json!({"destination_port": 80, "transport_protocol": "raw_buffer"}), json!({"transport_protocol": "tls"}), json!({})];
    let verdict = connection::take(&listener(&chains), &tls("", &[]));
    assert_eq!((verdict.outcome, verdict.chain), (Outcome::Closed, None));
    assert_eq!(
        verdict.why,
        "No filter chain matches; Envoy closes the connection. Chains 1, 2 would match, but the chains for destination port 80 were chosen \
         before, and Envoy does not go back."
    );
    assert_eq!(losses(&verdict), [(0, Criterion::TransportProtocol), (1, Criterion::DestinationPort), (2, Criterion::DestinationPort)]);
    assert_eq!(taken(&chains, &Seen { port: 81, ..tls("", &[]) }), Some(1));
    // The same at a later criterion, where a chain that falls out anyway is not blamed.
    let chains =
        [json!({"server_names": ["a.b"], "application_protocols": ["h2"]}), json!({"server_names": ["*.b"]}), json!({"source_ports": [1]})];
    let verdict = connection::take(&listener(&chains), &tls("a.b", &["http/1.1"]));
    assert!(
        verdict.why.ends_with("Chain 1 would match, but the chains for SNI a.b were chosen before, and Envoy does not go back."),
        "{}",
        verdict.why
    );
}

fn losses(verdict: &Verdict) -> Vec<(usize, Criterion)> {
    verdict.losses.iter().map(|loss| (loss.chain, loss.at)).collect()
}

#[test]
fn what_no_chain_takes_goes_to_the_default_chain() {
    let raw = json!({"name": "l", "filter_chains": [{"filter_chain_match": {"destination_port": 80, "transport_protocol": "tls"}}, {}],
        "default_filter_chain": {"name": "rest"}});
    let listener = dump(&[raw]).listeners.remove(0);
    let verdict = connection::take(&listener, &plain());
    assert_eq!((verdict.outcome, verdict.chain), (Outcome::Default, Some(2)), "the catch-all is passed over all the same");
    assert!(verdict.why.contains("Chain 1 would match"), "{}", verdict.why);
    let verdict = connection::take(&listener, &tls("", &[]));
    assert_eq!((verdict.outcome, verdict.chain), (Outcome::Chain, Some(0)));
    assert_eq!(losses(&verdict), [(1, Criterion::DestinationPort), (2, Criterion::Default)]);
}

#[test]
fn what_is_not_known_and_matters_is_named() {
    let unknown = |matches: &[Value], seen: Seen| {
        let verdict = connection::take(&listener(matches), &seen);
        assert_eq!((verdict.outcome, verdict.chain), (Outcome::Unknown, None));
        verdict.why
    };
    let range = json!({"prefix_ranges": [prefix("10.0.0.0/8")]});
    assert!(unknown(&[range.clone(), json!({})], Seen { address: None, ..plain() }).contains("destination address; say address=IP"));
    assert_eq!(taken(&[range, json!({"destination_port": 80})], &Seen { address: None, ..plain() }), Some(1), "it does not matter here");
    let sni = unknown(&[json!({"server_names": ["a"]}), json!({"destination_port": 9})], Seen { server_name: None, ..tls("", &[]) });
    assert_eq!(sni, "It cannot be told: it depends on the SNI; say sni=HOST, or sni=none. Chain 0 may take it.");
    assert!(unknown(&[json!({"source_ports": [1]})], Seen { source_port: None, ..plain() }).contains("source=IP:PORT"));
    assert!(unknown(&[json!({"source_type": "EXTERNAL"})], Seen { source: None, ..plain() }).contains("source=IP"));
    assert!(unknown(&[json!({"moon": "full"}), json!({})], plain()).contains("what chain 0 has in its match: moon=\"full\""));
    assert!(unknown(&[json!({}), json!({})], plain()).contains("they match alike"));
    assert!(unknown(&[json!({"prefix_ranges": [prefix("10.x/8")]})], plain()).contains("10.x/8"));
}

/// A waypoint's listener, as `core/listener_waypoint.go: buildWaypointInternal` makes it.
fn waypoint(on_no_match: Value) -> Listener {
    let to = |chain: &str| json!({"action": {"name": chain, "typed_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": chain}}});
    let input = |name: &str, kind: &str| json!({"name": name, "typed_config": {"@type": format!("type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.{kind}")}});
    let protocol = json!({"matcher": {"matcher_tree": {"input": input("application-protocol", "ApplicationProtocolInput"),
        "exact_match_map": {"map": {"'h2c'": to("http"), "'http/1.1'": to("http")}}}, "on_no_match": to("tcp")}});
    let ports = json!({"matcher": {"matcher_tree": {"input": input("port", "DestinationPortInput"),
        "exact_match_map": {"map": {"80": to("http"), "81": protocol}}}}});
    let direct = json!({"matcher": {"matcher_tree": {"input": input("application-protocol", "ApplicationProtocolInput"),
        "exact_match_map": {"map": {"'http/1.1'": to("direct-http")}}}, "on_no_match": to("direct-tcp")}});
    let mut matcher = json!({"matcher_tree": {"input": input("ip", "DestinationIPInput"), "custom_match": {"name": "ip", "typed_config": {
        "@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher", "range_matchers": [
            {"ranges": [prefix("10.96.0.1/32"), prefix("fd00::1/128")], "on_match": ports}, {"ranges": [prefix("10.0.0.0/8")], "on_match": direct}]}}}});
    if !on_no_match.is_null() {
        matcher["on_no_match"] = on_no_match;
    }
    let chains: Vec<Value> = ["http", "tcp", "direct-http", "direct-tcp", "none"].iter().map(|name| json!({"name": name})).collect();
    let raw = json!({"name": "main_internal", "internal_listener": {}, "filter_chains": chains, "filter_chain_matcher": matcher,
        "listener_filters": [{"name": "envoy.filters.listener.http_inspector"}]});
    dump(&[raw]).listeners.remove(0)
}

#[test]
fn a_matcher_picks_by_address_port_and_protocol() {
    let listener = waypoint(Value::Null);
    let seen = |address: &str, port, protocols: &[&str]| {
        let application_protocols = protocols.iter().map(|name| (*name).to_owned()).collect();
        Seen { address: ip(address), port, application_protocols, ..plain() }
    };
    for (seen, expected) in [
        (seen("10.96.0.1", 80, &[]), Some(0)),
        (seen("fd00::1", 81, &["h2c"]), Some(0)),
        (seen("10.96.0.1", 81, &["http/1.0"]), Some(1)),
        (seen("10.96.0.1", 81, &[]), Some(1)),
        // A port that the service has not is left to the next wider range.
        (seen("10.96.0.1", 82, &["http/1.1"]), Some(2)),
        (seen("10.0.0.7", 82, &["h2c"]), Some(3)),
        (seen("11.0.0.7", 80, &[]), None),
    ] {
        let verdict = connection::take(&listener, &seen);
        assert_eq!(verdict.chain, expected, "{seen:?}: {}", verdict.why);
    }
    let verdict = connection::take(&listener, &seen("10.96.0.1", 81, &["h2c"]));
    assert_eq!(verdict.why, "The listener's matcher picks it: address is 10.96.0.1/32 or fd00::1/128, port is 81, protocol is 'h2c'.");
    assert_eq!(
        losses(&verdict),
        [(1, Criterion::Matcher), (2, Criterion::ApplicationProtocol), (3, Criterion::Matcher), (4, Criterion::Matcher)]
    );
    assert_eq!(verdict.losses[1].why, "is for address is 10.0.0.0/8, protocol is 'http/1.1'; the connection has application protocol h2c");
    let verdict = connection::take(&listener, &Seen { address: None, ..plain() });
    assert_eq!((verdict.outcome, verdict.losses.len()), (Outcome::Unknown, 0));
    assert!(verdict.why.contains("address=IP"), "{}", verdict.why);
}

#[test]
fn a_matcher_that_is_not_understood_is_not_guessed() {
    let odd = json!({"matcher": {"matcher_tree": {"input": {"name": "authority-filter-state"}, "exact_match_map": {"map": {"a": {"action": {"name": "tcp"}}}}}}});
    let listener = waypoint(odd);
    let verdict = connection::take(&listener, &Seen { address: ip("11.0.0.7"), ..plain() });
    assert_eq!(verdict.outcome, Outcome::Unknown);
    assert!(verdict.why.contains("authority-filter-state"), "{}", verdict.why);
    // Where another way leads on first, it is not looked at.
    assert_eq!(connection::take(&listener, &Seen { address: ip("10.96.0.1"), ..plain() }).chain, Some(0));
    let gone = waypoint(json!({"action": {"name": "gone"}}));
    let verdict = connection::take(&gone, &Seen { address: ip("11.0.0.7"), ..plain() });
    assert_eq!((verdict.outcome, verdict.chain), (Outcome::Closed, None));
    assert!(verdict.why.contains("picks gone, which is no chain of it"), "{}", verdict.why);
}

fn socket(name: &str, address: &str, port: u16, more: Value) -> Value {
    let mut listener = json!({"name": name, "address": {"socket_address": {"address": address, "port_value": port}}});
    listener.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    listener
}

#[test]
fn the_listener_is_the_redirects_or_the_destinations() {
    let outbound = || json!({"traffic_direction": "OUTBOUND", "bind_to_port": false});
    let mut dual = outbound();
    dual["additional_addresses"] = json!([{"address": {"socket_address": {"address": "::", "port_value": 8000}}}]);
    let dump = dump(&[
        socket("virtualInbound", "0.0.0.0", 15006, json!({"traffic_direction": "INBOUND"})),
        socket("virtualOutbound", "0.0.0.0", 15001, json!({"traffic_direction": "OUTBOUND", "use_original_dst": true})),
        socket("10.0.0.5_9090", "10.0.0.5", 9090, json!({"traffic_direction": "INBOUND"})),
        socket("10.96.0.1_443", "10.96.0.1", 443, outbound()),
        socket("0.0.0.0_80", "0.0.0.0", 80, outbound()),
        socket("0.0.0.0_8000", "0.0.0.0", 8000, dual),
    ]);
    let chosen = |text: &str, direction| {
        let asked: Asked = text.parse().unwrap();
        connection::choose(&dump, &connection::assume(&asked, direction, &[])).map(|chosen| chosen.listener.name.clone())
    };
    for (text, direction, expected) in [
        ("port=80", ListenerDirection::Inbound, "virtualInbound"),
        ("port=9090", ListenerDirection::Inbound, "10.0.0.5_9090"),
        ("port=9090,address=10.0.0.6", ListenerDirection::Inbound, "virtualInbound"),
        ("port=80", ListenerDirection::Outbound, "0.0.0.0_80"),
        ("port=80,address=fd00::1", ListenerDirection::Outbound, "virtualOutbound"),
        ("port=8000,address=fd00::1", ListenerDirection::Outbound, "0.0.0.0_8000"),
        ("port=443,address=10.96.0.1", ListenerDirection::Outbound, "10.96.0.1_443"),
        ("port=443,address=10.96.0.2", ListenerDirection::Outbound, "virtualOutbound"),
        ("port=9999", ListenerDirection::Outbound, "virtualOutbound"),
        ("port=9090", ListenerDirection::Gateway, "10.0.0.5_9090"),
    ] {
        assert_eq!(chosen(text, direction).as_deref(), Ok(expected), "{text} {direction:?}");
    }
    assert!(
        matches!(chosen("port=443", ListenerDirection::Outbound), Err(NoListener::Unknown(why)) if why.contains("10.96.0.1_443; say address=IP"))
    );
    assert!(matches!(chosen("port=80", ListenerDirection::Gateway), Err(NoListener::None(_))), "a gateway hands nothing over");
    assert!(
        matches!(chosen("port=80", ListenerDirection::Waypoint), Err(NoListener::None(why)) if why.contains("main_internal, and there is none"))
    );
}

/// Any match of few values, so that chains meet at every criterion.
fn any_match() -> impl Strategy<Value = Value> {
    let some = |key: &'static str, values: Vec<Value>| prop_oneof![2 => Just(None), 3 => proptest::sample::select(values).prop_map(move |value| Some((key, value)))];
    let parts = (
        some("destination_port", vec![json!(80), json!(81)]),
        some("prefix_ranges", vec![json!([prefix("10.0.0.0/8")]), json!([prefix("10.0.0.5/32"), prefix("fd00::/8")])]),
        some("server_names", vec![json!(["a.b.c"]), json!(["*.b.c"]), json!(["*.c", "x.y"])]),
        some("transport_protocol", vec![json!("tls"), json!("raw_buffer")]),
        some("application_protocols", vec![json!(["h2"]), json!(["http/1.1", "istio"])]),
        some("source_prefix_ranges", vec![json!([prefix("10.9.0.0/16")]), json!([prefix("10.9.9.9/32")])]),
        some("source_ports", vec![json!([4000]), json!([4001, 4002])]),
    );
    parts.prop_map(|(a, b, c, d, e, f, g)| {
        let fields = [a, b, c, d, e, f, g].into_iter().flatten().map(|(key, value)| (key.to_owned(), value));
        Value::Object(fields.collect())
    })
}

fn any_connection() -> impl Strategy<Value = Seen> {
    let names = |all: &'static [&'static str]| proptest::sample::select(all);
    (
        proptest::sample::select(vec![80_u16, 81, 82]),
        names(&["10.0.0.5", "10.0.0.6", "fd00::1", "11.0.0.1"]),
        names(&["", "a.b.c", "z.b.c", "b.c", "x.y"]),
        any::<bool>(),
        proptest::sample::subsequence(vec!["istio", "h2", "http/1.1"], 0..=3).prop_shuffle(),
        names(&["10.9.9.9", "10.9.1.1", "12.0.0.1"]),
        4000_u16..4004,
    )
        .prop_map(|(port, address, sni, is_tls, alpn, source, source_port)| Seen {
            port,
            address: ip(address),
            source: ip(source),
            source_port: Some(source_port),
            transport_protocol: if is_tls { "tls" } else { "raw_buffer" },
            ..tls(sni, &alpn)
        })
}

/// What each chain is filed under at a criterion, as Envoy's nested maps have it; empty for what names nothing.
fn keys(matches: &Value, field: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let one = |value: &Value| match value.get("address_prefix") {
        Some(address) => format!("{}/{}", text(address), value["prefix_len"]),
        None => text(value).trim_start_matches('*').to_owned(),
    };
    match matches.get(field) {
        None => vec![String::new()],
        Some(Value::Array(values)) => values.iter().map(one).collect(),
        Some(value) => vec![one(value)],
    }
}

/// The keys that Envoy looks up for a connection, in its order.
fn looked_up(field: &str, seen: &Seen) -> Vec<String> {
    let ranges = |address: Option<IpAddr>| match address.unwrap() {
        IpAddr::V4(address) => (1..=32)
            .rev()
            .map(|length| (u32::from(address) & (u32::MAX << (32 - length)), length))
            .map(|(start, length)| format!("{}/{length}", std::net::Ipv4Addr::from(start)))
            .collect::<Vec<_>>(),
        IpAddr::V6(address) => (1..=128)
            .rev()
            .map(|length| (u128::from(address) & (u128::MAX << (128 - length)), length))
            .map(|(start, length)| format!("{}/{length}", std::net::Ipv6Addr::from(start)))
            .collect(),
    };
    let mut keys = match field {
        "destination_port" => vec![seen.port.to_string()],
        "prefix_ranges" => ranges(seen.address),
        "source_prefix_ranges" => ranges(seen.source),
        "server_names" => {
            let name = seen.server_name.as_deref().unwrap();
            std::iter::once(name).chain(name.match_indices('.').map(|(dot, _)| &name[dot..])).map(str::to_owned).collect()
        }
        "transport_protocol" => vec![seen.transport_protocol.to_owned()],
        "application_protocols" => seen.application_protocols.clone(),
        _ => vec![seen.source_port.unwrap().to_string()],
    };
    keys.push(String::new());
    keys
}

/// The chains that are left when Envoy has looked everything up: its nested maps, one level after the other.
fn left(chains: &[Value], seen: &Seen) -> BTreeSet<usize> {
    let mut left: BTreeSet<usize> = (0..chains.len()).collect();
    for field in [
        "destination_port",
        "prefix_ranges",
        "server_names",
        "transport_protocol",
        "application_protocols",
        "source_prefix_ranges",
        "source_ports",
    ] {
        let under = |key: &String| left.iter().copied().filter(|place| keys(&chains[*place], field).contains(key)).collect::<BTreeSet<_>>();
        left = looked_up(field, seen).iter().map(under).find(|found| !found.is_empty()).unwrap_or_default();
    }
    left
}

/// The match that names everything that the connection has.
fn identical(seen: &Seen) -> Value {
    let whole = |address: Option<IpAddr>| {
        let address = address.unwrap();
        json!([{"address_prefix": address.to_string(), "prefix_len": if address.is_ipv4() { 32 } else { 128 }}])
    };
    let mut matches = json!({"destination_port": seen.port, "prefix_ranges": whole(seen.address), "transport_protocol": seen.transport_protocol,
        "direct_source_prefix_ranges": whole(seen.source), "source_type": "EXTERNAL", "source_prefix_ranges": whole(seen.source),
        "source_ports": [seen.source_port]});
    if !seen.server_name.as_deref().unwrap().is_empty() {
        matches["server_names"] = json!([seen.server_name]);
    }
    if let Some(first) = seen.application_protocols.first() {
        matches["application_protocols"] = json!([first]);
    }
    matches
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn the_choice_is_that_of_envoys_nested_maps(chains in proptest::collection::vec(any_match(), 0..8), seen in any_connection()) {
        let verdict = connection::take(&listener(&chains), &seen);
        let expected = left(&chains, &seen);
        let lost: BTreeSet<usize> = verdict.losses.iter().map(|loss| loss.chain).collect();
        match verdict.outcome {
            Outcome::Chain => prop_assert_eq!(expected, BTreeSet::from([verdict.chain.unwrap()])),
            Outcome::Closed => prop_assert!(expected.is_empty() && verdict.chain.is_none()),
            // Only two chains that match alike are not told apart, and Envoy takes no listener with such.
            Outcome::Unknown => prop_assert!(expected.len() > 1),
            Outcome::Default => prop_assert!(false, "there is none"),
        }
        if verdict.outcome != Outcome::Unknown {
            let all: BTreeSet<usize> = (0..chains.len()).filter(|place| Some(*place) != verdict.chain).collect();
            prop_assert_eq!(lost, all, "every other chain has its reason");
        }
        prop_assert_eq!(verdict.losses.len(), verdict.losses.iter().map(|loss| loss.chain).collect::<BTreeSet<_>>().len());
    }

    #[test]
    fn a_chain_that_is_the_connection_is_never_passed_over(mut chains in proptest::collection::vec(any_match(), 0..8), seen in any_connection(), place in 0_usize..8) {
        let place = place.min(chains.len());
        chains.insert(place, identical(&seen));
        let verdict = connection::take(&listener(&chains), &seen);
        prop_assert_eq!((verdict.outcome, verdict.chain), (Outcome::Chain, Some(place)), "{}", verdict.why);
    }
}

/// A connection as a chain describes it is taken by that chain, in every recording.
#[test]
fn every_chain_takes_the_connection_that_it_describes() {
    let mut count = 0;
    for recording in support::MESHES.into_iter().map(str::to_owned).chain(support::eras()) {
        for (path, bytes) in support::files(&recording) {
            if path.starts_with("proxies/") && path.ends_with("/config_dump.json") {
                let dump = config_dump::parse(&bytes, DumpView::Proxy, &path).unwrap().dump;
                count += described(&dump, &format!("{recording} {path}"));
            }
        }
    }
    assert!(count > 400, "{count} chains were asked about");
}

fn described(dump: &ConfigDump, place: &str) -> usize {
    let kind = placement::proxy_kind(dump, None);
    let mut count = 0;
    for listener in dump.listeners.iter().filter(|listener| listener.state == ListenerState::Active) {
        let direction = placement::direction(listener, kind);
        let Some(direction @ (ListenerDirection::Inbound | ListenerDirection::Outbound | ListenerDirection::Gateway)) = direction else {
            continue;
        };
        for (index, chain) in listener.chains.iter().enumerate() {
            let mut text = connection::example(chain, listener, Some(direction));
            if text.ends_with("port=") {
                // No service declares it, and no listener is for it.
                text.push_str("9999");
            }
            // Which family a chain is for, and for which address a listener is, a person has to say.
            let family = chain.matches.prefix_ranges.first().filter(|range| range.ends_with("/0"));
            let of_listener = (direction == ListenerDirection::Outbound).then(|| listener.name.split('_').next().unwrap());
            let address =
                family.map(|range| range.trim_end_matches("/0")).or(of_listener).filter(|address| address.parse::<IpAddr>().is_ok());
            if let Some(address) = address.filter(|_| !text.contains("address=")) {
                text.push_str(&format!(",address={address}"));
            }
            let asked: Asked = text.parse().unwrap_or_else(|error| panic!("{place} {} {index}: {error}", listener.name));
            let assumed = connection::assume(&asked, direction, &[]);
            let chosen = connection::choose(dump, &assumed).unwrap();
            assert_eq!(chosen.listener.name, listener.name, "{place}: {text}");
            let verdict = connection::take(listener, &connection::see(listener, &assumed).unwrap());
            assert_eq!(verdict.chain, Some(index), "{place} {} {index}: {text}: {}", listener.name, verdict.why);
            count += 1;
        }
    }
    count
}
