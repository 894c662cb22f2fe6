//! The level of a proxy's logger on the screen: what is asked before it is raised, what is shown while it is, when it is put back.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::level::{LevelQuestion, Raised, Stage};
use meshscope::app::msg::Msg;
use meshscope::app::program::Typing;
use meshscope::app::runtime::Program;
use meshscope::clock::{self, Instant};
use meshscope::level::{NotRaised, PutBack};
use meshscope::model::ids::ProxyId;
use meshscope::model::log_level::LogLevel::{self, Debug, Trace, Warning};
use meshscope::source::demo::Demo;
use meshscope::source::{FailureKind, ProxyRequest, Source, SourceError, SourceInfo, SourceKind};
use support::driver::Driver;
use support::screen::show;

const SIZE: (u16, u16) = (80, 24);

fn httpbin() -> ProxyId {
    ProxyId::new("httpbin-664956bb75-9d64m", "default")
}

/// The demo's mesh, said to be a live cluster.
fn live() -> Driver {
    let source = Arc::new(Demo::new(0).unwrap());
    let info = SourceInfo { kind: SourceKind::Cluster, scenes: &[], name: "lab".to_owned(), ..source.info() };
    let options = Driver::options(source.as_ref(), info);
    let mut driver = Driver::with(source, options, false);
    driver.screen(SIZE);
    driver
}

