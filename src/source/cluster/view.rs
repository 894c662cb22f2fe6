//! What an istiod would send a proxy: its dump on port 15014, or in parts where it cannot write the whole; where that interface is
//! closed, over xDS.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::Shared;
use super::dump::{accept, said};
use super::forward::Limits;
use super::istiod::{PORT, ask, failed, is_closed, pods};
use super::trouble::{Cause, Trouble};
use super::xds;
use crate::clock;
use crate::model::envoy::DumpView;
use crate::model::ids::ProxyId;
use crate::source::{AskedAs, Reply, SourceError};

/// The types that are asked for where the whole cannot be had: all but ECDS, then the listeners, which every istiod can write.
const PARTS: [(&str, &str); 2] = [("lds,cds,rds,eds", "all but its ECDS was read there"), ("lds", "only its listeners were read there")];

/// A dump, the way by which it came, and what was tried before.
pub(super) struct Found {
    pub(super) bytes: Bytes,
    pub(super) way: &'static str,
    pub(super) tried: Vec<String>,
    pub(super) asked_as: Option<AskedAs>,
}

/// What istiod would send a proxy, with endpoints, as an answer of its own.
pub(super) async fn view_of(shared: &Shared, proxy: &ProxyId) -> Result<Reply, SourceError> {
    let began = clock::now();
    let end = began + shared.timeout;
    match dump_of(shared, proxy, true, Limits { first: end, end }).await {
        Ok(Found { bytes, way, tried, asked_as }) => {
            Ok(Reply { bytes, way, view: DumpView::Istiod, took: began.elapsed(), tried, asked_as })
        }
        Err(trouble) => Err(failed(shared, &format!("what it would send {proxy}"), &trouble)),
    }
}

/// What istiod would send a proxy, from the istiod that the proxy is connected to.
pub(super) async fn dump_of(shared: &Shared, proxy: &ProxyId, endpoints: bool, limits: Limits) -> Result<Found, Trouble> {
    let mut last = None;
    for pod in pods(shared).await? {
        match dump_from(shared, &pod, proxy, endpoints, limits).await {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => {}
            Err(trouble) => last = Some(Trouble { text: format!("{pod}: {}", trouble.text), ..trouble }),
        }
    }
    Err(last.unwrap_or_else(|| Trouble::new(Cause::Refused, format!("{proxy} is connected to no istiod"))))
}

async fn dump_from(shared: &Shared, pod: &str, proxy: &ProxyId, endpoints: bool, limits: Limits) -> Result<Option<Found>, Trouble> {
    let connections = ask(shared, pod, "/debug/connections", limits).await?;
    if is_closed(&connections) {
        let closed = format!("on port {PORT}: {}", said(&connections));
        return match over_xds(shared, pod, proxy, limits).await {
            Ok(found) => Ok(found.map(|told| Found {
                bytes: told.bytes,
                way: "xDS",
                tried: std::iter::once(closed).chain(told.refused).collect(),
                asked_as: Some(told.asked_as),
            })),
            Err(trouble) => Err(Trouble { text: format!("{closed}; over xDS: {}", trouble.text), ..trouble }),
        };
    }
    let connections = accept(connections)?;
    if !is_alone(ids(&read(&connections)?["clients"], "/connectionId").map(without_count), proxy)? {
        return Ok(None);
    }
    let path = format!("/debug/config_dump?proxyID={proxy}");
    let whole = ask(shared, pod, &if endpoints { format!("{path}&include_eds") } else { path.clone() }, limits).await?;
    if whole.status != 500 {
        return Ok(Some(Found { bytes: accept(whole)?, way: "port-forward", tried: Vec::new(), asked_as: None }));
    }
    // It cannot write a plugin without configuration; what is no plugin it can.
    for (types, left_out) in &PARTS[usize::from(!endpoints)..] {
        let part = ask(shared, pod, &format!("{path}&types={types}"), limits).await?;
        if part.status != 500 || *types == "lds" {
            let part = accept(part)?;
            let (bytes, of_ecds) = match if endpoints { with_extensions(shared, pod, proxy, &part, limits).await } else { Ok(None) } {
                Ok(Some(both)) => (both, ", and its ECDS over xDS".to_owned()),
                Ok(None) => (part, String::new()),
                Err(trouble) => (part, format!(", and not its ECDS over xDS: {}", trouble.text)),
            };
            let note = format!("istiod's debug dump: {}, so that {left_out}{of_ecds}", said(&whole));
            return Ok(Some(Found { bytes, way: "port-forward", tried: vec![note], asked_as: None }));
        }
    }
    Ok(None)
}

