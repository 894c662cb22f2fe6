//! Addresses in a kubeconfig, read as client-go reads them.

use http::Uri;

/// The address of an API server: without a scheme it is `https` where there are TLS settings, else `http`. The error says what is wrong.
/// (client-go `rest/url_utils.go: DefaultServerURL`)
pub(super) fn server(text: &str, tls: bool) -> Result<Uri, String> {
    let whole = match text.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && !rest.is_empty() => text.to_owned(),
        // A host and a port alone: a path behind them would be ambiguous.
        _ if text.strip_suffix('/').unwrap_or(text).contains('/') => return Err("is neither a URL nor host:port".to_owned()),
        _ => format!("{}://{text}", if tls { "https" } else { "http" }),
    };
    // Credentials in the address are no part of it: they are a user and a password.
    let uri = parsed(&without_credentials(&whole).0)?;
    match uri.scheme_str() {
        Some("http" | "https") => Ok(uri),
        other => Err(format!("has the scheme {}; only http and https can be used", other.unwrap_or("(none)"))),
    }
}

/// The address of a proxy (client-go `tools/clientcmd/helpers.go: parseProxyURL`).
pub(super) fn proxy(text: &str) -> Result<Uri, String> {
    if !text.contains("://") {
        return Err("has no scheme; it must begin with http://, https:// or socks5://".to_owned());
    }
    let uri = parsed(text)?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") => Ok(uri),
        other => Err(format!("has the scheme {}; only http, https and socks5 can be used", other.unwrap_or("(none)"))),
    }
}

fn parsed(text: &str) -> Result<Uri, String> {
    // Go's parser writes the scheme in small letters.
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let text = if scheme.is_empty() { text.to_owned() } else { format!("{}://{rest}", scheme.to_ascii_lowercase()) };
    let uri: Uri = text.parse().map_err(|error: http::uri::InvalidUri| format!("cannot be understood ({error})"))?;
    let authority = uri.authority().ok_or("names no host")?;
    let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
    // The parser takes any digits for a port, and one that is none would be passed over without a word.
    let port = host_and_port.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.ends_with(']'));
    if port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
        return Err("has a port that is none".to_owned());
    }
    if authority.host().is_empty() { Err("names no host".to_owned()) } else { Ok(uri) }
}

/// A URL without its credentials, and these as they are written.
pub(super) fn without_credentials(url: &str) -> (String, Option<String>) {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (&url[..scheme.len() + 3], rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((credentials, host)) => (format!("{scheme}{host}{}", &rest[end..]), Some(credentials.to_owned())),
        None => (url.to_owned(), None),
    }
}

/// A URL as it may be shown: without credentials, also where it is so damaged that they end elsewhere, and without a query.
pub(super) fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (&url[..scheme.len() + 3], rest));
    let rest = match rest.rfind('@') {
        Some(at) => format!("[redacted]@{}", &rest[at + 1..]),
        None => rest.to_owned(),
    };
    let whole = format!("{scheme}{rest}");
    super::one_line(whole.split(['?', '#']).next().unwrap_or_default())
}

/// `a%40b` as `a@b`.
pub(super) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).filter(|hex| *byte == b'%' && hex.iter().all(u8::is_ascii_hexdigit));
        let value = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        decoded.push(value.unwrap_or(*byte));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_a_scheme_gets_one() {
        for (text, tls, expected) in [
            ("127.0.0.1:9", false, "http://127.0.0.1:9/"),
            ("127.0.0.1:9", true, "https://127.0.0.1:9/"),
            ("localhost", true, "https://localhost/"),
            ("[::1]:6443", true, "https://[::1]:6443/"),
            ("api.example.org:6443/", false, "http://api.example.org:6443/"),
            ("https://h/k8s/clusters/c", false, "https://h/k8s/clusters/c"),
            ("https://u:p%40@h:1", false, "https://h:1/"),
            ("HTTPS://h:1", false, "https://h:1/"),
        ] {
            assert_eq!(server(text, tls).map(|uri| uri.to_string()).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "<endpoint-url>",
            "h:1/path",
            "ftp://h",
            "https://",
            "https:///x",
            "://h",
            "https://h:99999",
            "h:port",
            " https://h",
            "https://h\n",
        ] {
            assert!(server(text, false).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_proxy_needs_a_scheme_that_is_known() {
        assert_eq!(proxy("SOCKS5://h:1").unwrap().scheme_str(), Some("socks5"));
        assert!(["http://h:1", "https://h", "socks5://u:p@h:1"].iter().all(|text| proxy(text).is_ok()));
        assert!(["127.0.0.1:3128", "h", "ftp://h", "socks4://h:1", "http://", "http://h:x"].iter().all(|text| proxy(text).is_err()));
    }

    #[test]
    fn credentials_are_never_shown() {
        for url in ["https://u:s3cret@h/p", "u:s3cret@h:1", "http://u:s3/cret@h", "https://h/p?token=s3cret", "http://u:s3?cret@h"] {
            assert!(!shown(url).contains("cret"), "{}", shown(url));
        }
        assert_eq!(shown("http://h:1/p"), "http://h:1/p");
        assert_eq!(percent_decoded("a%40b%zz%4"), "a@b%zz%4");
    }
}
