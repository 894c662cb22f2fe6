//! In which order plugins run, and why (`pilot/pkg/model/push_context.go`, `pilot/pkg/networking/core`).

mod sort;
#[cfg(test)]
mod tests;

pub use sort::{Reason, ServedFrom, reason, running_order};
