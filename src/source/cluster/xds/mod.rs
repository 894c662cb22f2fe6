//! The istiods over xDS on port 15012, as istioctl asks them: for a mesh whose debug interface on port 15014 is closed.
//!
//! istiod answers there to whom its token lets it (`pilot/pkg/xds/{auth,debuggen,statusgen}.go`). The TLS is verified against the
//! mesh's own root, which istioctl does not do.

mod access;
mod channel;
mod json;

use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Struct, Value};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use super::Shared;
use super::forward::{Limits, Port};
use super::trouble::{Cause, Trouble, one_line};
use crate::source::AskedAs;

pub(super) use access::{Access, Held};

const PORT: u16 = 15012;
/// Whatever stands under `/debug/`, by its path and query; empty where istiod's `ENABLE_DEBUG_ON_HTTP` is false.
const DEBUG: &str = "istio.io/debug";
/// How the proxies stand, as ClientConfigs, whatever `ENABLE_DEBUG_ON_HTTP` says.
const SYNCZ: &str = "istio.io/debug/syncz";

/// What an istiod told, and to whom.
pub(super) struct Told {
    pub bytes: Bytes,
    pub asked_as: AskedAs,
    /// Why it was not asked as the account that may see every proxy.
    pub refused: Option<String>,
}

/// Asks one istiod for what stands under a path of `/debug/`.
pub(super) async fn ask(shared: &Shared, pod: &str, path: &str, limits: Limits) -> Result<Told, Trouble> {
    let access = shared.xds.get(shared).await?;
    let answer = ask_with(shared, pod, path, &access, limits).await;
    if matches!(&answer, Err(trouble) if trouble.cause == Cause::Unauthorized) {
        shared.xds.forget().await;
    }
    match answer {
        Ok(bytes) => Ok(Told { bytes, asked_as: access.asked_as(), refused: access.refused.clone() }),
        // Whose token istiod did not like is a part of why.
        Err(trouble) if matches!(trouble.cause, Cause::Unauthorized | Cause::Forbidden) => {
            Err(Trouble { text: format!("{} (service account {})", trouble.text, access.account), ..trouble })
        }
        Err(trouble) => Err(trouble),
    }
}

async fn ask_with(shared: &Shared, pod: &str, path: &str, access: &Access, limits: Limits) -> Result<Bytes, Trouble> {
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &shared.istio_namespace);
    let opened = Port::open(&pods, pod, PORT, limits).await?;
    let what = path.trim_start_matches('/').strip_prefix("debug/").unwrap_or(path);
    if what == "syncz" {
        let response = channel::ask(opened, access, request(access, SYNCZ, None), limits).await?;
        return json::client_configs(&response).map_err(|error| Trouble::new(Cause::Answered, error));
    }
    let response = channel::ask(opened, access, request(access, DEBUG, Some(what)), limits).await?;
    debug(response)
}

/// What istiod wrote into its answer: JSON, or a text that says why not.
fn debug(response: DiscoveryResponse) -> Result<Bytes, Trouble> {
    let bytes = response.resources.into_iter().next().map(|any| Bytes::from(any.value)).unwrap_or_default();
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Ok(bytes),
        None => Err(Trouble::new(Cause::Answered, "the answer is empty")),
        Some(_) => {
            let text = one_line(&String::from_utf8_lossy(bytes.get(..500).unwrap_or(&bytes)));
            Err(Trouble::new(Cause::Answered, format!("istiod says: {text}")))
        }
    }
}

/// A request under a name of its own: as a proxy's it would take that proxy's place.
fn request(access: &Access, type_url: &str, name: Option<&str>) -> DiscoveryRequest {
    // The namespace of the token, else istiod refuses it (`pilot/pkg/xds/auth.go: checkConnectionIdentity`).
    let namespace = &access.account.namespace;
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let metadata = [("GENERATOR", text("event")), ("NAMESPACE", text(namespace))];
    let node = Node {
        id: format!("sidecar~127.0.0.1~meshscope.{namespace}~{namespace}.svc.cluster.local"),
        metadata: Some(Struct { fields: metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect() }),
        ..Node::default()
    };
    DiscoveryRequest {
        node: Some(node),
        type_url: type_url.to_owned(),
        resource_names: name.map(str::to_owned).into_iter().collect(),
        ..DiscoveryRequest::default()
    }
}