/// Presses `L` and answers for the proxy, whose level is this.
fn ask(driver: &mut Driver, level: LogLevel) -> ProxyRequest {
    let effects = driver.effects_of("L");
    let [Effect::ReadLevel { ticket, ask }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((&ask.proxy, ask.container.as_str(), ask.admin_port), (&httpbin(), "istio-proxy", 15000));
    let question = LevelQuestion { ask: ask.clone(), now: level, before: level, raised: false };
    assert!(driver.send(Msg::LevelRead { ticket: *ticket, question: Ok(question) }).is_empty());
    ask.clone()
}

#[test]
fn the_key_stands_in_the_footer_over_a_live_mesh_with_a_proxy_in_question() {
    let hint = "L raise-level";
    let mut live = live();
    let wide = (120, 40);
    assert!(!live.text(wide).contains(hint), "home is about all plugins: {}", live.text(wide));
    for keys in ["<enter>", "c", "<esc>w", "<esc>o", "<esc>l"] {
        let shown = live.keys(keys).text(wide);
        assert!(shown.lines().any(|line| line.contains("? help") && line.contains(hint)), "{keys}: {shown}");
    }
    let mut demo = Driver::demo();
    for keys in ["<enter>", "c", "<esc>w", "<esc>o", "<esc>l"] {
        assert!(!demo.keys(keys).text(wide).contains(hint), "{keys}");
    }
}

/// Raises the level for so many seconds, from now on.
fn raise(driver: &mut Driver, seconds: u64) -> Instant {
    let ask = ask(driver, Warning);
    let effects = driver.effects_of("<enter>");
    assert!(matches!(effects.as_slice(), [Effect::RaiseLevel { level: Debug, shown: Warning, .. }]), "{effects:?}");
    let now = clock::now();
    let raised = Raised { ask, level: Debug, before: Warning, until: now + Duration::from_secs(seconds), stage: Stage::Held };
    let effects = driver.send(Msg::LevelRaised { raised, outcome: Ok(Warning), now });
    assert!(matches!(effects.as_slice(), [Effect::Tick]), "{effects:?}");
    now
}

fn back(outcome: PutBack, now: Instant) -> Msg {
    Msg::LevelPutBack { proxy: httpbin(), outcome, now }
}

#[test]
fn the_question_shows_the_exact_request_and_enter_alone_sends_it() {
    for keys in ["<enter>", "c", "w", "o", "ci9999<enter>"] {
        let mut driver = live();
        driver.keys(keys);
        ask(&mut driver, Warning);
        let asked = driver.text(SIZE);
        assert!(asked.contains("Raise the level of the proxy's wasm logger?") && asked.contains("› debug 5m"), "{keys}: {asked}");
        assert!(asked.contains("POST http://localhost:15000/logging?wasm=debug"), "{asked}");
        assert!(asked.contains("on httpbin-664956bb75-9d64m.default (container istio-proxy)"), "{asked}");
        assert!(asked.contains("for 5 minutes, then back to warning") && asked.contains("leaves everything as it is"), "{asked}");
        assert!(asked.contains("Now info and debug lines are hidden: the wasm logger is at warning."), "{asked}");
        assert!(driver.effects_of("<esc>").is_empty(), "Esc does nothing");
        assert!(driver.app.typing.is_none() && driver.app.raised.is_empty());
        ask(&mut driver, Warning);
        let effects = driver.effects_of("<enter>");
        let [Effect::RaiseLevel { ask, level: Debug, shown: Warning, time }] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!((&ask.proxy, *time), (&httpbin(), Duration::from_secs(300)));
    }
}

#[test]
fn the_question_and_what_is_raised_as_they_look() {
    for (width, height) in [SIZE, (120, 40)] {
        let mut driver = live();
        driver.keys("c");
        ask(&mut driver, Warning);
        insta::assert_snapshot!(format!("asked_{width}x{height}"), show(&driver.screen((width, height))));
        driver.effects_of("<esc>");
        raise(&mut driver, 272);
        driver.keys("L");
        insta::assert_snapshot!(format!("raised_{width}x{height}"), show(&driver.screen((width, height))));
    }
    let mut driver = live();
    driver.plain();
    driver.keys("c");
    raise(&mut driver, 272);
    driver.keys("L");
    assert!(driver.text(SIZE).is_ascii(), "{}", driver.text(SIZE));
}

#[test]
fn the_request_follows_what_is_typed_and_what_is_wrong_is_said() {
    let mut driver = live();
    driver.keys("c");
    ask(&mut driver, Warning);
    driver.keys(&"<bs>".repeat(8)).keys("trace 90s");
    let asked = driver.text(SIZE);
    assert!(asked.contains("/logging?wasm=trace") && asked.contains("for 90 seconds"), "{asked}");
    assert!(driver.effects_of("x<enter>").is_empty());
    let wrong = driver.text(SIZE);
    assert!(wrong.contains("› trace 90sx") && wrong.contains("write a time from 10s to 60m"), "{wrong}");
    assert!(!wrong.contains("POST"), "nothing could be sent: {wrong}");
    assert!(driver.effects_of("<bs><bs>h<enter>").is_empty());
    assert!(matches!(driver.app.typing, Some(Typing::Question(..))));
}

#[test]
fn a_level_that_is_as_low_already_need_not_be_raised() {
    let mut driver = live();
    driver.keys("c");
    ask(&mut driver, Trace);
    assert!(driver.app.typing.is_none());
    assert!(driver.text(SIZE).contains("nothing need be done: the wasm logger of httpbin-"), "{}", driver.text(SIZE));
    ask(&mut driver, Debug);
    let asked = driver.text(SIZE);
    assert!(asked.contains("nothing need be done: the wasm logger of httpbin-") && asked.contains("› trace 5m"), "{asked}");
    assert!(driver.effects_of(&("<bs>".repeat(8) + "debug 5m<enter>")).is_empty());
    assert!(matches!(driver.app.typing, Some(Typing::Question(..))));
}

#[test]
fn whoever_goes_on_typing_is_not_asked() {
    let mut driver = live();
    driver.keys("c");
    let effects = driver.effects_of("L");
    let [Effect::ReadLevel { ticket, ask }] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(matches!(driver.effects_of("j").as_slice(), [Effect::Stop(stopped)] if stopped == ticket));
    let question = LevelQuestion { ask: ask.clone(), now: Warning, before: Warning, raised: false };
    driver.send(Msg::LevelRead { ticket: *ticket, question: Ok(question) });
    assert!(driver.app.typing.is_none(), "an Enter that was meant for something else would send it");
    driver.effects_of("L");
    assert!(matches!(driver.effects_of("<esc>").as_slice(), [Effect::Stop(_)]));
    assert_eq!(driver.app.screen().view(), View::Chains, "Esc cancels, and does nothing else");
}

#[test]
fn what_is_raised_is_on_every_screen_with_its_time() {
    let mut driver = live();
    let now = raise_from(&mut driver, "c", 300);
    for keys in ["", "<esc>", "<enter>", "o", "?", "/x"] {
        driver.keys(keys);
        for size in [SIZE, (120, 40), (200, 60)] {
            let text = driver.text(size);
            assert!(text.lines().next().unwrap().contains("! wasm debug httpbin-664956bb75-9d64m 5:00"), "{keys}: {text}");
            assert!(text.lines().next().unwrap().contains("● fi"), "how the source is stays in sight: {text}");
        }
    }
    assert!(matches!(driver.send(Msg::Ticked(now + Duration::from_millis(61_500))).as_slice(), [Effect::Tick]));
    assert!(driver.text(SIZE).contains("3:59"), "{}", driver.text(SIZE));
}

fn raise_from(driver: &mut Driver, keys: &str, seconds: u64) -> Instant {
    driver.keys(keys);
    raise(driver, seconds)
}

#[test]
fn at_its_end_it_is_put_back_and_the_clock_stops() {
    let mut driver = live();
    let now = raise_from(&mut driver, "c", 10);
    let end = now + Duration::from_secs(10);
    let effects = driver.send(Msg::Ticked(end));
    let [Effect::PutBackLevel { proxy, .. }, Effect::Tick] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*proxy, httpbin());
    assert!(driver.text(SIZE).contains("9d64m ending"), "{}", driver.text(SIZE));
    assert!(matches!(driver.send(Msg::Ticked(end + Duration::from_secs(1))).as_slice(), [Effect::Tick]), "it is put back once");
    assert!(driver.send(back(PutBack::Done(Warning), end)).is_empty());
    assert!(driver.app.raised.is_empty());
    let done = driver.text(SIZE);
    assert!(done.contains("the wasm logger of httpbin-664956bb75-9d64m.default is at warning again"), "{done}");
    assert!(!done.contains("wasm debug"), "{done}");
    assert!(driver.send(Msg::Ticked(end + Duration::from_secs(2))).is_empty(), "at rest there is no timer");
}

