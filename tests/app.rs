//! The terminal program as a person meets it: keys and events in, screens and requests out.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::msg::Msg;
use meshscope::app::program::Options;
use meshscope::app::question::Question;
use meshscope::app::state::Ticket;
use meshscope::ingest::collect::Changed;
use meshscope::model::ids::{ObjectName, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::snapshot::{Dump, Snapshot};
use meshscope::source::demo::Demo;
use meshscope::source::{Source, SourceInfo, SourceKind};
use support::driver::Driver;

const SIZE: (u16, u16) = (120, 40);

fn httpbin() -> ProxyId {
    ProxyId::new("httpbin-664956bb75-9d64m", "default")
}

/// The demo's mesh, said to be a live cluster, with the screen's dumps not read yet where `hold` is set.
fn live(hold: bool) -> Driver {
    let source = Arc::new(Demo::new(0).unwrap());
    let info = SourceInfo { kind: SourceKind::Cluster, scenes: &[], name: "lab".to_owned(), ..source.info() };
    let options = Options {
        namespace: Some("default".to_owned()),
        scene: 0,
        deadline: Duration::from_secs(10),
        themes: 5,
        theme: 0,
        notices: Vec::new(),
        proxies: source.proxies(),
        info,
    };
    Driver::with(source, options, hold)
}

/// The objects as they are, changed a little.
fn objects(driver: &Driver, change: impl FnOnce(&mut Snapshot)) -> Arc<Snapshot> {
    let mut snapshot = (*driver.app.snapshot).clone();
    snapshot.dumps.clear();
    change(&mut snapshot);
    Arc::new(snapshot)
}

fn read(objects: Arc<Snapshot>, changed: Changed) -> Msg {
    Msg::MeshRead { epoch: 1, objects, changed: vec![changed], health: None }
}

fn request(effects: &[Effect]) -> (Ticket, Duration) {
    let of = |effect: &Effect| match effect {
        Effect::FetchConfigDump { ticket, after, .. } => Some((*ticket, *after)),
        _ => None,
    };
    effects.iter().find_map(of).unwrap()
}

fn fetched(effects: &[Effect]) -> Vec<ProxyId> {
    let of = |effect: &Effect| match effect {
        Effect::FetchConfigDump { request, .. } => Some(request.proxy.clone()),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn from_a_plugin_to_its_chains_in_one_key() {
    let mut demo = Driver::demo();
    assert!(demo.text(SIZE).contains("default/helloworld"), "home shows the plugins");
    let chains = demo.keys("c").text(SIZE);
    assert_eq!(demo.app.screen().view(), View::Chains);
    assert!(chains.contains("N = 4 on 15006   (a connection takes exactly one chain)"), "{chains}");
    assert!(chains.contains("http     ● default/helloworld"), "the first chain with the plugin is open: {chains}");
}

#[test]
fn the_way_back_is_the_way_there() {
    let mut demo = Driver::demo();
    assert!(demo.keys("<enter><enter>w").text((140, 40)).contains("demo › default › default/helloworld › httpbin › chains › why"));
    let views: Vec<View> = (0..4)
        .map(|_| {
            demo.keys("<esc>");
            demo.app.screen().view()
        })
        .collect();
    assert_eq!(views, [View::Chains, View::Workloads, View::Plugins, View::Plugins]);
}

#[test]
fn between_chains_and_why_the_way_does_not_grow() {
    let mut demo = Driver::demo();
    demo.keys("cwcwcw");
    assert_eq!(demo.app.screens.len(), 3);
}

#[test]
fn a_term_of_the_sum_opens_its_chains() {
    let mut demo = Driver::demo();
    let chains = demo.keys("wj<enter>").text(SIZE);
    assert!(chains.contains("▾  6  mTLS from the mesh to port 80"), "{chains}");
    assert!(chains.contains("▸  1  passthrough, mTLS HTTP"), "{chains}");
}

#[test]
fn another_mode_shows_old_and_new_side_by_side() {
    let mut demo = Driver::demo();
    demo.keys("wM");
    assert_eq!(demo.app.event.as_deref(), Some("the demo's mesh is STRICT now · httpbin 15006: 4 → 2"));
    let why = demo.text(SIZE);
    assert!(why.contains("= counted in the proxy: 2 ✓   was 4 → now 2"), "{why}");
    assert!(why.contains("The mode is STRICT because PeerAuthentication default/default says so."), "{why}");
    assert!(demo.keys("c").text(SIZE).contains("N = 4 → 2 on 15006"));
    assert!(demo.keys("<esc><esc><enter>").text(SIZE).contains("4 → 2 / 4"));
    demo.keys("MM");
    assert_eq!(demo.app.event.as_deref(), Some("the demo's mesh is PERMISSIVE now · httpbin 15006: 2 → 4"));
}

#[test]
fn a_late_answer_is_dropped() {
    let mut demo = Driver::demo();
    let asked = demo.effects_of("c");
    let (ticket, question, snapshot) = asked
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Ask { ticket, question, snapshot } => Some((ticket, question, snapshot)),
            _ => None,
        })
        .unwrap();
    assert_eq!(question, Question::Chains(httpbin()));
    let back = demo.effects_of("<esc>");
    demo.perform(back);
    demo.settle();
    let before = demo.text(SIZE);
    assert!(demo.send(Msg::Answered { ticket, answer: question.answer(&snapshot) }).is_empty());
    assert_eq!(demo.text(SIZE), before);
}

#[test]
fn esc_cancels_what_is_waited_for_and_a_key_asks_again() {
    let mut driver = live(true);
    let waiting = driver.keys("c").text(SIZE);
    assert!(waiting.contains("Reading the config dump of httpbin-664956bb75-9d64m.default …"), "{waiting}");
    assert!(waiting.contains("Esc cancels."), "{waiting}");
    let effects = driver.effects_of("<esc>");
    assert!(matches!(effects.as_slice(), [Effect::Stop(_), Effect::Ask { .. }]), "{effects:?}");
    driver.perform(effects);
    driver.settle();
    assert_eq!(driver.app.screen().view(), View::Chains, "the first Esc only cancels");
    assert!(driver.text(SIZE).contains("was not read."));
    // The answer to the cancelled request comes late, and is dropped.
    let late = std::mem::take(&mut driver.held);
    driver.keys("r");
    driver.release();
    assert!(driver.text(SIZE).contains("N = 4 on 15006"));
    driver.perform(late);
    driver.settle();
    assert_eq!(driver.app.proxies_read(), 1);
}

#[test]
fn a_dump_that_cannot_be_read_is_said_and_can_be_asked_for_again() {
    let mut driver = live(true);
    driver.keys("w");
    let [Effect::FetchConfigDump { ticket, .. }] = driver.held[..] else { panic!("{:?}", driver.held) };
    let failed = Msg::DumpRead { ticket, proxy: httpbin(), dump: Dump::Failed("pods/portforward is forbidden".into()), changes: vec![] };
    let effects = driver.send(failed);
    driver.perform(effects);
    driver.settle();
    let why = driver.text(SIZE);
    assert!(why.contains("could not be read: pods/portforward is forbidden."), "{why}");
    assert!(why.contains("r asks again."), "{why}");
    driver.held.clear();
    driver.keys("r");
    driver.release();
    assert!(driver.text(SIZE).contains("= counted in the proxy: 4 ✓"));
}

#[test]
fn a_changed_policy_asks_the_proxies_that_were_read_and_no_others() {
    let mut driver = live(false);
    driver.keys("c");
    let name = ObjectName::new("default", "default");
    let policy = || Changed::Objects(Kind::PeerAuthentication, Some(name.clone()));
    let effects = driver.send(read(objects(&driver, |_| ()), policy()));
    assert_eq!(fetched(&effects), [httpbin()], "sleep was never asked for, so nobody waits for it");
    assert!(request(&effects).1 > Duration::ZERO, "a change takes a moment to reach a proxy");
    assert!(driver.app.event.as_deref().unwrap().starts_with("PeerAuthentication default/default"));
    let other = Changed::Objects(Kind::PeerAuthentication, Some(ObjectName::new("shop", "default")));
    assert!(fetched(&driver.send(read(objects(&driver, |_| ()), other))).is_empty());
    let pod = Changed::Objects(Kind::Pod, Some(ObjectName::new("default", "sleep")));
    assert!(fetched(&driver.send(read(objects(&driver, |_| ()), pod))).is_empty(), "pods shape no listener");
}

#[test]
fn a_second_change_does_not_wait_for_the_first_ones_last_look() {
    let mut driver = live(false);
    driver.keys("c");
    let policy = || Changed::Objects(Kind::PeerAuthentication, Some(ObjectName::new("default", "default")));
    let mut delays = Vec::new();
    let mut effects = driver.send(read(objects(&driver, |_| ()), policy()));
    // The proxy says the same again and again, so it is asked at ever longer intervals.
    for _ in 0..4 {
        let (ticket, after) = request(&effects);
        delays.push(after);
        let dump = driver.app.snapshot.dumps[&httpbin()].clone();
        effects = driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump, changes: vec![] });
    }
    assert!(delays.is_sorted() && delays[0] < delays[3], "{delays:?}");
    let again = driver.send(read(objects(&driver, |_| ()), policy()));
    assert!(matches!(again[0], Effect::Stop(_)), "{again:?}");
    assert_eq!(request(&again).1, delays[0]);
    let soon = driver.send(read(objects(&driver, |_| ()), policy()));
    assert!(fetched(&soon).is_empty(), "many changes do not put the request off for ever");
    let now = driver.effects_of("r");
    assert!(matches!(now[..], [Effect::Stop(_), Effect::FetchConfigDump { after: Duration::ZERO, .. }]), "{now:?}");
}

