//! Screens that stay true while the mesh changes: readings that came too early are made again, and what was settled stays quiet.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use meshscope::analysis::answers;
use meshscope::analysis::health::PluginState;
use meshscope::app::effect::Effect;
use meshscope::app::msg::Msg;
use meshscope::app::rows::Row;
use meshscope::app::state::Ticket;
use meshscope::ingest::collect::Changed;
use meshscope::model::envoy::ListenerState;
use meshscope::model::ids::{ObjectName, PluginId, PluginKind, ProxyId};
use meshscope::model::inventory::Inventory;
use meshscope::model::kind::Kind;
use meshscope::model::plugin::Plugin;
use meshscope::model::snapshot::{Dump, LoadedDump, Snapshot};
use meshscope::model::sync::{EXTENSIONS, Sync, SyncState};
use meshscope::source::demo::Demo;
use meshscope::source::{Source, SourceInfo, SourceKind};
use support::driver::{Driver, proxies_asked};

const SIZE: (u16, u16) = (120, 40);
const NARROW: (u16, u16) = (80, 24);
const ASKED: i64 = 1_800_000_000_000_000_000;
const SECOND: i64 = 1_000_000_000;

fn httpbin() -> ProxyId {
    ProxyId::new("httpbin-664956bb75-9d64m", "default")
}

fn helloworld() -> PluginId {
    PluginId::new(PluginKind::WasmPlugin, "default", "helloworld")
}

/// The demo's mesh, said to be a live cluster; with `hold`, its proxies are not read yet.
fn live(hold: bool) -> Driver {
    let source = Arc::new(Demo::new(0).unwrap());
    let info = SourceInfo { kind: SourceKind::Cluster, scenes: &[], name: "lab".to_owned(), ..source.info() };
    let options = Driver::options(source.as_ref(), info);
    Driver::with(source, options, hold)
}

/// httpbin's dump, read so many seconds after the istiods were asked.
fn whole(after: i64) -> Dump {
    let Dump::Loaded(loaded) = live(false).app.snapshot.dumps[&httpbin()].clone() else { panic!("it was read") };
    Dump::Loaded(Arc::new(LoadedDump { read_at: Some(ASKED + after * SECOND), ..(*loaded).clone() }))
}

/// The same, read before the proxy had any listener of istiod's; its ECDS section comes after its listeners.
fn early() -> Dump {
    let Dump::Loaded(loaded) = whole(0) else { panic!("it was read") };
    let mut loaded = (*loaded).clone();
    loaded.dump.listeners.retain(|listener| listener.is_static);
    Dump::Loaded(Arc::new(loaded))
}

