//! In which order plugins run, and why: among themselves, and among the built-in filters
//! (`pilot/pkg/model/push_context.go`, `pilot/pkg/networking/core`).

mod built_in;
mod hold;
mod limits;
mod ruler;
mod sort;
#[cfg(test)]
mod tests;

pub use built_in::{BuiltIn, is_custom};
pub use hold::{Laid, Place, lay};
pub use limits::limits;
pub use ruler::{FilterList, Mark, ruler};
pub use sort::{Reason, ServedFrom, phase_words, reason, running_order};