#[test]
fn a_failing_read_keeps_what_was_read() {
    let mut driver = live(false);
    driver.keys("c");
    let before = driver.text(SIZE);
    let effects = driver.effects_of("r");
    let [Effect::FetchConfigDump { ticket, .. }] = effects[..] else { panic!("{effects:?}") };
    driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump: Dump::Failed("the connection was lost".into()), changes: vec![] });
    let after = driver.text(SIZE);
    assert_eq!(driver.app.event.as_deref(), Some("the connection was lost"));
    assert_eq!(before.lines().nth(3), after.lines().nth(3));
    assert!(after.contains("N = 4 on 15006"), "{after}");
}

#[test]
fn a_broken_task_leaves_no_wait() {
    let mut driver = live(true);
    driver.keys("w");
    let [Effect::FetchConfigDump { ticket, .. }] = driver.held[..] else { panic!("{:?}", driver.held) };
    let effects = driver.send(Msg::TaskFailed(Some(ticket), "internal error: out of tape".into()));
    driver.perform(effects);
    driver.settle();
    assert!(driver.text(SIZE).contains("could not be read: internal error: out of tape."));
}

#[test]
fn a_pod_that_goes_away_is_said() {
    let mut driver = live(false);
    driver.keys("c");
    let gone = objects(&driver, |snapshot| {
        let mut objects = (*snapshot.objects).clone();
        objects.pods.remove(&httpbin());
        snapshot.objects = Arc::new(objects);
    });
    let changed = Changed::Objects(Kind::Pod, Some(ObjectName::new("default", "httpbin-664956bb75-9d64m")));
    let effects = driver.send(read(gone, changed));
    driver.perform(effects);
    driver.settle();
    let chains = driver.text(SIZE);
    assert!(chains.contains("The pod httpbin-664956bb75-9d64m of namespace default is gone."), "{chains}");
    assert_eq!(driver.app.proxies_read(), 0);
}