/// The requests for the dump of httpbin among what is to be done, and after how long they are made.
fn requests(effects: &[Effect]) -> Vec<(Ticket, Duration)> {
    let of = |effect: &Effect| match effect {
        Effect::FetchConfigDump { ticket, after, request, .. } if request.proxy == httpbin() => Some((*ticket, *after)),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn syncs(effects: &[Effect]) -> Vec<(Ticket, Duration)> {
    let of = |effect: &Effect| match effect {
        Effect::FetchSync { ticket, after } => Some((*ticket, *after)),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

/// Answers a request with a dump, does what comes of it but for further requests, and hands these back.
fn answer(driver: &mut Driver, ticket: Ticket, dump: Dump) -> Vec<Effect> {
    let effects = driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump, changes: vec![] });
    perform(driver, effects)
}

/// Does all but to ask proxies and istiods, which is handed back.
fn perform(driver: &mut Driver, effects: Vec<Effect>) -> Vec<Effect> {
    let (asks, rest): (Vec<_>, Vec<_>) =
        effects.into_iter().partition(|effect| matches!(effect, Effect::FetchConfigDump { .. } | Effect::FetchSync { .. }));
    driver.perform(rest);
    driver.settle();
    asks
}

/// The objects as they are, changed a little.
fn objects(driver: &Driver, change: impl FnOnce(&mut Inventory)) -> Arc<Snapshot> {
    let mut snapshot = (*driver.app.snapshot).clone();
    snapshot.dumps.clear();
    change(Arc::make_mut(&mut snapshot.objects));
    snapshot.workloads = meshscope::ingest::workloads::derive(&snapshot.objects).into();
    Arc::new(snapshot)
}

fn changed(objects: Arc<Snapshot>, kind: Kind, name: &str) -> Msg {
    let changed = vec![Changed::Objects(kind, Some(ObjectName::new("default", name)))];
    Msg::MeshRead { epoch: 1, objects, changed, health: None }
}

fn is_ready(ready: bool) -> impl FnOnce(&mut Inventory) {
    move |objects| Arc::make_mut(objects.pods.get_mut(&httpbin()).unwrap()).ready = ready
}

/// The plugin's line of home.
fn line(driver: &mut Driver, size: (u16, u16)) -> String {
    let shown = driver.text(size);
    shown.lines().find(|line| line.contains("default/helloworld") && line.contains(" of ")).unwrap().to_owned()
}

/// The first held request for httpbin.
fn held(driver: &mut Driver) -> Ticket {
    let held = std::mem::take(&mut driver.held);
    requests(&held)[0].0
}

#[test]
fn live_l20_a_dump_of_a_proxy_that_starts_is_read_again_until_it_has_listeners() {
    let mut driver = live(true);
    let mut ticket = held(&mut driver);
    let mut delays = Vec::new();
    for _ in 0..6 {
        let asks = answer(&mut driver, ticket, early());
        let [(next, after)] = requests(&asks)[..] else { panic!("{asks:?}") };
        (ticket, delays) = (next, [delays, vec![after.as_secs()]].concat());
        let plugin = &driver.app.screen().plugins().unwrap().plugins[0];
        assert_eq!((plugin.inbound, plugin.elsewhere, plugin.states.get("unknown")), (None, None, Some(&1)));
        for size in [SIZE, NARROW] {
            let said = line(&mut driver, size);
            assert!(said.contains("… no listeners yet") && !said.split_whitespace().any(|word| word == "0"), "{said}");
        }
    }
    assert_eq!(delays, [1, 2, 4, 5, 5, 5]);
    let asks = answer(&mut driver, ticket, whole(0));
    assert!(line(&mut driver, SIZE).contains("✓ 1 running"), "{}", line(&mut driver, SIZE));
    assert!(!driver.text(SIZE).contains("0 → 4") && !driver.text(SIZE).contains("0→4"), "what was not known is no change");
    // No request is left, so nothing comes of a minute.
    assert!(requests(&asks).is_empty() && asks.iter().all(|ask| !matches!(ask, Effect::FetchConfigDump { .. })), "{asks:?}");
}

#[test]
fn live_l20_nothing_is_concluded_from_a_dump_of_a_proxy_that_starts() {
    let driver = live(false);
    let mut snapshot = (*driver.app.snapshot).clone();
    snapshot.dumps.insert(httpbin(), early());
    let proxies = [httpbin()];
    let why = answers::why(&snapshot, &helloworld(), Some(&proxies));
    let entry = &why.workloads[0];
    assert_eq!((entry.state, entry.attached), (PluginState::Unknown, Some(true)));
    for listener in &entry.listeners {
        assert_eq!((listener.counted, listener.agrees), (None, None));
        assert!(listener.predicted.is_some_and(|predicted| predicted > 0) && listener.differences.is_empty(), "{listener:?}");
        assert_eq!(listener.counted_note.as_deref(), Some("the proxy has no listeners of istiod's yet"));
    }
    assert!(!entry.listeners.is_empty() && entry.dump_note.ends_with("the proxy has no listeners of istiod's yet"), "{}", entry.dump_note);
    let workloads = answers::workloads(&snapshot, Some(&helloworld()), None);
    let own = workloads.workloads.iter().find(|workload| workload.short == "deploy/httpbin").unwrap();
    assert_eq!((own.inbound, own.elsewhere, own.proxies[0].state), (None, None, PluginState::Unknown));
    let found = answers::findings(&snapshot, None, &[]);
    let of_it: Vec<_> = found.findings.iter().filter(|finding| finding.proxies.contains(&httpbin())).map(|finding| finding.code).collect();
    assert!(!of_it.contains(&"chains-differ") && !of_it.contains(&"plugin-absent"), "{of_it:?}");
    let is_it = |unread: &&meshscope::analysis::findings::NotChecked| unread.objects.contains(&httpbin().to_string());
    assert!(found.not_checked.iter().filter(is_it).any(|unread| unread.why.contains("no listeners of istiod's yet")));
    let chains = answers::chains(&snapshot, &proxies, &answers::ChainsFilter::default());
    assert!(chains.proxies[0].absent.is_empty() && chains.proxies[0].listeners_note.is_some());
    let connection = answers::connection(&snapshot, &proxies, &"port=80".parse().unwrap());
    assert_eq!(serde_json::to_value(&connection).unwrap()["proxies"][0]["outcome"], "unknown");
}

#[test]
fn live_l20_a_proxy_is_read_when_its_pod_becomes_ready() {
    let mut driver = live(true);
    let ticket = held(&mut driver);
    let effects = driver.send(changed(objects(&driver, is_ready(false)), Kind::Pod, &httpbin().pod));
    assert!(requests(&effects).is_empty(), "it is being read");
    let failed = Dump::Failed("connection refused".to_owned());
    let effects = driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump: failed, changes: vec![] });
    assert!(!driver.app.failed, "a proxy that starts need not answer yet");
    let [(ticket, after)] = requests(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(after, Duration::from_secs(1));
    perform(&mut driver, effects);
    answer(&mut driver, ticket, whole(0));
    let effects = driver.send(changed(objects(&driver, is_ready(true)), Kind::Pod, &httpbin().pod));
    let [(ticket, after)] = requests(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(after, Duration::ZERO);
    perform(&mut driver, effects);
    let asks = answer(&mut driver, ticket, whole(0));
    assert!(requests(&asks).is_empty());
    let effects = driver.send(changed(objects(&driver, |_| ()), Kind::Pod, &httpbin().pod));
    assert!(requests(&effects).is_empty(), "it was ready before");
}

#[test]
fn live_l20_what_no_screen_needs_is_not_read_again_until_one_does() {
    let mut driver = live(true);
    let ticket = held(&mut driver);
    let effects = driver.effects_of("?");
    perform(&mut driver, effects);
    let asks = answer(&mut driver, ticket, early());
    assert!(proxies_asked(&asks).is_empty(), "{asks:?}");
    let effects = driver.effects_of("<esc>");
    assert_eq!(requests(&effects).iter().map(|(_, after)| *after).collect::<Vec<_>>(), [Duration::ZERO]);
}

/// What the istiods say, asked so many seconds later, of the plugin's last push.
fn sync(driver: &Driver, after: i64, state: SyncState, push: &str) -> Sync {
    let mut sync = match &driver.app.snapshot.sync {
        Some(Ok(sync)) => (**sync).clone(),
        other => panic!("{other:?}"),
    };
    sync.asked = Some(ASKED + after * SECOND);
    let clients = sync.istiods.iter_mut().flat_map(|istiod| &mut istiod.clients);
    for client in clients.filter(|client| client.proxy == httpbin()) {
        let types = client.types.get_mut(EXTENSIONS).unwrap();
        types.state = state;
        types.sent_push = push.to_owned();
        types.error =
            if state == SyncState::Refused { "Unable to create Wasm plugin default.helloworld".to_owned() } else { String::new() };
    }
    sync
}

/// Has the proxy and the istiods asked again, and lets these say so, and the proxy what it says whenever it is asked.
fn read_sync(driver: &mut Driver, sync: Sync) {
    let after = (sync.asked.unwrap() - ASKED) / SECOND;
    let mut asks = driver.effects_of("r");
    let (ticket, _) = syncs(&asks)[0];
    // The other proxy, which is read for the count of findings, says nothing, and is not waited for.
    for ask in &asks {
        if let Effect::FetchConfigDump { ticket, request, .. } = ask
            && request.proxy != httpbin()
        {
            driver.send(Msg::Unanswered(*ticket));
        }
    }
    let mut sync = Some(sync);
    while let Some((asked, _)) = requests(&asks).first().copied() {
        answer(driver, asked, whole(after));
        asks = match sync.take() {
            Some(sync) => {
                let effects = driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(sync)) });
                perform(driver, effects)
            }
            None => break,
        };
    }
}

