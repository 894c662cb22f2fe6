//! No kubeconfig, and API servers that are away, refuse, or come back.

use std::time::{Duration, Instant};

use super::fake_api::FakeApi;
use super::proxies::mesh;
use super::support::meshscope;
use super::{against, fails, said, spawn};

const COMMANDS: [&[&str]; 4] = [&["plugins"], &["workloads"], &["chains"], &["why", "default/helloworld"]];

#[test]
fn no_kubeconfig() {
    for command in COMMANDS {
        fails(&meshscope(command), &["there is no kubeconfig", "--kubeconfig"]);
    }
    fails(&meshscope(&["plugins", "--kubeconfig", "/nowhere/config"]), &["/nowhere/config"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_context() {
    let api = FakeApi::stopped().await;
    fails(&against(&api, &["plugins", "--context", "prod"]).await, &["there is no context prod", "fake, other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_is_damaged() {
    let api = FakeApi::stopped().await;
    std::fs::write(api.kubeconfig(), "clusters: [{name: a,\n  token: s3cret\n").unwrap();
    let text = fails(&against(&api, &["plugins"]).await, &["kubeconfig"]);
    assert!(!text.contains("s3cret"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away() {
    let api = FakeApi::stopped().await;
    for command in COMMANDS {
        let started = Instant::now();
        let output = against(&api, &[command, &["--timeout", "2s"]].concat()).await;
        fails(&output, &["http://127.0.0.1:", "Connection refused"]);
        // The time that was given, and what a busy machine adds to it.
        assert!(started.elapsed() < Duration::from_secs(10), "{command:?} took {:?}", started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_takes_connections_and_never_answers() {
    // The listener's queue takes the connection; nobody ever reads from it.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = FakeApi::stopped().await;
    let config = std::fs::read_to_string(api.kubeconfig()).unwrap();
    let config = config.replace(&api.address().to_string(), &listener.local_addr().unwrap().to_string());
    std::fs::write(api.kubeconfig(), config).unwrap();
    let started = Instant::now();
    fails(&against(&api, &["plugins", "--timeout", "1s"]).await, &["--timeout"]);
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_comes_back_is_waited_for() {
    let mut api = FakeApi::stopped().await;
    mesh(&api);
    // Takes the first connection and drops it, as a server does that is being restarted; only then the real one comes.
    let restarting = tokio::net::TcpListener::bind(api.address()).await.unwrap();
    let arguments = ["plugins", "-n", "default", "--timeout", "60s", "-o", "json"];
    let run = spawn(&api, &arguments);
    drop(restarting.accept().await.unwrap());
    drop(restarting);
    api.come_back().await;
    let output = run.await.unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["plugins"][0]["plugin"], "default/helloworld");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials() {
    let api = FakeApi::start().await;
    api.state().unauthorized = true;
    for command in COMMANDS {
        fails(&against(&api, command).await, &["does not accept the credentials of context fake", "kubectl --context fake"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_plugin_that_fails() {
    let api = FakeApi::start().await;
    let script = "echo 'session expired' >&2; echo t0ken; exit 3";
    let exec = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script]});
    api.write_kubeconfig(serde_json::json!({"exec": exec}));
    let text = fails(&against(&api, &["plugins"]).await, &["the credential plugin failed", "session expired"]);
    assert!(!text.contains("t0ken"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_lacking_is_a_warning_that_names_it() {
    let api = FakeApi::start().await;
    mesh(&api);
    for namespace in [None, Some("default"), Some("istio-system")] {
        api.state().forbid("list", "peerauthentications.security.istio.io", namespace);
    }
    let output = against(&api, &["why", "default/helloworld", "-n", "default", "-o", "json"]).await;
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("list on peerauthentications.security.istio.io") && text.contains("forbidden to user jane"), "{text}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(answer["warnings"].to_string().contains("list on peerauthentications.security.istio.io"));
    assert_eq!(answer["workloads"][0]["listeners"][0]["counted"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_forbidden() {
    let api = FakeApi::start().await;
    mesh(&api);
    for kind in meshscope::model::kind::Kind::ALL {
        for namespace in [None, Some("default"), Some("istio-system")] {
            api.state().forbid("list", &kind.resource(), namespace);
        }
    }
    for command in COMMANDS {
        fails(&against(&api, &[command, &["-n", "default"]].concat()).await, &["list on pods", "is forbidden to user jane", "grant"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_pods_may_not_be_listed_it_is_unknown_what_a_plugin_applies_to() {
    let api = FakeApi::start().await;
    mesh(&api);
    for namespace in [None, Some("default"), Some("istio-system")] {
        api.state().forbid("list", "pods", namespace);
    }
    let run = async |arguments: &[&str]| {
        let output = against(&api, &[arguments, &["-n", "default"]].concat()).await;
        assert!(output.status.code() == Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let answer: serde_json::Value = serde_json::from_str(&run(&["plugins", "-o", "json"]).await).unwrap();
    let plugin = &answer["plugins"][0];
    assert_eq!((&plugin["matched"], plugin["rollup"].as_str()), (&serde_json::Value::Null, Some("unknown")));
    assert_eq!(plugin["matchedNote"], "pods cannot be listed");
    let text = run(&["plugins"]).await;
    assert!(text.contains("unknown (pods cannot be listed)") && !text.contains("0 of"), "{text}");
    for command in [&["workloads", "default/helloworld"][..], &["why", "default/helloworld"], &["health", "default/helloworld"]] {
        let text = run(command).await;
        assert!(text.contains("pods cannot be listed") && !text.contains("applies to no"), "{command:?}: {text}");
    }
    let output = against(&api, &["check", "-n", "default", "-o", "json"]).await;
    assert!(!String::from_utf8(output.stdout).unwrap().contains("\"code\": \"matches-nothing\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_may_be_listed_and_not_watched_are_known() {
    let api = FakeApi::start().await;
    mesh(&api);
    api.state().forbid("watch", "pods", None);
    let output = against(&api, &["plugins", "-n", "default", "-o", "json"]).await;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["plugins"][0]["matched"], 1, "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_in_one_namespace_only_are_enough_for_its_answers() {
    let api = FakeApi::start().await;
    mesh(&api);
    for kind in meshscope::model::kind::Kind::ALL {
        for namespace in [None, Some("istio-system")] {
            api.state().forbid("list", &kind.resource(), namespace);
        }
    }
    let output = against(&api, &["why", "default/helloworld", "deploy/httpbin", "-n", "default", "-o", "json"]).await;
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["workloads"][0]["listeners"][0]["counted"], 4);
    assert_eq!(answer["workloads"][0]["attached"], true);
    assert!(text.contains("list on pods in all namespaces is forbidden to user jane"), "{text}");
}
