//! Times of log lines, read without a copy: every line begins with one, and there are many lines.

use jiff::Timestamp;

use super::{access, blanks, form};
use crate::model::logs::LogTime;

const SECOND: i64 = 1_000_000_000;
/// The months, as web servers and the system's log write them.
pub(super) const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The kubelet's RFC 3339 time and a blank in front of a line, as `kubectl logs --timestamps` and recordings have it, and what
/// follows. A program's own time is followed by a tab, or by blanks where tabs were lost, and is left in its place.
pub fn split_kubelet(line: &str) -> (Option<LogTime>, &str) {
    match zoned(line) {
        Some((time, rest)) if rest.starts_with(' ') && !is_own(&line[..line.len() - rest.len()], rest) => (Some(time), &rest[1..]),
        _ => (None, line),
    }
}

/// Whether a time with blanks behind it is of the line itself. The kubelet writes nine digits of a second
/// (`pkg/kubelet/types/constants.go: RFC3339NanoFixed`), programs write six, and Envoy's access log three: such a time is the
/// kubelet's only where a record follows it.
fn is_own(stamp: &str, rest: &str) -> bool {
    let digits = stamp.split_once('.').map_or(0, |(_, fraction)| fraction.bytes().take_while(u8::is_ascii_digit).count());
    if digits > 6 {
        return false;
    }
    blanks::begins(rest) || access::is_bare(rest) || matches!(digits, 3 | 6) && !form::begins(&rest[1..])
}

/// The time that a line begins with: the kubelet's, or the program's own.
pub fn leading(line: &str) -> Option<LogTime> {
    zoned(line).filter(|(_, rest)| rest.starts_with([' ', '\t'])).map(|(time, _)| time)
}

/// A time that is a whole text, as the fields of objects and dumps have it; None where it is something else, or the epoch, by which Envoy
/// says never.
pub fn instant(text: &str) -> Option<LogTime> {
    let time = text.parse::<Timestamp>().ok()?.as_nanosecond();
    LogTime::try_from(time).ok().filter(|time| *time != 0)
}

/// The same as [`rfc3339`], in any zone: a node writes its own.
pub(super) fn zoned(text: &str) -> Option<(LogTime, &str)> {
    let (seconds, rest) = date_time(text, b'-', b'T')?;
    let (nanos, rest) = fraction(rest);
    if let Some(rest) = rest.strip_prefix('Z') {
        return Some((seconds * SECOND + nanos, rest));
    }
    let [sign, hours @ .., b':', m1, m2] = rest.as_bytes().first_chunk::<6>()? else { return None };
    let offset = (digits(hours)? * 60 + digits(&[*m1, *m2])?) * 60;
    let seconds = match sign {
        b'+' => seconds - offset,
        b'-' => seconds + offset,
        _ => return None,
    };
    Some((seconds * SECOND + nanos, &rest[6..]))
}

/// `2026-11-23T19:40:54.819547Z` at the start of a text, and what follows. Up to nine digits of a second count.
pub(super) fn rfc3339(text: &str) -> Option<(LogTime, &str)> {
    let (seconds, rest) = date_time(text, b'-', b'T')?;
    let (nanos, rest) = fraction(rest);
    Some((seconds * SECOND + nanos, rest.strip_prefix('Z')?))
}

/// `2026/11/23 19:37:48`, the time of Go's own `log` and `slog`, which is UTC in a container.
pub(super) fn slashed(text: &str) -> Option<(LogTime, &str)> {
    let (seconds, rest) = date_time(text, b'/', b' ')?;
    let (nanos, rest) = fraction(rest);
    Some((seconds * SECOND + nanos, rest))
}

/// `2026-11-23 19:37:48.123`, the time of Envoy's lines before it has read its configuration.
pub(super) fn spaced(text: &str) -> Option<(LogTime, &str)> {
    let (seconds, rest) = date_time(text, b'-', b' ')?;
    let (nanos, rest) = fraction(rest);
    Some((seconds * SECOND + nanos, rest))
}

