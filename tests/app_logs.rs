//! The screen of logs as a person meets it, over recordings: keys in, screens out.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::logs::Logs;
use meshscope::app::logs::message::LogsEffect;
use meshscope::source::files::Files;
use meshscope::source::{SharedSource, Source};
use support::driver::Driver;

const SIZE: (u16, u16) = (100, 30);

fn logs(driver: &Driver) -> &Logs {
    driver.app.screen().logs.as_deref().unwrap()
}

/// The plugin's part of the demo's logs.
fn demo() -> Driver {
    let mut demo = Driver::demo();
    demo.screen(SIZE);
    demo.keys("l");
    demo
}

#[test]
fn the_plugins_story_in_one_key() {
    let mut demo = demo();
    let shown = demo.text(SIZE);
    assert!(shown.contains("istiod + httpbin · plugin default/helloworld · level ≥ info"), "{shown}");
    assert!(shown.contains("2 sources  read to the end"), "{shown}");
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text} in {shown}"));
    let (push, fetch) =
        (at("push          WasmPlugin default/helloworld"), at("fetch         linsun/helloworld:latest from registry.lab:5000"));
    let plugin = at("plugin        warning  add_header: returning context for add_header");
    assert!(push < fetch && fetch < plugin, "{shown}");
    assert!(shown.contains("5 of 5"), "the youngest line is selected: {shown}");
}

#[test]
fn every_screen_that_knows_a_plugin_or_a_workload_leads_to_its_logs() {
    for (keys, says) in
        [("l", "Logs of default/helloworld"), ("<enter>l", "Logs of httpbin"), ("cl", "Logs of httpbin"), ("wl", "Logs of httpbin")]
    {
        let mut demo = Driver::demo();
        let shown = demo.keys(keys).text(SIZE);
        assert_eq!(demo.app.screen().view(), View::Logs, "{keys}");
        assert!(shown.contains(says) && shown.contains("plugin default/helloworld"), "{shown}");
        assert!(shown.contains("returning context for add_header"), "{shown}");
    }
    // A workload that the plugin does not reach has lines all the same.
    let shown = Driver::demo().keys("<enter>jl").text(SIZE);
    assert!(shown.contains("Logs of sleep") && shown.contains("istiod + sleep · all lines"), "{shown}");
}

#[test]
fn single_keys_narrow_what_is_held_and_widen_it_again() {
    let mut demo = demo();
    let (held, story) = (logs(&demo).held.end(), logs(&demo).held.rows());
    assert!(demo.keys("p").text(SIZE).contains("istiod + httpbin · all lines · level ≥ info"));
    let all = logs(&demo).held.rows();
    assert!(all > 100 && all as u64 <= held, "{all} of {held}");
    assert!(demo.keys("+").text(SIZE).contains("level ≥ warning"));
    let grave = logs(&demo).held.rows();
    assert!(grave > 0 && grave < all, "{grave}");
    demo.keys("-p");
    assert_eq!(logs(&demo).held.rows(), story);
    assert_eq!(logs(&demo).held.end(), held, "nothing was read again");
}

#[test]
fn a_filter_is_typed_in_the_words_of_the_command_line() {
    let mut demo = demo();
    let asked = demo.keys("F").text(SIZE);
    assert!(asked.contains("Which lines are shown?") && asked.contains("› plugin=this level=info"), "{asked}");
    let clear = "<bs>".repeat(40);
    let wrong = demo.keys(&clear).keys("include=a( scope=ads<enter>").text(SIZE);
    assert!(wrong.contains("a( is not a regular expression") && wrong.contains("Which lines are shown?"), "{wrong}");
    assert!(wrong.contains("plugin default/helloworld · level ≥ info"), "nothing has changed: {wrong}");
    let wrong = demo.keys(&clear).keys("workload=nobody<enter>").text(SIZE);
    assert!(wrong.contains("nobody") && wrong.contains("Which lines are shown?"), "{wrong}");
    let right = demo.keys(&clear).keys("source=istiod exclude=LDS \"ecds: push\"<enter>").text(SIZE);
    assert!(right.contains("istiod · all lines · exclude LDS · with \"ecds: push\""), "{right}");
    assert!(right.contains("ECDS → httpbin") && !right.contains("LDS →"), "{right}");
    assert!(demo.keys("F").text(SIZE).contains("source=istiod exclude=LDS \"ecds: push\""), "what is in force can be mended");
    let none = demo.keys(&clear).keys("scope=nothing<enter>").text(SIZE);
    assert!(none.contains("lines that are held passes the filter"), "{none}");
}

