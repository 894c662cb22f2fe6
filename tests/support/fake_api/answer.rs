//! What the server answers to one request.

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::state::State;
use super::{Shared, lock, pods};

/// The token that a service account is given.
pub const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.t0ken-for-istiod";

/// Any body.
pub type Body = BoxBody<Bytes, Infallible>;

/// Where a request goes: `/apis/<group>/<version>/namespaces/<namespace>/<plural>/<name>/<subresource>`.
#[derive(Debug)]
struct Place {
    resource: String,
    namespace: Option<String>,
    name: Option<String>,
    sub: Option<String>,
}

/// Answers a request.
pub async fn answer(state: Shared, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_owned();
    let query: BTreeMap<String, String> = request.uri().query().unwrap_or_default().split('&').filter_map(pair).collect();
    while lock(&state).still {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    {
        let mut state = lock(&state);
        state.requests.push(request.uri().to_string());
        let accept = request.headers().get("accept").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        state.accepted.push(accept);
        if state.unauthorized {
            return Ok(status(401, "Unauthorized", "Unauthorized"));
        }
        if let Some(found) = discovery(&state, &path) {
            return Ok(found);
        }
    }
    let Some(place) = place(&path) else { return Ok(status(404, "NotFound", "the server could not find the requested resource")) };
    if let (Some(name), Some(sub)) = (&place.name, &place.sub) {
        let namespace = place.namespace.clone().unwrap_or_default();
        if place.resource == "serviceaccounts" {
            return Ok(token(&lock(&state), &namespace));
        }
        return Ok(pods::answer(state, request, &namespace, name, sub).await);
    }
    if let Some(name) = &place.name {
        return Ok(get(&lock(&state), &place, name));
    }
    let watched = query.get("watch").map(String::as_str) == Some("true");
    let verb = if watched { "watch" } else { "list" };
    let locked = lock(&state);
    if let Some(refused) = refused(&locked, verb, &place) {
        return Ok(refused);
    }
    if watched {
        let from = query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or_default();
        drop(locked);
        return Ok(watch(state, place, from));
    }
    // A server gives objects as a whole to who does not ask for their metadata alone.
    let whole = !locked.accepted.last().is_some_and(|accept| accept.contains("as=PartialObjectMetadataList"));
    Ok(list(&locked, &place, &query, whole))
}

fn refused(state: &State, verb: &str, place: &Place) -> Option<Response<Body>> {
    let (plural, group) = place.resource.split_once('.').unwrap_or((&place.resource, ""));
    if group.contains('.') && !state.crds.contains(&place.resource) {
        return Some(status(404, "NotFound", "the server could not find the requested resource"));
    }
    state.forbidden.contains(&(verb.to_owned(), place.resource.clone(), place.namespace.clone())).then(|| {
        let scope = place.namespace.as_ref().map_or("at the cluster scope".to_owned(), |name| format!("in the namespace \"{name}\""));
        let text =
            format!("{} is forbidden: User \"jane\" cannot {verb} resource \"{plural}\" in API group \"{group}\" {scope}", place.resource);
        status(403, "Forbidden", &text)
    })
}

/// A token for whoever may have one.
fn token(state: &State, namespace: &str) -> Response<Body> {
    let right = ("create".to_owned(), "serviceaccounts/token".to_owned(), Some(namespace.to_owned()));
    if state.forbidden.contains(&right) {
        let text = "serviceaccounts \"default\" is forbidden: User \"jane\" cannot create resource \"serviceaccounts/token\"";
        return status(403, "Forbidden", text);
    }
    let status = json!({"token": TOKEN, "expirationTimestamp": "2126-01-01T00:00:00Z"});
    reply(
        201,
        &json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {}, "spec": {"audiences": ["istio-ca"]}, "status": status}),
    )
}

fn list(state: &State, place: &Place, query: &BTreeMap<String, String>, whole: bool) -> Response<Body> {
    let from: usize = query.get("continue").and_then(|token| token.parse().ok()).unwrap_or_default();
    let label =
        query.get("labelSelector").and_then(|selector| selector.split_once("%3D")).map(|(key, value)| (key.to_owned(), value.to_owned()));
    let objects = state.objects.get(&place.resource).cloned().unwrap_or_default();
    let objects: Vec<_> = objects.into_iter().filter(|object| is_in(object, place.namespace.as_deref())).collect();
    let objects: Vec<_> = objects
        .into_iter()
        .filter(|object| label.as_ref().is_none_or(|(key, value)| object["metadata"]["labels"][key] == value.as_str()))
        .collect();
    let objects: Vec<_> = objects.into_iter().filter(|object| is_selected(object, query.get("fieldSelector"))).collect();
    let form = |object: &Value| if whole { object.clone() } else { json!({"metadata": object["metadata"]}) };
    let items: Vec<_> = objects.iter().skip(from).take(state.page).map(form).collect();
    let next = if from + items.len() < objects.len() { (from + items.len()).to_string() } else { String::new() };
    let metadata = json!({"resourceVersion": state.version.to_string(), "continue": next});
    reply(200, &json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}))
}

