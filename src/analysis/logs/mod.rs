//! What a log record is about, and which records are asked for.

pub mod attribution;
pub mod filter;
pub mod severity;
pub mod words;

pub use attribution::Attributor;
pub use filter::{Filter, FilterError, FilterSpec};
pub use severity::Severity;
