//! Values of arguments as a person writes them.

use std::str::FromStr;
use std::time::Duration;

use crate::analysis::logs::Severity;
use crate::model::peer_authentication::MtlsMode;

/// How many proxies are asked at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most(pub usize);

impl FromStr for Most {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self(usize::MAX)),
            (_, Ok(count)) if count > 0 => Ok(Self(count)),
            _ => Err("write a number from 1 on, or all".to_owned()),
        }
    }
}

pub(super) fn mode(text: &str) -> Result<MtlsMode, String> {
    MtlsMode::parse(text).ok_or_else(|| "write PERMISSIVE, STRICT or DISABLE".to_owned())
}

pub(super) fn level(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| format!("write {}", Severity::WORDS.join(", ")))
}

const TIME: &str = "write a time as 500ms, 30s, 2m or 1h";

/// The longest time that may be asked for, ten years: to a moment beyond what the clock can hold nothing can be added.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A time as a person writes it: `500ms`, `30s`, `2m`, `1h`; seconds where no unit is given.
///
/// # Errors
/// What to write instead.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(TIME.to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| TIME.to_owned())?;
    // A time that no clock can count to is longer than the longest too.
    let duration = Duration::try_from_secs_f64(number * seconds).unwrap_or(Duration::MAX);
    if duration.is_zero() {
        return Err("must be longer than nothing".to_owned());
    }
    if duration > LONGEST { Err(format!("must be at most {}h", LONGEST.as_secs() / 3600)) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert!(duration("soon").is_err() && duration("0s").is_err());
        for huge in ["9223372036854775807", "18446744073709551615h", &"9".repeat(400), "87601h"] {
            assert_eq!(duration(huge), Err("must be at most 87600h".to_owned()), "{huge}");
        }
        for wrong in ["", ".", "1.2.3", "1e5", "0x10", "1d", "1 s", "0.0000000001s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("87600h"), Ok(LONGEST));
    }

    #[test]
    fn a_bound_is_a_number_or_all() {
        assert_eq!(("all".parse(), "3".parse()), (Ok(Most(usize::MAX)), Ok(Most(3))));
        assert!("0".parse::<Most>().is_err() && "some".parse::<Most>().is_err());
    }
}
