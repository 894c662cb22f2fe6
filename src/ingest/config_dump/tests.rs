//! Dumps as no mesh gives them: cut short, of other shapes, with odd values.

use proptest::prelude::*;

use super::{Parsed, parse, resources};
use crate::model::envoy::{
    Condition, DumpView, ExtensionConfig, Input, ListenerAddress, ListenerFilterKind, ListenerState, OnMatch, PortPredicate, SourceType,
    Transport,
};
use crate::model::ids::{PluginId, PluginKind};

fn read(text: &str) -> Parsed {
    parse(text.as_bytes(), DumpView::Proxy, "dump").unwrap()
}

const CHAIN: &str = r#"{"name": "0.0.0.0_80", "filter_chain_match": {"destination_port": 80, "transport_protocol": "tls", "application_protocols": ["istio"]},
  "filters": [{"name": "hcm", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    "route_config": {"name": "inbound|80||", "virtual_hosts": [{"routes": [{"route": {"cluster": "inbound|80||"}}]}]},
    "http_filters": [{"name": "extensions.istio.io/wasmplugin/default.hello", "config_discovery": {"type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]}},
                     {"name": "envoy.filters.http.router", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}],
  "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", "require_client_certificate": true}}}"#;

fn listener(name: &str) -> String {
    format!(
        r#"{{"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "{name}", "address": {{"socket_address": {{"address": "0.0.0.0", "port_value": 15006}}}}, "traffic_direction": "INBOUND", "filter_chains": [{CHAIN}], "default_filter_chain": {{"name": "rest", "filters": []}}}}"#
    )
}

fn section(listeners: &str) -> String {
    format!(r#"{{"configs": [{{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump", "dynamic_listeners": [{listeners}]}}]}}"#)
}

#[test]
fn a_listener_is_read_in_each_of_its_states() {
    let text = section(&format!(
        r#"{{"name": "l", "active_state": {{"version_info": "1", "listener": {0}, "last_updated": "2026-11-23T19:37:50Z"}}, "warming_state": {{"listener": {0}}}, "draining_state": {{"listener": {0}}}}},
           {{"error_state": {{"failed_configuration": {1}, "last_update_attempt": "2026-11-23T19:40:00Z", "details": "no such filter"}}}}"#,
        listener("l"),
        listener("refused")
    ));
    let parsed = read(&text);
    let states: Vec<(&str, ListenerState)> = parsed.dump.listeners.iter().map(|listener| (&*listener.name, listener.state)).collect();
    assert_eq!(
        states,
        [("l", ListenerState::Active), ("l", ListenerState::Warming), ("l", ListenerState::Draining), ("refused", ListenerState::Error)]
    );
    assert_eq!(parsed.dump.listeners[3].error.as_deref(), Some("no such filter"));
    assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
    let [chain, rest] = &parsed.dump.listeners[0].chains[..] else { panic!("two chains") };
    assert_eq!((chain.transport, chain.matches.destination_port), (Transport::MutualTls, Some(80)));
    assert_eq!(chain.destination.as_ref().unwrap().name(), "inbound|80||");
    let http = chain.http_filters.as_ref().unwrap();
    assert_eq!(http[0].plugin.as_ref().unwrap().id, PluginId::new(PluginKind::WasmPlugin, "default", "hello"));
    assert!(http[0].raw.as_str().starts_with('{') && http[0].raw.as_str().contains("config_discovery"), "the raw text is the filter's own");
    assert!(rest.is_default && rest.http_filters.is_none());
}

#[test]
fn a_refusal_that_is_listed_twice_is_one() {
    let refused =
        |head: &str, details: &str| format!(r#"{{{head}"error_state": {{"failed_configuration": {}, {details}}}}}"#, listener("l"));
    let named = refused(r#""name": "l", "#, r#""last_update_attempt": "2026-11-23T19:40:00Z", "details": "no""#);
    let again = refused("", r#""details": "no""#);
    let other = refused("", r#""details": "for another reason""#);
    let parsed = read(&section(&[named, again, other].join(", ")));
    let errors: Vec<_> = parsed.dump.listeners.iter().map(|listener| listener.error.as_deref()).collect();
    assert_eq!(errors, [Some("no"), Some("for another reason")]);
}

#[test]
fn istiods_camel_case_and_a_bare_list_of_listeners_are_the_same() {
    let camel = listener("l")
        .replace("filter_chains", "filterChains")
        .replace("socket_address", "socketAddress")
        .replace("port_value", "portValue")
        .replace("filter_chain_match", "filterChainMatch")
        .replace("destination_port", "destinationPort")
        .replace("transport_protocol", "transportProtocol")
        .replace("application_protocols", "applicationProtocols")
        .replace("typed_config", "typedConfig")
        .replace("http_filters", "httpFilters")
        .replace("config_discovery", "configDiscovery")
        .replace("type_urls", "typeUrls")
        .replace("transport_socket", "transportSocket")
        .replace("require_client_certificate", "requireClientCertificate")
        .replace("default_filter_chain", "defaultFilterChain")
        .replace("traffic_direction", "trafficDirection")
        .replace("route_config", "routeConfig")
        .replace("virtual_hosts", "virtualHosts");
    let bare = camel.replace(r#""@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "#, "");
    let snake = read(&section(&format!(r#"{{"active_state": {{"listener": {}}}}}"#, listener("l"))));
    for text in [
        section(&format!(r#"{{"activeState": {{"listener": {camel}}}}}"#)).replace("dynamic_listeners", "dynamicListeners"),
        format!("[{camel}]"),
        format!("[{bare}]"),
    ] {
        let parsed = read(&text);
        let (one, other) = (&parsed.dump.listeners[0], &snake.dump.listeners[0]);
        assert_eq!((&one.name, &one.address, one.direction), (&other.name, &other.address, other.direction));
        assert_eq!(one.chains[0].matches, other.chains[0].matches);
        assert_eq!(one.chains[0].transport, other.chains[0].transport);
        let plugins = |chain: &crate::model::envoy::FilterChain| chain.filters().map(|filter| filter.plugin.clone()).collect::<Vec<_>>();
        assert_eq!(plugins(&one.chains[0]), plugins(&other.chains[0]));
    }
}

#[test]
fn parts_of_a_dump_are_dumps() {
    let text = format!(
        r#"{{"configs": [{{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener", "name": "l", "active_state": {{"listener": {}}}}},
          {{"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump.EcdsFilterConfig", "ecds_filter": {{"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": "extensions.istio.io/wasmplugin/a.b"}}, "last_updated": "1970-01-01T00:00:00Z"}}]}}"#,
        listener("l")
    );
    let parsed = read(&text);
    assert_eq!(parsed.dump.listeners.len(), 1);
    assert_eq!(parsed.dump.ecds[0].config, ExtensionConfig::Missing, "subscribed to, nothing received");
    assert_eq!(parsed.dump.ecds[0].last_updated, None);
}

#[test]
fn all_ecds_sections_are_read_and_unknown_sections_kept() {
    let wasm = r#"{"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [{"ecds_filter": {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": "NAME", "typed_config": CONFIG}, "last_updated": "2026-11-23T19:37:50Z"}]}"#;
    let module = r#"{"@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "type_url": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "value": {"config": {"name": "a.b", "vm_config": {"code": {"local": {"filename": "/x.wasm"}}}}}}"#;
    let stub = r#"{"@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC", "stat_prefix": "wasm-default-deny", "rules": {}}"#;
    let foreign = r#"{"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", "rules": {}}"#;
    let sections: Vec<String> = [("a.b", module), ("a.c", stub), ("own", foreign)]
        .map(|(name, config)| wasm.replace("NAME", name).replace("CONFIG", config))
        .into_iter()
        .collect();
    let parsed =
        read(&format!(r#"{{"configs": [{}, {{"@type": "type.googleapis.com/example.Unknown", "x": [1]}}]}}"#, sections.join(", ")));
    assert_eq!(parsed.dump.ecds.len(), 3);
    assert!(matches!(&parsed.dump.ecds[0].config, ExtensionConfig::Wasm { file, .. } if file == "/x.wasm"));
    assert_eq!(parsed.dump.ecds[1].config, ExtensionConfig::StubDeny);
    assert!(matches!(parsed.dump.ecds[2].config, ExtensionConfig::Other(_)), "somebody's own RBAC filter is no stub");
    assert_eq!(parsed.dump.sections.last().unwrap().type_url, "type.googleapis.com/example.Unknown");
}

#[test]
fn a_matcher_tells_how_each_chain_is_picked() {
    let text = section(
        r#"{"name": "main_internal", "active_state": {"listener": {"name": "main_internal", "internal_listener": {},
        "filter_chains": [{"name": "inbound-vip|80|http|a.default", "filters": []}, {"name": "direct-tcp", "filters": []}, {"name": "odd", "filters": []}],
        "filter_chain_matcher": {"matcher_tree": {"input": {"name": "ip", "typed_config": {"@type": "x.DestinationIPInput"}}, "custom_match": {"typed_config": {"range_matchers": [
          {"ranges": [{"address_prefix": "10.0.0.1", "prefix_len": 32}], "on_match": {"matcher": {"matcher_tree": {"input": {"name": "port"}, "exact_match_map": {"map": {"80": {"action": {"name": "n", "typed_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "inbound-vip|80|http|a.default"}}}}}}}}}]}}},
          "on_no_match": {"action": {"name": "direct-tcp"}}}}}}"#,
    );
    let parsed = read(&text);
    let listener = &parsed.dump.listeners[0];
    assert_eq!(listener.address, ListenerAddress::Internal);
    assert_eq!(listener.chains[0].matcher, ["address is 10.0.0.1/32, port is 80"]);
    assert_eq!(listener.chains[1].matcher, ["nothing else matches"]);
    assert!(listener.chains[2].matcher[0].starts_with("never"), "{:?}", listener.chains[2].matcher);
    let [first, last] = &listener.matcher.as_ref().unwrap().branches[..] else { panic!("two branches") };
    assert_eq!(first.condition, Condition::In(Input::Address, vec!["10.0.0.1/32".to_owned()]));
    assert!(matches!(&first.on_match, OnMatch::Matcher(next) if next.branches.len() == 1));
    assert_eq!(last.on_match, OnMatch::Chain("direct-tcp".to_owned()));
}

#[test]
fn what_a_chain_matches_and_what_runs_before_is_told_apart() {
    let text = section(
        r#"{"active_state": {"listener": {"name": "l", "bind_to_port": false,
        "additional_addresses": [{"address": {"socket_address": {"address": "::", "port_value": 80}}}],
        "listener_filters": [{"name": "envoy.filters.listener.tls_inspector", "filter_disabled": {"or_match": {"rules": [{"destination_port_range": {"start": 80, "end": 81}}, {"x": 1}]}}},
          {"name": "mine", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"}}],
        "filter_chains": [{"filter_chain_match": {"destination_port": 0, "source_type": "EXTERNAL", "source_ports": [1], "direct_source_prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}], "source_prefix_ranges": [{"address_prefix": "::"}]}},
          {"filter_chain_match": {"source_type": "LUNAR", "source_ports": ["x"], "suffix_len": 3}}, {"filter_chain_match": 7}]}}}"#,
    );
    let listener = &read(&text).dump.listeners[0];
    assert!(!listener.binds_port);
    assert_eq!(listener.additional_addresses, [ListenerAddress::Socket { ip: "::".to_owned(), port: 80 }]);
    let kinds: Vec<&ListenerFilterKind> = listener.filters.iter().map(|filter| &filter.kind).collect();
    assert_eq!(kinds, [&ListenerFilterKind::TlsInspector, &ListenerFilterKind::HttpInspector]);
    assert_eq!(listener.filters[0].disabled, Some(PortPredicate::Or(vec![PortPredicate::Range(80, 81), PortPredicate::Unknown])));
    let matches = &listener.chains[0].matches;
    assert_eq!((matches.destination_port, matches.source_type), (None, Some(SourceType::External)));
    assert_eq!(matches.direct_source_prefix_ranges, ["10.0.0.0/8"]);
    assert_eq!(matches.source_prefix_ranges, ["::/0"]);
    assert_eq!(listener.chains[1].matches.other, ["source_ports=[\"x\"]", "source_type=\"LUNAR\"", "suffix_len=3"]);
    assert_eq!(listener.chains[2].matches.other, ["what it matches could not be read"], "an unreadable chain does not match everything");
}

#[test]
fn one_bad_listener_costs_a_warning_with_its_place() {
    let text = section(&format!(
        r#"17, {{"name": "ok", "active_state": {{"listener": {}}}}}, {{"name": "odd", "active_state": {{"listener": {{"filter_chains": "x"}}}}}}"#,
        listener("ok")
    ));
    let parsed = read(&text);
    assert_eq!(parsed.dump.listeners.iter().map(|listener| &*listener.name).collect::<Vec<_>>(), ["ok", "odd"]);
    let places: Vec<&str> = parsed.warnings.iter().map(|warning| &*warning.object).collect();
    assert_eq!(places, ["dump at configs[0].dynamic_listeners[0]", "dump at configs[0].dynamic_listeners[2]"]);
}

#[test]
fn what_comes_before_a_cut_is_kept() {
    let whole = section(&format!(
        r#"{{"name": "a", "active_state": {{"listener": {}}}}}, {{"name": "b", "active_state": {{"listener": {}}}}}"#,
        listener("a"),
        listener("b")
    ));
    let cut = &whole[..whole.len() - 200];
    let parsed = read(cut);
    assert_eq!(parsed.dump.listeners.iter().map(|listener| &*listener.name).collect::<Vec<_>>(), ["a"]);
    assert!(parsed.cut_short.is_some());
}

#[test]
fn a_cut_dump_behind_a_preface_is_no_whole_json() {
    let whole = r#"{"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "dynamic_active_clusters": []}]}"#;
    for before in ["", "Defaulted container \"istio-proxy\" out of: istio-proxy, app\n"] {
        let error = resources(format!("{before}{}", &whole[..whole.len() - 4]).as_bytes()).unwrap_err();
        assert!(error.what.starts_with("is not a whole JSON document: "), "{error}");
    }
}

#[test]
fn what_is_no_dump_is_said_in_one_line() {
    for (text, expected) in [
        ("", "is empty"),
        (" \n\t ", "is empty"),
        ("hello", "is not JSON"),
        ("\0\0\0\0", "is not JSON"),
        ("<html>502</html>", "is a page of HTML or XML, not JSON"),
        ("{}", "not an Envoy config dump"),
        ("[]", "not an Envoy config dump"),
        ("17", "not an Envoy config dump"),
        (r#"{"configs": []}"#, "not an Envoy config dump"),
        (r#"{"configs": {"a": 1}}"#, "JSON"),
        (r#"{"apiVersion": "v1", "kind": "List", "items": []}"#, "not an Envoy config dump"),
        (r#"{"configs": ["#, "is not a whole JSON document"),
        ("proto: not found\n", "is not JSON"),
    ] {
        let error = parse(text.as_bytes(), DumpView::Proxy, "dump").expect_err(text).to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_bytes_panic_the_parser(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, DumpView::Proxy, "dump");
    }

    /// A real dump with a byte changed, or cut at any place.
    #[test]
    fn no_damaged_dump_panics_the_parser(at in 0usize..4000, byte in any::<u8>(), cut in 0usize..4000) {
        let text = section(&format!(r#"{{"name": "a", "active_state": {{"listener": {}}}}}"#, listener("a")));
        let mut bytes = text.into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length - cut % length);
        let _ = parse(&bytes, DumpView::Proxy, "dump");
    }
}
