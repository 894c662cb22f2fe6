//! How far the reading of one proxy is.

use std::time::Duration;

use super::Ticket;

/// The fetching of one proxy's dump.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::app) struct Fetch {
    /// The request that is under way.
    pub(in crate::app) ticket: Option<Ticket>,
    /// How long it waits before it asks.
    pub(in crate::app) after: Duration,
    /// Whether it is asked for more than its dump: for how its plugins fare.
    pub(in crate::app) vital: bool,
    /// Whether its last request failed or is late; the shown dump is old.
    pub(in crate::app) silent: bool,
    /// Whether that failure was said.
    pub(in crate::app) said: bool,
    /// Whether that failure is one that lasts: the same request would fail again.
    pub(in crate::app) lasting: bool,
    /// Whether the shown dump was read before the proxy had any listener of istiod's.
    pub(in crate::app) early: bool,
    /// How many dumps of the proxy were read.
    pub(in crate::app) serial: u64,
    /// How many times it was asked again because what it said was not settled.
    pub(in crate::app) again: usize,
    /// How long its settled reading has been shown.
    pub(in crate::app) idle: Duration,
    /// How many times it was asked since the last change that may concern it; None where it is not followed.
    pub(in crate::app) followed: Option<usize>,
}