#[test]
fn live_l20_after_a_plugins_change_its_proxies_and_istiod_are_read_until_it_is_settled() {
    let mut driver = live(false);
    let before = sync(&driver, 0, SyncState::Synced, "2026-11-23T19:37:50Z/9");
    read_sync(&mut driver, before);
    let effects = driver.send(changed(objects(&driver, |_| ()), Kind::WasmPlugin, "helloworld"));
    let mut asks = perform(&mut driver, effects);
    let (mut at, mut times) = (0, Vec::new());
    while let [(ticket, after)] = requests(&asks)[..] {
        at += after.as_millis();
        times.push(at);
        assert!(times.len() < 10, "it comes to rest: {times:?}");
        asks = answer(&mut driver, ticket, whole(2 * i64::try_from(times.len()).unwrap()));
        // The istiods are asked with it, and say at last that the proxy has rejected it.
        if let Some((ticket, after)) = syncs(&asks).first().copied() {
            assert_eq!(after, Duration::ZERO);
            let state = if times.len() < 6 { SyncState::Synced } else { SyncState::Refused };
            let sync = sync(&driver, 2 * i64::try_from(times.len()).unwrap(), state, "2026-11-23T19:37:50Z/9");
            let effects = driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(sync)) });
            let more = perform(&mut driver, effects);
            if !requests(&more).is_empty() {
                asks = more;
            }
        }
    }
    // The rejection has the proxy read once more, and that is all.
    assert_eq!(times, [500, 2000, 5000, 10_000, 20_000, 30_000, 30_000]);
    assert!(line(&mut driver, SIZE).contains("✗ 1 rejected"), "{}", line(&mut driver, SIZE));
}

#[test]
fn live_l20_a_rejection_of_an_older_push_than_the_proxy_has_does_not_count() {
    let driver = live(false);
    // The proxy was given what it has at 19:37:50.552; whether istiod was asked before, and the reading is later.
    let given = meshscope::ingest::logs::instant("2026-11-23T19:37:50.552Z").unwrap();
    for (asked, read, state) in [(-5, 5, "unknown"), (1, 5, "rejected"), (-5, -1, "rejected"), (5, 5, "rejected")] {
        let sync = sync(&driver, (given - ASKED) / SECOND + asked, SyncState::Refused, "2026-11-23T19:37:50Z/9");
        let mut snapshot = (*driver.app.snapshot).clone();
        snapshot.sync = Some(Ok(Arc::new(sync)));
        snapshot.dumps.insert(httpbin(), whole((given - ASKED) / SECOND + read));
        assert_eq!(state_and_finding(&snapshot), (state, state == "rejected"), "{asked} {read}");
    }
    // Where resources have versions these say it.
    for (push, state) in
        [("2026-11-23T19:37:49Z/8", "unknown"), ("2026-11-23T19:37:50Z/8", "unknown"), ("2026-11-23T19:37:50Z/10", "rejected")]
    {
        let mut snapshot = (*driver.app.snapshot).clone();
        snapshot.sync = Some(Ok(Arc::new(sync(&driver, 0, SyncState::Refused, push))));
        let Dump::Loaded(loaded) = whole(0) else { panic!("it was read") };
        let mut loaded = (*loaded).clone();
        loaded.dump.ecds.iter_mut().for_each(|entry| entry.version = "2026-11-23T19:37:50Z/9".to_owned());
        snapshot.dumps.insert(httpbin(), Dump::Loaded(Arc::new(loaded)));
        assert_eq!(state_and_finding(&snapshot), (state, state == "rejected"), "{push}");
    }
}

fn state_and_finding(snapshot: &Snapshot) -> (&'static str, bool) {
    let plugins = answers::plugins(snapshot, None).plugins;
    let plugin = plugins.iter().find(|plugin| plugin.id == helloworld()).unwrap();
    let found = answers::findings(snapshot, None, &[]);
    (plugin.states.keys().next().unwrap(), found.findings.iter().any(|finding| finding.code == "refused-push"))
}

