//! What a filter chain asks of a connection, as part of an answer.

use serde::Serialize;

use crate::model::envoy::{ChainMatch, SourceType};

/// The conditions of a chain that are set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainMatchAnswer {
    /// `destination_port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_port: Option<u16>,
    /// `prefix_ranges`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefix_ranges: Vec<String>,
    /// `transport_protocol`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub transport_protocol: String,
    /// `application_protocols`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub application_protocols: Vec<String>,
    /// `server_names`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub server_names: Vec<String>,
    /// `direct_source_prefix_ranges`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub direct_source_prefix_ranges: Vec<String>,
    /// `source_type`, where it is not `ANY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_type: Option<&'static str>,
    /// `source_prefix_ranges`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_prefix_ranges: Vec<String>,
    /// `source_ports`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_ports: Vec<u16>,
    /// Fields that this program does not know, as `name=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<String>,
    /// The ways through the listener's `filter_chain_matcher` that end here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matcher: Vec<String>,
}

/// The match of a chain; `matcher` is what the listener's matcher tree asks for it, in words.
pub(super) fn answer(matches: &ChainMatch, matcher: &[String]) -> ChainMatchAnswer {
    let matches = matches.clone();
    ChainMatchAnswer {
        destination_port: matches.destination_port,
        prefix_ranges: matches.prefix_ranges,
        transport_protocol: matches.transport_protocol,
        application_protocols: matches.application_protocols,
        server_names: matches.server_names,
        direct_source_prefix_ranges: matches.direct_source_prefix_ranges,
        source_type: matches.source_type.map(SourceType::as_str),
        source_prefix_ranges: matches.source_prefix_ranges,
        source_ports: matches.source_ports,
        other: matches.other,
        matcher: matcher.to_vec(),
    }
}