#[test]
fn find_highlights_and_walks_round() {
    let mut demo = demo();
    let total = logs(&demo).held.rows();
    let typing = demo.keys("p/FETCHING").text(SIZE);
    assert!(typing.contains("Enter goes to the next line"), "{typing}");
    let wrong = demo.keys("<bs><bs><bs><bs><bs><bs><bs><bs>fetching im[<enter>").text(SIZE);
    assert!(wrong.contains("fetching im[ is not a regular expression"), "said in the prompt, which stays: {wrong}");
    demo.keys("a]ge<enter>");
    let first = logs(&demo).list.selected;
    assert!(demo.text(SIZE).contains("fetch  "), "{}", demo.text(SIZE));
    demo.keys(">");
    let second = logs(&demo).list.selected;
    assert!(second > first, "{first} {second}");
    demo.keys(">");
    assert_eq!(logs(&demo).list.selected, first, "there are two, and after the last comes the first");
    demo.keys("<");
    assert_eq!(logs(&demo).list.selected, second);
    assert!(logs(&demo).held.rows() > total, "nothing was hidden");
    demo.keys("<esc>");
    assert!(logs(&demo).pattern.is_none() && demo.app.screen().view() == View::Logs, "Esc takes the highlight away first");
}

#[test]
fn the_next_warning_is_one_key_away() {
    let mut demo = demo();
    demo.keys("pg)");
    let (_, first) = logs(&demo).selected().unwrap();
    assert!(matches!(first.level.as_str(), "warn" | "warning" | "error"), "{first:?}");
    let mut mesh = Driver::recording("fetch-failed-closed");
    mesh.screen(SIZE);
    mesh.keys("lp]");
    assert_eq!(logs(&mesh).selected().unwrap().1.level, "error");
}

#[test]
fn a_line_says_all_that_is_known_of_it() {
    let mut demo = demo();
    let wide = demo.text((140, 40));
    assert!(wide.contains("spoke        default.helloworld"), "beside the list: {wide}");
    let line = demo.keys("<enter>").text((200, 30));
    assert_eq!(demo.app.screen().view(), View::Record);
    for says in [
        "what         plugin",
        "level        warning",
        "plugin       default/helloworld (WasmPlugin)",
        "root id      add_header",
        "pod          httpbin-",
    ] {
        assert!(line.contains(says), "{says} in {line}");
    }
    assert!(line.contains("raw          2026-") && line.contains("wasm log default.helloworld"), "{line}");
    let place = logs_place(&mut demo, "<esc>");
    assert_eq!(place, 4);
    // A request's parts are in words.
    let request = demo.keys("p/\"HEAD <enter><enter>").text(SIZE);
    assert!(
        request.contains("via_upstream: the upstream answered") && request.contains("cluster      inbound|80||, to the workload"),
        "{request}"
    );
    let (upstream, downstream) = ("upstream     10.244.0.4:80, from 127.0.0.6:", "downstream   10.244.0.5:");
    assert!(request.contains(upstream) && request.contains(downstream) && request.contains(", to 10.244.0.4:80"), "{request}");
    assert!(request.contains("user agent   curl/"), "{request}");
}

fn logs_place(driver: &mut Driver, keys: &str) -> usize {
    driver.keys(keys);
    logs(driver).list.selected
}

#[test]
fn from_a_line_to_its_plugin_chain_and_back_to_the_same_place() {
    let mut demo = demo();
    demo.keys("p/\"HEAD <enter>");
    let place = logs(&demo).list.selected;
    let chains = demo.keys("c").text(SIZE);
    assert_eq!(demo.app.screen().view(), View::Chains);
    let selected = demo.app.screen().selected().unwrap().clone();
    let text = meshscope::app::rows::text(demo.app.screen(), &selected);
    assert!(text.starts_with("mTLS from the mesh to port 80"), "the chain that the request took: {text} in {chains}");
    assert_eq!(logs_place(&mut demo, "<esc>"), place);
    demo.keys("k");
    for (keys, view) in [("w", View::Why), ("o", View::Order), ("m", View::Mtls), ("P", View::Workloads)] {
        demo.keys(keys);
        assert_eq!(demo.app.screen().view(), view, "{keys}");
        assert_eq!(logs_place(&mut demo, "<esc>"), place - 1, "{keys}");
    }
    // From chains to the logs and to the chains again: the place in the log is kept.
    demo.keys("c");
    demo.keys("l");
    let depth = demo.app.screens.len();
    demo.keys("c");
    assert_eq!(demo.app.screens.len(), depth + 1);
}

#[test]
fn marked_lines_are_copied_as_they_were_written() {
    let mut demo = demo();
    let one = demo.keys("y").copied.concat();
    assert!(one.starts_with("2026-") && one.contains("wasm log default.helloworld"), "{one}");
    let shown = demo.keys("g  ").text(SIZE);
    assert!(shown.contains("●  19:") && shown.contains("2 marked, 3 of 5"), "{shown}");
    demo.copied.clear();
    let two = demo.keys("y").copied.concat();
    assert_eq!(two.lines().count(), 2, "{two}");
    assert!(two.contains("Push debounce stable") && !two.contains("wasm log"), "{two}");
}

