//! No command leaves a line in the log of whom it asks.

use super::world::{kubectl, mesh, meshscope};

/// The lines of warnings and errors that the sidecars and istiod wrote since a moment.
fn complaints(since: &str) -> Vec<String> {
    let of = |arguments: &[&str]| kubectl(&[&["logs", "--prefix", "--since-time", since], arguments].concat());
    let sidecar = |app: &str| of(&["-n", "default", "-c", "istio-proxy", "-l", &format!("app={app}")]);
    let all = [sidecar("httpbin"), sidecar("sleep"), of(&["-n", "istio-system", "-l", "app=istiod"])].concat();
    let is_complaint = |line: &&str| ["\twarn\t", "\twarning\t", "\terror\t", "\tcritical\t"].iter().any(|level| line.contains(level));
    all.lines().filter(is_complaint).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn no_command_leaves_a_warning_in_the_log_of_whom_it_asks() {
    let _mesh = mesh();
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("recording");
    // The requests of `mesh` before are no part of it: the API server gives whole seconds alone.
    std::thread::sleep(std::time::Duration::from_secs(1));
    let since = kubectl(&["exec", "-n", "default", "deploy/sleep", "-c", "istio-proxy", "--", "date", "-u", "+%Y-%m-%dT%H:%M:%SZ"]);
    for command in [&["check"][..], &["health"], &["sync"], &["diff", "deploy/httpbin"], &["record", recording.to_str().unwrap()]] {
        let output = meshscope(command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(complaints(since.trim()), Vec::<String>::new());
}
