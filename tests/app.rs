//! The terminal program as a person meets it: keys in, screens out.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use meshscope::app::action::View;
use meshscope::app::effect::Effect;
use meshscope::app::msg::Msg;
use meshscope::app::rows::Row;
use meshscope::ingest::collect::Changed;
use meshscope::model::ids::ObjectName;
use meshscope::model::kind::Kind;
use support::driver::Driver;

const SIZE: (u16, u16) = (120, 40);

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
fn what_would_be_is_asked_from_every_screen_that_knows_a_plugin() {
    for keys in ["", "<enter>", "c", "w"] {
        let mut demo = Driver::demo();
        let asked = demo.keys(keys).keys("x").text(SIZE);
        assert!(asked.contains("What would be, if") && asked.contains("Nothing is written"), "{asked}");
        let strict = demo.keys("strict<enter>").text(SIZE);
        assert_eq!(demo.app.screen().view(), View::WhatIf, "{keys}");
        assert!(strict.contains("mutual TLS PERMISSIVE would be STRICT") && strict.contains("4 -> 2"), "{strict}");
        // Something else on the same screen: the way does not grow.
        let depth = demo.app.screens.len();
        let disable = demo.keys("x").keys(&"<bs>".repeat(6)).keys("disable<enter>").text(SIZE);
        assert!(disable.contains("mutual TLS PERMISSIVE would be DISABLE"), "{disable}");
        assert_eq!(demo.app.screens.len(), depth);
    }
    let copied = Driver::demo().keys("wxstrict<enter>y").copied.concat();
    assert!(copied.starts_with("### What would be of WasmPlugin `default/helloworld`"), "{copied}");
}

#[test]
fn what_would_be_with_a_manifest_and_what_is_wrong_with_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).unwrap();
        directory.path().join(name).display().to_string()
    };
    let plugin = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: second}\nspec: {url: oci://registry.example/second, phase: AUTHN}\n";
    let (good, bad) = (file("second.yaml", plugin), file("bad.yaml", "kind: [\n"));
    let mut demo = Driver::demo();
    let none = demo.keys("wx<enter>").text(SIZE);
    assert!(none.contains("say a mode, a file of manifests"), "{none}");
    let missing = demo.keys("nope.yaml<enter>").text(SIZE);
    assert!(
        missing.contains("nope.yaml cannot be read") && missing.contains("What would be, if"),
        "what was typed can be mended: {missing}"
    );
    let broken = demo.keys(&"<bs>".repeat(9)).keys(&bad).keys("<enter>").text(SIZE);
    assert!(broken.contains("is neither YAML nor JSON"), "{broken}");
    let second = demo.keys("<esc>x").keys(&good).keys("<enter>").text(SIZE);
    assert!(second.contains("If WasmPlugin default/second would be created"), "{second}");
    assert!(second.contains("default/second would apply to"), "the plugin in question is the one that the file brings: {second}");
}

#[test]
fn what_would_be_names_the_key_that_copies_the_warnings_that_it_leaves_out() {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    let objects: Vec<String> = (0..14).map(|number| format!("{{apiVersion: v1, kind: Strange, metadata: {{name: s{number}}}}}")).collect();
    std::fs::write(file.path(), objects.join("\n---\n")).unwrap();
    let mut demo = Driver::demo();
    let shown = demo.keys("x").keys(&format!("{}<enter>", file.path().display())).text((160, 60));
    assert!(shown.contains("4 more of the kind") && shown.contains(": y copies all"), "{shown}");
    assert_eq!(demo.keys("y").copied.concat().matches("Strange s").count(), 14);
}

#[test]
fn o_shows_the_order_from_every_screen_that_knows_a_proxy() {
    for keys in ["o", "<enter>o", "co", "wo"] {
        let mut demo = Driver::demo();
        let order = demo.keys(keys).text(SIZE);
        assert_eq!(demo.app.screen().view(), View::Order, "{keys}");
        assert!(order.contains("In which order do plugins run in httpbin?  Rules of Istio 1.31"), "{order}");
        assert!(order.contains("  1 ● default/helloworld  WasmPlugin · no phase · no priority"), "{order}");
    }
    let copied = Driver::demo().keys("oy").copied.concat();
    assert!(copied.contains("### In which order plugins run"), "{copied}");
}

