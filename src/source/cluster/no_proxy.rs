//! Whether the API server is to be reached past the proxy of `$HTTPS_PROXY`, as Go's programs and so kubectl decide it.
//!
//! The client compares `$NO_PROXY` with the proxy's own address instead of the API server's, so that the list has no effect.

use std::net::IpAddr;

/// Whether a host is in a `NO_PROXY` list, or is this machine.
pub(super) fn bypasses(host: &str, list: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    list.split(',').map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        let in_network = || entry.split_once('/').is_some_and(|(network, bits)| address.is_some_and(|host| contains(network, bits, host)));
        entry == "*" || in_network() || is_host(&host, &entry)
    })
}

/// `example.org` stands for itself and what is under it, `.example.org` and `*.example.org` for what is under it.
fn is_host(host: &str, entry: &str) -> bool {
    let entry = if entry.matches(':').count() == 1 { entry.split(':').next().unwrap_or(entry) } else { entry };
    let entry = entry.strip_prefix('*').unwrap_or(entry);
    if entry.starts_with('.') { host.ends_with(entry) } else { host == entry || host.ends_with(&format!(".{entry}")) }
}

fn contains(network: &str, bits: &str, host: IpAddr) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    match (network, host) {
        (IpAddr::V4(network), IpAddr::V4(host)) if bits <= 32 => {
            (network.to_bits() ^ host.to_bits()).checked_shr(32 - bits).unwrap_or_default() == 0
        }
        (IpAddr::V6(network), IpAddr::V6(host)) if bits <= 128 => {
            (network.to_bits() ^ host.to_bits()).checked_shr(128 - bits).unwrap_or_default() == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_networks_and_this_machine_are_found() {
        for (host, list) in [
            ("127.0.0.1", ""),
            ("[::1]", ""),
            ("localhost", ""),
            ("api.example.org", "a, example.org"),
            ("api.example.org", ".example.org"),
            ("api.example.org", "*.example.org:6443"),
            ("10.1.2.3", "10.0.0.0/8"),
            ("10.1.2.3", "0.0.0.0/0"),
            ("10.1.2.3", "10.1.2.3"),
            ("fd00::1", "fd00::/8"),
            ("anything", "x,*"),
        ] {
            assert!(bypasses(host, list), "{host} {list}");
        }
        for (host, list) in [
            ("api.example.org", ""),
            ("notexample.org", "example.org"),
            ("example.org", ".example.org"),
            ("11.1.2.3", "10.0.0.0/8,,"),
            ("10.1.2.3", "10.0.0.0/99"),
            ("fd00::1", "10.0.0.0/8"),
        ] {
            assert!(!bypasses(host, list), "{host} {list}");
        }
    }
}