#[test]
fn live_l20_a_push_that_the_istiods_tell_of_has_the_proxy_read_again() {
    let mut driver = live(false);
    let first = sync(&driver, 0, SyncState::Synced, "2026-11-23T19:37:50Z/9");
    read_sync(&mut driver, first.clone());
    let effects = driver.effects_of("r");
    let (asked, ticket) = (requests(&effects)[0].0, syncs(&effects)[0].0);
    answer(&mut driver, asked, whole(0));
    let same = Msg::SyncRead { ticket, outcome: Ok(Arc::new(first)) };
    let asks = driver.send(same);
    assert!(requests(&asks).is_empty(), "nothing was sent");
    let (ticket, after) = syncs(&asks)[0];
    assert!(after > Duration::ZERO);
    let later = sync(&driver, 30, SyncState::Stale, "2026-11-23T19:38:50Z/10");
    let asks = driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(later)) });
    assert_eq!(requests(&asks).len(), 1);
}

#[test]
fn what_is_settled_is_read_again_from_time_to_time() {
    let same = |driver: &Driver| Ok(Arc::new(sync(driver, 0, SyncState::Synced, "2026-11-23T19:37:50Z/9")));
    let slow = || {
        let Dump::Loaded(loaded) = whole(0) else { panic!("it was read") };
        Dump::Loaded(Arc::new(LoadedDump { took_ms: 400, ..(*loaded).clone() }))
    };
    // Findings and health are asked for each 10 s, home each 30 s; a proxy whose dump takes long is read less often.
    for (keys, dump, rounds) in [("f", whole(0), 1), ("h", whole(0), 1), ("", whole(0), 1), ("f", slow(), 2)] {
        let mut driver = live(false);
        driver.keys(keys);
        let effects = driver.effects_of("r");
        let (asked, mut ticket) = (requests(&effects)[0].0, syncs(&effects)[0].0);
        answer(&mut driver, asked, dump);
        for round in 0..=rounds {
            let outcome = if round == 1 { Err("no answer".to_owned()) } else { same(&driver) };
            let asks = driver.send(Msg::SyncRead { ticket, outcome });
            let expected: &[Duration] = if round == rounds { &[Duration::ZERO] } else { &[] };
            assert_eq!(requests(&asks).iter().map(|(_, after)| *after).collect::<Vec<_>>(), expected, "{keys} {round}");
            ticket = syncs(&asks)[0].0;
        }
    }
}

#[test]
fn a_proxy_that_loses_its_connection_is_read_and_the_istiods_are_asked_when_others_are_ready() {
    let mut driver = live(false);
    let before = sync(&driver, 0, SyncState::Synced, "2026-11-23T19:37:50Z/9");
    read_sync(&mut driver, before.clone());
    let effects = driver.effects_of("r");
    let (asked, ticket) = (requests(&effects)[0].0, syncs(&effects)[0].0);
    answer(&mut driver, asked, whole(0));
    let mut cut_off = before;
    cut_off.istiods.iter_mut().for_each(|istiod| istiod.clients.retain(|client| client.proxy != httpbin()));
    let asks = driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(cut_off)) });
    assert_eq!(requests(&asks).len(), 1, "its log has the reason");
    assert_eq!(syncs(&asks)[0].1, Duration::from_secs(15), "what is wrong with the control plane is asked for more often");
    let unready = objects(&driver, |objects| {
        objects.control_planes.values_mut().for_each(|pod| Arc::make_mut(pod).unready = Some("ContainersNotReady".to_owned()));
    });
    let effects = driver.send(changed(unready, Kind::Pod, "istiod"));
    assert!(syncs(&effects).iter().any(|(_, after)| after.is_zero()), "{effects:?}");
}

/// A copy of the plugin under another name.
fn copied(objects: &mut Inventory, name: &str) {
    let id = PluginId::new(PluginKind::WasmPlugin, "default", name);
    let plugin = Plugin { id: id.clone(), ..(*objects.plugins[&helloworld()]).clone() };
    objects.plugins.insert(id, Arc::new(plugin));
}

fn selected(driver: &Driver) -> (usize, String) {
    let screen = driver.app.screen();
    let name = match screen.selected() {
        Some(Row::Plugin(index)) => screen.plugins().unwrap().plugins[*index].plugin.clone(),
        Some(Row::Workload(index)) => screen.workloads().unwrap().workloads[*index].short.clone(),
        other => panic!("{other:?}"),
    };
    (screen.list.selected, name)
}

fn mesh(driver: &mut Driver, change: impl FnOnce(&mut Inventory)) {
    let effects = driver.send(changed(objects(driver, change), Kind::WasmPlugin, "other"));
    perform(driver, effects);
}

