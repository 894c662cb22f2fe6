//! Dumps as people save them: encodings, wrappings, parts, old names.

use std::io::Write;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::inputs::Case;
use crate::support::meshscope;

/// What `chains` answers of a file, as JSON, with its exit status and what it writes to standard error.
fn chains(path: &Path) -> (Value, i32, String) {
    read(&meshscope(&["chains", "-o", "json", "--from", path.to_str().unwrap()]))
}

fn read(output: &Output) -> (Value, i32, String) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap_or(Value::Null), output.status.code().unwrap(), said)
}

/// The same of bytes that a test makes.
pub fn chains_of(bytes: &[u8]) -> (Value, i32, String) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    chains(file.path())
}

pub fn ports(answer: &Value) -> Vec<u64> {
    let listeners = answer["proxies"][0]["listeners"].as_array().cloned().unwrap_or_default();
    listeners.iter().filter_map(|listener| listener["port"].as_u64()).collect()
}

/// The dump of the case, and its sections.
pub fn plain() -> (String, Value) {
    let text = std::fs::read_to_string(Case::open("20-dump-wrappers").path("configs-only.json")).unwrap();
    let sections = serde_json::from_str(&text).unwrap();
    (format!("{{\"configs\": {text}}}"), sections)
}

#[test]
fn field_20_every_wrapping_is_the_same_dump() {
    let case = Case::open("20-dump-wrappers");
    let files =
        ["dump.json.gz", "dump.json.zst", "crlf.json", "bom.json", "configs-only.json", "wrapped.json", "nested.json", "keyed-by-pod.json"];
    for file in files {
        let (answer, status, said) = chains(&case.path(file));
        assert_eq!((status, said.as_str()), (0, ""), "{file}");
        assert_eq!(answer["proxies"][0]["proxy"], "orders-0.shop", "{file}");
        assert_eq!(ports(&answer), [15006], "{file}");
    }
}

#[test]
fn field_20_what_is_no_dump_is_called_by_its_name() {
    let case = Case::open("20-dump-wrappers");
    for (file, what) in [
        ("empty.json", "is empty"),
        ("404.json", "is not JSON, but an error of Envoy's admin port: `ecds_filters not found in config dump`"),
        ("html.json", "is a page of HTML"),
        ("mesh-config.json", "has no listeners, only ClustersConfigDump"),
        ("bug-report.tar.gz", "is no recording: it has none of k8s/, proxies/ and logs/, but bom.json"),
    ] {
        let (_, status, said) = chains(&case.path(file));
        assert_eq!(status, 3, "{file}");
        assert!(said.contains(what) && said.lines().count() == 1 && !said.contains("cut short"), "{file}: {said}");
    }
    let (answer, status, said) = chains(&case.path("truncated.json"));
    assert_eq!((status, answer["proxies"][0]["proxy"].as_str()), (3, Some("orders-0.shop")));
    assert!(said.contains("is cut short after 1756 bytes"), "{said}");
}

#[test]
fn field_20_what_is_no_dump_is_so_to_every_command() {
    let case = Case::open("20-dump-wrappers");
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let kubeconfig = "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\n";
    let files = [
        case.path("html.json"),
        case.path("404.json"),
        case.path("mesh-config.json"),
        case.path("truncated.json"),
        made("any.json", "{\"k\":1}"),
        made("config", kubeconfig),
    ];
    let target = folder.path().join("recorded");
    let commands: [&[&str]; 7] = [
        &["plugins"],
        &["workloads"],
        &["mtls"],
        &["sync"],
        &["diff", "deploy/httpbin"],
        &["why", "default/helloworld", "--mode", "STRICT"],
        &["record", target.to_str().unwrap()],
    ];
    for file in files {
        let from = ["--from", file.to_str().unwrap()];
        let (_, status, said) = read(&meshscope(&[&["chains"][..], &from].concat()));
        assert_eq!(status, 3, "{said}");
        let last = said.lines().last().unwrap();
        for command in commands {
            let (_, status, other) = read(&meshscope(&[command, &from].concat()));
            assert_eq!((status, other.trim_end()), (3, last), "{command:?}");
        }
    }
    // A whole dump is the wrong file for these commands, and no broken one.
    let whole = case.path("bom.json");
    let (_, status, said) = read(&meshscope(&["plugins", "--from", whole.to_str().unwrap()]));
    assert!(status == 2 && said.contains("without Kubernetes objects"), "{said}");
}

