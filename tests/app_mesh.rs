//! The terminal program while the mesh changes and proxies answer late, wrongly or not at all.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::msg::Msg;
use meshscope::app::question::Question;
use meshscope::app::rows;
use meshscope::app::state::Ticket;
use meshscope::ingest::collect::Changed;
use meshscope::ingest::workloads;
use meshscope::model::envoy::ListenerAddress;
use meshscope::model::ids::{ObjectName, ProxyId};
use meshscope::model::kind::Kind;
use meshscope::model::mesh::MeshConfig;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::sync::Sync;
use meshscope::model::update::Health;
use meshscope::model::workload::Pod;
use meshscope::source::demo::Demo;
use meshscope::source::{Source, SourceInfo, SourceKind};
use support::driver::{Driver, proxies_asked};

const SIZE: (u16, u16) = (120, 40);

fn httpbin() -> ProxyId {
    ProxyId::new("httpbin-664956bb75-9d64m", "default")
}

/// The demo's mesh, said to be a live cluster, with the screen's dumps not read yet where `hold` is set.
fn live(hold: bool) -> Driver {
    let source = Arc::new(Demo::new(0).unwrap());
    let info = SourceInfo { kind: SourceKind::Cluster, scenes: &[], name: "lab".to_owned(), ..source.info() };
    let options = Driver::options(source.as_ref(), info);
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

#[test]
fn a_late_answer_is_dropped() {
    let mut demo = Driver::demo();
    let asked = demo.effects_of("c");
    let (ticket, question, snapshot) = asked
        .into_iter()
        .find_map(|effect| match effect {
            Effect::Ask { ticket, question, snapshot, .. } => Some((ticket, question, snapshot)),
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
fn a_proxy_that_cannot_be_asked_is_not_asked_and_the_answer_says_why() {
    let entry: fn(&mut Pod) = |pod| pod.is_workload_entry = true;
    let stopped: fn(&mut Pod) = |pod| {
        pod.phase = "Failed".to_owned();
        pod.proxy.as_mut().unwrap().running = false;
    };
    for (change, why) in [(entry, "WorkloadEntry default/httpbin-664956bb75-9d64m is no pod"), (stopped, "the pod is Failed")] {
        let mut driver = live(true);
        let [Effect::FetchConfigDump { ticket, .. }] = driver.held[..] else { panic!("{:?}", driver.held) };
        driver.held.clear();
        driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump: Dump::Failed("no answer within 5 s".into()), changes: vec![] });
        let changed = objects(&driver, |snapshot| {
            let mut objects = (*snapshot.objects).clone();
            change(Arc::make_mut(objects.pods.get_mut(&httpbin()).unwrap()));
            snapshot.objects = Arc::new(objects);
        });
        let after = changed.generation + 2;
        let effects = driver.send(read(changed, pod_changed("httpbin-664956bb75-9d64m")));
        assert_eq!(driver.app.snapshot.generation, after, "the answers are to take note of it");
        driver.perform(effects);
        driver.settle();
        let said = driver.keys("w").text(SIZE).replace('│', " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(&format!("could not be read: {why}")), "{said}");
        assert_eq!(driver.app.snapshot.generation, after, "it is said once");
        driver.keys("r");
        assert!(driver.held.is_empty(), "{:?}", driver.held);
    }
}

#[test]
fn a_changed_policy_asks_the_proxies_that_were_read_and_no_others() {
    let mut driver = live(false);
    driver.keys("c");
    let name = ObjectName::new("default", "default");
    let policy = || Changed::Objects(Kind::PeerAuthentication, Some(name.clone()));
    let effects = driver.send(read(objects(&driver, |_| ()), policy()));
    assert_eq!(proxies_asked(&effects), [httpbin()], "sleep was never asked for, so nobody waits for it");
    assert!(request(&effects).1 > Duration::ZERO, "a change takes a moment to reach a proxy");
    assert!(driver.app.event.as_deref().unwrap().starts_with("PeerAuthentication default/default"));
    let other = Changed::Objects(Kind::PeerAuthentication, Some(ObjectName::new("shop", "default")));
    assert!(proxies_asked(&driver.send(read(objects(&driver, |_| ()), other))).is_empty());
    let pod = Changed::Objects(Kind::Pod, Some(ObjectName::new("default", "sleep")));
    assert!(proxies_asked(&driver.send(read(objects(&driver, |_| ()), pod))).is_empty(), "pods shape no listener");
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
    assert!(proxies_asked(&soon).is_empty(), "many changes do not put the request off for ever");
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

/// The mesh without the pod of httpbin, and with one of another name in its place where there is a name.
fn rolled(driver: &Driver, gone: &ProxyId, name: Option<&str>, ready: bool) -> Arc<Snapshot> {
    objects(driver, |snapshot| {
        let mut objects = (*snapshot.objects).clone();
        let pod = objects.pods.remove(gone).map(|pod| (*pod).clone());
        if let (Some(name), Some(pod)) = (name, pod) {
            objects.insert_pod(Pod { id: ProxyId::new(name, "default"), ready, ..pod });
        }
        snapshot.workloads = workloads::derive(&objects).into();
        snapshot.objects = Arc::new(objects);
    })
}

/// Performs what does not ask a proxy for its dump: the new pod is none of the source's.
fn perform_but_dumps(driver: &mut Driver, effects: &[Effect]) {
    driver.perform(effects.iter().filter(|effect| !matches!(effect, Effect::FetchConfigDump { .. })).cloned().collect());
    driver.settle();
}

/// The objects get a pod that the screen goes on with, and its proxy has this dump.
fn go_on_with(driver: &mut Driver, objects: Arc<Snapshot>, pod: &str, dump: Dump) {
    let proxy = ProxyId::new(pod, "default");
    let effects = driver.send(read(objects, pod_changed(pod)));
    assert_eq!(driver.app.screen().proxy(), Some(&proxy));
    let (ticket, _) = request(&effects);
    perform_but_dumps(driver, &effects);
    let effects = driver.send(Msg::DumpRead { ticket, proxy, dump, changes: vec![] });
    driver.perform(effects);
    driver.settle();
}

fn pod_changed(pod: &str) -> Changed {
    Changed::Objects(Kind::Pod, Some(ObjectName::new("default", pod)))
}

/// Keys that lead to each screen of a proxy.
const OF_A_PROXY: [(&str, View); 4] = [("c", View::Chains), ("w", View::Why), ("o", View::Order), ("cd", View::Diff)];

#[test]
fn live_l20_a_screen_goes_on_with_the_pod_that_replaces_its_own() {
    for (keys, view) in OF_A_PROXY {
        let mut driver = live(false);
        driver.keys(keys);
        let dump = driver.app.snapshot.dumps[&httpbin()].clone();
        let new = ProxyId::new("httpbin-b", "default");
        let effects = driver.send(read(rolled(&driver, &httpbin(), Some("httpbin-b"), true), pod_changed("httpbin-b")));
        assert_eq!(driver.app.screen().view(), view);
        assert_eq!(driver.app.screen().proxy(), Some(&new), "{keys}");
        assert_eq!(driver.app.event.as_deref(), Some("pod httpbin-b replaces httpbin-664956bb75-9d64m"));
        assert!(proxies_asked(&effects).contains(&new), "{effects:?}");
        assert!(driver.app.screen().answer.is_none(), "what is shown is not of the pod that is gone");
        if view == View::Diff {
            assert!(effects.iter().any(|effect| matches!(effect, Effect::FetchView { request, .. } if request.proxy == new)));
        }
        let (ticket, _) = request(&effects);
        perform_but_dumps(&mut driver, &effects);
        let effects = driver.send(Msg::DumpRead { ticket, proxy: new.clone(), dump, changes: vec![] });
        driver.perform(effects);
        driver.settle();
        let said = driver.app.event.clone().unwrap();
        assert_eq!(said, "pod httpbin-b replaces httpbin-664956bb75-9d64m · httpbin 15006: 4 as before");
        assert!(!driver.text(SIZE).contains("is gone"), "{}", driver.text(SIZE));
    }
}

#[test]
fn live_l20_a_screen_waits_for_a_pod_that_is_ready_and_offers_no_dead_keys() {
    let mut driver = live(false);
    driver.keys("c");
    let dump = driver.app.snapshot.dumps[&httpbin()].clone();
    let effects = driver.send(read(rolled(&driver, &httpbin(), None, true), pod_changed("httpbin-664956bb75-9d64m")));
    driver.perform(effects);
    driver.settle();
    let waiting = driver.text(SIZE);
    assert!(driver.app.event.as_deref().unwrap().contains("waiting for another one of deploy/httpbin"), "{:?}", driver.app.event);
    assert!(waiting.contains("The pod httpbin-664956bb75-9d64m of namespace default is gone. Waiting for another pod of deploy/httpbin"));
    let footer = waiting.lines().rev().find(|line| line.contains("back")).unwrap();
    assert!(!footer.contains("why") && !footer.contains("order") && !footer.contains("open"), "{footer}");
    // One that is not ready is not gone on with.
    let pods = |driver: &Driver, ready| {
        objects(driver, |snapshot| {
            let mut objects = (*snapshot.objects).clone();
            let other = objects.pods.values().find(|pod| pod.proxy.is_some() && pod.id.namespace == "default").unwrap();
            let spare = (**other).clone();
            let labels = [("app", "httpbin"), ("version", "v1"), ("pod-template-hash", "664956bb75")];
            let owner = meshscope::model::workload::Owner { kind: "ReplicaSet".into(), name: "httpbin-664956bb75".into() };
            let labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            objects.insert_pod(Pod { id: ProxyId::new("httpbin-c", "default"), owner: Some(owner), labels, ready, ..spare });
            snapshot.workloads = workloads::derive(&objects).into();
            snapshot.objects = Arc::new(objects);
        })
    };
    let effects = driver.send(read(pods(&driver, false), pod_changed("httpbin-c")));
    perform_but_dumps(&mut driver, &effects);
    assert_eq!(driver.app.screen().proxy(), Some(&httpbin()));
    let ready = pods(&driver, true);
    go_on_with(&mut driver, ready, "httpbin-c", dump);
    assert_eq!(driver.app.event.as_deref(), Some("pod httpbin-c replaces httpbin-664956bb75-9d64m · httpbin 15006: 4 as before"));
    assert!(driver.text(SIZE).contains("N = 4 on 15006"), "{}", driver.text(SIZE));
}

#[test]
fn a_selection_is_kept_through_a_gap_and_with_the_pod_that_comes() {
    let rolled_out = |gap: bool, keys: &str| {
        let mut driver = live(false);
        driver.keys(keys);
        let selected = |driver: &Driver| driver.app.screen().selected().map(|row| rows::text(driver.app.screen(), row));
        let before = selected(&driver).expect("a row is selected");
        let dump = driver.app.snapshot.dumps[&httpbin()].clone();
        let after = rolled(&driver, &httpbin(), Some("httpbin-b"), true);
        if gap {
            let effects = driver.send(read(rolled(&driver, &httpbin(), None, true), pod_changed("httpbin-664956bb75-9d64m")));
            perform_but_dumps(&mut driver, &effects);
        }
        go_on_with(&mut driver, after, "httpbin-b", dump);
        assert_eq!(selected(&driver).as_ref(), Some(&before), "{keys}, {gap}");
    };
    for gap in [false, true] {
        rolled_out(gap, "cjjj");
        rolled_out(gap, "wjj");
    }
}

#[test]
fn live_l20_the_inbound_listener_is_on_the_port_of_the_mesh_configuration() {
    let mut driver = live(false);
    driver.keys("c");
    let Dump::Loaded(loaded) = driver.app.snapshot.dumps[&httpbin()].clone() else { panic!("the dump was read") };
    let mut loaded = (*loaded).clone();
    for listener in &mut loaded.dump.listeners {
        match &mut listener.address {
            ListenerAddress::Socket { port, .. } if *port == 15006 => *port = 15106,
            _ => {}
        }
    }
    let dump = Dump::Loaded(Arc::new(loaded));
    Arc::make_mut(&mut driver.app.snapshot).dumps.insert(httpbin(), dump.clone());
    let mut snapshot = (*rolled(&driver, &httpbin(), Some("httpbin-b"), true)).clone();
    let objects = Arc::make_mut(&mut snapshot.objects);
    objects.mesh = Some(Arc::new(MeshConfig { inbound_port: 15106, ..objects.mesh_config() }));
    let effects = driver.send(read(Arc::new(snapshot), pod_changed("httpbin-b")));
    let (ticket, _) = request(&effects);
    driver.send(Msg::DumpRead { ticket, proxy: ProxyId::new("httpbin-b", "default"), dump, changes: vec![] });
    assert_eq!(driver.app.event.as_deref(), Some("pod httpbin-b replaces httpbin-664956bb75-9d64m · httpbin 15106: 4 as before"));
}

#[test]
fn live_l20_screens_below_go_on_too() {
    let mut driver = live(false);
    driver.keys("cw");
    let new = ProxyId::new("httpbin-b", "default");
    driver.send(read(rolled(&driver, &httpbin(), Some("httpbin-b"), true), pod_changed("httpbin-b")));
    let shown: Vec<_> = driver.app.screens.iter().filter_map(|screen| screen.proxy().cloned()).collect();
    assert_eq!(shown, [new.clone(), new]);
}

#[test]
fn live_l19_a_silent_server_never_looks_live() {
    let mut driver = live(false);
    driver.keys("c");
    let silent = Health::Silent { since: 61_000_000_000, seconds: 12, what: "nothing is heard from the API server".to_owned() };
    let health = |health| Msg::MeshRead { epoch: 1, objects: objects_of(&driver), changed: vec![Changed::Health], health: Some(health) };
    let (silent, live) = (health(silent), health(Health::Live));
    driver.send(silent);
    for size in [SIZE, (80, 24)] {
        let said = driver.text(size);
        assert!(said.contains("nothing heard since 00:01:01 UTC (12 s)") && !said.contains("live"), "{said}");
    }
    driver.send(live);
    assert_eq!(driver.app.event.as_deref(), Some("lab answers again"));
}

fn objects_of(driver: &Driver) -> Arc<Snapshot> {
    objects(driver, |_| ())
}

#[test]
fn live_l19_what_a_silent_proxy_said_before_is_shown_with_its_time() {
    let mut driver = live(false);
    driver.keys("c");
    let Dump::Loaded(loaded) = driver.app.snapshot.dumps[&httpbin()].clone() else { panic!("it was read") };
    let dated = Dump::Loaded(Arc::new(LoadedDump { read_at: Some(61_000_000_000), ..(*loaded).clone() }));
    let (ticket, _) = request(&driver.effects_of("r"));
    driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump: dated, changes: vec![] });
    let (ticket, _) = request(&driver.effects_of("r"));
    driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump: Dump::Failed("no answer within 5 s".into()), changes: vec![] });
    assert_eq!(driver.app.event.as_deref(), Some("shown as of 00:01:01 UTC: no answer within 5 s"));
    assert!(driver.text(SIZE).contains("2 proxies, 1 without an answer"), "{}", driver.text(SIZE));
}

