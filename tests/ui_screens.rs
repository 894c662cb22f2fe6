//! The whole screen, styles and all, of recorded meshes at three sizes, after keys that a person would press.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use meshscope::app::msg::Msg;
use meshscope::app::screen::Subject;
use meshscope::ingest::collect::{Changed, Collector};
use meshscope::model::kind::Kind;
use meshscope::model::update::{Health, Unread, Update};
use serde_json::json;
use support::driver::Driver;
use support::screen::show;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Every screen, by the keys that lead to it.
const SCREENS: [(&str, &str); 23] = [
    ("plugins", ""),
    ("workloads", "<enter>"),
    ("near-misses", "n"),
    ("chains", "c"),
    ("why", "w"),
    ("what-if", "wxstrict<enter>"),
    ("what-if-asked", "wx"),
    ("mtls", "m"),
    ("connection", "ci9999<enter>"),
    ("connection-asked", "ci"),
    ("order", "o"),
    ("logs", "l"),
    ("logs-filter", "lpgjj F"),
    ("line", "l<enter>"),
    ("timeline", "tjjjjj"),
    ("sync", "s"),
    ("findings", "f"),
    ("health", "h"),
    ("diff", "cd"),
    ("raw", "cjj<enter>"),
    ("help", "w?"),
    ("commands", ":ne"),
    ("find", "<enter>/http"),
];

#[test]
fn every_screen_at_three_sizes() {
    for (name, keys) in SCREENS {
        for (width, height) in SIZES {
            let mut demo = Driver::demo();
            demo.screen((width, height));
            let screen = demo.keys(keys).screen((width, height));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), show(&screen));
        }
    }
}

#[test]
fn other_meshes() {
    let meshes = [
        ("strict", "why", "w"),
        ("strict", "mtls", "cm"),
        ("fetch-failed-closed", "plugins", ""),
        ("fetch-failed-closed", "workloads", "<enter>"),
        ("fetch-failed-closed", "findings", "f"),
        ("fetch-failed-closed", "order", "o"),
        ("fetch-failed-closed", "timeline", "t<pgdn>"),
        ("fetch-failed-closed", "health", "h"),
        ("gateway", "plugins", ""),
        ("gateway", "workloads", "j<enter>"),
        ("gateway", "near-misses", "jn"),
        ("gateway", "chains", "jc"),
        ("gateway", "why", "jw"),
        ("gateway", "order", "jo"),
        ("gateway", "mtls", "jm"),
        ("gateway", "sync", "jcs"),
    ];
    for (mesh, name, keys) in meshes {
        let mut driver = Driver::recording(mesh);
        driver.screen((120, 40));
        insta::assert_snapshot!(format!("{mesh}_{name}"), show(&driver.keys(keys).screen((120, 40))));
    }
}

#[test]
fn another_mode_side_by_side() {
    for (name, keys) in [("plugins", "M"), ("workloads", "<enter>M"), ("chains", "cM"), ("why", "wM"), ("mtls", "mM")] {
        let mut demo = Driver::demo();
        insta::assert_snapshot!(format!("changed_{name}"), show(&demo.keys(keys).screen((100, 30))));
    }
}

#[test]
fn ascii_without_colours() {
    let screens = [
        ("chains", "cM"),
        ("why", "wM"),
        ("order", "o"),
        ("timeline", "t"),
        ("sync", "s"),
        ("mtls", "mM"),
        ("findings", "f"),
        ("connection", "ci9999<enter>i"),
        ("logs", "lp/push<enter>"),
    ];
    for (name, keys) in screens {
        let mut demo = Driver::demo();
        demo.plain();
        let screen = show(&demo.keys(keys).screen((80, 24)));
        assert!(screen.split("--- styles").next().unwrap().is_ascii(), "{screen}");
        insta::assert_snapshot!(format!("ascii_{name}"), screen);
    }
}

#[test]
fn a_terminal_that_is_too_small_is_told_so_and_nothing_breaks() {
    let mut demo = Driver::demo();
    for keys in [
        "",
        "<enter>",
        "c",
        "i9<enter>",
        "i",
        "<esc>w",
        "m",
        "<esc>s",
        "<esc>f",
        "<esc>",
        "<esc><esc>l",
        "F",
        "<esc><enter>",
        "?",
        "<esc>/x",
        "<esc>:x",
    ] {
        demo.keys(keys);
        assert!(demo.text((59, 15)).starts_with("terminal too small"));
        for size in [(1, 1), (20, 5), (60, 15), (61, 16), (400, 100)] {
            demo.screen(size);
        }
    }
}

/// What a source has said so far, as a message.
fn said(updates: Vec<Update>) -> Msg {
    let mut collector = Collector::default();
    let changed: Vec<Changed> = updates.into_iter().map(|update| collector.apply(update)).collect();
    let health = collector.health().cloned();
    Msg::MeshRead { epoch: 1, objects: Arc::new(collector.snapshot(Default::default())), changed, health }
}

fn told(updates: Vec<Update>) -> String {
    let mut driver = Driver::recording("permissive");
    let effects = driver.send(said(updates));
    driver.perform(effects);
    driver.settle();
    driver.text((100, 20))
}

