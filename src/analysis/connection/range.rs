//! Ranges of addresses, as configurations write them.

use core::net::IpAddr;

/// How long the prefix of the narrowest of these ranges is that holds the address; None where none does.
///
/// # Errors
/// The range that cannot be read.
pub(super) fn narrowest<'r>(ranges: &'r [String], address: IpAddr) -> Result<Option<(u32, &'r str)>, String> {
    let mut best: Option<(u32, &'r str)> = None;
    for range in ranges {
        let (start, length) = parse(range).ok_or_else(|| format!("the range {range}, which cannot be read"))?;
        if holds(start, length, address) && best.is_none_or(|(longest, _)| length > longest) {
            best = Some((length, range));
        }
    }
    Ok(best)
}

/// `10.0.0.0/8`; without a length it is 0, as in protobuf.
pub(super) fn parse(range: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = range.split_once('/').unwrap_or((range, "0"));
    let address: IpAddr = address.parse().ok()?;
    // Envoy takes a longer one for a whole address (`Network::Address::CidrRange::create`).
    let most = if address.is_ipv4() { 32 } else { 128 };
    Some((address, length.parse::<u32>().ok()?.min(most)))
}

fn holds(start: IpAddr, length: u32, address: IpAddr) -> bool {
    let (start, address, bits) = match (start, address) {
        (IpAddr::V4(start), IpAddr::V4(address)) => (u128::from(start.to_bits()), u128::from(address.to_bits()), 32),
        (IpAddr::V6(start), IpAddr::V6(address)) => (start.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    (start ^ address).checked_shr(bits - length).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_range_that_holds_an_address_counts() {
        let ranges = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.5/32", "::0/0", "fd00::/16"].map(str::to_owned);
        for (address, expected) in [
            ("10.0.0.5", Some((32, "10.0.0.5/32"))),
            ("10.255.0.5", Some((8, "10.0.0.0/8"))),
            ("11.0.0.5", Some((0, "0.0.0.0/0"))),
            ("fd00::5", Some((16, "fd00::/16"))),
            ("fd01::5", Some((0, "::0/0"))),
        ] {
            assert_eq!(narrowest(&ranges, address.parse().unwrap()), Ok(expected), "{address}");
        }
        assert_eq!(narrowest(&ranges[1..3], "fd00::5".parse().unwrap()), Ok(None));
        assert!(narrowest(&["10.0.0.x/8".to_owned()], "10.0.0.5".parse().unwrap()).is_err());
    }
}
