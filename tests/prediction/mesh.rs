//! A recording in which a test changes something, laid out in a folder of its own for `--from`.

use std::collections::BTreeMap;
use std::sync::Arc;

use meshscope::ingest::collect::Collector;
use meshscope::ingest::config_dump;
use meshscope::ingest::istiod::{Syncz, syncz};
use meshscope::model::envoy::DumpView;
use meshscope::model::ids::ProxyId;
use meshscope::model::kind::Kind;
use meshscope::model::mesh::Istiod;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::sync::{IstiodSync, Sync};
use meshscope::model::update::Update;
use serde_json::{Value, json};

use super::support;

/// The proxy that most changes are about.
pub const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";
/// The other one.
pub const SLEEP: &str = "sleep-5c4597b769-9hvcz.default";

/// The files of a recording.
pub struct Mesh {
    files: BTreeMap<String, Vec<u8>>,
}

impl Mesh {
    pub fn of(recording: &str) -> Self {
        Self { files: support::files(recording) }
    }

    /// The recording in which httpbin and sleep stand under PERMISSIVE with the plugin `default/helloworld` on httpbin.
    pub fn permissive() -> Self {
        Self::of("permissive")
    }

    /// Changes a file that is JSON.
    pub fn change(mut self, path: &str, change: impl FnOnce(&mut Value)) -> Self {
        let mut value = serde_json::from_slice(&self.files[path]).unwrap();
        change(&mut value);
        self.files.insert(path.to_owned(), serde_json::to_vec(&value).unwrap());
        self
    }

    /// Changes a file that is text.
    pub fn change_text(self, path: &str, change: impl FnOnce(&mut String)) -> Self {
        let mut text = String::from_utf8(self.files[path].clone()).unwrap();
        change(&mut text);
        self.write(path, text)
    }

