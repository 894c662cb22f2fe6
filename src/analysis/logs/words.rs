//! What an access log says in letters and underscores, in words: Envoy's response flags and response code details
//! (`source/common/stream_info/utility.h`, `envoy/stream_info/stream_info.h`).

/// What a response flag means; None for one that is not known.
pub fn flag(flag: &str) -> Option<&'static str> {
    Some(match flag {
        "DC" => "the client ended the connection",
        "DF" => "the upstream's name could not be resolved",
        "DI" => "a fault was injected: a delay",
        "DO" => "dropped by the load balancer's drop policy",
        "DPE" => "the request breaks the HTTP protocol",
        "DR" => "the client reset the stream",
        "DT" => "the connection or stream lasted too long",
        "FI" => "a fault was injected: an error",
        "IH" => "a header of Envoy's own has a value that is not allowed",
        "LH" => "the local service failed its health check",
        "LR" => "this proxy reset the connection",
        "NC" => "the route's cluster does not exist",
        "NFCF" => {
            "the configuration of a filter has not been received, so it cannot run (a plugin whose ECDS resource is missing or was refused)"
        }
        "NR" => "no route, or no filter chain, fits the request",
        "OM" => "the overload manager ended it",
        "RFCF" => "the response came from a cache filter",
        "RL" => "the local rate limit was reached",
        "RLSE" => "the rate limit service failed",
        "SI" => "the stream was idle for too long",
        "UAEX" => "the external authorization service denied it",
        "UC" => "the upstream ended the connection",
        "UF" => "no connection to the upstream came about",
        "UH" => "the cluster has no healthy endpoint",
        "UMSDR" => "the upstream's stream lasted too long",
        "UO" => "a circuit breaker is open",
        "UPE" => "the response breaks the HTTP protocol",
        "UR" => "the upstream reset the stream",
        "URX" => "no more retries or connection attempts are allowed",
        "UT" => "the upstream did not answer in time",
        _ => return None,
    })
}

/// All flags of a column, `UF,URX`, each with its words.
pub fn flags(column: &str) -> Vec<(&str, Option<&'static str>)> {
    column.split(',').filter(|word| !matches!(*word, "" | "-")).map(|word| (word, flag(word))).collect()
}

/// What response code details mean; None for those that are not known. What is in braces or brackets is not looked at but for RBAC's rule
/// and for a circuit breaker, which resets no stream of the upstream.
pub fn details(details: &str) -> Option<&'static str> {
    if details == "rbac_access_denied_matched_policy[none]" {
        return Some(
            "denied because no rule of an AuthorizationPolicy allows it, or by the stub in the place of a plugin whose module could not be fetched",
        );
    }
    if details == "upstream_reset_before_response_started{overflow}" {
        return flag("UO");
    }
    let name = details.split(['{', '[']).next().unwrap_or(details);
    Some(match name {
        "absolute_path_rejected" => "the request has an absolute URL where none is allowed",
        "cluster_not_found" => "the route's cluster does not exist",
        "direct_response" => "the route itself answers",
        "downstream_local_disconnect" => "this proxy ended the client's connection",
        "downstream_remote_disconnect" => "the client ended the connection",
        "duration_timeout" => "the connection lasted too long",
        "early_upstream_reset" => "the upstream reset the stream before it had answered",
        "ext_authz_denied" => "the external authorization service denied it",
        "ext_authz_error" => "the external authorization service failed",
        "fault_filter_abort" => "a fault was injected: an error",
        "filter_chain_not_found" => "no filter chain fits the connection",
        "internal_redirect" => "the request was redirected within this proxy",
        "jwt_authn_access_denied" => "the request has no JWT that is accepted",
        "local_rate_limited" => "the local rate limit was reached",
        "low_version" => "HTTP/1.0 is not accepted",
        "lua_response" => "a Lua script answered",
        "maintenance_mode" => "the cluster is in maintenance mode",
        "max_duration_timeout" => "the stream lasted too long",
        "missing_host_header" => "the request names no host",
        "missing_path_rejected" => "the request has no path",
        "no_healthy_upstream" => "the cluster has no healthy endpoint",
        "overload" => "this proxy is overloaded",
        "path_normalization_failed" => "the path is not valid",
        "rbac_access_denied_matched_policy" => "denied by the rule of an AuthorizationPolicy",
        "request_header_timeout" => "the request's headers did not come in time",
        "request_headers_failed_strict_check" => "a header of Envoy's own has a value that is not allowed",
        "request_overall_timeout" => "the request did not come in time",
        "request_payload_exceeded_retry_buffer_limit" => "the request is too large to be sent again",
        "request_payload_too_large" => "the request is too large for a filter that takes it as a whole",
        "request_rate_limited" => "the rate limit service denied it",
        "response_payload_too_large" => "the response is too large for a filter that takes it as a whole",
        "route_configuration_not_found" => "the route configuration has not been received",
        "route_not_found" => "no route fits the request",
        "stream_idle_timeout" => "the stream was idle for too long",
        "upgrade_failed" => "the upgrade that the request asks for is not allowed",
        "upstream_max_stream_duration_reached" => "the upstream's stream lasted too long",
        "upstream_per_try_timeout" => "the upstream did not answer the last try in time",
        "upstream_reset_after_response_started" => "the upstream's stream was reset while it answered",
        "upstream_reset_before_response_started" => "the upstream's stream was reset before it had answered",
        "upstream_response_timeout" => "the upstream did not answer in time",
        "via_upstream" => "the upstream answered",
        "wasm_fail_stream" => "the VM of a plugin with failStrategy FAIL_CLOSE has failed",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugins_failure_looks_like_is_said() {
        assert!(details("wasm_fail_stream").is_some_and(|words| words.contains("FAIL_CLOSE")));
        assert_eq!(details("upstream_reset_before_response_started{overflow}"), Some("a circuit breaker is open"));
        assert!(details("rbac_access_denied_matched_policy[none]").is_some_and(|words| words.contains("stub")));
        assert!(
            details("rbac_access_denied_matched_policy[ns[default]-policy[deny]-rule[0]]").is_some_and(|words| !words.contains("stub"))
        );
        assert!(flag("NFCF").is_some_and(|words| words.contains("ECDS")));
    }

    #[test]
    fn several_flags_have_words_each() {
        let known: Vec<(&str, bool)> = flags("UF,URX,NEW").into_iter().map(|(flag, words)| (flag, words.is_some())).collect();
        assert_eq!(known, [("UF", true), ("URX", true), ("NEW", false)]);
        assert!(flags("-").is_empty());
        assert_eq!(
            details("upstream_reset_before_response_started{connection_termination}"),
            details("upstream_reset_before_response_started")
        );
    }
}