#[test]
fn field_20_utf_16_is_read_with_and_without_a_mark() {
    let (dump, _) = plain();
    for mark in ["", "\u{feff}"] {
        let text = format!("{mark}{dump}");
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let (answer, status, said) = chains_of(&bytes);
            assert_eq!((status, said.as_str(), ports(&answer)), (0, "", vec![15006]));
        }
    }
}

#[test]
fn field_20_parts_and_the_output_of_istioctl_are_read() {
    let (_, sections) = plain();
    let listeners =
        sections.as_array().unwrap().iter().find(|one| one["@type"].as_str().unwrap().ends_with(".ListenersConfigDump")).unwrap();
    let mut untyped = listeners.clone();
    untyped.as_object_mut().unwrap().remove("@type");
    let mut bare = listeners["dynamic_listeners"][0]["active_state"]["listener"].clone();
    bare.as_object_mut().unwrap().remove("@type");
    for part in [listeners.clone(), untyped, json!([listeners]), bare.clone(), json!([bare])] {
        let (answer, status, said) = chains_of(part.to_string().as_bytes());
        assert_eq!((status, ports(&answer)), (0, vec![15006]), "{said}");
    }
    for (part, what) in [
        (json!([{"name": "BlackHoleCluster", "type": "STATIC", "connectTimeout": "10s"}]), "has no listeners, only Cluster;"),
        (json!([{"name": "80", "virtualHosts": []}]), "has no listeners, only RouteConfiguration;"),
        (json!({"dynamicActiveSecrets": [{"name": "default"}]}), "has no listeners, only SecretsConfigDump;"),
        (
            json!([{"name": "outbound|80||a", "addedViaApi": true, "hostStatuses": []}]),
            "is the output of `istioctl proxy-config endpoints`",
        ),
        (json!({"a": {"configs": [listeners]}, "b": {"configs": [listeners]}}), "holds 2 config dumps (a, b)"),
        (json!({"defaultConfig": {"proxyAdminPort": 15000}, "rootNamespace": "istio-system"}), "is Istio's mesh configuration"),
        (json!({"configs": "none"}), "expected a list"),
    ] {
        let (_, status, said) = chains_of(part.to_string().as_bytes());
        assert_eq!(status, 3, "{said}");
        assert!(said.contains(what) && !said.contains("cut short"), "{what}: {said}");
    }
    // ECDS alone says something of plugins, and nothing of listeners.
    let ecds =
        json!({"ecdsFilters": [{"ecdsFilter": {"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": "a.b"}}]});
    let (_, status, said) = chains_of(ecds.to_string().as_bytes());
    assert!(status == 3 && said.contains("has no listeners, only EcdsConfigDump"), "{said}");
}

#[test]
fn field_20_a_fault_in_the_middle_is_no_cut() {
    let (dump, _) = plain();
    let at = dump.find("\"dynamic_listeners\"").unwrap();
    let damaged = format!("{}?{}", &dump[..at], &dump[at..]);
    let (answer, status, said) = chains_of(damaged.as_bytes());
    assert_eq!((status, answer["proxies"][0]["proxy"].as_str()), (3, Some("orders-0.shop")));
    assert!(said.contains("is damaged (") && !said.contains("cut short"), "{said}");
}

