//! Whether the Secret that a module is pulled with is there and of the right type: by requests for metadata alone, so that its
//! content never leaves the API server. The type is no metadata, and is asked for by a field selector.

use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::ListParams;
use tokio::time::timeout;

use super::Shared;
use super::trouble::{Cause, Trouble};
use crate::model::ids::ObjectName;
use crate::model::pull_secret::{PULL_SECRET_TYPE, PullSecret};
use crate::source::SourceError;

/// Looks for it.
pub(super) async fn look(shared: &Shared, secret: &ObjectName) -> Result<PullSecret, SourceError> {
    let ObjectName { namespace, name } = secret;
    let own: Api<Secret> = Api::namespaced(shared.client.clone(), namespace);
    let named = format!("metadata.name={name}");
    let failed = |trouble: Trouble| {
        let fix = if trouble.cause == Cause::Forbidden { format!("grant list on secrets in namespace {namespace}") } else { String::new() };
        trouble.failed(format_args!("cannot look for Secret {secret}"), fix)
    };
    if !namespaces(shared, &own, &format!("{named},type={PULL_SECRET_TYPE}")).await.map_err(failed)?.is_empty() {
        return Ok(PullSecret::Good);
    }
    if !namespaces(shared, &own, &named).await.map_err(failed)?.is_empty() {
        return Ok(PullSecret::OtherType);
    }
    // Where it is not, it may not be allowed to look elsewhere: that it is not here is known.
    let elsewhere = namespaces(shared, &Api::all(shared.client.clone()), &named).await.unwrap_or_default();
    Ok(if elsewhere.is_empty() { PullSecret::Missing } else { PullSecret::Elsewhere(elsewhere) })
}

/// The namespaces of the Secrets that a field selector finds.
async fn namespaces(shared: &Shared, api: &Api<Secret>, fields: &str) -> Result<Vec<String>, Trouble> {
    let params = ListParams::default().fields(fields);
    let listed = timeout(shared.timeout, api.list_metadata(&params)).await;
    let listed = listed.map_err(|_| Trouble::new(Cause::TimedOut, "no answer in time"))?.map_err(|error| Trouble::of(&error))?;
    Ok(listed.items.into_iter().filter_map(|secret| secret.metadata.namespace).collect())
}
