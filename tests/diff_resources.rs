//! Clusters, routes and endpoints as istiod would send them against those of the proxy: each way to differ, and no secret in any form.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::views::{PROXY, SECRET, edited, edited_files, lines};

const CDS: usize = 2;
const RDS: usize = 3;
const EDS: usize = 4;
const HTTPBIN: &str = "outbound|8000||httpbin.default.svc.cluster.local";

/// The list of one of the sections of istiod's dump.
fn list<'v>(view: &'v mut Value, key: &str) -> &'v mut Vec<Value> {
    let sections = view["configs"].as_array_mut().unwrap();
    sections.iter_mut().find_map(|section| section.get_mut(key)).unwrap().as_array_mut().unwrap()
}

/// A cluster of istiod's dump.
fn cluster<'v>(view: &'v mut Value, name: &str) -> &'v mut Value {
    &mut list(view, "dynamicActiveClusters").iter_mut().find(|entry| entry["cluster"]["name"] == name).unwrap()["cluster"]
}

/// A route configuration of istiod's dump.
fn routes<'v>(view: &'v mut Value, name: &str) -> &'v mut Value {
    &mut list(view, "dynamicRouteConfigs").iter_mut().find(|entry| entry["routeConfig"]["name"] == name).unwrap()["routeConfig"]
}

/// The endpoints of a cluster in istiod's dump.
fn endpoints(view: &mut Value) -> &mut Vec<Value> {
    let all = list(view, "dynamicEndpointConfigs");
    let own = all.iter_mut().find(|entry| entry["endpointConfig"]["clusterName"] == HTTPBIN).unwrap();
    own["endpointConfig"]["endpoints"][0]["lbEndpoints"].as_array_mut().unwrap()
}

/// Changes a section of the proxy's own dump.
fn of_proxy(files: &mut BTreeMap<String, Vec<u8>>, edit: impl FnOnce(&mut Vec<Value>)) {
    let name = format!("proxies/{PROXY}/config_dump.json");
    let mut dump: Value = serde_json::from_slice(&files[&name]).unwrap();
    edit(dump["configs"].as_array_mut().unwrap());
    files.insert(name, dump.to_string().into_bytes());
}

fn section<'v>(sections: &'v mut [Value], name: &str) -> &'v mut Value {
    sections.iter_mut().find(|section| section["@type"].as_str().unwrap().ends_with(name)).unwrap()
}

#[test]
fn each_way_to_differ_is_told() {
    type Edit = fn(&mut Value);
    let cases: [(usize, (&str, &str), &str, Edit); 12] = [
        (CDS, ("resource", "proxy"), "istiod would not send cluster BlackHoleCluster, which the proxy has", |view| {
            list(view, "dynamicActiveClusters").retain(|entry| entry["cluster"]["name"] != "BlackHoleCluster");
        }),
        (CDS, ("resource", "istiod"), "the proxy lacks cluster new, which istiod would send", |view| {
            list(view, "dynamicActiveClusters").push(json!({"cluster": {"name": "new", "type": "STATIC"}}));
        }),
        (CDS, ("settings", "both"), "circuit_breakers.thresholds[0].max_connections is 4294967295, istiod would send 7", |view| {
            cluster(view, HTTPBIN)["circuitBreakers"]["thresholds"][0]["maxConnections"] = json!(7);
        }),
        (CDS, ("settings", "istiod"), "the proxy lacks max_requests_per_connection, which istiod would send as 0", |view| {
            cluster(view, HTTPBIN)["maxRequestsPerConnection"] = json!(0);
        }),
        (CDS, ("settings", "proxy"), "the proxy has transport_socket_matches[2] as", |view| {
            drop(cluster(view, HTTPBIN)["transportSocketMatches"].as_array_mut().unwrap().remove(2));
        }),
        (RDS, ("resource", "proxy"), "istiod would not send route configuration 8000", |view| {
            list(view, "dynamicRouteConfigs").retain(|entry| entry["routeConfig"]["name"] != "8000");
        }),
        (RDS, ("settings", "both"), "virtual host allow_any: routes[0].route.timeout is 0s, istiod would send 15s", |view| {
            let hosts = routes(view, "8000")["virtualHosts"].as_array_mut().unwrap();
            let any = hosts.iter_mut().find(|host| host["name"] == "allow_any").unwrap();
            any["routes"][0]["route"]["timeout"] = json!("15s");
        }),
        (RDS, ("settings", "istiod"), "the proxy lacks virtual host web:8000, which istiod would send as", |view| {
            routes(view, "8000")["virtualHosts"].as_array_mut().unwrap().push(json!({"name": "web:8000", "domains": ["web"]}));
        }),
        (RDS, ("settings", "istiod"), "the proxy lacks virtual host allow_any: domains, which istiod would send as other", |view| {
            let hosts = routes(view, "8000")["virtualHosts"].as_array_mut().unwrap();
            let any = hosts.iter_mut().find(|host| host["name"] == "allow_any").unwrap();
            any["domains"].as_array_mut().unwrap().push(json!("other"));
        }),
        (EDS, ("endpoints", "istiod"), "the proxy lacks 10.9.9.9:80, which istiod would send", |view| {
            let address = json!({"socketAddress": {"address": "10.9.9.9", "portValue": 80}});
            endpoints(view).push(json!({"endpoint": {"address": address}, "loadBalancingWeight": 1}));
        }),
        (EDS, ("endpoints", "proxy"), "which istiod would not send", |view| endpoints(view).clear()),
        (EDS, ("settings", "both"), ".load_balancing_weight is 1, istiod would send 5", |view| {
            endpoints(view)[0]["loadBalancingWeight"] = json!(5);
        }),
    ];
    for (place, expected, says, edit) in cases {
        let (_folder, entry) = edited(edit);
        assert_eq!(lines(&entry, place), [expected], "{says}: {entry}");
        for other in (0..=EDS).filter(|other| *other != place) {
            assert_eq!(lines(&entry, other), [], "the other types are the same: {says}");
        }
        let line = &entry["types"][place]["differences"][0];
        assert!(line["detail"].as_str().unwrap().contains(says), "{says}: {line}");
        assert!(line["resource"].is_string(), "{line}");
    }
}

