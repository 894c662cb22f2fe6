//! The istiods over xDS on port 15012, as istioctl asks them: for a mesh whose debug interface on port 15014 is closed.
//!
//! istiod answers there to whom its token lets it (`pilot/pkg/xds/{auth,debuggen,statusgen}.go`). The TLS is verified against the
//! mesh's own root, which istioctl does not do.

mod access;
mod channel;
mod json;
mod reflect;

use bytes::Bytes;
use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Any, Struct, Value};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;

use super::Shared;
use super::forward::{Limits, Port};
use super::trouble::{Cause, Trouble, one_line};
use crate::model::ids::ProxyId;
use crate::source::AskedAs;

pub(super) use access::{Access, Held};
pub(super) use reflect::base64;

const PORT: u16 = 15012;
/// Whatever stands under `/debug/`, by its path and query; empty where istiod's `ENABLE_DEBUG_ON_HTTP` is false.
const DEBUG: &str = "istio.io/debug";
/// What istiod would send a proxy, as the sections of a config dump, whatever `ENABLE_DEBUG_ON_HTTP` says; without endpoints.
const CONFIG_DUMP: &str = "istio.io/debug/config_dump";
/// How the proxies stand, as ClientConfigs, whatever `ENABLE_DEBUG_ON_HTTP` says.
const SYNCZ: &str = "istio.io/debug/syncz";
/// The version that istiod assumes where a client names none, of which it writes a warning (`pilot/pkg/model/context.go: MaxIstioVersion`).
const ANY_VERSION: &str = "65535.65535.65535";
/// The end of the type of the section that has the extensions.
const ECDS: &str = "EcdsConfigDump";

/// What an istiod told, and to whom.
pub(super) struct Told {
    pub bytes: Bytes,
    pub asked_as: AskedAs,
    /// Why it was not asked as the account that may see every proxy.
    pub refused: Option<String>,
}

/// Asks one istiod for what stands under a path of `/debug/`.
pub(super) async fn ask(shared: &Shared, pod: &str, path: &str, limits: Limits) -> Result<Told, Trouble> {
    let what = path.trim_start_matches('/').strip_prefix("debug/").unwrap_or(path);
    if what == "syncz" {
        let (response, told) = ask_for(shared, pod, SYNCZ, None, limits).await?;
        let bytes = json::client_configs(&response).map_err(|error| Trouble::new(Cause::Answered, error))?;
        return Ok(Told { bytes, ..told });
    }
    let (response, told) = ask_for(shared, pod, DEBUG, Some(what), limits).await?;
    Ok(Told { bytes: debug(response)?, ..told })
}

/// Asks one istiod what it would send a proxy that is connected to it, as a config dump in JSON.
pub(super) async fn config_dump(shared: &Shared, pod: &str, proxy: &ProxyId, limits: Limits) -> Result<Told, Trouble> {
    sections(shared, pod, proxy, limits, |_| true).await
}

/// The same, of its ECDS alone.
pub(super) async fn extensions(shared: &Shared, pod: &str, proxy: &ProxyId, limits: Limits) -> Result<Told, Trouble> {
    sections(shared, pod, proxy, limits, |section| section.type_url.ends_with(ECDS)).await
}

/// The sections of the dump that are wanted.
async fn sections(shared: &Shared, pod: &str, proxy: &ProxyId, limits: Limits, wanted: fn(&Any) -> bool) -> Result<Told, Trouble> {
    let (mut response, told) = ask_for(shared, pod, CONFIG_DUMP, Some(&proxy.to_string()), limits).await?;
    response.resources.retain(wanted);
    if response.resources.is_empty() {
        return Err(Trouble::new(Cause::Answered, format!("istiod does not have {proxy}, or cannot dump it")));
    }
    let ended = |error| Trouble::new(Cause::Refused, format!("reading istiod's dump ended early: {error}"));
    let written = tokio::task::spawn_blocking(move || reflect::config_dump(&response.resources)).await.map_err(ended)?;
    Ok(Told { bytes: written.map_err(|error| Trouble::new(Cause::Answered, error))?, ..told })
}

/// The response, and to whom it was given; what it says is not read yet.
async fn ask_for(
    shared: &Shared,
    pod: &str,
    type_url: &str,
    name: Option<&str>,
    limits: Limits,
) -> Result<(DiscoveryResponse, Told), Trouble> {
    let access = shared.xds.get(shared).await?;
    let pods: Api<Pod> = Api::namespaced(shared.client.clone(), &shared.istio_namespace);
    let opened = Port::open(&pods, pod, PORT, limits).await?;
    let answer = channel::ask(opened, &access, request(&access, type_url, name), limits).await;
    if matches!(&answer, Err(trouble) if trouble.cause == Cause::Unauthorized) {
        shared.xds.forget().await;
    }
    match answer {
        Ok(response) => {
            let told = Told { bytes: Bytes::new(), asked_as: access.asked_as(), refused: access.refused.clone() };
            Ok((response, told))
        }
        // Whose token istiod did not like is a part of why.
        Err(trouble) if matches!(trouble.cause, Cause::Unauthorized | Cause::Forbidden) => {
            Err(Trouble { text: format!("{} (service account {})", trouble.text, access.account), ..trouble })
        }
        Err(trouble) => Err(trouble),
    }
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
    let metadata = [("GENERATOR", text("event")), ("NAMESPACE", text(namespace)), ("ISTIO_VERSION", text(ANY_VERSION))];
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