    /// Writes a file.
    pub fn write(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    /// Takes a file away.
    pub fn without(mut self, path: &str) -> Self {
        self.files.remove(path).unwrap_or_else(|| panic!("there is {path}"));
        self
    }

    /// Adds objects; which file they belong into is told by their kind and group.
    pub fn with(mut self, objects: impl IntoIterator<Item = Value>) -> Self {
        let mut added: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        objects.into_iter().for_each(|object| added.entry(path_of(&object)).or_default().push(object));
        for (path, objects) in added {
            let bytes = self.files.remove(&path).unwrap_or_else(|| br#"{"items": []}"#.to_vec());
            let mut list: Value = serde_json::from_slice(&bytes).unwrap();
            list["items"].as_array_mut().unwrap().extend(objects);
            self.files.insert(path, serde_json::to_vec(&list).unwrap());
        }
        self
    }

    /// Changes a listener of a proxy's dump: the entry of `dynamic_listeners`.
    pub fn with_listener(self, proxy: &str, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        self.change(&format!("proxies/{proxy}/config_dump.json"), |dump| change(entry(dump, name)))
    }

    /// Changes the chains of a listener's active state.
    pub fn with_chains(self, proxy: &str, name: &str, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        self.with_listener(proxy, name, |entry| change(chains(&mut entry["active_state"]["listener"])))
    }

    /// Lays the files out.
    fn folder(&self) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    /// Asks over the whole mesh.
    pub fn ask(&self, arguments: &[&str]) -> Value {
        let folder = self.folder();
        support::json(&[arguments, &["-A", "--from", folder.path().to_str().unwrap()]].concat())
    }

    /// The same, whatever the exit status.
    pub fn ask_whatever(&self, arguments: &[&str]) -> Value {
        let folder = self.folder();
        let output = support::meshscope(&[arguments, &["-A", "-o", "json", "--from", folder.path().to_str().unwrap()]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The same, as text.
    pub fn text(&self, arguments: &[&str]) -> String {
        let folder = self.folder();
        let output = support::meshscope(&[arguments, &["-A", "--from", folder.path().to_str().unwrap()]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same mesh as the program has it in its memory, with these istiods, each by its pod and version.
    pub fn snapshot(&self, istiods: &[(&str, &str)]) -> Snapshot {
        let mut collector = Collector::default();
        for kind in Kind::ALL {
            let list: Value = self.files.get(&kind.file()).map_or(Value::Null, |bytes| serde_json::from_slice(bytes).unwrap());
            collector.apply(Update::Absent(kind));
            for object in list["items"].as_array().into_iter().flatten() {
                collector.apply(Update::Applied { kind, object: object.clone() });
            }
        }
        let istiod = |(pod, version): &(&str, &str)| Istiod { pod: (*pod).to_owned(), version: (*version).to_owned() };
        collector.apply(Update::Istiods(istiods.iter().map(istiod).collect()));
        let dump = |(path, bytes): (&String, &Vec<u8>)| {
            let proxy = path.strip_prefix("proxies/")?.strip_suffix("/config_dump.json")?;
            let parsed = config_dump::parse(bytes, DumpView::Proxy, proxy).unwrap();
            let loaded = LoadedDump {
                dump: parsed.dump,
                way: "file",
                took_ms: 0,
                read_at: None,
                vitals: None,
                serial: 1,
                warnings: parsed.warnings,
                cut_short: None,
            };
            Some((ProxyId::parse(proxy)?, Dump::Loaded(Arc::new(loaded))))
        };
        let mut snapshot = collector.snapshot(self.files.iter().filter_map(dump).collect());
        snapshot.sync = self.files.get("istiod/syncz.json").map(|bytes| {
            let Syncz { clients, tells_watched } = syncz(bytes).unwrap();
            let istiod =
                IstiodSync { pod: String::new(), way: "file", tried: Vec::new(), account: None, only: None, tells_watched, clients };
            Ok(Arc::new(Sync { istiods: vec![istiod], ..Sync::default() }))
        });
        snapshot
    }

    /// The listeners of a proxy in the answer of `chains`.
    pub fn listeners(&self, proxy: &str) -> Vec<Value> {
        self.proxy(proxy)["listeners"].as_array().unwrap().clone()
    }

    /// A proxy in the answer of `chains`.
    pub fn proxy(&self, proxy: &str) -> Value {
        let answer = self.ask(&["chains", proxy]);
        let found = answer["proxies"].as_array().unwrap().iter().find(|found| found["proxy"] == proxy);
        found.unwrap_or_else(|| panic!("{proxy} is in the answer")).clone()
    }

    /// What is said of one listener in its active state.
    pub fn prediction(&self, proxy: &str, name: &str) -> Value {
        let wanted = |listener: &&Value| listener["name"] == name && listener["state"] == "active";
        let listeners = self.listeners(proxy);
        listeners.iter().find(wanted).unwrap_or_else(|| panic!("{proxy} has {name}"))["prediction"].clone()
    }

    /// Why `default/helloworld` stands in a listener of httpbin; null where it is not named there.
    pub fn why(&self, listener: &str) -> Value {
        let answer = self.ask(&["why", "default/helloworld", HTTPBIN]);
        let listeners = answer["workloads"][0]["listeners"].as_array().unwrap();
        listeners.iter().find(|found| found["listener"] == listener && found["state"] == "active").cloned().unwrap_or_default()
    }
}

/// The entry of `dynamic_listeners`.
pub fn entry<'d>(dump: &'d mut Value, name: &str) -> &'d mut Value {
    let sections = dump["configs"].as_array_mut().unwrap().iter_mut();
    let entries = sections.filter_map(|section| section.get_mut("dynamic_listeners")).filter_map(Value::as_array_mut).flatten();
    entries.into_iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("the dump has {name}"))
}

pub fn chains(listener: &mut Value) -> &mut Vec<Value> {
    listener["filter_chains"].as_array_mut().unwrap()
}

/// The HTTP filters of a chain.
pub fn http_filters(chain: &mut Value) -> &mut Vec<Value> {
    let filters = chain["filters"].as_array_mut().unwrap();
    filters.iter_mut().find_map(|filter| filter["typed_config"].get_mut("http_filters")).and_then(Value::as_array_mut).unwrap()
}

/// Whether a filter is the plugin's of this name.
pub fn is_of(filter: &Value, plugin: &str) -> bool {
    filter["name"].as_str().is_some_and(|name| name.contains(&format!("/{plugin}~")))
}

/// An object of Istio with its spec, created before all dumps of the recordings.
pub fn object(api: &str, kind: &str, name: &str, spec: Value) -> Value {
    let (namespace, name) = name.split_once('/').unwrap();
    json!({"apiVersion": api, "kind": kind, "spec": spec,
        "metadata": {"namespace": namespace, "name": name, "creationTimestamp": "2026-11-01T00:00:00Z"}})
}

/// A WasmPlugin with a module.
pub fn wasm_plugin(name: &str, mut spec: Value) -> Value {
    spec["url"] = json!("oci://registry.lab:5000/linsun/helloworld:v1");
    object("extensions.istio.io/v1alpha1", "WasmPlugin", name, spec)
}

/// The same object, created at another time.
pub fn created(mut object: Value, time: &str) -> Value {
    object["metadata"]["creationTimestamp"] = json!(time);
    object
}

fn path_of(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    let plural = kind.strip_suffix('y').filter(|stem| !stem.ends_with('a')).map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
    match object["apiVersion"].as_str().unwrap().split_once('/') {
        Some((group, _)) if group != "apps" => format!("k8s/{plural}.{group}.json"),
        _ => format!("k8s/{plural}.json"),
    }
}
