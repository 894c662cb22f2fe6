//! Why a client does not accept a server's certificate, and what to do about it.

use crate::model::ids::ObjectName;
use crate::model::kind::Kind;
use crate::model::requests::FailedReason;

/// What Envoy's TLS reports, without its codes and ends
/// (`source/common/tls/cert_validator/default_validator.cc`: `verify cert failed: X509_verify_cert: certificate verification error at depth 0: …`).
pub(super) fn said(reason: &FailedReason) -> String {
    let whole = reason.transport_failure.replace('_', " ");
    let of_certificate = whole.split_once("verify cert failed: ").map(|(_, rest)| rest.trim_start_matches("X509 verify cert: "));
    of_certificate.map_or(whole.as_str(), |rest| rest.trim_end_matches(":TLS error end")).to_owned()
}

/// What to do, by the reason of BoringSSL (`crypto/x509/x509_txt.cc`); None where it says nothing of the certificate. `by` is the rule that
/// sets TLS.
pub(super) fn fix(said: &str, named: &str, by: Option<&ObjectName>) -> Option<String> {
    let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if has(&["certificate has expired"]) {
        return Some(format!("renew the certificate of the server behind {named}"));
    }
    if has(&["certificate is not yet valid"]) {
        return Some(format!("see from when the certificate of the server behind {named} is valid, and the clocks of the nodes"));
    }
    let is_untrusted =
        has(&["unable to get local issuer certificate", "unable to get issuer certificate", "self signed certificate", "self-signed"]);
    // Without either the proxy takes the CAs of its system (`networking/v1/destination_rule.proto: ClientTLSSettings.ca_certificates`).
    let rule = by.map(|name| format!("{} {name}", Kind::DestinationRule));
    is_untrusted.then(|| {
        let rule = rule.unwrap_or_else(|| "the client's DestinationRule".to_owned());
        format!("name the CA that signed the server's certificate in {rule}: caCertificates, or credentialName")
    })
}