#[test]
fn a_plugin_in_order_opens_the_first_chain_that_has_it() {
    let mut mesh = Driver::recording("fetch-failed-closed");
    // The plugin in question is the one that is selected: of two the second.
    assert!(mesh.keys("o").text(SIZE).contains("3 of 49"), "the failed plugin comes first at home, and second here");
    let chains = mesh.keys("k<enter>").text(SIZE);
    assert_eq!(mesh.app.screen().view(), View::Chains);
    assert_eq!(mesh.app.screen().plugin().map(ToString::to_string).as_deref(), Some("default/helloworld"), "the row's plugin");
    assert!(chains.contains("▾  1  passthrough, mTLS HTTP") && chains.contains("● default/helloworld"), "{chains}");
    // What the proxy has nowhere leads nowhere.
    mesh.keys("<esc>jjj<enter>");
    assert_eq!(mesh.app.screen().view(), View::Order);
    assert!(mesh.text(SIZE).contains("istio.metadata_exchange: unless"), "its condition is said above");
}

#[test]
fn a_connection_is_asked_about_and_leads_to_its_chain() {
    let mut demo = Driver::demo();
    let asked = demo.keys("cjjjjjjjjjjji").text(SIZE);
    assert!(asked.contains("› port=80,tls=mesh "), "the prompt begins with what the selected chain is for: {asked}");
    let wrong = demo.keys(",prot=x<enter>").text(SIZE);
    assert_eq!(demo.app.screen().view(), View::Chains);
    assert!(wrong.contains("port=80,tls=mesh,prot=x") && wrong.contains("there is no prot="), "{wrong}");
    assert!(wrong.contains("direction=inbound|outbound"), "what is possible stays in sight: {wrong}");
    assert!(demo.keys("<esc>").text(SIZE).contains("N = 4 on 15006"), "nothing was asked");
    let mesh = demo.keys("i<enter>").text(SIZE);
    assert!(mesh.contains("✓ Chain 6 takes it: mTLS from the mesh to port 80"), "{mesh}");
    // Another connection on the same screen, begun with the one before.
    let foreign = demo.keys("i").text(SIZE);
    assert!(foreign.contains("› port=80,tls=mesh "), "{foreign}");
    let foreign = demo.keys("<bs><bs><bs><bs>foreign<enter>").text(SIZE);
    assert!(foreign.contains("✗ No chain takes it."), "{foreign}");
    assert!(foreign.contains("Chain 5 would match") && foreign.contains("does not go back"), "{foreign}");
    demo.keys("y");
    assert!(demo.copied.last().unwrap().starts_with("### Which chain of `httpbin"), "{:?}", demo.copied);
    // A row leads to its chain.
    let chains = demo.keys("G<enter>").text(SIZE);
    assert_eq!(demo.app.screens.len(), 2, "the way goes back to the chains");
    assert!(chains.contains("▾  7  plain text to port 80") && chains.contains("▸  6  mTLS"), "{chains}");
    assert!(matches!(demo.app.screen().selected(), Some(Row::Chain(_, 7))), "{:?}", demo.app.screen().selected());
}

#[test]
fn a_connection_follows_the_mesh() {
    let mut demo = Driver::demo();
    assert!(demo.keys("cjjjjjjjjjjjji<enter>").text(SIZE).contains("✓ Chain 7 takes it: plain text to port 80"), "{}", demo.text(SIZE));
    let strict = demo.keys("M").text(SIZE);
    assert!(strict.contains("✗ No chain takes it."), "{strict}");
    assert!(strict.contains("wants transport protocol tls; the connection has raw_buffer"), "{strict}");
    assert!(demo.keys("M").text(SIZE).contains("✓ Chain 3 takes it: plain text to port 80"));
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
    assert!(demo.keys("<esc><esc><enter>").text(SIZE).contains("4→2 / 4"));
    demo.keys("MM");
    assert_eq!(demo.app.event.as_deref(), Some("the demo's mesh is PERMISSIVE now · httpbin 15006: 2 → 4"));
}

