//! The objects of a recording: one List a resource.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::super::{FailureKind, SharedSource, SourceError};
use super::folder::{Folder, blocking, is_plain_name};
use super::{AT_ONCE, Gap, contents};
use crate::model::ids::ProxyId;
use crate::model::kind::Kind;
use crate::model::logs::DISCOVERY;

/// What one resource came to: the pods that run istiod, where it is pods, and what could not be read.
type Recorded = (Vec<ProxyId>, Vec<Gap>);

/// Writes every resource that the source has. Hands back the pods that run istiod.
pub(super) async fn record(source: &SharedSource, folder: &Folder) -> Result<Recorded, SourceError> {
    let mut gaps = Vec::new();
    let resources = match source.recordable().await {
        Ok(resources) => resources,
        Err(error) => {
            gaps.push(Gap::new("which resources there are", error));
            Kind::ALL.map(Kind::resource).to_vec()
        }
    };
    // Secrets are not part of a recording, whoever asks for them.
    let resources = resources.into_iter().filter(|name| is_plain_name(name) && name != "secrets");
    let all: Vec<Recorded> = stream::iter(resources).map(|name| one(source, folder, name)).buffer_unordered(AT_ONCE).try_collect().await?;
    let mut pods = Vec::new();
    for (found, more) in all {
        pods.extend(found);
        gaps.extend(more);
    }
    pods.sort();
    Ok((pods, gaps))
}

async fn one(source: &SharedSource, folder: &Folder, resource: String) -> Result<Recorded, SourceError> {
    let reply = match source.list(resource.clone()).await {
        Ok(reply) => reply,
        // A mesh without a kind has no objects of it.
        Err(error) if error.kind == FailureKind::Missing => return Ok(Recorded::default()),
        Err(error) => return Ok((Vec::new(), vec![Gap::new(resource, error)])),
    };
    let mut gaps: Vec<Gap> = reply.tried.into_iter().map(|why| Gap::said(resource.as_str(), why)).collect();
    let bytes = reply.bytes;
    let is_mesh = resource == Kind::MeshConfigMap.resource();
    let read = blocking(move || Ok(contents::objects(&bytes))).await?;
    let list = match read {
        Ok(list) => list.and_then(|list| if is_mesh { contents::mesh_configuration(list) } else { Some(list) }),
        Err(why) => {
            gaps.push(Gap::said(resource, why));
            return Ok((Vec::new(), gaps));
        }
    };
    let Some(list) = list else { return Ok((Vec::new(), gaps)) };
    let pods = if resource == "pods" { istiods(&list) } else { Vec::new() };
    folder.write(&file(&resource), contents::pretty(&list)).await?;
    Ok((pods, gaps))
}

/// The file of a resource: kinds of the core and of apps have no group in the name.
fn file(resource: &str) -> String {
    if resource == Kind::MeshConfigMap.resource() {
        return Kind::MeshConfigMap.file();
    }
    format!("k8s/{}.json", resource.strip_suffix(".apps").unwrap_or(resource))
}

/// The pods that run istiod, by the name of its container.
fn istiods(pods: &Value) -> Vec<ProxyId> {
    let text = |pod: &Value, at: &str| pod.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_istiod = |pod: &&Value| {
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
        containers.into_iter().flatten().any(|container| container.get("name").and_then(Value::as_str) == Some(DISCOVERY))
    };
    let items = pods.get("items").and_then(Value::as_array).into_iter().flatten();
    items.filter(is_istiod).map(|pod| ProxyId::new(text(pod, "/metadata/name"), text(pod, "/metadata/namespace"))).collect()
}
