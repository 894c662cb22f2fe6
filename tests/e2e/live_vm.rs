//! A Wasm VM that fails, whom it takes with it, and that it lives again (L2, L3): with a module that traps when a request asks it to.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use super::world::{Applied, PATIENCE, is_lab, kubectl, mesh, meshscope, until, wasm_plugin};

/// The tag of the module in the registry.
pub const TAG: &str = "e2e-trap";

/// A module that traps on a request with a header, here `x-trap`:
///
/// ```wat
/// (module
///   (import "env" "proxy_get_header_map_value" (func $get (param i32 i32 i32 i32 i32) (result i32)))
///   (memory (export "memory") 1)
///   (func (export "proxy_abi_version_0_2_1"))
///   (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 64))
///   (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
///     ;; Of the request's headers (0), the one whose name is the 6 bytes at 0; its value's place and size go to 16 and 20. 0 is Ok.
///     (if (i32.eqz (call $get (i32.const 0) (i32.const 0) (i32.const 6) (i32.const 16) (i32.const 20))) (then unreachable))
///     (i32.const 0))
///   (data (i32.const 0) "x-trap"))
/// ```
fn trapping_module(header: &[u8; 6]) -> Vec<u8> {
    fn sized(bytes: &[u8]) -> Vec<u8> {
        let size = u8::try_from(bytes.len()).ok().filter(|size| *size < 128).expect("one byte of LEB128");
        [&[size], bytes].concat()
    }
    fn section(id: u8, entries: &[Vec<u8>]) -> Vec<u8> {
        let count = u8::try_from(entries.len()).unwrap();
        [vec![id], sized(&[vec![count], entries.concat()].concat())].concat()
    }
    /// `i32` for each parameter and result.
    fn signature(parameters: usize, results: usize) -> Vec<u8> {
        [vec![0x60], sized(&vec![0x7f; parameters]), sized(&vec![0x7f; results])].concat()
    }
    let export = |name: &str, kind: u8, index: u8| [sized(name.as_bytes()), vec![kind, index]].concat();
    let body = |code: &[u8]| sized(&[&[0], code, &[0x0b]].concat());
    let get = [sized(b"env"), sized(b"proxy_get_header_map_value"), vec![0, 3]].concat();
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[signature(0, 0), signature(1, 1), signature(3, 1), signature(5, 1)]),
        section(2, &[get]),
        section(3, &[vec![0], vec![1], vec![2]]),
        section(5, &[vec![0, 1]]),
        section(
            7,
            &[
                export("memory", 2, 0),
                export("proxy_abi_version_0_2_1", 0, 1),
                export("proxy_on_memory_allocate", 0, 2),
                export("proxy_on_request_headers", 0, 3),
            ],
        ),
        section(
            10,
            &[
                body(&[]),
                // i32.const 64, of which the sign is a bit of its own
                body(&[0x41, 0xc0, 0]),
                // five times i32.const, call 0, i32.eqz, if, unreachable, end, i32.const 0
                body(&[0x41, 0, 0x41, 0, 0x41, 6, 0x41, 16, 0x41, 20, 0x10, 0, 0x45, 0x04, 0x40, 0x00, 0x0b, 0x41, 0]),
            ],
        ),
        section(11, &[[vec![0, 0x41, 0, 0x0b], sized(header)].concat()]),
    ]
    .concat()
}

/// Puts the module that traps on a header into the lab's registry under a tag, as its pods reach that.
pub fn push_module(tag: &str, header: &[u8; 6]) {
    let exec = ["exec", "-i", "-n", "default", "deploy/sleep", "-c", "sleep", "--", "sh", "-c", include_str!("live/push-module.sh"), tag];
    let mut child = Command::new("kubectl").args(exec).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&trapping_module(header)).unwrap();
    assert!(child.wait().unwrap().success(), "the module is in the registry");
}

/// The workload, whose pods are gone when the value is.
fn workload() -> Applied {
    push_module(TAG, b"x-trap");
    Applied::with_pods(include_str!("live/vm-shared-health.yaml"), "app=e2e-trap")
}

fn plugin(name: &str, fail_strategy: &str) -> Applied {
    let plugin = Applied::new(wasm_plugin("default", name, "e2e-trap", TAG, fail_strategy));
    is_well(name);
    plugin
}