#[test]
fn find_narrows_as_it_is_typed() {
    let mut demo = Driver::demo();
    let shown = demo.keys("<enter>/slp").text(SIZE);
    assert!(shown.contains("deploy/sleep") && !shown.contains("deploy/httpbin"), "{shown}");
    assert!(shown.contains("1 found"), "{shown}");
    let shown = demo.keys("<enter>").text(SIZE);
    assert!(shown.contains("/slp") && !shown.contains("deploy/httpbin"), "the prompt is closed, what is found stays: {shown}");
    assert!(demo.keys("<esc>").text(SIZE).contains("deploy/httpbin"));
    assert!(demo.keys("/zzz").text(SIZE).contains("Nothing here has the letters \"zzz\""));
    demo.keys("<esc>");
    assert_eq!(demo.app.screen().view(), View::Workloads);
}

#[test]
fn the_palette_runs_actions_by_name() {
    let mut demo = Driver::demo();
    let theme = demo.app.theme;
    demo.keys(":next-th<enter>");
    assert_eq!(demo.app.theme, theme + 1);
    demo.keys(":why<enter>");
    assert_eq!(demo.app.screen().view(), View::Why);
    demo.keys(":<esc>");
    assert_eq!(demo.app.screen().view(), View::Why);
}

#[test]
fn what_is_copied_is_what_is_selected() {
    let mut demo = Driver::demo();
    demo.keys("y<enter>y<enter>ywy");
    let [plugin, workload, chain, why] = demo.copied.as_slice() else { panic!("{:?}", demo.copied) };
    assert_eq!(plugin, "default/helloworld");
    assert_eq!(workload, "default deploy/httpbin");
    assert!(serde_json::from_str::<serde_json::Value>(chain).unwrap().get("filters").is_some());
    assert!(why.starts_with("### Where WasmPlugin `default/helloworld` stands"), "{why}");
}

#[test]
fn help_says_the_keys_of_the_screen_that_it_was_opened_from() {
    let mut demo = Driver::demo();
    let help = demo.keys("c?").text(SIZE);
    assert!(help.contains("Help for Chains") && help.contains("Show what is inside every row"), "{help}");
    let last = demo.keys("G").text((80, 24));
    assert!(last.contains("[error]"), "the end can be reached: {last}");
    demo.keys("<esc>");
    assert_eq!(demo.app.screen().view(), View::Chains);
}

#[test]
fn a_long_explanation_can_be_read_to_its_end_on_a_small_terminal() {
    let mut demo = Driver::demo();
    demo.text((80, 24));
    let last = demo.keys("w<end>").text((80, 24));
    assert!(last.contains("HTTP to port 15014"), "{last}");
    assert!(last.contains("16 of 16"), "{last}");
}

#[test]
fn a_lone_dump_opens_at_its_chains() {
    let files = support::files("permissive");
    let (_, dump) = files.iter().find(|(path, _)| path.contains("httpbin") && path.ends_with("config_dump.json")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump.json");
    std::fs::write(&path, dump).unwrap();
    let mut driver = Driver::over(Arc::new(meshscope::source::files::Files::open(&path).unwrap()), false);
    let shown = driver.text(SIZE);
    assert!(shown.contains("N = 4 on 15006"), "{shown}");
    assert!(shown.contains("config dump"), "{shown}");
    assert!(driver.keys("w").text(SIZE).contains("Whether it applies is not known"));
    driver.keys("<esc><esc>");
    assert_eq!(driver.app.screen().view(), View::Chains, "there is nothing before them");
}
