//! What a source says as it goes: raw objects and the state of the source, before anything is understood.

use serde_json::Value;

use super::kind::Kind;
use super::logs::LogTime;
use super::mesh::Istiod;

/// One message of a source. Objects are as the API server wrote them.
#[derive(Clone, Debug)]
pub enum Update {
    /// All objects of a kind in one part of the cluster, as of a list; what is not among them is gone from there.
    Listed {
        /// The kind.
        kind: Kind,
        /// The namespace that was listed; None is all of them.
        namespace: Option<String>,
        /// The objects.
        objects: Vec<Value>,
    },
    /// An object was made or changed.
    Applied {
        /// The kind.
        kind: Kind,
        /// The object.
        object: Value,
    },
    /// An object was deleted.
    Deleted {
        /// The kind.
        kind: Kind,
        /// Its namespace; empty for a cluster-scoped object.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A list of a kind is under way: so many objects have come.
    Reading {
        /// The kind.
        kind: Kind,
        /// How many objects so far.
        so_far: usize,
    },
    /// The mesh has no such kind: a normal state, the answers go on without it.
    Absent(Kind),
    /// A kind, or something else, cannot be read.
    Unread(Unread),
    /// What the istiods say of themselves; replaces what was known.
    Istiods(Vec<Istiod>),
    /// The state of the source changed.
    Health(Health),
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The kind, where it is one that is watched.
    pub kind: Option<Kind>,
    /// The namespace in which it could not be read; None where that is no matter of one namespace.
    pub namespace: Option<String>,
    /// What: `pods in namespace default`.
    pub what: String,
    /// Why: the verb and resource that is lacking, or the error.
    pub why: String,
    /// What to do.
    pub fix: String,
    /// Whether its objects were listed, so that only the watch of them is lacking.
    pub listed: bool,
}

/// How a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It waits for its first answer; says what for.
    Connecting(String),
    /// It is live.
    Live,
    /// It has ended and will not change again: files, the demo.
    Fixed,
    /// It lost its connection, or part of it, and tries again.
    Degraded {
        /// What fails, on what.
        what: String,
        /// The attempt that comes next, from 1.
        attempt: u32,
        /// Milliseconds until that attempt.
        retry_in_ms: u64,
    },
    /// It answers nothing, though its connections are open: all that is known is as old as its last answer.
    Silent {
        /// When it said anything last.
        since: LogTime,
        /// How many seconds ago that was.
        seconds: u64,
        /// What is silent, and how that was found.
        what: String,
    },
    /// It cannot go on.
    Failed {
        /// What failed, on what.
        what: String,
        /// What to do.
        fix: String,
    },
}

impl Health {
    /// Whether what is known may be old, since the source does not answer.
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Degraded { .. } | Self::Silent { .. } | Self::Failed { .. })
    }
}
