//! Envoy's choice by the listener's `filter_chain_matcher` (`source/common/matcher/`): the first way through the tree that
//! ends at a chain. Where what a branch leads to does not match, the next branch is tried, as Envoy does since 1.35; Istio's
//! trees come out the same before.

use std::cmp::Reverse;

use super::assume::Seen;
use super::criteria::Criterion;
use super::range::narrowest;
use super::{Loss, Outcome, Verdict, nothing_matches};
use crate::model::envoy::{Condition, Input, Listener, Matcher, NEVER, OnMatch, Way, way_text};

/// Which chain takes the connection, and which condition each other one was lost at.
pub(super) fn follow(listener: &Listener, matcher: &Matcher, seen: &Seen) -> Verdict {
    let picked = match pick(matcher, seen) {
        Ok(picked) => picked,
        Err(what) => {
            let why = format!("It cannot be told: the listener's matcher looks at {what}.");
            return Verdict { outcome: Outcome::Unknown, chain: None, why, losses: Vec::new() };
        }
    };
    let named = |name: &str| listener.chains.iter().position(|chain| !chain.is_default && chain.name == name);
    let (outcome, chain, why) = match picked.map(|(name, way)| (name, named(name), way)) {
        Some((_, Some(place), way)) => (Outcome::Chain, Some(place), format!("The listener's matcher picks it: {}.", way_text(&way))),
        Some((name, None, _)) if listener.lacks_parts() => {
            let why = format!("It is not known: the listener's matcher picks {name}, which may be a chain that could not be read.");
            (Outcome::Unknown, None, why)
        }
        Some((name, None, _)) => {
            let why = format!("The listener's matcher picks {name}, which is no chain of it; Envoy closes the connection.");
            (Outcome::Closed, None, why)
        }
        None => nothing_matches(listener),
    };
    let ways = matcher.ways();
    let others = listener.chains.iter().enumerate().filter(|(place, other)| Some(*place) != chain && !other.is_default);
    let losses = others.map(|(place, other)| {
        let (at, why) = match ways.get(other.name.as_str()) {
            Some(ways) => lost(ways, seen),
            None => (Criterion::Matcher, NEVER.to_owned()),
        };
        Loss { chain: place, at, why }
    });
    let losses = losses.collect();
    Verdict { outcome, chain, why, losses }
}

/// The chain's name, and the way there.
fn pick<'m>(matcher: &'m Matcher, seen: &Seen) -> Result<Option<(&'m str, Way<'m>)>, String> {
    let mut open = Vec::new();
    for branch in &matcher.branches {
        if let Some(rank) = rank(&branch.condition, seen)? {
            open.push((rank, branch));
        }
    }
    // The narrowest first; of equals the first that is written.
    open.sort_by_key(|(rank, _)| Reverse(*rank));
    for (_, branch) in open {
        let below = match &branch.on_match {
            OnMatch::Chain(name) => Some((name.as_str(), Vec::new())),
            OnMatch::Matcher(next) => pick(next, seen)?,
            OnMatch::Unknown => return Err(format!("what it does where {}, which this program does not know", branch.condition)),
        };
        if let Some((name, mut way)) = below {
            way.insert(0, &branch.condition);
            return Ok(Some((name, way)));
        }
    }
    Ok(None)
}

/// How narrowly a condition holds; None where it does not.
fn rank(condition: &Condition, seen: &Seen) -> Result<Option<u32>, String> {
    let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_add(1);
    Ok(match condition {
        Condition::Is(input, wanted) => (value(input, seen)?.as_ref() == Some(wanted)).then_some(1),
        Condition::StartsWith(input, start) => value(input, seen)?.filter(|value| value.starts_with(start)).map(|_| length(start)),
        Condition::In(Input::Address, ranges) => {
            narrowest(ranges, seen.address.ok_or("the destination address; say address=IP")?)?.map(|(length, _)| length + 1)
        }
        Condition::In(..) | Condition::Unknown(_) => return Err(format!("\"{condition}\", which this program does not know")),
        Condition::NothingElse => Some(0),
    })
}

/// What Envoy's input of this name says of the connection (`source/extensions/matching/network/common/inputs.h`).
fn value(input: &Input, seen: &Seen) -> Result<Option<String>, String> {
    let there = |text: String| Some(text).filter(|text| !text.is_empty());
    match input {
        Input::Port => Ok(Some(seen.port.to_string())),
        Input::Address => Ok(Some(seen.address.ok_or("the destination address; say address=IP")?.to_string())),
        Input::Protocol => Ok(there(seen.application_protocols.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(","))),
        Input::ServerName => Ok(there(seen.server_name.clone().ok_or("the SNI; say sni=HOST, or sni=none")?)),
        Input::Other(name) => Err(format!("{name}, which this program does not know")),
    }
}

/// Why no way to a chain was taken: of several ways, the one that went furthest.
fn lost(ways: &[Way<'_>], seen: &Seen) -> (Criterion, String) {
    let failing = |way: &Way<'_>| way.iter().position(|condition| !matches!(rank(condition, seen), Ok(Some(_))));
    let Some(way) = ways.iter().max_by_key(|way| failing(way).unwrap_or(way.len())) else {
        return (Criterion::Matcher, NEVER.to_owned());
    };
    let text = way_text(way);
    match failing(way).map(|place| way[place]).and_then(criterion) {
        Some(criterion) => (criterion, format!("is for {text}; the connection has {} {}", criterion.name(), criterion.had(seen))),
        None => (Criterion::Matcher, format!("is for {text}, and another way goes before it")),
    }
}

fn criterion(condition: &Condition) -> Option<Criterion> {
    match condition {
        Condition::Is(input, _) | Condition::StartsWith(input, _) | Condition::In(input, _) => match input {
            Input::Port => Some(Criterion::DestinationPort),
            Input::Address => Some(Criterion::DestinationAddress),
            Input::Protocol => Some(Criterion::ApplicationProtocol),
            Input::ServerName => Some(Criterion::ServerName),
            Input::Other(_) => None,
        },
        Condition::Unknown(_) | Condition::NothingElse => None,
    }
}
