//! Which of the kinds the mesh has, and in which version: a CRD that is not installed is a normal state.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Request;
use http::header::ACCEPT;
use kube::Client;
use kube::api::ApiResource;
use serde_json::Value;

use super::trouble::{Cause, Trouble, bounded};
use crate::model::kind::{Kind, is_mesh_group};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The resources of some API groups: `(group, version)` to the plural names there that can be listed.
pub(super) type Resources = BTreeMap<(String, String), Vec<String>>;

/// Asks what the mesh's groups have: one request, or on older servers one for each of their versions.
pub(super) async fn resources(client: &Client, limit: Duration) -> Result<Resources, Trouble> {
    let answer = get(client, "/apis", limit).await?;
    // A server that cannot aggregate answers with the plain list of groups, which is no error.
    if answer["kind"] == "APIGroupDiscoveryList" {
        return Ok(of_aggregated(&answer));
    }
    let mut found = Resources::new();
    for group in items(&answer["groups"]) {
        let name = group["name"].as_str().unwrap_or_default();
        if !is_mesh_group(name) {
            continue;
        }
        for version in items(&group["versions"]).iter().filter_map(|version| version["version"].as_str()) {
            let list = match get(client, &format!("/apis/{name}/{version}"), limit).await {
                // The CRD went while we asked.
                Err(trouble) if trouble.cause == Cause::NotFound => continue,
                other => other?,
            };
            let names = items(&list["resources"]).iter().filter(|resource| can_list(&resource["verbs"]));
            let names = names.filter_map(|resource| resource["name"].as_str()).filter(|name| !name.contains('/'));
            found.insert((name.to_owned(), version.to_owned()), names.map(str::to_owned).collect());
        }
    }
    Ok(found)
}

/// Where a kind can be asked for; None where the mesh does not have it.
pub(super) fn find(resources: &Resources, kind: Kind) -> Option<ApiResource> {
    let has = |version: &&&str| {
        let key = (kind.group().to_owned(), (**version).to_string());
        resources.get(&key).is_some_and(|names| names.iter().any(|name| name == kind.plural()))
    };
    kind.versions().iter().find(has).map(|version| at(kind, version))
}

/// A kind in one version.
pub(super) fn at(kind: Kind, version: &str) -> ApiResource {
    let api_version = if kind.group().is_empty() { version.to_owned() } else { format!("{}/{version}", kind.group()) };
    ApiResource {
        group: kind.group().to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.as_str().to_owned(),
        plural: kind.plural().to_owned(),
    }
}

fn of_aggregated(answer: &Value) -> Resources {
    let mut found = Resources::new();
    for group in items(&answer["items"]) {
        let name = group["metadata"]["name"].as_str().unwrap_or_default();
        if !is_mesh_group(name) {
            continue;
        }
        for version in items(&group["versions"]) {
            let names = items(&version["resources"]).iter().filter(|resource| can_list(&resource["verbs"]));
            let names = names.filter_map(|resource| resource["resource"].as_str()).map(str::to_owned).collect();
            found.insert((name.to_owned(), version["version"].as_str().unwrap_or_default().to_owned()), names);
        }
    }
    found
}

fn can_list(verbs: &Value) -> bool {
    items(verbs).iter().any(|verb| verb == "list")
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

async fn get(client: &Client, path: &str, limit: Duration) -> Result<Value, Trouble> {
    let request = Request::get(path).header(ACCEPT, AGGREGATED).body(Vec::new());
    let request = request.map_err(|error| Trouble::new(Cause::Refused, error.to_string()))?;
    bounded(limit, client.request::<Value>(request)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_version_that_the_mesh_has_is_taken() {
        let answer = serde_json::json!({"kind": "APIGroupDiscoveryList", "items": [
            {"metadata": {"name": "security.istio.io"}, "versions": [
                {"version": "v1beta1", "resources": [{"resource": "peerauthentications", "verbs": ["list", "watch"]}]}]},
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [{"resource": "deployments", "verbs": ["list"]}]}]}]});
        let resources = of_aggregated(&answer);
        assert_eq!(find(&resources, Kind::PeerAuthentication).map(|found| found.version).as_deref(), Some("v1beta1"));
        assert!(find(&resources, Kind::WasmPlugin).is_none());
        assert_eq!(resources.len(), 1);
    }

    #[test]
    fn a_kind_in_the_core_group_has_no_group_in_its_version() {
        assert_eq!(at(Kind::Pod, "v1").api_version, "v1");
        assert_eq!(at(Kind::Deployment, "v1").api_version, "apps/v1");
    }
}
