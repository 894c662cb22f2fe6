//! Why a request or connection failed, by the response flags and details of the access log (`envoy/stream_info/stream_info.h:
//! CoreResponseFlag, ResponseCodeDetailValues`). An answer of the application is no failure of the mesh, and neither is a client that hangs up.

use std::borrow::Cow;

use super::gateway_api;
use crate::ingest::logs::details::NO_CONFIGURATION;
use crate::model::ids::ObjectName;
use crate::model::log_details::LoggedRequest;
use crate::model::requests::{Cause, FailedReason};

/// Why a request failed; None where it did not, where the application or a plugin answered, and where the client hung up.
pub fn of(request: &LoggedRequest<'_>) -> Option<Cause> {
    let has = |flag: &str| request.flags.split(',').any(|known| known == flag);
    let name = request.details.split(['{', '[']).next().unwrap_or_default();
    if name == "low_version" {
        // Since Envoy's codec answers it, the flag DPE can be there too (`source/common/http/http1/codec_impl.cc: checkProtocolVersion`).
        return Some(Cause::OldHttp);
    }
    let of_plugin = has(NO_CONFIGURATION) || has("RFCF") || request.details.contains("wasm");
    if of_plugin || name == "via_upstream" || has("DC") || has("DPE") || name.starts_with("downstream_") {
        return None;
    }
    let (tls, details) = (&request.transport_failure, &request.details);
    let is_tls = |words: &str| tls.contains(words) || details.contains(words);
    let is_reset = || has("UC") || has("UR") || has("LR") || has("UPE");
    // Of a connection it failed where nothing came back: those that idle end this way, too. Of gRPC the proxy's own answer has code 200 as well.
    let is_unanswered = || match request.is_tcp() {
        true => request.bytes_sent == Some(0),
        false => request.code >= 500 || name == "upstream_reset_before_response_started",
    };
    Some(match name {
        "rbac_access_denied_matched_policy" => Cause::Denied,
        _ if request.termination.starts_with("rbac_access_denied_matched_policy") => Cause::Denied,
        "jwt_authn_access_denied" => Cause::Jwt,
        "filter_chain_not_found" => Cause::NoChain,
        _ if &*request.cluster == BLACK_HOLE && (request.code >= 400 || has("UH")) => Cause::BlackHole,
        "direct_response" if &*request.route == BLOCK_ALL && request.code >= 400 => Cause::BlackHole,
        "direct_response" if gateway_api::has_no_backend(request) => Cause::NoCluster,
        "ext_authz_denied" | "ext_authz_error" => Cause::ExtAuthz,
        "fault_filter_abort" => Cause::Fault,
        "lua_response" if request.code >= 400 => Cause::Lua,
        "local_rate_limited" | "request_rate_limited" | "rate_limiter_error" => Cause::RateLimit,
        _ if has("NC") => Cause::NoCluster,
        _ if has("NR") && !request.is_tcp() => Cause::NoRoute,
        _ if has("NR") => Cause::NoChain,
        _ if has("UF") && is_tls("SAN_matcher") => Cause::OtherSan,
        _ if has("UF") && is_tls("TLS_error") => Cause::Tls,
        _ if has("UF") => Cause::NoConnection,
        _ if has("UH") || has("LH") || has("DF") => Cause::NoEndpoint,
        _ if has("UO") || has("DO") || has("OM") || details.contains("{overflow") => Cause::Overflow,
        _ if has("UT") || has("UMSDR") => Cause::Late,
        _ if has("FI") => Cause::Fault,
        _ if has("RL") || has("RLSE") => Cause::RateLimit,
        _ if has("UAEX") => Cause::ExtAuthz,
        // A response that had begun was the application's, as far as it came.
        _ if is_reset() && is_unanswered() => Cause::Closed,
        _ => return None,
    })
}

/// Where a sidecar sends connections to what it does not know (`pilot/pkg/networking/util/util.go: BlackHoleCluster`).
const BLACK_HOLE: &str = "BlackHoleCluster";
/// The route of such requests (`pilot/pkg/networking/core/httproute.go: buildCatchAllVirtualHost`).
const BLOCK_ALL: &str = "block_all";

/// How istiod names the rules of a policy of action CUSTOM, and those that deny since it cannot use the provider
/// (`pilot/pkg/security/authz/builder/builder.go: policyName, getBadCustomDenyRules`).
const EXT_AUTHZ: &str = "istio-ext-authz-";
const BAD_CUSTOM: &str = "-deny-due-to-bad-CUSTOM-action";

