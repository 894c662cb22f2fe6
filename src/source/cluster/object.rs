//! An object of any kind, read so tolerantly that a malformed one never costs the list that it is in.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::api::ApiResource;
use kube::core::DynamicResourceScope;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::ingest::managed_fields;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// An object as the API server wrote it, less what no answer needs. Where `METADATA` is set the server is asked for no more
/// than the metadata.
#[derive(Clone, Debug)]
pub(super) struct AnyObject<const METADATA: bool> {
    // The client's own `DynamicObject` types all of `metadata` and so fails the whole list where one object has odd labels:
    // only the three strings that watching needs are taken out.
    meta: ObjectMeta,
    /// The object.
    pub value: Value,
}

impl<const METADATA: bool> AnyObject<METADATA> {
    /// `metadata.namespace` and `metadata.name`, empty where there are none.
    pub fn name(&self) -> (String, String) {
        (self.meta.namespace.clone().unwrap_or_default(), self.meta.name.clone().unwrap_or_default())
    }

    /// `metadata.resourceVersion`.
    pub fn version(&self) -> Option<&str> {
        self.meta.resource_version.as_deref().filter(|version| !version.is_empty())
    }
}

impl<'de, const METADATA: bool> Deserialize<'de> for AnyObject<METADATA> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        prune(&mut value);
        let text = |field: &str| value.get("metadata")?.get(field)?.as_str().map(str::to_owned);
        let meta = ObjectMeta {
            name: text("name"),
            namespace: text("namespace"),
            resource_version: text("resourceVersion"),
            ..ObjectMeta::default()
        };
        Ok(Self { meta, value })
    }
}

/// Drops what is large and never used: most of the field managers, and the copy of the object that `kubectl apply` leaves.
fn prune(value: &mut Value) {
    managed_fields::prune(value);
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
}

impl<const METADATA: bool> Resource for AnyObject<METADATA> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn metadata_api() -> bool {
        METADATA
    }

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        Cow::Borrowed(&resource.kind)
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        Cow::Borrowed(&resource.group)
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        Cow::Borrowed(&resource.version)
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        Cow::Borrowed(&resource.api_version)
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        Cow::Borrowed(&resource.plural)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.meta
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> AnyObject<false> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_no_answer_needs_is_dropped() {
        let object = read(
            r#"{"metadata": {"name": "a", "namespace": "n", "resourceVersion": "7", "managedFields": [1],
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "keep": "me"}}}"#,
        );
        assert_eq!(object.name(), ("n".to_owned(), "a".to_owned()));
        assert_eq!(object.version(), Some("7"));
        assert_eq!(object.value["metadata"]["annotations"], serde_json::json!({"keep": "me"}));
        assert!(object.value["metadata"].get("managedFields").is_none());
    }

    #[test]
    fn malformed_metadata_is_no_error() {
        let object = read(r#"{"metadata": {"name": "a", "labels": ["x"], "annotations": 3, "generation": "one"}, "spec": "text"}"#);
        assert_eq!(object.name(), (String::new(), "a".to_owned()));
        assert_eq!(object.value["spec"], "text");
        assert_eq!(read(r#"{"metadata": []}"#).name(), (String::new(), String::new()));
        assert_eq!(read("null").version(), None);
    }
}