#[test]
fn what_could_not_be_put_back_is_said_and_tried_again() {
    let mut driver = live();
    let now = raise_from(&mut driver, "c", 10);
    let end = now + Duration::from_secs(10);
    driver.send(Msg::Ticked(end));
    assert!(driver.send(back(PutBack::Failed("no route to host".to_owned()), end)).is_empty(), "the clock runs already");
    let failed = driver.text((120, 40));
    assert!(failed.contains("✗ wasm debug httpbin-664956bb75-9d64m not put back"), "{failed}");
    assert!(failed.contains("wasm is not put back on httpbin-664956bb75-9d64m.default, tried again in 5 s: no route to host"), "{failed}");
    assert!(matches!(driver.send(Msg::Ticked(end + Duration::from_secs(4))).as_slice(), [Effect::Tick]));
    let effects = driver.send(Msg::Ticked(end + Duration::from_secs(5)));
    assert!(matches!(effects.as_slice(), [Effect::PutBackLevel { .. }, Effect::Tick]), "{effects:?}");
    driver.send(back(PutBack::Changed { now: Trace }, end));
    assert!(driver.app.raised.is_empty());
    assert!(driver.text((120, 40)).contains("is at trace, which somebody else has set meanwhile: it is left so"));
}

#[test]
fn the_same_key_puts_it_back_or_raises_it_otherwise() {
    let mut driver = live();
    raise_from(&mut driver, "c", 300);
    let asked = driver.keys("L").text(SIZE);
    assert!(asked.contains("The level is raised: put it back?") && asked.contains("› back"), "{asked}");
    assert!(asked.contains("POST http://localhost:15000/logging?wasm=warning"), "{asked}");
    assert!(driver.effects_of("<esc>").is_empty());
    assert_eq!(driver.app.raised.len(), 1, "Esc leaves it raised");
    assert!(matches!(driver.effects_of("L<enter>").as_slice(), [Effect::PutBackLevel { .. }]));
    assert!(driver.effects_of("L").is_empty() && driver.app.typing.is_none(), "it is under way");
    let mut driver = live();
    raise_from(&mut driver, "c", 300);
    let effects = driver.effects_of(&format!("L{}trace 1m<enter>", "<bs>".repeat(4)));
    assert!(matches!(effects.as_slice(), [Effect::RaiseLevel { level: Trace, shown: Debug, .. }]), "{effects:?}");
}

