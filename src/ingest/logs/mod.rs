//! From the lines of a container to records: which lines belong together, what wrote them, and which event they report.
//!
//! No line is lost: one that no parser knows is a record as it is. Secrets are redacted before anything is kept.

mod access;
mod access_format;
mod access_places;
mod assembler;
mod blanks;
pub mod details;
mod envoy;
pub mod failure;
mod form;
mod go;
mod json;
pub mod keys;
mod layout;
mod object;
mod parsed;
mod time;
pub mod upstream;
mod wrapped;
mod ztunnel;

pub use access_format::AccessFormat;
pub use assembler::Assembler;
pub use details::{details, message};
pub use time::{instant, leading, split_kubelet};
pub use wrapped::{Unwrapper, begins, begins_wrapped, is_log};