#[test]
fn live_l19_what_a_silent_istiod_said_before_is_shown_with_its_time() {
    let mut driver = live(false);
    driver.keys("s");
    let Some(Ok(sync)) = driver.app.snapshot.sync.clone() else { panic!("it was asked") };
    let asked = |driver: &mut Driver| {
        let effects = driver.effects_of("r");
        let of = |effect: &Effect| match effect {
            Effect::FetchSync { ticket, .. } => Some(*ticket),
            _ => None,
        };
        effects.iter().find_map(of).unwrap()
    };
    let ticket = asked(&mut driver);
    driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(Sync { asked: Some(61_000_000_000), ..(*sync).clone() })) });
    assert!(!driver.text(SIZE).contains("as of"));
    let ticket = asked(&mut driver);
    driver.send(Msg::SyncRead { ticket, outcome: Err("istiod cannot be asked: no answer within 5 s".into()) });
    assert!(driver.text(SIZE).contains("istiod as of 00:01:01 UTC"), "{}", driver.text(SIZE));
    assert_eq!(driver.app.event.as_deref(), Some("shown as of 00:01:01 UTC: istiod cannot be asked: no answer within 5 s"));
    let ticket = asked(&mut driver);
    driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(Sync { asked: Some(62_000_000_000), ..(*sync).clone() })) });
    assert_eq!(driver.app.event.as_deref(), Some("istiod answers again"));
    // One that takes its time is not waited for before that is said.
    let ticket = asked(&mut driver);
    driver.send(Msg::Unanswered(ticket));
    assert!(driver.text(SIZE).contains("istiod as of 00:01:02 UTC"), "{}", driver.text(SIZE));
}

