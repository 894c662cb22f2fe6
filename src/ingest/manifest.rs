//! Manifests of a file: the objects in it, before anything is understood.

use serde_json::Value;

use super::yaml;
use crate::model::kind::Kind;

/// The objects of a file of YAML documents or JSON, Lists taken apart. Documents that are empty are left out.
///
/// # Errors
/// Where the text is neither, or holds something that is no object, in one line.
pub fn objects(text: &str) -> Result<Vec<Value>, String> {
    let options =
        serde_saphyr::options! { budget: serde_saphyr::budget! { max_nodes: 5_000_000, max_documents: 100_000, max_events: 20_000_000 } };
    let documents: Vec<Value> = serde_saphyr::from_multiple_with_options(text, options).map_err(|error| fault(error.without_snippet()))?;
    let mut found = Vec::new();
    for document in documents {
        take(document, &mut found)?;
    }
    Ok(found)
}

/// Why a text cannot be read, in one line and in words of YAML.
fn fault(error: &serde_saphyr::Error) -> String {
    let place = error.location().map(|at| format!("line {} column {}: ", at.line(), at.column())).unwrap_or_default();
    match error {
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().map(|key| format!("the key {key}")).unwrap_or_else(|| "a key".to_owned());
            format!("is no valid YAML: {place}{key} is there twice in one map; leave one of them out")
        }
        large if yaml::is_limit(large) => format!(
            "is not read: {place}it is too large, or becomes so through its anchors and aliases; split it, or write out what the aliases repeat"
        ),
        other => {
            let text = other.to_string();
            let first = text.lines().next().unwrap_or_default();
            format!("is neither YAML nor JSON: {}", first.strip_prefix("error: ").unwrap_or(first))
        }
    }
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

    #[test]
    fn faults_of_yaml_are_said_in_words_of_yaml() {
        let twice = objects("kind: A\nspec: {url: a, url: b}").unwrap_err();
        assert!(twice.starts_with("is no valid YAML: line 2 column ") && twice.contains("the key url is there twice"), "{twice}");
        let mut laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}", level - 1);
            laughs.push_str(&format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(",")));
        }
        // A limit of the parser's own comes first.
        let replayed = format!("a: &a [{}]\nb: [{}]\n", ["x"; 1100].join(","), ["*a"; 1100].join(","));
        for text in [laughs, replayed] {
            let large = objects(&text).unwrap_err();
            assert!(large.contains("it is too large, or becomes so through its anchors") && !large.contains('\n'), "{large}");
        }
    }
}
