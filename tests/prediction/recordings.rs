//! Over every recording: each listener of each proxy is as istiod would make it, and N is known under each mode.

use serde_json::{Value, json};

use super::support;

/// Asks over a recording.
fn ask(recording: &str, arguments: &[&str]) -> Value {
    let path = support::recording(recording);
    support::json(&[arguments, &["-A", "--from", path.to_str().unwrap()]].concat())
}

/// Holds every listener of a recording; how many were held.
fn hold(recording: &str) -> usize {
    let answer = ask(recording, &["chains"]);
    let proxies = answer["proxies"].as_array().unwrap();
    assert!(!proxies.is_empty(), "{recording}");
    let mut held = 0;
    for proxy in proxies {
        assert_eq!(proxy["absent"], json!([]), "{recording} {}", proxy["proxy"]);
        assert_eq!(proxy["predictionNote"], Value::Null, "{recording} {}", proxy["proxy"]);
        for listener in proxy["listeners"].as_array().unwrap() {
            let (prediction, of) = (&listener["prediction"], format!("{recording} {} {}", proxy["proxy"], listener["name"]));
            if listener["direction"].is_null() {
                assert!(prediction.is_null(), "{of}: a listener of the bootstrap or a tunnel's end is not predicted");
                continue;
            }
            if listener["state"] == "draining" {
                assert!(prediction["agrees"].is_null() && prediction["note"].as_str().unwrap().contains("replaced"), "{of}: {prediction}");
                continue;
            }
            assert_eq!(prediction["agrees"], true, "{of}: {prediction}");
            assert_eq!(prediction["chains"], listener["filterChains"].as_array().unwrap().len(), "{of}");
            assert_eq!((&prediction["differences"], &prediction["causes"]), (&json!([]), &json!([])), "{of}");
            held += 1;
        }
    }
    held
}

#[test]
fn every_listener_of_every_mesh_is_as_istiod_would_make_it() {
    let held: usize = support::MESHES.into_iter().map(hold).sum();
    assert_eq!(held, 126, "no listener was passed over");
}

#[test]
fn every_listener_of_every_era_is_as_istiod_would_make_it() {
    let eras = support::eras();
    let held: usize = eras.iter().map(|era| hold(era)).sum();
    assert_eq!((eras.len(), held), (18, 90), "no listener was passed over");
}

#[test]
fn what_is_predicted_is_what_is_counted_for_every_plugin() {
    let recordings: Vec<String> = support::MESHES.into_iter().map(str::to_owned).chain(support::eras()).collect();
    let mut held = 0;
    for recording in recordings {
        let plugins = ask(&recording, &["plugins"]);
        for plugin in plugins["plugins"].as_array().unwrap() {
            let answer = ask(&recording, &["why", plugin["plugin"].as_str().unwrap()]);
            for entry in answer["workloads"].as_array().unwrap() {
                for listener in entry["listeners"].as_array().unwrap().iter().filter(|listener| listener["state"] != "draining") {
                    assert!(listener["counted"].as_u64().unwrap() > 0, "{recording}: {listener}");
                    assert_eq!(listener["predicted"], listener["counted"], "{recording}: {listener}");
                    assert_eq!(listener["agrees"], true, "{recording}: {listener}");
                    let mode = entry["mtls"]["mode"].as_str().unwrap();
                    assert_eq!(listener["predictedByMode"][mode], listener["predicted"], "{recording}: {listener}");
                    held += 1;
                }
            }
        }
    }
    assert!(held >= 60, "{held} counts were held");
}

/// N by mode, and the chains of the listener by mode, on 15006.
fn by_mode(recording: &str, proxy: &str) -> [Value; 2] {
    let answer = ask(recording, &["why", "default/helloworld", proxy]);
    let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
    let inbound = listeners.iter().find(|listener| listener["port"] == 15006 && listener["state"] == "active").unwrap();
    [inbound["predictedByMode"].clone(), inbound["chainsByMode"].clone()]
}

#[test]
fn n_is_known_under_each_mode_whatever_the_mode_is() {
    let modes = |permissive: u64, strict: u64, disable: u64| json!({"PERMISSIVE": permissive, "STRICT": strict, "DISABLE": disable});
    for recording in ["permissive", "strict", "disable"] {
        assert_eq!(by_mode(recording, "deploy/httpbin"), [modes(4, 2, 2), modes(8, 4, 4)], "{recording}");
    }
    // The tour's own release: 6 and 3 where the pod has an IPv6 address, were it a link-local one.
    for (version, addresses, counts, chains) in [
        ("1.12.0", "v4", modes(4, 2, 2), modes(8, 4, 4)),
        ("1.12.0", "v4-linklocal6", modes(6, 3, 3), modes(13, 6, 6)),
        ("1.12.0", "dual", modes(6, 3, 3), modes(13, 6, 6)),
        ("1.26.2", "v4", modes(4, 2, 2), modes(8, 4, 4)),
        ("1.26.2", "v4-linklocal6", modes(4, 2, 2), modes(8, 4, 4)),
        ("1.26.2", "dual", modes(4, 2, 2), modes(8, 4, 4)),
    ] {
        for mode in ["permissive", "strict", "disable"] {
            let recording = format!("eras/{version}/{mode}-{addresses}");
            assert_eq!(by_mode(&recording, "httpbin-0.default"), [counts.clone(), chains.clone()], "{recording}");
        }
    }
}