fn listed(kind: Kind) -> Update {
    Update::Listed { kind, namespace: None, objects: Vec::new() }
}

#[test]
fn an_empty_screen_says_why_and_what_to_do() {
    let waiting = told(vec![Update::Health(Health::Connecting("pods".into())), listed(Kind::Pod)]);
    assert!(waiting.contains("Waiting for wasmplugins and trafficextensions of"), "{waiting}");
    assert!(waiting.contains("connecting: waiting for wasmplugins and 19 more"), "{waiting}");
    let none = told(vec![listed(Kind::WasmPlugin), Update::Absent(Kind::TrafficExtension)]);
    assert!(none.contains("There is no WasmPlugin or TrafficExtension in namespace default"), "{none}");
    assert!(none.contains("A shows all"), "{none}");
    let absent = told(vec![Update::Absent(Kind::WasmPlugin), Update::Absent(Kind::TrafficExtension)]);
    assert!(absent.contains("their CRDs are not installed"), "{absent}");
    let lacking = Unread {
        kind: Some(Kind::WasmPlugin),
        namespace: None,
        what: "wasmplugins.extensions.istio.io".into(),
        why: "the right to list them is lacking".into(),
        fix: "ask for it".into(),
        listed: false,
    };
    let unread = told(vec![Update::Unread(lacking), Update::Absent(Kind::TrafficExtension)]);
    assert!(unread.contains("WasmPlugins cannot be read: the right to list them is lacking."), "{unread}");
    assert!(unread.contains("1 not read or understood (f)"), "{unread}");
    let failed = Health::Failed { what: "no route to host".into(), fix: "start the cluster".into() };
    let failed = told(vec![Update::Health(failed), Update::Absent(Kind::WasmPlugin)]);
    assert!(failed.contains("✗ failed: no route to host") && failed.contains("start the cluster"), "{failed}");
    let degraded = Health::Degraded { what: "the connection was refused".into(), attempt: 3, retry_in_ms: 2000 };
    let degraded = told(vec![Update::Health(degraded), Update::Absent(Kind::WasmPlugin)]);
    assert!(degraded.contains("! degraded: the connection was r… · retry 3 in 2 s"), "{degraded}");
    assert!(degraded.contains("does not answer: the connection was refused."), "{degraded}");
}

#[test]
fn what_pods_would_decide_is_unknown_while_they_are_read_and_where_they_may_not_be_listed() {
    let plugin = json!({"metadata": {"name": "hello", "namespace": "default"}, "spec": {"url": "oci://example.com/hello:v1"}});
    let plugins = || Update::Listed { kind: Kind::WasmPlugin, namespace: None, objects: vec![plugin.clone()] };
    let reading = told(vec![plugins(), Update::Reading { kind: Kind::Pod, so_far: 3500 }]);
    assert!(reading.contains("? reading pods, 3,500") && !reading.contains("matches nothing"), "{reading}");
    assert!(reading.contains(" unknown "), "{reading}");
    let unread = Unread {
        kind: Some(Kind::Pod),
        namespace: None,
        what: "pods in all namespaces".into(),
        why: "forbidden".into(),
        fix: String::new(),
        listed: false,
    };
    let unread = told(vec![plugins(), Update::Unread(unread)]);
    assert!(unread.contains("? pods cannot be list") && !unread.contains("matches nothing"), "{unread}");
    let none = told(vec![plugins(), listed(Kind::Pod)]);
    assert!(none.contains("matches nothing") && none.contains("0 of 0"), "{none}");
}

#[test]
fn five_thousand_pods_are_a_list_of_which_a_screenful_is_drawn() {
    let pods = (0..5000).map(|number| {
        json!({
            "metadata": {"name": format!("web-{number}"), "namespace": "default", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app"}, {"name": "istio-proxy", "image": "proxyv2"}]},
            "status": {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}]},
        })
    });
    let plugin = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
        "metadata": {"name": "hello", "namespace": "default"},
        "spec": {"url": "oci://example.com/hello:v1", "selector": {"matchLabels": {"app": "web"}}},
    });
    let source = Arc::new(meshscope::source::files::Files::open(&support::recording("permissive")).unwrap());
    let mut driver = Driver::over(source, true);
    let effects = driver.send(said(vec![
        Update::Listed { kind: Kind::Pod, namespace: None, objects: pods.collect() },
        Update::Listed { kind: Kind::WasmPlugin, namespace: None, objects: vec![plugin] },
    ]));
    driver.perform(effects);
    driver.settle();
    driver.held.clear();
    driver.screen((120, 40));
    let shown = driver.keys("<enter>").text((120, 40));
    assert!(matches!(driver.app.screen().subject, Subject::Workloads(_)));
    assert_eq!(driver.app.screen().rows.len(), 5000);
    assert_eq!(shown.matches("pod/web-").count(), 34 + 1, "the rows in sight, and the selected one's details: {shown}");
    assert!(driver.held.len() <= 34 + 24, "only the pods in sight are asked: {}", driver.held.len());
    assert!(driver.keys("G").text((120, 40)).contains("5000 of 5000"));
    assert!(driver.keys("/web-4242").text((120, 40)).contains("pod/web-4242"));
}
