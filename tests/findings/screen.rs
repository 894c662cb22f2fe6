//! The screen: from a finding to its chain in one key, and what could not be read behind the findings.

use meshscope::app::action::View;
use meshscope::app::screen::Subject;
use std::sync::Arc;

use meshscope::source::files::Files;

use super::recorded::HTTPBIN;
use super::support;
use super::support::driver::Driver;

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