#[test]
fn near_misses_are_one_key_away() {
    let mut demo = Driver::demo();
    let wide = demo.keys("n").text((160, 40));
    assert_eq!(demo.app.screen().view(), View::Workloads);
    assert!(wide.contains("▸ deploy/sleep"), "the first near-miss is selected: {wide}");
    assert!(wide.contains("✗ app    httpbin   sleep  differs"), "the labels stand side by side: {wide}");
    assert!(wide.contains("To reach it: write app=sleep in the selector"), "{wide}");
    let narrow = demo.text((80, 24));
    assert!(narrow.contains("not matched, the nearest first") && narrow.contains("selector wants app=httpbin"), "{narrow}");
    // On the Workloads screen the key goes to the first of them, from wherever the selection stands.
    assert!(demo.keys("Gn").text(SIZE).contains("▸ deploy/sleep"));
    assert!(demo.keys("g").text(SIZE).contains("▸ deploy/httpbin"));
    let near: Vec<usize> = (0..2).map(|_| demo.keys("n").app.screen().list.selected).collect();
    assert_eq!(near[0], near[1]);
}

#[test]
fn a_plugin_that_reaches_all_has_no_near_misses() {
    let mut driver = Driver::recording("eras/1.26.2/permissive-v4");
    driver.keys("n");
    assert_eq!(driver.app.screen().view(), View::Workloads);
    assert_eq!(driver.app.note.as_deref(), Some("the plugin reaches every workload"));
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
    assert!(demo.keys("/slp<bs><bs><bs>htt").text(SIZE).contains("deploy/httpbin"), "what is typed can be taken back");
    demo.keys("<esc>");
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
    let help = demo.keys("i9999<enter>?G").text(SIZE);
    assert!(help.contains("What can be said of a connection") && help.contains("direction=inbound|outbound"), "{help}");
}

#[test]
fn a_long_explanation_can_be_read_to_its_end_on_a_small_terminal() {
    let mut demo = Driver::demo();
    demo.text((80, 24));
    let last = demo.keys("w<end>").text((80, 24));
    assert!(last.contains("HTTP to port 15014"), "{last}");
    let rows = demo.app.screen().rows.iter().filter(|row| row.is_selectable()).count();
    assert!(last.contains(&format!("{rows} of {rows}")), "{last}");
}

#[test]
fn one_key_shows_the_mutual_tls_of_what_is_selected() {
    for way in ["", "<enter>", "c", "w", "ci9999<enter>"] {
        let mut demo = Driver::demo();
        let shown = demo.keys(&format!("{way}m")).text(SIZE);
        assert_eq!(demo.app.screen().view(), View::Mtls, "{way}");
        assert!(shown.contains("deploy/httpbin · mutual TLS") && shown.contains("The mode is PERMISSIVE"), "{way}: {shown}");
    }
    let mut demo = Driver::demo();
    let strict = demo.keys("mM").text(SIZE);
    assert!(strict.contains("The mode is STRICT, by PeerAuthentication default/default."), "it follows the mesh: {strict}");
    assert!(strict.contains("✗ fails    a client without a proxy sends plain text"), "{strict}");
    demo.keys("y");
    assert!(demo.copied[0].starts_with("### Mutual TLS of Deployment `default/httpbin`\n\n**STRICT**"), "{}", demo.copied[0]);
    let found = demo.keys("/others").text(SIZE);
    assert!(found.contains("all others") && !found.contains("default/httpbin 8000"), "{found}");
    demo.keys("<esc><esc>");
    assert_eq!(demo.app.screen().view(), View::Plugins);
}

#[test]
fn mutual_tls_needs_no_proxy_but_objects() {
    let mut demo = Driver::demo();
    let bare = demo.keys("<enter>/istiod<enter>m").text(SIZE);
    assert!(bare.contains("deploy/istiod · mutual TLS") && bare.contains("The pod has no proxy, so nothing holds the mode"), "{bare}");
    let mut lone = over_a_lone_dump();
    let told = lone.keys("m").text(SIZE);
    assert_eq!(lone.app.screen().view(), View::Chains);
    assert!(told.contains("a config dump alone has no PeerAuthentications"), "{told}");
}