#[test]
fn live_l20_the_selection_stays_on_its_plugin_wherever_that_goes() {
    let mut driver = live(false);
    mesh(&mut driver, |objects| ["z1", "z2"].iter().for_each(|name| copied(objects, name)));
    driver.keys("<end>");
    assert_eq!(selected(&driver), (2, "default/helloworld".to_owned()), "the others are missed by the proxy, so it is the last");
    let sync = sync(&driver, 0, SyncState::Refused, "2026-11-23T19:37:50Z/9");
    read_sync(&mut driver, sync);
    assert_eq!(selected(&driver), (0, "default/helloworld".to_owned()), "what is rejected comes first");
    // Also while another screen is visible.
    driver.keys("?");
    mesh(&mut driver, |objects| ["a1", "a2"].iter().for_each(|name| copied(objects, name)));
    driver.keys("<esc>");
    assert_eq!(selected(&driver), (2, "default/helloworld".to_owned()));
    let known = driver.app.snapshot.objects.plugins[&helloworld()].clone();
    mesh(&mut driver, |objects| drop(objects.plugins.remove(&helloworld())));
    assert_eq!(selected(&driver), (2, "default/z1".to_owned()), "what is gone leaves the selection to its neighbour");
    mesh(&mut driver, |objects| objects.plugins.remove(&PluginId::new(PluginKind::WasmPlugin, "default", "a1")).map(drop).unwrap());
    assert_eq!(selected(&driver), (1, "default/z1".to_owned()), "the neighbour is followed meanwhile");
    let plugin = known.clone();
    mesh(&mut driver, |objects| drop(objects.plugins.insert(helloworld(), plugin)));
    assert_eq!(selected(&driver).1, "default/helloworld", "what is created again is selected again");
    driver.keys("<end>");
    let other = selected(&driver);
    mesh(&mut driver, |objects| drop(objects.plugins.remove(&helloworld())));
    mesh(&mut driver, |objects| drop(objects.plugins.insert(helloworld(), known)));
    assert_eq!(selected(&driver), other, "a key chooses another row for good");
}

#[test]
fn the_worst_finding_is_selected_until_a_key_chooses_another() {
    let mut driver = live(false);
    driver.keys("f");
    let selected = |driver: &Driver| {
        let screen = driver.app.screen();
        let Some(Row::Finding(place)) = screen.selected() else { panic!("{:?}", screen.selected()) };
        (*place, screen.findings().unwrap().findings[*place].id.clone())
    };
    let before = selected(&driver);
    mesh(&mut driver, |objects| copied(objects, "z1"));
    let worse = selected(&driver);
    assert!(worse.0 == 0 && worse.1.contains("z1") && before.0 == 0 && worse != before, "{before:?} {worse:?}");
    driver.keys("<down>");
    let chosen = selected(&driver);
    mesh(&mut driver, |objects| copied(objects, "a1"));
    assert_eq!(selected(&driver).1, chosen.1);
}

#[test]
fn live_l20_the_selection_stays_on_its_workload() {
    let mut driver = live(false);
    driver.keys("<enter><end>");
    let (before, name) = selected(&driver);
    mesh(&mut driver, |objects| {
        let pod = (*objects.pods[&httpbin()]).clone();
        let owner = meshscope::model::workload::Owner { kind: "StatefulSet".into(), name: "aaa".into() };
        objects.insert_pod(meshscope::model::workload::Pod { id: ProxyId::new("aaa-0", "default"), owner: Some(owner), ..pod });
    });
    assert_eq!(selected(&driver), (before + 1, name));
}

#[test]
fn live_l20_before_a_choice_the_selection_is_on_what_comes_first() {
    let mut driver = live(true);
    assert_eq!(selected(&driver).0, 0);
    let ticket = held(&mut driver);
    mesh(&mut driver, |objects| copied(objects, "z1"));
    answer(&mut driver, ticket, whole(0));
    // What the proxy lacks comes first once that is known.
    assert_eq!(selected(&driver), (0, "default/z1".to_owned()));
}

#[test]
fn live_l20_a_deleted_plugin_applies_nowhere() {
    let mut snapshot = (*live(false).app.snapshot).clone();
    Arc::make_mut(&mut snapshot.objects).plugins.remove(&helloworld());
    let entry = |snapshot: &Snapshot| answers::why(snapshot, &helloworld(), Some(&[httpbin()])).workloads.remove(0);
    let deleted = entry(&snapshot);
    assert_eq!(deleted.attached, Some(false));
    assert!(deleted.reason.starts_with("there is no WasmPlugin default/helloworld"), "{}", deleted.reason);
    snapshot.unread.insert(Kind::WasmPlugin);
    snapshot.parts.clear();
    assert_eq!(entry(&snapshot).attached, None, "what could not be read may be there");
    snapshot.unread.clear();
    snapshot.reading.insert(Kind::WasmPlugin, 3);
    assert_eq!(entry(&snapshot).attached, None, "and so may what is being read");
}

#[test]
fn live_l20_old_and_new_count_fit_into_a_narrow_column() {
    let mut demo = Driver::demo();
    demo.keys("M");
    assert!(line(&mut demo, SIZE).contains("4→2"), "{}", demo.text(SIZE));
    let workloads = demo.keys("<enter>").text(NARROW);
    assert!(workloads.contains("4→2"), "{workloads}");
}

#[test]
fn live_l20_a_key_without_a_meaning_says_so() {
    let mut driver = live(false);
    driver.keys("X");
    assert_eq!(driver.app.note.as_deref(), Some("X does nothing here; ? shows the keys"));
    driver.keys("<down>");
    assert_eq!(driver.app.note, None);
}

fn failed(ticket: Ticket) -> Msg {
    Msg::DumpRead { ticket, proxy: httpbin(), dump: Dump::Failed("connection refused".to_owned()), changes: vec![] }
}

