//! The level of a proxy's `wasm` logger, as the program asks for it, shows it and counts its time.

use std::time::Duration;

use crate::cli;
use crate::clock::Instant;
use crate::level;
use crate::model::log_level::{LogLevel, WASM};
use crate::source::ProxyRequest;

/// What puts a level back, where it is asked for a proxy whose level is raised.
pub const BACK: &str = "back";
/// The levels that it can be raised to.
const LEVELS: [LogLevel; 3] = [LogLevel::Info, LogLevel::Debug, LogLevel::Trace];
/// How long it can be raised for.
const TIMES: std::ops::RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(3600);

/// The question whether the level of one proxy is to be changed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelQuestion {
    /// How the proxy is asked.
    pub ask: ProxyRequest,
    /// The level in force.
    pub now: LogLevel,
    /// The level to put back at the end: the one in force, or the one from before this program raised it.
    pub before: LogLevel,
    /// Whether this program raised it.
    pub raised: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To raise it to this level for this time.
    Raise(LogLevel, Duration),
    /// To put it back now.
    Back,
}

impl LevelQuestion {
    /// What the prompt begins with.
    pub fn proposal(&self) -> &'static str {
        match self.now {
            _ if self.raised => BACK,
            LogLevel::Trace | LogLevel::Debug => "trace 5m",
            _ => "debug 5m",
        }
    }

    /// Understands what was typed.
    ///
    /// # Errors
    /// What to write instead, or that nothing need be done.
    pub fn wish(&self, text: &str) -> Result<Wish, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (level, time) = match words[..] {
            [BACK] if self.raised => return Ok(Wish::Back),
            [level, time] => (level, time),
            _ => return Err(format!("write a level and a time, such as {}", if self.raised { "debug 5m, or back" } else { "debug 5m" })),
        };
        let level = LEVELS.into_iter().find(|known| known.as_str() == level);
        let level = level.ok_or("write info, debug or trace for the level")?;
        let time = cli::duration(time).ok().filter(|time| TIMES.contains(time)).ok_or("write a time from 10s to 60m")?;
        if level >= self.before {
            return Err(self.needless());
        }
        Ok(Wish::Raise(level, time))
    }

    /// That the level is as low without being raised.
    pub fn needless(&self) -> String {
        if self.raised {
            return format!("it was at {} before: write back, or a lower level", self.before);
        }
        format!("nothing need be done: the {WASM} logger of {} is at {} already", self.ask.proxy, self.before)
    }

    /// The request that would be sent for a wish, to which proxy, and for how long.
    pub fn request(&self, wish: Wish) -> [String; 3] {
        let ProxyRequest { proxy, container, admin_port, .. } = &self.ask;
        let (level, then) = match wish {
            Wish::Raise(level, time) => (level, format!("for {}, then back to {}", span(time), self.before)),
            Wish::Back => (self.before, "now".to_owned()),
        };
        let path = level::request(&self.ask, level).path();
        [format!("POST http://localhost:{admin_port}{path}"), format!("on {proxy} (container {container})"), then]
    }
}

/// A level that is raised, as the screen shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// How the proxy is asked.
    pub ask: ProxyRequest,
    /// The level in force.
    pub level: LogLevel,
    /// The level to put back.
    pub before: LogLevel,
    /// When it is put back; where that failed, when it is tried again.
    pub until: Instant,
    /// How far it is.
    pub stage: Stage,
}

/// How far a raised level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is raised for some time yet.
    Held,
    /// It is being put back.
    Ending,
    /// It could not be put back, which is tried again.
    Overdue,
}

/// `4:32`.
pub fn countdown(left: Duration) -> String {
    // The last second counts as one until it is over.
    let seconds = left.as_millis().div_ceil(1000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// `5 minutes`, `90 seconds`.
fn span(time: Duration) -> String {
    let (count, unit) = match time.as_secs() {
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::ProxyId;
    use crate::source::ProxyQuestion;

    fn question(now: LogLevel, before: LogLevel, raised: bool) -> LevelQuestion {
        let ask = ProxyRequest {
            proxy: ProxyId::new("web-1", "shop"),
            container: "istio-proxy".to_owned(),
            admin_port: 15000,
            question: ProxyQuestion::Logging,
            deadline: Duration::from_secs(1),
        };
        LevelQuestion { ask, now, before, raised }
    }

    #[test]
    fn a_level_and_a_bounded_time() {
        let asked = question(LogLevel::Warning, LogLevel::Warning, false);
        assert_eq!(asked.wish(asked.proposal()), Ok(Wish::Raise(LogLevel::Debug, Duration::from_secs(300))));
        assert_eq!(asked.wish(" trace  10s "), Ok(Wish::Raise(LogLevel::Trace, Duration::from_secs(10))));
        assert_eq!(asked.wish("info 1h"), Ok(Wish::Raise(LogLevel::Info, Duration::from_secs(3600))));
        for wrong in ["", "debug", "5m", "debug 5m now", "back"] {
            assert_eq!(asked.wish(wrong), Err("write a level and a time, such as debug 5m".to_owned()), "{wrong}");
        }
        for wrong in ["warning 5m", "Debug 5m", "off 5m"] {
            assert_eq!(asked.wish(wrong), Err("write info, debug or trace for the level".to_owned()), "{wrong}");
        }
        for wrong in ["debug 9s", "debug 61m", "debug soon", "debug -5m", "debug 99999999999999999999h"] {
            assert_eq!(asked.wish(wrong), Err("write a time from 10s to 60m".to_owned()), "{wrong}");
        }
    }

    #[test]
    fn what_is_as_low_already_need_not_be_raised() {
        let asked = question(LogLevel::Debug, LogLevel::Debug, false);
        assert_eq!(asked.proposal(), "trace 5m");
        let needless = "nothing need be done: the wasm logger of web-1.shop is at debug already";
        assert_eq!(asked.wish("debug 5m"), Err(needless.to_owned()));
        assert_eq!(asked.wish("info 5m"), Err(needless.to_owned()));
        assert!(asked.wish("trace 5m").is_ok());
    }

    #[test]
    fn what_is_raised_can_be_put_back_or_raised_otherwise() {
        let asked = question(LogLevel::Debug, LogLevel::Warning, true);
        assert_eq!(asked.wish(asked.proposal()), Ok(Wish::Back));
        assert_eq!(asked.wish("info 1m"), Ok(Wish::Raise(LogLevel::Info, Duration::from_secs(60))));
        let from_info = question(LogLevel::Debug, LogLevel::Info, true);
        assert_eq!(from_info.wish("info 1m"), Err("it was at info before: write back, or a lower level".to_owned()));
        assert_eq!(
            asked.request(Wish::Back),
            ["POST http://localhost:15000/logging?wasm=warning", "on web-1.shop (container istio-proxy)", "now"]
        );
        let raise = Wish::Raise(LogLevel::Debug, Duration::from_secs(90));
        assert_eq!(
            asked.request(raise),
            [
                "POST http://localhost:15000/logging?wasm=debug",
                "on web-1.shop (container istio-proxy)",
                "for 90 seconds, then back to warning"
            ]
        );
    }

    #[test]
    fn times_are_counted_down() {
        assert_eq!(countdown(Duration::from_secs(300)), "5:00");
        assert_eq!(countdown(Duration::from_millis(59_001)), "1:00");
        assert_eq!(countdown(Duration::ZERO), "0:00");
        assert_eq!([span(Duration::from_secs(60)), span(Duration::from_secs(3600))], ["1 minute", "60 minutes"]);
    }
}