#[test]
fn an_element_within_a_path_is_told_by_its_parts() {
    let (_folder, entry) = edited(|view| {
        let matches = cluster(view, HTTPBIN)["transportSocketMatches"].as_array_mut().unwrap();
        let tls = matches.iter_mut().find(|entry| entry["name"] == "tlsMode-istio").unwrap();
        tls["transportSocket"]["typedConfig"]["sni"] = json!("another");
    });
    let detail = entry["types"][CDS]["differences"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("transport_socket_matches[1].transport_socket.typed_config.sni is outbound_.8000_"), "{detail}");
}

#[test]
fn an_address_that_istiod_sends_again_is_no_difference() {
    let (_folder, entry) = edited(|view| {
        let again = endpoints(view)[0].clone();
        endpoints(view).push(again);
    });
    assert_eq!(lines(&entry, EDS), [], "{entry}");
}

#[test]
fn a_cluster_that_warms_is_told() {
    let warm = |only: bool| {
        edited_files(
            |_| {},
            |files| {
                of_proxy(files, |sections| {
                    let clusters = section(sections, ".ClustersConfigDump");
                    let active = clusters["dynamic_active_clusters"].as_array_mut().unwrap();
                    let place = active.iter().position(|entry| entry["cluster"]["name"] == HTTPBIN).unwrap();
                    let own = if only { active.remove(place) } else { active[place].clone() };
                    clusters["dynamic_warming_clusters"] = json!([own]);
                });
            },
        )
    };
    for (only, says) in [(true, "does not use it until then"), (false, "uses the one before it until then")] {
        let (_folder, entry) = warm(only);
        assert_eq!(lines(&entry, CDS), [("warming", "both")]);
        let detail = entry["types"][CDS]["differences"][0]["detail"].as_str().unwrap();
        assert!(detail.contains(HTTPBIN) && detail.contains(says), "{detail}");
    }
}

#[test]
fn what_a_recording_does_not_hold_is_said() {
    let (_folder, entry) = edited_files(
        |view| {
            view["configs"].as_array_mut().unwrap().retain(|section| !section["@type"].as_str().unwrap().ends_with("EndpointsConfigDump"))
        },
        |files| of_proxy(files, |sections| sections.retain(|section| !section["@type"].as_str().unwrap().ends_with(".RoutesConfigDump"))),
    );
    let note = |place: usize| entry["types"][place]["basisNote"].as_str().unwrap_or_default().to_owned();
    assert_eq!(entry["types"][CDS]["same"], true);
    assert_eq!(note(RDS), "the proxy's dump holds no route configurations");
    assert_eq!(note(EDS), "istiod's dump holds no lists of endpoints: the recording was made without them");
    assert_eq!((&entry["types"][EDS]["basis"], &entry["types"][EDS]["same"]), (&json!("none"), &Value::Null));
}

