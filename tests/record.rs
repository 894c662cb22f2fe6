//! A recording of a source says what the source says, holds no secret, and names what could not be read.

#![allow(clippy::unwrap_used)] // A test that cannot set up its files should stop there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use meshscope::ingest::redact;
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::update::Update;
use meshscope::source::files::Files;
use meshscope::source::logs::{LogQuery, LogStreams, LogTargets};
use meshscope::source::record::{RecordReport, RecordTarget, Strings, record};
use meshscope::source::{
    FailureKind, IstiodReplies, LogRequest, ProxyQuestion, ProxyRequest, Reply, SharedSource, Source, SourceError, SourceInfo, SourceKind,
    Updates,
};
use serde_json::{Value, json};
use tempfile::TempDir;

const S: &str = "pl4nted-S3cr3t";
const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";
const DEADLINE: Duration = Duration::from_secs(5);

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/recordings").join(format!("{name}.tar.zst"))
}

fn targets(source: &dyn Source) -> Vec<RecordTarget> {
    let target = |proxy| RecordTarget { proxy, container: "istio-proxy".to_owned(), admin_port: 15000 };
    source.proxies().into_iter().map(target).collect()
}

async fn recorded(source: SharedSource) -> (TempDir, RecordReport) {
    let dir = tempfile::tempdir().unwrap();
    let targets = targets(source.as_ref());
    let report = record(source, &dir.path().join("new/recording"), targets, DEADLINE, Strings::Unrecognised).await.unwrap();
    (dir, report)
}

async fn objects(source: &dyn Source) -> BTreeMap<Kind, Vec<Value>> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
    let watch = tokio::spawn(source.watch(sender));
    let mut all = BTreeMap::new();
    while let Some(update) = receiver.recv().await {
        match update {
            Update::Listed { kind, mut objects, .. } => {
                objects.iter_mut().for_each(redact::value);
                all.insert(kind, objects);
            }
            Update::Unread(unread) => panic!("{unread:?}"),
            _ => {}
        }
    }
    watch.await.unwrap();
    all
}

/// Every file below a folder, by its name in it.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                all.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    all
}