/// `05/Jan/2024:10:00:09 +0000`, the time of web servers, which an access log can be made to have.
pub(super) fn common(text: &str) -> Option<(LogTime, &str)> {
    let (stamp, rest) = (text.get(..26)?, text.get(26..)?);
    let bytes = stamp.as_bytes();
    if [(2, b'/'), (6, b'/'), (11, b':'), (14, b':'), (17, b':'), (20, b' ')].iter().any(|(at, byte)| bytes[*at] != *byte) {
        return None;
    }
    let month = MONTHS.iter().position(|month| stamp.get(3..6) == Some(*month))? + 1;
    let zone = stamp.get(21..).map(|zone| format!("{}:{}", zone.get(..3).unwrap_or_default(), zone.get(3..).unwrap_or_default()))?;
    let (year, day, time) = (stamp.get(7..11)?, stamp.get(..2)?, stamp.get(12..20)?);
    zoned(&format!("{year}-{month:02}-{day}T{time}{zone}")).filter(|(_, behind)| behind.is_empty()).map(|(time, _)| (time, rest))
}

/// `1123 19:37:48.123456` of klog, which names no year: that year in which it is nearest to a time that is known.
pub(super) fn of_klog(text: &str, near: LogTime) -> Option<LogTime> {
    let bytes: &[u8; 20] = text.as_bytes().first_chunk()?;
    let (month, day) = (digits(&bytes[..2])?, digits(&bytes[2..4])?);
    let (hour, minute, second) = (digits(&bytes[5..7])?, digits(&bytes[8..10])?, digits(&bytes[11..13])?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanos, _) = fraction(&text[13..]);
    let year = 1970 + near / (SECOND * 31_556_952);
    let time = |year: i64| (days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second).checked_mul(SECOND)?.checked_add(nanos);
    [year - 1, year, year + 1].into_iter().filter_map(time).min_by_key(|time| time.abs_diff(near))
}

/// The time that a log store wrote: RFC 3339 in any zone, or a number since 1970 in seconds or smaller parts.
pub(super) fn of_store(text: &str) -> Option<LogTime> {
    if let Some((time, _)) = zoned(text) {
        return Some(time);
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let unit = match whole.len() {
        10 => SECOND,
        13 => 1_000_000,
        16 => 1_000,
        19 => 1,
        _ => return None,
    };
    let nanos = if unit == SECOND { fraction(&text[whole.len()..]).0 } else { 0 };
    let known = part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole.as_bytes()).filter(|_| known)?.checked_mul(unit)?.checked_add(nanos)
}

/// Date and time to the second, in seconds since 1970.
fn date_time(text: &str, dash: u8, between: u8) -> Option<(i64, &str)> {
    let bytes: &[u8; 19] = text.as_bytes().first_chunk()?;
    let separators = [(4, dash), (7, dash), (10, between), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, byte)| bytes[*at] != *byte) {
        return None;
    }
    let year = digits(&bytes[0..4])?;
    let (month, day) = (digits(&bytes[5..7])?, digits(&bytes[8..10])?);
    let (hour, minute, second) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..19])?);
    // From 1678 to 2261 the nanoseconds since 1970 fit 64 bits.
    let valid = (1678..2262).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !valid || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some((days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second, &text[19..]))
}

