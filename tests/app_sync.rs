//! `r` on the screens that go by what istiod says: it is asked again, and the proxies in question with it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::msg::Msg;
use meshscope::app::state::Ticket;
use meshscope::model::ids::ProxyId;
use meshscope::source::files::Files;
use meshscope::source::{Source, SourceInfo, SourceKind};
use serde_json::{Value, json};
use support::driver::Driver;
use tempfile::TempDir;

const SIZE: (u16, u16) = (140, 60);
const SYNCZ: &str = "istiod/syncz.json";
const HTTPBIN: &str = "httpbin-664956bb75-9d64m.default";

/// What istiod said of its proxies, with httpbin's otherwise.
fn syncz(change: impl FnOnce(&mut Value)) -> String {
    let mut clients: Value = serde_json::from_slice(&support::files("permissive")[SYNCZ]).unwrap();
    change(clients.as_array_mut().unwrap().iter_mut().find(|client| client["proxy"] == HTTPBIN).unwrap());
    clients.to_string()
}

/// httpbin has not answered to the listeners that it was sent long before the last push of all.
fn stale() -> String {
    syncz(|client| {
        let listeners = &mut client["resources"]["type.googleapis.com/envoy.config.listener.v3.Listener"];
        listeners["sent"] = json!("2026-11-23T19:30:00Z/1");
        listeners["acked"] = json!("2026-11-23T19:29:00Z/0");
        listeners["sentTime"] = json!("2026-11-23T19:30:00Z");
    })
}

fn refused() -> String {
    syncz(|client| {
        let extensions = &mut client["resources"]["type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"];
        extensions["lastError"] = json!("Unable to create Wasm plugin default.helloworld");
    })
}

fn gone() -> String {
    syncz(|client| client["proxy"] = json!("another-1.elsewhere"))
}

/// A recording in which istiod says this.
fn saying(text: String) -> (TempDir, Driver) {
    let folder = support::folder("permissive", &[(SYNCZ, text)]);
    let driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
    (folder, driver)
}

fn say(folder: &Path, text: &str) {
    fs::write(folder.join(SYNCZ), text).unwrap();
}

#[test]
fn what_is_acknowledged_is_no_tick_where_a_plugin_does_not_run() {
    let shown = Driver::recording("fetch-failed-closed").keys("s").text(SIZE);
    assert!(shown.contains("Of 2 proxies, 1 with a plugin that does not run as its object asks."), "{shown}");
    assert!(shown.contains("✗ stub, denies all; synced") && !shown.contains("✓ ECDS"), "{shown}");
    assert!(shown.lines().all(|line| !line.contains("default/missing") || !line.contains('✓')), "{shown}");
    assert!(shown.contains("ECDS is synced: the proxy acknowledged") && shown.contains("not compared: whether the"), "{shown}");
    let shown = Driver::recording("fetch-failed-closed").keys("/missing<enter>w").text(SIZE);
    assert!(shown.contains("but the plugin does not run as its object asks"), "{shown}");
    assert!(!shown.contains('✓'), "{shown}");
}

#[test]
fn a_finding_about_what_istiod_says_goes_and_comes_with_r() {
    for (text, code) in [(stale(), "stale-proxy"), (gone(), "proxy-not-connected"), (refused(), "refused-push")] {
        let (folder, mut driver) = saying(text.clone());
        let shown = driver.keys("f").text(SIZE);
        assert_eq!(driver.app.screen().view(), View::Findings);
        assert!(shown.contains(code), "{code}: {shown}");
        say(folder.path(), &syncz(|_| ()));
        let shown = driver.keys("r").text(SIZE);
        assert!(!shown.contains(code), "{code} is gone: {shown}");
        say(folder.path(), &text);
        let shown = driver.keys("r").text(SIZE);
        assert!(shown.contains(code), "{code} is back: {shown}");
    }
}

#[test]
fn r_asks_istiod_and_the_proxies_that_were_read() {
    for (keys, reads) in [("fr", 2), ("csr", 1), ("sr", 1)] {
        let mut demo = Driver::demo();
        let (last, way) = keys.split_at(keys.len() - 1);
        demo.keys(last);
        let effects = demo.effects_of(way);
        let asked: Vec<Duration> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::FetchSync { after, .. } => Some(*after),
                _ => None,
            })
            .collect();
        assert_eq!(asked, [Duration::ZERO], "{keys}");
        let fetched = effects.iter().filter(|effect| matches!(effect, Effect::FetchConfigDump { after: Duration::ZERO, .. })).count();
        assert_eq!(fetched, reads, "{keys}: {effects:?}");
    }
}

/// The request to the istiods among what is to be done, and after how long it is made.
fn request(effects: &[Effect]) -> Option<(Ticket, Duration)> {
    effects.iter().find_map(|effect| match effect {
        Effect::FetchSync { ticket, after } => Some((*ticket, *after)),
        _ => None,
    })
}

#[test]
fn on_a_live_mesh_r_does_not_wait_for_the_next_look_and_a_failure_is_said() {
    let folder = support::folder("permissive", &[(SYNCZ, stale())]);
    let source = Arc::new(Files::open(folder.path()).unwrap());
    let info = SourceInfo { kind: SourceKind::Cluster, name: "lab".to_owned(), ..source.info() };
    let options = Driver::options(source.as_ref(), info);
    let mut driver = Driver::with(source.clone(), options, false);
    let opened = driver.effects_of("f");
    let (ticket, after) = request(&opened).unwrap();
    assert_eq!(after, Duration::ZERO);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let sync = Arc::new(runtime.block_on(meshscope::fetch::sync(source)).unwrap());
    let next = driver.send(Msg::SyncRead { ticket, outcome: Ok(sync) });
    let (waiting, after) = request(&next).unwrap();
    assert!(after > Duration::ZERO, "it is asked by and by");
    let now = driver.effects_of("r");
    assert!(now.iter().any(|effect| matches!(effect, Effect::Stop(stopped) if *stopped == waiting)), "{now:?}");
    let (ticket, after) = request(&now).unwrap();
    assert_eq!(after, Duration::ZERO);
    // What was said before stays, and that it is old is said.
    driver.send(Msg::SyncRead { ticket, outcome: Err("istiod cannot be asked: connection refused".to_owned()) });
    assert!(driver.app.failed);
    assert_eq!(driver.app.event.as_deref(), Some("istiod cannot be asked: connection refused"));
    let proxy = ProxyId::new("httpbin-664956bb75-9d64m", "default");
    let Some(Ok(kept)) = &driver.app.snapshot.sync else { panic!("{:?}", driver.app.snapshot.sync) };
    assert!(kept.clients().any(|(_, client)| client.proxy == proxy));
}
