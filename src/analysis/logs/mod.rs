//! What a log record is about, and which records are asked for, in which order.

pub mod activity;
pub mod attribution;
pub mod clocks;
pub mod facts;
pub mod filter;
pub mod merge;
pub mod names;
pub mod severity;
pub mod silence;
pub mod summary;
pub mod targets;
pub mod typed;
pub mod words;

pub use activity::Activity;
pub use attribution::Attributor;
pub use clocks::{Clocks, Skew};
pub use facts::{Fact, facts};
pub use filter::{Filter, FilterError, FilterSpec};
pub use merge::{Merge, Written};
pub use names::Names;
pub use severity::Severity;
pub use silence::{Silence, UNLESS_SET};
pub use targets::{Choice, Targets, targets};
pub use typed::{PluginWord, Typed};