/// `.819547` in nanoseconds, 0 where there is none, and what follows.
fn fraction(text: &str) -> (i64, &str) {
    let Some(rest) = text.strip_prefix('.') else { return (0, text) };
    let (mut nanos, mut count) = (0, 0);
    for digit in rest.bytes().take_while(u8::is_ascii_digit) {
        nanos = if count < 9 { nanos * 10 + i64::from(digit - b'0') } else { nanos };
        count += 1;
    }
    (nanos * 10_i64.pow(9 - count.min(9) as u32), &rest[count..])
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// The days from 1970-01-01 to a day of the Gregorian calendar. Years are counted from March, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// A time as the access log's `%START_TIME%` can be made to write it.
pub(super) fn of_request(text: &str) -> Option<LogTime> {
    let read = [zoned, spaced, common, slashed].into_iter().find_map(|read| read(text));
    read.map(|(time, _)| time).or_else(|| of_store(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_what_a_calendar_says() {
        for text in ["2026-11-23T19:40:54.819547Z", "1999-12-31T23:59:59Z", "2024-02-29T00:00:00.000000001Z", "2261-01-01T00:00:00.5Z"] {
            let expected: jiff::Timestamp = text.parse().unwrap();
            let (time, rest) = rfc3339(text).unwrap();
            assert_eq!((i128::from(time), rest), (expected.as_nanosecond(), ""), "{text}");
        }
        assert_eq!(slashed("2026/11/23 19:37:48 INFO").unwrap().0, rfc3339("2026-11-23T19:37:48Z").unwrap().0);
        assert_eq!(spaced("2026-11-23 19:37:48.500]").unwrap(), (rfc3339("2026-11-23T19:37:48.5Z").unwrap().0, "]"));
    }

    #[test]
    fn times_of_web_servers_klog_and_log_stores_are_read() {
        let at = |text: &str| rfc3339(text).unwrap().0;
        assert_eq!(common("05/Jan/2024:11:00:09 +0100] x"), Some((at("2024-01-05T10:00:09Z"), "] x")));
        assert_eq!([common("05/Foo/2024:11:00:09 +0100"), common("05/Jan/2024:11:00:09 Zulu!"), common("")], [None; 3]);
        assert_eq!(of_klog("1231 23:59:59.5000000", at("2024-01-01T00:00:01Z")), Some(at("2023-12-31T23:59:59.5Z")));
        assert_eq!(of_klog("0101 00:00:01.0000000", at("2023-12-31T23:59:59Z")), Some(at("2024-01-01T00:00:01Z")));
        assert_eq!(of_klog("1301 00:00:01.0000000", 0), None);
        let second = at("2023-05-10T03:16:20Z");
        for text in ["2023-05-10T05:16:20+02:00", "1683688580", "1683688580000", "1683688580000000", "1683688580000000000"] {
            assert_eq!(of_store(text), Some(second), "{text}");
        }
        assert_eq!(of_store("1683688580.5"), Some(second + SECOND / 2));
        assert_eq!([of_store(""), of_store("stdout"), of_store("1683688580.x")], [None; 3]);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "2026", "2026-11-23T19:40:54.819547", "2026-13-23T19:40:54Z", "2026-11-23 19:40:54Z", "9999-01-01T00:00:00Z", "２026"]
        {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn the_kubelets_time_is_told_from_the_programs_own() {
        let own = "2026-11-23T19:40:54.819547Z\tinfo\tVersion";
        assert_eq!(split_kubelet(own), (None, own));
        let (time, rest) = split_kubelet("2026-11-23T19:40:54.823270270Z 2026-11-23T19:40:54.819547Z\tinfo\tVersion");
        assert_eq!((time, rest), (rfc3339("2026-11-23T19:40:54.823270270Z").map(|(time, _)| time), own));
        assert_eq!(split_kubelet("2026-11-23T19:40:54Z ").1, "");
        assert_eq!(split_kubelet("2026-11-23T21:10:54.823270270+01:30 x"), (time, "x"));
        assert_eq!(split_kubelet("2026-11-23T18:40:54.823270270-01:00 x"), (time, "x"));
        // Nine digits are the kubelet's, six are a program's.
        for own in
            ["2026-11-23T19:40:54.819547Z info ads x", "2026-11-23T19:40:54Z     warning envoy wasm x", "2026-11-23T19:40:54.819Z a b"]
        {
            assert_eq!(split_kubelet(own), (None, own));
        }
        for (stamped, rest) in [
            ("2026-11-23T19:40:54.819547000Z info ads x", "info ads x"),
            ("2026-11-23T19:40:54.819547Z 2026-11-23T19:40:54.819547Z info ads x", "2026-11-23T19:40:54.819547Z info ads x"),
            ("2026-11-23T19:40:54.5Z no record", "no record"),
        ] {
            assert_eq!(split_kubelet(stamped).1, rest);
        }
        assert_eq!([leading(own), leading("2026-11-23T19:40:54Z"), leading("a")].map(|time| time.is_some()), [true, false, false]);
    }
}
