//! Manifests of a file: the objects in it, before anything is understood.

use serde_json::{Value, json};

use super::yaml;
use crate::model::kind::Kind;

/// The objects of a file of YAML documents or JSON, Lists taken apart. Documents that are empty are left out.
///
/// # Errors
/// Where the text is neither, or holds something that is no object, in one line.
pub fn objects(text: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    for document in documents(text)? {
        take(document, &mut found)?;
    }
    Ok(found)
}

fn documents(text: &str) -> Result<Vec<Value>, String> {
    let options =
        serde_saphyr::options! { budget: serde_saphyr::budget! { max_nodes: 5_000_000, max_documents: 100_000, max_events: 20_000_000 } };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| fault(error.without_snippet()))
}

/// A file of objects as `kubectl get -o json` or `-o yaml` writes it, as one document. Several documents of YAML, or one object, become a List;
/// a ConfigMap stays one, since the mesh configuration is one.
///
/// # Errors
/// Where it is neither JSON nor YAML of objects, in one line.
pub fn list(bytes: &[u8]) -> Result<Value, String> {
    let in_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    let mut documents = if in_json {
        vec![serde_json::from_slice(bytes).map_err(|error| format!("is not JSON: {error}"))?]
    } else {
        documents(std::str::from_utf8(bytes).map_err(|error| format!("is neither YAML nor JSON: {error}"))?)?
    };
    documents.retain(|document| !document.is_null());
    if let [one] = documents.as_mut_slice()
        && (one.get("items").is_some() || text(one, "kind") == "ConfigMap" || in_json && !is_alone(one))
    {
        return Ok(one.take());
    }
    let cut = documents.iter().find(|document| incomplete(document).is_some());
    let about = cut.and_then(|cut| cut.get("metadata")).cloned().unwrap_or_else(|| json!({}));
    let mut items = Vec::new();
    documents.into_iter().try_for_each(|document| take(document, &mut items))?;
    Ok(json!({"apiVersion": "v1", "kind": "List", "metadata": about, "items": items}))
}

/// Why a List does not hold all objects: it is a page of a longer one (`apimachinery pkg/apis/meta/v1/types.go: ListMeta`).
pub fn incomplete(list: &Value) -> Option<String> {
    let about = list.get("metadata")?;
    let token = about.get("continue").and_then(Value::as_str).unwrap_or_default();
    let more = about.get("remainingItemCount").and_then(Value::as_u64).unwrap_or_default();
    match (token, more) {
        ("", 0) => None,
        (_, 0) => Some("is one page of a longer list: its metadata.continue is set".to_owned()),
        (_, more) => Some(format!("is one page of a longer list: its metadata says that {more} more follow")),
    }
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

/// A text of an object; empty where it has none.
fn text<'v>(document: &'v Value, field: &str) -> &'v str {
    document.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn is_object(document: &Value) -> bool {
    !text(document, "kind").is_empty() && !text(document, "apiVersion").is_empty()
}

/// Whether a document is one object: neither a List, one without `items` neither, nor what an API server says of an error.
fn is_alone(document: &Value) -> bool {
    is_object(document) && !text(document, "kind").ends_with("List") && text(document, "kind") != "Status"
}

fn take(mut document: Value, found: &mut Vec<Value>) -> Result<(), String> {
    let of_list = if text(&document, "kind").ends_with("List") { document.get_mut("items").and_then(Value::as_array_mut) } else { None };
    if let Some(items) = of_list {
        return std::mem::take(items).into_iter().try_for_each(|item| take(item, found));
    }
    match &document {
        Value::Null => Ok(()),
        object if is_object(object) => {
            found.push(document);
            Ok(())
        }
        _ => Err("holds a document that is no Kubernetes object: apiVersion and kind are missing".to_owned()),
    }
}

/// The watched kind of an object; None where answers depend on none of its kind.
pub fn kind_of(object: &Value) -> Option<Kind> {
    let group = text(object, "apiVersion").split_once('/').map_or("", |(group, _)| group);
    Kind::ALL.into_iter().find(|kind| kind.as_str() == text(object, "kind") && kind.group() == group)
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
    fn lists_are_read_as_they_are_saved() {
        let pa = |name: &str| format!("apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}}}\n");
        let names = |text: &str| {
            let list = list(text.as_bytes()).unwrap();
            list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(r#"{"items": [{"metadata": {"name": "a"}}]}"#), ["a"]);
        assert_eq!(names("kind: List\nitems:\n- metadata: {name: a}\n"), ["a"]);
        assert_eq!(names(&pa("a")), ["a"]);
        assert_eq!(names(&format!("{}---\n---\n{}", pa("a"), pa("b"))), ["a", "b"]);
        assert_eq!(names(&format!("apiVersion: v1\nkind: List\nitems: []\n---\n{}", pa("b"))), ["b"]);
        let object = r#"{"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "metadata": {"name": "a"}}"#;
        assert_eq!(names(object), ["a"]);
        for other in [
            r#"[{"kind": "a", "apiVersion": "v1"}]"#,
            r#"{"kind": "Status", "apiVersion": "v1"}"#,
            r#"{"kind": "a"}"#,
            r#"{"kind": "PodList", "apiVersion": "v1"}"#,
        ] {
            assert_eq!(list(other.as_bytes()).unwrap(), serde_json::from_str::<Value>(other).unwrap(), "{other}");
        }
        assert_eq!(list(b"kind: ConfigMap\ndata: {mesh: x}\n").unwrap()["data"]["mesh"], "x");
        assert!(list(b"{\"a\"").unwrap_err().starts_with("is not JSON: "));
        assert!(list(b"a: [").unwrap_err().starts_with("is neither YAML nor JSON"));
        assert!(list(b"\xff").unwrap_err().starts_with("is neither YAML nor JSON"));
    }

    #[test]
    fn a_page_of_a_list_is_no_whole_one() {
        for (about, expected) in [
            ("{}", false),
            (r#"{"resourceVersion": "5", "continue": "", "remainingItemCount": 0}"#, false),
            (r#"{"continue": "abc"}"#, true),
            (r#"{"remainingItemCount": 5}"#, true),
        ] {
            let page = format!(r#"{{"kind": "List", "metadata": {about}, "items": []}}"#);
            assert_eq!(incomplete(&list(page.as_bytes()).unwrap()).is_some(), expected, "{about}");
        }
        let pages = "kind: List\nmetadata: {continue: x}\nitems: []\n---\nkind: List\nitems: []\n";
        assert!(incomplete(&list(pages.as_bytes()).unwrap()).is_some());
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
