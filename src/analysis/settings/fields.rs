//! What the names of fields tell of their values, since JSON does not say a field's type (`envoy/config/**`, `envoy/extensions/**`).

/// Maps: people chose their keys.
const MAPS: &[&str] = &[
    "virtual_hosts",
    "policies",
    "key_values",
    "map",
    "providers",
    "requirement_map",
    "requires",
    "context_extensions",
    "allowed_capabilities",
    "secret_configs",
    "source_codes",
    "typed_filter_metadata",
    "typed_per_filter_config",
    "typed_extension_protocol_options",
];

/// Structs: people chose all that is in them.
const DATA: &[&str] =
    &["filter_metadata", "json_format", "typed_json_format", "default_subset", "transport_socket_match_criteria", "configuration"];

/// Lists in which the order says nothing: istiod makes some of them of Go's maps.
const SETS: &[&str] =
    &["domains", "services", "match_subject_alt_names", "match_typed_subject_alt_names", "query_parameters", "lb_endpoints", "endpoints"];

/// Strings that people wrote, of which none is a duration.
const TEXTS: &[&str] = &["name", "value", "raw_value", "exact", "prefix", "suffix", "contains", "regex", "inline_string", "string_value"];

/// Fields that are not there where they were not set, so that a zero, false or empty text is one that somebody set: wrappers such as
/// `UInt32Value` whose absence is no zero, and what is one of several alternatives.
const SET: &[&str] = &[
    "access_token",
    "add_proxy_protocol_connection_state",
    "always_consume_default_token_bucket",
    "any",
    "any_match",
    "bind_to_port",
    "bool_match",
    "case_sensitive",
    "charge_cluster_response_stats",
    "chunk_size",
    "clear_route_cache",
    "cluster",
    "cluster_header",
    "contains",
    "contains_match",
    "content_length",
    "destination_port",
    "disable_stateless_session_resumption",
    "disabled",
    "disallow_obs_text",
    "dynamic_stats",
    "enable_resumption",
    "enable_reuse_port",
    "enabled",
    "environment_variable",
    "exact",
    "exact_match",
    "filename",
    "fill_rate",
    "forward_not_matching_preflights",
    "generate_request_id",
    "grpc_status",
    "hash_balance_factor",
    "healthy_threshold",
    "host_rewrite",
    "host_rewrite_header",
    "host_rewrite_literal",
    "hpack_table_size",
    "http_status",
    "https_redirect",
    "index",
    "inline_bytes",
    "inline_string",
    "int_value",
    "key",
    "load_balancing_weight",
    "normalize_path",
    "num_retries",
    "number",
    "overprovisioning_factor",
    "path",
    "path_redirect",
    "path_separated_prefix",
    "per_connection_buffer_limit_bytes",
    "port_value",
    "prefix",
    "prefix_len",
    "prefix_match",
    "prefix_rewrite",
    "present_match",
    "propagate",
    "request_body_buffer_limit",
    "reuse_connection",
    "scheme_redirect",
    "service_name",
    "stage",
    "status_code",
    "string_value",
    "strip_any_host_port",
    "suffix",
    "suffix_match",
    "text_format",
    "tokens_per_fill",
    "total_weight",
    "unhealthy_threshold",
    "validate_clusters",
    "value",
    "wait_for_warm_on_init",
    "weight",
];
/// How more such fields begin.
const SET_FROM: &[&str] = &[
    "max_",
    "min_",
    "maximum_",
    "minimum_",
    "initial_",
    "enforcing_",
    "consecutive_",
    "keepalive_",
    "success_rate_",
    "failure_percentage_",
];

/// Fields with a number that stands behind an underscore, which lowerCamelCase does not show.
const NUMBERED: &[&str] = &[
    "accept_http_10",
    "consecutive_5xx",
    "default_host_for_http_10",
    "enforcing_consecutive_5xx",
    "ignore_http_11_upgrade",
    "normalize_path_rfc_3986",
    "proxy_100_continue",
    "trace_id_128bit",
];

