//! Address ranges, `10.1.2.3/8`.

use core::net::IpAddr;

/// The range in one way of writing: the address in its shortest form, without the bits that the range does not fix. `10.1.2.3/8`
/// is `10.0.0.0/8`, `::0/0` is `::/0`. What is no range stays as it is.
pub fn network(range: &str) -> String {
    let parsed = range.split_once('/').and_then(|(address, length)| Some((address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?)));
    match parsed {
        Some((IpAddr::V4(address), length)) if length <= 32 => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            format!("{}/{length}", core::net::Ipv4Addr::from(u32::from(address) & mask))
        }
        Some((IpAddr::V6(address), length)) if length <= 128 => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            format!("{}/{length}", core::net::Ipv6Addr::from(u128::from(address) & mask))
        }
        _ => range.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn one_range_has_one_form() {
        for (range, form) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.1.2.3/32", "10.1.2.3/32"),
            ("1.2.3.4/0", "0.0.0.0/0"),
            ("::0/0", "::/0"),
            ("2001:db8:0:0::1/64", "2001:db8::/64"),
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1/99", "10.0.0.1/99"),
            ("x/8", "x/8"),
        ] {
            assert_eq!(network(range), form);
        }
    }
}
