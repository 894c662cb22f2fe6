//! A log level that is raised when the program ends, in each way in which it can end: against an API server that does as told.

use serde_json::json;

use super::Terminal;
use super::fake_api::{Envoy, Exec, FakeApi, Forward};

/// A mesh of one pod with a plugin, and its Envoy.
pub async fn mesh() -> (FakeApi, Envoy) {
    let api = FakeApi::start().await;
    let envoy = Envoy::at("warning");
    {
        let mut state = api.state();
        let containers = json!([{"name": "app"}, {"name": "istio-proxy", "args": ["proxy", "sidecar"]}]);
        let pod = json!({"metadata": {"namespace": "shop", "name": "web-1", "labels": {"app": "web"}},
            "spec": {"containers": containers}, "status": {"phase": "Running"}});
        state.put("pods", pod);
        let plugin = json!({"metadata": {"namespace": "shop", "name": "hello"}, "spec": {"url": "oci://registry/hello:v1"}});
        state.put("wasmplugins.extensions.istio.io", plugin);
        state.forwards.insert("web-1".to_owned(), Forward::Envoy(envoy.clone()));
        state.execs.insert("web-1".to_owned(), Exec::Forbidden);
    }
    (api, envoy)
}

/// The program with the level raised through the screen, as a person does it.
fn raised(api: &FakeApi, envoy: &Envoy) -> Terminal {
    let terminal = raised_for(api, envoy, "debug 5m");
    terminal.wait_for("! wasm debug web-1 4:5");
    terminal
}

/// The same for a time of one's own.
pub fn raised_for(api: &FakeApi, envoy: &Envoy, wish: &str) -> Terminal {
    let kubeconfig = api.kubeconfig().to_str().unwrap().to_owned();
    let mut terminal = Terminal::start(100, 30, &["--kubeconfig", &kubeconfig, "-n", "shop"], &[]);
    terminal.wait_for("no listeners yet");
    terminal.press("c");
    terminal.wait_for("› chains");
    terminal.press("L");
    terminal.wait_for("POST http://localhost:15000/logging?wasm=debug");
    assert_eq!(envoy.level(), "warning", "nothing is sent before Enter");
    // Ctrl-u takes away what is proposed.
    terminal.press(&format!("\x15{wish}\r"));
    terminal.wait_for("! wasm debug web-1 ");
    assert_eq!(envoy.level(), "debug");
    terminal
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_of_the_program_puts_the_level_back() {
    for end in ["q", "\x03", "TERM", "HUP", "INT"] {
        let (api, envoy) = mesh().await;
        let mut terminal = raised(&api, &envoy);
        match end {
            "TERM" | "HUP" | "INT" => terminal.signal(end),
            key => terminal.press(key),
        }
        terminal.ends_restored();
        assert_eq!(envoy.level(), "warning", "{end}");
        assert_eq!(envoy.posted(), ["logging?wasm=debug", "logging?wasm=warning"], "{end}");
        assert!(!String::from_utf8_lossy(&terminal.bytes()).contains("meshscope: "), "{end}: all is well, so nothing is said");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_away_puts_the_level_back() {
    let (api, envoy) = mesh().await;
    let Terminal { mut child, master, keyboard, bytes, .. } = raised(&api, &envoy);
    drop((master, keyboard, bytes));
    super::wait(|| child.try_wait().unwrap().is_some(), || "the end of the program".to_owned());
    assert_eq!(envoy.level(), "warning");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_back_is_a_line_with_the_command_and_does_not_take_long() {
    let (api, envoy) = mesh().await;
    let mut terminal = raised(&api, &envoy);
    api.state().forwards.insert("web-1".to_owned(), Forward::Silent);
    terminal.press("q");
    terminal.ends_restored();
    assert_eq!(envoy.level(), "debug");
    terminal.wait_for("meshscope: the wasm logger of web-1.shop is not put back: ");
    let said = terminal.parser().screen().contents().replace('\n', "");
    assert!(
        said.contains(
            "by hand: kubectl --context 'fake' exec -n shop web-1 -c istio-proxy -- pilot-agent request POST 'logging?wasm=warning'"
        ),
        "{said}"
    );
}