#[test]
fn incident_d11b_the_header_shows_that_no_istiod_is_ready() {
    let mut driver = live(false);
    assert!(!driver.text(SIZE).contains("no istiod"));
    let away = objects(&driver, |snapshot| {
        let inventory = Arc::make_mut(&mut snapshot.objects);
        inventory.retain_pods(|pod| pod.istiod.is_none());
        for ((_, name), owner) in &mut inventory.owners {
            if name.name == "istiod" {
                let owner = Arc::make_mut(owner);
                (owner.replicas, owner.ready) = (Some(0), Some(0));
            }
        }
    });
    // What an istiod reported whose pod is gone is of before.
    driver.keys("s");
    let Some(Ok(sync)) = &mut Arc::make_mut(&mut driver.app.snapshot).sync else { panic!("it was asked") };
    Arc::make_mut(sync).istiods[0].pod = "istiod-66c44df5f5-bspp2".to_owned();
    driver.keys("<esc>");
    driver.send(read(away, Changed::Objects(Kind::Deployment, None)));
    for keys in ["", "c", "<esc>", "w"] {
        driver.keys(keys);
        for size in [SIZE, (80, 24)] {
            assert!(driver.text(size).contains("no istiod is ready"), "{}", driver.text(size));
        }
    }
}

#[test]
fn an_action_on_a_plugin_waits_until_pods_are_read() {
    for (keys, is_opened) in [("w", true), ("w<down>", false)] {
        let mut driver = live(false);
        let whole = objects(&driver, |_| {});
        let reading = objects(&driver, |snapshot| {
            snapshot.settled.remove(&Kind::Pod);
            Arc::make_mut(&mut snapshot.objects).retain_pods(|_| false);
            snapshot.workloads = [].into();
        });
        let effects = driver.send(read(reading, Changed::Reading));
        perform_but_dumps(&mut driver, &effects);
        driver.keys(keys);
        assert_eq!(driver.app.screen().view(), View::Plugins);
        if is_opened {
            assert_eq!(driver.app.note.as_deref(), Some("pods are still being read"));
        }
        let effects = driver.send(read(whole, Changed::Objects(Kind::Pod, None)));
        perform_but_dumps(&mut driver, &effects);
        // Another key in the meantime says that something else is wanted.
        assert_eq!(driver.app.screen().view(), if is_opened { View::Why } else { View::Plugins }, "{keys}");
        assert_eq!(driver.app.note, None);
    }
}
