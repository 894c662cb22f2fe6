//! The screen: from a finding to its chain in one key, and what could not be read behind the findings.

use std::collections::BTreeSet;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::screen::Subject;
use std::sync::Arc;

use meshscope::model::ids::ProxyId;
use meshscope::source::files::Files;
use meshscope::source::{Source, SourceInfo, SourceKind};
use serde_json::Value;

use super::recorded::HTTPBIN;
use super::support;
use super::support::driver::{Driver, proxies_asked};

const SIZE: (u16, u16) = (120, 40);

#[test]
fn from_a_finding_to_its_chain_in_one_key() {
    let mut driver = Driver::recording("fetch-failed-closed");
    let findings = driver.keys("f").text(SIZE);
    assert_eq!(driver.app.screen().view(), View::Findings);
    assert!(findings.contains("✗ error  stub-in-place WasmPlugin default/missing"), "{findings}");
    let chains = driver.keys("<enter>").text(SIZE);
    let Subject::Chains(focus) = &driver.app.screen().subject else { panic!("the chains: {chains}") };
    assert_eq!(focus.plugin.as_ref().unwrap().to_string(), "default/missing");
    assert!(chains.contains("▾  1  passthrough, mTLS HTTP"), "{chains}");
    driver.keys("<esc>w");
    assert!(driver.text(SIZE).contains("Why does default/missing appear"), "the other keys lead on from the finding too");
}

#[test]
fn a_finding_without_a_chain_leads_to_what_it_is_about() {
    let mut demo = Driver::demo();
    demo.keys("f<enter>");
    assert_eq!(demo.app.screen().view(), View::Mtls, "PERMISSIVE is a matter of policies");
}

/// The recording with a proxy that istiod says nothing of.
fn alone() -> tempfile::TempDir {
    let mut syncz: Value = serde_json::from_slice(&support::files("permissive")["istiod/syncz.json"]).unwrap();
    syncz.as_array_mut().unwrap().retain(|entry| entry["proxy"] != HTTPBIN);
    support::folder("permissive", &[("istiod/syncz.json", syncz.to_string())])
}

#[test]
fn a_finding_of_what_istiod_says_leads_there() {
    let folder = alone();
    for key in ["<enter>", "s"] {
        let mut driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
        let findings = driver.keys("f").text(SIZE);
        assert!(findings.contains("proxy-not-connected Pod default/httpbin"), "{findings}");
        let shown = driver.keys(key).text(SIZE);
        assert_eq!(driver.app.screen().view(), View::Sync, "{key}");
        assert!(shown.contains("▸ httpbin-664956bb75-9d64m.default  ✗ not co"), "{shown}");
        driver.keys("<esc>d");
        assert_eq!(driver.app.screen().view(), View::Diff);
    }
}

#[test]
fn the_log_of_a_finding_is_that_of_its_proxy() {
    let folder = alone();
    let mut driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
    let shown = driver.keys("fl").text(SIZE);
    assert!(driver.app.screen().view() == View::Logs && shown.contains("Logs of httpbin"), "{shown}");
}

#[test]
fn every_key_on_every_finding_leads_somewhere_or_says_why_not() {
    let folder = alone();
    let drivers = ["fetch-failed-closed", "gateway"].map(Driver::recording);
    for mut driver in drivers.into_iter().chain([Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false)]) {
        driver.keys("f");
        let lines = driver.app.screen().rows.len();
        assert!(lines > 0, "there is something to select");
        for line in 0..lines {
            for key in ["<enter>", "w", "c", "o", "l", "m", "d", "h", "t", "s", "r", "x", "n"] {
                driver.keys(key);
                let view = driver.app.screen().view();
                assert!(view != View::Findings || driver.app.note.is_some() || key == "r", "{key} on line {line}: {}", driver.text(SIZE));
                assert!(view != View::Why || driver.app.screen().plugin().is_some(), "why is asked of a plugin: line {line}");
                while driver.app.screen().view() != View::Findings {
                    driver.keys("<esc>");
                }
            }
            driver.keys("<down>");
        }
    }
}

#[test]
fn the_selected_finding_is_copied() {
    let folder = alone();
    let mut driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
    driver.keys("fy");
    let copied = &driver.copied[0];
    assert!(copied.starts_with("#### warning `proxy-not-connected`: Pod default/httpbin"), "{copied}");
    assert!(copied.contains("- matters: ") && !copied.contains("permissive-without-need"), "{copied}");
}

/// The proxies that are asked, each once.
fn asked(effects: &[Effect]) -> BTreeSet<ProxyId> {
    proxies_asked(effects).into_iter().collect()
}

#[test]
fn how_many_proxies_were_read_is_said_and_the_others_can_be() {
    let folder = support::crowd(30, |_, dump| dump.to_owned());
    let source = || Arc::new(Files::open(folder.path()).unwrap());
    let mut recording = Driver::over(source(), true);
    let shown = recording.keys("f").text(SIZE);
    assert!(shown.contains("0 of 32 proxies read.") && !shown.contains("a reads"), "{shown}");
    assert_eq!(asked(&recording.held).len(), 32, "to read a recording costs no proxy a moment");
    let options = Driver::options(source().as_ref(), SourceInfo { kind: SourceKind::Cluster, ..source().info() });
    let mut live = Driver::with(source(), options, true);
    // istiod is asked again and again: that has no end here.
    let effects = live.effects_of("f").into_iter().filter(|effect| matches!(effect, Effect::Ask { .. }));
    live.perform(effects.collect());
    live.settle();
    let shown = live.text(SIZE);
    assert!(shown.contains("0 of 32 proxies read.  a reads the others"), "{shown}");
    assert_eq!(asked(&live.held).len(), 24);
    let effects = live.effects_of("a");
    assert_eq!(asked(&effects).union(&asked(&live.held)).count(), 32);
    assert!(!live.text(SIZE).contains("a reads"));
    live.effects_of("a");
    assert_eq!(live.app.note.as_deref(), Some("every proxy is read, or being read"));
}

#[test]
fn what_could_not_be_read_stands_behind_the_findings() {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in support::files("permissive") {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(folder.path().join(format!("proxies/{HTTPBIN}/config_dump.json")), "{").unwrap();
    let mut driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
    let shown = driver.keys("f").text((160, 50));
    let (findings, rest) = shown.split_once("─ not looked at").expect("a part of its own");
    assert!(findings.contains("permissive-without-need"), "{shown}");
    let (unchecked, warnings) = rest.split_once("─ what could not be read or understood").expect("another part");
    assert!(unchecked.contains("stub-in-place") && unchecked.contains("httpbin"), "{shown}");
    assert!(warnings.contains("httpbin"), "{shown}");
}