#[test]
fn a_failure_to_raise_is_said_and_what_may_be_raised_is_shown() {
    let mut driver = live();
    driver.keys("c");
    let ask = ask(&mut driver, Warning);
    driver.effects_of("<enter>");
    let now = clock::now();
    let raised = Raised { ask, level: Debug, before: Warning, until: now + Duration::from_secs(300), stage: Stage::Held };
    let not = |why: &str, held| Err(NotRaised { why: why.to_owned(), held });
    let failed = Msg::LevelRaised { raised: raised.clone(), outcome: not("pods/portforward is forbidden", false), now };
    assert!(driver.send(failed).is_empty());
    assert!(driver.app.raised.is_empty() && driver.text(SIZE).contains("✗ pods/portforward is forbidden"), "{}", driver.text(SIZE));
    let perhaps = Msg::LevelRaised { raised, outcome: not("no answer; it may have been done all the same", true), now };
    assert!(matches!(driver.send(perhaps).as_slice(), [Effect::Tick]));
    assert!(driver.text(SIZE).contains("not put back"), "{}", driver.text(SIZE));
    assert!(matches!(driver.send(Msg::Ticked(now + Duration::from_secs(5))).as_slice(), [Effect::PutBackLevel { .. }, Effect::Tick]));
}

#[test]
fn a_level_that_cannot_be_read_asks_nothing() {
    let mut driver = live();
    driver.keys("c");
    let effects = driver.effects_of("L");
    let [Effect::ReadLevel { ticket, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let error = SourceError::new(FailureKind::Missing, "cannot read the log levels of pod x", "");
    driver.send(Msg::LevelRead { ticket: *ticket, question: Err(error) });
    assert!(driver.app.typing.is_none());
    assert!(driver.text(SIZE).contains("✗ cannot read the log levels of pod x"), "{}", driver.text(SIZE));
}

#[test]
fn leaving_is_one_key_and_several_levels_are_counted() {
    let mut driver = live();
    let now = raise_from(&mut driver, "c", 300);
    let mut other = driver.app.raised[&httpbin()].clone();
    other.ask.proxy = ProxyId::new("sleep-1", "default");
    other.until = now + Duration::from_secs(20);
    driver.send(Msg::LevelRaised { raised: other, outcome: Ok(Warning), now });
    assert!(driver.text(SIZE).contains("! wasm debug sleep-1 0:20 +1"), "what ends first: {}", driver.text(SIZE));
    assert!(driver.effects_of("q").is_empty(), "what is raised is put back by whoever ends the program");
    assert!(driver.app.is_over());
}

#[test]
fn a_pod_that_is_gone_is_found_out() {
    let mut driver = live();
    let now = raise_from(&mut driver, "c", 300);
    let mut objects = (*driver.app.snapshot).clone();
    objects.dumps.clear();
    Arc::make_mut(&mut objects.objects).pods.remove(&httpbin());
    let changed = vec![meshscope::ingest::collect::Changed::Reading];
    let effects = driver.send(Msg::MeshRead { epoch: 1, objects: Arc::new(objects), changed, health: None });
    assert!(effects.iter().any(|effect| matches!(effect, Effect::PutBackLevel { .. })), "{effects:?}");
    driver.send(back(PutBack::Gone, now));
    assert!(driver.app.raised.is_empty());
    assert!(driver.text(SIZE).contains("is gone with its pod"), "{}", driver.text(SIZE));
}

#[test]
fn what_is_no_live_mesh_refuses_in_one_line() {
    for (mut driver, name) in [(Driver::demo(), "demo"), (Driver::recording("strict"), "strict.tar.zst")] {
        driver.keys("c");
        assert!(driver.effects_of("L").is_empty());
        let refused = driver.text((200, 24));
        assert!(
            refused.contains(&format!("{name} is no live mesh: it has no running proxy whose log level could be changed")),
            "{refused}"
        );
    }
}

#[test]
fn logs_show_what_a_level_was_raised_for() {
    let mut driver = live();
    driver.keys("c");
    raise(&mut driver, 300);
    let shown = driver.keys("l").text((120, 40));
    assert!(shown.contains("level ≥ debug"), "{shown}");
}
