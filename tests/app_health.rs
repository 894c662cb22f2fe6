//! Health in the terminal program: how it is come to, what is asked of the proxies for it, and where it leads.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::msg::Msg;
use meshscope::app::screen::Subject;
use meshscope::app::state::Ticket;
use meshscope::model::ids::ObjectName;
use meshscope::model::pull_secret::PullSecret;
use meshscope::source::files::Files;
use support::driver::Driver;
use tempfile::TempDir;

const SIZE: (u16, u16) = (120, 40);

#[test]
fn health_is_one_key_away_from_every_screen_of_a_plugin() {
    for keys in ["", "<enter>", "c", "w"] {
        let mut demo = Driver::demo();
        let shown = demo.keys(keys).keys("h").text(SIZE);
        assert_eq!(demo.app.screen().view(), View::Health, "{keys}");
        assert!(shown.contains("Does default/helloworld run in its proxies?  ready: 1 running"), "{shown}");
        assert!(shown.contains("Envoy's statistics: Envoy has a counter for it"), "the evidence stands under it: {shown}");
        assert!(shown.contains("image sha256:77d4eb7c048d5bcb"), "{shown}");
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
        of_dumps.map(|effect| matches!(effect, Effect::FetchConfigDump { vital: true, .. })).collect()
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

const PLUGINS: &str = "k8s/wasmplugins.extensions.istio.io.json";

/// A recording whose plugin names this Secret; its screen is home.
fn naming(secret: &str) -> (TempDir, Driver) {
    let mut plugins: serde_json::Value = serde_json::from_slice(&support::files("permissive")[PLUGINS]).unwrap();
    plugins["items"][0]["spec"]["imagePullSecret"] = secret.into();
    let folder = support::folder("permissive", &[(PLUGINS, plugins.to_string())]);
    let driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
    (folder, driver)
}

/// The request for the Secret among what is to be done, taken out of it.
fn request(effects: &mut Vec<Effect>) -> (Ticket, ObjectName) {
    let place = effects.iter().position(|effect| matches!(effect, Effect::FindSecret { .. })).unwrap();
    let Effect::FindSecret { ticket, secret } = effects.remove(place) else { unreachable!() };
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::FindSecret { .. })), "once: {effects:?}");
    (ticket, secret)
}

/// The screen after this was found of the Secret.
fn found(driver: &mut Driver, ticket: Ticket, secret: &ObjectName, found: PullSecret) -> String {
    let effects = driver.send(Msg::SecretRead { ticket, secret: secret.clone(), found });
    driver.perform(effects);
    driver.settle();
    driver.text(SIZE)
}

#[test]
fn health_does_not_wait_for_the_pull_secret_and_shows_what_is_found_of_it() {
    let (_folder, mut driver) = naming("regcred");
    let mut effects = driver.effects_of("h");
    let (ticket, secret) = request(&mut effects);
    assert_eq!(secret, ObjectName::new("default", "regcred"));
    driver.perform(effects);
    driver.settle();
    let shown = driver.text(SIZE);
    assert!(shown.contains("ready: 1 running") && shown.contains("Secret default/regcred is being looked for"), "{shown}");
    let shown = found(&mut driver, ticket, &secret, PullSecret::OtherType);
    assert!(shown.contains("Secret default/regcred is there, and not of type kubernetes.io/dockerconfigjson"), "{shown}");

    // It is not looked for again by itself, but on demand; what was known stays in sight until something else is.
    driver.keys("jkc<esc>");
    assert!(driver.text(SIZE).contains("is there, and not of type"));
    let mut again = driver.effects_of("r");
    let (ticket, secret) = request(&mut again);
    assert!(driver.text(SIZE).contains("is there, and not of type"));
    let shown = found(&mut driver, ticket, &secret, PullSecret::Good);
    assert!(shown.contains("Secret default/regcred is there, and of type kubernetes.io/dockerconfigjson"), "{shown}");
}

