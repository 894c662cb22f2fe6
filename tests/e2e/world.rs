//! What the tests need of the world: kubectl, objects that go again, and waiting for what the dump says.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long the mesh may take to come to what is waited for: a pod has to start, a module to be fetched.
pub const PATIENCE: Duration = Duration::from_secs(150);

/// The mesh, which one test has at a time.
static MESH: Mutex<()> = Mutex::new(());

/// Takes the mesh and waits until it is as every test expects it.
pub fn mesh() -> MutexGuard<'static, ()> {
    assert!(std::env::var_os("KUBECONFIG").is_some(), "KUBECONFIG leads to the mesh");
    let guard = MESH.lock().unwrap_or_else(PoisonError::into_inner);
    why("default/helloworld", "deploy/httpbin", "the mesh as it should be at the start", |entry| {
        on_15006(entry) == Some(4) && entry["mtls"]["winner"].is_null() && entry["state"] == "running"
    });
    guard
}

/// Whether the mesh is the lab's, with its registry and images.
pub fn is_lab() -> bool {
    let lab = std::env::var("MESHSCOPE_LAB").is_ok_and(|value| value == "1");
    if !lab {
        eprintln!("not run: needs the lab's registry or images (MESHSCOPE_LAB=1)");
    }
    lab
}

/// Runs kubectl, which must succeed, and returns what it printed.
pub fn kubectl(arguments: &[&str]) -> String {
    let output = Command::new("kubectl").args(arguments).stdin(Stdio::null()).output().expect("kubectl is on the PATH");
    assert!(output.status.success(), "kubectl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn kubectl_with(manifest: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new("kubectl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl is on the PATH");
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Objects in the cluster for as long as the value lives.
pub struct Applied {
    manifest: String,
    /// A label of the pods that come of them, whose end is waited for.
    pods: Option<String>,
}

impl Applied {
    /// Applies a manifest.
    pub fn new(manifest: impl Into<String>) -> Self {
        // Made before it is applied: what was applied in part goes again too.
        let applied = Self { manifest: manifest.into(), pods: None };
        let output = kubectl_with(&applied.manifest, &["apply", "-f", "-"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        applied
    }

    /// The same, with a label of pods that are made by what is applied.
    pub fn with_pods(manifest: impl Into<String>, label: &str) -> Self {
        let mut applied = Self::new(manifest);
        applied.pods = Some(label.to_owned());
        applied
    }
}

impl Drop for Applied {
    fn drop(&mut self) {
        let delete = ["delete", "--ignore-not-found", "--wait=true", "--timeout=60s", "-f", "-"];
        let output = kubectl_with(&self.manifest, &delete);
        if !output.status.success() {
            eprintln!("could not be deleted: {}", String::from_utf8_lossy(&output.stderr));
        }
        if let Some(label) = &self.pods {
            let wait = ["wait", "-n", "default", "--for=delete", "pod", "-l", label, "--timeout=90s"];
            let _ = Command::new("kubectl").args(wait).stdin(Stdio::null()).output();
        }
    }
}

/// Runs the binary on the namespace `default`.
pub fn meshscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meshscope")).args(["-n", "default"]).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// The JSON answer of a run that must succeed.
pub fn json(arguments: &[&str]) -> Value {
    let output = meshscope(&[arguments, &["-o", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asks until the answer is as it should be. A question that cannot be answered yet, for a plugin or a pod that is not there
/// yet, is asked again.
pub fn until(what: &str, arguments: &[&str], mut is_so: impl FnMut(&Value) -> bool) -> Value {
    until_nothing_is_wrong(what, arguments, |answer| (!is_so(answer)).then(|| answer.to_string()))
}

/// The same, for answers of which it can be said what is wrong with them.
pub fn until_nothing_is_wrong(what: &str, arguments: &[&str], mut wrong: impl FnMut(&Value) -> Option<String>) -> Value {
    let began = Instant::now();
    loop {
        let output = meshscope(&[arguments, &["-o", "json"]].concat());
        let mut last = String::new();
        if output.status.success() {
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            match wrong(&answer) {
                Some(found) => last = found,
                None => return answer,
            }
        }
        if began.elapsed() > PATIENCE {
            let said = String::from_utf8_lossy(&output.stderr);
            panic!("{what} did not come within {PATIENCE:?}: {arguments:?}\n{said}{last}");
        }
        // Between two questions, so that the proxies' main threads have time for their work.
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// Asks why until the one entry for the workload is as it should be, and returns that.
pub fn why(plugin: &str, workload: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let arguments = ["why", plugin, workload];
    let answer = until(what, &arguments, |answer| answer["workloads"].as_array().is_some_and(|all| all.len() == 1 && is_so(&all[0])));
    answer["workloads"][0].clone()
}

/// How often the filter stands in the active inbound listener; None where that is not known.
pub fn on_15006(entry: &Value) -> Option<u64> {
    let mut listeners = entry["listeners"].as_array()?.iter();
    listeners.find(|listener| listener["port"] == 15006 && listener["state"] == "active")?["counted"].as_u64()
}

/// A WasmPlugin with the lab's module on the pods with a label.
pub fn wasm_plugin(namespace: &str, name: &str, app: &str, tag: &str, fail_strategy: &str) -> String {
    serde_json::json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {"namespace": namespace, "name": name},
        "spec": {"selector": {"matchLabels": {"app": app}}, "pluginName": "add_header", "failStrategy": fail_strategy,
            "url": format!("oci://registry.lab:5000/linsun/helloworld:{tag}")},
    })
    .to_string()
}

/// A Deployment of one pod that does nothing, with the label `app` and annotations.
pub fn idle_deployment(name: &str, annotations: &Value) -> Value {
    let labels = serde_json::json!({"app": name});
    let container = serde_json::json!({"name": "idle", "image": "lab.local/curl:1", "imagePullPolicy": "Never", "args": ["infinity"]});
    serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "default", "name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels, "annotations": annotations},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]}}}})
}