#[test]
fn incident_d15_what_failed_is_asked_again_and_its_reason_stays_meanwhile() {
    let mut driver = live(true);
    let mut ticket = held(&mut driver);
    let mut delays = Vec::new();
    for _ in 0..4 {
        let effects = driver.send(failed(ticket));
        let [(next, after)] = requests(&effects)[..] else { panic!("{effects:?}") };
        (ticket, delays) = (next, [delays, vec![after.as_secs()]].concat());
        perform(&mut driver, effects);
        assert!(matches!(driver.app.snapshot.dumps.get(&httpbin()), Some(Dump::Failed(_))), "not \"reading\" for ever");
        assert!(line(&mut driver, SIZE).contains("! cannot be read"), "{}", driver.text(SIZE));
    }
    assert_eq!(delays, [2, 3, 5, 5]);
    assert_eq!(driver.app.event.as_deref(), Some("connection refused"));
    answer(&mut driver, ticket, whole(0));
    assert!(line(&mut driver, SIZE).contains("running"), "{}", line(&mut driver, SIZE));
    // A right that is lacking stays lacking.
    let mut driver = live(true);
    let ticket = held(&mut driver);
    driver.send(Msg::Denied(ticket));
    assert!(requests(&driver.send(failed(ticket))).is_empty());
    let asks = driver.effects_of("r");
    let ticket = requests(&asks)[0].0;
    assert_eq!(requests(&driver.send(failed(ticket))).len(), 1, "another reason may pass");
}

#[test]
fn incident_d15_a_pending_plugin_is_read_again_within_seconds_and_says_when_it_was_read() {
    let mut driver = live(true);
    let mut ticket = held(&mut driver);
    let Dump::Loaded(loaded) = whole(0) else { panic!("it was read") };
    let mut loaded = (*loaded).clone();
    for entry in &mut loaded.dump.ecds {
        entry.config = meshscope::model::envoy::ExtensionConfig::Missing;
    }
    // Its native sidecar runs before the pod does.
    let effects = driver.send(changed(
        objects(&driver, |objects| {
            let pod = Arc::make_mut(objects.pods.get_mut(&httpbin()).unwrap());
            (pod.phase, pod.ready) = ("Pending".to_owned(), false);
        }),
        Kind::Pod,
        &httpbin().pod,
    ));
    perform(&mut driver, effects);
    let mut delays = Vec::new();
    for _ in 0..12 {
        let asks = answer(&mut driver, ticket, Dump::Loaded(Arc::new(loaded.clone())));
        let [(next, after)] = requests(&asks)[..] else { panic!("{asks:?}") };
        (ticket, delays) = (next, [delays, vec![after.as_secs()]].concat());
        assert!(line(&mut driver, SIZE).contains("… 1 pending 08:00:00"), "{}", line(&mut driver, SIZE));
    }
    assert!(delays.iter().take(9).sum::<u64>() <= 40 && delays.iter().all(|delay| *delay <= 15) && delays[2..10] == [5; 8], "{delays:?}");
    assert_eq!(delays.last(), Some(&15), "what may never come is asked less often");
    answer(&mut driver, ticket, whole(0));
    assert!(line(&mut driver, SIZE).contains("running"), "{}", line(&mut driver, SIZE));
}

fn without_httpbin(objects: &mut Inventory) {
    objects.retain_pods(|pod| pod.id != httpbin());
}

#[test]
fn what_is_gone_is_not_asked_and_its_failure_goes_too() {
    let mut driver = live(false);
    let asks = driver.effects_of("r");
    let ticket = requests(&asks)[0].0;
    let again = perform_failed(&mut driver, ticket);
    assert_eq!(driver.app.event.as_deref(), Some("connection refused"));
    let ticket = requests(&again)[0].0;
    let effects = driver.send(changed(objects(&driver, without_httpbin), Kind::Pod, &httpbin().pod));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Stop(stopped) if *stopped == ticket)), "{effects:?}");
    assert!(requests(&effects).is_empty());
    assert!(!driver.app.failed && driver.app.event.as_deref() != Some("connection refused"), "{:?}", driver.app.event);
    // What was under way comes too late.
    assert!(driver.send(failed(ticket)).is_empty());
    assert!(!driver.app.failed && !driver.app.snapshot.dumps.contains_key(&httpbin()));
}

fn perform_failed(driver: &mut Driver, ticket: Ticket) -> Vec<Effect> {
    let effects = driver.send(failed(ticket));
    perform(driver, effects)
}

#[test]
fn a_pod_that_terminates_is_not_asked_any_more_and_does_not_fail() {
    let mut driver = live(false);
    let asks = driver.effects_of("r");
    let ticket = requests(&asks)[0].0;
    let deleting = |objects: &mut Inventory| Arc::make_mut(objects.pods.get_mut(&httpbin()).unwrap()).deleting = true;
    let effects = driver.send(changed(objects(&driver, deleting), Kind::Pod, &httpbin().pod));
    perform(&mut driver, effects);
    assert!(requests(&perform_failed(&mut driver, ticket)).is_empty());
    assert!(!driver.app.failed && !driver.text(SIZE).contains("without an answer"), "{}", driver.text(SIZE));
    let effects = driver.send(changed(objects(&driver, |_| ()), Kind::PeerAuthentication, "default"));
    assert!(requests(&effects).is_empty(), "nor is it followed");
}