/// The program over the dump of httpbin's proxy alone.
fn over_a_lone_dump() -> Driver {
    let files = support::files("permissive");
    let (_, dump) = files.iter().find(|(path, _)| path.contains("httpbin") && path.ends_with("config_dump.json")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dump.json");
    std::fs::write(&path, dump).unwrap();
    Driver::over(Arc::new(meshscope::source::files::Files::open(&path).unwrap()), false)
}

#[test]
fn a_lone_dump_opens_at_its_chains() {
    let mut driver = over_a_lone_dump();
    let shown = driver.text(SIZE);
    assert!(shown.contains("N = 4 on 15006"), "{shown}");
    assert!(shown.contains("config dump"), "{shown}");
    assert!(driver.keys("w").text(SIZE).contains("Whether it applies is not known"));
    driver.keys("<esc><esc>");
    assert_eq!(driver.app.screen().view(), View::Chains, "there is nothing before them");
}

#[test]
fn home_widens_to_all_namespaces_and_back() {
    let mut demo = Driver::demo();
    assert!(demo.keys("A").text(SIZE).contains("demo › all namespaces"));
    assert!(demo.text(SIZE).contains("default/helloworld"));
    assert!(demo.keys("A").text(SIZE).contains("demo › default"));
}

#[test]
fn the_story_of_a_change_is_told_from_every_screen_that_knows_a_plugin() {
    for keys in ["", "<enter>", "c", "w"] {
        let mut demo = Driver::demo();
        let story = demo.keys(keys).keys("t").text((220, 40));
        assert_eq!(demo.app.screen().view(), View::Timeline, "{keys}");
        assert!(story.contains("istiod pushed ECDS to httpbin on its request 110 ms after the change"), "{story}");
        assert!(story.contains("what could not be seen") && story.contains("VM started"), "{story}");
        // Its lines lead to the proxy that they are about.
        demo.keys("jjjj");
        assert!(matches!(demo.app.screen().selected(), Some(Row::Step(2, 0))), "{:?}", demo.app.screen().selected());
        demo.keys("y").keys("c");
        assert_eq!(demo.app.screen().view(), View::Chains);
        assert!(demo.copied[0].starts_with("### The last change of WasmPlugin `default/helloworld`"), "{}", demo.copied[0]);
    }
}

#[test]
fn a_proxy_is_held_against_what_istiod_would_send_it() {
    for keys in ["<enter>d", "cd", "wd", "hd", "sd"] {
        let mut demo = Driver::demo();
        let shown = demo.keys(keys).text((140, 40));
        assert_eq!(demo.app.screen().view(), View::Diff, "{keys}");
        assert!(shown.contains("✓ LDS") && shown.contains("the plugins in them, and nothing more"), "{shown}");
    }
    let mut failed = Driver::recording("fetch-failed-closed");
    let shown = failed.keys("cd").text((140, 40));
    assert!(shown.contains("✗ ECDS") && shown.contains("RBAC filter that denies all requests"), "{shown}");
    failed.keys("y");
    assert!(failed.copied[0].contains("```diff"), "{}", failed.copied[0]);
    // What was asked for and is left is not waited for.
    let effects = failed.effects_of("r");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::FetchView { .. })), "{effects:?}");
    assert!(failed.effects_of("<esc>").iter().any(|effect| matches!(effect, Effect::Stop(_))));
}