/// Enumerations, by the field: the names of 0, 1, 2 and so on. A field of several messages stands here once a message.
const ENUMS: &[(&str, &[&str])] = &[
    ("action", &["ALLOW", "DENY", "LOG"]),
    ("append_action", &["APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS"]),
    ("audit_condition", &["NONE", "ON_DENY", "ON_ALLOW", "ON_DENY_AND_ALLOW"]),
    ("cluster_not_found_response_code", &["SERVICE_UNAVAILABLE", "NOT_FOUND", "INTERNAL_SERVER_ERROR"]),
    ("codec_client_type", &["HTTP1", "HTTP2", "HTTP3"]),
    ("codec_type", &["AUTO", "HTTP1", "HTTP2", "HTTP3"]),
    ("denominator", &["HUNDRED", "TEN_THOUSAND", "MILLION"]),
    ("dns_lookup_family", &["AUTO", "V4_ONLY", "V6_ONLY", "V4_PREFERRED", "ALL"]),
    ("drain_type", &["DEFAULT", "MODIFY_ONLY"]),
    ("enable_x_ratelimit_headers", &["OFF", "DRAFT_VERSION_03"]),
    // Unset, it fails closed (`envoy/extensions/wasm/v3/wasm.proto: FailurePolicy`).
    ("failure_policy", &["UNSPECIFIED", "FAIL_RELOAD", "FAIL_CLOSED", "FAIL_OPEN"]),
    ("forward_client_cert_details", &["SANITIZE", "FORWARD_ONLY", "APPEND_FORWARD", "SANITIZE_SET", "ALWAYS_FORWARD_ONLY"]),
    ("headers_with_underscores_action", &["ALLOW", "REJECT_REQUEST", "DROP_HEADER"]),
    ("health_status", &["UNKNOWN", "HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED"]),
    ("op", &["EQ", "GE", "LE", "NE"]),
    (
        "path_with_escaped_slashes_action",
        &["IMPLEMENTATION_SPECIFIC_DEFAULT", "KEEP_UNCHANGED", "REJECT_REQUEST", "UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD"],
    ),
    ("priority", &["DEFAULT", "HIGH"]),
    ("protocol", &["TCP", "UDP"]),
    ("request_body_mode", &["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED", "GRPC"]),
    ("request_header_mode", &["DEFAULT", "SEND", "SKIP"]),
    ("request_trailer_mode", &["DEFAULT", "SEND", "SKIP"]),
    ("require_tls", &["NONE", "EXTERNAL_ONLY", "ALL"]),
    ("resource_api_version", &["AUTO", "V2", "V3"]),
    ("response_body_mode", &["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED", "GRPC"]),
    ("response_code", &["MOVED_PERMANENTLY", "FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT", "PERMANENT_REDIRECT"]),
    ("response_header_mode", &["DEFAULT", "SEND", "SKIP"]),
    ("response_trailer_mode", &["DEFAULT", "SEND", "SKIP"]),
    ("route_cache_action", &["DEFAULT", "CLEAR", "RETAIN"]),
    ("san_type", &["SAN_TYPE_UNSPECIFIED", "EMAIL", "DNS", "URI", "IP_ADDRESS", "OTHER_NAME"]),
    ("server_header_transformation", &["OVERWRITE", "APPEND_IF_ABSENT", "PASS_THROUGH"]),
    ("source_type", &["ANY", "SAME_IP_OR_LOOPBACK", "EXTERNAL"]),
    ("tls_maximum_protocol_version", &["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]),
    ("tls_minimum_protocol_version", &["TLS_AUTO", "TLSv1_0", "TLSv1_1", "TLSv1_2", "TLSv1_3"]),
    ("traffic_direction", &["UNSPECIFIED", "INBOUND", "OUTBOUND"]),
    ("transport_api_version", &["AUTO", "V2", "V3"]),
    ("trust_chain_verification", &["VERIFY_TRUST_CHAIN", "ACCEPT_UNTRUSTED"]),
    ("type", &["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"]),
    ("type", &["STRING", "NUMBER", "PROTOBUF_VALUE"]),
    ("unit", &["UNKNOWN", "SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"]),
];

/// Who chose the keys of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// They are fields of a message.
    Message,
    /// People did; behind them stand messages or texts.
    Map,
    /// People did, and all below them.
    Data,
}

impl Zone {
    /// The zone of what stands behind a key.
    pub(super) fn below(self, key: &str) -> Self {
        match self {
            Self::Data => Self::Data,
            Self::Map => Self::Message,
            Self::Message if DATA.contains(&key) => Self::Data,
            Self::Message if MAPS.contains(&key) => Self::Map,
            Self::Message => Self::Message,
        }
    }
}

/// Whether the elements of the list behind this key stand in no order that matters.
pub(super) fn is_set(key: &str) -> bool {
    SETS.contains(&key)
}

/// Whether people wrote what stands behind this key.
pub(super) fn is_text(key: &str) -> bool {
    TEXTS.contains(&key)
}

/// The name of a field in which only the underscore before a number is missing.
pub(super) fn numbered(key: &str) -> Option<&'static str> {
    let bare = |name: &'static &str| name.bytes().filter(|byte| *byte != b'_').eq(key.bytes().filter(|byte| *byte != b'_'));
    NUMBERED.iter().find(|name| bare(name)).copied()
}

/// Whether an empty value of this field says something that its absence does not.
pub(super) fn is_told_by_presence(key: &str) -> bool {
    SET.contains(&key) || SET_FROM.iter().any(|start| key.starts_with(start))
}

/// The enumerations that a field of this name can have, each as the names of 0, 1, 2 and so on.
pub(super) fn enumerations(key: &str) -> impl Iterator<Item = &'static [&'static str]> {
    ENUMS.iter().filter(move |(field, _)| *field == key).map(|(_, names)| *names)
}
