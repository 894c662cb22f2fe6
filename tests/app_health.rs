//! Health in the terminal program: how it is come to, what is asked of the proxies for it, and where it leads.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::screen::Subject;
use meshscope::source::files::Files;
use support::driver::Driver;

const SIZE: (u16, u16) = (120, 40);

#[test]
fn health_is_one_key_away_from_every_screen_of_a_plugin() {
    for keys in ["", "<enter>", "c", "w"] {
        let mut demo = Driver::demo();
        let shown = demo.keys(keys).keys("h").text(SIZE);
        assert_eq!(demo.app.screen().view(), View::Health, "{keys}");
        assert!(shown.contains("Does default/helloworld run in its proxies?  ready: 1 running"), "{shown}");
        assert!(shown.contains("Envoy's statistics: Envoy has a counter for it"), "the evidence stands under it: {shown}");
        assert!(shown.contains("digest 77d4eb7c048d5bcb"), "{shown}");
    }
}

#[test]
fn the_chains_are_one_key_further() {
    for keys in ["<enter>", "c"] {
        let mut demo = Driver::demo();
        demo.keys("h").keys(keys);
        let Subject::Chains(focus) = &demo.app.screen().subject else { panic!("{keys} leads to the chains") };
        assert_eq!((focus.name(), focus.plugin.as_ref().unwrap().to_string().as_str()), ("httpbin", "default/helloworld"));
        demo.keys("<esc>");
        assert_eq!(demo.app.screen().view(), View::Health);
    }
    let mut demo = Driver::demo();
    for (key, view) in [("w", View::Why), ("o", View::Order), ("m", View::Mtls)] {
        assert_eq!(demo.keys("h").keys(key).app.screen().view(), view);
        demo.keys("<esc><esc>");
    }
}

#[test]
fn only_for_health_is_a_proxy_asked_for_more_than_its_dump() {
    let source = Arc::new(Files::open(&support::recording("fetch-failed-closed")).unwrap());
    let mut driver = Driver::over(source, true);
    let asked = |held: &[Effect]| -> Vec<bool> {
        let of_dumps = held.iter().filter(|effect| matches!(effect, Effect::FetchConfigDump { .. }));
        of_dumps.map(|effect| matches!(effect, Effect::FetchConfigDump { vital: Some(_), .. })).collect()
    };
    driver.screen(SIZE);
    driver.keys("c<esc>");
    assert!(asked(&driver.held).iter().all(|vital| !vital), "home and chains need dumps alone");
    driver.release();
    driver.keys("h");
    let read = driver.app.snapshot.dumps.keys().filter_map(|proxy| driver.app.snapshot.dump(proxy)).filter(|dump| dump.vitals.is_some());
    assert_eq!(read.count(), 1, "the one proxy in sight");
    // Asked again, it is asked for the same.
    let again = driver.effects_of("r");
    assert_eq!(asked(&again), [true]);
}

#[test]
fn the_whole_is_copied_and_a_proxy_is_found_by_its_name() {
    let mut demo = Driver::demo();
    demo.keys("hy");
    assert!(demo.copied[0].starts_with("### How plugins fare\n\n#### WasmPlugin `default/helloworld`"), "{}", demo.copied[0]);
    assert!(demo.keys("/httpbin-66").text(SIZE).contains("1 found"));
    assert!(demo.keys("zzz").text(SIZE).contains("Nothing here has the letters"));
}

#[test]
fn a_stub_says_why_beside_its_plugin() {
    let mut driver = Driver::recording("fetch-failed-closed");
    let shown = driver.keys("h").text(SIZE);
    assert!(shown.contains("failed: 1 stub, denies all") && shown.contains("MANIFEST_UNKNOWN"), "{shown}");
}

#[test]
fn health_goes_by_what_istiod_says_and_asks_it_again() {
    let mut demo = Driver::demo();
    let asks = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::FetchSync { .. })).count();
    let opened = demo.effects_of("h");
    assert_eq!(asks(&opened), 1, "as the command does");
    demo.perform(opened);
    demo.settle();
    assert_eq!(asks(&demo.effects_of("r")), 1);
}
