//! The part of a config dump that chains and plugins need, put together from what Envoy can be asked for.
//!
//! A `mask` has to fit a section in every one of its paths, or Envoy leaves that section out, so that no single mask gives
//! listeners, extension configs and the node: three requests on one connection, a third of the whole dump's size.

use bytes::Bytes;
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::exec;
use super::forward::{Answer, Forward, Limits};
use super::trouble::{Cause, Trouble, one_line};

const LISTENERS: &str = "/config_dump?mask=dynamic_listeners,static_listeners";
const ECDS: &str = "/config_dump?mask=ecds_filters";
/// All of the node but `extensions`, the list of what this Envoy was built with: nine tenths of it.
const NODE: &str =
    "/config_dump?mask=bootstrap.node.id,bootstrap.node.metadata,bootstrap.node.user_agent_name,bootstrap.node.user_agent_build_version";
const WHOLE: &str = "/config_dump";
/// What only a comparison with istiod's view needs, without what comes from the bootstrap.
const CLUSTERS: &str = "/config_dump?mask=dynamic_active_clusters,dynamic_warming_clusters";
const ROUTES: &str = "/config_dump?mask=dynamic_route_configs";
const ENDPOINTS: &str = "/config_dump?include_eds&mask=dynamic_endpoint_configs";
const WHOLE_WITH_ENDPOINTS: &str = "/config_dump?include_eds";

/// An open way to one port of a proxy.
pub(super) enum Way<'a> {
    /// A port-forward.
    Forward(Box<Forward>),
    /// `pilot-agent request` in a container.
    Exec {
        /// The pods of the namespace.
        pods: &'a Api<Pod>,
        /// The pod.
        pod: &'a str,
        /// The container.
        container: &'a str,
        /// The port.
        port: u16,
    },
}

impl Way<'_> {
    /// Asks once.
    pub async fn ask(&mut self, method: Method, path: &str, limits: Limits) -> Result<Answer, Trouble> {
        match self {
            Self::Forward(forward) => forward.ask(method, path, limits).await,
            Self::Exec { pods, pod, container, port } => exec::ask(pods, pod, container, *port, &method, path, limits).await,
        }
    }
}

/// Reads the parts. Gives notes too: what had to be read in another way.
pub(super) async fn chains(way: &mut Way<'_>, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
    let listeners = way.ask(Method::GET, LISTENERS, limits).await?;
    // Once something has come the way is known to work, and the whole time is this way's.
    let limits = Limits { first: limits.end, ..limits };
    if matches!(listeners.status, 400 | 404) {
        let note = format!("this proxy cannot give a part of its dump ({}), the whole was read", said(&listeners));
        let whole = way.ask(Method::GET, WHOLE, limits).await?;
        return Ok((accept(whole)?, vec![note]));
    }
    let listeners = accept(listeners)?;
    let ecds = way.ask(Method::GET, ECDS, limits).await?;
    let node = way.ask(Method::GET, NODE, limits).await?;
    let mut sections = sections(&listeners, "ListenersConfigDump")?;
    // A proxy that has no extension configs has no such section, and says so with 400 or 404.
    let ecds = if matches!(ecds.status, 400 | 404) { Bytes::new() } else { accept(ecds)? };
    let node = accept(node)?;
    if !ecds.is_empty() {
        sections.extend(self::sections(&ecds, "EcdsConfigDump")?);
    }
    sections.splice(0..0, self::sections(&node, "BootstrapConfigDump")?);
    Ok((join(&sections), Vec::new()))
}

/// Reads the clusters, routes and endpoints. Routes are an empty section where the proxy has none, of which it says that the mask fits nothing.
pub(super) async fn resources(way: &mut Way<'_>, limits: Limits) -> Result<(Bytes, Vec<String>), Trouble> {
    let clusters = way.ask(Method::GET, CLUSTERS, limits).await?;
    // Once something has come the way is known to work, and the whole time is this way's.
    let limits = Limits { first: limits.end, ..limits };
    if matches!(clusters.status, 400 | 404) {
        let note = format!("this proxy cannot give a part of its dump ({}), the whole was read", said(&clusters));
        let whole = way.ask(Method::GET, WHOLE_WITH_ENDPOINTS, limits).await?;
        return Ok((accept(whole)?, vec![note]));
    }
    let (clusters, mut rest) = (accept(clusters)?, Vec::with_capacity(2));
    for path in [ROUTES, ENDPOINTS] {
        let answer = way.ask(Method::GET, path, limits).await?;
        rest.push(if matches!(answer.status, 400 | 404) { Bytes::from_static(b"{}") } else { accept(answer)? });
    }
    let mut found = sections(&clusters, "ClustersConfigDump")?;
    let no_routes = serde_json::value::to_raw_value(&serde_json::json!({"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump"}))
        .map_err(|error| Trouble::new(Cause::Refused, error.to_string()))?;
    let routes = sections(&rest[0], ".RoutesConfigDump")?;
    found.extend(if routes.is_empty() { vec![&*no_routes] } else { routes });
    found.extend(sections(&rest[1], "EndpointsConfigDump")?);
    Ok((join(&found), Vec::new()))
}

