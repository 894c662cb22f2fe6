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

/// Whether one of these ranges, which commas part, holds an address. What is no range holds none.
pub fn any_holds(ranges: &str, address: &str) -> bool {
    let holds = |range: &str| {
        let length = range.split_once('/').map(|(_, length)| length);
        length.is_some_and(|length| network(&format!("{address}/{length}")) == network(range))
    };
    ranges.split(',').any(|range| holds(range.trim()))
}

#[cfg(test)]
mod tests {
    use super::{any_holds, network};

    #[test]
    fn a_list_of_ranges_holds_what_one_of_them_holds() {
        for (ranges, address, expected) in [
            ("10.96.0.0/12", "10.97.1.5", true),
            ("10.96.0.0/12", "10.112.1.5", false),
            ("192.168.0.0/16, 10.96.0.1/12", "10.97.1.5", true),
            ("10.97.1.5/32", "10.97.1.5", true),
            ("0.0.0.0/0", "10.97.1.5", true),
            ("0.0.0.0/0", "fd00::1", false),
            ("fd00::/8", "fd00::1", true),
            ("10.97.1.5", "10.97.1.5", false),
            ("", "10.97.1.5", false),
        ] {
            assert_eq!(any_holds(ranges, address), expected, "{ranges} {address}");
        }
    }

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