/// What RBAC names as the reason of a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// This rule of this policy denies it.
    Rule(ObjectName, String),
    /// This rule of a policy of action CUSTOM, whose provider istiod cannot use.
    BadCustom(ObjectName, String),
    /// A policy that is none of Istio's, by its own name.
    Other(String),
    /// No rule allows it.
    None,
}

impl Denial {
    /// What the details of a denial say: `rbac_access_denied_matched_policy[ns[default]-policy[block-status]-rule[0]]`
    /// (`pilot/pkg/security/authz/builder/builder.go: policyName`).
    pub fn of(reason: &FailedReason) -> Option<Self> {
        let text = [&reason.details, &reason.termination].into_iter().find(|text| text.starts_with("rbac_access_denied"))?;
        let inner = text.split_once('[')?.1.strip_suffix(']')?;
        let rule = |text: &str| {
            let (namespace, rest) = text.strip_prefix("ns[")?.split_once("]-policy[")?;
            let (name, rule) = rest.split_once("]-rule[")?;
            Some((ObjectName::new(namespace, name), rule.trim_end_matches(']').to_owned()))
        };
        // `istio-ext-authz-PROVIDER-ns[…`; releases with one provider for a workload leave it out.
        let custom = || {
            let own = inner.strip_suffix(BAD_CUSTOM)?.strip_prefix(EXT_AUTHZ)?;
            rule(&own[own.find("ns[")?..])
        };
        Some(match (inner, rule(inner)) {
            ("none", _) => Self::None,
            (_, Some((name, rule))) => Self::Rule(name, rule),
            _ => custom().map_or_else(|| Self::Other(inner.to_owned()), |(name, rule)| Self::BadCustom(name, rule)),
        })
    }
}

/// What is in the braces of details, with blanks: `Jwt is missing`.
pub fn within(details: &str) -> Option<Cow<'_, str>> {
    let inner = details.split_once('{')?.1.trim_end_matches('}');
    (!inner.is_empty()).then(|| Cow::Owned(inner.replace('_', " ")))
}

/// Whether the upstream rejected the connection (`ECONNREFUSED`, by `source/common/network/connection_impl.cc: onFileEvent, connect` of the
/// transport failure: `delayed_connect_error:_Connection_refused`, `…:_111`).
pub fn is_rejected(request: &LoggedRequest<'_>) -> bool {
    let says = |text: &str| {
        text.split_once("connect_error:").is_some_and(|(_, errno)| {
            let errno = errno.trim_start_matches(['_', ' ']);
            errno.starts_with("Connection_refused")
                || errno.starts_with("Connection refused")
                || errno.split(|c: char| !c.is_ascii_digit()).next() == Some("111")
        })
    };
    says(&request.transport_failure) || says(&request.details)
}