#[test]
fn why_the_pull_secret_is_not_known_is_said() {
    let (_folder, mut driver) = naming("regcred");
    let mut effects = driver.effects_of("h");
    let (ticket, secret) = request(&mut effects);
    driver.perform(effects);
    driver.settle();
    let why = "cannot look for Secret default/regcred: secrets is forbidden; grant list on secrets in namespace default";
    let shown = found(&mut driver, ticket, &secret, PullSecret::Unread(why.to_owned()));
    assert!(shown.contains(why) && !shown.contains("Secret default/regcred cannot"), "{shown}");
    // A reading that broke is over, and can be begun again.
    let (ticket, _) = request(&mut driver.effects_of("r"));
    let effects = driver.send(Msg::TaskFailed(Some(ticket), "internal error: out of tape".to_owned()));
    driver.perform(effects);
    driver.settle();
    let shown = driver.text(SIZE);
    assert!(shown.contains("Secret default/regcred internal error: out of tape"), "{shown}");
    // What comes after the screen was left is dropped.
    let (ticket, _) = request(&mut driver.effects_of("r"));
    let left = driver.effects_of("<esc>");
    assert!(left.iter().any(|effect| matches!(effect, Effect::Stop(stopped) if *stopped == ticket)), "{left:?}");
    assert!(driver.send(Msg::SecretRead { ticket, secret, found: PullSecret::Good }).is_empty());
    assert!(!driver.app.snapshot.pull_secrets.values().any(|found| *found == PullSecret::Good));
}

#[test]
fn a_recording_holds_no_secret_and_a_plugin_without_one_asks_for_none() {
    // istiod looks in the plugin's own namespace, whatever is written.
    let (_folder, mut driver) = naming("kubernetes://elsewhere/regcred");
    let shown = driver.keys("h").text(SIZE);
    assert!(shown.contains("nothing is recorded of Secret default/regcred"), "{shown}");
    let mut demo = Driver::demo();
    assert!(!demo.effects_of("h").iter().any(|effect| matches!(effect, Effect::FindSecret { .. })));
}

#[test]
fn health_goes_by_what_istiod_says_and_asks_it_again() {
    let mut demo = Driver::demo();
    let asks = |effects: &[Effect]| effects.iter().filter(|effect| matches!(effect, Effect::FetchSync { .. })).count();
    assert!(matches!(demo.app.snapshot.sync, Some(Ok(_))), "home has asked already");
    demo.keys("h");
    assert_eq!(asks(&demo.effects_of("r")), 1);
}

/// What istiod says of a proxy, where the lower pane has no room for all of it.
#[test]
fn what_is_said_of_a_proxy_is_shown_part_by_part() {
    let mut syncz: serde_json::Value = serde_json::from_slice(&support::files("permissive")["istiod/syncz.json"]).unwrap();
    for entry in syncz.as_array_mut().unwrap() {
        let types = entry.get_mut("resources").and_then(|types| types.as_object_mut());
        types.into_iter().flat_map(|types| types.values_mut()).for_each(|told| {
            told["lastError"] = serde_json::json!("Internal: a reason that takes more than one line of a narrow pane to say")
        });
    }
    let folder = support::folder("permissive", &[("istiod/syncz.json", syncz.to_string())]);
    std::fs::remove_file(folder.path().join("istiod/adsz.json")).ok();
    let mut driver = Driver::over(Arc::new(Files::open(folder.path()).unwrap()), false);
    let first = driver.keys("s").text((80, 24));
    assert!(first.contains("part 1 of 2, J shows the next") && !first.contains("that is synced too"), "{first}");
    let second = driver.keys("J").text((80, 24));
    assert!(second.contains("part 2 of 2") && second.contains("that is synced too"), "{second}");
    assert_eq!(driver.keys("J").text((80, 24)), first, "after the last the first again");
    driver.keys("J");
    assert!(driver.keys("j").text((80, 24)).contains("part 1 of"), "of another proxy from the beginning");
    let whole = driver.text((120, 60));
    assert!(!whole.contains("J shows the next") && whole.contains("Plugins that it watches: not told: "), "{whole}");
}