#[test]
fn a_pod_that_is_pending_is_said_to_be_so() {
    let mut driver = live(true);
    let ticket = held(&mut driver);
    let pending = |objects: &mut Inventory| {
        let pod = Arc::make_mut(objects.pods.get_mut(&httpbin()).unwrap());
        (pod.phase, pod.ready) = ("Pending".to_owned(), false);
        pod.proxy.as_mut().unwrap().running = false;
    };
    let effects = driver.send(changed(objects(&driver, pending), Kind::Pod, &httpbin().pod));
    perform(&mut driver, effects);
    let asks = perform_failed(&mut driver, ticket);
    assert!(requests(&asks).is_empty(), "nothing would answer");
    assert!(line(&mut driver, SIZE).contains("… its pod is Pending"), "{}", line(&mut driver, SIZE));
    assert!(!driver.app.failed);
    // Its proxy was started.
    let effects = driver.send(changed(
        objects(&driver, |objects| {
            let pod = Arc::make_mut(objects.pods.get_mut(&httpbin()).unwrap());
            pod.proxy.as_mut().unwrap().running = true;
        }),
        Kind::Pod,
        &httpbin().pod,
    ));
    assert_eq!(requests(&effects).len(), 1);
}

#[test]
fn an_old_change_goes_when_the_proxy_is_followed_no_more() {
    let mut driver = live(false);
    let change = |before, after| {
        let listener = "virtualInbound".to_owned();
        vec![meshscope::analysis::diff::CountChange { plugin: helloworld(), port: Some(15006), listener, before, after }]
    };
    let effects = driver.send(changed(objects(&driver, |_| ()), Kind::PeerAuthentication, "default"));
    let mut asks = perform(&mut driver, effects);
    let mut first = true;
    while let [(ticket, _)] = requests(&asks)[..] {
        let changes = if std::mem::take(&mut first) { change(2, 4) } else { vec![] };
        let effects = driver.send(Msg::DumpRead { ticket, proxy: httpbin(), dump: whole(9), changes });
        asks = perform(&mut driver, effects);
        assert_eq!(line(&mut driver, SIZE).contains("2→4"), !requests(&asks).is_empty(), "{}", line(&mut driver, SIZE));
    }
    let said = driver.app.event.clone().unwrap();
    assert!(said.ends_with("httpbin 15006: 2 → 4 (default/helloworld) at 08:00:09 UTC"), "{said}");
    // A plugin that is created again has no count from before.
    driver.app.changes.insert(httpbin(), change(4, 0));
    mesh(&mut driver, |objects| drop(objects.plugins.remove(&helloworld())));
    assert_eq!(driver.app.changes[&httpbin()], []);
}

#[test]
fn a_push_is_seen_over_xds_and_does_not_use_up_the_following() {
    let mut driver = live(false);
    let plain = |mut sync: Sync, state: SyncState| {
        for told in sync.istiods.iter_mut().flat_map(|istiod| &mut istiod.clients).flat_map(|client| client.types.values_mut()) {
            (told.sent_push, told.acked_push, told.sent, told.state) = (String::new(), String::new(), None, state);
        }
        sync
    };
    let first = plain(sync(&driver, 0, SyncState::Synced, ""), SyncState::Synced);
    read_sync(&mut driver, first.clone());
    let say = |driver: &mut Driver, sync: Sync| {
        let asks = driver.effects_of("r");
        let ticket = syncs(&asks)[0].0;
        requests(&asks).iter().for_each(|(asked, _)| drop(answer(driver, *asked, whole(0))));
        let effects = driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(sync)) });
        requests(&effects).len()
    };
    assert_eq!(say(&mut driver, first.clone()), 0);
    assert_eq!(say(&mut driver, plain(first.clone(), SyncState::Stale)), 1);
    let mut driver = live(false);
    read_sync(&mut driver, first.clone());
    let effects = driver.send(changed(objects(&driver, |_| ()), Kind::WasmPlugin, "helloworld"));
    assert_eq!(requests(&effects)[0].1, Duration::from_millis(500));
    let asks = driver.effects_of("s");
    let ticket = syncs(&asks)[0].0;
    driver.effects_of("<esc>");
    let effects = driver.send(Msg::SyncRead { ticket, outcome: Ok(Arc::new(plain(first, SyncState::Stale))) });
    assert!(requests(&effects).is_empty(), "it is read all the same: {effects:?}");
}

#[test]
fn the_header_counts_what_was_found_and_of_what() {
    let mut driver = Driver::recording("fetch-failed-closed");
    let head = |driver: &mut Driver, size| driver.text(size).lines().next().unwrap().to_owned();
    assert!(
        head(&mut driver, SIZE).contains("✗ 1 error ! 1 warning · f  istio 1.31-alpha  ● 1 of 2 proxies"),
        "{}",
        head(&mut driver, SIZE)
    );
    assert!(head(&mut driver, NARROW).contains("✗ 1 ! 1 · f  ● 1 of 2 proxies"), "{}", head(&mut driver, NARROW));
    // The findings say it themselves, and read the other proxy.
    let findings = driver.keys("f").text(SIZE);
    assert!(!findings.lines().next().unwrap().contains("error"), "{findings}");
    driver.keys("<esc>");
    assert!(head(&mut driver, SIZE).contains("✗ 1 error ! 1 warning · f  istio 1.31-alpha  ● 2 proxies"), "{}", head(&mut driver, SIZE));
    // Where nothing was found and not all was looked at, that is no good news.
    let mut driver = Driver::recording("permissive");
    assert!(
        head(&mut driver, SIZE).contains("? 0 errors, 0 warnings · f  istio 1.31-alpha  ● 1 of 2 proxies"),
        "{}",
        head(&mut driver, SIZE)
    );
    assert!(!driver.keys("w").text(SIZE).lines().next().unwrap().contains("error"), "home alone has what is well");
}