/// The names that a server's certificate has, by the words of Envoy's TLS
/// (`source/common/tls/cert_validator/default_validator.cc`: `verify cert failed: SAN matcher, certificate SANs are [...]`).
pub fn certificate_names(reason: &FailedReason) -> Option<&str> {
    let (_, rest) = [&reason.transport_failure, &reason.details].into_iter().find_map(|text| text.split_once("certificate_SANs_are_["))?;
    rest.split_once(']').map(|(names, _)| names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(code: u16, flags: &str, details: &str) -> Option<Cause> {
        of(&LoggedRequest { method: "GET".into(), code, flags: flags.into(), details: details.into(), ..LoggedRequest::default() })
    }

    #[test]
    fn the_application_a_plugin_and_a_client_that_hangs_up_are_no_failures_of_the_mesh() {
        for (code, flags, details) in [
            (200, "", "via_upstream"),
            (404, "", "via_upstream"),
            (503, "URX", "via_upstream"),
            (403, "", "via_upstream"),
            (500, "NFCF", ""),
            (503, "", "wasm_fail_stream"),
            (401, "", ""),
            (503, "", "direct_response"),
            (301, "", "direct_response"),
            (0, "DC", "downstream_remote_disconnect"),
            (503, "UC,DC", "upstream_reset_before_response_started{connection_termination}"),
            (400, "DPE", "http1.codec_error"),
            (200, "UC", "upstream_reset_after_response_started{connection_termination}"),
            (413, "", "request_payload_too_large"),
            (408, "SI", "stream_idle_timeout"),
        ] {
            assert_eq!(cause(code, flags, details), None, "{code} {flags} {details}");
        }
    }

    #[test]
    fn flags_and_details_say_the_cause() {
        let san = "upstream_reset_before_response_started{remote_connection_failure|TLS_error:|268435581:SSL_routines:\
            OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_SAN_matcher,_certificate_SANs_are_[spiffe://a/ns/b/sa/c]:TLS_error_end}";
        for (code, flags, details, expected) in [
            (403, "", "rbac_access_denied_matched_policy[none]", Cause::Denied),
            // Of gRPC the code is 200, and the status says more.
            (200, "", "rbac_access_denied_matched_policy[none]", Cause::Denied),
            (200, "NC", "cluster_not_found", Cause::NoCluster),
            (401, "", "jwt_authn_access_denied{Jwt_is_missing}", Cause::Jwt),
            (404, "NR", "route_not_found", Cause::NoRoute),
            (503, "URX,UF", san, Cause::OtherSan),
            (503, "UF", "upstream_reset_before_response_started{remote_connection_failure|TLS_error:x}", Cause::Tls),
            (503, "UF,URX", "upstream_reset_before_response_started{connection_failure}", Cause::NoConnection),
            (503, "UC", "upstream_reset_before_response_started{connection_termination}", Cause::Closed),
            (503, "UH", "no_healthy_upstream", Cause::NoEndpoint),
            (503, "UO", "upstream_reset_before_response_started{overflow}", Cause::Overflow),
            (504, "UT", "upstream_response_timeout", Cause::Late),
            (418, "FI", "fault_filter_abort", Cause::Fault),
            (429, "RL", "local_rate_limited", Cause::RateLimit),
            (403, "UAEX", "ext_authz_denied", Cause::ExtAuthz),
            (401, "", "lua_response", Cause::Lua),
        ] {
            assert_eq!(cause(code, flags, details), Some(expected), "{code} {flags} {details}");
        }
        let reason = FailedReason { details: san.to_owned(), ..FailedReason::default() };
        assert_eq!(certificate_names(&reason), Some("spiffe://a/ns/b/sa/c"));
    }

    #[test]
    fn a_connection_that_got_something_back_is_no_failure_and_a_grpc_error_is_one() {
        let tcp = |flags: &str, bytes_sent: u64| {
            of(&LoggedRequest { flags: flags.into(), bytes_sent: Some(bytes_sent), ..LoggedRequest::default() })
        };
        for flags in ["UC", "LR"] {
            assert_eq!((tcp(flags, 0), tcp(flags, 340)), (Some(Cause::Closed), None), "{flags}");
        }
        assert_eq!(tcp("UF,URX", 0), Some(Cause::NoConnection));
        // With 200, and the error in grpc-status.
        assert_eq!(cause(200, "UC", "upstream_reset_before_response_started{connection_termination}"), Some(Cause::Closed));
        assert_eq!(cause(200, "UH", "no_healthy_upstream"), Some(Cause::NoEndpoint));
        // A stream or WebSocket that ended in the middle.
        assert_eq!(cause(200, "UR", "upstream_reset_after_response_started{remote_reset}"), None);
        assert_eq!(cause(101, "UC", "upstream_reset_after_response_started{connection_termination}"), None);
        for flags in ["", "DPE"] {
            assert_eq!(cause(426, flags, "low_version"), Some(Cause::OldHttp));
        }
    }

    #[test]
    fn a_denial_names_its_policy_and_rule() {
        let of = |details: &str| {
            Denial::of(&FailedReason { details: format!("rbac_access_denied_matched_policy[{details}]"), ..FailedReason::default() })
        };
        assert_eq!(of("ns[a]-policy[b]-rule[3]"), Some(Denial::Rule(ObjectName::new("a", "b"), "3".to_owned())));
        assert_eq!(of("none"), Some(Denial::None));
        assert_eq!(of("istio-ext-authz-x"), Some(Denial::Other("istio-ext-authz-x".to_owned())));
        for provider in ["", "my-ns-provider-"] {
            let named = of(&format!("istio-ext-authz-{provider}ns[a]-policy[b]-rule[0]-deny-due-to-bad-CUSTOM-action"));
            assert_eq!(named, Some(Denial::BadCustom(ObjectName::new("a", "b"), "0".to_owned())));
        }
    }
}
