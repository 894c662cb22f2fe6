//! Files that would take all memory or wait for ever, and fields of a wrong type.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::inputs::Case;
use crate::support::{self, ask, meshscope};

#[test]
fn hostile_h5_any_timeout_is_an_answer_or_wrong_usage() {
    for timeout in [
        "9223372036854775807",
        "18446744073709551615",
        "1e309",
        "-1",
        "0",
        "0s",
        "0ms",
        "",
        ".",
        "1.2.3s",
        "87601h",
        "NaN",
        "inf",
        "1d",
        "١s",
    ] {
        let (status, said, _) = ask(&["chains", "--demo", &format!("--timeout={timeout}")]);
        assert_eq!((status, said.lines().count()), (2, 1), "{timeout}: {said}");
    }
    for timeout in ["87600h", "0.5", "1.5m", "30000ms"] {
        assert_eq!(ask(&["chains", "--demo", "--timeout", timeout]).0, 0, "{timeout}");
    }
    // Too short is no answer, and no panic.
    let (status, said, _) = ask(&["chains", "--demo", "--timeout", "0.000001ms"]);
    assert!(matches!(status, 0 | 3) && !said.contains("panicked"), "{said}");
}

/// Runs a command, and says how it ended, how long it took and how much memory it had at most, in MiB.
#[cfg(target_os = "linux")]
pub(crate) fn measured(arguments: &[&str]) -> (i32, String, Duration, u64) {
    let started = Instant::now();
    let errors = tempfile::NamedTempFile::new().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshscope"))
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(errors.reopen().unwrap())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        let about = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = about.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        peak = peak.max(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() >> 10);
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    (status.code().unwrap_or(-1), std::fs::read_to_string(errors.path()).unwrap(), started.elapsed(), peak)
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_h6_an_archive_and_all_in_it_has_one_budget() {
    let hostile = Case::open("hostile");
    let bomb = hostile.path("nested-bomb.tar.zst");
    for command in ["chains", "check", "logs"] {
        let (status, said, took, peak) = measured(&[command, "--from", bomb.to_str().unwrap()]);
        assert!(peak < 600, "{command}: {peak} MiB");
        assert!(matches!(status, 2 | 3), "{command}: {status} {said}");
        assert!(command == "logs" || said.contains("is larger than 64 MiB"), "{command}: {said}");
        // A build without optimisation is some times slower than the one that the five seconds are meant for.
        assert!(took < Duration::from_secs(20), "{command}: {took:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_h6_bombs_of_other_kinds_are_bounded_too() {
    let folder = tempfile::tempdir().unwrap();
    let zeros = |mebibytes: usize| {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        (0..mebibytes).for_each(|_| std::io::Write::write_all(&mut encoder, &[b' '; 1 << 20]).unwrap());
        encoder.finish().unwrap()
    };
    let bomb = zeros(513);
    let archive = |entries: &[&str]| {
        let mut tar = tar::Builder::new(Vec::new());
        for name in entries {
            let mut header = tar::Header::new_ustar();
            header.set_size(bomb.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append_data(&mut header, name, &bomb[..]).unwrap();
        }
        zstd::encode_all(&tar.into_inner().unwrap()[..], 1).unwrap()
    };
    // Beside logs, as objects, as a dump alone.
    for (name, bytes) in [
        ("log.tar.zst", archive(&["k8s/x.json.zst", "logs/istiod.log.zst", "logs/a.b.istio-proxy.log.zst"])),
        ("objects.tar.zst", archive(&["k8s/pods.json.zst", "k8s/services.json.zst", "istiod/syncz.json.zst"])),
        ("dump.json.zst", bomb.clone()),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        for command in [&["chains"][..], &["sync", "-A"]] {
            let (status, said, took, peak) = measured(&[command, &["--from", path.to_str().unwrap()]].concat());
            assert!(peak < 600, "{name} {command:?}: {peak} MiB");
            assert!((0..=3).contains(&status) && !said.contains("panicked"), "{name} {command:?}: {status} {said}");
            assert!(took < Duration::from_secs(20), "{name} {command:?}: {took:?}");
        }
    }
}

#[cfg(unix)]
#[test]
fn hostile_h14_only_regular_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("link")).unwrap();
    for (place, what) in [("pipe", "a pipe"), ("socket", "a socket"), ("link", "a device")] {
        for arguments in [
            &["chains", "--from", &path(place)][..],
            &["why", "default/helloworld", "--demo", "--with", &path(place)],
            &["plugins", "--kubeconfig", &path(place)],
        ] {
            let started = Instant::now();
            let (status, said, _) = ask(arguments);
            assert!(matches!(status, 2 | 3) && said.contains(what) && said.lines().count() == 1, "{arguments:?}: {said}");
            assert!(started.elapsed() < Duration::from_secs(5), "{arguments:?}");
        }
    }
    for arguments in
        [&["why", "default/helloworld", "--demo", "--with", &path("folder")][..], &["plugins", "--kubeconfig", &path("folder")]]
    {
        let (status, said, _) = ask(arguments);
        assert!(matches!(status, 2 | 3) && said.contains("a folder"), "{arguments:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn hostile_h14_a_pipe_in_a_recording_holds_nothing_up() {
    let recording = support::folder("permissive", &[]);
    let dump = "proxies/httpbin-664956bb75-9d64m.default/config_dump.json";
    for file in [dump, "k8s/services.json", "istiod/syncz.json", "logs/istiod.log", "istiod/version.txt", "k8s/unread.json"] {
        let path = recording.path().join(file);
        let _ = std::fs::remove_file(&path);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    }
    let started = Instant::now();
    for command in [&["chains"][..], &["check"], &["logs"], &["sync"], &["why", "default/helloworld"]] {
        let (status, said, _) = ask(&[command, &["--from", recording.path().to_str().unwrap(), "--timeout", "5s"]].concat());
        assert!((0..=3).contains(&status) && !said.contains("panicked"), "{command:?}: {said}");
    }
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn hostile_h14_standard_input_keeps_the_deadline() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meshscope"))
        .args(["chains", "--from", "-", "--timeout", "300ms"])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Held open, so that the input never ends.
    let _input = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(said.contains("was not read to its end within 0.3 s") && said.lines().count() == 1, "{said}");
}

#[test]
fn hostile_h11_nothing_of_any_proxy_is_no_answer() {
    for with_objects in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("proxies")).unwrap();
        if with_objects {
            std::fs::create_dir(folder.path().join("k8s")).unwrap();
        }
        let from = folder.path().to_str().unwrap();
        for command in [&["check"][..], &["chains"], &["health"], &["check", "-A"]] {
            let (status, said, _) = ask(&[command, &["--from", from]].concat());
            assert_eq!(status, 3, "{command:?}: {said}");
            assert!(said.contains("proxies/ is empty"), "{command:?}: {said}");
        }
    }
}

fn section(name: &str, fields: Value) -> Value {
    let mut section = json!({"@type": format!("type.googleapis.com/envoy.admin.v3.{name}")});
    section.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    section
}

/// The answer of a command over a dump alone.
fn of_dump(configs: Value, command: &[&str]) -> (i32, String, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.json");
    std::fs::write(&path, json!({"configs": configs}).to_string()).unwrap();
    ask(&[command, &["-o", "json", "--from", path.to_str().unwrap()]].concat())
}

#[test]
fn hostile_h15_wrong_types_in_a_dump_are_warnings_with_a_place() {
    let bootstrap = section("BootstrapConfigDump", json!({"bootstrap": {"node": {"id": "sidecar~10.0.0.1~a.b~b.svc.cluster.local"}}}));
    let listeners = section("ListenersConfigDump", json!({"dynamic_listeners": []}));
    let (status, said, _) = of_dump(json!([bootstrap.clone()]), &["chains"]);
    assert!(status == 3 && said.contains("has no listeners, only BootstrapConfigDump"), "{said}");
    let chain = |filter: Value| {
        section(
            "ListenersConfigDump",
            json!({"dynamic_listeners": [{"name": "l", "active_state": {"listener": {"name": "l", "filter_chains": [{"filters": [filter]}]}}}]}),
        )
    };
    let manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    for (configs, place) in [
        (json!([1, listeners]), "configs[0]: not understood: the element is a number"),
        (json!(["x", listeners]), "configs[0]: not understood: the element is text"),
        (json!([listeners, {"no": "type"}]), "configs[1]: not understood: the element has no @type"),
        (json!([section("ListenersConfigDump", json!({"dynamic_listeners": "x"}))]), "configs[0]: not understood: invalid type: string"),
        (json!([section("ListenersConfigDump", json!({"dynamic_listeners": [7]}))]), "configs[0].dynamic_listeners[0]"),
        (
            json!([section("ListenersConfigDump", json!({"dynamic_listeners": [{"active_state": {"listener": {"filter_chains": {}}}}]}))]),
            "configs[0].dynamic_listeners[0]",
        ),
        (json!([chain(json!("x"))]), "configs[0].dynamic_listeners[0].filter_chains[0]"),
        (
            json!([chain(json!({"name": "hcm", "typed_config": {"@type": manager, "http_filters": "x"}}))]),
            "configs[0].dynamic_listeners[0].filter_chains[0]",
        ),
        (json!([listeners, section("EcdsConfigDump", json!({"ecds_filters": 1}))]), "configs[1]: not understood"),
        (
            json!([listeners, section("EcdsConfigDump", json!({"ecds_filters": [{"ecds_filter": "x"}]}))]),
            "configs[1].ecds_filters[0]: not understood: ecds_filter is text and not an object",
        ),
        (
            json!([listeners, section("EcdsConfigDump", json!({"ecds_filters": [{"ecds_filter": {"typed_config": []}}]}))]),
            "configs[1].ecds_filters[0]: not understood: ecds_filter.typed_config is a list",
        ),
    ] {
        let (status, said, answer) = of_dump(configs, &["chains"]);
        assert_eq!(status, 0, "{place}: {said}");
        let at = place.split(": ").next().unwrap();
        assert!(said.contains(place) && answer["warnings"].to_string().contains(at), "{place}: {said}");
    }
}

#[test]
fn hostile_h15_a_plugin_whose_entry_is_not_understood_is_unknown() {
    let dump = "proxies/httpbin-664956bb75-9d64m.default/config_dump.json";
    let files = support::files("permissive");
    let mut whole: Value = serde_json::from_slice(&files[dump]).unwrap();
    let state = |dump_of: &Value| {
        let recording = support::folder("permissive", &[(dump, dump_of.to_string())]);
        let (_, said, answer) = ask(&["why", "default/helloworld", "-o", "json", "--from", recording.path().to_str().unwrap()]);
        (answer["workloads"][0]["state"].as_str().unwrap_or_default().to_owned(), said)
    };
    let of = |name: &str, whole: &Value| {
        whole["configs"].as_array().unwrap().iter().position(|one| one["@type"].as_str().unwrap().ends_with(name)).unwrap()
    };
    let (ecds, listeners) = (of(".EcdsConfigDump", &whole), of(".ListenersConfigDump", &whole));
    let kept = whole.clone();
    for entry in [json!("x"), json!({"ecds_filter": 5}), json!({"ecds_filter": {"name": {}}})] {
        whole["configs"][ecds]["ecds_filters"] = json!([entry]);
        let (found, said) = state(&whole);
        assert_eq!(found, "unknown", "{said}");
        assert!(said.contains("ecds_filters[0]"), "{said}");
    }
    whole = kept.clone();
    whole["configs"].as_array_mut().unwrap().remove(listeners);
    let (found, said) = state(&whole);
    assert_eq!(found, "unknown", "{said}");
}

#[test]
fn hostile_h15_wrong_types_in_objects_are_warnings_and_nothing_is_concluded() {
    let policy = |spec: Value| {
        json!({"kind": "List", "items": [{"kind": "PeerAuthentication", "metadata": {"name": "x", "namespace": "default"}, "spec": spec}]})
            .to_string()
    };
    for (spec, what) in [
        (json!({"selector": "httpbin", "mtls": {"mode": "STRICT"}}), "spec.selector is text and not a map"),
        (json!({"selector": {"matchLabels": ["app"]}, "mtls": {"mode": "STRICT"}}), "spec.selector.matchLabels is a list and not a map"),
        (json!({"selector": {"matchLabels": {"app": 1}}}), "has a number as the value of app"),
        (json!({"mtls": "STRICT"}), "spec.mtls is text and not a map"),
        (json!({"mtls": {"mode": ["STRICT"]}}), "spec.mtls.mode is a list and not text"),
        (json!({"portLevelMtls": "80"}), "spec.portLevelMtls is text and not a map"),
        (json!({"portLevelMtls": {"80": {"mode": 1}}}), "spec.portLevelMtls.80.mode is a number and not text"),
        (json!("STRICT"), "spec is text and not a map"),
    ] {
        let recording = support::folder("permissive", &[("k8s/peerauthentications.security.istio.io.json", policy(spec))]);
        let (status, said, answer) = ask(&["why", "default/helloworld", "-o", "json", "--from", recording.path().to_str().unwrap()]);
        assert_eq!(status, 0, "{said}");
        assert!(said.contains(what), "{what}: {said}");
        assert!(answer["workloads"][0]["listeners"][0]["predicted"].is_null(), "{what}: nothing is predicted from it");
    }
    let plugin = |spec: Value| {
        json!({"kind": "List", "items": [{"kind": "WasmPlugin", "metadata": {"name": "helloworld", "namespace": "default"}, "spec": spec}]})
            .to_string()
    };
    for (spec, what) in [
        (json!({"url": "oci://a/b", "selector": "httpbin"}), "spec.selector is text and not a map"),
        (json!({"url": "oci://a/b", "selector": {"matchLabels": "app"}}), "spec.selector.matchLabels is text and not a map"),
    ] {
        let recording = support::folder("permissive", &[("k8s/wasmplugins.extensions.istio.io.json", plugin(spec))]);
        let (status, said, answer) = ask(&["workloads", "default/helloworld", "-o", "json", "--from", recording.path().to_str().unwrap()]);
        assert_eq!(status, 0, "{said}");
        assert!(said.contains(what), "{what}: {said}");
        assert!(!answer.to_string().contains("applies to the namespace"), "{answer}");
    }
}

#[test]
fn hostile_h19_many_warnings_of_one_kind_are_summed_up_and_time_is_linear() {
    let time = |count: usize| {
        let recording = support::crowd(0, |_, text| text.to_owned());
        let path = recording.path().join("k8s/pods.json");
        let mut pods: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let items = pods["items"].as_array_mut().unwrap();
        let pod = items.iter().find(|pod| pod["metadata"]["name"] == "httpbin-664956bb75-9d64m").unwrap().clone();
        for place in 0..count {
            let mut pod = pod.clone();
            pod["metadata"]["name"] = format!("httpbin-{place:05}").into();
            items.push(pod);
        }
        std::fs::write(&path, pods.to_string()).unwrap();
        let started = Instant::now();
        let output = meshscope(&["chains", "-o", "json", "--from", recording.path().to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.lines().count() <= 12, "{} lines", said.lines().count());
        assert!(said.contains(&format!("{} more of the kind", count - 10)), "{said}");
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(answer["warnings"].as_array().unwrap().len() >= count, "the answer holds them all");
        started.elapsed()
    };
    let (small, large) = (time(1000), time(4000));
    assert!(large < small * 8 + Duration::from_secs(1), "{small:?}, then {large:?}");
}

/// A file of a recording may be a folder, or name one.
#[test]
fn hostile_h14_folders_in_the_place_of_files_are_named() {
    let recording = support::folder("permissive", &[]);
    let path: &Path = &recording.path().join("k8s/services.json");
    std::fs::remove_file(path).unwrap();
    std::fs::create_dir(path).unwrap();
    let (status, said, _) = ask(&["mtls", "--from", recording.path().to_str().unwrap()]);
    assert!(status == 0 && said.contains("it is a folder, and no regular file"), "{said}");
}
