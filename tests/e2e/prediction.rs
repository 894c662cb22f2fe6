//! What istiod would send, held against what each proxy has, in states of a real mesh that are put on one after the other: in each
//! every listener of every proxy is as predicted, chain by chain, and N is the expected number.

#[path = "prediction/gateways.rs"]
mod gateways;
#[path = "prediction/modes.rs"]
mod modes;
#[path = "prediction/plugins.rs"]
mod plugins;
#[path = "prediction/pods.rs"]
mod pods;
#[path = "prediction/services.rs"]
mod services;

use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use super::world::{Applied, until_nothing_is_wrong};

/// The plugin that is always there, on httpbin.
const HELLOWORLD: &str = "default/helloworld";

/// How often a plugin stands in a listener of a proxy; of the empty plugin how many chains there are. The proxy's name begins so.
type Number<'a> = (&'a str, &'a str, &'a str, usize);

/// A listener of a proxy, or `*` for all outbound ones, of which nothing, or not all, can be told, with a part of the reason.
type Untold<'a> = (&'a str, &'a str, &'a str);

/// A state of the mesh: what is applied, what N must come to, and what cannot be told.
#[derive(Default)]
struct State<'a> {
    what: &'a str,
    manifests: Vec<Value>,
    numbers: &'a [Number<'a>],
    untold: &'a [Untold<'a>],
}

impl State<'_> {
    /// Puts the state on, waits until it holds, and takes it off. Last comes a ServiceEntry on a port of its own: where its listener
    /// is there, istiod has seen the others too, also those that change nothing.
    fn holds(mut self) {
        static MARKERS: AtomicU16 = AtomicU16::new(42_000);
        let port = MARKERS.fetch_add(1, Ordering::Relaxed);
        let ports = json!([{"number": port, "name": "http", "protocol": "HTTP"}]);
        self.manifests
            .push(service_entry("default/e2e-marker", json!({"hosts": ["e2e-marker.example.com"], "resolution": "DNS", "ports": ports})));
        let list = json!({"apiVersion": "v1", "kind": "List", "items": self.manifests});
        let _applied = Applied::new(list.to_string());
        let marker = format!("0.0.0.0_{port}");
        settled(self.what, &[self.numbers, &[("sleep", &marker, "", 2)]].concat(), self.untold);
    }
}

/// Waits until every listener is as predicted and these numbers are right.
fn settled(what: &str, numbers: &[Number<'_>], untold: &[Untold<'_>]) -> Value {
    until_nothing_is_wrong(what, &["chains", "-A"], |answer| {
        let mut wrong = disagreements(answer, untold);
        for (proxy, listener, plugin, expected) in numbers {
            let found = count(answer, proxy, listener, plugin);
            if found != Some(*expected) {
                wrong.push(format!("{plugin} in {listener} of {proxy}: {found:?}, expected {expected}"));
            }
        }
        (!wrong.is_empty()).then(|| wrong.join("\n"))
    })
}

/// What of the mesh is not as predicted.
fn disagreements(answer: &Value, untold: &[Untold<'_>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for proxy in list(&answer["proxies"]) {
        let name = proxy["proxy"].as_str().unwrap();
        if proxy["absent"] != json!([]) || !proxy["predictionNote"].is_null() {
            wrong.push(format!("{name} lacks {} {}", proxy["absent"], proxy["predictionNote"]));
        }
        for listener in list(&proxy["listeners"]).filter(|listener| listener["state"] != "draining") {
            let (prediction, of) = (&listener["prediction"], listener["name"].as_str().unwrap());
            if prediction.is_null() {
                continue;
            }
            let outbound = listener["direction"] == "outbound";
            let is_meant = |wanted: &&Untold<'_>| name.starts_with(wanted.0) && (of == wanted.1 || (outbound && wanted.1 == "*"));
            let fits = match untold.iter().find(is_meant) {
                Some((_, _, why)) => {
                    let causes = list(&prediction["causes"]).filter_map(|cause| cause["why"].as_str());
                    let reasons = prediction["note"].as_str().into_iter().chain(causes).collect::<Vec<_>>().join("; ");
                    prediction["agrees"].is_null() && reasons.contains(why)
                }
                None => prediction["agrees"] == true,
            };
            if !fits {
                wrong.push(format!("{name} {of} ({}): {prediction}", listener["state"]));
            }
        }
    }
    wrong
}

/// How often a plugin stands in a listener, or how many chains it has. A listener that the proxy refused counts where it has no other.
fn count(answer: &Value, proxy: &str, listener: &str, plugin: &str) -> Option<usize> {
    let found = list(&answer["proxies"]).find(|found| found["proxy"].as_str().unwrap().starts_with(proxy))?;
    let of = |state: &str| list(&found["listeners"]).find(|found| found["name"] == listener && found["state"] == state);
    let chains = list(&of("active").or_else(|| of("error"))?["filterChains"]);
    if plugin.is_empty() {
        return Some(chains.count());
    }
    let filters = chains.flat_map(|chain| list(&chain["networkFilters"]).chain(list(&chain["httpFilters"])));
    Some(filters.filter(|filter| filter["plugin"] == plugin).count())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An object in `namespace/name`.
fn object(api: &str, kind: &str, name: &str, spec: Value) -> Value {
    let (namespace, name) = name.split_once('/').unwrap();
    json!({"apiVersion": api, "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec})
}

/// A WasmPlugin with the lab's module.
fn wasm_plugin(name: &str, mut spec: Value) -> Value {
    spec["url"] = json!("oci://registry.lab:5000/linsun/helloworld:v1");
    spec["pluginName"] = json!("add_header");
    object("extensions.istio.io/v1alpha1", "WasmPlugin", name, spec)
}

fn service(name: &str, spec: Value) -> Value {
    object("v1", "Service", name, spec)
}

fn service_entry(name: &str, spec: Value) -> Value {
    object("networking.istio.io/v1", "ServiceEntry", name, spec)
}

/// The pods with a label `app`, as a selector.
fn on(app: &str) -> Value {
    json!({"matchLabels": {"app": app}})
}