#[test]
fn field_20_the_archive_of_bug_report_is_read_packed_and_unpacked() {
    let (dump, _) = plain();
    let root = tempfile::tempdir().unwrap();
    let report = root.path().join("bug-report");
    for (name, text) in [
        ("proxies/shop/orders-0/config_dump", dump.as_str()),
        ("proxies/shop/orders-0/istio-proxy.log", "2026-11-23T19:13:51.560680Z\tinfo\tEnvoy proxy is ready\n"),
        ("proxies/shop/orders-0/stats/prometheus", ""),
        ("istio/istio-system/istiod-1/discovery.log", ""),
        ("cluster/k8s-resources", "apiVersion: v1\n"),
        ("versions", "1.26.2\n"),
    ] {
        let path = report.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let packed = root.path().join("bug-report.tar.gz");
    let file = flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(file);
    tar.append_dir_all("bug-report", &report).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    for path in [&report, &packed] {
        let (answer, status, said) = chains(path);
        assert_eq!((status, ports(&answer)), (0, vec![15006]), "{said}");
        assert_eq!(answer["proxies"][0]["proxy"], "orders-0.shop");
        let logs = meshscope(&["logs", "--from", path.to_str().unwrap()]);
        assert!(String::from_utf8(logs.stdout).unwrap().contains("Envoy proxy is ready"));
    }
}

#[test]
fn field_24_a_ztunnels_dump_is_called_one() {
    let data = Case::open("data");
    for file in ["istio-writer-ztunnel-configdump-dump.json", "istio120-ztunnel-dump.json", "kiali-ztunnel-config.json"] {
        let (_, status, said) = chains(&data.path(file));
        assert!(status == 3 && said.contains("is a ztunnel's dump: Wasm never runs there"), "{said}");
    }
}

#[test]
fn field_03_filters_that_a_struct_configures_are_read() {
    let case = Case::open("03-v2-untyped-config");
    for file in ["dump.json", "hidden-deprecated.json"] {
        let (answer, status, said) = chains(&case.path(file));
        assert_eq!((status, said.as_str()), (0, ""), "{file}");
        let listeners = answer["proxies"][0]["listeners"].as_array().unwrap().clone();
        let inbound = listeners.iter().find(|listener| listener["name"] == "10.20.3.243_8083").unwrap();
        let [tls, plain] = inbound["filterChains"].as_array().unwrap().as_slice() else { panic!("two chains: {inbound}") };
        assert!(tls["meaning"].as_str().unwrap().contains("mTLS"), "{tls}");
        let http: Vec<&str> = plain["httpFilters"].as_array().unwrap().iter().map(|filter| filter["name"].as_str().unwrap()).collect();
        assert_eq!(http, ["envoy.filters.http.wasm", "envoy.router"]);
        assert_eq!(plain["httpFilters"][0]["pluginKind"], "EnvoyFilter");
        assert!(listeners.iter().any(|listener| listener["state"] == "error"));
    }
}

#[test]
fn field_03_dumps_of_istio_1_1_are_read() {
    let data = Case::open("data");
    for (file, least) in [("istio16-authz-productpage.json", 10), ("istio16-echo.json", 10)] {
        let (answer, status, said) = chains(&data.path(file));
        assert_eq!((status, said.as_str()), (0, ""), "{file}");
        let text = answer.to_string();
        assert!(text.matches("\"httpFilters\":[{").count() >= least, "{file}: HTTP connection managers are read");
        assert!(text.contains("mTLS"), "{file}: tls_context is read");
    }
    // What Envoy's API v1 had is named, once a chain, and never shown as if it led nowhere.
    let (_, status, said) = chains(&data.path("istio16-util-configdump.json"));
    assert!(status == 0 && said.contains("envoy.tcp_proxy is configured as in Envoy's API v1"), "{said}");
}

#[test]
fn field_03_the_lists_of_old_envoys_are_listeners_in_their_states() {
    let listener = |name: &str, port: u16| {
        json!({"version_info": "1", "listener": {"name": name, "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
               "filter_chains": [{"filters": [{"name": "envoy.tcp_proxy", "config": {"cluster": "outbound|1||a"}}]}]}})
    };
    let dump = json!({"configs": [{"@type": "type.googleapis.com/envoy.admin.v2alpha.ListenersConfigDump",
        "dynamic_active_listeners": [listener("a", 1)], "dynamic_warming_listeners": [listener("b", 2)], "dynamic_draining_listeners": [listener("c", 3)]}]});
    let (answer, status, said) = chains_of(dump.to_string().as_bytes());
    assert_eq!((status, said.as_str()), (0, ""));
    let listeners = answer["proxies"][0]["listeners"].as_array().unwrap();
    let states: Vec<_> = listeners.iter().map(|one| (one["port"].as_u64().unwrap(), one["state"].as_str().unwrap())).collect();
    assert_eq!(states, [(1, "active"), (2, "warming"), (3, "draining")]);
}

#[test]
fn field_09_old_syncz_is_read_of_every_proxy() {
    let case = Case::open("09-old-syncz");
    let recording = case.path("recording");
    let (answer, status, _) = read(&meshscope(&["sync", "-A", "-o", "json", "--from", recording.to_str().unwrap()]));
    let proxies = answer["proxies"].as_array().unwrap();
    let connected = proxies.iter().filter(|proxy| proxy["connected"] == true);
    assert_eq!((status, connected.count()), (0, 34));
}