#[test]
fn how_the_proxies_stand_is_one_key_from_every_screen_that_knows_one() {
    for (keys, depth) in [("s", 2), ("<enter>s", 3), ("cs", 3), ("ws", 3)] {
        let mut demo = Driver::demo();
        let sync = demo.keys(keys).text((140, 40));
        assert_eq!(demo.app.screen().view(), View::Sync, "{keys}");
        assert!(sync.contains("▸ httpbin-664956bb75-9d64m.default  ✓ synced"), "the proxy in question is selected: {sync}");
        assert!(sync.contains("that is synced too"), "{sync}");
        assert_eq!(demo.app.screens.len(), depth);
        // From there to the proxy's chains, and back.
        demo.keys("j<enter>");
        assert_eq!(demo.app.screen().view(), View::Chains);
        assert_eq!(demo.app.screen().proxy().unwrap().pod, "sleep-5c4597b769-9hvcz");
        demo.keys("<esc>");
        assert_eq!(demo.app.screen().view(), View::Sync);
    }
}

#[test]
fn a_story_is_read_anew_on_demand_and_after_its_plugin_changed() {
    let mut demo = Driver::demo();
    demo.keys("t");
    let reads = |effects: &[Effect]| -> Vec<Duration> {
        effects.iter().filter_map(|effect| if let Effect::ReadLogs { after, .. } = effect { Some(*after) } else { None }).collect()
    };
    let effects = demo.effects_of("r");
    assert_eq!(reads(&effects), [Duration::ZERO]);
    demo.perform(effects);
    demo.settle();
    let change = |name: &str| {
        let changed = vec![Changed::Objects(Kind::WasmPlugin, Some(ObjectName::new("default", name)))];
        Msg::MeshRead { epoch: 1, objects: Arc::default(), changed, health: None }
    };
    assert!(reads(&demo.send(change("another"))).is_empty(), "another plugin's change is another story");
    let first = demo.send(change("helloworld"));
    assert_eq!(reads(&first), [Duration::from_secs(1)], "what follows takes a moment");
    // A reading that nobody waits for any more is dropped, and leaving stops the one under way.
    let left = demo.effects_of("<esc>");
    assert!(left.iter().any(|effect| matches!(effect, Effect::Stop(_))), "{left:?}");
}

#[test]
fn following_a_change_comes_to_an_end() {
    let mut demo = Driver::demo();
    demo.keys("t");
    let changed = vec![Changed::Objects(Kind::WasmPlugin, Some(ObjectName::new("default", "helloworld")))];
    let mut effects = demo.send(Msg::MeshRead { epoch: 1, objects: Arc::default(), changed, health: None });
    let mut times = Vec::new();
    while let Some((ticket, after)) = effects.iter().find_map(|effect| match effect {
        Effect::ReadLogs { ticket, after, .. } => Some((*ticket, *after)),
        _ => None,
    }) {
        times.push(after.as_secs());
        effects = demo.send(Msg::LogsRead { ticket, gathered: Arc::default() });
    }
    assert_eq!(times, [1, 2, 4, 8]);
}

#[test]
fn another_scenes_istiod_is_asked_anew() {
    let mut demo = Driver::demo();
    let before = demo.keys("s").text(SIZE);
    let after = demo.keys("M").text(SIZE);
    assert!(before.contains("2026-11-23T19:37:50Z/9") && after.contains("2026-11-23T19:39:27Z/10"), "{after}");
    demo.keys("y");
    assert!(demo.copied[0].contains("| httpbin-664956bb75-9d64m.default | deploy/httpbin | synced |"));
}

#[test]
fn an_istiod_that_says_nothing_is_told_and_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in support::files("permissive").iter().filter(|(name, _)| !name.starts_with("istiod/syncz")) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let source = meshscope::source::files::Files::open(folder.path()).unwrap();
    let mut driver = Driver::over(Arc::new(source), false);
    let shown = driver.keys("s").text(SIZE);
    assert!(
        shown.contains("Could not get the sync status from istiod: istiod/syncz.json is not in the recording")
            && shown.contains("r asks again"),
        "{shown}"
    );
    std::fs::write(folder.path().join("istiod/syncz.json"), &support::files("permissive")["istiod/syncz.json"]).unwrap();
    assert!(driver.keys("r").text(SIZE).contains("2 proxies, and each acknowledged what istiod sent"));
    // The rest of the program went on all the time.
    assert!(driver.keys("<esc>c").text(SIZE).contains("N = 4 on 15006"));
}
