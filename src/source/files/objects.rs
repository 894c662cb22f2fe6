//! The objects of a recording, as a live source would say them. It sorts Lists into objects and never reads what an
//! object means.

use serde_json::Value;

use super::super::SourceError;
use super::super::record::Lacks;
use super::store::Store;
use super::{INTERRUPTED, questions};
use crate::ingest::istiod::istiod_version;
use crate::ingest::manifest;
use crate::model::kind::Kind;
use crate::model::mesh::Istiod;
use crate::model::update::{Unread, Update};

/// What the writer of a recording could not read.
const UNREAD: &str = "k8s/unread.json";

/// One piece of the reading, small enough that the first kinds are there before the last is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// What the writer of the recording could not read, and whether it came to its end.
    Gaps,
    /// The objects of a kind.
    Kind(Kind),
    /// istiod's version.
    Istiods,
}

/// What there is to read. A recording without `k8s/` says nothing about objects: not even that there are none.
pub(super) fn steps(store: &Store) -> Vec<Step> {
    let mut steps = match store {
        Store::Dump(_) | Store::Log(_) => return Vec::new(),
        _ if store.has("k8s") => Kind::ALL.map(Step::Kind).to_vec(),
        _ => Vec::new(),
    };
    steps.extend([Step::Istiods, Step::Gaps]);
    steps
}

impl Step {
    /// Reads it. Whatever cannot be read is said in its place, and the rest goes on.
    pub(super) fn read(self, store: &Store) -> Vec<Update> {
        match self {
            Self::Kind(kind) => of_kind(store, kind),
            Self::Istiods => istiods(store),
            Self::Gaps => gaps(store),
        }
    }
}

fn of_kind(store: &Store, kind: Kind) -> Vec<Update> {
    let listed = |objects| Update::Listed { kind, namespace: None, objects };
    let file = questions::file_of(store, kind);
    match objects(store, &file, kind) {
        Ok(Some((objects, None))) => vec![listed(objects)],
        // What is there is read, and what is not proves nothing.
        Ok(Some((objects, Some(why)))) => {
            vec![listed(objects), unread_kind(kind, why, "get the whole list, for instance with kubectl get")]
        }
        Ok(None) => {
            let said = |entries: Vec<(String, String)>| entries.into_iter().find(|(name, _)| names(name, kind)).map(|(_, why)| why);
            match (said(questions::misnamed(store)), said(unread(store))) {
                (Some(why), _) => vec![unread_kind(kind, why, "rename the file")],
                (None, Some(why)) => vec![unread_kind(kind, why, "record again with the right to read it")],
                (None, None) => vec![listed(Vec::new())],
            }
        }
        Err(error) => vec![unread_kind(kind, error, "repair or replace the file")],
    }
}

fn unread_kind(kind: Kind, why: String, fix: &str) -> Update {
    Update::Unread(Unread { kind: Some(kind), namespace: None, what: kind.resource(), why, fix: fix.to_owned(), listed: false })
}

/// Objects, and why they are not all.
type Found = (Vec<Value>, Option<String>);

/// The objects of a List or, for the mesh configuration, of the object itself, and why they are not all; the error is what is wrong with
/// the file.
fn objects(store: &Store, file: &str, kind: Kind) -> Result<Option<Found>, String> {
    let list = document(store, &kind.file(), file)?;
    let incomplete = list.as_ref().and_then(manifest::incomplete).map(|why| format!("{file} {why}"));
    match list {
        None => Ok(None),
        Some(Value::Object(mut fields)) => match fields.remove("items") {
            Some(Value::Array(objects)) => Ok(Some((objects, incomplete))),
            None if fields.get("kind").and_then(Value::as_str) == Some("ConfigMap") => Ok(Some((vec![Value::Object(fields)], None))),
            _ => Err(format!("{file} is not a Kubernetes List: it has no `items`")),
        },
        Some(_) => Err(format!("{file} is not a Kubernetes List, but another kind of JSON")),
    }
}

/// What a file holds, be it JSON or YAML, with the name that it has in errors.
fn document(store: &Store, file: &str, shown: &str) -> Result<Option<Value>, String> {
    let Some(bytes) = store.read(file).map_err(|error: SourceError| error.what)? else { return Ok(None) };
    if bytes.is_empty() {
        return Err(format!("{shown} is empty"));
    }
    manifest::list(&bytes).map(Some).map_err(|why| format!("{shown} {why}"))
}

/// What was not read, and why: by `k8s/unread.json`, and by the names of files that are no names of a resource.
fn unread(store: &Store) -> Vec<(String, String)> {
    let text = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_str).unwrap_or("not said").to_owned();
    let mut unread = match document(store, UNREAD, UNREAD) {
        Ok(None) => Vec::new(),
        Ok(Some(Value::Array(entries))) => entries.iter().map(|entry| (text(entry, "kind"), text(entry, "why"))).collect(),
        // What is wrong with the file that says so is itself something that is lacking.
        Ok(Some(_)) => vec![(UNREAD.to_owned(), format!("{UNREAD} is not a list"))],
        Err(why) => vec![(UNREAD.to_owned(), why)],
    };
    unread.extend(questions::misnamed(store));
    unread
}

/// Whether an entry of `k8s/unread.json` means this kind: by resource, by plural or by the object's kind.
fn names(entry: &str, kind: Kind) -> bool {
    let custom_gateway = kind == Kind::IstioGateway && !entry.contains('.');
    entry == kind.resource() || !custom_gateway && (entry == kind.plural() || entry == kind.as_str())
}

/// What the recording says that it lacks.
pub(super) fn lacks(store: &Store) -> Lacks {
    Lacks { unread: unread(store), unfinished: questions::is_unfinished(store) }
}

fn gaps(store: &Store) -> Vec<Update> {
    let general = |what: String, why: String, fix: &str| {
        Update::Unread(Unread { kind: None, namespace: None, what, why, fix: fix.to_owned(), listed: false })
    };
    let Lacks { unread, unfinished } = lacks(store);
    let interrupted = unfinished.then(|| general("the recording".to_owned(), INTERRUPTED.to_owned(), "record it again"));
    // A kind without a file was said to be unread in its own place.
    let elsewhere = |name: &str| Kind::ALL.into_iter().any(|kind| names(name, kind) && matches!(store.read(&kind.file()), Ok(None)));
    let unread = unread.into_iter().filter(|(name, _)| !elsewhere(name)).map(|(what, why)| general(what, why, ""));
    let no_proxies = store.no_proxies().map(|why| general("the proxies".to_owned(), format!("nothing of them can be read: {why}"), ""));
    interrupted.into_iter().chain(no_proxies).chain(unread).collect()
}

fn istiods(store: &Store) -> Vec<Update> {
    match store.read("istiod/version.txt") {
        Ok(Some(bytes)) => {
            let version = istiod_version(&String::from_utf8_lossy(&bytes));
            if version.is_empty() { Vec::new() } else { vec![Update::Istiods(vec![Istiod { pod: String::new(), version }])] }
        }
        Ok(None) => Vec::new(),
        Err(error) => {
            vec![Update::Unread(Unread {
                kind: None,
                namespace: None,
                what: "istiod's version".to_owned(),
                why: error.what,
                fix: error.fix,
                listed: false,
            })]
        }
    }
}
