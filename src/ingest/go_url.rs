//! Which texts Go's `net/url` takes for a URL: istiod discards a plugin whose `url` it does not
//! (`pilot/pkg/model/extensions.go: convertToTrafficExtensionWrapper`).
//!
//! Only the verdict is made here, with Go's words for it but without any part of the text: a URL can carry a password.

use core::net::Ipv6Addr;

/// The scheme in lower case, empty where there is none.
///
/// # Errors
/// Go's reason to refuse the text.
pub(crate) fn scheme(text: &str) -> Result<String, &'static str> {
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    if url.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err("invalid control character in URL");
    }
    let (scheme, rest) = split_scheme(url)?;
    let rest = rest.split('?').next().unwrap_or_default();
    let path = match rest.strip_prefix("//") {
        Some(after) if !scheme.is_empty() || !after.starts_with('/') => {
            let (authority, path) = after.split_at(after.find('/').unwrap_or(after.len()));
            authority_is_valid(authority)?;
            path
        }
        // With a scheme, anything may follow.
        _ if !rest.starts_with('/') && !scheme.is_empty() => "",
        // `10.0.0.1:5000/x`: no scheme begins with a digit, so this would be a path.
        _ if !rest.starts_with('/') && rest.split('/').next().unwrap_or_default().contains(':') => {
            return Err("first path segment in URL cannot contain colon");
        }
        _ => rest,
    };
    escapes_are_valid(path)?;
    escapes_are_valid(fragment)?;
    Ok(scheme)
}

/// Whether a proxy can fetch a module by a scheme; without one it is that of OCI.
pub(crate) fn is_of_a_module(scheme: &str) -> bool {
    matches!(scheme, "" | "oci" | "http" | "https" | "file")
}

/// `registry` of `registry:5000/x`: without `//`, what stands before a colon is a scheme all the same.
fn split_scheme(url: &str) -> Result<(String, &str), &'static str> {
    let Some((before, after)) = url.split_once(':') else { return Ok((String::new(), url)) };
    if before.is_empty() {
        return Err("missing protocol scheme");
    }
    let begins = before.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && before.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
        return Ok((before.to_ascii_lowercase(), after));
    }
    Ok((String::new(), url))
}

fn authority_is_valid(authority: &str) -> Result<(), &'static str> {
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    host_is_valid(host)?;
    let Some(user) = user else { return Ok(()) };
    if !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte)) {
        return Err("net/url: invalid userinfo");
    }
    escapes_are_valid(user)
}

fn host_is_valid(host: &str) -> Result<(), &'static str> {
    match host.rfind('[') {
        Some(0) => {
            let (address, after) = host[1..].rsplit_once(']').ok_or("missing ']' in host")?;
            port_is_valid(after)?;
            let address = address.split("%25").next().unwrap_or_default();
            address.parse::<Ipv6Addr>().map(drop).map_err(|_| "invalid host")
        }
        Some(_) => Err("invalid IP-literal"),
        None => {
            port_is_valid(host.rfind(':').map_or("", |at| &host[at..]))?;
            host_characters_are_valid(host)
        }
    }
}

fn port_is_valid(text: &str) -> Result<(), &'static str> {
    match text.strip_prefix(':') {
        None if text.is_empty() => Ok(()),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        _ => Err("invalid port after host"),
    }
}

/// In a host only bytes beyond ASCII may be escaped, and the percent sign.
fn host_characters_are_valid(host: &str) -> Result<(), &'static str> {
    escapes_are_valid(host)?;
    let escaped =
        |at: usize| host[at..].starts_with("%25") || host.as_bytes().get(at + 1).is_some_and(|digit| !(b'0'..b'8').contains(digit));
    for (at, byte) in host.bytes().enumerate() {
        match byte {
            b'%' if !escaped(at) => return Err("invalid URL escape"),
            _ if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"!$&'()*+,;=:[]<>\"-_.~%".contains(&byte) => {
                return Err("invalid character in host name");
            }
            _ => {}
        }
    }
    Ok(())
}

fn escapes_are_valid(text: &str) -> Result<(), &'static str> {
    let follows = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if text.split('%').skip(1).all(follows) { Ok(()) } else { Err("invalid URL escape") }
}

#[cfg(test)]
mod tests {
    use super::scheme;

    /// Each verdict was taken from Go 1.26.
    #[test]
    fn a_url_is_what_go_takes_for_one() {
        for (text, verdict) in [
            ("oci://registry:5000/x:v1", Ok("oci")),
            ("OCI://registry/x", Ok("oci")),
            ("registry/x:v1", Ok("")),
            ("", Ok("")),
            ("localhost:5000/x:v1", Ok("localhost")),
            ("docker.io:443/x", Ok("docker.io")),
            ("file:///opt/x.wasm", Ok("file")),
            ("///x:5", Ok("")),
            ("oci://[::1]:5000/x", Ok("oci")),
            ("oci://[fe80::1%25en0]/x", Ok("oci")),
            ("oci://a:b@h/x", Ok("oci")),
            ("oci://a:1:2/x", Ok("oci")),
            ("x#%41", Ok("")),
            ("oci:a b%", Ok("oci")),
            ("10.0.0.1:5000/x", Err("first path segment in URL cannot contain colon")),
            ("my_registry:5000/x", Err("first path segment in URL cannot contain colon")),
            (":x", Err("missing protocol scheme")),
            ("oci://h/a\nb", Err("invalid control character in URL")),
            ("oci://h:x/y", Err("invalid port after host")),
            ("oci://h h/y", Err("invalid character in host name")),
            ("oci://{h}/y", Err("invalid character in host name")),
            ("oci://h%41/y", Err("invalid URL escape")),
            ("oci://h/%zz", Err("invalid URL escape")),
            ("oci://h/x#%", Err("invalid URL escape")),
            ("oci://[::1/x", Err("missing ']' in host")),
            ("oci://a[::1]/x", Err("invalid IP-literal")),
            ("oci://[1.2.3.4]/x", Err("invalid host")),
            ("oci://a/b@h/x", Ok("oci")),
            ("oci://a\"b:c d@h/x", Err("net/url: invalid userinfo")),
        ] {
            assert_eq!(scheme(text).as_deref().map_err(|fault| *fault), verdict, "{text}");
        }
    }
}