#[test]
fn what_is_shown_is_saved_and_nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("view.log");
    let mut demo = demo();
    let asked = demo.keys("S").text(SIZE);
    assert!(asked.contains("› logs-default-helloworld-2026-11-23T19-39-16.log"), "{asked}");
    let clear = "<bs>".repeat(60);
    let said = demo.keys(&clear).keys(&format!("{}<enter>", file.display())).text((200, 30));
    assert!(said.contains("5 lines, ") && said.contains("bytes, written to ") && !said.contains("Into which file"), "{said}");
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!((text.lines().next(), text.lines().count()), (Some("2026-11-23 UTC"), 6), "the day stands above");
    assert!(text.contains("plugin       warning  add_header: returning context"), "{text}");
    let again = demo.keys("S").keys(&clear).keys(&format!("{}<enter>", file.display())).text((200, 30));
    assert!(again.contains("is there already; choose another name") && again.contains("Into which file"), "{again}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn columns_are_hidden_and_long_lines_scrolled() {
    let mut demo = demo();
    let narrow = demo.text((80, 24));
    assert!(narrow.contains("TIME") && narrow.contains("SOURCE") && !narrow.contains("SCOPE"), "{narrow}");
    assert!(demo.text((117, 24)).contains("LEVEL"));
    assert!(demo.text((220, 24)).contains("SCOPE"));
    let bare = demo.keys("12345").text((80, 24));
    assert!(!bare.contains("TIME") && !bare.contains("SOURCE") && !bare.contains("WHAT") && bare.contains("MESSAGE"), "{bare}");
    assert!(bare.contains("add_header: returning context for add_header") && !bare.contains("warning  add"), "{bare}");
    let scrolled = demo.keys("<right>").text((80, 24));
    assert!(scrolled.contains("…rning context for add_header"), "{scrolled}");
    assert!(demo.keys("<left>").text((80, 24)).contains("add_header: returning"));
}

#[test]
fn a_silent_plugin_is_said_to_be_silent() {
    let mut mesh = Driver::recording("fetch-failed-closed");
    let shown = mesh.keys("l").text(SIZE);
    assert!(shown.contains("itself has said nothing in what is held: it does not run (h says)"), "{shown}");
    assert!(shown.contains("fetch failed"), "what others say of it is there: {shown}");
    assert!(!demo().text(SIZE).contains("has said nothing"));
}

#[test]
fn where_there_are_no_logs_it_is_said_why_and_what_to_do() {
    let mut era = Driver::recording("eras/1.12.0/permissive-v4");
    if Files::open(&support::recording("eras/1.12.0/permissive-v4")).unwrap().logs_held().is_some_and(|held| held.is_empty()) {
        let shown = era.keys("l").text(SIZE);
        assert!(shown.contains("The recording holds no logs.") && shown.contains("meshscope record"), "{shown}");
    }
    let directory = tempfile::tempdir().unwrap();
    let dump = directory.path().join("dump.json");
    std::fs::write(&dump, &support::files("permissive").into_iter().find(|(name, _)| name.ends_with("config_dump.json")).unwrap().1)
        .unwrap();
    let source: SharedSource = Arc::new(Files::open(&dump).unwrap());
    let mut lone = Driver::over(source, false);
    let shown = lone.keys("l").text(SIZE);
    assert!(shown.contains("A config dump alone holds no logs."), "{shown}");
}

#[test]
fn the_reading_ends_with_its_screen_and_begins_again_with_another_scene() {
    let mut demo = demo();
    let ticket = logs(&demo).ticket;
    let effects = demo.effects_of("<esc>");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Stop(stopped) if *stopped == ticket)));
    assert!(self::demo().keys("r").text(SIZE).contains("5 of 5"), "read anew");
    let mut demo = Driver::demo();
    demo.keys("lc");
    let effects = demo.effects_of("M");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Logs(_, LogsEffect::Read(..)))), "{effects:?}");
    demo.perform(effects);
    demo.settle();
    let shown = demo.keys("<esc>").text(SIZE);
    assert!(shown.contains("default/helloworld") && shown.contains("read to the end"), "{shown}");
}

#[test]
fn reading_again_keeps_what_is_asked_for() {
    let mut mesh = demo();
    let before = mesh.keys("F include=push<enter>").text(SIZE);
    assert!(before.contains("include push"), "{before}");
    let again = mesh.keys("r").text(SIZE);
    assert!(again.contains("include push") && again.contains("debounced"), "{again}");
}

#[test]
fn a_text_narrows_what_an_expression_takes() {
    let mut mesh = demo();
    let shown = mesh.keys("F include=ECDS fetching<enter>").text(SIZE);
    let clear = "<bs>".repeat(60);
    assert!(shown.contains("None of the"), "no line has both: {shown}");
    // What is shown is found, though it was written in other words.
    let found = mesh.keys(&format!("F{clear}debounced<enter>")).text(SIZE);
    assert!(found.contains("WasmPlugin default/helloworld"), "{found}");
}
