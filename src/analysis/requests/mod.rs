//! Requests and connections that fail, by the access log: read in groups, each with its cause and the object that makes it so.

mod blame;
pub mod cause;
mod denied;
mod endpoints;
mod gather;
mod mesh;
mod own;
mod upstream;

pub use blame::{Blame, blame, is_gateway};
pub use gather::Gatherer;
pub use mesh::Mesh;
