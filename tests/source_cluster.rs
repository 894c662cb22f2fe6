//! The cluster source against an API server that misbehaves as told. No cluster is needed.
#![allow(clippy::unwrap_used)]

#[path = "support/fake_api/mod.rs"]
// What other tests use of it.
#[allow(dead_code, unused_imports)]
mod fake_api;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fake_api::FakeApi;
use meshscope::model::kind::Kind;
use meshscope::model::update::{Health, Unread, Update};
use meshscope::source::cluster::{Cluster, ClusterOptions};
use meshscope::source::{FailureKind, Source};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const PLUGINS: &str = "wasmplugins.extensions.istio.io";

fn object(namespace: &str, name: &str) -> Value {
    json!({"metadata": {"namespace": namespace, "name": name}})
}

/// What a watch says.
struct Watch {
    updates: mpsc::Receiver<Update>,
    task: JoinHandle<()>,
    /// Everything that was said so far.
    seen: Vec<Update>,
}

impl Watch {
    async fn start(api: &FakeApi) -> Self {
        let cluster = Cluster::connect(api.options()).await.unwrap();
        let (sender, updates) = mpsc::channel(64);
        Self { updates, task: tokio::spawn(cluster.watch(sender)), seen: Vec::new() }
    }

    /// Waits for an update of a sort.
    async fn until(&mut self, what: &str, is_it: impl Fn(&Update) -> bool) -> Update {
        let wait = async {
            loop {
                let update = self.updates.recv().await.unwrap();
                self.seen.push(update.clone());
                if is_it(&update) {
                    return update;
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(20), wait).await {
            Ok(update) => update,
            Err(_) => panic!("no {what} came, but {:#?}", self.seen),
        }
    }

    async fn live(&mut self) {
        self.until("live", |update| matches!(update, Update::Health(Health::Live))).await;
    }

    /// The names in the last list of a kind.
    fn listed(&self, wanted: Kind, part: Option<&str>) -> Option<Vec<String>> {
        let lists = self.seen.iter().rev().find_map(|update| match update {
            Update::Listed { kind, namespace, objects } if *kind == wanted && namespace.as_deref() == part => Some(objects),
            _ => None,
        })?;
        Some(lists.iter().map(|object| object["metadata"]["name"].as_str().unwrap_or_default().to_owned()).collect())
    }

    fn unread(&self, wanted: Kind) -> Vec<Unread> {
        let unread = self.seen.iter().filter_map(|update| match update {
            Update::Unread(unread) if unread.kind == Some(wanted) => Some(unread.clone()),
            _ => None,
        });
        unread.collect()
    }

    fn absent(&self, wanted: Kind) -> bool {
        self.seen.iter().any(|update| matches!(update, Update::Absent(kind) if *kind == wanted))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_answered_for_once_before_it_is_live() {
    let api = FakeApi::start().await;
    api.state().put(PLUGINS, object("shop", "auth"));
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert!(matches!(watch.seen.first(), Some(Update::Health(Health::Connecting(_)))));
    for kind in Kind::ALL {
        let answers = watch.seen.iter().filter(|update| match update {
            Update::Listed { kind: this, .. } | Update::Absent(this) => *this == kind,
            Update::Unread(unread) => unread.kind == Some(kind),
            _ => false,
        });
        assert_eq!(answers.count(), 1, "{kind:?}");
    }
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["auth"]);
    // No CRD of the Gateway API is installed.
    assert!(watch.absent(Kind::Gateway));
    // The watch ends with its reader.
    drop(watch.updates);
    tokio::time::timeout(Duration::from_secs(5), watch.task).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_followed_across_bookmarks() {
    let api = FakeApi::start().await;
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    api.state().put(PLUGINS, object("shop", "auth"));
    watch.until("made", |update| matches!(update, Update::Applied { kind: Kind::WasmPlugin, .. })).await;
    api.state().bookmark(PLUGINS);
    let mut changed = object("shop", "auth");
    changed["spec"] = json!({"phase": "AUTHN"});
    changed["metadata"]["managedFields"] = json!([1, 2, 3]);
    api.state().put(PLUGINS, changed);
    let update = watch.until("changed", |update| matches!(update, Update::Applied { .. })).await;
    let Update::Applied { object: changed, .. } = update else { unreachable!() };
    assert_eq!(changed["spec"]["phase"], "AUTHN");
    assert!(changed["metadata"].get("managedFields").is_none());
    api.state().delete(PLUGINS, "shop", "auth");
    let update = watch.until("deleted", |update| matches!(update, Update::Deleted { .. })).await;
    let Update::Deleted { kind, namespace, name } = update else { unreachable!() };
    assert_eq!((kind, namespace.as_str(), name.as_str()), (Kind::WasmPlugin, "shop", "auth"));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_are_one_list() {
    let api = FakeApi::start().await;
    api.state().page = 2;
    for name in ["a", "b", "c", "d", "e"] {
        api.state().put(PLUGINS, object("shop", name));
    }
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["a", "b", "c", "d", "e"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_while_the_history_was_lost_is_gone() {
    let api = FakeApi::start().await;
    api.state().put(PLUGINS, object("shop", "stays"));
    api.state().put(PLUGINS, object("shop", "goes"));
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["stays", "goes"]);
    api.state().delete_and_compact(PLUGINS, "shop", "goes");
    watch.until("second list", |update| matches!(update, Update::Listed { kind: Kind::WasmPlugin, .. })).await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["stays"]);
    // An old version is nothing to worry a person with.
    assert!(!watch.seen.iter().any(|update| matches!(update, Update::Health(Health::Degraded { .. }))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_object_does_not_cost_the_list() {
    let api = FakeApi::start().await;
    api.state()
        .put(PLUGINS, json!({"metadata": {"namespace": "shop", "name": "odd", "labels": ["x"], "generation": "one"}, "spec": "text"}));
    api.state().put(PLUGINS, object("shop", "good"));
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["odd", "good"]);
    api.state().put(PLUGINS, json!({"metadata": {"namespace": "shop", "name": "odder", "annotations": 7}}));
    watch.until("the odd one", |update| matches!(update, Update::Applied { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_server_is_asked_group_by_group() {
    let api = FakeApi::start().await;
    api.state().aggregated = false;
    api.state().put(PLUGINS, object("shop", "auth"));
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["auth"]);
    assert!(watch.absent(Kind::Gateway));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: absent kinds are looked for that often"]
async fn a_crd_that_is_installed_later_is_found() {
    let api = FakeApi::start().await;
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert!(watch.absent(Kind::Gateway));
    api.state().crds.insert(Kind::Gateway.resource());
    api.state().put(&Kind::Gateway.resource(), object("shop", "edge"));
    let wait = Duration::from_secs(70);
    let is_it = |update: &Update| matches!(update, Update::Listed { kind: Kind::Gateway, .. });
    let found = async { while !is_it(&watch.updates.recv().await.unwrap()) {} };
    tokio::time::timeout(wait, found).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_config_maps_only_the_mesh_configuration_is_read() {
    let api = FakeApi::start().await;
    let config = |name: &str, key: &str| json!({"metadata": {"namespace": "istio-system", "name": name}, "data": {key: "x"}});
    api.state().put("configmaps", config("istio", "mesh"));
    api.state().put("configmaps", config("istio-canary", "mesh"));
    api.state().put("configmaps", config("istio-leader", "x"));
    api.state().put("configmaps", config("other", "mesh"));
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::MeshConfigMap, Some("istio-system")).unwrap(), ["istio", "istio-canary"]);
    let requests = api.state().requests.clone();
    assert!(requests.iter().filter(|path| path.contains("configmaps")).all(|path| path.contains("/namespaces/istio-system/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_namespaces_are_forbidden_two_are_read() {
    let api = FakeApi::start().await;
    api.state().forbid("list", PLUGINS, None);
    for namespace in ["shop", "istio-system", "secret"] {
        api.state().put(PLUGINS, object(namespace, namespace));
    }
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, Some("shop")).unwrap(), ["shop"]);
    assert_eq!(watch.listed(Kind::WasmPlugin, Some("istio-system")).unwrap(), ["istio-system"]);
    let unread = watch.unread(Kind::WasmPlugin);
    assert_eq!(unread.len(), 1);
    assert_eq!(unread[0].why, "list on wasmplugins.extensions.istio.io in all namespaces is forbidden to user jane");
    assert_eq!(unread[0].fix, "grant list and watch on wasmplugins.extensions.istio.io");
    // Other kinds are read as a whole all the same.
    assert!(watch.listed(Kind::Pod, None).is_some());
    api.state().put(PLUGINS, object("shop", "new"));
    watch.until("a change in the namespace", |update| matches!(update, Update::Applied { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_everything_is_forbidden_each_right_is_named() {
    let api = FakeApi::start().await;
    for kind in Kind::ALL {
        for namespace in [None, Some("shop"), Some("istio-system")] {
            api.state().forbid("list", &kind.resource(), namespace);
        }
    }
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Gateway) {
        let unread = watch.unread(kind);
        assert!(!unread.is_empty(), "{kind:?}");
        assert!(unread.iter().all(|unread| unread.why.starts_with(&format!("list on {}", kind.resource())) && !unread.listed));
    }
    let mut parts: Vec<_> = watch.unread(Kind::Pod).into_iter().map(|unread| unread.what).collect();
    parts.sort();
    assert_eq!(parts, ["pods in all namespaces", "pods in namespace istio-system", "pods in namespace shop"]);
    assert_eq!(watch.unread(Kind::Namespace)[0].why, "list on namespaces is forbidden to user jane");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lacking_right_to_watch_keeps_what_was_listed() {
    let api = FakeApi::start().await;
    api.state().forbid("watch", PLUGINS, None);
    api.state().put(PLUGINS, object("shop", "auth"));
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["auth"]);
    let unread = &watch.unread(Kind::WasmPlugin)[0];
    assert!(unread.why.starts_with("watch on wasmplugins") && unread.listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_credentials_are_a_failure_with_a_fix() {
    let api = FakeApi::start().await;
    api.state().unauthorized = true;
    let mut watch = Watch::start(&api).await;
    let update = watch.until("failure", |update| matches!(update, Update::Health(Health::Failed { .. }))).await;
    let Update::Health(Health::Failed { what, fix }) = update else { unreachable!() };
    assert_eq!(what, "the API server does not accept the credentials of context fake: Unauthorized");
    assert!(fix.contains("kubectl --context fake"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_at_the_start_is_waited_for_visibly() {
    let mut api = FakeApi::stopped().await;
    let mut watch = Watch::start(&api).await;
    let is_attempt =
        |wanted: u32| move |update: &Update| matches!(update, Update::Health(Health::Degraded { attempt, .. }) if *attempt == wanted);
    let update = watch.until("first attempt", is_attempt(1)).await;
    let Update::Health(Health::Degraded { what, retry_in_ms, .. }) = update else { unreachable!() };
    assert!(what.starts_with("cannot reach the API server http://127.0.0.1:"), "{what}");
    assert!(what.contains(" for the list of resources: Connection refused"), "{what}");
    assert!(retry_in_ms > 0);
    watch.until("second attempt", is_attempt(2)).await;
    api.state().put(PLUGINS, object("shop", "auth"));
    api.come_back().await;
    watch.live().await;
    assert_eq!(watch.listed(Kind::WasmPlugin, None).unwrap(), ["auth"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_followed_again_when_it_comes_back() {
    let mut api = FakeApi::start().await;
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    api.go_away().await;
    watch.until("degraded", |update| matches!(update, Update::Health(Health::Degraded { .. }))).await;
    api.state().put(PLUGINS, object("shop", "meanwhile"));
    api.come_back().await;
    watch.live().await;
    let told = watch.seen.iter().any(|update| matches!(update, Update::Applied { kind: Kind::WasmPlugin, .. }));
    if !told && watch.listed(Kind::WasmPlugin, None).unwrap().is_empty() {
        watch.until("what happened meanwhile", |update| matches!(update, Update::Applied { kind: Kind::WasmPlugin, .. })).await;
    }
    api.state().put(PLUGINS, object("shop", "afterwards"));
    let is_new = |update: &Update| matches!(update, Update::Applied { object, .. } if object["metadata"]["name"] == "afterwards");
    watch.until("what happened afterwards", is_new).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_l19_a_server_that_stands_still_is_silent_within_ten_seconds_and_followed_again() {
    let api = FakeApi::start().await;
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    api.state().still = true;
    let began = Instant::now();
    let is_silent = |update: &Update| matches!(update, Update::Health(Health::Silent { .. }));
    let update = watch.until("silence", is_silent).await;
    assert!(began.elapsed() < Duration::from_secs(10), "after {:?}", began.elapsed());
    let Update::Health(Health::Silent { seconds, what, .. }) = update else { unreachable!() };
    assert!((5..=10).contains(&seconds), "{seconds}");
    assert!(what.starts_with("nothing is heard from the API server http://127.0.0.1:"), "{what}");
    // It is said again as the time goes on, and nothing else is: neither live nor another attempt.
    let again = watch.until("silence, still", is_silent).await;
    assert!(matches!(again, Update::Health(Health::Silent { seconds: later, .. }) if later > seconds));
    let since = watch.seen.len();
    api.state().still = false;
    api.state().put(PLUGINS, object("shop", "meanwhile"));
    watch.live().await;
    assert!(watch.seen[since..].iter().all(|update| !matches!(update, Update::Health(Health::Degraded { .. }))), "{:#?}", watch.seen);
    let is_told = |update: &Update| match update {
        Update::Applied { object, .. } => object["metadata"]["name"] == "meanwhile",
        Update::Listed { objects, .. } => objects.iter().any(|object| object["metadata"]["name"] == "meanwhile"),
        _ => false,
    };
    if !watch.seen.iter().any(is_told) {
        watch.until("what happened meanwhile", is_told).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_l19_at_rest_one_small_request_is_sent_every_few_seconds() {
    let api = FakeApi::start().await;
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    // istiod's version may still be asked for.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = api.state().requests.len();
    tokio::time::sleep(Duration::from_secs(12)).await;
    let requests = api.state().requests[before..].to_vec();
    assert!((1..=3).contains(&requests.len()) && requests.iter().all(|path| path == "/version"), "{requests:?}");
    assert!(!watch.seen.iter().any(|update| matches!(update, Update::Health(Health::Silent { .. }))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_says_how_far_it_is() {
    let api = FakeApi::start().await;
    api.state().page = 2;
    for number in 0..5 {
        api.state().put("pods", object("shop", &format!("web-{number}")));
    }
    let mut watch = Watch::start(&api).await;
    watch.live().await;
    let told: Vec<usize> = watch
        .seen
        .iter()
        .filter_map(|update| match update {
            Update::Reading { kind: Kind::Pod, so_far } => Some(*so_far),
            _ => None,
        })
        .collect();
    assert_eq!(told, [2, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_kubeconfig_is_one_clear_line() {
    let api = FakeApi::stopped().await;
    let fails = async |options: ClusterOptions| {
        let error = Cluster::connect(options).await.err().unwrap();
        assert_eq!(error.to_string().lines().count(), 1);
        error
    };
    let error = fails(ClusterOptions { context: Some("prod".to_owned()), ..api.options() }).await;
    assert_eq!(error.kind, FailureKind::Missing);
    assert!(
        error.what.starts_with("there is no context prod in ") && error.what.ends_with("the contexts there are: fake, other"),
        "{error}"
    );
    let error = fails(ClusterOptions { kubeconfig: Some(PathBuf::from("/nowhere/config")), ..api.options() }).await;
    assert_eq!(error.to_string(), "there is no kubeconfig /nowhere/config; name an existing file with --kubeconfig");
    std::fs::write(api.kubeconfig(), "clusters: [{name: a,\n  token: s3cret\n").unwrap();
    let error = fails(api.options()).await;
    assert_eq!(error.kind, FailureKind::BadInput);
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_plugin_that_fails_or_hangs_is_one_clear_line() {
    let api = FakeApi::stopped().await;
    let plugin =
        |script: &str| json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "sh", "args": ["-c", script]}});
    api.write_kubeconfig(plugin("echo t0ken; echo 'session expired' >&2; exit 3"));
    let error = Cluster::connect(api.options()).await.err().unwrap();
    assert_eq!(error.kind, FailureKind::Forbidden);
    assert!(error.what.ends_with("the credential plugin failed (exit status: 3): session expired"), "{error}");
    assert!(!error.to_string().contains("t0ken"));
    api.write_kubeconfig(plugin("exec sleep 3"));
    let options = ClusterOptions { timeout: Duration::from_millis(200), ..api.options() };
    let error = Cluster::connect(options).await.err().unwrap();
    assert_eq!(error.kind, FailureKind::TimedOut);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_is_the_contexts_unless_one_is_chosen() {
    let api = FakeApi::stopped().await;
    let namespace = async |options: ClusterOptions| Cluster::connect(options).await.unwrap().info().namespace;
    assert_eq!(namespace(api.options()).await, "shop");
    assert_eq!(namespace(ClusterOptions { context: Some("other".to_owned()), ..api.options() }).await, "default");
    assert_eq!(namespace(ClusterOptions { namespace: Some("till".to_owned()), ..api.options() }).await, "till");
}
