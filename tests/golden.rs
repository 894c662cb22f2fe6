//! What the commands print over every recording, held as text: a change in any word or number shows in review.

mod support;

/// The output of a command over a recording. How long a read took is left out by files themselves.
fn printed(recording: &str, arguments: &[&str]) -> String {
    let path = support::recording(recording);
    let output = support::meshscope(&[arguments, &["--from", path.to_str().unwrap(), "-A"]].concat());
    assert!(output.status.success(), "{recording} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn hold(recording: &str, command: &str, text: &str) {
    let name = format!("{}_{command}", recording.replace(['/', '.'], "-"));
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "snapshots/golden" }, { insta::assert_snapshot!(name, text) });
}

#[test]
fn the_answers_over_every_mesh() {
    for recording in support::MESHES {
        hold(recording, "plugins", &printed(recording, &["plugins"]));
        hold(recording, "workloads", &printed(recording, &["workloads"]));
        hold(recording, "near_misses", &printed(recording, &["workloads", "default/helloworld", "--near-misses"]));
        hold(recording, "chains", &printed(recording, &["chains"]));
        hold(recording, "why", &printed(recording, &["why", "default/helloworld"]));
        hold(recording, "mtls", &printed(recording, &["mtls"]));
        hold(recording, "health", &printed(recording, &["health"]));
    }
}

#[test]
fn the_answers_over_every_era() {
    for recording in support::eras() {
        hold(&recording, "why", &printed(&recording, &["why", "default/helloworld"]));
    }
    for version in ["1.12.0", "1.26.2"] {
        let recording = format!("eras/{version}/permissive-dual");
        hold(&recording, "chains", &printed(&recording, &["chains"]));
    }
}

#[test]
fn how_istiod_and_the_proxies_stand() {
    for recording in ["permissive", "fetch-failed-closed", "gateway", "eras/1.12.0/permissive-v4", "eras/1.26.2/permissive-v4"] {
        hold(recording, "sync", &printed(recording, &["sync"]));
    }
    hold("gateway", "sync_markdown", &printed("gateway", &["sync", "-o", "markdown"]));
}

#[test]
fn what_istiod_would_send_and_what_proxies_have() {
    for (recording, workload) in [
        ("permissive", "deploy/httpbin"),
        ("permissive", "deploy/sleep"),
        ("strict", "deploy/httpbin"),
        ("fetch-failed-closed", "deploy/httpbin"),
        ("gateway", "gateway/web"),
        ("eras/1.12.0/permissive-v4", "httpbin-0.default"),
        ("eras/1.26.2/permissive-v4", "httpbin-0.default"),
    ] {
        let name = workload.replace(['/', '.'], "_");
        hold(recording, &format!("diff_{name}"), &printed(recording, &["diff", workload]));
    }
    hold("fetch-failed-closed", "diff_json", &printed("fetch-failed-closed", &["diff", "deploy/httpbin", "-o", "json"]));
    hold("fetch-failed-closed", "diff_markdown", &printed("fetch-failed-closed", &["diff", "deploy/httpbin", "-o", "markdown"]));
}

#[test]
fn the_order_of_plugins() {
    for (recording, workload) in [
        ("permissive", "deploy/httpbin"),
        ("fetch-failed-closed", "deploy/httpbin"),
        ("gateway", "gateway/web"),
        ("eras/1.12.0/permissive-v4", "httpbin-0.default"),
        ("eras/1.26.2/permissive-v4", "httpbin-0.default"),
    ] {
        hold(recording, "order", &printed(recording, &["order", workload]));
    }
}

#[test]
fn the_story_of_a_change() {
    for (recording, plugin) in [
        ("permissive", "default/helloworld"),
        ("strict", "default/helloworld"),
        ("fetch-failed-closed", "default/missing"),
        ("fetch-failed-open", "default/missing-open"),
        ("gateway", "default/web-header"),
        ("eras/1.12.0/permissive-v4", "default/helloworld"),
        ("eras/1.26.2/permissive-v4", "default/helloworld"),
    ] {
        hold(recording, "timeline", &printed(recording, &["timeline", plugin]));
    }
    // The pod is younger than the change.
    hold("fetch-failed-closed", "timeline_of_a_later_pod", &printed("fetch-failed-closed", &["timeline", "default/helloworld"]));
    // The object is gone, and only istiod's log knows of it.
    hold("fetch-failed-open", "timeline_of_a_deleted_plugin", &printed("fetch-failed-open", &["timeline", "default/missing"]));
    hold("permissive", "timeline_json", &printed("permissive", &["timeline", "default/helloworld", "-o", "json"]));
    hold("fetch-failed-closed", "timeline_markdown", &printed("fetch-failed-closed", &["timeline", "default/missing", "-o", "markdown"]));
}

#[test]
fn the_chain_of_a_connection() {
    for recording in ["permissive", "strict", "disable"] {
        let arguments = ["chains", "deploy/httpbin", "--connection", "port=80,tls=foreign,sni=httpbin.example.com"];
        hold(recording, "connection", &printed(recording, &arguments));
    }
}

#[test]
fn the_findings_in_every_form() {
    for recording in ["permissive", "fetch-failed-open", "gateway"] {
        hold(recording, "check", &printed(recording, &["check"]));
    }
    for form in ["text", "json", "sarif", "junit", "markdown"] {
        let path = support::recording("fetch-failed-closed");
        let output = support::meshscope(&["check", "-A", "-o", form, "--from", path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "a stub is an error: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION");
        hold("fetch-failed-closed", &format!("check_{form}"), &text);
    }
}

#[test]
fn an_answer_as_markdown_and_yaml() {
    hold("strict", "why_markdown", &printed("strict", &["why", "default/helloworld", "-o", "markdown"]));
    hold("fetch-failed-closed", "order_markdown", &printed("fetch-failed-closed", &["order", "deploy/httpbin", "-o", "markdown"]));
    let misses = ["workloads", "default/web-header", "--near-misses", "-o", "markdown"];
    hold("gateway", "near_misses_markdown", &printed("gateway", &misses));
    hold("fetch-failed-open", "health_markdown", &printed("fetch-failed-open", &["health", "-o", "markdown"]));
    hold("strict", "mtls_markdown", &printed("strict", &["mtls", "deploy/httpbin", "-o", "markdown"]));
    hold("gateway", "plugins_yaml", &printed("gateway", &["plugins", "-o", "yaml"]));
}