#[test]
fn the_header_says_checking_until_the_first_whole_answer() {
    let head = |driver: &mut Driver, size| driver.text(size).lines().next().unwrap().to_owned();
    let mut driver = live(true);
    for size in [SIZE, NARROW] {
        let head = head(&mut driver, size);
        assert!(head.contains("checking… · f") && !head.contains("0 errors"), "{head}");
    }
    driver.release();
    for size in [SIZE, NARROW] {
        let head = head(&mut driver, size);
        assert!(head.contains(" 0 errors") && !head.contains("checking"), "{head}");
    }
    // One that does not answer does not hold it back, whether it fails once or again and again.
    let mut driver = live(true);
    for _ in 0..3 {
        let held = std::mem::take(&mut driver.held);
        for effect in held {
            let Effect::FetchConfigDump { ticket, request, .. } = effect else { continue };
            let effects =
                driver.send(Msg::DumpRead { ticket, proxy: request.proxy, dump: Dump::Failed("no answer".into()), changes: vec![] });
            driver.perform(effects);
        }
        driver.settle();
    }
    assert!(head(&mut driver, SIZE).contains("? 0 errors"), "{}", head(&mut driver, SIZE));
}

#[test]
fn the_count_waits_for_no_request_that_waits_itself() {
    let mut driver = live(true);
    let ticket = held(&mut driver);
    // A listener drains after a change: the proxy is asked again in 2 s.
    let Dump::Loaded(loaded) = whole(0) else { panic!("it was read") };
    let mut loaded = (*loaded).clone();
    loaded.dump.listeners[0].state = ListenerState::Draining;
    let asks = answer(&mut driver, ticket, Dump::Loaded(Arc::new(loaded)));
    assert_eq!(requests(&asks).iter().map(|(_, after)| after.as_secs()).collect::<Vec<_>>(), [2]);
    let whole = driver.held.iter().any(|effect| {
        matches!(effect, Effect::FetchConfigDump { request, vital: true, after, .. } if request.proxy == httpbin() && after.is_zero())
    });
    assert!(whole, "what the proxy says of itself is read at once: {:?}", driver.held);
}

#[test]
fn the_count_follows_the_mesh_one_question_at_a_time() {
    let mut driver = live(false);
    let counts = |effects: &[Effect]| {
        let of = |effect: &&Effect| matches!(effect, Effect::Ask { question: meshscope::app::question::Question::Findings(_), .. });
        effects.iter().filter(of).count()
    };
    let effects = driver.send(changed(objects(&driver, |objects| copied(objects, "z1")), Kind::WasmPlugin, "z1"));
    assert_eq!(counts(&effects), 1);
    let later = effects.iter().any(|effect| matches!(effect, Effect::Ask { after, .. } if !after.is_zero()));
    assert!(later, "it leaves room for what somebody waits for");
    let more = driver.send(changed(objects(&driver, |objects| copied(objects, "z2")), Kind::WasmPlugin, "z2"));
    assert_eq!(counts(&more), 0, "one question is under way");
    let before = driver.app.tally.sum.clone().unwrap();
    let rest = effects.into_iter().chain(more).collect();
    perform(&mut driver, rest);
    let after = driver.app.tally.sum.clone().unwrap();
    assert!(after.errors + after.warnings > before.errors + before.warnings, "the plugin is in no proxy: {before:?} {after:?}");
    // What changes nothing asks nothing.
    assert_eq!(counts(&driver.effects_of("<down>")), 0);
}

#[test]
fn many_pods_that_cannot_be_asked_are_noted_at_once() {
    let mut driver = live(false);
    let many = objects(&driver, |objects| {
        let pod = (*objects.pods[&httpbin()]).clone();
        for count in 0..300 {
            let mut pod = meshscope::model::workload::Pod { id: ProxyId::new(format!("p{count:03}"), "default"), ..pod.clone() };
            (pod.phase, pod.ready) = ("Pending".to_owned(), false);
            pod.proxy.as_mut().unwrap().running = false;
            objects.insert_pod(pod);
        }
    });
    let effects = driver.send(changed(many, Kind::Pod, "p000"));
    perform(&mut driver, effects);
    driver.keys("<enter>");
    assert!(line_count(&driver) > 3, "some are on the screen");
    assert!(
        driver.app.snapshot.warnings.iter().filter(|warning| warning.what == "the pod is Pending").all(|warning| warning.fix.is_empty())
    );
}

fn line_count(driver: &Driver) -> usize {
    driver.app.screen().rows.len()
}

#[test]
fn findings_are_of_what_the_proxies_log_now_and_the_count_costs_less() {
    let mut driver = live(false);
    // What was read for the count is read once more: the logs go on.
    let serial = |driver: &Driver| driver.app.snapshot.dump(&httpbin()).unwrap().serial;
    let before = serial(&driver);
    driver.keys("f");
    assert_eq!(serial(&driver), before + 1);
    let mut driver = live(false);
    let effects = driver.send(changed(objects(&driver, |_| ()), Kind::PeerAuthentication, "default"));
    let of = |effect: &Effect| match effect {
        Effect::FetchConfigDump { request, after, .. } => Some((request.proxy.pod.clone(), after.as_millis())),
        _ => None,
    };
    let asked: Vec<_> = effects.iter().filter_map(of).collect();
    assert_eq!(asked, [(httpbin().pod, 500), ("sleep-5c4597b769-9hvcz".to_owned(), 10_000)], "no plugin applies to sleep");
}
