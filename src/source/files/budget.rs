//! How much memory unpacking may take: one budget for an archive and all that is compressed in it, and for what of a recording is in hand at
//! once. A file of a few bytes can unpack to any size.
//!
//! Many dumps that resemble each other shrink together to nearly nothing, so that an archive may unpack to all of the budget. No single file,
//! and neither all objects nor all that is compressed once more in it, may be out of proportion to the archive.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

/// The most that is read or unpacked, of one file, and of a whole archive with all that is in it.
pub(super) const LIMIT: u64 = 512 << 20;

/// How many times the size of its archive a file may be, and all that is compressed in it: dumps shrink to a tenth or a fiftieth.
const GROWTH: u64 = 128;
/// How large they may be in any archive, however small it is.
const LEAST: u64 = 64 << 20;

/// How long a file waits for others to be understood. Who holds one and wants a second would wait for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// A budget that all files of one recording share.
#[derive(Default)]
pub(super) struct Budget {
    state: Mutex<State>,
    freed: Condvar,
    /// Held while a part is unpacked: each decoder has a window of some megabytes.
    turn: Mutex<()>,
}

struct State {
    /// The most that a file of an archive may be, and that all that is compressed in it may unpack to.
    limit: u64,
    /// What the archive leaves of the whole budget.
    rest: u64,
    /// How large each compressed part of an archive has been found to be.
    parts: BTreeMap<String, u64>,
    /// Their sum.
    used: u64,
    /// What is in hand, in bytes.
    in_hand: u64,
}

impl Budget {
    /// What an archive leaves that was unpacked to this size: the size of its file bounds what its files may come to.
    pub(super) fn of_archive(packed: u64, size: u64) -> Arc<Self> {
        let (limit, rest) = (packed.saturating_mul(GROWTH).clamp(LEAST, LIMIT), LIMIT.saturating_sub(size));
        Arc::new(Self { state: Mutex::new(State { limit, rest, ..State::default() }), ..Self::default() })
    }

    /// The most that a file of an archive may be.
    pub(super) fn limit(&self) -> u64 {
        self.lock().limit
    }

    /// The bound that what is compressed meets first.
    pub(super) fn bound(&self) -> u64 {
        self.lock().bound()
    }

    /// A stream of a part of an archive, which ends with an error where the budget does.
    pub(super) fn metered(self: &Arc<Self>, name: &str, input: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Metered { input, budget: self.clone(), name: name.to_owned(), read: 0 })
    }

    /// The right to unpack a part into memory, which one has at a time.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this many more bytes may be held.
    pub(super) fn take(self: &Arc<Self>, size: u64) -> Hand {
        let full = |state: &mut State| state.in_hand > 0 && state.in_hand + size > LIMIT;
        let waited = self.freed.wait_timeout_while(self.lock(), PATIENCE, full).unwrap_or_else(PoisonError::into_inner);
        let mut state = waited.0;
        state.in_hand += size;
        Hand { budget: self.clone(), size }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for State {
    fn default() -> Self {
        Self { limit: LIMIT, rest: LIMIT, parts: BTreeMap::new(), used: 0, in_hand: 0 }
    }
}

impl State {
    fn left(&self, name: &str) -> u64 {
        (self.limit.min(self.rest) + self.parts.get(name).copied().unwrap_or_default()).saturating_sub(self.used)
    }

    fn bound(&self) -> u64 {
        if self.limit <= self.rest { self.limit } else { LIMIT }
    }

    /// What is read a second time costs nothing more.
    fn charge(&mut self, name: &str, size: u64) {
        let known = self.parts.entry(name.to_owned()).or_default();
        self.used += size.saturating_sub(*known);
        *known = size.max(*known);
    }
}

/// A part of the budget, given back when it is dropped.
pub(super) struct Hand {
    budget: Arc<Budget>,
    size: u64,
}

impl Hand {
    /// The same for what became of the bytes, which may have another size.
    pub(super) fn resized(mut self, size: u64) -> Self {
        let mut state = self.budget.lock();
        state.in_hand = state.in_hand - self.size + size;
        drop(state);
        self.size = size;
        self
    }

    /// Keeps it for as long as the bytes are there.
    pub(super) fn hold(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Held { bytes, _hand: self })
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.budget.lock().in_hand -= self.size;
        self.budget.freed.notify_all();
    }
}

struct Held {
    bytes: Bytes,
    _hand: Hand,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

struct Metered {
    input: Box<dyn Read + Send>,
    budget: Arc<Budget>,
    name: String,
    read: u64,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read += count as u64;
        let mut state = self.budget.lock();
        if self.read > state.left(&self.name) {
            let what = format!("the archive holds more than {} MiB, unpacked and with all that is in it", state.bound() >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        state.charge(&self.name, self.read);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_of_an_archive_share_one_budget() {
        let budget = Budget::of_archive(LIMIT, LIMIT - 10);
        let unpack = |name: &str, size: u64| {
            let read = budget.metered(name, Box::new(io::repeat(b'x').take(size))).read_to_end(&mut Vec::new());
            read.map_err(|error| error.kind())
        };
        assert_eq!(unpack("a", 6), Ok(6));
        assert_eq!(unpack("a", 6), Ok(6), "the same part again is no second one");
        assert_eq!(unpack("b", 4), Ok(4));
        assert_eq!(unpack("c", 1), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(unpack("a", 6), Ok(6), "what was read once can be read again");
    }

    #[test]
    fn what_is_in_a_small_archive_may_not_be_large() {
        let limit = |packed: u64| Budget::of_archive(packed, 0).limit();
        assert_eq!([limit(0), limit(134_000), limit(1 << 20), limit(1 << 30)], [LEAST, LEAST, 128 << 20, LIMIT]);
        let unpack =
            |budget: &Arc<Budget>, size: u64| budget.metered("a", Box::new(io::repeat(b'x').take(size))).read_to_end(&mut Vec::new());
        let small = Budget::of_archive(1, LEAST + 1);
        assert_eq!((unpack(&small, LEAST).unwrap() as u64, small.bound()), (LEAST, LEAST), "the archive itself may be larger");
        assert_eq!(unpack(&small, LEAST + 1).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        let full = Budget::of_archive(1, LIMIT - 10);
        assert_eq!((unpack(&full, 11).unwrap_err().kind(), full.bound()), (io::ErrorKind::FileTooLarge, LIMIT));
    }

    #[test]
    fn what_is_in_hand_waits_for_what_is_given_back() {
        let budget = Arc::new(Budget::default());
        let first = budget.take(LIMIT).hold(Bytes::from_static(b"first"));
        let waiting = std::thread::spawn({
            let budget = budget.clone();
            move || budget.take(1).hold(Bytes::from_static(b"second"))
        });
        assert_eq!(first, "first");
        drop(first);
        assert_eq!(waiting.join().unwrap(), "second");
        assert_eq!(budget.lock().in_hand, 0);
    }
}
