//! What the findings come to, for the header: how many there are, and of what they were made.

use crate::analysis::answers::FindingsAnswer;
use crate::analysis::findings::Severity;
use crate::analysis::headline::Headline;
use crate::app::program::MOST_AT_FIRST;
use crate::app::state::Ticket;
use crate::model::ids::ProxyId;

/// The count in the header, and the question for it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// What was counted last; None before the first answer.
    pub sum: Option<Sum>,
    /// What is wrong with the control plane; None where nothing is, as far as it is known.
    pub headline: Option<Headline>,
    /// The generation of the snapshot that the headline is of.
    pub(in crate::app) headline_of: u64,
    /// Whether an answer has come by all that is read for the count: before that, a count of 0 means nothing.
    pub is_complete: bool,
    /// The question that is under way.
    pub(in crate::app) pending: Option<Ticket>,
    /// Of which state of the world, and of which namespace, was asked last.
    pub(in crate::app) asked: Option<(u64, Option<String>)>,
    /// Whether all was read when that question was asked.
    pub(in crate::app) asked_complete: bool,
    /// Whether the proxies in question are read for it: only after the first readings for the screen, which somebody waits for.
    pub(in crate::app) reads: bool,
}

/// How many findings there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// How many are errors.
    pub errors: usize,
    /// How many are warnings.
    pub warnings: usize,
    /// How many proxies are in question.
    pub proxies: usize,
    /// Whether all was looked at that findings come of.
    pub is_whole: bool,
    /// The first proxies in question.
    pub(in crate::app) first: Vec<ProxyId>,
}

impl Sum {
    /// Counts an answer.
    pub fn of(answer: &FindingsAnswer) -> Self {
        Self {
            errors: answer.count(Severity::Error),
            warnings: answer.count(Severity::Warning),
            proxies: answer.scope.proxies,
            is_whole: answer.not_checked.is_empty() && answer.unread().is_none(),
            first: answer.proxies.iter().take(MOST_AT_FIRST).cloned().collect(),
        }
    }
}
