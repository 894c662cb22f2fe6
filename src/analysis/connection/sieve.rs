//! Envoy's choice by what each chain matches: criterion by criterion, the narrowest go on, and there is no way back.

use super::assume::Seen;
use super::criteria::{Criterion, Fit};
use super::{Loss, Outcome, Verdict, chains_text, nothing_matches};
use crate::model::envoy::{FilterChain, Listener};

/// Which chain takes the connection, and at what each other one was lost.
pub(super) fn sift(listener: &Listener, seen: &Seen) -> Verdict {
    let mut left: Vec<(usize, &FilterChain)> = listener.chains.iter().enumerate().filter(|(_, chain)| !chain.is_default).collect();
    let mut sieve = Sieve { seen, losses: Vec::new(), passed: Vec::new(), by: Vec::new() };
    if let Some((place, chain)) = left.iter().find(|(_, chain)| sieve.is_not_understood(chain)) {
        let what = format!("what chain {place} has in its match: {}", chain.matches.other.join(", "));
        return sieve.not_known(&left, &what);
    }
    for criterion in Criterion::OF_A_MATCH {
        match left.iter().map(|(_, chain)| criterion.fit(&chain.matches, seen)).collect::<Result<Vec<_>, _>>() {
            Ok(fits) => left = sieve.narrow(criterion, left, fits),
            Err(what) => return sieve.not_known(&left, &what),
        }
    }
    match left.as_slice() {
        [(place, _)] => sieve.taken(*place),
        [] => sieve.nothing(listener),
        // Envoy takes no listener of which two chains match alike; a dump can be of one that it refused.
        _ => sieve.not_known(&left, "which of them goes first: they match alike, and Envoy takes no such listener"),
    }
}

struct Sieve<'s> {
    seen: &'s Seen,
    losses: Vec<Loss>,
    /// Chains that matched so far but named less than another: the chain, at what, and what the other one named.
    passed: Vec<(usize, Criterion, String)>,
    /// What the chains that are left match by.
    by: Vec<String>,
}

impl Sieve<'_> {
    /// Whether a chain that may be for this port has something in its match that this program does not know.
    fn is_not_understood(&self, chain: &FilterChain) -> bool {
        !chain.matches.other.is_empty() && Criterion::DestinationPort.fit(&chain.matches, self.seen) != Ok(None)
    }

    fn narrow<'c>(
        &mut self,
        criterion: Criterion,
        left: Vec<(usize, &'c FilterChain)>,
        fits: Vec<Option<Fit>>,
    ) -> Vec<(usize, &'c FilterChain)> {
        let best = fits.iter().flatten().max_by_key(|fit| fit.rank).cloned();
        let name = criterion.name();
        let mut narrowed = Vec::new();
        for ((place, chain), fit) in left.into_iter().zip(fits) {
            let why = match (fit, &best) {
                (Some(fit), Some(best)) if fit.rank < best.rank => {
                    self.passed.push((place, criterion, best.by.clone()));
                    let own = if fit.by.is_empty() { format!("no {name}") } else { format!("{name} {}", fit.by) };
                    format!("names {own}, and a chain for {} goes before it", best.by)
                }
                (Some(_), _) => {
                    narrowed.push((place, chain));
                    continue;
                }
                (None, _) => format!("wants {name} {}; the connection has {}", criterion.wanted(&chain.matches), criterion.had(self.seen)),
            };
            self.losses.push(Loss { chain: place, at: criterion, why });
        }
        self.by.extend(best.filter(|best| !best.by.is_empty()).map(|best| format!("{name} {}", best.by)));
        narrowed
    }

    fn taken(self, place: usize) -> Verdict {
        let why = match self.by.as_slice() {
            [] => "It names no condition, and no other chain that matches names one.".to_owned(),
            by => format!("It matches by {}.", by.join(", ")),
        };
        Verdict { outcome: Outcome::Chain, chain: Some(place), why, losses: self.losses }
    }

    fn nothing(self, listener: &Listener) -> Verdict {
        let (outcome, chain, mut why) = nothing_matches(listener);
        // What falls through by itself alone is what nobody expects.
        let alone = |place: &usize| {
            let chain = &listener.chains[*place];
            Criterion::OF_A_MATCH.iter().all(|criterion| matches!(criterion.fit(&chain.matches, self.seen), Ok(Some(_))))
        };
        let passed: Vec<_> = self.passed.iter().filter(|(place, ..)| alone(place)).collect();
        if let Some((_, criterion, by)) = passed.first() {
            let places: Vec<usize> = passed.iter().map(|(place, ..)| *place).collect();
            why.push_str(&format!(
                " {} would match, but the chains for {} {by} were chosen before, and Envoy does not go back.",
                chains_text(&places),
                criterion.name()
            ));
        }
        Verdict { outcome, chain, why, losses: self.losses }
    }

    fn not_known(self, left: &[(usize, &FilterChain)], what: &str) -> Verdict {
        let places: Vec<usize> = left.iter().map(|(place, _)| *place).collect();
        let why = format!("It cannot be told: it depends on {what}. {} may take it.", chains_text(&places));
        Verdict { outcome: Outcome::Unknown, chain: None, why, losses: self.losses }
    }
}
