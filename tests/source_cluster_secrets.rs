//! The Secret that a module is pulled with is looked for without ever asking for what is in it.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "support/fake_api/mod.rs"]
#[allow(dead_code, unused_imports, reason = "other tests use the rest of it")]
mod fake_api;

use std::sync::Arc;

use fake_api::FakeApi;
use meshscope::app::clipboard::Method;
use meshscope::app::effect::Effect;
use meshscope::app::handler::World;
use meshscope::app::msg::Msg;
use meshscope::app::runtime::{Handler, Work};
use meshscope::app::state::Waits;
use meshscope::model::ids::ObjectName;
use meshscope::model::pull_secret::PullSecret;
use meshscope::source::cluster::Cluster;
use meshscope::source::{FailureKind, Source, SourceError};
use serde_json::json;

const DOCKER: &str = "kubernetes.io/dockerconfigjson";

fn put(api: &FakeApi, namespace: &str, name: &str, of_type: &str) {
    let data = json!({".dockerconfigjson": "cGw0bnRlZC1TM2NyM3Q="});
    api.state().put("secrets", json!({"metadata": {"namespace": namespace, "name": name}, "type": of_type, "data": data}));
}

async fn look(api: &FakeApi, name: &str) -> Result<PullSecret, SourceError> {
    Cluster::connect(api.options()).await.unwrap().pull_secret(ObjectName::new("shop", name)).await
}

/// Whether all that was asked for were lists of metadata.
fn only_metadata(api: &FakeApi) -> bool {
    let state = api.state();
    let asked = state.requests.iter().zip(&state.accepted).filter(|(path, _)| path.contains("/secrets"));
    asked.clone().count() > 0
        && asked.into_iter().all(|(path, accept)| {
            let of_metadata = accept.split(',').all(|form| form.contains("as=PartialObjectMetadataList"));
            of_metadata && path.contains("/secrets?") && path.contains("fieldSelector=metadata.name%3D") && !path.contains("watch")
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_good_of_another_type_elsewhere_or_missing() {
    let api = FakeApi::start().await;
    put(&api, "shop", "good", DOCKER);
    put(&api, "shop", "opaque", "Opaque");
    put(&api, "team", "moved", DOCKER);
    for (name, expected) in [
        ("good", PullSecret::Good),
        ("opaque", PullSecret::OtherType),
        ("moved", PullSecret::Elsewhere(vec!["team".to_owned()])),
        ("none", PullSecret::Missing),
    ] {
        assert_eq!(look(&api, name).await.unwrap(), expected, "{name}");
    }
    assert!(only_metadata(&api), "{:#?}", api.state().requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_looked_at_is_said_with_the_right_that_is_lacking() {
    let api = FakeApi::start().await;
    put(&api, "team", "moved", DOCKER);
    let all = ("list".to_owned(), "secrets".to_owned(), None);
    api.state().forbidden.insert(all);
    assert_eq!(look(&api, "moved").await.unwrap(), PullSecret::Missing, "that it is not here is known without the right to look elsewhere");
    api.state().forbidden.insert(("list".to_owned(), "secrets".to_owned(), Some("shop".to_owned())));
    let error = look(&api, "moved").await.unwrap_err();
    assert_eq!((error.kind, error.fix.as_str()), (FailureKind::Forbidden, "grant list on secrets in namespace shop"));
    assert!(error.what.starts_with("cannot look for Secret shop/moved: ") && !error.what.contains("S3cr3t"), "{}", error.what);
    assert!(only_metadata(&api), "{:#?}", api.state().requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_program_never_asks_for_what_is_in_it() {
    let api = FakeApi::start().await;
    put(&api, "shop", "good", DOCKER);
    put(&api, "shop", "opaque", "Opaque");
    let mut world = World::new(Arc::new(Cluster::connect(api.options()).await.unwrap()), Method::Off);
    let (sender, mut answers) = tokio::sync::mpsc::channel(1);
    for (name, expected) in [("good", PullSecret::Good), ("opaque", PullSecret::OtherType), ("none", PullSecret::Missing)] {
        let (ticket, secret) = (Waits::default().begin(name), ObjectName::new("shop", name));
        let Work::Run(Some(_), work) = world.handle(Effect::FindSecret { ticket, secret }, &sender) else {
            panic!("it runs beside the loop")
        };
        work.await;
        let told = answers.recv().await.unwrap();
        let said = format!("{told:?}");
        assert!(!said.contains("cGw0bnRlZC1TM2NyM3Q") && !said.contains("pl4nted-S3cr3t"), "{said}");
        let Msg::SecretRead { found, .. } = told else { panic!("{said}") };
        assert_eq!(found, expected, "{name}");
    }
    assert!(only_metadata(&api), "{:#?}", api.state().requests);
}
