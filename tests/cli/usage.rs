//! Wrong usage, names that stand for nothing or for several things, and the help.

use super::support::meshscope;
use super::{fails, lone_dump};

#[test]
fn wrong_usage_ends_with_2_and_one_line() {
    fails(&meshscope(&["whence"]), 2, &["unrecognized subcommand 'whence'", "--help"]);
    fails(&meshscope(&["why", "--demo"]), 2, &["<PLUGIN>"]);
    fails(&meshscope(&["workloads", "--near-misses", "--demo"]), 2, &["<PLUGIN>"]);
    fails(&meshscope(&["plugins", "--demo", "-o", "xml"]), 2, &["'xml'", "text, json, yaml, markdown"]);
    fails(&meshscope(&["plugins", "--demo=chaos"]), 2, &["'chaos'", "permissive, strict, disable"]);
    fails(&meshscope(&["plugins", "--demo", "--from", "x"]), 2, &["--from", "--demo"]);
    fails(&meshscope(&["plugins", "--demo", "--timeout", "soon"]), 2, &["'soon'", "30s"]);
    fails(&meshscope(&["chains", "--demo", "--port", "70000"]), 2, &["'70000'"]);
}

#[test]
fn an_unknown_plugin_is_told_which_there_are() {
    for command in [
        &["why", "default/nope"][..],
        &["workloads", "default/nope"],
        &["chains", "--plugin", "default/nope"],
        &["timeline", "default/nope"],
    ] {
        let output = meshscope(&[command, &["--demo"]].concat());
        fails(&output, 2, &["default/nope", "there is default/helloworld"]);
        assert!(output.stdout.is_empty());
    }
    fails(&meshscope(&["why", "lua/default/nope", "--demo"]), 2, &["wasmplugin/", "trafficextension/"]);
    fails(&meshscope(&["why", "a/b/c/d", "--demo"]), 2, &["a/b/c/d is not a plugin's name", "namespace/name"]);
}

#[test]
fn an_unknown_workload_is_told_which_there_are() {
    for command in [&["why", "default/helloworld"][..], &["chains"], &["mtls"], &["sync"], &["diff"]] {
        let run = |workload: &str| meshscope(&[command, &[workload, "--demo"]].concat());
        fails(&run("deploy/nope"), 2, &["no Deployment nope in namespace default", "there is deploy/httpbin, deploy/sleep"]);
        fails(&run("pod/nope"), 2, &["no pod nope in namespace default", "pod/httpbin-664956bb75-9d64m"]);
        fails(&run("nope"), 2, &["no workload nope", "deploy/httpbin"]);
        fails(&run("statefulset/elsewhere/nope"), 2, &["namespace elsewhere", "choose another with -n"]);
        fails(&run("a/b/c/d"), 2, &["a/b/c/d is not a workload's name", "deploy/NAME"]);
    }
}

#[test]
fn an_unknown_proxy_of_a_lone_dump_is_told_which_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let dump = lone_dump(&folder);
    let from = dump.to_str().unwrap();
    fails(&meshscope(&["chains", "nobody.default", "--from", from]), 2, &["there is httpbin-664956bb75-9d64m.default"]);
    fails(&meshscope(&["why", "default/helloworld", "deploy/httpbin", "--from", from]), 2, &["POD.NAMESPACE"]);
    fails(&meshscope(&["why", "default/nope", "--from", from]), 2, &["there is default/helloworld"]);
    fails(&meshscope(&["diff", "deploy/httpbin", "--from", from]), 2, &["without Kubernetes objects", "chains"]);
    for command in ["plugins", "workloads", "mtls", "sync"] {
        fails(&meshscope(&[command, "--from", from]), 2, &["without Kubernetes objects", "chains"]);
    }
}

/// A recording in which a Deployment and a StatefulSet, and a WasmPlugin and a TrafficExtension, share a name.
fn twins() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |plural: &str, objects: serde_json::Value| {
        std::fs::create_dir_all(folder.path().join("k8s")).unwrap();
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
        std::fs::write(folder.path().join("k8s").join(format!("{plural}.json")), list.to_string()).unwrap();
    };
    let plugin = serde_json::json!([{"metadata": {"namespace": "default", "name": "auth"}, "spec": {"url": "oci://x/y:v1"}}]);
    write("wasmplugins.extensions.istio.io", plugin.clone());
    write("trafficextensions.extensions.istio.io", plugin);
    let pod = |name: &str, kind: &str| {
        let owner = serde_json::json!([{"kind": kind, "name": "web", "controller": true, "apiVersion": "apps/v1", "uid": "1"}]);
        serde_json::json!({"metadata": {"namespace": "default", "name": name, "ownerReferences": owner},
            "spec": {"containers": [{"name": "istio-proxy", "image": "proxyv2", "args": ["proxy", "sidecar"]}]}, "status": {"phase": "Running"}})
    };
    write("pods", serde_json::json!([pod("web-0", "StatefulSet"), pod("web-abcde", "DaemonSet")]));
    for proxy in ["web-0.default", "web-abcde.default"] {
        let dump = serde_json::json!({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump"}]});
        std::fs::create_dir_all(folder.path().join("proxies").join(proxy)).unwrap();
        std::fs::write(folder.path().join("proxies").join(proxy).join("config_dump.json"), dump.to_string()).unwrap();
    }
    folder
}

#[test]
fn an_ambiguous_name_is_told_its_meanings() {
    let folder = twins();
    let from = folder.path().to_str().unwrap();
    let output = meshscope(&["why", "default/auth", "--from", from]);
    fails(&output, 2, &["default/auth is both", "wasmplugin/default/auth", "trafficextension/default/auth"]);
    let output = meshscope(&["chains", "default/web", "--from", from]);
    fails(&output, 2, &["default/web is", "statefulset/web", "daemonset/web", "write which one"]);
}

#[test]
fn a_name_is_understood_in_each_of_its_spellings() {
    let answer = |plugin: &str, workload: &str| super::support::json(&["why", plugin, workload, "--demo"]);
    let plain = answer("default/helloworld", "deploy/httpbin");
    for plugin in ["helloworld", "wasmplugin/default/helloworld"] {
        assert_eq!(answer(plugin, "deploy/httpbin"), plain, "{plugin}");
    }
    for workload in ["httpbin", "deployment/httpbin", "deploy/default/httpbin", "default/httpbin", "httpbin-664956bb75-9d64m.default"] {
        assert_eq!(answer("default/helloworld", workload), plain, "{workload}");
    }
}

#[test]
fn the_help_names_every_command_and_option() {
    let help = meshscope(&["--help"]);
    assert!(help.status.success() && help.stderr.is_empty());
    let text = String::from_utf8(help.stdout).unwrap();
    for word in ["plugins", "workloads", "chains", "why", "order", "logs", "record"] {
        assert!(text.lines().any(|line| line.trim_start().starts_with(word)), "{word}");
        let own = meshscope(&[word, "--help"]);
        assert!(own.status.success(), "{word} --help");
    }
    let options = ["--context", "--kubeconfig", "--namespace", "--all-namespaces", "--istio-namespace", "--from", "--demo", "--output"];
    for option in options.iter().chain(&["--color", "--theme", "--timeout"]) {
        assert!(text.contains(option), "{option}");
    }
    let version = meshscope(&["--version"]);
    assert_eq!(String::from_utf8(version.stdout).unwrap(), format!("meshscope {}\n", env!("CARGO_PKG_VERSION")));
}
