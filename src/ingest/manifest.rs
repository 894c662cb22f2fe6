//! Manifests of a file: the objects in it, before anything is understood.

use serde_json::Value;

use super::yaml::alias_limits;
use crate::model::kind::Kind;

/// The objects of a file of YAML documents or JSON, Lists taken apart. Documents that are empty are left out.
///
/// # Errors
/// Where the text is neither, or holds something that is no object, in one line.
pub fn objects(text: &str) -> Result<Vec<Value>, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 5_000_000, max_documents: 100_000, max_events: 20_000_000 },
        alias_limits: alias_limits(text),
    };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| format!("is neither YAML nor JSON: {}", error.to_string().lines().next().unwrap_or_default()))?;
    let mut found = Vec::new();
    for document in documents {
        take(document, &mut found)?;
    }
    Ok(found)
}

fn take(document: Value, found: &mut Vec<Value>) -> Result<(), String> {
    let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default();
    match &document {
        Value::Null => Ok(()),
        Value::Object(_) if text("kind").ends_with("List") && document.get("items").is_some_and(Value::is_array) => {
            let items = document.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
            items.into_iter().try_for_each(|item| take(item, found))
        }
        Value::Object(_) if !text("kind").is_empty() && !text("apiVersion").is_empty() => {
            found.push(document);
            Ok(())
        }
        _ => Err("holds a document that is no Kubernetes object: apiVersion and kind are missing".to_owned()),
    }
}

/// The watched kind of an object; None where answers depend on none of its kind.
pub fn kind_of(object: &Value) -> Option<Kind> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    Kind::ALL.into_iter().find(|kind| kind.as_str() == text("kind") && kind.group() == group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_lists_are_taken_apart() {
        let text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: b}}\n";
        let found = objects(text).unwrap();
        assert_eq!(found.iter().map(kind_of).collect::<Vec<_>>(), [Some(Kind::Service), Some(Kind::IstioGateway)]);
        assert_eq!(objects(r#"{"apiVersion": "v1", "kind": "Secret"}"#).unwrap().iter().map(kind_of).collect::<Vec<_>>(), [None]);
        assert!(objects("").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_object_is_one_line() {
        assert!(objects("just text").unwrap_err().contains("no Kubernetes object"));
        let broken = objects("a: [").unwrap_err();
        assert!(broken.starts_with("is neither YAML nor JSON") && !broken.contains('\n'), "{broken}");
    }
}
