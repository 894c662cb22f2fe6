//! What is waited for: described in words, each cancellable; late answers are distinguished from those still wanted.

/// The number of one request. No two requests have the same, so an answer names its question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(u64);

/// One wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The request.
    pub ticket: Ticket,
    /// What for: `the config dump of httpbin-1.default`.
    pub what: String,
}

/// All waits, the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    open: Vec<Wait>,
    issued: u64,
}

impl Waits {
    /// Begins a wait; its ticket goes with the request.
    pub fn begin(&mut self, what: impl Into<String>) -> Ticket {
        self.issued += 1;
        let ticket = Ticket(self.issued);
        self.open.push(Wait { ticket, what: what.into() });
        ticket
    }

    /// Ends a wait whose answer has come. False where nobody waits for it any more: the answer is to be dropped.
    #[must_use]
    pub fn end(&mut self, ticket: Ticket) -> bool {
        let before = self.open.len();
        self.open.retain(|wait| wait.ticket != ticket);
        self.open.len() < before
    }

    /// Gives up the newest wait, and says which request is to be stopped.
    pub fn cancel(&mut self) -> Option<Wait> {
        self.open.pop()
    }

    /// What is waited for now, the oldest first.
    pub fn open(&self) -> &[Wait] {
        &self.open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_answers_are_told() {
        let mut waits = Waits::default();
        let (one, two) = (waits.begin("one"), waits.begin("two"));
        assert_ne!(one, two);
        assert_eq!(waits.cancel().map(|wait| wait.what), Some("two".to_owned()));
        assert!(!waits.end(two));
        assert!(waits.end(one));
        assert!(!waits.end(one));
        assert!(waits.open().is_empty());
    }
}