/// The status that a request gets. Not by the client's proxy, which would keep a connection to a listener that drains.
pub fn requested(header: &str) -> String {
    let curl = ["exec", "-n", "default", "deploy/sleep", "-c", "istio-proxy", "--", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"];
    kubectl(&[&curl[..], &["-H", header, "http://e2e-trap.default:8000/headers"]].concat())
}

pub const TRAP: &str = "x-trap: 1";
pub const PLAIN: &str = "x-other: 1";

/// Asks until the workload answers.
fn is_answered() {
    let began = Instant::now();
    while requested(PLAIN) != "200" {
        assert!(began.elapsed() < PATIENCE, "it answers again");
    }
}

/// Waits until the plugin runs by `health`, and returns what it says of its proxy; `check` then finds nothing.
fn is_well(name: &str) -> Value {
    let plugin = format!("default/{name}");
    let is_ready = |answer: &Value| (&answer["plugins"][0]["rollup"], &answer["plugins"][0]["vmFailed"]) == (&json!("ready"), &json!(0));
    let answer = until("a VM that runs", &["health", &plugin], is_ready);
    assert_eq!(finding(name), Value::Null);
    answer["plugins"][0]["proxies"][0].clone()
}

/// Waits until its VM has failed by `health`; `check` then finds that, of the severity, and the finding is returned.
fn has_failed(name: &str, severity: &str) -> Value {
    let plugin = format!("default/{name}");
    let answer = until("a VM that failed", &["health", &plugin], |answer| answer["plugins"][0]["vmFailed"] == 1);
    let found = &answer["plugins"][0];
    assert_eq!((&found["rollup"], &found["proxies"][0]["state"]), (&json!("failed"), &json!("vmFailed")), "{found}");
    let finding = finding(name);
    assert_eq!(finding["severity"], severity, "{finding}");
    finding
}

/// What `check` says of a failed VM of the plugin; null where it says nothing. No other finding of that code is there.
fn finding(name: &str) -> Value {
    let answer: Value = serde_json::from_slice(&meshscope(&["check", "-o", "json"]).stdout).unwrap();
    let failed = answer["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "vm-failed");
    let mut failed = failed.inspect(|finding| assert_eq!(finding["object"]["kind"], "WasmPlugin", "{finding}"));
    failed.find(|finding| finding["object"]["name"] == name).cloned().unwrap_or_default()
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l2_plugins_of_one_module_fail_with_their_vm() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _workload = workload();
    let _plugins = [plugin("e2e-trap-a", "FAIL_CLOSE"), plugin("e2e-trap-b", "FAIL_CLOSE")];
    assert_eq!([PLAIN, TRAP, PLAIN].map(requested), ["200", "503", "503"]);
    for (name, other) in [("e2e-trap-a", "e2e-trap-b"), ("e2e-trap-b", "e2e-trap-a")] {
        let evidence = has_failed(name, "error")["evidence"].to_string();
        assert!(evidence.contains(&format!("it shares its VM with default/{other}")), "{evidence}");
    }
}

#[test]
#[ignore = "needs a mesh: KUBECONFIG"]
fn live_l3_a_vm_that_lives_again_and_a_plugin_that_is_gone_are_no_failures() {
    if !is_lab() {
        return;
    }
    let _mesh = mesh();
    let _workload = workload();
    let (closed, _open) = (plugin("e2e-trap-a", "FAIL_CLOSE"), plugin("e2e-trap-b", "FAIL_OPEN"));
    assert_eq!([PLAIN, TRAP, PLAIN].map(requested), ["200", "503", "503"]);
    has_failed("e2e-trap-a", "error");
    has_failed("e2e-trap-b", "warning");

    // Another filter rebuilds the chains, and with them the VM; what ECDS holds stays as it was.
    let _lua = Applied::new(
        r#"{"apiVersion": "extensions.istio.io/v1alpha1", "kind": "TrafficExtension", "metadata": {"name": "e2e-trap", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "e2e-trap"}}, "lua": {"inlineCode": "function envoy_on_request(h) end"}}}"#,
    );
    is_answered();
    let healed = is_well("e2e-trap-a")["evidence"].to_string();
    assert!(healed.contains("and has run since: a request passed it"), "{healed}");
    is_well("e2e-trap-b");

    // What failed closed goes with its 503s, while what it leaves behind drains.
    assert_eq!([TRAP, PLAIN].map(requested), ["503", "503"]);
    has_failed("e2e-trap-a", "error");
    drop(closed);
    is_answered();
    is_well("e2e-trap-b");

    // What fails open ends the request in which it traps alone.
    assert_eq!([TRAP, PLAIN].map(requested), ["503", "200"]);
    let finding = has_failed("e2e-trap-b", "warning");
    assert!(finding["what"].as_str().unwrap().ends_with("and requests pass without it."), "{finding}");
}
