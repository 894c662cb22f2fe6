//! Whole lists of objects as the API server writes them, for a recording. Secrets are never among them.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shared;
use super::discovery;
use super::follow::is_mesh_config;
use super::trouble::{Cause, Trouble, bounded};
use crate::clock;
use crate::model::envoy::DumpView;
use crate::model::kind::{Kind, is_mesh_group};
use crate::source::{FailureKind, Reply, SourceError};

const PAGE: u32 = 500;

/// The kinds around the mesh that every cluster has, with where they are and whether they live in namespaces.
const BUILT_IN: [(&str, &str, bool); 11] = [
    ("namespaces", "/api/v1", false),
    ("nodes", "/api/v1", false),
    ("pods", "/api/v1", true),
    ("services", "/api/v1", true),
    ("serviceaccounts", "/api/v1", true),
    // Only the mesh configuration is taken of them.
    ("configmaps", "/api/v1", true),
    ("endpointslices.discovery.k8s.io", "/apis/discovery.k8s.io/v1", true),
    ("deployments.apps", "/apis/apps/v1", true),
    ("replicasets.apps", "/apis/apps/v1", true),
    ("statefulsets.apps", "/apis/apps/v1", true),
    ("daemonsets.apps", "/apis/apps/v1", true),
];

/// What a recording should hold.
pub(super) async fn recordable(shared: &Shared) -> Result<Vec<String>, SourceError> {
    let mut names: Vec<_> = BUILT_IN.iter().map(|(name, ..)| (*name).to_owned()).collect();
    match discovery::resources(&shared.client, shared.timeout).await {
        Ok(found) => {
            names.extend(found.iter().flat_map(|((group, _), plurals)| plurals.iter().map(move |plural| format!("{plural}.{group}"))))
        }
        // Where discovery is forbidden the kinds that are watched can be tried.
        Err(trouble) if trouble.cause == Cause::Forbidden => {
            names.extend(Kind::ALL.into_iter().filter(|kind| kind.is_custom()).map(Kind::resource));
        }
        Err(trouble) => return Err(trouble.failed("cannot learn which resources the cluster has", "")),
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Lists a resource in every namespace that may be read.
pub(super) async fn list(shared: &Shared, resource: &str) -> Result<Reply, SourceError> {
    let began = clock::now();
    let (base, namespaced) = place(shared, resource).await?;
    let plural = resource.split('.').next().unwrap_or(resource);
    let one = |namespace: &str| format!("{base}/namespaces/{namespace}/{plural}");
    let mut tried = Vec::new();
    let mut list = List::default();
    let read = match resource {
        "configmaps" => list.read(shared, &one(&shared.istio_namespace)).await,
        _ => list.read(shared, &format!("{base}/{plural}")).await,
    };
    match read {
        Err(trouble) if trouble.cause == Cause::Forbidden && namespaced && resource != "configmaps" => {
            tried.push(format!("list on {resource} in all namespaces is forbidden{}", trouble.to_user()));
            list = List::default();
            for namespace in shared.namespaces() {
                list.read(shared, &one(&namespace)).await.map_err(|trouble| failed(resource, Some(&namespace), &trouble))?;
            }
        }
        other => other.map_err(|trouble| failed(resource, None, &trouble))?,
    }
    if resource == "configmaps" {
        list.items.retain(|item| is_mesh_configuration(item));
    }
    let bytes = Bytes::from(list.write());
    Ok(Reply { bytes, way: "list", view: DumpView::Proxy, took: began.elapsed(), tried, asked_as: None })
}

/// The path that a resource is under, and whether it lives in namespaces (as far as is known: all of the mesh's kinds but
/// the GatewayClass do).
async fn place(shared: &Shared, resource: &str) -> Result<(String, bool), SourceError> {
    if let Some((_, base, namespaced)) = BUILT_IN.iter().find(|(name, ..)| *name == resource) {
        return Ok(((*base).to_owned(), *namespaced));
    }
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    if !is_mesh_group(group) {
        return Err(SourceError::new(FailureKind::BadInput, format!("{resource} is not part of a recording"), ""));
    }
    let missing = || SourceError::new(FailureKind::Missing, format!("the cluster has no {resource}"), "");
    let watched = Kind::ALL.into_iter().find(|kind| kind.resource() == resource);
    let version = match discovery::resources(&shared.client, shared.timeout).await {
        Ok(found) => {
            let has = |version: &str| {
                found.get(&(group.to_owned(), version.to_owned())).is_some_and(|names| names.iter().any(|name| name == plural))
            };
            let preferred =
                watched.and_then(|kind| kind.versions().iter().find(|version| has(version)).map(|version| (*version).to_owned()));
            let any = || found.keys().filter(|(name, version)| name == group && has(version)).map(|(_, version)| version.clone()).next();
            preferred.or_else(any).ok_or_else(missing)?
        }
        Err(trouble) => {
            let assumed = watched.and_then(|kind| kind.versions().first()).filter(|_| trouble.cause == Cause::Forbidden);
            assumed.map(|version| (*version).to_owned()).ok_or_else(|| failed(resource, None, &trouble))?
        }
    };
    Ok((format!("/apis/{group}/{version}"), plural != "gatewayclasses"))
}

fn failed(resource: &str, namespace: Option<&str>, trouble: &Trouble) -> SourceError {
    let place = namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
    let fix = if trouble.cause == Cause::Forbidden { format!("grant list on {resource}") } else { String::new() };
    trouble.failed(format_args!("cannot list {resource}{place}"), fix)
}

fn is_mesh_configuration(item: &RawValue) -> bool {
    let value: serde_json::Value = serde_json::from_str(item.get()).unwrap_or_default();
    is_mesh_config(value["metadata"]["name"].as_str().unwrap_or_default()) && value["data"].get("mesh").is_some()
}

/// A Kubernetes List whose items are left as they were written.
#[derive(Default)]
struct List {
    kind: String,
    api_version: String,
    items: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "continue")]
    next: String,
}

impl List {
    async fn read(&mut self, shared: &Shared, path: &str) -> Result<(), Trouble> {
        let mut next = String::new();
        loop {
            let query = if next.is_empty() { String::new() } else { format!("&continue={next}") };
            let request = Request::get(format!("{path}?limit={PAGE}{query}")).body(Vec::new());
            let request = request.map_err(|error| Trouble::new(Cause::Refused, error.to_string()))?;
            let text = bounded(shared.timeout, shared.client.request_text(request)).await?;
            let page: Page =
                serde_json::from_str(&text).map_err(|error| Trouble::new(Cause::Refused, format!("the answer is no List: {error}")))?;
            (self.kind, self.api_version) = (page.kind, page.api_version);
            self.items.extend(page.items.unwrap_or_default());
            next = page.metadata.next;
            if next.is_empty() {
                return Ok(());
            }
        }
    }

    fn write(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let items = self.items.iter().map(|item| item.get()).collect::<Vec<_>>().join(",");
        format!("{{\"kind\":{},\"apiVersion\":{},\"metadata\":{{}},\"items\":[{items}]}}", quoted(&self.kind), quoted(&self.api_version))
    }
}