fn get(state: &State, place: &Place, name: &str) -> Response<Body> {
    if let Some(refused) = refused(state, "get", place) {
        return refused;
    }
    let mut objects = state.objects.get(&place.resource).into_iter().flatten();
    let found = objects.find(|object| object["metadata"]["name"] == name && is_in(object, place.namespace.as_deref()));
    found.map_or_else(|| status(404, "NotFound", &format!("{} \"{name}\" not found", place.resource)), |object| reply(200, object))
}

fn watch(state: Shared, place: Place, mut from: u64) -> Response<Body> {
    let (mut sender, receiver) = mpsc::channel::<String>(16);
    tokio::spawn(async move {
        let mut changed = lock(&state).changed.subscribe();
        loop {
            let (events, gone) = {
                let state = lock(&state);
                let new = state.history.iter().filter(|event| event.version > from && event.resource == place.resource);
                let new = new.filter(|event| event.kind == "BOOKMARK" || is_in(&event.object, place.namespace.as_deref()));
                (new.cloned().collect::<Vec<_>>(), from < state.oldest)
            };
            if gone {
                let object = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 410,
                    "reason": "Expired", "message": "too old resource version"});
                let _ = sender.send(line(&json!({"type": "ERROR", "object": object}))).await;
                return;
            }
            for event in events {
                from = event.version;
                if sender.send(line(&json!({"type": event.kind, "object": event.object}))).await.is_err() {
                    return;
                }
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    });
    let frames = receiver.map(|line| Ok(Frame::data(Bytes::from(line))));
    Response::builder().status(200).header("content-type", "application/json").body(BodyExt::boxed(StreamBody::new(frames))).unwrap()
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

fn is_in(object: &Value, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
}

/// Whether all of a field selector's fields are so: `metadata.name=a,type=b`.
fn is_selected(object: &Value, selector: Option<&String>) -> bool {
    let selector = selector.map(|selector| selector.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/")).unwrap_or_default();
    let mut fields = selector.split(',').filter_map(pair);
    fields.all(|(field, value)| object.pointer(&format!("/{}", field.replace('.', "/"))).is_some_and(|found| *found == value.as_str()))
}

fn discovery(state: &State, path: &str) -> Option<Response<Body>> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for crd in &state.crds {
        let (plural, group) = crd.split_once('.')?;
        groups.entry(group).or_default().push(plural);
    }
    let version = |group: &str| if group == "extensions.istio.io" { "v1alpha1" } else { "v1" };
    // EnvoyFilter has a version of its own.
    let versions = |group: &str| if group == "networking.istio.io" { vec!["v1", "v1alpha3"] } else { vec![version(group)] };
    let verbs = json!(["get", "list", "watch"]);
    if path == "/apis" {
        let items: Vec<_> = if state.aggregated {
            let one = |(group, plurals): (&&str, &Vec<&str>)| {
                let resources: Vec<_> = plurals.iter().map(|plural| json!({"resource": plural, "verbs": verbs})).collect();
                let versions: Vec<_> =
                    versions(group).into_iter().map(|version| json!({"version": version, "resources": resources})).collect();
                json!({"metadata": {"name": group}, "versions": versions})
            };
            groups.iter().map(one).collect()
        } else {
            let one = |group: &&str| json!({"name": group, "versions": versions(group).into_iter().map(|version| json!({"version": version})).collect::<Vec<_>>()});
            groups.keys().map(one).collect()
        };
        let (kind, field) = if state.aggregated { ("APIGroupDiscoveryList", "items") } else { ("APIGroupList", "groups") };
        return Some(reply(200, &json!({"kind": kind, "apiVersion": "v1", field: items})));
    }
    let (group, _) = path.strip_prefix("/apis/")?.split_once('/').filter(|(_, rest)| !rest.contains('/'))?;
    let resources: Vec<_> = groups.get(group)?.iter().map(|plural| json!({"name": plural, "verbs": verbs})).collect();
    Some(reply(200, &json!({"kind": "APIResourceList", "apiVersion": "v1", "resources": resources})))
}

fn place(path: &str) -> Option<Place> {
    let mut parts = path.trim_start_matches('/').split('/');
    let group = match parts.next()? {
        "api" => String::new(),
        "apis" => format!(".{}", parts.next()?),
        _ => return None,
    };
    let _version = parts.next()?;
    let mut rest: Vec<_> = parts.map(str::to_owned).collect();
    let namespace = (rest.len() > 2 && rest[0] == "namespaces").then(|| rest.drain(..2).nth(1)).flatten();
    let mut rest = rest.into_iter();
    Some(Place { resource: format!("{}{group}", rest.next()?), namespace, name: rest.next(), sub: rest.next() })
}

fn pair(text: &str) -> Option<(String, String)> {
    text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// A JSON answer.
pub fn reply(code: u16, value: &Value) -> Response<Body> {
    let body = BodyExt::boxed(Full::new(Bytes::from(value.to_string())));
    Response::builder().status(code).header("content-type", "application/json").body(body).unwrap()
}

/// A failure as the API server writes it.
pub fn status(code: u16, reason: &str, message: &str) -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code, "reason": reason, "message": message});
    reply(code, &status)
}