/// The body of an answer that is a JSON object.
pub(super) fn accept(answer: Answer) -> Result<Bytes, Trouble> {
    if answer.status != 200 {
        return Err(Trouble::new(Cause::Answered, said(&answer)));
    }
    match answer.body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(answer.body),
        _ => Err(Trouble::new(Cause::Answered, format!("the answer is no JSON object: {}", text(&answer.body)))),
    }
}

/// `status 400: FieldMask …`.
pub(super) fn said(answer: &Answer) -> String {
    format!("status {}: {}", answer.status, text(&answer.body))
}

fn text(body: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(body.get(..500).unwrap_or(body)))
}

#[derive(Deserialize)]
struct Dump<'a> {
    #[serde(borrow, default)]
    configs: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "@type", default)]
    type_url: std::borrow::Cow<'a, str>,
}

/// The sections of one type. Envoys before 1.22 leave those that the mask does not fit in the answer, empty.
fn sections<'a>(dump: &'a [u8], name: &str) -> Result<Vec<&'a RawValue>, Trouble> {
    let unusable = |error: serde_json::Error| Trouble::new(Cause::Answered, format!("the answer is no config dump: {error}"));
    let is_empty = !dump.contains(&b'"');
    let dump: Dump<'a> = serde_json::from_slice(dump).map_err(unusable)?;
    // Envoy writes an empty object where there are no sections. ztunnel, whose container has the same name, writes another sort of dump.
    let configs = match dump.configs {
        None if !is_empty => return Err(Trouble::new(Cause::Answered, "the answer is no config dump of an Envoy")),
        configs => configs.unwrap_or_default(),
    };
    let is_wanted =
        |section: &&RawValue| serde_json::from_str::<Typed<'_>>(section.get()).is_ok_and(|typed| typed.type_url.ends_with(name));
    Ok(configs.into_iter().filter(is_wanted).collect())
}

fn join(sections: &[&RawValue]) -> Bytes {
    let size: usize = sections.iter().map(|section| section.get().len() + 1).sum();
    let mut joined = Vec::with_capacity(size + 16);
    joined.extend_from_slice(b"{\"configs\":[");
    for (index, section) in sections.iter().enumerate() {
        if index > 0 {
            joined.push(b',');
        }
        joined.extend_from_slice(section.get().as_bytes());
    }
    joined.extend_from_slice(b"]}");
    Bytes::from(joined)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parts_become_one_dump() {
        let listeners =
            br#"{"configs": [{"@type": "x/envoy.admin.v3.ListenersConfigDump", "n": 1}, {"@type": "x/envoy.admin.v3.EcdsConfigDump"}]}"#;
        let ecds = br#"{"configs": [{"@type": "x/envoy.admin.v3.EcdsConfigDump", "n": 2}]}"#;
        let mut all = sections(listeners, "ListenersConfigDump").unwrap();
        all.extend(sections(ecds, "EcdsConfigDump").unwrap());
        let joined: serde_json::Value = serde_json::from_slice(&join(&all)).unwrap();
        assert_eq!(joined["configs"].as_array().map(Vec::len), Some(2));
        assert_eq!(joined["configs"][1]["n"], 2);
        assert!(sections(b"{\"workloads\": []}", "x").is_err());
        assert!(sections(b"{}", "x").unwrap().is_empty());
        assert_eq!(join(&[]), "{\"configs\":[]}");
    }

    #[test]
    fn only_json_objects_of_good_answers_are_taken() {
        let answer = |status, body: &'static str| Answer { status, body: Bytes::from_static(body.as_bytes()) };
        assert!(accept(answer(200, " {\"a\": 1}")).is_ok());
        assert_eq!(accept(answer(404, "no\nsuch")).unwrap_err().text, "status 404: no");
        assert!(accept(answer(200, "invalid path")).is_err());
    }
}