/// The parts with the ECDS that the same istiod would send, which over xDS it can write whatever the plugins are configured with; None where
/// the parts are no dump, to which it could be added.
async fn with_extensions(shared: &Shared, pod: &str, proxy: &ProxyId, part: &[u8], limits: Limits) -> Result<Option<Bytes>, Trouble> {
    let reply = xds::extensions(shared, pod, proxy, limits).await?;
    Ok(joined(part, &reply.bytes))
}

/// The resources of some types and the sections of a dump, as one dump.
fn joined(part: &[u8], dump: &[u8]) -> Option<Bytes> {
    let mut all = Sections { configs: sections(part).ok()? };
    all.configs.extend(sections(dump).ok()?);
    serde_json::to_vec(&all).ok().map(Bytes::from)
}

#[derive(Deserialize, Serialize)]
struct Sections<'a> {
    #[serde(borrow)]
    configs: Vec<&'a RawValue>,
}

fn sections(dump: &[u8]) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_slice::<Sections<'_>>(dump).map(|dump| dump.configs)
}

async fn over_xds(shared: &Shared, pod: &str, proxy: &ProxyId, limits: Limits) -> Result<Option<xds::Told>, Trouble> {
    let synced = xds::ask(shared, pod, "/debug/syncz", limits).await?;
    if !is_alone(ids(&read(&synced.bytes)?["resources"], "/node/id"), proxy)? {
        let AskedAs { account, sees_all } = &synced.asked_as;
        // Of the proxies of other namespaces it does not tell everyone, so that nothing says whether it has this one.
        return match *sees_all || account.namespace == proxy.namespace {
            true => Ok(None),
            false => Err(Trouble::new(
                Cause::Forbidden,
                format!("it tells service account {account} of the proxies of namespace {} alone", account.namespace),
            )),
        };
    }
    xds::config_dump(shared, pod, proxy, limits).await.map(Some)
}

fn read(answer: &[u8]) -> Result<Value, Trouble> {
    serde_json::from_slice(answer).map_err(|error| Trouble::new(Cause::Refused, format!("the list of connections cannot be read: {error}")))
}

/// The proxies of a list, each by what stands at a place of its entry.
fn ids<'v>(list: &'v Value, at: &'static str) -> impl Iterator<Item = &'v str> {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().filter_map(move |entry| entry.pointer(at)?.as_str())
}

/// `web-1.default-7`, the seventh connection of `web-1.default`.
fn without_count(connection: &str) -> &str {
    connection.rsplit_once('-').map_or(connection, |(name, _)| name)
}

/// Whether this istiod has the proxy. An error where it would answer for another one: it takes the first connection whose
/// ID contains what it is asked for, and `web-1.default` is in `myweb-1.default-7` too.
fn is_alone<'v>(connected: impl Iterator<Item = &'v str>, proxy: &ProxyId) -> Result<bool, Trouble> {
    let wanted = proxy.to_string();
    let (own, others): (Vec<_>, Vec<_>) = connected.filter(|name| name.contains(&wanted)).partition(|name| **name == wanted);
    match (own.first(), others.first()) {
        (None, _) => Ok(false),
        (Some(_), None) => Ok(true),
        (Some(_), Some(other)) => {
            Err(Trouble::new(Cause::Refused, format!("it cannot tell {wanted} from {other}, whose name contains that one")))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn istiod_is_not_asked_where_it_would_answer_for_another_proxy() {
        let proxy = ProxyId::new("web-1", "default");
        let is_alone = |list: &str| is_alone(ids(&read(list.as_bytes()).unwrap()["clients"], "/connectionId").map(without_count), &proxy);
        assert!(is_alone(r#"{"clients": [{"connectionId": "web-1.default-12"}, {"connectionId": "web-2.default-3"}]}"#).unwrap());
        assert!(!is_alone(r#"{"clients": [{"connectionId": "web-2.default-3"}]}"#).unwrap());
        assert!(!is_alone(r#"{"clients": null}"#).unwrap());
        let both = r#"{"clients": [{"connectionId": "web-1.default-12"}, {"connectionId": "myweb-1.default-3"}]}"#;
        assert!(is_alone(both).unwrap_err().text.contains("myweb-1.default"));
    }
}
