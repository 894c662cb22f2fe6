//! Which filter chain takes a connection, by Envoy's own rules, and why each other one does not.
//!
//! [`Asked`] is what a person says of the connection, [`assume`] fills the gaps, [`listener::choose`] finds the listener,
//! [`see`] tells what its listener filters make known, and [`take`] makes Envoy's choice. What is not known and matters is
//! named, never guessed.

mod asked;
mod assume;
mod criteria;
mod example;
mod listener;
mod matcher;
mod range;
mod sieve;

use serde::Serialize;

use crate::analysis::placement::ListenerDirection;
use crate::model::envoy::Listener;
use crate::model::workload::ProxyKind;

pub use asked::{Asked, FORM, Http, NoConnection, Tls};
pub use assume::{Assumed, Seen, assume, see};
pub use criteria::Criterion;
pub use example::example;
pub use listener::{Chosen, NoListener, choose};

/// What becomes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// A filter chain takes it.
    Chain,
    /// The listener's `default_filter_chain` takes it, since no other one matches.
    Default,
    /// Nothing takes it: it is closed, or not accepted at all.
    Closed,
    /// It cannot be told.
    Unknown,
}

/// Which chain takes a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What becomes of it.
    pub outcome: Outcome,
    /// The chain, as a place in the listener.
    pub chain: Option<usize>,
    /// Why, as whole sentences.
    pub why: String,
    /// The chains that do not take it, in the order of the listener; where it cannot be told, only those that surely do not.
    pub losses: Vec<Loss>,
}

/// A chain that does not take the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The chain, as a place in the listener.
    pub chain: usize,
    /// The first criterion at which it dropped out.
    pub at: Criterion,
    /// Why, as one clause.
    pub why: String,
}

/// Which way a connection goes at a proxy of this kind; at a sidecar the way that is said, else inbound.
pub fn direction(kind: Option<ProxyKind>, said: Option<ListenerDirection>) -> ListenerDirection {
    match kind {
        Some(ProxyKind::Gateway | ProxyKind::ClassicGateway) => ListenerDirection::Gateway,
        Some(ProxyKind::Waypoint) => ListenerDirection::Waypoint,
        Some(ProxyKind::Sidecar | ProxyKind::Ztunnel) | None => said.unwrap_or(ListenerDirection::Inbound),
    }
}

/// The listener's choice.
pub fn take(listener: &Listener, seen: &Seen) -> Verdict {
    if listener.unread {
        let why = "It is not known: parts of the listener could not be read.".to_owned();
        return Verdict { outcome: Outcome::Unknown, chain: None, why, losses: Vec::new() };
    }
    let mut verdict = match &listener.matcher {
        Some(matcher) => matcher::follow(listener, matcher, seen),
        None => sieve::sift(listener, seen),
    };
    let default = listener.chains.iter().position(|chain| chain.is_default);
    if let (Outcome::Chain, Some(chain)) = (verdict.outcome, default) {
        let why = "is the default_filter_chain, for what no other chain matches".to_owned();
        verdict.losses.push(Loss { chain, at: Criterion::Default, why });
    }
    verdict.losses.sort_by_key(|loss| loss.chain);
    verdict
}

/// What Envoy does where no chain matches.
fn nothing_matches(listener: &Listener) -> (Outcome, Option<usize>, String) {
    match listener.chains.iter().position(|chain| chain.is_default) {
        Some(default) => {
            (Outcome::Default, Some(default), "No filter chain matches, so the listener's default_filter_chain takes it.".to_owned())
        }
        None => (Outcome::Closed, None, "No filter chain matches; Envoy closes the connection.".to_owned()),
    }
}

/// `Chain 1`, `Chains 1, 2`.
fn chains_text(places: &[usize]) -> String {
    let names: Vec<String> = places.iter().map(usize::to_string).collect();
    format!("Chain{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
}