#[test]
fn a_bare_list_of_istiod_is_compared_too() {
    let (_folder, entry) = edited(|view| {
        let listeners = list(view, "dynamicListeners").iter().map(|entry| entry["activeState"]["listener"].clone()).collect::<Vec<_>>();
        let clusters = list(view, "dynamicActiveClusters").iter().map(|entry| entry["cluster"].clone()).collect::<Vec<_>>();
        let routes = list(view, "dynamicRouteConfigs").iter().map(|entry| entry["routeConfig"].clone()).collect::<Vec<_>>();
        let endpoints = list(view, "dynamicEndpointConfigs").iter().map(|entry| entry["endpointConfig"].clone()).collect::<Vec<_>>();
        let all: Vec<Value> = [listeners, clusters, routes, endpoints].concat();
        *view = json!({"configs": all});
    });
    let bases: Vec<&Value> = entry["types"].as_array().unwrap().iter().map(|found| &found["basis"]).collect();
    assert_eq!(bases, ["istiod", "listeners", "istiod", "istiod", "istiod"]);
    assert!(entry["types"].as_array().unwrap().iter().all(|found| found["same"] == true), "{entry}");
}

#[test]
fn no_credential_of_clusters_and_routes_is_in_any_form() {
    let key = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----\n";
    let (folder, entry) = edited(|view| {
        let certificate = json!({"privateKey": {"inlineString": key}, "password": {"inlineString": SECRET},
            "certificateChain": {"inlineString": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}});
        let tls = json!({"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "commonTlsContext": {"tlsCertificates": [certificate]}});
        cluster(view, HTTPBIN)["transportSocket"] = json!({"name": "tls", "typedConfig": tls});
        cluster(view, "BlackHoleCluster")["metadata"] = json!({"filterMetadata": {"own": {"password": SECRET}}});
        list(view, "dynamicActiveClusters").push(json!({"cluster": {"name": "planted", "type": "STATIC",
            "transportSocket": {"name": "tls", "typedConfig": {"@type": "t/xds.type.v3.TypedStruct", "typeUrl": "t/x.Y",
                "value": {"private_key": {"inline_bytes": SECRET}}}}}}));
        let header = json!({"header": {"key": "authorization", "value": format!("Bearer {SECRET}-and-more-of-it")}});
        routes(view, "8000")["requestHeadersToAdd"] = json!([header]);
        let hosts = routes(view, "8000")["virtualHosts"].as_array_mut().unwrap();
        hosts[0]["routes"][0]["redirect"] = json!({"hostRedirect": format!("https://me:{SECRET}@registry.example/x")});
    });
    assert!(lines(&entry, CDS).len() >= 3 && lines(&entry, RDS).len() >= 2, "{entry}");
    let path = folder.path().to_str().unwrap();
    for form in ["text", "json", "yaml", "markdown"] {
        let output = support::meshscope(&["diff", PROXY, "--from", path, "-o", form]);
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(printed.contains("planted") && printed.contains("request_headers_to_add"), "{printed}");
        for part in [SECRET, "MIGHAgEA"] {
            assert!(!printed.contains(part), "{part} is in {printed}");
        }
    }
}

#[test]
fn a_secret_that_each_side_hides_in_its_own_way_is_no_difference() {
    let key = |inline: Value| json!({"name": "tls", "typed_config": {"@type": "t/tls", "tls_certificates": [{"private_key": inline}]}});
    let (_folder, entry) = edited_files(
        |view| cluster(view, HTTPBIN)["transportSocket"] = key(json!({"inlineString": SECRET})),
        |files| {
            of_proxy(files, |sections| {
                let clusters = section(sections, ".ClustersConfigDump")["dynamic_active_clusters"].as_array_mut().unwrap();
                let own = clusters.iter_mut().find(|entry| entry["cluster"]["name"] == HTTPBIN).unwrap();
                own["cluster"]["transport_socket"] = key(json!({"inline_bytes": "W3JlZGFjdGVkXQ=="}));
            });
        },
    );
    assert_eq!(lines(&entry, CDS), [], "{entry}");
    assert_eq!(entry["types"][CDS]["notes"], json!(["1 setting is a secret, of which is not told whether it is the same"]));
}
