//! How a command ends: with an answer, or with one line that says what failed, on what, and what to do.

use thiserror::Error;

use crate::source::{FailureKind, SourceError};

/// Why there is no answer. Each becomes one line on standard error and an exit status.
#[derive(Debug, Error)]
pub enum Error {
    /// Wrong usage, or a plugin or workload that does not exist: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// Nothing could be read: exit status 3.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The terminal or an output failed: exit status 3.
    #[error("{0}")]
    Output(String),
}

impl Error {
    /// The exit status that goes with it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Source(_) | Self::Output(_) => 3,
        }
    }

    /// An input that is not what it should be.
    pub fn bad_input(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Source(SourceError::new(FailureKind::BadInput, what, fix))
    }
}
