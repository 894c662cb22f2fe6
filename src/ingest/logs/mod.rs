//! From the lines of a container to records: which lines belong together, what wrote them, and what they tell.
//!
//! Every line finds its place: what no parser knows is a record as it stands. Secrets go before anything is kept.

mod access;
mod assembler;
pub mod details;
mod envoy;
mod form;
mod go;
mod json;
mod object;
mod parsed;
mod time;

pub use assembler::Assembler;
pub use details::{details, message};
pub use form::begins;
pub use time::{instant, leading, split_kubelet};