#[tokio::test]
async fn a_recording_of_a_recording_says_the_same() {
    for name in ["strict", "gateway", "eras/1.12.0/permissive-v4-linklocal6"] {
        let original = tempfile::tempdir().unwrap();
        let tar = zstd::decode_all(fs::File::open(fixture(name)).unwrap()).unwrap();
        tar::Archive::new(tar.as_slice()).unpack(original.path()).unwrap();
        let source: SharedSource = Arc::new(Files::open(original.path()).unwrap());
        let (dir, report) = recorded(source.clone()).await;
        assert_eq!(report.warnings, [], "{name}");
        let folder = dir.path().join("new/recording");
        let again = Files::open(&folder).unwrap();
        assert_eq!(objects(source.as_ref()).await, objects(&again).await, "{name}");
        assert_eq!(again.proxies(), source.proxies());

        let (before, after) = (files(original.path()), files(&folder));
        let unchanged = |name: &&String| !name.starts_with("istioctl/") && !name.starts_with("k8s/version");
        let expected: Vec<&String> = before.keys().filter(unchanged).collect();
        assert_eq!(expected, after.keys().collect::<Vec<_>>(), "{name}");
        assert_eq!((report.files, report.proxies), (after.len(), source.proxies().len()));
        for (file, text) in &after {
            // Lists are written anew, everything else byte for byte, for nothing in it is secret.
            if !file.starts_with("k8s/") && !file.ends_with("server_info.json") {
                assert!(*text == before[file], "{name}: {file}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_planted_reaches_a_recording() {
    let original = tempfile::tempdir().unwrap();
    let tar = zstd::decode_all(fs::File::open(fixture("permissive")).unwrap()).unwrap();
    tar::Archive::new(tar.as_slice()).unpack(original.path()).unwrap();
    let plant = |name: &str, change: &dyn Fn(&str) -> String| {
        let path = original.path().join(name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, change(&text)).unwrap();
    };
    let proxy = |file: &str| format!("proxies/{HTTPBIN}/{file}");
    plant("k8s/secrets.json", &|_| json!({"kind": "List", "items": [{"kind": "Secret", "data": {"a": S}}]}).to_string());
    plant("k8s/pods.json", &|text| {
        let mut list: Value = serde_json::from_str(text).unwrap();
        for pod in list["items"].as_array_mut().unwrap() {
            pod["spec"]["containers"][0]["env"] = json!([{"name": "ANY", "value": S}]);
            pod["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = S.into();
            pod["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
        }
        list.to_string()
    });
    plant("k8s/wasmplugins.extensions.istio.io.json", &|text| {
        text.replace("\"pluginName\"", &format!("\"pluginConfig\": {{\"my_token_1\": \"{S}\"}}, \"pluginName\""))
    });
    plant("k8s/configmap-istio.json", &|text| text.replace("enablePrometheusMerge", &format!("password: {S}\\nenablePrometheusMerge")));
    plant(&proxy("config_dump.json"), &|text| text.replace("W3JlZGFjdGVkXQ==", S));
    plant(&proxy("server_info.json"), &|text| {
        text.replacen('{', &format!("{{\"command_line_options\": {{\"config_path\": \"/x\"}}, \"access_token\": \"{S}\","), 1)
    });
    plant(&proxy("stats.prom"), &|text| format!("{text}x{{url=\"http://u:{S}@h/\"}} 1\n"));
    plant("istiod/config_dump.sleep-5c4597b769-9hvcz.default.json", &|text| {
        let environment = json!({"vmConfig": {"environmentVariables": {"keyValues": {"ISTIO_META_WASM_IMAGE_PULL_SECRET": S}}}});
        text.replacen('{', &format!("{{\"planted\": {environment},"), 1)
    });
    plant("istiod/syncz.json", &|text| {
        text.replacen("\"sentTime\"", &format!("\"lastError\": \"dial https://u:{S}@registry\", \"sentTime\""), 1)
    });
    fs::write(
        original.path().join("istiod/adsz.json"),
        json!({"clients": [{"connectionId": "a.b-1", "metadata": {"PASSWORD": S}, "watches": {"x": [format!("https://u:{S}@registry")]}}]})
            .to_string(),
    )
    .unwrap();
    plant("istiod/config_dump.httpbin-664956bb75-9d64m.default.json", &|_| format!("error: authorization: Bearer {S}{S}"));
    plant(&format!("logs/{HTTPBIN}.istio-proxy.log"), &|text| format!("{text}2026-11-23T19:37:48Z GET /?access_token={S} 200\n"));
    plant("logs/istiod.log", &|text| format!("{text}2026-11-23T19:37:48Z dial https://u:{S}@registry/\n"));

    let (dir, report) = recorded(Arc::new(Files::open(original.path()).unwrap())).await;
    let after = files(&dir.path().join("new/recording"));
    for (file, text) in &after {
        assert!(!text.contains(S) && !text.contains("managedFields") && !text.contains("command_line_options"), "{file}");
    }
    assert!(!after.contains_key("k8s/secrets.json"));
    let marked: Vec<_> = after.iter().filter(|(_, text)| text.contains(redact::REDACTED)).map(|(file, _)| file.as_str()).collect();
    // The twelve that were planted, and Deployments and ReplicaSets, whose environment is always taken out.
    assert_eq!(marked.len(), 14, "{marked:#?}");
    assert_eq!(report.warnings, []);
}

#[tokio::test]
async fn only_an_empty_folder_is_written_into() {
    let dir = tempfile::tempdir().unwrap();
    let demo = || -> SharedSource { Arc::new(meshscope::source::demo::Demo::new(0).unwrap()) };
    record(demo(), dir.path(), Vec::new(), DEADLINE, Strings::Unrecognised).await.unwrap();
    let error = record(demo(), dir.path(), Vec::new(), DEADLINE, Strings::Unrecognised).await.unwrap_err();
    let expected = format!("{} is not empty; give a folder that is empty or does not exist", dir.path().display());
    assert_eq!((error.kind, error.to_string()), (FailureKind::BadInput, expected));
    let file = dir.path().join("k8s/pods.json");
    let error = record(demo(), &file, Vec::new(), DEADLINE, Strings::Unrecognised).await.unwrap_err();
    assert!(error.to_string().contains("pods.json cannot be written"), "{error}");
}

/// A mesh in which much may not be read.
struct Walled;

fn reply(text: &str) -> Reply {
    Reply {
        bytes: Bytes::from(text.to_owned()),
        way: "test",
        view: DumpView::Proxy,
        took: Duration::ZERO,
        tried: Vec::new(),
        asked_as: None,
    }
}

fn forbidden<T: Send + 'static>(what: &str) -> BoxFuture<'static, Result<T, SourceError>> {
    let error = SourceError::new(FailureKind::Forbidden, what, "grant it");
    async move { Err(error) }.boxed()
}

impl Source for Walled {
    fn info(&self) -> SourceInfo {
        SourceInfo { kind: SourceKind::Cluster, name: "walled".to_owned(), namespace: "default".to_owned(), scenes: &[] }
    }

    fn proxies(&self) -> Vec<ProxyId> {
        vec![ProxyId::new("a", "default"), ProxyId::new("../b", "default"), ProxyId::new("c", "default")]
    }

    fn watch(&self, _: Updates) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }

    fn proxy(&self, request: ProxyRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        match (request.proxy.pod.as_str(), request.question) {
            ("a", ProxyQuestion::WholeDump) => async { Ok(Reply { view: DumpView::Istiod, ..reply("{}") }) }.boxed(),
            ("a", ProxyQuestion::Certs) => forbidden("certs of a: forbidden"),
            ("a", _) => async { Ok(reply("{}")) }.boxed(),
            _ => async { Err(SourceError::new(FailureKind::Unreachable, "c does not answer", "")) }.boxed(),
        }
    }

    fn istiod(&self, path: String) -> BoxFuture<'static, Result<IstiodReplies, SourceError>> {
        let silent = if path == "/debug/syncz" { vec!["istiod-3: no answer within 2 s".to_owned()] } else { Vec::new() };
        let two = |a: &str, b: &str| {
            let replies = vec![("istiod-1".to_owned(), reply(a)), ("istiod-2".to_owned(), reply(b))];
            async move { Ok(IstiodReplies { replies, silent }) }.boxed()
        };
        match path.as_str() {
            "/version" => two("1.26.2-abc-Clean", "1.27.0-def-Clean"),
            "/debug/syncz" => two(r#"[{"proxy": "a"}]"#, r#"[{"proxy": "c"}]"#),
            "/debug/connections" => two(r#"{"totalClients": 1, "clients": [1]}"#, r#"{"totalClients": 2, "clients": [2, 3]}"#),
            "/debug/instancesz" => forbidden("instancesz: forbidden"),
            _ => two("Proxy not connected to this Pilot instance", r#"{"configs": []}"#),
        }
    }

    fn log(&self, request: LogRequest) -> BoxFuture<'static, Result<Reply, SourceError>> {
        if request.container == "discovery" { async move { Ok(reply(&request.pod.pod)) }.boxed() } else { forbidden("logs: forbidden") }
    }

    fn logs(&self, _: LogQuery, _: LogTargets, _: LogStreams) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }

    fn list(&self, resource: String) -> BoxFuture<'static, Result<Reply, SourceError>> {
        let istiod =
            |name: &str| json!({"metadata": {"name": name, "namespace": "istio-system"}, "spec": {"containers": [{"name": "discovery"}]}});
        match resource.as_str() {
            "pods" => {
                let list = json!({"kind": "PodList", "items": [istiod("istiod-1"), istiod("istiod-2")]}).to_string();
                async move { Ok(Reply { tried: vec!["list on pods in all namespaces is forbidden".to_owned()], ..reply(&list) }) }.boxed()
            }
            "configmaps" => {
                let list = json!({"kind": "ConfigMapList", "items": [
                    {"metadata": {"name": "other"}, "data": {"mesh": S}}, {"metadata": {"name": "istio"}, "data": {"mesh": "rootNamespace: x"}}]});
                async move { Ok(reply(&list.to_string())) }.boxed()
            }
            "services" => async { Ok(reply("<html>")) }.boxed(),
            "sidecars.networking.istio.io" => forbidden("cannot list sidecars"),
            _ => async { Err(SourceError::new(FailureKind::Missing, "no such resource", "")) }.boxed(),
        }
    }

    fn recordable(&self) -> BoxFuture<'static, Result<Vec<String>, SourceError>> {
        let names =
            ["pods", "configmaps", "services", "sidecars.networking.istio.io", "gateways.gateway.networking.k8s.io", "secrets", "../x"];
        async move { Ok(names.map(str::to_owned).to_vec()) }.boxed()
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_named_in_the_report_and_in_the_recording() {
    let (dir, report) = recorded(Arc::new(Walled)).await;
    let folder = dir.path().join("new/recording");
    let warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "certs.json of a.default: certs of a: forbidden (grant it)",
            "config_dump.json of a.default: only istiod's view could be read",
            "config_dump.json of c.default: c does not answer",
            "istiod's /debug/instancesz: instancesz: forbidden (grant it)",
            "istiod's /debug/syncz: istiod-3: no answer within 2 s",
            "istiod's version: the istiods differ, the first is recorded: istiod-1 1.26.2, istiod-2 1.27.0",
            "log of a.default, container istio-proxy: logs: forbidden (grant it)",
            "log of c.default, container istio-proxy: logs: forbidden (grant it)",
            "pods: list on pods in all namespaces is forbidden",
            "proxy ../b.default: its name cannot be a file's name",
            "services: the answer holds a document that is no Kubernetes object: apiVersion and kind are missing",
            "sidecars.networking.istio.io: cannot list sidecars (grant it)",
        ]
    );
    assert!(report.to_string().contains("recorded 0 proxies in"), "{report}");
    let files = files(&folder);
    assert_eq!(serde_json::from_str::<Value>(&files["k8s/configmap-istio.json"]).unwrap()["kind"], "ConfigMap");
    let json = |name: &str| serde_json::from_str::<Value>(&files[name]).unwrap();
    assert_eq!(json("istiod/syncz.json"), json!([{"proxy": "a"}, {"proxy": "c"}]));
    assert_eq!(json("istiod/connections.json"), json!({"totalClients": 3, "clients": [1, 2, 3]}));
    assert_eq!(files["istiod/config_dump.a.default.json"], r#"{"configs": []}"#);
    assert_eq!((files["logs/istiod.istiod-1.log"].as_str(), files["logs/istiod.istiod-2.log"].as_str()), ("istiod-1", "istiod-2"));
    assert!(!files.values().any(|text| text.contains(S)), "other ConfigMaps are not recorded");
    assert!(!files.contains_key("unfinished.txt") && !files.contains_key("proxies/a.default/config_dump.json"));

    let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(Files::open(&folder).unwrap().watch(sender));
    let mut unread = Vec::new();
    while let Some(update) = receiver.recv().await {
        if let Update::Unread(one) = update {
            unread.push((one.kind, one.what));
        }
    }
    assert_eq!(unread.len(), warnings.len());
    assert!(unread.contains(&(Some(Kind::Sidecar), "sidecars.networking.istio.io".to_owned())));
    assert!(unread.contains(&(Some(Kind::Service), "services".to_owned())) && unread.contains(&(None, "pods".to_owned())));
}

#[tokio::test]
async fn an_interrupted_recording_is_recognised() {
    let dir = tempfile::tempdir().unwrap();
    let recording = record(Arc::new(Walled), dir.path(), targets(&Walled), DEADLINE, Strings::Unrecognised);
    // Dropped while it waits for the first answers.
    assert!(tokio::time::timeout(Duration::ZERO, recording).await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (sender, mut receiver) = tokio::sync::mpsc::channel(64);
    tokio::spawn(Files::open(dir.path()).unwrap().watch(sender));
    let mut said = String::new();
    while let Some(update) = receiver.recv().await {
        said.push_str(&format!("{update:?}\n"));
    }
    assert!(said.contains("its writing was interrupted"), "{said}");
}
